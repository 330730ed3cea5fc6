#!/bin/sh
# Run a command in one of the networks: in_network.sh NAME COMMAND...
name=$1
shift
exec nsenter -t "$(systemctl show --property=MainPID --value "net-$name")" -U -n --preserve-credentials "$@"

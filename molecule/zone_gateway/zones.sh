#!/bin/sh
# Make three networks behind this host with one host in each: two zones, and one that is outside.
set -eu

network() {
	name=$1 gateway=$2 inside=$3 length=$4
	systemd-run --quiet --collect --unit="net-$name" unshare --map-root-user --net sleep infinity
	# Until the process has left this host's own network, there is an eth0 already.
	until process=$(systemctl show --property=MainPID --value "net-$name") &&
		ip link add "net-$name" type veth peer name eth0 netns "$process" 2>/dev/null; do
		sleep 0.2
	done
	ip address add "$gateway/$length" dev "net-$name"
	ip link set "net-$name" up
	nsenter -t "$process" -U -n --preserve-credentials sh -ec "
		ip link set lo up
		ip address add $inside/$length dev eth0
		ip link set eth0 up
		ip route add default via $gateway
	"
}

[ -e /sys/class/net/net-outside ] && exit 0
network ward 198.51.100.65 198.51.100.66 26
network core 198.51.100.129 198.51.100.130 26
network outside 198.51.100.193 198.51.100.194 26
sysctl --quiet --write net.ipv4.ip_forward=1
echo made

#!/bin/sh
# Print what udhcpc was given.
test "$1" != bound || env | grep -E '^(ip|subnet|router|dns|domain|ntpsrv|lease|serverid)=' | sort

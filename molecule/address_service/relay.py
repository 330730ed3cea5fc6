"""Relay DHCP between a zone and a server (RFC 1542), as the zone's gateway: relay.py INTERFACE GATEWAY SERVER."""

import ipaddress
import select
import socket
import sys

EVERYBODY = "255.255.255.255"
HOPS, GATEWAY = 3, slice(24, 28)


def main() -> None:
    interface, gateway, server = sys.argv[1:]
    zone, inside = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    with zone, inside:
        for option, value in (
            (socket.SO_BROADCAST, (1).to_bytes(4, sys.byteorder)),
            (socket.SO_BINDTODEVICE, interface.encode()),
        ):
            zone.setsockopt(socket.SOL_SOCKET, option, value)
        # Broadcasts only: what is sent to an address of this host is its own server's.
        zone.bind((EVERYBODY, 67))
        inside.bind((gateway, 67))
        while True:
            for wire in select.select([zone, inside], [], [])[0]:
                message = bytearray(wire.recv(4096))
                if wire is zone:
                    message[HOPS] += 1
                    message[GATEWAY] = ipaddress.IPv4Address(gateway).packed
                    inside.sendto(message, (server, 67))
                else:
                    zone.sendto(message, (EVERYBODY, 68))


if __name__ == "__main__":
    main()

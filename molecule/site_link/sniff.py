"""Count what comes in or goes out on eth0 until standard input ends: packets with a mark in them, and UDP to ports.

sniff.py MARK PORT...
"""

import json
import select
import socket
import sys

ALL_PROTOCOLS = 3
FRAME, UDP = 14, 17


def main() -> dict[str, int]:
    """Count until there is nothing left to count and nobody who waits for more."""
    mark, *ports = sys.argv[1:]
    counts = {"marked": 0, "tunnelled": 0}
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
    wire.bind(("eth0", 0))
    print("ready", flush=True)
    while wire in select.select([wire, sys.stdin], [], [])[0]:
        packet = wire.recv(65536)[FRAME:]
        counts["marked"] += mark.encode() in packet
        header = (packet[0] & 15) * 4
        is_udp = packet[0] >> 4 == 4 and packet[9] == UDP
        counts["tunnelled"] += is_udp and str(int.from_bytes(packet[header + 2 : header + 4])) in ports
    return counts


if __name__ == "__main__":
    print(json.dumps(main()))

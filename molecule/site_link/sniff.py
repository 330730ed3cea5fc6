"""Count for some seconds what comes in or goes out on eth0: packets with a mark in them, and UDP to some ports.

sniff.py SECONDS MARK PORT...
"""

import json
import socket
import sys
import time

ALL_PROTOCOLS = 3
FRAME, UDP = 14, 17


def main() -> dict[str, int]:
    """Count until the time is over."""
    seconds, mark, *ports = sys.argv[1:]
    counts = {"marked": 0, "tunnelled": 0}
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
    wire.bind(("eth0", 0))
    wire.settimeout(0.2)
    print("ready", flush=True)
    deadline = time.monotonic() + float(seconds)
    while time.monotonic() < deadline:
        try:
            packet = wire.recv(65536)[FRAME:]
        except TimeoutError:
            continue
        counts["marked"] += mark.encode() in packet
        header = (packet[0] & 15) * 4
        is_udp = packet[0] >> 4 == 4 and packet[9] == UDP
        counts["tunnelled"] += is_udp and str(int.from_bytes(packet[header + 2 : header + 4])) in ports
    return counts


if __name__ == "__main__":
    print(json.dumps(main()))

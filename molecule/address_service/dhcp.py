"""Send one DHCP message (RFC 2131) as a relay or a client and print what comes back as JSON; null when nothing does.

Reads a JSON object from stdin: server, source and port (to send from), kind, mac, seconds, and where it matters giaddr,
ciaddr, requested, server_id, client_id.
"""

import ipaddress
import json
import os
import socket
import struct
import sys
from typing import Any

COOKIE = bytes([99, 130, 83, 99])
MASK, ROUTERS, RESOLVERS, DOMAIN, TIME_SERVERS = 1, 3, 6, 15, 42
REQUESTED, LEASE, KIND, SERVER, WANTED, RENEW, REBIND, CLIENT, END = 50, 51, 53, 54, 55, 58, 59, 61, 255
NUMBERS = {LEASE, RENEW, REBIND}
ADDRESSES = {MASK, ROUTERS, RESOLVERS, TIME_SERVERS, SERVER}
Question = dict[str, Any]


def packed(address: str | int) -> bytes:
    return ipaddress.IPv4Address(address).packed


def message(question: Question, transaction: bytes) -> bytes:
    """Return the message as it goes over the wire."""
    hardware = bytes.fromhex(question["mac"].replace(":", ""))
    hops = int("giaddr" in question)
    head = struct.pack("!4B4s2H", 1, 1, 6, hops, transaction, 0, 0)
    head += packed(question.get("ciaddr", 0)) + bytes(8) + packed(question.get("giaddr", 0))
    options = [(KIND, bytes([question["kind"]]))]
    if "requested" in question:
        options.append((REQUESTED, packed(question["requested"])))
    if "server_id" in question:
        options.append((SERVER, packed(question["server_id"])))
    if "client_id" in question:
        options.append((CLIENT, question["client_id"].encode()))
    options.append((WANTED, bytes([MASK, ROUTERS, RESOLVERS, DOMAIN, TIME_SERVERS])))
    body = b"".join(bytes([number, len(value)]) + value for number, value in options)
    return head + hardware.ljust(16, b"\0") + bytes(192) + COOKIE + body + bytes([END])


def readable(number: int, value: bytes) -> str | int | list[str]:
    if number in ADDRESSES:
        return [str(ipaddress.IPv4Address(value[start : start + 4])) for start in range(0, len(value), 4)]
    if number in NUMBERS:
        return int.from_bytes(value, "big")
    return value.decode("ascii", "replace")


def decoded(answer: bytes) -> dict[str, Any]:
    """Return kind, address and options of an answer."""
    options, position, kind = {}, 240, 0
    while answer[position] != END:
        number, length = answer[position], answer[position + 1]
        value = answer[position + 2 : position + 2 + length]
        if number == KIND:
            kind = value[0]
        else:
            options[number] = readable(number, value)
        position += 2 + length
    return {"kind": kind, "address": str(ipaddress.IPv4Address(answer[16:20])), "options": options}


def main() -> None:
    question: Question = json.load(sys.stdin)
    transaction = os.urandom(4)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.settimeout(question["seconds"])
        wire.bind((question["source"], question["port"]))
        wire.sendto(message(question, transaction), (question["server"], 67))
        try:
            answer = wire.recv(4096)
            while answer[4:8] != transaction:
                answer = wire.recv(4096)
        except TimeoutError:
            print("null")
            return
    print(json.dumps(decoded(answer)))


if __name__ == "__main__":
    main()

"""Send one RADIUS packet (RFC 2865, 2866) and print what comes back as JSON; null when nothing does.

Reads a JSON object from stdin: server, port, source, secret, code, attributes ([[number, text or number], ...]), signed
(whether the packet carries a Message-Authenticator, RFC 3579).
"""

import hashlib
import hmac
import json
import os
import socket
import struct
import sys
from typing import Any

SIGNATURE = 80
TUNNEL_TYPE, TUNNEL_MEDIUM, TUNNEL_GROUP = 64, 65, 81
NUMBERS = {6, 27, 29, 40, 61, TUNNEL_TYPE, TUNNEL_MEDIUM}
ACCOUNTING = 4
UNSIGNED = bytes([SIGNATURE, 18]) + bytes(16)
Question = dict[str, Any]


def md5(content: bytes) -> bytes:
    """Hash as RFC 2865 demands; nothing but RADIUS should."""
    return hashlib.md5(content, usedforsecurity=False).digest()


def encoded(number: int, value: str | int) -> bytes:
    content = struct.pack("!I", value) if isinstance(value, int) else value.encode()
    return bytes([number, len(content) + 2]) + content


def hidden(password: str, secret: bytes, authenticator: bytes) -> bytes:
    """Hide a password as RFC 2865 section 5.2 says."""
    clear = password.encode().ljust(16 * max(1, -(-len(password) // 16)), b"\0")
    result, last = b"", authenticator
    for start in range(0, len(clear), 16):
        mask = md5(secret + last)
        last = bytes(left ^ right for left, right in zip(clear[start : start + 16], mask, strict=True))
        result += last
    return bytes([2, len(result) + 2]) + result


def packet(question: Question, identifier: int) -> tuple[bytes, bytes]:
    """Return the packet and its authenticator."""
    secret = question["secret"].encode()
    authenticator = bytes(16) if question["code"] == ACCOUNTING else os.urandom(16)
    body = UNSIGNED if question["signed"] else b""
    for number, value in question["attributes"]:
        body += hidden(value, secret, authenticator) if number == 2 else encoded(number, value)
    head = struct.pack("!BBH", question["code"], identifier, len(body) + 20)
    if question["signed"]:
        signature = hmac.new(secret, head + authenticator + body, "md5").digest()
        body = body.replace(UNSIGNED, UNSIGNED[:2] + signature, 1)
    if question["code"] == ACCOUNTING:
        authenticator = md5(head + authenticator + body + secret)
    return head + authenticator + body, authenticator


def decoded(answer: bytes, asked: bytes, secret: bytes) -> dict[str, Any]:
    """Return the answer, and whether both of its signatures are those of the secret."""
    head, body = answer[:4], answer[20:]
    attributes: dict[int, str | int] = {}
    blank, signature, position = body, b"", 0
    while position < len(body):
        number, length = body[position], body[position + 1]
        value = body[position + 2 : position + length]
        if number == SIGNATURE:
            signature = value
            blank = body[:position] + UNSIGNED + body[position + length :]
        elif number in {TUNNEL_TYPE, TUNNEL_MEDIUM}:
            attributes[number] = int.from_bytes(value[1:], "big")
        elif number in NUMBERS:
            attributes[number] = int.from_bytes(value, "big")
        else:
            # A tag, if there is one, is the first octet of the group (RFC 2868).
            tagged = number == TUNNEL_GROUP and value[0] < 32
            attributes[number] = value[tagged:].decode(errors="replace")
        position += length
    return {
        "code": answer[0],
        "attributes": attributes,
        "genuine": answer[4:20] == md5(head + asked + body + secret),
        "signed": signature == hmac.new(secret, head + asked + blank, "md5").digest(),
    }


def main() -> None:
    question: Question = json.load(sys.stdin)
    sent, authenticator = packet(question, os.urandom(1)[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.settimeout(question["seconds"])
        wire.bind((question["source"], 0))
        wire.connect((question["server"], question["port"]))
        try:
            wire.send(sent)
            answer = wire.recv(4096)
        except (TimeoutError, ConnectionRefusedError):
            print("null")
            return
    print(json.dumps(decoded(answer, authenticator, question["secret"].encode())))


if __name__ == "__main__":
    main()

"""Ask a RADIUS server, as a network device does, where it lets devices in by their MAC addresses.

Stdin holds a question in JSON: `address`, `port`, `seconds` for each packet, `name` (this host's, as a network device),
`credential` (a file with what it shares with the server) and `macs`. Stdout gets a list in JSON with `said` and `vlan`
for each, or `error`. Questions are signed, and so must answers be (RFC 2865, 2868, 3579).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import socket
import struct
import sys
from pathlib import Path
from typing import Any

REQUEST, ACCEPT, REJECT, CHALLENGE = 1, 2, 3, 11
WORDS = {ACCEPT: "accept", REJECT: "reject", CHALLENGE: "challenge"}
USER_NAME, USER_PASSWORD, SERVICE_TYPE, CALLING, NAME, PORT_TYPE = 1, 2, 6, 31, 32, 61
TUNNEL_TYPE, TUNNEL_MEDIUM, TUNNEL_GROUP = 64, 65, 81
SIGNATURE = 80
CALL_CHECK, ETHERNET = 10, 15
VLAN, IEEE_802 = 13, 6
LAST_TAG = 0x1F
HEAD, DIGEST = 20, 16
TRIES = 3
Attributes = list[tuple[int, bytes]]


def md5(content: bytes) -> bytes:
    """Hash as RFC 2865 demands; nothing but RADIUS should."""
    return hashlib.md5(content, usedforsecurity=False).digest()


def hidden(password: bytes, secret: bytes, authenticator: bytes) -> bytes:
    """Hide a password of at most sixteen bytes (RFC 2865, section 5.2)."""
    mask = md5(secret + authenticator)
    return bytes(left ^ right for left, right in zip(password.ljust(DIGEST, b"\0"), mask, strict=True))


def packed(attributes: Attributes) -> bytes:
    """Write attributes as they go over the wire."""
    return b"".join(bytes([number, len(value) + 2]) + value for number, value in attributes)


def unpacked(content: bytes) -> Attributes:
    """Read attributes, and refuse those that end outside of the packet."""
    found: Attributes = []
    while content:
        length = content[1] if len(content) > 1 else 0
        if not 1 < length <= len(content):
            message = "the answer is malformed"
            raise ValueError(message)
        found.append((content[0], content[2:length]))
        content = content[length:]
    return found


def request(mac: str, name: str, secret: bytes, identifier: int, authenticator: bytes) -> bytes:
    """Write the question of a switch whose port has heard nothing but a MAC address (RFC 3580)."""
    digits = "".join(digit for digit in mac.lower() if digit in "0123456789abcdef")
    dashed = "-".join(digits[start : start + 2] for start in range(0, len(digits), 2)).encode()
    rest = packed(
        [
            (USER_NAME, dashed),
            (USER_PASSWORD, hidden(digits.encode(), secret, authenticator)),
            (SERVICE_TYPE, struct.pack("!I", CALL_CHECK)),
            (CALLING, dashed),
            (NAME, name.encode()),
            (PORT_TYPE, struct.pack("!I", ETHERNET)),
        ]
    )
    blank = packed([(SIGNATURE, bytes(DIGEST))])
    head = struct.pack("!BBH", REQUEST, identifier, HEAD + len(blank) + len(rest)) + authenticator
    return head + packed([(SIGNATURE, hmac.digest(secret, head + blank + rest, "md5"))]) + rest


def verified(answer: bytes, secret: bytes, identifier: int, authenticator: bytes) -> tuple[int, Attributes]:
    """Give the code and the attributes of an answer to this question, signed with this secret both ways."""
    length = int.from_bytes(answer[2:4], "big")
    if not HEAD <= length <= len(answer) or answer[1] != identifier:
        message = "the answer is malformed"
        raise ValueError(message)
    first, body = answer[:4], answer[HEAD:length]
    if not hmac.compare_digest(answer[4:HEAD], md5(first + authenticator + body + secret)):
        message = "the answer is not signed with this host's secret"
        raise ValueError(message)
    attributes = unpacked(body)
    blank = packed([(number, bytes(len(value)) if number == SIGNATURE else value) for number, value in attributes])
    signature = hmac.digest(secret, first + authenticator + blank, "md5")
    if [value for number, value in attributes if number == SIGNATURE] != [signature]:
        message = "the answer has no Message-Authenticator that is right"
        raise ValueError(message)
    return answer[0], attributes


def vlan_of(attributes: Attributes) -> str:
    """Give the VLAN that an answer names, with all that belongs to it (RFC 3580, section 3.31); empty without."""
    tunnels: dict[int, dict[int, bytes]] = {}
    for number, value in attributes:
        # The group's tag may be left out, the others' never (RFC 2868).
        tagged = number in {TUNNEL_TYPE, TUNNEL_MEDIUM} or value[:1] <= bytes([LAST_TAG])
        tag, content = (value[0], value[1:]) if value and tagged else (0, value)
        tunnels.setdefault(tag, {})[number] = content
    for tunnel in tunnels.values():
        kind = tuple(int.from_bytes(tunnel.get(number, b""), "big") for number in (TUNNEL_TYPE, TUNNEL_MEDIUM))
        if kind == (VLAN, IEEE_802) and TUNNEL_GROUP in tunnel:
            return tunnel[TUNNEL_GROUP].decode(errors="replace")
    return ""


def asked(order: dict[str, Any], mac: str, secret: bytes) -> dict[str, str]:
    """Ask for one device, again where a packet may be lost."""
    identifier, authenticator = os.urandom(1)[0], os.urandom(DIGEST)
    question = request(mac, order["name"], secret, identifier, authenticator)
    # A socket each: what is said to one question is never taken for another's answer.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.settimeout(order["seconds"])
        wire.connect((order["address"], order["port"]))
        for _ in range(TRIES):
            wire.send(question)
            try:
                answer = wire.recv(4096)
            except TimeoutError:
                continue
            code, attributes = verified(answer, secret, identifier, authenticator)
            return {"said": WORDS.get(code, f"code {code}"), "vlan": vlan_of(attributes)}
    message = "the server does not answer this host, or drops what it asks"
    raise TimeoutError(message)


def main() -> None:
    """Ask for one device after the other; the first that is not answered ends it."""
    order = json.load(sys.stdin)
    found: list[dict[str, str]] | dict[str, str]
    try:
        secret = Path(order["credential"]).read_bytes()
        found = [asked(order, mac, secret) for mac in order["macs"]]
    except (OSError, ValueError) as failed:
        found = {"error": f"{failed}"[:500]}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()

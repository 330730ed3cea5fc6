"""Connect to a service as this host does, and carry bytes between it and stdin/stdout.

The first line of stdin is an order in JSON: `address`, `port`, `seconds`, where a proxy is asked to lead on `tunnel`
(name and port), and for TLS `name`, `authority` (a file) or `authorities` (certificates), `certificate` and `key`. The
first line of stdout says in JSON how the connection came about, or `error`; what follows is the service's.
"""

from __future__ import annotations

import http.client
import json
import os
import select
import socket
import ssl
import sys
from collections.abc import Iterator
from typing import Any

CHUNK = 65536
NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def reached(order: dict[str, Any]) -> socket.socket:
    """Connect to the address itself."""
    return socket.create_connection((order["address"], order["port"]), order["seconds"])


def tunnel(order: dict[str, Any]) -> socket.socket:
    """Have the proxy at the address lead on to another service (RFC 9110, section 9.3.6)."""
    proxy = http.client.HTTPConnection(order["address"], order["port"], timeout=order["seconds"])
    name, _, port = order["tunnel"].rpartition(":")
    proxy.set_tunnel(name, int(port))
    proxy.connect()
    wire: socket.socket = proxy.sock
    return wire


def connected(order: dict[str, Any]) -> tuple[socket.socket, dict[str, Any]]:
    """Make the connection, with this host's own certificate where the order names TLS."""
    wire = tunnel(order) if order["tunnel"] else reached(order)
    if not order["name"]:
        return wire, {"tls": "", "expires": ""}
    # One or the other, never both: who may vouch for a service outside is nobody's business inside.
    known = {"cadata": order["authorities"]} if order["authorities"] else {"cafile": order["authority"]}
    context = ssl.create_default_context(**known)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(order["certificate"], order["key"])
    secured = context.wrap_socket(wire, server_hostname=order["name"])
    certificate = secured.getpeercert() or {}
    return secured, {"tls": secured.version(), "expires": certificate.get("notAfter", "")}


def carry(wire: socket.socket, seconds: float) -> None:
    """Carry both ways until one side ends, or nothing moves for as long as the order allows.

    One thread does it all: OpenSSL forbids that one thread reads a connection while another writes to it.
    """
    wire.settimeout(0.0)
    given = sys.stdin.fileno()
    unsent = b""
    while True:
        ready, able, _ = select.select([wire] if unsent else [wire, given], [wire] if unsent else [], [], seconds)
        if not ready and not able:
            return
        if given in ready:
            unsent = os.read(given, CHUNK)
            if not unsent:
                # A service that is not told keeps a place for who has gone, and some have few places.
                return
        unsent = unsent[written(wire, unsent) :]
        for part in arrived(wire):
            if not part:
                return
            sys.stdout.buffer.write(part)
            sys.stdout.buffer.flush()


def written(wire: socket.socket, data: bytes) -> int:
    """Write as much as goes now, and say how much that was."""
    try:
        return wire.send(data) if data else 0
    except NOT_NOW:
        return 0


def arrived(wire: socket.socket) -> Iterator[bytes]:
    """Give what has arrived, also what TLS has read ahead; something empty at the connection's end."""
    part = b"more"
    while part:
        try:
            part = wire.recv(CHUNK)
        except NOT_NOW:
            return
        yield part


def said(words: dict[str, Any]) -> None:
    """Say one line."""
    sys.stdout.buffer.write(json.dumps(words).encode() + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    """Connect as ordered, say how that went, and carry."""
    # Unbuffered, so that what follows the order stays in the pipe for the thread that carries it.
    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as orders:
        order = json.loads(orders.readline(CHUNK))
    try:
        wire, how = connected(order)
    except (OSError, ValueError, http.client.HTTPException) as failed:
        said({"error": f"{type(failed).__name__}: {failed}"[:500]})
        return
    said(how)
    try:
        carry(wire, order["seconds"])
    except OSError:
        # The other end is told by the end of the stream; what it means is decided there.
        return


if __name__ == "__main__":
    main()

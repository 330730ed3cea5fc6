"""Connect to a service as this host does, and carry bytes between it and stdin/stdout.

The first line of stdin is an order in JSON: `address`, `port`, `seconds`, where a proxy is asked to lead on `tunnel`
(name and port), and for TLS `name`, `authority` (a file) or `authorities` (certificates), `certificate` and `key`. The
first line of stdout says in JSON how the connection came about, or `error`; what follows is the service's.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import sys
import threading
from typing import Any

CHUNK = 65536


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


def sent(wire: socket.socket) -> None:
    """Carry stdin to the service until it ends."""
    while data := os.read(sys.stdin.fileno(), CHUNK):
        wire.sendall(data)
    wire.shutdown(socket.SHUT_WR)


def said(words: dict[str, Any]) -> None:
    """Say one line."""
    sys.stdout.buffer.write(json.dumps(words).encode() + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    """Carry until the service ends, or says nothing for as long as the order allows."""
    # Unbuffered, so that what follows the order stays in the pipe for the thread that carries it.
    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as orders:
        order = json.loads(orders.readline(CHUNK))
    try:
        wire, how = connected(order)
    except (OSError, ValueError, http.client.HTTPException) as failed:
        said({"error": f"{type(failed).__name__}: {failed}"[:500]})
        return
    said(how)
    threading.Thread(target=sent, args=(wire,), daemon=True).start()
    try:
        while data := wire.recv(CHUNK):
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
    except OSError:
        # The other end is told by the end of the stream; what it means is decided there.
        return


if __name__ == "__main__":
    main()

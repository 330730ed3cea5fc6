"""Ask a proxy for something and print as JSON what came of it.

client.py PROXY get URL                    a plain request
client.py PROXY connect HOST:PORT          a tunnel, and what the far end says first
client.py PROXY tls HOST:PORT NAME         a tunnel, TLS in it that asks for NAME, and a request in that
"""

import hashlib
import http.client
import json
import socket
import ssl
import sys

PORT = 3128
SECONDS = 10


def answer(response: http.client.HTTPResponse) -> dict[str, object]:
    """Say what a response holds."""
    body = response.read()
    whole = response.getheader("X-Digest") == hashlib.sha256(body).hexdigest()
    return {"status": response.status, "whole": whole, "seen": response.getheader("X-Seen")}


def tunnel(proxy: str, target: str) -> tuple[int, socket.socket]:
    """Ask for a tunnel; return the proxy's status and the connection."""
    connection = socket.create_connection((proxy, PORT), SECONDS)
    connection.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nX-Forwarded-For: 192.0.2.99\r\n\r\n".encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            break
        head += byte
    return int(head.split()[1]), connection


def main() -> dict[str, object]:
    """Do what the command line says."""
    proxy, kind, target, *names = sys.argv[1:]
    if kind == "get":
        plain = http.client.HTTPConnection(proxy, PORT, timeout=SECONDS)
        plain.request("GET", target)
        return answer(plain.getresponse())
    status, connection = tunnel(proxy, target)
    if status != 200:
        return {"connect": status}
    if kind == "connect":
        return {"connect": status, "first": connection.recv(7).decode("latin-1")}
    context = ssl.create_default_context(cafile="/root/ca.crt")
    try:
        inner = context.wrap_socket(connection, server_hostname=names[0])
        inner.sendall(f"GET / HTTP/1.1\r\nHost: {names[0]}\r\nConnection: close\r\n\r\n".encode())
        response = http.client.HTTPResponse(inner)
        response.begin()
        return {"connect": status, **answer(response)}
    except OSError as error:
        return {"connect": status, "error": type(error).__name__}


if __name__ == "__main__":
    print(json.dumps(main()))

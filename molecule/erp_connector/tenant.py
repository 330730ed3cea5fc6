"""Stand for the ERP tenant: tells over mutual TLS what arrived. A file holds the name of its certificate."""

import json
import socket
import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT = 8443
CERTIFICATE = Path("/run/tenant-certificate")
SEEN = Path("/run/tenant.log")


class Tenant(BaseHTTPRequestHandler):
    """Answers with the request as it arrived."""

    def answer(self) -> None:
        """Send the request back as JSON."""
        subject = dict(pair[0] for pair in self.connection.getpeercert()["subject"])
        length = int(self.headers.get("Content-Length") or 0)
        body = json.dumps(
            {
                "method": self.command,
                "path": self.path,
                "host": self.headers["Host"],
                "headers": sorted(name.lower() for name in self.headers),
                "body": self.rfile.read(length).decode(),
                "certificate": subject["commonName"],
                "from": self.client_address[0],
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        """Answer as to every method."""
        self.answer()

    def do_POST(self) -> None:
        """Answer as to every method."""
        self.answer()


class Server(ThreadingHTTPServer):
    """Writes down where each connection comes from, whatever becomes of it."""

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """Take a connection with the certificate that is wanted now."""
        connection, address = super().get_request()
        with SEEN.open("a", encoding="utf-8") as seen:
            seen.write(f"{address[0]}\n")
        name = CERTIFICATE.read_text(encoding="ascii").strip()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile="hospital-ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(f"{name}.crt", f"{name}.key")
        return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address


if __name__ == "__main__":
    SEEN.touch()
    CERTIFICATE.write_text("tenant", encoding="ascii")
    Server(("", PORT), Tenant).serve_forever()

"""Stands in for a vendor's laboratory information system: answers HL7 over MLLP and keeps the types of messages."""

import socket
import socketserver
import ssl
import sys
from pathlib import Path

FOLDER = Path("/srv/lis")
PKI = Path("/etc/wardround/pki")


class MutualTLS(socketserver.ThreadingTCPServer):
    """Speaks TLS and asks for a certificate of the authority."""

    def get_request(self) -> tuple[socket.socket, str]:
        """Take a connection."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(PKI / "ca.crt"))
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(PKI / "host.crt", PKI / "host.key")
        connection, address = super().get_request()
        return context.wrap_socket(connection, server_side=True), address


class Listener(socketserver.StreamRequestHandler):
    """One connection."""

    def handle(self) -> None:
        """Acknowledge each message."""
        self.keep("connected")
        received = b""
        while part := self.request.recv(4096):
            received += part
            while b"\x1c\r" in received:
                message, _, received = received.partition(b"\x1c\r")
                self.answer(message.removeprefix(b"\x0b").decode())

    def answer(self, message: str) -> None:
        """Acknowledge a message, with an error where the scenario wants one."""
        segments = message.rstrip("\r").split("\r")
        fields = segments[0].split("|")
        self.keep(f"{fields[8]} {len(segments)}")
        code = "AE" if (FOLDER / "failing").exists() else "AA"
        answer = f"MSH|^~\\&|LIS|LAB|||20260101000000||RSP^K11|1|P|2.5.1\rMSA|{code}|{fields[9]}\rQAK||NF\r"
        self.request.sendall(b"\x0b" + answer.encode() + b"\x1c\r")

    @staticmethod
    def keep(line: str) -> None:
        """Keep a line for the test."""
        with (FOLDER / "seen").open("a", encoding="ascii") as file:
            file.write(f"{line}\n")


if __name__ == "__main__":
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    kind = MutualTLS if "--tls" in sys.argv else socketserver.ThreadingTCPServer
    kind(("", 2575), Listener).serve_forever()

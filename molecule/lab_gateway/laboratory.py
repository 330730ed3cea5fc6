"""Stand in for the laboratory's software: answer every HL7 message in an MLLP frame with AA, and count connections.

Usage: laboratory.py PORT COUNT_FILE. It listens on 127.0.0.1 alone.
"""

import socketserver
import sys
from pathlib import Path

START, END = b"\x0b", b"\x1c\r"


class Conversation(socketserver.BaseRequestHandler):
    """One connection."""

    def handle(self) -> None:
        with Path(sys.argv[2]).open("a", encoding="ascii") as count:
            count.write("connection\n")
        received = b""
        while part := self.request.recv(65536):
            received += part
            while END in received:
                message, _, received = received.partition(END)
                identifier = message.partition(b"\r")[0].split(b"|")[9]
                self.request.sendall(
                    START + rb"MSH|^~\&|LAB||||||ACK|1|P|2.5.1" + b"\rMSA|AA|" + identifier + b"\r" + END
                )


class Laboratory(socketserver.ThreadingTCPServer):
    """Listens until it is stopped."""

    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    Laboratory(("127.0.0.1", int(sys.argv[1])), Conversation).serve_forever()

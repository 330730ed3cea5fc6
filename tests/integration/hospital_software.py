"""Peers of an interface engine on this machine: one that sends, and one that receives and answers as it is told."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable
from typing import Self

START, END = b"\x0b", b"\x1c\r"
ANSWER_SECONDS = 5


def message(identifier: str, application: str = "LAB", kind: str = "ORU^R01", more: bytes = b"") -> bytes:
    header = f"MSH|^~\\&|{application}|LIS|ENGINE|HOSPITAL|20261122||{kind}|{identifier}|P|2.5.1\r"
    return header.encode() + b"PID|1||SYNTHETIC\r" + more


def framed(content: bytes) -> bytes:
    return START + content + END


def identifier_of(content: bytes) -> str:
    return content.partition(b"\r")[0].split(b"|")[9].decode()


class Sender:
    """One connection to the engine."""

    def __init__(self, port: int) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def send(self, sent: bytes) -> bytes:
        """Send bytes and return one answer, or nothing where the connection is closed instead."""
        self.connection.sendall(sent)
        return self.answer()

    def answer(self) -> bytes:
        received = b""
        while not received.endswith(END):
            part = self.connection.recv(65536)
            if not part:
                return b""
            received += part
        return received

    def result(self, identifier: str, application: str = "LAB", kind: str = "ORU^R01") -> str:
        """Send a message and return the code of its acknowledgement."""
        answer = self.send(framed(message(identifier, application, kind)))
        _, code, acknowledged, *_ = answer.splitlines()[1].decode().split("|")
        assert acknowledged == identifier
        return code


class Destination:
    """Receives, remembers the order, and answers as `judge` says: a code, or nothing to let the engine wait."""

    def __init__(self, judge: Callable[[str], str] = lambda _: "AA", port: int = 0) -> None:
        self.received: list[str] = []
        self.judge = judge
        self.connections: set[socket.socket] = set()
        destination = self

        class Conversation(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                destination.connections.add(self.request)
                with contextlib.suppress(ConnectionError):
                    destination.converse(self.request)
                destination.connections.discard(self.request)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True

        self.server = Server(("127.0.0.1", port), Conversation)
        self.port = int(self.server.server_address[1])
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def converse(self, connection: socket.socket) -> None:
        received = b""
        while part := connection.recv(65536):
            received += part
            while END in received:
                content, _, received = received.partition(END)
                identifier = identifier_of(content.removeprefix(START))
                self.received.append(identifier)
                if code := self.judge(identifier):
                    answer = rf"MSH|^~\&|HIS|HOSPITAL|LAB|LIS|20261122||ACK|{identifier}-A|P|2.5.1" + "\r"
                    connection.sendall(framed(f"{answer}MSA|{code}|{identifier}\r".encode()))

    def close(self) -> None:
        self.server.shutdown()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server.server_close()
        self.thread.join()

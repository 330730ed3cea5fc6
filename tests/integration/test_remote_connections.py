"""The program that tries connections, run by a Python of its own against the loopback."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from wardround.transport.remote import connections

pytestmark = pytest.mark.integration


def run(entries: list[list[object]]) -> list[str]:
    """Send the program to another Python, as a host gets it."""
    words = [sys.executable, "-I", "-c", Path(connections.__file__).read_text(encoding="utf-8")]
    done = subprocess.run(words, input=json.dumps(entries), capture_output=True, text=True, check=True, timeout=60)
    found: list[str] = json.loads(done.stdout)
    return found


def test_each_end_is_told_apart() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as answering,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent,
        socket.socket() as unused,
    ):
        for each in (answering, silent, unused):
            each.bind(("127.0.0.1", 0))
        heard: list[bytes] = []

        def answer() -> None:
            data, peer = answering.recvfrom(4096)
            heard.append(data)
            answering.sendto(b"yes", peer)

        thread = threading.Thread(target=answer)
        thread.start()
        ports = [each.getsockname()[1] for each in (listener, unused, answering, silent)]
        found = run(
            [
                ["tcp", "127.0.0.1", ports[0], ""],
                ["tcp", "127.0.0.1", ports[1], ""],
                ["udp", "127.0.0.1", ports[2], "2300"],
                ["udp", "127.0.0.1", ports[3], "2300"],
                ["udp", "127.0.0.1", ports[1], ""],
                ["tcp", "255.255.255.255", 9, ""],
            ]
        )
        thread.join(10)
    assert found == ["connected", "refused", "answered", "silent", "refused", "not sent"]
    assert heard == [b"\x23\x00"]

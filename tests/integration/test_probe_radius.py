"""The RADIUS probe against FreeRADIUS, and against a server that cannot be trusted."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.integration.radius_server import device, radius_server
from wardround.probe import radius
from wardround.probe.answer import Reply
from wardround.transport.remote import radius as program

pytestmark = pytest.mark.integration

CT = radius.Device("ct01", "02:00:5e:00:21:11", 121)
PUMP = radius.Device("pump01", "02:00:5e:00:41:11", 141)
SECRET = secrets.token_urlsafe(24)
Answering = Callable[[bytes], bytes]


def ask(folder: Path, port: int, *devices: radius.Device, secret: str = SECRET, seconds: float = 2.0) -> Reply:
    """Run the program in another Python, as a host does, and judge what it says."""
    own = folder / "own.secret"
    own.write_text(secret, encoding="ascii")
    macs = tuple(device.mac for device in devices)
    question = radius.Question("127.0.0.1", port, "access01", macs, seconds, str(own))
    words = [sys.executable, "-I", "-c", Path(program.__file__).read_text(encoding="utf-8")]
    done = subprocess.run(
        words, input=json.dumps(asdict(question)), capture_output=True, text=True, check=True, timeout=60
    )
    return radius.judged(devices, done.stdout)


@pytest.fixture
def freeradius(tmp_path: Path) -> Iterator[int]:
    devices = device(CT.mac, 121) + device(PUMP.mac, 141, tag=":1")
    with radius_server(tmp_path, SECRET, devices) as port:
        yield port


def test_devices_are_let_in_each_into_its_own_vlan(tmp_path: Path, freeradius: int) -> None:
    assert ask(tmp_path, freeradius, CT, PUMP) == Reply(
        good=True, words="let in: ct01 into VLAN 121, pump01 into VLAN 141"
    )


def test_another_vlan_is_said(tmp_path: Path, freeradius: int) -> None:
    moved = radius.Device("ct01", CT.mac, 122)
    assert ask(tmp_path, freeradius, moved, PUMP) == Reply(good=False, words="ct01 got accept in VLAN 121")


def test_a_device_that_is_not_let_in_is_said(tmp_path: Path, freeradius: int) -> None:
    stranger = radius.Device("ct09", "02:00:5e:00:21:99", 121)
    assert ask(tmp_path, freeradius, stranger, CT) == Reply(good=False, words="ct09 got reject")


def test_another_secret_has_no_answer(tmp_path: Path, freeradius: int) -> None:
    found = ask(tmp_path, freeradius, CT, secret=secrets.token_urlsafe(24), seconds=0.3)
    assert found == Reply(
        good=False, words="no answer that counts: the server does not answer this host, or drops what it asks"
    )


def test_a_secret_that_is_not_there_is_said(tmp_path: Path) -> None:
    missing = radius.Question("127.0.0.1", 9, "access01", (CT.mac,), 1.0, str(tmp_path / "none"))
    words = [sys.executable, "-I", str(program.__file__)]
    done = subprocess.run(words, input=json.dumps(asdict(missing)), capture_output=True, text=True, check=True)
    assert "No such file" in radius.judged((CT,), done.stdout).words


def test_nobody_there_is_said(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert "refused" in ask(tmp_path, port, CT).words


@contextmanager
def server(answering: Answering) -> Iterator[int]:
    """Answer one question as told."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))
        wire.settimeout(20)

        def serve() -> None:
            question, peer = wire.recvfrom(4096)
            wire.sendto(answering(question), peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield wire.getsockname()[1]
        thread.join(20)


def answer(question: bytes, secret: str = SECRET, *, signed: bool = True, attributes: bytes | None = None) -> bytes:
    """Write an acceptance into VLAN 121, unsigned if asked for, or with attributes in place of these."""
    body = bytes([64, 6, 0, 0, 0, 13, 65, 6, 0, 0, 0, 6, 81, 5]) + b"121" if attributes is None else attributes
    blank = bytes([80, 18]) + bytes(16) if signed else b""
    head = bytes([2, question[1]]) + (20 + len(blank) + len(body)).to_bytes(2, "big")
    key, asked = secret.encode(), question[4:20]
    signature = hmac.digest(key, head + asked + blank + body, "md5") if signed else b""
    content = blank[:2] + signature + body
    return head + hashlib.md5(head + asked + content + key, usedforsecurity=False).digest() + content


def test_the_server_of_these_tests_is_believed_when_it_signs(tmp_path: Path) -> None:
    with server(answer) as port:
        assert ask(tmp_path, port, CT).good


@pytest.mark.parametrize(
    ("answering", "words"),
    [
        pytest.param(lambda asked: answer(asked, signed=False), "no Message-Authenticator", id="unsigned"),
        pytest.param(lambda asked: answer(asked, "another"), "not signed with this host's secret", id="other secret"),
        pytest.param(lambda asked: answer(asked)[:-1] + b"9", "not signed with this host's secret", id="changed"),
        pytest.param(lambda asked: answer(asked)[:30], "malformed", id="cut off"),
        pytest.param(lambda asked: answer(asked, attributes=b"\x51\x20x"), "malformed", id="longer than itself"),
        pytest.param(lambda asked: answer(asked, attributes=b""), "ct01 got accept in VLAN none", id="without VLAN"),
        pytest.param(
            lambda asked: answer(asked, attributes=b"\x51\x05121"), "ct01 got accept in VLAN none", id="half a VLAN"
        ),
    ],
)
def test_an_answer_that_nobody_vouches_for_counts_for_nothing(tmp_path: Path, answering: Answering, words: str) -> None:
    with server(answering) as port:
        found = ask(tmp_path, port, CT)
    assert not found.good
    assert words in found.words

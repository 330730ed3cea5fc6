"""The interface engine as a process: what it acknowledged it delivers, in order, even when it is killed."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.hospital_software import START, Destination, Sender, framed, message

pytestmark = pytest.mark.integration

PROGRAM = Path(__file__).resolve().parents[2] / "roles" / "interface_engine" / "files"
INTERPRETERS = sorted({sys.executable, *(str(path) for path in [Path("/usr/bin/python3")] if path.exists())})
KILLS, MESSAGES = 12, 400
LIMIT = 10_000


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_until(true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.02)


class Engine:
    """An engine that can be started, asked and killed."""

    def __init__(self, folder: Path, interpreter: str, destinations: dict[str, int]) -> None:
        self.port, self.interpreter = free_port(), interpreter
        self.settings, self.log = folder / "settings.json", folder / "log"
        settings = {
            "store": str(folder / "queue.sqlite"),
            "archive_days": 30,
            "queue_age_seconds": 1,
            "max_message_bytes": LIMIT,
            "minimum_free_bytes": 1,
            "frame_seconds": 1,
            "answer_seconds": 1,
            "longest_retry_seconds": 1,
            "receivers": [{"name": "lab", "port": self.port, "max_connections": 3}],
            "destinations": [{"name": name, "port": port} for name, port in destinations.items()],
            "routes": [
                {"application": "LAB", "types": ["ORU^*"], "receivers": ["lab"], "destinations": [*destinations]},
                {"application": "LAB", "types": ["ADT^A08"], "receivers": [], "destinations": []},
            ],
        }
        self.settings.write_text(json.dumps(settings), encoding="utf-8")
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *words: str) -> list[str]:
        return [self.interpreter, "-P", "-m", "interface_engine", "--settings", str(self.settings), *words]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(PROGRAM), "PYTHONDONTWRITEBYTECODE": "1"}

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command("run"), stderr=log, env=self.environment)
        wait_until(self.listens)

    def listens(self) -> bool:
        try:
            Sender(self.port).connection.close()
        except OSError:
            return False
        return True

    def end(self, number: signal.Signals) -> int:
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(20)

    def ask(self, *words: str) -> Any:  # noqa: ANN401 - JSON
        done = subprocess.run(self.command(*words), capture_output=True, env=self.environment, check=True)
        return json.loads(done.stdout) if done.stdout else None


@pytest.fixture(params=INTERPRETERS)
def interpreter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def his() -> Iterator[Destination]:
    destination = Destination()
    yield destination
    destination.close()


@pytest.fixture
def lis() -> Iterator[Destination]:
    destination = Destination()
    yield destination
    destination.close()


@pytest.fixture
def engine(tmp_path: Path, interpreter: str, his: Destination, lis: Destination) -> Iterator[Engine]:
    engine = Engine(tmp_path, interpreter, {"his": his.port, "lis": lis.port})
    engine.start()
    yield engine
    if engine.process and engine.process.poll() is None:
        engine.end(signal.SIGKILL)


def first_times(received: list[str]) -> list[str]:
    """Leave out what came again."""
    return list(dict.fromkeys(received))


def test_killed_at_any_moment_nothing_acknowledged_is_lost_or_overtaken(
    engine: Engine, his: Destination, lis: Destination
) -> None:
    chance = random.Random(2575)
    kills = sorted(chance.sample(range(MESSAGES), KILLS))
    acknowledged: list[str] = []
    sender: Sender | None = None
    for number in range(MESSAGES):
        identifier = f"M{number:04}"
        while identifier not in acknowledged:
            try:
                sender = sender or Sender(engine.port)
                if number in kills:
                    # The message is under way, and nobody knows how far.
                    kills.remove(number)
                    sender.connection.sendall(framed(message(identifier)))
                    time.sleep(chance.random() * 0.01)
                    engine.end(signal.SIGKILL)
                    engine.start()
                    raise ConnectionResetError
                assert sender.result(identifier) == "AA"
                acknowledged.append(identifier)
            except (OSError, IndexError):
                if sender:
                    sender.connection.close()
                sender = None
    if sender:
        sender.connection.close()
    for destination in (his, lis):
        wait_until(lambda at=destination: len(set(at.received)) == MESSAGES)  # type: ignore[misc]  # bound per turn
        assert first_times(destination.received) == acknowledged
    assert engine.ask("status")["overdue"] == []


def test_a_message_that_comes_again_is_acknowledged_and_delivered_once(engine: Engine, his: Destination) -> None:
    with Sender(engine.port) as sender:
        assert [sender.result(identifier) for identifier in ("1", "1", "2", "1")] == ["AA"] * 4
    # Received is not yet recorded: killed between, the engine would rightly send it once more.
    wait_until(lambda: all(queue["queued"] == 0 for queue in engine.ask("status")["queues"].values()))
    engine.end(signal.SIGKILL)
    engine.start()
    with Sender(engine.port) as sender:
        assert [sender.result(identifier) for identifier in ("1", "3")] == ["AA", "AA"]
    wait_until(lambda: "3" in his.received)
    assert his.received == ["1", "2", "3"]


def test_several_messages_at_once_are_answered_one_by_one(engine: Engine, his: Destination) -> None:
    with Sender(engine.port) as sender:
        sender.connection.sendall(b"".join(framed(message(str(number))) for number in range(20)))
        received = b""
        while received.count(START) < 20 or not received.endswith(b"\x1c\r"):
            received += sender.connection.recv(65536)
    assert [line.split(b"|")[2] for line in received.splitlines() if line.startswith(b"MSA|AA")] == [
        str(number).encode() for number in range(20)
    ]
    wait_until(lambda: len(his.received) == 20)
    assert his.received == [str(number) for number in range(20)]


def test_what_nobody_declared_is_refused_and_what_is_only_archived_is_not(engine: Engine, his: Destination) -> None:
    with Sender(engine.port) as sender:
        assert sender.result("1", application="STRANGER") == "AR"
        assert sender.result("2", kind="MDM^T02") == "AR"
        assert sender.result("3", kind="ADT^A08") == "AA"
        assert sender.result("4") == "AA"
    wait_until(lambda: his.received == ["4"])


def test_a_refused_message_waits_for_a_person_while_others_pass(engine: Engine, his: Destination) -> None:
    his.judge = lambda identifier: {"2": "AE", "3": "AR"}.get(identifier, "AA")
    with Sender(engine.port) as sender:
        assert [sender.result(str(number)) for number in range(1, 5)] == ["AA"] * 4
    wait_until(lambda: his.received == ["1", "2", "3", "4"])
    wait_until(lambda: bool(engine.ask("status")["refused"] == 2))
    waiting = engine.ask("refused")
    assert [(each["control_id"], each["answer"], each["destination"]) for each in waiting] == [
        ("2", "AE", "his"),
        ("3", "AR", "his"),
    ]
    assert "SYNTHETIC" not in json.dumps(waiting)
    his.judge = lambda _: "AA"
    engine.ask("retry", str(waiting[0]["id"]))
    engine.ask("discard", str(waiting[1]["id"]))
    wait_until(lambda: his.received[4:] == ["2"])
    assert engine.ask("status")["refused"] == 0


def test_a_silent_destination_gets_the_same_message_until_it_answers_and_holds_up_nobody_else(
    engine: Engine, his: Destination, lis: Destination
) -> None:
    his.judge = lambda _: ""
    with Sender(engine.port) as sender:
        assert [sender.result(identifier) for identifier in ("1", "2")] == ["AA", "AA"]
    wait_until(lambda: lis.received == ["1", "2"])
    wait_until(lambda: len(his.received) >= 3)
    assert set(his.received) == {"1"}
    assert engine.ask("status")["overdue"] == ["his"]
    wait_until(lambda: b"<1>queue his: 2 messages wait" in engine.log.read_bytes())
    his.judge = lambda _: "AA"
    wait_until(lambda: "2" in his.received)
    assert first_times(his.received) == ["1", "2"]
    wait_until(lambda: bool(engine.ask("status")["overdue"] == []))


def test_an_answer_for_another_message_is_none(engine: Engine, his: Destination) -> None:
    wrong = {"1": 2}

    def judge(identifier: str) -> str:
        wrong[identifier] = wrong.get(identifier, 0) - 1
        return "AA" if wrong[identifier] < 0 else "AA|other\rMSA|AA"

    his.judge = judge
    with Sender(engine.port) as sender:
        assert sender.result("1") == "AA"
    wait_until(lambda: his.received == ["1", "1", "1"])


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(message("1"), id="no frame"),
        pytest.param(framed(b""), id="empty frame"),
        pytest.param(framed(b"PID|1\r"), id="no header"),
        pytest.param(framed(message("1", more=b"OBX|\x00\r")), id="zero byte"),
        pytest.param(START + framed(message("1")), id="frame in a frame"),
        pytest.param(START + message("1") + b"\x1c\n", id="frame that does not end"),
        pytest.param(framed(message("1", more=b"A" * LIMIT)), id="too long"),
        pytest.param(START + message("1"), id="half a frame, then silence"),
    ],
)
def test_hostile_bytes_are_not_answered_and_leave_nothing(engine: Engine, his: Destination, sent: bytes) -> None:
    with Sender(engine.port) as sender, contextlib.suppress(ConnectionError):
        assert sender.send(sent) == b""
    with Sender(engine.port) as sender:
        assert sender.result("good") == "AA"
    wait_until(lambda: his.received == ["good"])


def test_a_message_cut_off_is_not_kept(engine: Engine, his: Destination) -> None:
    with Sender(engine.port) as sender:
        sender.connection.sendall(START + message("1"))
    with Sender(engine.port) as sender:
        assert sender.result("2") == "AA"
    wait_until(lambda: his.received == ["2"])
    wait_until(lambda: b"ended within a message" in engine.log.read_bytes())


def test_more_connections_than_declared_are_closed(engine: Engine) -> None:
    with contextlib.ExitStack() as stack:
        kept = [stack.enter_context(admitted(engine)) for _ in range(3)]
        with Sender(engine.port) as further:
            assert further.answer() == b""
        assert kept[0].result("again") == "AA"
    with admitted(engine) as later:
        assert later.result("later") == "AA"


def admitted(engine: Engine) -> Sender:
    """Connect as soon as the engine has noticed that former connections are over."""
    deadline = time.monotonic() + 20
    while True:
        sender = Sender(engine.port)
        try:
            assert sender.result("first") == "AA"
        except (OSError, IndexError):
            sender.connection.close()
            assert time.monotonic() < deadline, "nobody is admitted"
            time.sleep(0.05)
        else:
            return sender


def test_stopping_is_clean(engine: Engine) -> None:
    with Sender(engine.port) as sender:
        assert sender.result("1") == "AA"
        assert engine.end(signal.SIGTERM) == 0
    assert b"Traceback" not in engine.log.read_bytes()


def test_no_content_is_logged(engine: Engine, his: Destination) -> None:
    with Sender(engine.port) as sender:
        assert sender.result("1") == "AA"
    wait_until(lambda: his.received == ["1"])
    assert b"SYNTHETIC" not in engine.log.read_bytes()

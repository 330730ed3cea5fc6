"""Several processes use one ledger: the chain stays whole, a hospital has one holder, and the dead hold nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.integration.ledger_samples import HOSPITAL, run_record
from wardround.errors import ExitCode, LockedError, UsageError
from wardround.ledger import LeaseState, Ledger
from wardround.ledger.address import parse_address
from wardround.ledger.leases import Lease
from wardround.model.run import RunState

pytestmark = pytest.mark.integration

PROGRAM = Path(__file__).with_name("ledger_process.py")


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str], typed: str = "") -> str:
    output, _ = process.communicate(typed, timeout=120)
    return output


@contextmanager
def holder(url: str, run: str) -> Iterator[subprocess.Popen[str]]:
    """Run a process that holds the hospital; it is gone when the block ends."""
    with start("hold", url, HOSPITAL, run) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def die(process: subprocess.Popen[str]) -> None:
    """End a process as the kernel does when memory runs out."""
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def test_processes_that_write_at_once_keep_the_chain_whole(ledger_url: str) -> None:
    """They also all try to make the ledger, because none exists."""
    writers = [start("append", ledger_url, "40") for _ in range(4)]
    outputs = [finish(writer) for writer in writers]
    assert [(writer.returncode, output) for writer, output in zip(writers, outputs, strict=True)] == [(0, "")] * 4
    with Ledger.open(ledger_url) as ledger:
        assert ledger.verify().sequence == 160
        numbers = [event.payload["number"] for event in ledger.events()]
    assert sorted(map(str, numbers)) == sorted(map(str, [*range(40)] * 4))


def test_a_writer_that_is_killed_leaves_the_chain_whole(ledger_url: str) -> None:
    with Ledger.open(ledger_url) as ledger:
        for _ in range(3):
            reached = ledger.head().sequence
            with start("append", ledger_url, "100000") as writer:
                while ledger.head().sequence < reached + 5:
                    time.sleep(0.01)
                die(writer)
            ledger.verify()
            ledger.append_event("noted", {})
        assert ledger.verify().sequence >= 18


def test_a_reader_is_not_stopped_by_a_writer(ledger_url: str) -> None:
    with Ledger.open(ledger_url) as ledger:
        ledger.append_event("noted", {})
        with ledger._database.writing() as connection:
            connection.execute(text("UPDATE heads SET sequence = sequence"))
            began = time.monotonic()
            assert ledger.verify().sequence == 1
            assert time.monotonic() - began < 5


def test_a_hospital_has_one_holder(ledger: Ledger, ledger_url: str) -> None:
    with holder(ledger_url, "run-1") as process:
        said = f"{HOSPITAL} is held by night round since .* for run run-1 \\(process {process.pid} on "
        with pytest.raises(LockedError, match=said) as caught, ledger.lease(HOSPITAL, "second", "run-2"):
            pytest.fail("two held one hospital")
        assert caught.value.exit_code is ExitCode.LOCKED
        assert str(process.pid) in caught.value.remedy
        with ledger.lease("other", "second", "run-2"):
            pass


def test_a_second_holder_in_another_process_is_refused(ledger_url: str) -> None:
    with holder(ledger_url, "run-1"):
        second = start("hold", ledger_url, HOSPITAL, "run-2")
        assert "WR-501 st-elsewhere is held by night round" in finish(second)
        assert second.returncode == ExitCode.LOCKED


def test_one_process_cannot_hold_a_hospital_twice(ledger: Ledger) -> None:
    with (
        ledger.lease(HOSPITAL, "first", "run-1"),
        pytest.raises(LockedError, match="held by first"),
        ledger.lease(HOSPITAL, "second", "run-2"),
    ):
        pytest.fail("two held one hospital")


def test_a_lease_that_was_given_back_is_free(ledger: Ledger, ledger_url: str) -> None:
    with holder(ledger_url, "run-1") as process:
        finish(process)
        assert process.returncode == 0
        with ledger.lease(HOSPITAL, "second", "run-2") as lease:
            assert lease.taken_over is None
            lease.confirm()
    newest, oldest = ledger.leases(hospital=HOSPITAL)
    assert (newest.run, newest.state, oldest.run, oldest.state) == (
        "run-2",
        LeaseState.RELEASED,
        "run-1",
        LeaseState.RELEASED,
    )
    assert newest.ended is not None


def test_a_lease_is_given_back_when_its_block_fails(ledger: Ledger) -> None:
    with pytest.raises(ZeroDivisionError), ledger.lease(HOSPITAL, "first", "run-1"):
        _ = 1 // 0
    assert ledger.leases()[0].state is LeaseState.RELEASED
    with ledger.lease(HOSPITAL, "second", "run-2") as lease:
        assert lease.taken_over is None


def test_the_dead_hold_nothing(ledger: Ledger, ledger_url: str) -> None:
    ledger.start_run(run_record("run-1"))
    with holder(ledger_url, "run-1") as process:
        die(process)
        with ExitStack() as stack:
            lease = take_when_noticed(ledger, "run-2", stack)
            assert lease.taken_over is not None
            assert (lease.taken_over.pid, lease.taken_over.state) == (process.pid, LeaseState.STALE)
    stale = ledger.leases(hospital=HOSPITAL)[1]
    assert stale == lease.taken_over
    assert ledger.run("run-1").state is RunState.INTERRUPTED
    (event,) = ledger.events(kind="lease_found_stale")
    assert (event.run, event.payload["pid"], event.payload["run_was_running"]) == ("run-1", process.pid, True)


def take_when_noticed(ledger: Ledger, run: str, stack: ExitStack) -> Lease:
    """Take the hospital; a server needs a moment to notice that its client died."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return stack.enter_context(ledger.lease(HOSPITAL, "second", run))
        except LockedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_a_lease_taken_by_another_is_noticed(ledger: Ledger, ledger_url: str) -> None:
    with ledger.lease(HOSPITAL, "first", "run-1") as lease:
        lease.confirm()
        engine = create_engine(parse_address(ledger_url).url)
        with engine.begin() as connection:
            connection.execute(text("UPDATE leases SET state = 'stale'"))
        engine.dispose()
        with pytest.raises(LockedError, match="was taken over while first held it"):
            lease.confirm()


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_a_removed_lock_file_is_noticed(ledger: Ledger) -> None:
    with ledger.lease(HOSPITAL, "first", "run-1") as lease:
        Path(f"{ledger.name}.locks/{HOSPITAL}.lock").unlink()
        with pytest.raises(LockedError, match=r"st-elsewhere\.lock was removed"):
            lease.confirm()


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_a_lost_session_is_noticed(ledger: Ledger, ledger_url: str) -> None:
    with ledger.lease(HOSPITAL, "first", "run-1") as lease:
        lease.confirm()
        engine = create_engine(parse_address(ledger_url).url)
        with engine.begin() as connection:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            mine = "datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(text(f"{others} WHERE {mine}"))
        engine.dispose()
        for _ in range(2):
            with pytest.raises(LockedError, match="the session that locks st-elsewhere ended"):
                lease.confirm()
    with ledger.lease(HOSPITAL, "second", "run-2") as again:
        again.confirm()


def test_a_lease_needs_a_hospitals_name(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no hospital's name"), ledger.lease("../outside", "first", "run-1"):
        pytest.fail("a path is no hospital")
    assert list(tmp_path.glob("**/outside*")) == []

"""Processes are found by the variable that they inherit, and ended by their ids alone."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from uuid import uuid4

import pytest

from wardround.transport.processes import end_processes, marked_processes

pytestmark = pytest.mark.unit

NAME = "WARDROUND_TEST_MARK"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)


@contextlib.contextmanager
def child(
    mark: str, program: str = "import time; print('ready', flush=True); time.sleep(60)"
) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", program], env={**os.environ, NAME: mark}, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def test_only_the_marked_are_found() -> None:
    mine, other = uuid4().hex, uuid4().hex
    with child(mine) as found, child(other), child(mine + "0"):
        assert marked_processes(NAME, mine) == (found.pid,)


def test_the_marked_are_ended_and_no_other() -> None:
    mine, other = uuid4().hex, uuid4().hex
    with child(mine) as one, child(mine) as two, child(other) as stranger:
        end_processes(NAME, mine)
        assert (one.wait(5), two.wait(5)) == (-15, -15)
        assert stranger.poll() is None


def test_who_does_not_listen_is_killed() -> None:
    mine = uuid4().hex
    with child(mine, STUBBORN) as deaf:
        end_processes(NAME, mine)
        assert deaf.wait(5) == -9


def test_nobody_marked_is_nobody_ended() -> None:
    assert marked_processes(NAME, uuid4().hex) == ()
    end_processes(NAME, uuid4().hex)

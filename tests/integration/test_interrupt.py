"""Ctrl-C: no further host is started, the end is 130, and nothing is left running or lying about."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.loopback_hospital import HOSPITAL, SERVER, environment, make_hospital, wardround
from tests.integration.small_project import marked, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

SSH = 22


@pytest.fixture
def asked() -> Iterator[threading.Event]:
    """Stand where the first host's SSH should be, and never say a word; tells when somebody called."""
    called, calls, stop = threading.Event(), [], threading.Event()
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        try:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((SERVER, SSH))
        except OSError as error:
            pytest.skip(f"port 22 of the loopback is not free for this user: {error.strerror}")
        server.listen()
        server.settimeout(0.2)

        def listen() -> None:
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    calls.append(stack.enter_context(server.accept()[0]))
                    called.set()

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield called
        finally:
            stop.set()
            thread.join()


@contextlib.contextmanager
def working(project: Path, verb: str = "drift") -> Iterator[tuple[subprocess.Popen[str], set[int]]]:
    """Begin a run; give it with the processes of runs that are not ours."""
    others = set(marked())
    with subprocess.Popen(
        [sys.executable, "-m", "wardround.cli.main", verb, HOSPITAL, "--json"],
        cwd=project,
        env=environment(project),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process, others
        finally:
            if process.poll() is None:
                process.kill()


def folders(others: set[int], process: int) -> list[Path]:
    """Give the private folder of the worker that `process` started."""
    found = []
    for each in set(marked()) - others:
        with contextlib.suppress(OSError):
            place = Path("/proc") / str(each)
            words = (place / "cmdline").read_text().split("\0")
            if int((place / "stat").read_text().rpartition(")")[2].split()[1]) == process and len(words) > 1:
                found.append(Path(words[-2]))
    return found


@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupt_ends_everything(tmp_path: Path, asked: threading.Event, times: int) -> None:
    project = make_hospital(tmp_path)
    with working(project) as (process, others):
        assert asked.wait(120), "the run never called its host"
        mine = {each for each in set(marked()) - others if marker_of(each) in markers_below(process.pid)}
        private = folders(others, process.pid)
        assert mine
        assert private
        began = time.monotonic()
        for _ in range(times):
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
        out, err = process.communicate(timeout=60)
        assert time.monotonic() - began < 45
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert not mine & set(marked())
    assert not any(folder.exists() for folder in private)
    if times == 1:
        assert "stopping" in err
        assert json.loads(out)["errors"][0]["code"] == "WR-202"
    [run] = json.loads(wardround(project, "ledger", "runs", "--json").stdout)["runs"]
    assert run["state"] == ("interrupted" if times == 1 else "failed")
    assert run["ended"]


def test_a_run_that_is_killed_half_way_is_an_error_and_never_clean(tmp_path: Path, asked: threading.Event) -> None:
    project = make_hospital(tmp_path)
    with working(project) as (process, others):
        assert asked.wait(120)
        for each in set(marked()) - others:
            with contextlib.suppress(OSError):
                stat = (Path("/proc") / str(each) / "stat").read_text()
                if int(stat.rpartition(")")[2].split()[1]) == process.pid:
                    os.kill(each, signal.SIGKILL)
        out, err = process.communicate(timeout=90)
    assert process.returncode == 1, err
    [problem] = json.loads(out)["errors"]
    assert problem["code"] == "WR-201"
    [run] = json.loads(wardround(project, "ledger", "runs", "--json").stdout)["runs"]
    assert run["state"] == "failed"


def test_an_interrupt_before_the_plan_leaves_none(tmp_path: Path, asked: threading.Event) -> None:
    project = make_hospital(tmp_path)
    with working(project, "plan") as (process, others):
        assert asked.wait(120)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert json.loads(out)["errors"][0]["code"] == "WR-202"
    assert not set(marked()) - others - set(strangers(project))
    assert json.loads(wardround(project, "ledger", "runs", "--json").stdout)["runs"] == []
    assert not (project.parent / "state" / HOSPITAL / "plans").exists()


def strangers(project: Path) -> list[int]:
    """Give the processes of runs that work elsewhere."""
    found = []
    for each in marked():
        with contextlib.suppress(OSError):
            if not (Path("/proc") / str(each) / "cwd").readlink().is_relative_to(project):
                found.append(each)
    return found


def marker_of(process: int) -> str:
    return marked().get(process, "")


def markers_below(process: int) -> set[str]:
    """Give the markers of the runs whose worker `process` started."""
    found = set()
    for each, marker in marked().items():
        with contextlib.suppress(OSError):
            stat = (Path("/proc") / str(each) / "stat").read_text()
            if int(stat.rpartition(")")[2].split()[1]) == process:
                found.add(marker)
    return found


def test_a_killed_call_leaves_no_process_and_a_whole_ledger(tmp_path: Path, asked: threading.Event) -> None:
    project = make_hospital(tmp_path)
    with working(project) as (process, others):
        assert asked.wait(120)
        mine = {each for each in set(marked()) - others if marker_of(each) in markers_below(process.pid)}
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert wait_for(lambda: not mine & set(marked()), 20), "a killed call left processes"
    again = wardround(project, "ledger", "verify", "--json")
    assert again.returncode == 0, again.stderr

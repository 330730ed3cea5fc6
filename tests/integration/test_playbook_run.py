"""Running a playbook: what it said arrives, what it needed is gone, and nothing of it survives."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.small_project import ROOT, call_of, make_project, marked, wait_for
from wardround.errors import TransportError
from wardround.model.event import HostStarted, Outcome, TaskEvent
from wardround.transport.playbook import PlaybookResult, run_playbook

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

TASKS = """---
- name: File holds this
  ansible.builtin.copy:
    content: "{{ text }}\\n"
    dest: "{{ folder }}/file"
    mode: "0600"
  notify: Small | restart
  tags: [file]

- name: Only elsewhere
  ansible.builtin.file:
    path: "{{ folder }}/never"
    state: touch
  when: text == 'other'

- name: Each of these
  ansible.builtin.file:
    path: "{{ folder }}/{{ item }}"
    state: directory
    mode: "0700"
  loop: [one, two]

- name: Nobody sees this
  ansible.builtin.copy:
    content: hush
    dest: "{{ folder }}/hidden"
    mode: "0600"
  no_log: true
"""

HANDLERS = """---
- name: Small | restart
  ansible.builtin.copy:
    content: restarted
    dest: "{{ folder }}/restarted"
    mode: "0600"
"""

SLEEP = """---
- name: Before
  ansible.builtin.file: {path: "{{ folder }}/before", state: touch, mode: "0600"}

- name: Sleep
  ansible.builtin.command: sleep 300
  changed_when: true

- name: After
  ansible.builtin.file: {path: "{{ folder }}/after", state: touch, mode: "0600"}
"""


class Folders:
    """Remembers the private folders that runs of this test made."""

    def __init__(self) -> None:
        self.made: list[Path] = []

    def left(self) -> list[Path]:
        return [folder for folder in self.made if folder.exists()]


@pytest.fixture
def folders(monkeypatch: pytest.MonkeyPatch) -> Folders:
    """Watch the making of private folders."""
    seen = Folders()
    make = tempfile.mkdtemp

    def watched(*arguments: Any, **options: Any) -> str:  # noqa: ANN401 - hands over what it was given
        made = str(make(*arguments, **options))
        if Path(made).name.startswith("wr-"):
            seen.made.append(Path(made))
        return made

    monkeypatch.setattr(tempfile, "mkdtemp", watched)
    return seen


def run(project: Path, folder: Path, **options: object) -> tuple[PlaybookResult, list[TaskEvent | HostStarted]]:
    heard: list[TaskEvent | HostStarted] = []
    call = call_of(project, {"folder": str(folder), "text": "this"}, **options)
    return run_playbook(call, heard.append, lambda: False), heard


WAYS = ["plain", "fast"]


@pytest.mark.parametrize("way", WAYS)
def test_what_ansible_said_arrives(tmp_path: Path, folders: Folders, way: str) -> None:
    project = make_project(tmp_path, TASKS, HANDLERS)
    result, heard = run(project, tmp_path, fast=way == "fast")
    assert (result.complete, result.interrupted, result.exit_code) == (True, False, 0)
    assert [each for each in heard if isinstance(each, TaskEvent)] == list(result.events)
    assert HostStarted(host="here", task="small : Each of these") in heard
    by_task = {event.task: event for event in result.events if not event.item}
    assert list(by_task) == [
        "File holds this",
        "Only elsewhere",
        "Each of these",
        "Nobody sees this",
        "Small | restart",
    ]
    file, skipped, hidden = by_task["File holds this"], by_task["Only elsewhere"], by_task["Nobody sees this"]
    assert (file.role, file.path, file.tags) == ("small", "roles/small/tasks/main.yml:2", ("file",))
    assert (file.resource, file.changed) == (str(tmp_path / "file"), True)
    assert "this" in file.diff[0].after
    assert (skipped.outcome, skipped.condition) == (Outcome.SKIPPED, "text == 'other'")
    assert [event.label for event in result.events if event.item] == ["one", "two"]
    assert (hidden.message, hidden.resource, hidden.diff) == ("hidden (no_log)", "", ())
    assert by_task["Small | restart"].handler
    assert (tmp_path / "restarted").read_text() == "restarted"
    assert folders.made
    assert folders.left() == []


def test_a_check_changes_nothing_and_a_tag_narrows(tmp_path: Path) -> None:
    project = make_project(tmp_path, TASKS, HANDLERS)
    result, _ = run(project, tmp_path, check=True, tags=("file",))
    assert [(event.task, event.changed) for event in result.events] == [
        ("File holds this", True),
        ("Small | restart", True),
    ]
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        ("- name: [broken\n", "small/tasks/main.yml"),
        ("- name: Nothing\n  no.such.module:\n", "no.such.module"),
    ],
)
def test_what_ansible_cannot_read_is_an_error_with_its_words(
    tmp_path: Path, folders: Folders, tasks: str, said: str
) -> None:
    project = make_project(tmp_path, tasks)
    with pytest.raises(TransportError, match=said):
        run(project, tmp_path)
    assert folders.left() == []


def test_a_playbook_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    project = make_project(tmp_path, TASKS)
    with pytest.raises(TransportError, match=r"absent\.yml"):
        run(project, tmp_path, playbook="absent.yml")


def test_a_failed_task_is_a_result_and_not_an_error(tmp_path: Path) -> None:
    project = make_project(tmp_path, "---\n- name: Broken\n  ansible.builtin.command: /bin/false\n")
    result, _ = run(project, tmp_path)
    assert result.complete
    assert result.exit_code == 2
    assert [event.outcome for event in result.events] == [Outcome.FAILED]


@pytest.mark.parametrize("way", WAYS)
def test_an_interrupt_ends_a_task_in_the_middle(tmp_path: Path, folders: Folders, way: str) -> None:
    project = make_project(tmp_path, SLEEP)
    before = set(marked().values())
    asked: list[float] = []

    def interrupted() -> bool:
        if (tmp_path / "before").exists() and sleeping(set(marked().values()) - before):
            asked.append(time.monotonic())
        return bool(asked)

    call = call_of(project, {"folder": str(tmp_path)}, fast=way == "fast")
    result = run_playbook(call, lambda _event: None, interrupted)
    assert time.monotonic() - asked[0] < 60
    assert (result.interrupted, result.complete) == (True, False)
    assert not (tmp_path / "after").exists()
    assert folders.left() == []
    assert not sleeping(set(marked().values()) - before)


def sleeping(markers: set[str]) -> list[int]:
    """Give the processes of these runs that do the work of the task."""
    return [process for process, marker in marked().items() if marker in markers and "sleep" in command(process)]


def command(process: int) -> str:
    with contextlib.suppress(OSError):
        return (Path("/proc") / str(process) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


PARENT = """
import sys
from pathlib import Path
from tests.integration.small_project import call_of
from wardround.transport.playbook import run_playbook

call = call_of(Path(sys.argv[1]), {"folder": sys.argv[2]}, fast=sys.argv[3] == "fast")
run_playbook(call, lambda event: None, lambda: False)
"""


@contextlib.contextmanager
def parent(project: Path, folder: Path, way: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run the playbook in a process of its own; give it with its marker once the task sleeps."""
    before = set(marked().values())
    arguments = [str(project), str(folder), way]
    with subprocess.Popen([sys.executable, "-c", PARENT, *arguments], cwd=ROOT) as process:
        try:
            assert wait_for(lambda: descendants(process.pid, before), 180), "the task never slept"
            yield process, marked()[descendants(process.pid, before)[0]]
        finally:
            process.kill()


def descendants(process: int, before: set[str]) -> list[int]:
    """Give the sleeping processes of a new run that `process` began."""
    return [each for each in sleeping(set(marked().values()) - before) if process in ancestors(each)]


def ancestors(process: int) -> list[int]:
    found = []
    with contextlib.suppress(OSError):
        while process > 1:
            status = (Path("/proc") / str(process) / "stat").read_text(errors="replace")
            process = int(status.rpartition(")")[2].split()[1])
            found.append(process)
    return found


@pytest.mark.parametrize("way", WAYS)
def test_nothing_survives_a_killed_parent(tmp_path: Path, way: str) -> None:
    project = make_project(tmp_path, SLEEP)
    with parent(project, tmp_path, way) as (process, marker):
        folder = private_folder(marker)
        process.kill()
        process.wait()
        assert wait_for(lambda: marker not in marked().values(), 15), "a killed parent left work behind"
        assert not (tmp_path / "after").exists()
        assert not folder.exists(), "what the run needed is still there"


def private_folder(marker: str) -> Path:
    """Give the folder that the worker of a run was given."""
    for process, found in marked().items():
        words = command(process).split()
        if found == marker and "wardround.transport.worker" in words:
            return Path(words[-1])
    pytest.fail("the run has no worker")


def test_a_killed_worker_leaves_nothing_and_is_no_success(tmp_path: Path, folders: Folders) -> None:
    project = make_project(tmp_path, SLEEP)
    before = set(marked().values())
    killed = threading.Event()

    def kill_worker() -> bool:
        mine = set(marked().values()) - before
        if not killed.is_set() and (tmp_path / "before").exists() and sleeping(mine):
            for process, marker in marked().items():
                if marker in mine and os.getpid() in ancestors(process)[:1]:
                    os.kill(process, signal.SIGKILL)
                    killed.set()
        return False

    result = run_playbook(call_of(project, {"folder": str(tmp_path)}), lambda _event: None, kill_worker)
    assert killed.is_set()
    assert not result.complete
    assert result.exit_code == -signal.SIGKILL
    assert folders.left() == []
    assert not sleeping(set(marked().values()) - before)

"""Running one playbook: a private folder in memory, a worker in a session of its own, and nothing left behind."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wardround.errors import TransportError
from wardround.model.base import JsonValue
from wardround.model.event import HostStarted, TaskEvent
from wardround.transport.accelerator import acceleration
from wardround.transport.event_file import EventFile
from wardround.transport.processes import MARKER, end_processes

_POLL_SECONDS = 0.2
_STOP_SECONDS = 20.0
_KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSH_AUTH_SOCK")
_INTERRUPTED = 130
_OUTPUT_TAIL = 2000


@dataclass(frozen=True, slots=True)
class PlaybookCall:
    """One call of ansible-playbook; `inventory` is already marked unsafe where it has to be."""

    project: Path
    playbook: str
    inventory: dict[str, JsonValue]
    check: bool
    limit: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    verbosity: int = 0
    vault_password_file: str | None = None
    fast: bool = False
    forks: int = 20


@dataclass(frozen=True, slots=True)
class PlaybookResult:
    """How ansible-playbook ended; `complete` only if it came to its own end, `output` only if it tried no host."""

    events: tuple[TaskEvent, ...]
    complete: bool
    interrupted: bool
    exit_code: int
    output: str = field(default="", repr=False)


Progress = Callable[[TaskEvent | HostStarted], None]


def run_playbook(call: PlaybookCall, progress: Progress, interrupted: Callable[[], bool]) -> PlaybookResult:
    """Run the playbook to its end, or until `interrupted` says so; ends every process that it started.

    Raises:
        TransportError: Ansible could not be started, or ended before any host was tried.

    """
    marker = secrets.token_hex(8)
    with _private_folder() as folder:
        _write_call(folder, call, marker)
        try:
            result = _follow(folder, call, marker, progress, interrupted)
        finally:
            end_processes(MARKER, marker)
    if not result.events and not result.interrupted and result.exit_code != 0:
        said = result.output[-_OUTPUT_TAIL:].strip()
        raise TransportError(
            f"ansible-playbook ended with {result.exit_code} before it tried a host:\n{said}",
            remedy="`wardround doctor` checks the installation",
        )
    return result


@contextlib.contextmanager
def _private_folder() -> Iterator[Path]:
    memory = Path("/dev/shm")  # noqa: S108 - tmpfs on purpose: what a run needs must not reach a disk
    parent = memory if os.access(memory, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="wr-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=False)


def _write_call(folder: Path, call: PlaybookCall, marker: str) -> None:
    for name in ("inventory", "env", "cp"):
        (folder / name).mkdir(mode=0o700)
    _write(folder / "inventory" / "hosts.json", json.dumps(call.inventory))
    _write(
        folder / "run.json",
        json.dumps(
            {
                "parent": os.getpid(),
                "project": str(call.project),
                "playbook": str(call.project / "playbooks" / call.playbook),
                "arguments": shlex.join(_arguments(call)),
                "environment": _environment(folder, call, marker),
            }
        ),
    )


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def _arguments(call: PlaybookCall) -> list[str]:
    arguments = ["--diff", f"--forks={call.forks}"]
    if call.check:
        arguments.append("--check")
    if call.limit:
        arguments.append(f"--limit={','.join(call.limit)}")
    if call.tags:
        arguments.append(f"--tags={','.join(call.tags)}")
    if call.vault_password_file is not None:
        arguments.append(f"--vault-password-file={call.vault_password_file}")
    if call.verbosity:
        arguments.append("-" + "v" * call.verbosity)
    return arguments


def _environment(folder: Path, call: PlaybookCall, marker: str) -> dict[str, str]:
    environment = {
        MARKER: marker,
        "WARDROUND_EVENTS": str(folder / "events.jsonl"),
        "ANSIBLE_CONFIG": str(call.project / "ansible.cfg"),
        # ansible-runner puts its own folder here, and with that ansible.cfg's out of force.
        "ANSIBLE_CALLBACK_PLUGINS": str(call.project / "plugins" / "callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "wardround_events",
        "ANSIBLE_INVENTORY_ENABLED": "ansible.builtin.yaml",
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"),
        "ANSIBLE_FORCE_HANDLERS": "true",
        # What a task is about stands in its arguments, which ansible-core from 2.21 on leaves out of results.
        "ANSIBLE_INJECT_INVOCATION": "true",
        "ANSIBLE_NOCOLOR": "1",
    }
    return environment | (acceleration(call.project) if call.fast else {})


def _follow(
    folder: Path, call: PlaybookCall, marker: str, progress: Progress, interrupted: Callable[[], bool]
) -> PlaybookResult:
    environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment.get('PATH', '/usr/bin:/bin')}"
    output = folder / "worker.out"
    events: list[TaskEvent] = []
    file = EventFile(folder / "events.jsonl", call.project)
    with output.open("wb") as stream:
        worker = subprocess.Popen(
            [sys.executable, "-m", "wardround.transport.worker", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=environment | {MARKER: marker},
            start_new_session=True,
            cwd=call.project,
        )
    stopped = False
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.wait(_POLL_SECONDS)
        for event in file.read():
            progress(event)
            if isinstance(event, TaskEvent):
                events.append(event)
        if worker.returncode is not None:
            break
        if interrupted() and not stopped:
            stopped = True
            worker.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.wait(_STOP_SECONDS)
            end_processes(MARKER, marker)
    code = worker.returncode
    return PlaybookResult(
        events=tuple(events),
        complete=file.ended,
        interrupted=stopped or code == _INTERRUPTED,
        exit_code=code,
        # Ansible shows what a failed task said even under no_log, so its words are kept only where no host was tried.
        output="" if events else _output(folder, output),
    )


def _output(folder: Path, worker_output: Path) -> str:
    parts = [worker_output, *sorted(folder.glob("artifacts/*/stdout")), *sorted(folder.glob("artifacts/*/stderr"))]
    return "".join(part.read_text(encoding="utf-8", errors="replace") for part in parts if part.is_file())

"""Processes of a run: found by the variable that they inherit, ended by their id, waited for until they are gone."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

MARKER = "WARDROUND_RUN"
"""Every process of a run carries this variable, which is how the run finds and ends what it started."""

_GRACE_SECONDS = 3.0
_POLL_SECONDS = 0.05


def marked_processes(name: str, value: str) -> tuple[int, ...]:
    """Give the ids of every living process whose environment holds `name=value`, this one left out."""
    wanted = f"{name}={value}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        # A process may end, or belong to somebody else, between listing and reading.
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0") and not _is_zombie(entry):
                found.append(int(entry.name))
    return tuple(found)


def _is_zombie(entry: Path) -> bool:
    return (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] == "Z"


def end_processes(name: str, value: str) -> None:
    """End every marked process: first asked, after three seconds killed; returns when none is left."""
    deadline = time.monotonic() + _GRACE_SECONDS
    while processes := marked_processes(name, value):
        number = signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)
        time.sleep(_POLL_SECONDS)

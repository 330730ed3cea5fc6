"""doctor: what this machine needs for its work, and how to mend what is missing."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from wardround.errors import WardroundError
from wardround.verbs.workspace import open_workspace

_FREE_MEGABYTES = 500
_OLDEST_CORE = (2, 19)
_EARLIEST_CLOCK = 1_760_000_000
_PROGRAMS = {
    "ssh": "apt-get install openssh-client",
    "git": "apt-get install git",
}
_TWIN_PROGRAMS = {
    "podman": "apt-get install podman runc",
    "mmdebstrap": "apt-get install mmdebstrap",
    "nft": "apt-get install nftables",
    "ip": "apt-get install iproute2",
}


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing that was looked at."""

    check: str
    ok: bool
    found: str
    remedy: str = ""


def examine(project: Path | None, ledger_url: str | None) -> tuple[Symptom, ...]:
    """Look at everything; nothing is changed but a ledger that did not exist."""
    checks: tuple[Callable[[], Symptom], ...] = (
        _python,
        _ansible,
        *((lambda name=name, remedy=remedy: _program(name, remedy)) for name, remedy in _PROGRAMS.items()),
        *(
            (lambda name=name, remedy=remedy: _program(name, remedy, "twin: "))
            for name, remedy in _TWIN_PROGRAMS.items()
        ),
        _root,
        _clock,
        lambda: _project(project, ledger_url),
        lambda: _disk(project, ledger_url),
        lambda: _ledger(project, ledger_url),
        lambda: _hospitals(project, ledger_url),
    )
    return tuple(check() for check in checks)


def _python() -> Symptom:
    found = ".".join(map(str, sys.version_info[:3]))
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Symptom("Python", good, found, "install Python 3.11, 3.12 or 3.13")


def _ansible() -> Symptom:
    try:
        found = version("ansible-core")
    except PackageNotFoundError:
        return Symptom("ansible-core", ok=False, found="not installed", remedy="make setup")
    parts = tuple(int(part) for part in found.split(".")[:2])
    return Symptom("ansible-core", parts >= _OLDEST_CORE, found, "make setup installs 2.19 or newer")


def _program(name: str, remedy: str, prefix: str = "") -> Symptom:
    path = shutil.which(name)
    return Symptom(f"{prefix}{name}", path is not None, path or "not found", remedy)


def _root() -> Symptom:
    is_root = os.geteuid() == 0
    found = "root" if is_root else "an ordinary user"
    return Symptom("twin: user", is_root, found, "a twin makes network namespaces: call it with sudo")


def _clock() -> Symptom:
    moment = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
    return Symptom(
        "clock", time.time() > _EARLIEST_CLOCK, moment, "set the clock; certificates and records depend on it"
    )


def _project(project: Path | None, ledger_url: str | None) -> Symptom:
    try:
        found = str(open_workspace(project, ledger_url).project.root)
    except WardroundError as error:
        return Symptom("project", ok=False, found=error.message, remedy=error.remedy)
    return Symptom("project", ok=True, found=found)


def _disk(project: Path | None, ledger_url: str | None) -> Symptom:
    try:
        state = open_workspace(project, ledger_url).state
    except WardroundError as error:
        return Symptom("disk", ok=False, found=error.message, remedy=error.remedy)
    free = shutil.disk_usage(state).free // 2**20
    return Symptom("disk", free >= _FREE_MEGABYTES, f"{free} MiB free at {state}", f"free {_FREE_MEGABYTES} MiB")


def _ledger(project: Path | None, ledger_url: str | None) -> Symptom:
    try:
        with open_workspace(project, ledger_url).open_ledger() as ledger:
            head = ledger.verify()
            return Symptom("ledger", ok=True, found=f"{ledger.name}, {head.sequence} events, unbroken")
    except WardroundError as error:
        return Symptom("ledger", ok=False, found=error.message, remedy=error.remedy)


def _hospitals(project: Path | None, ledger_url: str | None) -> Symptom:
    """Say for each hospital whether its host keys are recorded; no host is contacted."""
    try:
        found = open_workspace(project, ledger_url).project
    except WardroundError as error:
        return Symptom("host keys", ok=False, found=error.message, remedy=error.remedy)
    without = [name for name in found.hospitals() if not found.hospital(name).known_hosts.is_file()]
    if without:
        remedy = "record the hosts' keys, verified over another channel; twins bring their own"
        return Symptom("host keys", ok=False, found=f"no known_hosts for {', '.join(without)}", remedy=remedy)
    return Symptom("host keys", ok=True, found=f"recorded for {len(found.hospitals())} hospitals")

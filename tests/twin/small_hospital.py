"""A hospital of five hosts on both releases, in a project of its own that shares roles and architectures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NAME = "small-hospital"
SHARED = ("roles", "playbooks", "plugins", "reference_architectures", "ansible.cfg")

MANIFEST = """\
hospital: small-hospital
name: A small hospital
timezone: Europe/Vienna
domain: small.internal
architecture: {baseline: 1.0.0}
control: {zone: landing, address: 10.77.250.10}
parameters:
  baseline:
    ssh_user_ca_keys: []
    debian_upstream: http://archive.small.internal/debian
    debian_security_upstream: http://archive.small.internal/debian-security
zones:
  infrastructure: {subnet: 10.77.1.0/24}
  patch: {subnet: 10.77.2.0/24}
  security_operations: {subnet: 10.77.3.0/24}
  landing: {subnet: 10.77.250.0/24}
  x_internet: {subnet: 0.0.0.0/0}
windows:
  night: {days: [sun], from: "01:00", to: "04:00"}
contacts:
  it: {name: IT on call}
hosts:
"""
ASSET = "owner: it, window: night, restart: in_window, fallback: paper"
HOSTS = {
    "infra01": ("infrastructure_server", "10.77.1.11", "debian-12"),
    "infra02": ("infrastructure_server", "10.77.1.12", "debian-13"),
    "ca01": ("certificate_authority", "10.77.1.20", "debian-13"),
    "mirror01": ("patch_mirror", "10.77.2.10", "debian-12"),
    "log01": ("log_collector", "10.77.3.10", "debian-13"),
}


def manifest() -> str:
    """Write the manifest, hosts included."""
    rows = (
        f"  {name}: {{component: {component}, address: {address}, release: {release}, {ASSET}}}\n"
        for name, (component, address, release) in HOSTS.items()
    )
    return MANIFEST + "".join(rows)


@dataclass(frozen=True)
class Answer:
    """What a call of the command line gave back."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:  # noqa: ANN401 - JSON of any shape
        """Read stdout as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class SmallHospital:
    """The project on disk, and the command line working in it."""

    project: Path
    name: str = NAME
    text: str = field(default_factory=manifest)
    shared: tuple[str, ...] = SHARED
    state: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", self.project / ".wardround")
        for name in self.shared:
            (self.project / name).symlink_to(ROOT / name)
        folder = self.project / "inventories" / self.name
        folder.mkdir(parents=True)
        (folder / "hospital.yml").write_text(self.text, encoding="utf-8")

    def command(self, *words: str) -> list[str]:
        """Give the command line for a call."""
        return [sys.executable, "-m", "wardround.cli.main", "--project", str(self.project), *words]

    def call(self, *words: str) -> Answer:
        """Call wardround and wait for its end."""
        done = subprocess.run(
            self.command(*words), capture_output=True, text=True, check=False, cwd=self.project, timeout=1800
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def on_twin(self, verb: str, *words: str) -> Answer:
        """Call a verb on the twin, with its data as JSON."""
        return self.call("--json", verb, self.name, "--twin", "--fast", *words)

    @contextmanager
    def up(self) -> Iterator[SmallHospital]:
        """Hold the twin, its hosts as they come from the distribution; it is removed at the end, whatever happened."""
        try:
            built = self.call("twin", "up", self.name)
            assert built.code == 0, built.err
            yield self
        finally:
            removed = self.call("twin", "down", self.name)
            assert removed.code == 0, removed.err

    def applied_twice(self) -> dict[str, Any]:
        """Plan bare hosts, apply the plan two times in a row, and give what that told."""
        planned = self.on_twin("plan")
        assert planned.code == 2, planned.out + planned.err
        told: dict[str, Any] = self.on_twin("apply", "--plan", planned.data["plan"], "--twice").data
        return told

    def started(self, *words: str) -> subprocess.Popen[str]:
        """Start a call and leave it running."""
        return subprocess.Popen(
            self.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.project
        )

    def host(self, name: str, *command: str) -> Answer:
        """Run a command on a host past everything wardround does."""
        return self.call("twin", "exec", self.name, name, "--", *command)


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until the condition holds, or fail."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.2)


def run_folders() -> tuple[Path, ...]:
    """Give the private folders of runs that are under way."""
    return tuple(Path("/dev/shm").glob("wr-*"))  # noqa: S108 - where wardround keeps them


def events_of(folder: Path) -> list[dict[str, Any]]:
    """Read the whole lines that a run has told so far."""
    file = folder / "events.jsonl"
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def processes_naming(text: str) -> list[int]:
    """Give the processes whose command line holds a text, zombies and this process left out."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if text.encode() in words:
            found.append(int(entry.name))
    return found


def interrupt(process: subprocess.Popen[str]) -> None:
    """Press Ctrl-C, once."""
    process.send_signal(signal.SIGINT)

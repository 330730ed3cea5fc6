"""St. Elsewhere's twin as the demonstration leaves it: hardened, clean, with every architecture in service."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from wardround.transport.ssh import Login
from wardround.twin.containers import find
from wardround.twin.plan import container_name
from wardround.verbs.judged_run import login_of
from wardround.verbs.opening import OpenHospital, open_hospital
from wardround.verbs.workspace import open_workspace

ROOT = Path(__file__).resolve().parents[2]
NAME = "st-elsewhere"
HANDSHAKE = (Path(__file__).parent / "handshake.py").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Twin:
    """The twin, spoken to past wardround."""

    opened: OpenHospital

    @property
    def login(self) -> Login:
        """How its hosts are reached."""
        return login_of(self.opened)

    def address(self, host: str) -> str:
        """Give the address of a host or device."""
        return next(str(each.address) for each in self.opened.design.hosts if each.name == host)

    def run(self, host: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command on a host or in a device's place."""
        argv = ["podman", "exec", container_name(NAME, host), *command]
        return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)

    def handshake(self, host: str, way: str, address: str, port: int, name: str) -> str:
        """Say hello from a host in one of the ways of `handshake.py`, and give what came of it."""
        done = self.run(host, "python3", "-c", HANDSHAKE, way, address, str(port), name)
        assert done.returncode == 0, done.stderr
        said: str = json.loads(done.stdout)
        return said

    def connects(self, host: str, address: str, port: int) -> bool:
        """Say whether a TCP connection comes about."""
        return self.run(host, "nc", "-z", "-w", "3", address, str(port)).returncode == 0


@pytest.fixture(scope="session")
def twin() -> Twin:
    """The twin that `make demo` left running."""
    running = [name for name, found in find(NAME).items() if found.state == "running"]
    assert running, "no twin of st-elsewhere runs on this machine: `make demo` leaves one"
    return Twin(open_hospital(open_workspace(ROOT, None), NAME, twin=True))

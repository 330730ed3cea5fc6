"""Podman on this machine: which flags a systemd container needs here, decided from detected facts."""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
CAPABILITIES = ("NET_ADMIN", "NET_RAW", "AUDIT_WRITE")
"""A host filters its own packets, answers pings and lets sudo and sshd write to the audit socket."""

_CAP_SYS_RESOURCE = 24
_NPROC_ASKED_BY_PODMAN = 32768
_NOFILE_ENOUGH = 1048576


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides the flags: cgroup layout, init system, and how far limits may be raised."""

    unified_cgroups: bool
    systemd_booted: bool
    may_raise_limits: bool
    nofile_hard: int
    nproc_hard: int


@dataclass(frozen=True, slots=True)
class Flags:
    """Options of `podman` itself, and capabilities and limits of a container that boots systemd."""

    podman: tuple[str, ...]
    capabilities: tuple[str, ...]
    ulimits: tuple[str, ...]

    def run_options(self) -> tuple[str, ...]:
        """Return the options of `podman run`."""
        limits = tuple(f"--ulimit={limit}" for limit in self.ulimits)
        return ("--systemd=always", f"--cap-add={','.join(self.capabilities)}", *limits)


def detect() -> Machine:
    """Read the facts of this machine."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    capabilities = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:"))
    return Machine(
        unified_cgroups=(CGROUPS / "cgroup.controllers").exists(),
        systemd_booted=Path("/run/systemd/system").is_dir(),
        may_raise_limits=bool(capabilities >> _CAP_SYS_RESOURCE & 1),
        nofile_hard=_hard(resource.RLIMIT_NOFILE),
        nproc_hard=_hard(resource.RLIMIT_NPROC),
    )


def flags(machine: Machine) -> Flags:
    """Choose only the flags that this machine needs; an ordinary one needs none beyond the capabilities."""
    podman: tuple[str, ...] = ()
    if not machine.unified_cgroups:
        # crun refuses hybrid and version 1 cgroups.
        podman += ("--runtime", "runc")
    if not machine.systemd_booted:
        podman += ("--cgroup-manager", "cgroupfs")
    ulimits: tuple[str, ...] = ()
    if not machine.may_raise_limits:
        nofile = min(machine.nofile_hard, _NOFILE_ENOUGH)
        nproc = min(machine.nproc_hard, _NPROC_ASKED_BY_PODMAN)
        ulimits = (f"nofile={nofile}:{nofile}", f"nproc={nproc}:{nproc}")
    return Flags(podman, CAPABILITIES, ulimits)


def _hard(limit: int) -> int:
    value = resource.getrlimit(limit)[1]
    return sys.maxsize if value == resource.RLIM_INFINITY else value


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(flags(detect()))) + "\n")

"""Boot of a twin's hosts: all must answer over SSH; one that hangs is helped, and one beyond help is named."""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

from wardround.errors import TwinError
from wardround.twin.command import attempt

SSH_PORT = 22
BOOT_STALL_SECONDS = 60.0
"""A boot without any progress for so long will not finish; one that still moves may take as long as it needs."""

SILENT_SECONDS = 15.0
"""A booted host whose sshd is silent for so long needs a restart."""

_HELPED_AT_MOST = 2
_LOOK_AGAIN_SECONDS = 0.5
_BOOTED = frozenset({"running", "degraded"})


class Help(StrEnum):
    """What a host that does not answer needs."""

    RESTART = "restart"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a boot is: systemd's state, and the jobs still queued."""

    state: str
    jobs: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A host that does not answer yet: when its boot was last seen to move, in seconds of the monotonic clock."""

    progress: Progress
    since: float


def needed_help(waiting: Waiting, now: float) -> Help | None:
    """Decide whether a silent host is still on its way, has to be started again, or has to be made anew."""
    if waiting.progress.state in _BOOTED:
        return Help.RESTART if now - waiting.since > SILENT_SECONDS else None
    return Help.REPLACE if now - waiting.since > BOOT_STALL_SECONDS else None


def progress(container: str) -> Progress:
    """Ask a container's systemd how far it is; words of its own where it does not even answer that."""
    said = attempt(("podman", "exec", container, "systemctl", "is-system-running"), timeout=30.0)
    jobs = attempt(("podman", "exec", container, "systemctl", "show", "--property", "NJobs", "--value"), timeout=30.0)
    return Progress(said.stdout.strip() or "silent", jobs.stdout.strip())


def await_system(container: str) -> None:
    """Wait until a container's systemd has started what it starts at boot.

    Raises:
        TwinError: the boot does not get any further.
    """
    waiting = Waiting(progress(container), time.monotonic())
    while waiting.progress.state not in _BOOTED:
        if needed_help(waiting, time.monotonic()) is not None:
            raise TwinError(
                f"the boot of {container} hangs; its systemd says {waiting.progress.state}", remedy="try again"
            )
        time.sleep(_LOOK_AGAIN_SECONDS)
        seen = progress(container)
        if seen != waiting.progress:
            waiting = Waiting(seen, time.monotonic())


def await_answers(
    addresses: dict[str, str], containers: dict[str, str], help_host: Callable[[str, Help], None]
) -> tuple[str, ...]:
    """Wait until every host answers, helping those that hang; return the hosts that had to be helped.

    Args:
        addresses: where each host's sshd has to answer.
        containers: podman's name of each host.
        help_host: restarts or replaces a host.

    Raises:
        TwinError: a host does not answer although it was helped twice.
    """
    helped: Counter[str] = Counter()
    waiting: dict[str, Waiting] = {}
    while silent := _silent(addresses):
        for host in silent:
            seen = progress(containers[host])
            if host not in waiting or waiting[host].progress != seen:
                waiting[host] = Waiting(seen, time.monotonic())
            needed = needed_help(waiting[host], time.monotonic())
            if needed is None:
                continue
            if helped[host] == _HELPED_AT_MOST:
                raise TwinError(
                    f"{host} does not answer over SSH although it was started {_HELPED_AT_MOST} times again; "
                    f"its systemd says {seen.state}",
                    path=containers[host],
                    remedy="look with `wardround twin exec HOST -- journalctl -b`",
                )
            helped[host] += 1
            help_host(host, needed)
            del waiting[host]
        time.sleep(_LOOK_AGAIN_SECONDS)
    return tuple(sorted(helped))


def ssh_answers(address: str) -> bool:
    """Tell whether an SSH server greets at an address (RFC 4253 section 4.2)."""
    try:
        with socket.create_connection((address, SSH_PORT), timeout=2.0) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def all_answers(addresses: dict[str, str]) -> dict[str, bool]:
    """Ask every host at once whether its SSH server greets."""
    if not addresses:
        return {}
    with ThreadPoolExecutor(max_workers=min(len(addresses), 32)) as pool:
        return dict(zip(addresses, pool.map(ssh_answers, addresses.values()), strict=True))


def _silent(addresses: dict[str, str]) -> list[str]:
    return [host for host, answers in all_answers(addresses).items() if not answers]

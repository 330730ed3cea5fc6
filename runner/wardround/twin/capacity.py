"""How many more hosts this machine can boot: without a free inotify instance, systemd hangs without a word."""

from __future__ import annotations

import ctypes
import os
import sys

from wardround.errors import TwinError

INSTANCES_A_HOST = 4
"""inotify(7) instances that a booted host holds: two of systemd, one each of dbus and logind."""


class NoRoomError(TwinError):
    """The machine's limit of inotify instances does not allow so many hosts at once.

    Remove containers that are no longer needed, or raise `fs.inotify.max_user_instances` on this machine.
    """

    code = "WR-705"


def check_room(free: int, hosts: int) -> None:
    """Refuse to start more hosts than can boot with so many free inotify instances."""
    needed = hosts * INSTANCES_A_HOST
    if free < needed:
        raise NoRoomError(
            f"{hosts} hosts need {needed} inotify instances, and this machine has {free} left",
            path="fs.inotify.max_user_instances",
            remedy="remove other containers, or raise the limit on this machine with `sysctl -w`",
        )


def free_instances(wanted: int) -> int:
    """Return how many of `wanted` inotify instances root can have now, by taking and returning them.

    The kernel tells nowhere how many are in use.
    """
    library = ctypes.CDLL(None, use_errno=True)
    taken: list[int] = []
    try:
        while len(taken) < wanted and (descriptor := library.inotify_init1(os.O_CLOEXEC)) >= 0:
            taken.append(descriptor)
        return len(taken)
    finally:
        for descriptor in taken:
            os.close(descriptor)


def _main() -> int:
    hosts = int(sys.argv[1])
    try:
        check_room(free_instances(hosts * INSTANCES_A_HOST), hosts)
    except NoRoomError as error:
        sys.stderr.write(f"{error}\n")
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    raise SystemExit(_main())

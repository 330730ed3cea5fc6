"""When a silent host is helped, and when a machine is too full for more hosts."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from wardround.errors import TwinError
from wardround.twin import boot
from wardround.twin.boot import BOOT_STALL_SECONDS, SILENT_SECONDS, Help, Progress, Waiting, needed_help
from wardround.twin.capacity import INSTANCES_A_HOST, NoRoomError, check_room, free_instances

pytestmark = pytest.mark.unit

BOOTING = Progress("starting", "24")
BOOTED = Progress("running", "0")


@pytest.mark.parametrize(
    ("progress", "seconds", "needed"),
    [
        (BOOTING, BOOT_STALL_SECONDS - 1, None),
        (BOOTING, BOOT_STALL_SECONDS + 1, Help.REPLACE),
        (Progress("silent", ""), BOOT_STALL_SECONDS + 1, Help.REPLACE),
        (BOOTED, SILENT_SECONDS - 1, None),
        (BOOTED, SILENT_SECONDS + 1, Help.RESTART),
        (Progress("degraded", "0"), SILENT_SECONDS + 1, Help.RESTART),
    ],
)
def test_only_a_host_that_stands_still_is_helped(progress: Progress, seconds: float, needed: Help | None) -> None:
    assert needed_help(Waiting(progress, 100.0), 100.0 + seconds) is needed


class Host:
    """A host that answers after it was helped so often, and a clock that its boot makes run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, progress: Progress, *, helps: int) -> None:
        self.now, self.helped, self.helps, self.progress = 0.0, list[Help](), helps, progress
        monkeypatch.setattr(boot, "all_answers", lambda _addresses: {"pacs01": len(self.helped) >= self.helps})
        monkeypatch.setattr(boot, "progress", lambda _container: self.progress)
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(time, "sleep", self.wait)

    def wait(self, _seconds: float) -> None:
        self.now += 1.0

    def help(self, host: str, needed: Help) -> None:
        assert host == "pacs01"
        self.helped.append(needed)

    def await_answers(self) -> tuple[str, ...]:
        return boot.await_answers({"pacs01": "10.0.0.1"}, {"pacs01": "container"}, self.help)


def test_a_host_that_answers_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, BOOTED, helps=0)
    assert host.await_answers() == ()
    assert host.now == 0.0


def test_a_boot_that_hangs_is_made_anew_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, BOOTING, helps=2)
    assert host.await_answers() == ("pacs01",)
    assert host.helped == [Help.REPLACE, Help.REPLACE]


def test_a_host_that_cannot_be_helped_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, BOOTED, helps=99)
    with pytest.raises(TwinError, match=r"pacs01 does not answer.*running"):
        host.await_answers()
    assert host.helped == [Help.RESTART, Help.RESTART]


def test_a_slow_boot_that_moves_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, BOOTING, helps=1)
    steps = iter(range(500))

    def moving(_container: str) -> Progress:
        number = next(steps)
        if number == 400:
            host.helps = 0
        return Progress("starting", str(number))

    monkeypatch.setattr(boot, "progress", moving)
    assert host.await_answers() == ()
    assert host.now > 5 * BOOT_STALL_SECONDS


def test_hosts_that_cannot_boot_are_refused_before_they_are_started() -> None:
    check_room(3 * INSTANCES_A_HOST, 3)
    check_room(0, 0)
    with pytest.raises(NoRoomError, match="3 hosts need 12 inotify instances, and this machine has 11 left"):
        check_room(11, 3)


def test_free_instances_are_counted_and_given_back() -> None:
    before = len(tuple(Path("/proc/self/fd").iterdir()))
    assert free_instances(0) == 0
    assert 0 <= free_instances(3) <= 3
    assert len(tuple(Path("/proc/self/fd").iterdir())) == before

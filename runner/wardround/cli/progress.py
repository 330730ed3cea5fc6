"""Progress on stderr: a live line on a terminal; elsewhere a heartbeat line of a run every 30 seconds."""

from __future__ import annotations

import signal
import time
from contextlib import AbstractContextManager
from types import FrameType, TracebackType
from typing import Self

from rich.status import Status

from wardround.cli.screen import Screen
from wardround.model.event import HostStarted, Outcome, TaskEvent
from wardround.verbs.site_run import Watcher

HEARTBEAT_SECONDS = 30.0


class Progress(AbstractContextManager["Progress"]):
    """Counts what a run does, and turns Ctrl-C into a request to stop: the first one orderly, the second at once."""

    def __init__(self, screen: Screen, what: str, total: int) -> None:
        """Watch a run over `total` hosts."""
        self._screen = screen
        self._what = what
        self._total = total
        self._results: dict[str, int] = {}
        self._silent: set[str] = set()
        self._task = ""
        self._stopping = False
        self._started = time.monotonic()
        self._said = self._started
        self._status: Status | None = None
        self._before: signal._HANDLER = signal.SIG_DFL

    def __enter__(self) -> Self:
        """Begin to show and to listen."""
        self._before = signal.signal(signal.SIGINT, self._ask_to_stop)
        if self._screen.err.is_terminal:
            self._status = self._screen.err.status(self._text())
            self._status.start()
        else:
            self._screen.note(f"{self._what} begins")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave the terminal and the signal as they were."""
        signal.signal(signal.SIGINT, self._before)
        if self._status is not None:
            self._status.stop()
        self._screen.note(f"{self._text()} in {time.monotonic() - self._started:.0f} s")

    @property
    def watcher(self) -> Watcher:
        """Give the two ends that a run needs."""
        return Watcher(self._event, self._interrupted)

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        if self._stopping:
            raise KeyboardInterrupt
        self._stopping = True
        self._screen.note("stopping; no further task is started. Once more to stop at once")

    def _event(self, event: TaskEvent | HostStarted) -> None:
        if isinstance(event, HostStarted):
            self._task = event.task
        elif event.outcome is Outcome.UNREACHABLE:
            self._silent.add(event.host)
        elif not event.item:
            self._results[event.host] = self._results.get(event.host, 0) + 1

    def _interrupted(self) -> bool:
        """Say whether to stop; asked several times a second, so it beats the heart as well."""
        if self._status is not None:
            self._status.update(self._text())
        elif time.monotonic() - self._said >= HEARTBEAT_SECONDS:
            self._said = time.monotonic()
            self._screen.note(self._text())
        return self._stopping

    def _text(self) -> str:
        silent = f", {len(self._silent)} silent" if self._silent else ""
        task = f": {self._task}" if self._task else ""
        return (
            f"{self._what}: {len(self._results)} of {self._total} hosts answered{silent}, "
            f"{sum(self._results.values())} results{task}"
        )


class Following(AbstractContextManager["Following"]):
    """Shows what a step without Ansible says: the last of it on a terminal, line by line elsewhere."""

    def __init__(self, screen: Screen, what: str) -> None:
        """Follow a step of some name."""
        self._screen = screen
        self._what = what
        self._started = time.monotonic()
        self._status: Status | None = None

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._screen.err.is_terminal:
            self._status = self._screen.err.status(self._what)
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave one line, of how long it took."""
        if self._status is not None:
            self._status.stop()
        self._screen.note(f"{self._what} in {time.monotonic() - self._started:.0f} s")

    def say(self, text: str) -> None:
        """Tell what the step is doing."""
        if self._status is not None:
            self._status.update(f"{self._what}: {text}")
        else:
            self._screen.note(f"{self._what}: {text}")

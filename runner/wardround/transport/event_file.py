"""The file in which the `wardround_events` callback tells what happened, read while it grows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from wardround.model.event import HostStarted, TaskEvent

_OUTCOMES_WITHOUT_RESULT = frozenset({"task", "notified"})


class EventFile:
    """Reads new whole lines each time it is asked; a line that is still being written waits for its end."""

    def __init__(self, path: Path, project: Path) -> None:
        """Follow `path`; task places below `project` are given relative to it."""
        self._path = path
        self._prefix = f"{project}/"
        self._offset = 0
        self.ended = False

    def read(self) -> Iterator[TaskEvent | HostStarted]:
        """Give the events that came since the last call."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                event = self._parse(line)
                if event is not None:
                    yield event

    def _parse(self, line: bytes) -> TaskEvent | HostStarted | None:
        fields = json.loads(line)
        outcome = fields["outcome"]
        if outcome == "end":
            self.ended = True
            return None
        if outcome in _OUTCOMES_WITHOUT_RESULT:
            return None
        if outcome == "start":
            return HostStarted(host=fields["host"], task=fields["task"])
        fields["path"] = self._relative(fields["path"], fields["role"])
        return TaskEvent.model_validate_json(json.dumps(fields))

    def _relative(self, path: str, role: str) -> str:
        """Give a task's place in the project; Ansible names the real place, also of a role that is a symbolic link."""
        folder = f"/roles/{role}/"
        if role and folder in path:
            return f"{folder[1:]}{path.rpartition(folder)[2]}"
        return path.removeprefix(self._prefix)

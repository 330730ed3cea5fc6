"""Where in a file each key and value stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from wardround.load.characters import escaped

DocumentPath = tuple[str | int, ...]
"""The keys and list positions that lead to a value."""


class Place(NamedTuple):
    """A line and a column, both from 1."""

    line: int
    column: int


START = Place(1, 1)

# (key line, key column, value line, value column, children or None), lines and columns from 0. Plain tuples, because a
# manifest of 10,000 hosts has 80,000 of them and almost none is ever looked at.
Entry = tuple[int, int, int, int, Any]
Entries = dict[str | int, Entry]


@dataclass(frozen=True)
class PlaceIndex:
    """The places of one document."""

    root: Entries

    def key(self, path: DocumentPath) -> Place:
        """Give the place of the key that a path ends in, or of its nearest ancestor that is in the file."""
        entry = self._entry(path)
        return Place(entry[0] + 1, entry[1] + 1) if entry else START

    def value(self, path: DocumentPath) -> Place:
        """Give the place of the value that a path leads to, or of the key of its nearest ancestor in the file."""
        entry = self._entry(path)
        if entry is None:
            return START
        if path in self:
            return Place(entry[2] + 1, entry[3] + 1)
        return Place(entry[0] + 1, entry[1] + 1)

    def __contains__(self, path: DocumentPath) -> bool:
        entries: Entries | None = self.root
        for step in path:
            if entries is None or step not in entries:
                return False
            entries = entries[step][4]
        return True

    def _entry(self, path: DocumentPath) -> Entry | None:
        """Give the deepest entry on the path."""
        found: Entry | None = None
        entries: Entries | None = self.root
        for step in path:
            if entries is None or step not in entries:
                break
            found = entries[step]
            entries = found[4]
        return found


def dotted(path: DocumentPath) -> str:
    """Write a path as people do: `hosts.pacs01.address`, `flows[3].from`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{escaped(step)}" if text else escaped(step)
    return text

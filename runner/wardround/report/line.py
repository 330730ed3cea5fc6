"""A line of a report with its meaning; the terminal gives the meaning a colour."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """What a line means for its reader."""

    PLAIN = "plain"
    HEAD = "head"
    GOOD = "good"
    CHANGE = "change"
    BAD = "bad"
    QUIET = "quiet"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text."""

    text: str
    tone: Tone = Tone.PLAIN


def diff_lines(diff: str, indent: str) -> tuple[Line, ...]:
    """Show a unified diff, added and removed lines apart."""
    return tuple(Line(f"{indent}{line}", _diff_tone(line)) for line in diff.splitlines())


def _diff_tone(line: str) -> Tone:
    if line.startswith("+") and not line.startswith("+++"):
        return Tone.ADDED
    if line.startswith("-") and not line.startswith("---"):
        return Tone.REMOVED
    return Tone.QUIET


def count(number: int, noun: str) -> str:
    """Give `1 host`, `2 hosts`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

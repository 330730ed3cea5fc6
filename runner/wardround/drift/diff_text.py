"""Differences as people read them: unified, bounded, and harmless on a terminal."""

from __future__ import annotations

import difflib
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wardround.model.event import FileDiff

LINE_LIMIT = 200
_WIDTH_LIMIT = 400


def diff_text(diffs: tuple[FileDiff, ...]) -> str:
    """Join the differences of one result into one unified diff of at most 200 lines."""
    lines: list[str] = []
    for each in diffs:
        if each.prepared:
            lines.extend(each.prepared.splitlines())
        elif each.before != each.after:
            lines.extend(
                difflib.unified_diff(
                    each.before.splitlines(),
                    each.after.splitlines(),
                    each.before_header,
                    each.after_header,
                    lineterm="",
                )
            )
    shown = [harmless(line)[:_WIDTH_LIMIT] for line in lines[:LINE_LIMIT]]
    if len(lines) > LINE_LIMIT:
        shown.append(f"… {len(lines) - LINE_LIMIT} more lines")
    return "\n".join(shown)


def harmless(text: str) -> str:
    """Show control and direction-changing characters by their escape, so that a host cannot steer a terminal."""
    return "".join(
        character if character == "\t" or unicodedata.category(character)[0] != "C" else _escape(character)
        for character in text
    )


def _escape(character: str) -> str:
    return character.encode("unicode_escape", errors="backslashreplace").decode()

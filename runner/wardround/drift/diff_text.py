"""Differences as people read them: unified, bounded, and harmless on a terminal."""

from __future__ import annotations

import difflib
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wardround.model.event import FileDiff

LINE_LIMIT = 200
WIDTH_LIMIT = 400
TEXT_LIMIT = 1000
_COMPARED_LIMIT = 1000
_CONTEXT = 3
_TEMPORARY = re.compile(r"^.*/ansible-local-[^/]+/[^/]+/")
"""Where Ansible keeps a rendered template for a moment: another folder in every run."""
_HUNK = re.compile(r"([-+])(\d+)(?=[ ,])")


def diff_text(diffs: tuple[FileDiff, ...]) -> str:
    """Join the differences of one result into one unified diff of at most 200 lines."""
    lines: list[str] = []
    for each in diffs:
        if each.prepared:
            lines.extend(each.prepared.splitlines())
        elif each.before != each.after:
            lines.extend(_unified(each))
    shown = [_line(line) for line in lines[:LINE_LIMIT]]
    if len(lines) > LINE_LIMIT:
        shown.append(f"… {len(lines) - LINE_LIMIT} more lines")
    return "\n".join(shown)


def shortened(text: str) -> str:
    """Give a text for one line of a report: harmless, and of at most 1000 characters."""
    shown = harmless(text[:TEXT_LIMIT])
    return shown if len(text) <= TEXT_LIMIT and len(shown) <= TEXT_LIMIT else f"{shown[: TEXT_LIMIT - 1]}…"


def harmless(text: str) -> str:
    """Show control and direction-changing characters by their escape, so that a host cannot steer a terminal."""
    return "".join(character if _is_harmless(character) else _escape(character) for character in text)


def _is_harmless(character: str) -> bool:
    # C: control, format and unassigned characters; Zl and Zp: line ends that only some programs see.
    category = unicodedata.category(character)
    return character == "\t" or not (category.startswith("C") or category in {"Zl", "Zp"})


def _escape(character: str) -> str:
    return character.encode("unicode_escape", errors="backslashreplace").decode()


def _line(text: str) -> str:
    return harmless(text[:WIDTH_LIMIT])[:WIDTH_LIMIT]


def _unified(diff: FileDiff) -> Iterator[str]:
    before, after = diff.before.splitlines(), diff.after.splitlines()
    if before == after:
        yield f"  {diff.after_header or diff.before_header or 'text'}: only line ends differ"
        return
    # Only what differs is compared: finding the smallest change takes time with the square of the lines.
    head = _equal(before, after)
    tail = min(_equal(before[::-1], after[::-1]), len(before) - head, len(after) - head)
    start, old, new = max(0, head - _CONTEXT), len(before) - tail, len(after) - tail
    yield f"--- {_TEMPORARY.sub('', diff.before_header)}"
    yield f"+++ {_TEMPORARY.sub('', diff.after_header)}"
    if max(old, new) - head > _COMPARED_LIMIT:
        yield f"@@ -{start + 1},{old - start} +{start + 1},{new - start} @@"
        yield from (f" {line}" for line in before[start:head])
        yield from (f"-{line}" for line in before[head:old])
        yield from (f"+{line}" for line in after[head:new])
        return
    yield from _hunks(before[start : old + _CONTEXT], after[start : new + _CONTEXT], start)


def _equal(one: Sequence[str], other: Sequence[str]) -> int:
    """Count the equal lines at the start."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((count for count, (mine, theirs) in pairs if mine != theirs), min(len(one), len(other)))


def _hunks(before: Sequence[str], after: Sequence[str], skipped: int) -> Iterator[str]:
    """Compare two windows of files that begin after `skipped` equal lines."""
    for line in list(difflib.unified_diff(before, after, lineterm=""))[2:]:
        yield _HUNK.sub(lambda found: f"{found[1]}{int(found[2]) + skipped}", line) if line.startswith("@@") else line

"""Differences as people read them: unified, bounded, and harmless on a terminal."""

from __future__ import annotations

import difflib
import os
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
    same = len(os.path.commonprefix([before, after]))
    rest = min(len(before), len(after)) - same
    tail = 0
    while tail < rest and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    changed = before[same : len(before) - tail], after[same : len(after) - tail]
    if max(map(len, changed)) <= _COMPARED_LIMIT:
        yield from difflib.unified_diff(before, after, diff.before_header, diff.after_header, lineterm="")
    else:
        yield from _replaced(diff, before[max(0, same - _CONTEXT) : same], same + 1, *changed)


def _replaced(
    diff: FileDiff, context: Sequence[str], first: int, before: Sequence[str], after: Sequence[str]
) -> Iterator[str]:
    """Show one large block as replaced: finding the smallest change takes time with the square of its lines."""
    start = first - len(context)
    yield f"--- {diff.before_header}"
    yield f"+++ {diff.after_header}"
    yield f"@@ -{start},{len(context) + len(before)} +{start},{len(context) + len(after)} @@"
    yield from (f" {line}" for line in context)
    yield from (f"-{line}" for line in before)
    yield from (f"+{line}" for line in after)

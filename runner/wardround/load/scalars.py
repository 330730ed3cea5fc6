"""Which unquoted words are not texts: YAML 1.2's core schema, narrowed to what nobody can misread.

`yes`, `on`, `0123`, `12:30`, `1_000`, `0x1f`, `+49301234`, `12e4567` and `2026-11-21` are texts: YAML 1.1 reads them
as switches, octals, minutes, numbers and dates, and a serial or telephone number would silently become another one.
"""

from __future__ import annotations

import re

Scalar = str | int | float | bool | None

_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,18}([eE][-+]?[0-9]{1,2})?")
_NUMBER_STARTS = frozenset("-0123456789")


def resolve_plain(text: str) -> Scalar:
    """Give the value of an unquoted word."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    return text

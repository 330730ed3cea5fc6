"""What characters an input file may hold: printable UTF-8, nothing that a reader of a diff cannot see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Controls except tab and line ends; a carriage return alone is no line end, because editors and YAML disagree on it.
# Soft hyphen and the other format characters of Unicode's category Cf, among them every bidirectional control; line and
# paragraph separators; private use; noncharacters; tags.
_FORBIDDEN = re.compile(
    "\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff\ue000-\uf8ff"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff]"
)

_NAMES = {
    "\x00": "NUL",
    "\x1b": "escape",
    "\u00ad": "soft hyphen",
    "\u200b": "zero width space",
    "\ufeff": "byte order mark",
}
_BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
SHOWN_LENGTH = 60


def forbidden(text: str) -> re.Match[str] | None:
    """Find the first character that no input may hold."""
    return _FORBIDDEN.search(text)


def every_forbidden(text: str) -> Iterator[re.Match[str]]:
    """Find all characters that no input may hold."""
    return _FORBIDDEN.finditer(text)


def without_forbidden(text: str) -> str:
    """Put a visible replacement where a forbidden character was, so that all places stay the same."""
    return _FORBIDDEN.sub(REPLACEMENT, text)


def described(character: str) -> str:
    """Name a character that cannot be printed: `U+202E, a bidirectional control`."""
    point = f"U+{ord(character):04X}"
    if character in _BIDIRECTIONAL:
        return f"{point}, a bidirectional control"
    name = _NAMES.get(character)
    return f"{point}, {name}" if name else point


def escaped(text: str) -> str:
    """Write a text so that it cannot move the cursor, turn the line around or end it."""
    if text.isprintable() and not _FORBIDDEN.search(text):
        return text
    return "".join(
        character if character.isprintable() and not _FORBIDDEN.match(character) else _escape(character)
        for character in text
    )


def shown(value: object) -> str:
    """Write a value from an input file for a message: quoted if it is a text, escaped and shortened always."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{_shortened(escaped(value[: SHOWN_LENGTH * 2]))}"'
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case _:
            return _shortened(escaped(str(value)))


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN_LENGTH else text[: SHOWN_LENGTH - 1] + "…"


def _escape(character: str) -> str:
    return {"\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(character) or character.encode("unicode_escape").decode("ascii")

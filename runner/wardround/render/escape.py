"""Texts made harmless: in Markdown, XML and HTML a hospital's words stay words, whatever they look like."""

from __future__ import annotations

import html
import re
from typing import Final

# Written out instead of asked of `unicodedata`, whose tables differ between Python versions while the bytes must not.
_INVISIBLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff]"
)
_NONCHARACTERS_OF_A_PLANE: Final = 0xFFFE

_MARKDOWN: Final = re.compile(
    r"[\\`*\[\]|~#!$@]"  # emphasis, code, links, cells, headings, formulas, mentions
    r"|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])"  # an underscore inside a word is one
    r"|(?<=:)//"  # an address would become a link
    r"|(?<=[Ww][Ww][Ww])\."  # same
)


def visible(text: str) -> str:
    r"""Give a text on one line, with characters that nobody sees written out: `\u202e`."""
    return "".join(
        each.encode("unicode_escape").decode("ascii") if _is_invisible(each) else each
        for each in " ".join(text.split())
    )


def _is_invisible(character: str) -> bool:
    return _INVISIBLE.match(character) is not None or ord(character) & 0xFFFF >= _NONCHARACTERS_OF_A_PLANE


def markup(text: str) -> str:
    """Give a text for an element or a quoted attribute of XML or HTML."""
    return html.escape(visible(text), quote=True)


def markdown(text: str) -> str:
    """Give a text for GitHub-flavoured Markdown, inside a cell, a heading, or a line that begins with other words."""
    escaped = _MARKDOWN.sub(lambda found: f"\\{found[0]}", visible(text))
    return escaped.replace("&", "&amp;").replace("<", "&lt;")

"""YAML events to plain data and places, refusing what could surprise: tags, duplicate keys, alias bombs, deep nesting.

It reads libyaml's events one by one instead of letting PyYAML construct: there is no recursion that a nested file could
exhaust, nothing is ever built from a tag, and the places come along for almost nothing.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import yaml
from yaml._yaml import CParser

from wardround.load.characters import described, forbidden, shown
from wardround.load.places import Entries, Place, PlaceIndex
from wardround.load.scalars import resolve_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic import JsonValue

MAX_DEPTH: Final = 64
ALIAS_BUDGET: Final = 100_000
"""How many nodes all aliases of a file together may stand for; a long text is one node for each 64 characters."""
MAX_MISTAKES: Final = 1_000
MAX_EVENTS: Final = 1_000_000
"""Each text is one event, each mapping and list two; 50,000 hosts stay below it."""

_SYNTAX_REMEDIES = (
    ("\\t", "indent with spaces; YAML knows no tabs there"),
    ("mapping values are not allowed", "put a value that holds a colon in quotes, and check the indentation"),
    ("block end", "check the indentation here and on the lines above"),
    ("end of stream", "close the quote or bracket that was opened"),
    ("block collection", "check the indentation here and on the lines above"),
    ("escape", "in double quotes a backslash starts an escape; use single quotes for a plain backslash"),
)


class Mistake(NamedTuple):
    """One thing that may not be in a file."""

    code: str
    message: str
    place: Place
    remedy: str


class _UnreadableError(Exception):
    """A mistake behind which nothing more can be understood."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.message)
        self.mistake = mistake


class _Mark(Protocol):
    line: int
    column: int


class _Event(Protocol):
    start_mark: _Mark


class _NodeEvent(_Event, Protocol):
    anchor: str | None
    tag: str | None


class _ScalarEvent(_NodeEvent, Protocol):
    value: str
    style: str | None
    implicit: tuple[bool, bool]


class _AliasEvent(_Event, Protocol):
    anchor: str


class _Discarded:
    """Stands where a key should be: the value that follows is read for its own mistakes and then forgotten."""


_DISCARDED: Final = _Discarded()


class _Frame:
    """A mapping or a list that is being read."""

    __slots__ = (
        "anchor",
        "column",
        "entries",
        "is_key",
        "items",
        "key",
        "key_column",
        "key_line",
        "line",
        "members",
        "size",
    )

    def __init__(self, *, is_mapping: bool, is_key: bool, anchor: str | None, line: int, column: int) -> None:
        self.members: dict[str, JsonValue] | None = {} if is_mapping else None
        self.items: list[JsonValue] = []
        self.entries: Entries = {}
        self.is_key = is_key
        self.anchor = anchor
        self.line = line
        self.column = column
        self.key: str | _Discarded | None = None
        self.key_line = self.key_column = 0
        self.size = 1

    @property
    def value(self) -> JsonValue:
        return self.items if self.members is None else self.members

    @property
    def expects_key(self) -> bool:
        return self.members is not None and self.key is None

    def add(self, value: JsonValue, line: int, column: int, entries: Entries | None) -> None:
        if self.members is None:
            self.entries[len(self.items)] = (line, column, line, column, entries)
            self.items.append(value)
            return
        key, self.key = self.key, None
        if isinstance(key, str):
            self.members[key] = value
            self.entries[key] = (self.key_line, self.key_column, line, column, entries)


class Builder:
    """Reads one text; afterwards `data`, `places` and `mistakes` hold what was found."""

    def __init__(self, text: str) -> None:
        self.data: JsonValue = None
        self.places = PlaceIndex({})
        self.mistakes: list[Mistake] = []
        self._text = text
        self._stack: list[_Frame] = [_Frame(is_mapping=False, is_key=False, anchor=None, line=0, column=0)]
        self._anchors: dict[str, tuple[JsonValue, Entries | None, int] | None] = {}
        self._expanded = 0
        self._documents = 0

    def read(self) -> None:
        """Read the text to its end, or to the first mistake behind which nothing can be understood."""
        handlers: dict[type[yaml.Event], Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._collection,
            yaml.SequenceStartEvent: self._collection,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
            yaml.DocumentEndEvent: _nothing,
            yaml.StreamStartEvent: _nothing,
            yaml.StreamEndEvent: _nothing,
        }
        parser = CParser(self._text)
        try:
            events: Iterator[Any] = iter(parser.get_event, None)
            for event in islice(events, MAX_EVENTS):
                handlers[type(event)](event)
            for event in events:
                raise _unreadable("WR-111", f"more than {MAX_EVENTS} YAML events", event, "this is no manifest")
        except yaml.MarkedYAMLError as error:
            self.mistakes.append(_syntax_mistake(error))
        except _UnreadableError as error:
            self.mistakes.append(error.mistake)
        root = self._stack[0]
        if root.items:
            self.data = root.items[0]
            self.places = PlaceIndex(root.entries[0][4] or {})

    def _scalar(self, event: _ScalarEvent) -> None:
        frame = self._stack[-1]
        text = event.value
        mark = event.start_mark
        value = resolve_plain(text) if event.implicit[0] else text
        if event.tag is not None:
            self._refuse_tag(event)
        if event.style == '"' and (found := forbidden(text)):
            self._note(
                "WR-113",
                f"character {described(found[0])} is not allowed, not even escaped",
                event,
                "remove the escape",
            )
        size = 1 + len(text) // 64
        frame.size += size
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, None, size)
        if frame.members is None or frame.key is not None:
            frame.add(value, mark.line, mark.column, None)
            return
        frame.key_line = mark.line
        frame.key_column = mark.column
        frame.key = self._checked_key(frame, text, value, event)

    def _checked_key(self, frame: _Frame, text: str, value: object, event: _ScalarEvent) -> str | _Discarded:
        if value is not text:
            self._note("WR-121", f"key {shown(value)} is not a text", event, f'write it in quotes: "{text}"')
            return _DISCARDED
        if text == "<<" and event.implicit[0]:
            self._note("WR-118", 'merge key "<<" is not allowed', event, "write the keys out")
            return _DISCARDED
        if text in frame.entries:
            first = frame.entries[text][0] + 1
            self._note(
                "WR-116", f"key {shown(text)} is given twice, first on line {first}", event, "keep one of the two"
            )
            return _DISCARDED
        return text

    def _collection(self, event: _NodeEvent) -> None:
        parent = self._stack[-1]
        if event.tag is not None:
            self._refuse_tag(event)
        if len(self._stack) > MAX_DEPTH:
            raise _unreadable("WR-119", f"nested deeper than {MAX_DEPTH} levels", event, "flatten the structure")
        if parent.expects_key:
            self._note("WR-121", "a mapping or list cannot be a key", event, "use a text as the key")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        mark = event.start_mark
        self._stack.append(
            _Frame(
                is_mapping=isinstance(event, yaml.MappingStartEvent),
                is_key=parent.expects_key,
                anchor=event.anchor,
                line=mark.line,
                column=mark.column,
            )
        )

    def _end(self, _event: _Event) -> None:
        frame = self._stack.pop()
        parent = self._stack[-1]
        parent.size += frame.size
        if frame.anchor is not None:
            self._anchors[frame.anchor] = (frame.value, frame.entries, frame.size)
        if frame.is_key:
            parent.key = _DISCARDED
        else:
            parent.add(frame.value, frame.line, frame.column, frame.entries)

    def _alias(self, event: _AliasEvent) -> None:
        parent = self._stack[-1]
        name = event.anchor
        target = self._anchors.get(name)
        if target is None:
            cause = "stands inside what it repeats" if name in self._anchors else "names no anchor above it"
            raise _unreadable("WR-117", f"alias {shown('*' + name)} {cause}", event, "write the value out")
        value, entries, size = target
        self._expanded += size
        if self._expanded > ALIAS_BUDGET:
            raise _unreadable(
                "WR-117", f"aliases stand for more than {ALIAS_BUDGET} values", event, "write the values out"
            )
        if parent.expects_key:
            self._note("WR-121", "an alias cannot be a key", event, "write the key out")
            parent.key = _DISCARDED
            return
        parent.size += size
        parent.add(value, event.start_mark.line, event.start_mark.column, entries)

    def _document(self, event: _Event) -> None:
        self._documents += 1
        if self._documents > 1:
            raise _unreadable("WR-120", "a second document starts here", event, 'keep one; remove the "---" line')

    def _refuse_tag(self, event: _NodeEvent) -> None:
        self._note("WR-115", f"tag {shown(event.tag)} is not allowed", event, "remove the tag; values are plain data")

    def _note(self, code: str, message: str, event: _Event, remedy: str) -> None:
        if len(self.mistakes) >= MAX_MISTAKES:
            raise _unreadable(
                "WR-123", f"more than {MAX_MISTAKES} mistakes; reading stopped here", event, "mend those first"
            )
        self.mistakes.append(Mistake(code, message, _place(event), remedy))


def _nothing(_event: _Event) -> None:
    """Let an event pass that carries no data."""


def _place(event: _Event) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


def _unreadable(code: str, message: str, event: _Event, remedy: str) -> _UnreadableError:
    return _UnreadableError(Mistake(code, message, _place(event), remedy))


def _syntax_mistake(error: yaml.MarkedYAMLError) -> Mistake:
    text = ", ".join(part for part in (error.context, error.problem) if part)
    mark = error.problem_mark or error.context_mark
    remedy = next(
        (remedy for sign, remedy in _SYNTAX_REMEDIES if sign in text), "check quotes and indentation near here"
    )
    place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
    return Mistake("WR-114", f"not valid YAML: {text}", place, remedy)

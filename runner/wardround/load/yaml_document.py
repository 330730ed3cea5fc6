"""A strictly read YAML file: plain data, the place of everything in it, and the words to complain about a place."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Final, Literal

from pydantic import JsonValue

from wardround.errors import InvalidInputError, Problem
from wardround.load.characters import described, escaped, every_forbidden, without_forbidden
from wardround.load.places import DocumentPath, Place, PlaceIndex, dotted
from wardround.load.yaml_builder import Builder, Mistake

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 10_000_000
_EXCERPT_WIDTH: Final = 100
_MAX_CHARACTER_MISTAKES: Final = 100


@dataclass(frozen=True)
class Document:
    """One YAML file. `file` is its name as people write it; `data` is what JSON could hold."""

    file: str
    text: str
    data: JsonValue
    places: PlaceIndex

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text, as editors count them."""
        return [line.removesuffix("\r") for line in self.text.split("\n")]

    def problem(
        self,
        code: str,
        message: str,
        path: DocumentPath,
        *,
        at: Literal["key", "value"] = "value",
        remedy: str = "",
    ) -> Problem:
        """Describe a mistake at a path; where the path is not in the file, at its nearest ancestor's key."""
        place = self.places.key(path) if at == "key" else self.places.value(path)
        return self.problem_at(code, message, place, path=dotted(path), remedy=remedy)

    def problem_at(self, code: str, message: str, place: Place, *, path: str = "", remedy: str = "") -> Problem:
        """Describe a mistake at a place."""
        return Problem(
            code=code,
            message=message,
            file=self.file,
            line=place.line,
            column=place.column,
            path=path,
            remedy=remedy,
            excerpt=self._excerpt(place),
        )

    def _excerpt(self, place: Place) -> str:
        """Give the line with a caret under the column, both cut to a window around it."""
        if place.line > len(self.lines):
            return ""
        line = self.lines[place.line - 1]
        start = max(0, place.column - 1 - _EXCERPT_WIDTH * 3 // 4) if len(line) > _EXCERPT_WIDTH else 0
        before = escaped(line[start : place.column - 1].replace("\t", " "))
        after = escaped(line[place.column - 1 : start + _EXCERPT_WIDTH].replace("\t", " "))
        if not (before + after).strip():
            return ""
        return f"{before}{after}".rstrip() + "\n" + " " * len(before) + "^"


def read_document(path: Path, *, file: str | None = None) -> Document:
    """Read a YAML file; `file` is the name to use in messages, else the path as given.

    Raises:
        InvalidInputError: it cannot be read, or holds anything that `parse_document` refuses.
    """
    name = file or str(path)
    return parse_document(_read_bytes(path, name), name)


def parse_document(raw: bytes, file: str) -> Document:
    """Read the bytes of a YAML file.

    Raises:
        InvalidInputError: with every mistake of the file, each at its place.
    """
    if len(raw) > MAX_BYTES:
        raise InvalidInputError((_too_large(file),))
    text = _decode(raw, file)
    bad_characters = _character_mistakes(text)
    builder = Builder(without_forbidden(text) if bad_characters else text)
    builder.read()
    document = Document(file=file, text=text, data=builder.data, places=builder.places)
    mistakes = [*bad_characters, *builder.mistakes]
    if mistakes:
        mistakes.sort(key=lambda mistake: mistake.place)
        raise InvalidInputError(
            tuple(document.problem_at(m.code, m.message, m.place, remedy=m.remedy) for m in mistakes)
        )
    return document


def _read_bytes(path: Path, file: str) -> bytes:
    try:
        # Without O_NONBLOCK a named pipe in place of the file would hang the reader for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise InvalidInputError((Problem("WR-110", "not a regular file", file),))
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        problem = Problem("WR-110", message, file, remedy="check the name and the permissions")
        raise InvalidInputError((problem,)) from error


def _too_large(file: str) -> Problem:
    message = f"larger than {MAX_BYTES // 1_000_000} MB"
    return Problem("WR-111", message, file, remedy="this is not a manifest; check the name")


def _decode(raw: bytes, file: str) -> str:
    try:
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        before = raw[raw.rfind(b"\n", 0, error.start) + 1 : error.start].decode("utf-8")
        message = f"not UTF-8: byte 0x{raw[error.start]:02x}"
        problem = Problem("WR-112", message, file, line, len(before) + 1, remedy="save the file as UTF-8")
        raise InvalidInputError((problem,)) from error


def _character_mistakes(text: str) -> list[Mistake]:
    mistakes = []
    for match in islice(every_forbidden(text), _MAX_CHARACTER_MISTAKES):
        offset = match.start()
        place = Place(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))
        message = f"character {described(text[offset])} is not allowed"
        mistakes.append(Mistake("WR-113", message, place, "remove it, or type it again on a plain keyboard"))
    if len(mistakes) == _MAX_CHARACTER_MISTAKES:
        message = f"more than {_MAX_CHARACTER_MISTAKES - 1} such characters; the rest is not listed"
        mistakes[-1] = Mistake("WR-123", message, mistakes[-1].place, "is this a text file at all?")
    return mistakes

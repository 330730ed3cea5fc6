# SPDX-License-Identifier: Apache-2.0
"""What the engine reads of an HL7 v2 message: its header. And what it writes: an acknowledgement."""

from __future__ import annotations

import re
import time
import uuid
from typing import NamedTuple

SUCCESS = frozenset({"AA", "CA"})
FAILURE = frozenset({"AE", "AR", "CE", "CR"})
_SEGMENT_END = re.compile(rb"[\r\n]")
_PRINTABLE = re.compile(r"[\x20-\x7e]*")
_CONTROL_ID_LENGTH = 199
_FIELDS = 12


class MessageError(Exception):
    """The message has no header that can be acknowledged, or is no acknowledgement where one is due."""


class Header(NamedTuple):
    """The header segment: its separators, and its fields by number from MSH-2 on."""

    separator: str
    fields: tuple[str, ...]

    def field(self, number: int) -> str:
        """Return a field as it stands."""
        return self.fields[number - 2] if number - 2 < len(self.fields) else ""

    def components(self, number: int) -> list[str]:
        """Return the components of a field."""
        return self.field(number).split(self.fields[0][0])

    @property
    def application(self) -> str:
        """Who says to have sent it: the first component of MSH-3."""
        return self.components(3)[0]

    @property
    def type(self) -> str:
        """Message code and trigger event, such as ORU^R01."""
        return "^".join(self.components(9)[:2])

    @property
    def control_id(self) -> str:
        """The sender's name for this message."""
        return self.field(10)


class Answer(NamedTuple):
    """An acknowledgement."""

    code: str
    control_id: str


def parse(content: bytes) -> Header:
    """Read the header of a message; the rest is not looked at.

    Raises:
        MessageError: it has none, or one that could not be acknowledged.

    """
    first = _SEGMENT_END.split(content, maxsplit=1)[0].decode("latin-1")
    separator = first[3:4]
    if not first.startswith("MSH") or not separator.isprintable() or separator.isalnum() or separator in {"", " "}:
        raise MessageError("the message does not begin with a header")
    header = Header(separator, tuple(first[4:].split(separator)))
    if len(header.fields[0]) < 2 or len(header.fields) < _FIELDS - 1:  # noqa: PLR2004 - component and repetition separator
        raise MessageError("the header lacks fields")
    identified = (header.application, header.type, header.control_id)
    if not all(_PRINTABLE.fullmatch(text) for text in identified) or len(header.control_id) > _CONTROL_ID_LENGTH:
        raise MessageError("the header holds what no identifier may")
    if not header.control_id or not header.components(9)[0]:
        raise MessageError("the header names no message type or control id")
    return header


def acknowledge(header: Header, code: str, text: str = "") -> bytes:
    """Return the acknowledgement of a message, with sender and receiver exchanged."""
    kind = header.fields[0][0].join(["ACK", *header.components(9)[1:2]])
    sent = (header.field(5), header.field(6), header.field(3), header.field(4), time.strftime("%Y%m%d%H%M%S"))
    fields = ("MSH", header.fields[0], *sent, "", kind, uuid.uuid4().hex[:20], header.field(11), header.field(12))
    answer = ("MSA", code, header.control_id, *([text] if text else []))
    return "".join(header.separator.join(segment) + "\r" for segment in (fields, answer)).encode("latin-1")


def answer_in(content: bytes) -> Answer:
    """Read an acknowledgement.

    Raises:
        MessageError: it is none.

    """
    header = parse(content)
    for segment in _SEGMENT_END.split(content)[1:]:
        name, *fields = segment.decode("latin-1").split(header.separator)
        if name == "MSA" and len(fields) > 1 and fields[0] in SUCCESS | FAILURE:
            return Answer(fields[0], fields[1])
    raise MessageError("the answer acknowledges nothing")

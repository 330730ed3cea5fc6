# SPDX-License-Identifier: Apache-2.0
"""MLLP frames: a start byte, the message, an end byte and a carriage return. Whatever else arrives is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

START, END, RETURN = b"\x0b", b"\x1c", b"\r"
_BETWEEN_FRAMES = b"\r\n"
_NEVER_INSIDE = (b"\x00", START)


class FramingError(Exception):
    """The bytes are no sequence of frames; nothing that follows on this connection can be trusted."""


def frame(content: bytes) -> bytes:
    """Return a message in its frame."""
    return START + content + END + RETURN


class Frames:
    """Takes the bytes of one connection as they come and gives the messages in them."""

    def __init__(self, limit: int) -> None:
        """Take the most bytes that a message may have."""
        self._limit = limit
        self._buffer = bytearray()
        self._searched = 0
        self.is_open = False
        """Whether a frame has begun that has not ended."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take further bytes and give each message that they complete.

        Raises:
            FramingError: after the messages before the offending byte; the connection has to be closed.

        """
        self._buffer += data
        while self._has_frame():
            end = self._buffer.find(END, self._searched)
            self._inspect(len(self._buffer) if end < 0 else end)
            if end < 0 or end + 1 == len(self._buffer):
                return
            if self._buffer[end + 1 : end + 2] != RETURN:
                raise FramingError("an end byte is not followed by a carriage return")
            content = bytes(self._buffer[:end])
            del self._buffer[: end + 2]
            self._searched, self.is_open = 0, False
            yield content

    def _has_frame(self) -> bool:
        """Take the start byte of the next frame; say whether a frame is open."""
        if not self.is_open:
            del self._buffer[: len(self._buffer) - len(self._buffer.lstrip(_BETWEEN_FRAMES))]
            first = bytes(self._buffer[:1])
            if first not in {b"", START}:
                raise FramingError("there are bytes outside of a frame")
            self.is_open = first == START
            del self._buffer[:1]
        return self.is_open

    def _inspect(self, until: int) -> None:
        """Look at what was not looked at before."""
        if until > self._limit:
            raise FramingError(f"a message is longer than {self._limit} bytes")
        if any(self._buffer.find(byte, self._searched, until) >= 0 for byte in _NEVER_INSIDE):
            raise FramingError("a message holds a zero byte or a second start byte")
        self._searched = until

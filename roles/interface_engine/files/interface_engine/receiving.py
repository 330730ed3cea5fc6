# SPDX-License-Identifier: Apache-2.0
"""Listeners: a message is acknowledged when the disk has it, refused when nobody declared it, and else not answered."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from .framing import Frames, FramingError, frame
from .message import Header, MessageError, acknowledge, parse
from .store import Store, StoreError

if TYPE_CHECKING:
    from .keeper import Keeper
    from .settings import Receiver, Settings

_LOG = logging.getLogger("receiving")
_IDLE_SECONDS = 86400
_FAREWELL_SECONDS = 5
_READ_BYTES = 65536


class Listener:
    """One declared receiver."""

    def __init__(self, declared: Receiver, settings: Settings, keeper: Keeper) -> None:
        """Take what is declared, and who keeps messages."""
        self._declared, self._settings, self._keeper = declared, settings, keeper
        self._connections = 0

    async def start(self) -> asyncio.Server:
        """Listen."""
        return await asyncio.start_server(self._meet, "127.0.0.1", self._declared.port)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk with one peer until either has enough."""
        peer = "{}:{}".format(*writer.get_extra_info("peername")[:2])
        self._connections += 1
        try:
            if self._connections > self._declared.max_connections:
                raise ConnectionRefusedError("there are as many connections as declared")
            await self._converse(reader, writer)
        except (FramingError, MessageError, StoreError, TimeoutError, OSError) as error:
            _LOG.warning("%s: connection from %s is closed: %s", self._declared.name, peer, str(error) or "time is up")
        finally:
            self._connections -= 1
            writer.close()
            # What the peer does not read in time it does not get.
            with contextlib.suppress(TimeoutError, OSError):
                async with asyncio.timeout(_FAREWELL_SECONDS):
                    await writer.wait_closed()
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer message after message."""
        frames, settings = Frames(self._settings.max_message_bytes), self._settings
        deadline, loop = 0.0, asyncio.get_running_loop()
        while True:
            async with asyncio.timeout_at(deadline if frames.is_open else loop.time() + _IDLE_SECONDS):
                data = await reader.read(_READ_BYTES)
            if not data:
                if frames.is_open:
                    raise FramingError("it ended within a message")
                return
            # A frame counts from its first byte, so that nobody holds a connection by sending slowly.
            if not frames.is_open:
                deadline = loop.time() + settings.frame_seconds
            for content in frames.feed(data):
                deadline = loop.time() + settings.frame_seconds
                writer.write(frame(await self._answer(content)))
                async with asyncio.timeout(settings.answer_seconds):
                    await writer.drain()

    async def _answer(self, content: bytes) -> bytes:
        """Keep a message and return its acknowledgement.

        Raises:
            StoreError: it is not kept; without an answer, its sender keeps it and tries again.

        """
        header, name = parse(content), self._declared.name
        said = (name, header.type, header.control_id, header.application)
        destinations = self._settings.destinations_of(name, header.application, header.type)
        if destinations is None:
            _LOG.warning("%s: %s %s from %s is refused: no route is declared", *said)
            return acknowledge(header, "AR", "No interface is declared for this application and message type")
        if await self._keeper.ask(lambda store: _accept(store, name, header, content, destinations)):
            _LOG.info("%s: %s %s from %s is kept for %s", *said, ", ".join(destinations) or "nobody")
            self._keeper.wake(destinations)
        else:
            _LOG.info("%s: %s %s from %s came again and was kept before", *said)
        return acknowledge(header, "AA")


def _accept(store: Store, name: str, header: Header, content: bytes, destinations: list[str]) -> bool:
    return store.accept(name, header, content, destinations)

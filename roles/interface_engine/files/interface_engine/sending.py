# SPDX-License-Identifier: Apache-2.0
"""Destinations: one message at a time, in order, again and again until it is answered."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from typing import TYPE_CHECKING

from .framing import Frames, FramingError, frame
from .message import SUCCESS, Answer, MessageError, answer_in
from .store import Delivery, StoreError

if TYPE_CHECKING:
    from .keeper import Keeper
    from .settings import Destination, Settings

_LOG = logging.getLogger("sending")
_READ_BYTES = 65536
_LOOK_SECONDS = 5
_FIRST_RETRY_SECONDS = 0.5
_ANSWER_BYTES = 65536


class Courier:
    """Delivers to one declared destination."""

    def __init__(self, declared: Destination, settings: Settings, keeper: Keeper) -> None:
        """Take what is declared, and who keeps messages."""
        self._declared, self._settings, self._keeper = declared, settings, keeper
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def run(self) -> None:
        """Deliver until cancelled. A message that cannot be delivered keeps those behind it waiting."""
        name, pause = self._declared.name, _FIRST_RETRY_SECONDS
        while True:
            try:
                delivery = await self._keeper.ask(lambda store: store.next(name))
                if delivery is None:
                    await self._keeper.wait(name, _LOOK_SECONDS)
                    continue
                await self._deliver(delivery)
                pause = _FIRST_RETRY_SECONDS
            except (FramingError, MessageError, StoreError, TimeoutError, OSError, sqlite3.Error) as error:
                _LOG.warning("%s: trying again in %s s: %s", name, pause, str(error) or "no answer in time")
                self._hang_up()
                await asyncio.sleep(pause)
                pause = min(2 * pause, self._settings.longest_retry_seconds)

    async def _deliver(self, delivery: Delivery) -> None:
        """Bring one message and record the answer."""
        async with asyncio.timeout(self._settings.answer_seconds):
            answer = await self._exchange(delivery)
        state = "delivered" if answer.code in SUCCESS else "refused"
        await self._keeper.ask(lambda store: store.settle(delivery.id, state, answer.code))
        said = (self._declared.name, delivery.type, delivery.control_id, answer.code)
        if state == "refused":
            _LOG.error("%s: %s %s was answered with %s and waits in the error queue", *said)
        else:
            _LOG.info("%s: %s %s was answered with %s", *said)

    async def _exchange(self, delivery: Delivery) -> Answer:
        """Send a message and return its acknowledgement."""
        if self._connection is None:
            self._connection = await asyncio.open_connection("127.0.0.1", self._declared.port)
        reader, writer = self._connection
        writer.write(frame(delivery.content))
        await writer.drain()
        frames = Frames(_ANSWER_BYTES)
        while data := await reader.read(_READ_BYTES):
            for content in frames.feed(data):
                answer = answer_in(content)
                if answer.control_id != delivery.control_id:
                    raise MessageError("the answer is for another message")
                return answer
        raise ConnectionResetError("the peer closed the connection without an answer")

    def _hang_up(self) -> None:
        """Forget the connection: an answer that comes late must not be taken for the next one's."""
        if self._connection:
            self._connection[1].transport.abort()
        self._connection = None

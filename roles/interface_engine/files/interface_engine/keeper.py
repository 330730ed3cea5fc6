# SPDX-License-Identifier: Apache-2.0
"""The store in a thread of its own, for a disk may be slow and connections must not wait for each other's."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from .store import Store

T = TypeVar("T")


class Keeper:
    """Runs what is asked of the store one after the other, and wakes those who wait for messages."""

    def __init__(self, store: Store) -> None:
        """Take the store."""
        self._store = store
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._waiting: dict[str, asyncio.Event] = {}

    async def ask(self, question: Callable[[Store], T]) -> T:
        """Return what the store answers."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, question, self._store)

    def wake(self, destinations: list[str]) -> None:
        """Say that there are messages for destinations."""
        for name in destinations:
            self._event(name).set()

    async def wait(self, destination: str, seconds: float) -> None:
        """Wait until there are messages for a destination, but not for ever: others may have queued them."""
        event = self._event(destination)
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return
        event.clear()

    def close(self) -> None:
        """Finish what was asked, then close the store."""
        self._thread.shutdown(wait=True)
        self._store.close()

    def _event(self, destination: str) -> asyncio.Event:
        return self._waiting.setdefault(destination, asyncio.Event())

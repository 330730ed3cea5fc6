# SPDX-License-Identifier: Apache-2.0
"""The running engine: its listeners, its couriers, its alerts, and its word to systemd."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .keeper import Keeper
from .receiving import Listener
from .sending import Courier
from .store import Store, StoreError

if TYPE_CHECKING:
    from .settings import Settings

_LOG = logging.getLogger("engine")
_ALERT = 60
_ALIVE_SECONDS = 10
_ALERT_SECONDS = 60
_PRUNE_SECONDS = 3600
_PRIORITIES = {logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, _ALERT: 1}


class Journal(logging.Formatter):
    """One line a record, with the priority in the way that systemd reads."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        text = super().format(record).replace("\n", " | ")
        return f"<{_PRIORITIES.get(record.levelno, 5)}>{text}"


def log_to_journal() -> None:
    """Have everything that is logged go to standard error, where systemd reads it."""
    handler = logging.StreamHandler()
    handler.setFormatter(Journal())
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def notify(state: str) -> None:
    """Tell systemd how the engine is."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            connection.connect("\0" + address[1:] if address.startswith("@") else address)
            connection.sendall(state.encode())


async def run(settings: Settings) -> None:
    """Work until asked to stop. Stopping, or being killed, costs no message that was acknowledged."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    keeper = Keeper(Store(Path(settings.store), settings.minimum_free_bytes))
    couriers = [Courier(each, settings, keeper).run() for each in settings.destinations]
    tasks = [asyncio.create_task(work) for work in (*couriers, _alert(settings, keeper), _prune(settings, keeper))]
    servers = [await Listener(each, settings, keeper).start() for each in settings.receivers]
    notify("READY=1")
    _LOG.info("listening for %s", ", ".join(each.name for each in settings.receivers) or "nobody")
    stopped = asyncio.create_task(stop.wait())
    tasks.append(asyncio.create_task(_stay_alive()))
    done, _ = await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
    notify("STOPPING=1")
    for server in servers:
        server.close()
    for task in (stopped, *tasks):
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    keeper.close()
    failed = [each for each in outcomes if isinstance(each, Exception)]
    if stopped not in done and failed:
        raise failed[0]


async def _stay_alive() -> None:
    """Tell systemd that the loop turns; it restarts an engine that hangs."""
    while True:
        notify("WATCHDOG=1")
        await asyncio.sleep(_ALIVE_SECONDS)


async def _alert(settings: Settings, keeper: Keeper) -> None:
    """Log an alert, every minute, while a queue is older than it may become."""
    limit, days = settings.queue_age_seconds, settings.archive_days
    while True:
        try:
            status: dict[str, Any] = await keeper.ask(lambda store: store.status(limit, days))
        except sqlite3.Error as error:
            _LOG.log(_ALERT, "queues cannot be read: %s", error)
            status = {"overdue": []}
        for name in status["overdue"]:
            queue = status["queues"][name]
            said = (name, queue["queued"], queue["oldest_seconds"])
            _LOG.log(_ALERT, "queue %s: %s messages wait, the oldest for %s s", *said)
        await asyncio.sleep(min(_ALERT_SECONDS, limit))


async def _prune(settings: Settings, keeper: Keeper) -> None:
    """Remove what is past the archive's time, a little at a time so that nobody waits."""
    while True:
        removed = 0
        try:
            removed = await keeper.ask(lambda store: store.prune(settings.archive_days))
        except (sqlite3.Error, StoreError) as error:
            _LOG.error("the archive was not cleaned: %s", error)
        await asyncio.sleep(1 if removed else _PRUNE_SECONDS)

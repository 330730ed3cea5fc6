# SPDX-License-Identifier: Apache-2.0
"""The queue on disk. What it has accepted survives a loss of power: each change is synchronised before it returns."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .message import Header

_SCHEMA = """
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, received REAL NOT NULL, receiver TEXT NOT NULL, application TEXT NOT NULL,
    type TEXT NOT NULL, control_id TEXT NOT NULL, digest BLOB NOT NULL, content BLOB NOT NULL,
    UNIQUE (receiver, application, control_id, digest));
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, message INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    destination TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('queued', 'delivered', 'refused', 'handled')),
    queued REAL NOT NULL, answer TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS queue ON deliveries (destination, state, id);
CREATE INDEX IF NOT EXISTS of_message ON deliveries (message);
"""
_DAY = 86400
_BATCH = 500


class StoreError(Exception):
    """Nothing could be kept, so nothing may be acknowledged."""


class Delivery(NamedTuple):
    """A message on its way to one destination."""

    id: int
    type: str
    control_id: str
    content: bytes


class Store:
    """Messages and their deliveries. Used by one thread at a time."""

    def __init__(self, path: Path, minimum_free_bytes: int = 0) -> None:
        """Open the database, making it where there is none."""
        self._folder, self._minimum_free_bytes = path.parent, minimum_free_bytes
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        self._database.executescript(_SCHEMA)
        # FULL: a commit returns when the disk has it. Deleted messages are overwritten.
        for pragma in ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
            self._database.execute(f"PRAGMA {pragma}")

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def accept(self, receiver: str, header: Header, content: bytes, destinations: list[str]) -> bool:
        """Keep a message and queue it; return False when the same message was kept before.

        Raises:
            StoreError: it is not kept.

        """
        now, room = time.time(), os.statvfs(self._folder)
        if room.f_bavail * room.f_frsize < self._minimum_free_bytes:
            raise StoreError("the disk has too little room")
        identity = (receiver, header.application, header.type, header.control_id)
        with self._transaction():
            added = self._database.execute(
                "INSERT INTO messages (received, receiver, application, type, control_id, digest, content)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (now, *identity, hashlib.sha256(content).digest(), content),
            )
            if added.rowcount:
                self._database.executemany(
                    "INSERT INTO deliveries (message, destination, state, queued) VALUES (?, ?, 'queued', ?)",
                    [(added.lastrowid, name, now) for name in destinations],
                )
        return bool(added.rowcount)

    def next(self, destination: str) -> Delivery | None:
        """Return what is due to a destination: the oldest of its queue."""
        row = self._database.execute(
            "SELECT deliveries.id, type, control_id, content FROM deliveries JOIN messages ON messages.id = message"
            " WHERE destination = ? AND state = 'queued' ORDER BY deliveries.id LIMIT 1",
            (destination,),
        ).fetchone()
        return Delivery(*row) if row else None

    def settle(self, delivery: int, state: str, answer: str) -> None:
        """Record how a destination answered."""
        with self._transaction():
            self._database.execute(
                "UPDATE deliveries SET state = ?, answer = ? WHERE id = ?", (state, answer, delivery)
            )

    def refused(self) -> list[dict[str, object]]:
        """Return what destinations refused and nobody has handled, without content."""
        columns = ("id", "destination", "answer", "application", "type", "control_id", "received")
        rows = self._database.execute(
            "SELECT deliveries.id, destination, answer, application, type, control_id, received"
            " FROM deliveries JOIN messages ON messages.id = message WHERE state = 'refused' ORDER BY deliveries.id"
        )
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def handle(self, delivery: int, *, again: bool) -> bool:
        """Take a refused delivery out of the error queue, and to the end of its queue where it is to be tried again."""
        with self._transaction():
            taken = self._database.execute(
                "UPDATE deliveries SET state = 'handled' WHERE id = ? AND state = 'refused'", (delivery,)
            ).rowcount
            if taken and again:
                self._database.execute(
                    "INSERT INTO deliveries (message, destination, state, queued)"
                    " SELECT message, destination, 'queued', ? FROM deliveries WHERE id = ?",
                    (time.time(), delivery),
                )
        return bool(taken)

    def status(self, limit: float, archive_days: int) -> dict[str, object]:
        """Say how the queues stand, those of destinations that are no longer declared included."""
        rows = self._database.execute(
            "SELECT destination, sum(state = 'queued'), min(CASE state WHEN 'queued' THEN queued END),"
            " sum(state = 'refused') FROM deliveries GROUP BY destination ORDER BY destination"
        )
        now = time.time()
        queues = {
            name: {"queued": queued, "oldest_seconds": round(now - oldest, 1) if oldest else 0, "refused": refused}
            for name, queued, oldest, refused in rows
        }
        # A day more: they are removed every hour.
        stale = self._database.execute(f"SELECT count(*) {_REMOVABLE}", (now - (archive_days + 1) * _DAY,)).fetchone()
        return {
            "queues": queues,
            "overdue": sorted(name for name, queue in queues.items() if queue["oldest_seconds"] > limit),
            "refused": sum(queue["refused"] for queue in queues.values()),
            "past_archive": stale[0],
        }

    def prune(self, archive_days: int) -> int:
        """Remove messages past the archive's time that wait for nothing, some at a time; return how many."""
        with self._transaction():
            removed = self._database.execute(
                f"DELETE FROM messages WHERE id IN (SELECT id {_REMOVABLE} LIMIT {_BATCH})",  # noqa: S608 - constants
                (time.time() - archive_days * _DAY,),
            ).rowcount
        self._database.execute("PRAGMA incremental_vacuum").fetchall()
        return removed

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """Keep all of what follows, or nothing."""
        try:
            self._database.execute("BEGIN IMMEDIATE")
            yield
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise StoreError(f"the database failed: {error}") from error


_REMOVABLE = (
    "FROM messages WHERE received < ? AND NOT EXISTS (SELECT 1 FROM deliveries"
    " WHERE message = messages.id AND state IN ('queued', 'refused'))"
)

"""The chain of hashes that makes a changed record show: how a link is hashed, added and checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from wardround.errors import LedgerTamperedError
from wardround.ledger.records import Event, Head
from wardround.ledger.tables import events, heads, moment_text, storable
from wardround.model.base import JsonValue

_PAGE = 1000
_REMEDY = (
    "keep this ledger as evidence, find out who could write to it, and go on with a backup whose head"
    " is one that was printed and kept elsewhere"
)


class _Link(NamedTuple):
    """An event as it is stored: exactly the texts that its hash covers, in this order, and the hash."""

    sequence: int
    moment: str
    hospital: str | None
    run: str | None
    kind: str
    payload: str
    previous: str
    hash: str


class Note(NamedTuple):
    """What an event says, before the chain gives it its place."""

    moment: datetime
    hospital: str | None
    run: str | None
    kind: str
    payload: Mapping[str, JsonValue]


_COLUMNS = tuple(events.c[name] for name in _Link._fields)


def genesis(ledger: str) -> str:
    """Give the hash that stands before a ledger's first event."""
    return hashlib.sha256(f"wardround ledger {ledger}".encode()).hexdigest()


def canonical(payload: Mapping[str, JsonValue]) -> str:
    """Write a payload as the one text that its hash covers: sorted keys, no spaces, UTF-8; no NaN, which JSON lacks."""
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return storable(text)


def link_hash(fields: Iterable[object]) -> str:
    """Hash a link: SHA-256 of the JSON array of its fields from `sequence` to `previous`, without spaces, in ASCII."""
    text = json.dumps(list(fields), separators=(",", ":"), default=_foreign)
    return hashlib.sha256(text.encode()).hexdigest()


def _foreign(field: object) -> dict[str, str]:
    # SQLite lets a forger store bytes for text; no honest field is an object.
    return {type(field).__name__: repr(field)}


def read_head(connection: Connection, *, for_update: bool = False) -> Head:
    """Read the last link; `for_update` keeps every other writer waiting until the transaction ends."""
    query = select(heads.c.ledger, heads.c.sequence, heads.c.hash)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    if row is None:
        raise LedgerTamperedError("the ledger has lost the head of its event chain", remedy=_REMEDY)
    return Head(ledger=row.ledger, sequence=row.sequence, hash=row.hash)


def append(connection: Connection, note: Note) -> Event:
    """Add a link within the caller's transaction, so that a record and its event are both kept or both undone."""
    head = read_head(connection, for_update=True)
    link = _Link(
        sequence=head.sequence + 1,
        moment=moment_text(note.moment),
        hospital=note.hospital,
        run=None if note.run is None else storable(note.run),
        kind=note.kind,
        payload=canonical(note.payload),
        previous=head.hash,
        hash="",
    )
    link = link._replace(hash=link_hash(link[:-1]))
    # Validated before it is written: an event that cannot be read back could never be taken out again.
    event = _event(link)
    connection.execute(insert(events), link._asdict())
    connection.execute(update(heads).values(sequence=link.sequence, hash=link.hash))
    return event


def read_events(connection: Connection, *, after: int, limit: int, only: Mapping[str, str]) -> tuple[Event, ...]:
    """Read links in order, from the one behind `after`; `only` holds the columns' wanted values."""
    query = select(*_COLUMNS).where(events.c.sequence > after).order_by(events.c.sequence).limit(limit)
    for column, wanted in only.items():
        query = query.where(events.c[column] == wanted)
    return tuple(_event(_Link._make(row)) for row in connection.execute(query))


def walk(connection: Connection, known: Head | None) -> Head:
    """Check every link of the ledger, and that `known`, a head kept elsewhere, is one of them.

    Raises:
        LedgerTamperedError: naming the first event that is not what was recorded.
    """
    head = read_head(connection)
    if known is not None and known.ledger != head.ledger:
        raise LedgerTamperedError(f"this is ledger {head.ledger}, not {known.ledger}", remedy=_REMEDY)
    sequence, running = 0, genesis(head.ledger)
    _compare(known, sequence, running)
    ordered = select(*_COLUMNS).order_by(events.c.sequence)
    with connection.execution_options(yield_per=_PAGE).execute(ordered) as rows:
        for row in rows:
            link = _Link._make(row)
            _check(link, sequence + 1, running)
            sequence, running = link.sequence, link.hash
            _compare(known, sequence, running)
    if head.sequence > sequence:
        raise _tampered(sequence + 1, f"is missing; the ledger once reached event {head.sequence}")
    if head.sequence < sequence:
        raise _tampered(head.sequence + 1, f"was added without the ledger, which ends at event {head.sequence}")
    if head.hash != running:
        raise _tampered(sequence, "is not the one that the ledger's head names")
    if known is not None and known.sequence > sequence:
        raise _tampered(sequence + 1, f"is missing; the head that was kept elsewhere is event {known.sequence}")
    return head


def _check(link: _Link, expected: int, previous: str) -> None:
    if link.sequence != expected:
        raise _tampered(expected, f"is missing; event {link.sequence} follows event {expected - 1}")
    if link.previous != previous:
        raise _tampered(expected, "does not continue the event before it: one of the two was edited or moved")
    if link.hash != link_hash(link[:-1]):
        raise _tampered(expected, "was edited: it does not have the hash that was recorded")


def _compare(known: Head | None, sequence: int, running: str) -> None:
    if known is not None and known.sequence == sequence and known.hash != running:
        raise _tampered(
            max(sequence, 1), "or one before it was rewritten: the head that was kept elsewhere has another hash"
        )


def _tampered(sequence: int, what: str) -> LedgerTamperedError:
    return LedgerTamperedError(f"event {sequence} {what}", remedy=_REMEDY)


def _event(link: _Link) -> Event:
    fields = link._asdict() | {"moment": datetime.fromisoformat(link.moment), "payload": json.loads(link.payload)}
    return Event.model_validate(fields, strict=False)

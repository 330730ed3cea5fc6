"""Nobody changes what was recorded without being seen, on both databases."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, create_engine, delete, text, update
from sqlalchemy.exc import DBAPIError

from tests.integration.ledger_samples import COVERAGE, StepClock, observation, run_record
from wardround.errors import LedgerError, LedgerTamperedError, UsageError
from wardround.ledger import Head, Ledger
from wardround.ledger.address import parse_address
from wardround.ledger.tables import events
from wardround.model.run import RunState

pytestmark = pytest.mark.integration

LENGTH = 6


@contextmanager
def forger(url: str, *, guards: bool = False) -> Iterator[Connection]:
    """Open the database as somebody who may do everything to it; without guards, the triggers are gone."""
    engine = create_engine(parse_address(url).url)
    try:
        with engine.begin() as connection:
            if not guards and engine.dialect.name == "sqlite":
                names = connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all()
                for name in names:
                    connection.execute(text(f"DROP TRIGGER {name}"))
            elif not guards:
                connection.execute(text("ALTER TABLE events DISABLE TRIGGER ALL"))
            yield connection
    finally:
        engine.dispose()


@pytest.fixture
def written(ledger: Ledger) -> Ledger:
    for number in range(1, LENGTH + 1):
        ledger.append_event("noted", {"number": number}, hospital="st-elsewhere", run=f"run-{number}")
    return ledger


def test_an_untouched_chain_is_whole(written: Ledger) -> None:
    assert written.verify().sequence == LENGTH
    assert written.verify() == written.head()


def test_an_empty_chain_is_whole(ledger: Ledger) -> None:
    assert ledger.verify().sequence == 0


def test_each_record_is_an_event_of_the_chain(ledger: Ledger) -> None:
    ledger.start_run(run_record("run-1"))
    ledger.record_observations("run-1", [observation("f1")], {"pacs01"}, set())
    ledger.finish_run("run-1", RunState.FINISHED, COVERAGE)
    kinds = [(event.sequence, event.kind, event.run, event.hospital) for event in ledger.events()]
    assert kinds == [
        (1, "run_started", "run-1", "st-elsewhere"),
        (2, "findings_moved", "run-1", "st-elsewhere"),
        (3, "run_ended", "run-1", "st-elsewhere"),
    ]
    assert ledger.verify().sequence == 3


def test_the_hash_can_be_computed_by_anyone(written: Ledger, ledger_url: str) -> None:
    """An auditor needs no wardround: the rule is one line."""
    with forger(ledger_url, guards=True) as connection:
        rows = connection.execute(
            text("SELECT sequence, moment, hospital, run, kind, payload, previous, hash FROM events ORDER BY sequence")
        ).all()
    running = hashlib.sha256(f"wardround ledger {written.head().ledger}".encode()).hexdigest()
    for row in rows:
        assert row.previous == running
        running = hashlib.sha256(json.dumps(list(row)[:-1], separators=(",", ":")).encode()).hexdigest()
        assert row.hash == running
    assert written.head().hash == running


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET payload = '{}' WHERE sequence = 2",
        "UPDATE events SET sequence = 99 WHERE sequence = 2",
        "DELETE FROM events WHERE sequence = 2",
        "DELETE FROM events",
        "INSERT INTO events SELECT * FROM events WHERE sequence = 2",
    ],
)
def test_the_database_itself_refuses_changes(written: Ledger, ledger_url: str, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"append-only|duplicate key"), forger(ledger_url, guards=True) as connection:
        connection.execute(text(statement))
    assert written.verify().sequence == LENGTH


def test_sqlite_refuses_to_replace(sqlite_url: str) -> None:
    with Ledger.open(sqlite_url) as ledger:
        ledger.append_event("noted", {})
        statement = "INSERT OR REPLACE INTO events SELECT sequence, '', '', '', '', '{}', '', '' FROM events"
        with pytest.raises(DBAPIError, match="append-only"), forger(sqlite_url, guards=True) as connection:
            connection.execute(text(statement))
        assert ledger.verify().sequence == 1


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_postgresql_refuses_to_truncate(written: Ledger, ledger_url: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"), forger(ledger_url, guards=True) as connection:
        connection.execute(text("TRUNCATE events"))
    assert written.verify().sequence == LENGTH


@pytest.mark.parametrize("column", ["moment", "hospital", "run", "kind", "payload"])
def test_an_edited_event_is_named(written: Ledger, ledger_url: str, column: str) -> None:
    with forger(ledger_url) as connection:
        connection.execute(update(events).where(events.c.sequence == 3).values({column: "forged"}))
    with pytest.raises(LedgerTamperedError, match="event 3 was edited") as caught:
        written.verify()
    assert caught.value.path == written.name
    assert caught.value.remedy


def test_an_event_edited_to_nothing_is_named(written: Ledger, ledger_url: str) -> None:
    with forger(ledger_url) as connection:
        connection.execute(text("UPDATE events SET hospital = NULL WHERE sequence = 1"))
    with pytest.raises(LedgerTamperedError, match="event 1 was edited"):
        written.verify()


def test_an_event_edited_with_its_hash_is_named_by_the_next(written: Ledger, ledger_url: str) -> None:
    with forger(ledger_url) as connection:
        row = connection.execute(text("SELECT * FROM events WHERE sequence = 3")).one()
        fields = [row.sequence, row.moment, row.hospital, row.run, row.kind, '{"number":33}', row.previous]
        forged = hashlib.sha256(json.dumps(fields, separators=(",", ":")).encode()).hexdigest()
        statement = text("UPDATE events SET payload = :payload, hash = :hash WHERE sequence = 3")
        connection.execute(statement, {"payload": fields[5], "hash": forged})
    with pytest.raises(LedgerTamperedError, match="event 4 does not continue the event before it"):
        written.verify()


@pytest.mark.parametrize("sequence", [1, 3])
def test_a_removed_event_is_named(written: Ledger, ledger_url: str, sequence: int) -> None:
    with forger(ledger_url) as connection:
        connection.execute(delete(events).where(events.c.sequence == sequence))
    with pytest.raises(LedgerTamperedError, match=f"event {sequence} is missing"):
        written.verify()


def test_events_that_changed_places_are_named(written: Ledger, ledger_url: str) -> None:
    with forger(ledger_url) as connection:
        for old, new in ((3, 99), (4, 3), (99, 4)):
            connection.execute(update(events).where(events.c.sequence == old).values(sequence=new))
    with pytest.raises(LedgerTamperedError, match="event 3 does not continue"):
        written.verify()


def test_a_cut_end_is_named(written: Ledger, ledger_url: str) -> None:
    with forger(ledger_url) as connection:
        connection.execute(text("DELETE FROM events WHERE sequence > 4"))
    with pytest.raises(LedgerTamperedError, match="event 5 is missing; the ledger once reached event 6"):
        written.verify()


def test_a_cut_end_with_a_forged_head_is_named_by_a_head_kept_elsewhere(written: Ledger, ledger_url: str) -> None:
    kept = Head.parse(str(written.head()))
    with forger(ledger_url) as connection:
        connection.execute(text("DELETE FROM events WHERE sequence > 4"))
        connection.execute(text("UPDATE heads SET sequence = 4, hash = (SELECT hash FROM events WHERE sequence = 4)"))
    assert written.verify().sequence == 4
    with pytest.raises(LedgerTamperedError, match="event 5 is missing; the head that was kept elsewhere is event 6"):
        written.verify(kept)


def test_a_chain_rewritten_throughout_is_named_by_a_head_kept_elsewhere(written: Ledger, ledger_url: str) -> None:
    kept = written.head()
    with forger(ledger_url) as connection:
        genesis = hashlib.sha256(f"wardround ledger {kept.ledger}".encode()).hexdigest()
        connection.execute(text("DELETE FROM events"))
        connection.execute(text("UPDATE heads SET sequence = 0, hash = :hash"), {"hash": genesis})
    for number in range(LENGTH + 2):
        written.append_event("noted", {"number": -number})
    assert written.verify().sequence == LENGTH + 2
    with pytest.raises(LedgerTamperedError, match="event 6 or one before it was rewritten"):
        written.verify(kept)


def test_an_event_added_behind_the_ledgers_back_is_named(written: Ledger, ledger_url: str) -> None:
    with forger(ledger_url) as connection:
        head = written.head()
        fields = [7, "2026-03-01T00:00:00.000000Z", None, None, "noted", "{}", head.hash]
        forged = hashlib.sha256(json.dumps(fields, separators=(",", ":")).encode()).hexdigest()
        statement = text("INSERT INTO events VALUES (7, :moment, NULL, NULL, 'noted', '{}', :previous, :hash)")
        connection.execute(statement, {"moment": fields[1], "previous": head.hash, "hash": forged})
    with pytest.raises(LedgerTamperedError, match="event 7 was added without the ledger, which ends at event 6"):
        written.verify()


def test_a_forged_head_is_named(written: Ledger, ledger_url: str) -> None:
    with forger(ledger_url) as connection:
        connection.execute(text("UPDATE heads SET hash = 'forged'"))
    with pytest.raises(LedgerTamperedError, match="event 6 is not the one that the ledger's head names"):
        written.verify()


def test_a_lost_head_stops_every_writer(written: Ledger, ledger_url: str) -> None:
    with forger(ledger_url) as connection:
        connection.execute(text("DELETE FROM heads"))
    with pytest.raises(LedgerTamperedError, match="lost the head"):
        written.append_event("noted", {})


def test_another_ledger_in_its_place_is_named(written: Ledger, sqlite_url: str) -> None:
    with Ledger.open(f"{sqlite_url}.other", StepClock()) as other:
        kept = other.head()
    with pytest.raises(LedgerTamperedError, match=f"not {kept.ledger}"):
        written.verify(kept)


def test_every_earlier_head_is_part_of_the_chain(written: Ledger) -> None:
    heads = [written.head()]
    for number in range(3):
        written.append_event("noted", {"number": number})
        heads.append(written.head())
    for head in heads:
        assert written.verify(head) == heads[-1]


def test_what_is_no_head_is_refused() -> None:
    with pytest.raises(UsageError, match="no head of a ledger"):
        Head.parse("deadbeef")


def test_an_unreadable_record_is_an_error_of_the_ledger(written: Ledger, ledger_url: str) -> None:
    with forger(ledger_url) as connection:
        connection.execute(text("UPDATE events SET payload = 'no JSON' WHERE sequence = 2"))
    with pytest.raises(LedgerError, match="a record cannot be understood"):
        written.events()
    with pytest.raises(LedgerTamperedError, match="event 2 was edited"):
        written.verify()


def test_a_record_without_its_event_does_not_exist(written: Ledger, ledger_url: str) -> None:
    """Whatever fails, the record and its event are undone together."""
    with forger(ledger_url) as connection:
        connection.execute(text("ALTER TABLE heads RENAME TO hidden"))
    with pytest.raises(LedgerError):
        written.start_run(run_record("run-1"))
    with forger(ledger_url) as connection:
        connection.execute(text("ALTER TABLE hidden RENAME TO heads"))
    assert written.runs() == ()
    assert written.verify().sequence == LENGTH

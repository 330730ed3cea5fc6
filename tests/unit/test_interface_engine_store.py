"""The queue on disk: order, duplicates, error queue, archive, and what a closed store still knows."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from roles.interface_engine.files.interface_engine.message import Header, parse
from roles.interface_engine.files.interface_engine.store import Store, StoreError

pytestmark = pytest.mark.unit

DAY = 86400


def header(identifier: str) -> Header:
    return parse(f"MSH|^~\\&|LAB|LIS|E|H|2026||ORU^R01|{identifier}|P|2.5.1".encode())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store(path)
    yield store
    store.close()


def accept(store: Store, identifier: str, *destinations: str, content: bytes = b"content") -> bool:
    return store.accept("results", header(identifier), content, list(destinations))


def due(store: Store, destination: str) -> list[str]:
    """Deliver everything and return it."""
    found = []
    while delivery := store.next(destination):
        found.append(delivery.control_id)
        store.settle(delivery.id, "delivered", "AA")
    return found


def made_older(path: Path, seconds: float) -> None:
    with sqlite3.connect(path) as database:
        database.execute("UPDATE messages SET received = received - ?", (seconds,))
        database.execute("UPDATE deliveries SET queued = queued - ?", (seconds,))
    database.close()


def test_each_destination_gets_its_own_in_order(store: Store) -> None:
    for number in range(5):
        accept(store, str(number), "his", *(["archive"] if number % 2 else []))
    assert due(store, "his") == ["0", "1", "2", "3", "4"]
    assert due(store, "archive") == ["1", "3"]
    assert due(store, "nobody") == []


def test_what_was_accepted_is_there_after_closing(store: Store, path: Path) -> None:
    accept(store, "1", "his")
    store.close()
    again = Store(path)
    assert due(again, "his") == ["1"]
    again.close()


def test_a_commit_waits_for_the_disk(store: Store) -> None:
    assert store._database.execute("PRAGMA synchronous").fetchone() == (2,)
    assert store._database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_same_message_again_is_kept_once(store: Store) -> None:
    assert accept(store, "1", "his")
    assert not accept(store, "1", "his")
    assert due(store, "his") == ["1"]
    assert not accept(store, "1", "his")
    assert due(store, "his") == []


def test_another_message_under_a_used_name_is_not_lost(store: Store) -> None:
    assert accept(store, "1", "his")
    assert accept(store, "1", "his", content=b"other")
    assert due(store, "his") == ["1", "1"]


def test_a_full_disk_keeps_nothing(path: Path) -> None:
    store = Store(path, minimum_free_bytes=1 << 62)
    with pytest.raises(StoreError):
        accept(store, "1", "his")
    assert due(store, "his") == []
    store.close()


def test_a_failing_database_keeps_nothing(store: Store, path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE deliveries")
    database.close()
    with pytest.raises(StoreError):
        accept(store, "1", "his")
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT count(*) FROM messages").fetchone() == (0,)
    database.close()


def test_what_is_refused_waits_for_a_person_and_nobody_else_waits(store: Store) -> None:
    accept(store, "1", "his")
    accept(store, "2", "his")
    first = store.next("his")
    assert first
    store.settle(first.id, "refused", "AE")
    assert [(each["control_id"], each["answer"]) for each in store.refused()] == [("1", "AE")]
    assert store.handle(first.id, again=True)
    assert not store.handle(first.id, again=True)
    assert store.refused() == []
    assert due(store, "his") == ["2", "1"]


def test_a_discarded_message_is_not_tried_again(store: Store) -> None:
    accept(store, "1", "his")
    first = store.next("his")
    assert first
    assert not store.handle(first.id, again=False), "it is not refused"
    store.settle(first.id, "refused", "AR")
    assert store.handle(first.id, again=False)
    assert due(store, "his") == []


def test_age_is_that_of_the_oldest_that_waits(store: Store, path: Path) -> None:
    accept(store, "1", "his", "his2")
    made_older(path, 400)
    accept(store, "2", "his")
    status = store.status(300, 30)
    assert status["overdue"] == ["his", "his2"]
    queues = status["queues"]
    assert isinstance(queues, dict)
    assert queues["his"]["queued"] == 2
    assert queues["his"]["oldest_seconds"] >= 400
    due(store, "his")
    assert store.status(300, 30)["overdue"] == ["his2"]


def test_the_archive_forgets_what_is_old_and_waits_for_nothing(store: Store, path: Path) -> None:
    for number, destinations in enumerate([["his"], ["his", "slow"], [], ["grumpy"]]):
        accept(store, str(number), *destinations)
    due(store, "his")
    refused = store.next("grumpy")
    assert refused
    store.settle(refused.id, "refused", "AE")
    assert store.prune(30) == 0
    made_older(path, 32 * DAY)
    assert store.status(300, 30)["past_archive"] == 2
    assert store.prune(30) == 2
    assert store.status(300, 30)["past_archive"] == 0
    assert due(store, "slow") == ["1"]
    assert len(store.refused()) == 1
    assert store.prune(30) == 1


def test_deleted_content_leaves_the_file(store: Store, path: Path) -> None:
    accept(store, "1", content=b"a secret result" * 1000)
    made_older(path, 32 * DAY)
    before = time.monotonic()
    store.prune(30)
    store.close()
    assert b"a secret result" not in path.read_bytes()
    assert time.monotonic() - before < 5

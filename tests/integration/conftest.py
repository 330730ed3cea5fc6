"""The databases that the ledger's tests run on: each test sees an empty one, once on SQLite and once on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.ledger_samples import StepClock
from tests.integration.postgres import PrivatePostgres
from wardround.ledger import Ledger


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    """Run one server for all tests of this process."""
    with PrivatePostgres() as server:
        yield server


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Name a SQLite ledger that does not exist yet."""
    return f"sqlite:///{tmp_path}/state/ledger.sqlite"


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest) -> str:
    """Name an empty ledger, on each database."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    server = request.getfixturevalue("postgres")
    assert isinstance(server, PrivatePostgres)
    return server.new_database()


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """Open an empty ledger whose clock moves a second at each look."""
    with Ledger.open(ledger_url, StepClock()) as opened:
        yield opened

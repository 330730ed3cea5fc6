"""The migrations build exactly the tables that the code uses, on both databases, and do nothing twice."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from tests.integration.ledger_samples import run_record
from wardround.ledger import Ledger
from wardround.ledger.address import parse_address
from wardround.ledger.schema import VERSION_TABLE
from wardround.ledger.tables import metadata

pytestmark = pytest.mark.integration


def test_migrations_build_the_tables_that_the_code_knows(ledger_url: str) -> None:
    Ledger.open(ledger_url).close()
    engine = create_engine(parse_address(ledger_url).url)
    with engine.connect() as connection:
        options = {"compare_type": True, "version_table": VERSION_TABLE}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        names = set(inspect(connection).get_table_names())
    engine.dispose()
    assert differences == []
    assert names == set(metadata.tables) | {VERSION_TABLE}


def test_opening_again_changes_nothing(ledger_url: str) -> None:
    with Ledger.open(ledger_url) as ledger:
        ledger.start_run(run_record("run-1"))
        head = ledger.head()
    for _ in range(2):
        with Ledger.open(ledger_url) as ledger:
            assert ledger.verify(head) == head


def test_a_folder_of_any_name_can_hold_a_ledger(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("Krankenhaus Süd & 100% 'x'")
    with Ledger.open(f"sqlite:///{folder}/ledger.sqlite") as ledger:
        ledger.append_event("noted", {})
        assert ledger.name == f"{folder}/ledger.sqlite"
    assert [path.name for path in folder.iterdir() if path.suffix == ".sqlite"] == ["ledger.sqlite"]

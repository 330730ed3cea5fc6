"""The version of a ledger's tables: brought up to date on opening, refused when it is newer than this wardround."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from filelock import FileLock, Timeout
from sqlalchemy import Connection, inspect, text

from wardround.errors import LedgerError
from wardround.ledger.database import BUSY_SECONDS, Database

VERSION_TABLE = "ledger_version"
"""The table with the ledger's schema version; named for the ledger, because it may share a PostgreSQL database."""

_MIGRATIONS = Path(__file__).parent / "migrations"

# Any constant works; this one spells "wardroun" in ASCII.
_UPGRADE_LOCK = 0x77617264726F756E


def upgrade(database: Database) -> None:
    """Bring the tables to the version that this wardround knows; do nothing when they have it.

    Raises:
        LedgerError: the ledger was written by a newer wardround, or cannot be written.
    """
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    newest = script.get_current_head()
    with database.reading() as connection:
        current = _version(connection)
    if current == newest:
        return
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        message = f"the ledger has schema {current}; this wardround knows it up to {newest}"
        remedy = "use the wardround that last wrote it, or a newer one; a ledger is never turned back"
        raise LedgerError(message, path=database.address.name, remedy=remedy)
    with _upgrading(database) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    version = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608  a constant
    return None if version is None else str(version)


@contextmanager
def _upgrading(database: Database) -> Iterator[Connection]:
    """Let one process at a time migrate; the others wait and then find nothing to do."""
    file = database.address.file
    if file is None:
        with database.writing() as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})")
            yield connection
        return
    lock = FileLock(f"{file}.upgrade.lock", mode=0o600)
    with database.explained():
        try:
            lock.acquire(timeout=BUSY_SECONDS)
        except Timeout:
            remedy = "try again; if it stays so, end the process that holds it"
            raise LedgerError(f"another process holds {lock.lock_file}", remedy=remedy) from None
        try:
            # With a write-ahead log no reader waits for a writer. It cannot be chosen within a transaction.
            with database.writers.connect() as connection:
                connection.execution_options(ledger_begin="").exec_driver_sql("PRAGMA journal_mode = WAL")
            with database.writing() as connection:
                yield connection
        finally:
            lock.release()

"""The connection to a ledger's database: short transactions, one writer at a time, and errors in plain words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from wardround.errors import LedgerError, LedgerTamperedError, MissingToolError
from wardround.ledger import faults
from wardround.ledger.address import Address

BUSY_SECONDS = 30
"""How long a writer waits for another one before it gives up."""

_CONNECT_SECONDS = 10
_KEEPALIVE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Database:
    """A ledger's database; `reading` sees one moment, `writing` is all or nothing and alone."""

    address: Address
    readers: Engine
    writers: Engine

    @property
    def is_sqlite(self) -> bool:
        """Whether this is a file."""
        return self.address.file is not None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a read-only look at one consistent moment.

        Raises:
            LedgerError: also where a record cannot be understood, because somebody else wrote it.
        """
        try:
            with self.explained(), self.readers.begin() as connection:
                yield connection
        except ValueError as error:
            what = str(error).partition("\n")[0]
            remedy = "run `wardround ledger verify`, and restore the last backup"
            message = f"a record cannot be understood: {what}"
            raise LedgerError(message, path=self.address.name, remedy=remedy) from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that is undone on any error; on SQLite it starts by taking the only write lock."""
        with self.explained(), self.writers.begin() as connection:
            if not self.is_sqlite:
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'")
            yield connection

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Raise whatever the driver or the operating system refuses as a LedgerError, and name the ledger in each."""
        try:
            yield
        except DBAPIError as error:
            raise faults.explain(error, self.address) from error
        except OSError as error:
            raise faults.explain_file(error, self.address) from error
        except (LedgerError, LedgerTamperedError) as error:
            error.path = error.path or self.address.name
            raise

    def close(self) -> None:
        """Give every connection back."""
        self.writers.dispose()


def connect(address: Address) -> Database:
    """Prepare a database without talking to it yet; a missing SQLite file is made, readable by its owner only.

    Raises:
        LedgerError: the file or its folder cannot be made or written.
        MissingToolError: the PostgreSQL driver is not installed.
    """
    return _postgresql(address) if address.file is None else _sqlite(address, address.file)


def _sqlite(address: Address, file: Path) -> Database:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            # SQLite would create it by the umask; its -wal and -shm files take the mode of this one.
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
        if not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)):
            raise faults.read_only(address)
        if file.stat().st_mode & 0o077:
            # A restored copy often comes back readable by all.
            file.chmod(0o600)
    except OSError as error:
        raise faults.explain_file(error, address) from error
    # No pool: the last connection to close folds the write-ahead log into the file, so a finished verb leaves one file.
    engine = create_engine(
        address.url, poolclass=NullPool, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS}
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return Database(address, readers=engine, writers=engine.execution_options(ledger_begin="BEGIN IMMEDIATE"))


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)  # noqa: S101  narrows the driver's type for the reader and mypy
    # The driver's own implicit BEGIN would come too late; see _begin_sqlite.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    # An event whose hash was printed must survive a power cut.
    connection.execute("PRAGMA synchronous = FULL")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that starts reading and then writes may be refused half-way; a writer therefore says so at once.
    statement = connection.get_execution_options().get("ledger_begin", "BEGIN")
    if statement:
        connection.exec_driver_sql(statement)


def _postgresql(address: Address) -> Database:
    arguments = {
        "connect_timeout": _CONNECT_SECONDS,
        "keepalives_idle": _KEEPALIVE_SECONDS,
        "application_name": "wardround",
    }
    # What the URL says wins over what wardround would choose.
    chosen = {key: value for key, value in arguments.items() if key not in address.url.query}
    try:
        engine = create_engine(address.url, pool_pre_ping=True, hide_parameters=True, connect_args=chosen)
    except ImportError as error:
        remedy = "install wardround with its `postgres` extra"
        raise MissingToolError(
            "PostgreSQL needs the Python package psycopg", path=address.name, remedy=remedy
        ) from error
    readers = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Database(address, readers=readers, writers=engine)

"""Each way in which a database refuses is told apart, in words without a password."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from psycopg import errors
from sqlalchemy.exc import DBAPIError

from wardround.ledger.address import parse_address
from wardround.ledger.faults import explain

pytestmark = pytest.mark.unit

SECRET = "kn0wn-t0-n0b0dy"
SERVER = parse_address(f"postgresql://ward:{SECRET}@db.example/ledger")


def raised_by(cause: Exception) -> DBAPIError:
    return DBAPIError("INSERT", {"diff": SECRET}, cause, hide_parameters=True)


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        (errors.DiskFull("no space left"), "the disk is full: no space left"),
        (errors.ReadOnlySqlTransaction("x"), "the ledger is read-only: x"),
        (errors.InsufficientPrivilege("x"), "the database user lacks a right: x"),
        (errors.TooManyConnections("x"), "the database has no connection left: x"),
        (errors.LockNotAvailable("x"), "another process kept the ledger locked for 30 s: x"),
        (errors.UniqueViolation("x"), "the record contradicts what the ledger holds: x"),
        (errors.AdminShutdown("x"), "there is no connection to the database: x"),
        (errors.InvalidPassword("x"), "there is no connection to the database: x"),
        (errors.InvalidCatalogName("x"), "there is no connection to the database: x"),
        (errors.OperationalError("connection refused"), "there is no connection to the database: connection refused"),
        (errors.DataCorrupted("x"), "the file is damaged or is no ledger: x"),
        (errors.SyntaxError("two\n  lines"), "the database refused: two lines"),
        (errors.OperationalError(f"password={SECRET}"), "there is no connection to the database: password=***"),
    ],
)
def test_a_servers_refusal_is_told_apart(cause: Exception, message: str) -> None:
    error = explain(raised_by(cause), SERVER)
    assert error.message == message
    assert error.path == "postgresql://ward:***@db.example/ledger"
    assert error.remedy
    assert SECRET not in str(error)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (sqlite3.SQLITE_FULL, "the disk is full"),
        (sqlite3.SQLITE_READONLY_DBMOVED, "the ledger is read-only"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "another process kept the ledger locked for 30 s"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "the file is damaged or is no ledger"),
        (sqlite3.SQLITE_NOTADB, "the file is damaged or is no ledger"),
        (sqlite3.SQLITE_CANTOPEN_ISDIR, "the file cannot be opened"),
        (sqlite3.SQLITE_IOERR_FSYNC, "reading or writing the disk failed"),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, "the record contradicts what the ledger holds"),
        (sqlite3.SQLITE_NOMEM, "the database refused"),
    ],
)
def test_a_files_refusal_is_told_apart(tmp_path: Path, code: int, message: str) -> None:
    cause = sqlite3.OperationalError("words")
    cause.sqlite_errorcode = code
    error = explain(raised_by(cause), parse_address(f"sqlite:///{tmp_path}/ledger.sqlite"))
    assert error.message == f"{message}: words"
    assert error.path == f"{tmp_path}/ledger.sqlite"

"""What a database's error means for the person who meets it, and what to try."""

from __future__ import annotations

import shutil
from typing import NamedTuple

from sqlalchemy.exc import DBAPIError

from wardround.errors import LedgerError
from wardround.ledger.address import Address


class _Fault(NamedTuple):
    message: str
    remedy: str


_FULL = _Fault("the disk is full", "free some space; nothing of this step was recorded, so it can be repeated")
_READ_ONLY = _Fault("the ledger is read-only", "let this user write to it, or name another ledger")
_DAMAGED = _Fault(
    "the file is damaged or is no ledger",
    "keep it for analysis, restore the last backup, and run `wardround ledger verify`",
)
_BUSY = _Fault(
    "another process kept the ledger locked for 30 s", "try again; if it stays so, end the process that holds it"
)
_UNREADABLE = _Fault("the file cannot be opened", "check that it and its folder exist and belong to this user")
_IO = _Fault("reading or writing the disk failed", "check the disk and its free space, then try again")
_UNREACHABLE = _Fault(
    "there is no connection to the database",
    "check that the server runs, and the URL's host, port, database, user and password",
)
_RIGHTS = _Fault("the database user lacks a right", "make it the owner of the ledger's database or schema")
_REFUSED = _Fault("the record contradicts what the ledger holds", "look at what is recorded; this step was not")
_OTHER = _Fault("the database refused", "read its words; nothing of this step was recorded")

# Primary result codes, https://www.sqlite.org/rescode.html
_SQLITE = {
    5: _BUSY,
    6: _BUSY,
    8: _READ_ONLY,
    10: _IO,
    11: _DAMAGED,
    13: _FULL,
    14: _UNREADABLE,
    19: _REFUSED,
    26: _DAMAGED,
}

# SQLSTATEs, and classes of them by their first two characters; PostgreSQL documentation, appendix A.
_POSTGRESQL = {
    "08": _UNREACHABLE,
    "23": _REFUSED,
    "25006": _READ_ONLY,
    "28": _UNREACHABLE,
    "3D": _UNREACHABLE,
    "42501": _RIGHTS,
    "53100": _FULL,
    "53300": _Fault("the database has no connection left", "end idle ones, or raise max_connections"),
    "55P03": _BUSY,
    "57P": _UNREACHABLE,
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}


def explain(error: DBAPIError, address: Address) -> LedgerError:
    """Turn a driver's error into one that names the ledger, what happened and what to try, and holds no password."""
    fault = _sqlite_fault(error.orig, address) if address.file is not None else _postgresql_fault(error.orig)
    words = " ".join(str(error.orig).split())
    for secret in address.secrets:
        words = words.replace(secret, "***")
    return LedgerError(f"{fault.message}: {words}", path=address.name, remedy=fault.remedy)


def explain_file(error: OSError, address: Address) -> LedgerError:
    """Say why the operating system refused the ledger's file or a lock beside it."""
    words = f"{error.strerror or error}: {error.filename}" if error.filename else str(error)
    return LedgerError(f"{_UNREADABLE.message}: {words}", path=address.name, remedy=_UNREADABLE.remedy)


def read_only(address: Address) -> LedgerError:
    """Say that the ledger's file or folder may not be written."""
    return LedgerError(_READ_ONLY.message, path=address.name, remedy=_READ_ONLY.remedy)


def _sqlite_fault(cause: BaseException | None, address: Address) -> _Fault:
    code = getattr(cause, "sqlite_errorcode", None)
    fault = _SQLITE.get(code & 0xFF, _OTHER) if isinstance(code, int) else _OTHER
    # A full disk reaches SQLite's shared-memory file as a plain I/O error.
    if fault is _IO and address.file is not None and shutil.disk_usage(address.file.parent).free == 0:
        return _FULL
    return fault


def _postgresql_fault(cause: BaseException | None) -> _Fault:
    state = getattr(cause, "sqlstate", None)
    if not isinstance(state, str):
        # libpq gives no SQLSTATE for whatever keeps it from connecting, a wrong password included.
        return _UNREACHABLE
    return next((_POSTGRESQL[key] for key in (state, state[:3], state[:2]) if key in _POSTGRESQL), _OTHER)

"""One writer a hospital: a lock that dies with its holder, and a row that says who holds it."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError
from sqlalchemy import Connection, RowMapping, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from wardround.errors import LedgerError, LockedError, UsageError
from wardround.ledger import chain
from wardround.ledger.database import Database
from wardround.ledger.records import LeaseRecord, LeaseState
from wardround.ledger.runs import end_run
from wardround.ledger.tables import leases, moment_text
from wardround.model.run import RunState


@dataclass(frozen=True, slots=True)
class Lease:
    """A hospital held for one run; `taken_over` is the dead holder that was found in its place, if there was one."""

    record: LeaseRecord
    taken_over: LeaseRecord | None
    confirm: Callable[[], None]
    """Make sure that the hospital is still held; LockedError if the lock was lost."""


@contextmanager
def hold(database: Database, *, hospital: str, holder: str, run: str, clock: Callable[[], datetime]) -> Iterator[Lease]:
    """Hold a hospital while the block runs.

    Raises:
        LockedError: another process holds it.
        UsageError: `hospital` is no hospital's name.
    """
    mine = _new_lease(hospital, holder, run, clock())
    lock = _server_lock if database.address.file is None else _file_lock
    with lock(database, hospital) as alive:
        with database.writing() as connection:
            taken_over = _bury(connection, hospital, clock())
            row = insert(leases).values(mine.model_dump()).returning(leases.c.id)
            number = connection.execute(row).scalar_one()

        def confirm() -> None:
            alive()
            with database.reading() as connection:
                state = connection.scalar(select(leases.c.state).where(leases.c.id == number))
            if state != LeaseState.HELD:
                raise LockedError(f"{hospital} was taken over while {holder} held it for run {run}", remedy=_LOST)

        try:
            yield Lease(record=mine, taken_over=taken_over, confirm=confirm)
        finally:
            with database.writing() as connection:
                ours = (leases.c.id == number) & (leases.c.state == LeaseState.HELD)
                connection.execute(update(leases).where(ours).values(state=LeaseState.RELEASED, ended=clock()))


def read_leases(connection: Connection, *, hospital: str | None, limit: int) -> tuple[LeaseRecord, ...]:
    """Read leases, the newest first. One that reads as held may belong to a process that died since."""
    query = select(leases).order_by(leases.c.id.desc()).limit(limit)
    if hospital is not None:
        query = query.where(leases.c.hospital == hospital)
    return tuple(_lease(row) for row in connection.execute(query).mappings())


_LOST = "start nothing more; look at what the other run does before you repeat this one"


def _bury(connection: Connection, hospital: str, moment: datetime) -> LeaseRecord | None:
    """Mark the lease of a dead holder as stale, and its run as interrupted. Only the owner of the lock may ask."""
    open_rows = (leases.c.hospital == hospital) & (leases.c.state == LeaseState.HELD)
    row = connection.execute(select(leases).where(open_rows)).mappings().one_or_none()
    if row is None:
        return None
    dead = _lease(row).model_copy(update={"state": LeaseState.STALE, "ended": moment})
    connection.execute(update(leases).where(open_rows).values(state=dead.state, ended=dead.ended))
    was_running = end_run(connection, dead.run, RunState.INTERRUPTED, moment, coverage=None)
    chain.append(
        connection,
        chain.Note(
            moment=moment,
            hospital=hospital,
            run=dead.run,
            kind="lease_found_stale",
            payload={"holder": dead.holder, "machine": dead.machine, "pid": dead.pid, "run_was_running": was_running},
        ),
    )
    return dead


def _refusal(database: Database, hospital: str) -> LockedError:
    with database.reading() as connection:
        newest = read_leases(connection, hospital=hospital, limit=1)
    if not newest or newest[0].state is not LeaseState.HELD:
        return LockedError(
            f"{hospital} is held by a run that is just starting or ending", remedy="try again in a moment"
        )
    held = newest[0]
    message = (
        f"{hospital} is held by {held.holder} since {moment_text(held.since)} for run {held.run}"
        f" (process {held.pid} on {held.machine})"
    )
    remedy = f"wait for it, or end process {held.pid} on {held.machine}; the lock goes with it"
    return LockedError(message, remedy=remedy)


@contextmanager
def _file_lock(database: Database, hospital: str) -> Iterator[Callable[[], None]]:
    """Lock a file beside the ledger; the kernel frees it when the process ends."""
    folder = Path(f"{database.address.name}.locks")
    lock = FileLock(folder / f"{hospital}.lock", timeout=0, mode=0o600, thread_local=False)

    def alive() -> None:
        if not Path(lock.lock_file).exists():
            raise LockedError(f"the lock file {lock.lock_file} was removed", remedy=_LOST)

    with database.explained():
        folder.mkdir(mode=0o700, exist_ok=True)
        try:
            lock.acquire()
        except Timeout:
            raise _refusal(database, hospital) from None
    try:
        yield alive
    finally:
        lock.release()


@contextmanager
def _server_lock(database: Database, hospital: str) -> Iterator[Callable[[], None]]:
    """Take an advisory lock; the server frees it when this session's connection ends."""
    with database.reading() as connection:
        ledger = chain.read_head(connection).ledger
    digest = hashlib.sha256(f"{ledger} {hospital}".encode()).digest()
    number = int.from_bytes(digest[:8], signed=True)
    lock = select(func.pg_try_advisory_lock(number))
    unlock = select(func.pg_advisory_unlock(number))
    with database.explained():
        session = database.writers.connect().execution_options(isolation_level="AUTOCOMMIT")

    def alive() -> None:
        # A lost connection would be opened anew on the next use, without the lock.
        if session.invalidated:
            raise LockedError(f"the session that locks {hospital} ended", path=database.address.name, remedy=_LOST)
        try:
            with database.explained():
                session.execute(text("SELECT 1"))
        except LedgerError as error:
            message = f"the session that locks {hospital} ended: {error.message}"
            raise LockedError(message, path=error.path, remedy=_LOST) from error

    try:
        with database.explained():
            if not session.scalar(lock):
                raise _refusal(database, hospital)
        try:
            yield alive
        finally:
            # Where this fails the session is gone, and the lock with it.
            with suppress(DBAPIError):
                if not session.invalidated:
                    session.execute(unlock)
    finally:
        # Never back into the pool: whatever happened, this session must not live on with the lock.
        session.invalidate()
        session.close()


def _new_lease(hospital: str, holder: str, run: str, since: datetime) -> LeaseRecord:
    # The name becomes a file's name, so nothing but a name may pass.
    try:
        return LeaseRecord(
            hospital=hospital,
            holder=holder,
            run=run,
            machine=socket.gethostname(),
            pid=os.getpid(),
            since=since,
            ended=None,
            state=LeaseState.HELD,
        )
    except ValidationError as error:
        raise UsageError(f"{hospital!r} is no hospital's name", remedy="name the hospital's folder") from error


def _lease(row: RowMapping) -> LeaseRecord:
    return LeaseRecord.model_validate({key: row[key] for key in LeaseRecord.model_fields}, strict=False)

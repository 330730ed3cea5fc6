"""The ledger as the verbs use it: every method is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from sqlalchemy import Connection

from wardround.errors import LedgerError
from wardround.ledger import chain, findings, leases, lifecycle, plans, runs, schema
from wardround.ledger.address import parse_address
from wardround.ledger.database import Database, connect
from wardround.ledger.leases import Lease
from wardround.ledger.records import Event, FindingChanges, Head, LeaseRecord, PlanRecord
from wardround.ledger.tables import storable
from wardround.model.base import JsonValue
from wardround.model.finding import Cause, Finding, FindingState, Observation
from wardround.model.run import Coverage, HostVerdict, RunKind, RunRecord, RunState, TaskVerdict


def utc_now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


class Ledger:
    """The memory of all runs against all hospitals.

    Every method raises LedgerError, which names the ledger without its password, when the database cannot be reached,
    read or written; then nothing of that call was recorded.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime] = utc_now) -> None:
        """Use a database whose schema is up to date; `Ledger.open` sees to that."""
        self._database = database
        self._clock = clock

    @classmethod
    def open(cls, url: str, clock: Callable[[], datetime] = utc_now) -> Self:
        """Open the ledger at a URL; make it, or bring its tables up to date, where needed.

        Raises:
            LedgerError: it cannot be opened, or a newer wardround wrote it.
            MissingToolError: the driver for PostgreSQL is not installed.
        """
        database = connect(parse_address(url))
        try:
            schema.upgrade(database)
        except BaseException:
            database.close()
            raise
        return cls(database, clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give every connection back."""
        self._database.close()

    @property
    def name(self) -> str:
        """Give the ledger's place as it may be printed."""
        return self._database.address.name

    # Runs

    def start_run(self, run: RunRecord) -> None:
        """Record that a run began."""
        with self._database.writing() as connection:
            runs.insert_run(connection, run)
            payload = run.model_dump(mode="json", include={"kind", "actor", "plan", "provenance"})
            self._note(connection, "run_started", payload, run)

    def finish_run(self, run: str, state: RunState, coverage: Coverage) -> RunRecord:
        """Record how a run ended, now.

        Raises:
            UsageError: there is no such run.
            LedgerError: it ended before.
        """
        with self._database.writing() as connection:
            was_running = runs.end_run(connection, run, state, self._clock(), coverage)
            record = runs.read_run(connection, run)
            if not was_running:
                raise LedgerError(f"run {run!r} ended before, as {record.state}", remedy="start a new run")
            self._note(connection, "run_ended", {"state": state.value, "coverage": coverage.model_dump()}, record)
        return record

    def run(self, run: str) -> RunRecord:
        """Read one run; UsageError if there is none of that name."""
        with self._database.reading() as connection:
            return runs.read_run(connection, run)

    def runs(
        self,
        *,
        hospital: str | None = None,
        kind: RunKind | None = None,
        state: RunState | None = None,
        limit: int = 100,
    ) -> tuple[RunRecord, ...]:
        """Read runs, the newest first."""
        with self._database.reading() as connection:
            return runs.read_runs(connection, hospital=hospital, kind=kind, state=state, limit=limit)

    def last_run(
        self, hospital: str, *, kind: RunKind | None = None, state: RunState | None = RunState.FINISHED
    ) -> RunRecord | None:
        """Read a hospital's newest run of a kind and state; by default one that finished."""
        return next(iter(self.runs(hospital=hospital, kind=kind, state=state, limit=1)), None)

    # What a run saw

    def record_hosts(self, run: str, hosts: Iterable[HostVerdict], tasks: Iterable[TaskVerdict]) -> None:
        """Record a run's verdicts: a sum for each host, and each task that is not in sync."""
        with self._database.writing() as connection:
            record = runs.read_run(connection, run)
            kept_hosts = runs.insert_hosts(connection, run, hosts)
            kept_tasks = runs.insert_tasks(connection, run, tasks)
            self._note(connection, "hosts_recorded", {"hosts": kept_hosts, "tasks": kept_tasks}, record)

    def host_verdicts(self, run: str) -> tuple[HostVerdict, ...]:
        """Read a run's hosts by name."""
        with self._database.reading() as connection:
            return runs.read_hosts(connection, run)

    def task_verdicts(self, run: str) -> tuple[TaskVerdict, ...]:
        """Read a run's verdicts that were not in sync, as they were recorded."""
        with self._database.reading() as connection:
            return runs.read_tasks(connection, run)

    def record_observations(
        self,
        run: str,
        observations: Iterable[Observation],
        hosts_seen: Collection[str],
        checked: Collection[tuple[str, str, str]],
    ) -> FindingChanges:
        """Record what a run saw amiss, and resolve what it looked at and no longer saw.

        `hosts_seen` are the hosts that answered; `checked` are the (host, role, task) that got a verdict other than
        unknown. A finding that was not looked at stays as it is.
        """
        with self._database.writing() as connection:
            record = runs.read_run(connection, run)
            sight = lifecycle.Sight(
                run=run,
                hospital=record.hospital,
                moment=self._clock(),
                observations=tuple(observations),
                hosts_seen=frozenset(hosts_seen),
                checked=frozenset((host, role, storable(task)) for host, role, task in checked),
            )
            marks = {observation.fingerprint for observation in sight.observations}
            changes = lifecycle.advance(findings.read_known(connection, record.hospital, marks), sight)
            findings.write_changes(connection, changes)
            payload: dict[str, JsonValue] = {
                "opened": [finding.fingerprint for finding in changes.opened],
                "reopened": [finding.fingerprint for finding in changes.reopened],
                "resolved": [finding.fingerprint for finding in changes.resolved],
                "seen_again": len(changes.seen_again),
            }
            self._note(connection, "findings_moved", payload, record)
        return changes

    def findings(
        self,
        *,
        hospital: str | None = None,
        state: FindingState | None = None,
        host: str | None = None,
        role: str | None = None,
        cause: Cause | None = None,
    ) -> tuple[Finding, ...]:
        """Read findings by hospital, host, role, task and resource."""
        only = _given(hospital=hospital, state=state, host=host, role=role, cause=cause)
        with self._database.reading() as connection:
            return findings.read_findings(connection, only)

    # Plans

    def save_plan(self, plan: PlanRecord) -> None:
        """Record a plan that was made."""
        with self._database.writing() as connection:
            plans.insert_plan(connection, plan)
            payload: dict[str, JsonValue] = {"plan": plan.id, "sha256": plan.sha256, "created_by": plan.created_by}
            chain.append(connection, chain.Note(self._clock(), plan.hospital, None, "plan_saved", payload))

    def plan(self, plan: str) -> PlanRecord:
        """Read one plan; UsageError if there is none of that name."""
        with self._database.reading() as connection:
            return plans.read_plan(connection, plan)

    def mark_plan_applied(self, plan: str, run: str) -> PlanRecord:
        """Record that a run applies a plan; a plan serves once, so do this before the first host is changed.

        Raises:
            StalePlanError: another run applied it.
            UsageError: there is no such plan or run.
        """
        with self._database.writing() as connection:
            record = runs.read_run(connection, run)
            spent = plans.spend_plan(connection, plan, run)
            self._note(connection, "plan_applied", {"plan": spent.id, "sha256": spent.sha256}, record)
        return spent

    # Events

    def append_event(
        self, kind: str, payload: Mapping[str, JsonValue], *, hospital: str | None = None, run: str | None = None
    ) -> Event:
        """Add an event to the chain; it can never be changed or removed again, so it must hold no secret."""
        with self._database.writing() as connection:
            return chain.append(connection, chain.Note(self._clock(), hospital, run, kind, payload))

    def events(
        self,
        *,
        after: int = 0,
        hospital: str | None = None,
        run: str | None = None,
        kind: str | None = None,
        limit: int = 1000,
    ) -> tuple[Event, ...]:
        """Read events in order from the one behind `after`; ask again behind the last one for the next page."""
        only = _given(hospital=hospital, run=run, kind=kind)
        with self._database.reading() as connection:
            return chain.read_events(connection, after=after, limit=limit, only=only)

    def head(self) -> Head:
        """Read the chain's last link. Keep it elsewhere: it is what shows a chain that was cut short or rewritten."""
        with self._database.reading() as connection:
            return chain.read_head(connection)

    def verify(self, known: Head | None = None) -> Head:
        """Check every event, and that a head kept elsewhere is part of the chain; give the head that was reached.

        Raises:
            LedgerTamperedError: naming the first event that was edited, removed, added or moved.
        """
        with self._database.reading() as connection:
            return chain.walk(connection, known)

    # Leases

    def lease(self, hospital: str, holder: str, run: str) -> AbstractContextManager[Lease]:
        """Hold a hospital while a `with` block runs: no other process can.

        Raises:
            LockedError: another process holds it; the message says who, since when and for which run.
        """
        return leases.hold(self._database, hospital=hospital, holder=holder, run=run, clock=self._clock)

    def leases(self, *, hospital: str | None = None, limit: int = 100) -> tuple[LeaseRecord, ...]:
        """Read leases, the newest first. One that reads as held may belong to a process that died since."""
        with self._database.reading() as connection:
            return leases.read_leases(connection, hospital=hospital, limit=limit)

    def _note(self, connection: Connection, kind: str, payload: Mapping[str, JsonValue], run: RunRecord) -> None:
        chain.append(connection, chain.Note(self._clock(), run.hospital, run.id, kind, payload))


def _given(**wanted: str | None) -> dict[str, str]:
    return {column: value for column, value in wanted.items() if value is not None}

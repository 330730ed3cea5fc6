"""Runs and what they saw of each host, as rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, select, update

from wardround.errors import UsageError
from wardround.ledger.lifecycle import bounded
from wardround.ledger.tables import host_verdicts, runs, task_verdicts
from wardround.model.run import Coverage, HostVerdict, RunKind, RunRecord, RunState, TaskVerdict, Verdict


def insert_run(connection: Connection, run: RunRecord) -> None:
    """Write a new run."""
    documents = {"provenance": run.provenance.model_dump(), "coverage": run.coverage.model_dump()}
    connection.execute(insert(runs), run.model_dump() | documents)


def read_run(connection: Connection, run: str) -> RunRecord:
    """Read one run.

    Raises:
        UsageError: the ledger has none of that name.
    """
    row = connection.execute(select(runs).where(runs.c.id == run)).mappings().one_or_none()
    if row is None:
        raise UsageError(f"the ledger has no run {run!r}", remedy="look at the recorded runs")
    return _run(row)


def read_runs(
    connection: Connection, *, hospital: str | None, kind: RunKind | None, state: RunState | None, limit: int
) -> tuple[RunRecord, ...]:
    """Read runs, the newest first."""
    query = select(runs).order_by(runs.c.started.desc(), runs.c.id.desc()).limit(limit)
    for column, wanted in ((runs.c.hospital, hospital), (runs.c.kind, kind), (runs.c.state, state)):
        if wanted is not None:
            query = query.where(column == wanted)
    return tuple(_run(row) for row in connection.execute(query).mappings())


def end_run(connection: Connection, run: str, state: RunState, ended: datetime, coverage: Coverage | None) -> bool:
    """Close a run that is still open; say whether it was."""
    values = {"state": state, "ended": ended} | ({"coverage": coverage.model_dump()} if coverage else {})
    still_open = (runs.c.id == run) & (runs.c.state == RunState.RUNNING)
    return connection.execute(update(runs).where(still_open).values(values)).rowcount == 1


def insert_hosts(connection: Connection, run: str, hosts: Iterable[HostVerdict]) -> int:
    """Write the sums of a run's hosts; give their number."""
    rows = [host.model_dump() | {"run": run} for host in hosts]
    if rows:
        connection.execute(insert(host_verdicts), rows)
    return len(rows)


def insert_tasks(connection: Connection, run: str, tasks: Iterable[TaskVerdict]) -> int:
    """Write the verdicts worth keeping, those that are not in sync, with bounded texts; give their number."""
    rows = [
        task.model_dump(exclude={"tags"})
        | {"run": run, "tags": list(task.tags), "diff": bounded(task.diff), "reason": bounded(task.reason)}
        for task in tasks
        if task.verdict is not Verdict.IN_SYNC
    ]
    if rows:
        connection.execute(insert(task_verdicts), rows)
    return len(rows)


def read_hosts(connection: Connection, run: str) -> tuple[HostVerdict, ...]:
    """Read a run's hosts by name."""
    columns = [column for column in host_verdicts.c if column.name != "run"]
    rows = connection.execute(select(*columns).where(host_verdicts.c.run == run)).mappings()
    # Sorted here, because databases sort a hyphen differently.
    return tuple(sorted((HostVerdict.model_validate(dict(row)) for row in rows), key=lambda verdict: verdict.host))


def read_tasks(connection: Connection, run: str) -> tuple[TaskVerdict, ...]:
    """Read a run's kept verdicts in the order in which they were recorded."""
    columns = [column for column in task_verdicts.c if column.name not in {"id", "run"}]
    query = select(*columns).where(task_verdicts.c.run == run).order_by(task_verdicts.c.id)
    rows = connection.execute(query).mappings()
    return tuple(TaskVerdict.model_validate(dict(row), strict=False) for row in rows)


def _run(row: RowMapping) -> RunRecord:
    return RunRecord.model_validate(dict(row), strict=False)

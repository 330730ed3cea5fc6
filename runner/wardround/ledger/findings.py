"""Findings as rows: what is known of a hospital, and what a run changed about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from wardround.ledger.records import FindingChanges
from wardround.ledger.tables import findings
from wardround.model.finding import Finding, FindingState

# SQLite takes 32766 parameters in a statement, PostgreSQL 65535.
_BATCH = 10_000


def read_known(connection: Connection, hospital: str, fingerprints: Collection[str]) -> dict[str, Finding]:
    """Read a hospital's open findings, and those of the given fingerprints in any state."""
    mine = select(findings).where(findings.c.hospital == hospital)
    rows = list(connection.execute(mine.where(findings.c.state == FindingState.OPEN)).mappings())
    wanted = sorted(set(fingerprints) - {row["fingerprint"] for row in rows})
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        rows.extend(connection.execute(mine.where(findings.c.fingerprint.in_(batch))).mappings())
    return {finding.fingerprint: finding for finding in map(_finding, rows)}


def write_changes(connection: Connection, changes: FindingChanges) -> None:
    """Write what a run changed."""
    if changes.opened:
        connection.execute(insert(findings), [finding.model_dump() for finding in changes.opened])
    moved = changes.reopened + changes.seen_again + changes.resolved
    if moved:
        keys = {"hospital", "fingerprint"}
        same = (findings.c.hospital == bindparam("key_hospital")) & (
            findings.c.fingerprint == bindparam("key_fingerprint")
        )
        rows = [
            finding.model_dump(exclude=keys)
            | {"key_hospital": finding.hospital, "key_fingerprint": finding.fingerprint}
            for finding in moved
        ]
        connection.execute(update(findings).where(same), rows)


def read_findings(connection: Connection, only: Mapping[str, str]) -> tuple[Finding, ...]:
    """Read the findings whose columns have the wanted values, by hospital, host, role, task and resource."""
    query = select(findings)
    for column, wanted in only.items():
        query = query.where(findings.c[column] == wanted)
    found = [_finding(row) for row in connection.execute(query).mappings()]
    # Sorted here, because databases sort a hyphen differently.
    return tuple(
        sorted(found, key=lambda one: (one.hospital, one.host, one.role, one.task, one.resource, one.fingerprint))
    )


def _finding(row: RowMapping) -> Finding:
    return Finding.model_validate(dict(row), strict=False)

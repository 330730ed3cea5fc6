"""Saved plans as rows; each can be applied once."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from wardround.errors import StalePlanError, UsageError
from wardround.ledger.records import PlanRecord
from wardround.ledger.tables import plans


def insert_plan(connection: Connection, plan: PlanRecord) -> None:
    """Write a new plan."""
    connection.execute(insert(plans), plan.model_dump())


def read_plan(connection: Connection, plan: str) -> PlanRecord:
    """Read one plan.

    Raises:
        UsageError: the ledger has none of that name.
    """
    row = connection.execute(select(plans).where(plans.c.id == plan)).mappings().one_or_none()
    if row is None:
        raise UsageError(
            f"the ledger has no plan {plan!r}", remedy="make a plan, or name the ledger that holds this one"
        )
    return PlanRecord.model_validate(dict(row))


def spend_plan(connection: Connection, plan: str, run: str) -> PlanRecord:
    """Mark a plan as applied by a run.

    Raises:
        UsageError: the ledger has none of that name.
        StalePlanError: a run applied it already.
    """
    unspent = (plans.c.id == plan) & plans.c.applied_by_run.is_(None)
    changed = connection.execute(update(plans).where(unspent).values(applied_by_run=run)).rowcount
    record = read_plan(connection, plan)
    if not changed:
        raise StalePlanError(
            f"plan {plan!r} was already applied by run {record.applied_by_run!r}", remedy="make a new plan"
        )
    return record

"""Runs, verdicts, findings, plans, leases, and the chain of events with its guards."""

from __future__ import annotations

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

from wardround.ledger.chain import genesis

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SQLITE_GUARDS = (
    """CREATE TRIGGER events_never_change BEFORE UPDATE ON events
       BEGIN SELECT RAISE(ABORT, 'events are append-only'); END""",
    """CREATE TRIGGER events_never_go BEFORE DELETE ON events
       BEGIN SELECT RAISE(ABORT, 'events are append-only'); END""",
    # INSERT OR REPLACE deletes without firing the trigger above.
    """CREATE TRIGGER events_never_replaced BEFORE INSERT ON events
       WHEN EXISTS (SELECT 1 FROM events WHERE sequence = NEW.sequence)
       BEGIN SELECT RAISE(ABORT, 'events are append-only'); END""",
)

_POSTGRESQL_GUARDS = (
    """CREATE FUNCTION events_append_only() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'events are append-only'; END $$""",
    """CREATE TRIGGER events_never_change BEFORE UPDATE OR DELETE ON events
       FOR EACH ROW EXECUTE FUNCTION events_append_only()""",
    """CREATE TRIGGER events_never_go BEFORE TRUNCATE ON events
       FOR EACH STATEMENT EXECUTE FUNCTION events_append_only()""",
)


def upgrade() -> None:
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    moment = sa.Text() if on_sqlite else sa.DateTime(timezone=True)
    count = sa.Integer() if on_sqlite else sa.BigInteger()

    op.create_table(
        "runs",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("hospital", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started", moment, nullable=False),
        sa.Column("ended", moment),
        sa.Column("plan", sa.Text()),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("provenance", sa.JSON(), nullable=False),
        sa.Column("coverage", sa.JSON(), nullable=False),
    )
    op.create_index("runs_by_hospital", "runs", ["hospital", "started"])

    op.create_table(
        "host_verdicts",
        sa.Column("run", sa.Text(), sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("host", sa.Text(), primary_key=True),
        sa.Column("reachable", sa.Boolean(), nullable=False),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("in_sync", sa.Integer(), nullable=False),
        sa.Column("drifted", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("not_applicable", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
    )

    op.create_table(
        "task_verdicts",
        sa.Column("id", count, primary_key=True),
        sa.Column("run", sa.Text(), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("diff", sa.Text(), nullable=False),
        sa.Column("is_handler", sa.Boolean(), nullable=False),
    )
    op.create_index("task_verdicts_by_run", "task_verdicts", ["run", "host"])

    op.create_table(
        "findings",
        sa.Column("hospital", sa.Text(), primary_key=True),
        sa.Column("fingerprint", sa.Text(), primary_key=True),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("diff", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("first_seen", moment, nullable=False),
        sa.Column("last_seen", moment, nullable=False),
        sa.Column("first_run", sa.Text(), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("last_run", sa.Text(), sa.ForeignKey("runs.id"), nullable=False),
    )
    op.create_index("findings_by_state", "findings", ["hospital", "state"])

    op.create_table(
        "plans",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("hospital", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("created", moment, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("applied_by_run", sa.Text(), sa.ForeignKey("runs.id")),
    )

    op.create_table(
        "leases",
        sa.Column("id", count, primary_key=True),
        sa.Column("hospital", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("ended", moment),
        sa.Column("state", sa.Text(), nullable=False),
    )
    op.create_index("leases_by_hospital", "leases", ["hospital", "state"])

    op.create_table(
        "events",
        sa.Column("sequence", count, primary_key=True, autoincrement=False),
        sa.Column("moment", sa.Text(), nullable=False),
        sa.Column("hospital", sa.Text()),
        sa.Column("run", sa.Text()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
    )
    op.create_index("events_by_run", "events", ["run"])
    heads = op.create_table(
        "heads",
        sa.Column("ledger", sa.Text(), primary_key=True),
        sa.Column("sequence", count, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
    )
    ledger = uuid4().hex
    op.bulk_insert(heads, [{"ledger": ledger, "sequence": 0, "hash": genesis(ledger)}])
    for guard in _SQLITE_GUARDS if on_sqlite else _POSTGRESQL_GUARDS:
        op.execute(guard)

"""The ledger's tables, the same on SQLite and PostgreSQL, and the types that keep both alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.types import TypeEngine


def moment_text(moment: datetime) -> str:
    """Write a moment as UTC with microseconds, `2026-11-21T20:59:13.000042Z`; as text it sorts by time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def storable(text: str) -> str:
    """Replace what a database cannot hold: NUL becomes U+2400, and half of a surrogate pair U+FFFD."""
    return text.replace("\x00", "\u2400").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class UtcMoment(TypeDecorator[datetime]):
    """A point in time: `timestamptz` on PostgreSQL, text that sorts on SQLite; always aware and in UTC."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type by the database."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | str | None:
        """Store UTC; refuse a moment without a zone, which nobody could read later."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return moment_text(value) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  SQLAlchemy's interface
        """Give back UTC."""
        if value is None:
            return None
        return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)


class StoredText(TypeDecorator[str]):
    """Text from hosts, made storable on both databases."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002  SQLAlchemy's interface
        """Make it storable."""
        return None if value is None else storable(value)


_Count = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("id", StoredText, primary_key=True),
    Column("hospital", StoredText, nullable=False),
    Column("kind", StoredText, nullable=False),
    Column("state", StoredText, nullable=False),
    Column("started", UtcMoment, nullable=False),
    Column("ended", UtcMoment),
    Column("plan", StoredText),
    Column("actor", StoredText, nullable=False),
    Column("provenance", JSON, nullable=False),
    Column("coverage", JSON, nullable=False),
    Index("runs_by_hospital", "hospital", "started"),
)

host_verdicts = Table(
    "host_verdicts",
    metadata,
    Column("run", StoredText, ForeignKey("runs.id"), primary_key=True),
    Column("host", StoredText, primary_key=True),
    Column("reachable", Boolean, nullable=False),
    Column("checks", Integer, nullable=False),
    Column("in_sync", Integer, nullable=False),
    Column("drifted", Integer, nullable=False),
    Column("unknown", Integer, nullable=False),
    Column("not_applicable", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
)

task_verdicts = Table(
    "task_verdicts",
    metadata,
    Column("id", _Count, primary_key=True),
    Column("run", StoredText, ForeignKey("runs.id"), nullable=False),
    Column("host", StoredText, nullable=False),
    Column("role", StoredText, nullable=False),
    Column("task", StoredText, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("path", StoredText, nullable=False),
    Column("resource", StoredText, nullable=False),
    Column("verdict", StoredText, nullable=False),
    Column("reason", StoredText, nullable=False),
    Column("diff", StoredText, nullable=False),
    Column("is_handler", Boolean, nullable=False),
    Index("task_verdicts_by_run", "run", "host"),
)

findings = Table(
    "findings",
    metadata,
    Column("hospital", StoredText, primary_key=True),
    Column("fingerprint", StoredText, primary_key=True),
    Column("host", StoredText, nullable=False),
    Column("role", StoredText, nullable=False),
    Column("task", StoredText, nullable=False),
    Column("resource", StoredText, nullable=False),
    Column("verdict", StoredText, nullable=False),
    Column("cause", StoredText, nullable=False),
    Column("reason", StoredText, nullable=False),
    Column("diff", StoredText, nullable=False),
    Column("state", StoredText, nullable=False),
    Column("first_seen", UtcMoment, nullable=False),
    Column("last_seen", UtcMoment, nullable=False),
    Column("first_run", StoredText, ForeignKey("runs.id"), nullable=False),
    Column("last_run", StoredText, ForeignKey("runs.id"), nullable=False),
    Index("findings_by_state", "hospital", "state"),
)

plans = Table(
    "plans",
    metadata,
    Column("id", StoredText, primary_key=True),
    Column("hospital", StoredText, nullable=False),
    Column("sha256", StoredText, nullable=False),
    Column("created", UtcMoment, nullable=False),
    Column("created_by", StoredText, nullable=False),
    Column("applied_by_run", StoredText, ForeignKey("runs.id")),
)

# The moment is text on both databases, because the hash covers its bytes.
events = Table(
    "events",
    metadata,
    Column("sequence", _Count, primary_key=True, autoincrement=False),
    Column("moment", Text, nullable=False),
    Column("hospital", Text),
    Column("run", Text),
    Column("kind", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("events_by_run", "run"),
)

heads = Table(
    "heads",
    metadata,
    Column("ledger", Text, primary_key=True),
    Column("sequence", _Count, nullable=False),
    Column("hash", Text, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("id", _Count, primary_key=True),
    Column("hospital", StoredText, nullable=False),
    Column("holder", StoredText, nullable=False),
    Column("run", StoredText, nullable=False),
    Column("machine", StoredText, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("since", UtcMoment, nullable=False),
    Column("ended", UtcMoment),
    Column("state", StoredText, nullable=False),
    Index("leases_by_hospital", "hospital", "state"),
)

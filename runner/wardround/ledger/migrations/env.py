"""Alembic's entry: migrate over the connection, and inside the transaction, that the ledger hands in."""

from __future__ import annotations

from alembic import context

from wardround.ledger.schema import VERSION_TABLE
from wardround.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    # SQLite alters a table by copying it.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()

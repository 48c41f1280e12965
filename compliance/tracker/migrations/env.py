"""How Alembic runs: over the connection that the store gives it."""

from __future__ import annotations

from alembic import context

from compliance.tracker.store import TABLES

context.configure(connection=context.config.attributes["connection"], target_metadata=TABLES)
with context.begin_transaction():
    context.run_migrations()

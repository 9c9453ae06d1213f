"""Run the revisions on the connection that `store.migrate` hands over; Alembic executes this file."""

from __future__ import annotations

from alembic import context

from store.tables import metadata

connection = context.config.attributes["connection"]
# SQLite cannot alter most things in place: batch mode copies the table inside the transaction.
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()

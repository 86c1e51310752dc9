"""Alembic's way in: it is given a connection with an open transaction, and leaves the commit to the store."""

from alembic import context

from digest.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # also on SQLite: our transactions are real ones (BEGIN IMMEDIATE)
)
with context.begin_transaction():
    context.run_migrations()

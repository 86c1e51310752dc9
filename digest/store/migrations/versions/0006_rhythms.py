"""Rhythms of the readers' own: when an edition is looked at, slots that are open, who is paused until when."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("editions", sa.Column("since", sa.BigInteger(), nullable=True))
    op.add_column("editions", sa.Column("next_at", sa.BigInteger(), nullable=True))
    op.execute("UPDATE editions SET since = created_at")
    op.execute("UPDATE editions SET next_at = 0 WHERE own")
    op.add_column("slots", sa.Column("through", sa.BigInteger(), nullable=True))
    for name, table, columns, where in (
        ("ix_editions_next", "editions", ["next_at", "id"], "next_at IS NOT NULL"),
        ("ix_slots_open", "slots", ["edition_id", "date"], "status = 'open'"),
        ("ix_subscriptions_paused", "subscriptions", ["edition_id", "paused_until"], "status = 'paused'"),
    ):
        predicate = sa.text(where)
        op.create_index(
            name, table, columns, unique=False, sqlite_where=predicate, postgresql_where=predicate
        )
    op.create_index(
        "ix_issues_public",
        "issues",
        ["newsletter", "id"],
        unique=False,
        sqlite_where=sa.text("public IS 1"),
        postgresql_where=sa.text("public IS true"),
    )
    op.create_index("ix_issues_through", "issues", ["newsletter", "through"], unique=False)

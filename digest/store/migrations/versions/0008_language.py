"""The language that a reader chose to be spoken to in; empty: the newsletter's own."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("subscriptions", sa.Column("language", sa.Text(), server_default="", nullable=False))
    op.create_index(
        "ix_subscriptions_language",
        "subscriptions",
        ["newsletter"],
        unique=False,
        sqlite_where=sa.text("language != ''"),
        postgresql_where=sa.text("language != ''"),
    )

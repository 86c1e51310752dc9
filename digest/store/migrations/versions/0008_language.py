"""The language that a reader chose to be spoken to in, and letters that speak it; empty: the newsletter's own."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("subscriptions", sa.Column("language", sa.Text(), server_default="", nullable=False))
    op.create_index(
        "ix_subscriptions_language",
        "subscriptions",
        ["edition_id", "language"],
        unique=False,
        sqlite_where=sa.text("language != ''"),
        postgresql_where=sa.text("language != ''"),
    )
    op.add_column("deliveries", sa.Column("language", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "issue_letters",
        sa.Column("issue_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("prepared", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name="fk_issue_letters_issue_id"),
        sa.PrimaryKeyConstraint("issue_id", "channel", "language", name="pk_issue_letters"),
    )

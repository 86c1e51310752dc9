"""Archives of feeds, Link headers of documents, private feeds, and revisions that can be seen without reading."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "feed_archives",
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("through", sa.BigInteger(), nullable=False),
        sa.Column("made", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["newsletter"], ["newsletters.slug"], name="fk_feed_archives_newsletter"),
        sa.PrimaryKeyConstraint("newsletter", "number", name="pk_feed_archives"),
    )
    op.add_column("documents", sa.Column("links", sa.Text(), server_default="", nullable=False))
    op.add_column("issues", sa.Column("revision", sa.Integer(), server_default="1", nullable=False))
    op.add_column("subscriptions", sa.Column("feed_on", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("subscriptions", sa.Column("by_mail", sa.Boolean(), server_default=sa.true(), nullable=False))

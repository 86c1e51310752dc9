"""What pulling remembers: the rhythm of a feed, where it moved, its host, and marks to recognize entries by."""

import sqlalchemy as sa
from alembic import op

from digest.store.codec import host_of

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for column in (
        sa.Column("rhythm", sa.BigInteger(), nullable=True),
        sa.Column("longest_gap", sa.BigInteger(), nullable=True),
        sa.Column("wishes", sa.Text(), nullable=True),
        sa.Column("moved_to", sa.Text(), nullable=True),
        sa.Column("moved_seen", sa.Integer(), server_default="0", nullable=False),
        sa.Column("host", sa.Text(), server_default="", nullable=False),
    ):
        op.add_column("feeds", column)
    feeds = sa.table("feeds", sa.column("id"), sa.column("address"), sa.column("host"))
    connection = op.get_bind()
    for row in connection.execute(sa.select(feeds.c.id, feeds.c.address)).all():
        connection.execute(feeds.update().where(feeds.c.id == row.id).values(host=host_of(row.address)))
    op.create_index("ix_feeds_host", "feeds", ["host", "lease_until"], unique=False)
    for name in ("link_mark", "said_mark", "title_mark", "text_mark"):
        op.add_column("entries", sa.Column(name, sa.BigInteger(), nullable=True))
    op.add_column("entries", sa.Column("also_key", sa.Text(), nullable=True))
    for name in ("claimed", "updated"):
        op.add_column("entries", sa.Column(name, sa.BigInteger(), nullable=True))
    op.create_index("ix_entries_link", "entries", ["feed_id", "link_mark"], unique=False)
    op.create_index("ix_entries_said", "entries", ["feed_id", "said_mark"], unique=False)
    op.create_index("ix_entries_text", "entries", ["feed_id", "text_mark"], unique=False)
    op.create_index(
        "ix_entries_also",
        "entries",
        ["feed_id", "also_key"],
        unique=False,
        sqlite_where=sa.text("also_key IS NOT NULL"),
        postgresql_where=sa.text("also_key IS NOT NULL"),
    )

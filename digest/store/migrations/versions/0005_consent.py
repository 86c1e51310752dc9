"""Consent that can be proved: the sealed ledger, sign-ups on their way, and what outlives a person."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for table, column in (
        ("subscribers", sa.Column("salt", sa.LargeBinary(), nullable=True)),
        ("subscribers", sa.Column("manage_at", sa.BigInteger(), nullable=True)),
        ("subscriptions", sa.Column("left_from", sa.Text(), nullable=True)),
        ("subscriptions", sa.Column("left_until", sa.Date(), nullable=True)),
        ("subscriptions", sa.Column("feed_number", sa.BigInteger(), server_default="0", nullable=False)),
        ("consents", sa.Column("seq", sa.BigInteger(), nullable=True)),
        ("consents", sa.Column("person", sa.LargeBinary(), nullable=True)),
        ("consents", sa.Column("mark", sa.LargeBinary(), nullable=True)),
        ("consents", sa.Column("link", sa.LargeBinary(), nullable=True)),
        ("consents", sa.Column("key_id", sa.Text(), nullable=True)),
        ("consents", sa.Column("sealed_at", sa.BigInteger(), nullable=True)),
    ):
        op.add_column(table, column)
    op.create_index("ix_consents_seq", "consents", ["seq"], unique=True)
    op.create_index(
        "ix_subscriptions_pending",
        "subscriptions",
        ["asked_at"],
        unique=False,
        sqlite_where=sa.text("status = 'pending'"),
        postgresql_where=sa.text("status = 'pending'"),
    )
    heads = op.create_table(
        "consent_heads",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.Column("found_to", sa.BigInteger(), nullable=True),
        sa.Column("begun", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_consent_heads"),
    )
    op.bulk_insert(heads, [{"name": "consents", "length": 0, "link": bytes(16)}])
    op.create_table(
        "signups",
        sa.Column("id", ID, nullable=False),
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("mailbox", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_signups"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_signups_due", "signups", ["due_at", "id"], unique=False)
    op.create_index("ix_signups_mailbox", "signups", ["mailbox"], unique=False)
    op.create_table(
        "confirmations",
        sa.Column("id", ID, nullable=False),
        sa.Column("mailbox", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_confirmations"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_confirmations_mailbox", "confirmations", ["mailbox", "at"], unique=False)
    op.create_index("ix_confirmations_at", "confirmations", ["at"], unique=False)
    op.create_table(
        "departures",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_departures"),
    )
    op.create_table(
        "address_changes",
        sa.Column("id", ID, nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name="fk_address_changes_subscriber_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_address_changes"),
        sa.UniqueConstraint("subscriber_id", name="uq_address_changes_subscriber_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_address_changes_asked", "address_changes", ["asked_at"], unique=False)
    # Everybody gets a salt of their own; only the erased have none.
    random = "randomblob(16)" if op.get_bind().dialect.name == "sqlite" else "uuid_send(gen_random_uuid())"
    op.execute(f"UPDATE subscribers SET salt = {random} WHERE address IS NOT NULL")  # noqa: S608 - our own words

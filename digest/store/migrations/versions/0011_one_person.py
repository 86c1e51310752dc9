"""Whose the letters in the local inbox are, where a subscription went that became one with another, and changes
of address that are done."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("subscriptions", sa.Column("joined_into", sa.BigInteger()))
    op.add_column("address_changes", sa.Column("done_at", sa.BigInteger()))
    op.add_column("inbox", sa.Column("subscription_id", sa.BigInteger()))
    op.create_index("ix_inbox_subscription", "inbox", ["subscription_id"], unique=False)
    # Of the letters that are there, those to a reader's present address are theirs.
    op.execute(
        "UPDATE inbox SET subscription_id = (SELECT min(s.id) FROM subscriptions s"
        " JOIN subscribers p ON p.id = s.subscriber_id WHERE p.address = inbox.recipient)"
    )
    # Deliveries that were pruned took the way to the person with them: such a notice forgets its recipient, too.
    op.execute(
        "UPDATE notices SET recipient = 'erased', data = '{}'"
        " WHERE NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.notice_id = notices.id)"
    )

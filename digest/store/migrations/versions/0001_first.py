"""The first schema: everything from a feed to a delivered letter."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table('counters',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('value', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('name', name='pk_counters')
    )
    op.create_table('documents',
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('newsletter', sa.Text(), nullable=False),
    sa.Column('content_type', sa.Text(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('etag', sa.Text(), nullable=False),
    sa.Column('last_modified', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('path', name='pk_documents')
    )
    op.create_index('ix_documents_newsletter', 'documents', ['newsletter'], unique=False)
    op.create_table('feeds',
    sa.Column('id', ID, nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), server_default='', nullable=False),
    sa.Column('site_url', sa.Text(), server_default='', nullable=False),
    sa.Column('language', sa.Text(), server_default='', nullable=False),
    sa.Column('etag', sa.Text(), nullable=True),
    sa.Column('last_modified', sa.Text(), nullable=True),
    sa.Column('body_hash', sa.Text(), nullable=True),
    sa.Column('failures', sa.Integer(), server_default='0', nullable=False),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('gone', sa.Boolean(), nullable=False),
    sa.Column('last_polled_at', sa.BigInteger(), nullable=True),
    sa.Column('last_ok_at', sa.BigInteger(), nullable=True),
    sa.Column('last_new_at', sa.BigInteger(), nullable=True),
    sa.Column('next_poll_at', sa.BigInteger(), nullable=False),
    sa.Column('interval', sa.BigInteger(), nullable=False),
    sa.Column('fence', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('lease_until', sa.BigInteger(), server_default='0', nullable=False),
    sa.PrimaryKeyConstraint('id', name='pk_feeds'),
    sa.UniqueConstraint('url', name='uq_feeds_url')
    )
    op.create_index('ix_feeds_due', 'feeds', ['next_poll_at', 'id'], unique=False, sqlite_where=sa.text('gone IS 0'), postgresql_where=sa.text('gone IS false'))
    op.create_table('inbox',
    sa.Column('id', ID, nullable=False),
    sa.Column('recipient', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('message_id', sa.Text(), nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('id', name='pk_inbox'),
    sa.UniqueConstraint('message_id', 'recipient', name='uq_inbox_message_id_recipient'),
    sqlite_autoincrement=True
    )
    op.create_table('meta',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('name', name='pk_meta')
    )
    op.create_table('newsletters',
    sa.Column('slug', sa.Text(), nullable=False),
    sa.Column('definition', sa.Text(), nullable=False),
    sa.Column('unknown', sa.Text(), nullable=False),
    sa.Column('retired_at', sa.BigInteger(), nullable=True),
    sa.Column('tag_authority', sa.Text(), nullable=True),
    sa.Column('tag_date', sa.Date(), nullable=True),
    sa.PrimaryKeyConstraint('slug', name='pk_newsletters')
    )
    op.create_table('notices',
    sa.Column('id', ID, nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('recipient', sa.Text(), nullable=False),
    sa.Column('newsletter', sa.Text(), nullable=False),
    sa.Column('data', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name='pk_notices'),
    sa.UniqueConstraint('key', name='uq_notices_key'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_notices_recipient', 'notices', ['recipient', 'kind', 'created_at'], unique=False)
    op.create_table('subscribers',
    sa.Column('id', ID, nullable=False),
    sa.Column('address', sa.Text(), nullable=True),
    sa.Column('hash', sa.Text(), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('erased_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name='pk_subscribers'),
    sa.UniqueConstraint('address', name='uq_subscribers_address'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_subscribers_hash', 'subscribers', ['hash'], unique=False)
    op.create_table('suppressions',
    sa.Column('hash', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('hash', name='pk_suppressions')
    )
    op.create_table('consents',
    sa.Column('id', ID, nullable=False),
    sa.Column('subscriber_id', sa.BigInteger(), nullable=False),
    sa.Column('newsletter', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('event', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('evidence', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscribers.id'], name='fk_consents_subscriber_id'),
    sa.PrimaryKeyConstraint('id', name='pk_consents'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_consents_subscriber', 'consents', ['subscriber_id', 'newsletter', 'id'], unique=False)
    op.create_table('editions',
    sa.Column('id', ID, nullable=False),
    sa.Column('newsletter', sa.Text(), nullable=False),
    sa.Column('cadence', sa.Text(), nullable=False),
    sa.Column('at', sa.Text(), nullable=False),
    sa.Column('zone', sa.Text(), nullable=False),
    sa.Column('own', sa.Boolean(), nullable=False),
    sa.Column('through', sa.BigInteger(), nullable=False),
    sa.Column('last_date', sa.Date(), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['newsletter'], ['newsletters.slug'], name='fk_editions_newsletter'),
    sa.PrimaryKeyConstraint('id', name='pk_editions'),
    sa.UniqueConstraint('newsletter', 'cadence', 'at', 'zone', name='uq_editions_newsletter_cadence_at_zone')
    )
    op.create_index('ix_editions_own', 'editions', ['newsletter'], unique=True, sqlite_where=sa.text('own IS 1'), postgresql_where=sa.text('own IS true'))
    op.create_table('entries',
    sa.Column('id', ID, nullable=False),
    sa.Column('feed_id', sa.BigInteger(), nullable=False),
    sa.Column('guid_key', sa.Text(), nullable=False),
    sa.Column('guid', sa.Text(), nullable=False),
    sa.Column('hash', sa.Text(), nullable=False),
    sa.Column('data', sa.Text(), nullable=True),
    sa.Column('published', sa.BigInteger(), nullable=False),
    sa.Column('dated', sa.Boolean(), nullable=False),
    sa.Column('backlog', sa.Boolean(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.Column('rest_until', sa.BigInteger(), nullable=True),
    sa.Column('unread', sa.Boolean(), nullable=False),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('fence', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('lease_until', sa.BigInteger(), server_default='0', nullable=False),
    sa.ForeignKeyConstraint(['feed_id'], ['feeds.id'], name='fk_entries_feed_id'),
    sa.PrimaryKeyConstraint('id', name='pk_entries'),
    sa.UniqueConstraint('feed_id', 'guid_key', name='uq_entries_feed_id_guid_key'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_entries_unread', 'entries', ['id'], unique=False, sqlite_where=sa.text('unread IS 1'), postgresql_where=sa.text('unread IS true'))
    op.create_table('follows',
    sa.Column('newsletter', sa.Text(), nullable=False),
    sa.Column('feed_id', sa.BigInteger(), nullable=False),
    sa.Column('since', sa.BigInteger(), nullable=False),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['feed_id'], ['feeds.id'], name='fk_follows_feed_id'),
    sa.ForeignKeyConstraint(['newsletter'], ['newsletters.slug'], name='fk_follows_newsletter'),
    sa.PrimaryKeyConstraint('newsletter', 'feed_id', name='pk_follows')
    )
    op.create_index('ix_follows_feed', 'follows', ['feed_id'], unique=False)
    op.create_table('articles',
    sa.Column('id', ID, nullable=False),
    sa.Column('entry_id', sa.BigInteger(), nullable=False),
    sa.Column('feed_id', sa.BigInteger(), nullable=False),
    sa.Column('ready', sa.BigInteger(), nullable=True),
    sa.Column('guid_key', sa.Text(), nullable=False),
    sa.Column('url_key', sa.Text(), nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.Column('data', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['entry_id'], ['entries.id'], name='fk_articles_entry_id'),
    sa.ForeignKeyConstraint(['feed_id'], ['feeds.id'], name='fk_articles_feed_id'),
    sa.PrimaryKeyConstraint('id', name='pk_articles'),
    sa.UniqueConstraint('entry_id', name='uq_articles_entry_id'),
    sa.UniqueConstraint('ready', name='uq_articles_ready'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_articles_feed', 'articles', ['feed_id', 'ready'], unique=False)
    op.create_index('ix_articles_guid', 'articles', ['guid_key'], unique=False)
    op.create_index('ix_articles_settling', 'articles', ['entry_id'], unique=False, sqlite_where=sa.text('ready IS NULL'), postgresql_where=sa.text('ready IS NULL'))
    op.create_index('ix_articles_url', 'articles', ['url_key'], unique=False)
    op.create_table('entry_revisions',
    sa.Column('entry_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('hash', sa.Text(), nullable=False),
    sa.Column('data', sa.Text(), nullable=False),
    sa.Column('recorded_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['entry_id'], ['entries.id'], name='fk_entry_revisions_entry_id'),
    sa.PrimaryKeyConstraint('entry_id', 'number', name='pk_entry_revisions')
    )
    op.create_table('issues',
    sa.Column('id', ID, nullable=False),
    sa.Column('newsletter', sa.Text(), nullable=False),
    sa.Column('edition_id', sa.BigInteger(), nullable=False),
    sa.Column('reading_id', sa.BigInteger(), nullable=False),
    sa.Column('date', sa.Date(), nullable=False),
    sa.Column('after', sa.BigInteger(), nullable=False),
    sa.Column('through', sa.BigInteger(), nullable=False),
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('paused', sa.Boolean(), nullable=False),
    sa.Column('recipients', sa.BigInteger(), nullable=True),
    sa.Column('composed_at', sa.BigInteger(), nullable=False),
    sa.Column('public', sa.Boolean(), nullable=False),
    sa.Column('data', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['edition_id'], ['editions.id'], name='fk_issues_edition_id'),
    sa.ForeignKeyConstraint(['newsletter'], ['newsletters.slug'], name='fk_issues_newsletter'),
    sa.ForeignKeyConstraint(['reading_id'], ['editions.id'], name='fk_issues_reading_id'),
    sa.PrimaryKeyConstraint('id', name='pk_issues'),
    sa.UniqueConstraint('edition_id', 'date', 'after', name='uq_issues_edition_id_date_after'),
    sa.UniqueConstraint('path', name='uq_issues_path'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_issues_born', 'issues', ['id'], unique=False, sqlite_where=sa.text('recipients IS NULL'), postgresql_where=sa.text('recipients IS NULL'))
    op.create_index('ix_issues_newsletter', 'issues', ['newsletter', 'id'], unique=False)
    op.create_table('subscriptions',
    sa.Column('id', ID, nullable=False),
    sa.Column('subscriber_id', sa.BigInteger(), nullable=False),
    sa.Column('newsletter', sa.Text(), nullable=False),
    sa.Column('edition_id', sa.BigInteger(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('through', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('asked_at', sa.BigInteger(), nullable=True),
    sa.Column('confirmed_at', sa.BigInteger(), nullable=True),
    sa.Column('left_at', sa.BigInteger(), nullable=True),
    sa.Column('paused_until', sa.Date(), nullable=True),
    sa.ForeignKeyConstraint(['edition_id'], ['editions.id'], name='fk_subscriptions_edition_id'),
    sa.ForeignKeyConstraint(['newsletter'], ['newsletters.slug'], name='fk_subscriptions_newsletter'),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscribers.id'], name='fk_subscriptions_subscriber_id'),
    sa.PrimaryKeyConstraint('id', name='pk_subscriptions'),
    sa.UniqueConstraint('newsletter', 'subscriber_id', name='uq_subscriptions_newsletter_subscriber_id'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_subscriptions_readers', 'subscriptions', ['edition_id', 'through', 'id'], unique=False, sqlite_where=sa.text("status = 'active'"), postgresql_where=sa.text("status = 'active'"))
    op.create_index('ix_subscriptions_subscriber', 'subscriptions', ['subscriber_id'], unique=False)
    op.create_table('decisions',
    sa.Column('issue_id', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('article_id', sa.BigInteger(), nullable=False),
    sa.Column('verdict', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('story', sa.Text(), nullable=False),
    sa.Column('score', sa.Float(), nullable=True),
    sa.Column('terms', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name='fk_decisions_issue_id'),
    sa.PrimaryKeyConstraint('issue_id', 'position', name='pk_decisions')
    )
    op.create_index('ix_decisions_article', 'decisions', ['article_id'], unique=False)
    op.create_table('deliveries',
    sa.Column('id', ID, nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('recipient', sa.Text(), nullable=False),
    sa.Column('newsletter', sa.Text(), nullable=False),
    sa.Column('issue_id', sa.BigInteger(), nullable=True),
    sa.Column('notice_id', sa.BigInteger(), nullable=True),
    sa.Column('subscription_id', sa.BigInteger(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('queue', sa.BigInteger(), nullable=True),
    sa.Column('available_at', sa.BigInteger(), nullable=False),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('fence', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('lease_until', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('changed_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name='fk_deliveries_issue_id'),
    sa.ForeignKeyConstraint(['notice_id'], ['notices.id'], name='fk_deliveries_notice_id'),
    sa.PrimaryKeyConstraint('id', name='pk_deliveries'),
    sa.UniqueConstraint('issue_id', 'channel', 'subscription_id', name='uq_deliveries_issue_id_channel_subscription_id'),
    sa.UniqueConstraint('notice_id', 'channel', name='uq_deliveries_notice_id_channel'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_deliveries_attempting', 'deliveries', ['channel', 'id'], unique=False, sqlite_where=sa.text("state = 'attempting'"), postgresql_where=sa.text("state = 'attempting'"))
    op.create_index('ix_deliveries_newsletter', 'deliveries', ['issue_id', 'channel'], unique=True, sqlite_where=sa.text('subscription_id IS NULL AND issue_id IS NOT NULL'), postgresql_where=sa.text('subscription_id IS NULL AND issue_id IS NOT NULL'))
    op.create_index('ix_deliveries_queue', 'deliveries', ['channel', 'queue', 'available_at', 'id'], unique=False, sqlite_where=sa.text('queue IS NOT NULL'), postgresql_where=sa.text('queue IS NOT NULL'))
    op.create_index('ix_deliveries_subscription', 'deliveries', ['subscription_id'], unique=False)
    op.create_table('issue_channels',
    sa.Column('issue_id', sa.BigInteger(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('audience', sa.Text(), nullable=False),
    sa.Column('recipients', sa.BigInteger(), nullable=True),
    sa.Column('prepared', sa.LargeBinary(), nullable=True),
    sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name='fk_issue_channels_issue_id'),
    sa.PrimaryKeyConstraint('issue_id', 'channel', name='pk_issue_channels')
    )
    op.create_table('issue_tallies',
    sa.Column('issue_id', sa.BigInteger(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('count', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name='fk_issue_tallies_issue_id'),
    sa.PrimaryKeyConstraint('issue_id', 'channel', 'state', name='pk_issue_tallies')
    )
    op.create_table('slots',
    sa.Column('edition_id', sa.BigInteger(), nullable=False),
    sa.Column('date', sa.Date(), nullable=False),
    sa.Column('due_at', sa.BigInteger(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('issue_id', sa.BigInteger(), nullable=True),
    sa.Column('recorded_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['edition_id'], ['editions.id'], name='fk_slots_edition_id'),
    sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name='fk_slots_issue_id'),
    sa.PrimaryKeyConstraint('edition_id', 'date', name='pk_slots')
    )
    op.create_table('delivery_events',
    sa.Column('id', ID, nullable=False),
    sa.Column('delivery_id', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('relay', sa.Text(), server_default='', nullable=False),
    sa.Column('reply', sa.Text(), server_default='', nullable=False),
    sa.ForeignKeyConstraint(['delivery_id'], ['deliveries.id'], name='fk_delivery_events_delivery_id'),
    sa.PrimaryKeyConstraint('id', name='pk_delivery_events'),
    sqlite_autoincrement=True
    )
    op.create_index('ix_delivery_events_delivery', 'delivery_events', ['delivery_id', 'id'], unique=False)
    counters = sa.table("counters", sa.column("name"), sa.column("value"))
    op.bulk_insert(counters, [{"name": "ready", "value": 0}, {"name": "documents", "value": 0}])

"""The tables, once for both databases. What each column means stands here; how it is used, in the rooms.

A change here needs a new file in `migrations/versions` (a test compares the two).

Leases (`lease_until`) are microseconds of the database's own clock, 0 when free; every other time is a
`Moment` that was given to us. A `fence` counts the claims of a row: whoever holds an older one has lost it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    event,
    false,
    literal_column,
    true,
)
from sqlalchemy.sql.elements import ColumnElement

from digest.store.codec import Moment, Span, Words

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

ID = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers rows by itself only in an INTEGER key
NEVER_AGAIN: dict[str, Any] = {
    "sqlite_autoincrement": True
}  # an id whose row was pruned is not given out a second time

ATTEMPTING = literal_column("'attempting'", Text())
ACTIVE = literal_column("'active'", Text())
PENDING = literal_column("'pending'", Text())
PAUSED = literal_column("'paused'", Text())
OPEN = literal_column("'open'", Text())
"""Words, not parameters: SQLite uses a partial index only when the query says its very words."""


def lease_columns() -> tuple[Column[int], Column[int]]:
    """What a table needs whose rows are claimed."""
    return (
        Column("fence", BigInteger, nullable=False, server_default="0"),
        Column("lease_until", BigInteger, nullable=False, server_default="0"),
    )


def partial(where: ColumnElement[bool]) -> dict[str, Any]:
    """The same WHERE for an index on both databases."""
    return {"sqlite_where": where, "postgresql_where": where}


meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),  # secret, config, pepper
    Column("value", Text, nullable=False),
)

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),  # ready, documents
    Column("value", BigInteger, nullable=False),
)

newsletters = Table(
    "newsletters",
    metadata,
    Column("slug", Text, primary_key=True),
    Column("definition", Text, nullable=False),
    Column("unknown", Text, nullable=False),  # retry | hold
    Column("retired_at", Moment),
    Column("tag_authority", Text),
    Column("tag_date", Date),
)

editions = Table(
    "editions",
    metadata,
    Column("id", ID, primary_key=True),
    Column("newsletter", Text, ForeignKey("newsletters.slug"), nullable=False),
    Column("cadence", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("own", Boolean, nullable=False),
    Column("through", BigInteger, nullable=False),
    Column("last_date", Date),
    Column("created_at", Moment, nullable=False),
    Column("since", Moment),  # slots before it are nobody's
    Column("next_at", Moment),  # to be looked at then; None: it has no readers
    UniqueConstraint("newsletter", "cadence", "at", "zone"),
)
Index("ix_editions_next", editions.c.next_at, editions.c.id, **partial(editions.c.next_at.is_not(None)))
Index("ix_editions_own", editions.c.newsletter, unique=True, **partial(editions.c.own.is_(True)))

feeds = Table(
    "feeds",
    metadata,
    Column("id", ID, primary_key=True),
    Column("url", Words, nullable=False, unique=True),
    Column("address", Words, nullable=False),
    Column("title", Words, nullable=False, server_default=""),
    Column("site_url", Words, nullable=False, server_default=""),
    Column("language", Words, nullable=False, server_default=""),
    Column("etag", Words),
    Column("last_modified", Words),
    Column("body_hash", Text),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("error", Words),
    Column("gone", Boolean, nullable=False),
    Column("last_polled_at", Moment),
    Column("last_ok_at", Moment),
    Column("last_new_at", Moment),
    Column("next_poll_at", Moment, nullable=False),
    Column("interval", Span, nullable=False),
    *lease_columns(),
    Column("rhythm", Span),
    Column("longest_gap", Span),
    Column("wishes", Text),
    Column("moved_to", Words),
    Column("moved_seen", Integer, nullable=False, server_default="0"),
    Column("host", Words, nullable=False, server_default=""),  # of the address; a file is its own host
)
Index("ix_feeds_host", feeds.c.host, feeds.c.lease_until)
Index("ix_feeds_due", feeds.c.next_poll_at, feeds.c.id, **partial(feeds.c.gone.is_(False)))

follows = Table(
    "follows",
    metadata,
    Column("newsletter", Text, ForeignKey("newsletters.slug"), nullable=False),
    Column("feed_id", BigInteger, ForeignKey("feeds.id"), nullable=False),
    Column("since", Moment, nullable=False),
    Column("ended_at", Moment),
    PrimaryKeyConstraint("newsletter", "feed_id"),
)
Index("ix_follows_feed", follows.c.feed_id)

entries = Table(
    "entries",
    metadata,
    Column("id", ID, primary_key=True),  # ascends as they come in
    Column("feed_id", BigInteger, ForeignKey("feeds.id"), nullable=False),
    Column("guid_key", Text, nullable=False),
    Column("guid", Words, nullable=False),
    Column("hash", Text, nullable=False),
    Column("data", Text),  # None once pruned: the row stays, so that the feed cannot tell it again as new
    Column("published", Moment, nullable=False),
    Column("dated", Boolean, nullable=False),
    Column("backlog", Boolean, nullable=False),
    Column("position", Integer, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("rest_until", Moment),
    Column("unread", Boolean, nullable=False),  # to be read by us: it is news and has no article yet
    Column("attempts", Integer, nullable=False, server_default="0"),
    *lease_columns(),
    Column("link_mark", BigInteger),  # what it is recognized by when its guid has changed; see `Marks`
    Column("said_mark", BigInteger),
    Column("title_mark", BigInteger),
    Column("text_mark", BigInteger),
    Column("also_key", Text),  # of a second guid that it goes by, the latest one
    Column("claimed", Moment),  # when it says that it was published, and updated, as it said last
    Column("updated", Moment),
    UniqueConstraint("feed_id", "guid_key"),
    **NEVER_AGAIN,
)
Index("ix_entries_link", entries.c.feed_id, entries.c.link_mark)
Index("ix_entries_said", entries.c.feed_id, entries.c.said_mark)
Index("ix_entries_text", entries.c.feed_id, entries.c.text_mark)
Index("ix_entries_also", entries.c.feed_id, entries.c.also_key, **partial(entries.c.also_key.is_not(None)))
Index("ix_entries_unread", entries.c.id, **partial(entries.c.unread.is_(True)))

entry_revisions = Table(
    "entry_revisions",
    metadata,
    Column("entry_id", BigInteger, ForeignKey("entries.id"), nullable=False),
    Column("number", Integer, nullable=False),  # 1 is what it said at first, kept when that is changed
    Column("hash", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("recorded_at", Moment, nullable=False),
    PrimaryKeyConstraint("entry_id", "number"),
)

articles = Table(
    "articles",
    metadata,
    Column("id", ID, primary_key=True),
    Column("entry_id", BigInteger, ForeignKey("entries.id"), nullable=False, unique=True),
    Column("feed_id", BigInteger, ForeignKey("feeds.id"), nullable=False),
    Column("ready", BigInteger, unique=True),
    Column("ready_at", Moment),
    Column("guid_key", Text, nullable=False),
    Column("url_key", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("data", Text, nullable=False),
    **NEVER_AGAIN,
)
Index("ix_articles_settling", articles.c.entry_id, **partial(articles.c.ready.is_(None)))
Index("ix_articles_feed", articles.c.feed_id, articles.c.ready)
Index("ix_articles_url", articles.c.url_key)
Index("ix_articles_guid", articles.c.guid_key)
Index("ix_articles_ready_at", articles.c.ready_at, articles.c.ready)

term_counts = Table(  # of the articles of one block of `ready` numbers
    "term_counts",
    metadata,
    Column("block", BigInteger, nullable=False),
    Column("language", Text, nullable=False),
    Column("articles", BigInteger, nullable=False),
    Column("terms", Text, nullable=False),
    PrimaryKeyConstraint("block", "language"),
)

answers = Table(  # what a language model wrote
    "answers",
    metadata,
    Column("key", Text, primary_key=True),
    Column("text", Words, nullable=False),
    Column("model", Text, nullable=False),
    Column("kept_at", Moment, nullable=False),
)
Index("ix_answers_kept", answers.c.kept_at)

spending = Table(  # of each day, on a language model
    "spending",
    metadata,
    Column("day", Date, primary_key=True),
    Column("calls", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("micros", BigInteger, nullable=False),
)

issues = Table(
    "issues",
    metadata,
    Column("id", ID, primary_key=True),
    Column("newsletter", Text, ForeignKey("newsletters.slug"), nullable=False),
    Column("edition_id", BigInteger, ForeignKey("editions.id"), nullable=False),
    Column("reading_id", BigInteger, ForeignKey("editions.id"), nullable=False),  # whose readers get it
    Column("date", Date, nullable=False),
    Column("after", BigInteger, nullable=False),
    Column("through", BigInteger, nullable=False),
    Column("path", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),  # born | open | cancelled
    Column("paused", Boolean, nullable=False),
    Column("recipients", BigInteger),  # frozen when the last delivery is born; None before
    Column("composed_at", Moment, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("data", Text, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),  # grows with every correction
    Column("indexed", Integer, nullable=False, server_default="0"),  # by which rules its stories are found
    Column("shelved_at", Moment),  # it is kept no longer: nobody is shown it
    UniqueConstraint("edition_id", "date", "after"),
    **NEVER_AGAIN,
)
Index("ix_issues_newsletter", issues.c.newsletter, issues.c.id)
Index("ix_issues_public", issues.c.newsletter, issues.c.id, **partial(issues.c.public.is_(True)))
Index("ix_issues_through", issues.c.newsletter, issues.c.through)
Index("ix_issues_indexed", issues.c.indexed, issues.c.id)
Index(
    "ix_issues_archive",
    issues.c.newsletter,
    issues.c.date,
    issues.c.id,
    **partial(issues.c.public.is_(True)),
)
Index("ix_issues_born", issues.c.id, **partial(issues.c.recipients.is_(None)))

issue_channels = Table(
    "issue_channels",
    metadata,
    Column("issue_id", BigInteger, ForeignKey("issues.id"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("audience", Text, nullable=False),  # readers | newsletter
    Column("recipients", BigInteger),  # frozen with the issue's
    Column("prepared", LargeBinary),
    PrimaryKeyConstraint("issue_id", "channel"),
)

issue_letters = Table(  # the same issue with our words in other languages than its own
    "issue_letters",
    metadata,
    Column("issue_id", BigInteger, ForeignKey("issues.id"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("prepared", LargeBinary, nullable=False),
    PrimaryKeyConstraint("issue_id", "channel", "language"),
)

issue_tallies = Table(  # what is left of pruned deliveries
    "issue_tallies",
    metadata,
    Column("issue_id", BigInteger, ForeignKey("issues.id"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    PrimaryKeyConstraint("issue_id", "channel", "state"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("issue_id", BigInteger, ForeignKey("issues.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("article_id", BigInteger, nullable=False),  # no foreign key: decisions outlive pruned articles
    Column("verdict", Text, nullable=False),
    Column("reason", Words, nullable=False),
    Column("story", Words, nullable=False),
    Column("score", Float),
    Column("terms", Text, nullable=False),
    PrimaryKeyConstraint("issue_id", "position"),
)
Index("ix_decisions_article", decisions.c.article_id)

slots = Table(
    "slots",
    metadata,
    Column("edition_id", BigInteger, ForeignKey("editions.id"), nullable=False),
    Column("date", Date, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("status", Text, nullable=False),  # open, and then issue | empty | skipped | coalesced
    Column("issue_id", BigInteger, ForeignKey("issues.id")),
    Column("recorded_at", Moment, nullable=False),
    Column("through", BigInteger),  # where the windows of its issues end
    PrimaryKeyConstraint("edition_id", "date"),
)
Index("ix_slots_open", slots.c.edition_id, slots.c.date, **partial(slots.c.status == OPEN))

subscribers = Table(
    "subscribers",
    metadata,
    Column("id", ID, primary_key=True),
    Column("address", Words, unique=True),  # None once erased
    Column("hash", Text),  # the address as `suppressions` knows it; None once erased
    Column("created_at", Moment, nullable=False),
    Column("erased_at", Moment),
    Column("salt", LargeBinary),  # of the hashes in the person's lines of `consents`; None once erased
    Column("manage_at", Moment),  # when the link that is good for everything was last mailed
    **NEVER_AGAIN,
)
Index("ix_subscribers_hash", subscribers.c.hash)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", ID, primary_key=True),
    Column("subscriber_id", BigInteger, ForeignKey("subscribers.id"), nullable=False),
    Column("newsletter", Text, ForeignKey("newsletters.slug"), nullable=False),
    Column("edition_id", BigInteger, ForeignKey("editions.id"), nullable=False),
    Column("status", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("through", BigInteger, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("asked_at", Moment),  # when a confirmation was last asked for
    Column("confirmed_at", Moment),
    Column("left_at", Moment),
    Column("paused_until", Date),
    Column("language", Text, nullable=False, server_default=""),  # the reader's choice; empty: none
    Column("left_from", Text),  # the status before leaving, and until when it was paused: to undo it
    Column("left_until", Date),
    Column("feed_number", BigInteger, nullable=False, server_default="0"),  # private feeds of others are dead
    Column("feed_on", Boolean, nullable=False, server_default=false()),
    Column("by_mail", Boolean, nullable=False, server_default=true()),
    Column(
        "joined_into", BigInteger
    ),  # the subscription that it became one with; links in letters lead there
    UniqueConstraint("newsletter", "subscriber_id"),
    **NEVER_AGAIN,
)
Index("ix_subscriptions_subscriber", subscriptions.c.subscriber_id)
Index(
    "ix_subscriptions_readers",
    subscriptions.c.edition_id,
    subscriptions.c.through,
    subscriptions.c.id,
    **partial(subscriptions.c.status == ACTIVE),
)
Index(
    "ix_subscriptions_language",
    subscriptions.c.edition_id,
    subscriptions.c.language,
    **partial(subscriptions.c.language != literal_column("''", Text())),
)
Index("ix_subscriptions_pending", subscriptions.c.asked_at, **partial(subscriptions.c.status == PENDING))
Index(
    "ix_subscriptions_paused",
    subscriptions.c.edition_id,
    subscriptions.c.paused_until,
    **partial(subscriptions.c.status == PAUSED),
)

consents = Table(  # append-only, each line sealed: see `chain`
    "consents",
    metadata,
    Column("id", ID, primary_key=True),
    Column("subscriber_id", BigInteger, ForeignKey("subscribers.id"), nullable=False),
    Column("newsletter", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("event", Text, nullable=False),  # asked | yes | no | vouched | lapsed | moved | erased
    Column("source", Text, nullable=False),
    Column("evidence", Text, nullable=False),  # what was shown, and the keyed hash of the network
    Column("seq", BigInteger),  # its number on the chain, without gaps; None: not sealed
    Column("person", LargeBinary),  # salted hashes of the address and of the evidence
    Column("mark", LargeBinary),
    Column("link", LargeBinary),
    Column("key_id", Text),
    Column("sealed_at", Moment),  # of a line that was there before the chain
    **NEVER_AGAIN,
)
Index("ix_consents_subscriber", consents.c.subscriber_id, consents.c.newsletter, consents.c.id)
Index("ix_consents_seq", consents.c.seq, unique=True)

consent_heads = Table(  # one row; whoever appends holds it until the end of the transaction
    "consent_heads",
    metadata,
    Column("name", Text, primary_key=True),
    Column("length", BigInteger, nullable=False),
    Column("link", LargeBinary, nullable=False),
    Column("found_to", BigInteger),  # lines up to this id were there before the chain; None: not begun yet
    Column("begun", LargeBinary),  # the seal over `found_to`
)

signups = Table(  # what was asked for on the web and not looked at yet
    "signups",
    metadata,
    Column("id", ID, primary_key=True),
    Column("newsletter", Text, nullable=False),
    Column("address", Words, nullable=False),
    Column("mailbox", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    **NEVER_AGAIN,
)
Index("ix_signups_due", signups.c.due_at, signups.c.id)
Index("ix_signups_mailbox", signups.c.mailbox)

confirmations = Table(  # when a mailbox, known by a keyed hash, was sent one; outlives the person
    "confirmations",
    metadata,
    Column("id", ID, primary_key=True),
    Column("mailbox", Text, nullable=False),
    Column("at", Moment, nullable=False),
    **NEVER_AGAIN,
)
Index("ix_confirmations_mailbox", confirmations.c.mailbox, confirmations.c.at)
Index("ix_confirmations_at", confirmations.c.at)

departures = Table(  # who left which newsletter, by a keyed hash; outlives the person
    "departures",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("at", Moment, nullable=False),
)

address_changes = Table(  # asked for; confirmed ones stay as long as their link is good
    "address_changes",
    metadata,
    Column("id", ID, primary_key=True),
    Column("subscriber_id", BigInteger, ForeignKey("subscribers.id"), nullable=False, unique=True),
    Column("address", Words, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("done_at", Moment),
    **NEVER_AGAIN,
)
Index("ix_address_changes_asked", address_changes.c.asked_at)

imports = Table(  # lists of readers that were taken in
    "imports",
    metadata,
    Column("id", ID, primary_key=True),
    Column("key", Text, nullable=False),  # of the file's bytes, and what was asked for
    Column("file", Words, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Column("after", LargeBinary, nullable=False),  # where the last person taken in lies
    Column("counts", Text, nullable=False),
    **NEVER_AGAIN,
)
Index("ix_imports_open", imports.c.key, unique=True, **partial(imports.c.finished_at.is_(None)))

suppressions = Table(
    "suppressions",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("reason", Words, nullable=False),
    Column("at", Moment, nullable=False),
)

notices = Table(
    "notices",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("key", Words, nullable=False, unique=True),
    Column("recipient", Words, nullable=False),
    Column("newsletter", Text, nullable=False),  # "" when it is about none
    Column("data", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    **NEVER_AGAIN,
)
Index("ix_notices_recipient", notices.c.recipient, notices.c.kind, notices.c.created_at)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", ID, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("recipient", Words, nullable=False),
    Column("newsletter", Text, nullable=False),
    Column("issue_id", BigInteger, ForeignKey("issues.id")),
    Column("notice_id", BigInteger, ForeignKey("notices.id")),
    Column("subscription_id", BigInteger),
    Column("state", Text, nullable=False),
    # Its place in the queue: 0 for notices (they go first), else the issue. None: nobody may claim it, as it
    # is being attempted or is at rest (sent, failed, suppressed; unknown and held). Claims walk its index.
    Column("queue", BigInteger),
    Column("available_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    *lease_columns(),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column(
        "language", Text, nullable=False, server_default=""
    ),  # an `issue_letters` row's; "" is the issue's
    UniqueConstraint("issue_id", "channel", "subscription_id"),
    UniqueConstraint("notice_id", "channel"),
    **NEVER_AGAIN,
)
Index(
    "ix_deliveries_queue",
    deliveries.c.channel,
    deliveries.c.queue,
    deliveries.c.available_at,
    deliveries.c.id,
    **partial(deliveries.c.queue.is_not(None)),
)
Index(
    "ix_deliveries_attempting",
    deliveries.c.channel,
    deliveries.c.id,
    **partial(deliveries.c.state == ATTEMPTING),
)
Index(  # one document of an issue a channel: those deliveries have no subscription
    "ix_deliveries_newsletter",
    deliveries.c.issue_id,
    deliveries.c.channel,
    unique=True,
    **partial(deliveries.c.subscription_id.is_(None) & deliveries.c.issue_id.is_not(None)),
)
Index("ix_deliveries_subscription", deliveries.c.subscription_id)

delivery_events = Table(
    "delivery_events",
    metadata,
    Column("id", ID, primary_key=True),
    Column("delivery_id", BigInteger, ForeignKey("deliveries.id"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("relay", Words, nullable=False, server_default=""),
    Column("reply", Words, nullable=False, server_default=""),
    **NEVER_AGAIN,
)
Index("ix_delivery_events_delivery", delivery_events.c.delivery_id, delivery_events.c.id)

documents = Table(
    "documents",
    metadata,
    Column("path", Text, primary_key=True),
    Column("newsletter", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("etag", Text, nullable=False),
    Column("last_modified", Moment, nullable=False),
    Column("links", Text, nullable=False, server_default=""),  # the value of its Link header (RFC 8288)
    Column("version", BigInteger, nullable=False, server_default="0"),  # the counter's, at its last change
    Column("gzip", LargeBinary),  # the body, packed; None until it is
    Column("brotli", LargeBinary),
)
Index("ix_documents_newsletter", documents.c.newsletter)
Index("ix_documents_version", documents.c.version)

stories = Table(  # of the public issues, as the search shows them; `story_words` holds what finds them
    "stories",
    metadata,
    Column(
        "id", ID, primary_key=True
    ),  # made of the issue's id and the number: newer issues have greater ones
    Column("issue_id", BigInteger, ForeignKey("issues.id"), nullable=False),
    Column("newsletter", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("language", Text, nullable=False),
    Column("title", Words, nullable=False),
    Column("summary", Words, nullable=False),
    Column("source", Words, nullable=False),
)
Index("ix_stories_issue", stories.c.issue_id)

for dialect, statement in (
    # The words come in as the search reads them (`terms`): apart from spaces, all is one word here.
    (
        "sqlite",
        "CREATE VIRTUAL TABLE story_words USING fts5"
        "(scope, words, tokenize = \"unicode61 remove_diacritics 0 categories 'L* M* N* Co'\")",
    ),
    ("postgresql", "CREATE TABLE story_words (id BIGINT PRIMARY KEY, words TSVECTOR NOT NULL)"),
    ("postgresql", "CREATE INDEX ix_story_words ON story_words USING gin (words)"),
):
    ddl = DDL(statement)  # type: ignore[no-untyped-call]  # SQLAlchemy has no types for it
    event.listen(metadata, "after_create", ddl.execute_if(dialect=dialect))

feed_archives = Table(  # RFC 5005: which issues each archive document of a newsletter's feed holds
    "feed_archives",
    metadata,
    Column("newsletter", Text, ForeignKey("newsletters.slug"), nullable=False),
    Column("number", Integer, nullable=False),  # from 1, the oldest
    Column("through", BigInteger, nullable=False),  # its last issue; the first comes after the archive before
    Column("made", Text, nullable=False, server_default=""),  # what it was made with; "" while it is not
    PrimaryKeyConstraint("newsletter", "number"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", ID, primary_key=True),
    Column("recipient", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("message_id", Words, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("subscription_id", BigInteger),  # of whom it was sent for, whatever address it went to
    UniqueConstraint("message_id", "recipient"),
    **NEVER_AGAIN,
)
Index("ix_inbox_subscription", inbox.c.subscription_id)

budgets = Table(  # letters granted in each cell of time
    "budgets",
    metadata,
    Column("name", Text, nullable=False),  # of the count: a relay, perhaps a domain, and a length of time
    Column("cell", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False),
    Column("until", Moment, nullable=False),  # the cell's end
    PrimaryKeyConstraint("name", "cell"),
)

relay_starts = Table(  # days of a warm-up are counted from then
    "relay_starts",
    metadata,
    Column("relay", Text, primary_key=True),
    Column("first_at", Moment, nullable=False),
)

relay_states = Table(  # what was refused, and what is paused for it
    "relay_states",
    metadata,
    Column("name", Text, primary_key=True),  # a relay, or a relay and a domain
    Column("relay", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("changed_at", Moment, nullable=False),
)
Index("ix_relay_states_relay", relay_states.c.relay)

"""The words of the house: frozen values for each stage, and the few errors.

    Feed → Fetched → Parsed(Entry…) → Article → Story → Issue → Delivery → letter or Document

A type per stage; no stage edits another's. Times are aware and UTC. This module imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

# ---------------------------------------------------------------- errors


class DigestError(Exception):
    """The base of every error that we raise on purpose; its text is written for people."""


class FeedError(DigestError):
    """A feed could not be fetched or read. `retry_after` is the server's own wish, if it had one."""

    def __init__(
        self, message: str, *, permanent: bool = False, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after


class PublishError(DigestError):
    """One delivery could not be made.

    permanent: trying this delivery again cannot help.
    unknown: the other side may have accepted it (the connection broke after the body).
    suppress: the address itself is dead and must not be written to again.
    counts: whether this uses up one of the delivery's attempts (a lost connection does not).
    wait: when it may be tried again at the earliest; None: as the ledger's own back-off says.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        unknown: bool = False,
        suppress: bool = False,
        counts: bool = True,
        relay: str = "",
        wait: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.unknown = unknown
        self.suppress = suppress
        self.counts = counts
        self.relay = relay
        self.wait = wait

    @property
    def shuts(self) -> bool:
        """The way out is in trouble, not this delivery: others would fare no better now."""
        return not (self.counts or self.permanent or self.unknown)


class NotReady(DigestError):
    """Not possible now, but later: another schema, another secret, a locked database (exit 75)."""


class Superseded(NotReady):
    """This process holds an older config (or secret, or schema) than the one now in force; it should end."""


class NotFound(DigestError):
    """What was asked for by name is not there; the text names what is."""


# ---------------------------------------------------------------- what the admin defines

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CADENCES = ("daily", "weekdays", "weekly")
"""What readers may be offered; `weekly` is one day of their choice."""
RENAMED_LANGUAGES = MappingProxyType({"iw": "he", "in": "id", "ji": "yi", "jw": "jv", "mo": "ro"})
"""Old tags and those that took their place (IANA language subtag registry, Preferred-Value)."""
CONFIRM_MAX_AGE = timedelta(days=3)
"""How long the link of a confirmation letter works."""


def days_of(cadence: str) -> tuple[int, ...]:
    """The days (0 = Monday) of a cadence: `daily`, `weekdays`, or days by name, `mon` or `mon,thu`.
    Raises DigestError."""
    if cadence == "daily":
        return (0, 1, 2, 3, 4, 5, 6)
    if cadence == "weekdays":
        return (0, 1, 2, 3, 4)
    names = cadence.split(",")
    if any(name not in WEEKDAYS for name in names):
        raise DigestError(f"there is no cadence {cadence!r}: it is daily, weekdays, or days such as mon")
    return tuple(sorted({WEEKDAYS.index(name) for name in names}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a newsletter comes out: a wall-clock time in a zone on some days (0 = Monday)."""

    at: time
    zone: str
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)

    @property
    def cadence(self) -> str:
        """`daily`, `weekdays`, or the days by name: `mon,thu`."""
        if self.days == (0, 1, 2, 3, 4, 5, 6):
            return "daily"
        if self.days == (0, 1, 2, 3, 4):
            return "weekdays"
        return ",".join(WEEKDAYS[day] for day in self.days)

    @property
    def rhythm(self) -> Rhythm:
        return Rhythm(cadence=self.cadence, at=self.at, zone=self.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """When a reader has letters: `cadence` as `days_of` reads it, `at` by the clock of `zone` (IANA)."""

    cadence: str
    at: time
    zone: str

    @property
    def schedule(self) -> Schedule:
        """Raises DigestError for a cadence that there is not."""
        return Schedule(at=self.at, zone=self.zone, days=days_of(self.cadence))

    def __str__(self) -> str:
        return f"{self.cadence} {self.at:%H:%M} {self.zone}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """What a newsletter lets its readers choose besides its own rhythm. cadences: of `CADENCES`; empty: its
    own one only. hour: also the hour and the zone."""

    cadences: tuple[str, ...] = CADENCES
    hour: bool = True

    def has(self, rhythm: Rhythm, own: Rhythm) -> bool:
        """Whether a reader of a newsletter with this rhythm of its own may have that one."""
        if not self.hour and (rhythm.at, rhythm.zone) != (own.at, own.zone):
            return False
        kind = "weekly" if rhythm.cadence in WEEKDAYS else rhythm.cadence
        return rhythm.cadence == own.cadence or kind in self.cadences


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What an article must be like; every part that is not empty must hold, and one without any never does.

    words: all of them, as whole words. category, author: all words in one of them. feed: its address or its
    title. where: what `words` and `regex` look at: `title`, `text` or `any`, which adds categories and
    authors to these two.
    """

    words: str = ""
    regex: str = ""
    category: str = ""
    author: str = ""
    language: str = ""
    feed: str = ""
    where: str = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """How one newsletter follows one feed.

    first: how far back the first window of a newly followed feed reaches; None means everything.
    settle: how long an entry rests, unedited, before it may be used.
    full_text: fetch the page of each entry, for feeds that tell only the beginning.
    include: an article must match one of them, if there are any. exclude: and none of these.
    """

    url: str
    title: str | None = None
    section: str | None = None
    weight: float = 1.0
    first: timedelta | None = timedelta(days=2)
    settle: timedelta = timedelta(0)
    full_text: bool = False
    include: tuple[Filter, ...] = ()
    exclude: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How much of its archive a newsletter keeps, by age and by number; None: everything."""

    age: timedelta | None = None
    issues: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Newsletter:
    """The standing publication an admin defines. `catch_up` says what happens to missed slots:
    `coalesce` (one issue for all of them), `skip` (none for those long past) or `each`. stale: how long a
    letter that servers put off is tried. offers: the rhythms that readers may choose.

    per_section: stories under a heading at most, for those that have a limit of their own. include, exclude:
    as of a feed, for all of them. interest_weights: of those interests that do not count 1. hub: the WebSub
    hub that is told of new issues; empty: none. archive: what is kept for everyone to read.
    """

    slug: str
    title: str
    description: str = ""
    language: str = "en"
    schedule: Schedule
    follows: tuple[Follow, ...] = ()
    limit: int = 12
    per_feed: int = 4
    recipients: tuple[str, ...] = ()
    channels: tuple[str, ...] = ("email", "feed")
    subject: str = "{{ lead.title }}"
    catch_up: str = "coalesce"
    unknown: str = "retry"
    stale: timedelta = timedelta(hours=24)
    interests: tuple[str, ...] = ()
    interest_weights: Mapping[str, float] = field(default_factory=dict)
    per_section: Mapping[str, int] = field(default_factory=dict)
    include: tuple[Filter, ...] = ()
    exclude: tuple[Filter, ...] = ()
    offers: Offers = Offers()
    hub: str = ""
    archive: Retention = Retention()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The public face: `url` has no trailing slash and is the base of every link."""

    title: str
    url: str
    postal_address: str = ""


# ---------------------------------------------------------------- feeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How often a document asks to be read. Hours of the day in UTC; days with 0 = Monday.

    every: the longest of what `<ttl>` and `sy:updatePeriod` ask for; None when they ask for nothing.
    """

    every: timedelta | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A source we follow. `url` is the key, as configured; `address` is where it lives now.

    interval: how often we ask, from its rhythm. rhythm: the mean time between its entries, and longest_gap
    the longest; None while we know too little. last_new_at: when news last came; of a feed that we have only
    just met, the date of its newest entry. wishes: what its document asked for when it was last read.
    moved_to: where permanent redirects led the last `moved_seen` times.
    """

    id: int
    url: str
    address: str
    title: str = ""
    site_url: str = ""
    language: str = ""
    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    failures: int = 0
    error: str | None = None
    gone: bool = False
    last_polled_at: datetime | None = None
    last_ok_at: datetime | None = None
    last_new_at: datetime | None = None
    next_poll_at: datetime
    interval: timedelta = timedelta(hours=1)
    rhythm: timedelta | None = None
    longest_gap: timedelta | None = None
    wishes: Wishes | None = None
    moved_to: str | None = None
    moved_seen: int = 0
    fence: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What the network (or a local file) gave. `body` is None when the server said 304.

    permanent_url: where only permanent redirects led. max_age: how long the answer stays fresh, by
    `Cache-Control` or `Expires`.
    """

    url: str
    status: int
    body: bytes | None
    content_type: str = ""
    etag: str | None = None
    last_modified: str | None = None
    permanent_url: str | None = None
    max_age: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a feed said about one item, cleaned of control characters and nothing else.

    html: the fullest content given, as markup of the feed; never shown uncleaned.
    description: the feed's own short text, as markup; empty if the feed gave only content.
    published: what the feed claims, UTC; None when it claims nothing or nonsense.
    """

    guid: str
    url: str
    title: str
    html: str = ""
    description: str = ""
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    language: str = ""
    image: str = ""
    published: datetime | None = None
    updated: datetime | None = None
    enclosure: str = ""
    comments: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What the bytes of a feed said. Entries stand in the order of the document."""

    title: str
    site_url: str
    language: str
    entries: tuple[Entry, ...]
    wishes: Wishes | None = None
    icon: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadEntry:
    """A recorded entry that we hold, by lease, to read.

    backlog: it stood in the feed's first document; position counts from that document's top (0).
    published: the claim, clamped between the feed's rhythm and `received_at`.
    """

    id: int
    feed_id: int
    feed_url: str
    feed_title: str
    feed_language: str
    fence: int
    attempts: int
    received_at: datetime
    published: datetime
    dated: bool
    backlog: bool
    position: int
    entry: Entry


# ---------------------------------------------------------------- articles and stories


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A chosen sentence and its place in the article's text; (-1, -1): the publisher's own words."""

    text: str
    start: int = -1
    end: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What compose compares: the hash of the normalized text, hashes of its 4-word shingles,
    and counts of its terms (title counted twice, first 200 words)."""

    text_hash: str
    shingles: tuple[int, ...]
    terms: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An entry read by us. `ready` is given by the store when it may be used; None before.

    source: where the text came from: `content`, `page`, `description` or `title`.
    """

    id: int = 0
    ready: int | None = None
    entry_id: int
    feed_id: int
    feed_url: str
    feed_title: str
    guid: str
    url: str
    title: str
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    language: str
    text: str
    words: int
    summary: tuple[Sentence, ...]
    source: str
    image: str = ""
    published: datetime
    dated: bool = True
    received_at: datetime
    backlog: bool = False
    position: int = 0
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One article behind a story: the lead or one of “also in …”."""

    article_id: int
    feed_url: str
    feed_title: str
    title: str
    url: str
    authors: tuple[str, ...] = ()
    language: str = ""
    published: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One or more articles about the same thing, as we tell it.

    terms: the sum that ranked it, term by term, in the order of the formula. places: for each sentence of
    the summary where it stands in the lead's text, (-1, -1) for the publisher's own description; empty when
    the words are of nobody's text. writer: the model that wrote the summary; empty when it is made of the
    article's own sentences. earlier: where it was told before; only an update has that. corrected_at: when
    its words were last corrected; None when they never were.
    """

    key: str
    title: str
    url: str
    summary: tuple[str, ...]
    language: str
    section: str
    image: str = ""
    words: int = 0
    lead: Source
    also: tuple[Source, ...] = ()
    score: float = 0.0
    terms: Mapping[str, float] = field(default_factory=dict)
    update: bool = False
    places: tuple[tuple[int, int], ...] = ()
    writer: str = ""
    earlier: Earlier | None = None
    corrected_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """The issue in which a story was told last, before it was told again as an update."""

    path: str
    date: date
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A story as an earlier issue told it. articles: the lead's and the others', as far as they are kept."""

    story: Story
    path: str
    date: date
    composed_at: datetime
    articles: tuple[Article, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """How common terms were in the articles of the weeks before: by language, the number of articles that
    were counted, and in how many of them each term stands."""

    articles: Mapping[str, int] = field(default_factory=dict)
    terms: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Why one article of the window is, or is not, in the issue.

    verdict: `lead`, `also`, or the step that kept it out: `known`, `filtered`, `copy`, `told`, `per_feed`,
    `section`, `limit`.
    """

    article_id: int
    verdict: str
    reason: str
    story: str = ""
    score: float | None = None
    terms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What the summarizer makes of a window: the stories in their order, and every decision."""

    stories: tuple[Story, ...]
    decisions: tuple[Decision, ...]
    subject: str
    intro: str
    words: int
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """A rhythm of a newsletter that some readers share. `through` is the last ready number covered.

    own: it is the newsletter's own rhythm, the one the archive and the feeds show.
    since: when it last got readers after it had none; slots before that are nobody's. next_at: when it is to
    be looked at; None while it has no readers.
    """

    id: int
    newsletter: str
    cadence: str
    at: str
    zone: str
    own: bool
    through: int
    last_date: date | None
    created_at: datetime
    since: datetime
    next_at: datetime | None = None

    @property
    def rhythm(self) -> Rhythm:
        """Not of the edition `manual`, which has none."""
        return Rhythm(cadence=self.cadence, at=time.fromisoformat(self.at), zone=self.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One number of an edition, frozen. A correction is a new revision.

    window: (after, through] of ready numbers. `path` is stored at birth and never changes:
    `world/2026-11-22`.
    tag: the id in feeds, a `tag:` URI (RFC 4151).
    """

    id: int = 0
    newsletter: str
    edition_id: int
    date: date
    after: int
    through: int
    path: str
    tag: str
    title: str
    subject: str
    intro: str
    language: str
    stories: tuple[Story, ...]
    words: int
    minutes: int
    composed_at: datetime
    updated_at: datetime
    revision: int = 1
    public: bool = True
    state: str = "born"
    recipients: int | None = None


# ---------------------------------------------------------------- subscribers


class SubscriptionStatus(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    PAUSED = "paused"
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A person's yes to one newsletter. `source`: web, config, cli or import. paused_until: the first day,
    by the zone of `rhythm`, that has an issue again; None while paused: until they resume. language: the
    reader's choice for our words to them; empty: the newsletter's. asked_at: when a confirmation was last
    mailed; only that one's link is good.

    feed_on: there is a private feed; feed_number: the number of its address, a new one for each address that
    it ever had. by_mail: False for one who reads the private feed instead of letters.
    """

    id: int
    subscriber_id: int
    address: str
    newsletter: str
    edition_id: int
    rhythm: Rhythm
    status: SubscriptionStatus
    source: str
    through: int
    created_at: datetime
    confirmed_at: datetime | None = None
    left_at: datetime | None = None
    paused_until: date | None = None
    language: str = ""
    feed_number: int = 0
    feed_on: bool = False
    by_mail: bool = True
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """What a link of ours says. number: what was signed beside the id: the second in which it was issued,
    or whatever else a purpose is bound to; 0 for nothing.

    id: of the subscription; for `address` of the change that was asked for.
    """

    id: int
    number: int

    @property
    def issued(self) -> datetime:
        """Only of a purpose whose tokens have an age."""
        return datetime.fromtimestamp(self.number, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressChange:
    """Somebody wants their letters at another address. done: it was confirmed before; they go there."""

    id: int
    subscriber_id: int
    address: str
    asked_at: datetime
    done: bool = False


# ---------------------------------------------------------------- deliveries


class DeliveryState(StrEnum):
    PENDING = "pending"
    ATTEMPTING = "attempting"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A letter that is no issue. `kind`: confirm, welcome, goodbye, manage, address, moved, report, test.
    `data` holds plain JSON values."""

    id: int
    kind: str
    key: str
    recipient: str
    newsletter: str
    data: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One thing to send to one place. Exactly one of `issue_id` and `notice_id` is set. language: that of the
    letter's own words, fixed at its birth; "" is the issue's."""

    id: int
    channel: str
    recipient: str
    newsletter: str
    issue_id: int | None = None
    notice_id: int | None = None
    subscription_id: int | None = None
    state: DeliveryState
    attempts: int = 0
    fence: int = 0
    created_at: datetime
    available_at: datetime
    language: str = ""


class Receipt(NamedTuple):
    """The other side took it: which relay, and its reply."""

    relay: str
    reply: str


class Ended(NamedTuple):
    """What came of one attempt, or of a letter that was never begun, on its way into the ledger.

    available_at: when it may be tried again (None: at once). uncounted: the attempt does not count against
    the reader. suppress: its address is dead.
    """

    delivery: Delivery
    state: DeliveryState
    relay: str = ""
    reply: str = ""
    available_at: datetime | None = None
    uncounted: bool = False
    suppress: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEvent:
    """One change in a delivery's history."""

    at: datetime
    state: DeliveryState
    attempt: int
    relay: str
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Published bytes. `last_modified` has whole seconds; `etag` is strong and quoted; `links` is the value
    of its Link header, empty when it has none. gzip, brotli: the body, packed; empty while it is not."""

    path: str
    newsletter: str
    content_type: str
    body: bytes
    etag: str
    last_modified: datetime
    links: str = ""
    gzip: bytes = field(default=b"", repr=False, compare=False)
    brotli: bytes = field(default=b"", repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """A story as a list shows it; language: empty when it is the issue's."""

    title: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An issue as a list shows it. headlines: of its first three stories; stories: how many there are."""

    id: int
    newsletter: str
    path: str
    date: date
    title: str
    headlines: tuple[Headline, ...]
    language: str
    stories: int
    updated_at: datetime

    @property
    def headline(self) -> str:
        return self.headlines[0].title if self.headlines else self.title


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month in which so many issues came out."""

    year: int
    month: int
    issues: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a text, `marked` where it is what somebody searched for."""

    text: str
    marked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A story that a search found: number `number` of the issue at `path`. Greater ids are newer."""

    id: int
    newsletter: str
    path: str
    date: date
    number: int
    language: str
    source: str
    title: tuple[Piece, ...]
    excerpt: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedArchive:
    """Which issues an archive document of a newsletter's feed holds: those after one, through another.

    number: from 1, the oldest. made: a fingerprint of what the documents were made with; empty while they are
    not.
    """

    newsletter: str
    number: int
    after: int
    through: int
    made: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter kept in the local inbox."""

    id: int
    recipient: str
    subject: str
    message_id: str
    received_at: datetime
    body: bytes


# ---------------------------------------------------------------- what the store tells


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A newsletter as the store knows it, also after it has left the config (`retired_at`).

    tag_authority, tag_date: fixed at its first issue, for the ids in feeds; None before.
    """

    newsletter: Newsletter
    retired_at: datetime | None = None
    tag_authority: str | None = None
    tag_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What an entry can be recognized by, besides its guid: 63-bit fingerprints, None where it has too
    little.

    link: where it points, without scheme, host and tracking. said: its title and the date that it claims.
    title, text: its words alone, without markup, case and punctuation.
    """

    link: int | None = None
    said: int | None = None
    title: int | None = None
    text: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An entry as the store holds it, for people who ask what became of it.

    entry: None once its words were let go. article_id: None while nobody has read it, or never will.
    """

    id: int
    feed_url: str
    guid: str
    entry: Entry | None
    received_at: datetime
    published: datetime
    backlog: bool
    unread: bool
    rest_until: datetime | None = None
    article_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownEntry:
    """What the store remembers of an entry, for recognizing it again.

    other: a second guid that it goes by; "" for one that was not asked for, None when it has only one. hash:
    of what it says now; hashes: of everything it ever said. claimed, updated: what it last claimed of itself,
    None for nothing; published is what we believe.
    """

    id: int
    guid: str
    marks: Marks
    hash: str
    hashes: tuple[str, ...]
    published: datetime
    unread: bool
    other: str | None = None
    claimed: datetime | None = None
    updated: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """An entry on its way into the store, with what we decided about it.

    known: the id of the entry that it is, None when it is a new one. Of a known one only this is written
    down: its words if they are new (revised), what it is recognized by (marked), a second guid (also). hash:
    fingerprint of what a reader could see of it. claimed: the date to recognize it by. news: False means it
    is recorded as known and never summarized (it lies before every first window). rest_until: it may be used
    from then on, None at once.
    """

    entry: Entry
    hash: str
    marks: Marks = Marks()
    known: int | None = None
    revised: bool = False
    marked: bool = False
    also: str = ""
    published: datetime
    dated: bool
    backlog: bool
    position: int
    claimed: datetime | None = None
    news: bool = True
    rest_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStatus:
    """A feed with what an admin asks about it."""

    feed: Feed
    newsletters: tuple[str, ...]
    entries: int
    articles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowState:
    """Since when a newsletter follows a feed."""

    url: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotKey:
    """The moment of an edition on a local date."""

    edition_id: int
    date: date
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRecord:
    """What became of a slot: `issue`, `empty`, `skipped` or `coalesced`; `open` while its issues are made.

    issue_id: its issue; of several, that of the archive, else the first. issues: how many there are, one for
    all who stand at one number.
    """

    edition_id: int
    rhythm: Rhythm
    own: bool
    date: date
    due_at: datetime
    status: str
    issue_id: int | None
    issues: int
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSlot:
    """A slot whose issues are being made; all their windows end with `through`."""

    key: SlotKey
    through: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Readers of an edition who wait for its open slot at one number. public: what they wait for is the
    issue of the archive, which is made also for nobody. readers: at least one of them may be written to."""

    after: int
    public: bool
    readers: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """What a sign-up led to. The page shown to the person never depends on it.

    later: not mailed, as this mailbox was mailed too much lately; from then on it may be. None also if the
    letter that they want is one of those.
    """

    subscription: Subscription | None
    mailed: bool
    later: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRow:
    """One line of the append-only ledger: `asked`, `yes`, `no`, `vouched`, `reason` (why somebody left),
    `lapsed` (asked and never answered), `moved` (to another address), `erased`."""

    at: datetime
    newsletter: str
    event: str
    source: str
    evidence: Mapping[str, Any]


# ---------------------------------------------------------------- lists of readers


class Vouched(NamedTuple):
    """Somebody whom the admin vouches for (a tuple: there may be millions). mark: what stands for the person,
    by the store. evidence: JSON text. confirmed_at: None is now. paused_until counts only with `paused`.
    language: of our words to them; empty: the newsletter's."""

    mark: bytes
    address: str
    newsletter: str
    evidence: str = "{}"
    confirmed_at: datetime | None = None
    paused: bool = False
    paused_until: date | None = None
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """How far an import has come. after: where the last person taken in lies; counts: what became of them all
    by outcome. resumed: it was begun before and did not end."""

    id: int
    after: bytes
    counts: Mapping[str, int]
    started_at: datetime
    resumed: bool

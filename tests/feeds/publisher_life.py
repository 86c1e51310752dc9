"""A publisher who does to its feed whatever publishers do, and knows all the while which post is which.

Every entry carries the number of its post where no rule looks (`comments`). What no reader could tell apart
is left out on purpose: these lives change one thing at a time about what a post is known by, as people do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

from digest.model import Entry, KnownEntry, Marks, NewEntry

START = datetime(2026, 1, 5, 6, 1, 13, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WORDS = (
    "harbour", "council", "bridge", "letter", "winter", "garden", "market", "orchard", "silver", "engine",
    "window", "ferry", "history", "glacier", "painter", "railway", "summer", "village", "concert", "library",
    "island", "copper", "river", "signal", "theatre", "weather",
)  # fmt: skip
BOILERPLATE = (
    "Say whatever you like in here, be kind to one another, and remember the rules of this house. " * 3
)

GUIDS = ("permalink", "number", "tag", "none", "random", "constant", "place", "versioned")
STABLE = ("permalink", "number", "tag")
LINKS = ("own", "own", "own", "shared", "front", "none")
DATES = ("exact", "exact", "hour", "none", "now")
KINDS = (("post",), ("post",), ("untitled",), ("post", "untitled"), ("post", "post", "thread"),
         ("post", "post", "page"))  # fmt: skip
STEPS = (20 * MINUTE, HOUR, 3 * HOUR, DAY)


@dataclass(slots=True)
class Post:
    """kind: post, untitled, thread (the same words every time), page (the next thing at the same address)."""

    number: int
    kind: str
    title: str
    text: str
    published: datetime
    slug: str
    edits: int = 0
    updated: datetime | None = None


@dataclass(slots=True)
class Habits:
    """What a feed is like; some of it changes in its life."""

    guids: str
    links: str
    dates: str
    texts: bool
    kinds: tuple[str, ...]
    noise: bool
    servers: int
    length: int
    order: str
    doubles: bool
    pinned: bool
    says_updated: bool

    @property
    def fickle(self) -> bool:
        """A guid is not always that of the same post."""
        return self.guids not in STABLE or self.servers > 1

    @property
    def by_numbers(self) -> bool:
        """A guid is that of many posts."""
        return self.guids in ("place", "constant")


def some_habits(random: Random) -> Habits:
    """A kind of feed, of those whose posts can be told apart at all."""
    has = Habits(
        guids=random.choice(GUIDS),
        links=random.choice(LINKS),
        dates=random.choice(DATES),
        texts=random.random() < 0.8,
        kinds=random.choice(KINDS),
        noise=random.random() < 0.3,
        servers=random.choice((1, 1, 2)),
        length=random.choice((1, 3, 10, 10, 30)),
        order=random.choice(("newest", "newest", "oldest", "any")),
        doubles=random.random() < 0.2,
        pinned=random.random() < 0.2,
        says_updated=random.random() < 0.5,
    )
    if "page" in has.kinds:  # where guids mean nothing, tomorrow's page is today's, edited
        has.servers = 1
        has.guids = has.guids if has.guids in (*STABLE, "versioned") else "number"
    daily = "thread" in has.kinds or "page" in has.kinds
    if has.by_numbers or (daily and has.dates in ("none", "now")):
        has.dates = "exact"
    if "thread" in has.kinds or (has.fickle and has.links != "own" and has.dates != "exact"):
        has.links = "own"  # without a guid, a link or a date there is nothing to know a post by
    if has.guids == "permalink" and has.noise and has.links in ("shared", "none"):
        has.links = "own"
    if daily or "untitled" in has.kinds or has.links != "own":
        has.texts = True
    if has.fickle and (has.by_numbers or has.dates == "now" or has.links != "own"):
        has.length = max(has.length, 10)  # what a whole document shows takes a document
    if has.fickle or has.dates == "now" or (has.guids == "permalink" and has.noise):
        has.doubles = False
    return has


@dataclass(slots=True)
class Publisher:
    random: Random
    habits: Habits
    now: datetime = START
    host: str = "https://www.paper.example"
    folder: str = "/news"
    scheme: int = 0
    posts: list[Post] = field(default_factory=list)
    served: list[tuple[Entry, ...]] = field(default_factory=list)
    pages: int = 0

    def write(self, count: int) -> None:
        for _ in range(count):
            number = len(self.posts) + 1
            kind = self.random.choice(self.habits.kinds)
            when = self.now - self.random.randrange(1, 3000) * timedelta(seconds=1)
            if self.posts:
                when = max(when, self.posts[-1].published + timedelta(seconds=61))
            if kind in ("page", "thread"):  # one a day: that is what makes it one of the day
                last = next((post.published for post in reversed(self.posts) if post.kind == kind), None)
                if last is not None and (when - last < 20 * HOUR or when.date() == last.date()):
                    kind = "post"
            when = when.replace(second=when.second or 7)
            self.posts.append(
                Post(
                    number=number,
                    kind=kind,
                    title=self._title(kind, number),
                    text=BOILERPLATE if kind == "thread" else self._text(),
                    published=when,
                    slug="pollen" if kind == "page" else f"{self._word()}-{self._word()}-{number}",
                )
            )

    def _word(self) -> str:
        return self.random.choice(WORDS)

    def _title(self, kind: str, number: int) -> str:
        if kind == "untitled":
            return ""
        if kind == "thread":
            return "The thread of the day"
        if kind == "page":
            return "Pollen report"
        return f"{self._word()} {self._word()} {self._word()} {number}".capitalize()

    def _text(self) -> str:
        return " ".join(self._word() for _ in range(self.random.randrange(40, 60)))

    def edit(self, post: Post, what: str) -> None:
        post.edits += 1
        post.updated = self.now
        if what != "text" and post.kind == "post":
            post.title = f"{post.title} ({self._word()} {post.edits})"
        if what != "title" and post.kind != "thread":
            post.text = f"{self._text()} {post.edits}"

    # ---------------------------------------------------------------- a day in its life

    def go_on(self) -> tuple[Entry, ...]:
        """Some time passes, something happens, and this is served."""
        self.now += self.random.choice(STEPS)
        if self.random.random() < 0.5:
            self.write(min(self.random.choice((1, 1, 2, 3)), self.habits.length))
        if self.random.random() < 0.15 and (edits := self._edits()):
            self.edit(self.random.choice(self.posts[-self.habits.length :]), self.random.choice(edits))
            if self.habits.fickle:
                self.served.clear()  # what it looked like before cannot be recognized any more
            return self.document()
        if self.random.random() < 0.04:
            self._change(self.random.choice(self._changes()))
            return self.document()
        if self.random.random() < 0.05 and len(self.served) > 2:
            return self.served[-self.random.randrange(2, min(len(self.served), 12) + 1)]  # an old copy
        document = self.document()
        cut = self.random.random() < 0.05 and not self.habits.by_numbers
        return document[: max(1, len(document) // 2)] if cut else document

    def _edits(self) -> tuple[str, ...]:
        """What may be edited at once, so that enough is left to know the post by."""
        has = self.habits
        if (has.guids in STABLE and has.servers == 1) or (has.links == "own" and has.dates == "exact"):
            return ("title", "text", "both")
        if has.dates == "exact" and "untitled" not in has.kinds:
            return ("title", "text")
        return ()

    def _changes(self) -> tuple[str, ...]:
        has = self.habits
        found = ["https", "host"]
        if "page" in has.kinds:
            return tuple(found)
        dated = has.dates in ("exact", "hour")
        if has.guids in STABLE and not has.doubles and (dated or has.length >= 10):
            found += ["scheme", "guids"] if has.links == "own" or has.dates == "exact" else []
        if has.guids in (*STABLE, "versioned", "none") and has.texts:
            found += ["folder"] if has.dates == "exact" or has.guids in ("number", "tag") else []
        return tuple(found)

    def _change(self, what: str) -> None:
        if what == "https":
            secure = self.host.startswith("https:")
            self.host = (
                self.host.replace("https:", "http:") if secure else self.host.replace("http:", "https:")
            )
        elif what == "host":
            hosts = ("https://paper.example", "https://www.paper.example", "http://news.other.example")
            self.host = self.random.choice(hosts)
        elif what == "folder":
            self.folder = self.random.choice(("/news", "/archive", "/2026"))
        elif what == "scheme":
            self.scheme += 1
        else:
            self.habits.guids = self.random.choice(("number", "tag"))

    # ---------------------------------------------------------------- what it serves

    def document(self) -> tuple[Entry, ...]:
        server = self.random.randrange(self.habits.servers)
        habits, posts = self.habits, list(reversed(self.posts))
        shown = posts[: habits.length]
        if habits.pinned and posts[-1] not in shown:
            shown = [posts[-1], *shown[:-1]]
        if habits.order == "oldest":
            shown.reverse()
        elif habits.order == "any":
            self.random.shuffle(shown)
        entries = [self._entry(post, place, server) for place, post in enumerate(shown)]
        if habits.doubles:
            for entry in self.random.sample(entries, min(2, len(entries))):
                entries.insert(self.random.randrange(len(entries) + 1), self._double(entry))
        self.served.append(tuple(entries))
        return tuple(entries)

    def _entry(self, post: Post, place: int, server: int) -> Entry:
        link = self._link(post)
        published = {
            "exact": post.published,
            "hour": post.published.replace(minute=0, second=0),
            "none": None,
            "now": self.now,
        }[self.habits.dates]
        return Entry(
            guid=self._guid(post, place, server),
            url=self._noisy(link),
            title=post.title,
            description=f"<p>{post.text}</p>" if self.habits.texts else "",
            published=published,
            updated=post.updated if self.habits.says_updated else None,
            comments=str(post.number),
        )

    def _link(self, post: Post) -> str:
        if post.kind == "page":
            return f"{self.host}{self.folder}/pollen"
        return {
            "own": f"{self.host}{self.folder}/{post.slug}",
            "shared": f"{self.host}{self.folder}/show",
            "front": f"{self.host}/",
            "none": "",
        }[self.habits.links]

    def _noisy(self, link: str) -> str:
        if not link or not self.habits.noise:
            return link
        noise = f"utm_source=rss&utm_campaign={self.random.randrange(10**6)}"
        return f"{link}?{noise}" if self.random.random() < 0.7 else link

    def _guid(self, post: Post, place: int, server: int) -> str:
        kind = self.habits.guids
        if kind == "permalink":
            link = f"{self.host}{self.folder}/{post.slug}"
            link += f"-{post.published:%Y%m%d}" if post.kind == "page" else ""
            return self._noisy(link if not server else link.replace("https:", "http:"))
        if kind == "versioned":  # the BBC's way
            slug = f"{post.slug}-{post.published:%Y%m%d}" if post.kind == "page" else post.slug
            return f"{self.host}{self.folder}/{slug}#{post.edits}"
        return {
            "number": f"{self.scheme}-{server}-{post.number}",
            "tag": f"tag:paper.example,2026:{self.scheme}/{server}/{post.slug}/{post.published:%Y%m%d}",
            "none": "",
            "random": f"{self.random.getrandbits(64):x}",
            "constant": "urn:paper",
            "place": f"item-{place}",
        }[kind]

    def _double(self, entry: Entry) -> Entry:
        """The same post a second time: with another guid, another link, or just again."""
        how = self.random.choice(("again", "guid", "link"))
        if how == "guid" and entry.guid and self.habits.guids not in ("constant", "place"):
            return replace(entry, guid=f"{entry.guid}-b")
        if how == "link" and entry.url and entry.guid and self.habits.links == "own":
            return replace(entry, url=entry.url.replace(self.folder, f"{self.folder}/again", 1))
        return entry


# ---------------------------------------------------------------- the store, in a few lines


class Memory:
    """What `store.feeds.known` and `record_poll` do, in memory."""

    def __init__(self) -> None:
        self.rows: dict[int, KnownEntry] = {}
        self.posts: dict[int, str] = {}

    def known(self, guids: Sequence[str], marks: Sequence[Marks]) -> list[KnownEntry]:
        rows = list(self.rows.values())
        found = {row.id: row for row in rows if row.guid in guids or row.other in guids}
        named = {row.other: row for row in found.values()} | {row.guid: row for row in found.values()}
        for guid, signs in zip(guids, marks, strict=True):
            row = named.get(guid)
            if row is not None and not any(
                self._differ(getattr(signs, sign), getattr(row.marks, sign))
                for sign in ("link", "title", "text")
            ):
                continue
            for sign in ("link", "said", "text"):
                value = getattr(signs, sign)
                alike = [one for one in rows if value is not None and getattr(one.marks, sign) == value]
                found |= {one.id: one for one in alike[-4:]}
        return [
            replace(row, other=row.other if row.other is None or row.other in guids else "")
            for row in found.values()
        ]

    @staticmethod
    def _differ(one: int | None, other: int | None) -> bool:
        return one is not None and other is not None and one != other

    def record(self, given: Iterable[NewEntry]) -> None:
        for new in given:
            if new.known is None:
                if any(row.guid == new.entry.guid for row in self.rows.values()):
                    continue
                number = len(self.rows) + 1
                self.posts[number] = new.entry.comments
                self.rows[number] = KnownEntry(
                    id=number,
                    guid=new.entry.guid,
                    marks=new.marks,
                    hash=new.hash,
                    hashes=(new.hash,),
                    published=new.published,
                    unread=new.news,
                    other=new.also or None,
                    claimed=new.claimed,
                    updated=new.entry.updated,
                )
                continue
            row = self.rows[new.known]
            if new.revised:
                row = replace(row, hashes=(*row.hashes, new.hash)[-21:])
            if new.revised or new.marked:
                row = replace(
                    row,
                    hash=new.hash,
                    marks=new.marks,
                    claimed=new.claimed,
                    updated=new.entry.updated,
                )
            self.rows[new.known] = replace(row, other=new.also) if new.also else row

"""Readers who change their minds: cadence, hour, zone, pauses, goodbyes and returns, over weeks or years,
through the real store and the real composing, with a calendar of our own as the judge.

Only drafting is short: an issue tells every article of its window, so that what a reader was told can be
counted.
"""

from __future__ import annotations

import asyncio
import bisect
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, cast
from zoneinfo import ZoneInfo

from digest import pipeline
from digest.drafting import Material, write
from digest.line import Line
from digest.links import Links
from digest.model import (
    Article,
    Draft,
    Entry,
    Fingerprint,
    Follow,
    Issue,
    NewEntry,
    Newsletter,
    Rhythm,
    Site,
    Source,
    Story,
    Subscription,
)
from digest.store import Store

ZONES = (
    "Africa/Cairo",
    "America/Nuuk",
    "America/Santiago",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Europe/Berlin",
)
"""Clocks put forward at midnight, by half an hour, on a Friday, and one that everybody knows."""
CADENCES = ("daily", "weekdays", "mon", "thu", "sun")
QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)
FEED = "https://city.example/feed.xml"
SITE = Site(title="The Morning Post", url="https://post.example.org")
OWN = Rhythm(cadence="daily", at=time(7), zone="Europe/Berlin")

# ---------------------------------------------------------------- a calendar of our own


class Calendar:
    """When a time of day comes in a zone: found by looking at its clock every quarter of an hour."""

    def __init__(self, zone: str, first: datetime, last: datetime) -> None:
        clock = ZoneInfo(zone)
        self._instants: list[datetime] = []
        self._latest: list[datetime] = []  # the latest reading of the clock up to then
        latest = datetime.min  # noqa: DTZ901 - readings of a clock on the wall
        moment = first
        while moment <= last:
            latest = max(latest, moment.astimezone(clock).replace(tzinfo=None))
            self._instants.append(moment)
            self._latest.append(latest)
            moment += QUARTER

    def slot(self, day: date, at: time) -> datetime | None:
        """The first instant at which the clock has reached it; None: beyond what we looked at."""
        place = bisect.bisect_left(self._latest, datetime.combine(day, at))
        return self._instants[place] if 0 < place < len(self._instants) else None


def _days(cadence: str) -> frozenset[int]:
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    every = {"daily": range(7), "weekdays": range(5)}
    return frozenset(every[cadence] if cadence in every else (names.index(cadence),))


# ---------------------------------------------------------------- what stands in for the rest of the house


class InHouse:
    """Workers without processes, and a summarizer that tells every article."""

    async def run(self, function: Callable[..., Any], /, *args: Any, timeout: float) -> Any:  # noqa: ASYNC109 - as the real ones
        assert function is write
        await asyncio.sleep(0)
        return _tell_all(*args)


def _tell_all(
    newsletter: Newsletter, held: Material, now: datetime, _templates: Path | None
) -> tuple[Draft, str, dict[int, Article]]:
    stories = tuple(_story(each.ready or 0, each.id, now) for each in held.candidates)
    return Draft(stories=stories, decisions=(), subject="", intro="", words=1, minutes=1), "News", {}


def _story(number: int, article_id: int, now: datetime) -> Story:
    lead = Source(
        article_id=article_id, feed_url=FEED, feed_title="", title=str(number), url="", published=now
    )
    return Story(
        key=str(number), title=str(number), url="", summary=("x",), language="en", section="", lead=lead
    )


@dataclass(frozen=True, slots=True)
class Channel:
    """A way out that nothing goes out by."""

    channel: str
    audience: str
    concurrency: int = 1

    async def prepare(self, _issue: Issue, _newsletter: Newsletter) -> bytes | None:
        return None


# ---------------------------------------------------------------- readers


@dataclass(slots=True)
class Reader:
    """spans: (from, to] of what they must have been told; the last one is open while they read."""

    id: int
    address: str
    spans: list[tuple[int, int | None]] = field(default_factory=list)


@dataclass(slots=True)
class Lives:
    """One newsletter, its readers, and two schedulers on one database."""

    stores: tuple[Store, Store]
    chance: Random
    first: datetime
    last: datetime
    policy: str = "coalesce"
    every: timedelta = timedelta(hours=9)  # on average, somebody does something
    now: datetime = field(init=False)
    newsletter: Newsletter = field(init=False)
    lines: tuple[Line, ...] = field(init=False)
    readers: list[Reader] = field(default_factory=list)
    articles: int = 0
    looks: int = 0
    expected: dict[tuple[Rhythm, date], datetime] = field(default_factory=dict)
    excused: set[tuple[Rhythm, date]] = field(default_factory=set)
    did: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    _stood: dict[int, int] = field(default_factory=dict)

    async def begin(self, readers: int) -> None:
        self.now = self.first
        self.newsletter = Newsletter(
            slug="world",
            title="World",
            schedule=OWN.schedule,
            follows=(Follow(url=FEED),),
            catch_up=self.policy,
        )
        await self.store.newsletters.sync([self.newsletter], site=SITE, now=self.now)
        await self._publish(1)
        await self.store.set_config("lives")
        self.lines = tuple(self._line(store) for store in self.stores)
        for number in range(readers):
            address = f"reader{number}@example.org"
            assert await self._join(address) == "added"
            (found,) = await self.store.subscriptions.of(address)
            self.readers.append(Reader(id=found.id, address=address, spans=[(found.through, None)]))

    @property
    def store(self) -> Store:
        return self.stores[0]

    def _line(self, store: Store) -> Line:
        channels = {
            "email": Channel("email", "readers"),
            "feed": Channel("feed", "newsletter"),
        }
        return Line(
            store=store,
            net=cast(Any, None),
            readers=cast(Any, None),
            workers=cast(Any, InHouse()),
            links=Links(base=SITE.url, secret=b"s" * 32),
            site=SITE,
            newsletters={"world": self.newsletter},
            publishers=cast(Any, channels),
            folder=Path(),
            templates=None,
            config_hash="lives",
            clock=lambda: self.now,
            chance=self.chance.random,
        )

    # ------------------------------------------------------------ time passes

    async def live(self) -> None:
        """Until the end: a look at each slot, and between them what readers, admins and machines do."""
        action = self._next_action()
        while self.now < self.last:
            before = self.now
            if self.chance.random() < 0.004:
                self.now += DAY * self.chance.uniform(0.3, 4)
                self.did["downtime"] += 1
            else:
                self.now = min(action, await self._next_slot())
            await self._expect(before)
            await self._publish_some()
            await self._look(before)
            if self.now >= action:
                await self._act()
                action = self._next_action()
        await self._come_to_rest()

    def _next_action(self) -> datetime:
        return self.now + self.every * self.chance.expovariate(1)

    async def _look(self, before: datetime) -> None:
        """Compose: by one, by two at once, by one that dies, or while a reader changes their mind."""
        self.looks += 1
        one, two = (pipeline.compose(line, self.now) for line in self.lines)
        kind = self.chance.random()
        if kind < 0.15:
            self.did["two at once"] += 1
            await asyncio.gather(one, two)
        elif kind < 0.22:
            two.close()
            self.did["killed"] += 1
            task = asyncio.ensure_future(one)
            await asyncio.sleep(self.chance.uniform(0, 0.03))
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await pipeline.compose(self.lines[1], self.now)
        elif kind < 0.27:
            two.close()
            self._excuse(before)
            await asyncio.gather(one, self._act())
        else:
            two.close()
            await one
        await self._check_forward()

    async def _check_forward(self) -> None:
        for each in await self.store.subscriptions.list(limit=10_000):
            if each.through < self._stood.get(each.id, 0):
                self.wrong.append(f"{self.now}: {each.address} went back to {each.through}")
            self._stood[each.id] = each.through

    async def _come_to_rest(self) -> None:
        """Everybody reads again, and eight days pass."""
        for reader in self.readers:
            await self.store.subscriptions.resume(reader.id, self.now)
        until = self.now + 8 * DAY
        while self.now < until:
            before, self.now = self.now, await self._next_slot()
            await self._expect(before)
            await pipeline.compose(self.lines[0], self.now)

    # ------------------------------------------------------------ what people do

    async def _act(self) -> None:
        reader = self.chance.choice(self.readers)
        found = await self.store.subscriptions.get(reader.id)
        assert found is not None
        kind = self.chance.random()
        if found.status == "left":
            await self._return(reader)
        elif kind < 0.5:
            self.did["changed rhythm"] += 1
            await self.store.subscriptions.choose(reader.id, self._some_rhythm(), now=self.now)
        elif kind < 0.72:
            self.did["paused"] += 1
            until = None if self.chance.random() < 0.3 else self._today(found) + self._some_days()
            await self.store.subscriptions.pause(reader.id, until, self.now)
        elif kind < 0.88:
            self.did["resumed"] += 1
            await self.store.subscriptions.resume(reader.id, self.now)
        elif kind < 0.93:
            self.did["left"] += 1
            await self.store.subscriptions.leave(reader.id, evidence={}, now=self.now)
            await self._end_span(reader)
        elif kind < 0.98:
            self.did["by hand"] += 1
            await pipeline.compose(self.lines[1], self.now, force=True)
        else:
            await self._change_schedule()

    async def _end_span(self, reader: Reader) -> None:
        found = await self.store.subscriptions.get(reader.id)
        assert found is not None
        reader.spans[-1] = (reader.spans[-1][0], found.through)

    async def _return(self, reader: Reader) -> None:
        self.did["returned"] += 1
        assert await self._join(reader.address) == "added"
        found = await self.store.subscriptions.get(reader.id)
        assert found is not None
        reader.spans.append((found.through, None))

    async def _join(self, address: str) -> str:
        """As who confirms a link does; here by the admin's hand, which takes nobody in again who left."""
        store = self.store.subscriptions
        said = await store.add("world", address, source="cli", evidence={}, now=self.now)
        if said != "left":
            return said
        self.now += timedelta(days=1, seconds=1)  # one confirmation a day is mailed in any case
        asked = await store.request("world", address, evidence={}, now=self.now)
        assert asked.subscription is not None
        back = await store.confirm(asked.subscription.id, evidence={}, now=self.now)
        return "added" if back is not None and back.status == "active" else "not back"

    async def _change_schedule(self) -> None:
        self.did["changed schedule"] += 1
        new = replace(self._some_rhythm(), cadence=self.chance.choice(("daily", "weekdays")))
        for rhythm in (self.newsletter.schedule.rhythm, new):
            self._excuse_days(rhythm)
        self.newsletter = replace(self.newsletter, schedule=new.schedule)
        await self.store.newsletters.sync([self.newsletter], site=SITE, now=self.now)
        self.lines = tuple(self._line(store) for store in self.stores)

    def _some_rhythm(self) -> Rhythm:
        """Few enough for readers to meet, and many around midnight, where clocks are put forward."""
        hour = self.chance.choice((0, 0, 2, 7, 18, 23))
        return Rhythm(
            cadence=self.chance.choice(CADENCES),
            at=time(hour, self.chance.choice((0, 0, 30, 45))),
            zone=self.chance.choice(ZONES),
        )

    def _some_days(self) -> timedelta:
        return timedelta(days=self.chance.choice((1, 2, 5, 14, 60)))

    def _today(self, subscription: Subscription) -> date:
        return self.now.astimezone(ZoneInfo(subscription.rhythm.zone)).date()

    # ------------------------------------------------------------ news

    async def _publish_some(self) -> None:
        if several := self.chance.choice((0, 0, 0, 1, 1, 3)):
            await self._publish(several)

    async def _publish(self, several: int) -> None:
        store = self.store
        feed = await store.feeds.claim_now(FEED, lease=timedelta(minutes=1))
        assert feed is not None
        numbers = range(self.articles + 1, self.articles + several + 1)
        self.articles += several
        entries = [_entry(number, self.now) for number in numbers]
        polled = replace(feed, next_poll_at=self.last + 99 * DAY)  # or issues would wait for it
        assert await store.feeds.record_poll(polled, entries, now=self.now) is not None
        for unread in await store.articles.claim_unread(self.now, limit=100, lease=timedelta(minutes=1)):
            await store.articles.record(_article(unread.id, unread.feed_id, self.now), fence=unread.fence)
        assert await store.articles.make_ready(self.now) == several

    # ------------------------------------------------------------ what must come of it

    async def _read_rhythms(self) -> dict[Rhythm, list[Subscription]]:
        found: dict[Rhythm, list[Subscription]] = {self.newsletter.schedule.rhythm: []}
        for each in await self.store.subscriptions.list(limit=10_000):
            if each.status in ("active", "paused"):
                found.setdefault(each.rhythm, []).append(each)
        return found

    async def _next_slot(self) -> datetime:
        rhythms = await self._read_rhythms()
        return min(
            due
            for rhythm in rhythms
            for _, due in self._slots(rhythm, self.now, self.now + 9 * DAY)
            if due > self.now
        )

    async def _expect(self, before: datetime) -> None:
        """The slots that have come and that somebody reads."""
        for rhythm, readers in (await self._read_rhythms()).items():
            own = rhythm == self.newsletter.schedule.rhythm
            for day, due in self._slots(rhythm, before, self.now):
                awake = any(
                    each.status == "active" or (each.paused_until is not None and each.paused_until <= day)
                    for each in readers
                )
                if (own or awake) and (rhythm, day) not in self.excused:
                    self.expected[rhythm, day] = due

    def _excuse(self, since: datetime) -> None:
        """Whether anybody is there when these slots are opened is not decided yet."""
        self.expected = {slot: due for slot, due in self.expected.items() if due <= since}

    def _excuse_days(self, rhythm: Rhythm) -> None:
        """A day that the old schedule has used up has no slot of the new one."""
        today = self.now.astimezone(ZoneInfo(rhythm.zone)).date()
        days = {(rhythm, today + timedelta(days=by)) for by in (-1, 0, 1)}
        self.excused |= days
        self.expected = {slot: due for slot, due in self.expected.items() if slot not in days}

    def _slots(self, rhythm: Rhythm, after: datetime, until: datetime) -> Iterator[tuple[date, datetime]]:
        calendar = calendar_of(rhythm.zone, self.first - 30 * DAY, self.last + 60 * DAY)
        days = _days(rhythm.cadence)
        day = after.astimezone(ZoneInfo(rhythm.zone)).date() - DAY
        while day <= until.astimezone(ZoneInfo(rhythm.zone)).date() + DAY:
            due = calendar.slot(day, rhythm.at) if day.weekday() in days else None
            if due is not None and after < due <= until:
                yield day, due
            day += DAY

    async def judge(self) -> list[str]:
        """All that went wrong, in words."""
        wrong = list(self.wrong)
        records = await self.store.issues.slots("world", limit=1_000_000)
        known = {(each.rhythm, each.date): each for each in records}
        if len(known) != len(records):
            wrong.append("a slot stands twice")
        for (rhythm, day), due in self.expected.items():
            record = known.get((rhythm, day))
            if record is None:
                wrong.append(f"{rhythm}, {day}: nothing was recorded")
            elif record.due_at != due:
                wrong.append(f"{rhythm}, {day}: due {record.due_at}, not {due}")
        wrong += [f"{each.rhythm}, {each.date}: still open" for each in records if each.status == "open"]
        issues = await self.store.issues.latest("world", limit=1_000_000, public=False)
        if len({(one.edition_id, one.date, one.after) for one in issues}) != len(issues):
            wrong.append("an issue was made twice")
        wrong += self._gaps([one for one in issues if one.public])
        told = await self._told(issues)
        for reader in self.readers:
            wrong += await self._judge(reader, told.get(reader.id, []))
        return wrong

    @staticmethod
    def _gaps(public: Sequence[Issue]) -> list[str]:
        told = Counter(int(story.title) for issue in public for story in issue.stories)
        twice = [number for number, times in told.items() if times > 1]
        return [f"the archive told {number} twice" for number in twice]

    async def _told(self, issues: Sequence[Issue]) -> dict[int, list[int]]:
        told: dict[int, list[int]] = {}
        for issue in issues:
            if issue.recipients is None:
                self.wrong.append(f"{issue.path} was never complete")
            for letter in await self.store.deliveries.of_issue(issue.id, limit=10_000):
                if letter.subscription_id is not None:
                    numbers = [int(story.title) for story in issue.stories]
                    told.setdefault(letter.subscription_id, []).extend(numbers)
        return told

    async def _judge(self, reader: Reader, told: list[int]) -> list[str]:
        found = await self.store.subscriptions.get(reader.id)
        assert found is not None
        last = reader.spans[-1]
        if last[1] is None:
            reader.spans[-1] = (last[0], found.through)
            if found.through != self.articles:
                return [f"{reader.address} stands at {found.through} of {self.articles}"]
        due = Counter(number for start, end in reader.spans for number in range(start + 1, (end or 0) + 1))
        got = Counter(told)
        wrong = [f"{reader.address} was told {number} {got[number]} times" for number in got - due]
        return wrong + [f"{reader.address} was never told {number}" for number in due - got]


@cache
def calendar_of(zone: str, first: datetime, last: datetime) -> Calendar:
    return Calendar(zone, first, last)


def _entry(number: int, now: datetime) -> NewEntry:
    entry = Entry(guid=str(number), url=f"https://city.example/{number}", title=str(number))
    return NewEntry(entry=entry, hash=str(number), published=now, dated=True, backlog=False, position=number)


def _article(entry_id: int, feed_id: int, now: datetime) -> Article:
    return Article(
        entry_id=entry_id,
        feed_id=feed_id,
        feed_url=FEED,
        feed_title="City",
        guid=str(entry_id),
        url=f"https://city.example/{entry_id}",
        title=str(entry_id),
        language="en",
        text="News.",
        words=1,
        summary=(),
        source="title",
        published=now,
        received_at=now,
        fingerprint=Fingerprint(text_hash="", shingles=(), terms={}),
    )


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Store]:
    store = await Store.open(url)
    try:
        yield store
    finally:
        await store.close()


async def lived(
    url: str, *, seed: str, days: int, readers: int, policy: str, first: datetime, every: timedelta
) -> tuple[Lives, list[str]]:
    """All of it; and what went wrong."""
    async with _opened(url) as one, _opened(url) as two:
        lives = Lives((one, two), Random(seed), first, first + days * DAY, policy, every)  # noqa: S311 - whims
        await lives.begin(readers)
        await lives.live()
        return lives, await lives.judge()

"""Values for the store's tests, and the few steps that most of them begin with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from digest.model import (
    Article,
    Decision,
    Delivery,
    Entry,
    Feed,
    Fingerprint,
    Follow,
    FollowState,
    Issue,
    NewEntry,
    Newsletter,
    Schedule,
    Sentence,
    Site,
    SlotKey,
    Source,
    Story,
    UnreadEntry,
)
from digest.store import Store

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)
SITE = Site(title="The Morning Post", url="https://news.example.org:8443/post")
FEED = "https://city.example/feed.xml"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
BOTH: Mapping[str, Any] = {"email": "readers", "feed": "newsletter"}


def newsletter(slug: str = "world", **changes: Any) -> Newsletter:
    made = Newsletter(
        slug=slug,
        title=f"The {slug}",
        schedule=Schedule(at=time(7, 0), zone="Europe/Berlin"),
        follows=(Follow(url=FEED),),
    )
    return replace(made, **changes)


async def synced(store: Store, *newsletters: Newsletter, now: datetime = NOW) -> None:
    await store.newsletters.sync(newsletters or (newsletter(),), site=SITE, now=now)


def new_entry(number: int = 1, **changes: Any) -> NewEntry:
    entry = Entry(
        guid=f"guid-{number}",
        url=f"https://city.example/{number}",
        title=f"Story {number}",
        html="<p>A bridge was opened.</p>",
        authors=("Ada",),
        published=NOW - HOUR,
    )
    made = NewEntry(
        entry=entry, hash=f"hash-{number}", published=NOW - HOUR, dated=True, backlog=False, position=number
    )
    return replace(made, **changes)


def polled(feed: Feed, now: datetime = NOW, **changes: Any) -> Feed:
    """The feed as it is after a poll that went well."""
    made = replace(feed, last_polled_at=now, last_ok_at=now, next_poll_at=now + HOUR, etag='"1"')
    return replace(made, **changes)


async def told(store: Store, *entries: NewEntry, url: str = FEED, now: datetime = NOW) -> Feed:
    """The feed has told these entries."""
    feed = await store.feeds.claim_now(url, lease=MINUTE)
    assert feed is not None
    assert await store.feeds.record_poll(polled(feed, now), entries, now=now) is not None
    return feed


def article_of(unread: UnreadEntry) -> Article:
    return Article(
        entry_id=unread.id,
        feed_id=unread.feed_id,
        feed_url=unread.feed_url,
        feed_title=unread.feed_title,
        guid=unread.entry.guid,
        url=unread.entry.url,
        title=unread.entry.title,
        authors=unread.entry.authors,
        language="en",
        text="A bridge was opened.",
        words=4,
        summary=(Sentence(text="A bridge was opened.", start=0, end=20), Sentence(text="Own words.")),
        source="content",
        published=unread.published,
        received_at=unread.received_at,
        fingerprint=Fingerprint(text_hash="abc", shingles=(1, 2**63, 3), terms={"bridge": 2}),
    )


async def read_all(store: Store, now: datetime = NOW) -> list[int]:
    """Every unread entry is read; the articles' ids."""
    ids = []
    while unread := await store.articles.claim_unread(now, limit=100, lease=MINUTE):
        for one in unread:
            id = await store.articles.record(article_of(one), fence=one.fence)  # noqa: A001
            assert id is not None
            ids.append(id)
    return ids


async def with_articles(store: Store, count: int, *, first: int = 1) -> int:
    """This many more articles are ready; the last number."""
    await told(store, *(new_entry(number) for number in range(first, first + count)))
    await read_all(store)
    assert await store.articles.make_ready(NOW) == count
    return await store.articles.max_ready()


async def window(store: Store, slug: str, *, after: int, through: int) -> list[tuple[Article, FollowState]]:
    """The articles of a window, opened."""
    return [each.candidate() for each in await store.windows.of(slug, after=after, through=through)]


def story(title: str = "A bridge was opened") -> Story:
    lead = Source(
        article_id=1, feed_url=FEED, feed_title="City", title=title, url="https://c/1", published=NOW
    )
    return Story(
        key="k1",
        title=title,
        url="https://city.example/1",
        summary=("One.", "Two."),
        language="en",
        section="Local",
        lead=lead,
        also=(replace(lead, article_id=2),),
        score=1.5,
        terms={"fresh": 1.0, "weight": 0.5},
    )


def decision(article_id: int = 1, verdict: str = "lead") -> Decision:
    return Decision(
        article_id=article_id, verdict=verdict, reason="fresh", story="k1", score=1.5, terms={"fresh": 1.0}
    )


async def an_issue(store: Store, slug: str = "world", **changes: Any) -> Issue:
    """An issue of the newsletter's own edition over one more number, not born yet."""
    edition = await store.newsletters.own_edition(slug)
    day = changes.get("date", TODAY)
    path = await store.issues.free_path(slug, day)
    made = Issue(
        newsletter=slug,
        edition_id=edition.id,
        date=day,
        after=edition.through,
        through=edition.through + 1,
        path=path,
        tag=f"tag:news.example.org,2026-11-22:{path}",
        title="World, 22 November",
        subject="A bridge was opened",
        intro="",
        language="en",
        stories=(story(),),
        words=100,
        minutes=1,
        composed_at=NOW,
        updated_at=NOW,
    )
    return replace(made, **changes)


async def born(
    store: Store,
    slug: str = "world",
    *,
    audiences: Mapping[str, Any] = BOTH,
    decisions: Sequence[Decision] = (),
    prepared: Mapping[str, bytes] | None = None,
    slot: SlotKey | None = None,
    **changes: Any,
) -> Issue:
    """An issue whose deliveries are not there yet; with a slot, for that one, which is opened."""
    made = await an_issue(store, slug, **changes)
    open_slot = None if slot is None else await store.slots.open(slot, through=made.through, now=NOW)
    issue = await store.issues.birth(
        made,
        decisions=decisions,
        prepared=prepared or {},
        audiences=audiences,
        slot=open_slot,
        now=NOW,
    )
    assert issue is not None
    if open_slot is not None:
        await store.slots.close(open_slot, NOW)
    return issue


async def opened(store: Store, slug: str = "world", **changes: Any) -> Issue:
    """An issue that may be sent."""
    issue = await born(store, slug, **changes)
    while not await store.issues.add_deliveries(issue.id, NOW):
        pass
    return await store.issues.get(issue.id)


async def readers(store: Store, count: int, slug: str = "world", first: int = 1) -> list[int]:
    """This many active readers; the ids of their subscriptions."""
    for number in range(first, first + count):
        added = await store.subscriptions.add(
            slug, f"reader{number}@example.org", source="cli", evidence={}, now=NOW
        )
        assert added == "added"
    every = await store.subscriptions.list(slug, limit=100_000)
    return [one.id for one in every][-count:]


async def claimed(
    store: Store, channel: str = "email", limit: int = 1000, now: datetime = NOW
) -> list[Delivery]:
    return await store.deliveries.claim_due(channel, now, limit=limit, lease=MINUTE)


async def one_letter(store: Store, **changes: Any) -> Delivery:
    """The letter of an open issue to its only reader, claimed."""
    await synced(store, newsletter(**changes))
    await readers(store, 1)
    await opened(store)
    (delivery,) = await claimed(store)
    return delivery


def slot(edition_id: int, day: date = TODAY) -> SlotKey:
    return SlotKey(
        edition_id=edition_id, date=day, due_at=datetime(day.year, day.month, day.day, 6, tzinfo=UTC)
    )

"""Feeds are asked by one at a time, and what they say is kept once, in the order it came."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from store_values import (
    DAY,
    FEED,
    HOUR,
    MINUTE,
    NOW,
    new_entry,
    newsletter,
    polled,
    read_all,
    synced,
    told,
)

from digest.model import Entry, Feed, Follow, Marks, NotFound
from digest.store import Store

pytestmark = pytest.mark.asyncio
NO_TIME = timedelta(0)


async def due(store: Store, now=NOW, limit: int = 100, lease: timedelta = MINUTE, **kw: bool):  # type: ignore[no-untyped-def]
    return await store.feeds.claim_due(now, limit=limit, lease=lease, **kw)


async def names(store: Store, feed: Feed, *guids: str) -> set[str]:
    """Which of these guids the feed has told before."""
    return {one.guid for one in await store.feeds.known(feed.id, guids, [Marks()] * len(guids))}


async def test_a_new_feed_is_due_at_once_and_lent_to_one(store: Store) -> None:
    await synced(store)
    (feed,) = await due(store)
    assert (feed.url, feed.address, feed.fence, feed.next_poll_at, feed.gone) == (FEED, FEED, 1, NOW, False)
    assert await due(store) == []
    assert await store.feeds.claim_now(FEED, lease=MINUTE) is None


async def test_a_poll_leaves_the_new_state_and_the_next_time(store: Store) -> None:
    await synced(store)
    (feed,) = await due(store)
    after = polled(
        feed,
        address="https://moved.example/feed",
        title="City desk \0",
        site_url="https://city.example",
        language="en",
        last_modified="yesterday",
        body_hash="b",
        failures=3,
        error="HTTP 500",
        last_new_at=NOW,
        interval=2 * HOUR,
    )
    assert await store.feeds.record_poll(after, [new_entry(1), new_entry(2)], now=NOW) == 2
    status = await store.feeds.get(FEED)
    assert status.feed == replace(after, title="City desk ")
    assert (status.newsletters, status.entries, status.articles) == (("world",), 2, 0)
    assert await due(store, NOW + HOUR - MINUTE) == []
    (again,) = await due(store, NOW + HOUR)
    assert again.fence == feed.fence + 1


async def test_a_poll_by_somebody_who_was_overtaken_writes_nothing(store: Store) -> None:
    await synced(store)
    (slow,) = await due(store, lease=NO_TIME)
    (quick,) = await due(store)
    assert await store.feeds.record_poll(polled(slow, title="slow"), [new_entry(1)], now=NOW) is None
    assert await names(store, slow, "guid-1") == set()
    assert await store.feeds.record_poll(polled(quick, title="quick"), [], now=NOW) == 0
    assert (await store.feeds.get(FEED)).feed.title == "quick"


async def test_entries_are_kept_once_and_read_in_the_order_they_came(store: Store) -> None:
    await synced(store)
    await told(store, new_entry(3), new_entry(1), new_entry(2), new_entry(3, hash="twice in one document"))
    feed = await store.feeds.claim_now(FEED, lease=MINUTE)
    assert feed is not None
    (one,) = await store.feeds.known(feed.id, ["guid-1"], [Marks()])
    again = new_entry(1, known=one.id)
    assert await store.feeds.record_poll(polled(feed), [new_entry(9), again], now=NOW) == 1
    unread = await store.articles.claim_unread(NOW, limit=100, lease=MINUTE)
    assert [one.entry.guid for one in unread] == ["guid-3", "guid-1", "guid-2", "guid-9"]
    assert [one.id for one in unread] == sorted(one.id for one in unread)
    assert (await store.feeds.get(FEED)).entries == 4


async def test_the_same_guid_in_two_feeds_is_two_entries(store: Store) -> None:
    other = "https://other.example/feed"
    await synced(store, newsletter(follows=(Follow(url=FEED), Follow(url=other))))
    for url in (FEED, other):
        await told(store, new_entry(1), url=url)
    assert len(await store.articles.claim_unread(NOW, limit=9, lease=MINUTE)) == 2


async def test_an_entry_comes_back_as_it_was_told(store: Store) -> None:
    await synced(store)
    given = new_entry(1, backlog=True, dated=False, position=4, published=NOW - 3 * DAY)
    feed = await told(store, given)
    (unread,) = await store.articles.claim_unread(NOW, limit=1, lease=MINUTE)
    assert unread.entry == given.entry
    assert (unread.published, unread.dated, unread.backlog, unread.position) == (
        NOW - 3 * DAY,
        False,
        True,
        4,
    )
    assert (unread.received_at, unread.feed_id, unread.feed_url) == (NOW, feed.id, FEED)
    assert (unread.fence, unread.attempts) == (1, 1)


async def test_letters_no_database_likes_cost_neither_the_entry_nor_the_feed(store: Store) -> None:
    await synced(store)
    strange = Entry(guid="a\0b\ud800" + "x" * 9000, url="https://c/\udfff", title="\0\ud83d", html="é" * 3000)
    feed = await told(store, new_entry(1), replace(new_entry(2), entry=strange), new_entry(3))
    assert await names(store, feed, strange.guid, "guid-3", "guid-4") == {strange.guid, "guid-3"}
    assert len(await store.articles.claim_unread(NOW, limit=9, lease=MINUTE)) == 3
    assert len(await read_all(store)) == 0
    await told(store, replace(new_entry(2), entry=strange))
    assert (await store.feeds.get(FEED)).entries == 3


async def test_entries_that_are_no_news_are_known_and_never_read(store: Store) -> None:
    await synced(store)
    feed = await told(store, new_entry(1, news=False), new_entry(2))
    assert await names(store, feed, "guid-1", "guid-2", "guid-3") == {"guid-1", "guid-2"}
    assert [one.entry.guid for one in await store.articles.claim_unread(NOW, limit=9, lease=MINUTE)] == [
        "guid-2"
    ]


async def test_a_huge_document_is_recorded_whole(store: Store) -> None:
    await synced(store)
    feed = await told(store, *(new_entry(number) for number in range(1, 1_601)))
    guids = [f"guid-{number}" for number in range(1, 3_000)]
    assert await names(store, feed, *guids) == set(guids[:1_600])
    unread = await store.articles.claim_unread(NOW, limit=2_000, lease=MINUTE)
    assert [one.entry.guid for one in unread] == guids[:1_600]


async def test_force_asks_every_feed_once_due_or_not(store: Store) -> None:
    others = [f"https://f{number}.example/" for number in range(5)]
    await synced(store, newsletter(follows=tuple(Follow(url=url) for url in others)))
    await told(store, url=others[0], now=NOW - MINUTE)
    assert others[0] not in {one.url for one in await due(store, lease=NO_TIME)}
    asked = []
    while batch := await due(store, limit=2, force=True):
        for feed in batch:
            asked.append(feed.url)
            await store.feeds.record_poll(polled(feed, NOW), [], now=NOW)
    assert sorted(asked) == others


async def test_feeds_that_wait_longest_are_asked_first_and_gone_ones_never(store: Store) -> None:
    urls = [f"https://f{number}.example/" for number in range(4)]
    await synced(store, newsletter(follows=tuple(Follow(url=url) for url in urls)))
    for number, feed in enumerate(await due(store)):
        state = polled(feed, next_poll_at=NOW - number * HOUR, gone=number == 3)
        await store.feeds.record_poll(state, [], now=NOW)
    assert [one.url for one in await due(store, limit=2)] == [urls[2], urls[1]]
    assert [one.url for one in await due(store, limit=9)] == [urls[0]]
    assert await due(store, NOW + DAY, force=True) == []
    assert len(await store.feeds.list()) == 4


async def test_many_workers_that_claim_at_once_never_share_a_feed(store: Store) -> None:
    urls = [f"https://f{number}.example/" for number in range(30)]
    await synced(store, newsletter(follows=tuple(Follow(url=url) for url in urls)))
    batches = await asyncio.gather(*(due(store, limit=4) for _ in range(10)))
    while more := await due(store, limit=4):
        batches.append(more)
    asked = [feed.url for batch in batches for feed in batch]
    assert sorted(asked) == sorted(urls)


async def test_an_unknown_feed_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        await store.feeds.get("https://nowhere.example")

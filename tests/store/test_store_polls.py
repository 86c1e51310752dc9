"""Who may ask which feed: one worker a host, for as long as its lease lasts; and quiet polls go together."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from store_values import DAY, HOUR, MINUTE, NOW, new_entry, newsletter, polled, synced

from digest.model import Feed, Follow, Wishes
from digest.store import Store
from digest.store.codec import host_of
from digest.store.feeds import FEEDS_A_HOST

pytestmark = pytest.mark.asyncio


async def follow(store: Store, *urls: str) -> None:
    await synced(store, newsletter(follows=tuple(Follow(url=url) for url in urls)))


async def due(store: Store, limit: int = 100, lease: timedelta = MINUTE) -> list[str]:
    return [feed.url for feed in await claim(store, limit, lease)]


async def claim(store: Store, limit: int = 100, lease: timedelta = MINUTE) -> list[Feed]:
    return await store.feeds.claim_due(NOW, limit=limit, lease=lease)


async def test_feeds_of_a_host_that_is_being_asked_wait_for_it(store: Store) -> None:
    same = [f"https://one.example/{number}.xml" for number in range(FEEDS_A_HOST + 2)]
    await follow(store, *same, "https://two.example/feed.xml", "city.xml", "town.xml")
    first = await claim(store)
    urls = [feed.url for feed in first]
    assert len([url for url in urls if "one.example" in url]) == FEEDS_A_HOST
    assert {"https://two.example/feed.xml", "city.xml", "town.xml"} <= set(urls)  # files are not a host
    assert await due(store) == []  # two are left, but their host is busy
    kept = next(feed for feed in first if "one.example" in feed.url)
    await store.feeds.record_quiet([polled(feed) for feed in first if feed is not kept])
    assert await due(store) == []  # it still is: one of its feeds is held
    await store.feeds.record_quiet([polled(kept)])
    assert sorted(await due(store)) == sorted(set(same) - set(urls))


async def test_an_expired_lease_frees_the_host(store: Store) -> None:
    await follow(store, "https://one.example/a", "https://one.example/b")
    assert len(await due(store, lease=timedelta(0))) == 2
    assert len(await due(store)) == 2


async def test_a_feed_belongs_to_the_host_where_it_lives_now(store: Store) -> None:
    await follow(store, "https://old.example/feed.xml")
    (feed,) = await claim(store)
    await store.feeds.record_quiet(
        [polled(feed, address="https://new.example/feed.xml", next_poll_at=NOW + HOUR)]
    )
    await follow(store, "https://old.example/feed.xml", "https://new.example/other.xml")
    assert await due(store) == ["https://new.example/other.xml"]
    late = await store.feeds.claim_due(NOW + DAY, limit=9, lease=MINUTE)
    assert late == []  # new.example is being asked


async def test_two_workers_that_claim_at_once_never_hold_feeds_of_the_same_host(store: Store) -> None:
    await follow(store, *(f"https://h{number % 7}.example/{number}" for number in range(70)))
    claims = await asyncio.gather(*(claim(store, limit=5) for _ in range(12)))
    owner: dict[str, int] = {}
    for worker, claimed in enumerate(claims):
        for feed in claimed:
            assert owner.setdefault(host_of(feed.address), worker) == worker
    assert sum(map(len, claims)) >= 7
    assert set(owner) == {f"h{number}.example" for number in range(7)}


async def test_what_is_given_back_is_due_as_before(store: Store) -> None:
    await follow(store, "https://one.example/a", "https://two.example/b")
    held = await claim(store, lease=HOUR)
    assert await due(store) == []
    await store.feeds.release(held)
    again = await claim(store)
    assert [feed.url for feed in again] == [feed.url for feed in held]
    await store.feeds.release(held)  # of an older claim: it must not free what another holds
    assert await due(store) == []


async def test_quiet_polls_are_written_together_and_completely(store: Store) -> None:
    await follow(store, "https://one.example/a", "https://two.example/b", "https://three.example/c")
    one, two, three = await claim(store)
    quiet = [
        polled(
            one,
            etag='W/"2"',
            last_modified="Sun, 22 Nov 2026 07:00:00 GMT",
            body_hash="f00",
            interval=2 * HOUR,
            rhythm=timedelta(hours=3),
            longest_gap=2 * DAY,
            moved_to="https://one.example/new",
            moved_seen=2,
            next_poll_at=NOW + 2 * HOUR,
        ),
        replace(two, failures=3, error="it \0 broke", last_polled_at=NOW, next_poll_at=NOW + DAY, gone=True),
    ]
    await store.feeds.record_quiet(quiet)
    for wanted in quiet:
        stored = (await store.feeds.get(wanted.url)).feed
        assert stored == replace(wanted, error=wanted.error and wanted.error.replace("\0", ""))
    assert (await store.feeds.get(three.url)).feed == three
    await store.feeds.record_quiet([])


async def test_a_quiet_poll_by_somebody_who_was_overtaken_changes_nothing(store: Store) -> None:
    await follow(store, "https://one.example/a")
    (slow,) = await claim(store, lease=timedelta(0))
    (quick,) = await claim(store)
    await store.feeds.record_quiet([polled(slow, etag='"slow"')])
    assert (await store.feeds.get(quick.url)).feed.etag is None
    assert await due(store) == []  # and it did not free what the quick one holds


async def test_what_a_document_asks_for_is_remembered_over_quiet_polls(store: Store) -> None:
    await follow(store, "https://one.example/a")
    (feed,) = await claim(store)
    wishes = Wishes(every=2 * HOUR, skip_hours=(0, 1), skip_days=(6,))
    await store.feeds.record_poll(polled(feed, wishes=wishes, next_poll_at=NOW), [new_entry()], now=NOW)
    (feed,) = await claim(store)
    assert feed.wishes == wishes
    await store.feeds.record_quiet([polled(feed, next_poll_at=NOW)])
    assert (await claim(store))[0].wishes == wishes

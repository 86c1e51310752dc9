"""What we read, and the numbers that say from where to where an issue reaches."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from store_values import (
    FEED,
    HOUR,
    MINUTE,
    NOW,
    article_of,
    new_entry,
    newsletter,
    read_all,
    synced,
    told,
    window,
    with_articles,
)

from digest.model import Follow, Marks
from digest.store import Store

pytestmark = pytest.mark.asyncio
OTHER = "https://other.example/feed"
NO_TIME = timedelta(0)


async def test_an_article_comes_back_as_it_was_read(store: Store) -> None:
    await synced(store)
    await told(store, new_entry(1))
    (unread,) = await store.articles.claim_unread(NOW, limit=1, lease=MINUTE)
    article = replace(article_of(unread), image="https://c/i.jpg", categories=("a", "b"), position=3)
    id = await store.articles.record(article, fence=unread.fence)  # noqa: A001
    assert id is not None
    assert await store.articles.get_many([id]) == [replace(article, id=id)]
    assert await store.articles.make_ready(NOW) == 1
    ((found, follow),) = await window(store, "world", after=0, through=1)
    assert found == replace(article, id=id, ready=1)
    assert (follow.url, follow.since) == (FEED, NOW)
    assert (await store.feeds.get(FEED)).articles == 1


async def test_an_entry_is_read_by_one_and_once(store: Store) -> None:
    await synced(store)
    await told(store, new_entry(1))
    (slow,) = await store.articles.claim_unread(NOW, limit=1, lease=NO_TIME)
    (quick,) = await store.articles.claim_unread(NOW, limit=1, lease=MINUTE)
    assert (quick.id, quick.fence, quick.attempts) == (slow.id, 2, 2)
    assert await store.articles.claim_unread(NOW, limit=1, lease=MINUTE) == []
    assert await store.articles.record(article_of(slow), fence=slow.fence) is None
    assert await store.articles.record(article_of(quick), fence=quick.fence) is not None
    assert await store.articles.record(article_of(quick), fence=quick.fence) is None
    assert await store.articles.claim_unread(NOW, limit=1, lease=MINUTE) == []


async def test_numbers_follow_the_order_of_arrival_whatever_was_read_first(store: Store) -> None:
    await synced(store)
    await told(store, *(new_entry(number) for number in range(5)))
    unread = await store.articles.claim_unread(NOW, limit=9, lease=MINUTE)
    for one in reversed(unread):
        await store.articles.record(article_of(one), fence=one.fence)
    assert await store.articles.max_ready() == 0
    assert await store.articles.make_ready(NOW, limit=2) == 2
    assert await store.articles.max_ready() == 2
    assert await store.articles.make_ready(NOW) == 3
    assert await store.articles.make_ready(NOW) == 0
    assert await store.articles.max_ready() == 5
    found = [article for article, _ in await window(store, "world", after=0, through=5)]
    assert [(one.ready, one.guid) for one in found] == [(n + 1, f"guid-{n}") for n in range(5)]


async def test_an_article_rests_before_it_may_be_used(store: Store) -> None:
    await synced(store)
    await told(store, new_entry(1, rest_until=NOW + HOUR), new_entry(2))
    await read_all(store)
    assert await store.articles.make_ready(NOW) == 1
    assert await store.articles.make_ready(NOW + HOUR - MINUTE) == 0
    assert await store.articles.make_ready(NOW + HOUR) == 1
    found = [article.guid for article, _ in await window(store, "world", after=0, through=9)]
    assert found == ["guid-2", "guid-1"]


async def test_a_window_excludes_its_start_includes_its_end_and_holds_only_followed_feeds(
    store: Store,
) -> None:
    await synced(
        store,
        newsletter(),
        newsletter("local", follows=(Follow(url=FEED), Follow(url=OTHER))),
    )
    await told(store, new_entry(1), new_entry(2), new_entry(3))
    await told(store, new_entry(4), url=OTHER)
    await read_all(store)
    assert await store.articles.make_ready(NOW) == 4

    async def guids(slug: str, after: int, through: int) -> list[str]:
        return [one.guid for one, _ in await window(store, slug, after=after, through=through)]

    assert await guids("world", 0, 9) == ["guid-1", "guid-2", "guid-3"]
    assert await guids("world", 1, 2) == ["guid-2"]
    assert await guids("world", 3, 3) == []
    assert await guids("local", 2, 9) == ["guid-3", "guid-4"]
    assert await guids("nowhere", 0, 9) == []


async def test_compose_waits_for_feeds_that_are_due_or_asked_and_for_unread_news(store: Store) -> None:
    await synced(store, newsletter(), newsletter("local", follows=(Follow(url=OTHER),)))
    assert await store.articles.waiting("world", NOW) == 1
    assert await store.articles.waiting("world", NOW - MINUTE) == 0
    feed = await store.feeds.claim_now(FEED, lease=HOUR)
    assert feed is not None
    assert await store.articles.waiting("world", NOW - MINUTE) == 1, "it is being asked"
    state = replace(feed, next_poll_at=NOW + HOUR, last_ok_at=NOW)
    await store.feeds.record_poll(state, [new_entry(1), new_entry(2), new_entry(3, news=False)], now=NOW)
    assert await store.articles.waiting("world", NOW) == 2
    await read_all(store)
    assert await store.articles.waiting("world", NOW) == 0
    assert await store.articles.waiting("local", NOW) == 1


async def test_entries_are_found_by_number_address_link_and_the_feeds_own_id(store: Store) -> None:
    await synced(store)
    await with_articles(store, 3)
    (second,) = await store.articles.find("https://city.example/2")
    assert (second.guid, second.article_id, second.feed_url) == ("guid-2", 2, FEED)
    assert second.entry is not None
    assert second.entry.title
    assert await store.articles.find("guid-2") == [second]
    assert await store.articles.find("2") == [second]
    for nothing in ("", "0", "999", "9" * 40, "²", "guid-", "https://city.example/", "%", "\0"):
        assert await store.articles.find(nothing) == []
    assert [one.id for one in await store.articles.get_many([3, 1, 1, 99])] == [1, 3]
    assert await store.articles.get_many([]) == []


async def test_an_entry_that_nobody_has_read_is_found_by_its_link(store: Store) -> None:
    await synced(store)
    await told(store, new_entry(4, marks=Marks(link=77)), new_entry(5))
    (waiting,) = await store.articles.find("nothing goes by this", link=77)
    assert (waiting.guid, waiting.unread, waiting.article_id) == ("guid-4", True, None)
    assert await store.articles.find(str(waiting.id)) == [waiting]


@pytest.mark.parametrize("writers", [6])
async def test_nothing_is_missed_by_who_reads_through_windows_while_writers_commit(
    store: Store, store_url: str, writers: int
) -> None:
    """Writers read entries and number them at once, over two stores' connections, while one reader walks on
    in windows up to the last number given: it must see each article exactly once."""
    urls = [f"https://f{number}.example/" for number in range(writers)]
    await synced(store, newsletter(follows=tuple(Follow(url=url) for url in urls)))
    other = await Store.open(store_url)
    done = asyncio.Event()
    seen: list[str] = []

    async def write(number: int) -> None:
        mine = (store, other)[number % 2]
        for round_ in range(8):
            entries = [new_entry(1000 * number + 10 * round_ + one) for one in range(3)]
            await told(mine, *entries, url=urls[number])
            for unread in await mine.articles.claim_unread(NOW, limit=4, lease=MINUTE):
                await mine.articles.record(article_of(unread), fence=unread.fence)
            await mine.articles.make_ready(NOW, limit=5)

    async def walk() -> None:
        after = 0
        last_round = False
        while True:
            last_round = done.is_set()
            through = await store.articles.max_ready()
            found = await window(store, "world", after=after, through=through)
            assert [article.ready for article, _ in found] == list(range(after + 1, through + 1))
            seen.extend(article.guid for article, _ in found)
            after = through
            if last_round:
                return
            await asyncio.sleep(0)

    async def all_writers() -> None:
        await asyncio.gather(*(write(number) for number in range(writers)))
        await read_all(store)
        while await store.articles.make_ready(NOW):
            pass
        done.set()

    try:
        await asyncio.gather(all_writers(), walk())
    finally:
        await other.close()
    assert len(seen) == len(set(seen)) == writers * 8 * 3

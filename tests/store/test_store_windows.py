"""What composing asks for: windows of articles by feed and moment, and how common terms were."""

from __future__ import annotations

from datetime import timedelta

import pytest
from store_values import (
    FEED,
    HOUR,
    NOW,
    new_entry,
    newsletter,
    read_all,
    synced,
    told,
    window,
    with_articles,
)

from digest.model import Background, Follow
from digest.store import Store
from digest.store.windows import BLOCK, BLOCKS, PAGE, Counted, background, count_terms

pytestmark = pytest.mark.asyncio
OTHER = "https://other.example/feed"


async def test_a_window_of_more_than_a_page_comes_whole_and_in_order(store: Store) -> None:
    await synced(store)
    last = await with_articles(store, PAGE + 3)
    found = await window(store, "world", after=1, through=last)
    assert [article.ready for article, _ in found] == list(range(2, PAGE + 4))


async def test_a_window_by_feeds_asks_nobody_who_follows_them_now(store: Store) -> None:
    both = newsletter("local", follows=(Follow(url=FEED), Follow(url=OTHER)))
    await synced(store, newsletter(), both)
    await told(store, new_entry(1))
    await told(store, new_entry(2), url=OTHER)
    await read_all(store)
    await store.articles.make_ready(NOW)
    await synced(store, newsletter(follows=()), both, now=NOW + HOUR)

    async def guids(*urls: str) -> list[str]:
        found = await store.windows.of_feeds("world", urls, after=0, through=9)
        assert {each.since for each in found} <= {NOW}
        return [each.opened().guid for each in found]

    assert await window(store, "world", after=0, through=9) == []
    assert await guids(FEED) == ["guid-1"]
    assert await guids(FEED, OTHER) == ["guid-1", "guid-2"]
    assert await guids("https://nobody.example/feed") == []


async def test_articles_are_kept_by_id_and_those_gone_are_left_out(store: Store) -> None:
    await synced(store)
    await with_articles(store, 3)
    found = await store.windows.kept([3, 1, 77])
    assert [(each.id, each.opened().guid) for each in found] == [(1, "guid-1"), (3, "guid-3")]
    with pytest.raises(ValueError, match="window"):
        found[0].candidate()


async def test_the_last_number_given_by_a_moment_is_known(store: Store) -> None:
    await synced(store)
    await with_articles(store, 2)
    await told(store, new_entry(7), now=NOW + HOUR)
    await read_all(store, NOW + HOUR)
    await store.articles.make_ready(NOW + HOUR)
    moments = [NOW - timedelta(seconds=1), NOW, NOW + timedelta(minutes=59), NOW + HOUR]
    assert [await store.windows.ready_at(moment) for moment in moments] == [0, 2, 2, 3]


async def test_terms_are_counted_once_when_a_block_is_full(store: Store) -> None:
    await synced(store)
    last = await with_articles(store, BLOCK - 1)
    assert await store.windows.uncounted(last) == []
    last = await with_articles(store, 2, first=BLOCK)
    assert await store.windows.uncounted(last) == [0]
    held = await store.windows.block(0)
    assert [each.ready for each in held] == list(range(1, BLOCK + 1))
    await store.windows.count(count_terms(0, held))
    await store.windows.count([Counted(block=0, language="en", articles=1, data="{}")])
    assert await store.windows.uncounted(last) == []
    assert await store.windows.common(BLOCK - 1) == []  # a window before its end may hold what was counted
    common = background(await store.windows.common(BLOCK))
    assert common == Background(articles={"en": BLOCK}, terms={"en": {"bridge": BLOCK}})


async def test_only_the_latest_blocks_tell_what_is_common(store: Store) -> None:
    def counted(block: int) -> Counted:
        return Counted(block=block, language="en", articles=BLOCK, data='{"bridge":2}')

    await store.windows.count([counted(block) for block in range(BLOCKS + 2)])
    found = await store.windows.common((BLOCKS + 1) * BLOCK + 7)
    assert [each.block for each in found] == list(range(1, BLOCKS + 1))
    assert background(found).terms == {"en": {"bridge": 2 * BLOCKS}}
    assert await store.windows.uncounted((BLOCKS + 4) * BLOCK) == [BLOCKS + 2, BLOCKS + 3]


async def test_a_block_whose_articles_are_gone_is_counted_as_empty() -> None:
    [empty] = count_terms(3, [])
    assert (empty.block, empty.articles, background([empty])) == (3, 0, Background())

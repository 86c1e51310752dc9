"""What the weekly report and the metrics ask of the store."""

from __future__ import annotations

import pytest
from store_values import DAY, FEED, HOUR, NOW, born, newsletter, synced

from digest.model import Follow
from digest.store import Store

pytestmark = pytest.mark.asyncio


async def test_a_key_that_was_used_is_known(store: Store) -> None:
    assert not await store.notices.has("report:2026-W47:ada")
    await store.notices.create(
        kind="report",
        key="report:2026-W47:ada",
        recipient="ada@example.org",
        newsletter="",
        data={},
        now=NOW,
    )
    assert await store.notices.has("report:2026-W47:ada")
    assert not await store.notices.has("report:2026-W47:bob")


async def test_the_issues_of_the_last_days_are_found(store: Store) -> None:
    await synced(store)
    await born(store, composed_at=NOW - 8 * DAY, date=(NOW - 8 * DAY).date())
    new = [await born(store, composed_at=NOW - HOUR * n, date=(NOW - DAY * n).date()) for n in (2, 1)]
    assert await store.issues.composed_since(NOW - 7 * DAY) == [issue.id for issue in new]
    assert await store.issues.composed_since(NOW) == []


async def test_feeds_alone_are_those_that_are_followed_by_url(store: Store) -> None:
    other = "https://a.example/feed.xml"
    await synced(store, newsletter(follows=(Follow(url=FEED), Follow(url=other))))
    feeds = await store.feeds.followed()
    assert [feed.url for feed in feeds] == [other, FEED]
    assert feeds == [status.feed for status in await store.feeds.list()]
    await synced(store, now=NOW + DAY)
    assert [feed.url for feed in await store.feeds.followed()] == [FEED]

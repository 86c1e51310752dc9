"""A feed that said that it is gone is left alone, and there is a way back."""

from __future__ import annotations

import pytest
from store_values import DAY, FEED, MINUTE, NOW, newsletter, polled, synced

from digest.model import Follow
from digest.store import Store

pytestmark = pytest.mark.asyncio


async def gone(store: Store) -> None:
    await synced(store)
    feed = await store.feeds.claim_now(FEED, lease=MINUTE)
    assert feed is not None
    said = polled(feed, gone=True, failures=1, error="gone (410)", last_ok_at=None)
    await store.feeds.record_poll(said, [], now=NOW)


async def test_a_gone_feed_is_never_due_as_long_as_the_config_stays_as_it_is(store: Store) -> None:
    await gone(store)
    await synced(store, now=NOW + 30 * DAY)
    assert await store.feeds.claim_due(NOW + 60 * DAY, limit=9, lease=MINUTE) == []
    assert (await store.feeds.get(FEED)).feed.gone


async def test_one_that_is_taken_out_and_put_back_is_asked_again(store: Store) -> None:
    await gone(store)
    await synced(store, newsletter(follows=()), now=NOW + DAY)
    await synced(store, now=NOW + 2 * DAY)
    (feed,) = await store.feeds.claim_due(NOW + 2 * DAY, limit=9, lease=MINUTE)
    assert (feed.url, feed.gone, feed.error) == (FEED, False, "gone (410)")


async def test_another_newsletter_that_begins_to_follow_it_has_it_asked_again(store: Store) -> None:
    await gone(store)
    more = newsletter("tech", follows=(Follow(url=FEED),))
    await synced(store, newsletter(), more, now=NOW + DAY)
    assert [feed.url for feed in await store.feeds.claim_due(NOW + DAY, limit=9, lease=MINUTE)] == [FEED]

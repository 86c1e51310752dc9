"""What is old goes; what somebody still needs, and every number, stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from store_values import (
    DAY,
    FEED,
    MINUTE,
    NOW,
    born,
    claimed,
    new_entry,
    newsletter,
    opened,
    read_all,
    readers,
    synced,
    told,
    window,
    with_articles,
)

from digest.model import DeliveryState, Follow, SubscriptionStatus
from digest.store import Store

pytestmark = pytest.mark.asyncio
LATER = NOW + 100 * DAY


async def prune(store: Store, now=LATER) -> dict[str, int]:  # type: ignore[no-untyped-def]
    return await store.prune(now, deliveries=30 * DAY, articles=90 * DAY)


async def test_old_deliveries_at_rest_go_and_their_numbers_stay(store: Store) -> None:
    await synced(store, newsletter(unknown="hold"))
    await readers(store, 6)
    issue = await opened(store)
    letters = await claimed(store)
    outcomes = (DeliveryState.SENT, DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.DEFERRED)
    for letter, state in zip(letters, outcomes, strict=False):
        await store.deliveries.begin(letter, now=NOW, lease=MINUTE)
        await store.deliveries.record(letter, state, now=NOW)
    await store.deliveries.begin(letters[4], now=NOW, lease=MINUTE)
    before = await store.issues.progress(issue.id)
    assert (await prune(store, NOW + 29 * DAY))["deliveries"] == 0
    assert (await prune(store))["deliveries"] == 3
    assert (await prune(store))["deliveries"] == 0
    assert await store.deliveries.counts() == {"deferred": 1, "attempting": 1, "pending": 2}
    assert await store.issues.progress(issue.id) == before
    assert await store.deliveries.invariant(issue.id) == []
    assert await store.deliveries.history(letters[0].id) == []
    # Later ones add to the same tally.
    (again,) = [one for one in await claimed(store) if one.id == letters[3].id]
    await store.deliveries.begin(again, now=NOW, lease=MINUTE)
    await store.deliveries.record(again, DeliveryState.SENT, now=NOW)
    assert (await prune(store))["deliveries"] == 1
    assert (await store.issues.progress(issue.id))["email"]["sent"] == 3
    assert await store.deliveries.invariant(issue.id) == []
    assert await store.issues.get(issue.id) == issue


async def test_old_notices_deliveries_go_too(store: Store) -> None:
    await store.notices.create(
        kind="test", key="k", recipient="a@example.org", newsletter="", data={}, now=NOW
    )
    (letter,) = await claimed(store)
    await store.deliveries.begin(letter, now=NOW, lease=MINUTE)
    await store.deliveries.record(letter, DeliveryState.SENT, now=NOW)
    assert (await prune(store))["deliveries"] == 1
    assert await store.deliveries.counts() == {}


async def test_told_articles_go_and_are_not_told_again_when_the_feed_goes_on_naming_them(
    store: Store,
) -> None:
    await synced(store)
    last = await with_articles(store, 3)
    issue = await born(store, through=2)
    assert (await prune(store, NOW + 89 * DAY))["articles"] == 0
    assert (await prune(store))["articles"] == 2, "the third is in no window yet"
    assert [one.guid for one, _ in await window(store, "world", after=0, through=last)] == ["guid-3"]
    assert await store.issues.get(issue.id) == issue
    await told(store, new_entry(1), new_entry(2, hash="edited"), new_entry(4))
    assert len(await read_all(store)) == 1
    await store.articles.make_ready(NOW)
    assert await store.articles.max_ready() == 4, "numbers go on where they were"
    assert (await prune(store))["articles"] == 0


async def test_an_article_stays_while_any_newsletter_that_follows_its_feed_has_it_ahead(store: Store) -> None:
    other = "https://other.example/"
    await synced(
        store,
        newsletter(),
        newsletter("slow", follows=(Follow(url=FEED),)),
        newsletter("third", follows=(Follow(url=other),)),
    )
    await with_articles(store, 2)
    await born(store, through=2)
    assert (await prune(store))["articles"] == 0
    await synced(
        store, newsletter(), newsletter("third", follows=(Follow(url=other),))
    )  # the slow one is retired
    assert (await prune(store))["articles"] == 2


async def test_articles_that_are_not_numbered_yet_stay(store: Store) -> None:
    await synced(store)
    await told(store, new_entry(1, rest_until=NOW + timedelta(days=500)))
    await read_all(store)
    assert (await prune(store))["articles"] == 0


async def test_people_are_not_pruned(store: Store) -> None:
    await synced(store)
    await readers(store, 2)
    await prune(store)
    assert len(await store.subscriptions.list("world", SubscriptionStatus.ACTIVE)) == 2

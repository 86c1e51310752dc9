"""Private feeds in the store: numbers that never come back, letters that stay away, nobody without both."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from store_values import DAY, MINUTE, NOW, opened, synced

from digest.model import DeliveryState, Subscription, SubscriptionStatus
from digest.store import Store

pytestmark = pytest.mark.asyncio


async def a_reader(store: Store, name: str = "ann") -> int:
    await store.subscriptions.add("world", f"{name}@example.org", source="cli", evidence={}, now=NOW)
    [found] = await store.subscriptions.of(f"{name}@example.org")
    return found.id


async def reader_of(store: Store, number: int) -> Subscription:
    found = await store.subscriptions.get(number)
    assert found is not None
    return found


async def states(store: Store, issue_id: int) -> dict[str, int]:
    return (await store.issues.progress(issue_id)).get("email", {})


async def test_every_address_has_a_number_of_its_own(store: Store) -> None:
    await synced(store)
    ann = await a_reader(store)
    subscriptions = store.subscriptions
    seen = []
    for change in (
        subscriptions.private_feed(ann, True, NOW),
        subscriptions.renew_feed(ann, NOW),
        subscriptions.private_feed(ann, False, NOW),
        subscriptions.renew_feed(ann, NOW),
        subscriptions.private_feed(ann, True, NOW),
        subscriptions.private_feed(ann, True, NOW),
    ):
        found = await change
        assert found is not None
        seen.append((found.feed_on, found.feed_number))
    assert seen == [(True, 1), (True, 2), (False, 2), (False, 2), (True, 3), (True, 3)]
    assert await subscriptions.private_feed(999, True, NOW) is None


async def test_nobody_is_left_without_letters_and_feed(store: Store) -> None:
    await synced(store)
    ann = await a_reader(store)
    found = await store.subscriptions.by_mail(ann, False, NOW)
    assert found is not None
    assert (found.by_mail, found.feed_on, found.feed_number) == (False, True, 1)
    found = await store.subscriptions.private_feed(ann, False, NOW)
    assert found is not None
    assert (found.by_mail, found.feed_on) == (True, False)


async def test_who_reads_the_feed_instead_gets_no_letter_and_the_sums_are_right(store: Store) -> None:
    await synced(store)
    ann, ben = await a_reader(store), await a_reader(store, "ben")
    await store.subscriptions.by_mail(ann, False, NOW)
    number = (await opened(store)).id
    claimed = await store.deliveries.claim_due("email", NOW + MINUTE, limit=10, lease=timedelta(minutes=5))
    answers = {
        one.subscription_id: await store.deliveries.begin(one, now=NOW, lease=timedelta(minutes=5))
        for one in claimed
    }
    assert answers == {ann: "suppressed", ben: "go"}
    assert await states(store, number) == {"suppressed": 1, "attempting": 1}
    assert await store.deliveries.invariant(number) == []
    assert await store.subscriptions.born_for(ann, limit=9) == [(number, 1)]
    assert (await reader_of(store, ann)).through == (await reader_of(store, ben)).through


async def test_a_feed_goes_on_when_its_reader_s_mailbox_is_dead(store: Store) -> None:
    await synced(store)
    ann, ben = await a_reader(store), await a_reader(store, "ben")
    await store.subscriptions.private_feed(ann, True, NOW)
    for name in ("ann", "ben"):
        await store.subscriptions.suppress(f"{name}@example.org", "5.1.1", NOW)
    number = (await opened(store)).id
    [one] = await store.deliveries.claim_due("email", NOW + MINUTE, limit=10, lease=timedelta(minutes=5))
    assert await store.deliveries.begin(one, now=NOW, lease=timedelta(minutes=5)) == "suppressed"
    assert await states(store, number) == {"suppressed": 1}
    assert await store.subscriptions.born_for(ann, limit=9) == [(number, 1)]
    assert await store.subscriptions.born_for(ben, limit=9) == []
    assert (await reader_of(store, ann)).through == (await reader_of(store, ben)).through
    assert await store.deliveries.invariant(number) == []


async def test_a_letter_that_waits_does_not_go_once_the_reader_wants_none(store: Store) -> None:
    await synced(store)
    ann = await a_reader(store)
    await opened(store)
    [waiting] = await store.deliveries.claim_due("email", NOW + MINUTE, limit=10, lease=timedelta(minutes=5))
    await store.subscriptions.by_mail(ann, False, NOW)
    assert await store.deliveries.begin(waiting, now=NOW, lease=timedelta(minutes=5)) == "suppressed"


async def test_leaving_ends_it_and_who_subscribes_again_gets_letters(store: Store) -> None:
    await synced(store)
    ann = await a_reader(store)
    await store.subscriptions.by_mail(ann, False, NOW)
    await store.subscriptions.leave(ann, evidence={}, now=NOW)
    left = await store.subscriptions.private_feed(ann, True, NOW)
    assert left is not None
    assert (left.status, left.feed_number) == (SubscriptionStatus.LEFT, 1)
    back = await store.subscriptions.undo(ann, evidence={}, now=NOW + MINUTE)
    assert back is None or (back.feed_on, back.by_mail) == (True, False), "as it was before"
    await store.subscriptions.leave(ann, evidence={}, now=NOW)
    asked = await store.subscriptions.request("world", "ann@example.org", evidence={}, now=NOW + DAY)
    assert asked.subscription is not None
    again = asked.subscription
    confirmed = await store.subscriptions.confirm(again.id, evidence={}, now=NOW + DAY + MINUTE)
    assert confirmed is not None
    assert (confirmed.status, confirmed.feed_on, confirmed.by_mail) == (
        SubscriptionStatus.ACTIVE,
        False,
        True,
    )


async def test_what_a_private_feed_shows_is_not_pruned_and_the_rest_is(store: Store) -> None:
    await synced(store)
    ann, ben = await a_reader(store), await a_reader(store, "ben")
    await store.subscriptions.private_feed(ann, True, NOW)
    number = (await opened(store)).id
    for one in await store.deliveries.claim_due("email", NOW + MINUTE, limit=10, lease=timedelta(minutes=5)):
        await store.deliveries.begin(one, now=NOW, lease=timedelta(minutes=5))
        await store.deliveries.record(one, DeliveryState.SENT, now=NOW)
    await store.prune(NOW + 99 * DAY, deliveries=30 * DAY, articles=90 * DAY)
    assert await store.subscriptions.born_for(ann, limit=9) == [(number, 1)]
    assert await store.subscriptions.born_for(ben, limit=9) == []
    assert await store.deliveries.invariant(number) == []


async def test_a_correction_shows_in_the_number_of_the_revision(store: Store) -> None:
    await synced(store)
    ann = await a_reader(store)
    number = (await opened(store)).id
    found = await store.issues.get(number)
    assert await store.issues.revise(replace(found, revision=2), now=NOW)
    assert await store.subscriptions.born_for(ann, limit=9) == [(number, 2)]

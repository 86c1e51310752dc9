"""The store agrees with the config, however the config changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

import pytest
from store_values import (
    DAY,
    FEED,
    HOUR,
    NOW,
    SITE,
    TODAY,
    born,
    claimed,
    new_entry,
    newsletter,
    opened,
    read_all,
    readers,
    slot,
    synced,
    told,
    window,
)

from digest.model import Follow, NotFound, Schedule, SubscriptionStatus
from digest.store import Store

pytestmark = pytest.mark.asyncio
ME = "me@example.org"


async def test_a_newsletter_comes_back_as_it_was_defined(store: Store) -> None:
    wanted = newsletter(
        follows=(Follow(url=FEED, title="City", weight=2.5, first=None, settle=HOUR),),
        recipients=(ME,),
        interests=("bridges",),
        limit=7,
    )
    await synced(store, wanted)
    found = await store.newsletters.get("world")
    assert found.newsletter == wanted
    assert (found.retired_at, found.tag_authority, found.tag_date) == (None, None, None)
    assert [one.newsletter.slug for one in await store.newsletters.all()] == ["world"]


async def test_an_unknown_newsletter_is_not_found_and_the_known_ones_are_named(store: Store) -> None:
    await synced(store)
    for ask in (store.newsletters.get, store.newsletters.own_edition, store.newsletters.manual_edition):
        with pytest.raises(NotFound, match="wrold"):
            await ask("wrold")
    with pytest.raises(NotFound, match="there is: world"):
        await store.newsletters.get("wrold")


async def test_a_newsletter_has_its_own_edition_and_the_manual_one(store: Store) -> None:
    await synced(store)
    own, manual = (
        await store.newsletters.own_edition("world"),
        await store.newsletters.manual_edition("world"),
    )
    assert (own.cadence, own.at, own.zone, own.own, own.through, own.last_date) == (
        "daily",
        "07:00",
        "Europe/Berlin",
        True,
        0,
        None,
    )
    assert (manual.cadence, manual.at, manual.zone, manual.own) == ("manual", "", "", False)
    assert {one.id for one in await store.newsletters.editions("world")} == {own.id, manual.id}


async def test_the_same_config_again_changes_nothing(store: Store) -> None:
    wanted = newsletter(recipients=(ME,))
    await synced(store, wanted)
    before = (
        await store.newsletters.all(),
        await store.newsletters.editions("world"),
        await store.feeds.list(),
        await store.subscriptions.list(),
        await store.subscriptions.history(ME),
    )
    await synced(store, wanted, now=NOW + DAY)
    assert before == (
        await store.newsletters.all(),
        await store.newsletters.editions("world"),
        await store.feeds.list(),
        await store.subscriptions.list(),
        await store.subscriptions.history(ME),
    )


async def test_a_changed_schedule_goes_on_where_the_old_one_was_and_takes_its_readers_along(
    store: Store,
) -> None:
    await synced(store)
    (reader,) = await readers(store, 1)
    old = await store.newsletters.own_edition("world")
    await opened(store, slot=slot(old.id))
    evening = newsletter(schedule=Schedule(at=time(18, 30), zone="Europe/Paris", days=(0, 3)))
    await synced(store, evening)
    own = await store.newsletters.own_edition("world")
    assert own.id != old.id
    assert (own.cadence, own.at, own.zone, own.through, own.last_date) == (
        "mon,thu",
        "18:30",
        "Europe/Paris",
        1,
        TODAY,
    )
    subscription = await store.subscriptions.get(reader)
    assert subscription is not None
    assert (subscription.edition_id, subscription.through) == (own.id, 1)
    await synced(store)  # and back again: no third edition, nothing told twice
    back = await store.newsletters.own_edition("world")
    assert (back.id, back.through, back.last_date) == (old.id, 1, TODAY)
    assert len(await store.newsletters.editions("world")) == 3


async def test_readers_get_the_issue_that_was_being_born_while_the_schedule_changed(store: Store) -> None:
    await synced(store)
    await readers(store, 5)
    issue = await born(store)
    assert not await store.issues.add_deliveries(issue.id, NOW, chunk=2)
    await synced(store, newsletter(schedule=Schedule(at=time(9), zone="UTC")))
    while not await store.issues.add_deliveries(issue.id, NOW, chunk=2):
        pass
    assert len(await store.deliveries.of_issue(issue.id)) == 5 + 1
    own = await store.newsletters.own_edition("world")
    assert {one.through for one in await store.subscriptions.list()} == {own.through}


async def test_config_recipients_are_readers_the_admin_vouches_for(store: Store) -> None:
    await synced(store, newsletter(recipients=(ME, "you@example.org")))
    found = await store.subscriptions.list("world")
    assert [(one.address, one.status, one.source) for one in found] == [
        (ME, SubscriptionStatus.ACTIVE, "config"),
        ("you@example.org", SubscriptionStatus.ACTIVE, "config"),
    ]
    (line,) = await store.subscriptions.history(ME)
    assert (line.event, line.source) == ("vouched", "config")
    assert await store.subscriptions.verify() == []


async def test_a_config_recipient_who_left_stays_left(store: Store) -> None:
    await synced(store, newsletter(recipients=(ME,)))
    (mine,) = await store.subscriptions.of(ME)
    await store.subscriptions.leave(mine.id, evidence={}, now=NOW)
    await synced(store, newsletter(recipients=(ME,)))
    (mine,) = await store.subscriptions.of(ME)
    assert mine.status == SubscriptionStatus.LEFT


async def test_a_recipient_taken_out_of_the_config_leaves_and_may_be_put_back(store: Store) -> None:
    await synced(store, newsletter(recipients=(ME,)))
    await readers(store, 1)  # somebody whom the config never named
    await synced(store, newsletter())
    (mine,) = await store.subscriptions.of(ME)
    assert mine.status == SubscriptionStatus.LEFT
    (other,) = await store.subscriptions.of("reader1@example.org")
    assert other.status == SubscriptionStatus.ACTIVE
    await synced(store, newsletter(recipients=(ME,)))
    (mine,) = await store.subscriptions.of(ME)
    assert mine.status == SubscriptionStatus.ACTIVE


async def test_a_newsletter_that_is_taken_out_is_retired_and_its_letters_stay_here(store: Store) -> None:
    await synced(store, newsletter(), newsletter("local", follows=()))
    await readers(store, 2)
    issue = await opened(store)
    (letter, _) = await claimed(store)
    assert await store.deliveries.begin(letter, now=NOW, lease=HOUR) == "go"
    await synced(store, newsletter("local", follows=()), now=NOW + HOUR)
    assert (await store.newsletters.get("world")).retired_at == NOW + HOUR
    assert await store.issues.progress(issue.id) == {
        "email": {"attempting": 1, "suppressed": 1},
        "feed": {"suppressed": 1},
    }
    suppressed = await store.deliveries.of_issue(issue.id, state=None)
    events = await store.deliveries.history(suppressed[-1].id)
    assert events[-1].reply == "newsletter retired"
    assert await store.feeds.list() == []
    assert await store.feeds.claim_due(NOW + DAY, limit=9, lease=HOUR) == []
    # The one that was on its way may still report; when it must wait, it has nowhere to go.
    assert await store.deliveries.record(letter, letter.state.UNKNOWN, now=NOW)
    assert await claimed(store, now=NOW + DAY) == []
    assert await store.deliveries.invariant(issue.id) == []


async def test_an_issue_that_was_being_born_when_its_newsletter_was_retired_reaches_nobody(
    store: Store,
) -> None:
    await synced(store)
    await readers(store, 3)
    issue = await born(store)
    assert not await store.issues.add_deliveries(issue.id, NOW, chunk=1)
    await store.newsletters.sync([], site=SITE, now=NOW)
    assert await store.issues.unfinished() == []
    assert await store.issues.add_deliveries(issue.id, NOW)
    assert (await store.issues.get(issue.id)).state == "cancelled"
    assert await claimed(store) == []
    await synced(store)
    assert {one.through for one in await store.subscriptions.list()} == {1}, (
        "they are behind for good otherwise"
    )


async def test_a_newsletter_that_returns_goes_on(store: Store) -> None:
    await synced(store)
    await readers(store, 1)
    await opened(store)
    await store.newsletters.sync([], site=SITE, now=NOW)
    await synced(store, now=NOW + DAY)
    assert (await store.newsletters.get("world")).retired_at is None
    assert (await store.newsletters.own_edition("world")).through == 1
    (feed,) = await store.feeds.list()
    assert feed.newsletters == ("world",)
    issue = await opened(store, date=TODAY + timedelta(days=1))
    assert (await store.issues.progress(issue.id))["email"] == {"pending": 1}


async def test_feeds_are_shared_and_followed_by_name(store: Store) -> None:
    other = "https://other.example/feed"
    await synced(
        store,
        newsletter(),
        newsletter("local", follows=(Follow(url=FEED), Follow(url=other))),
    )
    found = await store.feeds.list()
    assert [(one.feed.url, one.newsletters) for one in found] == [
        (FEED, ("local", "world")),
        (other, ("local",)),
    ]
    assert {one.feed.next_poll_at for one in found} == {NOW}
    assert {one.feed.address for one in found} == {FEED, other}


async def test_since_says_when_a_newsletter_began_to_follow_or_came_back_to_a_feed(store: Store) -> None:
    await synced(store)
    await told(store, new_entry(1))
    await read_all(store)
    await store.articles.make_ready(NOW)
    ((_, follow),) = await window(store, "world", after=0, through=1)
    assert (follow.url, follow.since) == (FEED, NOW)
    await synced(store, newsletter(follows=()), now=NOW + HOUR)
    assert await window(store, "world", after=0, through=1) == []
    await synced(store, now=NOW + DAY)
    ((_, follow),) = await window(store, "world", after=0, through=1)
    assert follow.since == NOW + DAY


async def test_a_new_follower_with_a_wider_first_window_gets_entries_that_were_too_old_before(
    store: Store,
) -> None:
    await synced(store)
    old = replace(new_entry(1, news=False), published=NOW - 30 * DAY)
    await told(store, old, replace(new_entry(2, news=False), published=NOW - 300 * DAY))
    assert await store.articles.claim_unread(NOW, limit=9, lease=HOUR) == []
    await synced(store, newsletter(), newsletter("slow", follows=(Follow(url=FEED, first=60 * DAY),)))
    (unread,) = await store.articles.claim_unread(NOW, limit=9, lease=HOUR)
    assert unread.entry.guid == "guid-1"


async def test_a_changed_policy_for_letters_in_doubt_holds_for_those_that_are_there(store: Store) -> None:
    await synced(store)
    await readers(store, 1)
    await opened(store)
    (letter,) = await claimed(store)
    await store.deliveries.begin(letter, now=NOW, lease=HOUR)
    await store.deliveries.record(letter, letter.state.UNKNOWN, now=NOW)
    await synced(store, newsletter(unknown="hold"))
    assert await claimed(store) == []
    await synced(store, newsletter(unknown="retry"))
    assert [one.id for one in await claimed(store)] == [letter.id]

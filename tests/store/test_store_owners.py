"""What readers do for themselves: come back, see what we hold, move, and be forgotten."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import datetime, time, timedelta
from functools import partial

import pytest
from sqlalchemy import select
from store_values import (
    HOUR,
    MINUTE,
    NOW,
    SITE,
    TODAY,
    claimed,
    newsletter,
    opened,
    readers,
    synced,
)

from digest.links import MAX_AGE
from digest.model import DeliveryState, Notice, Offers, Rhythm, Subscription, SubscriptionStatus, Token
from digest.store import Store
from digest.store.tables import deliveries, metadata, notices

pytestmark = pytest.mark.asyncio

SECRET = b"the secret of these tests, long enough"
ACTIVE, LEFT = SubscriptionStatus.ACTIVE, SubscriptionStatus.LEFT
PENDING, PAUSED = SubscriptionStatus.PENDING, SubscriptionStatus.PAUSED
OLD, NEW = "reader1@example.org", "new@example.com"


async def reader(store: Store, address: str = OLD, slug: str = "world", now: datetime = NOW) -> Subscription:
    """Somebody who asked and confirmed."""
    asked = await store.subscriptions.request(slug, address, evidence={}, now=now)
    assert asked.subscription is not None
    made = await store.subscriptions.confirm(asked.subscription.id, evidence={"form": "x"}, now=now)
    assert made is not None
    return made


async def again(store: Store, id: int) -> Subscription:  # noqa: A002
    found = await store.subscriptions.get(id)
    assert found is not None
    return found


async def letters(store: Store, kind: str, now: datetime = NOW) -> list[Notice]:
    """The notices of that kind that wait to be sent."""
    due = [await store.notices.get(one.notice_id) for one in await claimed(store, now=now) if one.notice_id]
    return [one for one in due if one.kind == kind]


async def is_well(store: Store) -> None:
    assert (await store.ledger.verify()).problems == ()


# ---------------------------------------------------------------- welcome


async def test_who_confirms_is_welcomed_once_with_the_latest_public_issue(store: Store) -> None:
    await synced(store)
    await opened(store)
    made = await reader(store)
    await store.subscriptions.confirm(made.id, evidence={}, now=NOW + HOUR)
    (letter,) = await letters(store, "welcome", NOW + HOUR)
    assert (letter.recipient, letter.newsletter) == (OLD, "world")
    assert letter.data == {
        "path": "world/2026-11-22",
        "title": "World, 22 November",
        "stories": ["A bridge was opened"],
    }


async def test_a_first_reader_is_welcomed_without_an_issue(store: Store) -> None:
    await synced(store)
    await reader(store)
    (letter,) = await letters(store, "welcome")
    assert letter.data == {}


# ---------------------------------------------------------------- coming back


async def test_a_goodbye_is_taken_back_with_everything_as_it_was(store: Store) -> None:
    await store.claim_identity(SECRET, None, NOW)
    await synced(store)
    made = await reader(store)
    await store.subscriptions.pause(made.id, TODAY + timedelta(days=9), NOW)
    paused = await again(store, made.id)
    await store.subscriptions.leave(made.id, evidence={}, now=NOW)
    back = await store.subscriptions.undo(made.id, evidence={"form": "goodbye page"}, now=NOW + HOUR)
    assert back == paused
    assert await store.subscriptions.undo(made.id, evidence={}, now=NOW + HOUR) == paused, "pressed twice"
    told = [(row.event, row.source) for row in await store.subscriptions.history(OLD)]
    assert told == [("asked", "web"), ("yes", "web"), ("no", "web"), ("yes", "undo")]
    await is_well(store)


async def test_coming_back_wakes_the_edition_that_fell_asleep_meanwhile(store: Store) -> None:
    """Nobody else reads it: without that no letter would ever come again."""
    await synced(store, newsletter(offers=Offers(hour=True)))
    made = await reader(store)
    evening = Rhythm(cadence=made.rhythm.cadence, at=time(18), zone="Asia/Tokyo")
    chosen = await store.subscriptions.choose(made.id, evening, now=NOW)
    assert chosen is not None
    await store.subscriptions.leave(made.id, evidence={}, now=NOW)
    await store.slots.look_again(chosen.edition_id, NOW + HOUR)
    assert chosen.edition_id not in [one.id for one in await store.slots.due(NOW + 48 * HOUR)], "it sleeps"
    assert await store.subscriptions.undo(made.id, evidence={}, now=NOW + MINUTE) == chosen
    assert chosen.edition_id in [one.id for one in await store.slots.due(NOW + MINUTE)]


async def test_after_an_hour_a_goodbye_stands(store: Store) -> None:
    await synced(store)
    made = await reader(store)
    await store.subscriptions.leave(made.id, evidence={}, now=NOW)
    late = NOW + HOUR + timedelta(seconds=1)
    assert await store.subscriptions.undo(made.id, evidence={}, now=late) is None
    assert (await again(store, made.id)).status == LEFT


async def test_only_a_reader_who_left_by_themselves_comes_back_that_way(store: Store) -> None:
    await synced(store)
    asked = await store.subscriptions.request("world", "p@example.org", evidence={}, now=NOW)
    assert asked.subscription is not None
    await store.subscriptions.leave(asked.subscription.id, evidence={}, now=NOW)
    made = await reader(store)
    await store.subscriptions.remove("world", OLD, now=NOW)
    for number in (asked.subscription.id, made.id, 999):
        assert await store.subscriptions.undo(number, evidence={}, now=NOW + MINUTE) is None
    other = await reader(store, "s@example.org")
    await store.subscriptions.leave(other.id, evidence={}, now=NOW)
    await store.subscriptions.suppress("s@example.org", "complained", NOW)
    assert await store.subscriptions.undo(other.id, evidence={}, now=NOW + MINUTE) is None


async def test_why_somebody_left_is_written_down_and_changes_nothing(store: Store) -> None:
    await store.claim_identity(SECRET, None, NOW)
    await synced(store)
    made = await reader(store)
    assert not await store.subscriptions.say_why(made.id, reason="too much", now=NOW)
    await store.subscriptions.leave(made.id, evidence={}, now=NOW)
    assert await store.subscriptions.say_why(made.id, reason="too much", remark="x" * 9999, now=NOW)
    last = (await store.subscriptions.history(OLD))[-1]
    assert (last.event, last.evidence) == ("reason", {"reason": "too much", "remark": "x" * 500})
    back = await store.subscriptions.undo(made.id, evidence={}, now=NOW + MINUTE)
    assert back is not None
    await store.subscriptions.leave(made.id, evidence={}, now=NOW + MINUTE)
    await is_well(store)


# ---------------------------------------------------------------- the link for an hour


async def test_the_link_to_ones_data_goes_to_the_address_itself_three_times_an_hour(store: Store) -> None:
    await synced(store)
    made = await reader(store)
    times = [NOW + number * MINUTE for number in range(6)]
    assert [await store.subscriptions.request_manage(made.id, at) for at in times] == [True] * 3 + [False] * 3
    assert await store.subscriptions.request_manage(made.id, NOW + HOUR + MINUTE)
    assert [one.recipient for one in await letters(store, "manage", NOW + 2 * HOUR)] == [OLD] * 4
    assert not await store.subscriptions.request_manage(999, NOW)


async def test_only_the_latest_link_is_good_and_none_after_the_address_moved_or_went(store: Store) -> None:
    await synced(store)
    made = await reader(store)
    first, second = (Token(made.id, int((NOW + number * MINUTE).timestamp())) for number in range(2))
    assert await store.subscriptions.managed(first) is None
    await store.subscriptions.request_manage(made.id, NOW)
    assert await store.subscriptions.managed(first) == made
    await store.subscriptions.request_manage(made.id, NOW + MINUTE)
    assert await store.subscriptions.managed(first) is None
    assert await store.subscriptions.managed(second) == made
    await moved(store, made)
    assert await store.subscriptions.managed(second) is None
    await store.subscriptions.request_manage(made.id, NOW + HOUR)
    await store.subscriptions.erase(NEW, NOW)
    assert await store.subscriptions.managed(Token(made.id, int((NOW + HOUR).timestamp()))) is None


async def test_everything_that_we_hold_can_be_downloaded(store: Store) -> None:
    await synced(store, newsletter(), newsletter("local"))
    made = await reader(store)
    await reader(store, slug="local", now=NOW + HOUR)
    await opened(store)
    await store.inbox.keep(recipient=OLD, subject="A letter", message_id="<1>", body=b"x", now=NOW)
    await store.subscriptions.request_address(made.id, NEW, evidence={}, now=NOW)
    for address in (OLD.upper(), f"x+{OLD}", "reader1+tag@example.org", "somebody@example.org"):
        await store.signups.take("local", address, evidence={"form": "y"}, allowances=(), now=NOW)
    held = json.loads(json.dumps(await store.subscriptions.everything(made.subscriber_id)))
    assert held["address"] == OLD
    assert [one["newsletter"] for one in held["subscriptions"]] == ["world", "local"]
    assert [one["event"] for one in held["consent"]] == ["asked", "yes"] * 2
    assert held["consent"][1]["evidence"] == {"form": "x"}
    assert held["asked_for"] == [
        {
            "address": OLD.upper(),
            "newsletter": "local",
            "asked_at": NOW.isoformat(),
            "evidence": {"form": "y"},
        }
    ]
    assert held["address_changes"][0]["address"] == NEW
    kinds = sorted(one["kind"] for one in held["letters"])
    assert kinds == ["address", "confirm", "confirm", "issue", "welcome", "welcome"]
    assert held["letters_kept_here"][0]["subject"] == "A letter"
    await store.subscriptions.erase(OLD, NOW)
    assert await store.subscriptions.everything(made.subscriber_id) == {}
    assert await store.subscriptions.everything(999) == {}


# ---------------------------------------------------------------- another address


async def change_token(store: Store, at: datetime = NOW) -> Token:
    (letter,) = await letters(store, "address", at)
    return Token(int(letter.data["change_id"]), int(letter.created_at.timestamp()))


async def moved(store: Store, made: Subscription, to: str = NEW, at: datetime = NOW) -> None:
    assert await store.subscriptions.request_address(made.id, to, evidence={}, now=at)
    token = await change_token(store, at)
    done = await store.subscriptions.confirm_address(token, evidence={"form": "address page"}, now=at)
    assert done is not None
    assert done.address == to


async def test_an_address_changes_only_once_the_new_one_has_said_yes(store: Store) -> None:
    await store.claim_identity(SECRET, None, NOW)
    await synced(store)
    made = await reader(store)
    await claimed(store)
    assert await store.subscriptions.request_address(made.id, NEW, evidence={}, now=NOW)
    assert (await again(store, made.id)).address == OLD
    token = await change_token(store)
    change = await store.subscriptions.address_change(token)
    assert change is not None
    assert change.address == NEW
    assert await store.subscriptions.address_change(Token(token.id, token.number + 1)) is None
    await store.subscriptions.confirm_address(token, evidence={}, now=NOW)
    assert (await again(store, made.id)).address == NEW
    assert [one.recipient for one in await letters(store, "moved")] == [OLD], "the old address is told"
    assert (await store.subscriptions.history(NEW))[-1].event == "moved"
    assert await store.subscriptions.of(OLD) == []
    await is_well(store)
    assert (await opened(store)).recipients == 1
    assert [one.recipient for one in await claimed(store)] == [NEW]


async def test_to_confirm_an_address_again_changes_nothing(store: Store) -> None:
    await store.claim_identity(SECRET, None, NOW)
    await synced(store)
    made = await reader(store)
    assert await store.subscriptions.request_address(made.id, NEW, evidence={}, now=NOW)
    token = await change_token(store)
    confirmed = partial(store.subscriptions.confirm_address, token, evidence={}, now=NOW)
    answers = await asyncio.gather(*(confirmed() for _ in range(5)))
    assert sorted(one.done for one in answers if one is not None) == [False, True, True, True, True]
    before = await store.subscriptions.history(NEW)
    await store.subscriptions.suppress(NEW, "bounced", NOW)
    again = await confirmed()
    shown = await store.subscriptions.address_change(token)
    assert again == shown
    assert shown is not None
    assert (shown.done, shown.address) == (True, NEW)
    assert await store.subscriptions.history(NEW) == before
    assert [one.event for one in before].count("moved") == 1
    assert len(await letters(store, "moved", NOW + HOUR)) == 1
    await is_well(store)


async def test_a_change_that_made_two_one_is_answered_again_too(store: Store) -> None:
    """It is the survivor's then, and goes with them."""
    await synced(store)
    made = await reader(store)
    await store.subscriptions.add("world", NEW, source="cli", evidence={}, now=NOW)
    (other,) = await store.subscriptions.of(NEW)
    later = NOW + 2 * HOUR
    assert await store.subscriptions.request_address(made.id, NEW, evidence={}, now=later)
    (letter,) = [one for one in await letters(store, "address", later) if one.recipient == NEW]
    token = Token(int(letter.data["change_id"]), int(later.timestamp()))
    first = await store.subscriptions.confirm_address(token, evidence={}, now=later)
    second = await store.subscriptions.confirm_address(token, evidence={}, now=later)
    assert first is not None
    assert second == replace(first, subscriber_id=other.subscriber_id, done=True)
    await store.subscriptions.erase(NEW, later)
    assert await store.subscriptions.confirm_address(token, evidence={}, now=later) is None


@pytest.mark.parametrize("erased", [NEW, "third@example.net"])
async def test_a_wish_of_the_new_address_to_move_on_is_good_when_two_become_one(
    store: Store, erased: str
) -> None:
    """Its letter says that the button moves the letters; and so does the one that was pressed first."""
    await store.claim_identity(SECRET, None, NOW)
    await synced(store)
    made = await reader(store)
    await store.subscriptions.add("world", NEW, source="cli", evidence={}, now=NOW)
    (other,) = await store.subscriptions.of(NEW)
    third, later = "third@example.net", NOW + 2 * HOUR
    await store.subscriptions.request_manage(other.id, later)
    assert await store.subscriptions.request_address(other.id, third, evidence={}, now=later)
    assert await store.subscriptions.request_address(made.id, NEW, evidence={}, now=later)
    links = {
        one.recipient: Token(int(one.data["change_id"]), int(later.timestamp()))
        for one in await letters(store, "address", later)
    }
    confirmed = partial(store.subscriptions.confirm_address, evidence={}, now=later)
    for done in (False, True):
        change = await confirmed(links[NEW])
        assert change is not None
        assert (change.address, change.done) == (NEW, done)
    if erased != NEW:
        change = await confirmed(links[third])
        assert change is not None
        assert change.done is False
        (now_there,) = await store.subscriptions.of(third)
        assert (now_there.id, now_there.status) == (other.id, ACTIVE)
        assert await confirmed(links[NEW]) is None, "their letters do not go there any more"
    await is_well(store)
    await store.subscriptions.erase(erased, later)
    assert [await confirmed(links[to]) for to in links] == [None, None]
    async with store._database.reading() as connection:
        for table in metadata.sorted_tables:
            for row in await connection.execute(table.select()):
                assert erased not in str(row), table.name
                assert NEW not in str(row), table.name
    await is_well(store)


@pytest.mark.parametrize("done", [False, True])
async def test_a_change_is_kept_no_longer_than_its_link_is_good(store: Store, done: bool) -> None:
    await synced(store)
    made = await reader(store)
    assert await store.subscriptions.request_address(made.id, NEW, evidence={}, now=NOW)
    token = await change_token(store)
    if done:
        await store.subscriptions.confirm_address(token, evidence={}, now=NOW)
    day = MAX_AGE["address"]
    for after, gone in ((day, 0), (day + MINUTE, 1)):
        pruned = await store.prune(NOW + after, deliveries=90 * day, articles=90 * day)
        assert pruned["changes"] == gone
    assert await store.subscriptions.address_change(token) is None


async def test_a_second_wish_kills_the_link_of_the_first(store: Store) -> None:
    await synced(store)
    made = await reader(store)
    await store.subscriptions.request_address(made.id, "typo@example.com", evidence={}, now=NOW)
    first = await change_token(store)
    await store.subscriptions.request_address(made.id, NEW, evidence={}, now=NOW + MINUTE)
    assert await store.subscriptions.confirm_address(first, evidence={}, now=NOW + MINUTE) is None
    assert (await again(store, made.id)).address == OLD


@pytest.mark.parametrize("to", ["READER1@example.org", "dead@example.org"])
async def test_no_letter_goes_to_ones_own_address_or_to_a_suppressed_one(store: Store, to: str) -> None:
    await synced(store)
    made = await reader(store)
    await store.subscriptions.suppress("dead@example.org", "bounced", NOW)
    assert not await store.subscriptions.request_address(made.id, to, evidence={}, now=NOW)
    assert await letters(store, "address") == []


async def test_strangers_cannot_be_flooded_by_changes_of_address(store: Store) -> None:
    await synced(store)
    made = await reader(store)
    sent = [
        await store.subscriptions.request_address(made.id, address, evidence={}, now=NOW + number * MINUTE)
        for number, address in enumerate(
            ("v@example.com", "V@example.com", "v+1@example.com", "v.+2@example.com")
        )
    ]
    assert sent == [True, False, False, False]


async def test_one_reader_writes_to_few_strangers(store: Store) -> None:
    await synced(store)
    made = await reader(store)
    sent = [
        await store.subscriptions.request_address(
            made.id, f"stranger{number}@example.com", evidence={}, now=NOW + number * MINUTE
        )
        for number in range(5)
    ]
    assert sent == [True, True, True, False, False]
    later = NOW + timedelta(hours=2)
    assert await store.subscriptions.request_address(made.id, NEW, evidence={}, now=later)


async def test_letters_that_are_born_go_where_they_were_born_for_and_nobody_gets_two(store: Store) -> None:
    await synced(store)
    made = await reader(store)
    await claimed(store)
    issue = await opened(store)
    await moved(store, made)
    async with store._database.reading() as connection:
        to = select(deliveries.c.recipient).where(
            deliveries.c.issue_id == issue.id, deliveries.c.channel == "email"
        )
        assert (await connection.execute(to)).scalars().all() == [OLD]
    assert await store.deliveries.invariant(issue.id) == []
    following = await opened(store, date=TODAY + timedelta(days=1))
    assert following.recipients == 1


async def test_two_addresses_of_one_person_become_one_without_double_letters(store: Store) -> None:
    await store.claim_identity(SECRET, None, NOW)
    await synced(store, *(newsletter(slug) for slug in ("both", "mine", "theirs", "gone", "asked")))
    first = await reader(store, slug="both")
    for slug in ("mine", "gone", "asked"):
        await store.subscriptions.add(slug, OLD, source="cli", evidence={}, now=NOW)
    await store.subscriptions.add("both", NEW, source="cli", evidence={}, now=NOW)
    await store.subscriptions.add("theirs", NEW, source="cli", evidence={}, now=NOW)
    left = await reader(store, NEW, "gone", NOW)
    await store.subscriptions.leave(left.id, evidence={}, now=NOW)
    await store.subscriptions.request("asked", NEW, evidence={}, now=NOW + 2 * HOUR)
    await moved(store, first, at=NOW + 4 * HOUR)

    theirs = {one.newsletter: one.status for one in await store.subscriptions.of(NEW)}
    assert theirs == {"both": ACTIVE, "mine": ACTIVE, "theirs": ACTIVE, "gone": ACTIVE, "asked": ACTIVE}
    assert await store.subscriptions.of(OLD) == []
    assert await store.subscriptions.verify() == []
    await is_well(store)
    for slug, count in (("both", 1), ("mine", 1), ("theirs", 1), ("gone", 1), ("asked", 1)):
        assert (await opened(store, slug)).recipients == count, slug
    assert await store.subscriptions.add("both", OLD, source="import", evidence={}, now=NOW) == "left", (
        "an old list does not bring the old address back"
    )


async def test_links_of_letters_from_before_two_became_one_lead_to_the_one_that_is_left(store: Store) -> None:
    await store.claim_identity(SECRET, None, NOW)
    await synced(store)
    first = await reader(store)
    await store.subscriptions.add("world", NEW, source="cli", evidence={}, now=NOW)
    await store.subscriptions.add("world", "third@example.net", source="cli", evidence={}, now=NOW)
    (second,) = await store.subscriptions.of(NEW)
    await moved(store, first, at=NOW + 2 * HOUR)
    assert await store.subscriptions.of_link(first.id) == second
    await moved(store, second, "third@example.net", NOW + 5 * HOUR)
    (third,) = await store.subscriptions.of("third@example.net")
    assert await store.subscriptions.of_link(first.id) == third
    assert (await again(store, first.id)).status == LEFT, "what is no link does not follow"
    assert not await store.subscriptions.request_manage(first.id, NOW), "nor does what shows data"

    left = await store.subscriptions.leave(first.id, evidence={"form": "one-click"}, now=NOW + 6 * HOUR)
    assert left is not None
    assert (left.id, left.status) == (third.id, LEFT)
    assert [row.event for row in await store.subscriptions.history("third@example.net")][-1] == "no"
    assert (await opened(store)).recipients == 0
    await is_well(store)


async def test_when_the_one_that_is_left_is_erased_old_links_lead_to_nobody(store: Store) -> None:
    await synced(store)
    first = await reader(store)
    await store.subscriptions.add("world", NEW, source="cli", evidence={}, now=NOW)
    await moved(store, first, at=NOW + 2 * HOUR)
    await store.subscriptions.erase(NEW, NOW + 3 * HOUR)
    for found in (
        await store.subscriptions.of_link(first.id),
        await store.subscriptions.leave(first.id, evidence={}, now=NOW + 3 * HOUR),
    ):
        assert found is not None
        assert (found.address, found.status) == ("erased", LEFT)


async def test_an_old_list_does_not_bring_the_old_address_back_to_what_came_along(store: Store) -> None:
    await synced(store, newsletter("mine"), newsletter("theirs"))
    first = await reader(store, slug="mine")
    await store.subscriptions.add("theirs", NEW, source="cli", evidence={}, now=NOW)
    await moved(store, first, at=NOW + 2 * HOUR)
    assert await store.subscriptions.add("mine", OLD, source="import", evidence={}, now=NOW) == "left"


async def test_who_moves_back_gets_their_letters_there_again(store: Store) -> None:
    await synced(store)
    made = await reader(store)
    await moved(store, made, at=NOW + 2 * HOUR)
    await moved(store, made, OLD, NOW + 5 * HOUR)
    back = await again(store, made.id)
    assert (back.address, back.status) == (OLD, ACTIVE)


@pytest.mark.parametrize("erased", [False, True])
async def test_letters_go_on_at_an_address_that_once_left_as_its_owner_has_just_said_yes(
    store: Store, erased: bool
) -> None:
    """So says the page before the yes and after it, and the letter to the old address."""
    await store.claim_identity(SECRET, None, NOW)
    await synced(store)
    once = await reader(store, NEW)
    await store.subscriptions.leave(once.id, evidence={}, now=NOW)
    if erased:
        await store.subscriptions.erase(NEW, NOW)
    made = await reader(store)
    await moved(store, made, at=NOW + 2 * HOUR)
    (now_there,) = await store.subscriptions.of(NEW)
    assert (now_there.status, now_there.left_at, now_there.rhythm) == (ACTIVE, None, made.rhythm)
    (said,) = [row for row in await store.subscriptions.history(NEW) if row.source == "moved"]
    assert (said.event, said.newsletter, said.evidence) == ("yes", "world", {"form": "address page"})
    assert (await opened(store)).recipients == 1
    assert await store.subscriptions.verify() == []
    await is_well(store)
    await store.subscriptions.erase(NEW, NOW + 3 * HOUR)
    assert await store.subscriptions.add("world", NEW, source="import", evidence={}, now=NOW) == "left"


async def test_what_somebody_left_themselves_stays_left_wherever_they_move(store: Store) -> None:
    await synced(store, newsletter("mine"), newsletter("left"))
    made = await reader(store, slug="mine")
    left = await reader(store, slug="left", now=NOW + 2 * HOUR)
    await store.subscriptions.leave(left.id, evidence={}, now=NOW + 2 * HOUR)
    await store.subscriptions.request("left", NEW, evidence={}, now=NOW + 2 * HOUR)
    await moved(store, made, at=NOW + 4 * HOUR)
    theirs = {one.newsletter: one.status for one in await store.subscriptions.of(NEW)}
    assert theirs == {"mine": ACTIVE, "left": PENDING}


@pytest.mark.parametrize("before", [PENDING, LEFT, PAUSED])
async def test_letters_that_wait_go_out_when_the_reader_becomes_one_with_who_reads_nothing(
    store: Store, before: SubscriptionStatus
) -> None:
    """Also one that a worker has claimed already, by the subscription that ends."""
    await synced(store)
    made = await reader(store)
    if before == PENDING:
        await store.subscriptions.request("world", NEW, evidence={}, now=NOW)
    else:
        there = await reader(store, NEW)
        if before == PAUSED:
            await store.subscriptions.pause(there.id, None, NOW)
        else:
            await store.subscriptions.leave(there.id, evidence={}, now=NOW)
    issue = await opened(store)
    later = NOW + 2 * HOUR
    stale = [one for one in await claimed(store, now=later) if one.issue_id == issue.id]
    await moved(store, made, at=later)
    assert [await store.deliveries.begin(one, now=later, lease=MINUTE) for one in stale] == ["lost"]
    (letter,) = [one for one in await claimed(store, now=later) if one.issue_id == issue.id]
    assert (letter.recipient, letter.id) == (OLD, stale[0].id)
    assert await store.deliveries.begin(letter, now=later, lease=MINUTE) == "go"
    assert await store.deliveries.invariant(issue.id) == []
    assert [one.status for one in await store.subscriptions.of(NEW)] == [ACTIVE]


async def test_whom_the_config_took_out_and_who_moves_there_is_not_taken_out_again(store: Store) -> None:
    await synced(store, newsletter(recipients=(NEW,)))
    await synced(store)
    made = await reader(store)
    await moved(store, made)
    await synced(store)
    assert [one.status for one in await store.subscriptions.of(NEW)] == [ACTIVE]


async def test_a_reader_of_the_config_who_moves_is_not_taken_out_at_the_next_start(store: Store) -> None:
    admins = newsletter(recipients=(OLD,))
    await synced(store, admins)
    (made,) = await store.subscriptions.of(OLD)
    await moved(store, made)
    await store.newsletters.sync([admins], site=SITE, now=NOW + HOUR)
    assert [(one.address, one.status) for one in await store.subscriptions.list()] == [(NEW, ACTIVE)]


async def test_erasing_finds_every_address_that_somebody_had_or_wanted(store: Store) -> None:
    await store.claim_identity(SECRET, None, NOW)
    await synced(store)
    made = await reader(store)
    await opened(store)
    await store.inbox.keep(recipient=OLD, subject="s", message_id="<1>", body=b"x", now=NOW)
    await moved(store, made)
    await store.subscriptions.request_address(made.id, "wanted@example.net", evidence={}, now=NOW + HOUR)
    await store.signups.take("world", NEW.upper(), evidence={}, allowances=(), now=NOW)
    assert await store.subscriptions.erase_id(made.subscriber_id, NOW)
    assert not await store.subscriptions.erase_id(made.subscriber_id, NOW)
    async with store._database.reading() as connection:
        for table in metadata.sorted_tables:
            for row in await connection.execute(table.select()):
                for word in ("reader1", "new@", "wanted"):
                    assert word not in str(row).lower(), f"still in {table.name}: {row}"
    await is_well(store)


async def test_many_changes_at_once_leave_the_ledger_whole(store: Store) -> None:
    await store.claim_identity(SECRET, None, NOW)
    await synced(store)
    ids = await readers(store, 10)

    async def live(number: int, id: int) -> None:  # noqa: A002
        await store.subscriptions.leave(id, evidence={}, now=NOW)
        await store.subscriptions.undo(id, evidence={}, now=NOW)
        if number % 3 == 0:
            await store.subscriptions.erase(f"reader{number + 1}@example.org", NOW)
        elif number % 3 == 1:
            await store.subscriptions.request_address(id, f"n{number}@example.com", evidence={}, now=NOW)

    await asyncio.gather(*(live(number, one) for number, one in enumerate(ids)))
    await is_well(store)
    assert await store.subscriptions.verify() == []


# ---------------------------------------------------------------- what waits while somebody moves


async def confirmations(store: Store, now: datetime) -> list[tuple[str, str, Token]]:
    """(recipient, newsletter, what the link says) of the confirmation letters that wait to be sent."""
    return [
        (one.recipient, one.newsletter, Token(one.data["subscription_id"], int(one.created_at.timestamp())))
        for one in await letters(store, "confirm", now)
    ]


@pytest.mark.parametrize("before", [PENDING, LEFT])
@pytest.mark.parametrize("joins", [False, True])
async def test_what_was_asked_for_at_the_old_address_is_asked_again_at_the_new_one(
    store: Store, joins: bool, before: SubscriptionStatus
) -> None:
    """The letter that is out proves the old address only: its link shows and does nothing any more."""
    await store.claim_identity(SECRET, None, NOW)
    await synced(store, newsletter(), newsletter("local"), newsletter("other"))
    made = await reader(store)
    if joins:
        await store.subscriptions.add("other", NEW, source="cli", evidence={}, now=NOW)
    if before == LEFT:
        once = await reader(store, slug="local", now=NOW + HOUR)
        await store.subscriptions.leave(once.id, evidence={}, now=NOW + HOUR)
    at = NOW + 2 * HOUR
    asked = await store.subscriptions.request("local", OLD, evidence={"form": "f"}, now=at)
    assert asked.subscription is not None
    link = Token(asked.subscription.id, int(at.timestamp()))
    assert await store.subscriptions.to_confirm(link) is not None
    await moved(store, made, at=at + MINUTE)

    assert await store.subscriptions.to_confirm(link) is None
    assert await store.subscriptions.confirm(link.id, token=link, evidence={}, now=at + MINUTE) is None
    later = at + HOUR + MINUTE
    assert await store.signups.answer(later - MINUTE) == 0, "no mailbox gets two such letters an hour"
    assert await store.signups.answer(later) == 1
    ((to, slug, new_link),) = [one for one in await confirmations(store, later + HOUR) if one[0] == NEW]
    assert (to, slug) == (NEW, "local")
    last = [row for row in await store.subscriptions.history(NEW) if row.newsletter == "local"][-1]
    assert (last.event, last.evidence) == ("asked", {"form": "f"})
    await store.subscriptions.confirm(new_link.id, token=new_link, evidence={}, now=later)
    theirs = {one.newsletter: one.status for one in await store.subscriptions.of(NEW)}
    assert theirs == {"world": ACTIVE, "local": ACTIVE} | ({"other": ACTIVE} if joins else {})
    assert await store.subscriptions.of(OLD) == []
    await is_well(store)


@pytest.mark.parametrize("there", [ACTIVE, PENDING, LEFT])
async def test_nothing_is_asked_again_that_the_new_address_has_answered_or_was_asked(
    store: Store, there: SubscriptionStatus
) -> None:
    await store.claim_identity(SECRET, None, NOW)
    await synced(store, newsletter(), newsletter("local"))
    made = await reader(store)
    at = NOW + 2 * HOUR
    await store.subscriptions.request("local", OLD, evidence={}, now=at)
    if there == PENDING:
        await store.subscriptions.request("local", NEW, evidence={}, now=at)
    else:
        other = await reader(store, NEW, "local", at)
        if there == LEFT:
            await store.subscriptions.leave(other.id, evidence={}, now=at + MINUTE)
    await moved(store, made, at=at + 2 * HOUR)
    assert await store.signups.answer(at + 4 * HOUR) == 0
    assert await store.signups.waiting() == 0
    (still,) = [one for one in await store.subscriptions.of(NEW) if one.newsletter == "local"]
    assert still.status == there
    await is_well(store)


async def test_a_sign_up_that_waits_for_its_letter_moves_along(store: Store) -> None:
    await synced(store, newsletter(), newsletter("local"))
    made = await reader(store)
    for address in (OLD.upper(), f"x+{OLD}", "reader1+tag@example.org"):
        await store.signups.take("local", address, evidence={}, allowances=(), now=NOW)
    await moved(store, made)
    for after in range(1, 5):
        await store.signups.answer(NOW + after * HOUR)
    mailed = {to for to, slug, _ in await confirmations(store, NOW + 5 * HOUR) if slug == "local"}
    assert mailed == {NEW, f"x+{OLD}", "reader1+tag@example.org"}, "those of others stay where they are"


async def test_a_letter_that_has_not_gone_yet_does_not_go_with_a_dead_link(store: Store) -> None:
    await synced(store, newsletter(), newsletter("local"))
    made = await reader(store)
    await claimed(store)
    await store.subscriptions.request("local", OLD, evidence={}, now=NOW + 2 * HOUR)
    await moved(store, made, at=NOW + 2 * HOUR)
    kinds = {"world": DeliveryState.PENDING, "local": DeliveryState.SUPPRESSED}
    async with store._database.reading() as connection:
        statement = (
            select(deliveries.c.newsletter, deliveries.c.state)
            .join(notices, notices.c.id == deliveries.c.notice_id)
            .where(notices.c.kind == "confirm")
        )
        assert {row.newsletter: row.state for row in await connection.execute(statement)} == kinds


async def test_what_was_asked_at_the_old_address_is_forgotten_when_it_cannot_be_asked(store: Store) -> None:
    await synced(store, newsletter(), newsletter("local"))
    made = await reader(store)
    at = NOW + 2 * HOUR
    await store.subscriptions.request("local", OLD, evidence={}, now=at)
    await moved(store, made, at=at)
    await store.subscriptions.suppress(NEW, "bounced", at)
    assert await store.signups.answer(at + 2 * HOUR) == 0
    day = timedelta(days=1)
    await store.prune(at + 5 * day, deliveries=90 * day, articles=90 * day)
    assert [one.newsletter for one in await store.subscriptions.of(NEW)] == ["world"]

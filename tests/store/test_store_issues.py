"""One issue for a window, born whole, with every delivery before any may be claimed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from store_values import (
    BOTH,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SITE,
    TODAY,
    an_issue,
    born,
    claimed,
    decision,
    newsletter,
    one_letter,
    opened,
    readers,
    slot,
    story,
    synced,
)

from digest.model import Decision, DeliveryState, NotFound, SlotRecord
from digest.store import Store

pytestmark = pytest.mark.asyncio
TOMORROW = TODAY + timedelta(days=1)


# ---------------------------------------------------------------- birth


async def test_an_issue_comes_back_as_it_was_born(store: Store) -> None:
    await synced(store)
    issue = await an_issue(store, stories=(story("One"), story("Two \0 \ud800 Ω")))
    born = await store.issues.birth(issue, decisions=[], prepared={}, audiences=BOTH, slot=None, now=NOW)
    assert born is not None
    assert born == replace(issue, id=born.id)
    found = await store.issues.get(born.id)
    clean = replace(issue, id=born.id, stories=(story("One"), story("Two \0 \ufffd Ω")))
    assert found == clean
    assert await store.issues.by_path("world/2026-11-22") == found
    assert await store.issues.by_path("world/2026-11-23") is None
    with pytest.raises(NotFound, match="999"):
        await store.issues.get(999)


async def test_birth_moves_the_cursor_of_the_newsletters_own_edition(store: Store) -> None:
    await synced(store)
    own = await store.newsletters.own_edition("world")
    issue = await born(store, through=7, slot=slot(own.id))
    after = await store.newsletters.own_edition("world")
    assert (after.through, after.last_date) == (7, TODAY)
    (record,) = await store.issues.slots("world")
    assert record == SlotRecord(
        edition_id=own.id,
        rhythm=newsletter().schedule.rhythm,
        own=True,
        date=TODAY,
        due_at=slot(own.id).due_at,
        status="issue",
        issue_id=issue.id,
        issues=1,
        recorded_at=NOW,
    )


async def test_an_issue_by_hand_moves_the_own_edition_too_but_uses_up_no_day(store: Store) -> None:
    await synced(store)
    await readers(store, 2)
    manual = await store.newsletters.manual_edition("world")
    issue = await opened(store, edition_id=manual.id)
    own = await store.newsletters.own_edition("world")
    assert (own.through, own.last_date) == (1, None)
    assert (await store.issues.progress(issue.id))["email"] == {"pending": 2}
    assert await store.issues.slots("world") == []
    assert (await store.newsletters.manual_edition("world")).through == 1


async def test_a_window_belongs_to_whoever_is_first(store: Store) -> None:
    await synced(store)
    first = await an_issue(store)
    second = replace(first, path="world/other")
    kw = {"decisions": [decision()], "prepared": {"email": b"x"}, "audiences": BOTH, "slot": None, "now": NOW}
    assert await store.issues.birth(first, **kw) is not None  # type: ignore[arg-type]
    assert await store.issues.birth(second, **kw) is None  # type: ignore[arg-type]
    assert len(await store.issues.latest()) == 1


async def test_of_many_births_at_once_one_succeeds_and_the_others_leave_nothing(store: Store) -> None:
    await synced(store)
    own = await store.newsletters.own_edition("world")
    issue = await an_issue(store)
    today = await store.slots.open(slot(own.id), through=issue.through, now=NOW)
    births = await asyncio.gather(
        *(
            store.issues.birth(
                replace(issue, path=f"world/{number}"),
                decisions=[decision()],
                prepared={},
                audiences=BOTH,
                slot=today,
                now=NOW,
            )
            for number in range(10)
        )
    )
    assert sum(one is not None for one in births) == 1
    assert len(await store.issues.latest()) == 1
    assert len(await store.issues.unfinished()) == 1


async def test_a_path_that_is_taken_refuses_the_birth_and_the_cursor_stays(store: Store) -> None:
    await synced(store)
    await born(store)
    twin = await an_issue(store, path="world/2026-11-22")
    refused = await store.issues.birth(twin, decisions=[], prepared={}, audiences=BOTH, slot=None, now=NOW)
    assert refused is None
    assert (await store.newsletters.own_edition("world")).through == 1


async def test_the_first_issue_fixes_authority_and_date_of_the_feed_ids_for_good(store: Store) -> None:
    await synced(store)
    await born(store)
    found = await store.newsletters.get("world")
    assert (found.tag_authority, found.tag_date) == ("news.example.org", TODAY)
    await store.newsletters.sync([newsletter()], site=replace(SITE, url="https://elsewhere.example"), now=NOW)
    await born(store, date=TOMORROW)
    found = await store.newsletters.get("world")
    assert (found.tag_authority, found.tag_date) == ("news.example.org", TODAY)


async def test_decisions_and_prepared_bytes_are_kept_with_the_issue(store: Store) -> None:
    await synced(store)
    told = [decision(5), replace(decision(6, "limit"), score=None, story="", terms={})]
    issue = await born(store, decisions=told, prepared={"email": b"\x00bytes\xff"})
    assert await store.issues.decisions(issue.id) == told
    assert await store.issues.prepared(issue.id, "email") == b"\x00bytes\xff"
    assert await store.issues.prepared(issue.id, "feed") is None
    assert await store.issues.prepared(issue.id, "fax") is None
    later = await born(store, date=TOMORROW, decisions=[decision(6, "told")])
    found = await store.issues.decisions_for(6)
    assert [(one.id, why.verdict) for one, why in found] == [(later.id, "told"), (issue.id, "limit")]
    assert isinstance(found[0][1], Decision)
    assert await store.issues.decisions_for(7) == []


async def test_a_window_of_thousands_of_decisions_is_kept_whole(store: Store) -> None:
    await synced(store)
    told = [decision(number) for number in range(2_500)]
    issue = await born(store, decisions=told)
    assert await store.issues.decisions(issue.id) == told


# ---------------------------------------------------------------- deliveries are born


@pytest.mark.parametrize("stop_after", range(5))
async def test_a_crash_after_any_chunk_loses_nobody_and_doubles_nobody(store: Store, stop_after: int) -> None:
    await synced(store)
    ids = await readers(store, 7)
    issue = await born(store)
    for _ in range(stop_after):
        if await store.issues.add_deliveries(issue.id, NOW, chunk=2):
            break
    done = issue.id not in await store.issues.unfinished()
    assert done == (stop_after == 4)
    if not done:
        assert await claimed(store) == [], "one was claimed before all were born"
        assert await claimed(store, "feed") == []
        assert (await store.issues.get(issue.id)).recipients is None
    while not await store.issues.add_deliveries(issue.id, NOW, chunk=3):  # another process takes over
        pass
    assert await store.issues.unfinished() == []
    letters = await claimed(store)
    assert [one.subscription_id for one in letters] == ids
    assert [one.recipient for one in letters] == [f"reader{number}@example.org" for number in range(1, 8)]
    assert [one.recipient for one in await claimed(store, "feed")] == ["world"]
    found = await store.issues.get(issue.id)
    assert (found.recipients, found.state) == (7, "open")
    assert {one.through for one in await store.subscriptions.list()} == {issue.through}
    assert await store.deliveries.invariant(issue.id) == []
    assert await store.issues.add_deliveries(issue.id, NOW, chunk=2), "once more is harmless"
    assert len(await store.deliveries.of_issue(issue.id)) == 8


async def test_two_processes_that_bring_deliveries_about_at_once_double_nobody(
    store: Store, store_url: str
) -> None:
    await synced(store)
    await readers(store, 60)
    issue = await born(store)
    other = await Store.open(store_url)
    try:

        async def all_of(one: Store) -> None:
            while not await one.issues.add_deliveries(issue.id, NOW, chunk=7):
                pass

        await asyncio.gather(all_of(store), all_of(other), all_of(store))
    finally:
        await other.close()
    assert (await store.issues.get(issue.id)).recipients == 60
    assert len({one.subscription_id for one in await claimed(store)}) == 60


async def test_every_channel_with_readers_gets_all_of_them(store: Store) -> None:
    await synced(store)
    await readers(store, 5)
    issue = await born(store, audiences={"email": "readers", "matrix": "readers", "feed": "newsletter"})
    while not await store.issues.add_deliveries(issue.id, NOW, chunk=2):
        pass
    assert await store.issues.progress(issue.id) == {
        "email": {"pending": 5},
        "matrix": {"pending": 5},
        "feed": {"pending": 1},
    }
    assert (await store.issues.get(issue.id)).recipients == 5


async def test_an_issue_without_readers_opens_with_none_and_its_feed_is_delivered(store: Store) -> None:
    await synced(store)
    issue = await opened(store)
    assert (issue.state, issue.recipients) == ("open", 0)
    assert await store.issues.progress(issue.id) == {"feed": {"pending": 1}}


async def test_readers_are_covered_also_by_an_issue_without_a_letter(store: Store) -> None:
    await synced(store)
    await readers(store, 2)
    await opened(store, audiences={"feed": "newsletter"})
    assert {one.through for one in await store.subscriptions.list()} == {1}
    issue = await opened(store, date=TOMORROW)
    assert (await store.issues.progress(issue.id))["email"] == {"pending": 2}


async def test_only_active_readers_who_are_not_suppressed_get_a_letter(store: Store) -> None:
    await synced(store)
    ids = await readers(store, 5)
    await store.subscriptions.request("world", "pending@example.org", evidence={}, now=NOW)
    await store.subscriptions.leave(ids[0], evidence={}, now=NOW)
    await store.subscriptions.pause(ids[1], None, NOW)
    await store.subscriptions.pause(ids[2], TOMORROW, NOW)
    await store.subscriptions.suppress("READER4@example.org", "bounced", NOW)
    issue = await opened(store)
    letters = [one for one in await claimed(store) if one.issue_id == issue.id]
    assert [one.recipient for one in letters] == ["reader5@example.org"]
    assert issue.recipients == 1


async def test_whose_pause_is_over_gets_an_issue_by_hand_if_it_begins_where_they_stand(store: Store) -> None:
    await synced(store)
    early, late = await readers(store, 2)
    await store.subscriptions.pause(early, TODAY, NOW)
    await store.subscriptions.pause(late, TOMORROW, NOW)
    first = await opened(store)
    second = await opened(store, date=TOMORROW)
    assert (first.recipients, second.recipients) == (1, 1)
    found = [await store.subscriptions.get(reader) for reader in (early, late)]
    assert [(one.status, one.paused_until, one.through) for one in found if one] == [
        ("active", None, second.through),
        ("active", None, 0),  # the next slot has an issue for them, from where they stand
    ]


async def test_who_comes_between_two_issues_gets_the_second(store: Store) -> None:
    await synced(store)
    await readers(store, 1)
    first = await born(store)
    await readers(store, 1, first=2)  # the window of the first is closed already
    while not await store.issues.add_deliveries(first.id, NOW):
        pass
    assert (await store.issues.get(first.id)).recipients == 1
    second = await opened(store, date=TOMORROW)
    assert second.recipients == 2


async def test_an_older_issue_is_completed_before_a_newer_one(store: Store) -> None:
    await synced(store)
    await readers(store, 3)
    first = await born(store)
    second = await born(store, date=TOMORROW)
    while not await store.issues.add_deliveries(second.id, NOW, chunk=2):
        pass
    assert await store.issues.unfinished() == []
    assert [(await store.issues.get(one.id)).recipients for one in (first, second)] == [3, 3]


async def test_who_leaves_while_the_deliveries_are_born_is_not_written_to(store: Store) -> None:
    await synced(store)
    ids = await readers(store, 2)
    issue = await born(store)
    assert not await store.issues.add_deliveries(issue.id, NOW, chunk=1)
    for reader in ids:
        await store.subscriptions.leave(reader, evidence={}, now=NOW)
    while not await store.issues.add_deliveries(issue.id, NOW):
        pass
    (letter,) = await claimed(store)
    assert await store.deliveries.begin(letter, now=NOW, lease=MINUTE) == "suppressed"
    assert await store.deliveries.invariant(issue.id) == []


# ---------------------------------------------------------------- reading


async def test_a_second_issue_of_a_date_gets_the_next_free_path(store: Store) -> None:
    await synced(store)
    assert await store.issues.free_path("world", TODAY) == "world/2026-11-22"
    await born(store)
    assert await store.issues.free_path("world", TODAY) == "world/2026-11-22-2"
    await born(store)
    assert await store.issues.free_path("world", TODAY) == "world/2026-11-22-3"
    assert await store.issues.free_path("world", TOMORROW) == "world/2026-11-23"


async def test_an_issue_that_is_not_public_has_a_path_of_its_own_and_is_not_listed(store: Store) -> None:
    await synced(store)
    first = await store.issues.next_id()
    public = await born(store)
    second = await store.issues.next_id()
    assert first < public.id < second, "a number is given once"
    hidden = await born(store, id=first, public=False, path=f"world/i/{first}")
    assert hidden.id == first
    assert [one.id for one in await store.issues.latest("world")] == [public.id]
    assert [one.id for one in await store.issues.latest("world", public=False)] == [public.id, hidden.id]
    assert (await store.issues.by_path(f"world/i/{first}")) is not None
    assert await store.issues.neighbours(public) == (None, None)
    assert (await born(store, date=TOMORROW)).id == second + 1


async def test_latest_issues_come_page_by_page_newest_first(store: Store) -> None:
    await synced(store, newsletter(), newsletter("local"))
    ids = [(await born(store, date=TODAY + timedelta(days=day))).id for day in range(5)]
    other = await born(store, "local")
    assert [one.id for one in await store.issues.latest("world", limit=2)] == [ids[4], ids[3]]
    assert [one.id for one in await store.issues.latest("world", limit=2, before=ids[3])] == [ids[2], ids[1]]
    assert [one.id for one in await store.issues.latest(limit=1)] == [other.id]
    middle = await store.issues.get(ids[2])
    older, newer = await store.issues.neighbours(middle)
    assert (older and older.id, newer and newer.id) == (ids[1], ids[3])
    assert await store.issues.neighbours(other) == (None, None)


async def test_what_was_told_is_what_this_newsletter_told_between_two_moments(store: Store) -> None:
    await synced(store, newsletter(), newsletter("local"))
    await born(store, composed_at=NOW - 20 * DAY, updated_at=NOW, stories=(story("Old"),))
    await born(store, date=TOMORROW, stories=(story("New"), story("Newer")))
    await born(store, "local", stories=(story("Elsewhere"),))
    found = await store.issues.told("world", since=NOW - 14 * DAY, before=NOW + HOUR, after=2)
    assert [each.story for each in found] == [story("New"), story("Newer")]
    assert {(each.date, each.composed_at) for each in found} == {(TOMORROW, NOW)}
    earlier = await store.issues.told("world", since=NOW - 21 * DAY, before=NOW, after=2)
    assert [each.story for each in earlier] == [story("Old")]


async def test_what_came_out_later_than_where_readers_stand_was_not_told_to_them(store: Store) -> None:
    """And what brought others to that number was told to some of them."""
    await synced(store)
    await born(store, stories=(story("First"),))  # (0, 1]
    await born(store, date=TOMORROW, stories=(story("Second"),))  # (1, 2]
    for after, through, title in ((0, 2, "Both"), (1, 2, "Of one"), (0, 3, "Of others")):
        number = await store.issues.next_id()
        await born(
            store,
            id=number,
            public=False,
            path=f"world/i/{number}",
            date=TOMORROW + (through - after) * DAY,
            after=after,
            through=through,
            stories=(story(title),),
        )

    async def told(after: int, *, alone: bool) -> list[str]:
        kw = {"since": NOW - DAY, "before": NOW + HOUR}
        return [each.story.title for each in await store.issues.told("world", after=after, alone=alone, **kw)]

    assert await told(1, alone=True) == ["First"]
    assert await told(2, alone=True) == ["Second", "First"]
    assert await told(1, alone=False) == ["First"]
    assert await told(2, alone=False) == ["Of one", "Both", "Second", "First"]
    assert await told(0, alone=False) == []


# ---------------------------------------------------------------- control


async def test_a_paused_issue_is_not_claimed_and_not_begun_until_it_is_resumed(store: Store) -> None:
    letter = await one_letter(store)
    assert letter.issue_id is not None
    await store.issues.pause(letter.issue_id)
    assert (await store.issues.get(letter.issue_id)).state == "paused"
    assert await store.deliveries.begin(letter, now=NOW, lease=MINUTE) == "lost"
    assert await claimed(store, "feed") == []
    assert (await store.deliveries.get(letter.id)).state == DeliveryState.PENDING
    await store.issues.resume(letter.issue_id)
    (again,) = await claimed(store)  # at once: the refused intent gave its claim back
    assert again.id == letter.id
    assert await store.deliveries.begin(again, now=NOW, lease=MINUTE) == "go"


async def test_a_cancelled_issue_stops_what_waits_and_refuses_what_was_claimed(store: Store) -> None:
    await synced(store)
    await readers(store, 3)
    issue = await opened(store)
    first, second, _ = await claimed(store)
    assert await store.deliveries.begin(first, now=NOW, lease=MINUTE) == "go"
    assert await store.issues.cancel(issue.id, NOW) == 3  # two letters and the feed
    assert await store.deliveries.begin(second, now=NOW, lease=MINUTE) == "suppressed"
    assert (await store.issues.get(issue.id)).state == "cancelled"
    assert (await store.deliveries.history(second.id))[-1].reply == "the issue was cancelled"
    # The one under way is deferred by the other side: it is not tried again.
    later = NOW + MINUTE
    assert await store.deliveries.record(first, DeliveryState.DEFERRED, now=NOW, available_at=later)
    assert (await store.deliveries.get(first.id)).state == DeliveryState.SUPPRESSED
    assert await claimed(store, now=NOW + DAY) == []
    assert await store.issues.cancel(issue.id, NOW) == 0
    assert await store.issues.retry(issue.id, NOW) == 0
    assert await store.deliveries.invariant(issue.id) == []


async def test_an_issue_cancelled_while_it_is_born_leaves_its_readers_in_step(store: Store) -> None:
    await synced(store)
    await readers(store, 3)
    issue = await born(store)
    assert not await store.issues.add_deliveries(issue.id, NOW, chunk=1)
    assert await store.issues.cancel(issue.id, NOW) == 2  # a letter and the feed
    assert await store.issues.unfinished() == []
    assert await store.deliveries.invariant(issue.id) == []
    following = await opened(store, date=TOMORROW)
    assert following.recipients == 3


async def test_retry_takes_up_what_failed_and_what_is_held_in_doubt(store: Store) -> None:
    await synced(store, newsletter(unknown="hold"))
    await readers(store, 4)
    issue = await opened(store)
    failed, doubtful, sent, waiting = await claimed(store)
    outcomes = (
        (failed, DeliveryState.FAILED),
        (doubtful, DeliveryState.UNKNOWN),
        (sent, DeliveryState.SENT),
        (waiting, DeliveryState.DEFERRED),
    )
    for letter, state in outcomes:
        assert await store.deliveries.begin(letter, now=NOW, lease=MINUTE) == "go"
        assert await store.deliveries.record(letter, state, now=NOW, available_at=NOW + HOUR)
    assert await store.issues.retry(issue.id, NOW) == 2
    again = await claimed(store)
    assert {one.id for one in again} == {failed.id, doubtful.id}
    assert {one.attempts for one in again} == {0}
    assert (await store.deliveries.history(failed.id))[-1].state == DeliveryState.PENDING
    assert not await store.deliveries.record(failed, DeliveryState.SENT, now=NOW), (
        "an old claim is worth nothing"
    )


async def test_control_of_an_unknown_issue_is_not_found(store: Store) -> None:
    for act in (
        store.issues.pause(9),
        store.issues.resume(9),
        store.issues.cancel(9, NOW),
        store.issues.retry(9, NOW),
    ):
        with pytest.raises(NotFound):
            await act


async def test_a_revision_takes_the_place_of_the_one_before_and_only_the_feeds_go_again(store: Store) -> None:
    letter = await one_letter(store)
    assert letter.issue_id is not None
    (document,) = await claimed(store, "feed")
    for delivery in (letter, document):
        assert await store.deliveries.begin(delivery, now=NOW, lease=MINUTE) == "go"
        assert await store.deliveries.record(delivery, DeliveryState.SENT, now=NOW)
    issue = await store.issues.get(letter.issue_id)
    corrected = replace(issue, revision=2, title="Corrected", updated_at=NOW + HOUR)
    assert await store.issues.revise(corrected, now=NOW + HOUR)
    assert not await store.issues.revise(corrected, now=NOW + HOUR), "it is the one that stands already"
    assert await store.issues.get(issue.id) == corrected
    assert await claimed(store, now=NOW + DAY) == []
    (again,) = await claimed(store, "feed", now=NOW + DAY)
    assert await store.deliveries.begin(again, now=NOW, lease=MINUTE) == "go"
    assert await store.deliveries.record(again, DeliveryState.SENT, now=NOW)
    assert await store.deliveries.invariant(issue.id) == []


async def test_a_revision_gives_what_was_pruned_and_what_is_new_a_delivery(store: Store) -> None:
    letter = await one_letter(store)
    assert letter.issue_id is not None
    (document,) = await claimed(store, "feed")
    for delivery in (letter, document):
        assert await store.deliveries.begin(delivery, now=NOW, lease=MINUTE) == "go"
        assert await store.deliveries.record(delivery, DeliveryState.SENT, now=NOW)
    assert (await store.prune(NOW + 9 * DAY, deliveries=DAY, articles=DAY))["deliveries"] == 2
    issue = await store.issues.get(letter.issue_id)
    for revision in (2, 3):
        issue = replace(issue, revision=revision, title=f"Corrected {revision}")
        assert await store.issues.revise(issue, now=NOW, channels=["feed", "websub"])
        assert await store.issues.progress(issue.id) == {
            "email": {"sent": 1},
            "feed": {"pending": 1},
            "websub": {"pending": 1},
        }
        assert await store.deliveries.invariant(issue.id) == []
    assert await claimed(store, now=NOW + DAY) == []
    for channel in ("feed", "websub"):
        (again,) = await claimed(store, channel, now=NOW + DAY)
        assert again.recipient == issue.newsletter


async def test_a_revision_while_a_document_is_being_made_has_it_made_again(store: Store) -> None:
    letter = await one_letter(store)
    assert letter.issue_id is not None
    (document,) = await claimed(store, "feed")
    for delivery in (letter, document):
        assert await store.deliveries.begin(delivery, now=NOW, lease=MINUTE) == "go"
    issue = await store.issues.get(letter.issue_id)
    assert await store.issues.revise(replace(issue, revision=2, title="Corrected"), now=NOW)
    # What was made before is not taken for what stands now; a letter that is under way is left alone.
    assert not await store.deliveries.record(document, DeliveryState.SENT, now=NOW)
    assert await store.deliveries.record(letter, DeliveryState.SENT, now=NOW)
    (again,) = await claimed(store, "feed")
    assert again.id == document.id
    assert await store.deliveries.begin(again, now=NOW, lease=MINUTE) == "go"
    assert await store.deliveries.record(again, DeliveryState.SENT, now=NOW)
    assert await store.deliveries.invariant(issue.id) == []

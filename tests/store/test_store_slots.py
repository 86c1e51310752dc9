"""Slots: opened once, an issue for each number where readers stand, closed when nobody stands behind."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from store_values import (
    BOTH,
    DAY,
    HOUR,
    NOW,
    TODAY,
    an_issue,
    born,
    claimed,
    newsletter,
    opened,
    readers,
    slot,
    synced,
    with_articles,
)

from digest.model import Edition, Issue, OpenSlot, Rhythm, Standing
from digest.store import Store

pytestmark = pytest.mark.asyncio
TOMORROW = TODAY + timedelta(days=1)
EVENING = Rhythm(cadence="daily", at=time(18), zone="Asia/Beirut")


async def own(store: Store) -> Edition:
    return await store.newsletters.own_edition("world")


async def open_slot(store: Store, edition_id: int, through: int, day: date = TODAY) -> OpenSlot:
    found = await store.slots.open(slot(edition_id, day), through=through, now=NOW)
    assert found is not None
    return found


async def standing(store: Store, open_: OpenSlot) -> list[tuple[int, bool]]:
    return [(each.after, each.public) for each in await store.slots.standing(open_, 100)]


async def through_of(store: Store, reader: int) -> int:
    found = await store.subscriptions.get(reader)
    assert found is not None
    return found.through


async def served(store: Store, open_: OpenSlot, after: int, *, public: bool = False) -> Issue:
    """The issue of this slot for those who stand there, with all its letters."""
    number = 0 if public else await store.issues.next_id()
    issue = await an_issue(
        store,
        edition_id=open_.key.edition_id,
        date=open_.key.date,
        after=after,
        through=open_.through,
        public=public,
        id=number,
        **({} if public else {"path": f"world/i/{number}"}),
    )
    audiences = BOTH if public else {"email": "readers"}
    born_ = await store.issues.birth(
        issue, decisions=[], prepared={}, audiences=audiences, slot=open_, now=NOW
    )
    assert born_ is not None
    while not await store.issues.add_deliveries(born_.id, NOW, chunk=2):
        pass
    return await store.issues.get(born_.id)


async def moved(store: Store, reader: int, rhythm: Rhythm = EVENING) -> int:
    """The reader chose this rhythm; its edition."""
    found = await store.subscriptions.choose(reader, rhythm, now=NOW)
    assert found is not None
    return found.edition_id


# ---------------------------------------------------------------- recorded


async def test_a_slot_is_recorded_once_and_remembered_as_the_last_day(store: Store) -> None:
    await synced(store)
    edition = await own(store)
    assert await store.slots.record(slot(edition.id, TOMORROW), "coalesced", NOW)
    assert await store.slots.record(slot(edition.id), "skipped", NOW)
    assert not await store.slots.record(slot(edition.id), "coalesced", NOW)
    assert [(one.date, one.status, one.issue_id) for one in await store.issues.slots("world")] == [
        (TOMORROW, "coalesced", None),
        (TODAY, "skipped", None),
    ]
    assert len(await store.issues.slots("world", limit=1)) == 1
    assert ((await own(store)).last_date, (await own(store)).through) == (TOMORROW, 0)


async def test_a_slot_that_was_skipped_is_not_opened_and_a_closed_one_takes_no_issue(store: Store) -> None:
    await synced(store)
    edition = await own(store)
    assert await store.slots.record(slot(edition.id), "skipped", NOW)
    assert await store.slots.open(slot(edition.id), through=1, now=NOW) is None
    tomorrow = await open_slot(store, edition.id, 1, TOMORROW)
    await store.slots.close(tomorrow, NOW)
    late = await store.issues.birth(
        await an_issue(store, date=TOMORROW),
        decisions=[],
        prepared={},
        audiences=BOTH,
        slot=tomorrow,
        now=NOW,
    )
    assert late is None
    assert (await own(store)).through == 0
    assert await store.issues.latest() == []
    assert [one.status for one in await store.issues.slots("world")] == ["empty", "skipped"]


async def test_whoever_opens_a_slot_second_joins_the_first_with_its_end(store: Store) -> None:
    await synced(store)
    edition = await own(store)
    several = await asyncio.gather(
        *(store.slots.open(slot(edition.id), through=end, now=NOW) for end in range(5, 11))
    )
    assert len({each.through for each in several if each}) == 1
    assert None not in several
    (record,) = await store.issues.slots("world")
    assert record.status == "open"
    assert await store.slots.open_of(edition.id) == several[0]


# ---------------------------------------------------------------- who stands where


async def test_there_is_an_issue_for_each_number_where_readers_stand(store: Store) -> None:
    await synced(store)
    a, b, c, d = await readers(store, 4)
    await store.subscriptions.pause(c, TOMORROW, NOW)
    await opened(store, through=3)  # a, b and d are at 3, c stays at 0
    for reader in (b, c):
        evening = await moved(store, reader)
    today = await open_slot(store, evening, 7, TOMORROW)  # with the end of the pause
    assert await standing(store, today) == [(3, False), (0, False)]
    issues = [await served(store, today, after) for after in (3, 0)]
    assert [(one.recipients, one.after, one.through) for one in issues] == [(1, 3, 7), (1, 0, 7)]
    assert await standing(store, today) == []
    await store.slots.close(today, NOW)
    assert [await through_of(store, reader) for reader in (a, b, c, d)] == [3, 7, 7, 3]
    record, *_ = await store.issues.slots("world")
    assert (record.status, record.issues, record.rhythm, record.own) == ("issue", 2, EVENING, False)
    assert record.issue_id == issues[0].id
    assert (await own(store)).through == 3, "the archive goes on by itself"
    assert {one.issue_id for one in await claimed(store, "feed")}.isdisjoint({one.id for one in issues})


async def test_in_the_own_edition_the_archive_has_one_issue_and_others_their_own(store: Store) -> None:
    await synced(store)
    a, b = await readers(store, 2)
    await store.subscriptions.pause(b, None, NOW)
    await opened(store, through=3)
    await store.subscriptions.resume(b, NOW)
    today = await open_slot(store, (await own(store)).id, 9, TOMORROW)
    assert await standing(store, today) == [(3, True), (0, False)]
    single = await served(store, today, 0)
    public = await served(store, today, 3, public=True)
    assert await standing(store, today) == []
    await store.slots.close(today, NOW)
    record, *_ = await store.issues.slots("world")
    assert (record.status, record.issues, record.issue_id) == ("issue", 2, public.id), (
        "the archive's is named"
    )
    assert next(one.id for one in await store.issues.latest("world")) == public.id
    assert single.id not in {one.id for one in await store.issues.latest("world")}
    assert [await through_of(store, reader) for reader in (a, b)] == [9, 9]


async def test_who_comes_after_the_issue_for_their_number_waits_for_the_next_slot(store: Store) -> None:
    await synced(store)
    a, b = await readers(store, 2)
    evening = await moved(store, a)
    today = await open_slot(store, evening, 5)
    await served(store, today, 0)
    await moved(store, b)  # stands at 0, too
    assert await standing(store, today) == []
    assert await through_of(store, b) == 0
    await store.slots.close(today, NOW)
    tomorrow = await open_slot(store, evening, 8, TOMORROW)
    assert await standing(store, tomorrow) == [(5, False), (0, False)]


async def test_who_moves_while_an_issue_is_born_has_it_or_the_next_one_never_both(store: Store) -> None:
    await synced(store)
    several = await readers(store, 6)
    issue = await born(store, through=4)
    assert not await store.issues.add_deliveries(issue.id, NOW, chunk=2)
    moving = (several[0], several[5])  # one has the letter already, one not yet
    for reader in moving:
        evening = await moved(store, reader)
    while not await store.issues.add_deliveries(issue.id, NOW, chunk=2):
        pass
    assert [await through_of(store, reader) for reader in several] == [4, 4, 4, 4, 4, 0]
    assert (await store.issues.get(issue.id)).recipients == 5
    today = await open_slot(store, evening, 4)
    assert await standing(store, today) == [(0, False)]
    assert (await served(store, today, 0)).recipients == 1
    assert await through_of(store, several[5]) == 4


async def test_a_slot_that_is_due_when_its_reader_goes_is_nobodys(store: Store) -> None:
    await synced(store)
    (reader,) = await readers(store, 1)
    evening = await moved(store, reader)
    await moved(store, reader, replace(EVENING, at=time(20)))
    assert await store.slots.open(slot(evening), through=5, now=NOW) is None
    assert await store.issues.slots("world") == [], "nothing is written down"
    assert await store.slots.open(slot(evening), through=5, now=NOW) is None


async def test_suppressed_readers_move_along_and_have_no_issue_of_their_own(store: Store) -> None:
    await synced(store)
    a, b = await readers(store, 2)
    await store.subscriptions.suppress("reader2@example.org", "bounced", NOW)
    await opened(store, through=3)
    assert [await through_of(store, reader) for reader in (a, b)] == [3, 3]
    evening = await moved(store, b)
    today = await open_slot(store, evening, 6)
    assert await store.slots.standing(today, 10) == [Standing(after=3, public=False, readers=False)]
    await store.slots.pass_over(today, 3)
    assert await standing(store, today) == []
    assert await through_of(store, b) == 6


# ---------------------------------------------------------------- empty windows


async def test_an_empty_window_moves_the_cursor_and_its_readers(store: Store) -> None:
    await synced(store)
    several = await readers(store, 3)
    edition = await own(store)
    today = await open_slot(store, edition.id, 4)
    await store.slots.pass_over(today, 0)
    assert await standing(store, today) == []
    await store.slots.close(today, NOW)
    assert (await own(store)).through == 4
    assert {await through_of(store, reader) for reader in several} == {4}
    assert [one.status for one in await store.issues.slots("world")] == ["empty"]
    issue = await opened(store, date=TOMORROW)
    assert (await store.issues.progress(issue.id))["email"] == {"pending": 3}
    await store.slots.pass_over(today, 4)
    assert (await own(store)).through == 5, "it is closed: whoever comes too late moves nothing"


async def test_an_empty_window_leaves_the_cursor_while_an_issue_is_still_being_born(store: Store) -> None:
    await synced(store)
    await readers(store, 3)
    first = await born(store)
    assert not await store.issues.add_deliveries(first.id, NOW, chunk=1)
    tomorrow = await open_slot(store, (await own(store)).id, 9, TOMORROW)
    await store.slots.pass_over(tomorrow, first.through)
    assert (await own(store)).through == first.through
    while not await store.issues.add_deliveries(first.id, NOW):
        pass
    assert await standing(store, tomorrow) == [(first.through, True)], "looked at again"
    second = await served(store, tomorrow, first.through, public=True)
    for issue in (first, second):
        assert (await store.issues.progress(issue.id))["email"] == {"pending": 3}


# ---------------------------------------------------------------- what is looked at


async def test_only_editions_with_readers_are_looked_at_and_when_their_time_has_come(store: Store) -> None:
    await synced(store)
    (reader,) = await readers(store, 1)
    mine = await own(store)
    assert [each.id for each in await store.slots.due(NOW)] == [mine.id], "all are looked at after a start"
    await store.slots.look_again(mine.id, NOW + DAY)
    assert await store.slots.due(NOW) == []
    evening = await moved(store, reader)
    assert [each.id for each in await store.slots.due(NOW)] == [evening]
    await store.slots.look_again(evening, NOW + HOUR)
    assert await store.slots.due(NOW) == []
    assert [each.id for each in await store.slots.due(NOW + HOUR)] == [evening]
    await moved(store, reader, newsletter().schedule.rhythm)
    await store.slots.look_again(evening, NOW + HOUR)
    assert await store.slots.due(NOW + HOUR) == [], "it sleeps: nobody reads it"
    assert [each.id for each in await store.slots.due(NOW + DAY)] == [mine.id], "the archive needs no reader"
    later = NOW + 3 * HOUR
    await store.subscriptions.choose(reader, EVENING, now=later)
    (again,) = await store.slots.due(later)
    assert (again.id, again.since) == (evening, later), "the slots in between are nobody's"


@pytest.mark.parametrize("until", [None, TOMORROW])
async def test_an_edition_of_paused_readers_is_looked_at_if_a_day_is_set(
    store: Store, until: date | None
) -> None:
    await synced(store)
    (reader,) = await readers(store, 1)
    evening = await moved(store, reader)
    await store.subscriptions.pause(reader, until, NOW)
    assert await store.slots.open(slot(evening), through=5, now=NOW) is None, "nobody reads today's"
    await store.slots.look_again(evening, NOW + HOUR)
    assert (evening in {each.id for each in await store.slots.due(NOW + HOUR)}) == (until is not None)
    if until is None:
        await store.subscriptions.resume(reader, NOW + DAY)
        assert evening in {each.id for each in await store.slots.due(NOW + DAY)}
    tomorrow = await open_slot(store, evening, 9, TOMORROW)
    assert await standing(store, tomorrow) == [(0, False)], "from where they stood"


async def test_what_has_left_the_config_is_not_looked_at_and_its_open_slots_are_over(store: Store) -> None:
    await synced(store)
    (reader,) = await readers(store, 1)
    evening = await moved(store, reader)
    today = await open_slot(store, evening, 5)
    await synced(store, newsletter("other"))
    assert {each.newsletter for each in await store.slots.due(NOW + DAY)} == {"other"}
    number = await store.issues.next_id()
    late = await an_issue(
        store, edition_id=evening, after=0, through=5, public=False, id=number, path=f"world/i/{number}"
    )
    audiences = {"email": "readers"}
    assert (
        await store.issues.birth(late, decisions=[], prepared={}, audiences=audiences, slot=today, now=NOW)  # type: ignore[arg-type]
        is None
    )
    assert await store.slots.open(slot(evening, TOMORROW), through=5, now=NOW) is None
    assert [one.status for one in await store.issues.slots("world")] == ["skipped"]
    await synced(store, newsletter(), now=NOW + DAY)
    assert {each.id for each in await store.slots.due(NOW + DAY)} == {(await own(store)).id, evening}


async def test_articles_that_readers_of_any_rhythm_have_not_had_are_kept(store: Store) -> None:
    await synced(store)
    (reader,) = await readers(store, 1)
    await with_articles(store, 3)
    evening = await moved(store, reader)
    await opened(store, through=3)  # the archive has told them
    keep = {"deliveries": DAY, "articles": DAY}
    assert (await store.prune(NOW + 2 * DAY, **keep))["articles"] == 0
    today = await open_slot(store, evening, 3)
    await served(store, today, 0)
    await store.slots.close(today, NOW)
    assert (await store.prune(NOW + 2 * DAY, **keep))["articles"] == 3

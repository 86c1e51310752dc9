"""Editions through the whole line: who stands elsewhere than the archive has letters of their own windows."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from a_house import STORIES, Clock, FeedServer, rss, write_config
from digest import intake, pipeline, replay
from digest.model import Issue, Rhythm, SlotKey
from digest.service import House, open_house

pytestmark = pytest.mark.asyncio
MORNING = datetime(2026, 11, 22, 6, 10, tzinfo=UTC)  # a Sunday, 07:10 in Berlin, where the archive is at home
EVENING = Rhythm(cadence="daily", at=time(18), zone="Europe/Berlin")


async def told(house: House, feed: FeedServer, *names: str) -> None:
    """The feed tells these stories, and they are read."""
    feed.body = rss(*names)
    await intake.pull(house.line, house.line.clock(), force=True)
    await pipeline.summarize(house.line, house.line.clock())


async def composed(house: House, *, late: int | None = None) -> tuple[Issue, ...]:
    made = await pipeline.compose(house.line, house.line.clock(), late=late)
    assert made.problems == ()
    return made.issues


def titles(issue: Issue) -> set[str]:
    return {name for story in issue.stories for name, (title, _) in STORIES.items() if story.title == title}


async def reader(house: House, name: str) -> int:
    (found,) = await house.store.subscriptions.of(f"{name}@example.org")
    return found.id


async def letters(house: House, name: str) -> Sequence[set[str]]:
    """What this reader's letters tell, oldest first."""
    issues = await house.store.issues.latest("world", public=False, limit=100)
    mine = await reader(house, name)
    return [
        titles(issue)
        for issue in reversed(issues)
        if any(each.subscription_id == mine for each in await house.store.deliveries.of_issue(issue.id))
    ]


async def test_who_reads_in_the_evening_has_the_whole_day_though_the_archive_told_half_of_it(
    tmp_path: Path,
) -> None:
    clock = Clock(MORNING - timedelta(hours=3))
    async with FeedServer().serving() as feed:
        path = write_config(tmp_path, feeds=feed.all_of_it)
        async with open_house(path, clock=clock) as house:
            await house.store.subscriptions.choose(await reader(house, "ann"), EVENING, now=clock())
            await told(house, feed, "lighthouse")
            clock.now = MORNING
            [own] = await composed(house)
            await told(house, feed, "bees", "lighthouse")
            clock.turn(hours=11)
            [issue] = await composed(house)
            assert (issue.public, issue.path) == (False, f"world/i/{issue.id}")
            assert titles(issue) == {"lighthouse", "bees"}, "what the archive told is no news to nobody else"
            assert await composed(house) == ()
            clock.now = MORNING + timedelta(days=1)
            [second] = await composed(house)
            assert titles(second) == {"bees"}
            assert await letters(house, "ann") == [{"lighthouse", "bees"}]
            assert await letters(house, "ben") == [{"lighthouse"}, {"bees"}]
            archive = await house.store.issues.latest("world")
            assert [one.id for one in archive] == [second.id, own.id]
            again = await replay.again(house.line, issue)
            assert again.issue.stories == issue.stories, "it can be made again like any other"


async def test_who_comes_back_from_a_pause_is_told_what_they_missed_and_nothing_twice(tmp_path: Path) -> None:
    clock = Clock(MORNING - timedelta(hours=3))
    async with FeedServer().serving() as feed:
        path = write_config(tmp_path, feeds=feed.all_of_it)
        async with open_house(path, clock=clock) as house:
            ann = await reader(house, "ann")
            await told(house, feed, "lighthouse")
            clock.now = MORNING
            await composed(house)
            await house.store.subscriptions.pause(ann, date(2026, 11, 24), clock())
            for day, name in ((1, "bees"), (2, "bread")):
                await told(house, feed, name)
                clock.now = MORNING + timedelta(days=day)
                issues = await composed(house)
            assert [(one.public, titles(one)) for one in issues] == [
                (True, {"bread"}),
                (False, {"bees", "bread"}),
            ]
            assert await letters(house, "ann") == [{"lighthouse"}, {"bees", "bread"}]
            assert await letters(house, "ben") == [{"lighthouse"}, {"bees"}, {"bread"}]
            feeds = [one for one in issues if await _in_feeds(house, one)]
            assert [one.public for one in feeds] == [True]


async def _in_feeds(house: House, issue: Issue) -> bool:
    return any(each.channel == "feed" for each in await house.store.deliveries.of_issue(issue.id))


async def test_readers_behind_the_others_are_served_a_few_at_a_look_and_nobody_waits_for_them(
    tmp_path: Path,
) -> None:
    clock = Clock(MORNING - timedelta(hours=3))
    people = [f"r{number}@example.org" for number in range(4)]
    async with FeedServer().serving() as feed:
        path = write_config(tmp_path, feeds=feed.all_of_it, recipients=f"[{', '.join(people)}]")
        async with open_house(path, clock=clock) as house:
            clock.now = MORNING
            until = (MORNING + timedelta(days=3)).date()
            for number, name in enumerate(("lighthouse", "bees", "bread")):
                await house.store.subscriptions.pause(await reader(house, f"r{number}"), until, clock())
                await told(house, feed, name)
                assert len(await composed(house)) == 1
                clock.turn(days=1)
            looks = [[one.public for one in await composed(house, late=1)] for _ in range(4)]
            assert looks == [[False, False], [False], [], []], (
                "the first is never late; of the others one a look"
            )
            assert await letters(house, "r0") == [{"lighthouse", "bees", "bread"}]
            assert await letters(house, "r1") == [{"lighthouse"}, {"bees", "bread"}]
            assert await letters(house, "r2") == [{"lighthouse"}, {"bees"}, {"bread"}]
            assert await letters(house, "r3") == [{"lighthouse"}, {"bees"}, {"bread"}]
            record, *_ = await house.store.issues.slots("world")
            assert (record.status, record.issues) == ("issue", 3)


async def test_a_zone_that_the_system_has_lost_is_said_and_stops_nobody_else(tmp_path: Path) -> None:
    clock = Clock(MORNING - timedelta(hours=3))
    async with FeedServer().serving() as feed:
        path = write_config(tmp_path, feeds=feed.all_of_it)
        async with open_house(path, clock=clock) as house:
            await house.store.subscriptions.choose(await reader(house, "ann"), EVENING, now=clock())
            await told(house, feed, "lighthouse")
            with closing(sqlite3.connect(tmp_path / "subscribers.db")) as file, file:
                file.execute("UPDATE editions SET zone = 'Mars/Phobos' WHERE at = '18:00'")
            clock.now = MORNING
            made = await pipeline.compose(house.line, clock())
            assert [one.public for one in made.issues] == [True]
            assert made.problems == (
                "world, daily 18:00 Mars/Phobos: this system knows no time zone Mars/Phobos; its readers"
                " wait",
            )
            assert (await pipeline.compose(house.line, clock.turn(minutes=1))).problems == (), (
                "in an hour again"
            )


@pytest.mark.parametrize(
    ("policy", "hours", "made", "status"),
    [
        ("skip", 7, 0, "skipped"),
        ("skip", 2, 1, "issue"),
        ("coalesce", 7, 1, "issue"),
        ("each", 7, 1, "issue"),
    ],
)
async def test_a_slot_that_was_left_open_by_a_crash_goes_on_by_the_newsletters_policy(
    tmp_path: Path, policy: str, hours: int, made: int, status: str
) -> None:
    clock = Clock(MORNING - timedelta(hours=3))
    async with FeedServer().serving() as feed:
        path = write_config(tmp_path, feeds=feed.all_of_it, more=f"    catch_up: {policy}\n")
        async with open_house(path, clock=clock) as house:
            await told(house, feed, "lighthouse")
            own = await house.store.newsletters.own_edition("world")
            key = SlotKey(edition_id=own.id, date=MORNING.date(), due_at=MORNING - timedelta(minutes=10))
            assert await house.store.slots.open(key, through=1, now=MORNING) is not None
            clock.now = MORNING + timedelta(hours=hours)
            assert len(await composed(house)) == made
            assert [one.status for one in await house.store.issues.slots("world")] == [status]
            clock.now = MORNING + timedelta(days=1)
            assert len(await composed(house)) == 1 - made, "what was skipped is told by the next one"


async def test_a_slot_still_open_when_the_next_one_comes_is_part_of_that(tmp_path: Path) -> None:
    clock = Clock(MORNING - timedelta(hours=3))
    async with FeedServer().serving() as feed:
        path = write_config(tmp_path, feeds=feed.all_of_it)
        async with open_house(path, clock=clock) as house:
            await told(house, feed, "lighthouse")
            own = await house.store.newsletters.own_edition("world")
            key = SlotKey(edition_id=own.id, date=MORNING.date(), due_at=MORNING - timedelta(minutes=10))
            await house.store.slots.open(key, through=1, now=MORNING)
            clock.now = MORNING + timedelta(days=1)
            [issue] = await composed(house)
            assert titles(issue) == {"lighthouse"}
            statuses = [one.status for one in await house.store.issues.slots("world")]
            assert statuses == ["issue", "coalesced"]


async def test_with_each_a_slot_that_is_made_up_for_ends_where_it_would_have_ended(tmp_path: Path) -> None:
    """Where pulling went on while nobody composed."""
    clock = Clock(MORNING - timedelta(hours=3))
    async with FeedServer().serving() as feed:
        path = write_config(tmp_path, feeds=feed.all_of_it, more="    catch_up: each\n")
        async with open_house(path, clock=clock) as house:
            for name in ("lighthouse", "bees", "bread"):
                await told(house, feed, name)
                clock.turn(days=1)
            clock.turn(hours=-18)
            issues = await composed(house)
            assert [titles(one) for one in issues] == [{"lighthouse"}, {"bees"}, {"bread"}]
            assert [one.date.day for one in issues] == [22, 23, 24]

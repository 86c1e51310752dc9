"""The weekly letter to the people who run this: what it says, and that it goes out once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from a_house import Clock, FeedServer, rss, write_config
from digest import dispatch, intake, pipeline, report
from digest.config import ConfigError
from digest.model import Feed, FeedStatus, Letter, Schedule, Site
from digest.render import NoticeText, renderer
from digest.service import House, load, open_house

DAY = timedelta(days=1)
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
WEEKLY = Schedule(at=time(8), zone="UTC", days=(0,))
TO = ["ada@example.org", "bob@example.org"]
ASKED = f"report: {{to: [{', '.join(TO)}]}}\n"

# ---------------------------------------------------------------- what it says


def state(name: str, **changes: object) -> FeedStatus:
    url = f"https://{name}.example.org/feed"
    feed = Feed(
        id=1,
        url=url,
        address=url,
        title=name.title(),
        site_url=f"https://{name}.example.org/",
        next_poll_at=MONDAY + DAY,
        last_polled_at=MONDAY,
        last_ok_at=MONDAY,
        last_new_at=MONDAY,
        rhythm=DAY,
        longest_gap=DAY,
    )
    return FeedStatus(
        feed=replace(feed, **changes),  # type: ignore[arg-type]
        newsletters=("world", "tech"),
        entries=9,
        articles=9,
    )


FAILING = state(
    "failing", failures=7, error="failing.example.org has a fault (503)", last_ok_at=MONDAY - 9 * DAY
)
GONE = state("gone", gone=True, failures=1, error="gone.example.org says that it is gone (410)")
EMPTY = state("empty", last_new_at=None, interval=DAY)
SILENT = state("silent", last_new_at=MONDAY - 100 * DAY)
MOVED = state("moved", address="https://new.example.org/feed")
PASSING = state("passing", failures=1, error="no answer")
FRESH = state("fresh", last_polled_at=None)


def letter(*states: FeedStatus, issues: int = 7, **letters: int) -> NoticeText:
    data = report.tell(states, MONDAY, issues=issues, letters=letters)
    site = Site(title="The Morning Post", url="https://post.example.org")
    return renderer(None).notice("report", "en", site=site, **data)


def unwrapped(made: NoticeText) -> str:
    return " ".join(made.text.split())


def test_it_tells_each_feed_that_needs_a_look_under_its_heading() -> None:
    made = letter(state("well"), FAILING, GONE, EMPTY, SILENT, MOVED)
    assert made.subject == "The Morning Post: 5 of 6 feeds need a look"
    told = unwrapped(made)
    places = [
        told.index(words)
        for words in (
            "Cannot be read (1)",
            "Failing https://failing.example.org/feed in world, tech ",
            "failing.example.org has a fault (503)",
            "Gone for good (1)",
            "gone.example.org says that it is gone (410)",
            "Nothing in them (1)",
            "Gone silent (1)",
            "Answers, but its newest entry is 3 months old (15 August 2026)",
            "Moved (1)",
            "Write https://new.example.org/feed",
        )
    ]
    assert places == sorted(places)
    assert "Well" not in told
    assert "7 issues" in told
    for words in ("Cannot be read (1)", "3 months old", 'href="https://silent.example.org/"'):
        assert words in made.html


def test_when_all_is_well_it_is_short() -> None:
    made = letter(state("well"), state("fine"), sent=812)
    assert made.subject == "The Morning Post: All feeds are well"
    assert "All 2 feeds answer" in made.text
    assert "7 issues and 812 letters went out." in made.text
    assert len(made.text.splitlines()) < 14


def test_a_trouble_that_often_passes_is_counted_and_not_told() -> None:
    made = letter(state("well"), PASSING)
    assert made.subject == "The Morning Post: No feed needs a look"
    assert "1 of 2 feeds are well. 1 could not be read just now" in made.text
    assert "passing.example.org" not in made.text


def test_letters_that_failed_and_feeds_not_asked_yet_are_counted() -> None:
    made = letter(state("well"), FRESH, sent=8000, failed=2, unknown=1)
    assert "1 was not asked yet." in made.text
    assert "8,000 letters went out; 3 could not be delivered" in unwrapped(made)
    assert "no issue came out" in letter(state("well"), issues=0).text


def test_without_any_feed_it_says_so() -> None:
    assert letter(issues=0).subject == "The Morning Post: No feeds yet"


def test_a_long_list_ends_with_the_command_that_shows_it_whole() -> None:
    made = letter(*(state(f"s{n}", last_new_at=MONDAY - 100 * DAY) for n in range(95)))
    assert "Gone silent (95)" in made.text
    assert "And 65 more: `digest feeds list --failing`" in made.text
    assert made.text.count("Answers, but") == 30
    assert len(made.html) < 100_000  # Gmail cuts a letter off there


def test_what_a_feed_says_cannot_break_the_letter_or_tell_a_password() -> None:
    url = "https://user:secret@x.example.org/feed"
    bad = state(
        "bad",
        url=url,
        address=url,
        title="<script>alert(1)</script>\n\x00`x",
        site_url="javascript:alert(1)",
        failures=9,
        error=f"<b>`{url}",
    )
    made = letter(bad)
    assert "<script" not in made.html
    assert "<b>" not in made.html
    assert "javascript" not in made.html
    for told in (made.html, made.text):
        assert "secret" not in told
        assert "https://x.example.org/feed" in told


# ---------------------------------------------------------------- when it goes out


@contextlib.asynccontextmanager
async def opened(folder: Path, clock: Clock, *, more: str = ASKED, feeds: str = "[]") -> AsyncIterator[House]:
    async with open_house(write_config(folder, feeds=feeds, more=more), clock=clock) as house:
        yield house


async def filed(house: House, schedule: Schedule = WEEKLY) -> int:
    return await report.file_due(house.line, schedule, TO, house.line.clock())


async def inbox(house: House) -> list[Letter]:
    await dispatch.deliver(house.line)
    return await house.store.inbox.list()


@pytest.mark.asyncio
async def test_it_goes_to_everybody_once_a_week_however_often_it_is_looked_at(tmp_path: Path) -> None:
    clock = Clock(MONDAY - timedelta(seconds=1))
    async with opened(tmp_path, clock) as house:
        assert await filed(house) == 0
        clock.turn(seconds=1)
        assert await filed(house) == 2
        assert await filed(house) == 0
    async with opened(tmp_path, clock) as house:  # after a restart
        clock.turn(hours=2)
        assert await filed(house) == 0
        assert sorted(letter.recipient for letter in await inbox(house)) == TO
        clock.turn(days=7)
        assert await filed(house) == 2


@pytest.mark.asyncio
async def test_many_workers_file_it_once(tmp_path: Path) -> None:
    clock = Clock(MONDAY)
    async with contextlib.AsyncExitStack() as stack:
        houses = [await stack.enter_async_context(opened(tmp_path, clock)) for _ in range(3)]
        counts = await asyncio.gather(*(filed(house) for house in houses * 4))
        assert sum(counts) == 2
        assert len(await inbox(houses[0])) == 2


@pytest.mark.asyncio
async def test_one_that_was_missed_is_made_up_for_and_an_old_one_is_not(tmp_path: Path) -> None:
    clock = Clock(MONDAY + 3 * DAY)
    async with opened(tmp_path, clock) as house:
        assert await filed(house) == 0
        clock.turn(seconds=-1)
        assert await filed(house) == 2


@pytest.mark.asyncio
async def test_another_day_of_the_same_week_makes_no_second_letter(tmp_path: Path) -> None:
    clock = Clock(MONDAY)
    async with opened(tmp_path, clock) as house:
        assert await filed(house) == 2
        clock.turn(days=2)
        assert await filed(house, replace(WEEKLY, days=(2,))) == 0


@pytest.mark.asyncio
async def test_without_anybody_to_write_to_nothing_is_filed(tmp_path: Path) -> None:
    async with opened(tmp_path, Clock(MONDAY)) as house:
        assert await report.file_due(house.line, WEEKLY, (), MONDAY) == 0
        assert await house.store.deliveries.counts() == {}


@pytest.mark.asyncio
async def test_from_a_feed_that_dies_to_the_letter_about_it(tmp_path: Path) -> None:
    clock = Clock(MONDAY - 6 * DAY)
    async with FeedServer().serving() as server:
        server.body = rss("bees", "bread")
        async with opened(tmp_path, clock, feeds=f"[{{url: {server.url}, first: all}}]") as house:
            await intake.pull(house.line, clock())
            await pipeline.summarize(house.line, clock())
            await pipeline.compose(house.line, clock(), force=True)
            await inbox(house)
            server.body, server.status = b"", 500
            while clock() < MONDAY:
                clock.turn(hours=6)
                await intake.pull(house.line, clock(), force=True)
            assert await filed(house) == 2
            letters = [one for one in await inbox(house) if one.recipient == TO[0]]
    assert [one.subject for one in letters] == ["The Morning Post: 1 of 1 feeds needs a look"]
    mail = message_from_bytes(letters[0].body, policy=policy.default)
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Cannot be read (1)" in text
    assert "The Cape Gazette" in text
    assert "last read 6 days ago" in text
    assert "1 issue and 2 letters went out." in text
    assert "127.0.0.1 has a fault of its own (500)" in mail.get_body(("html",)).get_content()  # type: ignore[union-attr]


# ---------------------------------------------------------------- the config


def test_it_is_off_by_default_and_on_mondays_at_eight(tmp_path: Path) -> None:
    off = load(write_config(tmp_path, feeds="[]")).report
    assert (off.to, off.schedule) == ((), WEEKLY)
    more = 'report: {to: [Ada@Example.org], day: fri, at: "17:30", zone: Europe/Berlin}\n'
    on = load(write_config(tmp_path, feeds="[]", more=more)).report
    assert on.to == ("Ada@example.org",)
    assert on.schedule == Schedule(at=time(17, 30), zone="Europe/Berlin", days=(4,))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("report: {to: [nobody]}\n", "report.to.0: "),
        ("report: {day: monday}\n", "report.day: "),
        ("report: {too: [a@example.org]}\n", "report.too: "),
        (
            "    channels: [feed]\nreport: {to: [a@example.org]}\n",
            "report.to: goes by mail, and no newsletter has the channel email",
        ),
    ],
)
def test_a_report_that_cannot_go_out_is_an_error_of_the_config(tmp_path: Path, more: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write_config(tmp_path, feeds="[]", more=more))
    assert says in str(caught.value)

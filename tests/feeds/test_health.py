"""What is said of a feed to the person who looks after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from digest.feeds.health import (
    SICK,
    health,
    is_passing,
    is_silent,
    looked_at,
    refused,
    rhythm_in_words,
    spoken,
)
from digest.model import Feed, FeedError

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
URL, THERE = "https://example.org/f", "https://new.example.org/f"
WELL = Feed(
    id=1,
    url=URL,
    address=URL,
    site_url="https://example.org/",
    next_poll_at=NOW + 3 * HOUR,
    last_polled_at=NOW - HOUR,
    last_ok_at=NOW - HOUR,
    last_new_at=NOW - DAY,
    rhythm=DAY,
    longest_gap=3 * DAY,
)


def test_a_feed_that_is_well_has_nothing_to_do() -> None:
    found = health(WELL, NOW)
    assert (found.kind, found.words, found.advice, found.sick) == ("ok", "ok", "", False)


def test_one_that_was_never_asked_is_new() -> None:
    assert health(Feed(id=0, url=URL, address=URL, next_poll_at=NOW), NOW).kind == "new"


def test_a_failing_feed_tells_how_often_since_when_and_why() -> None:
    found = health(
        replace(WELL, failures=12, error="example.org has a fault (503)", last_ok_at=NOW - 5 * DAY), NOW
    )
    assert found.kind == "failing"
    assert found.words == "has failed 12 times in a row, last read 5 days ago: example.org has a fault (503)"
    assert "in 3 hours" in found.advice
    assert "digest feeds discover" in found.advice


def test_one_that_was_never_read_is_told_to_check_its_url() -> None:
    found = health(replace(WELL, failures=1, error="no", last_ok_at=None, last_new_at=None), NOW)
    assert "it was never read: no" in found.words
    assert "Check its url" in found.advice


def test_a_first_failure_is_said_to_pass() -> None:
    found = health(replace(WELL, failures=1, error="no"), NOW)
    assert found.words == "has failed once, last read 1 hour ago: no"
    assert "often passes" in found.advice


@pytest.mark.parametrize(
    ("failures", "last_ok", "passing"),
    [
        (0, HOUR, False),
        (1, HOUR, True),
        (2, DAY, True),
        (2, 3 * DAY, False),
        (3, HOUR, False),
        (1, None, False),
    ],
)
def test_one_or_two_failures_of_a_feed_just_read_are_passing(
    failures: int, last_ok: timedelta | None, passing: bool
) -> None:
    feed = replace(WELL, failures=failures, last_ok_at=None if last_ok is None else NOW - last_ok)
    assert is_passing(feed, NOW) is passing


def test_a_gone_feed_tells_the_way_back() -> None:
    found = health(replace(WELL, gone=True, failures=1, error="gone for good (410)"), NOW)
    assert (found.kind, found.words) == ("gone", "gone for good (410)")
    assert "put back" in found.advice


def test_a_moved_feed_tells_what_to_write() -> None:
    found = health(replace(WELL, address=THERE), NOW)
    assert found.kind == "moved"
    assert THERE in found.words
    assert f"Write {THERE} instead of {URL}" in found.advice


def test_a_moved_feed_that_fails_is_failing() -> None:
    found = health(replace(WELL, address=THERE, failures=1, error="404"), NOW)
    assert found.kind == "failing"
    assert "address in config.yaml is asked again" in found.advice


@pytest.mark.parametrize(
    ("rhythm", "longest", "quiet", "silent"),
    [
        (HOUR, 12 * HOUR, 13 * DAY, False),  # nobody is silent within two weeks
        (HOUR, 12 * HOUR, 15 * DAY, True),
        (DAY, 3 * DAY, 13 * DAY, False),
        (DAY, 3 * DAY, 15 * DAY, True),
        (DAY, 20 * DAY, 59 * DAY, False),  # it has paused for three weeks before
        (DAY, 20 * DAY, 61 * DAY, True),
        (7 * DAY, 8 * DAY, 69 * DAY, False),
        (7 * DAY, 8 * DAY, 71 * DAY, True),
        (None, None, 179 * DAY, False),
        (None, None, 181 * DAY, True),
        (DAY, None, 179 * DAY, False),  # one gap is no habit
    ],
)
def test_silence_is_measured_by_the_feeds_own_habit(
    rhythm: timedelta | None, longest: timedelta | None, quiet: timedelta, silent: bool
) -> None:
    feed = replace(WELL, rhythm=rhythm, longest_gap=longest, last_ok_at=NOW, last_new_at=NOW - quiet)
    assert is_silent(feed) is silent
    assert health(feed, NOW).kind == ("silent" if silent else "ok")


def test_silent_death_is_told_with_date_and_habit() -> None:
    feed = replace(WELL, last_ok_at=NOW, last_new_at=NOW - 250 * DAY, rhythm=7 * DAY, longest_gap=9 * DAY)
    found = health(feed, NOW)
    assert found.words == (
        "answers, but its newest entry is 8 months old (17 March 2026); before, it came weekly"
    )
    assert "https://example.org/" in found.advice


def test_a_feed_is_not_silent_because_we_were_away() -> None:
    feed = replace(WELL, last_ok_at=NOW - 100 * DAY, last_new_at=NOW - 101 * DAY)
    assert health(feed, NOW).kind == "ok"


def test_a_file_of_our_own_is_never_silent() -> None:
    assert not is_silent(replace(WELL, address="city.xml", url="city.xml", last_new_at=NOW - 900 * DAY))


def test_a_feed_with_nothing_in_it_is_empty_when_it_was_asked_long_enough() -> None:
    empty = replace(WELL, last_new_at=None, rhythm=None, longest_gap=None)
    assert health(empty, NOW).words == "ok, nothing in it yet"
    assert health(replace(empty, interval=DAY), NOW).kind == "empty"


# ---------------------------------------------------------------- at a first look


def look(feed: Feed = WELL, **changes: object) -> str:
    given = {"entries": 20, "permanent_url": None, "was_gone": False, "now": NOW} | changes
    return looked_at(feed, **given).kind  # type: ignore[arg-type]


def test_what_is_said_at_a_first_look() -> None:
    assert look() == "ok"
    assert look(entries=0) == "empty"
    assert look(permanent_url=THERE) == "moved"
    assert look(was_gone=True) == "gone"
    assert look(replace(WELL, last_new_at=NOW - 900 * DAY)) == "silent"
    assert refused(WELL, FeedError("no", permanent=True)).kind == "gone"
    assert (refused(WELL, FeedError("no")).kind, refused(WELL, FeedError("no")).words) == ("failing", "no")
    assert refused(replace(WELL, address="city.xml"), FeedError("no file")).advice == ""


def test_every_sick_kind_has_advice() -> None:
    sick = [
        health(replace(WELL, gone=True), NOW),
        health(replace(WELL, failures=4), NOW),
        health(replace(WELL, last_new_at=NOW - 900 * DAY), NOW),
        health(replace(WELL, last_new_at=None, interval=DAY), NOW),
        health(replace(WELL, address=THERE), NOW),
    ]
    assert {each.kind for each in sick} == set(SICK)
    assert all(each.advice.endswith(".") and each.sick for each in sick)


# ---------------------------------------------------------------- time in words


@pytest.mark.parametrize(
    ("rhythm", "words"),
    [
        (None, "at times unknown"),
        (timedelta(minutes=15), "several times an hour"),
        (HOUR, "hourly"),
        (8 * HOUR, "about 3 times a day"),
        (DAY, "daily"),
        (2 * DAY, "every 2 days"),
        (7 * DAY, "weekly"),
        (15 * DAY, "every 2 weeks"),
        (30 * DAY, "monthly"),
        (90 * DAY, "every 3 months"),
        (400 * DAY, "once a year or less"),
    ],
)
def test_a_rhythm_in_words(rhythm: timedelta | None, words: str) -> None:
    assert rhythm_in_words(rhythm) == words


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=3), "a moment"),
        (timedelta(minutes=1), "1 minute"),
        (90 * HOUR / 60, "1 hour"),
        (26 * HOUR, "1 day"),
        (45 * DAY, "45 days"),
        (61 * DAY, "2 months"),
        (366 * DAY, "1 year"),
        (1100 * DAY, "3 years"),
    ],
)
def test_a_span_in_words(span: timedelta, words: str) -> None:
    assert spoken(span) == words

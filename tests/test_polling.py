"""When a feed is asked again: its rhythm, everybody's wishes, failures and moves; sixty days in a second."""

from __future__ import annotations

import bisect
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.model import Feed, FeedError, Schedule, Wishes
from digest.polling import (
    LONGEST,
    SHORTEST,
    after_failure,
    after_success,
    moved,
    next_issue,
)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)  # a Sunday
URL = "https://example.org/f"
NEW = Feed(id=1, url=URL, address=URL, next_poll_at=NOW)
DAILY = replace(NEW, last_ok_at=NOW - DAY, last_new_at=NOW, rhythm=DAY, longest_gap=2 * DAY)


def every(gap: timedelta, count: int = 20, *, until: datetime = NOW) -> list[datetime]:
    return [until - gap * n for n in range(count)]


def read(
    feed: Feed = NEW, moments: Sequence[datetime] = (), *, now: datetime = NOW, new: bool = True
) -> Feed:
    return after_success(feed, now=now, new=new, moments=moments)


# ---------------------------------------------------------------- the interval


def test_a_feed_that_answers_is_well_again() -> None:
    sick = after_failure(DAILY, FeedError("it is shut"), now=NOW - HOUR)
    well = after_success(sick, now=NOW)
    assert (well.failures, well.error, well.gone) == (0, None, False)
    assert (well.last_ok_at, well.last_polled_at, well.last_new_at) == (NOW, NOW, NOW)
    assert after_success(DAILY, now=NOW + HOUR).last_new_at == NOW
    assert after_success(DAILY, now=NOW + HOUR, new=True).last_new_at == NOW + HOUR


@pytest.mark.parametrize(
    ("gap", "wait"),
    [
        (timedelta(minutes=20), SHORTEST),
        (timedelta(hours=1), timedelta(minutes=30)),
        (timedelta(hours=8), timedelta(hours=4)),
        (timedelta(days=1), timedelta(hours=12)),
        (timedelta(days=7), LONGEST),
        (timedelta(days=300), LONGEST),
    ],
)
def test_a_feed_is_asked_twice_in_its_usual_pause_within_the_limits(gap: timedelta, wait: timedelta) -> None:
    moments = [moment + MINUTE * (n % 2) for n, moment in enumerate(every(gap, until=NOW - MINUTE))]
    feed = read(NEW, moments)
    assert feed.next_poll_at - NOW == pytest.approx(wait, abs=MINUTE)
    assert feed.interval == pytest.approx(wait, abs=MINUTE)


def test_a_feed_we_know_nothing_of_is_asked_every_hour() -> None:
    assert read(NEW, ()).next_poll_at == NOW + HOUR
    assert read(NEW, [NOW, NOW]).next_poll_at == NOW + HOUR


def test_twenty_entries_of_one_second_are_no_rhythm() -> None:
    feed = read(NEW, [NOW] * 20)
    assert (feed.rhythm, feed.interval) == (None, HOUR)
    bursts = [NOW - DAY * day - timedelta(seconds=n) for day in range(5) for n in range(20)]
    feed = read(NEW, bursts)
    assert feed.rhythm == pytest.approx(DAY, abs=HOUR)


def test_a_document_that_is_all_new_is_soon_looked_at_again() -> None:
    feed = read(replace(DAILY, last_ok_at=NOW - HOUR), every(MINUTE))
    assert feed.next_poll_at == NOW + SHORTEST
    assert after_success(feed, now=NOW + SHORTEST).interval > SHORTEST  # it was one burst
    assert read(replace(DAILY, last_ok_at=NOW - HOUR), every(20 * MINUTE, 5)).interval == SHORTEST
    assert read(replace(DAILY, last_ok_at=NOW - HOUR), every(5 * HOUR, 5)).interval > HOUR


def test_only_the_newest_twenty_moments_count() -> None:
    archive = every(timedelta(days=200), 30, until=NOW - 30 * DAY)
    feed = read(NEW, [*every(3 * HOUR, 20), *archive])
    assert (feed.rhythm, feed.longest_gap) == (3 * HOUR, 3 * HOUR)


def test_moments_that_have_not_come_yet_say_nothing() -> None:
    feed = read(NEW, [*every(HOUR), NOW + DAY, NOW + 2 * DAY])
    assert feed.rhythm == HOUR
    assert feed.last_new_at == NOW


def test_a_quiet_feed_is_asked_less_and_less_but_at_least_once_a_day() -> None:
    feed, now, waits = read(NEW, every(HOUR)), NOW, []
    while now < NOW + 60 * DAY:
        waits.append(feed.next_poll_at - now)
        now = feed.next_poll_at
        feed = after_success(feed, now=now)
    assert waits[0] == HOUR / 2
    assert waits == sorted(waits)
    assert waits[-1] == DAY
    assert feed.rhythm == HOUR  # what was known is kept when a poll says nothing


def test_one_that_speaks_again_is_asked_often_again_at_once() -> None:
    before = every(HOUR, 19, until=NOW - 60 * DAY)
    feed = read(replace(NEW, last_ok_at=NOW - DAY, last_new_at=NOW - 60 * DAY), [NOW, *before])
    assert feed.longest_gap == 60 * DAY
    assert feed.interval <= 2 * HOUR


def test_a_feed_that_died_before_we_met_it_is_not_asked_as_if_it_were_alive() -> None:
    feed = read(NEW, every(HOUR, until=NOW - 400 * DAY))
    assert feed.last_new_at == NOW - 400 * DAY
    assert feed.interval == DAY


def test_a_dateless_feed_is_learned_from_the_polls_that_bring_news() -> None:
    feed = read(NEW, ())
    assert (feed.rhythm, feed.last_new_at) == (None, NOW)
    for day in range(1, 6):
        late = read(feed, (), now=NOW + DAY * day)
        feed = replace(late, last_ok_at=NOW + DAY * day)
    assert feed.rhythm == DAY
    assert feed.longest_gap == DAY
    assert feed.interval == DAY / 2
    quick = feed
    for hour in range(1, 8):
        quick = read(quick, (), now=NOW + 5 * DAY + HOUR * hour)
    assert quick.rhythm is not None
    assert quick.rhythm < 2 * HOUR
    slow = read(quick, (), now=NOW + 6 * DAY)  # a night later
    assert slow.rhythm is not None
    assert slow.rhythm < 4 * HOUR


def test_a_poll_after_we_were_away_teaches_nothing() -> None:
    feed = replace(DAILY, last_ok_at=NOW - 30 * DAY, last_new_at=NOW - 30 * DAY)
    assert (read(feed).rhythm, read(feed).longest_gap) == (DAY, 2 * DAY)


def test_dates_without_a_time_are_no_daily_rhythm() -> None:
    midnights = [NOW.replace(hour=0) - DAY * (n // 4) for n in range(20)]
    feed = read(NEW, midnights)
    assert feed.rhythm == DAY  # for a start
    for hour in range(1, 9):
        feed = read(feed, midnights, now=NOW + HOUR * hour)
    assert feed.rhythm is not None
    assert feed.rhythm < 3 * HOUR
    assert feed.longest_gap == DAY


def test_an_empty_feed_is_asked_less_and_less() -> None:
    feed, now = NEW, NOW
    for _ in range(30):
        feed = after_success(feed, now=now)
        now = feed.next_poll_at
    assert feed.interval == DAY
    assert read(feed, (), now=now).interval == HOUR


def test_a_file_of_our_own_is_looked_at_every_quarter_of_an_hour() -> None:
    feed = Feed(id=1, url="feeds/city.xml", address="feeds/city.xml", next_poll_at=NOW)
    assert read(feed, every(30 * DAY)).next_poll_at == NOW + SHORTEST


# ---------------------------------------------------------------- wishes


def test_freshness_and_the_documents_wish_are_lower_bounds_up_to_a_day() -> None:
    def wait(hint: timedelta | None = None, wish: timedelta | None = None) -> timedelta:
        feed = replace(NEW, wishes=Wishes(every=wish))
        return after_success(feed, now=NOW, new=True, hint=hint).next_poll_at - NOW

    assert wait() == HOUR
    assert wait(hint=MINUTE) == HOUR
    assert wait(hint=5 * HOUR) == 5 * HOUR
    assert wait(wish=6 * HOUR) == 6 * HOUR
    assert wait(hint=5 * HOUR, wish=6 * HOUR) == 6 * HOUR
    assert wait(hint=timedelta(days=365)) == DAY
    assert wait(wish=timedelta(days=7)) == DAY


@pytest.mark.parametrize(
    ("hours", "days", "due"),
    [
        ((), (), "2026-11-22T13:00"),
        ((13,), (), "2026-11-22T14:00"),
        ((13, 14, 15), (), "2026-11-22T16:00"),
        (tuple(range(13, 24)), (), "2026-11-23T00:00"),
        ((14,), (), "2026-11-22T13:00"),
        ((), (6,), "2026-11-23T00:00"),
        ((0, 1, 2), (6,), "2026-11-23T03:00"),
        ((), (6, 0), "2026-11-23T12:00"),  # a day is the most that anybody may ask for
        (tuple(range(24)), (), "2026-11-22T13:00"),  # never: that cannot be meant
        ((), tuple(range(7)), "2026-11-22T13:00"),
        (tuple(hour for hour in range(24) if hour != 11), (), "2026-11-23T11:00"),
        (tuple(range(24)), (6,), "2026-11-23T00:00"),
        ((99,), (42,), "2026-11-22T13:00"),
    ],
)
def test_skipped_hours_and_days_are_passed_over(
    hours: tuple[int, ...], days: tuple[int, ...], due: str
) -> None:
    feed = replace(NEW, wishes=Wishes(skip_hours=hours, skip_days=days))
    assert read(feed).next_poll_at == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_feeds_that_skip_the_same_night_do_not_all_come_back_at_its_end() -> None:
    feed = replace(NEW, wishes=Wishes(skip_hours=tuple(range(12, 24))))
    due = {after_success(feed, now=NOW, new=True, jitter=n / 10).next_poll_at for n in range(10)}
    assert len(due) == 10
    assert all(moment.hour == 0 for moment in due)


# ---------------------------------------------------------------- spread


def test_feeds_added_together_drift_apart_both_ways() -> None:
    waits = [after_success(NEW, now=NOW, new=True, jitter=n / 100).next_poll_at - NOW for n in range(100)]
    assert len(set(waits)) == 100
    assert min(waits) == pytest.approx(54 * MINUTE, abs=MINUTE)
    assert max(waits) == pytest.approx(66 * MINUTE, abs=MINUTE)


@pytest.mark.parametrize("gap", [MINUTE, timedelta(days=30)])
def test_at_the_limits_feeds_drift_apart_too(gap: timedelta) -> None:
    feed = read(NEW, [NOW - MINUTE * 7, *every(gap)])
    waits = {after_success(feed, now=NOW, jitter=n / 10).next_poll_at - NOW for n in range(10)}
    assert len(waits) >= 5
    assert SHORTEST <= min(waits) < max(waits) <= LONGEST


def test_feeds_with_the_same_freshness_do_not_come_back_together() -> None:
    due = {
        after_success(NEW, now=NOW, new=True, hint=4 * HOUR, jitter=n / 10).next_poll_at for n in range(10)
    }
    assert len(due) == 10
    assert min(due) == NOW + 4 * HOUR


# ---------------------------------------------------------------- before an issue

BERLIN = Schedule(at=time(7), zone="Europe/Berlin")  # 06:00 UTC in winter


def test_a_feed_is_asked_shortly_before_the_issue_that_may_tell_it() -> None:
    slot = next_issue([BERLIN], NOW)
    assert slot == datetime(2026, 11, 23, 6, tzinfo=UTC)
    feed = replace(DAILY, rhythm=2 * DAY)
    for jitter in (0.0, 0.5, 0.99):
        due = after_success(feed, now=NOW, jitter=jitter, slot=slot).next_poll_at
        assert slot - 30 * MINUTE <= due <= slot - 15 * MINUTE
    assert after_success(feed, now=NOW).next_poll_at == NOW + DAY


def test_a_slot_makes_no_feed_rude() -> None:
    slot = next_issue([BERLIN], NOW)
    held_back = after_success(DAILY, now=NOW, hint=20 * HOUR, slot=slot)
    assert held_back.next_poll_at == NOW + 20 * HOUR
    busy = replace(DAILY, rhythm=HOUR)
    assert after_success(busy, now=NOW, slot=slot).next_poll_at == NOW + HOUR / 2
    assert slot is not None
    assert next_issue([BERLIN], slot - 40 * MINUTE) == slot + DAY  # it has just been asked for that one


def test_the_first_of_several_issues_counts_and_without_any_there_is_none() -> None:
    evening = Schedule(at=time(18), zone="UTC")
    assert next_issue([BERLIN, evening], NOW) == NOW + 6 * HOUR
    assert next_issue([], NOW) is None


# ---------------------------------------------------------------- failures


def test_a_dead_feed_is_asked_less_often_down_to_once_a_day_and_never_given_up() -> None:
    feed, waits = NEW, []
    for _ in range(40):
        feed = after_failure(feed, FeedError("no answer"), now=NOW)
        waits.append((feed.next_poll_at - NOW) / HOUR)
    assert waits[:6] == [1, 2, 4, 8, 16, 24]
    assert set(waits[5:]) == {24}
    assert (feed.failures, feed.error, feed.last_ok_at, feed.last_polled_at) == (40, "no answer", None, NOW)
    assert not feed.gone


def test_what_failed_together_does_not_come_back_together() -> None:
    for failures in (0, 3, 30):
        feed = replace(NEW, failures=failures)
        due = {after_failure(feed, FeedError("x"), now=NOW, jitter=n / 20).next_poll_at for n in range(20)}
        assert len(due) >= 10


def test_retry_after_is_obeyed_for_a_day_at_most() -> None:
    for wished, waited in [(5 * MINUTE, HOUR), (5 * HOUR, 5 * HOUR), (timedelta(days=9), DAY)]:
        feed = after_failure(NEW, FeedError("busy", retry_after=wished), now=NOW)
        assert feed.next_poll_at == NOW + waited


def test_a_feed_that_is_gone_for_good_is_stopped() -> None:
    gone = after_failure(NEW, FeedError("410", permanent=True), now=NOW)
    assert gone.gone
    assert gone.error == "410"
    assert not after_failure(NEW, FeedError("500"), now=NOW).gone
    assert not after_success(gone, now=NOW).gone


# ---------------------------------------------------------------- moves

THERE, ELSEWHERE = "https://new.example.org/f", "https://other.example.org/f"


def sightings(*urls: str | None, feed: Feed = NEW) -> Feed:
    for url in urls:
        feed = moved(feed, url)
    return feed


def test_the_third_sighting_of_a_new_address_makes_it_the_feeds_own() -> None:
    assert sightings(THERE, THERE).address == URL
    assert (sightings(THERE, THERE).moved_to, sightings(THERE, THERE).moved_seen) == (THERE, 2)
    there = sightings(THERE, THERE, THERE)
    assert (there.address, there.url, there.moved_to, there.moved_seen) == (THERE, URL, None, 0)


def test_another_address_or_none_begins_from_the_start() -> None:
    assert sightings(THERE, THERE, ELSEWHERE).moved_seen == 1
    assert sightings(THERE, THERE, ELSEWHERE, THERE, THERE).address == URL
    assert sightings(THERE, THERE, None, THERE, THERE).address == URL
    assert sightings(THERE, THERE, None).moved_to is None


def test_a_passing_redirect_in_between_counts_neither_way() -> None:
    feed = moved(sightings(THERE, THERE), None, passing=True)
    assert (feed.moved_to, feed.moved_seen) == (THERE, 2)
    assert moved(feed, THERE).address == THERE


def test_a_feed_may_move_on_and_come_home() -> None:
    there = sightings(THERE, THERE, THERE)
    assert sightings(None, None, feed=there).address == THERE
    assert sightings(ELSEWHERE, ELSEWHERE, ELSEWHERE, feed=there).address == ELSEWHERE
    assert sightings(URL, URL, URL, feed=there).address == URL


def test_a_new_address_that_fails_is_given_up_for_the_one_in_the_config() -> None:
    feed = replace(sightings(THERE, THERE, THERE), etag='"1"', last_modified="x", body_hash="h")
    for failures in (1, 2):
        feed = after_failure(feed, FeedError("404"), now=NOW)
        assert (feed.address, feed.failures) == (THERE, failures)
    feed = after_failure(feed, FeedError("404"), now=NOW)
    assert (feed.address, feed.failures, feed.error) == (URL, 3, "404")
    assert (feed.etag, feed.last_modified, feed.body_hash) == (None, None, None)


def test_a_new_address_that_is_gone_does_not_stop_the_feed() -> None:
    feed = after_failure(sightings(THERE, THERE, THERE), FeedError("410", permanent=True), now=NOW)
    assert (feed.address, feed.gone) == (URL, False)
    assert after_failure(feed, FeedError("410", permanent=True), now=NOW).gone


# ---------------------------------------------------------------- whatever comes

SPANS = st.timedeltas(timedelta(0), timedelta(days=800))
PAST = st.builds(lambda span: NOW - span, SPANS)
WISHES = st.none() | st.builds(
    Wishes,
    every=st.none() | SPANS,
    skip_hours=st.lists(st.integers(-1, 25), max_size=26).map(tuple),
    skip_days=st.lists(st.integers(0, 6), max_size=7).map(tuple),
)
FEEDS = st.builds(
    Feed,
    id=st.just(1),
    url=st.sampled_from([URL, "feeds/x.xml"]),
    address=st.sampled_from([URL, THERE]),
    next_poll_at=PAST,
    failures=st.integers(0, 10**6),
    last_ok_at=st.none() | PAST,
    last_new_at=st.none() | PAST,
    interval=st.timedeltas(SHORTEST, LONGEST),
    rhythm=st.none() | SPANS,
    longest_gap=st.none() | SPANS,
    wishes=WISHES,
)
JITTER = st.floats(0, 1, exclude_max=True)


@settings(max_examples=500, deadline=None)
@given(
    FEEDS,
    st.booleans(),
    st.none() | SPANS,
    st.lists(st.builds(lambda span: NOW + DAY - span, SPANS), max_size=40),
    JITTER,
    st.none() | st.builds(lambda span: NOW + span, SPANS),
)
def test_no_feed_is_asked_sooner_than_a_quarter_of_an_hour_or_later_than_a_day(
    feed: Feed,
    new: bool,
    hint: timedelta | None,
    moments: list[datetime],
    jitter: float,
    slot: datetime | None,
) -> None:
    after = after_success(feed, now=NOW, new=new, hint=hint, moments=moments, jitter=jitter, slot=slot)
    wait = after.next_poll_at - NOW
    wished = min(max(hint or timedelta(0), (feed.wishes and feed.wishes.every) or timedelta(0)), DAY)
    assert max(SHORTEST, wished) <= wait <= LONGEST
    assert SHORTEST <= after.interval <= LONGEST
    assert after.rhythm is None or after.rhythm >= timedelta(0)
    assert not [moment for moment in (after.last_new_at,) if moment and moment > NOW]


@settings(max_examples=300, deadline=None)
@given(FEEDS, st.none() | SPANS, st.booleans(), JITTER)
def test_after_a_failure_the_same_limits_hold(
    feed: Feed, wished: timedelta | None, permanent: bool, jitter: float
) -> None:
    after = after_failure(
        feed, FeedError("x", retry_after=wished, permanent=permanent), now=NOW, jitter=jitter
    )
    assert max(SHORTEST, min(wished or timedelta(0), DAY)) <= after.next_poll_at - NOW <= LONGEST


# ---------------------------------------------------------------- sixty days

START = datetime(2026, 9, 7, tzinfo=UTC)  # a Monday
DAYS = 60
HOURLY_POLLS = DAYS * 24


def by_chance(
    a_day: float, hours: Sequence[int] = range(24), days: Sequence[int] = range(7)
) -> list[datetime]:
    chance = random.Random(1)  # noqa: S311 - a simulation
    minutes = (START + MINUTE * n for n in range(-30 * 1440, DAYS * 1440))
    share = a_day / len(hours) / 60
    return [m for m in minutes if m.hour in hours and m.weekday() in days and chance.random() < share]


def at_six(each_day: int = 1, days: Sequence[int] = range(7)) -> list[datetime]:
    chance = random.Random(2)  # noqa: S311 - a simulation
    mornings = [START + DAY * n + 6 * HOUR for n in range(-60, DAYS)]
    return [
        morning + MINUTE * chance.uniform(0, 20)
        for morning in mornings
        if morning.weekday() in days
        for _ in range(each_day)
    ]


def follow(
    told: list[datetime],
    *,
    claims: Callable[[datetime], datetime | None] = lambda moment: moment,
    schedules: Sequence[Schedule] = (),
) -> tuple[int, list[tuple[datetime, datetime]]]:
    """How often a feed that says these things is asked, and when each of them was told and seen."""
    chance = random.Random(3)  # noqa: S311 - a simulation
    told = sorted(told)
    feed, now, polls, found = replace(NEW, next_poll_at=START), START, 0, []
    seen = bisect.bisect_right(told, START)
    while now < START + DAY * DAYS:
        there = bisect.bisect_right(told, now)
        new = there > seen or polls == 0
        found += [(moment, now) for moment in told[seen:there]]
        document = [claims(moment) for moment in told[max(0, there - 20) : there]] if new else []
        feed = after_success(
            feed,
            now=now,
            new=new,
            moments=[moment for moment in document if moment],
            jitter=chance.random(),
            slot=next_issue(schedules, now),
        )
        polls, seen, now = polls + 1, there, feed.next_poll_at
    return polls, found


def mean_delay(found: list[tuple[datetime, datetime]]) -> timedelta:
    return sum((seen - told for told, seen in found), timedelta(0)) / len(found)


@pytest.mark.parametrize(
    ("told", "polls", "delay"),
    [
        (every(5 * MINUTE, 60 * 288, until=START + DAY * DAYS), 96 * DAYS, 10 * MINUTE),
        (by_chance(40), 4000, 20 * MINUTE),
        (by_chance(12, range(8, 18), range(5)), 1200, HOUR),
        (by_chance(3), 400, 3 * HOUR),
        (at_six(), 150, 8 * HOUR),
        (at_six(20), 240, 8 * HOUR),
        (at_six(days=range(5)), 150, 10 * HOUR),
        (every(7 * DAY, 20, until=START + DAY * 55), 70, 16 * HOUR),
    ],
    ids=["busy", "40 a day", "office hours", "3 a day", "at six", "20 at six", "weekdays", "weekly"],
)
def test_sixty_days_of_a_feed(told: list[datetime], polls: int, delay: timedelta) -> None:
    asked, found = follow(told)
    assert asked <= polls
    assert mean_delay(found) <= delay
    assert len(found) == sum(START < moment <= found[-1][1] for moment in told)


def test_a_dead_feed_costs_one_poll_a_day() -> None:
    asked, _ = follow(every(DAY, until=START - 400 * DAY))
    assert DAYS <= asked <= DAYS * 1.2


def test_a_feed_without_dates_is_found_out() -> None:
    asked, found = follow(by_chance(12, range(8, 18), range(5)), claims=lambda _: None)
    assert asked <= 1.3 * HOURLY_POLLS
    assert mean_delay(found) <= HOUR
    asked, found = follow(by_chance(3), claims=lambda _: None)
    assert asked <= HOURLY_POLLS / 2
    assert mean_delay(found) <= 3 * HOUR


def test_what_a_daily_feed_says_before_the_issue_is_in_the_issue() -> None:
    at_seven = Schedule(at=time(7), zone="UTC")

    def late(found: list[tuple[datetime, datetime]]) -> int:
        return sum(seen > told.replace(hour=7, minute=0, second=0, microsecond=0) for told, seen in found)

    asked, found = follow(at_six(), schedules=[at_seven])
    by_chance_asked, by_chance_found = follow(at_six())
    assert late(found) == 0
    assert late(by_chance_found) > len(by_chance_found) / 2
    assert asked <= by_chance_asked * 1.1

"""Rules of time: every zone there is, clocks that jump, and values in and out."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from digest.model import DigestError, Rhythm, Schedule, days_of
from digest.timing import (
    EACH,
    MISSED,
    STALE,
    Planned,
    backoff,
    clamp_published,
    due,
    has_date,
    has_zone,
    is_news,
    local_date,
    next_slot,
    reading_minutes,
    slot_instant,
    slots_between,
)

ZONES = sorted(zoneinfo.available_timezones() - {"localtime"})
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
DATES = st.dates(date(1975, 1, 1), date(2060, 12, 31))
TIMES = st.builds(time, st.integers(0, 23), st.integers(0, 59))


def moments(first: date, last: date) -> st.SearchStrategy[datetime]:
    return st.datetimes(
        datetime.combine(first, time()), datetime.combine(last, time()), timezones=st.just(UTC)
    )


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def daily(at: str, zone: str, days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)) -> Schedule:
    return Schedule(at=time.fromisoformat(at), zone=zone, days=days)


# ---------------------------------------------------------------- the instant of a slot


@pytest.mark.parametrize(
    ("day", "at", "zone", "instant"),
    [
        ("2026-11-22", "07:00", "Europe/Berlin", "2026-11-22T06:00"),
        ("2026-07-01", "07:00", "Europe/Berlin", "2026-07-01T05:00"),
        ("2026-10-25", "02:30", "Europe/Berlin", "2026-10-25T00:30"),  # comes twice: the first
        ("2026-10-25", "03:00", "Europe/Berlin", "2026-10-25T02:00"),
        ("2026-03-29", "01:59", "Europe/Berlin", "2026-03-29T00:59"),
        ("2026-03-29", "02:00", "Europe/Berlin", "2026-03-29T01:00"),  # does not come: after the gap
        ("2026-03-29", "02:30", "Europe/Berlin", "2026-03-29T01:00"),
        ("2026-03-29", "03:00", "Europe/Berlin", "2026-03-29T01:00"),
        ("2026-04-24", "00:00", "Africa/Cairo", "2026-04-23T22:00"),  # midnight does not exist
        ("2026-04-24", "00:30", "Africa/Cairo", "2026-04-23T22:00"),
        ("2026-04-24", "07:00", "Africa/Cairo", "2026-04-24T04:00"),
        ("2026-03-29", "00:00", "Asia/Beirut", "2026-03-28T22:00"),
        ("2026-03-29", "00:59", "Asia/Beirut", "2026-03-28T22:00"),
        ("2026-09-06", "00:00", "America/Santiago", "2026-09-06T04:00"),
        ("2026-09-06", "00:15", "America/Santiago", "2026-09-06T04:00"),
        ("2026-04-05", "01:45", "Australia/Lord_Howe", "2026-04-04T14:45"),  # half an hour comes twice
        ("2026-04-05", "02:00", "Australia/Lord_Howe", "2026-04-04T15:30"),
        ("2026-10-04", "02:15", "Australia/Lord_Howe", "2026-10-03T15:30"),  # half an hour is missing
        ("2026-10-04", "02:30", "Australia/Lord_Howe", "2026-10-03T15:30"),
        ("2025-03-29", "23:30", "America/Nuuk", "2025-03-30T01:00"),  # the gap ends at midnight
        ("2011-12-29", "07:00", "Pacific/Apia", "2011-12-29T17:00"),
        ("2011-12-31", "07:00", "Pacific/Apia", "2011-12-30T17:00"),
    ],
)
def test_the_instant_of_a_slot(day: str, at: str, zone: str, instant: str) -> None:
    assert slot_instant(date.fromisoformat(day), time.fromisoformat(at), zone) == utc(instant)


def test_apia_had_no_30th_of_december_2011() -> None:
    assert not has_date(date(2011, 12, 30), "Pacific/Apia")
    assert has_date(date(2011, 12, 29), "Pacific/Apia")
    assert has_date(date(2011, 12, 31), "Pacific/Apia")
    slots = list(
        slots_between(daily("00:00", "Pacific/Apia"), utc("2011-12-28T12:00"), utc("2012-01-01T12:00"))
    )
    assert [day.isoformat() for day, _ in slots] == ["2011-12-29", "2011-12-31", "2012-01-01", "2012-01-02"]
    friday = daily("07:00", "Pacific/Apia", days=(4,))
    assert next_slot(friday, utc("2011-12-24T00:00"))[0] == date(2012, 1, 6)


def test_clocks_of_cairo_beirut_and_santiago_never_swallow_a_day() -> None:
    for zone, around in [
        ("Africa/Cairo", date(2026, 4, 24)),
        ("Asia/Beirut", date(2026, 3, 29)),
        ("America/Santiago", date(2026, 9, 6)),
    ]:
        start = datetime.combine(around - 2 * DAY, time(12), UTC)
        dates = [day for day, _ in slots_between(daily("00:00", zone), start, start + 4 * DAY)]
        assert dates == [around + n * DAY for n in (-1, 0, 1, 2)]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(ZONES), DATES, TIMES)
def test_a_slot_is_when_the_clock_first_reaches_its_time(zone: str, day: date, at: time) -> None:
    instant = slot_instant(day, at, zone)
    clock = zoneinfo.ZoneInfo(zone)
    wall = datetime.combine(day, at)
    shown = instant.astimezone(clock).replace(tzinfo=None)
    just_before = (instant - timedelta(seconds=1)).astimezone(clock).replace(tzinfo=None)
    assert shown >= wall
    if shown == wall:
        assert instant.astimezone(clock).fold == 0
    else:  # the time is missing: the clock jumped over it at this very instant
        assert just_before < wall


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ZONES), DATES, TIMES)
def test_every_date_that_comes_has_one_slot_and_instants_increase(zone: str, day: date, at: time) -> None:
    schedule = Schedule(at=at, zone=zone)
    start = datetime.combine(day, time(0), UTC)
    slots = list(slots_between(schedule, start, start + 12 * DAY))
    dates = [when for when, _ in slots]
    instants = [instant for _, instant in slots]
    assert instants == sorted(set(instants))
    assert all(start < instant <= start + 12 * DAY for instant in instants)
    whole = [day + n * DAY for n in range(2, 10)]
    assert [when for when in dates if whole[0] <= when <= whole[-1]] == [
        d for d in whole if has_date(d, zone)
    ]
    assert len(dates) == len(set(dates))


def test_every_zone_gives_one_slot_a_day_through_2026() -> None:
    start, end = utc("2025-12-31T00:00"), utc("2027-01-02T00:00")
    for zone in ZONES[::7]:
        dates = [day for day, _ in slots_between(daily("00:30", zone), start, end) if day.year == 2026]
        assert dates == [date(2026, 1, 1) + n * DAY for n in range(365)], zone


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(ZONES),
    moments(date(1975, 1, 1), date(2060, 1, 1)),
    TIMES,
    st.sets(st.integers(0, 6), min_size=1),
)
def test_the_next_slot_is_the_first_of_those_that_follow(
    zone: str, after: datetime, at: time, days: set[int]
) -> None:
    schedule = Schedule(at=at, zone=zone, days=tuple(sorted(days)))
    day, instant = next_slot(schedule, after)
    assert instant > after
    assert day.weekday() in days
    assert next(slots_between(schedule, after, instant)) == (day, instant)


def test_slots_come_only_on_the_days_of_the_schedule() -> None:
    schedule = daily("07:00", "Europe/Berlin", days=(0, 3))
    slots = slots_between(schedule, utc("2026-11-16T05:59"), utc("2026-11-23T06:00"))
    assert [day.isoformat() for day, _ in slots] == ["2026-11-16", "2026-11-19", "2026-11-23"]


def test_the_interval_of_slots_is_open_at_its_start_and_closed_at_its_end() -> None:
    schedule = daily("07:00", "Europe/Berlin")
    slot = utc("2026-11-22T06:00")
    assert list(slots_between(schedule, slot, slot)) == []
    assert list(slots_between(schedule, slot - timedelta(microseconds=1), slot)) == [
        (date(2026, 11, 22), slot)
    ]
    assert next_slot(schedule, slot)[0] == date(2026, 11, 23)


def test_the_local_date_is_the_zones_own() -> None:
    assert local_date(utc("2026-11-22T23:30"), "Europe/Berlin") == date(2026, 11, 23)
    assert local_date(utc("2026-11-22T23:30"), "America/New_York") == date(2026, 11, 22)


# ---------------------------------------------------------------- what is due

BERLIN = daily("07:00", "Europe/Berlin")
SINCE = utc("2026-11-01T00:00")


def plan(
    now: str, *, last: str | None, catch_up: str = "coalesce", since: datetime = SINCE
) -> list[tuple[str, str]]:
    last_date = None if last is None else date.fromisoformat(last)
    planned = due(BERLIN, last_date=last_date, since=since, now=utc(now), catch_up=catch_up)
    return [(item.date.isoformat(), item.action) for item in planned]


def test_nothing_is_due_before_its_time_and_one_issue_at_it() -> None:
    assert plan("2026-11-22T05:59:59", last="2026-11-21") == []
    assert plan("2026-11-22T06:00:00", last="2026-11-21") == [("2026-11-22", "compose")]
    assert plan("2026-11-22T20:00:00", last="2026-11-22") == []


def test_a_planned_slot_carries_its_instant() -> None:
    planned = due(
        BERLIN, last_date=date(2026, 11, 21), since=SINCE, now=utc("2026-11-22T09:00"), catch_up="each"
    )
    assert planned == (Planned(date=date(2026, 11, 22), due_at=utc("2026-11-22T06:00"), action="compose"),)


def test_slots_from_before_the_edition_was_created_are_not_missed() -> None:
    assert plan("2026-11-22T12:00", last=None, since=utc("2026-11-22T06:00:01")) == []
    assert plan("2026-11-23T06:00", last=None, since=utc("2026-11-22T06:00:01")) == [
        ("2026-11-23", "compose")
    ]
    assert plan("2026-11-22T12:00", last=None, since=utc("2026-11-22T06:00")) == [("2026-11-22", "compose")]


def test_after_downtime_coalesce_makes_one_issue_of_all_that_was_missed() -> None:
    assert plan("2026-11-22T22:00", last="2026-11-19") == [
        ("2026-11-20", "coalesced"),
        ("2026-11-21", "coalesced"),
        ("2026-11-22", "compose"),
    ]


def test_after_downtime_each_makes_every_issue() -> None:
    assert plan("2026-11-22T22:00", last="2026-11-20", catch_up="each") == [
        ("2026-11-21", "compose"),
        ("2026-11-22", "compose"),
    ]


def test_after_downtime_skip_makes_only_the_one_that_is_fresh() -> None:
    assert plan("2026-11-22T07:00", last="2026-11-20", catch_up="skip") == [
        ("2026-11-21", "skipped"),
        ("2026-11-22", "compose"),
    ]
    assert plan("2026-11-22T22:00", last="2026-11-20", catch_up="skip") == [
        ("2026-11-21", "skipped"),
        ("2026-11-22", "skipped"),
    ]
    limit = (utc("2026-11-22T06:00") + STALE).replace(tzinfo=None).isoformat()
    assert plan(limit, last="2026-11-21", catch_up="skip") == [("2026-11-22", "compose")]


def test_a_clock_that_jumps_back_makes_nothing_due() -> None:
    assert plan("2026-11-20T12:00", last="2026-11-22") == []
    assert plan("2020-01-01T12:00", last=None) == []


def test_a_later_hour_does_not_give_a_second_issue_on_the_same_date() -> None:
    evening = daily("18:00", "Europe/Berlin")
    arguments = {"last_date": date(2026, 11, 22), "since": SINCE, "catch_up": "each"}
    assert due(evening, now=utc("2026-11-22T20:00"), **arguments) == ()  # type: ignore[arg-type]
    assert len(due(evening, now=utc("2026-11-23T20:00"), **arguments)) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize("catch_up", ["coalesce", "skip", "each"])
def test_ten_years_of_absence_are_bounded(catch_up: str) -> None:
    planned = due(
        BERLIN, last_date=None, since=utc("2016-01-01T00:00"), now=utc("2026-11-22T06:30"), catch_up=catch_up
    )
    assert len(planned) == MISSED
    assert planned[-1].date == date(2026, 11, 22)
    composed = sum(item.action == "compose" for item in planned)
    assert composed == (EACH if catch_up == "each" else 1)
    assert planned[-1].action == "compose"


@settings(max_examples=150, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    at=TIMES,
    days=st.sets(st.integers(0, 6), min_size=1),
    since=moments(date(1976, 1, 1), date(2050, 1, 1)),
    steps=st.lists(st.integers(-200, 400), min_size=1, max_size=12),
    catch_up=st.sampled_from(["coalesce", "skip", "each"]),
)
def test_whatever_the_clock_does_each_date_gets_its_slot_once(
    zone: str, at: time, days: set[int], since: datetime, steps: list[int], catch_up: str
) -> None:
    schedule = Schedule(at=at, zone=zone, days=tuple(sorted(days)))
    now, furthest, last, seen = since, since, None, []
    for step in steps:
        now += timedelta(hours=step)
        furthest = max(furthest, now)
        planned = due(schedule, last_date=last, since=since, now=now, catch_up=catch_up)
        assert all(since <= item.due_at <= now for item in planned)
        for item in planned:
            seen.append(item)
            last = item.date
        assert due(schedule, last_date=last, since=since, now=now, catch_up=catch_up) == ()
    assert [item.date for item in seen] == sorted({item.date for item in seen})
    assert [item.due_at for item in seen] == sorted({item.due_at for item in seen})
    expected = [
        day
        for day, instant in slots_between(schedule, since - timedelta(seconds=1), furthest)
        if instant >= since
    ]
    assert [item.date for item in seen] == expected


# ---------------------------------------------------------------- what a feed claims

RECEIVED = utc("2026-11-22T12:00")
POLLED = utc("2026-11-22T11:00")


@pytest.mark.parametrize(
    ("claimed", "previous", "published", "dated"),
    [
        (None, None, "2026-11-22T12:00", False),
        ("2026-11-22T11:30", POLLED, "2026-11-22T11:30", True),
        ("2026-11-22T10:15", POLLED, "2026-11-22T10:15", True),  # a cache held it back for one turn
        ("2026-11-01T00:00", POLLED, "2026-11-22T10:00", True),  # an old draft, published now
        ("2026-11-01T00:00", None, "2026-11-01T00:00", True),  # backlog keeps its date
        ("2026-11-22T15:00", POLLED, "2026-11-22T12:00", True),  # a clock that is a little fast
        ("2026-11-23T12:00", None, "2026-11-22T12:00", True),
        ("2026-11-23T12:01", None, "2026-11-22T12:00", False),  # a calendar, not a date of publication
        ("9999-12-31T23:59", POLLED, "2026-11-22T12:00", False),
        ("1970-01-01T00:00", None, "2026-11-22T12:00", False),  # a machine's zero
        ("0001-01-01T00:00", POLLED, "2026-11-22T12:00", False),
        ("2026-11-22T11:30", utc("2026-11-22T13:00"), "2026-11-22T12:00", True),  # our clock jumped back
    ],
)
def test_what_a_feed_claims_is_clamped(
    claimed: str | None, previous: datetime | None, published: str, dated: bool
) -> None:
    claim = None if claimed is None else utc(claimed)
    assert clamp_published(claim, received_at=RECEIVED, previous_poll=previous) == (utc(published), dated)


@given(
    st.datetimes(timezones=st.just(UTC)),
    st.none() | moments(date(2026, 1, 1), date(2026, 12, 31)),
)
def test_published_never_lies_in_the_future(claimed: datetime, previous: datetime | None) -> None:
    published, _ = clamp_published(claimed, received_at=RECEIVED, previous_poll=previous)
    assert published <= RECEIVED
    if previous is not None and previous <= RECEIVED:
        assert published >= RECEIVED - 2 * (RECEIVED - previous)


# ---------------------------------------------------------------- what is news

TWO_DAYS = timedelta(days=2)
FOLLOWED = utc("2026-11-22T12:00")


@pytest.mark.parametrize(
    ("published", "dated", "backlog", "position", "received", "first", "news"),
    [
        ("2026-11-22T09:00", True, True, 0, "2026-11-22T12:01", TWO_DAYS, True),
        ("2026-11-20T12:00", True, True, 50, "2026-11-22T12:01", TWO_DAYS, True),
        ("2026-11-20T11:59", True, True, 0, "2026-11-22T12:01", TWO_DAYS, False),
        ("2001-01-01T00:00", True, True, 500, "2026-11-22T12:01", None, True),  # first: all
        ("2026-11-22T12:01", False, True, 9, "2026-11-22T12:01", TWO_DAYS, True),  # dateless: the newest ten
        ("2026-11-22T12:01", False, True, 10, "2026-11-22T12:01", TWO_DAYS, False),
        ("2026-11-22T12:01", False, True, 10, "2026-11-22T12:01", None, True),
        (
            "2001-01-01T00:00",
            True,
            False,
            0,
            "2026-11-22T12:00",
            TWO_DAYS,
            True,
        ),  # appeared while we followed
        ("2026-11-22T13:00", False, False, 99, "2026-11-22T13:00", timedelta(0), True),
        # known before this newsletter followed the feed, from another one
        ("2026-11-21T00:00", True, False, 0, "2026-11-21T00:10", TWO_DAYS, True),
        ("2026-11-19T00:00", True, False, 0, "2026-11-19T00:10", TWO_DAYS, False),
        ("2026-11-21T00:10", False, False, 99, "2026-11-21T00:10", TWO_DAYS, True),
        ("2026-11-19T00:10", False, False, 0, "2026-11-19T00:10", TWO_DAYS, False),
        ("2026-11-19T00:10", False, True, 0, "2026-11-19T00:10", TWO_DAYS, True),
    ],
)
def test_the_first_window_and_nothing_else_is_decided_by_dates(
    published: str,
    dated: bool,
    backlog: bool,
    position: int,
    received: str,
    first: timedelta | None,
    news: bool,
) -> None:
    verdict = is_news(utc(published), dated, backlog, position, utc(received), first=first, since=FOLLOWED)
    assert verdict is news


# ---------------------------------------------------------------- trying again


@pytest.mark.parametrize(
    ("attempt", "jitter", "minutes"),
    [
        (1, 0.0, 5),
        (1, 0.5, 7.5),
        (2, 0.0, 10),
        (3, 0.0, 20),
        (4, 0.0, 30),
        (9, 0.0, 30),
        (9, 0.5, 45),
        (0, 0.0, 5),
    ],
)
def test_waits_double_up_to_the_cap(attempt: int, jitter: float, minutes: float) -> None:
    wait = backoff(attempt, base=timedelta(minutes=5), cap=HOUR, jitter=jitter)
    assert wait == timedelta(minutes=minutes)


@given(
    st.integers(0, 10**9),
    st.floats(0, 1, exclude_max=True),
    st.timedeltas(timedelta(seconds=1), timedelta(days=30)),
    st.timedeltas(timedelta(seconds=1), timedelta(days=30)),
)
def test_a_wait_lies_between_base_and_cap(
    attempt: int, jitter: float, base: timedelta, cap: timedelta
) -> None:
    assume(base <= cap)
    wait = backoff(attempt, base=base, cap=cap, jitter=jitter)
    assert base <= wait <= cap


def test_what_failed_together_does_not_come_back_together() -> None:
    waits = {backoff(50, base=timedelta(minutes=5), cap=HOUR, jitter=n / 10) for n in range(10)}
    assert len(waits) == 10


# ---------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("words", "language", "minutes"),
    [
        (0, "en", 0),
        (1, "en", 1),
        (228, "en", 1),
        (229, "en", 2),
        (1140, "en-GB", 5),
        (1140, "ar", 9),
        (180, "xx", 1),
    ],
)
def test_reading_takes_longer_in_some_languages(words: int, language: str, minutes: int) -> None:
    assert reading_minutes(words, language) == minutes


# ---------------------------------------------------------------- rhythms


@pytest.mark.parametrize(
    ("cadence", "days", "spelt"),
    [
        ("daily", (0, 1, 2, 3, 4, 5, 6), "daily"),
        ("weekdays", (0, 1, 2, 3, 4), "weekdays"),
        ("sun", (6,), "sun"),
        ("thu,mon,thu", (0, 3), "mon,thu"),
        ("mon,tue,wed,thu,fri", (0, 1, 2, 3, 4), "weekdays"),
    ],
)
def test_a_cadence_has_its_days_and_one_spelling(cadence: str, days: tuple[int, ...], spelt: str) -> None:
    rhythm = Rhythm(cadence=cadence, at=time(7), zone="UTC")
    assert rhythm.schedule.days == days
    assert rhythm.schedule.rhythm == Rhythm(cadence=spelt, at=time(7), zone="UTC")


@pytest.mark.parametrize("cadence", ["", "weekly", "Mon", "mon, thu", "mon,", "manual", "0"])
def test_what_is_no_cadence_is_said(cadence: str) -> None:
    with pytest.raises(DigestError, match="daily, weekdays, or days such as mon"):
        days_of(cadence)


@pytest.mark.parametrize(
    ("zone", "known"),
    [("Europe/Berlin", True), ("UTC", True), ("Mars/Phobos", False), ("Europe", False), ("", False)],
)
def test_a_zone_that_the_system_does_not_know_is_no_zone(zone: str, known: bool) -> None:
    assert has_zone(zone) == known


def test_a_week_of_the_year_whose_day_does_not_come_has_no_weekly_slot() -> None:
    """Apia had no Friday, 30 December 2011."""
    friday = Rhythm(cadence="fri", at=time(9), zone="Pacific/Apia").schedule
    first = datetime(2011, 12, 20, tzinfo=UTC)
    assert [day.isoformat() for day, _ in slots_between(friday, first, first + timedelta(days=20))] == [
        "2011-12-23",
        "2012-01-06",
    ]

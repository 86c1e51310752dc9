"""Every rule about time: when an issue is due, what is news, when to try again. Pure; `now` is an argument.

The slot of an edition is a wall-clock time in a zone on a local date. Clocks that are put forward or back
never cost or double an issue:

- a time that comes twice (clocks put back) is its first occurrence;
- a time that does not come (clocks put forward) is the first instant after the gap, even if the calendar has
  turned by then (Nuuk, 23:30 on 2025-03-29, is midnight);
- a date that does not come at all (Apia, 2011-12-30) has no slot: nobody there has that day, and the
  next date has its own. A weekly newsletter of that day pauses for one week.

It knows no clock, no database and no feed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from digest.model import Schedule

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)

# ---------------------------------------------------------------- slots


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What is to become of the slot of one local date."""

    date: date
    due_at: datetime
    action: Literal["compose", "coalesced", "skipped"]


STALE = timedelta(
    hours=6
)  # with `skip`, a slot this late is not made up for: no morning letter in the evening
MISSED = 366  # slots that are looked back at; older ones leave no trace
EACH = 31  # with `each`, at most this many issues are made up for; the slots before them are coalesced


def local_date(now: datetime, zone: str) -> date:
    return now.astimezone(ZoneInfo(zone)).date()


def slot_instant(day: date, at: time, zone: str) -> datetime:
    """The instant, in UTC, at which `at` comes on `day`; above, for times that come twice or not at all."""
    clock = ZoneInfo(zone)
    wall = datetime.combine(day, at, UTC)  # the reading of the clock, not yet an instant
    before = _offset(wall.replace(tzinfo=clock))
    after = _offset(wall.replace(tzinfo=clock, fold=1))
    if before >= after:  # an ordinary time, or one that comes twice: PEP 495, fold 0 is the first
        return wall - before
    early, late = wall - after, wall - before  # the gap ends between these two
    while late - early > SECOND:
        middle = early + (late - early) // 2 // SECOND * SECOND
        if middle.astimezone(clock).replace(tzinfo=UTC) >= wall:
            late = middle
        else:
            early = middle
    return late


def has_zone(zone: str) -> bool:
    """Whether this system knows that zone; its data may have changed since somebody chose it."""
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, LookupError):  # ZoneInfo("Europe") is an IsADirectoryError
        return False
    return True


def has_date(day: date, zone: str) -> bool:
    """Whether `day` comes at all in that zone."""
    return local_date(slot_instant(day, time(0), zone), zone) == day


def slots_between(schedule: Schedule, after: datetime, until: datetime) -> Iterator[tuple[date, datetime]]:
    """Slots with after < instant <= until, in order: one for each local date of the schedule."""
    day = local_date(after, schedule.zone) - DAY  # a missing time may belong to the date before
    last = local_date(until, schedule.zone)
    while day <= last:
        instant = _slot(schedule, day)
        if instant is not None and after < instant <= until:
            yield day, instant
        day += DAY


def next_slot(schedule: Schedule, after: datetime) -> tuple[date, datetime]:
    """The first slot later than `after`."""
    start = local_date(after, schedule.zone) - DAY
    for number in itertools.count():
        day = start + timedelta(days=number)
        instant = _slot(schedule, day)
        if instant is not None and instant > after:
            return day, instant
    raise AssertionError("itertools.count has no end")


def due(
    schedule: Schedule, *, last_date: date | None, since: datetime, now: datetime, catch_up: str
) -> tuple[Planned, ...]:
    """The slots that have come and were not recorded, oldest first, and what to do with each.

    last_date: the date of the last slot recorded; None if there is none. since: when the edition was created.
    Only dates after `last_date` count, so a date is never used twice: not after a clock has jumped back, and
    not when an edition with another hour takes over from this one.
    """
    missed = list(_missed(schedule, last_date, since, now))
    if not missed:
        return ()
    planned = []
    for age, (day, instant) in enumerate(missed):  # newest first
        action: Literal["compose", "coalesced", "skipped"] = "coalesced"
        if catch_up == "skip":
            action = "compose" if age == 0 and now - instant <= STALE else "skipped"
        elif age == 0 or (catch_up == "each" and age < EACH):
            action = "compose"
        planned.append(Planned(date=day, due_at=instant, action=action))
    return tuple(reversed(planned))


def _missed(
    schedule: Schedule, last_date: date | None, since: datetime, now: datetime
) -> Iterator[tuple[date, datetime]]:
    """Newest first, so that years of absence cost no more than the slots that are used."""
    day = local_date(now, schedule.zone)
    first = local_date(since, schedule.zone) - DAY
    if last_date is not None:
        first = max(first, last_date + DAY)
    found = 0
    while day >= first and found < MISSED:
        instant = _slot(schedule, day)
        if instant is not None and since <= instant <= now:
            yield day, instant
            found += 1
        day -= DAY


def _slot(schedule: Schedule, day: date) -> datetime | None:
    if day.weekday() not in schedule.days or not has_date(day, schedule.zone):
        return None
    return slot_instant(day, schedule.at, schedule.zone)


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta(0)


# ---------------------------------------------------------------- what is news

OLDEST = datetime(1990, 1, 1, tzinfo=UTC)  # before the web; such a claim is a machine's zero, not a date
DATELESS = 10  # of a dateless feed, this many from the top of its first document are news


def clamp_published(
    claimed: datetime | None, *, received_at: datetime, previous_poll: datetime | None
) -> tuple[datetime, bool]:
    """(published, dated): what we believe of the feed's claim, and whether it made one worth the name.

    A claim more than a day ahead, or before the web, is no date: such an entry is dateless. One that was not
    there at the previous poll appeared after it; we allow for one more turn of the feed's rhythm (caches,
    editors) and believe nothing older. At a first poll (`previous_poll` None) the backlog keeps its dates.
    """
    if claimed is None or claimed < OLDEST or claimed > received_at + DAY:
        return received_at, False
    published = claimed
    if previous_poll is not None:
        rhythm = max(received_at - previous_poll, timedelta(0))
        published = max(published, received_at - 2 * rhythm)
    return min(published, received_at), True


def is_news(
    published: datetime,
    dated: bool,
    backlog: bool,
    position: int,
    received_at: datetime,
    *,
    first: timedelta | None,
    since: datetime,
) -> bool:
    """Whether a newsletter that follows the feed since `since` may tell this entry.

    What appeared while we followed is always news. Of what was there before, only the first window is:
    everything if `first` is None, else what is dated no earlier than `first` before `since`; of a dateless
    backlog, the newest ten.
    """
    if received_at >= since and not backlog:
        return True
    if first is None:
        return True
    if dated or not backlog:  # dateless but seen to appear: `published` is when
        return published >= since - first
    return position < DATELESS


# ---------------------------------------------------------------- trying again


def backoff(attempt: int, *, base: timedelta, cap: timedelta, jitter: float) -> timedelta:
    """How long to wait after the attempt of that number (1 is the first), doubling from `base` to `cap`.

    jitter: in [0, 1), spreads the wait over [t, 2t), never under `base` nor over `cap`; also at the cap, so
    that what failed together does not come back together.
    """
    shortest = base.total_seconds()
    longest = max(cap.total_seconds(), shortest)
    low = min(shortest * 2.0 ** min(max(attempt - 1, 0), 60), max(longest / 2, shortest))
    high = min(low * 2, longest)
    return timedelta(seconds=low + (high - low) * jitter)


# ---------------------------------------------------------------- reading

# Words a minute in silent reading: Trauzettel-Klosinski & Dietz 2012 (IReST), doi:10.1167/iovs.11-8284.
_PACE = {
    "ar": 138, "de": 179, "en": 228, "es": 218, "fi": 161, "fr": 195, "he": 187, "it": 188, "ja": 193,
    "nl": 202, "pl": 166, "pt": 181, "ru": 184, "sl": 180, "sv": 199, "tr": 166, "zh": 158,
}  # fmt: skip
_PACE_ELSEWHERE = 180


def reading_minutes(words: int, language: str) -> int:
    """Whole minutes, rounded up; 0 only for nothing."""
    pace = _PACE.get(language.partition("-")[0].lower(), _PACE_ELSEWHERE)
    return math.ceil(max(words, 0) / pace)

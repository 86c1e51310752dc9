"""When a feed is asked again: by its own rhythm, by what it asks for, and after what went wrong. Pure.

    what a poll brought → rhythm → interval → a little spread → not before it was asked for → next_poll_at

Two limits hold for every feed, whatever it or its server says: never more often than every 15 minutes, never
less often than once a day. Only one that says 410 is not asked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from digest.model import Feed, FeedError, Schedule, Wishes
from digest.timing import DAY, next_slot

HOUR = timedelta(hours=1)
SHORTEST = timedelta(minutes=15)
LONGEST = DAY
UNKNOWN = HOUR  # the interval of a feed of which we know nothing yet

NEWEST = 20  # moments of a document that its rhythm is taken from: what it does now, not what it once did
ENOUGH = 3  # moments without which there is no rhythm
MANY = 5  # entries, all of them new since the last poll, that look as if there had been more
PATIENCE = 12  # of a silence, the part that may pass until its end is noticed
BEFORE = timedelta(minutes=15)  # so long before the slot of an issue, up to twice that, its feeds are asked
AWAY = 2 * DAY  # we did not look for so long: what we missed says nothing about the feed
TRIES = 3  # sightings until a new address is believed, and failures until it is not

# ---------------------------------------------------------------- after a poll


def after_success(
    feed: Feed,
    *,
    now: datetime,
    new: bool = False,
    hint: timedelta | None = None,
    moments: Sequence[datetime] = (),
    jitter: float = 0.0,
    slot: datetime | None = None,
) -> Feed:
    """The feed as it should be remembered after it was read, or said that nothing has changed.

    hint: how long the answer stays fresh; like the document's own wishes a lower bound, up to a day. moments:
    the believed publication times of the document's dated entries; () when nothing was parsed. jitter: in
    [0, 1), moves the next poll by up to a tenth of the wait either way; 0 is none. slot: by
    `next_issue`; the feed is asked shortly before it.
    """
    rhythm, longest_gap = _rhythm(feed, now, new, moments)
    told = [moment for moment in moments if moment <= now]
    last_new_at = now if new else feed.last_new_at
    if feed.last_ok_at is None and told:
        last_new_at = max(told)  # a feed that died long ago must not look alive because we have just met it
    seen = replace(
        feed,
        failures=0,
        error=None,
        gone=False,
        last_polled_at=now,
        last_ok_at=now,
        last_new_at=last_new_at,
        rhythm=rhythm,
        longest_gap=longest_gap,
    )
    interval = _interval(seen, now, first=feed.last_ok_at is None)
    if feed.last_ok_at is not None and len(told) >= MANY and min(told) > feed.last_ok_at:
        interval = SHORTEST  # the whole document is newer than our last look: some of it may have slipped by
    next_poll_at = _next_poll(now, interval, hint, feed.wishes, jitter, slot)
    return replace(seen, interval=interval, next_poll_at=next_poll_at)


def next_issue(schedules: Iterable[Schedule], now: datetime) -> datetime | None:
    """The first slot before which a feed that is polled now may be polled again; None: there is no schedule.

    A feed that is asked twice a day would else be asked at any hour, and what it publishes at six be told on
    the morning after. Simulated (a daily feed at 06:00, the issue at 07:00): 59 of 60 entries came a day
    late, and none when the poll keeps to the slot, with no poll more.
    """
    later = now + 3 * BEFORE
    return min((next_slot(schedule, later)[1] for schedule in schedules), default=None)


def after_failure(feed: Feed, error: FeedError, *, now: datetime, jitter: float = 0.0) -> Feed:
    """The feed as it should be remembered after this error.

    It is asked again after its interval, twice that, four times, and at last once a day for as long as it is
    followed; the server's Retry-After is a lower bound, up to a day. 410 Gone (a permanent error) stops it.
    An address that it only moved to, and that fails, is given up for the one in the config: a domain that
    expired or was taken over never keeps a feed.
    """
    failures = feed.failures + 1
    strayed = feed.address != feed.url and (error.permanent or failures >= TRIES)
    interval = min(feed.interval * 2 ** min(feed.failures, 10), LONGEST)
    failed = replace(
        feed,
        failures=failures,
        error=str(error),
        gone=error.permanent and not strayed,
        last_polled_at=now,
        next_poll_at=_next_poll(now, interval, error.retry_after, feed.wishes, jitter),
    )
    if not strayed:
        return failed
    # What the other address said to recognize its document by means nothing to this one.
    return replace(
        failed, address=feed.url, moved_to=None, moved_seen=0, etag=None, last_modified=None, body_hash=None
    )


def moved(feed: Feed, permanent_url: str | None, *, passing: bool = False) -> Feed:
    """The feed after an answer that permanent redirects led to (None: they did not).

    One redirect may be a mistake of an hour, or a hotel's log-in page: only the third sighting in a row of
    the same address makes it the feed's own. passing: a redirect that is not permanent led to the answer; it
    says nothing about where the feed lives, and counts neither way.
    """
    if permanent_url is None or permanent_url == feed.address:
        settled = feed.moved_to is None and feed.moved_seen == 0
        return feed if passing or settled else replace(feed, moved_to=None, moved_seen=0)
    seen = feed.moved_seen + 1 if permanent_url == feed.moved_to else 1
    if seen < TRIES:
        return replace(feed, moved_to=permanent_url, moved_seen=seen)
    return replace(feed, address=permanent_url, moved_to=None, moved_seen=0)


# ---------------------------------------------------------------- rhythm


def _rhythm(
    feed: Feed, now: datetime, new: bool, moments: Iterable[datetime]
) -> tuple[timedelta | None, timedelta | None]:
    """(mean time between publications, the longest), by the document's dates, else by when news came."""
    occasions = _occasions(moments, now)
    if len(occasions) >= ENOUGH:
        gaps = sorted(after - before for before, after in pairwise(occasions))
        usual = [_counted(gap, gaps[len(gaps) // 2]) for gap in gaps]
        mean, longest = sum(usual, timedelta(0)) / len(usual), gaps[-1]
        if feed.rhythm is None or len({moment.timetz() for moment in occasions}) > 1:
            return mean, longest
        # Every entry at the same time of day: dates without a time. What comes between two midnights, only
        # polls can tell.
        return _learned(feed, now, new)[0], longest
    return _learned(feed, now, new)


def _counted(gap: timedelta, usual: timedelta) -> timedelta:
    """What a gap counts in the mean. A long pause is `longest_gap`, and no part of the rhythm: a feed that
    speaks again is asked often again at once."""
    return min(gap, max(3 * usual, DAY))


def _occasions(moments: Iterable[datetime], now: datetime) -> list[datetime]:
    """The newest times at which it published, in order. What lies so close together that two polls could not
    tell it apart is one: twenty entries of the same second are no rhythm."""
    found: list[datetime] = []
    for moment in sorted((moment for moment in moments if moment <= now), reverse=True):
        if not found or found[-1] - moment >= SHORTEST:
            found.append(moment)
            if len(found) == NEWEST:
                break
    return found[::-1]


def _learned(feed: Feed, now: datetime, new: bool) -> tuple[timedelta | None, timedelta | None]:
    """The same for a document without dates: an exponential mean of the times between polls with news."""
    if not new or feed.last_new_at is None or feed.last_ok_at is None or now - feed.last_ok_at > AWAY:
        return feed.rhythm, feed.longest_gap
    gap = max(now - feed.last_new_at, SHORTEST)
    if feed.rhythm is None:
        return gap, None  # of two moments; the third makes it a rhythm that one could miss
    longest = max(gap, (feed.longest_gap or feed.rhythm) * 0.9)  # an old pause is slowly forgotten
    # Quick to follow a feed that says more, slow to believe that it says less: a night is no new rhythm.
    change = _counted(gap, feed.rhythm) - feed.rhythm
    return feed.rhythm + change / (2 if change < timedelta(0) else 8), longest


def _interval(feed: Feed, now: datetime, *, first: bool) -> timedelta:
    """How often to ask, before all wishes: twice in a usual pause, less and less in a long one."""
    if "://" not in feed.address:
        return SHORTEST  # to look at a file of our own bothers nobody
    if feed.last_new_at is None:  # it answers and holds nothing: since when, nobody wrote down
        return UNKNOWN if first else _within(feed.interval * 1.25)
    usual = feed.rhythm / 2 if feed.rhythm is not None else UNKNOWN
    return _within(max(usual, (now - feed.last_new_at) / PATIENCE))


def _within(wait: timedelta) -> timedelta:
    return min(max(wait, SHORTEST), LONGEST)


# ---------------------------------------------------------------- the next poll


def _next_poll(
    now: datetime,
    interval: timedelta,
    least: timedelta | None,
    wishes: Wishes | None,
    jitter: float,
    slot: datetime | None = None,
) -> datetime:
    """least: what the server asks for. No wish of anybody's puts a poll off for longer than a day."""
    wait = _spread(interval, jitter)
    wished = min(max(least or timedelta(0), (wishes and wishes.every) or timedelta(0)), LONGEST)
    if slot is not None:
        wait = _in_time(wait, slot - now - BEFORE * (1 + jitter))
    if wait < wished:  # feeds of one server wish for the same: let them not come back together
        wait = min(wished * (1 + jitter / 10), LONGEST)
    return _past_skipped(now + wait, wishes, jitter, latest=now + LONGEST)


def _spread(interval: timedelta, jitter: float) -> timedelta:
    """Up to a tenth more or less; what would lie beyond a limit is folded back behind it."""
    wait = _within(interval) * (1 + ((jitter + 0.5) % 1 - 0.5) / 5)
    if wait > LONGEST:
        return 2 * LONGEST - wait
    return 2 * SHORTEST - wait if wait < SHORTEST else wait


def _in_time(wait: timedelta, before: timedelta) -> timedelta:
    """A poll that would miss the slot comes before it, and so does one shortly earlier: two would be one too
    many."""
    return min(before, LONGEST) if SHORTEST <= before < wait * 1.25 + BEFORE else wait


def _past_skipped(moment: datetime, wishes: Wishes | None, jitter: float, *, latest: datetime) -> datetime:
    """The first moment from there on that is in no skipped hour and on no skipped day (RSS 2.0, in UTC).

    A document that skips every hour, or every day, does not mean it.
    """
    hours = set(range(24)).intersection(wishes.skip_hours if wishes else ())
    days = set(range(7)).intersection(wishes.skip_days if wishes else ())
    hours, days = hours if len(hours) < 24 else set(), days if len(days) < 7 else set()
    start = hour = moment.replace(minute=0, second=0, microsecond=0)
    while (hour.hour in hours or hour.weekday() in days) and hour < latest:
        hour += HOUR
    return moment if hour == start else min(hour + HOUR / 2 * jitter, latest)

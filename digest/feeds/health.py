"""How a feed is, in words for the person who looks after it. Pure.

The dangerous feed is not the one that fails: it says so. It is the one that answers well and has said nothing
for far longer than it ever did before, or that lives elsewhere by now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from digest.model import Feed, FeedError

Kind = Literal["ok", "new", "failing", "gone", "empty", "silent", "moved"]

SICK: tuple[Kind, ...] = ("failing", "gone", "empty", "silent", "moved")
"""The kinds that ask for somebody's attention, the most urgent first."""

QUIET_ENOUGH = timedelta(days=14)  # nobody is called silent sooner, however busy it was
NO_HABIT = timedelta(days=180)  # for one whose rhythm we do not know
OFTEN = 3  # failures after which it is no passing trouble

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """words: what is so. advice: what to do about it; "" when there is nothing."""

    kind: Kind
    words: str = "ok"
    advice: str = ""

    @property
    def sick(self) -> bool:
        return self.kind in SICK


def health(feed: Feed, now: datetime) -> Health:
    """The health of a feed as it is remembered."""
    if feed.gone:
        return _gone(feed.error or "it said that it is gone for good (410)")
    if feed.last_polled_at is None:
        return Health(kind="new", words="not asked yet")
    if feed.failures:
        return _failing(feed, now)
    if feed.last_new_at is None and feed.interval >= DAY:  # asked less and less, and never was anything there
        return _empty()
    if is_silent(feed):
        return _silent(feed, now)
    if feed.address != feed.url:
        return _moved(feed.url, feed.address, f"has moved to {feed.address} and is read there")
    return Health(kind="ok", words="ok" if feed.last_new_at else "ok, nothing in it yet")


def is_silent(feed: Feed) -> bool:
    """It answers, and at our last look there had been nothing new for far longer than its habit.

    A file of the admin's own is never silent: nobody answers there.
    """
    if feed.last_ok_at is None or feed.last_new_at is None or is_file(feed):
        return False
    return feed.last_ok_at - feed.last_new_at > patience(feed)


def is_file(feed: Feed) -> bool:
    return "://" not in feed.address


def patience(feed: Feed) -> timedelta:
    """How long it may say nothing until that is strange."""
    if feed.rhythm is None or feed.longest_gap is None:
        return NO_HABIT
    return max(QUIET_ENOUGH, 3 * feed.longest_gap, 10 * feed.rhythm)


def is_passing(feed: Feed, now: datetime) -> bool:
    """It has failed once or twice and was read not long ago: by tomorrow it is well, or worth telling."""
    return 0 < feed.failures < OFTEN and feed.last_ok_at is not None and now - feed.last_ok_at <= 2 * DAY


# ---------------------------------------------------------------- at a first look


def refused(feed: Feed, error: FeedError) -> Health:
    """What to say of a feed that was asked just now and gave nothing."""
    if error.permanent:
        return _gone(str(error))
    return Health(
        kind="failing", words=str(error), advice="" if is_file(feed) else f"If it stays so, {_LOST}."
    )


def looked_at(
    feed: Feed, *, entries: int, permanent_url: str | None, was_gone: bool, now: datetime
) -> Health:
    """What to say of a feed that was read just now. feed: as this one look would make us remember it.
    was_gone: we do not ask it any more."""
    if was_gone:
        return Health(
            kind="gone",
            words="answers again, but it once said that it is gone (410) and is not asked any more",
            advice="Take it out of config.yaml, let the service read that (SIGHUP), and put it back.",
        )
    if not entries:
        return _empty()
    if is_silent(feed):
        return _silent(feed, now)
    if permanent_url is not None:
        return _moved(feed.url, permanent_url, f"has moved permanently to {permanent_url}")
    return Health(kind="ok")


# ---------------------------------------------------------------- kinds


_LOST = "look for its new address with `digest feeds discover`, or take it out"


def _gone(words: str) -> Health:
    return Health(
        kind="gone",
        words=words,
        advice="It is not asked again. Write its new address into config.yaml, or take it out; "
        "one that comes back is asked again when it was taken out and put back.",
    )


def _failing(feed: Feed, now: datetime) -> Health:
    tries = "once" if feed.failures == 1 else f"{feed.failures} times in a row"
    read = "it was never read" if feed.last_ok_at is None else f"last read {ago(now - feed.last_ok_at)}"
    again = until(feed.next_poll_at - now)
    if is_file(feed):
        advice = ""  # what the error says is all that can be done
    elif feed.address != feed.url:
        advice = (
            f"It is read at {feed.address}, where it moved; soon the address in config.yaml is asked again."
        )
    elif feed.last_ok_at is None:
        advice = f"Check its url in config.yaml; {_LOST}."
    elif feed.failures < OFTEN:
        advice = f"This often passes; it is asked again {again}."
    else:
        advice = f"It is asked again {again}, and then at least once a day. If it stays so, {_LOST}."
    return Health(
        kind="failing", words=f"has failed {tries}, {read}: {feed.error or 'no reason given'}", advice=advice
    )


def _empty() -> Health:
    return Health(
        kind="empty",
        words="answers, and there is nothing in it",
        advice="If its site has news, look for another address with `digest feeds discover`.",
    )


def _silent(feed: Feed, now: datetime) -> Health:
    last = feed.last_new_at or now
    habit = f"; before, it came {rhythm_in_words(feed.rhythm)}" if feed.rhythm is not None else ""
    return Health(
        kind="silent",
        words=f"answers, but its newest entry is {spoken(now - last)} old ({day(last)}){habit}",
        advice=f"Look at {feed.site_url or feed.address}: if there is news, its feed has moved or broken "
        "(`digest feeds discover`); if there is none, you may take it out.",
    )


def _moved(url: str, address: str, words: str) -> Health:
    return Health(
        kind="moved",
        words=words,
        advice=f"Write {address} instead of {url} in config.yaml: old addresses end one day.",
    )


# ---------------------------------------------------------------- time in words


def spoken(span: timedelta) -> str:
    """`3 hours`, `8 months`: one number is enough."""
    for unit, name in (
        (365 * DAY, "year"),
        (30 * DAY, "month"),
        (DAY, "day"),
        (HOUR, "hour"),
        (MINUTE, "minute"),
    ):
        if span >= 2 * unit or (span >= unit and name != "month"):
            count = int(span / unit)
            return f"{count} {name}{'s' if count > 1 else ''}"
    return "a moment"


def ago(span: timedelta) -> str:
    return "just now" if span < MINUTE else f"{spoken(span)} ago"


def until(span: timedelta) -> str:
    return "now" if span < MINUTE else f"in {spoken(span)}"


def day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def rhythm_in_words(rhythm: timedelta | None) -> str:
    """How often it publishes: `about 3 times a day`, `weekly`."""
    if rhythm is None:
        return "at times unknown"
    if rhythm < 40 * MINUTE:
        return "several times an hour"
    if rhythm < 90 * MINUTE:
        return "hourly"
    if rhythm < 18 * HOUR:
        return f"about {max(2, round(DAY / rhythm))} times a day"
    for most, unit, once, several in (
        (5 * DAY, DAY, "daily", "every {} days"),
        (25 * DAY, 7 * DAY, "weekly", "every {} weeks"),
        (300 * DAY, 30 * DAY, "monthly", "every {} months"),
    ):
        if rhythm < most:
            count = round(rhythm / unit)
            return several.format(count) if count > 1 else once
    return "once a year or less"

"""What the headers and the status of an answer mean for us. Pure; asking is the business of `net`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from digest.model import FeedError

LONGEST_WAIT = timedelta(days=1)
LONGEST_AGE = timedelta(days=365)
LONGEST_VALIDATOR = 2_000


def refusal(status: int, host: str, wished: str | None, now: datetime) -> FeedError:
    """What to tell the admin about an answer that is no feed. wished: its Retry-After."""
    wait = retry_after(wished, now)
    again = f"; it asks us to wait {_spoken(wait)}" if wait else ""
    if status == 410:
        return FeedError(
            f"{host} says that this feed is gone for good (410): look for its new address or take it out",
            permanent=True,
        )
    if status in (400, 404, 405, 414):
        text = (
            f"there is no feed at this address on {host} ({status}): check the url, "
            "or try `digest feeds discover`"
        )
    elif status in (401, 407):
        text = f"{host} asks for a name and a password ({status})"
    elif status in (403, 406, 451):
        text = f"{host} does not let us read this ({status}): its publisher must allow feed readers"
    elif status == 429:
        text = f"{host} says that we ask too often (429){again}"
    elif status == 304:
        text = f"{host} says that nothing has changed (304), though we never read it"
    elif status >= 500:
        text = f"{host} has a fault of its own ({status}){again}; we try again later"
    else:
        text = f"{host} gave an answer that we cannot use ({status}){again}"
    return FeedError(text, retry_after=wait)


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Both forms of RFC 9110 10.2.3, seconds and a date; a day at most. None when there is none that says
    something."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdecimal():
        return min(timedelta(seconds=int(value[:9])), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta(0)), LONGEST_WAIT)


def max_age(cache_control: str) -> timedelta | None:
    found = re.search(r'(?:^|[\s,])max-age\s*=\s*"?(\d{1,9})', cache_control, re.IGNORECASE)
    if found is None or re.search(r"(?:^|[\s,])no-(?:cache|store)\b", cache_control, re.IGNORECASE):
        return None
    return min(timedelta(seconds=int(found[1])), LONGEST_AGE)


def validator(value: str | None) -> str | None:
    """Verbatim, or not at all: one that we could not send back, or store, is none."""
    if value is None or not 0 < len(value) <= LONGEST_VALIDATOR or not value.isprintable():
        return None
    return value


def printable(value: str) -> str:
    return "".join(character for character in value if character.isprintable())[:200]


def _spoken(wait: timedelta) -> str:
    seconds = int(wait.total_seconds())
    if seconds < 120:
        return f"{seconds} seconds"
    if seconds < 7200:
        return f"{seconds // 60} minutes"
    return f"{seconds // 3600} hours"

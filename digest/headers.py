"""What the headers and the status of an answer mean for us. Pure; asking is the business of `net`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from digest.model import FeedError

LONGEST_WAIT = timedelta(days=1)
LONGEST_AGE = timedelta(days=365)
LONGEST_VALIDATOR = 2_000

_DIRECTIVE = re.compile(r'([^\s,;=]+)(?:\s*=\s*("[^"]*"|[^\s,;]*))?')


def refusal(status: int, host: str, wished: str | None, now: datetime) -> FeedError:
    """What to tell the admin about an answer that is no feed. wished: its Retry-After."""
    wait = retry_after(wished, now)
    again = f"; it asks us to wait {spoken(wait)}" if wait else ""
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
    elif status in (204, 205, 206):
        text = f"{host} sends nothing, or only a part, where a feed should be ({status})"
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
    moment = http_date(value)
    return None if moment is None else min(max(moment - now, timedelta(0)), LONGEST_WAIT)


def freshness(
    cache_control: str,
    *,
    expires: str | None = None,
    date: str | None = None,
    age: str | None = None,
    now: datetime,
) -> timedelta | None:
    """For how long the answer stays fresh to us, a private cache (RFC 9111 4.2.1); None when it says nothing
    of it, or nonsense, or forbids to keep it."""
    if not cache_control and not expires:
        return None
    said: dict[str, str] = {}
    for found in _DIRECTIVE.finditer(cache_control[:LONGEST_VALIDATOR]):
        said.setdefault(found[1].lower(), (found[2] or "").strip('"').strip())  # of two, the first
    if "no-store" in said or said.get("no-cache") == "":  # no-cache="field" is about that field only
        return None
    if "max-age" in said:
        fresh = _seconds(said["max-age"])
    else:
        end = http_date(expires)
        fresh = None if end is None else end - (http_date(date) or now)
    if fresh is None:
        return None
    left = min(fresh, LONGEST_AGE) - (_seconds((age or "").partition(",")[0].strip()) or timedelta(0))
    return left if left > timedelta(0) else None


def _seconds(text: str) -> timedelta | None:
    if not (text.isascii() and text.isdecimal()):
        return None
    return timedelta(seconds=int(text)) if len(text) < 10 else LONGEST_AGE  # RFC 9111 1.2.2: or more


def http_date(value: str | None) -> datetime | None:
    """Each of the three forms of RFC 9110 5.6.7, and what else mail programs would read."""
    if not value or len(value) > 100:
        return None
    try:
        moment = parsedate_to_datetime(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def validator(value: str | None) -> str | None:
    """Verbatim, or not at all: one that we could not send back, or store, is none."""
    if value is None or not 0 < len(value) <= LONGEST_VALIDATOR or not value.isprintable():
        return None
    return value


def printable(value: str) -> str:
    if value.isprintable():
        return value[:200]
    return "".join(character for character in value if character.isprintable())[:200]


def spoken(wait: timedelta) -> str:
    seconds = int(wait.total_seconds())
    if seconds < 120:
        return f"{seconds} seconds"
    if seconds < 7200:
        return f"{seconds // 60} minutes"
    return f"{seconds // 3600} hours"

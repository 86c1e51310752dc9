"""How often a document asks to be read: `<ttl>`, the syndication module, skipped hours and days. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from html import unescape

from digest.model import Wishes

LONGEST = timedelta(days=7)

_PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_SKIP = re.compile(r"<(?:[\w.-]{1,20}:)?skip(hours|days)\b[^<>]{0,200}>")
_VALUE = re.compile(r"<(?:[\w.-]{1,20}:)?(hour|day)\b[^<>]{0,200}>(?:\s|<!\[cdata\[)*([^<>\]]{1,40})")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_MOST_LISTS = 5
_LONGEST_LIST = 5_000


def wishes(
    ttl: object, period: object, frequency: object, hours: Iterable[str], days: Iterable[str]
) -> Wishes:
    asked = [each for each in (minutes(ttl), updates(period, frequency)) if each is not None]
    return Wishes(every=max(asked, default=None), skip_hours=_hours(hours), skip_days=_days(days))


def minutes(ttl: object) -> timedelta | None:
    count = _number(ttl)
    return min(timedelta(minutes=count), LONGEST) if count else None


def updates(period: object, frequency: object) -> timedelta | None:
    """RSS 1.0 syndication module: so many times in a period; a day and once are its defaults."""
    name = period.strip().lower() if isinstance(period, str) else ""
    often = _number(frequency)
    if name not in _PERIODS and (name or not often):
        return None
    return min(_PERIODS[name or "daily"] / (often or 1), LONGEST)


def skipped(document: str) -> tuple[list[str], list[str]]:
    """(hours, days) named in the lists of a document, outside of its entries. feedparser keeps only the last
    of each list, so we read them from the text."""
    text = document.lower()
    found: dict[str, list[str]] = {"hour": [], "day": []}
    if "skiphours" not in text and "skipdays" not in text:
        return [], []
    for number, start in enumerate(_SKIP.finditer(text)):
        if number == _MOST_LISTS:
            break
        before = text[: start.start()]
        if max(before.rfind("<item"), before.rfind("<entry")) > max(
            before.rfind("</item"), before.rfind("</entry")
        ):
            continue
        part = text[start.end() : start.end() + _LONGEST_LIST].partition(f"skip{start[1]}")[0]
        part = _COMMENT.sub("", part)
        for kind, value in _VALUE.findall(part):
            if f"{kind}s" == start[1]:
                found[kind].append(unescape(value))
    return found["hour"], found["day"]


def _hours(texts: Iterable[str]) -> tuple[int, ...]:
    """0 to 23; 24 is midnight, as RSS 0.91 counted. All of them, or none, say nothing."""
    numbers = {int(text) % 24 for each in texts if _is_hour(text := each.strip())}
    return tuple(sorted(numbers)) if len(numbers) < 24 else ()


def _is_hour(text: str) -> bool:
    return len(text) <= 2 and text.isascii() and text.isdecimal() and int(text) <= 24


def _days(texts: Iterable[str]) -> tuple[int, ...]:
    names = {each.strip().lower()[:3] for each in texts}
    numbers = tuple(number for number, name in enumerate(_DAYS) if name in names)
    return numbers if len(numbers) < 7 else ()


def _number(value: object) -> int:
    """0 for what is no number."""
    text = value.strip() if isinstance(value, str) else ""
    return int(text[:7]) if text.isascii() and text.isdecimal() else 0

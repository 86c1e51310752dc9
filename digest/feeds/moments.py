"""When something was published: the two forms in which nearly all feeds write their dates. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}

# RFC 822 as feeds use it, with years of four digits: `Sat, 01 Nov 2026 08:00:00 +0100`.
_MAIL = re.compile(
    r"(?:[A-Za-z]{3,9},?\s+)?(\d{1,2})\s+([A-Za-z]{3,9})\s+(\d{4})\s+(\d{1,2}):(\d\d)(?::(\d\d))?"
    r"\s+((?i:GMT|UTC|UT|Z|[+-]\d\d:?\d\d|[ECMP][SD]T))"
)
# RFC 3339: `2026-11-01T08:00:00.5+01:00`; a zone may be missing, and then means UTC.
_NET = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(?:[Zz]|([+-])(\d\d):(\d\d))?"
)
_DAYS = frozenset(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
_GREENWICH = frozenset(("+0000", "GMT"))  # as most are written
_AMERICAN = {"e": -5, "c": -6, "m": -7, "p": -8}


def moment(text: str) -> datetime | None:
    """Aware UTC; None when this is none of the ordinary forms."""
    found = _MAIL.fullmatch(text)
    try:
        return _mail(found) if found else _net(text)
    except (ValueError, OverflowError):
        return None


def _mail(found: re.Match[str]) -> datetime | None:
    day, month, year, hour, minute, second, zone = found.groups()
    first = found[0][:3].lower()
    number = _MONTHS.get(month[:3].lower())
    if number is None or (first.isalpha() and first not in _DAYS):
        return None
    when = datetime(int(year), number, int(day), int(hour), int(minute), int(second or 0), tzinfo=UTC)
    return when if zone in _GREENWICH else when - _offset(zone.lower())


def _offset(zone: str) -> timedelta:
    if zone[0] in "+-":
        size = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        return -size if zone[0] == "-" else size
    if len(zone) == 3 and zone[0] in _AMERICAN and zone.endswith(("st", "dt")):
        return timedelta(hours=_AMERICAN[zone[0]] + (zone[1] == "d"))
    return timedelta(0)


def _net(text: str) -> datetime | None:
    found = _NET.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, sign, hours, minutes = found.groups()
    when = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=UTC)
    if sign is None:
        return when
    size = timedelta(hours=int(hours), minutes=int(minutes))
    return when + size if sign == "-" else when - size

"""What CLDR knows of a language: which way it runs, its dates and times, the names of days, zones, tongues.

Pure. It has no sentences of ours; those stand in the catalogues (`translations`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.dates import format_date, format_skeleton, format_time
from babel.lists import format_list

_RTL_SCRIPTS = frozenset(("adlm", "arab", "hebr", "mand", "mend", "nkoo", "rohg", "samr", "syrc", "thaa"))


@lru_cache(maxsize=256)
def _locale(language: str) -> Locale:
    """The CLDR locale of a language tag, as exact as it is known; English for what nobody knows."""
    parts = language.replace("_", "-").split("-")
    for count in range(len(parts), 0, -1):
        try:
            return Locale.parse("-".join(parts[:count]), sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


def direction(language: str) -> str:
    """`rtl` or `ltr`; a script in the tag decides, then the language."""
    scripts = [part for part in language.replace("_", "-").lower().split("-")[1:] if len(part) == 4]
    if scripts and scripts[0].isalpha():
        return "rtl" if scripts[0] in _RTL_SCRIPTS else "ltr"
    return str(_locale(language).text_direction)


def leaning(text: str, language: str) -> str:
    """`rtl` or `ltr`: which way a name runs, by its first letter; that of the language if it has none."""
    for character in text:
        if (kind := unicodedata.bidirectional(character)) in ("L", "R", "AL"):
            return "ltr" if kind == "L" else "rtl"
    return direction(language)


def own_name(language: str) -> str:
    """What a language calls itself, fit for the beginning of a line: “Deutsch”, “Français”."""
    name = _locale(language).get_display_name() or language
    return name[:1].upper() + name[1:]


def listed(names: Sequence[str], language: str) -> str:
    """“Mondays, Tuesdays and Fridays”."""
    return str(format_list(names, locale=_locale(language)))


# ---------------------------------------------------------------- dates and times

_DAYS = {"day": "MMMd", "long_day": "MMMMd", "month": "yMMMM"}


def local_date(value: date, language: str, zone: str | None = None, style: str = "full") -> str:
    """A date; a datetime is seen in `zone` first. style: full, long, medium, short; day and long_day have no
    year; month has no day."""
    value = _local(value, zone)
    locale = _locale(language)
    if style in _DAYS:
        midday = datetime.combine(value, time(12), UTC)  # babel wants a moment; a day has none
        return _plain_spaces(format_skeleton(_DAYS[style], midday, locale=locale))
    return _plain_spaces(format_date(value, style, locale=locale))


def local_time(value: datetime, language: str, zone: str) -> str:
    """The time of day as the language writes it."""
    return clock_time(value.astimezone(ZoneInfo(zone)).time(), language)


def clock_time(value: time, language: str) -> str:
    """A time of day on the wall: “7:00 AM”, “07:00”."""
    return _plain_spaces(format_time(value, "short", locale=_locale(language)))


def when(value: datetime, language: str, zone: str) -> str:
    """Day and time, put together as the language does and never broken: “Nov 22, 8:10 AM”."""
    glue = str(_locale(language).datetime_formats["medium"])
    day, clock = local_date(value, language, zone, "day"), local_time(value, language, zone)
    return glue.replace("'", "").replace("{1}", day).replace("{0}", clock).replace(" ", "\u00a0")


@lru_cache(maxsize=8192)
def zone_place(zone: str, language: str) -> str:
    """The place that a zone is named after: “Berlin”, “برلين”; as in its own name where CLDR has none."""
    known, aliases = _locale(language).time_zones, get_global("zone_aliases")
    names = (zone, aliases.get(zone, zone), *(old for old, new in aliases.items() if new == zone))
    for name in names:  # CLDR files the place under the name that the zone had first
        if place := known.get(name, {}).get("city"):
            return str(place)
    return zone.rpartition("/")[2].replace("_", " ")


@lru_cache(maxsize=64)
def zone_menu(language: str) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """All zones that are named after a place, by region: (region, ((zone, place), …)), sorted by place.

    The region is the first part of the names: `Africa`, … Zones that are only other names are left out.
    """
    regions: dict[str, list[tuple[str, str]]] = {}
    for zone in get_global("zone_territories"):
        region, _, rest = zone.partition("/")
        if rest and region != "Etc" and zone not in get_global("zone_aliases"):
            regions.setdefault(region, []).append((zone, zone_place(zone, language)))
    return tuple(
        (region, tuple(sorted(zones, key=lambda one: _sorted_as(one[1]))))
        for region, zones in sorted(regions.items())
    )


@lru_cache(maxsize=8192)
def is_placed(zone: str) -> bool:
    """Whether a zone stands in `zone_menu`."""
    return any(zone == each for _, zones in zone_menu("en") for each, _ in zones)


def _sorted_as(text: str) -> str:
    """“Älmhult” beside “Alma”."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(each for each in plain if not unicodedata.combining(each)).casefold()


def day_name(day: int, language: str) -> str:
    """0 is “Monday”."""
    return str(_locale(language).days["stand-alone"]["wide"][day])


def _local(value: date, zone: str | None) -> date:
    if isinstance(value, datetime) and zone is not None:
        return value.astimezone(ZoneInfo(zone)).date()
    return value


def _plain_spaces(text: str) -> str:
    """CLDR joins “8:10” and “AM” with a narrow space that many mail fonts lack."""
    return text.replace("\u202f", "\u00a0")

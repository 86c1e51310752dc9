"""So many letters in a time: how it is written, and how it is counted by everybody together.

Pure. A window is counted in twelve cells of time, and no thirteen cells in a row hold more than it allows: so
no stretch of time as long as the window does, wherever it begins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_RATE = re.compile(r"(\d{1,9})\s*/\s*(s|m|h|d)", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_CELLS = 12
_LARGEST_BLOCK = 500
_LONGEST_AGAIN = 600.0
DAY = 86400


@dataclass(frozen=True, slots=True, order=True)
class Rate:
    """At most so many letters in any so many seconds."""

    seconds: int
    letters: int

    @classmethod
    def of(cls, text: str) -> Rate:
        """`50/s`, `90/m`. Raises ValueError."""
        found = _RATE.fullmatch(text.strip())
        if not found or int(found[1]) == 0:
            raise ValueError(f"rate must be a number of letters per s, m, h or d, such as 50/s, not {text!r}")
        return cls(_UNITS[found[2]], int(found[1]))

    @property
    def per_second(self) -> float:
        return self.letters / self.seconds

    def shared(self) -> Rate:
        """As it is counted over all processes: by the second would be one trip to the database a letter."""
        return Rate(60, self.letters * 60) if self.seconds < 60 else self


Rates = str | tuple[str, ...] | None
"""As the settings have them."""


def rates(given: Rates) -> tuple[Rate, ...]:
    """Each of them, the shortest time first. Raises ValueError."""
    texts = () if given is None else (given,) if isinstance(given, str) else given
    found = tuple(sorted(map(Rate.of, texts)))
    if len({rate.seconds for rate in found}) < len(found):
        raise ValueError("rate says two numbers for the same time")
    return found


def pace(given: Rates) -> float | None:
    """Letters a second, evenly: by the rates for a second or a minute. None: as fast as it goes."""
    return min((rate.per_second for rate in rates(given) if rate.seconds <= 60), default=None)


# ---------------------------------------------------------------- what is counted together


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One count that all processes share, at one moment.

    name: of the count. cell: the part of time we are in. since: the first cell that still matters. limit:
    letters in all of them. until: when this cell ends, in seconds since 1970. block: how many are drawn at
    once. again: seconds, after which it is worth asking an exhausted one once more; others may have given
    back.
    """

    name: str
    cell: int
    since: int
    limit: int
    until: float
    block: int
    again: float


def sliding(name: str, rate: Rate, now: float) -> Window:
    """The window of a rate that ends now."""
    rate = rate.shared()
    length = rate.seconds / _CELLS
    cell = int(now // length)
    return Window(
        name=f"{name} {rate.seconds}s",
        cell=cell,
        since=cell - _CELLS,
        limit=rate.letters,
        until=(cell + 1) * length,
        block=block_of(rate.letters),
        again=min(length / 2, _LONGEST_AGAIN),
    )


def daily(name: str, day: int, began: float, limit: int) -> Window:
    """Day number `day`, from 0, of days that began at `began`."""
    return Window(
        name=name,
        cell=day,
        since=day,
        limit=limit,
        until=began + (day + 1) * DAY,
        block=block_of(limit),
        again=_LONGEST_AGAIN,
    )


def block_of(limit: int) -> int:
    """A twentieth: few trips to the database, and not much that lies about unused."""
    return max(1, min(limit // 20, _LARGEST_BLOCK))

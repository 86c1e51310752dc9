"""One mail server as the admin describes it, and the pace that it asks for."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

Security = Literal["starttls", "tls", "none"]

_PORTS: dict[str, int] = {"starttls": 587, "tls": 465, "none": 25}
_RATE = re.compile(r"(\d{1,9})\s*/\s*(s|m|h|d)", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """One SMTP server, from `email.smtp`.

    host: its name or address.
    port: by default 587, 465 or 25, as `security` says.
    security: `starttls` (encrypted before anything is said), `tls` (encrypted from the start) or `none`.
    username: whom to log in as; leave it out where no login is asked for.
    password: best given as "${SMTP_PASSWORD}" or `!file`.
    connections: how many conversations at once, at most.
    messages: letters on one connection, at most; then a new one is opened. 0: as many as the server takes.
    rate: letters in a time, at most, such as `50/s`, `600/m`, `9000/h` or `5000/d`.
    timeout: for connecting and for each answer but the last, which is waited for ten minutes.
    ehlo: the name to greet with; by default the domain of `from`.
    ca: file of certificates to trust besides the system's, for a server of your own.
    """

    host: str
    port: int | None = None
    security: Security = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False, metadata={"secret": True})
    connections: int = 4
    messages: int = 0
    rate: str | None = None
    timeout: timedelta = timedelta(seconds=60)
    ehlo: str | None = None
    ca: Path | None = None

    def __post_init__(self) -> None:
        if not self.host.strip() or any(character.isspace() for character in self.host):
            raise ValueError("host must be a name or an address without spaces")
        if self.security not in _PORTS:
            raise ValueError(f"security must be starttls, tls or none, not {self.security!r}")
        if self.port is not None and not 0 < self.port < 65536:
            raise ValueError(f"port must be between 1 and 65535, not {self.port}")
        if not 1 <= self.connections <= 1000:
            raise ValueError(f"connections must be between 1 and 1000, not {self.connections}")
        if self.messages < 0:
            raise ValueError(f"messages must not be below 0, not {self.messages}")
        if self.timeout <= timedelta(0):
            raise ValueError("timeout must be longer than nothing")
        if self.ehlo is not None and not re.fullmatch(r"[!-~]+", self.ehlo):
            raise ValueError("ehlo must be a host name: ASCII, without spaces")
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together: give both or neither")
        if self.rate is not None:
            per_second(self.rate)

    @property
    def name(self) -> str:
        """How the ledger and error texts call it."""
        return f"{self.host}:{self.door}"

    @property
    def door(self) -> int:
        """The port that is used."""
        return self.port or _PORTS[self.security]


def per_second(rate: str) -> float:
    """`50/s` → 50.0, `90/m` → 1.5. Raises ValueError."""
    found = _RATE.fullmatch(rate.strip())
    if not found or int(found[1]) == 0:
        raise ValueError(f"rate must be a number of letters per s, m, h or d, such as 50/s, not {rate!r}")
    return int(found[1]) / _UNITS[found[2]]


class Pace:
    """A token bucket. Callers leave in the order they came; up to a tenth of a second may be caught up."""

    def __init__(
        self, rate: str | None, *, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._speed = None if rate is None else per_second(rate)
        self._clock = clock
        self._sleep = sleep
        self._depth = 1.0 if self._speed is None else max(1.0, self._speed / 10)
        self._tokens = self._depth
        self._seen = clock()

    def take(self) -> float:
        """Leave now, if one may: 0. Otherwise the seconds until then, and no place was taken."""
        if self._speed is None:
            return 0.0
        now = self._clock()
        self._tokens = min(self._depth, self._tokens + (now - self._seen) * self._speed)
        self._seen = now
        if self._tokens < 1 - 1e-9:  # what is left of a wait by rounding
            return (1 - self._tokens) / self._speed
        self._tokens -= 1
        return 0.0

    async def wait(self) -> None:
        if self._speed is None:
            return
        now = self._clock()
        self._tokens = min(self._depth, self._tokens + (now - self._seen) * self._speed) - 1
        self._seen = now
        if self._tokens < 0:
            await self._sleep(-self._tokens / self._speed)

"""One mail server as the admin describes it, and the pace that it asks for."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from digest.publishers import rates

Security = Literal["starttls", "tls", "none"]
Auth = Literal["auto", "plain", "login", "cram-md5", "xoauth2"]

EVERY_OTHER = "*"

_PORTS: dict[str, int] = {"starttls": 587, "tls": 465, "none": 25}
_AUTHS = ("auto", "plain", "login", "cram-md5", "xoauth2")
_DOMAIN = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+", re.ASCII)
_PIN = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MOST = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainLimit:
    """How much the servers of one domain are given.

    connections: letters to it that are under way at once in each process, at most.
    rate: letters to it in a time, at most, such as `20/m`, or a list of such limits; all processes together.
    """

    connections: int | None = None
    rate: rates.Rates = None

    def __post_init__(self) -> None:
        if self.connections is None and self.rate is None:
            raise ValueError("a domain's limit says connections, rate, or both")
        if self.connections is not None and not 1 <= self.connections <= 1000:
            raise ValueError(f"connections must be between 1 and 1000, not {self.connections}")
        rates.rates(self.rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """How a server that nobody knows yet becomes known, day by day.

    start: letters on the first day.
    factor: how many times as many on each day as on the one before.
    more: how many more on each day, besides.
    days: after so many days there is no such limit any more.
    """

    start: int
    factor: float = 1.5
    more: int = 0
    days: int = 30

    def __post_init__(self) -> None:
        if not 1 <= self.start <= _MOST:
            raise ValueError(f"start must be at least 1, not {self.start}")
        if not 1 <= self.factor <= 10:
            raise ValueError(f"factor must be between 1 and 10, not {self.factor:g}")
        if not 0 <= self.more <= _MOST:
            raise ValueError(f"more must not be below 0, not {self.more}")
        if not 1 <= self.days <= 365:
            raise ValueError(f"days must be between 1 and 365, not {self.days}")

    def plan(self) -> tuple[int, ...]:
        """Letters on each day."""
        found, letters = [], float(self.start)
        for _ in range(self.days):
            found.append(int(letters))
            letters = min(letters * self.factor + self.more, _MOST)
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """One SMTP server, from `email.smtp`.

    host: its name or address.
    port: by default 587, 465 or 25, as `security` says.
    security: `starttls` (encrypted before anything is said), `tls` (encrypted from the start) or `none`.
    username: whom to log in as; leave it out where no login is asked for.
    password: best given as "${SMTP_PASSWORD}" or `!file`; with `auth` `xoauth2` it is the access token.
    password_file: a file to read it from at each login, for one that changes, such as an access token.
    password_command: a program and its arguments that prints it, run at each login.
    auth: how to log in; `auto` is the best of CRAM-MD5, PLAIN and LOGIN that the server offers.
    connections: how many conversations at once, at most, in each process.
    messages: letters on one connection, at most; then a new one is opened. 0: as many as the server takes.
    rate: letters in a time, at most, such as `50/s`, `600/m`, `9000/h` or `5000/d`, or a list of such limits;
    all processes together.
    priority: lower ones are used first; by default its place in the list, so that a later one is used while
    those before it are down.
    weight: its share of the letters among the servers of the same priority.
    domains: limits for letters to single domains, by the domain; `"*"` is for each one that is not named.
    warm_up: so many letters on the first day and so many more on each one after, or a list of the letters of
    each day; days are counted from the first letter that went through it.
    timeout: for connecting and for each answer but the last, which is waited for ten minutes.
    ehlo: the name to greet with; by default the domain of `from`.
    ca: file of certificates to trust besides the system's, for a server of your own.
    cert: file of our own certificate, for a server that asks for one.
    key: file of its private key, without a password; by default it is in `cert`, too.
    pin: SHA-256 of the server's certificate or of its public key, in hexadecimal, or a list of them; with
    another certificate nothing is said to it, whoever has signed that.
    """

    host: str
    port: int | None = None
    security: Security = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False, metadata={"secret": True})
    password_file: Path | None = None
    password_command: tuple[str, ...] = ()
    auth: Auth = "auto"
    connections: int = 4
    messages: int = 0
    rate: rates.Rates = None
    priority: int | None = None
    weight: float = 1.0
    domains: Mapping[str, DomainLimit] = field(default_factory=dict)
    warm_up: WarmUp | tuple[int, ...] | None = None
    timeout: timedelta = timedelta(seconds=60)
    ehlo: str | None = None
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    pin: str | tuple[str, ...] = ()

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
        self._check_login()
        self._check_certificates()
        self._check_limits()

    def _check_login(self) -> None:
        ways = (self.password is not None, self.password_file is not None, bool(self.password_command))
        if sum(ways) > 1:
            raise ValueError("password, password_file and password_command: give one of them")
        if (self.username is None) == any(ways):
            raise ValueError("username and password belong together: give both or neither")
        if self.auth not in _AUTHS:
            raise ValueError(f"auth must be one of {', '.join(_AUTHS)}, not {self.auth!r}")
        if self.auth != "auto" and self.username is None:
            raise ValueError(f"auth is {self.auth}, but there is no username")
        if self.auth == "xoauth2" and self.security == "none":
            raise ValueError("auth is xoauth2, and security none; everybody could read the token")

    def _check_certificates(self) -> None:
        if self.key is not None and self.cert is None:
            raise ValueError("key is the key of cert, and there is no cert")
        if self.security == "none" and (self.cert is not None or self.pins):
            raise ValueError("security is none: there is no certificate to show or to pin")
        for pin in self.pins:
            if not _PIN.fullmatch(pin):
                raise ValueError("pin must be a SHA-256 in hexadecimal: 64 of 0-9 and a-f")

    def _check_limits(self) -> None:
        rates.rates(self.rate)
        if self.messages < 0:
            raise ValueError(f"messages must not be below 0, not {self.messages}")
        if not 0 < self.weight <= 1000:
            raise ValueError(f"weight must be more than 0, at most 1000, not {self.weight:g}")
        for domain in self.domains:
            if domain != EVERY_OTHER and not _DOMAIN.fullmatch(domain):
                raise ValueError(
                    f'domains: {domain!r} is no domain in small letters, such as gmail.com, nor "*"'
                )
        if isinstance(self.warm_up, tuple) and not all(0 < letters <= _MOST for letters in self.warm_up):
            raise ValueError("warm_up must be letters for each day, at least 1")

    @property
    def pins(self) -> frozenset[str]:
        """In small letters, without colons."""
        given = (self.pin,) if isinstance(self.pin, str) else self.pin
        return frozenset(pin.replace(":", "").lower() for pin in given)

    @property
    def warm_up_plan(self) -> tuple[int, ...]:
        """Letters on each day since the first; after the last day there is no limit."""
        if isinstance(self.warm_up, WarmUp):
            return self.warm_up.plan()
        return self.warm_up or ()

    def limit_for(self, domain: str) -> DomainLimit | None:
        """What holds for letters to this domain, in small letters; None: nothing of its own."""
        return self.domains.get(domain) or self.domains.get(EVERY_OTHER)

    @property
    def name(self) -> str:
        """How the ledger and error texts call it."""
        return f"{self.host}:{self.door}"

    @property
    def account(self) -> str:
        """What its letters are counted under: servers count by who has logged in."""
        return self.name if self.username is None else f"{self.username} at {self.name}"

    @property
    def door(self) -> int:
        """The port that is used."""
        return self.port or _PORTS[self.security]


class Pace:
    """A token bucket, for the rates of a second or a minute; those of longer times are counted together.

    Callers leave in the order they came; up to a tenth of a second may be caught up.
    """

    def __init__(
        self, rate: rates.Rates, *, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._speed = rates.pace(rate)
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

"""How many sign-ups are taken, and how quickly a form may be filled: what a flood meets first.

The counts are in the store, for all processes and restarts. What is used up is also remembered here until its
cell of time ends, so that a flood asks the database nothing more and fills no log.
"""

from __future__ import annotations

import hmac
import logging
import re
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address

from starlette.requests import Request

from digest.store.signups import Allowance, Refused
from digest.web.lent import SignupLimits, WebLent
from digest.web.security import client_ip, network_hash, places_of

log = logging.getLogger(__name__)

MOST = 10_000  # places remembered at a time
OPENED = "@opened@"
"""Where a page with the form says when it was opened; filled in after its ETag is made."""

_STAMP = re.compile(r"([0-9]{1,15})\.([0-9a-f]{24})", re.ASCII)
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def allowances(
    limits: SignupLimits, address: IPv4Address | IPv6Address | None, key: bytes
) -> tuple[Allowance, ...]:
    """What one sign-up is counted by. The store learns no address."""
    narrow, wide = places_of(address)
    return (
        Allowance(_named(key, "address", narrow), limits.per_address),
        Allowance(_named(key, "network", wide), limits.per_network),
        Allowance("signup total", limits.in_total),
    )


def _named(key: bytes, kind: str, place: str) -> str:
    return f"signup {kind} " + hmac.digest(key, f"{kind} {place}".encode(), "sha256").hex()[:24]


class Gate:
    """What is used up at the moment. One for all requests of a process."""

    def __init__(self) -> None:
        self._shut: dict[str, datetime] = {}

    def is_shut(self, asked: tuple[Allowance, ...], now: datetime) -> bool:
        """Whether one of them is known to be used up."""
        return any(now < self._shut.get(one.name, _EPOCH) for one in asked)

    def shut(self, refused: Refused, now: datetime) -> None:
        """Do not ask again before then."""
        self._remember(refused.name, refused.until, now)

    def is_news(self, what: str, now: datetime, every: timedelta = timedelta(minutes=10)) -> bool:
        """Whether this is worth a line in the log: it was not within this time."""
        if now < self._shut.get(what, _EPOCH):
            return False
        self._remember(what, now + every, now)
        return True

    def _remember(self, name: str, until: datetime, now: datetime) -> None:
        if len(self._shut) >= MOST:
            self._shut = {name: end for name, end in self._shut.items() if end > now}
            while len(self._shut) >= MOST:
                del self._shut[next(iter(self._shut))]
        self._shut[name] = until


async def sign_up(
    gate: Gate, lent: WebLent, request: Request, newsletter: str, address: str, form: str
) -> bool:
    """Write down that somebody asked for a newsletter; it is looked at later. form: what was shown to them.
    False: not taken, as more came from there than may; the log says so once."""
    client, now = client_ip(request, lent.trusted_proxies), lent.clock()
    asked = allowances(lent.signup, client, lent.ip_key)
    if gate.is_shut(asked, now):
        return False
    evidence = {"form": form, "ip": network_hash(client, lent.ip_key)}
    refused = await lent.store.signups.take(newsletter, address, evidence=evidence, allowances=asked, now=now)
    if refused is None:
        log.info("sign-up received", extra={"newsletter": newsletter})
        return True
    gate.shut(refused, now)
    if refused.first:
        kind = refused.name.split()[1]
        log.warning("sign-ups limited", extra={"count": kind, "until": refused.until.isoformat()})
    return False


# ---------------------------------------------------------------- the time it takes to fill a form


def stamp(now: datetime, key: bytes) -> str:
    """When a page was opened, signed; it is bound to nobody, so that the page may be kept by everybody."""
    at = (now - _EPOCH) // _MILLISECOND
    return f"{at}.{_signature(at, key)}"


def was_quick(text: str, now: datetime, key: bytes, fill_time: timedelta) -> bool:
    """Whether the form was sent sooner than a person can. What is no stamp of ours says nothing: scripts that
    only send an address have always been welcome, and the counts hold for them, too."""
    found = _STAMP.fullmatch(text)
    if found is None or not hmac.compare_digest(found[2], _signature(int(found[1]), key)):
        return False
    return now - _EPOCH < int(found[1]) * _MILLISECOND + fill_time


def checked(text: str) -> str:
    """The stamp, if it looks like one: it is written into a page again."""
    return text if _STAMP.fullmatch(text) else ""


def _signature(at: int, key: bytes) -> str:
    return hmac.digest(key, f"opened {at}".encode(), "sha256").hex()[:24]

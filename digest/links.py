"""Every address that leaves the house: pages, feeds, tokens in letters, Message-IDs and the ids in feeds.

A token says only which subscription and what for. Whoever holds the secret can make one; nobody else can make
or change one, and a token for one purpose is worth nothing for another. Tokens are never logged.

A secret is rotated by putting a new one before it: the first one signs, all of them verify, and the key id in
a token says which. To read a forged token costs one HMAC and no question to the database.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, get_args

from digest.keyed import Keyed
from digest.model import CONFIRM_MAX_AGE, DigestError, Token

__all__ = ["MAX_AGE", "PURPOSES", "SHORTEST_SECRET", "Links", "Purpose", "Token"]

Purpose = Literal["confirm", "unsubscribe", "preferences", "manage", "address", "undo", "feed"]

PURPOSES = get_args(Purpose)
MAX_AGE: Mapping[str, timedelta] = MappingProxyType(
    {
        "confirm": CONFIRM_MAX_AGE,
        "manage": timedelta(hours=1),
        "address": timedelta(days=1),
        "undo": timedelta(hours=1),
    }
)
"""How long a token is good; the others have no age."""
SHORTEST_SECRET = 16  # bytes; 128 bits, as long as the MAC

# key id 1 byte, subscription 8, issued or number 5 (0: none), MAC 16: thirty bytes are forty characters
# without padding or spare bits, so that one token has exactly one spelling.
_PAYLOAD = 14
_NOT_IN_AUTHORITY = re.compile(r"[^a-z0-9.-]")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses under `base` (no trailing slash), signed with `secret`. Built by `service`.

    former: secrets that are no longer signed with, and still verify; the latest first.
    """

    base: str
    secret: bytes = field(repr=False)
    former: tuple[bytes, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if min(map(len, (self.secret, *self.former))) < SHORTEST_SECRET:
            raise DigestError(
                f"the secret is shorter than {SHORTEST_SECRET} bytes; nothing is signed with it"
            )

    # ------------------------------------------------------------ pages and feeds

    def home(self) -> str:
        return f"{self.base}/"

    def newsletter(self, slug: str) -> str:
        return f"{self.base}/{slug}/"

    def issue(self, path: str) -> str:
        """`path` is the issue's own, stored at its birth: `world/2026-11-22`."""
        return f"{self.base}/{path}/"

    def feed(self, slug: str, form: Literal["atom", "rss", "json"]) -> str:
        return f"{self.base}/{slug}/feed.{form}"

    def feed_archive(self, slug: str, number: int, form: Literal["atom", "rss", "json"]) -> str:
        """An archive document of a newsletter's feed (RFC 5005)."""
        return f"{self.base}/{slug}/feed/{number}.{form}"

    def archive(self, slug: str, year: int | None = None, month: int | None = None) -> str:
        """The issues of a newsletter by year and month."""
        return "".join(
            [
                f"{self.base}/{slug}/archive/",
                f"{year:04d}/" if year is not None else "",
                f"{month:02d}/" if month is not None else "",
            ]
        )

    def search(self, slug: str | None = None) -> str:
        """Where stories are searched for: those of a newsletter, or all."""
        return f"{self.base}/{slug}/search" if slug else f"{self.base}/search"

    def sitemap(self, slug: str | None = None) -> str:
        return f"{self.base}/{slug}/sitemap.xml" if slug else f"{self.base}/sitemap.xml"

    def opml(self) -> str:
        return f"{self.base}/feeds.opml"

    def icon(self, drawing: str) -> str:
        """Where the site's icon is served: its name changes with what it shows."""
        return f"{self.base}{asset('icon', drawing, 'svg')}"

    def subscribe(self, slug: str) -> str:
        return f"{self.base}/{slug}/subscribe"

    def inbox(self) -> str:
        return f"{self.base}/dev/inbox"

    # ------------------------------------------------------------ links of one subscription

    def confirm(self, token: str) -> str:
        return f"{self.base}/confirm/{token}"

    def unsubscribe(self, token: str) -> str:
        return f"{self.base}/unsubscribe/{token}"

    def preferences(self, token: str) -> str:
        return f"{self.base}/preferences/{token}"

    def manage(self, token: str) -> str:
        return f"{self.base}/preferences/manage/{token}"

    def address(self, token: str) -> str:
        return f"{self.base}/preferences/address/{token}"

    def undo(self, token: str) -> str:
        return f"{self.base}/unsubscribe/undo/{token}"

    def private_feed(self, slug: str, token: str, form: Literal["atom", "rss", "json"]) -> str:
        return f"{self.base}/{slug}/private/{token}/feed.{form}"

    def token(
        self,
        purpose: Purpose,
        id: int,  # noqa: A002 - as in every room of the store
        *,
        issued: datetime | None = None,
        number: int = 0,
    ) -> str:
        """Forty URL-safe characters; without `issued` the token has no age. number: bound to this instead of
        a time (of a private feed: what the subscription's links are good with, until it is changed)."""
        bound = number if issued is None else int(issued.timestamp())
        payload = _key_id(self.secret) + id.to_bytes(8, "big") + bound.to_bytes(5, "big")
        return base64.urlsafe_b64encode(payload + _mac(self.secret, purpose, payload)).decode("ascii")

    def read(
        self, token: str, purpose: Purpose, *, now: datetime, max_age: timedelta | None = None
    ) -> int | None:
        """The subscription's id; None if the token is forged, for another purpose, or older than `max_age`
        (by default that of the purpose). A token that carries no time is older than any.
        """
        found = self.opened(token, purpose, now=now, max_age=max_age)
        return None if found is None else found.id

    def opened(
        self, token: str, purpose: Purpose, *, now: datetime, max_age: timedelta | None = None
    ) -> Token | None:
        """All that a token says; None where `read` gives None."""
        if not _TOKEN.fullmatch(token):
            return None
        try:
            raw = base64.urlsafe_b64decode(token)
        except (binascii.Error, ValueError):
            return None
        payload, mac = raw[:_PAYLOAD], raw[_PAYLOAD:]
        if not any(
            hmac.compare_digest(mac, _mac(secret, purpose, payload))
            for secret in (self.secret, *self.former)
            if _key_id(secret) == payload[:1]
        ):
            return None
        found = Token(int.from_bytes(payload[1:9], "big"), int.from_bytes(payload[9:], "big"))
        limit = MAX_AGE.get(purpose) if max_age is None else max_age
        if limit is not None and (found.number == 0 or now - found.issued > limit):
            return None
        return found

    # ------------------------------------------------------------ ids

    def message_id(self, key: str, domain: str) -> str:
        """The Message-ID (RFC 5322 3.6.4) for `key`, one letter to one reader: the same at every retry, also
        when the secret is rotated in between: it is made with the oldest one that is kept."""
        oldest = (self.secret, *self.former)[-1]
        return f"<{_hmac(oldest, 'message-id', key.encode())[:16].hex()}@{domain}>"

    @staticmethod
    def tag(authority: str, day: date, name: str) -> str:
        """A `tag:` URI (RFC 4151): the authority is the host that was ours on that day."""
        return f"tag:{_authority(authority)},{day.isoformat()}:{name}"


# ---------------------------------------------------------------- keys


def _mac(secret: bytes, purpose: str, payload: bytes) -> bytes:
    if purpose not in PURPOSES:
        raise ValueError(f"no such purpose: {purpose!r}")
    return _hmac(secret, f"token {purpose}", payload)[:16]


def _hmac(secret: bytes, use: str, message: bytes) -> bytes:
    """A key of its own for each use, so that what is signed for one can never be read as another."""
    return _keyed(secret, use).digest(message)


def _authority(host: str) -> str:
    """A host as tag URIs take it: in ASCII; an IPv6 address has no form of its own there."""
    with contextlib.suppress(UnicodeError):
        host = host.lower().encode("idna").decode("ascii")
    if ":" in host:
        host = f"ip6.{host.strip('[]').replace(':', '-').strip('-') or '0'}"
    return _NOT_IN_AUTHORITY.sub("-", host).strip("-.") or "localhost"


def asset(name: str, content: str, kind: str) -> str:
    """The path of a file that never changes under its name, so that it may be kept for good."""
    return f"/assets/{name}.{hashlib.sha256(content.encode('utf-8')).hexdigest()[:12]}.{kind}"


@lru_cache(maxsize=16)
def _key_id(secret: bytes) -> bytes:
    """Which secret signed. It gives nothing away."""
    return _keyed(secret, "key id").digest(b"")[:1]


@lru_cache(maxsize=256)
def _keyed(secret: bytes, use: str) -> Keyed:
    """There are a handful of uses."""
    return Keyed(hmac.digest(secret, b"digest links v1 " + use.encode(), "sha256"))

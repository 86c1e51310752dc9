"""What the columns of a list mean, whichever program wrote it, and one person for each record. Pure."""

from __future__ import annotations

import contextlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import NamedTuple

from digest.addresses import LONGEST, AddressError, normalize
from digest.model import DigestError, SubscriptionStatus
from digest.roster import standing
from digest.roster.cells import plain

LONGEST_NOTE = 500
NEVER = datetime(1990, 1, 1, tzinfo=UTC)  # nobody agreed to anything by email before

# In the order in which they are looked for: `address` may be where somebody lives. As `head_of` writes them.
HEADS: Mapping[str, tuple[str, ...]] = {
    "email": ("email", "emailaddress", "mail", "courriel", "correo", "adresseemail", "emailadresse",
              "address"),
    "newsletter": ("newsletter", "list", "listname"),
    **standing.HEADS,
    "confirmed_at": ("confirmedat", "consentdate", "consentat", "confirmtime", "optintime", "optindate",
                     "subscribedat", "consent"),
    "paused_until": ("pauseduntil",),
    "source": ("source", "evidence", "consentsource", "optinsource"),
    "language": ("language", "lang", "locale"),
}  # fmt: skip


class BadLine(DigestError):
    """Nobody can be read from this record."""


class Nobody(BadLine):
    """Nor whose line it is. text: where their address may stand."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(reason)
        self.text = text


class Person(NamedTuple):
    """Somebody on a list. newsletter: "" when the list does not say. status, confirmed_at (when they agreed)
    and note (how, in its words) are what the list says. language: one that we speak, or empty. doubt: why the
    status is `standing.UNKNOWN`."""

    line: int
    address: str
    newsletter: str = ""
    status: str = SubscriptionStatus.ACTIVE.value
    confirmed_at: datetime | None = None
    paused_until: date | None = None
    note: str = ""
    language: str = ""
    doubt: str = ""


class Columns:
    """Which cell is what. `has_heads`: the first record names the columns and is nobody."""

    def __init__(self, first: Sequence[str], named: Mapping[str, str], languages: frozenset[str]) -> None:
        """named: the heads (or numbers, from 1) of columns that the admin names himself, by `HEADS`' keys;
        empty: no column is this. languages: those that we speak. Raises BadLine."""
        heads = [head_of(cell) for cell in first]
        chosen = {field: _named(field, name, first, heads) for field, name in named.items()}
        self._email = _email(first, heads, chosen)
        self._width = len(first)
        self.has_heads = "@" not in first[self._email]
        if not self.has_heads:
            heads = [""] * len(first)
        self._others = {
            field: place
            for field in HEADS
            if field != "email" and field not in standing.HEADS
            if (place := chosen[field] if field in chosen else _place(field, heads)) is not None
        }
        self._standing = standing.Standing(
            list(first) if self.has_heads else [str(place + 1) for place in range(len(first))],
            heads,
            {field: place for field, place in chosen.items() if field in standing.HEADS},
            {self._email, *self._others.values()},
        )
        self._languages = {tag.lower(): tag for tag in languages}

    def person(self, line: int, cells: Sequence[str], now: datetime) -> Person:
        """Who stands in this record. That somebody is no reader counts also when the rest of the line is bad.
        Raises BadLine, or Nobody: the address is none, or has slipped into another cell."""
        if len(cells) <= self._email:
            raise Nobody(f"there is no column {self._email + 1}", "\n".join(cells))
        cell = cells[self._email]
        status, doubt = self._standing.of(line, cells)
        try:
            address = normalize(plain(cell))
        except AddressError as error:
            where = cell if len(cells) == self._width else "\n".join(cells)
            raise Nobody(str(error) if cell.strip() else "the address is missing", where) from error
        if not self._others:
            return Person(line, address, status=status, doubt=doubt)
        said = {
            field: plain(cells[place]).strip() if place < len(cells) else ""
            for field, place in self._others.items()
        }
        newsletter = said.get("newsletter", "")
        if status not in standing.READING:
            return Person(line, address, newsletter, status, doubt=doubt)
        until = said.get("paused_until", "")
        return Person(
            line,
            address,
            newsletter,
            status,
            confirmed_at=_moment(said.get("confirmed_at", ""), now),
            paused_until=_moment_of(until).date() if until else None,
            note=said.get("source", "")[:LONGEST_NOTE],
            language=self._spoken(said.get("language", "")),
        )

    def misread(self) -> tuple[int, str] | None:
        """Asked when all records are read: the line and the reason why the file cannot be trusted."""
        return self._standing.misread()

    def _spoken(self, tag: str) -> str:
        """Ours for what the list says: `de` for `DE`, `de_AT` and `de-AT`; empty for any other word."""
        tag = tag.lower().replace("_", "-")
        return self._languages.get(tag) or self._languages.get(tag.partition("-")[0], "")


_ALL = frozenset(name for names in HEADS.values() for name in names)
_ADDRESS = re.compile(r"'?[^\s@,;\"]+@[^\s@,;\"]+")


# Read backwards. Text puts some signs before an address that are allowed in one, too: `=`, `/`, `'`.
_LOCALS = (re.compile(r"[^\s@,;:\"()<>\[\]\\]*"), re.compile(r"[\w.+-]*"))
_DOMAIN = re.compile(r"[\w.-]*")
_UNSEEN = re.compile("[\0\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufffd]")


def _begin(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.match(text)
    return found[0] if found else ""


def addresses_in(text: str) -> list[str]:
    """All that may be an address in a text that cannot be read, each once; rather too many."""
    found: dict[str, None] = {}
    for before, after in pairwise(_UNSEEN.sub("", text).split("@")):
        domain, backwards = _begin(_DOMAIN, after[:LONGEST]).rstrip(".-_"), before[: -LONGEST - 1 : -1]
        for local in {_begin(each, backwards)[::-1] for each in _LOCALS} if "." in domain else ():
            with contextlib.suppress(AddressError):
                found[normalize(f"{local}@{domain}")] = None
    return list(found)


def is_telling(cell: str) -> bool:
    """Whether this is a whole cell of a first record: a head that we know, or an address."""
    return head_of(cell) in _ALL or _ADDRESS.fullmatch(cell.strip()) is not None


def head_of(cell: str) -> str:
    """A column's head as `HEADS` writes it: letters and digits, without accents."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKD", cell).lower())


def _place(field: str, heads: Sequence[str]) -> int | None:
    return next((heads.index(name) for name in HEADS[field] if name in heads), None)


def _email(first: Sequence[str], heads: Sequence[str], chosen: Mapping[str, int | None]) -> int:
    place = chosen["email"] if "email" in chosen else _place("email", heads)
    if place is None:
        place = next((place for place, cell in enumerate(first) if "@" in cell), None)
    if place is None:
        raise BadLine("no column is called email or address; name it with --column email=NAME")
    return place


def _named(field: str, name: str, first: Sequence[str], heads: Sequence[str]) -> int | None:
    if field not in HEADS:
        raise BadLine(f"--column {field}=…: there is no such field; there are {', '.join(HEADS)}")
    if not name:
        return None
    if name.isascii() and name.isdecimal() and 0 < int(name) <= len(first):
        return int(name) - 1
    if head_of(name) not in heads:
        raise BadLine(f"--column {field}={name}: there is no such column; there are {', '.join(first)}")
    return heads.index(head_of(name))


def _moment_of(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadLine(f"{text[:40]!r} is no date; write it like 2026-05-31 or 2026-05-31T08:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _moment(text: str, now: datetime) -> datetime | None:
    if not text:
        return None
    moment = _moment_of(text)
    if not NEVER <= moment <= now:
        raise BadLine(f"nobody can have agreed at {text[:40]!r}")
    return moment.astimezone(UTC)

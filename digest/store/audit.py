"""Has anybody changed the past? The consent ledger, walked from its first line to its head.

Each line is held against its seal, its person and its evidence; then the subscriptions of today against the
last word of the ledger. Pages of lines are read, so that a million take a few seconds and little memory.
"""

from __future__ import annotations

import hmac
import json
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Select, exists, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import DigestError
from digest.store import consent
from digest.store.chain import NOBODY, Head, Keys, Line, bytes_of, linker, mark_of, person_of, tail_of
from digest.store.database import Database
from digest.store.seals import LEDGER, begun_seal
from digest.store.sync import remember
from digest.store.tables import consent_heads, consents, meta, subscribers

PAGE = 10_000
SHOWN = 20  # findings of one kind
ENDINGS = ("erased", "lapsed", "moved")  # what a person without an address must have in the ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found. found: lines that were there before the chain, and are sealed as they were found.
    problems: in words; none when all is well."""

    head: Head
    found: int = 0
    problems: tuple[str, ...] = ()


class Ledger:
    """The consent ledger as a whole."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def head(self) -> Head:
        """Where the chain ends now."""
        async with self._database.reading() as connection:
            row = (await connection.execute(_head())).one()
            return Head(row.length, row.link)

    async def head_of_the_day(self, now: datetime) -> Head | None:
        """The head, to whoever asks first on a day (UTC); None for all others."""
        today = now.date().isoformat()

        async def work(connection: AsyncConnection) -> Head | None:
            row = (await connection.execute(_head().with_for_update())).one()
            known = select(meta.c.value).where(meta.c.name == "consent head")
            if (await connection.execute(known)).scalar_one_or_none() == today:
                return None
            await remember(self._database, connection, "consent head", today)
            return Head(row.length, row.link)

        return await self._database.write(work)

    async def verify(
        self, *, heads: Iterable[Head] = (), progress: Callable[[int, int], None] = lambda _done, _all: None
    ) -> Verdict:
        """Walk the whole chain. heads: that were printed before, and must still be on it. Raises DigestError
        without the secret."""
        keys = self._database.keys
        if keys is None:
            raise DigestError("without the secret nobody can tell whether the ledger was changed")
        async with self._database.reading() as connection:  # one state of the database throughout
            row = (await connection.execute(_head())).first()
            if row is None:
                return Verdict(head=Head(0, NOBODY), problems=("the head of the ledger was removed",))
            head = Head(row.length, row.link)
            walk = _Walk(keys, {one.length: one for one in heads})
            after = 0
            while rows := (await connection.execute(_lines(after))).all():
                walk.look_at(rows)
                after = rows[-1].seq
                progress(after, head.length)
            findings = [
                *walk.findings(head),
                *await _strays(connection, keys, row.found_to, row.begun),
                *await _nameless(connection),
                *await consent.problems(connection),
            ]
        return Verdict(head=head, found=walk.found, problems=tuple(findings))


@dataclass(slots=True)
class _Walk:
    """One pass over the lines, in order. What it has not found out is in the database."""

    keys: Keys
    heads: dict[int, Head]
    found: int = 0
    _last: int = 0
    _before: bytes | None = NOBODY  # None: the line before is missing, so this one's seal cannot be told
    _also: bytes | None = None  # what the line before should have had, if its own seal is wrong
    _gaps: list[tuple[int, int]] = field(default_factory=list)
    _changed: list[int] = field(default_factory=list)
    _evidence: list[int] = field(default_factory=list)
    _unknown_keys: dict[str, int] = field(default_factory=dict)
    _strangers: dict[tuple[int, bytes], int] = field(default_factory=dict)
    _formerly: set[tuple[int, bytes]] = field(default_factory=set)
    _tails: dict[tuple[str, str, str, str], bytes] = field(default_factory=dict)
    _linkers: dict[str, Callable[[bytes], bytes]] = field(default_factory=dict)
    _lost_heads: list[Head] = field(default_factory=list)

    def look_at(self, rows: Iterable[Any]) -> None:
        """The next lines. (Their columns are unpacked: by name, a row costs five times as much.)"""
        if not self._linkers:
            self._linkers = {name: linker(key) for name, key in self.keys.by_id.items()}
        for row in rows:
            try:
                self._look_at(row)
            except (TypeError, ValueError, AttributeError, OverflowError, struct.error):
                # SQLite takes a word for a number, and bytes for a word.
                self._changed.append(row.seq)
                self._last, self._before, self._also = row.seq, None, None

    def _look_at(self, row: Any) -> None:
        seq, subscriber, at, newsletter, event, source, evidence, *seals, sealed_at, address, salt = row
        person, mark, link, key_id = seals
        if seq != self._last + 1:
            self._gaps.append((self._last + 1, seq - 1))
            self._before = self._also = None
        self._last = seq
        if sealed_at:
            self.found += 1
        if seq in self.heads and self.heads[seq].link != link:
            self._lost_heads.append(self.heads[seq])
        # The line against its person and its evidence …
        if salt is None:
            if evidence != "{}":
                self._evidence.append(seq)
        else:
            if mark_of(salt, evidence) != mark:
                self._evidence.append(seq)
            if person_of(salt, address) != person:
                self._strangers.setdefault((subscriber, person), seq)
            if event == "moved" and (was := _was(evidence)) is not None:
                self._formerly.add((subscriber, was))
        # … and against its seal.
        seal = self._linkers.get(key_id)
        if seal is None:
            self._unknown_keys.setdefault(key_id or "", seq)
            self._before, self._also = link, None
            return
        words = (key_id, newsletter, event, source)
        tail = self._tails.get(words)
        if tail is None:
            tail = self._tails[words] = tail_of(*words)
        said = Line(subscriber, at, newsletter, event, source, person or b"", mark or b"", sealed_at)
        line = bytes_of(seq, said, tail)
        right = link if self._before is None else seal(self._before + line)
        if right == link:
            self._also = None
        elif self._also is not None and seal(self._also + line) == link:
            self._also = None  # it was only the seal of the line before that was changed
        else:
            self._changed.append(seq)
            self._also = right
        self._before = link

    def findings(self, head: Head) -> Iterator[str]:
        for first, last in self._gaps[:SHOWN]:
            yield f"{_span(first, last)} missing: removed from the middle of the ledger"
        for first, last in _runs(self._changed)[:SHOWN]:
            yield f"{_span(first, last)} not as sealed: changed, or added by somebody without the secret"
        for seq in self._evidence[:SHOWN]:
            yield f"line {seq}: what was shown to the person is not what was sealed"
        strangers = [seq for key, seq in self._strangers.items() if key not in self._formerly]
        for seq in strangers[:SHOWN]:
            yield f"line {seq}: the person's address is not the one that this line is about"
        for name, seq in self._unknown_keys.items():
            yield (
                f"line {seq} is sealed with the key {name or '(none)'} that we do not have: put the secret of"
                " that time behind the new one, `secret: [new, old]`"
            )
        if self._last < head.length:
            yield f"{_span(self._last + 1, head.length)} missing at the end"
        elif self._last > head.length:
            yield f"{_span(head.length + 1, self._last)} behind the head: added without the lock"
        elif self._before != head.link:
            yield "the head is not the seal of the last line"
        for printed in self._lost_heads:
            yield f"the head {printed} was printed, and that line has another seal: the past was rewritten"
        for printed in self.heads.values():
            if printed.length > self._last:
                yield f"the head {printed} was printed: the newest lines were cut off, {self._last} are left"


def _was(evidence: str) -> bytes | None:
    try:
        return bytes.fromhex(json.loads(evidence)["was"])
    except (ValueError, KeyError, TypeError):
        return None


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """5, 6, 7, 9 → (5, 7), (9, 9)."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def _span(first: int, last: int) -> str:
    return f"line {first} is" if first == last else f"lines {first} to {last} are"


def _head() -> Select[Any]:
    return select(consent_heads).where(consent_heads.c.name == LEDGER)


def _lines(after: int) -> Select[Any]:
    return (
        select(
            consents.c.seq,
            consents.c.subscriber_id,
            type_coerce(consents.c.at, BigInteger).label("at"),
            consents.c.newsletter,
            consents.c.event,
            consents.c.source,
            consents.c.evidence,
            consents.c.person,
            consents.c.mark,
            consents.c.link,
            consents.c.key_id,
            func.coalesce(type_coerce(consents.c.sealed_at, BigInteger), 0).label("sealed_at"),
            subscribers.c.address,
            subscribers.c.salt,
        )
        .outerjoin(subscribers, subscribers.c.id == consents.c.subscriber_id)
        .where(consents.c.seq > after)
        .order_by(consents.c.seq)
        .limit(PAGE)
    )


async def _strays(
    connection: AsyncConnection, keys: Keys, found_to: int | None, begun: bytes | None
) -> list[str]:
    """Lines that are on no chain."""
    if begun is None or found_to is None:
        return ["the chain has not been begun"]
    if not any(hmac.compare_digest(begun, seal) for seal in begun_seal(keys, found_to)):
        return ["where the chain begins is not as it was sealed: the mark of the lines before it was changed"]
    loose = select(consents.c.id).where(consents.c.seq.is_(None)).order_by(consents.c.id).limit(SHOWN)
    ids = (await connection.execute(loose)).scalars().all()
    return [
        f"the row with the id {number} "
        + ("waits to be sealed" if number <= found_to else "is on no chain: added by somebody else")
        for number in ids
    ]


async def _nameless(connection: AsyncConnection) -> list[str]:
    """Persons whose address, or who themselves, went without a word in the ledger."""
    said = exists().where(consents.c.subscriber_id == subscribers.c.id, consents.c.event.in_(ENDINGS))
    lost = select(subscribers.c.id).where(subscribers.c.address.is_(None), ~said).order_by(subscribers.c.id)
    ids = (await connection.execute(lost.limit(SHOWN))).scalars().all()
    sealed = exists().where(consents.c.subscriber_id == subscribers.c.id)
    unsalted = select(subscribers.c.id).where(
        subscribers.c.address.is_not(None), subscribers.c.salt.is_(None), sealed
    )
    bare = (await connection.execute(unsalted.order_by(subscribers.c.id).limit(SHOWN))).scalars().all()
    known = exists().where(subscribers.c.id == consents.c.subscriber_id)
    removed = select(consents.c.subscriber_id).where(~known).distinct()
    gone = (await connection.execute(removed.order_by(consents.c.subscriber_id).limit(SHOWN))).scalars().all()
    return [
        *(
            f"person {number} has no address, and the ledger does not say that it was erased"
            for number in ids
        ),
        *(
            f"person {number} has an address and no salt: nothing in the ledger speaks of it"
            for number in bare
        ),
        *(f"person {number} was removed; the ledger has lines about them" for number in gone),
    ]

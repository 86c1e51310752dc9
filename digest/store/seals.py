"""Appending to the consent ledger: the head is taken, lines are sealed after it, the head is put back.

Whoever appends holds the head's row until their transaction ends, so that lines are numbered without gaps in
the order in which they commit. A transaction that also changes people takes the head first (`hold`): two that
took the same things in another order would wait for each other.
"""

from __future__ import annotations

import hmac
import secrets
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, insert, select, type_coerce, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import NullType

from digest.model import DigestError
from digest.store.chain import SEAL, Chain, Head, Keys, Line, linker, mark_of, person_of
from digest.store.codec import AnyRow, since_epoch
from digest.store.database import Database
from digest.store.tables import consent_heads, consents, subscribers

LEDGER = "consents"
_HERE = consent_heads.c.name == LEDGER
FOUND_AT_ONCE = 5_000  # lines from before the chain that are sealed in one transaction
NOT_OURS = (TypeError, ValueError, AttributeError, OverflowError, struct.error)
"""What comes of values that we never write; SQLite takes any value in any column."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The row of the head: where the chain ends, and where it began (see `tables`)."""

    head: Head
    found_to: int | None
    begun: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line to be written. evidence: as it is stored, JSON text."""

    subscriber: int
    newsletter: str
    event: str
    source: str
    evidence: str


def as_it_lies(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The value as the driver gives it, also one that the column's type could not read."""
    return type_coerce(column, NullType())


def is_no_text(error: Exception) -> bool:
    """Whether a statement failed at bytes that somebody wrote where text should be; SQLite lets them."""
    return "UTF-8" in str(error)


async def hold(connection: AsyncConnection) -> None:
    """Take the head, long before anything is appended; nobody else appends until this transaction ends."""
    await connection.execute(select(consent_heads.c.name).where(_HERE).with_for_update())


async def kept_head(connection: AsyncConnection, *, lock: bool = False) -> Kept | None:
    """The row of the head. None: somebody took it away, or wrote into it what we never do."""
    columns = (consent_heads.c.length, consent_heads.c.link, consent_heads.c.found_to, consent_heads.c.begun)
    statement = select(*(as_it_lies(column) for column in columns)).where(_HERE)
    try:
        row = (await connection.execute(statement.with_for_update() if lock else statement)).first()
    except DBAPIError as error:
        if not is_no_text(error):
            raise
        return None
    if row is None:
        return None
    length, link, found_to, begun = row
    numbers = isinstance(length, int) and isinstance(found_to, int | None)
    if not (numbers and isinstance(link, bytes) and isinstance(begun, bytes | None)):
        return None
    return Kept(Head(length, link), found_to, begun) if length >= 0 and (found_to or 0) >= 0 else None


async def take_chain(database: Database, connection: AsyncConnection) -> Chain | None:
    """The chain at its head, locked until the transaction ends. None: it has not begun, as nobody with a
    secret has opened this database yet. Raises DigestError when it has, and we have no secret; and when
    somebody took the head or the beginning away."""
    kept = await kept_head(connection, lock=True)
    if kept is None:
        raise DigestError(
            "the head of the consent ledger is gone, or somebody changed it: nothing is written to the ledger"
            " before a backup is brought back; `digest subscribers verify` says more"
        )
    if database.keys is None:
        if kept.begun is not None:
            raise DigestError("the consent ledger is sealed: without the secret nothing is written to it")
        return None
    if kept.begun is None:
        raise DigestError(
            "the consent ledger has not been begun (claim the database first), or somebody took its beginning"
            " away: `digest subscribers verify` says so"
        )
    return Chain(database.keys, kept.head)


async def put_head(connection: AsyncConnection, head: Head) -> None:
    """Let the chain end here; of a transaction that has taken it."""
    await connection.execute(update(consent_heads).where(_HERE).values(length=head.length, link=head.link))


async def append(
    database: Database, connection: AsyncConnection, entries: Sequence[Entry], now: datetime
) -> None:
    """Write these lines, sealed. Each subscriber still has their address, or none of it is held."""
    chain = await take_chain(database, connection)
    people = {
        row.id: row
        for row in await connection.execute(
            select(subscribers.c.id, subscribers.c.address, subscribers.c.salt).where(
                database.among(subscribers.c.id, sorted({entry.subscriber for entry in entries}))
            )
        )
    }
    salts = {number: row.salt or await _salted(connection, row) for number, row in people.items()}
    at = since_epoch(now) or 0
    rows = [
        {
            "subscriber_id": entry.subscriber,
            "newsletter": entry.newsletter,
            "at": now,
            "event": entry.event,
            "source": entry.source,
            "evidence": entry.evidence,
        }
        for entry in entries
    ]
    if chain is not None:
        lines = [
            Line(
                subscriber=entry.subscriber,
                at=at,
                newsletter=entry.newsletter,
                event=entry.event,
                source=entry.source,
                person=person_of(salts[entry.subscriber], people[entry.subscriber].address),
                mark=mark_of(salts[entry.subscriber], entry.evidence),
            )
            for entry in entries
        ]
        for row, line, (seq, seal) in zip(rows, lines, chain.seal(lines), strict=True):
            row |= {"seq": seq, "person": line.person, "mark": line.mark, "link": seal}
            row["key_id"] = chain.key_id
        await put_head(connection, chain.head)
    await connection.execute(insert(consents), rows)


async def _salted(connection: AsyncConnection, person: AnyRow) -> bytes | None:
    """A salt for somebody whom an older release has written down; the erased get none."""
    if person.address is None:
        return None
    salt = secrets.token_bytes(SEAL)
    await connection.execute(update(subscribers).where(subscribers.c.id == person.id).values(salt=salt))
    return salt


# ---------------------------------------------------------------- lines from before the chain


async def begin(database: Database, now: datetime) -> int:
    """Begin the chain, if nobody has: the lines that are there are sealed as they were found, in the order
    in which they were written, and say so. How many of them were sealed by us."""
    if await database.write(partial(_begin, database)):
        return 0
    sealed = 0
    while some := await database.write(partial(_seal_found, database, now)):
        sealed += some
    return sealed


def is_ours(keys: Keys, kept: Kept) -> bool:
    """Whether one of our keys sealed where the chain begins: nobody else can raise `found_to`, and have lines
    of their own sealed as found."""
    if kept.begun is None or kept.found_to is None:
        return False
    rightly = [_begun(key, kept.found_to) for key in keys.by_id.values()]
    return any(hmac.compare_digest(kept.begun, seal) for seal in rightly)


def _begun(key: bytes, found_to: int) -> bytes:
    return linker(key)(b"begun" + found_to.to_bytes(8, "big"))


async def _begin(database: Database, connection: AsyncConnection) -> bool:
    """True when there is nothing to seal; or nothing that we would, and `verify` says why."""
    keys = _keys(database)
    kept = await kept_head(connection, lock=True)
    if kept is None:
        return True
    if kept.begun is not None:
        return bool((await connection.execute(_found(kept.found_to or 0).limit(1))).first() is None)
    sealed = select(consents.c.id).where(consents.c.seq.is_not(None)).limit(1)
    if kept.head.length or (await connection.execute(sealed)).first() is not None:
        return True  # it had begun: whoever took the mark away wants lines of theirs sealed as found
    newest = (await connection.execute(select(func.max(consents.c.id)))).scalar_one() or 0
    seal = _begun(keys.by_id[keys.current], newest)
    await connection.execute(update(consent_heads).where(_HERE).values(found_to=newest, begun=seal))
    return bool(newest == 0)


async def _seal_found(database: Database, now: datetime, connection: AsyncConnection) -> int:
    keys = _keys(database)
    kept = await kept_head(connection, lock=True)
    if kept is None or not is_ours(keys, kept):
        return 0  # not our number: `verify` says so
    found = (await connection.execute(_found(kept.found_to or 0).limit(FOUND_AT_ONCE))).all()
    if not found:
        return 0
    chain = Chain(keys, kept.head)
    try:
        lines = [_as_found(one, now) for one in found]
        seals = list(chain.seal(lines))
    except NOT_OURS:
        return 0  # they go on waiting, as `verify` says
    sealed = [
        {"this": one.id, "seq": seq, "person": line.person, "mark": line.mark, "link": seal}
        for one, line, (seq, seal) in zip(found, lines, seals, strict=True)
    ]
    await connection.execute(
        update(consents)
        .where(consents.c.id == bindparam("this"))
        .values(
            seq=bindparam("seq"),
            person=bindparam("person"),
            mark=bindparam("mark"),
            link=bindparam("link"),
            key_id=chain.key_id,
            sealed_at=now,
        ),
        sealed,
    )
    await put_head(connection, chain.head)
    return len(sealed)


def _as_found(one: AnyRow, now: datetime) -> Line:
    return Line(
        subscriber=one.subscriber_id,
        at=one.at,
        newsletter=one.newsletter,
        event=one.event,
        source=one.source,
        person=person_of(one.salt, one.address),
        mark=mark_of(one.salt, one.evidence),
        sealed_at=since_epoch(now) or 0,
    )


def _found(found_to: int) -> Select[Any]:
    columns = (
        consents.c.subscriber_id,
        consents.c.at,
        consents.c.newsletter,
        consents.c.event,
        consents.c.source,
        consents.c.evidence,
        subscribers.c.address,
        subscribers.c.salt,
    )
    return (
        select(consents.c.id, *(as_it_lies(column).label(column.name) for column in columns))
        .join(subscribers, subscribers.c.id == consents.c.subscriber_id)
        .where(consents.c.seq.is_(None), consents.c.id <= found_to)
        .order_by(consents.c.id)
    )


def _keys(database: Database) -> Keys:
    if database.keys is None:
        raise DigestError("the consent ledger needs the secret")
    return database.keys

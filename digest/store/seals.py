"""Appending to the consent ledger: the head is taken, lines are sealed after it, the head is put back.

Whoever appends holds the head's row until their transaction ends, so that lines are numbered without gaps in
the order in which they commit. A transaction that also changes people takes the head first (`hold`): two that
took the same things in another order would wait for each other.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import BigInteger, Select, bindparam, func, insert, select, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import DigestError
from digest.store.chain import SEAL, Chain, Head, Keys, Line, linker, mark_of, person_of
from digest.store.codec import AnyRow, since_epoch
from digest.store.database import Database
from digest.store.tables import consent_heads, consents, subscribers

LEDGER = "consents"
FOUND_AT_ONCE = 5_000  # lines from before the chain that are sealed in one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line to be written. evidence: as it is stored, JSON text."""

    subscriber: int
    newsletter: str
    event: str
    source: str
    evidence: str


async def hold(connection: AsyncConnection) -> None:
    """Take the head, long before anything is appended; nobody else appends until this transaction ends."""
    await connection.execute(_locked())


async def take_chain(database: Database, connection: AsyncConnection) -> Chain | None:
    """The chain at its head, locked until the transaction ends. None: it has not begun, as nobody with a
    secret has opened this database yet. Raises DigestError when it has, and we have no secret."""
    row = (await connection.execute(_locked())).one()
    if database.keys is None:
        if row.begun is not None:
            raise DigestError("the consent ledger is sealed: without the secret nothing is written to it")
        return None
    if row.begun is None:
        raise DigestError("the consent ledger has not been begun; claim the database first")
    return Chain(database.keys, Head(row.length, row.link))


async def put_head(connection: AsyncConnection, head: Head) -> None:
    """Let the chain end here; of a transaction that has taken it."""
    here = consent_heads.c.name == LEDGER
    await connection.execute(update(consent_heads).where(here).values(length=head.length, link=head.link))


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


def begun_seal(keys: Keys, found_to: int) -> list[bytes]:
    """What stands beside `found_to`, by each of our keys: nobody else can raise that number, and have lines
    of their own sealed as found."""
    return [_begun(key, found_to) for key in keys.by_id.values()]


def _begun(key: bytes, found_to: int) -> bytes:
    return linker(key)(b"begun" + found_to.to_bytes(8, "big"))


async def _begin(database: Database, connection: AsyncConnection) -> bool:
    """True when there is nothing to seal."""
    keys = _keys(database)
    row = (await connection.execute(_locked())).one()
    newest = (await connection.execute(select(func.max(consents.c.id)))).scalar_one() or 0
    if row.begun is None:
        seal = _begun(keys.by_id[keys.current], newest)
        await connection.execute(
            update(consent_heads).where(consent_heads.c.name == LEDGER).values(found_to=newest, begun=seal)
        )
        return bool(newest == 0)
    return bool((await connection.execute(_found(row.found_to).limit(1))).first() is None)


async def _seal_found(database: Database, now: datetime, connection: AsyncConnection) -> int:
    keys = _keys(database)
    row = (await connection.execute(_locked())).one()
    if not any(hmac.compare_digest(row.begun, seal) for seal in begun_seal(keys, row.found_to)):
        return 0  # not our number: `verify` says so
    found = (await connection.execute(_found(row.found_to).limit(FOUND_AT_ONCE))).all()
    if not found:
        return 0
    chain = Chain(keys, Head(row.length, row.link))
    lines = [
        Line(
            subscriber=one.subscriber_id,
            at=one.at,
            newsletter=one.newsletter,
            event=one.event,
            source=one.source,
            person=person_of(one.salt, one.address),
            mark=mark_of(one.salt, one.evidence),
            sealed_at=since_epoch(now) or 0,
        )
        for one in found
    ]
    sealed = [
        {"this": one.id, "seq": seq, "person": line.person, "mark": line.mark, "link": seal}
        for one, line, (seq, seal) in zip(found, lines, chain.seal(lines), strict=True)
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


def _found(found_to: int) -> Select[Any]:
    return (
        select(
            consents.c.id,
            consents.c.subscriber_id,
            type_coerce(consents.c.at, BigInteger).label("at"),
            consents.c.newsletter,
            consents.c.event,
            consents.c.source,
            consents.c.evidence,
            subscribers.c.address,
            subscribers.c.salt,
        )
        .join(subscribers, subscribers.c.id == consents.c.subscriber_id)
        .where(consents.c.seq.is_(None), consents.c.id <= found_to)
        .order_by(consents.c.id)
    )


def _locked() -> Select[Any]:
    return select(consent_heads).where(consent_heads.c.name == LEDGER).with_for_update()


def _keys(database: Database) -> Keys:
    if database.keys is None:
        raise DigestError("the consent ledger needs the secret")
    return database.keys

"""Persons behind the subscriptions: their addresses, what they agreed to, and whom we never write again.

An address is given normalized by the caller. Suppression knows addresses only by a keyed hash, so that it
outlives the erasing of a person.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime, time
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Rhythm, Subscription, SubscriptionStatus
from digest.store.chain import SEAL
from digest.store.codec import AnyRow, encode
from digest.store.database import Database
from digest.store.seals import Entry, append
from digest.store.tables import editions, subscribers, subscriptions, suppressions

Departure = Literal["left", "moved"]
MOST_JOINED = 100


def departure_of(database: Database, newsletter: str, address: str, kind: Departure = "left") -> str:
    """What is remembered of an address that left a newsletter, or whose owner reads it elsewhere now; also
    once they are erased."""
    said = f"{kind} {newsletter} {address.casefold()}"
    return hmac.digest(database.pepper, said.encode(), "sha256").hex()


def hash_of(database: Database, address: str) -> str:
    """What the suppression list knows of an address, in any case of letters."""
    return hmac.digest(database.pepper, address.casefold().encode(), "sha256").hex()


async def is_suppressed(database: Database, connection: AsyncConnection, address: str) -> bool:
    """Whether nothing may be sent to this address any more."""
    hashed = hash_of(database, address)
    found = await connection.execute(select(exists().where(suppressions.c.hash == hashed)))
    return bool(found.scalar_one())


async def suppressed_between(connection: AsyncConnection, first: int, last: int) -> frozenset[int]:
    """Which subscriptions of these ids (both included) belong to people who may not be written to."""
    found = (
        select(subscriptions.c.id)
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .join(suppressions, suppressions.c.hash == subscribers.c.hash)
        .where(subscriptions.c.id.between(first, last))
    )
    return frozenset((await connection.execute(found)).scalars())


def is_person(database: Database, address: str) -> ColumnElement[bool]:
    """Of `subscribers`: who has this address, in any case of letters. (Two letters to one reader are worse
    than none to a second one whose address differs only by a capital.)"""
    return subscribers.c.hash == hash_of(database, address)


async def find_person(database: Database, connection: AsyncConnection, address: str) -> int | None:
    """Whoever has this address; locked until the end of the transaction."""
    found = select(subscribers.c.id).where(is_person(database, address)).order_by(subscribers.c.id).limit(1)
    person: int | None = (await connection.execute(found.with_for_update())).scalar_one_or_none()
    return person


async def subscriber_id(database: Database, connection: AsyncConnection, address: str, now: datetime) -> int:
    """The row of this person, made when there is none, and locked until the end of the transaction."""
    known = await find_person(database, connection, address)
    if known is not None:
        return known
    row = database.insert(subscribers).values(
        address=address, hash=hash_of(database, address), salt=secrets.token_bytes(SEAL), created_at=now
    )
    upsert = row.on_conflict_do_update(index_elements=["address"], set_={"hash": row.excluded.hash})
    return int((await connection.execute(upsert.returning(subscribers.c.id))).scalar_one())


async def note_consent(
    database: Database,
    connection: AsyncConnection,
    *,
    subscriber: int,
    newsletter: str,
    event: str,
    source: str,
    evidence: Mapping[str, Any],
    now: datetime,
) -> None:
    """Append one line to the consent ledger, sealed."""
    line = Entry(
        subscriber=subscriber, newsletter=newsletter, event=event, source=source, evidence=encode(evidence)
    )
    await append(database, connection, [line], now)


def select_subscriptions() -> Select[Any]:
    """Subscriptions with their address and their rhythm."""
    return (
        select(subscriptions, subscribers.c.address, editions.c.cadence, editions.c.at, editions.c.zone)
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .join(editions, editions.c.id == subscriptions.c.edition_id)
    )


async def find_subscription(
    connection: AsyncConnection,
    id: int,  # noqa: A002 - as in every room of the store
    *,
    lock: bool = False,
) -> Subscription | None:
    """One subscription; lock: nobody else changes it until the end of this transaction."""
    statement = select_subscriptions().where(subscriptions.c.id == id)
    if lock:
        statement = statement.with_for_update(of=subscriptions)
    row = (await connection.execute(statement)).first()
    return None if row is None else subscription_of(row)


async def joined_into(connection: AsyncConnection, number: int) -> int:
    """Which subscription this one is now: another where two persons became one, perhaps more than once."""
    for _ in range(MOST_JOINED):  # by whatever hand: a circle has no end
        went = select(subscriptions.c.joined_into).where(subscriptions.c.id == number)
        other: int | None = (await connection.execute(went)).scalar_one_or_none()
        if other is None:
            break
        number = other
    return number


def subscription_of(row: AnyRow) -> Subscription:
    """A row of `select_subscriptions` as our value."""
    return Subscription(
        id=row.id,
        subscriber_id=row.subscriber_id,
        address=row.address or "erased",
        newsletter=row.newsletter,
        edition_id=row.edition_id,
        rhythm=Rhythm(cadence=row.cadence, at=time.fromisoformat(row.at), zone=row.zone),
        status=SubscriptionStatus(row.status),
        source=row.source,
        through=row.through,
        created_at=row.created_at,
        confirmed_at=row.confirmed_at,
        left_at=row.left_at,
        paused_until=row.paused_until,
        language=row.language,
        feed_number=row.feed_number,
        feed_on=row.feed_on,
        by_mail=row.by_mail,
        asked_at=row.asked_at,
    )

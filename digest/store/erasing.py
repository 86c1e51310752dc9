"""Forgetting a person: the address leaves every table, the numbers stay.

What stays of the address is what must outlive it, as keyed hashes: that it is suppressed, which newsletters
it left, and when its mailbox was written to.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import SubscriptionStatus
from digest.store.codec import encode
from digest.store.database import Database
from digest.store.joining import depart, was_taken_out
from digest.store.ledger import suppress_waiting
from digest.store.people import Departure, find_person, select_subscriptions, subscription_of
from digest.store.seals import Entry, append, hold
from digest.store.tables import (
    PENDING,
    address_changes,
    consents,
    deliveries,
    delivery_events,
    inbox,
    notices,
    signups,
    subscribers,
    subscriptions,
)

ERASED = "erased"
FORGOTTEN_AT_ONCE = 20  # in one transaction, so that pages and letters get their turn between


async def erase_person(database: Database, connection: AsyncConnection, address: str, now: datetime) -> bool:
    """Take this address out of everything we hold; False: nobody of that address was known."""
    person = await find_person(database, connection, address)
    if person is None:
        return await _erase_papers(connection, [address], None, now) > 0
    await erase_subscriber(database, connection, person, now)
    return True


async def erase_subscriber(
    database: Database, connection: AsyncConnection, person: int, now: datetime, *, event: str = ERASED
) -> bool:
    """The same by the row of the person; False: erased already. event: what the ledger says of it."""
    row = (await connection.execute(select(subscribers.c.address).where(subscribers.c.id == person))).first()
    if row is None or row.address is None:
        return False
    await _leave_everything(database, connection, person, now, event)
    theirs = [row.address, *(await _other_addresses(connection, person))]
    await _erase_papers(connection, theirs, person, now)
    await connection.execute(delete(address_changes).where(address_changes.c.subscriber_id == person))
    await connection.execute(
        update(consents).where(consents.c.subscriber_id == person).values(evidence=encode({}))
    )
    await connection.execute(
        update(subscribers)
        .where(subscribers.c.id == person)
        .values(address=None, hash=None, salt=None, manage_at=None, erased_at=now)
    )
    return True


async def _other_addresses(connection: AsyncConnection, person: int) -> set[str]:
    """Where they wanted to move to, and where their letters went before they moved."""
    new = select(address_changes.c.address).where(address_changes.c.subscriber_id == person)
    mine = select(subscriptions.c.id).where(subscriptions.c.subscriber_id == person)
    old = select(deliveries.c.recipient).where(deliveries.c.subscription_id.in_(mine)).distinct()
    found = {*(await connection.execute(new)).scalars(), *(await connection.execute(old)).scalars()}
    return found - {ERASED}


async def forget_unconfirmed(database: Database, before: datetime, now: datetime) -> int:
    """Who was asked before then and never answered is forgotten, with the person if nothing else is known of
    them; how many. The ledger keeps that somebody asked, and names nobody."""
    total = 0
    while done := await database.write(partial(_forget_some, database, before, now)):
        total += done
    return total


async def _forget_some(
    database: Database, before: datetime, now: datetime, connection: AsyncConnection
) -> int:
    await hold(connection)
    old = (
        select(subscriptions.c.id, subscriptions.c.subscriber_id, subscriptions.c.newsletter)
        .where(subscriptions.c.status == PENDING, subscriptions.c.asked_at < before)
        .order_by(subscriptions.c.asked_at)
        .limit(FORGOTTEN_AT_ONCE)
    )
    rows = (await connection.execute(old.with_for_update())).all()
    for row in rows:
        more = select(subscriptions.c.id).where(
            subscriptions.c.subscriber_id == row.subscriber_id, subscriptions.c.id != row.id
        )
        if (await connection.execute(more.limit(1))).first() is None:
            await erase_subscriber(database, connection, row.subscriber_id, now, event="lapsed")
        else:
            line = Entry(
                subscriber=row.subscriber_id,
                newsletter=row.newsletter,
                event="lapsed",
                source="",
                evidence=encode({}),
            )
            await append(database, connection, [line], now)
        await connection.execute(delete(subscriptions).where(subscriptions.c.id == row.id))
    return len(rows)


async def _leave_everything(
    database: Database, connection: AsyncConnection, person: int, now: datetime, event: str
) -> None:
    """Every subscription ends, and the ledger says so while it still has the salt to say of whom."""
    statement = select_subscriptions().where(subscriptions.c.subscriber_id == person)
    known = [subscription_of(row) for row in await connection.execute(statement)]
    for one in known:
        left = one.status == SubscriptionStatus.LEFT
        if one.status != SubscriptionStatus.PENDING and not (left and await was_taken_out(connection, one)):
            kind: Departure = "moved" if event == "moved" else "left"
            await depart(database, connection, one.newsletter, one.address, now, kind=kind)
    await connection.execute(
        update(subscriptions)
        .where(subscriptions.c.subscriber_id == person, subscriptions.c.status != SubscriptionStatus.LEFT)
        .values(status=SubscriptionStatus.LEFT, left_at=now, paused_until=None)
    )
    await connection.execute(
        update(subscriptions)
        .where(subscriptions.c.subscriber_id == person)
        .values(left_from=None, left_until=None)
    )
    lines = [
        Entry(subscriber=person, newsletter=slug, event=event, source="", evidence=encode({}))
        for slug in ([one.newsletter for one in known] or [""])
    ]
    await append(database, connection, lines, now)


async def _erase_papers(
    connection: AsyncConnection, addresses: list[str], person: int | None, now: datetime
) -> int:
    """Whatever was to go to these addresses does not go; what went keeps its state and loses its recipient.
    How many papers held them."""
    letters = delete(inbox).where(_is_one_of(inbox.c.recipient, addresses))
    asked = delete(signups).where(_is_one_of(signups.c.address, addresses))
    told = sum([(await connection.execute(one)).rowcount for one in (letters, asked)])
    theirs = deliveries.c.subscription_id.in_(
        select(subscriptions.c.id).where(subscriptions.c.subscriber_id == person)
    ) | deliveries.c.notice_id.in_(select(notices.c.id).where(notices.c.recipient.in_(addresses)))
    await suppress_waiting(connection, theirs, "the person was erased", now)
    # A mail server's reply often names the address it speaks of.
    await connection.execute(
        update(delivery_events)
        .where(delivery_events.c.delivery_id.in_(select(deliveries.c.id).where(theirs)))
        .values(reply="")
    )
    about = notices.c.id.in_(select(deliveries.c.notice_id).where(theirs))
    changed = await connection.execute(
        update(deliveries).where(theirs, deliveries.c.recipient != ERASED).values(recipient=ERASED)
    )
    await connection.execute(
        update(notices)
        .where(or_(about, notices.c.recipient.in_(addresses)))
        .values(recipient=ERASED, data=encode({}))
    )
    return told + changed.rowcount


def _is_one_of(column: ColumnElement[Any], addresses: list[str]) -> ColumnElement[bool]:
    """In any case of letters, as programs between us and a mailbox change it."""
    lower = [address.lower() for address in addresses]
    return or_(column.in_(addresses), func.lower(column).in_(lower))

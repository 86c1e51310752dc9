"""Forgetting a person: the address leaves every table, the numbers stay."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import SubscriptionStatus
from digest.store.codec import encode
from digest.store.database import Database
from digest.store.ledger import suppress_waiting
from digest.store.people import note_consent
from digest.store.tables import (
    consents,
    deliveries,
    delivery_events,
    inbox,
    notices,
    subscribers,
    subscriptions,
)

ERASED = "erased"


async def erase_person(database: Database, connection: AsyncConnection, address: str, now: datetime) -> bool:
    """Take this address out of everything we hold; False: nobody of that address was known."""
    person = (
        await connection.execute(
            select(subscribers.c.id).where(subscribers.c.address == address).with_for_update()
        )
    ).scalar_one_or_none()
    letters = (
        await connection.execute(delete(inbox).where(func.lower(inbox.c.recipient) == address.lower()))
    ).rowcount
    told = await _erase_deliveries(connection, address, person, now)
    if person is None:
        return bool(letters or told)
    await connection.execute(
        update(subscriptions)
        .where(subscriptions.c.subscriber_id == person, subscriptions.c.status != SubscriptionStatus.LEFT)
        .values(status=SubscriptionStatus.LEFT, left_at=now, paused_until=None)
    )
    await connection.execute(
        update(consents).where(consents.c.subscriber_id == person).values(evidence=encode({}))
    )
    lists = select(subscriptions.c.newsletter).where(subscriptions.c.subscriber_id == person)
    for newsletter in (await connection.execute(lists)).scalars().all() or [""]:
        await note_consent(
            database,
            connection,
            subscriber=person,
            newsletter=newsletter,
            event=ERASED,
            source="",
            evidence={},
            now=now,
        )
    await connection.execute(
        update(subscribers)
        .where(subscribers.c.id == person)
        .values(address=None, hash=None, salt=None, erased_at=now)
    )
    return True


async def _erase_deliveries(
    connection: AsyncConnection, address: str, person: int | None, now: datetime
) -> int:
    """Whatever was to go to this address does not go; what went keeps its state and loses its recipient."""
    theirs = deliveries.c.subscription_id.in_(
        select(subscriptions.c.id).where(subscriptions.c.subscriber_id == person)
    ) | deliveries.c.notice_id.in_(select(notices.c.id).where(notices.c.recipient == address))
    await suppress_waiting(connection, theirs, "the person was erased", now)
    # A mail server's reply often names the address it speaks of.
    await connection.execute(
        update(delivery_events)
        .where(delivery_events.c.delivery_id.in_(select(deliveries.c.id).where(theirs)))
        .values(reply="")
    )
    changed = await connection.execute(
        update(deliveries).where(theirs, deliveries.c.recipient != ERASED).values(recipient=ERASED)
    )
    await connection.execute(
        update(notices).where(notices.c.recipient == address).values(recipient=ERASED, data=encode({}))
    )
    return changed.rowcount

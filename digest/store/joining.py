"""Coming and going, as parts of a transaction: the web, the command line and the config all lead here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Subscription, SubscriptionStatus
from digest.store.database import Database
from digest.store.editions import own_edition
from digest.store.people import (
    find_subscription,
    is_suppressed,
    note_consent,
    select_subscriptions,
    subscriber_id,
    subscription_of,
)
from digest.store.tables import newsletters, subscriptions

ACTIVE, LEFT = SubscriptionStatus.ACTIVE, SubscriptionStatus.LEFT
PENDING, PAUSED = SubscriptionStatus.PENDING, SubscriptionStatus.PAUSED


async def add_reader(
    database: Database,
    connection: AsyncConnection,
    newsletter: str,
    address: str,
    *,
    source: str,
    evidence: Mapping[str, Any],
    now: datetime,
    back: bool = False,
) -> str:
    """`Subscriptions.add` as part of a transaction. back: also take in again who had left."""
    if await is_suppressed(database, connection, address):
        return "suppressed"
    person = await subscriber_id(database, connection, address, now)
    known = await subscription_of_person(connection, newsletter, person)
    if known is not None and known.status in (ACTIVE, PAUSED):
        return "already"
    if known is not None and known.status == LEFT and not back:
        return "left"
    if known is None:
        known = await create_subscription(connection, newsletter, person, ACTIVE, source, now)
    else:
        await activate(connection, known, now)
        await connection.execute(
            update(subscriptions).where(subscriptions.c.id == known.id).values(source=source)
        )
    await consented(database, connection, known, "vouched", source, evidence, now)
    return "added"


async def leave_now(
    database: Database,
    connection: AsyncConnection,
    subscription: Subscription,
    *,
    source: str,
    evidence: Mapping[str, Any],
    now: datetime,
) -> None:
    """End a subscription that has not ended yet."""
    await connection.execute(
        update(subscriptions)
        .where(subscriptions.c.id == subscription.id)
        .values(status=LEFT, left_at=now, paused_until=None)
    )
    await consented(database, connection, subscription, "no", source, evidence, now)


async def create_subscription(
    connection: AsyncConnection,
    newsletter: str,
    person: int,
    status: SubscriptionStatus,
    source: str,
    now: datetime,
) -> Subscription:
    # The share lock: without it the cursor could move, and the deliveries be born, between our
    # reading of `through` and our commit; this reader would match no later issue ever again.
    edition = await own_edition(connection, newsletter, share=True)
    statement = (
        insert(subscriptions)
        .values(
            subscriber_id=person,
            newsletter=newsletter,
            edition_id=edition.id,
            status=status,
            source=source,
            through=edition.through,
            created_at=now,
            confirmed_at=now if status == ACTIVE else None,
        )
        .returning(subscriptions.c.id)
    )
    created = (await connection.execute(statement)).scalar_one()
    found = await find_subscription(connection, created)
    assert found is not None  # noqa: S101 - written one statement ago
    return found


async def activate(connection: AsyncConnection, found: Subscription, confirmed_at: datetime) -> None:
    edition = await own_edition(
        connection, found.newsletter, share=True
    )  # for the reason in create_subscription
    await connection.execute(
        update(subscriptions)
        .where(subscriptions.c.id == found.id)
        .values(
            status=ACTIVE,
            edition_id=edition.id,
            through=edition.through,
            confirmed_at=confirmed_at,
            left_at=None,
            paused_until=None,
        )
    )


async def consented(
    database: Database,
    connection: AsyncConnection,
    subscription: Subscription,
    event: str,
    source: str,
    evidence: Mapping[str, Any],
    now: datetime,
) -> None:
    await note_consent(
        database,
        connection,
        subscriber=subscription.subscriber_id,
        newsletter=subscription.newsletter,
        event=event,
        source=source,
        evidence=evidence,
        now=now,
    )


async def is_published(connection: AsyncConnection, slug: str) -> bool:
    statement = select(newsletters.c.slug).where(
        newsletters.c.slug == slug, newsletters.c.retired_at.is_(None)
    )
    return (await connection.execute(statement)).first() is not None


async def subscription_of_person(
    connection: AsyncConnection, newsletter: str, person: int
) -> Subscription | None:
    statement = select_subscriptions().where(
        subscriptions.c.newsletter == newsletter, subscriptions.c.subscriber_id == person
    )
    row = (await connection.execute(statement)).first()
    return None if row is None else subscription_of(row)

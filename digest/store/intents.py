"""Why an intent was refused: what forbids a letter for good, and what only for now."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Delivery, DeliveryState
from digest.store.database import Database, clock
from digest.store.ledger import CLAIMABLE, note, ours
from digest.store.people import hash_of
from digest.store.tables import ACTIVE, deliveries, issues, subscriptions, suppressions


def must_never_go(database: Database, delivery: Delivery) -> ColumnElement[bool]:
    """What forbids a letter for good: its address, its reader, its issue."""
    never: ColumnElement[bool] = exists().where(suppressions.c.hash == hash_of(database, delivery.recipient))
    if delivery.issue_id is not None:
        never = never | exists().where(issues.c.id == delivery.issue_id, issues.c.state == "cancelled")
    if delivery.issue_id is not None and delivery.subscription_id is not None:
        reader = exists().where(
            subscriptions.c.id == delivery.subscription_id,
            subscriptions.c.status == ACTIVE,
            subscriptions.c.by_mail.is_(True),
        )
        never = never | ~reader
    return never


async def refuse(
    database: Database, connection: AsyncConnection, delivery: Delivery, now: datetime
) -> Literal["suppressed", "lost"]:
    """Why it may not go; what must never go is put to rest.

    The reason is looked for anew: a pause that was lifted since the first look must not cost the letter.
    """
    mine = ours(delivery) & (deliveries.c.lease_until > clock())
    waiting = mine & deliveries.c.state.in_(CLAIMABLE) & deliveries.c.queue.is_not(None)
    statement = (
        update(deliveries)
        .where(waiting & must_never_go(database, delivery))
        .values(state=DeliveryState.SUPPRESSED, queue=None, lease_until=0, changed_at=now)
        .returning(deliveries.c.attempts)
    )
    attempts = (await connection.execute(statement)).scalar_one_or_none()
    if attempts is not None:
        reply = (
            "the address is suppressed, the reader has left or reads the private feed instead, "
            "or the issue was cancelled"
        )
        await note(connection, [(delivery.id, attempts)], DeliveryState.SUPPRESSED, now, reply=reply)
        return "suppressed"
    resting = select(deliveries.c.state).where(ours(delivery), deliveries.c.state == DeliveryState.SUPPRESSED)
    if (await connection.execute(resting)).first() is not None:
        return "suppressed"
    await connection.execute(update(deliveries).where(waiting).values(lease_until=0))
    return "lost"

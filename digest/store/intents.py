"""The intent: the last moment at which a letter can be stopped, and the first at which it counts as tried."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, exists, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Delivery, DeliveryState
from digest.store.codec import micros
from digest.store.database import Database, clock
from digest.store.ledger import CLAIMABLE, note, ours
from digest.store.people import hash_of
from digest.store.tables import ACTIVE, deliveries, issues, subscriptions, suppressions


async def intend(
    database: Database, connection: AsyncConnection, delivery: Delivery, now: datetime, lease: timedelta
) -> Literal["go", "suppressed", "lost"]:
    """The transaction of `Deliveries.begin`."""
    never = must_never_go(database, delivery)
    mine = ours(delivery) & (deliveries.c.lease_until > clock())
    waiting = mine & deliveries.c.state.in_(CLAIMABLE) & deliveries.c.queue.is_not(None)
    statement = (
        update(deliveries)
        .where(waiting, ~never, may_go(delivery))
        .values(
            state=DeliveryState.ATTEMPTING,
            queue=None,
            attempts=deliveries.c.attempts + 1,
            lease_until=clock() + micros(lease),
            changed_at=now,
        )
        .returning(deliveries.c.attempts)
    )
    attempt = (await connection.execute(statement)).scalar_one_or_none()
    if attempt is not None:
        await note(connection, [(delivery.id, attempt)], DeliveryState.ATTEMPTING, now)
        return "go"
    return await _refuse(connection, delivery, waiting & never, waiting, now)


def must_never_go(database: Database, delivery: Delivery) -> ColumnElement[bool]:
    """What forbids a letter for good: its address, its reader, its issue."""
    never: ColumnElement[bool] = exists().where(suppressions.c.hash == hash_of(database, delivery.recipient))
    if delivery.issue_id is not None:
        never = never | exists().where(issues.c.id == delivery.issue_id, issues.c.state == "cancelled")
    if delivery.issue_id is not None and delivery.subscription_id is not None:
        reader = exists().where(
            subscriptions.c.id == delivery.subscription_id, subscriptions.c.status == ACTIVE
        )
        never = never | ~reader
    return never


def may_go(delivery: Delivery) -> ColumnElement[bool]:
    """What must hold for the letter to go now, on top of nothing that forbids it for good."""
    if delivery.issue_id is None:
        return true()
    allowed: ColumnElement[bool] = exists().where(
        issues.c.id == delivery.issue_id, issues.c.state == "open", issues.c.paused.is_(False)
    )
    if delivery.subscription_id is not None:
        # FOR SHARE waits for a goodbye that is being committed and then sees it: nobody who was told
        # “you have left” gets a letter whose intent came later. (SQLite: one writer at a time anyway.)
        yes = (
            select(subscriptions.c.id)
            .where(subscriptions.c.id == delivery.subscription_id, subscriptions.c.status == ACTIVE)
            .with_for_update(read=True)
            .cte("yes")
            .prefix_with("MATERIALIZED")
        )
        allowed = allowed & exists(select(yes.c.id))
    return allowed


async def _refuse(
    connection: AsyncConnection,
    delivery: Delivery,
    never: ColumnElement[bool],
    waiting: ColumnElement[bool],
    now: datetime,
) -> Literal["suppressed", "lost"]:
    """Why it may not go; what must never go is put to rest.

    The reason is looked for anew: a pause that was lifted since the first look must not cost the letter.
    """
    statement = (
        update(deliveries)
        .where(never)
        .values(state=DeliveryState.SUPPRESSED, queue=None, lease_until=0, changed_at=now)
        .returning(deliveries.c.attempts)
    )
    attempts = (await connection.execute(statement)).scalar_one_or_none()
    if attempts is not None:
        reply = "the address is suppressed, the reader has left, or the issue was cancelled"
        await note(connection, [(delivery.id, attempts)], DeliveryState.SUPPRESSED, now, reply=reply)
        return "suppressed"
    resting = select(deliveries.c.state).where(ours(delivery), deliveries.c.state == DeliveryState.SUPPRESSED)
    if (await connection.execute(resting)).first() is not None:
        return "suppressed"
    await connection.execute(update(deliveries).where(waiting).values(lease_until=0))
    return "lost"

"""The ledger's ground: how a delivery's state changes, each change with its line of history.

    pending → attempting → sent | deferred | failed | suppressed | unknown

A delivery that waits has a place in the queue; one that is attempted or at rest has none.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, insert, null, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Delivery, DeliveryState
from digest.store.codec import AnyRow
from digest.store.tables import deliveries, delivery_events, issues, newsletters

CHUNK = 20_000  # rows at once, within one transaction
AT_ONCE = 2_000
"""Readers in one transaction. With ten times as many, who left meanwhile waited a quarter of a second."""

COLUMNS = (
    deliveries.c.id,
    deliveries.c.channel,
    deliveries.c.recipient,
    deliveries.c.newsletter,
    deliveries.c.issue_id,
    deliveries.c.notice_id,
    deliveries.c.subscription_id,
    deliveries.c.state,
    deliveries.c.attempts,
    deliveries.c.fence,
    deliveries.c.created_at,
    deliveries.c.available_at,
    deliveries.c.language,
)

CLAIMABLE = (DeliveryState.PENDING, DeliveryState.DEFERRED, DeliveryState.UNKNOWN)

PLACE = func.coalesce(deliveries.c.issue_id, 0)
"""A delivery's place in the queue: notices go first, then issue by issue."""


def delivery_of(row: AnyRow) -> Delivery:
    """A row with the COLUMNS as our value."""
    values = dict(row._mapping)
    return Delivery(**{**values, "state": DeliveryState(values["state"])})


def ours(delivery: Delivery) -> ColumnElement[bool]:
    """Nobody else has claimed it since."""
    return (deliveries.c.id == delivery.id) & (deliveries.c.fence == delivery.fence)


def place_when_unknown() -> ColumnElement[Any]:
    """Where a delivery of unknown outcome waits: nowhere if its newsletter holds such letters back, if that
    has been retired, or if the issue was cancelled; else it is tried again, with the same bytes."""
    held = deliveries.c.newsletter.in_(
        select(newsletters.c.slug).where(
            or_(newsletters.c.unknown == "hold", newsletters.c.retired_at.is_not(None))
        )
    )
    cancelled = deliveries.c.issue_id.in_(select(issues.c.id).where(issues.c.state == "cancelled"))
    return case((or_(held, cancelled), null()), else_=PLACE)


async def note(
    connection: AsyncConnection,
    changes: Iterable[tuple[int, int]],
    state: DeliveryState,
    now: datetime,
    *,
    relay: str = "",
    reply: str = "",
) -> None:
    """Append a line of history for each (delivery id, attempt)."""
    lines = [
        {"delivery_id": id, "at": now, "state": state, "attempt": attempt, "relay": relay, "reply": reply}
        for id, attempt in changes  # noqa: A001 - the word of every room of the store
    ]
    if lines:
        await connection.execute(insert(delivery_events), lines)


async def suppress_waiting(
    connection: AsyncConnection, which: ColumnElement[bool], reply: str, now: datetime
) -> int:
    """Take these out of the queue for good; how many. One that is being attempted goes its way."""
    total = 0
    while True:  # in pieces, so that a million of them need no more memory than a few
        some = (
            select(deliveries.c.id)
            .where(deliveries.c.queue.is_not(None), which)
            .limit(CHUNK)
            .with_for_update()
            .cte("some")
        )
        changed = await connection.execute(
            update(deliveries)
            .where(deliveries.c.id.in_(select(some.c.id)))
            .values(state=DeliveryState.SUPPRESSED, queue=None, lease_until=0, changed_at=now)
            .returning(deliveries.c.id, deliveries.c.attempts)
        )
        rows = changed.all()
        await note(
            connection, ((row.id, row.attempts) for row in rows), DeliveryState.SUPPRESSED, now, reply=reply
        )
        total += len(rows)
        if len(rows) < CHUNK:
            return total

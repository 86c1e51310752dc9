"""Taking letters to send: a lease on rows that go on waiting, and the end of attempts nobody answers for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, exists, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Delivery, DeliveryState
from digest.store.codec import micros
from digest.store.database import clock
from digest.store.ledger import COLUMNS, delivery_of, note, place_when_unknown
from digest.store.tables import ATTEMPTING, deliveries

# The places in the queue where something waits, found by leaping from one to the next in the index, and of
# those the ones that may be worked on now. Walking all rows to find them would cost a scan for each claim.
_PLACES = text("""
    WITH RECURSIVE places(place) AS (
        SELECT min(queue) FROM deliveries WHERE channel = :channel AND queue IS NOT NULL
        UNION ALL
        SELECT (SELECT min(queue) FROM deliveries WHERE channel = :channel AND queue > place)
        FROM places WHERE place IS NOT NULL
    )
    SELECT place FROM places LEFT JOIN issues ON issues.id = place
    WHERE place = 0 OR (issues.state = 'open' AND NOT issues.paused)
    ORDER BY place
""")


async def claim(
    connection: AsyncConnection, channel: str, now: datetime, limit: int, lease: timedelta
) -> list[Delivery]:
    """Lend what is due, place by place."""
    claimed: list[Delivery] = []
    for place in (await connection.execute(_PLACES, {"channel": channel})).scalars().all():
        claimed += await _claim_at(connection, channel, place, now, limit - len(claimed), lease)
        if len(claimed) >= limit:
            break
    return claimed


async def anything_due(connection: AsyncConnection, channel: str, now: datetime) -> bool:
    """Whether a claim would find something."""
    here = deliveries.c.channel == channel
    expired = here & (deliveries.c.state == ATTEMPTING) & (deliveries.c.lease_until <= clock())
    if (await connection.execute(select(exists().where(expired)))).scalar_one():
        return True
    for place in (await connection.execute(_PLACES, {"channel": channel})).scalars().all():
        due = here & (deliveries.c.queue == place) & (deliveries.c.available_at <= now)
        found = select(exists().where(due, deliveries.c.lease_until <= clock()))
        if (await connection.execute(found)).scalar_one():
            return True
    return False


async def give_up_expired(connection: AsyncConnection, channel: str, now: datetime, limit: int) -> None:
    """Attempts whose lease has run out: nobody can say whether the letter went."""
    expired = (
        select(deliveries.c.id)
        .where(
            deliveries.c.channel == channel,
            deliveries.c.state == ATTEMPTING,
            deliveries.c.lease_until <= clock(),
        )
        .order_by(deliveries.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
        .cte("expired")
        .prefix_with("MATERIALIZED")
    )
    changed = await connection.execute(
        update(deliveries)
        .where(deliveries.c.id.in_(select(expired.c.id)))
        .values(
            state=DeliveryState.UNKNOWN,
            queue=place_when_unknown(),
            fence=deliveries.c.fence + 1,
            lease_until=0,
            available_at=now,
            changed_at=now,
        )
        .returning(deliveries.c.id, deliveries.c.attempts)
    )
    lines = [(row.id, row.attempts) for row in changed]
    await note(connection, lines, DeliveryState.UNKNOWN, now, reply="its worker fell silent")


async def _claim_at(
    connection: AsyncConnection, channel: str, place: int, now: datetime, limit: int, lease: timedelta
) -> list[Delivery]:
    # The order is that of the index; MATERIALIZED, or PostgreSQL may lock more rows than that (FACTS 7.7).
    due = (
        select(deliveries.c.id)
        .where(
            deliveries.c.channel == channel,
            deliveries.c.queue == place,
            deliveries.c.available_at <= now,
            deliveries.c.lease_until <= clock(),
        )
        .order_by(deliveries.c.available_at, deliveries.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
        .cte("due")
        .prefix_with("MATERIALIZED")
    )
    claimed: CursorResult[Any] = await connection.execute(
        update(deliveries)
        .where(deliveries.c.id.in_(select(due.c.id)))
        .values(fence=deliveries.c.fence + 1, lease_until=clock() + micros(lease))
        .returning(*COLUMNS)
    )
    return sorted(map(delivery_of, claimed), key=lambda one: (one.available_at, one.id))

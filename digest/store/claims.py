"""Taking letters to send: a lease on rows that go on waiting, and the end of attempts nobody answers for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Delivery, DeliveryState
from digest.store.codec import from_epoch, micros, since_epoch
from digest.store.database import CLOCK, Database, Run, clock
from digest.store.ledger import COLUMNS
from digest.store.steps import PLACE_WHEN_UNKNOWN, add_history
from digest.store.tables import ATTEMPTING, deliveries

# The places in the queue where something waits, found by leaping from one to the next in the index, and of
# those the ones that may be worked on now. Walking all rows to find them would cost a scan for each claim.
_PLACES = """
    WITH RECURSIVE places(place) AS (
        SELECT min(queue) FROM deliveries WHERE channel = :channel AND queue IS NOT NULL
        UNION ALL
        SELECT (SELECT min(queue) FROM deliveries WHERE channel = :channel AND queue > place)
        FROM places WHERE place IS NOT NULL
    )
    SELECT place FROM places LEFT JOIN issues ON issues.id = place
    WHERE place = 0 OR (issues.state = 'open' AND NOT issues.paused)
    ORDER BY place
"""


def claim(
    database: Database,
    run: Run,
    channel: str,
    now: datetime,
    limit: int,
    lease: timedelta,
    *,
    only_notices: bool = False,
) -> list[Delivery]:
    """Lend what is due, place by place; the first place is that of the notices."""
    claimed: list[Delivery] = []
    asked = {"channel": channel, "now": since_epoch(now), "lease": micros(lease)}
    places = [(0,)] if only_notices else run(_PLACES, {"channel": channel})
    for (place,) in places:
        here = {**asked, "place": place, "limit": limit - len(claimed)}
        found = map(_delivery, run(CLAIM[database.dialect], here))
        claimed += sorted(found, key=lambda one: (one.available_at, one.id))
        if len(claimed) >= limit:
            break
    return claimed


async def anything_due(connection: AsyncConnection, channel: str, now: datetime) -> bool:
    """Whether a claim would find something."""
    here = deliveries.c.channel == channel
    expired = here & (deliveries.c.state == ATTEMPTING) & (deliveries.c.lease_until <= clock())
    if (await connection.execute(select(exists().where(expired)))).scalar_one():
        return True
    for place in (await connection.execute(text(_PLACES), {"channel": channel})).scalars().all():
        due = here & (deliveries.c.queue == place) & (deliveries.c.available_at <= now)
        found = select(exists().where(due, deliveries.c.lease_until <= clock()))
        if (await connection.execute(found)).scalar_one():
            return True
    return False


def give_up_expired(database: Database, run: Run, channel: str, now: datetime, limit: int) -> None:
    """Attempts whose lease has run out: nobody can say whether the letter went."""
    asked = {"channel": channel, "now": since_epoch(now), "limit": limit}
    lines = [
        (id_, attempts, DeliveryState.UNKNOWN, "", "its worker fell silent")
        for id_, attempts in run(EXPIRED[database.dialect], asked)
    ]
    add_history(database, run, lines, now)


# ---------------------------------------------------------------- statements

_NAMES = [column.name for column in COLUMNS]
_STATES = {str(state): state for state in DeliveryState}


def _delivery(row: tuple[Any, ...]) -> Delivery:
    given = dict(zip(_NAMES, row, strict=True))
    given["state"] = _STATES[given["state"]]
    given["created_at"] = from_epoch(given["created_at"])
    given["available_at"] = from_epoch(given["available_at"])
    return Delivery(**given)


def _expired(dialect: str) -> str:
    lock = "FOR NO KEY UPDATE SKIP LOCKED" if dialect == "postgresql" else ""
    return f"""
        WITH expired AS MATERIALIZED (
            SELECT id FROM deliveries
            WHERE channel = :channel AND state = 'attempting' AND lease_until <= {CLOCK[dialect]}
            ORDER BY id LIMIT :limit {lock}
        )
        UPDATE deliveries SET state = 'unknown', queue = {PLACE_WHEN_UNKNOWN}, fence = fence + 1,
            lease_until = 0, available_at = :now, changed_at = :now
        WHERE id IN (SELECT id FROM expired)
        RETURNING id, attempts
    """  # noqa: S608 - words of ours


def _claim(dialect: str) -> str:
    # The order is that of the index; MATERIALIZED, or PostgreSQL may lock more rows than that (FACTS 7.7).
    lock = "FOR NO KEY UPDATE SKIP LOCKED" if dialect == "postgresql" else ""
    return f"""
        WITH due AS MATERIALIZED (
            SELECT id FROM deliveries
            WHERE channel = :channel AND queue = :place AND available_at <= :now
                AND lease_until <= {CLOCK[dialect]}
            ORDER BY available_at, id LIMIT :limit {lock}
        )
        UPDATE deliveries SET fence = fence + 1, lease_until = {CLOCK[dialect]} + :lease
        WHERE id IN (SELECT id FROM due)
        RETURNING {", ".join(_NAMES)}
    """  # noqa: S608


_DIALECTS = ("sqlite", "postgresql")
EXPIRED = {dialect: _expired(dialect) for dialect in _DIALECTS}
CLAIM = {dialect: _claim(dialect) for dialect in _DIALECTS}

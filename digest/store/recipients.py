"""`recipients:` of the config, the admin's own list: who comes, who goes, and who stays away all the same.

The plan and the change are found by the same look, so that what `digest config diff` says is what happens.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Newsletter, SubscriptionStatus, Vouched
from digest.store.bulk import Rows, admit, look_up, marker
from digest.store.codec import AnyRow
from digest.store.database import Database, chunks
from digest.store.seals import Entry, append
from digest.store.tables import subscribers, subscriptions

SOURCE = "config"
LEFT = SubscriptionStatus.LEFT


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the list of one newsletter would do, by address. kept_out: and why, "left" or "suppressed"."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept_out: tuple[tuple[str, str], ...] = ()


async def plan_recipients(database: Database, connection: AsyncConnection, newsletter: Newsletter) -> Plan:
    """What `settle_recipients` would do now."""
    fresh, gone = await _compared(database, connection, newsletter)
    known = await database.by_hand(
        connection, lambda raw: look_up(Rows(raw), database.pepper, fresh, back=True)
    )
    outcomes = [(one.address, known.outcome(one)) for one in fresh]
    return Plan(
        added=tuple(address for address, outcome in outcomes if outcome == "added"),
        removed=tuple(sorted(row.address or "erased" for row in gone)),
        kept_out=tuple(
            (address, outcome) for address, outcome in outcomes if outcome in ("left", "suppressed")
        ),
    )


async def settle_recipients(
    database: Database, connection: AsyncConnection, newsletter: Newsletter, now: datetime
) -> None:
    """Take in who is new in the list, also whom only the list had taken out, and let go who is in it no
    longer. Who left by themselves stays so. A hundred thousand take a few seconds the first time."""
    fresh, gone = await _compared(database, connection, newsletter)
    if fresh:
        await admit(database, connection, fresh, source=SOURCE, now=now, back=True)
    for some in chunks(gone, 5_000):
        await _take_out(database, connection, newsletter.slug, some, now)


async def _compared(
    database: Database, connection: AsyncConnection, newsletter: Newsletter
) -> tuple[list[Vouched], list[AnyRow]]:
    """Who is in the list and no reader by it yet, and the readers by it who are not in it any more."""
    mark = marker(database.pepper)
    wanted = {mark(address): address for address in reversed(newsletter.recipients)}
    statement = (
        select(subscriptions.c.id, subscriptions.c.subscriber_id, subscribers.c.address, subscribers.c.hash)
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(
            subscriptions.c.newsletter == newsletter.slug,
            subscriptions.c.source == SOURCE,
            subscriptions.c.status != LEFT,
        )
    )
    readers = (await connection.execute(statement)).all()
    have = {bytes.fromhex(row.hash or "") for row in readers}
    fresh = [
        Vouched(one, address, newsletter.slug) for one, address in reversed(wanted.items()) if one not in have
    ]
    return fresh, [row for row in readers if bytes.fromhex(row.hash or "") not in wanted]


async def _take_out(
    database: Database, connection: AsyncConnection, slug: str, gone: Iterable[AnyRow], now: datetime
) -> None:
    """`joining.leave_now` for many: the config's own no is no departure, so it may take them in again."""
    rows = list(gone)
    await connection.execute(
        update(subscriptions)
        .where(database.among(subscriptions.c.id, [row.id for row in rows]))
        .values(
            left_from=subscriptions.c.status,
            left_until=subscriptions.c.paused_until,
            status=LEFT,
            left_at=now,
            paused_until=None,
        )
    )
    lines = [
        Entry(subscriber=row.subscriber_id, newsletter=slug, event="no", source=SOURCE, evidence="{}")
        for row in rows
    ]
    await append(database, connection, lines, now)

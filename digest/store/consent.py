"""Reading the consent ledger: the append-only lines that say who agreed to what."""

from __future__ import annotations

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import ConsentRow
from digest.store.codec import decode_mapping
from digest.store.database import Database
from digest.store.joining import DECISIVE
from digest.store.people import is_person
from digest.store.tables import ACTIVE, consents, subscribers, subscriptions


async def history(database: Database, connection: AsyncConnection, address: str) -> list[ConsentRow]:
    """All lines about one person, oldest first."""
    statement = (
        select(consents)
        .join(subscribers, subscribers.c.id == consents.c.subscriber_id)
        .where(is_person(database, address))
        .order_by(consents.c.id)
    )
    return [
        ConsentRow(
            at=row.at,
            newsletter=row.newsletter,
            event=row.event,
            source=row.source,
            evidence=decode_mapping(row.evidence),
        )
        for row in await connection.execute(statement)
    ]


async def problems(connection: AsyncConnection) -> list[str]:
    """The active subscriptions whose last word in the ledger is not a yes."""
    last = (
        select(consents.c.subscriber_id, consents.c.newsletter, func.max(consents.c.id).label("id"))
        .where(consents.c.event.in_(DECISIVE))  # asking again, or saying why, takes nothing back
        .group_by(consents.c.subscriber_id, consents.c.newsletter)
        .subquery("last")
    )
    statement = (
        select(subscriptions.c.id, subscriptions.c.newsletter, consents.c.event)
        .outerjoin(
            last,
            (last.c.subscriber_id == subscriptions.c.subscriber_id)
            & (last.c.newsletter == subscriptions.c.newsletter),
        )
        .outerjoin(consents, consents.c.id == last.c.id)
        .where(
            or_(subscriptions.c.status == ACTIVE, subscriptions.c.status == "paused"),
            or_(consents.c.event.is_(None), consents.c.event.not_in(["yes", "vouched"])),
        )
        .order_by(subscriptions.c.id)
    )
    return [
        f"subscription {row.id} of {row.newsletter} is active, but its last word is {row.event or 'missing'}"
        for row in await connection.execute(statement)
    ]

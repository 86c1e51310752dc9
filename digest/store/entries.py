"""What feeds said: every entry once, its later versions beside it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import NewEntry
from digest.store.codec import AnyRow, encode, key_of
from digest.store.tables import entries, entry_revisions


def once_each(given: Sequence[NewEntry]) -> list[NewEntry]:
    """A document may name an entry twice; the first one counts."""
    first: dict[str, NewEntry] = {}
    for new in given:
        first.setdefault(key_of(new.entry.guid), new)
    return list(first.values())


async def record_entries(
    connection: AsyncConnection, feed_id: int, given: Sequence[NewEntry], now: datetime
) -> int:
    keys = [key_of(new.entry.guid) for new in given]
    columns = (entries.c.id, entries.c.guid_key, entries.c.hash, entries.c.unread)
    statement = select(*columns).where(entries.c.feed_id == feed_id, entries.c.guid_key.in_(keys))
    known = {row.guid_key: row for row in await connection.execute(statement)}
    fresh = []
    for key, new in zip(keys, given, strict=True):
        if key not in known:
            fresh.append(_row(feed_id, key, new, now))
        elif known[key].hash != new.hash:
            await _revise(connection, known[key], new, now)
    if not fresh:
        return 0
    # The feed's fence keeps everyone else out, so there is no conflict to expect; ids ascend in this order.
    added = await connection.execute(
        insert(entries).returning(entries.c.id, sort_by_parameter_order=True), fresh
    )
    return len(added.all())


def _row(feed_id: int, key: str, new: NewEntry, now: datetime) -> dict[str, Any]:
    return {
        "feed_id": feed_id,
        "guid_key": key,
        "guid": new.entry.guid,
        "hash": new.hash,
        "data": encode(new.entry),
        "published": new.published,
        "dated": new.dated,
        "backlog": new.backlog,
        "position": new.position,
        "received_at": now,
        "rest_until": new.rest_until,
        "unread": new.news,
    }


async def _revise(connection: AsyncConnection, known: AnyRow, new: NewEntry, now: datetime) -> None:
    """Append what the entry says now. A reader who holds the old words by a lease is fenced out of them."""
    number = select(func.coalesce(func.max(entry_revisions.c.number), 1) + 1).where(
        entry_revisions.c.entry_id == known.id
    )
    data = encode(new.entry)
    await connection.execute(
        insert(entry_revisions).values(
            entry_id=known.id,
            number=number.scalar_subquery(),
            hash=new.hash,
            data=data,
            recorded_at=now,
        )
    )
    await connection.execute(update(entries).where(entries.c.id == known.id).values(hash=new.hash))
    await connection.execute(
        update(entries)
        .where(entries.c.id == known.id, entries.c.unread.is_(True))
        .values(data=data, rest_until=new.rest_until, fence=entries.c.fence + 1, lease_until=0)
    )

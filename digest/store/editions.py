"""The rhythms of a newsletter, as rows that other rooms read and lock within their own transactions.

Whoever locks more than one thing takes them in this order: edition, slot, issue, subscriptions. An edition
without readers sleeps (`next_at` is None) and costs nothing; whoever comes to it wakes it up.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Edition, NotFound, Rhythm
from digest.store.codec import AnyRow
from digest.store.database import Database
from digest.store.tables import ACTIVE, PAUSED, editions, subscriptions

MANUAL = ("manual", "", "")
"""(cadence, at, zone) of the edition that stands for `--now`."""


async def own_edition(
    connection: AsyncConnection, slug: str, *, lock: bool = False, share: bool = False
) -> Edition:
    """The newsletter's own edition. Raises NotFound.

    lock: keep its cursor from moving until the end of this transaction. share: the same, but others who
    only need it to stand still may look too. (SQLite has one writer at a time; SQLAlchemy writes no lock.)
    """
    statement = select(editions).where(editions.c.newsletter == slug, editions.c.own.is_(True))
    if lock or share:
        statement = statement.with_for_update(read=share)
    row = (await connection.execute(statement)).first()
    if row is None:
        raise NotFound(f"there is no newsletter {slug!r}")
    return edition_of(row)


async def locked_edition(connection: AsyncConnection, edition_id: int) -> Edition:
    """One edition; nobody else changes it until the end of this transaction."""
    statement = select(editions).where(editions.c.id == edition_id).with_for_update()
    return edition_of((await connection.execute(statement)).one())


def key_of(rhythm: Rhythm) -> tuple[str, str, str]:
    """A rhythm as the columns (cadence, at, zone) hold it."""
    return rhythm.cadence, rhythm.at.strftime("%H:%M"), rhythm.zone


async def find_or_found(
    database: Database, connection: AsyncConnection, slug: str, rhythm: Rhythm, *, through: int, now: datetime
) -> Edition:
    """The edition with this rhythm, locked; founded, asleep, when there is none."""
    cadence, at, zone = key_of(rhythm)
    row = database.insert(editions).values(
        newsletter=slug,
        cadence=cadence,
        at=at,
        zone=zone,
        own=False,
        through=through,
        created_at=now,
        since=now,
    )
    # Changing nothing locks the row that is there, or waits for whoever founds it at this moment.
    upsert = row.on_conflict_do_update(
        index_elements=["newsletter", "cadence", "at", "zone"], set_={"zone": row.excluded.zone}
    ).returning(editions.c.id)
    return await locked_edition(connection, (await connection.execute(upsert)).scalar_one())


async def wake(connection: AsyncConnection, edition: Edition, now: datetime) -> None:
    """Somebody reads this edition, which is locked: if it slept, it is looked at from now on."""
    if edition.next_at is None:
        await connection.execute(
            update(editions).where(editions.c.id == edition.id).values(next_at=now, since=now)
        )


def has_readers(edition_id: ColumnElement[Any] | int) -> ColumnElement[bool]:
    """Whether anybody waits for issues of this edition, now or at the end of a pause."""
    of_it = subscriptions.c.edition_id == edition_id
    return or_(
        exists().where(of_it, subscriptions.c.status == ACTIVE),
        exists().where(of_it, subscriptions.c.status == PAUSED, subscriptions.c.paused_until.is_not(None)),
    )


def edition_of(row: AnyRow) -> Edition:
    """A row of `editions` as our value."""
    held = dict(row._mapping)
    return Edition(**{**held, "since": held["since"] or held["created_at"]})

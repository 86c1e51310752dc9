"""The rhythms of a newsletter, as rows that other rooms read and lock within their own transactions."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Edition, NotFound
from digest.store.codec import AnyRow
from digest.store.tables import editions

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


def edition_of(row: AnyRow) -> Edition:
    """A row of `editions` as our value."""
    return Edition(**row._mapping)

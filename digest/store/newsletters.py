"""The newsletters as the config last said, with their editions, and those that have left the config."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Edition, Newsletter, NotFound, Publication, Site
from digest.store.codec import AnyRow, decode
from digest.store.database import Database
from digest.store.editions import MANUAL, edition_of, own_edition
from digest.store.recipients import Plan, plan_recipients
from digest.store.sync import sync_newsletters
from digest.store.tables import editions, newsletters


class Newsletters:
    """Newsletters by slug."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sync(self, newsletters: Sequence[Newsletter], *, site: Site, now: datetime) -> None:
        """Make the store agree with the config, in one transaction; doing it again changes nothing.

        Whatever is new comes in, a newsletter that is missing is retired and one that returns goes on,
        readers move along with a changed schedule, and nobody who left is taken in again.
        """

        async def work(connection: AsyncConnection) -> None:
            await sync_newsletters(self._database, connection, newsletters, site, now)

        await self._database.write(work)

    async def plan(self, newsletter: Newsletter) -> Plan:
        """Whom `sync` would add to this newsletter and take out of it; nothing is changed."""
        async with self._database.reading() as connection:
            return await plan_recipients(self._database, connection, newsletter)

    async def all(self) -> builtins.list[Publication]:
        """Every newsletter there ever was, by slug."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(newsletters).order_by(newsletters.c.slug))
            return [_publication(row) for row in rows]

    async def get(self, slug: str) -> Publication:
        """One newsletter. Raises NotFound, naming those that there are."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(newsletters).where(newsletters.c.slug == slug))).first()
            if row is not None:
                return _publication(row)
            known = (await connection.execute(select(newsletters.c.slug).order_by("slug"))).scalars().all()
        raise NotFound(f"there is no newsletter {slug!r}; there is: {', '.join(known) or 'none yet'}")

    async def own_edition(self, slug: str) -> Edition:
        """The rhythm that the archive and the feeds show. Raises NotFound."""
        async with self._database.reading() as connection:
            return await own_edition(connection, slug)

    async def manual_edition(self, slug: str) -> Edition:
        """The edition of `--now`. Raises NotFound."""
        for edition in await self.editions(slug):
            if (edition.cadence, edition.at, edition.zone) == MANUAL:
                return edition
        raise NotFound(f"there is no newsletter {slug!r}")

    async def editions(self, slug: str) -> builtins.list[Edition]:
        """All rhythms of a newsletter, former ones included, oldest first."""
        statement = select(editions).where(editions.c.newsletter == slug).order_by(editions.c.id)
        async with self._database.reading() as connection:
            return [edition_of(row) for row in await connection.execute(statement)]


def _publication(row: AnyRow) -> Publication:
    return Publication(
        newsletter=decode(Newsletter, row.definition),
        retired_at=row.retired_at,
        tag_authority=row.tag_authority,
        tag_date=row.tag_date,
    )

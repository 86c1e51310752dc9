"""Where the archives of each newsletter's feed begin and end (RFC 5005); their bytes lie in `documents`."""

from __future__ import annotations

import builtins

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import FeedArchive
from digest.store.database import Database
from digest.store.tables import feed_archives


class FeedArchives:
    """Archives by newsletter and number. What one holds is written once and never changes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, newsletter: str) -> builtins.list[FeedArchive]:
        """All archives of this newsletter's feed, oldest first."""
        statement = select(feed_archives).where(feed_archives.c.newsletter == newsletter)
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement.order_by(feed_archives.c.number))).all()
        found: builtins.list[FeedArchive] = []
        for row in rows:
            after = found[-1].through if found else 0
            found.append(FeedArchive(after=after, **row._mapping))
        return found

    async def add(self, newsletter: str, number: int, through: int) -> None:
        """Close an archive with this issue. Another process that was first has the last word."""
        statement = (
            self._database.insert(feed_archives)
            .values(newsletter=newsletter, number=number, through=through)
            .on_conflict_do_nothing()
        )

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(statement)

        await self._database.write(work)

    async def made(self, archive: FeedArchive, fingerprint: str) -> None:
        """Its documents are in place, made with this."""
        statement = (
            update(feed_archives)
            .where(feed_archives.c.newsletter == archive.newsletter, feed_archives.c.number == archive.number)
            .values(made=fingerprint)
        )

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(statement)

        await self._database.write(work)

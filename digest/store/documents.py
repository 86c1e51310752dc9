"""Published bytes: the feeds and what else is served as it lies here."""

from __future__ import annotations

import builtins
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Document
from digest.store.codec import AnyRow
from digest.store.database import Database
from digest.store.tables import counters, documents

MOST_CHANGES = 1_000  # that are told one by one
_THERE = documents.c.etag != ""


class Documents:
    """Documents by path. A put of the same bytes changes nothing, so that feed readers go on getting 304.

    Every real change gets the next number of a counter: who keeps documents in memory asks for that alone.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, document: Document) -> bool:
        """Publish these bytes; False when the very same are there already."""
        values = {
            "path": document.path,
            "newsletter": document.newsletter,
            "content_type": document.content_type,
            "body": document.body,
            "etag": document.etag,
            "last_modified": document.last_modified,
            "links": document.links,
            "gzip": document.gzip or None,
            "brotli": document.brotli or None,
        }

        async def work(connection: AsyncConnection) -> bool:
            insert = self._database.insert(documents).values(values)
            upsert = insert.on_conflict_do_update(
                index_elements=["path"],
                set_={name: insert.excluded[name] for name in values if name != "path"},
                where=(documents.c.body != insert.excluded.body)
                | (documents.c.content_type != insert.excluded.content_type)
                | (documents.c.links != insert.excluded.links),
            ).returning(documents.c.path)
            if (await connection.execute(upsert)).first() is None:
                return False
            await self._number(connection, document.path)
            return True

        return await self._database.write(work)

    async def pack(self, document: Document) -> bool:
        """Add the packed forms (`gzip`, `brotli`) of a document that is here; False: it has changed since."""

        async def work(connection: AsyncConnection) -> bool:
            statement = (
                update(documents)
                .where(documents.c.path == document.path, documents.c.etag == document.etag)
                .values(gzip=document.gzip, brotli=document.brotli)
                .returning(documents.c.path)
            )
            if (await connection.execute(statement)).first() is None:
                return False
            await self._number(connection, document.path)
            return True

        return await self._database.write(work)

    async def remove(self, path: str) -> bool:
        """Take a document away; False: there is none. An empty row stays: it says that something changed."""

        async def work(connection: AsyncConnection) -> bool:
            statement = (
                update(documents)
                .where(documents.c.path == path, _THERE)
                .values(body=b"", etag="", links="", gzip=b"", brotli=b"")
                .returning(documents.c.path)
            )
            if (await connection.execute(statement)).first() is None:
                return False
            await self._number(connection, path)
            return True

        return await self._database.write(work)

    async def is_removed(self, path: str) -> bool:
        """Whether there was a document here that was taken away."""
        statement = select(documents.c.path).where(documents.c.path == path, ~_THERE)
        async with self._database.reading() as connection:
            return (await connection.execute(statement)).first() is not None

    async def _number(self, connection: AsyncConnection, path: str) -> None:
        version = await self._database.count_up(connection, "documents", 1)
        await connection.execute(update(documents).where(documents.c.path == path).values(version=version))

    async def get(self, path: str) -> Document | None:
        """The document at this path."""
        found = await self._many(select(documents).where(documents.c.path == path, _THERE))
        return found[0] if found else None

    async def all(self, newsletter: str | None = None) -> builtins.list[Document]:
        """Every document, or those of one newsletter, by path."""
        statement = select(documents).where(_THERE).order_by(documents.c.path)
        if newsletter is not None:
            statement = statement.where(documents.c.newsletter == newsletter)
        return await self._many(statement)

    async def unpacked(self, newsletter: str, *, limit: int = 20) -> builtins.list[Document]:
        """Documents of this newsletter that lack their packed forms."""
        lacking = documents.c.gzip.is_(None) | documents.c.brotli.is_(None)
        return await self._many(
            select(documents).where(documents.c.newsletter == newsletter, lacking).limit(limit)
        )

    async def paths(self, newsletter: str) -> builtins.list[str]:
        """Where this newsletter has documents."""
        statement = select(documents.c.path).where(documents.c.newsletter == newsletter, _THERE)
        async with self._database.reading() as connection:
            return list((await connection.execute(statement.order_by(documents.c.path))).scalars())

    async def version(self) -> int:
        """A number that grows with every real change."""
        async with self._database.reading() as connection:
            statement = select(counters.c.value).where(counters.c.name == "documents")
            return int((await connection.execute(statement)).scalar_one())

    async def changes(self, since: int) -> tuple[int, frozenset[str] | None]:
        """The version now, and which paths changed after that one; None: too many, or nobody can tell
        (an older release has written)."""
        statement = (
            select(documents.c.path, documents.c.version)
            .where(documents.c.version > since)
            .order_by(documents.c.version.desc())
            .limit(MOST_CHANGES + 1)
        )
        async with self._database.reading() as connection:
            counter = select(counters.c.value).where(counters.c.name == "documents")
            version = int((await connection.execute(counter)).scalar_one())
            if version == since:
                return version, frozenset()
            rows = (await connection.execute(statement)).all()
        # The last change of all has the number that the counter has now.
        if len(rows) > MOST_CHANGES or not rows or rows[0].version != version:
            return version, None
        return version, frozenset(row.path for row in rows)

    async def _many(self, statement: Select[Any]) -> builtins.list[Document]:
        async with self._database.reading() as connection:
            return [_document(row) for row in await connection.execute(statement)]


def _document(row: AnyRow) -> Document:
    values = dict(row._mapping)
    del values["version"]
    return Document(**{**values, "gzip": values["gzip"] or b"", "brotli": values["brotli"] or b""})

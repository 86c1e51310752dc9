"""Published bytes: the feeds and what else is served as it lies here."""

from __future__ import annotations

import builtins

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Document
from digest.store.codec import AnyRow
from digest.store.database import Database
from digest.store.tables import counters, documents


class Documents:
    """Documents by path. A put of the same bytes changes nothing, so that feed readers go on getting 304."""

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
            await self._database.count_up(connection, "documents", 1)
            return True

        return await self._database.write(work)

    async def get(self, path: str) -> Document | None:
        """The document at this path."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(documents).where(documents.c.path == path))).first()
        return None if row is None else _document(row)

    async def all(self, newsletter: str | None = None) -> builtins.list[Document]:
        """Every document, or those of one newsletter, by path."""
        statement = select(documents).order_by(documents.c.path)
        if newsletter is not None:
            statement = statement.where(documents.c.newsletter == newsletter)
        async with self._database.reading() as connection:
            return [_document(row) for row in await connection.execute(statement)]

    async def version(self) -> int:
        """A number that grows with every real change."""
        async with self._database.reading() as connection:
            statement = select(counters.c.value).where(counters.c.name == "documents")
            return int((await connection.execute(statement)).scalar_one())


def _document(row: AnyRow) -> Document:
    return Document(**row._mapping)

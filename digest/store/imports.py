"""Lists of readers, taken in a chunk a transaction, with a bookmark in the same transaction.

A process that dies leaves the bookmark where its last chunk ended; the next one goes on from there. Nobody
is taken in twice in any case: who is there already is there already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Bookmark, NotReady, Vouched
from digest.store.bulk import Rows, admit, look_up, marker
from digest.store.codec import decode_mapping, encode
from digest.store.database import Database
from digest.store.farewells import farewells
from digest.store.tables import imports

SOURCE = "import"


class Imports:
    """Imports by the key of what is imported."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def mark_of(self) -> Callable[[str], bytes]:
        """The function that gives what stands for a person, by a normalized address in any spelling."""
        return marker(self._database.pepper)

    async def vouch(
        self,
        newsletter: str,
        addresses: Sequence[str],
        *,
        source: str,
        evidence: Mapping[str, Any],
        now: datetime,
    ) -> list[str]:
        """`Subscriptions.add` for many, in one transaction. Raises NotFound."""
        mark, said = self.mark_of(), encode(evidence)
        people = [Vouched(mark(address), address, newsletter, said) for address in addresses]

        async def work(connection: AsyncConnection) -> list[str]:
            return await admit(self._database, connection, people, source=source, now=now)

        return await self._database.write(work)

    async def begin(self, key: str, *, file: str, now: datetime) -> Bookmark:
        """Where the import of this key stands; a new one when none is under way. file: its name."""

        async def work(connection: AsyncConnection) -> Bookmark:
            here = (imports.c.key == key, imports.c.finished_at.is_(None))
            row = self._database.insert(imports).values(
                key=key, file=file, started_at=now, after=b"", counts=encode({})
            )
            made = await connection.execute(
                row.on_conflict_do_nothing(
                    index_elements=["key"], index_where=imports.c.finished_at.is_(None)
                ).returning(imports.c.id)
            )
            resumed = made.first() is None
            found = (await connection.execute(select(imports).where(*here))).one()
            return Bookmark(
                id=found.id,
                after=found.after,
                counts=decode_mapping(found.counts),
                started_at=found.started_at,
                resumed=resumed,
            )

        return await self._database.write(work)

    async def take_in(
        self,
        bookmark: Bookmark,
        people: Sequence[Vouched],
        after: bytes,
        *,
        gone: Sequence[Vouched] = (),
        now: datetime,
    ) -> Bookmark:
        """These people, and the bookmark behind the last of them. gone: those of whom the list says that they
        left; no later list brings them back. Raises NotFound; NotReady when another process goes on with the
        same import."""

        async def work(connection: AsyncConnection) -> Bookmark:
            outcomes = await admit(self._database, connection, people, source=SOURCE, now=now)
            if gone:
                outcomes += await self._database.by_hand(
                    connection, lambda raw: farewells(raw, self._database.pepper, gone, now)
                )
            counts = dict(Counter(bookmark.counts) + Counter(outcomes))
            moved = await connection.execute(
                update(imports)
                .where(
                    imports.c.id == bookmark.id,
                    imports.c.after == bookmark.after,
                    imports.c.finished_at.is_(None),
                )
                .values(after=after, counts=encode(counts))
                .returning(imports.c.id)
            )
            if moved.first() is None:
                raise NotReady("this list is being imported by another process too; that one goes on")
            return Bookmark(
                id=bookmark.id,
                after=after,
                counts=counts,
                started_at=bookmark.started_at,
                resumed=bookmark.resumed,
            )

        return await self._database.write(work, durable=False)  # the end of the import is

    async def finish(self, bookmark: Bookmark, *, now: datetime) -> None:
        """All are in. The same list may be imported again, from its beginning."""

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(
                update(imports)
                .where(imports.c.id == bookmark.id, imports.c.finished_at.is_(None))
                .values(finished_at=now)
            )

        await self._database.write(work)

    async def survey(self, people: Sequence[Vouched], gone: Sequence[Vouched] = ()) -> list[str]:
        """What would become of these people now, as `take_in` would count it; nothing is changed."""
        pepper = self._database.pepper
        async with self._database.reading() as connection:
            known = await self._database.by_hand(connection, lambda raw: look_up(Rows(raw), pepper, people))
            left = await self._database.by_hand(connection, lambda raw: farewells(raw, pepper, gone, None))
        return [known.outcome(person) for person in people] + left

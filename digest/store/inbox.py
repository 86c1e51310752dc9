"""The local inbox: letters that are kept here instead of being sent."""

from __future__ import annotations

import builtins
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Letter
from digest.store.codec import AnyRow
from digest.store.database import Database
from digest.store.tables import inbox

_LETTER = (
    inbox.c.id,
    inbox.c.recipient,
    inbox.c.subject,
    inbox.c.message_id,
    inbox.c.received_at,
    inbox.c.body,
)


class Inbox:
    """Letters, newest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(
        self,
        *,
        recipient: str,
        subject: str,
        message_id: str,
        body: bytes,
        now: datetime,
        subscription_id: int | None = None,
    ) -> None:
        """Keep one letter; the same one again (by Message-ID and recipient) is kept once. subscription_id:
        whom it is sent for, so that it goes when they are erased."""
        statement = (
            self._database.insert(inbox)
            .values(
                recipient=recipient,
                subject=subject,
                message_id=message_id,
                body=body,
                received_at=now,
                subscription_id=subscription_id,
            )
            .on_conflict_do_nothing()
        )

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(statement)

        await self._database.write(work)

    async def list(self, limit: int = 200) -> builtins.list[Letter]:
        """The newest letters."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(*_LETTER).order_by(inbox.c.id.desc()).limit(limit))
            return [_letter(row) for row in rows]

    async def get(self, id: int) -> Letter | None:  # noqa: A002 - the word of every room of the store
        """One letter."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(*_LETTER).where(inbox.c.id == id))).first()
        return None if row is None else _letter(row)


def _letter(row: AnyRow) -> Letter:
    return Letter(**row._mapping)

"""Letters that are no issue: confirmations, welcomes, links, reports to the admin; in the same ledger."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import exists, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import DeliveryState, NotFound, Notice
from digest.store.codec import AnyRow, decode_mapping, encode
from digest.store.database import Database
from digest.store.tables import deliveries, notices


class Notices:
    """Notices and, with each, its one delivery."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        *,
        kind: str,
        key: str,
        recipient: str,
        newsletter: str,
        data: Mapping[str, Any],
        now: datetime,
        channel: str = "email",
        subscription_id: int | None = None,
    ) -> Notice | None:
        """A notice and its delivery; None when the key was used before. newsletter: "" if about none."""

        async def work(connection: AsyncConnection) -> Notice | None:
            return await create_notice(
                self._database,
                connection,
                kind=kind,
                key=key,
                recipient=recipient,
                newsletter=newsletter,
                data=data,
                now=now,
                channel=channel,
                subscription_id=subscription_id,
            )

        return await self._database.write(work)

    async def has(self, key: str) -> bool:
        """Whether there is, or was, a notice with this key."""
        async with self._database.reading() as connection:
            return bool((await connection.execute(select(exists().where(notices.c.key == key)))).scalar_one())

    async def get(self, id: int) -> Notice:  # noqa: A002 - the word of every room of the store
        """One notice. Raises NotFound."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(notices).where(notices.c.id == id))).first()
        if row is None:
            raise NotFound(f"there is no notice {id}")
        return _notice(row)


async def create_notice(
    database: Database,
    connection: AsyncConnection,
    *,
    kind: str,
    key: str,
    recipient: str,
    newsletter: str,
    data: Mapping[str, Any],
    now: datetime,
    channel: str = "email",
    subscription_id: int | None = None,
) -> Notice | None:
    """`Notices.create` as a part of somebody's transaction."""
    statement = (
        database.insert(notices)
        .values(
            kind=kind, key=key, recipient=recipient, newsletter=newsletter, data=encode(data), created_at=now
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(notices)
    )
    row = (await connection.execute(statement)).first()
    if row is None:
        return None
    notice = _notice(row)
    await connection.execute(
        insert(deliveries).values(
            channel=channel,
            recipient=recipient,
            newsletter=newsletter,
            notice_id=notice.id,
            subscription_id=subscription_id,
            state=DeliveryState.PENDING,
            queue=0,
            available_at=now,
            created_at=now,
            changed_at=now,
        )
    )
    return notice


def _notice(row: AnyRow) -> Notice:
    return Notice(**{**row._mapping, "data": decode_mapping(row.data)})

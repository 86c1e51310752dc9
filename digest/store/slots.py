"""The slots of every edition: which one is due, who waits for it at which number, and what became of it.

A slot is opened once, with the number where all its windows end; that is frozen. Then there is an issue for
each number that its readers stand at, until nobody stands behind. So whoever dies in between is continued by
the next, two at once make nothing twice, and readers who come late wait for the next slot where they are.
"""

from __future__ import annotations

import builtins
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Edition, OpenSlot, SlotKey, Standing
from digest.store.addressing import move_chunk
from digest.store.births import end_pauses, take_slot
from digest.store.database import Database
from digest.store.editions import edition_of, has_readers, locked_edition
from digest.store.joining import is_published
from digest.store.ledger import AT_ONCE
from digest.store.tables import (
    ACTIVE,
    OPEN,
    editions,
    issues,
    newsletters,
    slots,
    subscribers,
    subscriptions,
    suppressions,
)


class Slots:
    """Slots by edition and local date."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, now: datetime) -> builtins.list[Edition]:
        """The editions to be looked at: those with readers, and the newsletters' own, whose time has come."""
        statement = (
            select(editions)
            .join(newsletters, newsletters.c.slug == editions.c.newsletter)
            .where(editions.c.next_at <= now, newsletters.c.retired_at.is_(None))
            .order_by(editions.c.next_at, editions.c.id)
        )
        async with self._database.reading() as connection:
            return [edition_of(row) for row in await connection.execute(statement)]

    async def look_again(self, edition_id: int, at: datetime) -> None:
        """Nothing is due in this edition before then. One without readers sleeps until somebody comes."""

        async def work(connection: AsyncConnection) -> None:
            edition = await locked_edition(connection, edition_id)
            awake = edition.own or await _any(connection, has_readers(edition_id))
            await connection.execute(
                update(editions).where(editions.c.id == edition_id).values(next_at=at if awake else None)
            )

        await self._database.write(work)

    async def open(self, key: SlotKey, *, through: int, now: datetime) -> OpenSlot | None:
        """Open the slot, or join whoever has opened it. Whose pause is over by its day reads again.

        None: it is over already, or nobody is there to read it; then the day is used up without a trace.
        """

        async def work(connection: AsyncConnection) -> OpenSlot | None:
            edition = await locked_edition(connection, key.edition_id)
            if not await is_published(connection, edition.newsletter):
                return None
            await end_pauses(connection, edition.id, key.date)
            active = exists().where(
                subscriptions.c.edition_id == edition.id, subscriptions.c.status == ACTIVE
            )
            past = edition.last_date is not None and edition.last_date >= key.date
            if not past and not edition.own and not await _any(connection, active):
                await connection.execute(
                    update(editions)
                    .where(editions.c.id == edition.id)
                    .values(last_date=key.date, through=max(through, edition.through))
                )
                return None
            if not past:
                await take_slot(self._database, connection, key, "open", now, through=through)
            return await _find_open(connection, edition.id, key.date)

        return await self._database.write(work)

    async def open_of(self, edition_id: int) -> OpenSlot | None:
        """The slot of this edition whose issues are not all made."""
        async with self._database.reading() as connection:
            return await _find_open(connection, edition_id)

    async def standing(self, slot: OpenSlot, limit: int) -> builtins.list[Standing]:
        """Who waits for this slot, by the numbers where they stand: first the issue of the archive, then
        those who have missed least. Those for whom it has an issue already are left out."""
        edition_id = slot.key.edition_id
        of_it = (subscriptions.c.edition_id == edition_id, subscriptions.c.status == ACTIVE)
        found: builtins.list[Standing] = []
        async with self._database.reading() as connection:
            row = (await connection.execute(select(editions).where(editions.c.id == edition_id))).one()
            edition = edition_of(row)
            made = select(issues.c.after).where(
                issues.c.edition_id == edition_id, issues.c.date == slot.key.date
            )
            done = set((await connection.execute(made)).scalars())
            if edition.own and edition.through < slot.through and edition.through not in done:
                found.append(Standing(after=edition.through, public=True))
                done.add(edition.through)
            below = slot.through
            while len(found) < limit:
                # One step in the index for each number, however many readers stand there.
                last = select(func.max(subscriptions.c.through)).where(
                    *of_it, subscriptions.c.through < below
                )
                after = (await connection.execute(last)).scalar_one_or_none()
                if after is None:
                    break
                below = after
                if after not in done:
                    reached = await _any(connection, _reachable(*of_it, subscriptions.c.through == after))
                    found.append(Standing(after=after, public=False, readers=reached))
        return found

    async def pass_over(self, slot: OpenSlot, after: int) -> None:
        """There is nothing to tell to those who stand at this number: they are covered by the slot.

        While an issue's deliveries are being born, readers of the newsletter's own edition stand elsewhere;
        then nothing moves, and the next look sees this window again.
        """

        async def work(connection: AsyncConnection) -> bool:
            edition = await locked_edition(connection, slot.key.edition_id)
            if await _find_open(connection, edition.id, slot.key.date) is None:
                return False
            born = exists().where(issues.c.reading_id == edition.id, issues.c.recipients.is_(None))
            cursor = edition.own and edition.through == after
            if cursor and await _any(connection, born):
                return False
            if await move_chunk(connection, edition.id, after, slot.through, AT_ONCE) == AT_ONCE:
                return True
            if cursor:
                await connection.execute(
                    update(editions).where(editions.c.id == edition.id).values(through=slot.through)
                )
            return False

        while await self._database.write(work):
            pass

    async def close(self, slot: OpenSlot, now: datetime, *, otherwise: str = "empty") -> None:
        """No more issues for this slot. otherwise: what it became if it has none."""

        async def work(connection: AsyncConnection) -> None:
            edition = await locked_edition(connection, slot.key.edition_id)
            this = (slots.c.edition_id == edition.id, slots.c.date == slot.key.date)
            has_issue = exists().where(issues.c.edition_id == edition.id, issues.c.date == slot.key.date)
            status = "issue" if await _any(connection, has_issue) else otherwise
            await connection.execute(
                update(slots).where(*this, slots.c.status == OPEN).values(status=status, recorded_at=now)
            )
            if not edition.own and edition.through < slot.through:
                await connection.execute(
                    update(editions).where(editions.c.id == edition.id).values(through=slot.through)
                )

        await self._database.write(work)

    async def record(self, key: SlotKey, status: str, now: datetime) -> bool:
        """Remember a slot that is not made up for: `skipped` or `coalesced`. False: it is known already."""

        async def work(connection: AsyncConnection) -> bool:
            await locked_edition(connection, key.edition_id)
            return await take_slot(self._database, connection, key, status, now)

        return await self._database.write(work)


def _reachable(*readers: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether any of these readers may be written to, or has a private feed."""
    suppressed = exists().where(suppressions.c.hash == subscribers.c.hash)
    return exists().where(
        *readers,
        subscribers.c.id == subscriptions.c.subscriber_id,
        subscribers.c.address.is_not(None),
        subscriptions.c.feed_on | ~suppressed,
    )


async def _any(connection: AsyncConnection, condition: ColumnElement[Any]) -> bool:
    return bool((await connection.execute(select(condition))).scalar_one())


async def _find_open(
    connection: AsyncConnection, edition_id: int, day: date | None = None
) -> OpenSlot | None:
    statement = select(slots).where(slots.c.edition_id == edition_id, slots.c.status == OPEN)
    if day is not None:
        statement = statement.where(slots.c.date == day)
    row = (await connection.execute(statement.order_by(slots.c.date).limit(1))).first()
    if row is None:
        return None
    key = SlotKey(edition_id=row.edition_id, date=row.date, due_at=row.due_at)
    return OpenSlot(key=key, through=row.through)

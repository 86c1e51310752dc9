"""The delivery ledger: one row for everything that leaves, claimed by lease, attempted by durable intent.

A claim lends a row for a while (`fence` counts the claims) and leaves its state alone. `begin` makes the
intent durable and says whether the letter may go; `record` writes what came of it. Whoever has lost the
claim to another gets a quiet no from all of them.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Delivery, DeliveryEvent, DeliveryState, NotFound
from digest.store.claims import anything_due, claim, give_up_expired
from digest.store.codec import micros
from digest.store.database import Database, chunks, clock
from digest.store.intents import intend
from digest.store.invariant import broken
from digest.store.ledger import (
    CLAIMABLE,
    COLUMNS,
    PLACE,
    delivery_of,
    note,
    ours,
    place_when_unknown,
    suppress_waiting,
)
from digest.store.tables import (
    deliveries,
    delivery_events,
    issues,
)


class Deliveries:
    """Deliveries by channel and id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim_due(
        self, channel: str, now: datetime, *, limit: int, lease: timedelta
    ) -> builtins.list[Delivery]:
        """Take what is due: notices first, then issue by issue, by time and id. Their state stays.

        An attempt whose worker has been silent for longer than its lease first becomes `unknown`.
        """

        async def work(connection: AsyncConnection) -> builtins.list[Delivery]:
            await give_up_expired(connection, channel, now, limit)
            return await claim(connection, channel, now, limit, lease)

        return await self._database.write(work)

    async def any_due(self, channel: str, now: datetime) -> bool:
        """Whether a claim would find something; asks the readers' side, so that idling costs no writer."""
        async with self._database.reading() as connection:
            return await anything_due(connection, channel, now)

    async def claim_notice(self, notice_id: int, *, lease: timedelta) -> Delivery | None:
        """Take the delivery of this one notice, whatever else waits; None: somebody has it, or it is done."""
        statement = (
            update(deliveries)
            .where(
                deliveries.c.notice_id == notice_id,
                deliveries.c.queue.is_not(None),
                deliveries.c.lease_until <= clock(),
            )
            .values(fence=deliveries.c.fence + 1, lease_until=clock() + micros(lease))
            .returning(*COLUMNS)
        )

        async def work(connection: AsyncConnection) -> Delivery | None:
            row = (await connection.execute(statement)).first()
            return None if row is None else delivery_of(row)

        return await self._database.write(work)

    async def begin(
        self, delivery: Delivery, *, now: datetime, lease: timedelta
    ) -> Literal["go", "suppressed", "lost"]:
        """Make the intent to send durable, before a byte of the letter is written.

        "suppressed": it must not go (the address is suppressed, the reader left, the issue was cancelled) and
        is at rest now. "lost": it is no longer ours, or its issue was paused; it stays as it is.
        """

        async def work(connection: AsyncConnection) -> Literal["go", "suppressed", "lost"]:
            return await intend(self._database, connection, delivery, now, lease)

        return await self._database.write(work)

    async def record(
        self,
        delivery: Delivery,
        state: DeliveryState,
        *,
        now: datetime,
        relay: str = "",
        reply: str = "",
        available_at: datetime | None = None,
        uncounted: bool = False,
    ) -> bool:
        """Write what came of it; False when the claim was lost to another (nothing is written then).

        available_at: when it may be tried again (None: now). uncounted: the attempt does not count against
        the reader. Only what was begun can be `sent`.
        """
        place: Any = None
        if state == DeliveryState.UNKNOWN:
            place = place_when_unknown()
        elif state in (DeliveryState.PENDING, DeliveryState.DEFERRED):
            place = PLACE
        attempting = deliveries.c.state == DeliveryState.ATTEMPTING
        given_back = case((attempting, 1), else_=0) if uncounted else literal(0)
        allowed = attempting
        if state != DeliveryState.SENT:
            allowed = or_(attempting, deliveries.c.state.in_(CLAIMABLE) & deliveries.c.queue.is_not(None))
        statement = (
            update(deliveries)
            .where(ours(delivery), allowed)
            .values(
                state=state,
                queue=place,
                available_at=available_at or now,
                lease_until=0,
                attempts=deliveries.c.attempts - given_back,
                changed_at=now,
            )
            .returning(deliveries.c.attempts)
        )

        async def work(connection: AsyncConnection) -> bool:
            attempts = (await connection.execute(statement)).scalar_one_or_none()
            if attempts is None:
                return False
            attempt = attempts + 1 if uncounted else attempts
            await note(connection, [(delivery.id, attempt)], state, now, relay=relay, reply=reply)
            if place is not None and delivery.issue_id is not None:
                await _stop_if_cancelled(connection, delivery, now)
            return True

        return await self._database.write(work)

    async def release(self, deliveries_: Sequence[Delivery]) -> None:
        """Hand back what was claimed and not begun, so that others may have it at once."""

        async def work(connection: AsyncConnection) -> None:
            for some in chunks(deliveries_):
                await connection.execute(
                    update(deliveries)
                    .where(_each_ours(some), deliveries.c.state != DeliveryState.ATTEMPTING)
                    .values(lease_until=0)
                )

        await self._database.write(work)

    async def renew(self, deliveries_: Sequence[Delivery], *, lease: timedelta) -> None:
        """Keep what we hold for longer. A claim that has run out is not renewed; an attempt that nobody
        has given up yet is, because its outcome is known best to whoever is waiting for it."""

        async def work(connection: AsyncConnection) -> None:
            held = or_(deliveries.c.lease_until > clock(), deliveries.c.state == DeliveryState.ATTEMPTING)
            for some in chunks(deliveries_):
                await connection.execute(
                    update(deliveries)
                    .where(_each_ours(some), held)
                    .values(lease_until=clock() + micros(lease))
                )

        await self._database.write(work)

    async def get(self, id: int) -> Delivery:  # noqa: A002 - the word of every room of the store
        """One delivery. Raises NotFound."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(*COLUMNS).where(deliveries.c.id == id))).first()
        if row is None:
            raise NotFound(f"there is no delivery {id}")
        return delivery_of(row)

    async def history(self, id: int) -> builtins.list[DeliveryEvent]:  # noqa: A002 - as above
        """Every change of one delivery, oldest first."""
        columns = [column for column in delivery_events.c if column.name not in ("id", "delivery_id")]
        statement = select(*columns).where(delivery_events.c.delivery_id == id).order_by(delivery_events.c.id)
        async with self._database.reading() as connection:
            return [
                DeliveryEvent(**{**row._mapping, "state": DeliveryState(row.state)})
                for row in await connection.execute(statement)
            ]

    async def of_issue(
        self, issue_id: int, state: DeliveryState | None = None, limit: int = 1000
    ) -> builtins.list[Delivery]:
        """The deliveries of an issue, by id."""
        statement = select(*COLUMNS).where(deliveries.c.issue_id == issue_id)
        if state is not None:
            statement = statement.where(deliveries.c.state == state)
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(deliveries.c.id).limit(limit))
            return [delivery_of(row) for row in rows]

    async def counts(self) -> dict[str, int]:
        """How many deliveries we keep, by state."""
        statement = select(deliveries.c.state, func.count().label("n")).group_by(deliveries.c.state)
        async with self._database.reading() as connection:
            return {row.state: row.n for row in await connection.execute(statement)}

    async def invariant(self, issue_id: int) -> builtins.list[str]:
        """What is wrong with the sums of this issue, in words; empty when all is well."""
        async with self._database.reading() as connection:
            return await broken(connection, issue_id)


def _each_ours(some: Sequence[Delivery]) -> ColumnElement[bool]:
    return tuple_(deliveries.c.id, deliveries.c.fence).in_([(one.id, one.fence) for one in some])


async def _stop_if_cancelled(connection: AsyncConnection, delivery: Delivery, now: datetime) -> None:
    """An issue that was cancelled while this letter was under way is not tried again."""
    cancelled = exists().where(issues.c.id == delivery.issue_id, issues.c.state == "cancelled")
    which = (deliveries.c.id == delivery.id) & cancelled
    await suppress_waiting(connection, which, "the issue was cancelled", now)

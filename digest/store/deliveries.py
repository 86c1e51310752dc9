"""The delivery ledger: one row for everything that leaves, claimed by lease, attempted by durable intent.

A claim lends a row for a while (`fence` counts the claims) and leaves its state alone. `step` writes what
came of letters, makes the intents of the next ones durable and says whether they may go. Whoever has lost
the claim to another gets a quiet no.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, exists, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Delivery, DeliveryEvent, DeliveryState, Ended, NotFound
from digest.store.claims import anything_due, claim, give_up_expired
from digest.store.codec import micros
from digest.store.database import Database, Run, chunks, clock
from digest.store.intents import refuse
from digest.store.invariant import broken
from digest.store.ledger import CLAIMABLE, COLUMNS, delivery_of, suppress_waiting
from digest.store.steps import add_history, begin, end, stands
from digest.store.tables import deliveries, delivery_events, issues

Begun = Literal["go", "suppressed", "lost"]
MOST_REPLIES = 1_000
# What differs from letter to letter in a server's reply: queue ids, times, addresses, anything with a digit.
_VARYING = re.compile(r"(?<![.\d])\b(?![245]\d\d\b)(?![245]\.\d)[\w.@-]*\d[\w.@-]*", re.ASCII)


class Deliveries:
    """Deliveries by channel and id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim_due(
        self, channel: str, now: datetime, *, limit: int, lease: timedelta, only_notices: bool = False
    ) -> builtins.list[Delivery]:
        """Take what is due: notices first, then issue by issue, by time and id. Their state stays.

        An attempt whose worker has been silent for longer than its lease first becomes `unknown`.
        """

        def work(run: Run) -> builtins.list[Delivery]:
            give_up_expired(self._database, run, channel, now, limit)
            return claim(self._database, run, channel, now, limit, lease, only_notices=only_notices)

        return await self._database.write_quickly(work, durable=False)  # a lease; intents are durable

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

    async def step(
        self,
        ended: Sequence[Ended],
        wanted: Sequence[Delivery],
        *,
        now: datetime,
        lease: timedelta,
        again: bool = False,
    ) -> tuple[builtins.list[bool], builtins.list[Begun]]:
        """Write what came of `ended`, and the intents of `wanted`, in one transaction.

        For each of `ended` whether its claim was still ours (if not, nothing of it is written; only what was
        begun can be `sent`). For each of `wanted`: "go": its intent is durable, and a byte of the letter may
        be written. "suppressed": it must not go (the address is suppressed, the reader left, the issue was
        cancelled) and is at rest now. "lost": it is no longer ours, or its issue was paused; it stays as it
        is. again: the same was asked before and raised NotReady; what was done then all the same (only the
        answer was lost, or what comes after it failed) counts, and is not done twice.
        """

        def work(run: Run) -> tuple[builtins.list[bool], builtins.list[bool]]:
            written, begun = stands(self._database, run, ended, wanted) if again else (set(), set())
            left = [one for one in ended if one.delivery.id not in written]
            lines = end(self._database, run, left, now)
            rest = [one for one in wanted if one.id not in begun]
            intents = begin(self._database, run, rest, now, lease)
            add_history(self._database, run, [*lines, *intents], now)
            written |= {line[0] for line in lines if line is not None}
            begun |= {line[0] for line in intents if line is not None}
            if again and len(written) + len(begun) < len(ended) + len(wanted):
                # The earlier try may only have ended while we waited for its locks.
                late = stands(self._database, run, ended, wanted)
                written |= late[0]
                begun |= late[1]
            return [one.delivery.id in written for one in ended], [one.id in begun for one in wanted]

        kept, gone = await self._database.write_quickly(work)
        waits = [
            one.delivery.id
            for one, ours in zip(ended, kept, strict=True)
            if ours and one.state in CLAIMABLE and one.delivery.issue_id is not None
        ]
        refused = [one for one, may_go in zip(wanted, gone, strict=True) if not may_go]
        if not waits and not refused:
            return kept, ["go"] * len(wanted)
        reasons = await self._look_after(waits, refused, now)
        return kept, ["go" if may_go else reasons[one.id] for one, may_go in zip(wanted, gone, strict=True)]

    async def _look_after(
        self, waits: Sequence[int], refused: Sequence[Delivery], now: datetime
    ) -> dict[int, Begun]:
        """What few steps need: a letter whose issue was cancelled while it was under way is not tried again,
        and what may not go either never may, or not now."""
        cancelled = exists().where(issues.c.id == deliveries.c.issue_id, issues.c.state == "cancelled")

        async def work(connection: AsyncConnection) -> dict[int, Begun]:
            if waits:
                which = self._database.among(deliveries.c.id, waits) & cancelled
                await suppress_waiting(connection, which, "the issue was cancelled", now)
            return {one.id: await refuse(self._database, connection, one, now) for one in refused}

        return await self._database.write(work)

    async def begin(self, delivery: Delivery, *, now: datetime, lease: timedelta) -> Begun:
        """`step` for the intent of one delivery."""
        _, [answer] = await self.step([], [delivery], now=now, lease=lease)
        return answer

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
        """`step` for what came of one delivery."""
        ended = Ended(
            delivery=delivery,
            state=state,
            relay=relay,
            reply=reply,
            available_at=available_at,
            uncounted=uncounted,
        )
        [kept], _ = await self.step([ended], [], now=now, lease=timedelta(0))
        return kept

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

    async def put_off(self, deliveries_: Sequence[Delivery], available_at: datetime) -> None:
        """`release`, but nobody is to have them before this moment: their turn has not come yet."""

        async def work(connection: AsyncConnection) -> None:
            for some in chunks(deliveries_):
                await connection.execute(
                    update(deliveries)
                    .where(_each_ours(some), deliveries.c.state != DeliveryState.ATTEMPTING)
                    .values(lease_until=0, available_at=available_at)
                )

        await self._database.write(work)

    async def renew(self, deliveries_: Sequence[Delivery], *, lease: timedelta) -> frozenset[int]:
        """Keep what we hold for longer; the ids of those that are still ours. A claim that has run out is not
        renewed; an attempt that nobody has given up yet is, because its outcome is known best to whoever is
        waiting for it."""

        async def work(connection: AsyncConnection) -> frozenset[int]:
            held = or_(deliveries.c.lease_until > clock(), deliveries.c.state == DeliveryState.ATTEMPTING)
            ours: set[int] = set()
            for some in chunks(deliveries_):
                statement = (
                    update(deliveries)
                    .where(_each_ours(some), held)
                    .values(lease_until=clock() + micros(lease))
                    .returning(deliveries.c.id)
                )
                ours.update((await connection.execute(statement)).scalars())
            return frozenset(ours)

        return await self._database.write(work)

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

    async def reasons(self, issue_id: int, state: str, *, limit: int = 10) -> builtins.list[tuple[str, int]]:
        """What was said last of the deliveries of an issue that are in this state, most frequent first:
        (reply, how many). Replies that differ only in numbers and ids are one, and the first stands for all.
        """
        last = (
            select(func.max(delivery_events.c.id))
            .join(deliveries, deliveries.c.id == delivery_events.c.delivery_id)
            .where(deliveries.c.issue_id == issue_id, deliveries.c.state == state)
            .group_by(delivery_events.c.delivery_id)
        )
        statement = (
            select(delivery_events.c.reply, func.count().label("n"))
            .where(delivery_events.c.id.in_(last))
            .group_by(delivery_events.c.reply)
            .order_by(func.count().desc(), delivery_events.c.reply)
            .limit(MOST_REPLIES)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement)).all()
        kinds: dict[str, tuple[str, int]] = {}
        for row in rows:
            kind = _VARYING.sub("#", row.reply)
            reply, count = kinds.get(kind, (row.reply, 0))
            kinds[kind] = (reply, count + row.n)
        return sorted(kinds.values(), key=lambda found: -found[1])[:limit]

    async def sent_since(self, issue_id: int, moment: datetime) -> int:
        """How many letters of an issue were accepted after this moment."""
        statement = (
            select(func.count())
            .select_from(deliveries)
            .where(
                deliveries.c.issue_id == issue_id,
                deliveries.c.subscription_id.is_not(None),
                deliveries.c.state == DeliveryState.SENT,
                deliveries.c.changed_at > moment,
            )
        )
        async with self._database.reading() as connection:
            return int((await connection.execute(statement)).scalar_one())

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

"""How much was sent, and what relays said of it, the same for all processes: counts by cells of time, the
first day of a relay, and states of pauses.

What a name or a state means is not known here: who draws from a count says what it may hold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import case, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.store.database import Database, chunks
from digest.store.tables import budgets, relay_starts, relay_states

AT_ONCE = 50  # counts drawn from in one transaction
KEPT = timedelta(days=2)  # past its end, a cell may still count in a window of a day


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Up to `want` letters from the count `name`, of which the cells from `since` to `cell` together hold at
    most `limit`. until: the end of this cell."""

    name: str
    cell: int
    since: int
    limit: int
    want: int
    until: datetime


class Budgets:
    """Counts that never go beyond their limits, whoever draws, and however often somebody starts anew."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, draws: Sequence[Draw]) -> list[int]:
        """Draw from these counts; how many were granted of each. What one process has, no other is given."""
        granted: dict[str, int] = {}
        for some in chunks(sorted(draws, key=lambda draw: draw.name), AT_ONCE):
            granted |= await self._database.write(partial(self._take, some))
        return [granted[draw.name] for draw in draws]

    async def _take(self, draws: Sequence[Draw], connection: AsyncConnection) -> dict[str, int]:
        for draw in draws:
            await self._alone(connection, draw.name)
        used = await connection.execute(
            select(budgets.c.name, func.sum(budgets.c.used).label("used"))
            .where(or_(*((budgets.c.name == draw.name) & (budgets.c.cell >= draw.since) for draw in draws)))
            .group_by(budgets.c.name)
        )
        known = {row.name: int(row.used) for row in used}
        granted = {draw.name: max(0, min(draw.want, draw.limit - known.get(draw.name, 0))) for draw in draws}
        rows = [
            {"name": draw.name, "cell": draw.cell, "used": granted[draw.name], "until": draw.until}
            for draw in draws
            if granted[draw.name]
        ]
        if rows:
            insert = self._database.insert(budgets).values(rows)
            await connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["name", "cell"], set_={"used": budgets.c.used + insert.excluded.used}
                )
            )
        return granted

    async def give_back(self, name: str, *, cell: int, letters: int) -> None:
        """Undo a part of what was granted in that cell and not used."""
        left = budgets.c.used - letters

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(
                update(budgets)
                .where(budgets.c.name == name, budgets.c.cell == cell)
                .values(used=case((left < 0, 0), else_=left))
            )

        await self._database.write(work)

    async def first(self, relay: str, now: datetime) -> datetime:
        """When this relay was first used; now, if this is the first time."""

        async def work(connection: AsyncConnection) -> datetime:
            row = self._database.insert(relay_starts).values(relay=relay, first_at=now)
            await connection.execute(row.on_conflict_do_nothing())
            found = select(relay_starts.c.first_at).where(relay_starts.c.relay == relay)
            first: datetime = (await connection.execute(found)).scalar_one()
            return first

        return await self._database.write(work)

    async def states(self, relay: str) -> dict[str, str]:
        """What is remembered of this relay, by name: the relay's own, and `relay domain` for its domains."""
        own = relay_states.c.relay == relay
        async with self._database.reading() as connection:
            rows = await connection.execute(select(relay_states.c.name, relay_states.c.state).where(own))
            return {row.name: row.state for row in rows}

    async def change(self, relay: str, name: str, change: Callable[[str], str], now: datetime) -> str:
        """Change one of them, nobody else at the same time; as it is now. "": nothing to remember."""

        async def work(connection: AsyncConnection) -> str:
            await self._alone(connection, name)
            known = select(relay_states.c.state).where(relay_states.c.name == name)
            before = (await connection.execute(known)).scalar_one_or_none() or ""
            after = change(before)
            if not after:
                await connection.execute(delete(relay_states).where(relay_states.c.name == name))
            elif after != before:
                row = self._database.insert(relay_states).values(
                    name=name, relay=relay, state=after, changed_at=now
                )
                await connection.execute(
                    row.on_conflict_do_update(
                        index_elements=["name"], set_={"state": after, "changed_at": now}
                    )
                )
            return after

        return await self._database.write(work)

    async def _alone(self, connection: AsyncConnection, name: str) -> None:
        """One transaction at a time for each name, until it ends."""
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        await self._database.lock(connection, key)


async def prune_budgets(database: Database, now: datetime) -> int:
    """Delete cells that no window reaches back to, and states that nobody has changed for as long."""
    before = now - KEPT

    async def work(connection: AsyncConnection) -> int:
        gone = (await connection.execute(delete(budgets).where(budgets.c.until < before))).rowcount
        old = delete(relay_states).where(relay_states.c.changed_at < before)
        return gone + (await connection.execute(old)).rowcount

    return await database.write(work)

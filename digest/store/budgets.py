"""How much was sent, and what relays said of it, the same for all processes: counts by cells of time, the
first day of a relay, and states of pauses.

What a name or a state means is not known here: who draws from a count says what it may hold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.store.database import Database
from digest.store.tables import budgets, relay_starts, relay_states

KEPT = timedelta(days=2)  # past its end, a cell may still count in a window of a day


class Budgets:
    """Counts that never go beyond their limits, whoever draws, and however often somebody starts anew."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, name: str, *, cell: int, since: int, limit: int, want: int, until: datetime) -> int:
        """Draw up to `want` from this count; how many were granted. In the cells from `since` to `cell` there
        are never more than `limit`. until: the end of this cell."""

        async def work(connection: AsyncConnection) -> int:
            await self._alone(connection, name)
            used = select(func.coalesce(func.sum(budgets.c.used), 0)).where(
                budgets.c.name == name, budgets.c.cell >= since
            )
            granted = max(0, min(want, limit - int((await connection.execute(used)).scalar_one())))
            if granted:
                row = self._database.insert(budgets).values(name=name, cell=cell, used=granted, until=until)
                await connection.execute(
                    row.on_conflict_do_update(
                        index_elements=["name", "cell"], set_={"used": budgets.c.used + granted}
                    )
                )
            return granted

        return await self._database.write(work)

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

"""What is remembered of a language model's work: its answers, and what was spent on it on each day (UTC)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import and_, case, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.store.database import Database
from digest.store.tables import answers, spending

LONGEST = 8_000  # characters of an answer


class Notebook:
    """Answers by the hash of what was asked; sums by day, the same for all processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def answer(self, key: str, *, by: datetime) -> str | None:
        """What had been kept under this key by then; None when there was nothing."""
        statement = select(answers.c.text).where(answers.c.key == key, answers.c.kept_at <= by)
        async with self._database.reading() as connection:
            found: str | None = (await connection.execute(statement)).scalar_one_or_none()
        return found

    async def keep(self, key: str, text: str, *, model: str, now: datetime) -> None:
        """Keep an answer, at most 8,000 characters of it. The first one stays: an issue that is made again
        must find what it was made of."""

        async def work(connection: AsyncConnection) -> None:
            row = self._database.insert(answers).values(
                key=key, text=text[:LONGEST], model=model, kept_at=now
            )
            await connection.execute(row.on_conflict_do_nothing())

        await self._database.write(work)

    async def spend(
        self,
        day: date,
        *,
        calls: int,
        tokens: int,
        micros: int,
        most_calls: int,
        most_tokens: int,
        most_micros: int | None,
    ) -> bool:
        """Take this much of the day's means, all or nothing. False, and nothing is taken, when a sum would
        be above its cap. most_micros None: money is not capped. Micros are millionths of a currency."""
        room = and_(
            spending.c.day == day,
            spending.c.calls + calls <= most_calls,
            spending.c.tokens + tokens <= most_tokens,
        )
        if most_micros is not None:
            room = and_(room, spending.c.micros + micros <= most_micros)

        async def work(connection: AsyncConnection) -> bool:
            row = self._database.insert(spending).values(day=day, calls=0, tokens=0, micros=0)
            await connection.execute(row.on_conflict_do_nothing())
            taken = await connection.execute(
                update(spending)
                .where(room)
                .values(
                    calls=spending.c.calls + calls,
                    tokens=spending.c.tokens + tokens,
                    micros=spending.c.micros + micros,
                )
                .returning(spending.c.day)
            )
            return taken.first() is not None

        return await self._database.write(work)

    async def settle(self, day: date, *, tokens: int, micros: int) -> None:
        """Correct what was taken, by what was truly used: added to the sums, which never fall below 0."""

        async def work(connection: AsyncConnection) -> None:
            sums = {"tokens": spending.c.tokens + tokens, "micros": spending.c.micros + micros}
            await connection.execute(
                update(spending)
                .where(spending.c.day == day)
                .values({name: case((value < 0, 0), else_=value) for name, value in sums.items()})
            )

        await self._database.write(work)

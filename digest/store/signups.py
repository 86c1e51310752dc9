"""What was asked for on the web, from the moment of asking to the confirmation letter.

    the form → `take` (one small write, the same for every address) → `answer` (a second later) → a letter

Asking and answering are apart, so that nobody learns from the time that an answer takes who reads what.
How much is asked for is counted in cells of time, over all processes and restarts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import CONFIRM_MAX_AGE, Subscription
from digest.store.codec import AnyRow, decode_mapping, encode
from digest.store.database import Database
from digest.store.joining import NEWEST_FIRST, ask
from digest.store.ledger import suppress_waiting
from digest.store.mailbox import free_at, mailbox_of
from digest.store.people import hash_of
from digest.store.seals import hold
from digest.store.tables import budgets, consents, deliveries, notices, signups, subscriptions

CELL = timedelta(minutes=10)
WINDOW = 6  # cells before this one: with it, an hour wherever it begins
WAITING = 3  # of one mailbox, put off until it may be mailed again
PATIENCE = timedelta(days=1, hours=1)  # how long one is put off at most: until a day after the last letter
AT_ONCE = 100

_LOCK = 0x64696741  # advisory, on PostgreSQL


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many sign-ups an hour may come from one place. name: of the place, keyed and hashed."""

    name: str
    limit: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A sign-up that was not taken. name: whose allowance is used up. until: no other look is worth it
    before. first: nobody has said so of this cell yet."""

    name: str
    until: datetime
    first: bool


class Signups:
    """The queue of those who asked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(
        self,
        newsletter: str,
        address: str,
        *,
        evidence: Mapping[str, Any],
        allowances: Sequence[Allowance],
        now: datetime,
    ) -> Refused | None:
        """Write down that somebody asked; None: it is taken. What is done does not depend on the address."""
        row = {
            "newsletter": newsletter,
            "address": address,
            "mailbox": mailbox_of(self._database, address),
            "evidence": encode(evidence),
            "asked_at": now,
            "due_at": now,
        }
        return await self._database.write(partial(self._take, row, allowances, now))

    async def _take(
        self,
        row: Mapping[str, Any],
        allowances: Sequence[Allowance],
        now: datetime,
        connection: AsyncConnection,
    ) -> Refused | None:
        await self._database.lock(connection, _LOCK)
        cell = int(now.timestamp() // CELL.total_seconds())
        until = datetime.fromtimestamp((cell + 1) * CELL.total_seconds(), UTC)
        used = await _used(connection, allowances, cell)
        for one in allowances:
            if used.get(one.name, 0) >= one.limit:
                first = await self._count(connection, [f"{one.name} refused"], cell, until) == [1]
                return Refused(one.name, until, first)
        await self._count(connection, [one.name for one in allowances], cell, until)
        await connection.execute(insert(signups).values(row))
        return None

    async def _count(
        self, connection: AsyncConnection, names: Sequence[str], cell: int, until: datetime
    ) -> list[int]:
        """One more of each in this cell; how many there are now."""
        if not names:
            return []
        row = self._database.insert(budgets).values(
            [{"name": name, "cell": cell, "used": 1, "until": until} for name in names]
        )
        counted = row.on_conflict_do_update(
            index_elements=["name", "cell"], set_={"used": budgets.c.used + 1}
        )
        return list((await connection.execute(counted.returning(budgets.c.used))).scalars())

    async def answer(self, now: datetime) -> int:
        """Look at what was asked for: mail who may be mailed, put off who was mailed another letter lately,
        forget the rest: readers, who has this letter already, and who left since. How many letters were
        written."""
        due = select(signups.c.id).where(signups.c.due_at <= now).order_by(signups.c.due_at, signups.c.id)
        async with self._database.reading() as connection:
            ids = list((await connection.execute(due.limit(AT_ONCE))).scalars())
        mailed = 0
        for number in ids:
            mailed += await self._database.write(partial(self._answer, number, now))
        return mailed

    async def _answer(self, number: int, now: datetime, connection: AsyncConnection) -> bool:
        await hold(connection)
        gone = delete(signups).where(signups.c.id == number, signups.c.due_at <= now).returning(signups)
        row = (await connection.execute(gone)).first()
        if row is None:  # another process was first
            return False
        asked = await ask(
            self._database,
            connection,
            row.newsletter,
            row.address,
            evidence=decode_mapping(row.evidence),
            now=now,
            asked_at=row.asked_at,
        )
        if asked.later is not None and asked.later <= row.asked_at + PATIENCE:
            await _put_off(connection, row, asked.later)
        return asked.mailed

    async def is_full(self, newsletter: str, address: str) -> bool:
        """Whether so many of this mailbox wait that this newsletter would be forgotten. Only its owner may be
        told."""
        theirs = signups.c.mailbox == mailbox_of(self._database, address)
        async with self._database.reading() as connection:
            waiting = (await connection.execute(select(signups.c.newsletter).where(theirs))).scalars().all()
        return newsletter not in waiting and len(waiting) >= WAITING

    async def waiting(self) -> int:
        """How many have asked and were not answered yet."""
        async with self._database.reading() as connection:
            return int((await connection.execute(select(func.count()).select_from(signups))).scalar_one())


async def _used(connection: AsyncConnection, allowances: Sequence[Allowance], cell: int) -> dict[str, int]:
    if not allowances:
        return {}
    rows = await connection.execute(
        select(budgets.c.name, func.sum(budgets.c.used).label("used"))
        .where(budgets.c.cell >= cell - WINDOW, or_(*(budgets.c.name == one.name for one in allowances)))
        .group_by(budgets.c.name)
    )
    return {row.name: int(row.used) for row in rows}


async def _put_off(connection: AsyncConnection, row: AnyRow, later: datetime) -> None:
    """A person who wants two newsletters gets the second letter an hour later; a flood is not stored."""
    same = exists().where(signups.c.mailbox == row.mailbox, signups.c.newsletter == row.newsletter)
    if (await connection.execute(select(same))).scalar_one():
        return
    others = select(func.count()).select_from(signups).where(signups.c.mailbox == row.mailbox)
    if (await connection.execute(others)).scalar_one() < WAITING:
        await connection.execute(insert(signups).values(**{**row._mapping, "due_at": later}))


async def ask_there(
    database: Database,
    connection: AsyncConnection,
    asked: Sequence[Subscription],
    old: str,
    new: str,
    now: datetime,
) -> None:
    """What its owner asked for at the old address, from where they move, is asked at the new one. asked: what
    was mailed there and waits for a yes.

    The link of that letter proves the old address only, so it is dead from now on; a letter of its own goes
    to the new one as soon as that may be mailed.
    """
    nearby = select(signups.c.id, signups.c.address).where(signups.c.mailbox == mailbox_of(database, old))
    theirs = hash_of(database, old)
    queued = [row.id for row in await connection.execute(nearby) if hash_of(database, row.address) == theirs]
    there = {"address": new, "mailbox": mailbox_of(database, new)}
    await connection.execute(update(signups).where(signups.c.id.in_(queued)).values(there))
    due = await free_at(database, connection, "confirm", new, now)
    for one in asked:
        said = (
            select(consents.c.evidence)
            .where(
                consents.c.subscriber_id == one.subscriber_id,
                consents.c.newsletter == one.newsletter,
                consents.c.event == "asked",
            )
            .order_by(*NEWEST_FIRST)
            .limit(1)
        )
        evidence = (await connection.execute(said)).scalar_one_or_none() or encode({})
        times = {"asked_at": one.asked_at, "due_at": due}
        await connection.execute(
            insert(signups).values(newsletter=one.newsletter, evidence=evidence, **there, **times)
        )
    dead = [one.id for one in asked]
    await connection.execute(
        update(subscriptions).where(subscriptions.c.id.in_(dead)).values(asked_at=now - CONFIRM_MAX_AGE)
    )
    letters = select(notices.c.id).where(notices.c.kind == "confirm")
    unsent = deliveries.c.subscription_id.in_(dead) & deliveries.c.notice_id.in_(letters)
    await suppress_waiting(connection, unsent, "they have another address now", now)


async def forget_signups(database: Database, connection: AsyncConnection, addresses: Sequence[str]) -> int:
    """Of addresses that are erased, in whatever spelling; how many."""
    theirs = {hash_of(database, one) for one in addresses}
    nearby = select(signups.c.id, signups.c.address).where(
        signups.c.mailbox.in_([mailbox_of(database, one) for one in addresses])
    )
    found = [row.id for row in await connection.execute(nearby) if hash_of(database, row.address) in theirs]
    await connection.execute(delete(signups).where(signups.c.id.in_(found)))
    return len(found)

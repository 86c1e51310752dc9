"""Has anybody changed the past? The consent ledger, walked from its first line to its head.

Each line is held against its seal, its person and its evidence (`walk`); then the persons and subscriptions
of today against the last word of the ledger (`standing`). Pages of lines are read, so that a million take a
few seconds and little memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import DigestError
from digest.store import consent, standing
from digest.store.bulk import Rows
from digest.store.chain import Head, Keys
from digest.store.codec import from_epoch
from digest.store.database import Database
from digest.store.seals import Kept, as_it_lies, is_no_text, is_ours, kept_head
from digest.store.sync import remember
from digest.store.tables import consents, meta
from digest.store.walk import SHOWN, Walk, lines_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found. head: of the lines that are there. found: lines that were there before the chain, and
    are sealed as they were found, the last of them at found_at. problems: in words; none when all is well."""

    head: Head
    found: int = 0
    found_at: datetime | None = None
    problems: tuple[str, ...] = ()


class Ledger:
    """The consent ledger as a whole."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def head(self) -> Head:
        """Where the chain ends now. Raises DigestError when its head is gone."""
        async with self._database.reading() as connection:
            return _certain(await kept_head(connection))

    async def head_of_the_day(self, now: datetime) -> Head | None:
        """The head, to whoever asks first on a day (UTC); None for all others. Raises DigestError when it is
        gone."""
        today = now.date().isoformat()

        async def work(connection: AsyncConnection) -> Head | None:
            head = _certain(await kept_head(connection, lock=True))
            known = select(meta.c.value).where(meta.c.name == "consent head")
            if (await connection.execute(known)).scalar_one_or_none() == today:
                return None
            await remember(self._database, connection, "consent head", today)
            return head

        return await self._database.write(work)

    async def verify(
        self, *, heads: Iterable[Head] = (), progress: Callable[[int, int], None] = lambda _done, _all: None
    ) -> Verdict:
        """Walk the whole chain. heads: that were printed before, and must still be on it. Raises DigestError
        without the secret."""
        keys = self._database.keys
        if keys is None:
            raise DigestError("without the secret nobody can tell whether the ledger was changed")
        walk = Walk(keys, self._database.pepper, list(heads))
        async with self._database.reading() as connection:  # one state of the database throughout
            kept = await kept_head(connection)
            problems = [
                *await _read(_walked(walk, self._database, connection, kept, progress), "the lines"),
                *_beginning(keys, kept),
                *await _read(_strays(connection, kept), "the lines that are on no chain"),
                *await _read(standing.persons(connection), "the persons"),
                *await _read(standing.readers(connection), "the subscriptions"),
                *await _read(consent.problems(connection), "the subscriptions"),
                *await _read(standing.lost(connection), "the subscriptions"),
            ]
        at = from_epoch(walk.found_at) if walk.found and not problems else None
        return Verdict(head=walk.end, found=walk.found, found_at=at, problems=tuple(problems))


def _certain(kept: Kept | None) -> Head:
    if kept is None:
        raise DigestError("the head of the consent ledger is gone: `digest subscribers verify` says more")
    return kept.head


async def _walked(
    walk: Walk,
    database: Database,
    connection: AsyncConnection,
    kept: Kept | None,
    progress: Callable[[int, int], None],
) -> list[str]:
    after: Any = 0

    def page(raw: sqlite3.Connection | Connection) -> list[Any]:
        return lines_after(Rows(raw), after)

    while rows := await database.by_hand(connection, page):
        walk.look_at(rows)
        after = rows[-1][0]
        progress(walk.end.length, walk.end.length if kept is None else kept.head.length)
    numbered = select(func.count()).select_from(consents).where(consents.c.seq > 0)
    walk.missed = (await connection.execute(numbered)).scalar_one() - walk.walked
    return list(walk.findings(None if kept is None else kept.head))


async def _read(findings: Awaitable[list[str]], what: str) -> list[str]:
    """These findings; or that they cannot be made, as there are bytes that are no text."""
    try:
        return await findings
    except (DBAPIError, sqlite3.Error) as error:
        if not is_no_text(error):
            raise
        return [f"{what} cannot all be read: there is text that is no UTF-8, which we never write"]


def _beginning(keys: Keys, kept: Kept | None) -> list[str]:
    if kept is None:
        return ["the head of the ledger is gone, or somebody wrote into it what we never do"]
    if kept.begun is None or kept.found_to is None:
        return ["the chain has not been begun, or somebody took away the mark of where it was"]
    if not is_ours(keys, kept):
        return ["where the chain begins is not as it was sealed: the mark of the lines before it was changed"]
    return []


async def _strays(connection: AsyncConnection, kept: Kept | None) -> list[str]:
    """Lines that are on no chain."""
    loose = (
        select(consents.c.id, as_it_lies(consents.c.seq).label("seq"))
        .where(or_(consents.c.seq.is_(None), consents.c.seq < 1))
        .order_by(consents.c.id)
        .limit(SHOWN)
    )
    found_to = 0 if kept is None else kept.found_to or 0
    return [
        f"the row with the id {row.id} "
        + (
            "waits to be sealed"
            if row.seq is None and row.id <= found_to
            else "is on no chain: added by somebody else"
        )
        for row in await connection.execute(loose)
    ]

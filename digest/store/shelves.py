"""The archive of a newsletter: its issues by year and month, and which of them are kept no longer.

An issue that is shelved answers nobody any more: it is in no list, no feed and no search. Its row stays, so
that a config which keeps more brings it back.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Select,
    Text,
    and_,
    case,
    cast,
    delete,
    exists,
    func,
    not_,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from digest.model import Headline, Issue, Listed, Month, Retention
from digest.store.codec import AnyRow
from digest.store.database import Database
from digest.store.search import forget
from digest.store.tables import feed_archives, issues, meta

CHUNK = 200
HEADLINES = 3


class Shelves:
    """Public issues, as lists show them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def months(self, newsletter: str) -> builtins.list[Month]:
        """The months in which issues came out, latest first."""
        month = func.substr(cast(issues.c.date, Text), 1, 7).label("month")
        statement = select(month, func.count().label("n")).where(_public(newsletter)).group_by(month)
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement.order_by(month.desc()))).all()
        return [Month(year=int(row.month[:4]), month=int(row.month[5:]), issues=row.n) for row in rows]

    async def between(self, newsletter: str, first: date, last: date) -> builtins.list[Listed]:
        """The issues of these days, latest first."""
        where = and_(_public(newsletter), issues.c.date >= first, issues.c.date <= last)
        return await self._list(self._listed(where))

    async def newest(
        self, newsletter: str, *, limit: int, before: int | None = None
    ) -> builtins.list[Listed]:
        """The newest issues; before: older than the issue with this id."""
        where = _public(newsletter)
        if before is not None:
            where = and_(where, issues.c.id < before)
        return await self._list(self._listed(where).limit(limit))

    async def addresses(self, newsletter: str, *, limit: int) -> builtins.list[tuple[str, datetime]]:
        """Where the newest issues stand, and when each came out or was corrected last."""
        # Only what was corrected is looked into: to read all would take ten times as long.
        corrected = case((issues.c.revision > 1, self._said()["updated_at"].as_string()))
        statement = (
            select(issues.c.path, issues.c.composed_at, corrected.label("corrected"))
            .where(_public(newsletter))
            .order_by(issues.c.id.desc())
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [
                (row.path, datetime.fromisoformat(row.corrected) if row.corrected else row.composed_at)
                for row in await connection.execute(statement)
            ]

    async def latest_of_each(self) -> dict[str, Listed]:
        """The newest issue of every newsletter that has one, by slug."""
        newest = select(func.max(issues.c.id)).where(issues.c.public.is_(True)).group_by(issues.c.newsletter)
        listed = await self._list(self._listed(issues.c.id.in_(newest)))
        return {one.newsletter: one for one in listed}

    async def neighbours(self, issue: Issue) -> tuple[Listed | None, Listed | None]:
        """The public issues of the same newsletter before and after this one."""
        same = _public(issue.newsletter)
        older = self._listed(and_(same, issues.c.id < issue.id)).limit(1)
        newer = self._listed(and_(same, issues.c.id > issue.id)).order_by(None).order_by(issues.c.id).limit(1)
        async with self._database.reading() as connection:
            rows = [(await connection.execute(statement)).first() for statement in (older, newer)]
        before, after = (None if row is None else _listed(row) for row in rows)
        return before, after

    def _said(self) -> Any:
        """An issue's data, to read single words of."""
        return (
            type_coerce(issues.c.data, JSON)
            if self._database.dialect == "sqlite"
            else cast(issues.c.data, JSON)
        )

    def _listed(self, where: ColumnElement[bool]) -> Select[Any]:
        # Of each issue a few words are read: to read the whole would take ten times as long.
        said = self._said()
        if self._database.dialect == "sqlite":
            count = func.json_array_length(issues.c.data, "$.stories")
        else:
            count = func.json_array_length(said["stories"])
        return (
            select(
                issues.c.id,
                issues.c.newsletter,
                issues.c.path,
                issues.c.date,
                said["title"].as_string().label("title"),
                said["language"].as_string().label("language"),
                said["updated_at"].as_string().label("updated_at"),
                *(
                    said[("stories", number, name)].as_string().label(f"{name}_{number}")
                    for number in range(HEADLINES)
                    for name in ("title", "language")
                ),
                count.label("stories"),
            )
            .where(where)
            .order_by(issues.c.id.desc())
        )

    async def _list(self, statement: Select[Any]) -> builtins.list[Listed]:
        async with self._database.reading() as connection:
            return [_listed(row) for row in await connection.execute(statement)]

    # ------------------------------------------------------------ retention

    async def is_shelved(self, path: str) -> bool:
        """Whether there was an issue here that is kept no longer."""
        statement = select(issues.c.id).where(issues.c.path == path, issues.c.shelved_at.is_not(None))
        async with self._database.reading() as connection:
            return (await connection.execute(statement)).first() is not None

    async def linked(self, told: Iterable[Issue]) -> builtins.list[Issue]:
        """These issues, whose stories name where they were told before only if that is still there."""
        told = list(told)
        paths = {story.earlier.path for issue in told for story in issue.stories if story.earlier}
        if not paths:
            return told
        statement = select(issues.c.path).where(issues.c.path.in_(paths), issues.c.shelved_at.is_not(None))
        async with self._database.reading() as connection:
            gone = frozenset((await connection.execute(statement)).scalars())
        return [_without(issue, gone) for issue in told] if gone else told

    async def keep(self, newsletter: str, kept: Retention, *, today: date, now: datetime) -> int:
        """Shelve what is older than the newsletter wants to keep, and bring back what it keeps again; how
        many issues changed. Not all in one transaction: call it until it gives 0."""

        async def work(connection: AsyncConnection) -> int:
            old = await self._old(connection, newsletter, kept, today)
            mine = issues.c.newsletter == newsletter
            away = select(issues.c.id).where(mine, issues.c.public.is_(True), old).limit(CHUNK)
            back = select(issues.c.id).where(mine, issues.c.shelved_at.is_not(None), not_(old)).limit(CHUNK)
            gone = list((await connection.execute(away)).scalars())
            kept_again = list((await connection.execute(back)).scalars())
            if gone:
                await forget(self._database, connection, gone)
                values = {"public": False, "shelved_at": now}
                await connection.execute(update(issues).where(issues.c.id.in_(gone)).values(values))
            if kept_again:
                again = {"public": True, "shelved_at": None, "indexed": 0}
                await connection.execute(update(issues).where(issues.c.id.in_(kept_again)).values(again))
            if gone or kept_again:  # the documents that hold them are made again
                await connection.execute(
                    update(feed_archives).where(feed_archives.c.newsletter == newsletter).values(made="")
                )
                mark = self._database.insert(meta).values(name=_mark(newsletter), value=now.isoformat())
                await connection.execute(mark.on_conflict_do_nothing())
            return len(gone) + len(kept_again)

        return await self._database.write(work)

    async def is_unpublished(self, newsletter: str) -> bool:
        """Whether the feeds may not show yet what was shelved, or brought back."""
        statement = select(exists().where(meta.c.name == _mark(newsletter)))
        async with self._database.reading() as connection:
            return bool((await connection.execute(statement)).scalar_one())

    async def published(self, newsletter: str) -> None:
        """The feeds show what the archive shows."""

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(delete(meta).where(meta.c.name == _mark(newsletter)))

        await self._database.write(work)

    async def _old(
        self, connection: AsyncConnection, newsletter: str, kept: Retention, today: date
    ) -> ColumnElement[bool]:
        limits: builtins.list[ColumnElement[bool]] = []
        if kept.age is not None:
            limits.append(issues.c.date < today - kept.age)
        if kept.issues is not None:
            shown = or_(issues.c.public.is_(True), issues.c.shelved_at.is_not(None))
            oldest = (
                select(issues.c.id)
                .where(issues.c.newsletter == newsletter, shown)
                .order_by(issues.c.id.desc())
                .offset(kept.issues - 1)
                .limit(1)
            )
            last = (await connection.execute(oldest)).scalar_one_or_none()
            limits.append(issues.c.id < (last or 0))
        return or_(*limits) if limits else issues.c.id < 0


def _mark(newsletter: str) -> str:
    return f"shelved:{newsletter}"


def _without(issue: Issue, gone: frozenset[str]) -> Issue:
    stories = tuple(
        replace(story, earlier=None) if story.earlier and story.earlier.path in gone else story
        for story in issue.stories
    )
    return replace(issue, stories=stories)


def _listed(row: AnyRow) -> Listed:
    told = row._mapping
    titles = [(told[f"title_{number}"], told[f"language_{number}"]) for number in range(HEADLINES)]
    return Listed(
        id=row.id,
        newsletter=row.newsletter,
        path=row.path,
        date=row.date,
        title=row.title,
        headlines=tuple(
            Headline(title=title, language=language or "") for title, language in titles if title
        ),
        language=row.language,
        stories=row.stories,
        updated_at=datetime.fromisoformat(row.updated_at),
    )


def _public(newsletter: str) -> ColumnElement[bool]:
    return and_(issues.c.newsletter == newsletter, issues.c.public.is_(True))

"""What composing asks for: the articles of a window, those behind told stories, and how common terms were.

Terms are counted over blocks of `ready` numbers, each once, when it is full. So what was common before an
issue is always counted over the same articles, and an issue can be made again later, to the byte.
"""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Background
from digest.store.codec import AnyRow, decode_mapping, encode
from digest.store.database import Database, chunks
from digest.store.sealed import Sealed
from digest.store.tables import articles, feeds, follows, term_counts

PAGE = 250  # rows read at once, so that pages get their turn between
BLOCK = 500  # articles
BLOCKS = 24  # that tell what is common: weeks of an ordinary newsletter
AT_LEAST = 2  # articles of a block that a term must stand in to be kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The terms of one block's articles of one language, as they lie in the store."""

    block: int
    language: str
    articles: int
    data: str


class Windows:
    """Articles by their `ready` numbers, unopened."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, newsletter: str, *, after: int, through: int) -> builtins.list[Sealed]:
        """The articles numbered (after, through] of the feeds that this newsletter follows now."""
        statement = (
            select(
                articles.c.id,
                articles.c.ready,
                articles.c.data,
                feeds.c.url.label("feed_url"),
                follows.c.since,
            )
            .join(feeds, feeds.c.id == articles.c.feed_id)
            .join(follows, follows.c.feed_id == articles.c.feed_id)
            .where(follows.c.newsletter == newsletter, follows.c.ended_at.is_(None))
        )
        return await self._paged(statement, after, through)

    async def of_feeds(
        self, newsletter: str, urls: Collection[str], *, after: int, through: int
    ) -> builtins.list[Sealed]:
        """The articles numbered (after, through] of these feeds, whoever follows them now: what a newsletter
        with another config would have had. A feed that it did not follow counts as followed since somebody
        did."""
        wanted = frozenset(urls)
        async with self._database.reading() as connection:
            mine = await connection.execute(
                select(follows.c.feed_id, follows.c.since).where(follows.c.newsletter == newsletter)
            )
            since = {row.feed_id: row.since for row in mine}
            anyone = await connection.execute(
                select(follows.c.feed_id, func.min(follows.c.since).label("since")).group_by(
                    follows.c.feed_id
                )
            )
            first = {row.feed_id: row.since for row in anyone}
            rows = await connection.execute(select(feeds.c.id, feeds.c.url))
            by_id = {row.id: row.url for row in rows if row.url in wanted}
        statement = select(articles.c.id, articles.c.ready, articles.c.data, articles.c.feed_id)
        return [
            Sealed(
                id=row.id,
                ready=row.ready,
                feed_url=by_id[row.feed_id],
                data=row.data,
                since=since.get(row.feed_id, first[row.feed_id]),
            )
            async for row in self._rows(statement, after, through)
            if row.feed_id in by_id and row.feed_id in first
        ]

    async def reach(self, newsletter: str, *, after: int, through: int, most: int) -> int:
        """Where this window begins when only the newest `most` of its articles are looked at."""
        statement = (
            select(articles.c.ready)
            .join(follows, follows.c.feed_id == articles.c.feed_id)
            .where(
                follows.c.newsletter == newsletter,
                follows.c.ended_at.is_(None),
                articles.c.ready > after,
                articles.c.ready <= through,
            )
            .order_by(articles.c.ready.desc())
            .offset(most)
            .limit(1)
        )
        async with self._database.reading() as connection:
            return int((await connection.execute(statement)).scalar_one_or_none() or after)

    async def kept(self, ids: Iterable[int]) -> builtins.list[Sealed]:
        """These articles, by id; those that are gone are left out."""
        found: builtins.list[Sealed] = []
        for some in chunks(sorted(set(ids)), PAGE):
            statement = (
                select(articles.c.id, articles.c.ready, articles.c.data)
                .where(articles.c.id.in_(some))
                .order_by(articles.c.id)
            )
            async with self._database.reading() as connection:
                found += [
                    Sealed(id=row.id, ready=row.ready, feed_url="", data=row.data)
                    for row in await connection.execute(statement)
                ]
        return found

    async def ready_at(self, moment: datetime) -> int:
        """The last `ready` number that had been given by then; 0: none."""
        statement = select(func.max(articles.c.ready)).where(articles.c.ready_at <= moment)
        async with self._database.reading() as connection:
            return int((await connection.execute(statement)).scalar_one() or 0)

    # ------------------------------------------------------------ how common terms were

    async def uncounted(self, through: int) -> builtins.list[int]:
        """The full blocks up to this `ready` number, of the latest ones, whose terms nobody has counted."""
        full = range(through // BLOCK)[-BLOCKS:]
        if not full:
            return []
        statement = select(term_counts.c.block).where(term_counts.c.block >= full[0]).distinct()
        async with self._database.reading() as connection:
            counted = set((await connection.execute(statement)).scalars())
        return [block for block in full if block not in counted]

    async def block(self, number: int) -> builtins.list[Sealed]:
        """The articles of a block."""
        statement = select(articles.c.id, articles.c.ready, articles.c.data)
        rows = self._rows(statement, number * BLOCK, (number + 1) * BLOCK)
        return [Sealed(id=row.id, ready=row.ready, feed_url="", data=row.data) async for row in rows]

    async def count(self, counted: Sequence[Counted]) -> None:
        """Keep what was counted; what is kept already stays."""

        async def work(connection: AsyncConnection) -> None:
            for each in counted:
                row = self._database.insert(term_counts).values(
                    block=each.block, language=each.language, articles=each.articles, terms=each.data
                )
                await connection.execute(row.on_conflict_do_nothing())

        await self._database.write(work)

    async def common(self, after: int) -> builtins.list[Counted]:
        """What was counted of the latest full blocks up to this `ready` number."""
        full = range(after // BLOCK)[-BLOCKS:]
        if not full:
            return []
        statement = (
            select(term_counts)
            .where(term_counts.c.block >= full[0], term_counts.c.block <= full[-1])
            .order_by(term_counts.c.block, term_counts.c.language)
        )
        async with self._database.reading() as connection:
            return [
                Counted(block=row.block, language=row.language, articles=row.articles, data=row.terms)
                for row in await connection.execute(statement)
            ]

    # ------------------------------------------------------------ reading

    async def _paged(self, statement: Select[Any], after: int, through: int) -> builtins.list[Sealed]:
        return [
            Sealed(id=row.id, ready=row.ready, feed_url=row.feed_url, data=row.data, since=row.since)
            async for row in self._rows(statement, after, through)
        ]

    async def _rows(self, statement: Select[Any], after: int, through: int) -> AsyncIterator[AnyRow]:
        """Page by page: what has a `ready` number does not change any more."""
        while True:
            page = (
                statement.where(articles.c.ready > after, articles.c.ready <= through)
                .order_by(articles.c.ready)
                .limit(PAGE)
            )
            async with self._database.reading() as connection:
                rows = (await connection.execute(page)).all()
            for row in rows:
                yield row
            if len(rows) < PAGE:
                return
            after = rows[-1].ready


def count_terms(number: int, found: Sequence[Sealed]) -> tuple[Counted, ...]:
    """The terms of a block's articles, by language; runs in a worker. A block without articles is counted,
    too, so that nobody looks at it again."""
    sizes: Counter[str] = Counter()
    terms: dict[str, Counter[str]] = {}
    for each in found:
        article = each.opened()
        sizes[article.language] += 1
        terms.setdefault(article.language, Counter()).update(article.fingerprint.terms.keys())
    if not sizes:
        return (Counted(block=number, language="", articles=0, data="{}"),)
    return tuple(
        Counted(
            block=number,
            language=language,
            articles=size,
            data=encode({term: n for term, n in sorted(terms[language].items()) if n >= AT_LEAST}),
        )
        for language, size in sorted(sizes.items())
    )


def background(counted: Sequence[Counted]) -> Background:
    """All of it together; runs in a worker."""
    sizes: Counter[str] = Counter()
    terms: dict[str, Counter[str]] = {}
    for each in counted:
        sizes[each.language] += each.articles
        held: Mapping[str, int] = decode_mapping(each.data)
        terms.setdefault(each.language, Counter()).update(held)
    known = {language: size for language, size in sizes.items() if size}
    return Background(articles=known, terms={language: dict(terms[language]) for language in known})

"""What we have read: articles, the `ready` numbers that say in which order they may be used, and windows.

`ready` numbers are given in one short transaction at a time, so that they commit in order: whoever has seen
number n has every number below it. A plain sequence, read while writers commit, loses rows.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Article, Entry, Recorded, UnreadEntry
from digest.store.codec import AnyRow, decode, encode, key_of, micros
from digest.store.database import READY_LOCK, Database, chunks, clock
from digest.store.tables import articles, counters, entries, feeds, follows

MOST_FOUND = 100
_LAST_READY = select(counters.c.value).where(counters.c.name == "ready")


class Articles:
    """Articles by id and by `ready` number."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim_unread(
        self, now: datetime, *, limit: int, lease: timedelta
    ) -> builtins.list[UnreadEntry]:
        """Take news that nobody has read yet, in the order it came in."""
        due = (
            select(entries.c.id)
            .where(entries.c.unread.is_(True), entries.c.lease_until <= clock())
            .order_by(entries.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True, key_share=True)
            .cte("due")
            .prefix_with("MATERIALIZED")
        )
        claim = (
            update(entries)
            .where(entries.c.id.in_(select(due.c.id)))
            .values(
                fence=entries.c.fence + 1,
                attempts=entries.c.attempts + 1,
                lease_until=clock() + micros(lease),
            )
            .returning(entries)
        )

        async def work(connection: AsyncConnection) -> builtins.list[UnreadEntry]:
            claimed = sorted(await connection.execute(claim), key=lambda row: int(row.id))
            found = select(feeds.c.id, feeds.c.url, feeds.c.title, feeds.c.language).where(
                feeds.c.id.in_({row.feed_id for row in claimed})
            )
            by_id = {row.id: row for row in await connection.execute(found)}
            return [_unread(row, by_id[row.feed_id]) for row in claimed]

        return await self._database.write(work)

    async def record(self, article: Article, *, fence: int) -> int | None:
        """Keep what we read of an entry; its id. None: the claim was lost, or another was first."""
        mine = (
            update(entries)
            .where(
                entries.c.id == article.entry_id,
                entries.c.fence == fence,
                entries.c.unread.is_(True),
            )
            .values(unread=False, lease_until=0)
            .returning(entries.c.id)
        )
        row = {
            "entry_id": article.entry_id,
            "feed_id": article.feed_id,
            "guid_key": key_of(article.guid),
            "url_key": key_of(article.url),
            "received_at": article.received_at,
            "data": encode(article),
        }

        async def work(connection: AsyncConnection) -> int | None:
            if (await connection.execute(mine)).first() is None:
                return None
            added = await connection.execute(insert(articles).values(row).returning(articles.c.id))
            return int(added.scalar_one())

        return await self._database.write(work)

    async def make_ready(self, now: datetime, *, limit: int = 1000) -> int:
        """Number what is read and has rested, in the order it came in; how many."""
        settled = (
            select(articles.c.id, articles.c.entry_id)
            .join(entries, entries.c.id == articles.c.entry_id)
            .where(
                articles.c.ready.is_(None),
                or_(entries.c.rest_until.is_(None), entries.c.rest_until <= now),
            )
            .order_by(articles.c.entry_id)
            .limit(limit)
            .subquery("settled")
        )
        numbered = select(
            settled.c.id, func.row_number().over(order_by=settled.c.entry_id).label("place")
        ).cte("numbered")

        async def work(connection: AsyncConnection) -> int:
            await self._database.lock(connection, READY_LOCK)
            before = (await connection.execute(_LAST_READY)).scalar_one()
            given = await connection.execute(
                update(articles)
                .where(articles.c.id == numbered.c.id)
                .values(ready=before + numbered.c.place, ready_at=now)
                .returning(articles.c.id)  # sqlite3 counts no rows of a statement that begins with WITH
            )
            count = len(given.all())
            if count:
                await self._database.count_up(connection, "ready", count)
            return count

        return await self._database.write(work)

    async def max_ready(self) -> int:
        """The last `ready` number given; every one up to it is committed."""
        async with self._database.reading() as connection:
            return int((await connection.execute(_LAST_READY)).scalar_one())

    async def waiting(self, newsletter: str, now: datetime) -> int:
        """How much is still on its way: this newsletter's feeds that are due or being asked, and its
        unread entries."""
        ours = exists().where(
            follows.c.newsletter == newsletter,
            follows.c.ended_at.is_(None),
            follows.c.feed_id == feeds.c.id,
        )
        asked = select(func.count()).where(
            ours,
            feeds.c.gone.is_(False),
            or_(feeds.c.next_poll_at <= now, feeds.c.lease_until > clock()),
        )
        unread = (
            select(func.count())
            .select_from(entries.join(feeds, feeds.c.id == entries.c.feed_id))
            .where(ours, entries.c.unread.is_(True))
        )
        async with self._database.reading() as connection:
            counts = [(await connection.execute(statement)).scalar_one() for statement in (asked, unread)]
        return sum(map(int, counts))

    async def find(self, text: str, *, link: int | None = None) -> builtins.list[Recorded]:
        """Entries by their article's number (or, if there is no such article, by their own), by the article's
        exact address, by the feed's own id for them, or by where they link to (`Marks.link`)."""
        key = key_of(text)
        of_a_feed = entries.c.feed_id.in_(select(feeds.c.id))  # lets the database use the index
        which = [
            of_a_feed & (entries.c.guid_key == key),
            of_a_feed & (entries.c.also_key == key),
            entries.c.id.in_(select(articles.c.entry_id).where(articles.c.url_key == key)),
            entries.c.id.in_(select(articles.c.entry_id).where(articles.c.guid_key == key)),
        ]
        if link is not None:
            which.append(of_a_feed & (entries.c.link_mark == link))
        if text.isascii() and text.isdigit() and len(text) < 19:
            own = exists().where(articles.c.id == int(text))
            which += [
                entries.c.id.in_(select(articles.c.entry_id).where(articles.c.id == int(text))),
                (entries.c.id == int(text)) & ~own,
            ]
        found: dict[int, Recorded] = {}
        async with self._database.reading() as connection:
            for condition in which:  # one by one: joined by OR, no index would be used
                statement = (
                    select(entries, feeds.c.url.label("feed_url"), articles.c.id.label("article_id"))
                    .join(feeds, feeds.c.id == entries.c.feed_id)
                    .outerjoin(articles, articles.c.entry_id == entries.c.id)
                    .where(condition)
                    .limit(MOST_FOUND)
                )
                for row in await connection.execute(statement):
                    found[row.id] = _recorded(row)
        return [found[number] for number in sorted(found)]

    async def get_many(self, ids: Iterable[int]) -> builtins.list[Article]:
        """These articles, by id; those that are gone are left out."""
        found: builtins.list[Article] = []
        async with self._database.reading() as connection:
            for some in chunks(sorted(set(ids))):
                statement = select(articles).where(articles.c.id.in_(some)).order_by(articles.c.id)
                found += [_article(row) for row in await connection.execute(statement)]
        return found


def _article(row: AnyRow) -> Article:
    return replace(decode(Article, row.data), id=row.id, ready=row.ready)


def _recorded(row: AnyRow) -> Recorded:
    return Recorded(
        id=row.id,
        feed_url=row.feed_url,
        guid=row.guid,
        entry=None if row.data is None else decode(Entry, row.data),
        received_at=row.received_at,
        published=row.published,
        backlog=row.backlog,
        unread=row.unread,
        rest_until=row.rest_until,
        article_id=row.article_id,
    )


def _unread(row: AnyRow, feed: AnyRow) -> UnreadEntry:
    return UnreadEntry(
        id=row.id,
        feed_id=feed.id,
        feed_url=feed.url,
        feed_title=feed.title,
        feed_language=feed.language,
        fence=row.fence,
        attempts=row.attempts,
        received_at=row.received_at,
        published=row.published,
        dated=row.dated,
        backlog=row.backlog,
        position=row.position,
        entry=decode(Entry, row.data),
    )

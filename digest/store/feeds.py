"""The feeds we follow: who is due, who holds which, and what they said."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, exists, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Feed, FeedStatus, KnownEntry, Marks, NewEntry, NotFound, Wishes
from digest.store.codec import AnyRow, clean, decode, encode, host_of, micros, since_epoch
from digest.store.database import PULL_LOCK, Database, clock
from digest.store.entries import find_known, record_entries
from digest.store.tables import articles, entries, feeds, follows

FEEDS_A_HOST = 8
"""So many feeds of one host are taken at a time: they are asked one after another, within the lease."""

COLUMNS = tuple(feeds.c[field.name] for field in fields(Feed))


def is_followed() -> ColumnElement[bool]:
    """Some newsletter follows this feed now."""
    return exists().where(follows.c.feed_id == feeds.c.id, follows.c.ended_at.is_(None))


class Feeds:
    """Feeds by url, as configured."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim_due(
        self, now: datetime, *, limit: int, lease: timedelta, force: bool = False
    ) -> builtins.list[Feed]:
        """Take feeds that are due, longest waiting first. force: also those that are not due yet, but none
        that was asked at `now` or later, so that asking until there are no more comes to an end."""
        due = feeds.c.next_poll_at <= now
        if force:
            due = or_(feeds.c.last_polled_at.is_(None), feeds.c.last_polled_at < now)
        return await self._claim(due, limit, lease)

    async def claim_now(self, url: str, *, lease: timedelta) -> Feed | None:
        """Take this one feed, due or not; None: not followed, gone, or somebody else has it."""
        return next(iter(await self._claim(feeds.c.url == url, 1, lease)), None)

    async def _claim(self, which: ColumnElement[bool], limit: int, lease: timedelta) -> builtins.list[Feed]:
        # One worker at a time asks a host, over all processes: a host of which any feed is held is passed by,
        # and of the others only so many are taken that the lease lasts for them one after another.
        held = feeds.alias("held")
        busy = exists().where(held.c.host == feeds.c.host, held.c.lease_until > clock())
        place = func.row_number().over(partition_by=feeds.c.host, order_by=(feeds.c.next_poll_at, feeds.c.id))
        due = (
            select(feeds.c.id, place.label("place"))
            .where(which, feeds.c.gone.is_(False), feeds.c.lease_until <= clock(), is_followed(), ~busy)
            .cte("due")
            .prefix_with("MATERIALIZED")
        )
        # key_share: a lock that goes together with the one an article's or entry's foreign key takes on its
        # feed; a stronger one would skip a feed only because something of it is being written down.
        taken = (
            select(feeds.c.id)
            .where(feeds.c.id.in_(select(due.c.id).where(due.c.place <= FEEDS_A_HOST)))
            .order_by(feeds.c.next_poll_at, feeds.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True, key_share=True, of=feeds)
            .cte("taken")
            .prefix_with("MATERIALIZED")
        )
        statement = (
            update(feeds)
            .where(feeds.c.id.in_(select(taken.c.id)))
            .values(fence=feeds.c.fence + 1, lease_until=clock() + micros(lease))
            .returning(*COLUMNS)
        )

        async def work(connection: AsyncConnection) -> builtins.list[Feed]:
            await self._database.lock(connection, PULL_LOCK)
            claimed = [_feed(row) for row in await connection.execute(statement)]
            return sorted(claimed, key=lambda feed: (feed.next_poll_at, feed.id))

        return await self._database.write(work)

    async def release(self, claimed: Sequence[Feed]) -> None:
        """Give these back, unasked: they are due as before."""
        statement = (
            update(feeds)
            .where(feeds.c.id == bindparam("feed_id"), feeds.c.fence == bindparam("held"))
            .values(lease_until=0)
        )
        rows = [{"feed_id": feed.id, "held": feed.fence} for feed in claimed]

        async def work(connection: AsyncConnection) -> None:
            if rows:
                await connection.execute(statement, rows)

        await self._database.write(work)

    async def record_quiet(self, polled: Sequence[Feed]) -> None:
        """Write down polls that brought nothing: unchanged feeds and failures, all in one transaction. What
        another has claimed since stays as it is."""
        rows = [_quiet_state(feed) for feed in polled]

        async def work(connection: AsyncConnection) -> None:
            if rows:
                await connection.execute(_QUIET, rows)

        await self._database.write(work)

    async def record_poll(self, feed: Feed, entries: Sequence[NewEntry], *, now: datetime) -> int | None:
        """Write what a poll brought: the feed's new state, and its entries in the order given.

        How many entries were new. None: the claim was lost to another, and nothing is written. A changed
        entry gets a revision; what we work with changes only while no issue can have used it.
        """
        return (await self.record_polls([(feed, entries)], now=now))[0]

    async def record_polls(
        self, polls: Sequence[tuple[Feed, Sequence[NewEntry]]], *, now: datetime
    ) -> builtins.list[int | None]:
        """`record_poll` for each of these, all in one transaction."""
        states = [_full_state(feed) for feed, _ in polls]
        ids = [feed.id for feed, _ in polls]
        ours = select(feeds.c.id, feeds.c.fence).where(self._database.among(feeds.c.id, ids))

        async def work(connection: AsyncConnection) -> builtins.list[int | None]:
            # In the order of their ids: two of these transactions never wait for each other in a ring.
            rows = await connection.execute(ours.order_by(feeds.c.id).with_for_update(key_share=True))
            fences = {row.id: row.fence for row in rows}
            held = [number for number, (feed, _) in enumerate(polls) if fences.get(feed.id) == feed.fence]
            if not held:
                return [None] * len(polls)
            await connection.execute(_POLLED, [states[number] for number in held])
            told = [(polls[number][0].id, polls[number][1]) for number in held]
            counts = await record_entries(self._database, connection, told, now)
            new: dict[int, int] = dict(zip(held, counts, strict=True))
            return [new.get(number) for number in range(len(polls))]

        return await self._database.write(work)

    async def known(
        self, feed_id: int, guids: Sequence[str], marks: Sequence[Marks]
    ) -> builtins.list[KnownEntry]:
        """What the feed has told before of what its document holds now: the entries with these guids, and of
        those whose guid is unknown, or points elsewhere now, what they might be. marks: beside each guid."""
        return await find_known(self._database, feed_id, guids, marks)

    async def list(self) -> builtins.list[FeedStatus]:
        """All feeds that are followed, by url."""
        return await self._statuses(select(*COLUMNS).where(is_followed()).order_by(feeds.c.url))

    async def followed(self) -> builtins.list[Feed]:
        """The feeds alone, by url: what is asked at every scrape must not count entries."""
        statement = select(*COLUMNS).where(is_followed()).order_by(feeds.c.url)
        async with self._database.reading() as connection:
            return [_feed(row) for row in await connection.execute(statement)]

    async def get(self, url: str) -> FeedStatus:
        """One feed, also one that is followed no more. Raises NotFound."""
        found = await self._statuses(select(*COLUMNS).where(feeds.c.url == url))
        if not found:
            raise NotFound(f"there is no feed {url}")
        return found[0]

    async def _statuses(self, statement: Select[Any]) -> builtins.list[FeedStatus]:
        async with self._database.reading() as connection:
            found = [_feed(row) for row in await connection.execute(statement)]
            only = found[0].id if len(found) == 1 else None
            told = await _count(connection, entries.c.feed_id, only)
            read = await _count(connection, articles.c.feed_id, only)
            running = select(follows.c.feed_id, follows.c.newsletter).where(follows.c.ended_at.is_(None))
            by_feed: dict[int, builtins.list[str]] = {}
            for row in await connection.execute(running.order_by(follows.c.newsletter)):
                by_feed.setdefault(row.feed_id, []).append(row.newsletter)
        return [
            FeedStatus(
                feed=feed,
                newsletters=tuple(by_feed.get(feed.id, ())),
                entries=told.get(feed.id, 0),
                articles=read.get(feed.id, 0),
            )
            for feed in found
        ]


def _feed(row: AnyRow) -> Feed:
    given = dict(row._mapping)
    if given["wishes"] is not None:
        given["wishes"] = _wishes(given["wishes"])
    return Feed(**given)


@lru_cache(maxsize=1_000)
def _wishes(text: str) -> Wishes:
    return decode(Wishes, text)  # a few kinds of them serve all feeds


# What a poll without news changes. Plain text with plain numbers: most polls are these, and what SQLAlchemy
# does for each parameter took four times as long as the database.
_QUIET = text(
    """UPDATE feeds SET address = :address, host = :host, etag = :etag, last_modified = :last_modified,
       body_hash = :body_hash, failures = :failures, error = :error, gone = :gone,
       last_polled_at = :last_polled_at, last_ok_at = :last_ok_at, next_poll_at = :next_poll_at,
       "interval" = :interval, rhythm = :rhythm, longest_gap = :longest_gap, moved_to = :moved_to,
       moved_seen = :moved_seen, lease_until = 0
       WHERE id = :id AND fence = :fence"""
)


def _quiet_state(feed: Feed) -> dict[str, Any]:
    return {
        "id": feed.id,
        "fence": feed.fence,
        "address": clean(feed.address),
        "host": clean(host_of(feed.address)),
        "etag": feed.etag and clean(feed.etag),
        "last_modified": feed.last_modified and clean(feed.last_modified),
        "body_hash": feed.body_hash,
        "failures": feed.failures,
        "error": feed.error and clean(feed.error),
        "gone": feed.gone,
        "last_polled_at": since_epoch(feed.last_polled_at),
        "last_ok_at": since_epoch(feed.last_ok_at),
        "next_poll_at": since_epoch(feed.next_poll_at),
        "interval": micros(feed.interval),
        "rhythm": None if feed.rhythm is None else micros(feed.rhythm),
        "longest_gap": None if feed.longest_gap is None else micros(feed.longest_gap),
        "moved_to": feed.moved_to and clean(feed.moved_to),
        "moved_seen": feed.moved_seen,
    }


# What a poll that read a document changes besides.
_POLLED = text(
    _QUIET.text.replace(
        " lease_until",
        """ title = :title, site_url = :site_url, language = :language, last_new_at = :last_new_at,
       wishes = :wishes, lease_until""",
    )
)


def _full_state(feed: Feed) -> dict[str, Any]:
    return _quiet_state(feed) | {
        "title": clean(feed.title),
        "site_url": clean(feed.site_url),
        "language": clean(feed.language),
        "last_new_at": since_epoch(feed.last_new_at),
        "wishes": None if feed.wishes is None else encode(feed.wishes),
    }


async def _count(
    connection: AsyncConnection, feed_id: ColumnElement[int], only: int | None
) -> dict[int, int]:
    statement = select(feed_id, func.count().label("n")).group_by(feed_id)
    if only is not None:
        statement = statement.where(feed_id == only)
    return {row[0]: row.n for row in await connection.execute(statement)}

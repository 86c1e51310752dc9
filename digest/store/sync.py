"""Making the store agree with the config: what is new, what changed, what has left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import case, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Edition, Follow, Newsletter, Site
from digest.store.addressing import close_born
from digest.store.codec import encode, host_of
from digest.store.database import SYNC_LOCK, Database
from digest.store.editions import MANUAL, edition_of, find_or_found, has_readers, key_of, own_edition
from digest.store.ledger import place_when_unknown, suppress_waiting
from digest.store.recipients import settle_recipients
from digest.store.seals import hold
from digest.store.tables import (
    OPEN,
    deliveries,
    editions,
    entries,
    feeds,
    follows,
    issues,
    meta,
    newsletters,
    slots,
    subscriptions,
)

FIRST_INTERVAL = timedelta(hours=1)


async def sync_newsletters(
    database: Database,
    connection: AsyncConnection,
    wanted: Sequence[Newsletter],
    site: Site,
    now: datetime,
) -> None:
    """The transaction of `Newsletters.sync`."""
    await database.lock(connection, SYNC_LOCK)
    await hold(connection)
    await remember(database, connection, "authority", urlsplit(site.url).hostname or "")
    for newsletter in wanted:
        await _define(database, connection, newsletter)
        await _schedule(database, connection, newsletter, now)
    await _feeds(database, connection, wanted, now)
    for newsletter in wanted:
        await settle_recipients(database, connection, newsletter, now)
    await _retire_others(connection, [newsletter.slug for newsletter in wanted], now)


async def remember(database: Database, connection: AsyncConnection, name: str, value: str) -> None:
    """Write one word of the house into `meta`."""
    row = database.insert(meta).values(name=name, value=value)
    await connection.execute(
        row.on_conflict_do_update(index_elements=["name"], set_={"value": row.excluded.value})
    )


async def _define(database: Database, connection: AsyncConnection, newsletter: Newsletter) -> None:
    before = (
        await connection.execute(select(newsletters.c.unknown).where(newsletters.c.slug == newsletter.slug))
    ).scalar_one_or_none()
    row = database.insert(newsletters).values(
        slug=newsletter.slug, definition=encode(newsletter), unknown=newsletter.unknown
    )
    await connection.execute(
        row.on_conflict_do_update(
            index_elements=["slug"],
            set_={
                "definition": row.excluded.definition,
                "unknown": row.excluded.unknown,
                "retired_at": None,
            },
        )
    )
    if before not in (None, newsletter.unknown):  # another policy holds for the letters in doubt, too
        await connection.execute(
            update(deliveries)
            .where(deliveries.c.newsletter == newsletter.slug, deliveries.c.state == "unknown")
            .values(queue=place_when_unknown())
        )


async def _schedule(
    database: Database, connection: AsyncConnection, newsletter: Newsletter, now: datetime
) -> None:
    """The newsletter's own edition, and the manual one. A changed schedule goes on where the old one was.

    Everything that is read is looked at anew: it may have been long asleep, and the rules of its zone may
    have changed with the system.
    """
    slug, rhythm = newsletter.slug, newsletter.schedule.rhythm
    rows = await connection.execute(
        select(editions).where(editions.c.newsletter == slug).order_by(editions.c.id).with_for_update()
    )
    known = [edition_of(row) for row in rows]
    if all((edition.cadence, edition.at, edition.zone) != MANUAL for edition in known):
        await _found_manual(connection, slug, now)
    own = next((edition for edition in known if edition.own), None)
    if own is None or key_of(rhythm) != (own.cadence, own.at, own.zone):
        new = await find_or_found(database, connection, slug, rhythm, through=0, now=now)
        if own is not None:
            await _take_over(connection, own, new, now)
        await connection.execute(update(editions).where(editions.c.id == new.id).values(own=True))
    await connection.execute(
        update(editions)
        .where(
            editions.c.newsletter == slug,
            editions.c.cadence != MANUAL[0],
            or_(editions.c.own.is_(True), editions.c.next_at.is_not(None), has_readers(editions.c.id)),
        )
        .values(
            next_at=case(
                (editions.c.next_at <= now, editions.c.next_at), else_=literal(now, editions.c.next_at.type)
            )
        )
    )


async def _found_manual(connection: AsyncConnection, slug: str, now: datetime) -> None:
    cadence, at, zone = MANUAL
    await connection.execute(
        insert(editions).values(
            newsletter=slug,
            cadence=cadence,
            at=at,
            zone=zone,
            own=False,
            through=0,
            created_at=now,
            since=now,
        )
    )


async def _take_over(connection: AsyncConnection, old: Edition, new: Edition, now: datetime) -> None:
    """The new rhythm goes on where the old one was: the same cursor, the same day, the same readers."""
    days = [day for day in (old.last_date, new.last_date) if day is not None]
    await connection.execute(update(editions).where(editions.c.id == old.id).values(own=False))
    await connection.execute(
        update(editions)
        .where(editions.c.id == new.id)
        .values(
            through=old.through,
            last_date=max(days, default=None),
            since=new.since if new.next_at is not None else now,
        )
    )
    await _move_readers(connection, old.id, new.id)


async def _move_readers(connection: AsyncConnection, old: int, new: int) -> None:
    # First the issue whose deliveries are still being born: it must find its readers where they are now.
    await connection.execute(
        update(issues).where(issues.c.reading_id == old, issues.c.recipients.is_(None)).values(reading_id=new)
    )
    await connection.execute(
        update(subscriptions).where(subscriptions.c.edition_id == old).values(edition_id=new)
    )


# ---------------------------------------------------------------- feeds


@dataclass(frozen=True, slots=True)
class _Wish:
    newsletter: str
    follow: Follow


async def _feeds(
    database: Database, connection: AsyncConnection, wanted: Sequence[Newsletter], now: datetime
) -> None:
    wishes = {(one.slug, follow.url): _Wish(one.slug, follow) for one in wanted for follow in one.follows}
    ids = {row.url: row.id for row in await connection.execute(select(feeds.c.url, feeds.c.id))}
    fresh = {url for _, url in wishes} - ids.keys()
    if fresh:
        await connection.execute(
            database.insert(feeds).on_conflict_do_nothing(),
            [
                {
                    "url": url,
                    "address": url,
                    "host": host_of(url),
                    "gone": False,
                    "next_poll_at": now,
                    "interval": FIRST_INTERVAL,
                }
                for url in sorted(fresh)
            ],
        )
        ids = {row.url: row.id for row in await connection.execute(select(feeds.c.url, feeds.c.id))}
    running = (await connection.execute(select(follows).where(follows.c.ended_at.is_(None)))).all()
    have = {(row.newsletter, row.feed_id) for row in running}
    want = {(wish.newsletter, ids[wish.follow.url]): wish for wish in wishes.values()}
    for newsletter, feed_id in have - want.keys():
        await connection.execute(
            update(follows)
            .where(follows.c.newsletter == newsletter, follows.c.feed_id == feed_id)
            .values(ended_at=now)
        )
    new = [key for key in want if key not in have]
    if new:
        row = database.insert(follows)
        await connection.execute(
            row.on_conflict_do_update(
                index_elements=["newsletter", "feed_id"],
                set_={"since": row.excluded.since, "ended_at": None},
            ),
            [{"newsletter": slug, "feed_id": feed_id, "since": now} for slug, feed_id in new],
        )
    for key in new:
        if want[key].follow.url not in fresh:
            await _ask_again(connection, key[1], now)
            await _reach_back(connection, key[1], want[key].follow, now)


async def _ask_again(connection: AsyncConnection, feed_id: int, now: datetime) -> None:
    """A feed that once said 410 is asked no more, until an admin puts it (back) into a newsletter."""
    gone = (feeds.c.id == feed_id, feeds.c.gone.is_(True))
    await connection.execute(update(feeds).where(*gone).values(gone=False, next_poll_at=now))


async def _reach_back(connection: AsyncConnection, feed_id: int, follow: Follow, now: datetime) -> None:
    """Entries that lay before every first window so far may lie inside the one of this new follower."""
    never_read = (
        entries.c.feed_id == feed_id,
        entries.c.unread.is_(False),
        entries.c.attempts == 0,
        entries.c.data.is_not(None),
    )
    statement = update(entries).where(*never_read).values(unread=True)
    if follow.first is not None:
        statement = statement.where(entries.c.published >= now - follow.first)
    await connection.execute(statement)


# ---------------------------------------------------------------- what has left the config


async def _retire_others(connection: AsyncConnection, slugs: Sequence[str], now: datetime) -> None:
    statement = select(newsletters.c.slug).where(
        newsletters.c.retired_at.is_(None), newsletters.c.slug.not_in(slugs)
    )
    for slug in (await connection.execute(statement)).scalars().all():
        await own_edition(connection, slug, lock=True)  # no issue is born meanwhile
        await connection.execute(update(newsletters).where(newsletters.c.slug == slug).values(retired_at=now))
        await _close_slots(connection, slug)
        born = select(issues.c.id).where(issues.c.newsletter == slug, issues.c.recipients.is_(None))
        for issue_id in (await connection.execute(born)).scalars().all():
            await close_born(connection, issue_id)
        await suppress_waiting(connection, deliveries.c.newsletter == slug, "newsletter retired", now)


async def _close_slots(connection: AsyncConnection, slug: str) -> None:
    """Nothing of it is looked at any more, and whatever was being made for a slot is not born."""
    its_own = select(editions.c.id).where(editions.c.newsletter == slug)
    await connection.execute(update(editions).where(editions.c.newsletter == slug).values(next_at=None))
    await connection.execute(
        update(slots).where(slots.c.edition_id.in_(its_own), slots.c.status == OPEN).values(status="skipped")
    )

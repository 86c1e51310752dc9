"""Letting go of what is old: finished deliveries and told articles. Counts and issues stay for good."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import DeliveryState
from digest.store.codec import encode
from digest.store.database import Database
from digest.store.erasing import ERASED
from digest.store.tables import (
    answers,
    articles,
    deliveries,
    delivery_events,
    editions,
    entries,
    entry_revisions,
    follows,
    issue_tallies,
    newsletters,
    notices,
    subscriptions,
    term_counts,
)
from digest.store.windows import BLOCK, BLOCKS
from digest.store.writer import Work

CHUNK = 5_000


async def prune_deliveries(database: Database, before: datetime) -> int:
    """Delete deliveries that came to rest before then; their numbers go into the issue's tally."""
    # They are what stands in a private feed.
    read_privately = exists().where(
        subscriptions.c.id == deliveries.c.subscription_id, subscriptions.c.feed_on.is_(True)
    )
    old = (
        select(deliveries.c.id)
        .where(
            deliveries.c.queue.is_(None),
            deliveries.c.state != DeliveryState.ATTEMPTING,
            deliveries.c.changed_at < before,
            ~read_privately,
        )
        .order_by(deliveries.c.id)
        .limit(CHUNK)
    )

    async def work(connection: AsyncConnection) -> int:
        ids = list((await connection.execute(old.with_for_update(skip_locked=True))).scalars())
        if not ids:
            return 0
        these = deliveries.c.id.in_(ids)
        keys = (deliveries.c.issue_id, deliveries.c.channel, deliveries.c.state)
        counted = await connection.execute(
            select(*keys, func.count().label("n"))
            .where(these, deliveries.c.issue_id.is_not(None))
            .group_by(*keys)
        )
        for row in counted.all():
            tally = database.insert(issue_tallies).values(
                issue_id=row.issue_id, channel=row.channel, state=row.state, count=row.n
            )
            await connection.execute(
                tally.on_conflict_do_update(
                    index_elements=["issue_id", "channel", "state"],
                    set_={"count": issue_tallies.c.count + tally.excluded.count},
                )
            )
        await connection.execute(delete(delivery_events).where(delivery_events.c.delivery_id.in_(ids)))
        # Without its delivery nobody knows whose a notice was: it keeps its key, and no address.
        told = select(deliveries.c.notice_id).where(these, deliveries.c.notice_id.is_not(None))
        await connection.execute(
            update(notices).where(notices.c.id.in_(told)).values(recipient=ERASED, data=encode({}))
        )
        await connection.execute(delete(deliveries).where(these))
        return len(ids)

    return await _until_done(database, work)


async def prune_articles(database: Database, before: datetime) -> int:
    """Delete articles received before then that no window of a living newsletter still needs.

    Their entries stay as bare ids: a feed that goes on naming one must not be able to tell it again as new.
    """
    lowest = (
        select(editions.c.newsletter, func.min(editions.c.through).label("through"))
        .join(newsletters, newsletters.c.slug == editions.c.newsletter)
        .where(editions.c.next_at.is_not(None), newsletters.c.retired_at.is_(None))
        .group_by(editions.c.newsletter)
        .cte("lowest")
    )  # of the editions that have readers, and the newsletters' own
    needed = exists().where(
        follows.c.feed_id == articles.c.feed_id,
        follows.c.ended_at.is_(None),
        lowest.c.newsletter == follows.c.newsletter,
        lowest.c.through < articles.c.ready,
    )
    old = (
        select(articles.c.id, articles.c.entry_id)
        .where(articles.c.received_at < before, articles.c.ready.is_not(None), ~needed)
        .order_by(articles.c.id)
        .limit(CHUNK)
    )

    async def work(connection: AsyncConnection) -> int:
        rows = (await connection.execute(old.with_for_update(skip_locked=True, of=articles))).all()
        if not rows:
            return 0
        entry_ids = [row.entry_id for row in rows]
        await connection.execute(delete(articles).where(articles.c.id.in_([row.id for row in rows])))
        await connection.execute(delete(entry_revisions).where(entry_revisions.c.entry_id.in_(entry_ids)))
        await connection.execute(update(entries).where(entries.c.id.in_(entry_ids)).values(data=None))
        return len(rows)

    return await _until_done(database, work)


async def prune_notes(database: Database, before: datetime) -> int:
    """Delete a model's answers from before then, and counts of terms that no issue can be made with again."""
    oldest = select(func.min(articles.c.ready)).scalar_subquery()
    newest = select(func.max(term_counts.c.block)).scalar_subquery()
    useless = (term_counts.c.block < oldest / BLOCK - BLOCKS) & (term_counts.c.block <= newest - BLOCKS)

    async def work(connection: AsyncConnection) -> int:
        gone = (await connection.execute(delete(answers).where(answers.c.kept_at < before))).rowcount
        return gone + (await connection.execute(delete(term_counts).where(useless))).rowcount

    return await database.write(work)


async def _until_done(database: Database, work: Work[int]) -> int:
    """Chunk by chunk, a transaction each, so that letters and pages get their turn between."""
    total = 0
    while done := await database.write(work):
        total += done
    return total

"""How the deliveries of a born issue come about: a chunk of readers a transaction, then the count is frozen.

A chunk writes its readers' deliveries and moves those readers' `through` in one transaction. So the readers
who are left are those who still stand where the issue's window begins, also after a crash: nobody is written
to twice and nobody is passed over. With the last one the issue opens; before, nothing of it can be claimed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, delete, exists, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import DeliveryState
from digest.store.codec import AnyRow
from digest.store.database import Database
from digest.store.tables import (
    ACTIVE,
    deliveries,
    issue_channels,
    issue_letters,
    issue_tallies,
    issues,
    subscribers,
    subscriptions,
    suppressions,
)


async def add_chunk(
    database: Database, connection: AsyncConnection, issue_id: int, now: datetime, chunk: int
) -> bool:
    """The transaction of `Issues.add_deliveries`."""
    issue = await _oldest_born(connection, issue_id)
    if issue is None:
        return True
    audiences = await _audiences(connection, issue.id)
    for channel, audience in audiences.items():
        if audience == "newsletter":
            await _address_newsletter(connection, issue, channel, now)
    channels = [channel for channel, audience in audiences.items() if audience == "readers"]
    if channels:
        born = await _address_readers(database, connection, issue, channels, now, chunk)
        if born == chunk:
            return False
        await _cover_suppressed(connection, issue)
    else:
        await move_everyone(connection, issue.reading_id, issue.after, issue.through)
    await freeze(connection, issue.id, "open")
    return bool(issue.id == issue_id)


async def _oldest_born(connection: AsyncConnection, issue_id: int) -> AnyRow | None:
    """The issue whose turn it is, locked. A reader reaches an issue only through the one before it."""
    reading = select(issues.c.reading_id).where(issues.c.id == issue_id).scalar_subquery()
    statement = (
        select(issues)
        .where(issues.c.reading_id == reading, issues.c.recipients.is_(None), issues.c.id <= issue_id)
        .order_by(issues.c.id)
        .limit(1)
        .with_for_update()
    )
    return (await connection.execute(statement)).first()


async def _audiences(connection: AsyncConnection, issue_id: int) -> dict[str, str]:
    statement = select(issue_channels.c.channel, issue_channels.c.audience).where(
        issue_channels.c.issue_id == issue_id
    )
    rows = await connection.execute(statement.order_by(issue_channels.c.channel))
    return {row.channel: row.audience for row in rows}


_WRITTEN = (
    "channel",
    "recipient",
    "newsletter",
    "issue_id",
    "subscription_id",
    "state",
    "queue",
    "available_at",
    "created_at",
    "changed_at",
    "language",
)


def _columns(
    issue: AnyRow, channel: str, recipient: Any, subscription_id: Any, now: datetime
) -> list[ColumnElement[Any]]:
    moment = deliveries.c.available_at.type
    return [
        literal(channel),
        recipient,
        literal(issue.newsletter),
        literal(issue.id, deliveries.c.id.type),
        subscription_id,
        literal(DeliveryState.PENDING.value),
        literal(issue.id, deliveries.c.id.type),
        literal(now, moment),
        literal(now, moment),
        literal(now, moment),
        _spoken(issue, channel),
    ]


def _spoken(issue: AnyRow, channel: str) -> ColumnElement[Any]:
    """The reader's language if the issue was prepared in it, else the issue's own."""
    there = exists().where(
        issue_letters.c.issue_id == issue.id,
        issue_letters.c.channel == channel,
        issue_letters.c.language == subscriptions.c.language,
    )
    return case((there, subscriptions.c.language), else_=literal(""))


async def _address_newsletter(
    connection: AsyncConnection, issue: AnyRow, channel: str, now: datetime
) -> None:
    here = exists().where(deliveries.c.issue_id == issue.id, deliveries.c.channel == channel)
    if (await connection.execute(select(here))).scalar_one():
        return
    await connection.execute(
        insert(deliveries).values(
            channel=channel,
            recipient=issue.newsletter,
            newsletter=issue.newsletter,
            issue_id=issue.id,
            state=DeliveryState.PENDING,
            queue=issue.id,
            available_at=now,
            created_at=now,
            changed_at=now,
        )
    )


async def address_everyone(
    database: Database, connection: AsyncConnection, issue: AnyRow, channels: Sequence[str], now: datetime
) -> None:
    """Give each of these channels, which publish for everyone, its delivery of an issue that is out, if it
    has none (any more); what is counted stays right."""
    mine = (deliveries.c.issue_id == issue.id) & deliveries.c.subscription_id.is_(None)
    found = await connection.execute(select(deliveries.c.channel).where(mine).with_for_update())
    there = set(found.scalars())
    for channel in channels:
        if channel in there:
            continue
        await connection.execute(
            delete(issue_tallies).where(
                issue_tallies.c.issue_id == issue.id, issue_tallies.c.channel == channel
            )
        )
        counted = database.insert(issue_channels).values(
            issue_id=issue.id, channel=channel, audience="newsletter", recipients=1
        )
        await connection.execute(
            counted.on_conflict_do_update(index_elements=["issue_id", "channel"], set_={"recipients": 1})
        )
        await _address_newsletter(connection, issue, channel, now)


async def _address_readers(
    database: Database,
    connection: AsyncConnection,
    issue: AnyRow,
    channels: Sequence[str],
    now: datetime,
    chunk: int,
) -> int:
    """One chunk of readers, by id, in every channel that has readers; then they are covered."""
    first, *others = channels
    # Locked: whoever leaves now waits for us, and their delivery is refused at its intent.
    suppressed = exists().where(suppressions.c.hash == subscribers.c.hash)
    readers = (
        select(*_columns(issue, first, subscribers.c.address, subscriptions.c.id, now))
        .join_from(subscriptions, subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(
            subscriptions.c.edition_id == issue.reading_id,
            subscriptions.c.through == issue.after,
            subscriptions.c.status == ACTIVE,
            subscribers.c.address.is_not(None),
            # A letter to a dead address is refused at its intent, but stands in its reader's private feed.
            subscriptions.c.feed_on | ~suppressed,
        )
        .order_by(subscriptions.c.id)
        .limit(chunk)
        .with_for_update(of=subscriptions)
    )
    statement = insert(deliveries).from_select(_WRITTEN, readers).returning(deliveries.c.subscription_id)
    born = list((await connection.execute(statement)).scalars())
    if not born:
        return 0
    just_born = database.among(subscriptions.c.id, born)
    for channel in others:
        same = (
            select(*_columns(issue, channel, subscribers.c.address, subscriptions.c.id, now))
            .join_from(subscriptions, subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
            .where(just_born)
            .order_by(subscriptions.c.id)
        )
        await connection.execute(insert(deliveries).from_select(_WRITTEN, same))
    await connection.execute(update(subscriptions).where(just_born).values(through=issue.through))
    return len(born)


async def freeze(connection: AsyncConnection, issue_id: int, state: str) -> None:
    """The recipients are counted for good, and the issue takes its state, in one transaction."""
    counted = (
        select(func.count())
        .where(deliveries.c.issue_id == issue_id, deliveries.c.channel == issue_channels.c.channel)
        .scalar_subquery()
    )
    await connection.execute(
        update(issue_channels).where(issue_channels.c.issue_id == issue_id).values(recipients=counted)
    )
    readers = select(func.coalesce(func.max(issue_channels.c.recipients), 0)).where(
        issue_channels.c.issue_id == issue_id, issue_channels.c.audience == "readers"
    )
    await connection.execute(
        update(issues)
        .where(issues.c.id == issue_id)
        .values(recipients=readers.scalar_subquery(), state=state)
    )


async def close_born(connection: AsyncConnection, issue_id: int) -> None:
    """Cancel an issue whose deliveries are still being born: those who have none yet are passed over."""
    issue = (await connection.execute(select(issues).where(issues.c.id == issue_id).with_for_update())).one()
    await move_everyone(connection, issue.reading_id, issue.after, issue.through)
    await freeze(connection, issue_id, "cancelled")


async def _cover_suppressed(connection: AsyncConnection, issue: AnyRow) -> None:
    """Whoever must not be written to moves along, so that no issue is ever made for them alone."""
    suppressed = (
        select(subscribers.c.id)
        .join(suppressions, suppressions.c.hash == subscribers.c.hash)
        .where(subscribers.c.id == subscriptions.c.subscriber_id)
    )
    await connection.execute(
        update(subscriptions)
        .where(*_standing(issue.reading_id, issue.after), suppressed.exists())
        .values(through=issue.through)
    )


def _standing(edition_id: int, after: int) -> tuple[ColumnElement[bool], ...]:
    return (
        subscriptions.c.edition_id == edition_id,
        subscriptions.c.through == after,
        subscriptions.c.status == ACTIVE,
    )


async def move_everyone(connection: AsyncConnection, edition_id: int, after: int, through: int) -> None:
    """All readers of this edition who stand at one number, at another."""
    await connection.execute(
        update(subscriptions).where(*_standing(edition_id, after)).values(through=through)
    )


async def move_chunk(
    connection: AsyncConnection, edition_id: int, after: int, through: int, chunk: int
) -> int:
    """As many of them as go into one transaction; how many they were."""
    some = (
        select(subscriptions.c.id)
        .where(*_standing(edition_id, after))
        .order_by(subscriptions.c.id)
        .limit(chunk)
        .with_for_update()
    )
    moved = await connection.execute(
        update(subscriptions).where(subscriptions.c.id.in_(some)).values(through=through)
    )
    return moved.rowcount

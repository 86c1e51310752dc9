"""How an issue comes into the world: once, whole, and with every delivery before any may be claimed.

The cursor of the newsletter's own edition moves by compare-and-swap in the issue's own transaction, so there
is one issue for a window whatever restarts or second processes do. Then the deliveries are born, a chunk a
transaction; each moves its readers' `through`, which is how the next chunk, also after a crash, knows who is
left. With the last one the count is frozen and the issue opens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, exists, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Decision, DeliveryState, Issue, SlotKey
from digest.store.codec import AnyRow, encode
from digest.store.database import Database, chunks
from digest.store.editions import edition_of, own_edition
from digest.store.tables import (
    ACTIVE,
    decisions,
    deliveries,
    editions,
    issue_channels,
    issues,
    meta,
    newsletters,
    slots,
    subscribers,
    subscriptions,
    suppressions,
)

Audience = Literal["readers", "newsletter"]


class SomebodyWasFirst(Exception):
    """Another process has brought this issue, slot or window about."""


async def bring_about(
    database: Database,
    connection: AsyncConnection,
    issue: Issue,
    told: Sequence[Decision],
    prepared: Mapping[str, bytes],
    audiences: Mapping[str, Audience],
    slot: SlotKey | None,
    now: datetime,
) -> int:
    """The transaction of `Issues.birth`: the new issue's id. Raises SomebodyWasFirst."""
    own = await own_edition(connection, issue.newsletter, lock=True)
    edition_id = issue.edition_id
    manual = edition_id != own.id
    if own.through != issue.after:
        raise SomebodyWasFirst
    await connection.execute(update(editions).where(editions.c.id == own.id).values(through=issue.through))
    reading_id = own.id
    await _return_from_pause(connection, reading_id, issue)
    added = (
        database.insert(issues)
        .values(
            newsletter=issue.newsletter,
            edition_id=edition_id,
            reading_id=reading_id,
            date=issue.date,
            after=issue.after,
            through=issue.through,
            path=issue.path,
            state="born",
            paused=False,
            composed_at=issue.composed_at,
            public=issue.public,
            data=encode(issue),
        )
        .on_conflict_do_nothing()
        .returning(issues.c.id)
    )
    issue_id = (await connection.execute(added)).scalar_one_or_none()
    if issue_id is None:
        raise SomebodyWasFirst
    if slot is not None and not await take_slot(database, connection, slot, "issue", now, issue_id=issue_id):
        raise SomebodyWasFirst
    if manual:
        await connection.execute(
            update(editions).where(editions.c.id == edition_id).values(through=issue.through)
        )
    await _write_parts(connection, issue_id, told, prepared, audiences)
    await _fix_tag(connection, issue)
    return int(issue_id)


async def _return_from_pause(connection: AsyncConnection, edition_id: int, issue: Issue) -> None:
    """Whose pause ends with this issue's day gets this issue."""
    await connection.execute(
        update(subscriptions)
        .where(
            subscriptions.c.edition_id == edition_id,
            subscriptions.c.status == "paused",
            subscriptions.c.paused_until <= issue.date,
        )
        .values(status="active", paused_until=None, through=issue.after)
    )


async def _write_parts(
    connection: AsyncConnection,
    issue_id: int,
    told: Sequence[Decision],
    prepared: Mapping[str, bytes],
    audiences: Mapping[str, Audience],
) -> None:
    channels = [
        {"issue_id": issue_id, "channel": channel, "audience": audience, "prepared": prepared.get(channel)}
        for channel, audience in audiences.items()
    ]
    if channels:
        await connection.execute(insert(issue_channels), channels)
    for some in chunks(list(enumerate(told))):
        rows = [
            {
                "issue_id": issue_id,
                "position": position,
                "article_id": one.article_id,
                "verdict": one.verdict,
                "reason": one.reason,
                "story": one.story,
                "score": one.score,
                "terms": encode(one.terms),
            }
            for position, one in some
        ]
        await connection.execute(insert(decisions), rows)


async def _fix_tag(connection: AsyncConnection, issue: Issue) -> None:
    """The ids in feeds keep the authority and the date of the newsletter's first issue for good."""
    authority = select(meta.c.value).where(meta.c.name == "authority").scalar_subquery()
    await connection.execute(
        update(newsletters)
        .where(newsletters.c.slug == issue.newsletter, newsletters.c.tag_authority.is_(None))
        .values(tag_authority=func.coalesce(authority, ""), tag_date=issue.date)
    )


async def take_slot(
    database: Database,
    connection: AsyncConnection,
    slot: SlotKey,
    status: str,
    now: datetime,
    *,
    issue_id: int | None = None,
) -> bool:
    """Write what became of a slot, and let the edition remember its day; False: it is written already."""
    statement = (
        database.insert(slots)
        .values(
            edition_id=slot.edition_id,
            date=slot.date,
            due_at=slot.due_at,
            status=status,
            issue_id=issue_id,
            recorded_at=now,
        )
        .on_conflict_do_nothing()
        .returning(slots.c.date)
    )
    if (await connection.execute(statement)).first() is None:
        return False
    await connection.execute(
        update(editions)
        .where(
            editions.c.id == slot.edition_id,
            editions.c.last_date.is_(None) | (editions.c.last_date < slot.date),
        )
        .values(last_date=slot.date)
    )
    return True


async def pass_over(connection: AsyncConnection, edition_id: int, through: int) -> None:
    """An empty window is behind us: the edition's cursor and its readers' move together.

    While an issue's deliveries are being born its readers stand elsewhere; then the cursor stays, and the
    next window looks at these articles again.
    """
    locked = select(editions).where(editions.c.id == edition_id).with_for_update()
    edition = edition_of((await connection.execute(locked)).one())
    born = select(issues.c.id).where(issues.c.newsletter == edition.newsletter, issues.c.recipients.is_(None))
    if through <= edition.through or (await connection.execute(born.limit(1))).first() is not None:
        return
    await connection.execute(update(editions).where(editions.c.id == edition_id).values(through=through))
    await _move_everyone(connection, edition_id, edition.through, through)


async def _move_everyone(connection: AsyncConnection, edition_id: int, after: int, through: int) -> None:
    await connection.execute(
        update(subscriptions)
        .where(
            subscriptions.c.edition_id == edition_id,
            subscriptions.c.through == after,
            subscriptions.c.status == ACTIVE,
        )
        .values(through=through)
    )


# ---------------------------------------------------------------- deliveries


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
    else:
        await _move_everyone(connection, issue.reading_id, issue.after, issue.through)
    await freeze(connection, issue.id, "open")
    return bool(issue.id == issue_id)


async def _oldest_born(connection: AsyncConnection, issue_id: int) -> AnyRow | None:
    """The issue whose turn it is, locked. A reader reaches an issue only through the one before it."""
    newsletter = select(issues.c.newsletter).where(issues.c.id == issue_id).scalar_subquery()
    statement = (
        select(issues)
        .where(issues.c.newsletter == newsletter, issues.c.recipients.is_(None), issues.c.id <= issue_id)
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
    ]


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
            ~suppressed,
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
    await _move_everyone(connection, issue.reading_id, issue.after, issue.through)
    await freeze(connection, issue_id, "cancelled")

"""How an issue comes into the world: once, and whole.

The cursor of the newsletter's own edition moves by compare-and-swap in the issue's own transaction, so there
is one issue for a window whatever restarts or second processes do. Its deliveries follow (`addressing`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Decision, Issue, SlotKey
from digest.store.addressing import move_everyone
from digest.store.codec import encode
from digest.store.database import Database, chunks
from digest.store.editions import edition_of, own_edition
from digest.store.search import index
from digest.store.tables import (
    decisions,
    editions,
    issue_channels,
    issues,
    meta,
    newsletters,
    slots,
    subscriptions,
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
    await index(database, connection, issue_id, issue.newsletter, issue.stories if issue.public else ())
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
    await move_everyone(connection, edition_id, edition.through, through)

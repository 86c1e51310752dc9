"""How an issue comes into the world: once, and whole.

There is one issue for an edition, a day and the number where its readers stand, by a unique key. For the
archive the cursor of the newsletter's own edition moves, too, by compare-and-swap in the issue's own
transaction. So restarts and second processes make nothing twice. The deliveries follow (`addressing`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Literal

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Decision, Issue, OpenSlot, SlotKey
from digest.store.codec import encode
from digest.store.database import Database, chunks
from digest.store.editions import own_edition
from digest.store.search import index
from digest.store.tables import (
    PAUSED,
    decisions,
    editions,
    issue_channels,
    issue_letters,
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
    translated: Mapping[tuple[str, str], bytes],
    audiences: Mapping[str, Audience],
    slot: OpenSlot | None,
    now: datetime,
) -> int:
    """The transaction of `Issues.birth`: the new issue's id. Raises SomebodyWasFirst."""
    reading_id = issue.edition_id
    if issue.public:
        own = await own_edition(connection, issue.newsletter, lock=True)
        reading_id = own.id
        if own.through != issue.after:
            raise SomebodyWasFirst
        await connection.execute(
            update(editions)
            .where(editions.c.id.in_([own.id, issue.edition_id]))
            .values(through=issue.through)
        )
    if slot is None:
        await end_pauses(connection, reading_id, issue.date)
    else:
        await _still_open(connection, slot, issue)
    added = (
        database.insert(issues)
        .values(
            **({"id": issue.id} if issue.id else {}),
            newsletter=issue.newsletter,
            edition_id=issue.edition_id,
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
    if slot is not None:
        await _name_in_slot(connection, slot, int(issue_id), public=issue.public)
    await _write_parts(connection, issue_id, told, prepared, translated, audiences)
    await index(database, connection, issue_id, issue.newsletter, issue.stories if issue.public else ())
    await _fix_tag(connection, issue)
    return int(issue_id)


async def _still_open(connection: AsyncConnection, slot: OpenSlot, issue: Issue) -> None:
    """The slot, locked. Whoever wakes up after it was closed makes no issue for it any more."""
    statement = (
        select(slots)
        .where(slots.c.edition_id == slot.key.edition_id, slots.c.date == slot.key.date)
        .with_for_update()
    )
    row = (await connection.execute(statement)).first()
    if row is None or row.status != "open" or row.through != issue.through:
        raise SomebodyWasFirst


async def _name_in_slot(connection: AsyncConnection, slot: OpenSlot, issue_id: int, *, public: bool) -> None:
    statement = update(slots).where(slots.c.edition_id == slot.key.edition_id, slots.c.date == slot.key.date)
    if not public:
        statement = statement.where(slots.c.issue_id.is_(None))
    await connection.execute(statement.values(issue_id=issue_id))


async def end_pauses(connection: AsyncConnection, edition_id: int, day: date) -> None:
    """Whose pause is over by this day reads again, from where they stand."""
    await connection.execute(
        update(subscriptions)
        .where(
            subscriptions.c.edition_id == edition_id,
            subscriptions.c.status == PAUSED,
            subscriptions.c.paused_until <= day,
        )
        .values(status="active", paused_until=None)
    )


async def _write_parts(
    connection: AsyncConnection,
    issue_id: int,
    told: Sequence[Decision],
    prepared: Mapping[str, bytes],
    translated: Mapping[tuple[str, str], bytes],
    audiences: Mapping[str, Audience],
) -> None:
    channels = [
        {"issue_id": issue_id, "channel": channel, "audience": audience, "prepared": prepared.get(channel)}
        for channel, audience in audiences.items()
    ]
    if channels:
        await connection.execute(insert(issue_channels), channels)
    letters = [
        {"issue_id": issue_id, "channel": channel, "language": language, "prepared": data}
        for (channel, language), data in translated.items()
    ]
    if letters:
        await connection.execute(insert(issue_letters), letters)
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
    key: SlotKey,
    status: str,
    now: datetime,
    *,
    through: int | None = None,
) -> bool:
    """Write down a slot of an edition that is locked, and use up its day; False: it is written already."""
    statement = (
        database.insert(slots)
        .values(
            edition_id=key.edition_id,
            date=key.date,
            due_at=key.due_at,
            status=status,
            recorded_at=now,
            through=through,
        )
        .on_conflict_do_nothing()
        .returning(slots.c.date)
    )
    if (await connection.execute(statement)).first() is None:
        return False
    await connection.execute(
        update(editions)
        .where(
            editions.c.id == key.edition_id,
            editions.c.last_date.is_(None) | (editions.c.last_date < key.date),
        )
        .values(last_date=key.date)
    )
    return True

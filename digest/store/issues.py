"""The issues, with the reasons for what stands in them, and the slots they came out in."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, text, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Decision, DeliveryState, Issue, NotFound, OpenSlot, Rhythm, SlotRecord, Told
from digest.store.addressing import add_chunk, address_everyone, close_born
from digest.store.births import Audience, SomebodyWasFirst, bring_about
from digest.store.codec import AnyRow, decode, decode_mapping, encode
from digest.store.database import Database
from digest.store.invariant import progress
from digest.store.ledger import AT_ONCE, PLACE, note, suppress_waiting
from digest.store.search import index
from digest.store.tables import decisions, deliveries, editions, issue_channels, issue_letters, issues, slots

# What gives the next id of `issues`, and takes it out of turn.
_NEXT_ID = {
    "postgresql": ("SELECT nextval(pg_get_serial_sequence('issues', 'id'))",),
    "sqlite": (
        "UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'issues' RETURNING seq",
        "INSERT INTO sqlite_sequence (name, seq) VALUES ('issues', 1) RETURNING seq",
    ),
}


NONE_TRANSLATED: Mapping[tuple[str, str], bytes] = MappingProxyType({})


class Issues:
    """Issues by id and by path."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # ------------------------------------------------------------ birth

    async def birth(
        self,
        issue: Issue,
        *,
        decisions: Sequence[Decision],
        prepared: Mapping[str, bytes],
        translated: Mapping[tuple[str, str], bytes] = NONE_TRANSLATED,
        audiences: Mapping[str, Audience],
        slot: OpenSlot | None,
        now: datetime,
    ) -> Issue | None:
        """Freeze this issue; a public one moves the cursor of the newsletter's own edition over its window.

        prepared: by channel. translated: the same with the channel's own words in another language, by
        (channel, language); a reader whose language is not among them gets the issue in its own.

        slot: the open one that it is for; None for an issue by hand. Readers of its edition (of the own one,
        if it is public) who stand at `after` get it. None: somebody else was first (that window, slot or
        path is taken), and nothing was written.
        """

        async def work(connection: AsyncConnection) -> int:
            return await bring_about(
                self._database, connection, issue, decisions, prepared, translated, audiences, slot, now
            )

        try:
            issue_id = await self._database.write(work)
        except SomebodyWasFirst:
            return None
        return replace(issue, id=issue_id, state="born", recipients=None)

    async def add_deliveries(self, issue_id: int, now: datetime, *, chunk: int = AT_ONCE) -> bool:
        """Bring the next chunk of this issue's deliveries about; True when all are there.

        With the last one the recipients are counted for good and the issue opens; nothing of it can be
        claimed before. An older issue of the same newsletter that is not complete yet goes first.
        """

        async def work(connection: AsyncConnection) -> bool:
            return await add_chunk(self._database, connection, issue_id, now, chunk)

        # No letter goes before its intent is durable, and all of this with it.
        return await self._database.write(work, durable=False)

    async def unfinished(self) -> builtins.list[int]:
        """The issues whose deliveries are not all born, oldest first."""
        statement = select(issues.c.id).where(issues.c.recipients.is_(None)).order_by(issues.c.id)
        async with self._database.reading() as connection:
            return list((await connection.execute(statement)).scalars())

    async def slots(self, newsletter: str, limit: int = 100) -> builtins.list[SlotRecord]:
        """What became of this newsletter's slots, in all its editions, latest first."""
        made = select(func.count()).where(
            issues.c.edition_id == slots.c.edition_id, issues.c.date == slots.c.date
        )
        statement = (
            select(
                slots,
                editions.c.cadence,
                editions.c.at,
                editions.c.zone,
                editions.c.own,
                made.scalar_subquery().label("issues"),
            )
            .join(editions, editions.c.id == slots.c.edition_id)
            .where(editions.c.newsletter == newsletter)
            .order_by(slots.c.due_at.desc(), slots.c.edition_id.desc())
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [_slot(row) for row in await connection.execute(statement)]

    # ------------------------------------------------------------ reading

    async def free_path(self, newsletter: str, date: date) -> str:
        """A path nobody has: `world/2026-11-22`, then `world/2026-11-22-2`, …. It is only taken by a birth;
        of two that want the same one, the second is refused."""
        async with self._database.reading() as connection:
            number, stem = 1, f"{newsletter}/{date.isoformat()}"
            while True:
                path = stem if number == 1 else f"{stem}-{number}"
                taken = select(exists().where(issues.c.path == path))
                if not (await connection.execute(taken)).scalar_one():
                    return path
                number += 1

    async def next_id(self) -> int:
        """A number for an issue that is yet to be born, given to nobody else: its letter names its path."""

        async def work(connection: AsyncConnection) -> int:
            for statement in _NEXT_ID[self._database.dialect]:
                found = (await connection.execute(text(statement))).scalar_one_or_none()
                if found is not None:
                    return int(found)
            raise AssertionError("the last statement always gives a number")

        return await self._database.write(work)

    async def latest(
        self,
        newsletter: str | None = None,
        *,
        limit: int = 20,
        before: int | None = None,
        public: bool = True,
    ) -> builtins.list[Issue]:
        """The newest issues; before: older than the issue with this id. public: only those for everyone."""
        statement = select(issues).order_by(issues.c.id.desc()).limit(limit)
        if newsletter is not None:
            statement = statement.where(issues.c.newsletter == newsletter)
        if before is not None:
            statement = statement.where(issues.c.id < before)
        if public:
            statement = statement.where(issues.c.public.is_(True))
        return await self._many(statement)

    async def between(self, newsletter: str, *, after: int, through: int) -> builtins.list[Issue]:
        """The public issues with ids in (after, through], oldest first."""
        statement = select(issues).where(_public_after(newsletter, after), issues.c.id <= through)
        return await self._many(statement.order_by(issues.c.id))

    async def corrected(self, newsletter: str) -> builtins.list[tuple[int, int]]:
        """(id, revision) of the public issues that were corrected, oldest first."""
        statement = select(issues.c.id, issues.c.revision).where(
            _public_after(newsletter, 0), issues.c.revision > 1
        )
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(issues.c.id))
            return [(row.id, row.revision) for row in rows]

    async def ids_after(self, newsletter: str, issue_id: int) -> builtins.list[int]:
        """The public issues after this one, oldest first."""
        statement = select(issues.c.id).where(_public_after(newsletter, issue_id))
        async with self._database.reading() as connection:
            return list((await connection.execute(statement.order_by(issues.c.id))).scalars())

    async def get(self, issue_id: int) -> Issue:
        """One issue. Raises NotFound."""
        found = await self._many(select(issues).where(issues.c.id == issue_id))
        if not found:
            raise NotFound(f"there is no issue {issue_id}")
        return found[0]

    async def by_path(self, path: str) -> Issue | None:
        """The issue at this path."""
        return next(iter(await self._many(select(issues).where(issues.c.path == path))), None)

    async def neighbours(self, issue: Issue) -> tuple[Issue | None, Issue | None]:
        """The public issues of the same newsletter before and after this one."""
        same = (
            select(issues).where(issues.c.newsletter == issue.newsletter, issues.c.public.is_(True)).limit(1)
        )
        older = same.where(issues.c.id < issue.id).order_by(issues.c.id.desc())
        newer = same.where(issues.c.id > issue.id).order_by(issues.c.id)
        found = [next(iter(await self._many(statement)), None) for statement in (older, newer)]
        return found[0], found[1]

    async def told(
        self, newsletter: str, *, since: datetime, before: datetime, after: int, alone: bool = True
    ) -> builtins.list[Told]:
        """What readers who stand at `after` may know, of issues made from `since` on and earlier than
        `before`, newest first; without its articles, which `windows.kept` gives.

        That is what the archive told up to there. alone: nothing else; otherwise also what brought others
        there, one issue for each window.
        """
        when = (
            issues.c.newsletter == newsletter,
            issues.c.composed_at >= since,
            issues.c.composed_at < before,
        )
        which = select(issues.c.id).where(*when, issues.c.public.is_(True), issues.c.through <= after)
        if not alone:
            others = (
                select(func.min(issues.c.id))
                .where(*when, issues.c.through == after, issues.c.public.is_(False))
                .group_by(issues.c.after)
            )
            which = union_all(which, others)  # type: ignore[assignment]
        statement = select(issues).where(issues.c.id.in_(which)).order_by(issues.c.id.desc())
        return [
            Told(story=story, path=issue.path, date=issue.date, composed_at=issue.composed_at)
            for issue in await self._many(statement)
            for story in issue.stories
        ]

    async def decisions(self, issue_id: int) -> builtins.list[Decision]:
        """Why each article of the window is, or is not, in the issue, in the order they were decided."""
        statement = select(decisions).where(decisions.c.issue_id == issue_id).order_by(decisions.c.position)
        async with self._database.reading() as connection:
            return [_decision(row) for row in await connection.execute(statement)]

    async def decisions_for(self, article_id: int) -> builtins.list[tuple[Issue, Decision]]:
        """What was decided about one article, newest issue first."""
        statement = (
            select(decisions)
            .where(decisions.c.article_id == article_id)
            .order_by(decisions.c.issue_id.desc(), decisions.c.position)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement)).all()
        wanted = select(issues).where(issues.c.id.in_({row.issue_id for row in rows}))
        by_id = {issue.id: issue for issue in await self._many(wanted)}
        return [(by_id[row.issue_id], _decision(row)) for row in rows]

    async def prepared(self, issue_id: int, channel: str, language: str = "") -> bytes | None:
        """What the channel prepared when the issue was born; language: "" is the issue's own."""
        statement = select(issue_channels.c.prepared).where(
            issue_channels.c.issue_id == issue_id, issue_channels.c.channel == channel
        )
        if language:
            statement = select(issue_letters.c.prepared).where(
                issue_letters.c.issue_id == issue_id,
                issue_letters.c.channel == channel,
                issue_letters.c.language == language,
            )
        async with self._database.reading() as connection:
            found: bytes | None = (await connection.execute(statement)).scalar_one_or_none()
        return found

    async def progress(self, issue_id: int) -> dict[str, dict[str, int]]:
        """channel → state → how many deliveries."""
        async with self._database.reading() as connection:
            return await progress(connection, issue_id)

    async def composed_since(self, moment: datetime) -> builtins.list[int]:
        """The issues that were made after this moment, oldest first."""
        statement = select(issues.c.id).where(issues.c.composed_at > moment).order_by(issues.c.id)
        async with self._database.reading() as connection:
            return list((await connection.execute(statement)).scalars())

    async def _many(self, statement: Select[Any]) -> builtins.list[Issue]:
        async with self._database.reading() as connection:
            return [_issue(row) for row in await connection.execute(statement)]

    # ------------------------------------------------------------ control

    async def pause(self, issue_id: int) -> None:
        """No letter of this issue goes until it is resumed. Raises NotFound."""
        await self._set_paused(issue_id, paused=True)

    async def resume(self, issue_id: int) -> None:
        """The letters of this issue go again. Raises NotFound."""
        await self._set_paused(issue_id, paused=False)

    async def _set_paused(self, issue_id: int, *, paused: bool) -> None:
        await self.get(issue_id)

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(update(issues).where(issues.c.id == issue_id).values(paused=paused))

        await self._database.write(work)

    async def cancel(self, issue_id: int, now: datetime) -> int:
        """No further letter of this issue goes, ever; how many were stopped. Raises NotFound."""
        await self.get(issue_id)

        async def work(connection: AsyncConnection) -> int:
            locked = select(issues.c.recipients).where(issues.c.id == issue_id).with_for_update()
            if (await connection.execute(locked)).scalar_one() is None:
                await close_born(connection, issue_id)
            await connection.execute(update(issues).where(issues.c.id == issue_id).values(state="cancelled"))
            which = deliveries.c.issue_id == issue_id
            return await suppress_waiting(connection, which, "the issue was cancelled", now)

        return await self._database.write(work)

    async def revise(self, issue: Issue, *, now: datetime, channels: Sequence[str] = ()) -> bool:
        """Put this revision in the place of the one before it. False: that is not the one that stands.

        What is published for everyone (the feeds) is published again; readers get nothing. channels: those
        that publish for everyone today; one whose delivery was pruned, or that the newsletter did not have
        yet when the issue came out, is given a delivery. Of a cancelled issue nothing is delivered; the
        feeds are brought up to date without.
        """

        async def work(connection: AsyncConnection) -> bool:
            locked = select(issues).where(issues.c.id == issue.id).with_for_update()
            row = (await connection.execute(locked)).first()
            if row is None or _issue(row).revision != issue.revision - 1:
                return False
            revised = {"data": encode(issue), "revision": issue.revision}
            await connection.execute(update(issues).where(issues.c.id == issue.id).values(revised))
            told = issue.stories if row.public else ()
            await index(self._database, connection, issue.id, row.newsletter, told)
            if row.state == "cancelled":  # nothing of it is delivered any more
                return True
            # Also one that is being published just now: it may have looked at the issue before this. What
            # comes of that attempt is not written down any more, and another one follows.
            for_everyone = (deliveries.c.issue_id == issue.id) & deliveries.c.subscription_id.is_(None)
            if row.public and row.recipients is not None:
                await address_everyone(self._database, connection, row, channels, now)
            await _again(connection, for_everyone, f"revision {issue.revision}", now)
            return True

        return await self._database.write(work)

    async def retry(self, issue_id: int, now: datetime) -> int:
        """Try again what failed, and what is held because nobody knows whether it went; how many.
        Nothing of a cancelled issue is tried again. Raises NotFound."""
        await self.get(issue_id)

        async def work(connection: AsyncConnection) -> int:
            return await _again(connection, _wanting(issue_id), "to be tried again by hand", now)

        return await self._database.write(work)


async def _again(connection: AsyncConnection, which: ColumnElement[bool], reply: str, now: datetime) -> int:
    """Put deliveries at rest back into the queue as if they were new; how many."""
    statement = (
        update(deliveries)
        .where(which)
        .values(
            state=DeliveryState.PENDING,
            queue=PLACE,
            available_at=now,
            lease_until=0,
            fence=deliveries.c.fence + 1,
            attempts=0,
            changed_at=now,
        )
        .returning(deliveries.c.id)
    )
    rows = (await connection.execute(statement)).all()
    await note(connection, ((row.id, 0) for row in rows), DeliveryState.PENDING, now, reply=reply)
    return len(rows)


def _wanting(issue_id: int) -> ColumnElement[bool]:
    held = (deliveries.c.state == DeliveryState.UNKNOWN) & deliveries.c.queue.is_(None)
    alive = exists().where(issues.c.id == issue_id, issues.c.state == "open")
    return (deliveries.c.issue_id == issue_id) & alive & or_(deliveries.c.state == DeliveryState.FAILED, held)


def _issue(row: AnyRow) -> Issue:
    state = "paused" if row.paused and row.state == "open" else row.state
    return replace(
        decode(Issue, row.data),
        id=row.id,
        path=row.path,
        state=state,
        recipients=row.recipients,
        public=row.public,
    )


def _slot(row: AnyRow) -> SlotRecord:
    return SlotRecord(
        edition_id=row.edition_id,
        rhythm=Rhythm(cadence=row.cadence, at=time.fromisoformat(row.at), zone=row.zone),
        own=row.own,
        date=row.date,
        due_at=row.due_at,
        status=row.status,
        issue_id=row.issue_id,
        issues=row.issues,
        recorded_at=row.recorded_at,
    )


def _public_after(newsletter: str, issue_id: int) -> ColumnElement[bool]:
    return (issues.c.newsletter == newsletter) & issues.c.public.is_(True) & (issues.c.id > issue_id)


def _decision(row: AnyRow) -> Decision:
    return Decision(
        article_id=row.article_id,
        verdict=row.verdict,
        reason=row.reason,
        story=row.story,
        score=row.score,
        terms=decode_mapping(row.terms),
    )

"""What becomes of the slots of one edition: an issue for each number that its readers stand at.

slot due → opened, its end frozen → who stands where → draft of each window → issue, born with all its letters

An edition is one rhythm of a newsletter. Most of its readers stand where its last slot ended. The others came
from another edition or back from a pause, and get an issue that begins where their last letter ended.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from digest import timing
from digest.drafting import Drafts, draft_issue
from digest.line import Line
from digest.model import (
    DigestError,
    Draft,
    Edition,
    Issue,
    Newsletter,
    NotReady,
    OpenSlot,
    SlotKey,
    Standing,
)
from digest.pace import Pace
from digest.publishers.base import Audience, Speaks

log = logging.getLogger(__name__)

WAIT_FOR_ENTRIES = timedelta(minutes=5)
UNKNOWN_ZONE = timedelta(hours=1)  # until an edition is looked at again whose zone the system does not know
STANDINGS = 1_000  # that are read at once
KEPT = ("lead", "also")  # of the decisions about an issue for single readers: what it tells


class Round:
    """One look at what is due. Drafts are shared by all its editions; what fails stops nothing else."""

    def __init__(self, line: Line, now: datetime) -> None:
        self.line = line
        self.now = now
        self.issues: list[Issue] = []
        self.problems: list[str] = []
        self._drafts: Drafts = {}
        self._failed: set[tuple[int, int]] = set()  # (edition, number): once a look is enough

    # ------------------------------------------------------------ an edition

    async def come_out(self, newsletter: Newsletter, edition: Edition, *, wait: bool) -> None:
        """The slots that have come: those missed are written down, and each other one is opened and has its
        first issue. wait: for entries in hand, some minutes."""
        store = self.line.store.slots
        if not timing.has_zone(edition.zone):
            await store.look_again(edition.id, self.now + UNKNOWN_ZONE)
            raise DigestError(f"this system knows no time zone {edition.zone}; its readers wait")
        planned = timing.due(
            edition.rhythm.schedule,
            last_date=edition.last_date,
            since=edition.since,
            now=self.now,
            catch_up=newsletter.catch_up,
        )
        await self._end_late(newsletter, edition, more=bool(planned))
        newest = await self.line.store.articles.max_ready() if planned else 0
        for slot in planned:
            key = SlotKey(edition_id=edition.id, date=slot.date, due_at=slot.due_at)
            if slot.action != "compose":
                await store.record(key, slot.action, self.now)
                continue
            if wait and self.now < slot.due_at + WAIT_FOR_ENTRIES:
                in_hand = await self.line.store.articles.waiting(newsletter.slug, self.now)
                if in_hand:
                    log.info("issue waits", extra={"newsletter": newsletter.slug, "in_hand": in_hand})
                    return
            through = newest
            if slot is not planned[-1]:  # made up for: it ends where it would have ended
                through = min(newest, await self.line.store.windows.ready_at(slot.due_at))
            await self._end_late(newsletter, edition, more=True)
            opened = await store.open(key, through=through, now=self.now)
            if opened is not None:
                await self._serve(newsletter, edition, opened, most=1)
        if not planned or await store.open_of(edition.id) is None:
            await self._rest(edition)

    async def catch_up(self, newsletter: Newsletter, edition: Edition, *, most: int | None) -> None:
        """The issues that are left to make for its open slot, and then its end. most: at most so many."""
        store = self.line.store.slots
        slot = await store.open_of(edition.id)
        if slot is None:
            return
        await self._serve(newsletter, edition, slot, most=most)
        if not await store.standing(slot, 1):
            await store.close(slot, self.now)
            await self._rest(edition)

    async def _end_late(self, newsletter: Newsletter, edition: Edition, *, more: bool) -> None:
        """A slot that is still open when the next one comes: who stands behind is served by that one. With
        `skip`, nothing is made up for that is long past."""
        store = self.line.store.slots
        slot = await store.open_of(edition.id)
        if slot is None:
            return
        if more:
            await store.close(slot, self.now, otherwise="coalesced")
        elif newsletter.catch_up == "skip" and self.now - slot.key.due_at > timing.STALE:
            await store.close(slot, self.now, otherwise="skipped")

    async def _rest(self, edition: Edition) -> None:
        _, at = timing.next_slot(edition.rhythm.schedule, self.now)
        await self.line.store.slots.look_again(edition.id, at)

    def fail(self, newsletter: Newsletter, edition: Edition, error: Exception) -> None:
        """Remember it, in words, and go on."""
        words = (
            f"{newsletter.slug}: {error}" if edition.own else f"{newsletter.slug}, {edition.rhythm}: {error}"
        )
        self.problems.append(words)
        log.error("issue not composed", extra={"newsletter": newsletter.slug, "error": str(error)})

    # ------------------------------------------------------------ its readers

    async def _serve(
        self, newsletter: Newsletter, edition: Edition, slot: OpenSlot, *, most: int | None
    ) -> None:
        """An issue for each number that somebody stands at, those first who have missed least."""
        made = 0
        for standing in await self.line.store.slots.standing(slot, STANDINGS):
            if most is not None and made >= most:
                return
            if (edition.id, standing.after) in self._failed:
                continue
            try:
                made += await self._make(newsletter, edition, slot, standing)
            except NotReady:
                raise
            except DigestError as error:
                self._failed.add((edition.id, standing.after))
                self.fail(newsletter, edition, error)

    async def _make(
        self, newsletter: Newsletter, edition: Edition, slot: OpenSlot, standing: Standing
    ) -> bool:
        """Whether it took the work of an issue."""
        store = self.line.store
        audiences = _audiences(self.line, newsletter, public=standing.public)
        if not audiences or not standing.readers:
            await store.slots.pass_over(slot, standing.after)
            return False
        issue, draft = await draft_issue(
            self.line,
            newsletter,
            edition,
            self.now,
            day=slot.key.date,
            after=standing.after,
            through=slot.through,
            public=standing.public,
            drafts=self._drafts,
        )
        if issue is None:
            await store.slots.pass_over(slot, standing.after)
            log.info("issue empty", extra={"newsletter": newsletter.slug, "date": str(slot.key.date)})
            return True
        if born := await bring_out(self.line, newsletter, issue, draft, slot, self.now, audiences):
            self.issues.append(born)
        return True

    async def by_hand(self, newsletter: Newsletter) -> None:
        """An issue of what is new, whatever the hour, for those who read the newsletter's own edition."""
        store, slug = self.line.store, newsletter.slug
        own = await store.newsletters.own_edition(slug)
        issue, draft = await draft_issue(
            self.line,
            newsletter,
            await store.newsletters.manual_edition(slug),
            self.now,
            day=timing.local_date(self.now, newsletter.schedule.zone),
            after=own.through,
            through=await store.articles.max_ready(),
        )
        if issue is None:
            return
        audiences = _audiences(self.line, newsletter, public=True)
        if born := await bring_out(self.line, newsletter, issue, draft, None, self.now, audiences):
            self.issues.append(born)


def _audiences(line: Line, newsletter: Newsletter, *, public: bool) -> Mapping[str, Audience]:
    """Whom each channel addresses; what is not of the archive concerns only those who have readers."""
    every = {name: line.publishers[name].audience for name in newsletter.channels}
    return {name: audience for name, audience in every.items() if public or audience == "readers"}


async def bring_out(
    line: Line,
    newsletter: Newsletter,
    issue: Issue,
    draft: Draft,
    slot: OpenSlot | None,
    now: datetime,
    audiences: Mapping[str, Audience],
) -> Issue | None:
    """The issue, born with all its deliveries; None: another process was first."""
    prepared = {name: await line.publishers[name].prepare(issue, newsletter) for name in audiences}
    decisions = draft.decisions if issue.public else [d for d in draft.decisions if d.verdict in KEPT]
    born = await line.store.issues.birth(
        issue,
        decisions=decisions,
        prepared={name: data for name, data in prepared.items() if data is not None},
        translated=await _translated(line, newsletter, issue, audiences),
        audiences=audiences,
        slot=slot,
        now=now,
    )
    if born is None:
        return None
    await bear(line, born.id, now)
    log.info("issue composed", extra={"issue": born.path, "stories": len(born.stories)})
    return await line.store.issues.get(born.id)


async def _translated(
    line: Line, newsletter: Newsletter, issue: Issue, channels: Iterable[str]
) -> dict[tuple[str, str], bytes]:
    """What the channels say around the issue, in every other language that a reader of its edition chose."""
    edition_id = issue.edition_id
    if issue.public:
        edition_id = (await line.store.newsletters.own_edition(newsletter.slug)).id
    translated: dict[tuple[str, str], bytes] = {}
    for language in sorted(await line.store.subscriptions.languages(edition_id)):
        for name in channels:
            publisher = line.publishers[name]
            if isinstance(publisher, Speaks):
                data = await publisher.prepare_in(issue, newsletter, language)
                if data is not None:
                    translated[name, language] = data
    return translated


async def bear(line: Line, issue_id: int, now: datetime) -> None:
    """All deliveries of an issue, chunk by chunk; a process that dies here is continued by the next."""
    loop, pace, complete = asyncio.get_running_loop(), Pace(), False
    while not complete:
        started, chunk = loop.time(), pace.size
        complete = await line.store.issues.add_deliveries(issue_id, now, chunk=chunk)
        pace.took(chunk, loop.time() - started)

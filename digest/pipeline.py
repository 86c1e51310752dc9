"""The line: pull · summarize · compose · deliver. The file to read first.

    pull       feeds.claim_due → fetch → parse → record entries (`intake`)             ◆ rests in the store
    summarize  entries.claim_unread → extract, summarize → record article, `ready`     ◆
    compose    due slots → articles of the window → stories → Issue + Deliveries       ◆
    deliver    deliveries.claim_due → intent → publish → record outcome (`dispatch`)   ◆ inbox / feed reader

A step takes work from the store and puts what it made back; none calls another. That is why one process
and fifty workers run the same code: whatever a dead one held comes back when its lease runs out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest import summarizer, timing
from digest.drafting import draft_issue
from digest.feeds.pages import Pages
from digest.line import Line, Progress, each, quiet, together
from digest.model import (
    Article,
    DigestError,
    Fetched,
    Issue,
    Newsletter,
    NotReady,
    SlotKey,
    Superseded,
    UnreadEntry,
)
from digest.store.windows import count_terms
from digest.workers import WorkerFailed

log = logging.getLogger(__name__)

READ_LEASE = timedelta(minutes=3)
READ_SECONDS = 15.0
MOST_ASIDE = 100
WAIT_FOR_ENTRIES = timedelta(minutes=5)

# ---------------------------------------------------------------- summarize


@dataclass(frozen=True, slots=True, kw_only=True)
class Summarized:
    articles: int = 0
    ready: int = 0


async def summarize(line: Line, now: datetime, *, progress: Progress = quiet) -> Summarized:
    """Read every entry that waits, then give ready numbers to the articles that may be used.

    Entries that are read in full wait for their pages aside; the others are not kept from being used.
    """
    pages = Pages(line.net, _in_full(line.newsletters.values()))
    reading = asyncio.Semaphore(line.reads_at_once)
    done = known = 0

    async def one(unread: UnreadEntry) -> None:
        nonlocal done
        async with pages.of(unread) as page, reading:
            article = await _read(line, unread, page)
        await line.store.articles.record(article, fence=unread.fence)
        done += 1
        progress(done, known)

    async with together() as group:
        aside: set[asyncio.Task[None]] = set()
        while batch := await line.store.articles.claim_unread(now, limit=50, lease=READ_LEASE):
            known += len(batch)
            aside |= {group.create_task(one(unread)) for unread in batch if pages.wants(unread)}
            await each((unread for unread in batch if not pages.wants(unread)), one, line.reads_at_once)
            while len(aside := {task for task in aside if not task.done()}) > MOST_ASIDE:
                await asyncio.wait(aside, return_when=asyncio.FIRST_COMPLETED)
        ready = await _number(line, now)
    ready += await _number(line, now)
    await _count_terms(line)
    return Summarized(articles=done, ready=ready)


def _in_full(newsletters: Iterable[Newsletter]) -> frozenset[str]:
    """The feeds whose entries somebody wants to be read with their pages."""
    return frozenset(follow.url for each in newsletters for follow in each.follows if follow.full_text)


async def _number(line: Line, now: datetime) -> int:
    ready = 0
    while numbered := await line.store.articles.make_ready(now):
        ready += numbered
    return ready


async def _count_terms(line: Line) -> None:
    """How common terms are, over every block of articles that is full now."""
    windows = line.store.windows
    for block in await windows.uncounted(await line.store.articles.max_ready()):
        found = await windows.block(block)
        try:
            counted = await line.workers.run(count_terms, block, found, timeout=READ_SECONDS)
        except WorkerFailed as error:
            log.warning("terms not counted", extra={"block": block, "error": str(error)})
            return
        await windows.count(counted)


async def _read(line: Line, unread: UnreadEntry, page: Fetched | None) -> Article:
    """The article. A page that costs a worker its life is left out; an entry that does is told by its
    title."""
    try:
        return await line.workers.run(summarizer.read_entry, unread, page, timeout=READ_SECONDS)
    except WorkerFailed as error:
        if page is not None:
            log.debug("page not readable", extra={"entry": unread.id, "url": page.url, "error": str(error)})
            return await _read(line, unread, None)
        log.warning("article not readable", extra={"entry": unread.id, "error": str(error)})
        return summarizer.read_title(unread)


# ---------------------------------------------------------------- compose


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """problems: what kept a newsletter from coming out, in words; it is tried again at the next look."""

    issues: tuple[Issue, ...] = ()
    problems: tuple[str, ...] = ()


async def compose(line: Line, now: datetime, *, force: bool = False) -> Composed:
    """Make every issue whose slot has come. force: then also one of what is new, whatever the hour.

    Raises Superseded if another process runs with a newer config: two configs must not take turns.
    """
    for issue_id in await line.store.issues.unfinished():
        await _bear(line, issue_id, now)
    if not await line.store.same_config(line.config_hash):
        raise Superseded("another process runs with a newer config; this one composes nothing more")
    issues: list[Issue] = []
    problems: list[str] = []
    for newsletter in line.newsletters.values():
        try:
            issues += await _compose_due(line, newsletter, now, wait=not force)
            if force and (issue := await _compose_window(line, newsletter, now, slot=None)):
                issues.append(issue)
        except NotReady:
            raise
        except DigestError as error:
            problems.append(f"{newsletter.slug}: {error}")
            log.error("issue not composed", extra={"newsletter": newsletter.slug, "error": str(error)})  # noqa: TRY400 - its text is for people
    return Composed(issues=tuple(issues), problems=tuple(problems))


async def _compose_due(line: Line, newsletter: Newsletter, now: datetime, *, wait: bool) -> list[Issue]:
    edition = await line.store.newsletters.own_edition(newsletter.slug)
    planned = timing.due(
        newsletter.schedule,
        last_date=edition.last_date,
        since=edition.created_at,
        now=now,
        catch_up=newsletter.catch_up,
    )
    issues: list[Issue] = []
    for slot in planned:
        key = SlotKey(edition_id=edition.id, date=slot.date, due_at=slot.due_at)
        if slot.action != "compose":
            await line.store.issues.record_slot(key, slot.action, now)
            continue
        if wait and now < slot.due_at + WAIT_FOR_ENTRIES:
            in_hand = await line.store.articles.waiting(newsletter.slug, now)
            if in_hand:
                log.info("issue waits", extra={"newsletter": newsletter.slug, "in_hand": in_hand})
                break
        if issue := await _compose_window(line, newsletter, now, slot=key):
            issues.append(issue)
    return issues


async def _compose_window(
    line: Line, newsletter: Newsletter, now: datetime, *, slot: SlotKey | None
) -> Issue | None:
    """The issue of what became ready since the last one, born with all its deliveries.

    None: nothing to tell (a slot is then recorded as empty), or another process was first.
    """
    store, slug = line.store, newsletter.slug
    own = await store.newsletters.own_edition(slug)
    through = await store.articles.max_ready()
    issue, draft = await draft_issue(line, newsletter, own, now, through=through, slot=slot)
    if issue is None:
        if slot is not None:
            await store.issues.record_slot(slot, "empty", now, through=through)
            log.info("issue empty", extra={"newsletter": slug, "date": str(slot.date)})
        return None
    channels = {name: line.publishers[name] for name in newsletter.channels}
    prepared = {name: await publisher.prepare(issue, newsletter) for name, publisher in channels.items()}
    born = await store.issues.birth(
        issue,
        decisions=draft.decisions,
        prepared={name: data for name, data in prepared.items() if data is not None},
        audiences={name: publisher.audience for name, publisher in channels.items()},
        slot=slot,
        now=now,
    )
    if born is None:
        return None
    await _bear(line, born.id, now)
    log.info("issue composed", extra={"issue": born.path, "stories": len(born.stories)})
    return await store.issues.get(born.id)


async def _bear(line: Line, issue_id: int, now: datetime) -> None:
    """All deliveries of an issue, chunk by chunk; a process that dies here is continued by the next."""
    complete = False
    while not complete:
        complete = await line.store.issues.add_deliveries(issue_id, now)

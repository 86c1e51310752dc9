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
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from digest import summarizer
from digest.feeds.pages import Pages
from digest.issuing import Round, bear
from digest.line import Line, Progress, each, quiet, together
from digest.model import (
    Article,
    DigestError,
    Edition,
    Fetched,
    Issue,
    Newsletter,
    NotReady,
    Superseded,
    UnreadEntry,
)
from digest.store.windows import count_terms
from digest.workers import WorkerFailed

log = logging.getLogger(__name__)

READ_LEASE = timedelta(minutes=3)
READ_SECONDS = 15.0
MOST_ASIDE = 100

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


async def compose(line: Line, now: datetime, *, force: bool = False, late: int | None = None) -> Composed:
    """Make every issue whose slot has come, in every edition. force: then also one of what is new, whatever
    the hour. late: how many issues for readers who stand behind the others may be made at this look, in each
    edition; None: all. Those left over are made at the next looks, and nobody else waits for them.

    Raises Superseded if another process runs with a newer config: two configs must not take turns.
    """
    for issue_id in await line.store.issues.unfinished():
        await bear(line, issue_id, now)
    if not await line.store.same_config(line.config_hash):
        raise Superseded("another process runs with a newer config; this one composes nothing more")
    looking = Round(line, now)
    due = [
        (newsletter, edition)
        for edition in await line.store.slots.due(now)
        if (newsletter := line.newsletters.get(edition.newsletter)) is not None
    ]
    for newsletter, edition in due:
        await _safely(looking, newsletter, edition, looking.come_out(newsletter, edition, wait=not force))
    for newsletter, edition in due:
        await _safely(looking, newsletter, edition, looking.catch_up(newsletter, edition, most=late))
    if force:
        for newsletter in line.newsletters.values():
            own = await line.store.newsletters.own_edition(newsletter.slug)
            await _safely(looking, newsletter, own, looking.by_hand(newsletter))
    return Composed(issues=tuple(looking.issues), problems=tuple(dict.fromkeys(looking.problems)))


async def _safely(
    looking: Round, newsletter: Newsletter, edition: Edition, work: Coroutine[Any, Any, None]
) -> None:
    """What goes wrong in one edition stops no other."""
    try:
        await work
    except NotReady:
        raise
    except DigestError as error:
        looking.fail(newsletter, edition, error)

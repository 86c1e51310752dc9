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
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from digest import summarizer, timing
from digest.feeds.pages import Pages
from digest.feeds.readers import Readers
from digest.links import Links
from digest.model import (
    Article,
    DigestError,
    Draft,
    Edition,
    Fetched,
    Issue,
    Newsletter,
    NotReady,
    Site,
    SlotKey,
    Superseded,
    Told,
    UnreadEntry,
)
from digest.net import Net
from digest.publishers.base import Publisher
from digest.render import local_date, renderer
from digest.store import Store
from digest.store.sealed import Sealed
from digest.store.windows import Counted, background, count_terms
from digest.workers import WorkerFailed, Workers

log = logging.getLogger(__name__)

READ_LEASE = timedelta(minutes=3)
READ_SECONDS = 15.0
MOST_ASIDE = 100
COMPOSE_SECONDS = 120.0
WAIT_FOR_ENTRIES = timedelta(minutes=5)
TOLD_WITHIN = timedelta(days=14)
NOTHING = Draft(stories=(), decisions=(), subject="", intro="", words=0, minutes=0)

T = TypeVar("T")
Progress = Callable[[int, int], None]
"""Called with (done, known so far) while a step works."""


def quiet(_done: int, _known: int) -> None:
    """No progress shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Everything the steps are lent. Built by `service`; nothing here is built by us.

    folder: what the paths of local feeds are relative to. chance: a number in [0, 1), for jitter.
    """

    store: Store
    net: Net
    readers: Readers
    workers: Workers
    links: Links
    site: Site
    newsletters: Mapping[str, Newsletter]
    publishers: Mapping[str, Publisher]
    folder: Path
    templates: Path | None
    config_hash: str
    clock: Callable[[], datetime]
    chance: Callable[[], float]
    reads_at_once: int = 4


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """Tasks that end together; the first error ends the rest."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors  # what is said to people and to the clock is the error itself


async def each(items: Iterable[T], act: Callable[[T], Awaitable[None]], at_once: int) -> None:
    """Do this with every item, so many at a time; the first error ends the rest."""
    gate = asyncio.Semaphore(at_once)

    async def one(item: T) -> None:
        async with gate:
            await act(item)

    async with together() as group:
        for item in items:
            group.create_task(one(item))


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What an issue is made of, as the store gave it: the articles of the window, what was told before and
    the articles that was told from, and how common terms were."""

    candidates: Sequence[Sealed]
    told: Sequence[Told]
    kept: Sequence[Sealed]
    common: Sequence[Counted]


async def material(
    line: Line,
    newsletter: Newsletter,
    now: datetime,
    *,
    after: int,
    through: int,
    as_configured: bool = False,
) -> Material:
    """What an issue over the window (after, through] is made of at that moment.

    as_configured: the feeds are those of this config, not those that the newsletter follows today.
    """
    store, slug = line.store, newsletter.slug
    if as_configured:
        urls = [follow.url for follow in newsletter.follows]
        candidates = await store.windows.of_feeds(slug, urls, after=after, through=through)
    else:
        candidates = await store.windows.of(slug, after=after, through=through)
    if not candidates:
        return Material(candidates=(), told=(), kept=(), common=())
    told = await store.issues.told(slug, since=now - TOLD_WITHIN, before=now)
    behind = (source.article_id for each in told for source in (each.story.lead, *each.story.also))
    return Material(
        candidates=candidates,
        told=told,
        kept=await store.windows.kept(behind),
        common=await store.windows.common(after),
    )


async def draft_issue(
    line: Line, newsletter: Newsletter, own: Edition, now: datetime, *, through: int, slot: SlotKey | None
) -> tuple[Issue | None, Draft]:
    """The issue of the window (own.through, through], stored nowhere; None when there is nothing to tell."""
    store, slug = line.store, newsletter.slug
    held = await material(line, newsletter, now, after=own.through, through=through)
    if not held.candidates:
        return None, NOTHING
    draft, subject = await line.workers.run(
        write, newsletter, held, now, line.templates, timeout=COMPOSE_SECONDS
    )
    if not draft.stories:
        return None, draft
    day = slot.date if slot else timing.local_date(now, newsletter.schedule.zone)
    edition = own if slot else await store.newsletters.manual_edition(slug)
    path = await store.issues.free_path(slug, day)
    known = await store.newsletters.get(slug)
    authority = known.tag_authority or host_of(line.site.url)
    issue = Issue(
        newsletter=slug,
        edition_id=edition.id,
        date=day,
        after=own.through,
        through=through,
        path=path,
        tag=line.links.tag(authority, known.tag_date or day, path),
        title=title_of(newsletter, day),
        subject=subject or draft.subject,
        intro=draft.intro,
        language=newsletter.language,
        stories=draft.stories,
        words=draft.words,
        minutes=draft.minutes,
        composed_at=now,
        updated_at=now,
    )
    return issue, draft


def write(newsletter: Newsletter, held: Material, now: datetime, templates: Path | None) -> tuple[Draft, str]:
    """The draft and its subject line; runs in a worker."""
    kept = {each.id: each.opened() for each in held.kept}
    told = [
        replace(
            each,
            articles=tuple(
                kept[source.article_id]
                for source in (each.story.lead, *each.story.also)
                if source.article_id in kept
            ),
        )
        for each in held.told
    ]
    candidates = [each.candidate() for each in held.candidates]
    draft = summarizer.compose(newsletter, candidates, told, now, background(held.common))
    if not draft.stories:
        return draft, ""
    subject = renderer(templates).subject(
        newsletter.subject,
        lead=draft.stories[0],
        stories=draft.stories,
        newsletter=newsletter,
        date=timing.local_date(now, newsletter.schedule.zone),
    )
    return draft, subject


def title_of(newsletter: Newsletter, day: date) -> str:
    """The name of the issue of that day."""
    return f"{newsletter.title}, {local_date(day, newsletter.language, style='long')}"


def host_of(url: str) -> str:
    """The host of an address of ours, without port: what `tag:` URIs are made with."""
    return url.split("://", 1)[-1].split("/", 1)[0].rsplit("@", 1)[-1].split(":", 1)[0].lower() or "localhost"

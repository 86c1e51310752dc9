"""What an admin asks of the line without moving it: a preview, a second look, a check, a correction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from digest import summarizer
from digest.feeds.fetch import fetch
from digest.model import DigestError, Draft, Feed, FeedError, Issue, NotFound
from digest.pipeline import (
    COMPOSE_SECONDS,
    TOLD_WITHIN,
    Line,
    Progress,
    draft_issue,
    each,
    quiet,
)
from digest.render import LetterText, ReaderLinks, renderer

CHECKS_AT_ONCE = 32


async def preview(line: Line, slug: str, now: datetime) -> Issue | None:
    """The next issue as it would be; stored nowhere. None: nothing new to tell."""
    newsletter = line.newsletters[slug]
    own = await line.store.newsletters.own_edition(slug)
    through = await line.store.articles.max_ready()
    issue, _ = await draft_issue(line, newsletter, own, now, through=through, slot=None)
    return issue


async def as_of(line: Line, slug: str, now: datetime) -> Issue | None:
    """The issue that came out last at that moment; None if there was none yet."""
    for issue in await line.store.issues.latest(slug, limit=1000, public=False):
        if issue.composed_at <= now:
            return issue
    return None


def letter_of(line: Line, issue: Issue) -> LetterText:
    """The letter that a reader would get, with the links of no reader."""
    newsletter = line.newsletters.get(issue.newsletter)
    if newsletter is None:
        raise NotFound(f"{issue.newsletter} is not in the config any more")
    return renderer(line.templates).letter(issue, newsletter, line.site, line.links, reader=ReaderLinks())


async def recompose(line: Line, issue: Issue) -> Draft:
    """The same window with today's config."""
    newsletter = line.newsletters.get(issue.newsletter)
    if newsletter is None:
        raise NotFound(f"{issue.newsletter} is not in the config any more")
    store = line.store
    candidates = await store.articles.window(issue.newsletter, after=issue.after, through=issue.through)
    before = issue.composed_at - TOLD_WITHIN
    mine = {story.key for story in issue.stories}
    told = [
        story
        for story in await store.issues.recent_stories(issue.newsletter, since=before)
        if story.key not in mine
    ]
    return await line.workers.run(
        summarizer.compose, newsletter, candidates, told, issue.composed_at, timeout=COMPOSE_SECONDS
    )


async def check(line: Line, *, progress: Progress = quiet) -> list[dict[str, Any]]:
    """Fetch and read every configured feed now; record nothing. `error` is None where all is well."""
    urls = list(dict.fromkeys(f.url for n in line.newsletters.values() for f in n.follows))
    rows: dict[str, dict[str, Any]] = {}
    now = line.clock()

    async def one(url: str) -> None:
        feed = Feed(id=0, url=url, address=url, next_poll_at=now)
        row: dict[str, Any] = {"url": url, "title": "", "entries": 0, "error": None}
        try:
            fetched = await fetch(feed, net=line.net, folder=line.folder)
            parsed = await line.readers.read(fetched)
            row.update(title=parsed.title, entries=len(parsed.entries))
        except FeedError as error:
            row["error"] = str(error)
        rows[url] = row
        progress(len(rows), len(urls))

    await each(urls, one, CHECKS_AT_ONCE)
    return [rows[url] for url in urls]


async def correct(
    line: Line, issue: Issue, *, story: int, title: str | None, summary: str | None, now: datetime
) -> Issue:
    """A new revision with one story's words changed, in archive and feeds; nobody is mailed.

    story: its number, from 1. None: leave those words as they are.
    """
    if not 1 <= story <= len(issue.stories):
        raise DigestError(f"{issue.path} has {len(issue.stories)} stories; there is no number {story}")
    old = issue.stories[story - 1]
    new = replace(
        old,
        title=title if title is not None else old.title,
        summary=(summary,) if summary is not None else old.summary,
    )
    stories = (*issue.stories[: story - 1], new, *issue.stories[story:])
    corrected = replace(issue, stories=stories, revision=issue.revision + 1, updated_at=now)
    if not await line.store.issues.revise(corrected, now=now):
        raise DigestError(f"{issue.path} was corrected by somebody else meanwhile; look at it again")
    return corrected

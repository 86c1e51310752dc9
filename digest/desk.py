"""What an admin asks of the line without moving it: a preview, a look at every feed, a correction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from digest import polling, shelving, timing
from digest.drafting import draft_issue
from digest.feeds.fetch import fetch
from digest.feeds.health import looked_at, refused
from digest.html import plain, unstacked
from digest.line import Line, Progress, each, quiet
from digest.model import DigestError, Feed, FeedError, Issue, NotFound
from digest.render import LetterText, ReaderLinks, renderer
from digest.store.codec import host_of
from digest.summarizer.draft import opening_of
from digest.summarizer.read import LONGEST_TITLE
from digest.typeset import clamp

CHECKS_AT_ONCE = 32
"""Hosts; the feeds of one are asked one after another."""


async def preview(line: Line, slug: str, now: datetime) -> Issue | None:
    """The next issue as it would be; stored nowhere. None: nothing new to tell."""
    newsletter = line.newsletters[slug]
    own = await line.store.newsletters.own_edition(slug)
    through = await line.store.articles.max_ready()
    day = timing.local_date(now, newsletter.schedule.zone)
    issue, _ = await draft_issue(
        line, newsletter, own, now, day=day, after=own.through, through=through, ask=False
    )
    return issue


def letter_of(line: Line, issue: Issue) -> LetterText:
    """The letter that a reader would get, with the links of no reader."""
    newsletter = line.newsletters.get(issue.newsletter)
    if newsletter is None:
        raise NotFound(f"{issue.newsletter} is not in the config any more")
    return renderer(line.templates).letter(issue, newsletter, line.site, line.links, reader=ReaderLinks())


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What one look at a feed showed. newest: the date of its newest entry; None if it gives none. status:
    `ok`, or what is wrong with it. error: why nothing could be read; None when it could."""

    url: str
    title: str = ""
    entries: int = 0
    newest: datetime | None = None
    status: str
    words: str
    advice: str
    error: str | None = None


async def check(line: Line, *, progress: Progress = quiet) -> list[Checked]:
    """Fetch and read every configured feed now, in the order of the config; record nothing."""
    urls = list(dict.fromkeys(f.url for n in line.newsletters.values() for f in n.follows))
    known = {status.feed.url: status.feed for status in await line.store.feeds.list()}
    hosts: dict[str, list[str]] = {}
    for url in urls:
        hosts.setdefault(host_of(url), []).append(url)
    found: dict[str, Checked] = {}

    async def in_turn(of_one_host: Sequence[str]) -> None:
        for url in of_one_host:
            found[url] = await _look_at(line, url, known.get(url))
            progress(len(found), len(urls))

    await each(hosts.values(), in_turn, CHECKS_AT_ONCE)
    return [found[url] for url in urls]


async def _look_at(line: Line, url: str, known: Feed | None) -> Checked:
    """known: what is remembered of it; its address of today is the one in the config all the same."""
    now = line.clock()
    feed = Feed(id=0, url=url, address=url, next_poll_at=now)
    try:
        fetched = await fetch(feed, net=line.net, folder=line.folder)
        parsed = (await line.readers.read(fetched)).parsed
    except FeedError as error:
        said = refused(feed, error)
        return Checked(
            url=url,
            title=known.title if known else "",
            status=said.kind,
            words=said.words,
            advice=said.advice,
            error=str(error),
        )
    claims = (
        timing.clamp_published(entry.published, received_at=now, previous_poll=None)
        for entry in parsed.entries
    )
    moments = [moment for moment, dated in claims if dated]
    feed = replace(feed, title=parsed.title, site_url=parsed.site_url)
    said = looked_at(
        polling.after_success(feed, now=now, new=bool(parsed.entries), moments=moments),
        entries=len(parsed.entries),
        permanent_url=fetched.permanent_url,
        was_gone=known is not None and known.gone,
        now=now,
    )
    return Checked(
        url=url,
        title=parsed.title,
        entries=len(parsed.entries),
        newest=max(moments, default=None),
        status=said.kind,
        words=said.words,
        advice=said.advice,
    )


def _words(text: str, what: str) -> str:
    """What an admin wrote, on one line. Raises DigestError when nothing is left of it."""
    words = unstacked(plain(text))
    if not words:
        raise DigestError(f"{what} cannot be empty; nothing was changed")
    return words


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
        title=clamp(_words(title, "a title"), LONGEST_TITLE) if title is not None else old.title,
        summary=(_words(summary, "a summary"),) if summary is not None else old.summary,
    )
    if new == old:
        raise DigestError(f"story {story} of {issue.path} says that already; nothing was changed")
    new = replace(new, corrected_at=now)
    stories = (*issue.stories[: story - 1], new, *issue.stories[story:])
    intro = issue.intro
    if intro == opening_of(issue.stories, issue.language):  # ours, out of headlines: it may tell the old one
        intro = opening_of(stories, issue.language)
    corrected = replace(issue, stories=stories, intro=intro, revision=issue.revision + 1, updated_at=now)
    if not await line.store.issues.revise(corrected, now=now, channels=_for_everyone(line, issue)):
        raise DigestError(f"{issue.path} was corrected by somebody else meanwhile; look at it again")
    if issue.state in ("cancelled", "paused"):  # no delivery brings it into the feeds (now)
        await shelving.refresh_channels(line, issue.newsletter, _for_everyone(line, issue))
    return corrected


def _for_everyone(line: Line, issue: Issue) -> list[str]:
    """The channels that publish for everyone; of a newsletter that was taken out, all there are."""
    newsletter = line.newsletters.get(issue.newsletter)
    names = line.publishers if newsletter is None else newsletter.channels
    return [name for name in names if line.publishers[name].audience == "newsletter"]

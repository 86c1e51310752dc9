"""Why an article is, or is not, in an issue: every step that it came through, in words and numbers.

Of issues that came out the decision was kept; for the next one it is made now, and kept nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from digest.drafting import COMPOSE_SECONDS, material, write
from digest.feeds.marks import marks
from digest.line import Line
from digest.model import Article, Decision, Entry, Feed, Newsletter, NotFound, Recorded

NEXT = "next issue"
EMPTY = "no issue"
LATEST = 1000  # issues that are looked through


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one newsletter made of it. issue: the path, `next issue` or `no issue`. decision: None when none
    was made, and then words say why."""

    newsletter: str
    issue: str
    words: str = ""
    decision: Decision | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What became of one entry. article: None while it has none; then `words` say what it waits for."""

    recorded: Recorded
    article: Article | None
    words: str
    steps: tuple[Step, ...]


async def why(line: Line, text: str, now: datetime, *, newsletter: str | None = None) -> tuple[Why, ...]:
    """Everything that goes by this address, guid or number. newsletter: only there.

    Raises NotFound, which says what is known of the address's site.
    """
    address = text if "://" in text else ""
    link = marks(Entry(guid="", url=address, title="")).link if address else None
    found = await line.store.articles.find(text, link=link)
    found = [each for each in found if not address or _is_there(each, text, address)]
    if not found:
        raise NotFound(await _nothing(line, text, address))
    articles = {
        each.id: each
        for each in await line.store.articles.get_many(
            each.article_id for each in found if each.article_id is not None
        )
    }
    slugs = [newsletter] if newsletter else list(line.newsletters)
    coming = await _coming(line, slugs, [a for a in articles.values() if a.ready is not None], now)
    result = []
    for each in found:
        article = articles.get(each.article_id or 0)
        steps = await _kept(line, article, newsletter) if article else []
        if article is not None and article.ready is not None:
            told = {step.newsletter for step in steps}
            steps = [*coming.get(article.id, []), *steps]
            steps += await _elsewhere(line, article, [s for s in slugs if s not in told], steps, now)
        result.append(
            Why(recorded=each, article=article, words=_state(each, article, now), steps=tuple(steps))
        )
    return tuple(result)


def _is_there(each: Recorded, text: str, address: str) -> bool:
    """A link's fingerprint leaves out the host; here it counts, but for `www.` and `m.`."""
    if each.guid == text or each.entry is None:
        return True
    return _host(each.entry.url) == _host(address)


def _host(address: str) -> str:
    try:
        host = (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""
    return host.removeprefix("www.").removeprefix("m.").removeprefix("amp.")


def _state(each: Recorded, article: Article | None, now: datetime) -> str:
    """What an entry without a `ready` number waits for; empty when it has one."""
    if article is not None and article.ready is not None:
        return ""
    if article is not None:
        if each.rest_until and each.rest_until > now:
            return f"It was read and rests until {each.rest_until:%Y-%m-%d %H:%M} UTC (`settle`)."
        return "It was read; `digest summarize` has not yet released it for an issue."
    if each.unread:
        return "It was pulled and waits to be read: `digest summarize` does that."
    if each.entry is None:
        return "It is so old that its text was let go (`keep.articles`)."
    if each.backlog:
        return "It stood in the feed when we began to follow it: known, not news (`first` says how far back)."
    return "It is known, and was never news: the feed told it again, or it came with a copy of itself."


async def _kept(line: Line, article: Article, newsletter: str | None) -> list[Step]:
    return [
        Step(newsletter=issue.newsletter, issue=issue.path, decision=decision)
        for issue, decision in await line.store.issues.decisions_for(article.id)
        if newsletter in (None, issue.newsletter)
    ]


async def _coming(
    line: Line, slugs: Sequence[str], articles: Sequence[Article], now: datetime
) -> dict[int, list[Step]]:
    """What the next issue of each newsletter would make of those that are in its window."""
    found: dict[int, list[Step]] = {}
    through = await line.store.articles.max_ready()
    known = {each.newsletter.slug for each in await line.store.newsletters.all()}
    for slug in slugs:
        letter = line.newsletters.get(slug)
        if letter is None or slug not in known:  # new in this config: nothing has been made of it yet
            continue
        after = (await line.store.newsletters.own_edition(slug)).through
        urls = {follow.url for follow in letter.follows}
        mine = {a.id for a in articles if a.ready is not None and a.ready > after and a.feed_url in urls}
        if not mine:
            continue
        decisions = await _decide(line, letter, now, after=after, through=through)
        for decision in decisions:
            if decision.article_id in mine:
                step = Step(newsletter=slug, issue=NEXT, decision=decision)
                found.setdefault(decision.article_id, []).append(step)
    return found


async def _decide(
    line: Line, letter: Newsletter, now: datetime, *, after: int, through: int
) -> Sequence[Decision]:
    held = await material(line, letter, now, after=after, through=through)
    draft, _, _ = await line.workers.run(write, letter, held, now, line.templates, timeout=COMPOSE_SECONDS)
    return draft.decisions


async def _elsewhere(
    line: Line, article: Article, slugs: Sequence[str], steps: Sequence[Step], now: datetime
) -> list[Step]:
    """Of newsletters that have no decision about it: they do not follow its feed, or their issue was empty
    and nothing was kept of it; then it is decided again."""
    said = {step.newsletter for step in steps}
    known = {each.newsletter.slug for each in await line.store.newsletters.all()}
    found = []
    for slug in slugs:
        letter = line.newsletters.get(slug)
        if letter is None or slug in said:
            continue
        if all(follow.url != article.feed_url for follow in letter.follows):
            words = f"{slug} does not follow its feed, {article.feed_url}."
            found.append(Step(newsletter=slug, issue="", words=words))
            continue
        if slug not in known:
            words = f"{slug} is new in this config; nothing has been made of it yet."
            found.append(Step(newsletter=slug, issue="", words=words))
            continue
        decisions = await _decide_again(line, letter, article, now)
        words = f"Number {article.ready} is behind {slug}, and no issue had it: its window was empty then."
        mine = next((each for each in decisions if each.article_id == article.id), None)
        if mine is None:
            words += " The feed was not followed at that time."
        found.append(Step(newsletter=slug, issue=EMPTY, words=words, decision=mine))
    return found


async def _decide_again(
    line: Line, letter: Newsletter, article: Article, now: datetime
) -> Sequence[Decision]:
    """As the config of now would decide, over what lies between the issues before and after it."""
    ready = article.ready or 0
    issues = await line.store.issues.latest(letter.slug, limit=LATEST)
    own = await line.store.newsletters.own_edition(letter.slug)
    before = max((issue.through for issue in issues if issue.through < ready), default=0)
    later = [issue for issue in issues if issue.after >= ready]
    through = min((issue.after for issue in later), default=own.through)
    moment = min((issue.composed_at for issue in later), default=now)
    return await _decide(line, letter, moment, after=before, through=through)


async def _nothing(line: Line, text: str, address: str) -> str:
    """What can be said of something that no feed has told us."""
    said = f"no feed has told us '{text}'"
    host = _host(address)
    near = [
        status.feed
        for status in await line.store.feeds.list()
        if host and host in (_host(status.feed.url), _host(status.feed.site_url), _host(status.feed.address))
    ]
    if not near:
        hint = f"no followed feed is of {host}" if host else "give its address, its guid or its number"
        return f"{said}; {hint}"
    return f"{said}; feeds of that site: {', '.join(map(_looked, near[:3]))}"


def _looked(feed: Feed) -> str:
    read = f"last read {feed.last_ok_at:%Y-%m-%d %H:%M} UTC" if feed.last_ok_at else "never read"
    return f"{feed.url} ({feed.error or read})"

"""An issue before it is born: what it is made of, and what the summarizer and the writer make of that.

store → material → write (in a worker) → draft → writer, if there is one → Issue, stored nowhere
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from digest import summarizer, timing
from digest.languages import local_date
from digest.line import Line
from digest.model import Article, Decision, Draft, Edition, Issue, Newsletter, Story, Told
from digest.render import renderer
from digest.store.sealed import Sealed
from digest.store.windows import Counted, background

COMPOSE_SECONDS = 120.0
TOLD_WITHIN = timedelta(days=14)
MOST = 3_000
"""Articles that are looked at for a reader who was away; an issue tells a dozen, and the newest are news."""
NOTHING = Draft(stories=(), decisions=(), subject="", intro="", words=0, minutes=0)
Drafts = dict[tuple[str, int, int, bool], tuple[Draft, str]]
"""Drafts of one moment with their subject lines, by newsletter, window and whether it is for the archive."""


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
    public: bool = True,
    as_configured: bool = False,
) -> Material:
    """What an issue over the window (after, through] is made of at that moment.

    public: it is one of the archive, which knows only what the archive told; of a window for single readers,
    which may be months long, only the newest articles are looked at. as_configured: the feeds are those of
    this config, not those that the newsletter follows today.
    """
    store, slug = line.store, newsletter.slug
    begin = after
    if not public:
        begin = await store.windows.reach(slug, after=after, through=through, most=MOST)
    if as_configured:
        urls = [follow.url for follow in newsletter.follows]
        candidates = await store.windows.of_feeds(slug, urls, after=begin, through=through)
    else:
        candidates = await store.windows.of(slug, after=begin, through=through)
    if not candidates:
        return Material(candidates=(), told=(), kept=(), common=())
    told = await store.issues.told(slug, since=now - TOLD_WITHIN, before=now, after=after, alone=public)
    behind = (source.article_id for each in told for source in (each.story.lead, *each.story.also))
    return Material(
        candidates=candidates,
        told=told,
        kept=await store.windows.kept(behind),
        common=await store.windows.common(after),
    )


async def draft_issue(
    line: Line,
    newsletter: Newsletter,
    edition: Edition,
    now: datetime,
    *,
    day: date,
    after: int,
    through: int,
    public: bool = True,
    ask: bool = True,
    drafts: Drafts | None = None,
) -> tuple[Issue | None, Draft]:
    """The issue of the window (after, through], stored nowhere; None when there is nothing to tell.

    ask: whether the language model may be asked for what it has not written yet. drafts: those made at the
    same moment already; the window alone decides, so editions share them.
    """
    store, slug = line.store, newsletter.slug
    key = (slug, after, through, public)
    known = drafts.get(key) if drafts is not None else None
    if known is None:
        held = await material(line, newsletter, now, after=after, through=through, public=public)
        known = await drafted(line, newsletter, held, now, ask=ask) if held.candidates else (NOTHING, "")
        if drafts is not None:
            drafts[key] = known
    draft, subject = known
    if not draft.stories:
        return None, draft
    issue_id = 0 if public else await store.issues.next_id()
    path = await store.issues.free_path(slug, day) if public else f"{slug}/i/{issue_id}"
    publication = await store.newsletters.get(slug)
    authority = publication.tag_authority or host_of(line.site.url)
    issue = Issue(
        id=issue_id,
        newsletter=slug,
        edition_id=edition.id,
        date=day,
        after=after,
        through=through,
        path=path,
        tag=line.links.tag(authority, publication.tag_date or day, path),
        title=title_of(newsletter, day),
        subject=subject or draft.subject,
        intro=draft.intro,
        language=newsletter.language,
        stories=draft.stories,
        words=draft.words,
        minutes=draft.minutes,
        composed_at=now,
        updated_at=now,
        public=public,
    )
    return issue, draft


async def drafted(
    line: Line, newsletter: Newsletter, held: Material, now: datetime, *, ask: bool
) -> tuple[Draft, str]:
    """The draft and its subject line. Raises WorkerFailed, RenderError."""
    draft, subject, leads = await line.workers.run(
        write, newsletter, held, now, line.templates, timeout=COMPOSE_SECONDS
    )
    if line.writer is None or not draft.stories or not line.writer.writes_for(newsletter.slug):
        return draft, subject
    stories, notes = await line.writer.rewrite(
        draft.stories, leads, language=newsletter.language, now=now, offline=not ask
    )
    said = {note.story: note.text for note in notes}
    words = draft.words + _words(stories) - _words(draft.stories)
    return (
        replace(
            draft,
            stories=stories,
            decisions=tuple(_noted(decision, said) for decision in draft.decisions),
            words=words,
            minutes=timing.reading_minutes(words, newsletter.language),
        ),
        subject,
    )


def _words(stories: Sequence[Story]) -> int:
    return sum(summarizer.count_words(" ".join(story.summary)) for story in stories)


def _noted(decision: Decision, said: Mapping[str, str]) -> Decision:
    note = said.get(decision.story) if decision.verdict == "lead" else None
    return replace(decision, reason=f"{decision.reason} {note}") if note else decision


def write(
    newsletter: Newsletter, held: Material, now: datetime, templates: Path | None
) -> tuple[Draft, str, dict[int, Article]]:
    """The draft, its subject line, and the articles that lead its stories; runs in a worker."""
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
        return draft, "", {}
    leading = {story.lead.article_id for story in draft.stories}
    leads = {article.id: article for article, _ in candidates if article.id in leading}
    subject = renderer(templates).subject(
        newsletter.subject,
        lead=draft.stories[0],
        stories=draft.stories,
        newsletter=newsletter,
        date=timing.local_date(now, newsletter.schedule.zone),
    )
    return draft, subject, leads


def title_of(newsletter: Newsletter, day: date) -> str:
    """The name of the issue of that day."""
    return f"{newsletter.title}, {local_date(day, newsletter.language, style='long')}"


def host_of(url: str) -> str:
    """The host of an address of ours, without port: what `tag:` URIs are made with."""
    return url.split("://", 1)[-1].split("/", 1)[0].rsplit("@", 1)[-1].split(":", 1)[0].lower() or "localhost"

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
from digest.model import Article, Decision, Draft, Edition, Issue, Newsletter, SlotKey, Story, Told
from digest.render import renderer
from digest.store.sealed import Sealed
from digest.store.windows import Counted, background

COMPOSE_SECONDS = 120.0
TOLD_WITHIN = timedelta(days=14)
NOTHING = Draft(stories=(), decisions=(), subject="", intro="", words=0, minutes=0)


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
    line: Line,
    newsletter: Newsletter,
    own: Edition,
    now: datetime,
    *,
    through: int,
    slot: SlotKey | None,
    ask: bool = True,
) -> tuple[Issue | None, Draft]:
    """The issue of the window (own.through, through], stored nowhere; None when there is nothing to tell.

    ask: whether the language model may be asked for what it has not written yet.
    """
    store, slug = line.store, newsletter.slug
    held = await material(line, newsletter, now, after=own.through, through=through)
    if not held.candidates:
        return None, NOTHING
    draft, subject = await drafted(line, newsletter, held, now, ask=ask)
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

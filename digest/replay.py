"""Issues made again: any past day from what is stored, and what a changed config would have changed.

An issue is made again of its own window of `ready` numbers, at the moment it was made, with what was told
before that moment. With the same config and release it is the same, to the byte.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes, policy
from zoneinfo import ZoneInfo

from digest.drafting import drafted, host_of, material, title_of
from digest.line import Line
from digest.model import Decision, DigestError, Issue, Newsletter, NotFound, Story
from digest.publishers.message import Reader, splice

MAIL = "email"
LATEST = 1000  # issues that are looked through for a date
_NOBODY = Reader(
    address="you@example.org",
    message_id="<again@example.org>",
    unsubscribe_token="unsubscribe",  # noqa: S106 - no secret: its place in a letter that nobody gets
    preferences_token="preferences",  # noqa: S106
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """An issue made again. missing: how many articles of its window are no longer kept."""

    issue: Issue
    decisions: Sequence[Decision]
    missing: int = 0


async def again(line: Line, issue: Issue) -> Again:
    """This issue with the config and templates of now. Raises NotFound, WorkerFailed."""
    newsletter = _newsletter(line, issue.newsletter)
    held = await material(
        line,
        newsletter,
        issue.composed_at,
        after=issue.after,
        through=issue.through,
        public=issue.public,
        as_configured=True,
    )
    draft, subject = await drafted(line, newsletter, held, issue.composed_at, ask=False)
    decided = len(await line.store.issues.decisions(issue.id)) if issue.id else 0
    made = replace(
        issue,
        title=title_of(newsletter, issue.date),
        subject=subject or draft.subject,
        intro=draft.intro,
        language=newsletter.language,
        stories=draft.stories,
        words=draft.words,
        minutes=draft.minutes,
        updated_at=issue.composed_at,
        revision=1,
    )
    return Again(issue=made, decisions=draft.decisions, missing=max(0, decided - len(held.candidates)))


async def as_of(line: Line, slug: str, day: date) -> Again | None:
    """The issue of that day, made again; of a day without one, what would have come out at its end.

    None: there was nothing to tell. Raises DigestError for a day that is not over yet and has no issue.
    """
    newsletter = _newsletter(line, slug)
    issues = await line.store.issues.latest(slug, limit=LATEST)
    of_that_day = [issue for issue in issues if issue.date == day]
    if of_that_day:
        return await again(line, max(of_that_day, key=lambda issue: issue.id))
    zone = ZoneInfo(newsletter.schedule.zone)
    moment = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    if moment > line.clock():
        raise DigestError(
            f"{day} is not over yet and has no issue; `digest preview {slug}` shows the next one"
        )
    earlier = [issue for issue in issues if issue.composed_at < moment]
    own = await line.store.newsletters.own_edition(slug)
    known = await line.store.newsletters.get(slug)
    path = f"{slug}/{day}"
    blank = Issue(
        newsletter=slug,
        edition_id=own.id,
        date=day,
        after=max((issue.through for issue in earlier), default=min((i.after for i in issues), default=0)),
        through=await line.store.windows.ready_at(moment),
        path=path,
        tag=line.links.tag(known.tag_authority or host_of(line.site.url), known.tag_date or day, path),
        title="",
        subject="",
        intro="",
        language=newsletter.language,
        stories=(),
        words=0,
        minutes=0,
        composed_at=moment,
        updated_at=moment,
    )
    made = await again(line, blank)
    return made if made.issue.stories else None


def _newsletter(line: Line, slug: str) -> Newsletter:
    newsletter = line.newsletters.get(slug)
    if newsletter is None:
        raise NotFound(f"{slug} is not in the config any more")
    return newsletter


# ---------------------------------------------------------------- what would have changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One story that would have been told otherwise. what: `added`, `removed`, `moved` or `changed`.
    words: from where to where, or why."""

    what: str
    title: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What another config or template would have made of an issue. letter: lines of a unified diff of the
    letters' texts, from the letter as it was prepared then. missing: see `Again`."""

    path: str
    subject: tuple[str, str] | None
    intro: tuple[str, str] | None
    changes: tuple[Change, ...]
    letter: tuple[str, ...]
    missing: int = 0

    @property
    def same(self) -> bool:
        """Nothing would have been different."""
        return not (self.subject or self.intro or self.changes or self.letter)


async def difference(line: Line, issue: Issue) -> Difference:
    """What the config and the templates of now would have made of it."""
    made = await again(line, issue)
    return Difference(
        path=issue.path,
        subject=_pair(issue.subject, made.issue.subject),
        intro=_pair(issue.intro, made.issue.intro),
        changes=changes(issue.stories, made.issue.stories, made.decisions),
        letter=await _letters(line, issue, made.issue),
        missing=made.missing,
    )


def changes(was: Sequence[Story], now: Sequence[Story], decisions: Sequence[Decision]) -> tuple[Change, ...]:
    """Story by story, in the order of the newer letter; those that fell out last."""
    why = {decision.article_id: decision.reason for decision in decisions}
    before = {story.key: story for story in was}
    after = {story.key: story for story in now}
    stays = [key for key in before if key in after]
    places = {key: number for number, key in enumerate(stays, 1)}
    kept = [key for key in after if key in before]
    found: list[Change] = []
    for key, story in after.items():
        old = before.get(key)
        if old is None:
            found.append(Change(what="added", title=story.title, words=why.get(story.lead.article_id, "")))
            continue
        place = kept.index(key) + 1
        if place != places[key]:
            words = f"from place {places[key]} to {place} of those in both"
            found.append(Change(what="moved", title=story.title, words=words))
        found += [Change(what="changed", title=story.title, words=words) for words in _retold(old, story)]
    for key, story in before.items():
        if key not in after:
            reason = why.get(story.lead.article_id, "its article is not in the window any more")
            found.append(Change(what="removed", title=story.title, words=reason))
    return tuple(found)


def _retold(old: Story, new: Story) -> list[str]:
    told: Mapping[str, tuple[str, str]] = {
        "title": (old.title, new.title),
        "section": (old.section, new.section),
        "summary": (" ".join(old.summary), " ".join(new.summary)),
        "image": (old.image, new.image),
        "also in": (_names(old), _names(new)),
        "update": (str(old.update), str(new.update)),
    }
    return [f"{name}: {was or '–'} → {now or '–'}" for name, (was, now) in told.items() if was != now]


def _names(story: Story) -> str:
    return ", ".join(source.feed_title for source in story.also)


def _pair(was: str, now: str) -> tuple[str, str] | None:
    return None if was == now else (was, now)


async def _letters(line: Line, issue: Issue, made: Issue) -> tuple[str, ...]:
    """Only of newsletters that go out by mail, as long as the letter is kept."""
    publisher = line.publishers.get(MAIL)
    before = await line.store.issues.prepared(issue.id, MAIL)
    if publisher is None or before is None or not made.stories:
        return ()
    after = await publisher.prepare(made, line.newsletters[issue.newsletter])
    if after is None or after == before:
        return ()
    old, new = (_text_of(prepared).splitlines() for prepared in (before, after))
    return tuple(difflib.unified_diff(old, new, "as it went out", "as it would be", lineterm="", n=1))


def _text_of(prepared: bytes) -> str:
    letter = message_from_bytes(splice(prepared, _NOBODY), policy=policy.default)
    body = letter.get_body(("plain",))
    return str(body.get_content()) if body is not None else ""

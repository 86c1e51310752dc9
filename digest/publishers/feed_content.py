"""What a feed says, before it takes one of its three forms: the newest issues, or their stories, as entries.

    issues → entries of their own (`issues`), or one for each story (`stories`)

Pure: the same issues give the same entries, for no clock is read. An entry's id is made when the issue is
born and never changes; its dates are real. No two entries have the same second: readers sort by it, and the
order of the stories would be lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html.entities import html5
from pathlib import Path
from typing import Literal

from digest import html
from digest.links import Links
from digest.model import Issue, Newsletter, Site, Story
from digest.render import renderer, source_name, told
from digest.typeset import clamp, safe_url

Form = Literal["atom", "rss", "json"]
Items = Literal["issues", "stories"]

FORMS: tuple[Form, ...] = ("atom", "rss", "json")
_LOST = "\ufffd"
SECOND = timedelta(seconds=1)
NEAR = timedelta(minutes=10)
_SUMMARY_LIMIT = 300
_NAME_LIMIT = 200
_LOOKS_LIKE_MARKUP = re.compile(r"<(?=[A-Za-z/!?])|&(?=#|([A-Za-z][A-Za-z0-9]*)(;?))")
# HTML reads these names also without a semicolon, and within a longer word: `&ltimg` is `<img`.
_BEGINS_WITH_A_NAME = re.compile("|".join(name for name in html5 if not name.endswith(";")))
_PLAIN_KEY = re.compile(r"[A-Za-z0-9._~-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry. summary: plain text; content: safe markup with absolute addresses only.

    external: what a story leads to; empty for an issue. source: who told it first; empty for an issue.
    """

    id: str
    url: str
    external: str = ""
    title: str
    summary: str
    content: str
    author: str
    source: str = ""
    categories: tuple[str, ...]
    image: str
    language: str
    published: datetime
    updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a document stands among the others of its feed.

    addresses: its own, by form. previous: those of the archive before it; empty when there is none.
    following: those of the archive after it, which only the first archive names. current: those of the newest
    entries, for an archive only. hub: the WebSub hub that tells when it changes.
    """

    addresses: dict[Form, str]
    previous: dict[Form, str] = field(default_factory=dict)
    following: dict[Form, str] = field(default_factory=dict)
    current: dict[Form, str] = field(default_factory=dict)
    hub: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What all three forms of a document say; items stand newest first."""

    id: str
    title: str
    description: str
    language: str
    author: str
    author_url: str
    home: str
    icon: str
    place: Place
    updated: datetime
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a document is to be made of.

    earlier: the issues right before these that came out in the very same seconds, if there are any: so an
    entry has the same date in whichever document it stands. since: when the newsletter began; a feed without
    entries was last changed then.
    """

    newsletter: Newsletter
    issues: Sequence[Issue]
    earlier: Sequence[Issue] = ()
    items: Items = "issues"
    id: str
    since: datetime
    place: Place
    site: Site
    links: Links
    templates: Path | None = None


def content_of(order: Order) -> Content:
    """Everything that the document says. Raises RenderError."""
    newsletter, links = order.newsletter, order.links
    when = dates([*order.earlier, *order.issues], order.items)
    items: list[Item] = []
    for issue in sorted(order.issues, key=lambda one: (when[one.id, one.path], one.id), reverse=True):
        moment = when[issue.id, issue.path]
        if order.items == "stories":
            items += _stories(order, issue, moment)
        else:
            items.append(_issue(order, issue, moment))
    entries = tuple(_apart(items))
    icon = renderer(order.templates).page("icon.svg")
    return Content(
        id=order.id,
        title=_plain(newsletter.title) or newsletter.slug,
        description=_plain(newsletter.description) or _plain(newsletter.title) or newsletter.slug,
        language=newsletter.language,
        author=_name(order.site.title) or newsletter.slug,
        author_url=links.home(),
        home=links.newsletter(newsletter.slug),
        icon=links.icon(icon),
        place=order.place,
        updated=max((item.updated for item in entries), default=_second(order.since)),
        items=entries,
    )


# ---------------------------------------------------------------- dates


def is_near(older: Issue, newer: Issue) -> bool:
    """Whether the date of the newer one may depend on the older one."""
    return newer.composed_at - older.composed_at < NEAR


def dates(issues: Sequence[Issue], items: Items) -> dict[tuple[int, str], datetime]:
    """When each issue was published: the second it was made in, moved on where those before took that second
    (missed issues are made all at once). It lasts a second for each entry; its last one is the oldest."""
    found: dict[tuple[int, str], datetime] = {}
    taken_from = taken_to = datetime.min.replace(tzinfo=UTC)
    for issue in sorted(issues, key=lambda issue: (issue.id, issue.path)):
        moment = _second(issue.composed_at)
        lasts = max(1, len(issue.stories) if items == "stories" else 1) * SECOND
        if taken_from <= moment and moment - lasts < taken_to:
            moment = taken_to + lasts
        else:
            taken_from = moment - lasts + SECOND
        taken_to = moment
        found[issue.id, issue.path] = moment
    return found


def _apart(items: Sequence[Item]) -> Iterator[Item]:
    """No two changes in one second: two corrections may be made by one program."""
    taken: set[datetime] = set()
    for item in items:
        updated = item.updated
        while updated in taken:
            updated += SECOND
        taken.add(updated)
        yield replace(item, updated=updated)


def _second(moment: datetime) -> datetime:
    """RSS knows only whole seconds; so that all forms agree, none has more."""
    return moment.astimezone(UTC).replace(microsecond=0)


# ---------------------------------------------------------------- words


def plainly(text: str) -> str:
    """Words where a form cannot say whether they are text or markup (titles of RSS, every name): what looks
    like a tag or a reference gets signs that only look alike, so that it is read the same way by a program
    that takes it for text and by one that takes it for markup."""
    return _LOOKS_LIKE_MARKUP.sub(_alike, text)


def _alike(found: re.Match[str]) -> str:
    if found[0] == "<":
        return "‹"
    name = found[1]
    if name is None or f"{name};" in html5 or _BEGINS_WITH_A_NAME.match(name):
        return "＆"
    return "&"


# ---------------------------------------------------------------- entries


def _issue(order: Order, issue: Issue, moment: datetime) -> Item:
    newsletter, links = order.newsletter, order.links
    url = links.issue(issue.path)
    markup = renderer(order.templates).page(
        "feed_issue.html", issue=issue, newsletter=newsletter, links=links
    )
    title = _plain(issue.title) or issue.date.isoformat()
    begun = issue.intro or " · ".join(story.title for story in issue.stories)
    pictures = (_picture(story) for story in issue.stories)
    corrected = issue.updated_at > issue.composed_at
    return Item(
        id=issue.tag,
        url=url,
        title=title,
        summary=clamp(_plain(begun), _SUMMARY_LIMIT) or title,
        content=_clean(markup, url) or "<p></p>",  # after rendering, whatever the admin's template does
        author=_name(order.site.title) or newsletter.slug,
        categories=tuple(dict.fromkeys(filter(None, (_name(s.section) for s in issue.stories)))),
        image=next(filter(None, pictures), ""),
        language=issue.language if issue.language != newsletter.language else "",
        published=moment,
        updated=max(moment, _second(issue.updated_at)) if corrected else moment,
    )


def _stories(order: Order, issue: Issue, moment: datetime) -> Iterator[Item]:
    newsletter, links = order.newsletter, order.links
    page = links.issue(issue.path)
    seen: set[str] = set()
    for number, story in enumerate(issue.stories):
        published = moment - number * SECOND
        title = _plain(story.title) or f"{_plain(issue.title)} · {number + 1}"
        source = _name(source_name(story.lead)) or newsletter.slug
        section = _name(story.section)
        language = story.language or issue.language
        if story.update:
            title = f"{renderer(order.templates).words.word(language, 'update')}: {title}"
        markup = renderer(order.templates).page(
            "feed_story.html",
            story=story,
            issue=issue,
            newsletter=newsletter,
            links=links,
            url=f"{page}#story-{number + 1}",
        )
        id_ = f"{issue.tag}/{_key(story)}"
        while id_ in seen:
            id_ += "-again"
        seen.add(id_)
        yield Item(
            id=id_,
            url=f"{page}#story-{number + 1}",
            external=_web(story.url),
            title=title,
            summary=clamp(_plain(told(story)), _SUMMARY_LIMIT) or title,
            content=_clean(markup, page) or "<p></p>",
            author=clamp(_name(", ".join(story.lead.authors)), _NAME_LIMIT) or source,
            source=source,
            categories=(section,) if section else (),
            image=_picture(story),
            language=language if language != newsletter.language else "",
            published=published,
            updated=max(published, _second(story.corrected_at)) if story.corrected_at else published,
        )


def _key(story: Story) -> str:
    """A story's part of its id: what may stand in a tag URI (RFC 4151)."""
    if _PLAIN_KEY.fullmatch(story.key):
        return story.key
    return sha256(story.key.encode(errors="replace")).hexdigest()[:16]


def _plain(text: str) -> str:
    """One clean line. What was lost on its way to us is left out: a sign for it helps nobody."""
    return html.plain(text.replace(_LOST, ""))


def _clean(markup: str, base_url: str) -> str:
    return html.clean(markup, base_url).replace(_LOST, "")


def _name(text: str) -> str:
    return plainly(_plain(text))


def _picture(story: Story) -> str:
    return _web(story.image)


def _web(url: str) -> str:
    url = safe_url(url)
    return url if url.startswith(("http:", "https:")) else ""

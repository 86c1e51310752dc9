"""What feed readers get: the newest issues as Atom, RSS 2.0 and JSON Feed 1.1.

    issues → content → build_atom, build_rss, build_json → bytes

Pure: the same issues give the same bytes, for no clock is read; a feed that has not changed keeps its ETag.
One bad title never costs the feed: whatever XML cannot hold is gone before. feedgen's door; `feed_extension`
mends what it does not do.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from feedgen.feed import FeedGenerator

from digest import html
from digest.links import Links
from digest.model import Issue, Newsletter, Site
from digest.publishers.feed_extension import NAME, EntryExtension, FeedExtension
from digest.render import renderer
from digest.typeset import clamp, safe_url

Form = Literal["atom", "rss", "json"]

FORMS: tuple[Form, ...] = ("atom", "rss", "json")
CONTENT_TYPES: dict[Form, str] = {
    "atom": "application/atom+xml; charset=utf-8",
    "rss": "application/rss+xml; charset=utf-8",
    "json": "application/feed+json",
}
GENERATOR = "Digest"
_SUMMARY_LIMIT = 300


# ---------------------------------------------------------------- what a feed says


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry. summary: plain text; content: safe markup with absolute addresses only."""

    id: str
    url: str
    title: str
    summary: str
    content: str
    categories: tuple[str, ...]
    image: str
    language: str
    published: datetime
    updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What all three forms of a newsletter's feed say; items stand newest first."""

    id: str
    title: str
    description: str
    language: str
    author: str
    author_url: str
    home: str
    addresses: dict[Form, str]
    updated: datetime
    items: tuple[Item, ...]


def build_content(
    newsletter: Newsletter,
    issues: Sequence[Issue],
    *,
    site: Site,
    links: Links,
    id: str,  # noqa: A002 - the word of RFC 4287
    since: datetime,
    templates: Path | None,
) -> Content:
    """The newest issues as entries. since: when the newsletter began; an empty feed was last changed then."""
    newest = sorted(issues, key=lambda issue: (issue.composed_at, issue.id), reverse=True)
    items = tuple(_item(newsletter, issue, links, templates) for issue in newest)
    return Content(
        id=id,
        title=html.plain(newsletter.title) or newsletter.slug,
        description=html.plain(newsletter.description) or html.plain(newsletter.title) or newsletter.slug,
        language=newsletter.language,
        author=html.plain(site.title) or newsletter.slug,
        author_url=links.home(),
        home=links.newsletter(newsletter.slug),
        addresses={form: links.feed(newsletter.slug, form) for form in FORMS},
        updated=max((item.updated for item in items), default=_second(since)),
        items=items,
    )


def _item(newsletter: Newsletter, issue: Issue, links: Links, templates: Path | None) -> Item:
    url = links.issue(issue.path)
    markup = renderer(templates).page("feed_issue.html", issue=issue, newsletter=newsletter, links=links)
    title = html.plain(issue.title) or issue.date.isoformat()
    told = issue.intro or " · ".join(story.title for story in issue.stories)
    pictures = (safe_url(story.image) for story in issue.stories)
    return Item(
        id=issue.tag,
        url=url,
        title=title,
        summary=clamp(html.plain(told), _SUMMARY_LIMIT) or title,
        content=html.clean(markup, url) or "<p></p>",  # after rendering, whatever the admin's template does
        categories=tuple(dict.fromkeys(filter(None, (html.plain(s.section) for s in issue.stories)))),
        image=next((picture for picture in pictures if picture.startswith("http")), ""),
        language=issue.language if issue.language != newsletter.language else "",
        published=_second(issue.composed_at),
        updated=_second(max(issue.composed_at, issue.updated_at)),
    )


def _second(moment: datetime) -> datetime:
    """RSS knows only whole seconds; so that all forms agree, none has more."""
    return moment.astimezone(UTC).replace(microsecond=0)


# ---------------------------------------------------------------- the three forms


def build_atom(content: Content) -> bytes:
    """RFC 4287."""
    return bytes(_generator(content, "atom").atom_str(pretty=True))


def build_rss(content: Content) -> bytes:
    """RSS 2.0 with content:encoded, dc:creator, atom:link and media:thumbnail."""
    return bytes(_generator(content, "rss").rss_str(pretty=True))


def _generator(content: Content, form: Form) -> Any:
    feed = FeedGenerator()
    feed.register_extension(NAME, FeedExtension, EntryExtension)
    feed.id(content.id)
    feed.title(content.title)
    feed.subtitle(content.description)
    feed.language(content.language)
    feed.author(name=content.author, uri=content.author_url)
    feed.link(href=content.home, rel="alternate", type="text/html")
    feed.link(href=content.addresses[form], rel="self", type=CONTENT_TYPES[form].partition(";")[0])
    feed.generator(GENERATOR)
    feed.updated(content.updated)
    if content.items:
        feed.pubDate(content.items[0].published)
    getattr(feed, NAME).home = content.home
    for item in content.items:
        _add(feed, item, content)
    return feed


def _add(feed: Any, item: Item, content: Content) -> None:
    entry = feed.add_entry(order="append")
    entry.id(item.id)
    entry.title(item.title)
    entry.link(href=item.url, rel="alternate", type="text/html")
    entry.summary(item.summary)
    entry.content(item.content, type="html")
    entry.category([{"term": category} for category in item.categories])
    entry.published(item.published)
    entry.updated(item.updated)
    extension = getattr(entry, NAME)
    extension.links = ({"href": item.url, "rel": "alternate", "type": "text/html"},)
    extension.creator = content.author
    extension.image = item.image
    extension.language = item.language


def build_json(content: Content) -> bytes:
    """JSON Feed 1.1."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": content.title,
        "home_page_url": content.home,
        "feed_url": content.addresses["json"],
        "description": content.description,
        "language": content.language,
        "authors": [{"name": content.author, "url": content.author_url}],
        "items": [_json_item(item) for item in content.items],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode() + b"\n"


def _json_item(item: Item) -> dict[str, Any]:
    told = {
        "id": item.id,
        "url": item.url,
        "title": item.title,
        "summary": item.summary,
        "content_html": item.content,
        "image": item.image,
        "date_published": item.published.isoformat(),
        "date_modified": item.updated.isoformat(),
        "tags": list(item.categories),
        "language": item.language,
    }
    return {name: value for name, value in told.items() if value}


def build(
    newsletter: Newsletter,
    issues: Sequence[Issue],
    site: Site,
    links: Links,
    id: str,  # noqa: A002 - the word of RFC 4287
    since: datetime,
    templates: Path | None,
) -> dict[Form, bytes]:
    """All three forms; what a worker runs."""
    content = build_content(
        newsletter, issues, site=site, links=links, id=id, since=since, templates=templates
    )
    return {"atom": build_atom(content), "rss": build_rss(content), "json": build_json(content)}

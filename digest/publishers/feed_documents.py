"""What feed readers get: a feed's entries as Atom, RSS 2.0 and JSON Feed 1.1.

    order → content (`feed_content`) → build_atom, build_rss, build_json → bytes

Pure: the same issues give the same bytes, for no clock is read; a feed that has not changed keeps its ETag.
One bad title never costs the feed: whatever XML cannot hold is gone before. feedgen's door; `feed_extension`
mends what it does not do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from feedgen.feed import FeedGenerator

from digest.publishers.feed_content import FORMS, Content, Form, Item, Order, content_of, plainly
from digest.publishers.feed_extension import NAME, EntryExtension, FeedExtension
from digest.publishers.feed_json import build_json

__all__ = ["CONTENT_TYPES", "FORMS", "Form", "build", "build_atom", "build_json", "build_one", "build_rss"]

CONTENT_TYPES: dict[Form, str] = {
    "atom": "application/atom+xml; charset=utf-8",
    "rss": "application/rss+xml; charset=utf-8",
    "json": "application/feed+json",
}
GENERATOR = "Digest"


def build(order: Order) -> dict[Form, bytes]:
    """All three forms of one document; what a worker runs. Raises RenderError."""
    content = content_of(order)
    return {"atom": build_atom(content), "rss": build_rss(content), "json": build_json(content)}


def build_one(order: Order, form: Form) -> bytes:
    """Only one of the forms. Raises RenderError."""
    return _BUILDERS[form](content_of(order))


def build_atom(content: Content) -> bytes:
    """RFC 4287, with the links of RFC 5005 and WebSub."""
    return bytes(_generator(content, "atom").atom_str(pretty=True))


def build_rss(content: Content) -> bytes:
    """RSS 2.0 with content:encoded, dc:creator, atom:link and media:thumbnail."""
    return bytes(_generator(content, "rss").rss_str(pretty=True))


def media_type(form: Form) -> str:
    """The MIME type without its parameters, as links name it."""
    return CONTENT_TYPES[form].partition(";")[0]


def _generator(content: Content, form: Form) -> Any:
    place = content.place
    feed = FeedGenerator()
    feed.register_extension(NAME, FeedExtension, EntryExtension)
    feed.id(content.id)
    feed.title(_plain_if_rss(content.title, form))
    feed.subtitle(_plain_if_rss(content.description, form))
    feed.language(content.language)
    feed.author(name=content.author, uri=content.author_url)
    feed.link(href=content.home, rel="alternate", type="text/html")
    feed.link(href=place.addresses[form], rel="self", type=media_type(form))
    feed.generator(GENERATOR)
    feed.updated(content.updated)
    if content.items:
        feed.pubDate(content.items[0].published)
    extension = getattr(feed, NAME)
    extension.home = content.home
    extension.icon = content.icon
    # What will not change any more says so (RFC 5005 4): the first archive once it leads on to the second.
    extension.archive = bool(place.current and (place.previous or place.following))
    extension.links = _links(content, form)
    for item in content.items:
        _add(feed, item, content, form)
    return feed


def _plain_if_rss(text: str, form: Form) -> str:
    """Atom can say what kind of text a title is (`feed_extension`), RSS cannot; that of an item's description
    is known to be HTML, that of a channel's is not."""
    return text if form == "atom" else plainly(text)


def _links(content: Content, form: Form) -> tuple[dict[str, str], ...]:
    """What feedgen does not write of its own accord. `next-archive` would change every archive when the next
    one is closed; only the first has it, which would be an archive without any link to another one."""
    place, kind = content.place, media_type(form)
    links = []
    if place.current:
        links.append({"href": place.current[form], "rel": "current", "type": kind})
    if place.previous:
        links.append({"href": place.previous[form], "rel": "prev-archive", "type": kind})
    if place.following:
        links.append({"href": place.following[form], "rel": "next-archive", "type": kind})
    if place.hub:
        links.append({"href": place.hub, "rel": "hub"})
    return tuple(links)


def _add(feed: Any, item: Item, content: Content, form: Form) -> None:
    entry = feed.add_entry(order="append")
    target = item.external or item.url
    entry.id(item.id)
    entry.title(_plain_if_rss(item.title, form))
    entry.link(href=target, rel="alternate", type="text/html")
    entry.summary(item.summary)
    entry.content(item.content, type="html")
    entry.category([{"term": category} for category in item.categories])
    entry.published(item.published)
    entry.updated(item.updated)
    extension = getattr(entry, NAME)
    extension.links = _entry_links(item, target)
    extension.creator = item.author
    extension.author = item.author if item.author != content.author else ""
    extension.source = item.source
    extension.image = item.image
    extension.language = item.language


def _entry_links(item: Item, target: str) -> tuple[dict[str, str], ...]:
    """A story leads to where it was told first, and has its place in the issue beside."""
    links = [{"href": target, "rel": "alternate", "type": "text/html"}]
    if target != item.url:
        links.append({"href": item.url, "rel": "related", "type": "text/html"})
    return tuple(links)


_BUILDERS: dict[Form, Callable[[Content], bytes]] = {
    "atom": build_atom,
    "rss": build_rss,
    "json": build_json,
}

"""JSON Feed 1.0 and 1.1 (jsonfeed.org), read as forgivingly as the other formats. Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

from digest import html
from digest.feeds import markup
from digest.feeds.moments import moment
from digest.model import Entry, FeedError, Parsed

Object = dict[str, Any]


class _Feed(NamedTuple):
    """base: what its addresses are relative to. own: where it came from; empty for a file."""

    base: str
    own: str


def read(text: str, url: str) -> Parsed:
    """The feed in this text. An item that is no object is none. Raises FeedError."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FeedError("this begins like JSON, but it is broken or cut off") from error
    if not isinstance(document, dict):
        document = {}
    items = document.get("items")
    is_declared = "jsonfeed" in str(document.get("version"))
    if not is_declared and not (isinstance(items, list) and "title" in document):
        raise FeedError("this is JSON, but not a JSON Feed (it has no list of items)")
    feed = _Feed(url, url)
    site = _url(document, "home_page_url", feed)
    authors = _authors(document)
    return Parsed(
        title=_line(document, "title"),
        site_url=site,
        language=markup.language(document.get("language")),
        entries=tuple(
            _entry(item, _Feed(url or site, url), authors)
            for item in _list(document, "items")
            if isinstance(item, dict)
        ),
        icon=_url(document, "icon", feed) or _url(document, "favicon", feed),
    )


def _entry(item: Object, feed: _Feed, authors: tuple[str, ...]) -> Entry:
    link = _url(item, "url", feed) or _url(item, "external_url", feed)
    content = _text(item, "content_html")
    if not content and _text(item, "content_text"):
        content = markup.as_html(html.scrub(_text(item, "content_text")))
    content = markup.resolved(html.scrub(content), link or feed.base, feed.own)
    summary = html.scrub(_text(item, "summary"))
    attachments = [each for each in _list(item, "attachments") if isinstance(each, dict)]
    pictures = [each for each in attachments if str(each.get("mime_type", "")).startswith("image/")]
    files = [each for each in attachments if each not in pictures]
    return Entry(
        guid=html.plain(_identifier(item)),
        url=link,
        title=_line(item, "title"),
        html=content,
        description=markup.as_html(summary) if summary else "",
        authors=_authors(item) or authors,
        categories=tuple(
            dict.fromkeys(html.plain(tag) for tag in _list(item, "tags") if isinstance(tag, str))
        ),
        language=markup.language(item.get("language")),
        image=_url(item, "image", feed)
        or _url(item, "banner_image", feed)
        or next((_url(each, "url", feed) for each in pictures), "")
        or markup.first_image(content, link or feed.base, feed.own),
        published=_date(item, "date_published") or _date(item, "date_modified"),
        updated=_date(item, "date_modified"),
        enclosure=next((_url(each, "url", feed) for each in files), ""),
    )


def _identifier(item: Object) -> str:
    # 1.1: ids are strings, and a reader must take a number as if it were one.
    value = item.get("id")
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _authors(item: Object) -> tuple[str, ...]:
    found = [*_list(item, "authors"), item.get("author")]  # 1.1, then 1.0
    names = (html.plain(each) if isinstance(each, str) else _line(each, "name") for each in found)
    return tuple(dict.fromkeys(name for name in names if name))


def _date(item: Object, key: str) -> datetime | None:
    text = _text(item, key).strip()
    when = moment(text)
    if when is None:
        try:
            when = datetime.fromisoformat(text)
            when = (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
    return when if 1971 <= when.year < 9000 else None


def _text(item: object, key: str) -> str:
    value = item.get(key) if isinstance(item, dict) else None
    return value if isinstance(value, str) else ""


def _line(item: object, key: str) -> str:
    return html.plain(_text(item, key))


def _url(item: Object, key: str, feed: _Feed) -> str:
    return markup.elsewhere(markup.absolute(feed.base, _text(item, key)), feed.own)


def _list(item: Object, key: str) -> list[Any]:
    value = item.get(key)
    return value if isinstance(value, list) else []

"""A feed as JSON Feed 1.1 (jsonfeed.org). Pure."""

from __future__ import annotations

import json
from typing import Any

from digest.publishers.feed_content import Content, Item, plainly


def build_json(content: Content) -> bytes:
    """JSON Feed 1.1. `next_url` leads to the archives, one after the other."""
    place = content.place
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": plainly(content.title),
        "home_page_url": content.home,
        "feed_url": place.addresses["json"],
        "description": plainly(content.description),
        "next_url": place.previous.get("json", ""),
        "icon": content.icon,
        "favicon": content.icon,
        "language": content.language,
        "authors": [{"name": content.author, "url": content.author_url}],
        "hubs": [{"type": "WebSub", "url": place.hub}] if place.hub else [],
    }
    told = {name: value for name, value in feed.items() if value}
    told["items"] = [_item(item, content) for item in content.items]
    return json.dumps(told, ensure_ascii=False, indent=1).encode() + b"\n"


def _item(item: Item, content: Content) -> dict[str, Any]:
    told = {
        "id": item.id,
        "url": item.url,
        "external_url": item.external,
        "title": plainly(item.title),
        "summary": plainly(item.summary),
        "content_html": item.content,
        "image": item.image,
        "date_published": item.published.isoformat(),
        "date_modified": item.updated.isoformat(),
        "authors": [{"name": item.author}] if item.author != content.author else [],
        "tags": list(item.categories),
        "language": item.language,
    }
    return {name: value for name, value in told.items() if value}

"""Finds the feeds of a site from its address: what its page names, then where feeds usually lie."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

from digest import html
from digest.feeds import markup
from digest.feeds.decoding import to_text
from digest.feeds.parse import parse
from digest.model import FeedError, Fetched, Parsed
from digest.net import Net
from digest.workers import WorkerFailed, Workers

log = logging.getLogger(__name__)

PAGE_BYTES = 3_000_000
PAGE_SECONDS = 10.0
PARSE_SECONDS = 10.0
AT_ONCE = 4
MOST_CANDIDATES = 24
PAGE = "text/html, application/xhtml+xml, application/atom+xml, application/rss+xml, */*;q=0.5"

COMMON_PATHS = (
    "feed/", "rss.xml", "atom.xml", "feed.xml", "index.xml", "feed.json", "rss", "feed.atom",
)  # fmt: skip
_TYPES = frozenset((
    "application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml",
    "application/json", "application/xml", "text/xml",
))  # fmt: skip
_SURE_TYPES = _TYPES - {"application/json", "application/xml", "text/xml", "application/rdf+xml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFeed:
    """A feed, or what may be one. named: the page itself names it; else it only lies where feeds often lie.
    entries: how many it held when it was read; 0 before."""

    url: str
    title: str = ""
    named: bool = True
    entries: int = 0


def candidates(page: bytes, url: str, content_type: str = "") -> list[FoundFeed]:
    """What this page names as feeds, then the usual places. Pure; none of it has been asked yet."""
    found: dict[str, FoundFeed] = {}
    try:
        named = list(_named(to_text(page, content_type), url))
    except FeedError:
        named = []
    guessed = (FoundFeed(url=place, named=False) for place in _usual_places(url))
    for feed in (*named, *guessed):
        found.setdefault(feed.url, feed)
    return list(found.values())[:MOST_CANDIDATES]


def _named(page: str, url: str) -> Iterator[FoundFeed]:
    tree = html.parse(page)
    if tree is None:
        return
    bases = [str(each.get("href")) for each in tree.iter("base") if each.get("href")]
    base = urljoin(url, bases[0]) if bases else url
    unsure = []
    for link in tree.iter("link", "a"):
        kind = (link.get("type") or "").partition(";")[0].strip().lower()
        rels = (link.get("rel") or "").lower().split()
        place = markup.absolute(base, link.get("href") or "")
        if not place or kind not in _TYPES or not ("alternate" in rels or "feed" in rels):
            continue
        feed = FoundFeed(url=place, title=html.plain(link.get("title") or ""))
        if kind in _SURE_TYPES:
            yield feed
        elif "/wp-json/" not in place and "oembed" not in place:
            unsure.append(feed)
    yield from unsure


def _usual_places(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    root = f"{parts.scheme}://{parts.netloc}/"
    here = urljoin(url, ".")
    for base in dict.fromkeys((here, root)):
        yield from (urljoin(base, path) for path in COMMON_PATHS)


async def discover(url: str, *, net: Net, workers: Workers) -> list[FoundFeed]:
    """The feeds of a site, each fetched and read once. If the address is a feed itself, only that.

    What the page names comes first; the usual places are asked only if it names none. Raises FeedError when
    the address itself cannot be read.
    """
    url = url.strip()
    if "://" not in url:
        url = f"https://{url}"
    page = await net.fetch(url, limit_bytes=PAGE_BYTES, accept=PAGE)
    itself = await _read(page, workers)
    if itself is not None:
        return [FoundFeed(url=page.url, title=itself.title, entries=len(itself.entries))]
    body, content_type = page.body or b"", page.content_type
    found = await workers.run(candidates, body, page.url, content_type, timeout=PAGE_SECONDS)
    for group in (True, False):
        feeds = await _checked([feed for feed in found if feed.named is group], net, workers)
        if feeds:
            return feeds
    return []


async def _checked(feeds: list[FoundFeed], net: Net, workers: Workers) -> list[FoundFeed]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(feed: FoundFeed) -> FoundFeed | None:
        async with gate:
            try:
                fetched = await net.fetch(feed.url)
            except FeedError as error:
                log.debug("no feed here", extra={"url": feed.url, "error": str(error)})
                return None
            parsed = await _read(fetched, workers)
        if parsed is None:
            return None
        return replace(feed, url=fetched.url, title=parsed.title or feed.title, entries=len(parsed.entries))

    answers = await asyncio.gather(*(one(feed) for feed in feeds))
    found = {feed.url: feed for feed in answers if feed is not None}
    return list(found.values())


async def _read(fetched: Fetched, workers: Workers) -> Parsed | None:
    try:
        return await workers.run(
            parse, fetched.body or b"", fetched.content_type, fetched.url, timeout=PARSE_SECONDS
        )
    except (FeedError, WorkerFailed) as error:
        log.debug("not a feed", extra={"url": fetched.url, "error": str(error)})
        return None

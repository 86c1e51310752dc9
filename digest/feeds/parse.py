"""Bytes to values: what a feed said, in any format there is, cleaned of what no reader should get.

    bytes → text (decoding) → document (markup) → feedparser or our JSON Feed reader → entries → no doubles

feedparser neither cleans markup nor resolves links for us: we do both later and faster. Pure, and slow on
hostile input: run it in a worker. Door of: feedparser.
"""

from __future__ import annotations

import io
from dataclasses import replace

import feedparser

from digest.feeds import jsonfeed, markup
from digest.feeds.decoding import to_text
from digest.feeds.identity import identified, newest, without_doubles
from digest.feeds.reading import Reading, Said, get, href, nowhere, ttl
from digest.model import FeedError, Parsed, Wishes

WEB_PAGE = "this is a web page, not a feed; run `digest feeds discover URL` to find the feed of this site"

_OTHERS = {
    "opml": "this is a list of feeds (OPML), not a feed; read it with `digest feeds import`",
    "urlset": "this is a sitemap, not a feed",
    "sitemapindex": "this is a sitemap, not a feed",
    "error": "this is an error message of a server, not a feed: check the url",
}
_PAGE_PARTS = {"html", "head", "body", "div", "p", "br", "b", "a", "span", "script", "h1", "meta", "table"}


def parse(body: bytes, content_type: str = "", url: str = "") -> Parsed:
    """What the bytes of a feed said. url: where they came from, the base of relative links; may be a path.

    A broken feed gives what could be read of it. Raises FeedError, in words that say what we got, when that
    is nothing.
    """
    if not body.strip(b"\0\t\n\r "):
        raise FeedError("the answer was empty: there is no feed in it")
    base = url if url.startswith(("http://", "https://")) else ""
    text = to_text(body, content_type).lstrip("\ufeff\0\t\n\r ")
    read = jsonfeed.read(text, base) if text.startswith(("{", "[")) else _read_xml(text, base)
    return replace(read, entries=tuple(newest(without_doubles(identified(read.entries)))))


def parse_quickly(body: bytes, content_type: str = "", url: str = "") -> Parsed | None:
    return None


# ---------------------------------------------------------------- xml


def _read_xml(text: str, url: str) -> Parsed:
    root, document = markup.document(text)
    if root == "html":
        raise FeedError(WEB_PAGE)
    try:
        found = feedparser.parse(
            io.BytesIO(document.encode()),  # bytes that look like a path would be opened as one
            response_headers={
                "content-type": "application/xml; charset=utf-8",
                "content-location": nowhere(url),
            },
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    except Exception as error:  # it raises whatever it stumbles over: KeyError, AssertionError, TypeError
        raise FeedError("this feed is broken in a way that we cannot read") from error
    feed: Said = found["feed"]
    version = get(found, "version") or ""  # it leaves it out where there was nothing to read
    if not found["entries"] and not version:
        raise FeedError(_what_it_is(root))
    reading = Reading(url, feed, version)
    return Parsed(
        title=reading.title(feed),
        site_url=reading.link(get(feed, "link")),
        language=markup.language(get(feed, "language")),
        entries=tuple(reading.entry(said) for said in found["entries"]),
        wishes=Wishes(every=ttl(get(feed, "ttl"))),
        icon=reading.link(get(feed, "icon") or get(feed, "logo") or href(get(feed, "image"))),
    )


def _what_it_is(root: str) -> str:
    if root in _OTHERS:
        return _OTHERS[root]
    if root in _PAGE_PARTS:
        return WEB_PAGE
    if root:
        return f"this is an XML document (<{root[:40]}>), but not a feed"
    return "this is text, but not a feed: check the url"

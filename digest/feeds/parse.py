"""Bytes to values: what a feed said, in any format there is, cleaned of what no reader should get.

    bytes → text (decoding) → the quick reader (lxml), or → document (markup, taming) → feedparser → entries

The quick reader takes what is well formed and ordinary; feedparser reads all the rest, and says in the tests
what the quick one must find. feedparser neither cleans markup nor resolves links for us: we do both later and
faster. Pure, and slow on hostile input: run it in a worker. Door of: feedparser.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from digest.feeds import jsonfeed, markup, quick
from digest.feeds.decoding import to_text
from digest.feeds.identity import newest
from digest.feeds.names import Unusual
from digest.feeds.reading import Reading, Said, get, href, nowhere
from digest.feeds.taming import tamed
from digest.feeds.wishes import skipped, wishes
from digest.model import FeedError, Parsed, Wishes

WEB_PAGE = "this is a web page, not a feed; run `digest feeds discover URL` to find the feed of this site"

_OTHERS = {
    "opml": "this is a list of feeds (OPML), not a feed; read it with `digest feeds import`",
    "urlset": "this is a sitemap, not a feed",
    "sitemapindex": "this is a sitemap, not a feed",
    "error": "this is an error message of a server, not a feed: check the url",
}
_PAGE_PARTS = {"html", "head", "body", "div", "p", "br", "b", "a", "span", "script", "h1", "meta", "table"}
_FORMATS = {"rss", "feed", "rdf", "channel"}
_RSS_1 = "rss10"  # feedparser takes it for Atom where it names Atom's namespace first
_AROUND = "\ufeff\0\t\n\r "


def parse(body: bytes, content_type: str = "", url: str = "") -> Parsed:
    """What the bytes of a feed said. url: where they came from, the base of relative links; may be a path.

    Its entries are all that stand in it, at most 1,000: two may be the same, and one may say nothing. A
    broken feed gives what could be read of it. Raises FeedError, in words that say what we got, when that is
    nothing.
    """
    text = _text(body, content_type)
    base = _base(url)
    if text.startswith(("{", "[")):
        return _newest(jsonfeed.read(text, base))
    return _newest(_read_quickly(body, text, base) or _read_patiently(text, base))


def parse_quickly(body: bytes, content_type: str = "", url: str = "") -> Parsed | None:
    """The same, of a feed with nothing unusual in it; None: only `parse` can tell. Never takes long, and
    raises FeedError where what we got is surely no text."""
    text = _text(body, content_type)
    base = _base(url)
    if not text.startswith(("{", "[")):
        read = _read_quickly(body, text, base)
        return _newest(read) if read else None
    try:
        return _newest(jsonfeed.read(text, base))
    except FeedError:
        return None


def parse_patiently(body: bytes, content_type: str = "", url: str = "") -> Parsed:
    """The same by feedparser alone: what the quick reader is measured by."""
    return _newest(_read_patiently(_text(body, content_type), _base(url)))


def _text(body: bytes, content_type: str) -> str:
    if not body.strip(b"\0\t\n\r "):
        raise FeedError("the answer was empty: there is no feed in it")
    return to_text(body, content_type).lstrip(_AROUND)


def _base(url: str) -> str:
    return url if url.startswith(("http://", "https://")) else ""


def _newest(read: Parsed) -> Parsed:
    entries = tuple(newest(read.entries))
    return read if len(entries) == len(read.entries) else replace(read, entries=entries)


# ---------------------------------------------------------------- xml, well formed


def _read_quickly(body: bytes, text: str, url: str) -> Parsed | None:
    document = text.encode("utf-8", "replace")
    try:
        return _quickly(document, url) or _quickly(_readable(markup.document(text)[1]).encode(), url)
    except (Unusual, FeedError):
        return None


def _readable(document: str) -> str:
    """The document with its bare ampersands mended, if they are all that is wrong with it."""
    mended = markup.with_ampersands(document)
    return mended if mended != document and quick.tree(mended.encode()) is not None else document


def _quickly(document: bytes, url: str, *, recover: bool = False) -> Parsed | None:
    root = quick.tree(document, recover=recover)
    if root is None:
        return None
    found = quick.characters(document)
    walk = quick.walked(root, document, nowhere(url), _odd_date, sound=found.sound)
    version = _RSS_1 if walk.is_rdf else walk.version
    reading = Reading(url, walk.feed, version, clean=found.clean and not walk.mended)
    return _parsed(reading, walk.feed, walk.entries, quick.asked(walk))


def _odd_date(text: str) -> Any:
    from feedparser.datetimes import _parse_date

    return _parse_date(text)


# ---------------------------------------------------------------- xml, however broken


def _read_patiently(text: str, url: str) -> Parsed:
    root, document = markup.document(text)
    if root == "html":
        raise FeedError(WEB_PAGE)
    import feedparser  # it takes as long to load as ten feeds to read, and few workers need it

    document = _readable(document)
    try:
        found = feedparser.parse(
            io.BytesIO(tamed(document).encode()),  # bytes that look like a path would be opened as one
            response_headers={
                "content-type": "application/xml; charset=utf-8",
                "content-location": nowhere(url),
            },
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    except Exception as error:  # it raises whatever it stumbles over: KeyError, AssertionError, TypeError
        rescued = _rescued(document, url)
        if rescued is None:
            raise FeedError("this feed is broken in a way that we cannot read") from error
        return rescued
    feed: Said = found["feed"]
    version = get(found, "version") or ""  # it leaves it out where there was nothing to read
    if not found["entries"] and not version and root not in _FORMATS:
        raise FeedError(_what_it_is(root))
    ttl, period, frequency = (get(feed, name) for name in ("ttl", "sy_updateperiod", "sy_updatefrequency"))
    asked = wishes(ttl, period, frequency, *skipped(document))
    version = _RSS_1 if root == "rdf" else version
    return _parsed(Reading(url, feed, version), feed, found["entries"], asked)


def _rescued(document: str, url: str) -> Parsed | None:
    """What the quick reader gets out of a document that feedparser stumbles over, well formed or not."""
    try:
        return _quickly(document.encode(), url, recover=True)
    except Unusual:
        return None


def _parsed(reading: Reading, feed: Said, entries: list[Any], asked: Wishes) -> Parsed:
    return Parsed(
        title=reading.title(feed),
        site_url=reading.link(get(feed, "link")),
        language=markup.language(get(feed, "language")),
        entries=tuple(reading.entry(said) for said in entries),
        wishes=asked,
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

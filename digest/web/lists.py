"""Lists for machines: feeds for feed readers (OPML), pages for search engines (sitemaps, robots.txt)."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterable
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from digest.model import NotFound, Publication
from digest.web.archive import publication_of
from digest.web.conditional import Conditions, verdict
from digest.web.lent import WebLent
from digest.web.pages import Pages

MOST_PAGES = 49_000  # a sitemap may hold 50,000

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_FORMS = ("atom", "rss", "json")
# Rules are beginnings (RFC 9309 2.2.2): `/search` would shut out a newsletter called searchlight.
_PRIVATE = ("/confirm/", "/unsubscribe/", "/preferences/", "/dev/",
            "/search$", "/search?", "/*/search$", "/*/search?")  # fmt: skip


async def no_feed_yet(pages: Pages, request: Request) -> Response:
    """Feeds are answered by `documents`; this is only reached when there is none."""
    await publication_of(pages.lent, request)
    if request.path_params["format"] not in _FORMS:
        raise NotFound("no such feed")
    return pages.message("no_feed_yet", status=404, request=request)


async def no_archive(pages: Pages, request: Request) -> Response:
    """410 for an archive of a feed all of whose issues are kept no longer, 404 for one that never was."""
    await publication_of(pages.lent, request)
    known = request.path_params["format"] in _FORMS
    if known and await pages.lent.store.documents.is_removed(request.scope["path"]):
        return PlainTextResponse("These issues are kept no longer.\n", status_code=410)
    raise NotFound("no such archive")


async def opml(pages: Pages, request: Request) -> Response:
    """All our feeds in one file, for feed readers that import lists."""
    lent = pages.lent
    body = _opml(lent, [one for one in await lent.store.newsletters.all() if one.retired_at is None])
    return _document(request, body, "text/x-opml; charset=utf-8")


async def robots(pages: Pages, _request: Request) -> Response:
    """Everybody may read what is for everybody."""
    lines = ["User-agent: *", *(f"Disallow: {pages.base}{path}" for path in _PRIVATE)]
    text = "\n".join([*lines, "", f"Sitemap: {pages.lent.links.sitemap()}", ""])
    return PlainTextResponse(text, headers={"cache-control": "public, max-age=86400"})


async def sitemap(pages: Pages, request: Request) -> Response:
    """The sitemaps of all newsletters."""
    lent = pages.lent
    maps = [(lent.links.sitemap(one.newsletter.slug), "") for one in await lent.store.newsletters.all()]
    return _document(request, _sitemap("sitemapindex", "sitemap", maps), "application/xml; charset=utf-8")


async def sitemap_of(pages: Pages, request: Request) -> Response:
    """A newsletter's pages, the newest issues first."""
    lent = pages.lent
    publication = await publication_of(lent, request)
    slug = publication.newsletter.slug
    issues = await lent.store.shelves.addresses(slug, limit=MOST_PAGES)

    def write() -> bytes:
        found = [(lent.links.newsletter(slug), ""), (lent.links.archive(slug), "")]
        found += [(lent.links.issue(path), changed.date().isoformat()) for path, changed in issues]
        return _sitemap("urlset", "url", found)

    body = await asyncio.to_thread(write)  # tens of thousands of pages; others' pages do not wait for them
    return _document(request, body, "application/xml; charset=utf-8")


def _sitemap(root: str, kind: str, pages: Iterable[tuple[str, str]]) -> bytes:
    """Lines of addresses and the days of their last change; a tree of elements takes ten times as long."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', f'<{root} xmlns="{_SITEMAP}">']
    for url, changed in pages:
        more = f"<lastmod>{changed}</lastmod>" if changed else ""
        lines.append(f"<{kind}><loc>{escape(url)}</loc>{more}</{kind}>")
    return "\n".join([*lines, f"</{root}>", ""]).encode()


def _document(request: Request, body: bytes, media_type: str) -> Response:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"etag": etag, "cache-control": "public, max-age=900", "access-control-allow-origin": "*"}
    asked = Conditions(if_none_match=", ".join(request.headers.getlist("if-none-match")) or None)
    if verdict(asked, etag=etag, last_modified=None) == "not modified":
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def _opml(lent: WebLent, publications: Iterable[Publication]) -> bytes:
    root = ElementTree.Element("opml", version="2.0")
    ElementTree.SubElement(ElementTree.SubElement(root, "head"), "title").text = _clean(lent.site.title)
    body = ElementTree.SubElement(root, "body")
    for one in publications:
        about = one.newsletter
        attributes = {
            "type": "rss",
            "text": _clean(about.title),
            "title": _clean(about.title),
            "description": _clean(about.description),
            "language": about.language,
            "xmlUrl": lent.links.feed(about.slug, "atom"),
            "htmlUrl": lent.links.newsletter(about.slug),
        }
        ElementTree.SubElement(body, "outline", attributes)
    return _xml(root)


def _xml(root: ElementTree.Element) -> bytes:
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _clean(text: str) -> str:
    return _NOT_XML.sub("", text)

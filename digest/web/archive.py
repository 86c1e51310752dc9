"""What anyone may read: the home page, a newsletter, its issues, the list of feeds."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit
from xml.etree import ElementTree

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from digest.model import Issue, Newsletter, NotFound, Publication
from digest.web.conditional import Conditions, verdict
from digest.web.lent import WebLent
from digest.web.pages import Pages, local, plausible_slug
from digest.web.security import web_url

LATEST = 12
SOURCES = 40

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DATED = re.compile(r"\d{4}-\d\d-\d\d(-\d{1,4})?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A newsletter on the home page with its latest issue."""

    publication: Publication
    latest: Issue | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A feed, as readers see it: by name and web site, never by the feed's address (it may hold a key)."""

    title: str
    url: str


async def home(pages: Pages, request: Request) -> Response:
    store = pages.lent.store
    shelves = [
        Shelf(
            publication=one, latest=next(iter(await store.issues.latest(one.newsletter.slug, limit=1)), None)
        )
        for one in await store.newsletters.all()
    ]
    shelves.sort(key=lambda shelf: shelf.publication.retired_at is not None)
    return pages.public(request, "home", shelves=shelves)


async def newsletter(pages: Pages, request: Request) -> Response:
    publication = await publication_of(pages.lent, request)
    return pages.public(request, "newsletter", **await front(pages.lent, publication, _before(request)))


async def front(lent: WebLent, publication: Publication, before: int | None = None) -> dict[str, object]:
    """What a newsletter's own page shows; the sign-up form with an error is that same page."""
    slug = publication.newsletter.slug
    issues = await lent.store.issues.latest(slug, limit=LATEST + 1, before=before)
    return {
        "publication": publication,
        "newsletter": publication.newsletter,
        "issues": issues[:LATEST],
        "older": issues[LATEST - 1].id if len(issues) > LATEST else None,
        "first_page": before is None,
        "sources": _origins(publication.newsletter, issues),
        "email": "",
        "problem": "",
    }


async def issue(pages: Pages, request: Request) -> Response:
    lent = pages.lent
    publication = await publication_of(lent, request)
    found = await _issue_at(lent, request)
    older, newer = await lent.store.issues.neighbours(found)
    return pages.public(
        request,
        "issue",
        publication=publication,
        newsletter=publication.newsletter,
        issue=found,
        older=older,
        newer=newer,
        email="",
        problem="",
    )


async def add_slash(pages: Pages, request: Request) -> Response:
    """`/world` and `/world/2026-11-22` are their pages without the last stroke. The target is made of what
    the store knows, never of the Host or of a path that might read `//elsewhere`."""
    publication = await publication_of(pages.lent, request)
    links = pages.lent.links
    if request.path_params.keys() & {"number", "id"}:
        target = links.issue((await _issue_at(pages.lent, request)).path)
    else:
        target = links.newsletter(publication.newsletter.slug)
    return RedirectResponse(local(target), status_code=308)


async def no_feed_yet(pages: Pages, request: Request) -> Response:
    """Feeds are answered by `documents`; this is only reached when there is none."""
    await publication_of(pages.lent, request)
    if request.path_params["format"] not in ("atom", "rss", "json"):
        raise NotFound("no such feed")
    return pages.message("no_feed_yet", status=404, request=request)


async def opml(pages: Pages, request: Request) -> Response:
    """All our feeds in one file, for feed readers that import lists."""
    lent = pages.lent
    body = _opml(lent, [one for one in await lent.store.newsletters.all() if one.retired_at is None])
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"etag": etag, "cache-control": "public, max-age=900", "access-control-allow-origin": "*"}
    asked = Conditions(if_none_match=request.headers.get("if-none-match"))
    if verdict(asked, etag=etag, last_modified=None) == "not modified":
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="text/x-opml; charset=utf-8", headers=headers)


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
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _clean(text: str) -> str:
    return _NOT_XML.sub("", text)


# ---------------------------------------------------------------- shared with the forms


async def publication_of(lent: WebLent, request: Request) -> Publication:
    """The newsletter that the path names. Raises NotFound."""
    slug = request.path_params["slug"]
    if not plausible_slug(slug):
        raise NotFound("no such newsletter")
    return await lent.store.newsletters.get(slug)


async def _issue_at(lent: WebLent, request: Request) -> Issue:
    asked = request.path_params
    place = f"i/{asked['id']}" if "id" in asked else asked["number"]
    plausible = "id" in asked or _DATED.fullmatch(place) is not None
    found = await lent.store.issues.by_path(f"{asked['slug']}/{place}") if plausible else None
    if found is None:
        raise NotFound("no such issue")
    return found


def _origins(newsletter: Newsletter, issues: Iterable[Issue]) -> tuple[Origin, ...]:
    """Whom the newsletter reads: as the admin names them, and as its latest issues told their stories.
    (Counting feeds in the store would take longer than the rest of the page.)"""
    found = {follow.title: "" for follow in newsletter.follows if follow.title}
    for issue in issues:
        for story in issue.stories:
            for source in (story.lead, *story.also):
                if source.feed_title and not found.get(source.feed_title):
                    found[source.feed_title] = _front_door(source.url)
    names = sorted(found, key=str.casefold)[:SOURCES]
    return tuple(Origin(title=name, url=found[name]) for name in names)


def _front_door(url: str) -> str:
    """The site that an article stands on."""
    parts = urlsplit(web_url(url))
    return f"{parts.scheme}://{parts.netloc}/" if parts.hostname and "@" not in parts.netloc else ""


def _before(request: Request) -> int | None:
    text = request.query_params.get("before", "")
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None

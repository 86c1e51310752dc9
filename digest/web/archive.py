"""What anyone may read: the home page, a newsletter, its issues, and all of them by year and month."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from digest.model import Issue, Listed, Newsletter, NotFound, Publication
from digest.web.lent import WebLent
from digest.web.linked_data import issue_data, newsletter_data
from digest.web.pages import Pages, local, plausible_slug
from digest.web.security import web_url

LATEST = 12
SOURCES = 40
LONG = 15  # stories; so many want a table of contents

_DATED = re.compile(r"\d{4}-\d\d-\d\d(-\d{1,4})?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A newsletter on the home page with its latest issue."""

    publication: Publication
    latest: Listed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A feed, as readers see it: by name and web site, never by the feed's address (it may hold a key)."""

    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthOf:
    """A month of the archive. first: its first day, for its name."""

    first: date
    url: str
    issues: int


@dataclass(frozen=True, slots=True, kw_only=True)
class YearOf:
    number: int
    url: str
    months: tuple[MonthOf, ...]

    @property
    def issues(self) -> int:
        return sum(month.issues for month in self.months)


async def home(pages: Pages, request: Request) -> Response:
    store = pages.lent.store
    latest = await store.shelves.latest_of_each()
    shelves = [
        Shelf(publication=one, latest=latest.get(one.newsletter.slug))
        for one in await store.newsletters.all()
    ]
    shelves.sort(key=lambda shelf: shelf.publication.retired_at is not None)
    own = shelves[0].publication.newsletter.language if shelves else ""
    language = pages.asked(request, otherwise=own)
    return pages.public(request, "home", vary="accept-language", language=language, shelves=shelves)


async def newsletter(pages: Pages, request: Request) -> Response:
    publication = await publication_of(pages.lent, request)
    return pages.public(request, "newsletter", **await front(pages.lent, publication, _before(request)))


async def front(lent: WebLent, publication: Publication, before: int | None = None) -> dict[str, Any]:
    """What a newsletter's own page shows; the sign-up form with an error is that same page."""
    slug = publication.newsletter.slug
    newest = await lent.store.issues.latest(slug, limit=1, before=before)
    rest = await lent.store.shelves.newest(slug, limit=LATEST, before=newest[0].id) if newest else []
    return {
        "publication": publication,
        "newsletter": publication.newsletter,
        "latest": newest[0] if newest else None,
        "earlier": rest[: LATEST - 1],
        "older": rest[LATEST - 2].id if len(rest) == LATEST else None,
        "first_page": before is None,
        "sources": _origins(publication.newsletter, newest),
        "data": newsletter_data(publication.newsletter, lent.site, lent.links),
        "email": "",
        "problem": "",
    }


async def issue(pages: Pages, request: Request) -> Response:
    lent = pages.lent
    publication = await publication_of(lent, request)
    found = await _issue_at(lent, request)
    if not found.public and await lent.store.shelves.is_shelved(found.path):
        return pages.message("shelved", status=410, request=request)
    older, newer = await lent.store.shelves.neighbours(found)
    [found] = await lent.store.shelves.linked([found])
    return pages.public(
        request,
        "issue",
        publication=publication,
        newsletter=publication.newsletter,
        issue=found,
        older=older,
        newer=newer,
        is_long=len(found.stories) >= LONG,
        data=issue_data(found, publication.newsletter, lent.site, lent.links),
        email="",
        problem="",
    )


# ---------------------------------------------------------------- by year and month


async def years(pages: Pages, request: Request) -> Response:
    """Every year with its months."""
    publication = await publication_of(pages.lent, request)
    known = await _years(pages.lent, publication)
    return _archive(pages, request, publication, known, known)


async def year(pages: Pages, request: Request) -> Response:
    publication = await publication_of(pages.lent, request)
    known = await _years(pages.lent, publication)
    shown = [one for one in known if one.number == request.path_params["year"]]
    if not shown:
        raise NotFound("no issue came out in that year")
    return _archive(pages, request, publication, known, shown)


async def month(pages: Pages, request: Request) -> Response:
    """The issues of one month."""
    lent = pages.lent
    publication = await publication_of(lent, request)
    known = await _years(lent, publication)
    wanted = (request.path_params["year"], request.path_params["month"])
    every = [each for one in known for each in one.months]
    found = [place for place, each in enumerate(every) if (each.first.year, each.first.month) == wanted]
    if not found:
        raise NotFound("no issue came out in that month")
    this = every[found[0]]
    last = this.first.replace(day=calendar.monthrange(*wanted)[1])
    slug = publication.newsletter.slug
    return pages.public(
        request,
        "archive_month",
        publication=publication,
        newsletter=publication.newsletter,
        years=known,
        month=this,
        newer=every[found[0] - 1] if found[0] else None,
        older=every[found[0] + 1] if found[0] + 1 < len(every) else None,
        issues=await lent.store.shelves.between(slug, this.first, last),
    )


def _archive(
    pages: Pages, request: Request, publication: Publication, known: list[YearOf], shown: list[YearOf]
) -> Response:
    return pages.public(
        request,
        "archive",
        publication=publication,
        newsletter=publication.newsletter,
        years=known,
        shown=shown,
        number=request.path_params.get("year"),
    )


async def _years(lent: WebLent, publication: Publication) -> list[YearOf]:
    slug = publication.newsletter.slug
    months: dict[int, list[MonthOf]] = {}
    for one in await lent.store.shelves.months(slug):
        url = lent.links.archive(slug, one.year, one.month)
        first = date(one.year, one.month, 1)
        months.setdefault(one.year, []).append(MonthOf(first=first, url=url, issues=one.issues))
    return [
        YearOf(number=number, url=lent.links.archive(slug, number), months=tuple(each))
        for number, each in months.items()
    ]


# ---------------------------------------------------------------- addresses


async def add_slash(pages: Pages, request: Request) -> Response:
    """`/world` and `/world/2026-11-22` are their pages without the last stroke. The target is made of what
    the store knows, never of the Host or of a path that might read `//elsewhere`."""
    publication = await publication_of(pages.lent, request)
    links, asked = pages.lent.links, request.path_params
    slug = publication.newsletter.slug
    if asked.keys() & {"number", "id"}:
        target = links.issue((await _issue_at(pages.lent, request)).path)
    else:
        target = links.newsletter(slug)
    return RedirectResponse(local(target), status_code=308)


async def add_slash_to_archive(pages: Pages, request: Request) -> Response:
    publication = await publication_of(pages.lent, request)
    asked = request.path_params
    target = pages.lent.links.archive(publication.newsletter.slug, asked.get("year"), asked.get("month"))
    return RedirectResponse(local(target), status_code=308)


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
    """Whom the newsletter reads: as the admin names them, and as its latest issue told its stories.
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

"""Searching past stories: those of a newsletter, or of all."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from digest.model import Found
from digest.web.archive import publication_of
from digest.web.pages import Pages

SHOWN = 20
LONGEST = 200  # characters of a query that are shown again


async def everywhere(pages: Pages, request: Request) -> Response:
    publications = await pages.lent.store.newsletters.all()
    titles = {one.newsletter.slug: one.newsletter for one in publications}
    return await _search(pages, request, None, newsletters=titles, newsletter=None)


async def within(pages: Pages, request: Request) -> Response:
    publication = await publication_of(pages.lent, request)
    newsletter = publication.newsletter
    known = {newsletter.slug: newsletter}
    return await _search(pages, request, newsletter.slug, newsletters=known, newsletter=newsletter)


async def _search(pages: Pages, request: Request, slug: str | None, **context: Any) -> Response:
    query = _cut(" ".join(request.query_params.get("q", "").split()))
    before = request.query_params.get("before", "")
    place = int(before) if re.fullmatch(r"[0-9]{1,18}", before) else None
    search = pages.lent.store.search
    found: list[Found] = await search.find(query, slug, before=place, limit=SHOWN + 1)
    address = pages.lent.links.search(slug)
    more = found[SHOWN - 1].id if len(found) > SHOWN else None
    return pages.public(
        request,
        "search",
        vary="accept-language" if slug is None else "",
        language=pages.asked(request) if slug is None else "",
        query=query,
        found=found[:SHOWN],
        action=address,
        first_page=place is None,
        more="" if more is None else f"{address}?{urlencode({'q': query, 'before': more})}",
        **context,
    )


def _cut(query: str) -> str:
    """So much of a query as is shown again. No word is cut in two: nobody would find the half of it."""
    if len(query) <= LONGEST:
        return query
    return query[: LONGEST + 1].rpartition(" ")[0] or query[:LONGEST]

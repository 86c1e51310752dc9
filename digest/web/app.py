"""The web: the list of everything that can be asked, and who answers."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from digest.links import asset
from digest.model import NotFound, NotReady
from digest.web import archive, health, inbox, leaving, lists, manage, moving, preferences, search, subscribe
from digest.web.documents import Documents
from digest.web.gate import Gate
from digest.web.lent import WebLent
from digest.web.pages import Pages
from digest.web.private_feed import private_feed
from digest.web.security import BODY_LIMIT, SecureHeaders

Handler = Callable[[Pages, Request], Awaitable[Response]]

log = logging.getLogger(__name__)


class _Year(Convertor[int]):
    regex = "[0-9]{4}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return f"{value:04d}"


class _Month(Convertor[int]):
    regex = "0[1-9]|1[0-2]"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return f"{value:02d}"


register_url_convertor("year", _Year())
register_url_convertor("month", _Month())

_FOREVER = {"cache-control": "public, max-age=31536000, immutable"}


def build_app(lent: WebLent) -> ASGIApp:
    """Feed documents first, from memory; then the pages, each with the headers that keep readers safe."""
    css = lent.renderer.page("site.css")
    icon = lent.renderer.page("icon.svg")
    pages = Pages(
        lent=lent,
        stylesheet=asset("site", css, "css"),
        icon=asset("icon", icon, "svg"),
        static=lent.static,
    )
    app = Starlette(
        routes=_routes(pages, css, icon),
        exception_handlers={
            HTTPException: partial(_refused, pages),
            NotFound: partial(_missing, pages),
            NotReady: partial(_later, pages),
            ClientDisconnect: _gone,
            Exception: partial(_broken, pages),
        },
        max_body_size=BODY_LIMIT,
    )
    # Starlette's own redirect would be made of the Host header; `archive.add_slash` knows better.
    app.router.redirect_slashes = False
    return Documents(SecureHeaders(app), lent.store.documents, lent.clock)


def _routes(pages: Pages, css: str, icon: str) -> list[Route]:
    lent, gate = pages.lent, Gate()
    return [
        Route("/", partial(archive.home, pages)),
        Route("/feeds.opml", partial(lists.opml, pages)),
        Route("/robots.txt", partial(lists.robots, pages)),
        Route("/sitemap.xml", partial(lists.sitemap, pages)),
        Route("/search", partial(search.everywhere, pages)),
        Route(pages.stylesheet, partial(_asset, css, "text/css")),
        Route(pages.icon, partial(_asset, icon, "image/svg+xml")),
        Route("/healthz", health.healthz),
        Route("/readyz", partial(health.readyz, lent.health)),
        Route("/metrics", partial(health.metrics, lent)),
        *(_inbox(pages) if lent.dev_inbox else ()),
        *_form("/confirm/{token}", pages, subscribe.confirm_page, subscribe.confirm),
        *_form("/unsubscribe/{token}", pages, leaving.unsubscribe_page, leaving.unsubscribe),
        *_form("/unsubscribe/undo/{token}", pages, leaving.goodbye_page, leaving.goodbye),
        *_form(
            "/preferences/{token}",
            pages,
            preferences.preferences_page,
            partial(preferences.preferences, gate),
        ),
        *_form("/preferences/manage/{token}", pages, manage.manage_page, manage.manage),
        *_form("/preferences/address/{token}", pages, moving.address_page, moving.address),
        Route("/{slug}", partial(archive.add_slash, pages)),
        Route("/{slug}/", partial(archive.newsletter, pages)),
        *_form("/{slug}/subscribe", pages, subscribe.to_the_form, partial(subscribe.subscribe, gate)),
        Route("/{slug}/private/{token}/feed.{format}", partial(private_feed, pages)),
        Route("/{slug}/feed.{format}", partial(lists.no_feed_yet, pages)),
        Route("/{slug}/feed/{number:int}.{format}", partial(lists.no_archive, pages)),
        Route("/{slug}/sitemap.xml", partial(lists.sitemap_of, pages)),
        Route("/{slug}/search", partial(search.within, pages)),
        *_by_date(pages),
        Route("/{slug}/{number}", partial(archive.add_slash, pages)),
        Route("/{slug}/{number}/", partial(archive.issue, pages)),
        Route("/{slug}/i/{id:int}", partial(archive.add_slash, pages)),
        Route("/{slug}/i/{id:int}/", partial(archive.issue, pages)),
    ]


def _by_date(pages: Pages) -> list[Route]:
    """Digits alone, so that a month has one address."""
    levels = (
        ("/{slug}/archive", archive.years),
        ("/{slug}/archive/{year:year}", archive.year),
        ("/{slug}/archive/{year:year}/{month:month}", archive.month),
    )
    return [
        route
        for path, page in levels
        for route in (
            Route(path, partial(archive.add_slash_to_archive, pages)),
            Route(f"{path}/", partial(page, pages)),
        )
    ]


def _inbox(pages: Pages) -> list[Route]:
    return [
        Route("/dev/inbox", partial(inbox.letters, pages)),
        Route("/dev/inbox/{number:int}", partial(inbox.letter, pages)),
        Route("/dev/inbox/{number:int}/html", partial(inbox.letter_html, pages)),
        Route("/dev/inbox/{number:int}/raw", partial(inbox.letter_raw, pages)),
    ]


def _form(path: str, pages: Pages, look: Handler, act: Handler) -> list[Route]:
    """A page that shows something to GET and HEAD, and does something only on POST. A stroke that a mail
    program put at its end is no hindrance."""

    async def endpoint(request: Request) -> Response:
        return await (act if request.method == "POST" else look)(pages, request)

    return [Route(each, endpoint, methods=["GET", "POST"]) for each in (path, f"{path}/")]


async def _asset(text: str, media_type: str, _request: Request) -> Response:
    return Response(text, media_type=media_type, headers=_FOREVER)


# ---------------------------------------------------------------- what goes wrong

_KINDS = {404: "missing", 405: "method", 413: "too_large"}


async def _refused(pages: Pages, request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    kind = _KINDS.get(error.status_code, "not_understood")
    return pages.message(kind, status=error.status_code, request=request, headers=error.headers)


async def _missing(pages: Pages, request: Request, _error: Exception) -> Response:
    return pages.message("missing", status=404, request=request)


async def _later(pages: Pages, request: Request, error: Exception) -> Response:
    log.warning("page not possible now", extra={"error": str(error)})
    return pages.message("later", status=503, request=request, headers={"retry-after": "30"})


async def _gone(_request: Request, _error: Exception) -> Response:
    """Whoever sent a form hung up before its end. Nobody reads this, and it is no news."""
    return Response(status_code=400)


async def _broken(pages: Pages, request: Request, _error: Exception) -> Response:
    """Starlette raises the error again after this answer, so that the log has it in full."""
    return pages.message("broken", status=500, request=request)

"""The letter to a new address leads here: its owner says yes, and the letters move."""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import Response

from digest.model import Token
from digest.web.pages import Pages
from digest.web.tokens import network_of

log = logging.getLogger(__name__)


async def address_page(pages: Pages, request: Request) -> Response:
    """Shows a button. Mail scanners follow links, so looking changes nothing."""
    token = _token(pages, request)
    change = None if token is None else await pages.lent.store.subscriptions.address_change(token)
    if change is None:
        return pages.message("broken_link", status=404, request=request)
    return pages.private(
        "address",
        language=pages.asked(request),
        address=change.address,
        token=request.path_params["token"],
        done=change.done,
    )


async def address(pages: Pages, request: Request) -> Response:
    """Twice is as good as once: people press again, and reload."""
    lent = pages.lent
    token = _token(pages, request)
    evidence = {"form": "address page", "ip": network_of(lent, request)}
    moved = (
        None
        if token is None
        else await lent.store.subscriptions.confirm_address(token, evidence=evidence, now=lent.clock())
    )
    if moved is None:
        return pages.message("broken_link", status=404, request=request)
    if not moved.done:
        log.info("address changed")
    return pages.private("address", language=pages.asked(request), address=moved.address, token="", done=True)


def _token(pages: Pages, request: Request) -> Token | None:
    lent = pages.lent
    return lent.links.opened(request.path_params["token"], "address", now=lent.clock())

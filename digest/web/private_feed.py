"""A reader's own feed, at an address that only they have: the number signed into it must be the latest.

It is kept by nobody but its reader, found by no search engine, and ends with the subscription.
"""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from digest.model import DigestError, NotFound, NotReady, Subscription, SubscriptionStatus
from digest.web.conditional import Conditions, verdict
from digest.web.lent import FeedForm
from digest.web.pages import Pages
from digest.web.security import PRIVATE

log = logging.getLogger(__name__)

# It may be kept by its reader, to be asked about again; nobody else may keep it at all.
_HEADERS = {**PRIVATE, "cache-control": "private, no-cache"}
_READING = (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAUSED)
_FORMS: dict[str, FeedForm] = {"atom": "atom", "rss": "rss", "json": "json"}


async def private_feed(pages: Pages, request: Request) -> Response:
    """404 for an address that never was one, 410 for one that is over: feed readers then stop asking."""
    lent = pages.lent
    form = _FORMS.get(request.path_params["format"])
    token = lent.links.opened(request.path_params["token"], "feed", now=lent.clock())
    if lent.private_feeds is None or form is None or token is None:
        raise NotFound("no such feed")
    reader = await lent.store.subscriptions.get(token.id)
    if reader is None or reader.newsletter != request.path_params["slug"]:
        raise NotFound("no such feed")
    if not _is_open(reader, token.number):
        return PlainTextResponse("This private feed has ended.\n", status_code=410, headers=PRIVATE)
    publication = await lent.store.newsletters.get(reader.newsletter)
    born = await lent.store.subscriptions.born_for(reader.id, limit=lent.private_feeds.entries)
    etag = f'"{lent.private_feeds.validator(publication, reader, born)}-{form}"'
    headers = {**_HEADERS, "etag": etag}
    asked = request.headers.getlist("if-none-match")
    conditions = Conditions(if_none_match=", ".join(asked) if asked else None)
    if verdict(conditions, etag=etag, last_modified=None) == "not modified":
        return Response(status_code=304, headers=headers)
    try:
        body = await lent.private_feeds.write(publication, reader, form, born)
    except NotReady:
        raise
    except DigestError as error:
        log.warning("private feed not written", extra={"newsletter": reader.newsletter, "error": str(error)})
        raise NotReady("a private feed was not written") from error
    return Response(body, headers={**headers, "content-type": lent.private_feeds.content_types[form]})


def _is_open(reader: Subscription, number: int) -> bool:
    return reader.feed_on and reader.feed_number == number and reader.status in _READING

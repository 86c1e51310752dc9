"""What only the owner of an address may do: see all that we hold, move to another address, be erased.

The link is mailed to the address itself and is good for one hour; the letters' own links do not lead here. A
new address takes part in nothing before its owner has confirmed it, from a letter that goes there.
"""

from __future__ import annotations

import json
import logging

from starlette.requests import Request
from starlette.responses import Response

from digest import addresses
from digest.model import Subscription
from digest.translations import msg
from digest.web import wishes
from digest.web.forms import read_form
from digest.web.lent import FeedForm, WebLent
from digest.web.pages import Pages
from digest.web.security import PRIVATE
from digest.web.tokens import READING, language_of, network_of
from digest.web.wishes import Problem

log = logging.getLogger(__name__)


async def manage_page(pages: Pages, request: Request) -> Response:
    subscription = await _owner(pages, request)
    if subscription is None:
        return pages.message("broken_link", status=404, request=request)
    return await _page(pages, request, subscription)


async def manage(pages: Pages, request: Request) -> Response:
    """`action`: `download`, `address`, `erase` (asks once more) or `erase-now`; for a feed of one's own
    `feed-on`, `feed-new` (another address), `feed-off`, and `mail-off` or `mail-on`."""
    subscription = await _owner(pages, request)
    if subscription is None:
        return pages.message("broken_link", status=404, request=request)
    form = await read_form(request)
    match form.get("action"):
        case "download":
            return await _download(pages, subscription)
        case "address":
            return await _move(pages, request, subscription, form.get("email", ""))
        case "feed-on" | "feed-new" | "feed-off" | "mail-on" | "mail-off" as wish:
            return await _feed(pages, request, subscription, wish)
        case "erase":
            return await _page(pages, request, subscription, step="erase")
        case "erase-now":
            return await _erase(pages, subscription)
    sentence = msg("That was not understood. Please use the buttons below.")
    return await _page(pages, request, subscription, problem=Problem(field="action", sentence=sentence))


async def _owner(pages: Pages, request: Request) -> Subscription | None:
    """Only the latest link that was mailed is good, and only while they have this address."""
    lent = pages.lent
    token = lent.links.opened(request.path_params["token"], "manage", now=lent.clock())
    return None if token is None else await lent.store.subscriptions.managed(token)


async def _download(pages: Pages, subscription: Subscription) -> Response:
    everything = await pages.lent.store.subscriptions.everything(subscription.subscriber_id)
    log.info("data downloaded", extra={"newsletter": subscription.newsletter})
    return Response(
        json.dumps(everything, ensure_ascii=False, indent=2) + "\n",
        media_type="application/json",
        headers={**PRIVATE, "content-disposition": 'attachment; filename="my-data.json"'},
    )


async def _move(pages: Pages, request: Request, subscription: Subscription, given: str) -> Response:
    """Whether somebody has the new address already is not told: the page is the same."""
    lent = pages.lent
    try:
        address = addresses.normalize(given)
    except addresses.AddressError:
        problem = Problem(field="email", sentence=wishes.why_no_address(given))
        return await _page(pages, request, subscription, problem=problem, email=given)
    if addresses.key(address) == addresses.key(subscription.address):
        problem = Problem(field="email", sentence=msg("This is the address that you have already."))
        return await _page(pages, request, subscription, problem=problem, email=given)
    if not await lent.store.subscriptions.may_ask_address(subscription.id, address, now=lent.clock()):
        problem = Problem(field="email", sentence=wishes.TOO_OFTEN)
        return await _page(pages, request, subscription, problem=problem, email=given)
    evidence = {"form": "manage page", "ip": network_of(lent, request)}
    await lent.store.subscriptions.request_address(
        subscription.id, address, evidence=evidence, now=lent.clock()
    )
    log.info("change of address asked", extra={"newsletter": subscription.newsletter})
    return await _page(pages, request, subscription, step="moving", email=address)


async def _feed(pages: Pages, request: Request, subscription: Subscription, wish: str) -> Response:
    """A feed of one's own is given here and not on the preferences page: whoever has its address reads every
    letter to come."""
    store, now = pages.lent.store.subscriptions, pages.lent.clock()
    match wish:
        case "feed-on" | "feed-off":
            changed = await store.private_feed(subscription.id, wish == "feed-on", now)
        case "feed-new":
            changed = await store.renew_feed(subscription.id, now)
        case _:
            changed = await store.by_mail(subscription.id, wish == "mail-on", now)
    log.info("private feed changed", extra={"newsletter": subscription.newsletter, "wish": wish})
    return await _page(pages, request, changed or subscription, step="feed")


async def _erase(pages: Pages, subscription: Subscription) -> Response:
    publication = await pages.lent.store.newsletters.get(subscription.newsletter)
    await pages.lent.store.subscriptions.erase_id(subscription.subscriber_id, pages.lent.clock())
    log.info("person erased", extra={"newsletter": subscription.newsletter})
    return pages.private("erased", language=language_of(subscription, publication.newsletter))


async def _page(
    pages: Pages,
    request: Request,
    subscription: Subscription,
    *,
    step: str = "",
    problem: Problem | None = None,
    email: str = "",
) -> Response:
    lent = pages.lent
    publication = await lent.store.newsletters.get(subscription.newsletter)
    return pages.private(
        "manage",
        status=422 if problem else 200,
        language=language_of(subscription, publication.newsletter),
        newsletter=publication.newsletter,
        address=subscription.address,
        token=request.path_params["token"],
        preferences=lent.links.token("preferences", subscription.id),
        feeds=_addresses(lent, subscription),
        may_have_feed=lent.private_feeds is not None
        and publication.retired_at is None
        and subscription.status in READING
        and not await lent.store.subscriptions.is_suppressed(subscription.address),
        by_mail=subscription.by_mail,
        step=step,
        problem=problem,
        email=email[:254],
    )


def _addresses(lent: WebLent, subscription: Subscription) -> list[tuple[str, str]]:
    """(name, address) of the reader's own feed; none while it is off."""
    if not subscription.feed_on:
        return []
    token = lent.links.token("feed", subscription.id, number=subscription.feed_number)
    forms: tuple[tuple[str, FeedForm], ...] = (("Atom", "atom"), ("RSS", "rss"), ("JSON Feed", "json"))
    return [(name, lent.links.private_feed(subscription.newsletter, token, form)) for name, form in forms]

"""Pausing, coming back and leaving: the links at the foot of every letter.

A letter may be forwarded, so these pages show the address masked and let nobody do more than that.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from digest.links import Purpose
from digest.model import Newsletter, Subscription, SubscriptionStatus
from digest.web.lent import WebLent
from digest.web.pages import Pages
from digest.web.security import client_ip, network_hash

log = logging.getLogger(__name__)

LONGEST_PAUSE = timedelta(days=366)


# ---------------------------------------------------------------- leaving


async def unsubscribe_page(pages: Pages, request: Request) -> Response:
    """Shows a button. Scanners follow links, so looking changes nothing."""
    lent = pages.lent
    number = _subscription_id(lent, request, "unsubscribe")
    if number is None:
        return pages.message("broken_link", status=404, request=request)
    subscription = await lent.store.subscriptions.get(number)
    if subscription is None or subscription.status is SubscriptionStatus.LEFT:
        return await _goodbye(pages, subscription)
    publication = await lent.store.newsletters.get(subscription.newsletter)
    return pages.private(
        "unsubscribe",
        publication=publication,
        newsletter=publication.newsletter,
        address=subscription.address,
        token=request.path_params["token"],
    )


async def unsubscribe(pages: Pages, request: Request) -> Response:
    """From the button or from a mail client (RFC 8058): any POST leaves, whatever its body; the token
    says it all. Twice is as good as once, and one who has been erased has left, too."""
    lent = pages.lent
    number = _subscription_id(lent, request, "unsubscribe")
    if number is None:
        return pages.message("broken_link", status=404, request=request)
    form = await _form(request)
    one_click = str(form.get("List-Unsubscribe", "")) == "One-Click"
    return await _goodbye(
        pages, await _leave(lent, request, number, "one-click" if one_click else "unsubscribe page")
    )


async def _leave(lent: WebLent, request: Request, number: int, way: str) -> Subscription | None:
    evidence = {"form": way, "ip": network_hash(client_ip(request, lent.trusted_proxies), lent.ip_key)}
    left = await lent.store.subscriptions.leave(number, evidence=evidence, now=lent.clock())
    log.info("subscription ended", extra={"newsletter": left.newsletter if left else "", "way": way})
    return left


async def _goodbye(pages: Pages, subscription: Subscription | None) -> Response:
    publication = (
        None if subscription is None else await pages.lent.store.newsletters.get(subscription.newsletter)
    )
    return pages.private(
        "goodbye", publication=publication, newsletter=publication.newsletter if publication else None
    )


async def _form(request: Request) -> Mapping[str, object]:
    """The form, or nothing when it cannot be read: a clumsy mail client must still get out."""
    try:
        return await request.form(max_files=0, max_fields=10)
    except HTTPException as error:
        if error.status_code == 413:
            raise
        return FormData()


# ---------------------------------------------------------------- preferences


async def preferences_page(pages: Pages, request: Request) -> Response:
    subscription = await _subscription(pages.lent, request)
    if subscription is None:
        return pages.message("broken_link", status=404, request=request)
    return await _preferences(pages, request, subscription)


async def preferences(pages: Pages, request: Request) -> Response:
    """One of three: `pause` until a date, `resume`, `leave`."""
    lent = pages.lent
    subscription = await _subscription(lent, request)
    if subscription is None:
        return pages.message("broken_link", status=404, request=request)
    form = await request.form(max_files=0, max_fields=10)
    action = str(form.get("action", ""))
    if action == "leave":
        return await _goodbye(pages, await _leave(lent, request, subscription.id, "preferences page"))
    if action == "pause":
        return await _pause(pages, request, subscription, str(form.get("until", "")))
    if action == "resume":
        await lent.store.subscriptions.resume(subscription.id, lent.clock())
        return await _preferences(pages, request, subscription, done="resumed")
    return await _preferences(pages, request, subscription, problem="action", status=422)


async def _pause(pages: Pages, request: Request, subscription: Subscription, given: str) -> Response:
    newsletter = (await pages.lent.store.newsletters.get(subscription.newsletter)).newsletter
    today = _today(pages.lent, newsletter)
    until = _date(given)
    if until is None or not today < until <= today + LONGEST_PAUSE:
        return await _preferences(pages, request, subscription, problem="until", status=422, until=given[:20])
    await pages.lent.store.subscriptions.pause(subscription.id, until, pages.lent.clock())
    return await _preferences(pages, request, subscription, done="paused")


async def _preferences(
    pages: Pages,
    request: Request,
    subscription: Subscription,
    *,
    done: str = "",
    problem: str = "",
    until: str = "",
    status: int = 200,
) -> Response:
    lent = pages.lent
    current = await lent.store.subscriptions.get(subscription.id) or subscription
    publication = await lent.store.newsletters.get(current.newsletter)
    today = _today(lent, publication.newsletter)
    return pages.private(
        "preferences",
        status=status,
        publication=publication,
        newsletter=publication.newsletter,
        subscription=current,
        token=request.path_params["token"],
        earliest=(today + timedelta(days=1)).isoformat(),
        latest=(today + LONGEST_PAUSE).isoformat(),
        until=until or (today + timedelta(days=14)).isoformat(),
        done=done,
        problem=problem,
    )


def _today(lent: WebLent, newsletter: Newsletter) -> date:
    """The date where the newsletter comes out."""
    return lent.clock().astimezone(ZoneInfo(newsletter.schedule.zone)).date()


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


# ---------------------------------------------------------------- tokens


async def _subscription(lent: WebLent, request: Request) -> Subscription | None:
    number = _subscription_id(lent, request, "preferences")
    return None if number is None else await lent.store.subscriptions.get(number)


def _subscription_id(lent: WebLent, request: Request, purpose: Purpose) -> int | None:
    return lent.links.read(request.path_params["token"], purpose, now=lent.clock())

"""Leaving: one click, and a goodbye page on which one may take it back or say why.

The way back has a token of its own, good for an hour after leaving: later, a forwarded letter must not
subscribe anybody again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from digest.model import Publication, Subscription, SubscriptionStatus
from digest.web import wishes
from digest.web.forms import read_clumsy_form, read_form
from digest.web.lent import WebLent
from digest.web.pages import Pages
from digest.web.tokens import language_of, network_of, subscription_id, subscription_of
from digest.web.wishes import LONGEST_REMARK, REASONS, Problem

log = logging.getLogger(__name__)


async def unsubscribe_page(pages: Pages, request: Request) -> Response:
    """Shows a button. Scanners follow links, so looking changes nothing."""
    lent = pages.lent
    number = subscription_id(lent, request, "unsubscribe")
    if number is None:
        return pages.message("broken_link", status=404, request=request)
    subscription = await lent.store.subscriptions.of_link(number)
    if subscription is None or subscription.status is SubscriptionStatus.LEFT:
        return await _goodbye(pages, request, subscription)
    publication = await lent.store.newsletters.get(subscription.newsletter)
    return pages.private(
        "unsubscribe",
        language=language_of(subscription, publication.newsletter),
        publication=publication,
        newsletter=publication.newsletter,
        address=subscription.address,
        token=request.path_params["token"],
    )


async def unsubscribe(pages: Pages, request: Request) -> Response:
    """From the button or from a mail client (RFC 8058): any POST leaves, whatever its body; the token
    says it all. Twice is as good as once, and one who has been erased has left, too."""
    number = subscription_id(pages.lent, request, "unsubscribe")
    if number is None:
        return pages.message("broken_link", status=404, request=request)
    form = await read_clumsy_form(request)
    one_click = form.get("List-Unsubscribe") == "One-Click"
    return await leave_and_say_goodbye(
        pages, request, number, "one-click" if one_click else "unsubscribe page"
    )


async def leave_and_say_goodbye(pages: Pages, request: Request, number: int, way: str) -> Response:
    return await _goodbye(pages, request, await leave(pages.lent, request, number, way))


async def leave(lent: WebLent, request: Request, number: int, way: str) -> Subscription | None:
    """End one subscription. None: it is not there (any more)."""
    evidence = {"form": way, "ip": network_of(lent, request)}
    left = await lent.store.subscriptions.leave(number, evidence=evidence, now=lent.clock())
    log.info("subscription ended", extra={"newsletter": left.newsletter if left else "", "way": way})
    return left


# ---------------------------------------------------------------- goodbye


async def goodbye_page(pages: Pages, request: Request) -> Response:
    subscription = await subscription_of(pages.lent, request, "undo")
    if subscription is None:
        return pages.message("broken_link", status=404, request=request)
    return await _goodbye(pages, request, subscription)


async def goodbye(pages: Pages, request: Request) -> Response:
    """`action` is `undo` or `reason`."""
    lent = pages.lent
    subscription = await subscription_of(lent, request, "undo")
    if subscription is None:
        return pages.message("broken_link", status=404, request=request)
    form = await read_form(request)
    if form.get("action") == "undo":
        return await _undo(pages, request, subscription)
    read = wishes.read_reason(form)
    if isinstance(read, Problem):
        return await _goodbye(pages, request, subscription, problem=read, typed=form)
    reason, remark = read
    await lent.store.subscriptions.say_why(subscription.id, reason=reason, remark=remark, now=lent.clock())
    log.info("reason given", extra={"newsletter": subscription.newsletter, "reason": reason})
    return await _goodbye(pages, request, subscription, thanked=True)


async def _undo(pages: Pages, request: Request, subscription: Subscription) -> Response:
    lent = pages.lent
    evidence = {"form": "goodbye page", "ip": network_of(lent, request)}
    back = await lent.store.subscriptions.undo(subscription.id, evidence=evidence, now=lent.clock())
    if back is None or back.status is SubscriptionStatus.LEFT:
        return pages.message("broken_link", status=404, request=request)
    publication = await lent.store.newsletters.get(back.newsletter)
    log.info("subscription restored", extra={"newsletter": back.newsletter})
    return pages.private(
        "back",
        language=language_of(back, publication.newsletter),
        publication=publication,
        newsletter=publication.newsletter,
        subscription=back,
        preferences=lent.links.token("preferences", back.id),
    )


async def _goodbye(
    pages: Pages,
    request: Request,
    subscription: Subscription | None,
    *,
    thanked: bool = False,
    problem: Problem | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    """The way back stands open for an hour after leaving, however this page was reached."""
    lent = pages.lent
    if subscription is None:  # erased: there is nobody to speak of
        return pages.private(
            "goodbye", language=pages.asked(request), newsletter=None, token="", problem=None
        )
    publication = await lent.store.newsletters.get(subscription.newsletter)
    closed = await lent.store.subscriptions.is_suppressed(subscription.address)
    return pages.private(
        "goodbye",
        status=422 if problem else 200,
        language=language_of(subscription, publication.newsletter),
        publication=publication,
        newsletter=publication.newsletter,
        token="" if closed else _way_back(lent, subscription, publication),
        reasons=REASONS,
        longest=LONGEST_REMARK,
        thanked=thanked,
        problem=problem,
        typed=typed or {},
    )


def _way_back(lent: WebLent, subscription: Subscription, publication: Publication) -> str:
    """A token that is good until an hour after leaving, empty after that: an old link that is forwarded must
    not subscribe anybody again."""
    left_at = subscription.left_at
    if left_at is None or publication.retired_at is not None:
        return ""
    token = lent.links.token("undo", subscription.id, issued=left_at)
    still_good = lent.links.read(token, "undo", now=lent.clock()) is not None
    return token if still_good else ""

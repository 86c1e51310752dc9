"""Saying yes: the form, the same answer for everyone, and the confirmation."""

from __future__ import annotations

import html
import logging
import re

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from digest.addresses import AddressError, normalize
from digest.model import Publication, Subscription, SubscriptionStatus, Token
from digest.web import archive
from digest.web.forms import read_form
from digest.web.gate import Gate, checked, sign_up, was_quick
from digest.web.lent import WebLent
from digest.web.pages import Pages, local
from digest.web.security import client_ip, from_another_site, network_hash
from digest.web.tokens import language_of
from digest.web.wishes import why_no_address

log = logging.getLogger(__name__)

HONEYPOT = "website"


async def to_the_form(pages: Pages, request: Request) -> Response:
    """Someone opened or reloaded the address that the form is sent to."""
    publication = await archive.publication_of(pages.lent, request)
    target = local(pages.lent.links.newsletter(publication.newsletter.slug))
    return RedirectResponse(f"{target}#subscribe", status_code=303)


async def subscribe(gate: Gate, pages: Pages, request: Request) -> Response:
    """The answer is the same page for new, known, pending and suppressed addresses, and the same work: what
    was asked for is written down, and looked at later. Nobody learns from it who reads what."""
    lent = pages.lent
    publication = await archive.publication_of(lent, request)
    if publication.retired_at is not None:
        return pages.message("retired", status=410, request=request)
    form = await read_form(request)
    given, opened = form.get("email", ""), form.get("opened", "")
    slug, now = publication.newsletter.slug, lent.clock()
    if from_another_site(request, lent.site.url):
        return await _again(pages, publication, given, "elsewhere", 403)
    if form.get(HONEYPOT):
        if gate.is_news("honeypot", now):
            log.info("sign-up ignored", extra={"newsletter": slug, "why": "honeypot"})
        return _check_inbox(pages, publication)
    try:
        address = normalize(given)
    except AddressError:
        return await _again(pages, publication, given, why_no_address(given), 422, opened)
    if was_quick(opened, now, lent.ip_key, lent.signup.fill_time):
        return await _again(pages, publication, given, "quick", 422, opened)
    await sign_up(gate, lent, request, slug, address, shown(pages, publication))
    return _check_inbox(pages, publication)


def _check_inbox(pages: Pages, publication: Publication) -> Response:
    return pages.private("check_inbox", publication=publication, newsletter=publication.newsletter)


async def _again(
    pages: Pages, publication: Publication, given: str, problem: str, status: int, opened: str = ""
) -> Response:
    """The form once more. opened: the stamp it came with, if that is what it looks like."""
    front = await archive.front(pages.lent, publication)
    kept = {**front, "email": given[:254], "problem": problem}
    return pages.private("newsletter", status=status, opened=checked(opened), **kept)


def shown(pages: Pages, publication: Publication) -> str:
    """The words beside the button, as the page showed them: what the person said yes to."""
    text = re.sub(r"<[^>]*>", " ", pages.render("consent", newsletter=publication.newsletter))
    return " ".join(html.unescape(text).split())


# ---------------------------------------------------------------- the link in the confirmation letter


async def confirm_page(pages: Pages, request: Request) -> Response:
    """Shows a button. Mail scanners follow links, so looking changes nothing."""
    lent = pages.lent
    token = _token(lent, request)
    subscription = None if token is None else await lent.store.subscriptions.to_confirm(token)
    if subscription is None:
        return pages.message("broken_link", status=404, request=request)
    publication = await lent.store.newsletters.get(subscription.newsletter)
    if publication.retired_at is not None:
        return pages.message("retired", status=410, request=request)
    if subscription.status in (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAUSED):
        return await _welcome(pages, publication, subscription)
    return pages.private(
        "confirm",
        language=language_of(subscription, publication.newsletter),
        publication=publication,
        newsletter=publication.newsletter,
        address=subscription.address,
        token=request.path_params["token"],
    )


async def confirm(pages: Pages, request: Request) -> Response:
    lent = pages.lent
    token = _token(lent, request)
    if token is None:
        return pages.message("broken_link", status=404, request=request)
    client = client_ip(request, lent.trusted_proxies)
    evidence = {"form": "confirmation page", "ip": network_hash(client, lent.ip_key)}
    subscription = await lent.store.subscriptions.confirm(
        token.id, token=token, evidence=evidence, now=lent.clock()
    )
    if subscription is None:
        return pages.message("broken_link", status=404, request=request)
    log.info("subscription confirmed", extra={"newsletter": subscription.newsletter})
    publication = await lent.store.newsletters.get(subscription.newsletter)
    return await _welcome(pages, publication, subscription)


async def _welcome(pages: Pages, publication: Publication, subscription: Subscription) -> Response:
    latest = await pages.lent.store.issues.latest(publication.newsletter.slug, limit=1)
    return pages.private(
        "welcome",
        language=language_of(subscription, publication.newsletter),
        rhythm=subscription.rhythm.schedule,
        publication=publication,
        newsletter=publication.newsletter,
        latest=latest[0] if latest else None,
    )


def _token(lent: WebLent, request: Request) -> Token | None:
    return lent.links.opened(request.path_params["token"], "confirm", now=lent.clock())

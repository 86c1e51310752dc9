"""Saying yes: the form, the same answer for everyone, and the confirmation."""

from __future__ import annotations

import html
import logging
import re

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from digest.addresses import AddressError, normalize
from digest.model import Publication, SubscriptionStatus
from digest.web import archive
from digest.web.lent import WebLent
from digest.web.pages import Pages, local
from digest.web.security import client_ip, from_another_site, network_hash

log = logging.getLogger(__name__)

HONEYPOT = "website"


async def to_the_form(pages: Pages, request: Request) -> Response:
    """Someone opened or reloaded the address that the form is sent to."""
    publication = await archive.publication_of(pages.lent, request)
    target = local(pages.lent.links.newsletter(publication.newsletter.slug))
    return RedirectResponse(f"{target}#subscribe", status_code=303)


async def subscribe(pages: Pages, request: Request) -> Response:
    """The answer is the same page for new, known, pending and suppressed addresses: nobody learns from
    it who reads what."""
    lent = pages.lent
    publication = await archive.publication_of(lent, request)
    if publication.retired_at is not None:
        return pages.message("retired", status=410)
    form = await request.form(max_files=0, max_fields=10)
    given = str(form.get("email", ""))
    if from_another_site(request, lent.site.url):
        return await _again(pages, publication, given, "elsewhere", 403)
    if str(form.get(HONEYPOT, "")):
        log.info("sign-up ignored", extra={"newsletter": publication.newsletter.slug, "why": "honeypot"})
        return _check_inbox(pages, publication)
    try:
        address = normalize(given)
    except AddressError as error:
        return await _again(pages, publication, given, str(error), 422)
    evidence = {"form": shown(pages, publication), "ip": _network(lent, request)}
    await lent.store.subscriptions.request(
        publication.newsletter.slug, address, evidence=evidence, now=lent.clock()
    )
    log.info("sign-up received", extra={"newsletter": publication.newsletter.slug})
    return _check_inbox(pages, publication)


def _check_inbox(pages: Pages, publication: Publication) -> Response:
    return pages.private("check_inbox", publication=publication, newsletter=publication.newsletter)


async def _again(pages: Pages, publication: Publication, given: str, problem: str, status: int) -> Response:
    front = await archive.front(pages.lent, publication)
    return pages.private("newsletter", status=status, **{**front, "email": given[:254], "problem": problem})


def shown(pages: Pages, publication: Publication) -> str:
    """The words beside the button, as the page showed them: what the person said yes to."""
    text = re.sub(r"<[^>]*>", " ", pages.render("consent", newsletter=publication.newsletter))
    return " ".join(html.unescape(text).split())


def _network(lent: WebLent, request: Request) -> str:
    return network_hash(client_ip(request, lent.trusted_proxies), lent.ip_key)


# ---------------------------------------------------------------- the link in the confirmation letter


async def confirm_page(pages: Pages, request: Request) -> Response:
    """Shows a button. Mail scanners follow links, so looking changes nothing."""
    lent = pages.lent
    number = _subscription_id(lent, request)
    subscription = None if number is None else await lent.store.subscriptions.get(number)
    if subscription is None:
        return pages.message("broken_link", status=404)
    publication = await lent.store.newsletters.get(subscription.newsletter)
    if publication.retired_at is not None:
        return pages.message("retired", status=410)
    if subscription.status in (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAUSED):
        return await _welcome(pages, publication)
    return pages.private(
        "confirm",
        publication=publication,
        newsletter=publication.newsletter,
        address=subscription.address,
        token=request.path_params["token"],
    )


async def confirm(pages: Pages, request: Request) -> Response:
    lent = pages.lent
    number = _subscription_id(lent, request)
    if number is None:
        return pages.message("broken_link", status=404)
    evidence = {"form": "confirmation page", "ip": _network(lent, request)}
    subscription = await lent.store.subscriptions.confirm(number, evidence=evidence, now=lent.clock())
    if subscription is None:
        return pages.message("broken_link", status=404)
    log.info("subscription confirmed", extra={"newsletter": subscription.newsletter})
    return await _welcome(pages, await lent.store.newsletters.get(subscription.newsletter))


async def _welcome(pages: Pages, publication: Publication) -> Response:
    latest = await pages.lent.store.issues.latest(publication.newsletter.slug, limit=1)
    return pages.private(
        "welcome",
        publication=publication,
        newsletter=publication.newsletter,
        latest=latest[0] if latest else None,
    )


def _subscription_id(lent: WebLent, request: Request) -> int | None:
    token = request.path_params["token"]
    return lent.links.read(token, "confirm", now=lent.clock())

"""What pages behind a token share: whose it is, in which language we answer."""

from __future__ import annotations

from starlette.requests import Request

from digest.links import Purpose
from digest.model import Newsletter, Subscription, SubscriptionStatus
from digest.web.lent import WebLent
from digest.web.security import client_ip, network_hash

READING = (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAUSED)


async def subscription_of(lent: WebLent, request: Request, purpose: Purpose) -> Subscription | None:
    """Whom the token in the path is about. None: forged, for another purpose, too old, or they are gone."""
    number = subscription_id(lent, request, purpose)
    return None if number is None else await lent.store.subscriptions.of_link(number)


def subscription_id(lent: WebLent, request: Request, purpose: Purpose) -> int | None:
    return lent.links.read(request.path_params["token"], purpose, now=lent.clock())


def language_of(subscription: Subscription, newsletter: Newsletter) -> str:
    """The reader's own choice, else the newsletter's language."""
    return subscription.language or newsletter.language


def network_of(lent: WebLent, request: Request) -> str:
    """Where the request came from, as the consent ledger remembers it."""
    return network_hash(client_ip(request, lent.trusted_proxies), lent.ip_key)

"""What `service` lends to the web."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from digest.links import Links
from digest.model import Feed, Site
from digest.render import Renderer
from digest.store import Store
from digest.web.health import Health


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupLimits:
    """Sign-ups in an hour: from one address, from the network around it, and from everywhere. fill_time: the
    shortest in which a person fills a form."""

    per_address: int = 60
    per_network: int = 300
    in_total: int = 1000
    fill_time: timedelta = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebLent:
    """Everything the pages need; nothing here is built by us.

    trusted_proxies: addresses or networks whose X-Forwarded-For counts.
    dev_inbox: show kept letters at /dev/inbox (only with the inbox transport and a loopback bind).
    feed_state: how a feed is, in one word, for /metrics.
    ip_key: keys the hash under which the network of a sign-up is remembered.
    signup: how many sign-ups are taken. stamps: pages with the form say when they were opened.
    """

    site: Site
    store: Store
    links: Links
    renderer: Renderer
    clock: Callable[[], datetime]
    health: Callable[[], Awaitable[Health]]
    feed_state: Callable[[Feed, datetime], str]
    ip_key: bytes
    trusted_proxies: tuple[str, ...] = ()
    dev_inbox: bool = False
    stamps: bool = True
    signup: SignupLimits = field(default_factory=lambda: SignupLimits())

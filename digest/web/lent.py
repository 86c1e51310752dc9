"""What `service` lends to the web."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from digest.links import Links
from digest.model import Feed, Site
from digest.render import Renderer
from digest.store import Store
from digest.web.health import Health


@dataclass(frozen=True, slots=True, kw_only=True)
class WebLent:
    """Everything the pages need; nothing here is built by us.

    trusted_proxies: addresses or networks whose X-Forwarded-For counts.
    dev_inbox: show kept letters at /dev/inbox (only with the inbox transport and a loopback bind).
    static: the pages are read to be kept as files.
    feed_state: how a feed is, in one word, for /metrics.
    ip_key: keys the hash under which the network of a sign-up is remembered.
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
    static: bool = False

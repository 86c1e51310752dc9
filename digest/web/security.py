"""What keeps readers safe: headers of every answer, whose word counts, how little is shown of a person."""

from __future__ import annotations

import hashlib
import hmac
import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digest.typeset import safe_url

BODY_LIMIT = 16 * 1024

CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' https:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# `same-origin`, not `no-referrer`: with the latter browsers send `Origin: null` with our own forms.
_DEFAULTS = {
    "content-security-policy": CONTENT_POLICY,
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
}
PRIVATE = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow",
}
"""For pages behind a token: kept by nobody, named to nobody, found by nobody."""

_FORWARDING = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")
_LOOPBACK_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.ASCII | re.IGNORECASE)


class SecureHeaders:
    """Adds the default headers to every answer that does not set its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _DEFAULTS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, guarded if scope["type"] == "http" else send)


# ---------------------------------------------------------------- who is asking


def client_ip(request: Request, trusted: tuple[str, ...]) -> IPv4Address | IPv6Address | None:
    """The address of the one who asks; a forwarding header counts only from a trusted proxy.

    X-Forwarded-For is read from its right end: each trusted hop vouches for the one before it, so
    whatever a client wrote there itself is never reached. None: not an address (a Unix socket).
    """
    address = _address(request.client.host if request.client else "")
    hops = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    while hops and address is not None and _is_trusted(address, trusted):
        before = _address(hops.pop())
        if before is None:
            break
        address = before
    return address


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_trusted(address: IPv4Address | IPv6Address, trusted: tuple[str, ...]) -> bool:
    return any(address in ip_network(network, strict=False) for network in trusted)


def network_hash(address: IPv4Address | IPv6Address | None, key: bytes) -> str:
    """A keyed hash of the /24 or /56 an address lies in: tells two networks apart, names neither."""
    if address is None:
        return ""
    prefix = 24 if address.version == 4 else 56
    return hmac.new(key, _network(address, prefix).encode("ascii"), hashlib.sha256).hexdigest()[:32]


def places_of(address: IPv4Address | IPv6Address | None) -> tuple[str, str]:
    """What one visitor's sign-ups are counted by: the address itself (of IPv6 its /64, one household has all
    of it), and the network around it (/24, /56), in which one visitor may have many."""
    if address is None:
        return "nowhere", "nowhere"
    narrow, wide = (32, 24) if address.version == 4 else (64, 56)
    return _network(address, narrow), _network(address, wide)


def _network(address: IPv4Address | IPv6Address, prefix: int) -> str:
    return str(ip_network(f"{address}/{prefix}", strict=False))


def from_another_site(request: Request, site_url: str) -> bool:
    """Whether a browser says that this form was sent from somebody else's page.

    Only for forms without a token: one-click unsubscribing comes without a browser. A browser that says
    nothing (or `null`) is let in; all that could follow is one confirmation letter.
    """
    fetched = request.headers.get("sec-fetch-site")
    if fetched is not None:
        return fetched == "cross-site"
    origin = request.headers.get("origin", "null")
    if origin == "null":
        return False
    ours = {urlsplit(site_url).netloc.lower(), request.headers.get("host", "").lower()}
    return urlsplit(origin).netloc.lower() not in ours


def is_local(request: Request) -> bool:
    """Whether somebody sits at this very machine: loopback client and Host, and nothing in between.

    The Host keeps out pages elsewhere whose name was pointed at 127.0.0.1 (DNS rebinding).
    """
    address = _address(request.client.host if request.client else "")
    if address is None or not address.is_loopback:
        return False
    if any(name in request.headers for name in _FORWARDING):
        return False
    return _is_loopback_host(request.headers)


def _is_loopback_host(headers: Headers) -> bool:
    hosts = headers.getlist("host")
    return len(hosts) == 1 and _LOOPBACK_HOST.fullmatch(hosts[0]) is not None


# ---------------------------------------------------------------- what is shown


def masked(address: str) -> str:
    """`a•••@e•••.org`: enough for its owner, too little for whoever was forwarded the letter."""
    local, _, domain = address.rpartition("@")
    host, _, top = domain.rpartition(".")
    return f"{local[:1]}•••@{host[:1]}•••.{top}" if host else f"{local[:1]}•••@{domain[:1]}•••"


def web_url(url: str) -> str:
    """A URL fit for a link on a page, else nothing: only http and https leave through our pages."""
    url = safe_url(url)
    return url if url.startswith(("http:", "https:")) else ""


def image_url(url: str) -> str:
    """An image fit for a page: https only, as the content policy says."""
    url = safe_url(url)
    return url if url.startswith("https:") else ""

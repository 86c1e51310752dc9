"""Web addresses on the way to a feed: what can be asked at all, and where a redirect leads. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

from yarl import URL

from digest.guard import is_host
from digest.model import FeedError
from digest.turns import Place

WEB_PORTS = {"http": 80, "https": 443}
LONGEST = 8_000
"""Characters of an address. RFC 9110 4.1 asks for 8,000; what is longer was made to hurt."""


@lru_cache(maxsize=4_096)
def read_url(text: str, *, base: URL | None = None) -> URL:
    """The address without its fragment; relative ones against `base`. Raises FeedError.

    Those of feeds are read at every poll, and are the same: reading one anew is a twelfth of an answer 304.
    """
    text = text.strip()
    if len(text) > LONGEST:
        raise FeedError(f"this web address is longer than {LONGEST} characters: {shown(text)}")
    try:
        url = URL(text)
        if base is not None:
            url = base.join(url)
        port, host, _ = (
            url.port,
            url.raw_host,
            url.host,
        )  # they are read, and may turn out to be nonsense, only now
    except ValueError as error:
        raise FeedError(f"this is not a web address that we can read: {shown(text)}") from error
    if url.scheme not in WEB_PORTS or not host:
        raise FeedError(f"only http and https addresses can be read, not {shown(text)}")
    if not port or not is_host(host):
        raise FeedError(f"this is not the name or address of a host, as we can ask it: {shown(text)}")
    return url.with_fragment(None) if url.raw_fragment else url


def next_url(url: URL, location: str | None) -> URL:
    """Where a redirect leads. Raises FeedError."""
    if not location or not location.strip():
        raise FeedError(f"{url.host} sends us elsewhere without saying where (no Location)")
    # Raw UTF-8 in headers is common, though RFC 9110 5.5 asks for ASCII.
    text = location.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return read_url(text, base=url).with_user(None)


def place_of(url: URL) -> Place:
    return (url.raw_host or "").rstrip("."), url.port or WEB_PORTS[url.scheme]


def may_know(start: URL, url: URL) -> bool:
    """Whether what was meant for `start` may be told to `url`: the same host and port, and no line that
    anyone can read where the first one was none."""
    if start.host != url.host or (start.scheme == "https" and url.scheme == "http"):
        return False
    return start.port == url.port or (start.is_default_port() and url.is_default_port())


def shown(text: str) -> str:
    """For a message: short, printable, and without a password."""
    return repr(re.sub(r"//[^/\s]*@", "//", text)[:120])

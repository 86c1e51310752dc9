"""The picture of an article: the one the feed names, or the first real one in its content."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from digest import html
from digest.model import Entry

_SMALLEST = 100  # pixels; what says it is smaller is an icon or a tracker
_NO_PICTURE = re.compile(
    r"(?:^|[/_.-])(?:pixel|spacer|blank|transparent|tracker|tracking|1x1|beacon|avatar|gravatar|emoji|icon|favicon|"
    r"logo|badge|button|feedburner|doubleclick)(?:[/_.?-]|$)|\.svg(?:$|\?)",
    re.IGNORECASE,
)


def image_of(entry: Entry) -> str:
    """An absolute http(s) address, or empty."""
    if entry.image:
        return usable(entry.image, entry.url)
    if "<img" not in entry.html.lower():
        return ""
    tree = html.parse(entry.html)
    if tree is None:
        return ""
    for image in tree.iter("img"):
        if _too_small(image.get("width", "")) or _too_small(image.get("height", "")):
            continue
        if found := usable(image.get("src", ""), entry.url):
            return found
    return ""


def usable(source: str, base: str) -> str:
    """The absolute address of a picture; empty for none, and for what is an icon or a tracker by its name."""
    if not source.strip():
        return ""
    try:
        address = urljoin(base, html.plain(source).replace(" ", "%20"))
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host or _NO_PICTURE.search(f"{host}{parts.path}"):
        return ""
    return address


def _too_small(size: str) -> bool:
    digits = size.strip().removesuffix("px")
    return digits.isdecimal() and int(digits) < _SMALLEST

"""Web addresses as people type and paste them, and the parts that the rules of `sites` look at. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlsplit

from digest.model import FeedError

_WEB = re.compile(r"(https?)(?::/*|//+)(?=[^/])", re.IGNORECASE)  # and what slips from the keyboard
_OTHER = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*://|(?:about|data|file|javascript|mailto|tel|urn):", re.IGNORECASE
)
_HANDLE = re.compile(r"@([\w.-]+)@([\w.-]+\.\w+)")
_IPV6 = re.compile(r"\[[0-9a-fA-F:.]+\]")
_AROUND = "\"'`<>«»“”‘’,;。、"
_PAIRS = {")": "(", "]": "[", "}": "{"}


def addresses(text: str) -> tuple[str, ...]:
    """What somebody typed or pasted, as web addresses to try in turn: https before http when it says neither.

    `@ann@social.example` is where that person lives. Raises FeedError when it is no address.
    """
    typed = without_feed_scheme(_bare(text))
    if handle := _HANDLE.fullmatch(typed):
        return (f"https://{handle[2]}/@{handle[1]}",)
    if scheme := _WEB.match(typed):
        found: tuple[str, ...] = (f"{scheme[1].lower()}://{typed[scheme.end() :]}",)
    elif _OTHER.match(typed) or (typed.startswith("/") and not typed.startswith("//")):
        found = ()
    else:
        found = tuple(f"{scheme}://{typed.lstrip('/')}" for scheme in ("https", "http"))
    if not found or WebAddress.of(found[0]) is None:
        raise FeedError(
            f"this is not a web address: {text.strip()[:120]!r}; write one such as https://example.org"
        )
    return found


def _bare(text: str) -> str:
    """The address in what was pasted, without the quotes, brackets and points that stand around it."""
    words = text.split()
    typed = next((word for word in words if "://" in word), words[0] if words else "")
    typed = typed.rpartition("](")[2].lstrip(_AROUND + "({")  # `[title](address)`
    if not _IPV6.match(typed):
        typed = typed.lstrip("[")
    while typed and (typed[-1] in _AROUND + ".!?:" or _PAIRS.get(typed[-1], typed) not in typed):
        typed = typed[:-1]
    return typed


def without_feed_scheme(url: str) -> str:
    """`feed://host/x` and `feed:https://host/x`, as browsers once wrote them, as plain addresses."""
    if url[:5].lower() != "feed:":
        return url
    rest = url[5:].lstrip("/")
    return rest if rest.lower().startswith(("http://", "https://")) else f"http://{rest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebAddress:
    """An address in parts. path: its segments, without empty ones. port: None if it says none."""

    scheme: str
    host: str
    port: int | None
    path: tuple[str, ...]
    query: dict[str, str]

    @classmethod
    def of(cls, url: str) -> WebAddress | None:
        """None for what is no address of the web."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").strip("."), parts.port
        except ValueError:
            return None
        if parts.scheme not in ("http", "https") or not host:
            return None
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = tuple(quote(part, safe="%@:~+,;=!$&'()*") for part in parts.path.split("/") if part)
        return cls(scheme=parts.scheme, host=host, port=port, path=path, query=query)

    def place(self, path: str, *, host: str = "") -> str:
        """Another place of the same site, or of that host; scheme and port stay."""
        port = f":{self.port}" if self.port else ""
        name = host or self.host
        return f"{self.scheme}://{f'[{name}]' if ':' in name else name}{port}{path}"

    def sub(self, domain: str) -> str:
        """What stands before the domain: `ann` of ann.example.org; empty for none and for www."""
        name = self.host.removesuffix(domain).rstrip(".")
        return "" if name == "www" else name

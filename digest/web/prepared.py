"""A document made ready to be sent: for each content coding its body, its headers and the bytes of both.

Pure. An answer is chosen from what is prepared, so that to serve is to look up and to send.

A range is never served (RFC 9110, 14.2 lets a server ignore it, and `If-Range` with it): feeds are small, and
a part of a packed document helps nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType

from digest.model import Document
from digest.packing import gzipped
from digest.web.conditional import IDENTITY, Conditions, as_http_date, best_coding, verdict

Header = tuple[bytes, bytes]

_LONGEST_REMEMBERED = 200  # characters of an Accept-Encoding field; browsers send 30

_ALWAYS: tuple[Header, ...] = (
    (b"cache-control", b"public, max-age=900"),
    (b"vary", b"Accept-Encoding"),
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag"),
)
_NO_BODY = (b"content-length", b"0")
_ALLOW = (b"allow", b"GET, HEAD, OPTIONS")
_REASONS = {
    200: b"OK",
    204: b"No Content",
    304: b"Not Modified",
    405: b"Method Not Allowed",
    406: b"Not Acceptable",
    412: b"Precondition Failed",
    503: b"Service Unavailable",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is sent. head: status line and headers as they stand on the wire, without a date and without the
    empty line at the end; for a server that writes by itself."""

    status: int
    headers: tuple[Header, ...]
    body: bytes
    head: bytes


def answer(status: int, headers: Iterable[Header], body: bytes = b"") -> Answer:
    headers = tuple(headers)
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    return Answer(
        status=status,
        headers=headers,
        body=body,
        head=b"HTTP/1.1 %d %s\r\n" % (status, _REASONS[status]) + lines,
    )


PREFLIGHT = answer(
    204,
    (
        _ALLOW,
        (b"access-control-allow-origin", b"*"),
        (b"access-control-allow-methods", b"GET, HEAD"),
        (b"access-control-allow-headers", b"If-None-Match, If-Modified-Since"),
        (b"access-control-max-age", b"86400"),
    ),
)
NOT_ALLOWED = answer(405, (_ALLOW, _NO_BODY))
_MOMENT = b"One moment, please: we cannot get at our papers just now. Try again in half a minute.\n"
LATER = answer(
    503,
    (
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(_MOMENT)),
        (b"retry-after", b"30"),
        (b"cache-control", b"no-store"),
    ),
    _MOMENT,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """One coding of a document. `etag` is another one for each coding (RFC 9110, 8.8.3.3)."""

    etag: str
    full: Answer
    head_only: Answer
    unchanged: Answer
    failed: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """size: the bytes that it takes in memory, about."""

    last_modified: datetime
    last_modified_text: bytes
    codings: Mapping[str, Coded]
    offered: tuple[str, ...]
    not_acceptable: Answer
    size: int


def prepare(document: Document) -> Prepared:
    """One that was not packed when it was published is packed here, by gzip alone: call it in a thread."""
    modified = as_http_date(document.last_modified).encode("ascii")
    about: tuple[Header, ...] = (
        (b"content-type", document.content_type.encode("ascii")),
        (b"last-modified", modified),
        (b"accept-ranges", b"none"),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", b"default-src 'none'; style-src 'self'; frame-ancestors 'none'"),
        *(((b"link", document.links.encode("ascii")),) if document.links else ()),
    )
    bodies = {"br": document.brotli, "gzip": document.gzip or gzipped(document.body)}
    offered = tuple(coding for coding, body in bodies.items() if body and len(body) < len(document.body))
    codings = {coding: _coded(document.etag, coding, bodies[coding], about) for coding in offered}
    codings[IDENTITY] = _coded(document.etag, "", document.body, about)
    sizes = sum(len(coded.full.body) + 4_000 for coded in codings.values())
    return Prepared(
        last_modified=document.last_modified.replace(microsecond=0),
        last_modified_text=modified,
        codings=MappingProxyType(codings),
        offered=offered,
        not_acceptable=answer(406, (_NO_BODY, *_ALWAYS)),
        size=sizes,
    )


def _coded(etag: str, coding: str, body: bytes, about: tuple[Header, ...]) -> Coded:
    etag = f'{etag[:-1]}-{coding}"' if coding else etag
    tag = (b"etag", etag.encode("ascii"))
    length = (b"content-length", str(len(body)).encode("ascii"))
    coded = ((b"content-encoding", coding.encode("ascii")),) if coding else ()
    full = (*about, *coded, length, tag, *_ALWAYS)
    return Coded(
        etag=etag,
        full=answer(200, full, body),
        head_only=answer(200, full),
        unchanged=answer(304, (tag, *_ALWAYS)),
        failed=answer(412, (_NO_BODY, tag, *_ALWAYS)),
    )


# ---------------------------------------------------------------- choosing

_ASKED = frozenset(
    (b"accept-encoding", b"if-none-match", b"if-modified-since", b"if-match", b"if-unmodified-since")
)


def choose(document: Prepared, method: str, headers: Iterable[Header]) -> Answer:
    """The answer to a request with these headers (names in lower case)."""
    if method not in ("GET", "HEAD"):
        return PREFLIGHT if method == "OPTIONS" else NOT_ALLOWED
    asked: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _ASKED:
            asked[name] = asked[name] + b", " + value if name in asked else value
    coding = _coding(asked.pop(b"accept-encoding", None), document.offered)
    if coding is None:
        return document.not_acceptable
    coded = document.codings[coding]
    outcome = _outcome(asked, coded, document) if asked else "send"
    if outcome == "not modified":
        return coded.unchanged
    if outcome == "failed":
        return coded.failed
    return coded.full if method == "GET" else coded.head_only


def _coding(field: bytes | None, offered: tuple[str, ...]) -> str | None:
    if field is not None and len(field) > _LONGEST_REMEMBERED:
        return best_coding(field.decode("latin-1"), offered)
    return _remembered_coding(field, offered)


@lru_cache(maxsize=256)
def _remembered_coding(field: bytes | None, offered: tuple[str, ...]) -> str | None:
    return best_coding(None if field is None else field.decode("latin-1"), offered)


def _outcome(asked: Mapping[bytes, bytes], coded: Coded, document: Prepared) -> str:
    if len(asked) == 1 and asked.get(b"if-modified-since") == document.last_modified_text:
        return "not modified"  # most pollers send our own words back: spare the parsing
    said = {name: value.decode("latin-1") for name, value in asked.items()}
    conditions = Conditions(
        if_match=said.get(b"if-match"),
        if_none_match=said.get(b"if-none-match"),
        if_modified_since=said.get(b"if-modified-since"),
        if_unmodified_since=said.get(b"if-unmodified-since"),
    )
    return verdict(conditions, etag=coded.etag, last_modified=document.last_modified)

"""Feeds, answered from memory before the rest of the web is asked: what feed readers poll all day.

A plain ASGI answer in front of Starlette (measured: twice its rate). Body, gzip and headers are prepared
once for each version of a document; one version query a second tells whether there is a newer one.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from digest.model import Document, NotReady
from digest.web.conditional import Conditions, Verdict, accepts_gzip, as_http_date, verdict

log = logging.getLogger(__name__)

CHECK_EVERY = timedelta(seconds=1)

# Every document is called `feed…`: no other page waits for us, or falls with us.
_NAMED = "/feed"

Headers = tuple[tuple[bytes, bytes], ...]

_ALWAYS: Headers = (
    (b"cache-control", b"public, max-age=900"),
    (b"vary", b"Accept-Encoding"),
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag"),
)
_PREFLIGHT: Headers = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, HEAD"),
    (b"access-control-allow-headers", b"If-None-Match, If-Modified-Since"),
    (b"access-control-max-age", b"86400"),
)
_ALLOW = (b"allow", b"GET, HEAD, OPTIONS")


class Published(Protocol):
    """What we need of the store."""

    async def version(self) -> int: ...
    async def all(self) -> Iterable[Document]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """One coding of a document with its headers, ready to be sent. `etag` is distinct for each coding."""

    etag: str
    body: bytes
    full: Headers
    unchanged: Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    source: tuple[str, str, str]
    last_modified: datetime
    last_modified_text: str
    plain: Coded
    gzipped: Coded


def prepare(document: Document) -> Prepared:
    modified = as_http_date(document.last_modified)
    about = (
        (b"content-type", document.content_type.encode("ascii")),
        (b"last-modified", modified.encode("ascii")),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", b"default-src 'none'; style-src 'self'; frame-ancestors 'none'"),
        *(((b"link", document.links.encode("ascii")),) if document.links else ()),
    )
    # The time stamp inside gzip would make the same document other bytes after every restart.
    small = gzip.compress(document.body, 9, mtime=0)
    return Prepared(
        source=(document.etag, document.content_type, document.links),
        last_modified=document.last_modified.replace(microsecond=0),
        last_modified_text=modified,
        plain=_coded(document.etag, document.body, about),
        gzipped=_coded(f'{document.etag[:-1]}-gzip"', small, (*about, (b"content-encoding", b"gzip"))),
    )


def _coded(etag: str, body: bytes, about: Headers) -> Coded:
    tag = (b"etag", etag.encode("ascii"))
    length = (b"content-length", str(len(body)).encode("ascii"))
    return Coded(etag=etag, body=body, full=(*about, length, tag, *_ALWAYS), unchanged=(tag, *_ALWAYS))


class Documents:
    """The ASGI wrapper: a known document's path is answered here, everything else goes on to `app`."""

    def __init__(self, app: ASGIApp, published: Published, clock: Callable[[], datetime]) -> None:
        self._app = app
        self._published = published
        self._clock = clock
        self._lock = asyncio.Lock()
        self._checked: datetime | None = None
        self._version: int | None = None
        self._prepared: Mapping[str, Prepared] = MappingProxyType({})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        document = None
        if scope["type"] == "http" and _NAMED in scope["path"]:
            document = (await self._current()).get(scope["path"])
        if document is None:
            await self._app(scope, receive, send)
        elif scope["method"] in ("GET", "HEAD"):
            await _answer(document, scope, send)
        elif scope["method"] == "OPTIONS":
            await _send(send, 204, (_ALLOW, *_PREFLIGHT))
        else:
            await _send(send, 405, (_ALLOW, (b"content-length", b"0")))

    async def _current(self) -> Mapping[str, Prepared]:
        """What is published, at most a second old; older while the store cannot be asked."""
        if self._fresh() or (self._lock.locked() and self._version is not None):
            return self._prepared
        async with self._lock:
            if not self._fresh():
                try:
                    await self._refresh()
                except NotReady as error:
                    log.warning("documents not refreshed", extra={"error": str(error)})
                self._checked = self._clock()
        return self._prepared

    def _fresh(self) -> bool:
        # A clock that was set back must not keep an old feed alive: hence the lower bound.
        return self._checked is not None and timedelta(0) <= self._clock() - self._checked < CHECK_EVERY

    async def _refresh(self) -> None:
        version = await self._published.version()
        if version == self._version:
            return
        documents = list(await self._published.all())
        self._prepared = await asyncio.to_thread(_prepare_all, documents, self._prepared)
        self._version = version


def _prepare_all(documents: list[Document], known: Mapping[str, Prepared]) -> Mapping[str, Prepared]:
    fresh: dict[str, Prepared] = {}
    for document in documents:
        path = "/" + document.path.lstrip("/")
        old = known.get(path)
        same = old is not None and old.source == (document.etag, document.content_type, document.links)
        fresh[path] = old if same and old is not None else prepare(document)
    return MappingProxyType(fresh)


async def _answer(document: Prepared, scope: Scope, send: Send) -> None:
    asked: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name in _READ:
            text = value.decode("latin-1")
            asked[name] = f"{asked[name]}, {text}" if name in asked else text
    coded = document.gzipped if accepts_gzip(asked.pop(b"accept-encoding", "")) else document.plain
    outcome = _outcome(asked, coded, document) if asked else "send"
    if outcome == "not modified":
        await _send(send, 304, coded.unchanged)
    elif outcome == "failed":
        await _send(send, 412, ((b"content-length", b"0"), *coded.unchanged))
    else:
        await _send(send, 200, coded.full, b"" if scope["method"] == "HEAD" else coded.body)


_READ = frozenset(
    (b"accept-encoding", b"if-none-match", b"if-modified-since", b"if-match", b"if-unmodified-since")
)


def _outcome(asked: Mapping[bytes, str], coded: Coded, document: Prepared) -> Verdict:
    if len(asked) == 1 and asked.get(b"if-modified-since") == document.last_modified_text:
        return "not modified"  # most pollers send our own words back: spare the parsing
    conditions = Conditions(
        if_match=asked.get(b"if-match"),
        if_none_match=asked.get(b"if-none-match"),
        if_modified_since=asked.get(b"if-modified-since"),
        if_unmodified_since=asked.get(b"if-unmodified-since"),
    )
    return verdict(conditions, etag=coded.etag, last_modified=document.last_modified)


async def _send(send: Send, status: int, headers: Headers, body: bytes = b"") -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

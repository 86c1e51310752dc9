"""The guarded way out: asks strangers' servers for bytes, politely, within limits, and never the wrong host.

Every connection goes to an address that was checked, for names and for literal addresses, on the first hop
and on every redirect. Redirects are followed here one hop at a time: only then can a hop be refused,
credentials be kept at home and a permanent move be told from a passing one. Door of: aiohttp.
"""

from __future__ import annotations

import asyncio
import re
import socket
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from digest.guard import Allowed, is_public, literal
from digest.headers import max_age, printable, refusal, validator
from digest.model import FeedError, Fetched
from digest.unpack import CODINGS, CannotUnpack, Unpacker

MEGABYTE = 1024 * 1024
LIMIT_BYTES = 15 * MEGABYTE
TOTAL_SECONDS = 20.0
REDIRECTS = 10
NAMES_AT_ONCE = 32
WEB_PORTS = {"http": 80, "https": 443}
FEEDS = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)
PERMANENT_MOVES = frozenset((301, 308))
MOVES = frozenset((301, 302, 303, 307, 308))

Clock = Callable[[], datetime]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Net:
    """One client for all feeds. Make it anywhere; its first fetch opens it; close it.

    allow: hosts (`host` or `host:port`) that may be connected to wherever they lead. resolver: what turns
    names into addresses; the guard stands behind it, whichever it is.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        allow: Iterable[str] = (),
        resolver: AbstractResolver | None = None,
        connect_seconds: float = 10.0,
        total_seconds: float = TOTAL_SECONDS,
        clock: Clock = _utc_now,
    ) -> None:
        self._user_agent = user_agent
        self._allowed = Allowed(allow)
        self._resolver = resolver
        self._connect_seconds = connect_seconds
        self._total_seconds = total_seconds
        self._clock = clock
        self._guarded: aiohttp.ClientSession | None = None
        self._open: aiohttp.ClientSession | None = None

    async def fetch(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        limit_bytes: int = LIMIT_BYTES,
        total: float | None = None,
        redirects: int = REDIRECTS,
        accept: str = FEEDS,
    ) -> Fetched:
        """What is at this address now; `body` is None when it has not changed since the validators given.

        Raises FeedError in plain words. limit_bytes counts what is unpacked; total is seconds for everything,
        None: as the client was made.
        """
        asked = _Asked(
            etag=etag,
            last_modified=last_modified,
            limit_bytes=limit_bytes,
            redirects=redirects,
            accept=accept,
        )
        start = _read_url(url)
        seconds = self._total_seconds if total is None else total
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(start, asked)
        except TimeoutError as error:
            raise FeedError(f"{start.host} gave no complete answer within {seconds:g} seconds") from error

    async def close(self) -> None:
        for session in (self._guarded, self._open):
            if session is not None:
                await session.close()
        self._guarded = self._open = None

    # -------------------------------------------------------- hops

    async def _follow(self, start: URL, asked: _Asked) -> Fetched:
        url, always = start.with_user(None), True
        for _ in range(asked.redirects + 1):
            try:
                found = await self._hop(start, url, always, asked)
            except (aiohttp.ClientError, OSError, CannotUnpack, ValueError) as error:
                raise FeedError(_in_words(error, url.host or "its server")) from error
            if isinstance(found, Fetched):
                return found
            url, permanent = found
            always = always and permanent
        raise FeedError(f"{start.host} sends us on and on: more than {asked.redirects} redirects")

    async def _hop(self, start: URL, url: URL, always: bool, asked: _Asked) -> Fetched | tuple[URL, bool]:
        """What is there, or where it is and whether it moved there for good. always: all hops before this one
        were permanent."""
        # What was meant for one host is not told to another, nor over a line that anyone can read.
        login = _same_host(start, url) and start.user
        headers = asked.headers()
        if login:
            pair = b64encode(f"{login}:{start.password or ''}".encode())
            headers["Authorization"] = f"Basic {pair.decode()}"  # RFC 7617
        request = self._session(url).get(url, headers=headers, allow_redirects=False)
        async with request as response:
            if response.status in MOVES:
                return _next_url(url, response.headers.get("Location")), response.status in PERMANENT_MOVES
            moved = always and url != start.with_user(None)
            home = url.with_user(login).with_password(start.password) if login else url
            return await self._read(response, url, str(home) if moved else None, asked)

    async def _read(
        self, response: aiohttp.ClientResponse, url: URL, permanent: str | None, asked: _Asked
    ) -> Fetched:
        headers, status = response.headers, response.status
        unchanged = status == 304 and bool(asked.etag or asked.last_modified)
        if not unchanged and not 200 <= status < 300:
            raise refusal(status, url.host or "", headers.get("Retry-After"), self._clock())
        return Fetched(
            url=str(url),
            status=status,
            body=None if unchanged else await _body(response, asked.limit_bytes),
            content_type=printable(headers.get("Content-Type", "")),
            etag=validator(headers.get("ETag")) or (asked.etag if unchanged else None),
            last_modified=validator(headers.get("Last-Modified"))
            or (asked.last_modified if unchanged else None),
            permanent_url=permanent,
            max_age=max_age(headers.get("Cache-Control", "")),
        )

    def _session(self, url: URL) -> aiohttp.ClientSession:
        """Two clients that share nothing: one whose every socket is guarded, one for the hosts allowed by
        name. A connection to an allowed host can so never serve a request for another."""
        host, port = url.host or "", url.port or WEB_PORTS[url.scheme]
        if (host, port) in self._allowed:
            if self._open is None:
                self._open = self._new_session(self._resolver or _Names(), None)
            return self._open
        if self._guarded is None:
            self._guarded = self._new_session(_Guard(self._resolver or _Names()), guarded_socket)
        return self._guarded

    def _new_session(self, resolver: AbstractResolver, factory: Any) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=resolver, socket_factory=factory, limit=0, limit_per_host=8, ttl_dns_cache=60
        )
        return aiohttp.ClientSession(
            connector=connector,
            headers={"User-Agent": self._user_agent, "Accept-Encoding": ", ".join(CODINGS)},
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_seconds),
            auto_decompress=False,  # done by `unpack`, which stops a bomb at the limit
            trust_env=False,
            max_line_size=32_768,
            max_field_size=65_536,  # some sites' security policies are longer than aiohttp's 8 KB
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    etag: str | None
    last_modified: str | None
    limit_bytes: int
    redirects: int
    accept: str

    def headers(self) -> dict[str, str]:
        headers = {"Accept": self.accept}
        if self.etag:
            headers["If-None-Match"] = self.etag
        if self.last_modified:
            headers["If-Modified-Since"] = self.last_modified
        return headers


# ---------------------------------------------------------------- addresses


class _NotPublic(OSError):
    """The host leads to an address inside somebody's network."""

    def __init__(self, host: str) -> None:
        super().__init__(f"{host} is not a public address")
        self.host = host


class _Names(AbstractResolver):
    """The system's resolver on threads of its own: names that take long do not hold up other work."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(NAMES_AT_ONCE, thread_name_prefix="names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        def look_up() -> list[Any]:
            return socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)

        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        return [
            ResolveResult(
                hostname=host,
                host=place[0],
                port=place[1],
                family=family,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for family, _, proto, _, place in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Guard(AbstractResolver):
    """Refuses a name if any of its answers is not public: with mixed answers one of them would be reached.
    aiohttp connects to the very addresses returned here, so a name cannot change its mind in between."""

    def __init__(self, inner: AbstractResolver) -> None:
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        for answer in found:
            address = literal(answer["host"])
            if address is None or not is_public(address):
                raise _NotPublic(host)
        return found

    async def close(self) -> None:
        await self._inner.close()


def guarded_socket(info: tuple[Any, ...]) -> socket.socket:
    """The last look: whatever led here, this is the address about to be connected to."""
    family, kind, proto, _, place = info
    address = literal(str(place[0]))
    if address is None or not is_public(address):
        raise _NotPublic(str(place[0]))
    made = socket.socket(family=family, type=kind, proto=proto)
    made.setblocking(False)
    return made


# ---------------------------------------------------------------- urls


def _read_url(text: str, *, base: URL | None = None) -> URL:
    try:
        url = URL(text.strip())
        if base is not None:
            url = base.join(url)
        _ = url.port  # it is read, and may turn out to be nonsense, only now
    except ValueError as error:
        raise FeedError(f"this is not a web address that we can read: {_shown(text)}") from error
    if url.scheme not in WEB_PORTS or not url.host:
        raise FeedError(f"only http and https addresses can be read, not {_shown(text)}")
    return url.with_fragment(None)


def _next_url(url: URL, location: str | None) -> URL:
    if not location:
        raise FeedError(f"{url.host} sends us elsewhere without saying where (no Location)")
    # Raw UTF-8 in headers is common, though RFC 9110 5.5 asks for ASCII.
    text = location.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return _read_url(text, base=url).with_user(None)


def _same_host(start: URL, url: URL) -> bool:
    if start.host != url.host or (start.scheme == "https" and url.scheme == "http"):
        return False
    return start.port == url.port or (start.is_default_port() and url.is_default_port())


def _shown(text: str) -> str:
    """For a message: short, printable, and without a password."""
    return repr(re.sub(r"//[^/@\s]*@", "//", text)[:120])


# ---------------------------------------------------------------- answers


async def _body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    too_much = FeedError(
        f"it is larger than {limit / MEGABYTE:g} MB, which is the most we read of a feed; "
        "ask its publisher for a shorter one"
    )
    if (response.content_length or 0) > limit:
        raise too_much
    unpacker = Unpacker(response.headers.get("Content-Encoding", ""))
    body = bytearray()
    async for piece in response.content.iter_any():
        for clear in unpacker.feed(piece):
            body += clear
            if len(body) > limit:
                raise too_much
            if len(clear) > 65_536:
                await asyncio.sleep(0)  # unpacking is work: let the others in between
    return bytes(body)


def _in_words(error: Exception, place: str) -> str:
    for cause in _causes(error):
        if isinstance(cause, _NotPublic):
            return (
                f"{cause.host} is not a public address on the internet; if you mean to read it, "
                f"add {cause.host!r} to fetch.allow in config.yaml"
            )
        if isinstance(cause, socket.gaierror):
            return f"the name {place} leads nowhere (DNS): check the url, or our own connection"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"the certificate of {place} is not valid: {error.certificate_error}"
    if isinstance(error, aiohttp.ClientSSLError):
        return f"no secure connection to {place}: it does not speak TLS as it should"
    if isinstance(error, aiohttp.ServerTimeoutError):
        return f"{place} did not take the connection in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection to {place}: {error.os_error.strerror or 'refused'}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return f"{place} closed the connection without an answer"
    if isinstance(error, aiohttp.ClientPayloadError):
        return f"the connection to {place} broke in the middle of the answer"
    if isinstance(error, CannotUnpack):
        return f"the answer of {place} could not be unpacked: {error}"
    if isinstance(error, aiohttp.InvalidURL):
        return f"{place} is not a host that we can ask: check the url"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"the answer of {place} breaks the rules of HTTP: its publisher must mend the server"
    return f"the connection to {place} failed ({type(error).__name__})"


def _causes(error: BaseException) -> Iterator[BaseException]:
    yield error
    inner = [getattr(error, "os_error", None), error.__cause__, *getattr(error, "exceptions", ())]
    for cause in inner:
        if cause is not None and cause is not error:
            yield from _causes(cause)

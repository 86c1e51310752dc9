"""The guarded way out: asks strangers' servers for bytes, politely, within limits, and never the wrong host.

Every connection goes to an address that was checked, for names and for literal addresses, on the first hop
and on every redirect. Redirects are followed here one hop at a time: only then can a hop be refused, wait
for its turn, credentials be kept at home and a permanent move be told from a passing one.

    fetch → hop: turn → way → ask → read → the answer, or the next hop

Door of: aiohttp, with `ways` and `faults`.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from digest.faults import FAULTS, in_words, leads_inside
from digest.guard import Allowed
from digest.headers import freshness, printable, refusal, retry_after, spoken, validator
from digest.hops import may_know, next_url, place_of, read_url
from digest.model import FeedError, Fetched
from digest.turns import Place, Turns
from digest.unpack import GZIP_MAGIC, TooLarge, Unpacker
from digest.ways import Ways

MEGABYTE = 1024 * 1024
LIMIT_BYTES = 15 * MEGABYTE
TOTAL_SECONDS = 20.0
REDIRECTS = 10
SAME_AGAIN = 2  # visits to one address on the way; a third will not be answered in another way
NEIGHBOURS_WAIT = 3600.0
"""Seconds that a host's other feeds wait, at most, when it asked one of them to."""
SLICE = 0.005
"""Seconds of unpacking after which the others are let in between."""
FEEDS = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)
PERMANENT_MOVES = frozenset((301, 308))
MOVES = frozenset((301, 302, 303, 307, 308))
NOTHING = frozenset((204, 205, 206))  # success to whoever asked for that; we asked for a document
BUSY = frozenset((429, 503))

Clock = Callable[[], datetime]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Net:
    """One client for all feeds. Make it anywhere; its first fetch opens it; close it.

    allow: hosts (`host` or `host:port`) that may be connected to wherever they lead. resolver: what turns
    names into addresses; the guard stands behind it, whichever it is. gap: seconds between the end of one
    request and the start of the next to the same host. proxy: `http://host:port` of one that all but the
    allowed hosts are asked through; what the environment says of proxies never counts.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        allow: Iterable[str] = (),
        resolver: AbstractResolver | None = None,
        connect_seconds: float = 10.0,
        total_seconds: float = TOTAL_SECONDS,
        gap: float = 0.0,
        proxy: str | None = None,
        clock: Clock = _utc_now,
    ) -> None:
        self._allowed = Allowed(allow)
        self._total_seconds = total_seconds
        self._turns = Turns(gap)
        self._clock = clock
        self._ways = Ways(
            user_agent=user_agent, connect_seconds=connect_seconds, resolver=resolver, proxy=proxy
        )

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
        source: str | None = None,
    ) -> Fetched:
        """What is at this address now; `body` is None when it has not changed since the validators given.

        Raises FeedError in plain words. limit_bytes counts what is unpacked; total is seconds for everything
        but the wait for our turn, None: as the client was made. source: the feed that named this address,
        None for one from the config: what a feed names may lead to an allowed host only if the feed itself is
        on one.
        """
        start = read_url(url)
        asked = _Asked(
            etag=etag,
            last_modified=last_modified,
            limit_bytes=limit_bytes,
            redirects=redirects,
            accept=accept,
        )
        seconds = self._total_seconds if total is None else total
        try:
            return await self._follow(start, asked, seconds, self._trusts(source))
        except TimeoutError as error:
            raise FeedError(f"{start.host} gave no complete answer within {seconds:g} seconds") from error

    async def post(self, url: str, form: bytes, *, total: float | None = None) -> Answer:
        """Send a form and see what comes of it; redirects are not followed, and the body is not read. Raises
        FeedError in plain words when there is no answer. Only for addresses of the config."""
        start = read_url(url)
        hop = _Hop(
            url=start,
            place=place_of(start),
            allowed=place_of(start) in self._allowed,
            login=False,
            always=True,
        )
        seconds = self._total_seconds if total is None else total
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "*/*"}
        await self._turns.take(hop.place)
        try:
            async with asyncio.timeout(seconds):
                session = await self._ways.session(hop.place, allowed=hop.allowed)
                response = await session.post(start, data=form, headers=headers, allow_redirects=False)
                response.close()
        except TimeoutError as error:
            raise FeedError(f"{start.host} gave no answer within {seconds:g} seconds") from error
        except FAULTS as error:
            raise FeedError(self._in_words(error, hop)) from error
        finally:
            self._turns.give_back(hop.place, asked=True)
        wished = retry_after(response.headers.get("Retry-After"), self._clock())
        return Answer(status=response.status, retry_after=wished)

    async def close(self) -> None:
        self._turns.close()
        await self._ways.close()

    # -------------------------------------------------------- hops

    async def _follow(self, start: URL, asked: _Asked, seconds: float, trusted: bool) -> Fetched:
        loop = asyncio.get_running_loop()
        hop = _Hop(
            url=start.with_user(None) if start.raw_user or start.raw_password else start,
            place=place_of(start),
            allowed=trusted and place_of(start) in self._allowed,
            login=start.raw_user is not None,
            always=True,
        )
        visited: list[URL] = []
        for _ in range(asked.redirects + 1):
            begin = 0.0
            self._not_resting(hop.place)
            await self._turns.take(hop.place)
            try:
                self._not_resting(hop.place)
                begin = loop.time()
                async with asyncio.timeout(seconds):
                    found = await self._ask(hop, start, asked)
            finally:
                self._turns.give_back(hop.place, asked=begin > 0)
            if isinstance(found, Fetched):
                return found
            visited.append(hop.url)
            if visited.count(found.url) == SAME_AGAIN:
                raise FeedError(f"{hop.place[0]} sends us in circles, again and again to the same address")
            hop = found
            seconds -= loop.time() - begin
        raise FeedError(f"{start.host} sends us on and on: more than {asked.redirects} redirects")

    async def _ask(self, hop: _Hop, start: URL, asked: _Asked) -> Fetched | _Hop:
        """What is there, or where to ask next."""
        headers = asked.headers()
        if hop.login:
            pair = b64encode(f"{start.user or ''}:{start.password or ''}".encode())
            headers["Authorization"] = f"Basic {pair.decode()}"  # RFC 7617
        try:
            session = await self._ways.session(hop.place, allowed=hop.allowed)
            response = await session.get(hop.url, headers=headers, allow_redirects=False)
            try:
                if response.status in MOVES:
                    return self._next_hop(hop, start, response)
                return await self._read(response, hop, start, asked)
            finally:
                response.release()  # to be used again if it was read to its end, else closed
        except FAULTS as error:
            raise FeedError(self._in_words(error, hop)) from error

    def _next_hop(self, hop: _Hop, start: URL, response: aiohttp.ClientResponse) -> _Hop:
        url = next_url(hop.url, response.headers.get("Location"))
        place = place_of(url)
        return _Hop(
            url=url,
            place=place,
            # Who is not allowed to be anywhere does not get us to one who is.
            allowed=hop.allowed and place in self._allowed,
            # What was meant for one host is not told to another, nor over a line that anyone can read.
            login=hop.login and may_know(start, url),
            always=hop.always and response.status in PERMANENT_MOVES,
        )

    async def _read(self, response: aiohttp.ClientResponse, hop: _Hop, start: URL, asked: _Asked) -> Fetched:
        headers, status = response.headers, response.status
        unchanged = status == 304 and bool(asked.etag or asked.last_modified)
        if not unchanged and (not 200 <= status < 300 or status in NOTHING):
            error = refusal(status, hop.place[0], headers.get("Retry-After"), self._clock())
            if status in BUSY and error.retry_after:
                self._turns.rest(hop.place, min(error.retry_after.total_seconds(), NEIGHBOURS_WAIT))
            raise error
        permanent = None
        if hop.always and hop.url is not start:
            home = hop.url.with_user(start.user).with_password(start.password) if hop.login else hop.url
            permanent = str(home) if home != start else None
        return Fetched(
            url=str(hop.url),
            status=status,
            body=None if unchanged else await _body(response, asked.limit_bytes),
            content_type=printable(headers.get("Content-Type", "")),
            etag=validator(headers.get("ETag")) or (asked.etag if unchanged else None),
            last_modified=validator(headers.get("Last-Modified"))
            or (asked.last_modified if unchanged else None),
            permanent_url=permanent,
            max_age=freshness(
                ", ".join(headers.getall("Cache-Control", ())),
                expires=headers.get("Expires"),
                date=headers.get("Date"),
                age=headers.get("Age"),
                now=self._clock(),
            ),
        )

    def _trusts(self, source: str | None) -> bool:
        if source is None or not source.lower().startswith(("http://", "https://")):
            return True  # the config, or a file beside it
        return place_of(read_url(source)) in self._allowed

    def _not_resting(self, place: Place) -> None:
        seconds = self._turns.resting(place)
        if seconds:
            wait = timedelta(seconds=seconds)
            raise FeedError(
                f"{place[0]} asked us to wait when we asked for another feed; this waits {spoken(wait)} too",
                retry_after=wait,
            )

    def _in_words(self, error: Exception, hop: _Hop) -> str:
        if not hop.allowed and hop.place in self._allowed and leads_inside(error):
            return (
                f"{hop.place[0]} is in fetch.allow, but only feeds of allowed hosts may lead there, "
                "and this one came from elsewhere"
            )
        return in_words(error, hop.url.host or "its server")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a form. retry_after: the server's own wish, if it had one."""

    status: int
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hop:
    """One request on the way.

    allowed: it may be anywhere. login: it may be told the name and password of the first address. always: all
    hops before it were permanent moves.
    """

    url: URL
    place: Place
    allowed: bool
    login: bool
    always: bool


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


# ---------------------------------------------------------------- bodies


async def _body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    headers, length = response.headers, response.content_length
    if (length or 0) > limit:
        raise _too_large(limit)
    coding = headers.get("Content-Encoding", "")
    if "Transfer-Encoding" in headers:
        pieces: AsyncIterable[bytes] = response.content.iter_any()
    elif length is None:
        pieces = _to_the_end(response)
    else:
        whole = await response.read()  # exactly as much as was announced
        if not coding and not whole.startswith(GZIP_MAGIC):
            return whole
        pieces = _one(whole)
    try:
        return await _unpacked(pieces, Unpacker(coding, limit))
    except TooLarge as error:
        raise _too_large(limit) from error


async def _unpacked(pieces: AsyncIterable[bytes], unpacker: Unpacker) -> bytes:
    loop, body = asyncio.get_running_loop(), bytearray()
    breath = loop.time() + SLICE
    try:
        async for piece in pieces:
            for clear in unpacker.feed(piece):
                body += clear
                if loop.time() > breath:
                    await asyncio.sleep(0)
                    breath = loop.time() + SLICE
        for clear in unpacker.end():
            body += clear
        return bytes(body)
    finally:
        body.clear()  # an error remembers this frame, and would keep what is in it


async def _to_the_end(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """A body that lasts until the server hangs up. A connection that broke is no such end, though aiohttp
    takes it for one: we would remember the validators of a document of which we have only a part."""
    protocol = response.connection.protocol if response.connection is not None else None
    async for piece in response.content.iter_any():
        yield piece
    if protocol is not None and isinstance(protocol.exception(), aiohttp.ClientOSError):
        raise aiohttp.ClientPayloadError


async def _one(piece: bytes) -> AsyncIterator[bytes]:
    yield piece


def _too_large(limit: int) -> FeedError:
    return FeedError(
        f"it is larger than {limit / MEGABYTE:g} MB, which is the most we read of a feed; "
        "ask its publisher for a shorter one"
    )

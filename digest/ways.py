"""How connections are made and lent out: names looked up, every address checked, old connections looked over.

Three kinds of session that share nothing, so that a connection of one can never serve a request of another:
guarded ones connect to public addresses only, open ones wherever they are led (for hosts that the admin
allows by name), proxied ones to the proxy and to nothing else. Door of: aiohttp, with `net` and `faults`.
"""

from __future__ import annotations

import asyncio
import resource
import select
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection

from digest.guard import is_public, literal
from digest.turns import Place
from digest.unpack import CODINGS

NAMES_AT_ONCE = 128
"""Threads, made when needed. A name that nobody answers for holds one for half a minute."""
IDLE_SECONDS = 15.0
RECEIVED_AT_ONCE = 64 * 1024
MOST_IDLE = 2_048
"""Connections kept for a next request, if the process may have so many files open: see `most_idle`."""
MOST_IDLE_TLS = 256
"""Those with TLS take 45 KB each (measured)."""


class Ways:
    """The sessions, each opened when it is first needed.

    resolver: what turns names into addresses, None for the system's own; the checks stand behind it.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        connect_seconds: float,
        resolver: AbstractResolver | None = None,
        proxy: str | None = None,
    ) -> None:
        self._user_agent = user_agent
        self._connect_seconds = connect_seconds
        self._lent = resolver
        self._proxy = proxy
        self._names: AbstractResolver | None = None
        self._ordinary: aiohttp.ClientSession | None = None
        self._open: aiohttp.ClientSession | None = None

    async def session(self, place: Place, *, allowed: bool) -> aiohttp.ClientSession:
        """The one to ask this place by. allowed: it may be anywhere. Raises NotPublic only if a proxy would
        be asked to go where we would not go; without one, connecting does."""
        if allowed:
            if self._open is None:
                self._open = self._new_session(guarded=False)
            return self._open
        if self._ordinary is None:
            self._ordinary = self._new_session(guarded=self._proxy is None, proxy=self._proxy)
        if self._proxy is not None:
            await self._check_for_proxy(place)
        return self._ordinary

    async def _check_for_proxy(self, place: Place) -> None:
        """The proxy looks the name up again, and may be told something else than we were: no more than this
        can be seen from here."""
        host, port = place
        if literal(host) is not None:
            check_address(host)
        else:
            await Checked(self._resolver(), guarded=True).resolve(host, port)

    def _resolver(self) -> AbstractResolver:
        if self._names is None:
            self._names = self._lent or Names()
        return self._names

    def _new_session(self, *, guarded: bool, proxy: str | None = None) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=_Connector(
                resolver=Checked(self._resolver(), guarded=guarded),
                socket_factory=guarded_socket if guarded else bounded_socket,
                limit=0,
                ttl_dns_cache=60,
                keepalive_timeout=IDLE_SECONDS,
            ),
            headers={"User-Agent": self._user_agent, "Accept-Encoding": ", ".join(CODINGS)},
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_seconds),
            auto_decompress=False,  # done by `unpack`, which stops a bomb at the limit
            trust_env=False,
            proxy=proxy,
            max_line_size=32_768,
            max_field_size=65_536,  # some sites' security policies are longer than aiohttp's 8 KB
        )

    async def close(self) -> None:
        for session in (self._ordinary, self._open):
            if session is not None:
                await session.close()
        if self._names is not None and self._lent is None:
            await self._names.close()
        self._ordinary = self._open = self._names = None


# ---------------------------------------------------------------- names and addresses


class NotPublic(OSError):
    """The host leads to an address inside somebody's network."""

    def __init__(self, host: str) -> None:
        super().__init__(f"{host} is not a public address")
        self.host = host


class Names(AbstractResolver):
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


class Checked(AbstractResolver):
    """A resolver that never answers with nothing and, if `guarded`, refuses a name if any of its answers is
    not public: with mixed answers one of them would be reached. aiohttp connects to the very addresses
    returned here, so a name cannot change its mind in between."""

    def __init__(self, inner: AbstractResolver, *, guarded: bool) -> None:
        self._inner = inner
        self._guarded = guarded

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        if self._guarded:
            for answer in found:
                check_address(answer["host"], host)
        return found

    async def close(self) -> None:
        return None  # the inner one is lent to several


def check_address(address: str, host: str | None = None) -> None:
    """Raises NotPublic, which names the host that led there."""
    found = literal(address)
    if found is None or not is_public(found):
        raise NotPublic(host or address)


def guarded_socket(info: tuple[Any, ...]) -> socket.socket:
    """The last look: whatever led here, this is the address about to be connected to."""
    check_address(str(info[4][0]))
    return bounded_socket(info)


def bounded_socket(info: tuple[Any, ...]) -> socket.socket:
    """One that hands over little at a time. Otherwise uvloop reads up to 8 MB from one connection before it
    looks at the next: in chunks of one byte, or in lines of `100 Continue`, that is seconds of work."""
    family, kind, proto, _, _ = info
    made = socket.socket(family=family, type=kind, proto=proto)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVED_AT_ONCE)
    return made


# ---------------------------------------------------------------- connections


class _Connector(aiohttp.TCPConnector):
    """Keeps a bounded number of idle connections, and none over which something came since the last answer
    was complete: it would be taken for the answer to the next request, though nobody knows who wrote it.

    aiohttp looks only whether an idle connection is still there, and keeps any number of them. What is
    overridden is private to it; tests keep an eye on each of the two.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._most_idle = most_idle()
        self._with_tls: dict[Any, None] = {}

    async def _get(self, key: Any, traces: list[Any]) -> Connection | None:
        while (lent := await super()._get(key, traces)) is not None:
            if _is_clean(lent.protocol):
                return lent
            lent.close()
        return None

    def _release(self, key: Any, protocol: ResponseHandler, *, should_close: bool = False) -> None:
        super()._release(key, protocol, should_close=should_close)
        if key.is_ssl:
            self._with_tls.pop(key, None)
            self._with_tls[key] = None
            if len(self._with_tls) > MOST_IDLE_TLS:
                self._close_idle(next(iter(self._with_tls)))
        if len(self._conns) > self._most_idle:
            self._close_idle(next(iter(self._conns)))  # the one that was used longest ago

    def _close_idle(self, key: Any) -> None:
        self._with_tls.pop(key, None)
        for idle, _ in self._conns.pop(key, ()):
            idle.close()


def most_idle() -> int:
    """A quarter of the files that this process may have open, which are 1,024 if nobody asked for more."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_IDLE if files == resource.RLIM_INFINITY else min(files // 4, MOST_IDLE)


def _is_clean(protocol: ResponseHandler | None) -> bool:
    if protocol is None or protocol.transport is None or protocol.should_close:
        return False
    about = protocol.transport.get_extra_info("socket")
    look = select.poll()
    look.register(about.fileno(), select.POLLIN)
    return not look.poll(0)

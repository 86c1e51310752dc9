"""HTTP with a short way for answers that lie ready: what a thousand feed readers ask for all day.

uvicorn makes a task, two events and two writes of every request. A request for a document in memory needs
none of that: it is answered from here, with one write. Everything else (another page, a request behind one
that is not answered yet, a reader that does not take what was sent) goes uvicorn's own way.

What uvicorn lets pass is refused here: a request that names no host, or two (RFC 9112 3.2), one that does not
end, and a head of any length.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import Protocol

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from digest.web.prepared import Answer, Header

QUICK = (b"GET", b"HEAD")
PATIENCE = 30.0  # seconds for a whole request; the longest is a form of a few thousand bytes
LONGEST_HEAD = 64 * 1024  # bytes, after the first piece that was read
_HOST = re.compile(rb"[\w.~!$&'()*+,;=%:\[\]-]*", re.ASCII)
_REFUSAL = (
    b"HTTP/1.1 %b\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%b"
)


class NoHost(ValueError):
    """A request that does not say whom it is for; the parser makes 400 of it."""


class AtOnce(Protocol):
    """The answer, if it can be given without waiting for anything."""

    def __call__(self, path: str, method: str, headers: Iterable[Header]) -> Answer | None: ...


class CarefulHttp(HttpToolsProtocol):
    """uvicorn's protocol for clients of every kind."""

    patience = PATIENCE
    _since: float | None = None  # when the request began that is being read; None: all of it is there
    _in_head = False
    _added = 0  # to its head, by later pieces than its first
    _looking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._since = self.loop.time()
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._looking is not None:
            self._looking.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        began = self._in_head
        if (
            self._since is None
        ):  # line ends before a request are none of it (RFC 9112 2.2), and go on for ever
            self._since = self.loop.time()
        super().data_received(data)
        if began and self._in_head:
            self._added += len(data)
            if self._added > LONGEST_HEAD:
                self._refuse(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        self._since, self._in_head, self._added = self.loop.time(), True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        hosts = [value for name, value in self.headers if name == b"host"]
        if len(hosts) != 1 and (hosts or self.parser.get_http_version() == "1.1"):
            raise NoHost
        if hosts and not _HOST.fullmatch(hosts[0]):
            raise NoHost
        self.on_head()

    def on_head(self) -> None:
        """A head that may be answered is there."""
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._since = None
        super().on_message_complete()

    def _look_later(self) -> None:
        self._looking = self.loop.call_later(self.patience / 3, self._look)

    def _look(self) -> None:
        """End a connection whose request does not come to its end, unless it is we who do not read on."""
        since, now = self._since, self.loop.time()
        if since is not None and now - since > self.patience and not self.flow.read_paused:
            self._refuse(b"408 Request Timeout" if self._in_head else b"")
        else:
            self._look_later()

    def _refuse(self, status: bytes) -> None:
        """Close, and say why if it is this request's turn to be answered. status: empty: say nothing."""
        if status and (self.cycle is None or self.cycle.response_complete):
            self.transport.write(_REFUSAL % (status, len(status), status))
        self._in_head = False
        self.transport.close()


def quick_http(at_once: AtOnce, *, seconds: float = PATIENCE) -> type[HttpToolsProtocol]:
    """uvicorn's protocol, with this asked first. seconds: for a request to arrive."""

    class QuickHttp(CarefulHttp):
        patience = seconds
        _ready: Answer | None = None
        _keep_alive = True

        def on_head(self) -> None:
            method = self.parser.get_method()
            self._ready = None
            if method in QUICK and self._is_free():
                # An address with a query or a `%` is none that a document has.
                self._ready = at_once(self.url.decode("latin-1"), method.decode("ascii"), self.headers)
            if self._ready is None:
                super().on_head()
            else:
                version = self.parser.get_http_version()
                self._keep_alive = version != "1.0" and self.parser.should_keep_alive()

        def _is_free(self) -> bool:
            """Nobody is before this request, and nothing that was sent waits to be taken."""
            before = self.cycle is None or self.cycle.response_complete
            waits = self.flow.write_paused or self.expect_100_continue
            return before and not waits and not self.parser.should_upgrade()

        def on_body(self, body: bytes) -> None:
            if self._ready is None:
                super().on_body(body)

        def on_message_complete(self) -> None:
            if self._ready is None:
                super().on_message_complete()
                return
            self._since = None
            ready, self._ready = self._ready, None
            if self.transport.is_closing():
                return
            common = b"".join(b"%b: %b\r\n" % header for header in self.server_state.default_headers)
            end = b"\r\n" if self._keep_alive else b"connection: close\r\n\r\n"
            self.transport.write(b"".join((ready.head, common, end, ready.body)))
            if self._keep_alive:
                self.on_response_complete()
            else:
                self.server_state.total_requests += 1
                self.transport.close()

    return QuickHttp

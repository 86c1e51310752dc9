"""HTTP with a short way for answers that lie ready: what a thousand feed readers ask for all day.

uvicorn makes a task, two events and two writes of every request. A request for a document in memory needs
none of that: it is answered from here, with one write. Everything else (another page, a request behind one
that is not answered yet, a reader that does not take what was sent) goes uvicorn's own way.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from digest.web.prepared import Answer, Header

QUICK = (b"GET", b"HEAD")


class AtOnce(Protocol):
    """The answer, if it can be given without waiting for anything."""

    def __call__(self, path: str, method: str, headers: Iterable[Header]) -> Answer | None: ...


def quick_http(at_once: AtOnce) -> type[HttpToolsProtocol]:
    """uvicorn's protocol, with this asked first."""

    class QuickHttp(HttpToolsProtocol):
        _ready: Answer | None = None
        _keep_alive = True

        def on_headers_complete(self) -> None:
            method = self.parser.get_method()
            self._ready = None
            if method in QUICK and self._is_free():
                # An address with a query or a `%` is none that a document has.
                self._ready = at_once(self.url.decode("latin-1"), method.decode("ascii"), self.headers)
            if self._ready is None:
                super().on_headers_complete()
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

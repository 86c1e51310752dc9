"""Small sites on one real socket: hosts, paths and what lies there."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping

from aiohttp.abc import AbstractResolver, ResolveResult

Page = tuple[str, bytes]
"""(content type, body); a body that begins with `→` is a passing redirect to its rest, `⇒` one for good,
`✗` a status in place of an answer, and `…` is never answered."""


class Site:
    """Pages by their path, or by host and path (`reddit.com/r/x/.rss`) where the host matters."""

    def __init__(self, pages: Mapping[str, Page]) -> None:
        self.pages = dict(pages)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def at(self, place: str) -> str:
        """The address of a page of another host that leads here, too."""
        host, slash, path = place.partition("/")
        return f"http://{host}:{self.port}{slash}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
            path = first.split()[1]
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
            }
            self.asked.append((path, headers))
            host = headers["host"].partition(":")[0]
            kind, body = self.pages.get(host + path) or self.pages.get(path) or ("text/html", "✗404".encode())
            sign, rest = body[:3].decode("utf-8", "replace"), body[3:].decode("utf-8", "replace")
            status, extra = "200 OK", ""
            if sign == "…":
                await reader.read()
                return
            if sign in ("→", "⇒"):
                status = "302 Found" if sign == "→" else "301 Moved Permanently"
                extra, body = f"Location: {rest.replace('PORT', str(self.port))}\r\n", b""
            elif sign == "✗":
                status, body = f"{rest} No", b"<p>no</p>"
            elif headers.get("if-none-match") == '"1"':
                status, body = "304 Not Modified", b""
            head = (
                f'HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nETag: "1"\r\n{extra}Connection: close\r\n\r\n'
            )
            writer.write(head.encode() + body.replace(b"PORT", str(self.port).encode()))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has had enough
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@contextlib.asynccontextmanager
async def serving(pages: Mapping[str, Page]) -> AsyncIterator[Site]:
    site = Site(pages)
    listening = await asyncio.start_server(site.serve, "127.0.0.1", 0)
    site.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield site
        await asyncio.sleep(0.01)  # the last connections close


class Everywhere(AbstractResolver):
    """Every name leads to this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        return None

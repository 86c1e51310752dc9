"""A small site on a real socket: paths and what lies there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

Page = tuple[str, bytes]
"""(content type, body); a body that begins with `→` is a redirect to the rest of it."""


class Site:
    def __init__(self, pages: Mapping[str, Page]) -> None:
        self.pages = dict(pages)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
            path = first.split()[1]
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
            }
            self.asked.append((path, headers))
            kind, body = self.pages.get(path, ("text/html", b"not here"))
            status, extra = ("200 OK", "") if path in self.pages else ("404 Not Found", "")
            if body.startswith("→".encode()):
                status, extra, body = "302 Found", f"Location: {body.decode()[1:]}\r\n", b""
            elif status == "200 OK" and headers.get("if-none-match") == '"1"':
                status, body = "304 Not Modified", b""
            head = (
                f'HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nETag: "1"\r\n{extra}Connection: close\r\n\r\n'
            )
            writer.write(head.encode() + body)
            await writer.drain()
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

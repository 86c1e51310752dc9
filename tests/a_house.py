"""A house to test in: a config in a folder, a feed served over HTTP, a clock that we turn."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is turned."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


def write_config(
    folder: Path,
    *,
    feeds: str,
    smtp_port: int | None = None,
    database: str = "sqlite:///subscribers.db",
    recipients: str = "[ann@example.org, ben@example.org]",
    schedule: str = '{at: "07:00", zone: Europe/Berlin, days: daily}',
    more: str = "",
) -> Path:
    """A config.yaml with one newsletter. smtp_port: a server on loopback; None: the local inbox."""
    mail = "transport: inbox"
    if smtp_port:
        relay = f"host: 127.0.0.1, port: {smtp_port}, security: none, timeout: 5s"
        mail = "transport: smtp\n  smtp:\n    - {" + relay + "}"
    path = folder / "config.yaml"
    path.write_text(
        f"""\
site:
  title: The Morning Post
  url: https://post.example.org
  postal_address: 1 Example Street, 10115 Berlin, Germany
database: {database}
secret: !file secret.key
email:
  from: The Morning Post <news@example.org>
  {mail}
fetch: {{gap: 0s, allow: [127.0.0.1]}}
newsletters:
  world:
    title: World in brief
    description: One letter a day.
    language: en
    schedule: {schedule}
    feeds: {feeds}
    recipients: {recipients}
{more}""",
        encoding="utf-8",
    )
    return path


class FeedServer:
    """Serves one changing document on loopback, with ETag and 304."""

    def __init__(self) -> None:
        self.body = b""
        self.content_type = "application/rss+xml"
        self.status = 200
        self.asked = 0
        self.unchanged = 0
        self.url = ""

    @property
    def all_of_it(self) -> str:
        """Followed for a config, however old its entries are by a clock that is not ours."""
        return f"[{{url: {self.url}, first: all}}]"

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[FeedServer]:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/feed.xml"
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            self.asked += 1
            etag = f'"{hash(self.body) & 0xFFFFFFFF:x}"'
            if etag.encode() in request:
                self.unchanged += 1
                head = f"HTTP/1.1 304 Not Modified\r\nETag: {etag}\r\nConnection: close\r\n\r\n"
                writer.write(head.encode())
            else:
                head = (
                    f"HTTP/1.1 {self.status} Whatever\r\nContent-Type: {self.content_type}\r\n"
                    f"ETag: {etag}\r\nContent-Length: {len(self.body)}\r\nConnection: close\r\n\r\n"
                )
                writer.write(head.encode() + self.body)
            await writer.drain()
        except ConnectionError:
            pass  # who asked has heard enough
        finally:
            writer.close()


STORIES = {
    "lighthouse": (
        "Lighthouse at Cape Varn relit after nine dark years",
        "The lighthouse at Cape Varn was switched on again on Saturday evening, nine years after a storm"
        " broke its lens. Volunteers rebuilt the lamp room from drawings kept in the parish archive. The"
        " harbour office says ships will see the beam from thirty kilometres away. About two hundred people"
        " stood on the cliff when the light first turned. The council paid a third of the cost, and the rest"
        " came from a raffle and from a bakery that sold lighthouse loaves for two winters.",
    ),
    "bees": (
        "City plants a corridor for wild bees along the tram line",
        "Gardeners have begun to sow eleven kilometres of meadow beside the tram tracks, so that wild bees"
        " can cross the city. The seed mix holds forty native plants that flower one after another from March"
        " to October. Biologists of the university will count the insects every month for five years. Drivers"
        " had asked whether the flowers would hide the signals, and the tram company tested that for a"
        " summer. The first section opens in April next to the old gasworks.",
    ),
    "bread": (
        "Bakers agree on a shorter night for apprentices",
        "Apprentices in the region's bakeries will start work at five in the morning at the earliest. The"
        " bakers' guild and the trade union signed the agreement on Friday after two years of talks. Small"
        " shops may keep the old hours until the end of next year. The union counts about nine hundred"
        " apprentices who gain an hour of sleep. A few master bakers warned that rolls would be late on"
        " Sundays, which the guild called a price worth paying.",
    ),
}  # fmt: skip


def rss(*names: str, title: str = "The Cape Gazette") -> bytes:
    """An RSS document with these stories, newest first."""
    items = "".join(
        f"""<item><guid isPermaLink="false">gazette-{name}</guid>
        <link>https://gazette.example.org/{name}</link>
        <title>{STORIES[name][0]}</title>
        <pubDate>Sun, 22 Nov 2026 0{9 - number}:00:00 GMT</pubDate>
        <description><![CDATA[<p>{STORIES[name][1]}</p>]]></description></item>"""
        for number, name in enumerate(names)
    )
    return (
        f"""<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>{title}</title>
        <link>https://gazette.example.org/</link><description>News</description><language>en</language>
        {items}</channel></rss>"""
    ).encode()

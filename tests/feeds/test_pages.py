"""The pages of entries: asked once, in turns, and only where there may be one."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from digest.feeds.pages import Pages
from digest.model import Entry, Fetched, UnreadEntry
from digest.net import Net
from small_site import Everywhere, Page, Site, serving

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FEED = "https://feeds.example/full"
HTML: Page = ("text/html", b"<html><p>hello")


def unread(url: str, number: int = 1, *, feed: str = FEED, attempts: int = 1) -> UnreadEntry:
    return UnreadEntry(
        id=number,
        feed_id=1,
        feed_url=feed,
        feed_title="A feed",
        feed_language="en",
        fence=1,
        attempts=attempts,
        received_at=NOW,
        published=NOW,
        dated=True,
        backlog=False,
        position=0,
        entry=Entry(guid=str(number), url=url, title="An entry"),
    )


@contextlib.asynccontextmanager
async def net(*allow: str, **options: float) -> AsyncIterator[Net]:
    client = Net(user_agent="Digest/1", allow=allow, resolver=Everywhere(), **options)  # type: ignore[arg-type]
    yield client
    await client.close()


async def ask(pages: Pages, entry: UnreadEntry) -> Fetched | None:
    async with pages.of(entry) as page:
        return page


@pytest.mark.asyncio
async def test_a_page_comes_with_the_type_that_its_server_names_and_asks_for_pages() -> None:
    feed = "http://site.example/feed"
    async with serving({"/a": ("text/html; charset=koi8-r", b"<p>x")}) as site, net("site.example") as client:
        url = site.at("site.example/a")
        page = await ask(Pages(client, {feed}), unread(url, feed=feed))
        assert page is not None
        assert (page.url, page.body, page.content_type) == (url, b"<p>x", "text/html; charset=koi8-r")
        [(path, headers)] = site.asked
    assert path == "/a"
    assert headers["accept"].startswith("text/html")


NEVER = [
    "", "/local", "ftp://site.example/a", "http://site.example", "http://site.example/", "http://site.example/a.pdf",
    "http://site.example/a.MP3", "http://site.example/changes#v2", "http://[broken/a", "javascript:alert(1)",
]  # fmt: skip


@pytest.mark.asyncio
@pytest.mark.parametrize("url", NEVER)
async def test_what_is_surely_not_the_page_of_one_article_is_not_asked_for(url: str) -> None:
    async with serving({}) as site, net("site.example") as client:
        pages = Pages(client, {FEED})
        entry = unread(url.replace("site.example", f"site.example:{site.port}"))
        assert not pages.wants(entry)
        assert await ask(pages, entry) is None
        assert site.asked == []


@pytest.mark.asyncio
async def test_other_feeds_and_entries_that_crash_their_reading_are_not_asked_for() -> None:
    async with serving({"/a": HTML}) as site, net("127.0.0.1") as client:
        pages, feed = Pages(client, {f"{site.url}feed"}), f"{site.url}feed"
        assert await ask(pages, unread(f"{site.url}a", feed=f"{site.url}other")) is None
        assert await ask(pages, unread(f"{site.url}a", feed=feed, attempts=4)) is None
        assert site.asked == []
        assert await ask(pages, unread(f"{site.url}a#xtor=RSS-1", feed=feed, attempts=3)) is not None
        assert [path for path, _ in site.asked] == ["/a"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("page", "is_one"),
    [
        (("application/xhtml+xml", b"<html/>"), True),
        (("", b"  <!doctype HTML><p>x"), True),
        (("text/plain", b"<!-- x -->\n<html>"), True),
        (("application/xml", b"<?xml version='1.0'?><html>"), True),
        (("text/plain", b"hello"), False),
        (("application/pdf", b"%PDF-1.7"), False),
        (("image/png", b"\x89PNG"), False),
        (("video/mp4", b"\0" * 1000), False),
        (("text/xml", b"<rss/>"), False),
        (("text/html", "✗404".encode()), False),
        (("text/html", "✗410".encode()), False),
        (("text/html", b"x" * (5 * 1024 * 1024 + 1)), False),
        (("text/html", "→http://10.0.0.1/x".encode()), False),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_only_web_pages_count(page: Page, is_one: bool) -> None:
    async with serving({"/a": page}) as site, net("127.0.0.1") as client:
        feed = f"{site.url}feed"
        assert (await ask(Pages(client, {feed}), unread(f"{site.url}a", feed=feed)) is not None) is is_one


@pytest.mark.asyncio
async def test_a_strangers_feed_gets_nobody_into_the_house() -> None:
    async with serving({"/a": HTML}) as site, net("127.0.0.1") as client:
        pages = Pages(client, {FEED})
        assert await ask(pages, unread(f"{site.url}a")) is None  # allowed for our own feeds, not for theirs
        assert await ask(pages, unread(site.at("elsewhere.example/a"))) is None
        assert site.asked == []


@pytest.mark.asyncio
async def test_a_bomb_is_no_page() -> None:
    bomb = gzip.compress(b"x" * 200_000_000)
    async with serving({"/a": ("text/html", bomb)}) as site, net("127.0.0.1") as client:
        feed = f"{site.url}feed"
        assert await ask(Pages(client, {feed}), unread(f"{site.url}a", feed=feed)) is None


async def all_of(pages: Pages, entries: list[UnreadEntry]) -> list[Fetched | None]:
    return await asyncio.gather(*(ask(pages, entry) for entry in entries))


@pytest.mark.asyncio
async def test_a_host_that_lets_us_wait_is_asked_once_and_keeps_no_other_waiting() -> None:
    silent: Page = ("text/html", "…".encode())
    slow = {f"slow.example/{n}": silent for n in range(20)}
    both = ("slow.example", "quick.example")
    async with serving({**slow, "/quick": HTML}) as site, net(*both, total_seconds=1) as client:
        feed = site.at("slow.example/feed")
        pages = Pages(client, {feed})
        entries = [unread(site.at(f"slow.example/{n}"), n, feed=feed) for n in range(20)]
        asked = asyncio.create_task(all_of(pages, entries))
        found = await ask(pages, unread(site.at("quick.example/quick"), feed=feed))
        assert found is not None
        assert not asked.done()
        assert await asked == [None] * 20
        assert [path for path, _ in site.asked if path != "/quick"] == ["/0"]


@pytest.mark.asyncio
async def test_a_host_that_asks_us_to_wait_is_left_alone() -> None:
    class Busy(Site):
        async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.asked.append(((await reader.readuntil(b"\r\n\r\n")).decode().split()[1], {}))
            writer.write(b"HTTP/1.1 429 No\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            writer.close()
            await writer.wait_closed()

    site = Busy({})
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0)
    site.port = server.sockets[0].getsockname()[1]
    async with server, net("127.0.0.1") as client:
        feed = f"{site.url}feed"
        pages = Pages(client, {feed})
        assert await all_of(pages, [unread(f"{site.url}{n}", n, feed=feed) for n in range(5)]) == [None] * 5
    assert len(site.asked) == 1


@pytest.mark.asyncio
async def test_no_entry_waits_longer_than_there_is_time() -> None:
    async with serving({f"/{n}": HTML for n in range(9)}) as site, net("127.0.0.1", gap=0.4) as client:
        feed = f"{site.url}feed"
        pages = Pages(client, {feed}, seconds=1)
        async with asyncio.timeout(3):
            found = await all_of(pages, [unread(f"{site.url}{n}", n, feed=feed) for n in range(9)])
    assert 1 <= sum(page is not None for page in found) <= 4


@pytest.mark.asyncio
async def test_no_more_than_a_few_pages_are_held_at_once() -> None:
    pages_of = {f"h{n}.example/a": HTML for n in range(20)}
    hosts = [f"h{n}.example" for n in range(20)]
    async with serving(pages_of) as site, net(*hosts) as client:
        feed = site.at("h0.example/feed")
        pages = Pages(client, {feed})
        holding = most = 0

        async def read(entry: UnreadEntry) -> None:
            nonlocal holding, most
            async with pages.of(entry) as page:
                assert page is not None
                holding += 1
                most = max(most, holding)
                await asyncio.sleep(0.02)
                holding -= 1

        entry = unread("", feed=feed)
        await asyncio.gather(
            *(read(replace(entry, entry=replace(entry.entry, url=site.at(f"{host}/a")))) for host in hosts)
        )
    assert 2 <= most <= 8

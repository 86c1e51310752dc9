"""Finding the feeds of a site."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from small_site import serving

from digest.feeds.discover import FoundFeed, candidates, discover
from digest.model import FeedError
from digest.net import Net
from digest.workers import Workers

RSS = b"<rss version='2.0'><channel><title>By rss</title><item><title>1</title></item></channel></rss>"
ATOM = b"<feed xmlns='http://www.w3.org/2005/Atom'><title>By atom</title></feed>"
HTML = ("text/html; charset=utf-8", b"<p>nothing</p>")


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    pool = Workers(processes=1)
    yield pool
    pool.close()


@pytest_asyncio.fixture
async def net() -> AsyncIterator[Net]:
    client = Net(user_agent="Digest/1 (+https://digest.example/)", allow=["127.0.0.1"])
    yield client
    await client.close()


def named(page: str, url: str = "https://site.example/blog/post") -> list[tuple[str, str]]:
    return [(feed.url, feed.title) for feed in candidates(page.encode(), url) if feed.named]


def test_link_elements_are_found_in_the_order_of_the_page_and_sure_ones_first() -> None:
    page = """<html><head>
      <link rel="alternate" type="application/json" href="https://site.example/wp-json/wp/v2/posts/1">
      <link rel="alternate" type="application/json" href="/maybe.json">
      <LINK REL="alternate home" TYPE="application/rss+xml; charset=utf-8" HREF="/feed?a=1&amp;b=2"
        TITLE="All &amp; more">
      <link rel='alternate' type='application/atom+xml' href='atom.xml'>
      <link rel="alternate" type="application/feed+json" href="//cdn.example/feed.json">
      <link rel="alternate" type="application/rss+xml" href="/feed?a=1&amp;b=2" title="the same again">
      <link rel="alternate" hreflang="de" href="/de"><link rel="stylesheet" type="text/xml" href="/x">
      <link rel="alternate" type="application/rss+xml" href="javascript:alert(1)">
      <link rel="alternate" type="application/rss+xml"></head></html>"""
    assert named(page) == [
        ("https://site.example/feed?a=1&b=2", "All & more"),
        ("https://site.example/blog/atom.xml", ""),
        ("https://cdn.example/feed.json", ""),
        ("https://site.example/maybe.json", ""),
    ]


def test_the_base_of_the_page_counts() -> None:
    page = '<base href="https://other.example/x/"><link rel=alternate type=application/atom+xml href=feed>'
    assert named(page) == [("https://other.example/x/feed", "")]


def test_the_usual_places_come_last_near_ones_first_and_once() -> None:
    found = candidates(b"", "https://site.example/blog/post")
    guessed = [feed.url for feed in found if not feed.named]
    assert guessed[0] == "https://site.example/blog/feed/"
    assert "https://site.example/rss.xml" in guessed
    assert len(set(guessed)) == len(guessed) <= 24


@pytest.mark.parametrize("page", [b"", b"\x89PNG\r\n", b"\xff\xfe", b"<" * 10_000, b"<link" * 10_000])
def test_no_page_does_harm(page: bytes) -> None:
    assert all(not feed.named for feed in candidates(page, "https://site.example/"))


@pytest.mark.asyncio
async def test_what_a_page_names_is_asked_and_only_feeds_are_told(net: Net, workers: Workers) -> None:
    page = b"""<link rel=alternate type=application/rss+xml href=/a title="Named"><link rel=alternate
      type=application/atom+xml href=/moved><link rel=alternate type=application/rss+xml href=/dead>
      <link rel=alternate type=application/rss+xml href=/page>"""
    pages = {
        "/": ("text/html", page), "/a": ("text/xml", RSS), "/moved": ("text/xml", "→/b".encode()),
        "/b": ("text/xml", ATOM), "/page": HTML, "/feed/": ("text/xml", RSS),
    }  # fmt: skip
    async with serving(pages) as site:
        found = await discover(site.url, net=net, workers=workers)
    assert found == [
        FoundFeed(url=f"{site.url}a", title="By rss", entries=1),
        FoundFeed(url=f"{site.url}b", title="By atom"),
    ]
    assert "/feed/" not in [path for path, _ in site.asked]


@pytest.mark.asyncio
async def test_the_usual_places_are_asked_when_the_page_names_nothing(net: Net, workers: Workers) -> None:
    async with serving({"/": HTML, "/atom.xml": ("text/plain", ATOM)}) as site:
        found = await discover(site.url, net=net, workers=workers)
    assert found == [FoundFeed(url=f"{site.url}atom.xml", title="By atom", named=False)]


@pytest.mark.asyncio
async def test_the_address_of_a_feed_is_its_own_answer(net: Net, workers: Workers) -> None:
    async with serving({"/x": ("text/html", RSS)}) as site:
        found = await discover(f" {site.url}x ", net=net, workers=workers)
        assert found == [FoundFeed(url=f"{site.url}x", title="By rss", entries=1)]
        assert len(site.asked) == 1


@pytest.mark.asyncio
async def test_a_site_without_feeds_has_none_and_a_dead_one_says_why(net: Net, workers: Workers) -> None:
    async with serving({"/": HTML}) as site:
        assert await discover(site.url, net=net, workers=workers) == []
        with pytest.raises(FeedError, match="404"):
            await discover(f"{site.url}gone", net=net, workers=workers)
    with pytest.raises(FeedError, match="not a public address"):
        await discover("http://127.0.0.2/", net=net, workers=workers)

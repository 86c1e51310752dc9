"""Finding the feeds of a site."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from digest.feeds import hints
from digest.feeds.discover import FoundFeed, discover, read_page
from digest.model import FeedError
from digest.net import Net
from digest.workers import Workers
from small_site import Everywhere, Page, serving

RSS = (
    b"<rss version='2.0'><channel><title>By rss</title><item><title>1</title><guid>1</guid>"
    b"<pubDate>Sun, 22 Nov 2026 07:00:00 GMT</pubDate></item></channel></rss>"
)
ATOM = b"<feed xmlns='http://www.w3.org/2005/Atom'><title>By atom</title></feed>"
HTML = ("text/html; charset=utf-8", b"<p>nothing</p>")
HOSTS = (
    "youtube.com", "www.youtube.com", "github.com", "www.reddit.com", "reddit.com", "social.example",
    "ann.substack.com", "podcasts.apple.com", "itunes.apple.com", "shows.example", "blog.example",
    "127.0.0.1",
)  # fmt: skip


def xml(title: str) -> Page:
    return "text/xml", RSS.replace(b"By rss", title.encode())


def page(markup: str) -> Page:
    return "text/html", markup.encode()


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    pool = Workers(processes=1)
    yield pool
    pool.close()


@pytest_asyncio.fixture
async def net() -> AsyncIterator[Net]:
    client = Net(
        user_agent="Digest/1 (+https://digest.example/)",
        allow=HOSTS,
        resolver=Everywhere(),
        connect_seconds=2,
    )
    yield client
    await client.close()


# ---------------------------------------------------------------- what a page tells


def named(markup: str, url: str = "https://site.example/blog/post") -> list[tuple[str, str]]:
    return list(hints.read(markup, url).named)


def test_link_elements_are_found_in_the_order_of_the_page_and_sure_ones_first() -> None:
    markup = """<html><head>
      <link rel="alternate" type="application/json" href="https://site.example/wp-json/wp/v2/posts/1">
      <link rel="alternate" type="application/json" href="/maybe.json">
      <LINK REL="alternate home" TYPE="application/rss+xml; charset=utf-8" HREF="/feed?a=1&amp;b=2"
        TITLE="All &amp; more">
      <link rel='alternate' type='application/atom+xml' href='atom.xml'>
      <link rel="alternate" type="application/feed+json" href="//cdn.example/feed.json">
      <link rel="alternate" type="application/rss+xml" href="/feed?a=1&amp;b=2" title="the same again">
      <link rel="alternate" hreflang="de" href="/de"><link rel="stylesheet" type="text/xml" href="/x">
      <link rel="alternate" href="/untyped.rss"><link rel="feed" href="/entries">
      <link type="application/atom+xml" href="/unrelated">
      <link rel="alternate" type="application/rss+xml" href="javascript:alert(1)">
      <link rel="alternate" type="application/rss+xml"></head></html>"""
    assert named(markup) == [
        ("https://site.example/feed?a=1&b=2", "All & more"),
        ("https://site.example/blog/atom.xml", ""),
        ("https://cdn.example/feed.json", ""),
        ("https://site.example/unrelated", ""),
        ("https://site.example/maybe.json", ""),
        ("https://site.example/untyped.rss", ""),
        ("https://site.example/entries", ""),
    ]


def test_the_base_of_the_page_counts() -> None:
    markup = '<base href="/x/"><link rel=alternate type=application/atom+xml href=feed>'
    assert named(markup) == [("https://site.example/x/feed", "")]


def test_links_that_look_like_feeds_are_noticed_and_others_are_not() -> None:
    feeds = [
        "/feed", "/blog/feed/", "/news.rss", "/atom.xml", "/rss", "/feeds/all.atom.xml", "/index.xml",
        "/?feed=rss2", "/news?format=rss", "https://feeds.feedburner.com/x",
    ]  # fmt: skip
    others = [
        "/feedback", "/sitemap.xml", "/rssi", "/a/feedings", "/list.opml", "mailto:x@example.org", "/about",
        "/wp-json/x.xml",
    ]  # fmt: skip
    markup = "".join(f'<a href="{href}">x</a>' for href in (*others, *feeds, feeds[0]))
    found = hints.read(markup, "https://site.example/").linked
    assert [place.removeprefix("https://site.example") for place in found] == feeds


CHANNEL, OTHER = "UCabcdefghijklmnopqrstuv", "UCzzzzzzzzzzzzzzzzzzzzzz"


@pytest.mark.parametrize(
    ("url", "markup", "expected"),
    [
        (
            "https://www.youtube.com/@ann",
            f'<script>{{"channelId":"{OTHER}","externalId":"{CHANNEL}"}}</script>',
            f"https://www.youtube.com/feeds/videos.xml?channel_id={CHANNEL}",
        ),
        (
            "https://www.youtube.com/c/ann",
            f'<link rel="canonical" href="https://www.youtube.com/channel/{CHANNEL}">"externalId":"{OTHER}"',
            f"https://www.youtube.com/feeds/videos.xml?channel_id={CHANNEL}",
        ),
        (
            "https://www.youtube.com/watch?v=1",
            f'<meta itemprop="channelId" content="{CHANNEL}">',
            f"https://www.youtube.com/feeds/videos.xml?channel_id={CHANNEL}",
        ),
        (
            "https://soundcloud.com/ann",
            '<meta property="al:ios:url" content="soundcloud://users:42">',
            "https://feeds.soundcloud.com/users/soundcloud:users:42/sounds.rss",
        ),
        (
            "https://podcasts.apple.com/us/podcast/x/id1",
            r'<script>{"feedUrl":"https:\/\/shows.example\/x?a=1\u0026b=2"}</script>',
            "https://shows.example/x?a=1&b=2",
        ),
        (
            "https://site.example/blog/a-post/",
            '<link rel="https://api.w.org/" href="https://site.example/blog/wp-json/">',
            "https://site.example/blog/feed/",
        ),
        (
            "https://site.example/category/cats/",
            '<meta name="generator" content="WordPress 6.4">',
            "https://site.example/category/cats/feed/",
        ),
        (
            "https://site.example/tag/cats/",
            '<meta name="generator" content="Ghost 5.0">',
            "https://site.example/tag/cats/rss/",
        ),
        ("https://site.example/", '<meta name="generator" content="Ghost 5.0">', "https://site.example/rss/"),
        (
            "https://site.example/",
            "<meta content='blogger' name='generator'/>",
            "https://site.example/feeds/posts/default",
        ),
        (
            "https://site.example/",
            '<meta name="generator" content="Discourse 3.2">',
            "https://site.example/latest.rss",
        ),
        (
            "https://site.example/",
            '<link rel="icon" href="https://substackcdn.com/x.png">',
            "https://site.example/feed",
        ),
        (
            "https://site.example/",
            '<meta property="al:android:package" content="com.medium.reader">',
            "https://site.example/feed",
        ),
        (
            "https://site.example/",
            '<meta property="og:platform" content="PeerTube">',
            "https://site.example/feeds/videos.xml",
        ),
        (
            "https://site.example/a/b",
            '<meta property="og:site_name" content="GitLab">',
            "https://site.example/a/b/-/releases.atom",
        ),
        (
            "https://site.example/a/b",
            '<meta name="keywords" content="go,git,self-hosted,gitea">',
            "https://site.example/a/b/releases.rss",
        ),
        (
            "https://site.example/journal",
            "<!-- static1.squarespace.com -->",
            "https://site.example/journal?format=rss",
        ),
    ],
)
def test_a_page_shows_what_it_is_made_with(url: str, markup: str, expected: str) -> None:
    assert hints.read(markup, url).program[0] == expected


def test_a_page_that_only_sends_on_says_where_to() -> None:
    markup = '<meta http-equiv="Refresh" content="0; URL=\'/en/\'">'
    assert hints.read(markup, "https://site.example/").elsewhere == "https://site.example/en/"


def test_the_usual_places_are_near_ones_first_and_once() -> None:
    near, far = hints.usual_places("https://site.example/blog/post")
    assert near[0] == "https://site.example/blog/feed/"
    assert "https://site.example/rss.xml" in near
    assert far[-3] == "https://site.example/blog/post/feed/"
    assert len({*near, *far}) == len(near) + len(far)
    near, far = hints.usual_places("https://site.example")
    assert near[0] == "https://site.example/feed/"


@pytest.mark.parametrize(
    ("url", "title", "expected"),
    [
        ("https://x.example/feed/", "A blog", False),
        ("https://x.example/comments/feed/", "A blog", True),
        ("https://x.example/feed/comments.xml", "", True),
        ("https://x.example/a/feed/", "Comments on: A post", True),
        ("https://x.example/a/feed/", "A blog » Comments Feed", True),
        ("https://x.example/feeds/posts/default", "Comments of a father", False),
        ("https://x.example/feeds/77/comments/default", "", True),
        ("https://x.example/a/feed/", "Kommentare zu: Ein Beitrag", True),
    ],
)
def test_feeds_of_comments_are_told_from_others(url: str, title: str, expected: bool) -> None:
    assert hints.is_comments(url, title) is expected


@pytest.mark.parametrize(
    "body",
    [b"", b"\x89PNG\r\n", b"\xff\xfe", b"<" * 10_000, b"<link" * 10_000,
     b"<base href='http://['><a href='//['>x", b'"feedUrl" : ' * 100_000,
     b"/wp-json/" * 200_000, b"http:" * 400_000 + b"/wp-json/"],
)  # fmt: skip
def test_no_page_does_harm(body: bytes) -> None:
    start = time.process_time()
    found = read_page(body, "https://podcasts.apple.com/x", "text/html")
    assert time.process_time() - start < 5
    assert (found.named, found.linked) == ((), ())


# ---------------------------------------------------------------- asking


@pytest.mark.asyncio
async def test_what_a_page_names_is_asked_and_only_feeds_are_told(net: Net, workers: Workers) -> None:
    markup = """<link rel=alternate type=application/rss+xml href=/a title="Named"><link rel=alternate
      type=application/atom+xml href=/moved><link rel=alternate type=application/atom+xml href=/lent><link
      rel=alternate type=application/rss+xml href=/dead>
      <link rel=alternate type=application/rss+xml href=/page>"""
    pages = {
        "/": page(markup), "/a": ("text/xml", RSS), "/moved": ("text/xml", "⇒/b".encode()),
        "/b": ("text/xml", ATOM), "/lent": ("text/xml", "→/c".encode()), "/c": xml("Lent"),
        "/page": HTML, "/feed/": ("text/xml", RSS),
    }  # fmt: skip
    async with serving(pages) as site:
        found = await discover(site.url, net=net, workers=workers)
    newest = datetime(2026, 11, 22, 7, tzinfo=UTC)
    assert found == [
        FoundFeed(url=f"{site.url}a", title="By rss", named=True, entries=1, newest=newest),
        FoundFeed(url=f"{site.url}b", title="By atom", named=True),
        FoundFeed(url=f"{site.url}lent", title="Lent", named=True, entries=1, newest=newest),
    ]
    assert "/feed/" not in [path for path, _ in site.asked]
    assert "text/html" in site.asked[0][1]["accept"]
    assert "text/html" not in site.asked[-1][1]["accept"]


@pytest.mark.asyncio
async def test_comments_come_last_and_the_same_feed_once(net: Net, workers: Workers) -> None:
    markup = """<link rel=alternate type=application/rss+xml href=/comments/feed/ title="Comments Feed">
      <link rel=alternate type=application/rss+xml href=/feed/><link rel=alternate
      type=application/rss+xml href=/feed><link rel=alternate type=application/rss+xml href=/again>
      <a href=/else.rss>feed</a>"""
    pages = {
        "/": page(markup), "/feed/": xml("Blog"), "/feed": xml("Blog"), "/again": xml("Blog"),
        "/comments/feed/": xml("Comments for Blog"), "/else.rss": xml("Other"),
    }  # fmt: skip
    async with serving(pages) as site:
        found = await discover(site.url, net=net, workers=workers)
    assert [(feed.url.removeprefix(site.url), feed.comments) for feed in found] == [
        ("feed/", False),
        ("comments/feed/", True),
    ]


@pytest.mark.asyncio
async def test_when_a_page_names_only_comments_its_links_are_followed(net: Net, workers: Workers) -> None:
    markup = """<link rel=alternate type=application/rss+xml href=/comments.rss>
      <a href="/news.rss">RSS</a><a href="/page.xml">x</a>"""
    pages = {
        "/": page(markup), "/comments.rss": xml("Comments on X"), "/news.rss": xml("News"), "/page.xml": HTML,
    }  # fmt: skip
    async with serving(pages) as site:
        found = await discover(site.url, net=net, workers=workers)
    assert [(feed.title, feed.named) for feed in found] == [("News", False), ("Comments on X", True)]


@pytest.mark.asyncio
async def test_the_usual_places_are_asked_when_nothing_else_tells(net: Net, workers: Workers) -> None:
    pages = {
        "/": HTML,
        "/atom.xml": ("text/plain", ATOM),
        "/feed.json": xml("Other"),
        "/rss2.xml": xml("Far"),
    }
    async with serving(pages) as site:
        found = await discover(site.url, net=net, workers=workers)
    assert [(feed.url, feed.title) for feed in found] == [
        (f"{site.url}atom.xml", "By atom"),
        (f"{site.url}feed.json", "Other"),
    ]
    assert "/rss2.xml" not in [path for path, _ in site.asked]


@pytest.mark.asyncio
async def test_rarer_places_are_asked_one_by_one_until_there_is_a_feed(net: Net, workers: Workers) -> None:
    pages = {"/": HTML, "/rss2.xml": xml("Far"), "/blog/feed/": xml("Too late")}
    async with serving(pages) as site:
        found = await discover(site.url, net=net, workers=workers)
    assert [feed.title for feed in found] == ["Far"]
    assert site.asked[-1][0] == "/rss2.xml"


@pytest.mark.asyncio
async def test_the_address_of_a_feed_is_its_own_answer(net: Net, workers: Workers) -> None:
    async with serving({"/x": ("text/html", RSS)}) as site:
        [found] = await discover(f" <{site.url}x>, ", net=net, workers=workers)
        assert (found.url, found.title, found.entries) == (f"{site.url}x", "By rss", 1)
        assert len(site.asked) == 1


@pytest.mark.asyncio
async def test_an_address_without_a_scheme_is_tried_by_https_and_then_by_http(
    net: Net, workers: Workers
) -> None:
    async with serving({"/x": ("text/xml", RSS)}) as site:
        [found] = await discover(f"127.0.0.1:{site.port}/x", net=net, workers=workers)
        assert found.url == f"{site.url}x"


@pytest.mark.asyncio
async def test_a_page_that_sends_its_visitors_on_is_followed_once(net: Net, workers: Workers) -> None:
    on = '<meta http-equiv=refresh content="0;url=/en/">'
    pages = {
        "/": page(on),
        "/en/": page(f'{on}<link rel=alternate type=application/rss+xml href=f>'),
        "/en/f": xml("English"),
    }  # fmt: skip
    async with serving(pages) as site:
        [found] = await discover(site.url, net=net, workers=workers)
    assert (found.url, found.named) == (f"{site.url}en/f", True)


KNOWN: dict[str, tuple[str, dict[str, Page], list[str]]] = {
    "a channel by its handle": (
        "youtube.com/@ann",
        {
            "youtube.com/@ann": ("text/html", "⇒http://www.youtube.com:PORT/@ann".encode()),
            "www.youtube.com/@ann": page(f'<script>"externalId":"{CHANNEL}"</script>'),
            f"www.youtube.com/feeds/videos.xml?channel_id={CHANNEL}": xml("Ann's films"),
        },
        [f"www.youtube.com/feeds/videos.xml?channel_id={CHANNEL}"],
    ),
    "a repository": (
        "github.com/a/b",
        {
            "github.com/a/b": HTML,
            "github.com/a/b/releases.atom": xml("Releases"),
            "github.com/a/b/commits.atom": xml("Commits"),
        },
        ["github.com/a/b/releases.atom", "github.com/a/b/commits.atom"],
    ),
    "a page that is refused to programs": (
        "reddit.com/r/tides",
        {"reddit.com/r/tides": ("text/html", "✗403".encode()), "www.reddit.com/r/tides/.rss": xml("Tides")},
        ["www.reddit.com/r/tides/.rss"],
    ),
    "a person": (
        "social.example/@ann",
        {"social.example/@ann": HTML, "social.example/@ann.rss": xml("Ann")},
        ["social.example/@ann.rss"],
    ),
    "a paper of letters": (
        "ann.substack.com/p/one",
        {"ann.substack.com/p/one": HTML, "ann.substack.com/feed": xml("Letters")},
        ["ann.substack.com/feed"],
    ),
    "a blog in a folder": (
        "blog.example/notes/one/",
        {
            "blog.example/notes/one/": page('<a href="http://blog.example:PORT/notes/wp-json/">x</a>'),
            "blog.example/notes/feed/": xml("Notes"),
        },
        ["blog.example/notes/feed/"],
    ),
    "a podcast in a directory": (
        "podcasts.apple.com/us/podcast/x/id77",
        {
            "podcasts.apple.com/us/podcast/x/id77": HTML,
            "itunes.apple.com/lookup?id=77&entity=podcast": (
                "application/json", b'{"results":[{"feedUrl":"http://shows.example:PORT/x.xml"}]}',
            ),
            "shows.example/x.xml": xml("A show"),
        },
        ["shows.example/x.xml"],
    ),
}  # fmt: skip


@pytest.mark.asyncio
@pytest.mark.parametrize("name", KNOWN)
async def test_known_sites_are_understood_from_end_to_end(name: str, net: Net, workers: Workers) -> None:
    address, pages, expected = KNOWN[name]
    async with serving(pages) as site:
        found = await discover(site.at(address), net=net, workers=workers)
        assert [feed.url for feed in found] == [site.at(place) for place in expected]


# ---------------------------------------------------------------- what goes wrong


@pytest.mark.asyncio
async def test_a_site_without_feeds_has_none_and_a_dead_one_says_why(net: Net, workers: Workers) -> None:
    async with serving({"/": HTML}) as site:
        assert await discover(site.url, net=net, workers=workers) == []
        with pytest.raises(FeedError, match="404"):
            await discover(f"{site.url}gone", net=net, workers=workers)
        asked = len(site.asked)
    with pytest.raises(FeedError, match="no connection"):
        await discover(site.url, net=net, workers=workers)
    assert len(site.asked) == asked
    with pytest.raises(FeedError, match="not a public address"):
        await discover("http://127.0.0.2/", net=net, workers=workers)
    with pytest.raises(FeedError, match="not a web address"):
        await discover("/etc/passwd", net=net, workers=workers)


@pytest.mark.asyncio
async def test_a_page_cannot_send_us_into_the_house(net: Net, workers: Workers) -> None:
    markup = """<link rel=alternate type=application/rss+xml href="http://127.0.0.2:PORT/secret">
      <link rel=alternate type=application/rss+xml href="file:///etc/passwd">
      <link rel=alternate type=application/rss+xml href="/moved"><a href="http://10.0.0.1/feed">x</a>"""
    pages = {
        "/": page(markup),
        "/moved": ("", "→http://127.0.0.2:PORT/secret".encode()),
        "/secret": xml("Secret"),
    }
    async with serving(pages) as site:
        assert await discover(site.url, net=net, workers=workers) == []
        assert "/secret" not in [path for path, _ in site.asked]


@pytest.mark.asyncio
async def test_a_silent_place_costs_no_more_than_the_time_there_is(net: Net, workers: Workers) -> None:
    markup = "".join(f"<link rel=alternate type=application/rss+xml href=/{n}>" for n in range(9))
    pages: dict[str, Page] = {f"/{n}": ("", "…".encode()) for n in range(1, 9)}
    async with serving({**pages, "/": page(markup), "/0": xml("Quick")}) as site:
        await workers.run(len, "warm", timeout=10)
        async with asyncio.timeout(10):
            found = await discover(site.url, net=net, workers=workers, seconds=3)
    assert [replace(feed, newest=None) for feed in found] == [
        FoundFeed(url=f"{site.url}0", title="Quick", named=True, entries=1)
    ]

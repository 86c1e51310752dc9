"""`full_text: true`: an entry becomes an article with the text of its page, from feed to article."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from a_house import STORIES, Clock, write_config
from digest import intake, pipeline
from digest.model import Article
from digest.service import House, open_house
from small_site import Page, serving

NAMES = ("lighthouse", "bees", "bread")


def teaser(name: str) -> str:
    return STORIES[name][1].split(". ", 1)[0] + "."


def page(name: str, *, head: str = "") -> Page:
    title, text = STORIES[name]
    paragraphs = "".join(f"<p>{sentence.strip('. ')}.</p>" for sentence in text.split(". "))
    markup = (
        f"<html lang=en><head><title>{title}</title>{head}</head><body><nav><a href=/>Home</a></nav><article>"
    )
    return (
        "text/html; charset=utf-8",
        f"{markup}<h1>{title}</h1>{paragraphs}</article></body></html>".encode(),
    )


def feed(*names: str, base: str = "http://127.0.0.1:PORT/") -> Page:
    """A feed that tells only the first sentence of each story."""
    items = "".join(
        f"<item><guid isPermaLink='false'>{name}</guid><link>{base}{name}</link>"
        f"<title>{STORIES[name][0]}</title><pubDate>Sun, 22 Nov 2026 09:00:00 GMT</pubDate>"
        f"<description>{teaser(name)}</description></item>"
        for name in names
    )
    return (
        "application/rss+xml",
        f"<rss version='2.0'><channel><title>Gazette</title>{items}</channel></rss>".encode(),
    )


async def read(house: House) -> dict[str, Article]:
    """Pull and summarize; the articles by guid."""
    line = house.line
    await intake.pull(line, line.clock(), force=True)
    await pipeline.summarize(line, line.clock())
    through = await house.store.articles.max_ready()
    found = await house.store.windows.of("world", after=0, through=through)
    return {article.guid: article for article in (each.opened() for each in found)}


def asked_for_pages(asked: list[tuple[str, dict[str, str]]]) -> list[str]:
    return sorted(path for path, _ in asked if not path.startswith("/feed"))


@pytest.mark.asyncio
async def test_articles_of_a_feed_that_wants_it_have_the_text_of_their_pages(tmp_path: Path) -> None:
    head = '<meta property="og:image" content="/lamp.jpg">'
    pages = {
        "/feed": feed("lighthouse", "bees"),
        "/lighthouse": page("lighthouse", head=head),
        "/bees": page("bees"),
    }
    async with serving(pages) as site:
        path = write_config(tmp_path, feeds=f"[{{url: '{site.url}feed', full_text: true}}]")
        async with open_house(path, clock=Clock()) as house:
            articles = await read(house)
            for name in ("lighthouse", "bees"):
                assert articles[name].source == "page"
                assert articles[name].text.replace("\n", " ") == STORIES[name][1]
                assert len(articles[name].summary) >= 2
            assert articles["lighthouse"].image == f"{site.url}lamp.jpg"
            assert asked_for_pages(site.asked) == ["/bees", "/lighthouse"]
            await read(house)
            assert asked_for_pages(site.asked) == ["/bees", "/lighthouse"]  # once


@pytest.mark.asyncio
async def test_a_feed_that_does_not_want_it_causes_no_request_for_a_page(tmp_path: Path) -> None:
    pages = {"/feed": feed(*NAMES), **{f"/{name}": page(name) for name in NAMES}}
    async with serving(pages) as site:
        path = write_config(tmp_path, feeds=f"[{site.url}feed]")
        async with open_house(path, clock=Clock()) as house:
            articles = await read(house)
    assert {name: article.source for name, article in articles.items()} == dict.fromkeys(NAMES, "description")
    assert asked_for_pages(site.asked) == []


@pytest.mark.asyncio
async def test_a_list_can_want_it_for_all_its_feeds_and_one_newsletter_for_all_others(tmp_path: Path) -> None:
    async with serving({"/feed": feed("bread"), "/bread": page("bread")}) as site:
        (tmp_path / "feeds.opml").write_text(f'<opml><body><outline xmlUrl="{site.url}feed"/></body></opml>')
        more = """\
  other:
    title: Another one
    schedule: {at: "07:00", zone: Europe/Berlin, days: daily}
    feeds: [{opml: feeds.opml, full_text: true}]
"""
        path = write_config(tmp_path, feeds=f"[{site.url}feed]", more=more)
        async with open_house(path, clock=Clock()) as house:
            assert (await read(house))["bread"].source == "page"


WALL = (
    "<html><body><h1>Sign in</h1><p>Please log in to read on. Create an account, it is free. "
    "Forgot your password?</p></body></html>"
)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "bad",
    [
        ("text/html", "✗404".encode()),
        ("text/html", "✗500".encode()),
        ("text/html", "→http://10.1.2.3/x".encode()),
        ("text/html", "→/bees".encode()),
        ("text/html", WALL.encode()),
        ("application/pdf", b"%PDF-1.7 not a page"),
        ("text/html", b"\x1f\x8b broken"),
        ("text/html", b"<div>" * 300_000),
        ("text/html", b""),
    ],
    ids=["gone", "fault", "private", "in a ring", "login", "pdf", "packed badly", "bomb", "empty"],
)  # fmt: skip
async def test_whatever_is_wrong_with_a_page_the_entry_is_told_as_its_feed_tells_it(
    tmp_path: Path, bad: Page
) -> None:
    pages = {"/feed": feed("bees", "bread"), "/bees": bad, "/bread": page("bread")}
    async with serving(pages) as site:
        path = write_config(tmp_path, feeds=f"[{{url: '{site.url}feed', full_text: true}}]")
        async with open_house(path, clock=Clock()) as house:
            articles = await read(house)
    assert (articles["bees"].source, articles["bees"].text) == ("description", teaser("bees"))
    assert articles["bread"].source == "page"


@pytest.mark.asyncio
async def test_others_are_ready_while_an_entry_still_waits_for_its_page(tmp_path: Path) -> None:
    pages = {"/feed": feed("bees"), "/bees": ("text/html", "…".encode()), "/feed2": feed("bread")}
    async with serving(pages) as site:
        feeds = f"[{{url: '{site.url}feed', full_text: true}}, {site.url}feed2]"
        path = write_config(tmp_path, feeds=feeds)
        path.write_text(path.read_text().replace("127.0.0.1]", "127.0.0.1], timeout: 5s"))
        async with open_house(path, clock=Clock()) as house:
            line = house.line
            await intake.pull(line, line.clock(), force=True)
            started = time.monotonic()
            reading = asyncio.create_task(pipeline.summarize(line, line.clock()))
            while await house.store.articles.max_ready() < 1:
                await asyncio.sleep(0.05)
                assert not reading.done()
            done = await reading
            assert time.monotonic() - started < 15
            assert (done.articles, done.ready) == (2, 2)
            through = await house.store.articles.max_ready()
            found = [
                each.candidate() for each in await house.store.windows.of("world", after=0, through=through)
            ]
    assert [(article.guid, article.source) for article, _ in found] == [
        ("bread", "description"),
        ("bees", "description"),
    ]

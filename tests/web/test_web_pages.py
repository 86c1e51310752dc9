from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree

import httpx
import pytest
from web_house import HOSTILE, NOW, PORT, WORLD, Broken, House

from digest.model import NotReady
from digest.web import build_app

pytestmark = pytest.mark.asyncio

POLICY = "default-src 'none'; style-src 'self'; img-src 'self' https:; form-action 'self'"


async def test_home_lists_newsletters_with_the_retired_ones_last(house: House) -> None:
    async with house.client() as web:
        page = (await web.get("/")).text
    places = [page.index(f'href="/{slug}/"') for slug in ("world", "port", "past")]
    assert max(places[:2]) < places[2]
    assert "The bridge is closed" in page
    assert 'href="/past/#subscribe"' not in page


async def test_a_newsletter_says_what_it_is_and_when_it_comes(house: House) -> None:
    async with house.client() as web:
        page = (await web.get("/world/")).text
    assert WORLD.title in page
    assert WORLD.description in page
    assert "every day at 7:00\u00a0AM (Berlin)" in page
    assert 'action="/world/subscribe"' in page
    assert 'href="/world/2026-11-22/"' in page
    assert 'href="/world/2026-11-20/"' in page


async def test_the_sources_are_named_and_lead_to_their_sites(house: House) -> None:
    async with house.client() as web:
        page = (await web.get("/world/")).text
    assert '<a href="https://news.example.org/">Northern Wire</a>' in page
    assert "A paper that has no story yet" in page


@pytest.mark.parametrize("path", ["/world/", "/world/2026-11-22/"])
async def test_feed_readers_find_the_three_feeds_on_every_page_of_a_newsletter(
    house: House, path: str
) -> None:
    async with house.client() as web:
        page = (await web.get(path)).text
    found = dict(re.findall(r'<link rel="alternate" type="([^"]+)" title="[^"]+" href="([^"]+)">', page))
    assert found == {
        "application/atom+xml": "http://digest.test/world/feed.atom",
        "application/rss+xml": "http://digest.test/world/feed.rss",
        "application/feed+json": "http://digest.test/world/feed.json",
    }


async def test_an_issue_tells_its_stories_with_sections_sources_and_neighbours(house: House) -> None:
    async with house.client() as web:
        page = (await web.get("/world/2026-11-22/")).text
        older = (await web.get("/world/2026-11-20/")).text
    assert '<a href="https://news.example.org/1">The bridge is closed</a>' in page
    assert "The first sentence. And a second one." in page
    assert "Northern Wire" in page
    assert 'href="#section-1"' in page
    assert 'id="section-1"' in page
    assert 'rel="prev" href="/world/2026-11-20/"' in page
    assert 'rel="next" href="/world/2026-11-22/"' in older
    assert '<meta property="og:title"' in page
    assert '<meta property="og:image" content="https://img.example.org/a.jpg">' in page
    assert '<link rel="canonical" href="http://digest.test/world/2026-11-22/">' in page


async def test_every_story_is_marked_with_its_language_and_direction(house: House) -> None:
    async with house.client() as web:
        mixed = (await web.get("/world/2026-11-22/")).text
        mirrored = (await web.get("/port/2026-11-22/")).text
    assert '<html lang="en" dir="ltr">' in mixed
    assert 'id="story-4" lang="ar" dir="rtl"' in mixed
    assert '<html lang="ar" dir="rtl">' in mirrored
    assert PORT.title in mirrored


async def test_markup_and_script_addresses_of_a_feed_stay_text(house: House) -> None:
    async with house.client() as web:
        for path in ("/", "/world/", "/world/2026-11-22/"):
            page = (await web.get(path)).text
            assert page.count("<script") == page.count('<script type="application/ld+json">{"@context"')
            assert "javascript:" not in page
            assert "http://img.example.org/plain.jpg" not in page
        assert HOSTILE.replace("<", "&lt;").replace(">", "&gt;").split('"')[0] in page
        assert "{{ 7*7 }}" in page


async def test_the_addresses_of_feeds_are_never_shown(house: House) -> None:
    async with house.client() as web:
        for path in ("/", "/world/", "/world/2026-11-22/", "/feeds.opml"):
            assert "key=private" not in (await web.get(path)).text


async def test_a_retired_newsletter_lives_on_without_a_form(house: House) -> None:
    async with house.client() as web:
        front = await web.get("/past/")
        issue = await web.get("/past/2026-11-22/")
        feed = await web.get("/past/feed.atom")
        asked = await web.post("/past/subscribe", data={"email": "new@example.org"})
    assert (front.status_code, issue.status_code, feed.status_code) == (200, 200, 200)
    assert 'method="post"' not in front.text + issue.text
    assert "no longer published" in front.text
    assert asked.status_code == 410
    assert await house.store.subscriptions.of("new@example.org") == []


async def test_older_issues_are_one_page_further(house: House) -> None:
    async with house.client() as web:
        page = (await web.get("/world/", params={"before": house.issues["world"].id})).text
        none = (await web.get("/world/", params={"before": house.issues["old"].id})).text
        silly = await web.get("/world/", params={"before": "1 or 1=1"})
    assert "/world/2026-11-20/" in page
    assert "/world/2026-11-22/" not in page
    assert "nothing older" in none
    assert silly.status_code == 200


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/world", "/world/"),
        ("/world/2026-11-22", "/world/2026-11-22/"),
        ("/world?next=//evil.example", "/world/"),
    ],
)
async def test_a_missing_slash_is_added_on_our_own_site_only(house: House, path: str, target: str) -> None:
    async with house.client() as web:
        answer = await web.get(path, headers={"host": "evil.example"})
    assert (answer.status_code, answer.headers["location"]) == (308, target)


@pytest.mark.parametrize(
    "path",
    [
        "/nobody",
        "/nobody/",
        "/nobody/2026-11-22/",
        "/world/2026-11-21/",
        "/world/2026-11-22-2/",
        "/world/2026-13-99/",
        "/world/i/99/",
        "/world/i/999999999999999999999999/",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//evil.example/",
        "/evil.example/%2f..",
        "/\\evil.example",
        "/world/%00/",
        "/wo%0d%0arld/",
        "/world/2026-11-22%2f/",
        "/WORLD/",
        "/" + "a" * 2000 + "/",
        "/assets/site.css",
        "/assets/..%2fconfig.yaml",
        "/confirm/",
        "/unsubscribe",
        "/dev/inbox",
        "/favicon.ico",
    ],
)
async def test_what_is_not_there_gets_a_friendly_404(house: House, path: str) -> None:
    async with house.client() as web:
        answer = await web.get(httpx.URL("http://digest.test", raw_path=path.encode()))
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text
    assert "location" not in answer.headers


async def test_links_never_come_from_the_host_header(house: House) -> None:
    async with house.client() as web:
        for path in ("/", "/world/", "/world/2026-11-22/", "/feeds.opml", "/nobody/"):
            answer = await web.get(
                path,
                headers={
                    "host": "evil.example",
                    "x-forwarded-host": "evil.example",
                    "x-forwarded-proto": "x",
                },
            )
            assert "evil.example" not in answer.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST", "TRACE", "BREW"])
@pytest.mark.parametrize("path", ["/", "/world/", "/world/2026-11-22/", "/feeds.opml", "/healthz"])
async def test_unknown_methods_are_refused(house: House, method: str, path: str) -> None:
    async with house.client() as web:
        answer = await web.request(method, path)
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


async def test_the_opml_lists_the_living_newsletters(house: House) -> None:
    async with house.client() as web:
        answer = await web.get("/feeds.opml")
        again = await web.get("/feeds.opml", headers={"if-none-match": answer.headers["etag"]})
    outlines = ElementTree.fromstring(answer.content).findall("body/outline")  # noqa: S314  our own words
    assert answer.headers["content-type"] == "text/x-opml; charset=utf-8"
    assert {outline.get("xmlUrl") for outline in outlines} == {
        "http://digest.test/world/feed.atom",
        "http://digest.test/port/feed.atom",
    }
    assert again.status_code == 304


async def test_a_second_look_at_a_page_costs_no_bytes(house: House) -> None:
    async with house.client() as web:
        first = await web.get("/world/2026-11-22/")
        again = await web.get("/world/2026-11-22/", headers={"if-none-match": first.headers["etag"]})
    assert first.headers["etag"].startswith('W/"'), "pages with a form say when they were opened"
    assert again.status_code == 304
    assert again.content == b""


async def test_every_page_carries_the_policy_and_its_own_style_sheet(house: House) -> None:
    async with house.client() as web:
        for path in ("/", "/world/", "/world/2026-11-22/", "/nobody/", f"/confirm/{'x' * 40}"):
            answer = await web.get(path)
            assert answer.headers["content-security-policy"].startswith(POLICY)
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "referrer-policy" in answer.headers
            assert "set-cookie" not in answer.headers
            assert "style=" not in answer.text
            assert "<style" not in answer.text
            sheet = re.search(r'<link rel="stylesheet" href="([^"]+)">', answer.text)
            assert sheet is not None
        css = await web.get(sheet[1])
    assert css.status_code == 200
    assert css.headers["content-type"].startswith("text/css")
    assert "immutable" in css.headers["cache-control"]


async def test_a_corrected_issue_says_when_it_was_corrected(house: House) -> None:
    one = await house.store.issues.by_path("world/2026-11-22")
    assert one is not None
    async with house.client() as web:
        assert "modified_time" not in (await web.get("/world/2026-11-22/")).text
        later = NOW + timedelta(hours=1)
        await house.store.issues.revise(replace(one, revision=2, updated_at=later), now=later)
        page = (await web.get("/world/2026-11-22/")).text
    assert f'<meta property="article:modified_time" content="{later.isoformat()}">' in page


async def test_under_a_path_of_another_site_every_link_stays_under_it(house: House) -> None:
    """`site.url` with a path: a proxy gives us what lies under it, without it."""
    links = replace(house.links, base="http://digest.test/news")
    token = house.token("preferences", "active")
    waiting, seen = ["/", "/search?q=bridge", f"/preferences/{token}", "/nobody/"], set[str]()
    async with house.client(links=links) as web:
        assert "Disallow: /news/preferences/" in (await web.get("/robots.txt")).text
        while waiting:
            path = waiting.pop()
            page = await web.get(path)
            assert page.status_code == (404 if path == "/nobody/" else 200), path
            if "html" not in page.headers["content-type"]:
                continue
            ours = re.findall(r'(?:href|src|action)="(/[^"#]*)', page.text)
            ours += re.findall(r'(?:href|src|action)="http://digest.test(/[^"#]*)', page.text)
            assert ours
            assert [link for link in ours if not link.startswith("/news/")] == []
            for link in {link.removeprefix("/news") for link in ours} - seen:
                seen.add(link)
                if not re.search(
                    r"/(subscribe|feed\.\w+|private)", link
                ):  # forms, and feeds that are not there
                    waiting.append(link.replace("&amp;", "&"))
    assert any(path.startswith("/assets/site.") for path in seen)
    assert len(seen) > 15


async def test_pages_behind_a_token_are_kept_by_nobody(house: House) -> None:
    paths = [
        f"/confirm/{house.token('confirm', 'pending')}",
        f"/unsubscribe/{house.token('unsubscribe', 'active')}",
        f"/preferences/{house.token('preferences', 'active')}",
        f"/preferences/{'x' * 40}",
    ]
    async with house.client() as web:
        for path in paths:
            answer = await web.get(path)
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert "noindex" in answer.headers["x-robots-tag"]


@pytest.mark.parametrize("path", ["/", "/world/", "/world/2026-11-22/", "/feeds.opml", "/world/feed.atom"])
async def test_a_store_that_is_away_gives_a_page_and_not_a_traceback(house: House, path: str) -> None:
    async with house.client(store=Broken(NotReady("database is locked: /secret/place"))) as web:
        answer = await web.get(path)
        alive = await web.get("/healthz")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"
    assert "One moment, please" in answer.text
    assert "/secret/place" not in answer.text
    assert alive.status_code == 200


async def test_one_click_asks_to_come_again_while_the_store_is_away(house: House) -> None:
    path = f"/unsubscribe/{house.token('unsubscribe', 'active')}"
    async with house.client(store=Broken(NotReady("database is locked"))) as web:
        answer = await web.post(path, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 503


async def test_our_own_mistake_gives_a_page_and_the_log_gets_the_error(house: House) -> None:
    app = build_app(replace(house.lent, store=Broken(RuntimeError("a mistake"))))  # type: ignore[arg-type]
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://digest.test") as web:
        answer = await web.get("/")
    assert answer.status_code == 500
    assert "The mistake is ours" in answer.text
    assert "a mistake" not in answer.text


async def test_the_contrast_of_all_text_is_at_least_four_and_a_half(house: House) -> None:
    css = house.lent.renderer.page("site.css")
    light, dark = (
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
        for block in re.findall(r":root \{(.*?)\}", css, re.DOTALL)[:2]
    )
    for palette in (light, dark):
        for ground in ("paper", "card"):
            for text in ("ink", "soft", "red", "blue"):
                assert contrast(palette[text], palette[ground]) >= 4.5, (text, ground)
        assert contrast(palette["on-red"], palette["red"]) >= 4.5
        assert contrast(palette["paper"], palette["ink"]) >= 4.5


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, relative luminance."""
    dark, light = sorted(luminance(colour) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

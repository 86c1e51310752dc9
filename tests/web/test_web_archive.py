"""The archive: years, months, neighbours, search, retention, and what machines are told."""

from __future__ import annotations

import html
import json
import re
from datetime import date, timedelta

import pytest
from lxml import etree
from web_house import HOSTILE, SITE, House, issue, newsletter, story

from digest.links import Links
from digest.model import Earlier, Retention
from digest.web.linked_data import issue_data

pytestmark = pytest.mark.asyncio


async def text(house: House, path: str, status: int = 200) -> str:
    async with house.client() as web:
        answer = await web.get(path)
    assert answer.status_code == status, answer.text
    return answer.text


async def test_issues_stand_under_their_year_and_month(house: House) -> None:
    every, of_year = await text(house, "/world/archive/"), await text(house, "/world/archive/2026/")
    month = await text(house, "/world/archive/2026/11/")
    for page in (every, of_year):
        assert 'href="/world/archive/2026/11/">November 2026</a>' in page
        assert "2 issues" in page
    assert month.index('href="/world/2026-11-22/"') < month.index('href="/world/2026-11-20/"')
    assert "<h1>November 2026</h1>" in month
    assert "نوفمبر" in await text(house, "/port/archive/2026/11/")


@pytest.mark.parametrize(
    "path",
    [
        "/nobody/archive/",
        "/world/archive/2025/",
        "/world/archive/0000/",
        "/world/archive/2026/12/",
        "/world/archive/2026/13/",
        "/world/archive/2026/1/",
        "/world/archive/2026/00/",
        "/world/archive/26/",
        "/world/archive/x/",
        "/nobody/search?q=bridge",
        "/nobody/sitemap.xml",
    ],
)
async def test_what_is_not_there_is_a_page_that_says_so(house: House, path: str) -> None:
    assert "There is nothing here" in await text(house, path, 404)


async def test_an_address_without_its_last_stroke_leads_to_the_page(house: House) -> None:
    async with house.client() as web:
        for path in ("/world/archive", "/world/archive/2026", "/world/archive/2026/11"):
            answer = await web.get(path)
            assert (answer.status_code, answer.headers["location"]) == (308, f"{path}/")


async def test_an_issue_leads_to_the_one_before_and_the_one_after(house: House) -> None:
    newest, oldest = await text(house, "/world/2026-11-22/"), await text(house, "/world/2026-11-20/")
    assert 'rel="prev" href="/world/2026-11-20/"' in newest
    assert 'rel="next"' not in newest
    assert 'rel="next" href="/world/2026-11-22/"' in oldest
    assert 'rel="prev"' not in oldest


async def test_a_long_issue_has_a_table_of_contents(house: House) -> None:
    assert 'class="toc"' not in await text(house, "/world/2026-11-22/")
    about = newsletter("world", "World in brief")
    edition = await house.store.newsletters.own_edition("world")
    stories = tuple(story(n, f"Story {n}", section="One" if n < 9 else "Two") for n in range(1, 21))
    day = house.clock.now.date() + timedelta(days=1)
    born = await house.store.issues.birth(
        issue(about, edition.id, day, edition.through, stories),
        decisions=(),
        prepared={},
        audiences={},
        slot=None,
        now=house.clock.now,
    )
    assert born is not None
    page = await text(house, f"/{born.path}/")
    anchors = re.findall(r'<a href="#(story-\d+)">', page)
    assert anchors == [f"story-{number}" for number in range(1, 21)]
    assert all(f'id="{anchor}"' in page for anchor in anchors)
    assert 'id="section-2"' in page


# ---------------------------------------------------------------- search


async def test_a_search_finds_stories_and_marks_what_was_asked_for(house: House) -> None:
    page = await text(house, "/world/search?q=BRIDG")
    assert 'href="/world/2026-11-22/#story-1"' in page
    assert "The <mark>bridge</mark> is closed" in page
    assert 'value="BRIDG"' in page
    assert 'content="noindex, follow"' in page
    everywhere = await text(house, "/search?q=%D9%85%D8%B9%D8%B1%D8%B6")
    assert 'href="/port/2026-11-22/#story-1"' in everywhere
    assert "رسالة المرفأ" in everywhere
    assert "Nothing was found" in await text(house, "/world/search?q=%D9%85%D8%B9%D8%B1%D8%B6")
    assert "Write one word" in await text(house, "/search")


async def test_neither_a_query_nor_a_story_becomes_markup(house: House) -> None:
    page = await text(house, "/search?q=%22%3E%3Cscript%3Ealert%281%29%3C/script%3E")
    assert "<script" not in page
    assert "<mark>script</mark>" in page  # of the hostile title, which is text
    assert html.escape(HOSTILE.split("script")[0], quote=False) in page


@pytest.mark.parametrize(
    "query",
    [
        "",
        "%00",
        "%ff%fe",
        "a" * 10_000,
        "%22" * 3_000,
        "*",
        "a%20OR%20b",
        "q&before=x",
        "q&before=99999999999999999999",
    ],
)
async def test_an_odd_query_gets_a_page(house: House, query: str) -> None:
    for path in ("/search", "/world/search"):
        assert "<h1>Search</h1>" in await text(house, f"{path}?q={query}")


async def test_a_query_that_is_too_long_is_cut_between_two_words(house: House) -> None:
    page = await text(house, f"/world/search?q={'bridge+closed+' * 1_000}")
    assert "The <mark>bridge</mark> is <mark>closed</mark>" in page
    assert f'value="{"bridge closed " * 14}"'.replace(' "', '"') in page


async def test_long_lists_of_results_have_pages(house: House) -> None:
    about = newsletter("world", "World in brief")
    for day in range(1, 4):
        edition = await house.store.newsletters.own_edition("world")
        stories = tuple(story(n, f"Harbour {day} {n}") for n in range(1, 11))
        await house.store.issues.birth(
            issue(about, edition.id, house.clock.now.date() + timedelta(days=day), edition.through, stories),
            decisions=(),
            prepared={},
            audiences={},
            slot=None,
            now=house.clock.now,
        )
    seen, path = [], "/world/search?q=harbour"
    while path:
        page = await text(house, path)
        seen += re.findall(r"<mark>Harbour</mark> (\d+ \d+)", page)
        more = re.search(r'rel="next" href="([^"]+)"', page)
        path = html.unescape(more[1]) if more else ""
    assert seen == [f"{day} {n}" for day in (3, 2, 1) for n in range(1, 11)]


# ---------------------------------------------------------------- retention


async def test_an_issue_that_is_kept_no_longer_says_so_and_is_in_no_list(house: House) -> None:
    now = house.clock.now
    while await house.store.shelves.keep("world", Retention(issues=1), today=now.date(), now=now):
        pass
    assert "No longer kept" in await text(house, "/world/2026-11-20/", 410)
    for path in (
        "/",
        "/world/",
        "/world/2026-11-22/",
        "/world/archive/",
        "/world/archive/2026/11/",
        "/world/sitemap.xml",
    ):
        assert "2026-11-20" not in await text(house, path)
    assert "Nothing was found" in await text(house, "/world/search?q=neighbour")


async def test_an_update_leads_to_no_issue_that_is_kept_no_longer(house: House) -> None:
    now = house.clock.now
    about, day = newsletter("world", "World in brief"), now.date() + timedelta(days=1)
    edition = await house.store.newsletters.own_edition("world")
    earlier = Earlier(path="world/2026-11-20", date=date(2026, 11, 20), title="The bridge")
    stories = (story(1, "The bridge is open", update=True, earlier=earlier),)
    born = await house.store.issues.birth(
        issue(about, edition.id, day, edition.through, stories),
        decisions=(),
        prepared={},
        audiences={},
        slot=None,
        now=now,
    )
    assert born is not None
    assert 'href="/world/2026-11-20/">last told' in await text(house, f"/{born.path}/")
    while await house.store.shelves.keep("world", Retention(issues=1), today=day, now=now):
        pass
    page = await text(house, f"/{born.path}/")
    assert "The bridge is open" in page
    assert "2026-11-20" not in page


# ---------------------------------------------------------------- for machines


async def test_linked_data_is_sound_and_cannot_leave_its_script(house: House) -> None:
    page = await text(house, "/world/2026-11-22/")
    (data,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    told = json.loads(data)
    assert told["@type"] == "NewsArticle"
    assert told["url"] == "http://digest.test/world/2026-11-22/"
    stories = told["mainEntity"]["itemListElement"]
    assert [one["position"] for one in stories] == [1, 2, 3, 4]
    assert stories[2]["name"] == HOSTILE
    assert "url" not in stories[1]["item"]  # it was javascript:
    assert page.count("<script") == page.count("</script>") == 1


@pytest.mark.parametrize(
    "title", ["</script><script>alert(1)</script>", "<!--<script>", "]]>", "\u2028", "\ud800 &amp;"]
)
async def test_no_title_ends_the_script(title: str) -> None:
    about = newsletter("world", "World in brief")
    house_of = issue(about, 1, date(2026, 11, 22), 0, (story(1, title),))
    data = issue_data(house_of, about, SITE, Links(SITE.url, b"a secret that is only for tests!"))
    inside = data.removeprefix('<script type="application/ld+json">').removesuffix("</script>")
    assert not set("<>&\u2028") & set(inside)
    assert json.loads(inside)["mainEntity"]["itemListElement"][0]["name"] == title.replace("\ud800", "?")


async def test_machines_find_every_page(house: House) -> None:
    robots = await text(house, "/robots.txt")
    assert "Sitemap: http://digest.test/sitemap.xml" in robots
    assert "Disallow: /unsubscribe/" in robots
    rules = [line.removeprefix("Disallow: ") for line in robots.splitlines() if line.startswith("Disallow")]
    assert {"/search?", "/search$"} <= set(rules)
    assert not any("/searchlight/".startswith(rule) for rule in rules)
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    index = etree.fromstring((await text(house, "/sitemap.xml")).encode())
    maps = [one.text for one in index.iter(f"{space}loc")]
    assert "http://digest.test/world/sitemap.xml" in maps
    world = etree.fromstring((await text(house, "/world/sitemap.xml")).encode())
    pages = [one.text for one in world.iter(f"{space}loc")]
    assert pages == [
        "http://digest.test/world/",
        "http://digest.test/world/archive/",
        "http://digest.test/world/2026-11-22/",
        "http://digest.test/world/2026-11-20/",
    ]
    assert [one.text for one in world.iter(f"{space}lastmod")] == ["2026-11-22"] * 2

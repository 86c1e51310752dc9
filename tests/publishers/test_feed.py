"""The feeds: valid in all three forms, the same bytes from the same issues, read back as they were meant."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import feedparser
import pytest

from a_house import Clock
from digest.feeds.parse import parse
from digest.links import Links
from digest.model import Document, Issue, Newsletter, PublishError
from digest.publishers import feed_documents as feed
from digest.publishers.base import Lent
from digest.publishers.feed import Publisher, Settings
from digest.publishers.feed_content import Order, Place
from digest.publishers.feed_documents import build
from digest.store import Store
from feed_rules import (
    ATOM,
    CONTENT,
    LANG,
    THUMBNAIL,
    atom_problems,
    json_problems,
    markup_problems,
    rss_problems,
)
from letter_samples import (
    ALAM,
    ARABIC,
    HOSTILE,
    LINKS,
    LONG,
    MIXED,
    MOMENT,
    ONE,
    SAMPLES,
    SITE,
    WORLD,
    issue,
    story,
)
from publishing import bear, due, settle

ID = "tag:news.example.org,2026-11-22:world"
SINCE = datetime(2026, 11, 1, 9, 30, 12, 345678, tzinfo=UTC)
PROBLEMS: dict[feed.Form, Callable[[bytes], list[str]]] = {
    "atom": atom_problems,
    "rss": rss_problems,
    "json": json_problems,
}


def place_of(slug: str, **more: Any) -> Place:
    return Place(addresses={form: LINKS.feed(slug, form) for form in feed.FORMS}, **more)


def built(
    issues: Sequence[Issue], newsletter: Newsletter = WORLD, templates: Path | None = None, **more: Any
) -> dict[feed.Form, bytes]:
    fields: dict[str, Any] = {"place": place_of(newsletter.slug), "site": SITE, "links": LINKS}
    return build(
        Order(newsletter=newsletter, issues=issues, id=ID, since=SINCE, templates=templates, **fields | more)
    )


def of_day(day: int, **changes: Any) -> Issue:
    """An issue of that day in November."""
    moment = MOMENT.replace(day=day)
    path = f"world/2026-11-{day:02}"
    fields = {
        "id": day,
        "path": path,
        "date": moment.date(),
        "tag": f"tag:news.example.org,2026-11-22:{path}",
        "title": f"World in brief, November {day}, 2026",
        "composed_at": moment,
        "updated_at": moment,
    }
    return replace(MIXED, **fields | changes)


def xml(body: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(body)  # noqa: S314 - our own document


def text(parent: ElementTree.Element, path: str) -> str:
    found = parent.findtext(path)
    assert found is not None, path
    return found


ISSUES = {
    "none": ([], WORLD),
    "empty": ([of_day(22, stories=(), intro="")], WORLD),
    "three": ([of_day(20), of_day(22), of_day(21)], WORLD),
    "hostile": (
        [HOSTILE],
        replace(WORLD, title="World <b>\x00\ud800 ]]>", description="a & b </description>"),
    ),
    **{name: ([sample], newsletter) for name, (sample, newsletter) in SAMPLES.items()},
}


# ---------------------------------------------------------------- validity


@pytest.mark.parametrize("form", feed.FORMS)
@pytest.mark.parametrize("name", ISSUES)
def test_every_feed_keeps_the_rules_of_its_form(name: str, form: feed.Form) -> None:
    issues, newsletter = ISSUES[name]
    assert PROBLEMS[form](built(issues, newsletter)[form]) == []


@pytest.mark.parametrize("name", ISSUES)
def test_the_same_issues_give_the_same_bytes(name: str) -> None:
    issues, newsletter = ISSUES[name]
    assert built(issues, newsletter) == built(list(reversed(issues)), newsletter)


@pytest.mark.parametrize("form", ["atom", "rss"])
@pytest.mark.parametrize("name", ISSUES)
def test_feedparser_reads_back_what_was_meant(name: str, form: feed.Form) -> None:
    issues, newsletter = ISSUES[name]
    read = feedparser.parse(built(issues, newsletter)[form])
    assert not read.bozo
    assert read.feed.link == LINKS.newsletter(newsletter.slug)
    assert read.feed.language == newsletter.language
    assert {entry.id for entry in read.entries} == {issue.tag for issue in issues}
    assert {entry.link for entry in read.entries} == {LINKS.issue(issue.path) for issue in issues}
    for entry in read.entries:
        assert entry.content[0].value
        assert entry.published_parsed == MOMENT.replace(day=entry.published_parsed.tm_mday).utctimetuple()


def test_one_bad_title_does_not_cost_the_feed() -> None:
    bad = of_day(21, title="\x00\x1b\udcff ]]> <![CDATA[ &#0; \ufffe", intro="\x08" * 9)
    documents = built([of_day(22), bad])
    for form in feed.FORMS:
        assert PROBLEMS[form](documents[form]) == []
    titles = [entry["title"] for entry in json.loads(documents["json"])["items"]]
    assert titles == ["World in brief, November 22, 2026", "]]> ‹![CDATA[ ＆#0;"]
    for form in ("atom", "rss"):
        assert len(feedparser.parse(documents[form]).entries) == 2


def test_references_to_control_characters_do_not_come_back_as_such(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "feed_issue.html").write_text("<p>one&#1;two&#xfffe;&#55296;</p>")
    documents = built([ONE], templates=tmp_path)
    for form in feed.FORMS:
        assert PROBLEMS[form](documents[form]) == []
    assert "onetwo" in json.loads(documents["json"])["items"][0]["content_html"]


# ---------------------------------------------------------------- what is in it


def test_entries_stand_newest_first_in_every_form() -> None:
    documents = built([of_day(20), of_day(22), of_day(21)])
    days = ["22", "21", "20"]
    assert [text(e, f"{ATOM}id")[-2:] for e in xml(documents["atom"]).iter(f"{ATOM}entry")] == days
    assert [text(item, "guid")[-2:] for item in xml(documents["rss"]).iter("item")] == days
    assert [item["id"][-2:] for item in json.loads(documents["json"])["items"]] == days


def test_all_forms_show_the_same_ids_dates_and_content() -> None:
    documents = built([of_day(20), of_day(22, updated_at=MOMENT + timedelta(hours=3, microseconds=7))])
    shown = []
    for entry in xml(documents["atom"]).iter(f"{ATOM}entry"):
        content = text(entry, f"{ATOM}content")
        shown.append((text(entry, f"{ATOM}id"), text(entry, f"{ATOM}published"), content))
    items = json.loads(documents["json"])["items"]
    assert [(item["id"], item["date_published"], item["content_html"]) for item in items] == shown
    rss = [
        (
            text(item, "guid"),
            datetime.strptime(text(item, "pubDate"), "%a, %d %b %Y %H:%M:%S %z").isoformat(),
            text(item, CONTENT),
        )
        for item in xml(documents["rss"]).iter("item")
    ]
    assert rss == shown


def test_updated_is_the_latest_real_change() -> None:
    corrected = of_day(20, updated_at=datetime(2026, 11, 23, 8, 0, 5, 999, tzinfo=UTC), revision=2)
    documents = built([of_day(22), corrected])
    assert text(xml(documents["atom"]), f"{ATOM}updated") == "2026-11-23T08:00:05+00:00"
    assert text(xml(documents["rss"]), "channel/lastBuildDate") == "Mon, 23 Nov 2026 08:00:05 +0000"
    assert text(xml(documents["rss"]), "channel/pubDate") == "Sun, 22 Nov 2026 06:10:00 +0000"
    assert json.loads(documents["json"])["items"][1]["date_modified"] == "2026-11-23T08:00:05+00:00"


def test_a_feed_without_issues_was_last_changed_when_the_newsletter_began() -> None:
    documents = built([])
    assert text(xml(documents["atom"]), f"{ATOM}updated") == "2026-11-01T09:30:12+00:00"
    assert text(xml(documents["rss"]), "channel/lastBuildDate") == "Sun, 01 Nov 2026 09:30:12 +0000"
    assert json.loads(documents["json"])["items"] == []


def test_a_correction_changes_the_entry_and_not_its_id() -> None:
    before = built([of_day(22)])
    stories = (replace(MIXED.stories[0], title="The bell is back"), *MIXED.stories[1:])
    after = built([of_day(22, stories=stories, revision=2, updated_at=MOMENT + timedelta(hours=1))])
    for form in feed.FORMS:
        assert before[form] != after[form]
        assert b"The bell is back" in after[form]
    for form in ("atom", "rss"):
        assert feedparser.parse(before[form]).entries[0].id == feedparser.parse(after[form]).entries[0].id


def test_links_keep_rel_type_and_place() -> None:
    documents = built([MIXED])
    [entry] = xml(documents["atom"]).iter(f"{ATOM}entry")
    assert [link.attrib for link in entry.findall(f"{ATOM}link")] == [
        {"href": "https://news.example.org/world/2026-11-22/", "rel": "alternate", "type": "text/html"}
    ]
    channel = xml(documents["rss"])[0]
    assert text(channel, "link") == "https://news.example.org/world/"
    assert [link.attrib for link in channel.findall(f"{ATOM}link")] == [
        {"href": "https://news.example.org/world/feed.rss", "rel": "self", "type": "application/rss+xml"}
    ]


def test_content_is_the_whole_issue_as_safe_markup() -> None:
    content = json.loads(built([MIXED])["json"])["items"][0]["content_html"]
    assert "<p>A stolen bell comes home, and night trains return.</p>" in content
    assert "<h2>Local</h2>" in content
    for each in MIXED.stories:
        assert f">{each.title}</a></h3>" in content
        assert " ".join(each.summary) in content
        assert each.lead.feed_title in content
    assert 'href="https://northern.example/bell"' in content
    assert 'src="https://img.example.net/bell.jpg"' in content
    assert "<table" not in content
    assert markup_problems(content) == []


def test_the_summary_is_plain_and_short() -> None:
    items = json.loads(built([LONG, of_day(20, intro="")])["json"])["items"]
    assert len(items[0]["summary"]) <= 300
    assert items[0]["summary"].endswith("…")
    assert items[1]["summary"].startswith(
        "Little Gwen returns: stolen church bell is left at the vestry door · "
    )
    assert "<" not in items[1]["summary"]


def test_sections_become_categories_once_each() -> None:
    documents = built([MIXED])
    assert [category.get("term") for category in xml(documents["atom"]).iter(f"{ATOM}category")] == [
        "Local",
        "World",
    ]
    assert [category.text for category in xml(documents["rss"]).iter("category")] == ["Local", "World"]
    assert json.loads(documents["json"])["items"][0]["tags"] == ["Local", "World"]


def test_the_first_picture_becomes_the_thumbnail() -> None:
    documents = built([MIXED])
    for form in ("atom", "rss"):
        [thumbnail] = xml(documents[form]).iter(THUMBNAIL)
        assert thumbnail.get("url") == "https://img.example.net/bell.jpg"
        assert documents[form].count(b"xmlns:media=") == 1
    assert json.loads(documents["json"])["items"][0]["image"] == "https://img.example.net/bell.jpg"
    assert not list(xml(built([ONE])["atom"]).iter(THUMBNAIL))


def test_the_author_is_the_site_and_needs_no_address() -> None:
    documents = built([MIXED])
    assert feedparser.parse(documents["rss"]).entries[0].author == "The Morning Post"
    assert text(xml(documents["atom"]), f"{ATOM}author/{ATOM}name") == "The Morning Post"
    assert xml(documents["rss"]).find(".//item/author") is None


def test_an_issue_in_another_language_says_so() -> None:
    documents = built([of_day(21), of_day(22, language="de")])
    assert [e.get(LANG) for e in xml(documents["atom"]).iter(f"{ATOM}entry")] == ["de", None]
    assert [item.get("language") for item in json.loads(documents["json"])["items"]] == ["de", None]


def test_right_to_left_text_keeps_its_direction() -> None:
    documents = built([ARABIC], ALAM)
    content = json.loads(documents["json"])["items"][0]["content_html"]
    assert content.startswith('<div lang="ar" dir="rtl">')
    assert xml(documents["atom"]).get(LANG) == "ar"
    assert json.loads(documents["json"])["language"] == "ar"
    assert ARABIC.stories[0].title.encode() in documents["rss"], "not as numeric references"


def test_words_that_look_like_markup_stay_words() -> None:
    told = issue(WORLD, story(1, "How <b> & </b> work"), intro="Use <script>alert(1)</script> & smile")
    told = replace(told, title="<i>World</i> & more")
    documents = built([told])
    for form in ("atom", "rss"):
        entry = feedparser.parse(documents[form], sanitize_html=False).entries[0]
        assert "<script" not in entry.summary
        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; smile" in entry.summary
        assert "How &lt;b&gt; &amp; &lt;/b&gt; work" in entry.content[0].value
    [atom] = xml(documents["atom"]).iter(f"{ATOM}entry")
    title = atom.find(f"{ATOM}title")
    assert title is not None
    assert (title.get("type"), title.text) == ("html", "&lt;i&gt;World&lt;/i&gt; &amp; more")
    assert text(xml(documents["rss"]), "channel/item/title") == "‹i>World‹/i> & more"
    assert json.loads(documents["json"])["items"][0]["title"] == "‹i>World‹/i> & more"


def test_addresses_that_are_no_links_get_none() -> None:
    content = json.loads(built([HOSTILE])["json"])["items"][0]["content_html"]
    assert "javascript:" not in content
    assert "vbscript:" not in content
    assert "data:" not in content
    assert "<img" not in content
    assert content.count("<a ") == 1


def test_a_template_of_the_admins_is_used_and_cleaned(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "feed_issue.html").write_text(
        '<style>p{}</style><p onclick="x()" style="color:red">Own: {{ issue.subject }}</p>'
        '<a href="/about">here</a><img src="bell.png"><script>x()</script><iframe src="https://x.example/"></iframe>'
    )
    documents = built([MIXED], templates=tmp_path)
    content = json.loads(documents["json"])["items"][0]["content_html"]
    assert content.startswith(f"<p>Own: {MIXED.subject}</p>")
    assert 'href="https://news.example.org/about"' in content
    assert 'src="https://news.example.org/world/2026-11-22/bell.png"' in content
    for form in feed.FORMS:
        assert PROBLEMS[form](documents[form]) == []


def test_five_hundred_stories_are_one_valid_entry() -> None:
    many = issue(WORLD, *(story(number, f"Number {number}", "One sentence.") for number in range(500)))
    documents = built([many])
    for form in feed.FORMS:
        assert PROBLEMS[form](documents[form]) == []
        assert b"Number 499" in documents[form]


@pytest.mark.parametrize("entries", [0, -1, 501])
def test_a_feed_holds_a_sensible_number_of_entries(entries: int) -> None:
    with pytest.raises(ValueError, match="entries"):
        Settings(entries=entries)


# ---------------------------------------------------------------- read back by our own room


@pytest.mark.parametrize("form", feed.FORMS)
@pytest.mark.parametrize("name", ["three", "mixed", "arabic", "hostile"])
def test_our_own_parser_reads_back_what_was_meant(name: str, form: feed.Form) -> None:
    issues, newsletter = ISSUES[name]
    read = parse(built(issues, newsletter)[form], url=LINKS.feed(newsletter.slug, form))
    newest = sorted(issues, key=lambda issue: issue.composed_at, reverse=True)
    assert read.site_url == LINKS.newsletter(newsletter.slug)
    assert read.language == newsletter.language
    assert [entry.guid for entry in read.entries] == [issue.tag for issue in newest]
    assert [entry.url for entry in read.entries] == [LINKS.issue(issue.path) for issue in newest]
    assert [entry.published for entry in read.entries] == [issue.composed_at for issue in newest]
    if name != "hostile":
        assert [entry.title for entry in read.entries] == [issue.title for issue in newest]
        assert all(newest[0].stories[0].title in entry.html for entry in read.entries)


# ---------------------------------------------------------------- the channel, over a real store


async def documents_of(store: Store, slug: str = "world") -> dict[str, Document]:
    return {document.path: document for document in await store.documents.all(slug)}


async def publish_all(publisher: Publisher, store: Store) -> list[str]:
    return [(await publisher.publish(delivery)).reply for delivery in await due(store, "feed")]


@pytest.mark.asyncio
async def test_a_newsletter_without_issues_has_valid_feeds(store: Store, lend: Callable[..., Lent]) -> None:
    await settle(store)
    publisher = Publisher(Settings(), lend())
    assert await publisher.refresh("world") == 3
    found = await documents_of(store)
    assert {path: document.content_type for path, document in found.items()} == {
        "/world/feed.atom": "application/atom+xml; charset=utf-8",
        "/world/feed.rss": "application/rss+xml; charset=utf-8",
        "/world/feed.json": "application/feed+json",
    }
    for form in feed.FORMS:
        assert PROBLEMS[form](found[f"/world/feed.{form}"].body) == []
    atom = xml(found["/world/feed.atom"].body)
    assert text(atom, f"{ATOM}id") == "tag:news.example.org,2026-11-01:world"
    assert text(atom, f"{ATOM}updated") == "2026-11-01T06:10:00+00:00"


@pytest.mark.asyncio
async def test_an_issue_comes_into_all_three_feeds_and_twice_is_harmless(
    store: Store, lend: Callable[..., Lent]
) -> None:
    await settle(store)
    clock = Clock()
    publisher = Publisher(Settings(), lend(clock=clock))
    await publisher.refresh("world")
    empty = await documents_of(store)
    await bear(store, MIXED, publisher)
    clock.now += timedelta(hours=1, microseconds=5)
    [delivery] = await due(store, "feed")
    await publisher.connect()
    receipt = await publisher.publish(delivery)
    assert (receipt.relay, receipt.reply) == ("feed", "3 of 3 documents changed")
    first, version = await documents_of(store), await store.documents.version()
    clock.now += timedelta(hours=1)
    assert (await publisher.publish(delivery)).reply == "0 of 3 documents changed"
    assert await documents_of(store) == first
    assert await store.documents.version() == version
    for path, document in first.items():
        assert MIXED.stories[0].title.encode() in document.body
        assert document.last_modified == datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
        assert document.last_modified > empty[path].last_modified
        assert document.etag != empty[path].etag
        assert document.etag.startswith('"')
    assert len({document.etag for document in first.values()}) == 3
    await publisher.close()


@pytest.mark.asyncio
async def test_a_feed_holds_only_the_newest_issues(store: Store, lend: Callable[..., Lent]) -> None:
    await settle(store)
    publisher = Publisher(Settings(entries=2), lend())
    for day in (19, 20, 21, 22):
        await bear(store, of_day(day, stories=ONE.stories), publisher)
    assert len(await publish_all(publisher, store)) == 4
    found = await documents_of(store)
    items = json.loads(found["/world/feed.json"].body)["items"]
    assert [item["url"] for item in items] == [
        "https://news.example.org/world/2026-11-22/",
        "https://news.example.org/world/2026-11-21/",
    ]


@pytest.mark.asyncio
async def test_one_newsletters_issue_leaves_the_feeds_of_others_alone(
    store: Store, lend: Callable[..., Lent]
) -> None:
    await settle(store)
    publisher = Publisher(Settings(), lend())
    await publisher.refresh("alam")
    before = await documents_of(store, "alam")
    await bear(store, MIXED, publisher)
    await publish_all(publisher, store)
    assert await documents_of(store, "alam") == before


@pytest.mark.asyncio
async def test_ids_stay_when_the_site_moves(store: Store, lend: Callable[..., Lent]) -> None:
    await settle(store)
    before = Publisher(Settings(), lend())
    await bear(store, ONE, before)
    await publish_all(before, store)
    old = await documents_of(store)
    moved = Links("https://moved.example.net", LINKS.secret)
    after = Publisher(
        Settings(), lend(site=replace(SITE, url="https://moved.example.net", title="New"), links=moved)
    )
    assert await after.refresh("world") == 3
    new = await documents_of(store)
    ids = [
        [element.text for element in xml(found["/world/feed.atom"].body).iter(f"{ATOM}id")]
        for found in (old, new)
    ]
    assert ids[0] == ids[1] == ["tag:news.example.org,2026-11-22:world", ONE.tag]
    assert b"news.example.org/" not in new["/world/feed.json"].body.replace(ONE.tag.encode(), b"")


@pytest.mark.asyncio
async def test_an_issue_published_meanwhile_by_another_process_is_not_lost(
    store: Store, lend: Callable[..., Lent]
) -> None:
    class Interrupted:
        """Workers during whose first task another process brings out an issue."""

        def __init__(self) -> None:
            self.tasks = 0

        async def run(self, function: Callable[..., Any], /, *args: Any, **_limits: float) -> Any:
            self.tasks += 1
            if self.tasks == 1:
                await bear(store, of_day(22, stories=ONE.stories), publisher)
            return function(*args)

    await settle(store)
    interrupted = Interrupted()
    publisher = Publisher(Settings(), lend(workers=interrupted))
    await bear(store, of_day(21, stories=ONE.stories), publisher)
    await publisher.refresh("world")
    items = json.loads((await documents_of(store))["/world/feed.json"].body)["items"]
    assert [item["id"][-2:] for item in items] == ["22", "21"]
    assert interrupted.tasks == 3  # built twice, packed once


@pytest.mark.asyncio
async def test_a_newsletter_that_is_not_there_is_refused_for_good(
    store: Store, lend: Callable[..., Lent]
) -> None:
    await settle(store)
    publisher = Publisher(Settings(), lend())
    await bear(store, ONE, publisher)
    [delivery] = await due(store, "feed")
    with pytest.raises(PublishError, match="nowhere") as raised:
        await publisher.publish(replace(delivery, recipient="nowhere"))
    assert raised.value.permanent


@pytest.mark.asyncio
async def test_a_template_that_breaks_delays_the_feed_and_says_where(
    store: Store, lend: Callable[..., Lent], own_templates: Path
) -> None:
    (own_templates / "pages" / "feed_issue.html").write_text("\n{{ nothing.there }}")
    await settle(store)
    publisher = Publisher(Settings(), lend(templates=own_templates))
    await bear(store, ONE, publisher)
    [delivery] = await due(store, "feed")
    with pytest.raises(PublishError, match=r"feed_issue.html:2") as raised:
        await publisher.publish(delivery)
    assert not raised.value.permanent

"""Feeds with an entry for each story, and what holds for every entry: its id, its second, its words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import feedparser
import pytest

from digest.links import Links
from digest.model import Issue, Newsletter
from digest.publishers.feed_content import FORMS, Items, Order, Place, dates, plainly
from digest.publishers.feed_documents import Form, build
from feed_rules import ATOM, atom_problems, json_problems, rss_problems
from letter_samples import ALAM, ARABIC, HOSTILE, LINKS, MIXED, MOMENT, SAMPLES, SITE, WORLD, issue, story

PROBLEMS = {"atom": atom_problems, "rss": rss_problems, "json": json_problems}
SOURCE = "{http://purl.org/dc/elements/1.1/}source"
GOLDEN = Path(__file__).parent / "golden_ids.json"
MISSED = tuple(
    replace(
        MIXED,
        id=day,
        path=f"world/2026-11-{day}",
        tag=f"tag:news.example.org,2026-11-22:world/2026-11-{day}",
    )
    for day in range(18, 23)
)


def built(
    issues: Sequence[Issue], newsletter: Newsletter = WORLD, items: Items = "stories", **more: Any
) -> dict[Form, bytes]:
    fields: dict[str, Any] = {
        "place": Place(addresses={form: LINKS.feed(newsletter.slug, form) for form in FORMS}),
        "site": SITE,
        "links": LINKS,
        "id": f"tag:news.example.org,2026-11-22:{newsletter.slug}",
        "since": datetime(2026, 11, 1, tzinfo=UTC),
    }
    return build(Order(newsletter=newsletter, issues=issues, items=items, **fields | more))


def items_of(documents: dict[Form, bytes]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(documents["json"])["items"]
    return found


def ids_of(documents: dict[Form, bytes], form: Form) -> list[str]:
    if form == "json":
        return [item["id"] for item in items_of(documents)]
    root = ElementTree.fromstring(documents[form])  # noqa: S314 - our own document
    path = f"{ATOM}entry/{ATOM}id" if form == "atom" else "channel/item/guid"
    return [element.text or "" for element in root.findall(path)]


CROWD = issue(WORLD, *(story(n, f"Story {n} <b>&amp;</b>", f"Sentence {n}.") for n in range(500)))
ISSUES: dict[str, tuple[Sequence[Issue], Newsletter]] = {
    "none": ([], WORLD),
    "missed": (MISSED, WORLD),
    "empty": ([replace(MIXED, stories=(), intro="")], WORLD),
    "hostile": ([HOSTILE], replace(WORLD, title="World <b>\x00\ud800 ]]>&lt;", description="</description>")),
    "crowd": ([CROWD], WORLD),
    **{name: ([sample], newsletter) for name, (sample, newsletter) in SAMPLES.items()},
}


@pytest.mark.parametrize("name", ISSUES)
def test_a_feed_of_stories_keeps_the_rules_of_every_form(name: str) -> None:
    issues, newsletter = ISSUES[name]
    documents = built(issues, newsletter)
    for form in FORMS:
        address = LINKS.feed(newsletter.slug, form)
        assert PROBLEMS[form](documents[form], address) == []
        assert ids_of(documents, form) == ids_of(documents, "json")
    assert len(items_of(documents)) == sum(len(one.stories) for one in issues)
    assert documents == built(list(reversed(issues)), newsletter)


@pytest.mark.parametrize("items", ["issues", "stories"])
def test_issues_made_in_one_second_keep_their_order_and_a_second_each(items: Items) -> None:
    documents = built(MISSED, items=items)
    published = [item["date_published"] for item in items_of(documents)]
    assert published == sorted(set(published), reverse=True)
    for form in FORMS:
        assert PROBLEMS[form](documents[form]) == []
    if items == "issues":
        assert [item["id"][-2:] for item in items_of(documents)] == ["22", "21", "20", "19", "18"]
        assert published[-1] == MOMENT.isoformat()


@pytest.mark.parametrize("items", ["issues", "stories"])
def test_an_entry_has_the_same_dates_in_whichever_document_it_stands(items: Items) -> None:
    whole = {item["id"]: item for item in items_of(built(MISSED, items=items))}
    newest = items_of(built(MISSED[3:], items=items, earlier=MISSED[:3]))
    assert newest
    assert all(whole[item["id"]] == item for item in newest)


def test_issues_hours_apart_keep_their_very_second() -> None:
    later = replace(MIXED, id=2, path="world/later", composed_at=MOMENT + timedelta(seconds=5))
    assert dates([replace(MIXED, id=1), later], "issues") == {
        (1, MIXED.path): MOMENT,
        (2, "world/later"): MOMENT + timedelta(seconds=5),
    }


def test_a_story_leads_to_its_source_and_names_it() -> None:
    documents = built([MIXED])
    first = items_of(documents)[0]
    assert first["id"] == f"{MIXED.tag}/story-1"
    assert first["external_url"] == MIXED.stories[0].url
    assert first["url"] == f"{LINKS.issue(MIXED.path)}#story-1"
    assert first["authors"] == [{"name": "Winifred Sato"}]
    assert first["tags"] == ["Local"]
    assert first["image"] == "https://img.example.net/bell.jpg"
    assert " ".join(MIXED.stories[0].summary) in first["content_html"]
    assert MIXED.stories[0].lead.feed_url.encode() not in b"".join(documents.values()), "it may hold a key"
    for form in ("atom", "rss"):
        entry = feedparser.parse(documents[form]).entries[0]
        assert (entry.link, entry.title) == (MIXED.stories[0].url, MIXED.stories[0].title)
        assert entry.author == "Winifred Sato"
        root = ElementTree.fromstring(documents[form])  # noqa: S314 - our own document
        assert next(root.iter(SOURCE)).text == "City desk"


def test_the_stories_of_an_issue_stand_in_its_order() -> None:
    titles = [item["title"] for item in items_of(built([MIXED]))]
    assert titles == [f"{'Update: ' if one.update else ''}{one.title}" for one in MIXED.stories]


def test_a_correction_changes_one_entry_and_no_id() -> None:
    corrected_at = MOMENT + timedelta(hours=3)
    mended = replace(MIXED.stories[1], title="Another title", corrected_at=corrected_at)
    corrected = replace(
        MIXED,
        stories=(MIXED.stories[0], mended, *MIXED.stories[2:]),
        revision=2,
        updated_at=corrected_at,
    )
    before, after = items_of(built([MIXED])), items_of(built([corrected]))
    assert [item["id"] for item in after] == [item["id"] for item in before]
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert [(item["title"], item["date_modified"]) for item in changed] == [
        ("Another title", corrected_at.isoformat())
    ]


def test_two_stories_of_one_key_have_two_ids() -> None:
    twice = issue(WORLD, story(1, "One"), replace(story(2, "Two"), key="story-1"))
    documents = built([twice])
    assert len(set(ids_of(documents, "atom"))) == 2


def test_stories_without_an_address_or_words_have_an_entry_all_the_same() -> None:
    bare = issue(WORLD, story(1, "\x00\ufffd", url="javascript:alert(1)", authors=()))
    documents = built([bare])
    [item] = items_of(documents)
    assert "external_url" not in item
    assert item["title"] == "World in brief, November 22, 2026 · 1"
    for form in FORMS:
        assert PROBLEMS[form](documents[form]) == []
        assert b"javascript:" not in documents[form]


ODD_LINKS = (
    "https://example.org/日本?q=ü#é",
    "https://Bücher.example/a[1]?b[]=%zz",
    "https://example.org:99999/",
    "https://ex%61mple.org/",
    "https://exa mple.org/",
    "https://example.org/a#b#c\\d|e^f`g{h}",
)


@pytest.mark.parametrize("items", ["issues", "stories"])
def test_links_that_are_no_uris_become_ones_or_none(items: Items) -> None:
    odd = issue(WORLD, *(story(n, f"Story {n}", url=url) for n, url in enumerate(ODD_LINKS)))
    documents = built([odd], items=items)
    for form in FORMS:
        assert PROBLEMS[form](documents[form]) == []
    text = documents["json"].decode()
    assert "https://example.org/%E6%97%A5%E6%9C%AC?q=%C3%BC#%C3%A9" in text
    assert "https://xn--bcher-kva.example/a%5B1%5D?b%5B%5D=%25zz" in text
    assert "99999" not in text


def test_ids_are_those_that_earlier_releases_gave() -> None:
    """The file was written once, and is never written again: an id that changes floods every reader."""
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    moved = {
        "links": Links("https://moved.example.net/elsewhere", LINKS.secret),
        "site": replace(SITE, url="https://moved.example.net/elsewhere", title="Another name"),
    }
    renamed = replace(WORLD, title="Another title", description="Changed")
    for items in ("issues", "stories"):
        for documents in (built([MIXED], items=items), built([MIXED], renamed, items=items, **moved)):
            assert {form: ids_of(documents, form) for form in FORMS} == golden[items]["world"]
        arabic = built([ARABIC], ALAM, items=items)
        assert {form: ids_of(arabic, form) for form in FORMS} == golden[items]["alam"]
    hostile = replace(HOSTILE, stories=(replace(HOSTILE.stories[0], key="a key/of <old> times"),))
    assert ids_of(built([hostile]), "atom") == golden["odd"]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("AT&T, a < b & c > d; 1<2 <3", "AT&T, a < b & c > d; 1<2 <3"),
        ("<b>", "‹b>"),
        ("</script>", "‹/script>"),
        ("<!--", "‹!--"),
        ("&amp; &#60; &copy &nosuchthing;", "＆amp; ＆#60; ＆copy &nosuchthing;"),
        ("Q&A, R&D", "Q&A, R&D"),
        ("&ltimg src=x>", "＆ltimg src=x>"),
        ("Marks&copySpencer, Johnson &ltd, &notable", "Marks＆copySpencer, Johnson ＆ltd, ＆notable"),
    ],
)
def test_only_what_reads_as_markup_is_changed(given: str, shown: str) -> None:
    assert plainly(given) == shown


@pytest.mark.parametrize(
    ("host", "authority"),
    [
        ("News.Example.org", "news.example.org"),
        ("zeitung-müller.example", "xn--zeitung-mller-4ob.example"),
        ("::1", "ip6.1"),
        ("", "localhost"),
    ],
)
def test_every_host_makes_a_tag_that_is_one(host: str, authority: str) -> None:
    assert Links.tag(host, MIXED.date, "world") == f"tag:{authority},2026-11-22:world"

"""What an entry can be recognized by: noise must not change it, and everything else must."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.feeds.marks import content_hash, fingerprint, marks, place, same_guid, same_page
from digest.model import Entry

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PAGE = "https://www.paper.example/2026/bridge"
WORDS = "The old bridge was opened again on Monday after two years of repairs, and the mayor came by boat."


def entry(**said: object) -> Entry:
    return Entry(**{"guid": "a", "url": PAGE, "title": "A bridge", **said})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "same",
    [
        "http://www.paper.example/2026/bridge",
        "https://paper.example/2026/bridge/",
        "https://new.example:8443/2026//bridge",
        "HTTPS://www.paper.example/2026/bridge/index.html",
        "https://www.paper.example/2026/bridge/default.aspx",
        f"{PAGE}?utm_source=rss&utm_medium=feed&utm_campaign=x",
        f"{PAGE}?UTM_Source=rss",
        f"{PAGE}?fbclid=1&gclid=2&mc_cid=3&mc_eid=4&at_medium=5&xtor=6&cmpid=7&ncid=8&igshid=9",
        f"{PAGE}?ref=rss&source=feed",
        f"{PAGE}?",
        f"{PAGE}#comments",
        f"{PAGE}#xtor=RSS-1",
        f"{PAGE};jsessionid=0A1B2C",
        f"{PAGE}?PHPSESSID=0a1b2c",
        "https://www.paper.example/2026/br%69dge",
    ],
)
def test_a_link_is_the_same_whatever_the_server_is_called_and_whoever_counts(same: str) -> None:
    assert marks(entry(url=same)).link == marks(entry()).link is not None


@pytest.mark.parametrize(
    "other",
    [
        "https://www.paper.example/2026/Bridge",
        "https://www.paper.example/2025/bridge",
        f"{PAGE}?id=2",
        f"{PAGE}?ref=AB-1204",
        f"{PAGE}?source=2",
        f"{PAGE}.html",
        f"{PAGE}#!/second",
        f"{PAGE}#/second",
    ],
)
def test_all_else_in_a_link_tells_pages_apart(other: str) -> None:
    assert marks(entry(url=other)).link not in (marks(entry()).link, None)


def test_parameters_may_come_in_any_order() -> None:
    assert place("https://a.example/x?b=2&a=1") == place("https://a.example/x?a=1&utm_id=3&b=2")
    assert place("https://a.example/x?a=1") == place("https://a.example/x?a=1&amp;utm_id=3")
    assert place("https://a.example/?q=a+b") == place("https://a.example/?q=a%20b")


@pytest.mark.parametrize(
    "url", ["", "https://paper.example", "https://paper.example/?utm_source=rss", "#top"]
)
def test_a_front_page_tells_nothing(url: str) -> None:
    assert marks(entry(url=url)).link is None


def test_a_guid_that_is_an_address_stands_in_for_a_front_page() -> None:
    alone = marks(entry(guid="https://paper.example/1", url="https://paper.example/"))
    assert alone.link == marks(entry(url="https://paper.example/1")).link


@pytest.mark.parametrize(
    "url", ["magnet:?xt=urn:btih:abc&dn=x", "mailto:ann@a.example", "/1", "//", "http://["]
)
def test_any_text_may_stand_where_a_link_belongs(url: str) -> None:
    assert place(url) == place(f" {url} ".strip())


def test_a_title_counts_without_case_and_punctuation() -> None:
    same = ("It’s  “open”!", "IT'S OPEN", "it's—open", "Ｉt's open")
    assert len({marks(entry(title=title)).title for title in same}) == 1
    others = ("कताब", "किताब", "???", "!!!", "C++", "C#", "☃", "1.21", "12.1", "")
    different = {marks(entry(title=title)).title for title in others}
    assert len(different) == len(others)
    assert None in different


@given(st.text(st.characters(max_codepoint=127)))
def test_a_title_in_ascii_counts_as_any_other(title: str) -> None:
    assert marks(entry(title=title)).title == marks(entry(title=f"{title}\u00a0")).title


def test_the_words_count_without_markup_and_spaces() -> None:
    plain = marks(entry(html=WORDS))
    assert plain.text == marks(entry(html=f"<p>{WORDS.replace(' ', '</b>  <b>')}<img src='x?1'></p>")).text
    assert plain.text == marks(entry(description=WORDS.upper())).text
    assert plain.text != marks(entry(html=WORDS.replace("boat", "goat"))).text
    assert marks(entry(html="Read more")).text is None
    assert marks(entry(html=WORDS, description="Read more")).text == plain.text


def test_a_title_with_its_date_is_said_to_the_second() -> None:
    said = marks(entry(published=NOW)).said
    assert said == marks(entry(published=NOW + timedelta(microseconds=9), url="", html=WORDS)).said
    assert said != marks(entry(published=NOW + timedelta(seconds=1))).said
    assert said != marks(entry()).said != marks(entry(title="Another")).said
    assert marks(entry(title="")).said is None


def test_a_post_without_a_title_is_named_by_its_words() -> None:
    said = marks(entry(title="", html="Good morning", published=NOW)).said
    assert said == marks(entry(title="", description="<i>Good morning!</i>", published=NOW)).said
    assert said not in (None, marks(entry(title="", html="Good night", published=NOW)).said)


def test_marks_fit_into_a_signed_number_of_eight_bytes() -> None:
    found = [marks(entry(title=str(number), html=WORDS + str(number))) for number in range(200)]
    numbers = [value for each in found for value in (each.link, each.said, each.title, each.text)]
    assert all(value is not None and 0 <= value < 2**63 for value in numbers)
    assert max(value for value in numbers if value is not None) > 2**62


@pytest.mark.parametrize(
    "change",
    [
        {"title": "b"},
        {"html": "x"},
        {"html": "it's", "description": ""},
        {"description": "x"},
        {"authors": ("A",)},
        {"categories": ("A",)},
        {"url": "https://www.paper.example/other"},
        {"url": "https://new.example/2026/bridge"},
    ],
)
def test_what_a_reader_could_see_is_part_of_the_hash(change: dict[str, object]) -> None:
    assert content_hash(entry(**change)) != content_hash(entry())
    assert content_hash(entry(html="its")) != content_hash(entry(html="it's"))


@pytest.mark.parametrize(
    "noise",
    [
        {"published": NOW, "updated": NOW},
        {"image": "https://a.example/i?t=1", "enclosure": "x", "comments": "y"},
        {"guid": "b"},
        {"url": f"http://www.paper.example/2026/bridge?utm_campaign={NOW}"},
        {"html": f"<p class='x'>{WORDS}\n</p><img src='https://count.example/?{NOW}'>"},
    ],
)
def test_what_changes_with_every_poll_is_not(noise: dict[str, object]) -> None:
    assert content_hash(entry(**{"html": WORDS, **noise})) == content_hash(entry(html=WORDS))


def test_parts_cannot_be_moved_without_changing_the_hash() -> None:
    pairs = [
        ({"title": "ab", "html": "c"}, {"title": "a", "html": "bc"}),
        ({"html": "ab"}, {"html": "a", "description": "b"}),
        ({"html": "a"}, {"description": "a"}),
        ({"authors": ("x",)}, {"categories": ("x",)}),
        ({"authors": ("x", "y")}, {"authors": ("xy",)}),
    ]
    for one, other in pairs:
        assert content_hash(entry(**one)) != content_hash(entry(**other))


def test_a_very_long_text_counts_whole_for_the_hash() -> None:
    long = "word " * 20_000
    assert content_hash(entry(html=long + "a")) != content_hash(entry(html=long + "b"))
    assert marks(entry(html=long + "a")).text == marks(entry(html=long + "b")).text is not None


@pytest.mark.parametrize(
    "text", ["<" * 40_000, "&" * 40_000, "<a " * 20_000, "\ud800\0" * 9_000, ">" * 9_000]
)
def test_markup_that_is_built_to_hurt_does_not(text: str) -> None:
    hostile = entry(guid=text, url=f"https://a.example/{text}?{text}#{text}", title=text, html=text)
    assert len(content_hash(hostile)) == 40
    assert fingerprint(hostile)


def test_a_fingerprint_stands_for_title_and_words_or_for_the_picture_alone() -> None:
    assert fingerprint(entry(title="")) == ""
    assert fingerprint(entry(html="<b>x</b>", published=NOW, url="")) == fingerprint(entry(html="x"))
    one, other = (fingerprint(entry(title="", html=f"<img src='{name}'>")) for name in "ab")
    assert one != other


@pytest.mark.parametrize(
    ("one", "other", "same", "page"),
    [
        ("http://a.example/1", "https://www.a.example/1/?utm_source=x", True, False),
        ("http://a.example/?p=1", "https://b.example/?p=1", True, False),
        ("http://a.example/?p=1", "http://a.example/?p=2", False, False),
        ("https://a.example/c4g#1", "https://a.example/c4g#12", False, True),
        ("https://a.example/pollen#20261122", "https://a.example/pollen#20261123", False, False),
        ("https://a.example/#1", "https://a.example/#2", False, False),
        ("1", "2", False, False),
        ("http://a.example/", "http://b.example/", False, False),
    ],
)
def test_guids_that_differ_by_noise_are_the_same(one: str, other: str, same: bool, page: bool) -> None:
    assert same_guid(one, one)
    assert (same_guid(one, other), same_page(one, other)) == (same, page)

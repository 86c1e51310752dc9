"""What the parser finds in our corpus, and that nothing in it can hurt."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import feedparser
import pytest
from expected import URL, beside, corpus, found_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.feeds.markup import resolved
from digest.feeds.parse import parse
from digest.model import Entry, FeedError, Parsed

# Where our count may differ from feedparser's own, and why.
OTHER_COUNT = {
    "entity-bomb.xml": "refused",
    "entity-external.xml": "refused",
    "surrogates.xml": "feedparser breaks on it",
    "control-references.xml": "feedparser breaks on it",
}


def outcome(body: bytes) -> Parsed | str:
    """What was read, or the words of the refusal. Anything else fails the test."""
    try:
        return parse(body, "application/xml", URL)
    except FeedError as error:
        return str(error)


@pytest.mark.parametrize("path", corpus(), ids=lambda path: path.name)
def test_every_file_of_the_corpus_says_what_is_written_beside_it(path: Path) -> None:
    assert found_in(path) == json.loads(beside(path).read_text(encoding="utf-8"))


def test_the_corpus_is_large_and_nothing_lies_beside_a_file_that_is_gone() -> None:
    assert len(corpus()) >= 170
    for path in corpus()[0].parent.glob("*.expected.json"):
        assert path.with_name(path.name.removesuffix(".expected.json")).exists()


@pytest.mark.parametrize("path", corpus(), ids=lambda path: path.name)
def test_there_are_as_many_entries_as_feedparser_itself_finds(path: Path) -> None:
    if path.name in OTHER_COUNT or path.suffix == ".json":  # feedparser reads no JSON
        return
    count = len(feedparser.parse(io.BytesIO(path.read_bytes()))["entries"])
    assert len(found_in(path).get("entries", ())) == count


@pytest.mark.parametrize("path", corpus(), ids=lambda path: path.name)
def test_half_of_any_file_is_read_or_refused_in_words(path: Path) -> None:
    body = path.read_bytes()
    for part in (len(body) // 3, len(body) // 2, len(body) - 3):
        assert outcome(body[:part])


# ---------------------------------------------------------------- headers and addresses


def rss(items: str, head: str = '<?xml version="1.0"?>') -> str:
    return f'{head}<rss version="2.0"><channel><title>T</title>{items}</channel></rss>'


@pytest.mark.parametrize(
    ("encoding", "content_type"),
    [
        ("koi8-r", "text/xml; charset=koi8-r"),
        ("cp1251", 'application/rss+xml; charset="windows-1251"'),
        ("utf-8", "text/xml; charset=us-ascii"),
        ("utf-8", "text/html; charset=iso-8859-1"),
        ("utf-8", "application/xml; charset=rot13"),
        ("utf-8", "application/xml; charset=nonsense"),
        ("utf-8", ""),
    ],
)
def test_the_header_may_name_the_encoding_but_not_spoil_it(encoding: str, content_type: str) -> None:
    body = rss("<item><title>Привет</title></item>", head="").encode(encoding)
    assert parse(body, content_type, URL).entries[0].title == "Привет"


def test_a_document_that_names_its_encoding_is_believed_more_than_a_servers_default() -> None:
    body = rss("<item><title>Привет</title></item>", '<?xml version="1.0" encoding="koi8-r"?>').encode(
        "koi8-r"
    )
    assert parse(body, "text/xml; charset=ISO-8859-1", URL).entries[0].title == "Привет"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ('srcset="https://a.example/1.jpg 300w, https://a.example/2.jpg 1600w"', None),
        ('srcset="/1.jpg 1x"', 'srcset="https://site.example/1.jpg 1x"'),
        (
            'srcset="https://a.example/1.jpg 300w, ../2.jpg 1600w"',
            'srcset="https://a.example/1.jpg 300w, https://site.example/2.jpg 1600w"',
        ),
    ],
)
def test_pictures_in_several_sizes_have_whole_addresses(said: str, meant: str | None) -> None:
    markup = f'<img {said} alt="">'
    assert resolved(markup, "https://site.example/blog/") == f'<img {meant or said} alt="">'


def test_links_of_a_local_file_are_relative_to_the_site_it_speaks_of() -> None:
    body = rss("<link>https://site.example/a/</link><item><title>x</title><link>b</link></item>").encode()
    assert parse(body, "", "examples/feeds/x.xml").entries[0].url == "https://site.example/a/b"


KEYED = "http://feeds.example/feed.xml?key=TOPSECRET"


@pytest.mark.parametrize(
    "link", ["#frag1", "", "?key=TOPSECRET#x", "HTTPS://FEEDS.example/feed.xml?key=TOPSECRET"]
)
def test_the_address_of_the_feed_itself_is_no_link_and_no_picture(link: str) -> None:
    markup = f"<img src='{link}'><a href='#note'>1</a>"
    item = f"<item><title>x</title><link>{link}</link><description><![CDATA[{markup}]]></description></item>"
    told = {"id": "1", "title": "x", "url": link, "image": link, "content_html": markup}
    for body in (rss(item), json.dumps({"version": "jsonfeed", "title": "x", "items": [told]})):
        (entry,) = parse(body.encode(), "", KEYED).entries
        assert (entry.url, entry.image) == ("", "")
        assert "<a href='#note'>" in (entry.html or entry.description) or 'href="#note"' in (
            entry.html or entry.description
        )


def test_other_addresses_beside_the_feed_are_links() -> None:
    body = rss("<item><title>x</title><link>?page=2#x</link></item>").encode()
    assert parse(body, "", KEYED).entries[0].url == "http://feeds.example/feed.xml?page=2#x"


def test_a_guid_stays_the_same_when_the_feed_moves() -> None:
    body = rss("<item><guid>42</guid><title>x</title></item><item><guid>/p/7</guid></item>").encode()
    here, there = (parse(body, "", url).entries for url in (URL, "http://other.example/news/atom?x=1"))
    assert [entry.guid for entry in here] == [entry.guid for entry in there] == ["42", "/p/7"]


def test_a_body_that_looks_like_a_path_is_not_opened(tmp_path: Path) -> None:
    feed = tmp_path / "feed.xml"
    feed.write_text(rss("<item><title>from the disk</title></item>"))
    with pytest.raises(FeedError, match="not a feed"):
        parse(os.fsencode(feed), "", URL)


# ---------------------------------------------------------------- limits


def test_of_too_many_entries_the_newest_are_kept_whatever_the_order() -> None:
    def item(number: int) -> str:
        day = f"2026-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}T{number // 336:02}:00:00Z"
        return f"<item><guid>{number}</guid><title>n</title><pubDate>{day}</pubDate></item>"

    forward = parse(rss("".join(map(item, range(1200)))).encode()).entries
    backward = parse(rss("".join(map(item, reversed(range(1200))))).encode()).entries
    assert len(forward) == len(backward) == 1000
    assert {entry.guid for entry in forward} == {entry.guid for entry in backward}
    dates = sorted(entry.published for entry in forward if entry.published)
    assert (len(dates), dates[0].hour) == (1000, 0)
    assert [entry.guid for entry in backward] == [entry.guid for entry in reversed(forward)]


def test_of_too_many_entries_without_dates_the_first_are_kept() -> None:
    body = rss("".join(f"<item><guid>{number}</guid><title>n</title></item>" for number in range(1100)))
    assert [entry.guid for entry in parse(body.encode()).entries] == [str(number) for number in range(1000)]


ATTACKS: dict[str, Callable[[], str]] = {
    "deep": lambda: rss("<a>" * 20_000),
    "deep in a text": lambda: rss("<item><description>" + "&lt;b&gt;" * 50_000 + "</description></item>"),
    "references": lambda: rss("<item><title>" + "&#xD83D;" * 50_000 + "</title></item>"),
    "open comments": lambda: "<!--" * 50_000 + rss("<item/>"),
    "open comments in a title": lambda: rss(
        "<item><title>" + "&lt;!--" * 30_000 + "&lt;/b&gt;</title></item>"
    ),
    "blanks in a tag": lambda: rss("<item><description>&lt;a href" + " " * 100_000 + "</description></item>"),
    "one entity often": lambda: (
        '<!DOCTYPE rss [<!ENTITY a "' + "x" * 200 + '">]>' + rss("<item>" + "&a;" * 20_000 + "</item>")
    ),
    "many quotes in the doctype": lambda: "<!DOCTYPE rss [" + "'\"" * 50_000 + "]>" + rss("<item/>"),
    "many names": lambda: rss("<item>" + "<author>a b c</author>" * 2_000 + "</item>"),
    "long json": lambda: "[" * 100_000,
    "a long author": lambda: rss("<item><author>" + "a." * 32_000 + "@</author></item>"),
    "a long author of a broken feed": lambda: rss(
        "<item><author><![CDATA[" + "a.]" * 20_000 + "@]]></author><b></item>"
    ),
    "many attributes": lambda: rss("<item " + " ".join(f'a{n}="1"' for n in range(30_000)) + "/>"),
    "many attributes of a broken feed": lambda: rss(
        "<item " + " ".join(f'a{n}="1"' for n in range(16_000)) + "></item><b>"
    ),
    "many entries of a broken feed": lambda: rss("<item><title>x</title></item>" * 50_000) + "<b>",
    "many categories": lambda: rss(
        "<item>" + "".join(f"<category>{n}</category>" for n in range(20_000)) + "</item>"
    ),
    "many namespaces": lambda: rss(
        "<item " + " ".join(f'xmlns:a{n}="urn:{n}"' for n in range(10_000)) + "/>"
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_markup_that_is_built_to_hurt_takes_no_time(name: str) -> None:
    body = ATTACKS[name]().encode()
    start = time.process_time()
    assert outcome(body)
    assert time.process_time() - start < 4


# ---------------------------------------------------------------- whatever comes


def clean(text: str) -> bool:
    return not any(
        (character < " " and character not in "\t\n") or "\ud800" <= character <= "\udfff"
        for character in text
    )


def check(body: bytes) -> None:
    parsed = outcome(body)
    assert parsed
    if isinstance(parsed, str):
        return
    for entry in parsed.entries:
        assert not entry.url or entry.url.startswith(("http://", "https://"))
        assert "\n" not in entry.title
        for each in fields(Entry):
            value = getattr(entry, each.name)
            assert not isinstance(value, str) or clean(value)


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=100)
def test_any_bytes_are_read_or_refused_in_words(body: bytes) -> None:
    check(body)


PIECES = """
<item> </item> <title> </title> <link> </link> <guid> <description> </description> <![CDATA[ ]]> &lt;p&gt;
&#0; &#xD800; &nbsp; &bogus; http://[x //x javascript:a <enclosure_url='a'_type='image/x'/> <?x_?> & % <
<media:content_url='//b'_width='x'/> <category/> <author>a@b_(c</author> <pubDate>99_Foo</pubDate> <image>
<content:encoded> <!DOCTYPE_a_[ ]> <source_url='x'/> <itunes:image_href=''/> <svg><title> \x00 \ud7ff
<entry_xml:base='%%'>
"""


@given(st.lists(st.sampled_from(PIECES.split()), max_size=25))
@settings(deadline=None, max_examples=250, suppress_health_check=[HealthCheck.too_slow])
def test_any_mixture_of_pieces_is_read_or_refused_in_words(pieces: list[str]) -> None:
    check(rss("".join(pieces).replace("_", " ")).encode("utf-8", "replace"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ITEM = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("id", "url", "title", "content_html", "content_text", "authors", "author", "tags", "attachments",
         "date_published", "image", "language"),
        JSON,
    ),
)  # fmt: skip


@given(st.lists(ITEM, max_size=4), JSON)
@settings(deadline=None, max_examples=150)
def test_any_json_feed_is_read_or_refused_in_words(items: list[object], title: object) -> None:
    document = {"version": "https://jsonfeed.org/version/1.1", "title": title, "items": items}
    check(json.dumps(document).encode())

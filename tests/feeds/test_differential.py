"""The quick reader says what feedparser says, or nothing: on every file we have, and on feeds made up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from expected import URL, corpus
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.feeds.names import words
from digest.feeds.parse import parse, parse_patiently, parse_quickly
from digest.model import FeedError, Parsed


def quickly(body: bytes, url: str = URL) -> Parsed | None:
    try:
        return parse_quickly(body, "", url)
    except FeedError:
        return None


def agree(body: bytes, url: str = URL) -> bool:
    """Was it read quickly? Fails when the two ways differ."""
    read = quickly(body, url)
    if read is None:
        return False
    assert read == parse_patiently(body, "", url)
    return True


FEEDS = [path for path in corpus() if path.suffix != ".json"]


@pytest.mark.parametrize("path", FEEDS, ids=lambda path: path.name)
def test_both_ways_agree_on_a_file_of_the_corpus(path: Path) -> None:
    agree(path.read_bytes())


def test_most_files_of_the_corpus_are_read_quickly() -> None:
    """Even here, where most of them are there for a defect."""
    count = sum(quickly(path.read_bytes()) is not None for path in corpus())
    assert count / len(corpus()) > 0.75


@pytest.mark.parametrize(
    "url", ["", "http://other.example", "http://o.example/a;b//c/?x=1&y=2", "x/local.xml"]
)
def test_both_ways_agree_wherever_a_feed_lies(url: str) -> None:
    for name in (
        "links-of-all-kinds",
        "guids-that-are-no-links",
        "xml-base-levels",
        "relative-markup",
        "enclosures",
    ):
        path = next(path for path in FEEDS if path.stem == name)
        assert agree(path.read_bytes(), url)


@pytest.mark.parametrize("path", corpus(), ids=lambda path: path.name)
def test_reading_is_the_quick_way_where_there_is_one(path: Path) -> None:
    body = path.read_bytes()
    read = quickly(body)
    if read is not None:
        assert parse(body, "", URL) == read


_ELEMENT = re.compile(r"<([\w:]+)(?: [^<>]*)?>[^<>]*</\1>")


@given(st.sampled_from(FEEDS), st.data())
@settings(deadline=None, max_examples=150)
def test_both_ways_agree_when_elements_move(path: Path, data: st.DataObject) -> None:
    """One leaf of a file is copied, moved or taken out: other orders, doubles and strange places."""
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        return
    leaves = list(_ELEMENT.finditer(text))
    if len(leaves) < 2:
        return
    one, other = (data.draw(st.sampled_from(leaves)) for _ in range(2))
    changed = data.draw(
        st.sampled_from(
            [
                text[: other.start()] + one[0] + text[other.start() :],
                text[: one.start()] + text[one.end() :],
                text[: one.start()] + one[0] + one[0] + text[one.end() :],
            ]
        )
    )
    agree(changed.encode())


# ---------------------------------------------------------------- feeds made up

SPACES = " ".join(
    f'xmlns:{prefix}="{uri}"'
    for prefix, uri in {
        "content": "http://purl.org/rss/1.0/modules/content/",
        "dc": "http://purl.org/dc/elements/1.1/",
        "dcterms": "http://purl.org/dc/terms/",
        "media": "http://search.yahoo.com/mrss/",
        "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
        "sy": "http://purl.org/rss/1.0/modules/syndication/",
        "slash": "http://purl.org/rss/1.0/modules/slash/",
        "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
        "thr": "http://purl.org/syndication/thread/1.0",
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "a": "http://www.w3.org/2005/Atom",
        "x": "urn:example:x",
    }.items()
)

TEXTS = st.sampled_from(
    [
        *(
            "",
            " ",
            "Words",
            "two\n lines\t",
            "a &amp; b",
            "It&apos;s &amp;amp; &amp;#8217;",
            "&lt;b&gt;bold&lt;/b&gt;",
        ),
        *(
            "<![CDATA[<p>x &nbsp; <a href='/r'>r</a><img src=i.png></p>]]>",
            "Ã©tÃ©",
            "naïve",
            "Привет",
            "&#146;",
        ),
        *("\u200bhidden\u202e", "http://s.example/?a=1&amp;b=2", "/rooted", "rel/x", "//h.example/y", "42"),
        *(
            "tag:s.example,1:2",
            "bob@s.example (Bob)",
            "Ann &lt;ann@s.example.com&gt;",
            "Ann, Bob",
            "?q=1",
            "#f",
        ),
        *("Sun, 01 Nov 2026 08:00:00 GMT", "2026-11-01T08:00:00+01:00", "2026-11-01", "1 Nov 26", "soon"),
        *(
            "one, two,,",
            "javascript:x",
            "http://[x",
            "hourly",
            "60",
            "24",
            "Monday",
            "&lt;![CDATA[ x",
            "x > y",
        ),
    ]
)
ATTRIBUTES = st.sampled_from(
    [
        *(
            "",
            "",
            "",
            "",
            ' href="/h"',
            ' rel="self" href="s"',
            ' rel="enclosure" href="e.mp3" type="audio/mpeg"',
        ),
        *(' url="/u.jpg" width="90"', ' url="http://u.example/" type="IMAGE/png"', ' isPermaLink="false"'),
        *(
            ' isPermaLink="true"',
            ' term="t" label="L" scheme="s"',
            ' domain="d"',
            ' text="Arts"',
            ' type="html"',
        ),
        *(
            ' type="text"',
            ' type="text/html" mode="escaped"',
            ' type="xhtml"',
            ' xml:base="http://b.example/c/"',
        ),
        *(' xml:base="d/"', ' xml:lang="pt_BR"', ' lang="es"', ' xml:lang=""', ' foo="bar"', ' x:url="y"'),
    ]
)
NAMES = st.sampled_from(
    sorted(
        words(
            """title link guid id pubDate published updated dc:date dcterms:created dcterms:modified
            dcterms:issued issued modified created dc:creator author itunes:author contributor category
            dc:subject media:category itunes:category media:keywords itunes:keywords keywords description
            summary content content:encoded dc:description itunes:summary media:description abstract
            dc:title media:title comments slash:comments feedburner:origLink a:link a:updated a:author a:id
            a:title a:summary thr:total x:title x:y unknown source image itunes:image media:thumbnail
            media:content media:group enclosure language dc:language rights subtitle itunes:subtitle url
            name email ttl sy:updatePeriod sy:updateFrequency skipHours skipDays hour day generator
            itunes:owner textInput icon logo tags fullitem managingEditor webMaster creator dc:publisher
            itunes:explicit"""
        )
    )
)
PARTS = {
    "author": ["name", "email", "uri"],
    "a:author": ["a:name", "a:uri"],
    "contributor": ["name"],
    "image": ["url", "title", "link", "width"],
    "source": ["title", "id", "updated", "link", "author"],
    "media:group": ["media:content", "media:title", "media:description", "media:thumbnail"],
    "media:content": ["media:title", "media:thumbnail", "media:description"],
    "skipHours": ["hour"],
    "skipDays": ["day"],
    "textInput": ["title", "name", "link"],
    "itunes:owner": ["itunes:name", "itunes:email"],
    "itunes:category": ["itunes:category"],
    "unknown": ["title", "link", "category", "dc:creator"],
    "x:y": ["x:title", "guid", "media:title"],
}
XHTML = """<div xmlns="http://www.w3.org/1999/xhtml"><p>x &amp; <a href="/k" title="&quot;">y</a></p></div>"""


@st.composite
def element(draw: st.DrawFn, name: str = "") -> str:
    name = name or draw(NAMES)
    attributes = draw(ATTRIBUTES)
    parts = PARTS.get(name)
    if parts and draw(st.booleans()):
        inner = "".join(draw(element(part)) for part in draw(st.lists(st.sampled_from(parts), max_size=3)))
    elif 'type="xhtml"' in attributes:
        inner = XHTML
    else:
        inner = draw(TEXTS)
    return f"<{name}{attributes}>{inner}</{name}>"


ELEMENTS = st.lists(element(), max_size=7).map("\n".join)


@st.composite
def document(draw: st.DrawFn) -> bytes:
    items = draw(st.lists(st.tuples(ELEMENTS, ATTRIBUTES), max_size=2))
    head, tail = draw(ELEMENTS), draw(ELEMENTS)
    kind = draw(st.sampled_from(["rss", "feed", "rdf"]))
    scope = draw(st.sampled_from(["", ' xml:base="http://base.example/b/"', ' xml:lang="en-gb"']))
    if kind == "feed":
        space = draw(st.sampled_from(["http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#"]))
        entries = "".join(f"<entry{said}>{inner}</entry>" for inner, said in items if "href" not in said)
        return f'<feed version="0.3" xmlns="{space}" {SPACES}{scope}>{head}{entries}{tail}</feed>'.encode()
    found = "".join(f"<item>{inner}</item>" for inner, _ in items)
    if kind == "rss":
        version = draw(st.sampled_from(["2.0", "0.91", ""]))
        channel = f"<channel>{head}{found}{tail}</channel>"
        return f'<rss version="{version}" {SPACES}{scope}>{channel}</rss>'.encode()
    channel = f"<channel>{head}</channel>"
    return f'<rdf:RDF xmlns="http://purl.org/rss/1.0/" {SPACES}{scope}>{channel}{found}</rdf:RDF>'.encode()


@given(document(), st.sampled_from([URL, "", "http://o.example/a/?b"]))
@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])
def test_both_ways_agree_on_feeds_made_up(body: bytes, url: str) -> None:
    agree(body, url)


def test_many_feeds_made_up_are_read_quickly() -> None:
    """Else the test before this one would say nothing."""
    quick = []

    @given(document())
    @settings(deadline=None, max_examples=100, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    def read(body: bytes) -> None:
        quick.append(agree(body))

    read()
    assert sum(quick) > 40

"""What the quick reader reads by itself, what it leaves to feedparser, and that nothing makes it slow."""

from __future__ import annotations

import time

import pytest
from expected import CORPUS, URL
from feedparser import mixin, sanitizer
from feedparser.datetimes import _parse_date
from feedparser.html import _cp1252
from hypothesis import given, settings
from hypothesis import strategies as st

from digest import html
from digest.feeds import mending, names, quick
from digest.feeds.moments import moment
from digest.feeds.names import Names, Unusual
from digest.feeds.parse import parse_patiently, parse_quickly
from digest.feeds.reading import _date
from digest.model import FeedError

# If one of these is no longer read quickly, feeds like it cost ten times as much: see why before you take it
# out of this list.
ORDINARY = names.words(
    """
    atom-categories.xml atom-in-rss.xml atom-links.xml atom-prefixed.xml atom-source.xml atom03.xml
    atom10-full.xml authors-with-addresses.xml bad-dates.xml blanks-everywhere.xml blogger-like.xml
    bom-and-blank-lines.xml categories.xml cdata-in-titles.xml cdata.xml comments-and-instructions.xml
    control-characters.xml dates.xml dc-dates.xml double-escaping.xml doubles.xml
    elements-of-their-own.xml enclosures.xml euc-jp.xml feedburner.xml github-like.xml
    guids-that-are-no-links.xml harmless-doctype.xml html-names.xml items-after-the-channel.xml
    itunes.xml jsonfeed10.json jsonfeed11.json junk-before.xml koi8-r.xml license-and-place.xml
    links-of-all-kinds.xml long-title.xml many-authors.xml mastodon-like.xml media-group.xml media.xml
    mixed-case.xml namespaces-in-upper-case.xml nested-cdata.xml newsletter-like.xml no-items-atom.xml
    no-items-rdf.xml no-items-rss.xml nul-bytes.xml odd-prefixes.xml php-warnings-before.xml podcast.xml
    rdf-with-content.xml reddit-like.xml relative-guids.xml relative-markup.xml right-to-left.xml
    rss091.xml rss10.rdf rss20-default-namespace.xml rss20-full.xml skips.xml summaries.xml
    sy-and-ttl.xml threads.xml titles-of-other-things.xml two-byte-order-marks.xml unusual-prefixes.xml
    utf-16-le.xml windows-1251-undeclared.xml windows-1252-called-utf-8.xml wordpress-like.xml
    xhtml-content.xml xml-base-levels.xml xml-lang-levels.xml youtube-like.xml
    """
)


@pytest.mark.parametrize("name", sorted(ORDINARY))
def test_an_ordinary_feed_is_read_quickly(name: str) -> None:
    assert parse_quickly((CORPUS / name).read_bytes(), "", URL) is not None


def rss(items: str) -> bytes:
    spaces = 'xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
    return f'<rss version="2.0" {spaces}><channel><title>T</title>{items}</channel></rss>'.encode()


UNUSUAL = {
    "markup in a text": "<item><description>a <b>b</b></description></item>",
    "an item in an item": "<item><item/></item>",
    "a channel in a channel": "<channel/>",
    "base64": '<item><content mode="base64">YQ==</content></item>',
    "a type of its own": '<item><content type="image/png">x</content></item>',
    "a page in the feed": "<item><body>x</body></item>",
    "an unquoted attribute": "<item a=1/>",
    "an open tag": "<item><title>",
    "an unknown entity beside another defect": "<item><title>&bogus;</b></title></item>",
    "a prefix of nothing": "<item><x:y/></item>",
    "a prefix with two meanings": '<item xmlns:media="urn:other"/>',
    "a namespace with two prefixes": '<item xmlns:a="urn:x" xmlns:b="urn:x"/>',
    "a known prefix for another thing": '<item xmlns:dc="http://search.yahoo.com/mrss/"/>',
    "a base that is no address": '<item xml:base="javascript:x"/>',
    "elements about elements": "<item><title>&lt;script&gt;x&lt;/script&gt;</title></item>",
    "a person with parts and words": "<item><author>by <name>Ann</name></author></item>",
    "very many attributes": "<item " + " ".join(f'a{n}="1"' for n in range(300)) + "/>",
    "a deep tree": "<x>" * 300 + "</x>" * 300,
}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("R&D", "R&D"),
        ("Q & A", "Q & A"),
        ("a&b;c", "a&b;c"),
        ("&bogus; &amp; &#38; &", "&bogus; & & &"),
        ("&&nbsp;&&", "& &&"),
        ("<![CDATA[R&D]]> &", "R&D &"),
    ],
)
def test_an_ampersand_that_is_only_one_is_mended(written: str, meant: str) -> None:
    """For both readers alike: with it, feedparser would read all addresses of the document wrongly."""
    link = "https://feeds.example/?a=1&b=2"
    body = rss(f"<item><title>{written}</title><link>{link}</link><comments>{link}&amp;c=3</comments></item>")
    read = parse_quickly(body, "", URL)
    assert read is not None
    assert [(entry.title, entry.url, entry.comments) for entry in read.entries] == [
        (meant, link, f"{link}&c=3")
    ]
    assert read == parse_patiently(body, "", URL)


@pytest.mark.parametrize("name", UNUSUAL)
def test_what_is_unusual_is_left_to_feedparser(name: str) -> None:
    assert parse_quickly(rss(UNUSUAL[name]), "", URL) is None


def test_what_is_no_text_at_all_is_refused_at_once() -> None:
    for body in (b"", b"\x89PNG\r\n"):
        with pytest.raises(FeedError):
            parse_quickly(body)


# ---------------------------------------------------------------- the same words as feedparser


def test_every_element_that_means_something_to_feedparser_means_something_here() -> None:
    methods = [name for name in dir(mixin._FeedParserMixin) if name.startswith(("_start_", "_end_"))]
    theirs = {name.split("_", 2)[2] for name in methods}
    # Names are lower case before they are looked up; the last two are parts of others.
    unreachable = {name for name in theirs if name != name.lower()} | {"georssgeom", "geom"}
    assert len(theirs) > 100
    assert theirs - unreachable - set(quick.ACTIONS) - quick.LEFT_TO_FEEDPARSER == set()


def test_the_known_namespaces_are_those_of_feedparser() -> None:
    theirs = {uri.lower(): prefix for uri, prefix in mixin._FeedParserMixin.namespaces.items() if uri}
    assert theirs == names.KNOWN


def test_what_we_take_for_ordinary_markup_feedparser_takes_for_markup() -> None:
    assert sanitizer._HTMLSanitizer.acceptable_elements >= mending.ORDINARY_TAGS
    for text in (
        "a &amp; b",
        "a &apos; b",
        "<b>x</b>",
        "a < b",
        "x </b>",
        "<p>open",
        "&#8217;",
        "&x;",
    ):
        assert mending.is_markup(text) == mixin._FeedParserMixin.looks_like_html(text)


def test_characters_of_windows_1252_mean_what_they_mean_to_feedparser() -> None:
    for code in range(0x80, 0xA0):
        assert mending.mended(f"Ж{chr(code)}") == f"Ж{chr(code)}".translate(_cp1252)


@given(st.datetimes(), st.sampled_from(["Sat, ", "saturday ", ""]), st.data())
@settings(deadline=None, max_examples=300)
def test_a_date_of_mail_means_the_same_as_to_feedparser(when: object, day: str, data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(["%d %b %Y %H:%M:%S", "%d %B %Y %H:%M", "%e %b %Y %H:%M:%S"]))
    zone = data.draw(
        st.sampled_from(["GMT", "UT", "Z", "UTC", "EST", "pdt", "+0130", "-02:30", "-0000", "+1400"])
    )
    check_date(f"{day}{when:{form}} {zone}")


@given(st.datetimes(), st.data())
@settings(deadline=None, max_examples=300)
def test_a_date_of_the_net_means_the_same_as_to_feedparser(when: object, data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dt%H:%M:%S.%f", "%Y-%m-%dT%H:%M"]))
    zone = data.draw(st.sampled_from(["Z", "z", "", "+01:00", "-09:30", "+14:00", "-00:00"]))
    check_date(f"{when:{form}}{zone}")


def check_date(text: str) -> None:
    ours = moment(text)
    theirs = _date({"published": text, "published_parsed": _parse_date(text)}, "published")
    assert ours is None or _date({"published": text, "published_parsed": ours}, "published") == theirs


@pytest.mark.parametrize("text", ["Sun, 01 Nov 2026 08:00:00 +0100", "2026-11-01T08:00:00.25+01:00"])
def test_ordinary_dates_are_read_here(text: str) -> None:
    assert f"{moment(text):%H:%M}" == "07:00"


@pytest.mark.parametrize("text", ["", "Sun, 31 Feb 2026 08:00:00 GMT", "2026-11-01T25:00:00Z", "yesterday"])
def test_what_is_no_ordinary_date_is_none(text: str) -> None:
    assert moment(text) is None


# ---------------------------------------------------------------- characters


def test_a_clean_document_holds_nothing_that_would_be_taken_out() -> None:
    for code in [*range(0x3000), *range(0xD800, 0x10000), *range(0xE0000, 0xE0080), 0x1F600]:
        character = chr(code)
        if character == "\r" or html.scrub(character) == character:
            continue  # an XML parser makes a line's end of every \r
        if not 0xD800 <= code < 0xE000:  # no text in UTF-8 holds half a character
            assert not quick.characters(f"<a>{character}</a>".encode()).clean, hex(code)
        assert not quick.characters(f"<a>&#{code};</a>".encode()).clean, hex(code)
        assert not quick.characters(f"<a>&#x{code:x};</a>".encode()).clean, hex(code)


def test_ordinary_documents_are_clean() -> None:
    assert quick.characters("<a>“Ünï” – 漢字 Привет שלום &#8217; &#x20AC;\r\n\t</a>".encode()).clean


# ---------------------------------------------------------------- names


def test_a_name_does_not_depend_on_the_prefix() -> None:
    known = Names(b'<x xmlns:m="http://search.yahoo.com/mrss/" xmlns:Z="urn:z">')
    assert known.of("{http://search.yahoo.com/mrss/}Content") == "media_content"
    assert known.of("{http://www.w3.org/2005/Atom}updated") == known.of("UPDATED") == "updated"
    assert known.of("{urn:z}a") == "z_a"
    assert known.of("{urn:a-default}a") == "a"


def test_one_prefix_for_two_things_is_unusual() -> None:
    with pytest.raises(Unusual):
        Names(b'<x xmlns:a="urn:1"><y xmlns:a="urn:2"/></x>')


# ---------------------------------------------------------------- safety


def test_nothing_outside_of_a_document_is_read_and_no_entity_expanded() -> None:
    for doctype in ('<!DOCTYPE rss [<!ENTITY a "b">]>', '<!DOCTYPE rss SYSTEM "file:///etc/hostname">'):
        assert quick.tree(f"{doctype}<rss>&a;</rss>".encode()) is None
    assert quick.tree(b"<rss>&nbsp;</rss>") is None


SLOW = {
    "attributes": "<item " + " ".join(f'a{n}="1"' for n in range(100_000)) + "/>",
    "namespaces": "<item " + " ".join(f'xmlns:a{n}="urn:{n}"' for n in range(20_000)) + "/>",
    "keywords": "<item><itunes:keywords>" + ",".join(map(str, range(50_000))) + "</itunes:keywords></item>",
    "categories": "<item>" + "".join(f"<category>{n}</category>" for n in range(30_000)) + "</item>",
    "authors": "<item>" + "<author>a@b.example (c)</author>" * 20_000 + "</item>",
    "entries": "<item><title>x</title></item>" * 30_000,
    "pictures": "<item><description>" + "&lt;img src='x' " * 50_000 + "</description></item>",
    "references": "<item><title>" + "&#8217;" * 300_000 + "</title></item>",
    "half tags": "<item><title>" + "&lt;!--" * 200_000 + "&lt;/b&gt;</title></item>",
    "bases": "<item>" + '<x xml:base="y/">' * 200 + "</x>" * 200 + "</item>",
    "controls": "<item><title>" + "\x01" * 1_000_000 + "</title></item>",
}


@pytest.mark.parametrize("name", SLOW)
def test_nothing_makes_it_slow(name: str) -> None:
    body = rss(SLOW[name])
    start = time.process_time()
    parse_quickly(body, "", URL)
    assert time.process_time() - start < 3


def test_an_ordinary_feed_takes_a_few_milliseconds() -> None:
    text = "<p>" + "word " * 380 + '<a href="/x">link</a><img src="/i.jpg"></p>'
    item = f"<item><title>t</title><link>/p</link><description><![CDATA[{text}]]></description></item>"
    body = rss(item * 20)
    assert parse_quickly(body, "", URL) == parse_patiently(body, "", URL)
    times = []
    for _ in range(5):
        start = time.process_time()
        parse_quickly(body, "", URL)
        times.append(time.process_time() - start)
    assert min(times) < 0.02  # 1.3 ms where it was written

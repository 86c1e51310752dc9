"""Lists of feeds: what other readers write, what we write, and what is refused."""

from __future__ import annotations

import random
import time

import pytest

from digest import html
from digest.feeds import opml
from digest.model import FeedError, Follow

LIST = """<?xml version="1.0" encoding="UTF-8"?>
<!-- exported -->
<opml version="1.0"><head><title>mine</title></head><body>
<outline text="Top &amp; only" xmlUrl="https://a.example/feed" type="rss"/>
<outline text="News" title="News"><outline text="B" title="Title B" xmlURL="http://b.example/rss?a=1&amp;b=2"/>
  <outline text="World"><outline xmlUrl="https://c.example/atom"/></outline>
  <outline text="again" xmlUrl="https://a.example/feed"/></outline>
<outline text="not the web" xmlUrl="/etc/passwd"/><outline text="nor this" xmlUrl="file:///etc/passwd"/>
<outline text="a link" type="link" url="https://x.example/"/>
</body></opml>"""


def test_folders_are_sections_and_each_feed_comes_once() -> None:
    assert opml.read(LIST.encode()) == [
        Follow(url="https://a.example/feed", title="Top & only"),
        Follow(url="http://b.example/rss?a=1&b=2", title="Title B", section="News"),
        Follow(url="https://c.example/atom", section="World"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "koi8-r"])
def test_other_encodings_are_read(encoding: str) -> None:
    name = encoding.removesuffix("-sig")
    text = LIST.replace("UTF-8", name).replace("News", "Новости")
    assert opml.read(text.encode(encoding))[1].section == "Новости"


def test_a_list_that_is_broken_gives_what_could_be_read() -> None:
    assert [follow.url for follow in opml.read(LIST[: LIST.index('<outline text="again')].encode())] == [
        "https://a.example/feed",
        "http://b.example/rss?a=1&b=2",
        "https://c.example/atom",
    ]


def of(*outlines: str, head: str = "") -> bytes:
    return f'{head}<opml version="2.0"><body>{"".join(outlines)}</body></opml>'.encode()


FEED = '<outline text="A" xmlUrl="https://a.example/f"/>'


@pytest.mark.parametrize(
    ("outline", "expected"),
    [
        ('<OUTLINE TEXT="A" XMLURL="https://a.example/f"/>', Follow(url="https://a.example/f", title="A")),
        ('<outline text="A" url="https://a.example/f"/>', Follow(url="https://a.example/f", title="A")),
        ('<outline type="rss" url="https://a.example/f"/>', Follow(url="https://a.example/f")),
        ('<outline type="link" xmlUrl="https://a.example/f"/>', Follow(url="https://a.example/f")),
        ('<outline feedUrl="https://a.example/f"/>', Follow(url="https://a.example/f")),
        ('<outline xmlUrl=" \n https://a.example/f\t"/>', Follow(url="https://a.example/f")),
        ('<outline xmlUrl="feed://a.example/f"/>', Follow(url="http://a.example/f")),
        ('<outline xmlUrl="feed:https://a.example/f"/>', Follow(url="https://a.example/f")),
        (
            '<outline text="Tom & Jerry &eacute; &LT;b" xmlUrl="https://a.example/f?a=1&b=2&copy=3"/>',
            Follow(url="https://a.example/f?a=1&b=2&copy=3", title="Tom & Jerry é <b"),
        ),
        (
            '<outline text="https://a.example/f" xmlUrl="https://a.example/f"/>',
            Follow(url="https://a.example/f"),
        ),
        (
            '<outline text="" title=" B \n b " xmlUrl="https://a.example/f"/>',
            Follow(url="https://a.example/f", title="B b"),
        ),
        (
            '<outline xmlUrl="https://a.example/f" category="/News/Local,/Boston"/>',
            Follow(url="https://a.example/f", section="Local"),
        ),
        (
            '<outline xmlUrl="https://a.example/f" category="tag"/>',
            Follow(url="https://a.example/f", section="tag"),
        ),
        (
            '<outline text="In"><outline xmlUrl="https://a.example/f" category="/News"/></outline>',
            Follow(url="https://a.example/f", section="In"),
        ),
        (
            '<outline text="Out"><outline text=" "><outline xmlUrl="https://a.example/f"/></outline></outline>',
            Follow(url="https://a.example/f", section="Out"),
        ),
        (
            f'<outline text="{"x" * 600}" xmlUrl="https://a.example/f"/>',
            Follow(url="https://a.example/f", title="x" * 499 + "…"),
        ),
    ],
)  # fmt: skip
def test_what_other_readers_write_is_understood(outline: str, expected: Follow) -> None:
    assert opml.read(of(outline)) == [expected]


@pytest.mark.parametrize(
    "document",
    [
        '<opml xmlns="http://opml.org/spec2"><body>{}</body></opml>',
        '<o:opml xmlns:o="urn:o"><o:body>{}</o:body></o:opml>',
        "<opml>{}</opml>",
        "<!DOCTYPE opml><opml><body>{}</body></opml>",
        "<br />\n<b>Warning</b>: something of PHP\n<?xml version='1.0'?><opml><body>{}</body></opml>",
        "<!-- <opml> is what follows --><opml><body>{}</body></opml>",
    ],
)
def test_documents_of_every_shape_are_read(document: str) -> None:
    assert opml.read(document.format(FEED).encode()) == [Follow(url="https://a.example/f", title="A")]


def test_what_is_declared_in_another_encoding_is_read_so() -> None:
    text = '<?xml version="1.0" encoding="windows-1251"?>' + of(FEED.replace("A", "Новости", 1)).decode()
    assert [follow.title for follow in opml.read(text.encode("cp1251"))] == ["Новости"]


def test_what_is_not_taken_is_counted_with_its_reason() -> None:
    found = opml.read_list(
        of(
            *(
                f'<outline xmlUrl="{url}"/>'
                for url in ("javascript:alert(1)", "file:///etc/passwd", "../x", "http://a.example:99999/", "ftp://a.example/")
            ),
            '<outline xmlUrl="https://me:secret@a.example/f"/>',
            '<outline type="link" url="https://a.example/"/>',
            '<outline text="a page" htmlUrl="https://a.example/"/>',
            FEED,
            FEED,
        )
    )  # fmt: skip
    assert found == opml.FeedList(
        follows=(Follow(url="https://a.example/f", title="A"),),
        repeated=1,
        left_out={opml.NOT_WEB: 5, opml.PASSWORD: 1, opml.NO_FEED: 2},
    )


def test_the_line_where_a_list_breaks_is_told() -> None:
    assert opml.read_list(of(FEED)).broken == 0
    assert (
        opml.read_list(b"<?xml version='1.0'?>\n<opml>\n<body>\n" + FEED.encode() + b"\n<outline <").broken
        == 5
    )


# ---------------------------------------------------------------- ours


def test_what_we_write_we_read_back() -> None:
    follows = [
        Follow(url="https://a.example/?x=1&y=2", title='A "quoted" & <tagged> name'),
        Follow(url="https://b.example/feed", section="Ωmega & co"),
        Follow(url="https://c.example/feed", title="C", section="Ωmega & co"),
        Follow(url="https://d.example/feed", section="العربية"),
        Follow(url="https://e.example/feed", title="https://e.example/feed"),
        Follow(url="https://f.example/feed"),
    ]
    data = opml.write("The \x00 list", follows)
    assert data.startswith(b"<?xml")
    assert set(opml.read(data)) == set(follows)


def test_every_outline_of_ours_has_the_text_that_the_standard_asks_for() -> None:
    data = opml.write("x", [Follow(url="https://a.example/f")])
    assert b'<outline type="rss" text="https://a.example/f" xmlUrl="https://a.example/f"/>' in data


def test_names_of_any_characters_come_back() -> None:
    chance = random.Random(3)  # noqa: S311  (nothing secret)
    letters = "ab <>&\"'/{}%\u00e9\u4e2d\U0001f984;#-"
    follows = [
        Follow(
            url=f"https://s{number}.example/feed?a={number}&b=%20",
            title=html.plain("".join(chance.choices(letters, k=12))) or None,
            section=html.plain("".join(chance.choices(letters, k=2))) or None,
        )
        for number in range(300)
    ]
    assert set(opml.read(opml.write("all", follows))) == set(follows)


# ---------------------------------------------------------------- what is refused


def nested(depth: int) -> bytes:
    return ("<opml><body>" + "<outline text='x'>" * depth + "</outline>" * depth + "</body></opml>").encode()


BOMB = '<!DOCTYPE o [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;">]><opml><body><outline text="&b;"/></body></opml>'


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not even XML"),
        (b"hello", "not even XML"),
        (b"\x89PNG\r\n", "not even XML"),
        (b"<html><body>x</body></html>", "begins with <opml>"),
        (b"<opml><body>" + b"<outline/>" * 50_001 + b"</body></opml>", "more than 50000"),
        (nested(60), "50 deep"),
        (nested(100_000), "50 deep"),
        (of(FEED, head='<!DOCTYPE o [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), "entities"),
        (of(FEED, head='<!DOCTYPE o [<!ENTITY % x SYSTEM "http://x.example/"> %x;]>'), "entities"),
        (of(FEED, head='<!doctype opml SYSTEM "file:///etc/passwd">'), "other files"),
        (of(FEED, head='<!DOCTYPE opml PUBLIC "-//x" "http://x.example/x.dtd">'), "other files"),
        (
            of(
                '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="/etc/passwd" parse="text"/>', FEED
            ),
            "other files",
        ),
        (b"<opml>" + b"&" * 1_000_001, "references"),
        (b" " * (20 * 1024 * 1024 + 1), "larger than 20 MB"),
    ],
)
def test_hostile_lists_are_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(FeedError, match=words):
        opml.read(data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7"])
@pytest.mark.parametrize("declared", ["utf-8", "utf-16", "own"])
def test_no_encoding_hides_entities(encoding: str, declared: str) -> None:
    name = encoding if declared == "own" else declared
    with pytest.raises(FeedError, match="entities"):
        opml.read(f'<?xml version="1.0" encoding="{name}"?>{BOMB}'.encode(encoding))


def test_ten_thousand_feeds_are_read_at_once() -> None:
    follows = [
        Follow(url=f"https://s{n}.example/feed", title=f"Site {n}", section=f"{n % 40}")
        for n in range(10_000)
    ]
    start = time.process_time()
    assert len(opml.read(opml.write("all", follows))) == 10_000
    assert time.process_time() - start < 5  # 0.2 s on an idle machine

"""Lists of feeds: what other readers write, what we write, and what is refused."""

from __future__ import annotations

import contextlib
import time

import pytest

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


def test_what_we_write_we_read_back() -> None:
    follows = [
        Follow(url="https://a.example/?x=1&y=<2>", title='A "quoted" \x07 & <tagged> name'),
        Follow(url="https://b.example/feed", section="Ωmega & co"),
        Follow(url="https://c.example/feed", title="C", section="Ωmega & co"),
        Follow(url="https://d.example/feed"),
    ]
    data = opml.write("The \x00 list", follows)
    assert data.startswith(b"<?xml")
    back = opml.read(data)
    assert {(each.title, each.section) for each in back} == {
        ('A "quoted" & <tagged> name', None), ("https://b.example/feed", "Ωmega & co"), ("C", "Ωmega & co"),
        ("https://d.example/feed", None),
    }  # fmt: skip
    assert len({each.url for each in back}) == 4


def outlines(depth: int) -> bytes:
    return ("<opml><body>" + "<outline text='x'>" * depth + "</outline>" * depth + "</body></opml>").encode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not even XML"),
        (b"hello", "not a list of feeds"),
        (b"<html><body>x</body></html>", "begins with <opml>"),
        (b"<opml><body>" + b"<outline/>" * 50_001 + b"</body></opml>", "more than 50000"),
        (outlines(60), "50 deep"),
        (b'<!DOCTYPE o [<!ENTITY a "x">]><opml><body><outline text="&a;"/></body></opml>', "entities"),
        (
            '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE o [<!ENTITY a "x">]><opml/>'.encode("utf-16"),
            "entities",
        ),
        (
            '<?xml version="1.0" encoding="utf-32"?><!DOCTYPE o [<!ENTITY a "x">]><opml/>'.encode("utf-32"),
            ".",
        ),
        (b" " * (20 * 1024 * 1024 + 1), "larger than 20 MB"),
    ],
)
def test_hostile_lists_are_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(FeedError, match=words):
        opml.read(data)


def test_endless_nesting_does_no_harm() -> None:
    with contextlib.suppress(FeedError):
        assert opml.read(outlines(100_000)) == []


def test_ten_thousand_feeds_are_read_at_once() -> None:
    follows = [
        Follow(url=f"https://s{n}.example/feed", title=f"Site {n}", section=f"{n % 40}")
        for n in range(10_000)
    ]
    start = time.process_time()
    assert len(opml.read(opml.write("all", follows))) == 10_000
    assert time.process_time() - start < 2

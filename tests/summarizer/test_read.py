"""An entry becomes an article, whatever it holds."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import pytest
from window_samples import filler, unread

from digest.summarizer import read_entry, read_title

MARKUP = f"<h1>A headline</h1><p>{filler(1)}</p><p>{filler(2)}</p>"


def test_an_article_holds_what_the_entry_said() -> None:
    found = read_entry(
        unread(
            7,
            title="A <b> headline\n of two lines",
            html=MARKUP,
            authors=("Orla\x00 Tennant", " "),
            categories=("Local",),
            image="/lead.jpg",
        )
    )
    assert found.title == "A <b> headline of two lines"
    assert found.entry_id == 7
    assert found.authors == ("Orla Tennant",)
    assert found.categories == ("Local",)
    assert found.image == "https://a.example/lead.jpg"
    assert (found.language, found.source) == ("en", "content")
    assert found.words == len(found.text.split())
    assert found.summary
    assert found.fingerprint.shingles


def test_an_article_can_go_to_another_process() -> None:
    found = read_entry(unread(html=MARKUP))
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301  (our own bytes)


def test_an_entry_without_a_title_is_named_by_its_beginning() -> None:
    found = read_entry(unread(title=" ", html=MARKUP))
    assert found.title.startswith("A headline")
    assert read_entry(unread(title="", html="")).title == "a.example"


def test_a_title_that_shows_nothing_is_none() -> None:
    found = read_entry(unread(1, title="\u200d\u3164\ufe0f", html="<p>The bridge is closed until May.</p>"))
    assert found.title == "The bridge is closed until May."


@pytest.mark.parametrize(("name", "shown"), [("feed.jpg?key=secret", False), ("photo.jpg?key=secret", True)])
def test_the_feed_itself_is_no_picture(name: str, shown: bool) -> None:
    """Its address may hold a key of ours."""
    markup = f'<img src="http://a.example/{name}#x"><p>{filler(1)}</p>'
    entry = replace(unread(1, title="A title", html=markup), feed_url="https://a.example/feed.jpg?key=secret")
    assert read_entry(entry).image == (f"http://a.example/{name}#x" if shown else "")


def test_piles_of_marks_are_in_no_text_and_no_summary() -> None:
    pile = "z" + "\u0301" * 90
    found = read_entry(unread(1, title="Tower", html=f"<p>The {pile} bridge is closed. {filler(1)}</p>"))
    told = [found.text, *(sentence.text for sentence in found.summary)]
    assert "z" + "\u0301" * 6 in found.text
    assert not any("\u0301" * 7 in text for text in told)


def test_a_title_is_a_headline_and_no_page_of_them() -> None:
    found = read_entry(unread(title="A headline " * 300, html=MARKUP))
    assert found.title.startswith("A headline A headline")
    assert found.title.endswith("…")
    assert len(found.title) <= 300
    piled = read_entry(unread(title="Caf" + "e\u0301" + "\u0301" * 200 + " opens", html=MARKUP))
    assert piled.title == "Caf" + "e\u0301" + "\u0301" * 5 + " opens"


def test_a_title_alone_is_an_article_without_a_summary() -> None:
    found = read_entry(unread(title="Just a headline of some words"))
    assert (found.source, found.text, found.summary) == ("title", "Just a headline of some words", ())


def test_the_title_is_all_that_a_lost_entry_needs() -> None:
    found = read_title(unread(title="Just\x00 a headline", html="<div>" * 100_000, language="de-AT"))
    assert (found.title, found.text, found.source, found.language) == (
        "Just a headline",
        "Just a headline",
        "title",
        "de",
    )
    assert found.summary == ()


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"image": "https://cdn.example/a.jpg"}, "https://cdn.example/a.jpg"),
        ({"html": '<img src="https://t.example/pixel.gif" width="1" height="1"><img src="/b.jpg">'}, "https://a.example/b.jpg"),
        ({"html": '<img src="https://s.example/logo.png"><img src="icon.svg">'}, ""),
        ({"html": '<img src="data:image/png;base64,AAAA">'}, ""),
        ({"html": "<img src='javascript:alert(1)'>"}, ""),
        ({"image": "https://[broken"}, ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_the_image_is_a_real_picture_or_none(entry: dict[str, Any], expected: str) -> None:
    assert read_entry(unread(**entry)).image == expected


BAD = {
    "empty": "",
    "one word": "word " * 300_000,
    "one long word": "w" * 1_500_000,
    "emoji": "<p>" + "🦦" * 3_000 + "</p>",
    "right to left": "<p>" + "هذا نص عربي طويل جدا. " * 1_000 + "</p>",
    "mixed": "<p>Hello مرحبا 你好. Guten Tag. Bonjour!</p>" * 20,
    "code": "<pre>" + "for i in range(10): print(i);\n" * 5_000 + "</pre>",
    "table": "<table>" + "<tr><td>1</td><td>2.5</td></tr>" * 5_000 + "</table>",
    "controls": "".join(map(chr, range(0x300))) * 200,
    "half pairs": "\ud800\udfff abc \ud83d" * 1_000,
    "paywall": "<p>To view the full story, please subscribe to the paper.</p><form><input></form>",
    "cookie wall": "<body><div class='cookie-banner'><p>We use cookies. Accept all</p></div></body>",
    "template": "{{7*7}} {% raw %} ${7*7} <script>alert(1)</script>",
    "half a tag": "<p>Text <a href=",
    "lines": "<br>".join(f"Line {number} of many" for number in range(20_000)),
    "headlines": "<ul>" + "<li><a href='/a'>some headline of a story</a></li>" * 5_000 + "</ul>",
    "dots": "." * 1_000_000,
    "sentences": "<p>" + "This is a sentence number one. " * 30_000 + "</p>",
}


@pytest.mark.parametrize("name", BAD)
def test_bad_content_makes_a_poor_article_in_time(name: str) -> None:
    started = time.process_time()
    found = read_entry(unread(title="A headline", html=BAD[name], description=BAD[name][:20_000]))
    assert time.process_time() - started < 6
    told = " ".join(sentence.text for sentence in found.summary)
    assert len(told) <= 450
    assert "<script" not in found.text
    f"{found.title}{found.text}{told}".encode()
    for sentence in found.summary:
        if sentence.start >= 0:
            assert found.text[sentence.start : sentence.end].split() == sentence.text.split()


@pytest.mark.parametrize("name", BAD)
def test_bad_titles_make_no_errors(name: str) -> None:
    found = read_entry(
        unread(title=BAD[name][:100_000], authors=(BAD[name][:1_000],), language=BAD[name][:50])
    )
    found.title.encode()
    assert "\n" not in found.title


def test_paywalls_and_cookie_walls_are_not_told() -> None:
    for name in ("paywall", "cookie wall"):
        found = read_entry(unread(title="A headline", html=BAD[name]))
        assert (found.source, found.summary) == ("title", ())


def test_importing_the_room_loads_nothing_heavy() -> None:
    code = (
        "import sys, digest.summarizer as s;"
        "print(sorted({'numpy', 'lxml', 'trafilatura', 'nh3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_compose_is_still_a_function_after_it_was_called() -> None:
    code = (
        "from digest import summarizer; from digest.model import *; from datetime import *;"
        "n = Newsletter(slug='s', title='T', schedule=Schedule(at=time(7), zone='UTC'));"
        "summarizer.compose(n, [], [], datetime.now(UTC)); summarizer.compose(n, [], [], datetime.now(UTC));"
        "print(callable(summarizer.compose))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"

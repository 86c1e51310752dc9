"""Markup of strangers: what comes out is safe, readable and on time."""

from __future__ import annotations

import time

import pytest

from digest.html import MAX_MARKUP, clean, plain, to_text, unstacked

BASE = "https://paper.example.org/2026/11/story/"

# ---------------------------------------------------------------- plain lines


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("  two\twords \n here ", "two words here"),
        ("a < b & c > d", "a < b & c > d"),
        ("nul\x00 bell\x07 esc\x1b[31m", "nul bell esc[31m"),
        ("evil \u202egnp.exe\u202c name", "evil gnp.exe name"),
        ("\u2066isolated\u2069", "isolated"),
        ("half \ud83d a pair", "half a pair"),
        ("soft\u00adhyphen zero\u200bwidth \ufeffmark", "softhyphen zerowidth mark"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("family 👨\u200d👩\u200d👧", "family 👨\u200d👩\u200d👧"),
        ("one\u2028two\u2029three\x0bfour", "one two three four"),
        ("{{ 7*7 }} ${x} %s", "{{ 7*7 }} ${x} %s"),
        ("\u200d \u200e\u061c\ufe0f\u3164\u2800", ""),
        ("\u3164 a", "\u3164 a"),
        ("", ""),
    ],
)
def test_a_line_is_one_clean_line_of_text(given: str, expected: str) -> None:
    assert plain(given) == expected


def test_a_clean_line_can_always_be_encoded() -> None:
    everything = "".join(map(chr, range(0, 0x11000, 3)))
    plain(everything).encode("utf-8")


def test_no_letter_carries_a_pile_of_marks() -> None:
    assert unstacked("e" + "\u0301" * 120 + "nd") == "e" + "\u0301" * 6 + "nd"
    assert (
        unstacked("\u0f40" + "\u0f74" * 50 + "\u0915" + "\u0941" * 50)
        == "\u0f40" + "\u0f74" * 6 + "\u0915" + "\u0941" * 6
    )
    assert unstacked("བསྒྲུབས་ क्ष्म्य क्षत्रियों ស្ត្រី") == "བསྒྲུབས་ क्ष्म्य क्षत्रियों ស្ត្រី"
    assert unstacked("Vie\u0302\u0323t ที่นี่ שָׁלוֹם") == "Vie\u0302\u0323t ที่นี่ שָׁלוֹם"


# ---------------------------------------------------------------- text


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>One.</p><p>Two.</p>", "One.\nTwo."),
        ("<p>split\nover   lines</p>", "split over lines"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<p>a <b>bold</b> word, <i>no</i>w.</p>", "a bold word, now."),
        ("<ul><li>first</li><li>second</li></ul>after", "first\nsecond\nafter"),
        ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1 2\n3"),
        ("<p>seen</p><script>alert(1)</script><style>p{}</style><p>too</p>", "seen\ntoo"),
        ("text <!-- not --> here", "text here"),
        ("a &lt; b &amp;amp; c", "a < b &amp; c"),
        ("no markup at all", "no markup at all"),
        ("<p>unclosed <div>mess</p> here", "unclosed\nmess here"),
        ("<noscript>hidden</noscript><button>Click</button>shown", "shown"),
        ("", ""),
        ("<!-- only -->", ""),
    ],
)
def test_text_keeps_its_blocks_apart(markup: str, expected: str) -> None:
    assert to_text(markup) == expected


# ---------------------------------------------------------------- safe markup


@pytest.mark.parametrize(
    ("markup", "forbidden"),
    [
        ("<script>alert(1)</script>", "alert"),
        ("<img src=x onerror=alert(1)>", "onerror"),
        ('<a href="javascript:alert(1)">x</a>', "javascript"),
        ('<a href="  java\tscript:alert(1)">x</a>', "script:"),
        ('<iframe src="https://evil.example/"></iframe>', "iframe"),
        ('<p style="position:fixed">x</p>', "style"),
        ("<form action=/steal><input name=p></form>", "form"),
        ('<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>', "svg"),
        ('<math><mtext><img src=x onerror="alert(1)"></mtext></math>', "onerror"),
        ('<img src="data:image/svg+xml;base64,AAAA">', "data:"),
        ('<meta http-equiv="refresh" content="0;url=https://evil.example">', "refresh"),
        ('<p class="x" id="y" data-z="1">x</p>', "class"),
        ("<p>&#x202e;reversed</p>", "\u202e"),
        ("<p>\x00\x01</p>", "\x01"),
    ],
)
def test_nothing_dangerous_stays(markup: str, forbidden: str) -> None:
    assert forbidden not in clean(markup, BASE)


def test_every_address_becomes_absolute() -> None:
    found = clean('<a href="../other?q=1#s">a</a><img src="/i.png" alt="An image"><a href="#top">t</a>', BASE)
    assert 'href="https://paper.example.org/2026/11/other?q=1#s"' in found
    assert 'src="https://paper.example.org/i.png"' in found
    assert f'href="{BASE}#top"' in found


@pytest.mark.parametrize("base", ["", "file:///etc/", "not a url", "https://[broken", "feeds/city.xml"])
def test_without_a_web_base_relative_addresses_are_dropped(base: str) -> None:
    found = clean('<a href="/x">word</a> <a href="https://kept.example/">other</a><img src="x.png">', base)
    assert "/x" not in found
    assert "<img" not in found
    assert "https://kept.example/" in found
    assert "word" in found


def test_good_markup_stays_as_it_is() -> None:
    good = "<p>A <em>fine</em> text with a <code>word</code>.</p><ul><li>one</li></ul>"
    assert clean(good, BASE) == good


def test_templates_come_out_as_text() -> None:
    assert clean("<p>{{7*7}} {% raw %}</p>", BASE) == "<p>{{7*7}} {% raw %}</p>"


# ---------------------------------------------------------------- markup that is built to hurt

HURTFUL = {
    "nested": "<div>" * 50_000 + "<p>inside</p>" + "</div>" * 50_000 + "<p>after</p>",
    "reopened": "".join(f"<p><b id={number}>x" for number in range(60_000)),
    "attributes": "<a " + " ".join(f"a{number}=1" for number in range(50_000)) + ">inside</a>",
    "ampersands": "&" * MAX_MARKUP,
    "angles": "<" * MAX_MARKUP,
    "half tags": "<a " * 600_000,
    "comments": "<!--" * 500_000,
    "scripts": "<script>" * 250_000,
    "tables": "<table>" * 200_000 + "inside",
    "paragraphs": "<p>x" * 500_000,
    "one word": "word " * 400_000,
}


@pytest.mark.parametrize("name", HURTFUL)
def test_hurtful_markup_is_read_in_a_moment(name: str) -> None:
    started = time.process_time()
    text, safe = to_text(HURTFUL[name]), clean(HURTFUL[name], BASE)
    assert time.process_time() - started < 5
    assert len(text) <= MAX_MARKUP
    if "inside" in HURTFUL[name]:
        assert "inside" in text
        assert "inside" in safe


def test_words_after_a_deep_nest_are_not_lost() -> None:
    assert to_text(HURTFUL["nested"]) == "inside\nafter"


def test_tags_inside_scripts_do_not_make_a_page_hurtful() -> None:
    page = "<script>" + "document.write('<b><i><div>');" * 3_000 + "</script><p>A <b>bold</b> word</p>"
    assert clean(page, BASE) == "<p>A <b>bold</b> word</p>"

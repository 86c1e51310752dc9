"""The text of an article, and none of the page around it."""

from __future__ import annotations

import time

import pytest

from digest.model import Entry
from digest.summarizer.extract import extract, extract_page, is_heap

STORY = [
    "The Harbour Bridge was closed on Friday after engineers found a crack in the bearing of its swinging "
    "span.",
    "The city says that it will stay shut for at least three weeks, until a new bearing has come from the "
    "foundry.",
    "A free boat takes people across every quarter of an hour, and cars go round by the viaduct upriver.",
    "“We saw the crack on Thursday night and did not sleep,” said the city engineer, who had it measured "
    "twice.",
    "Shopkeepers on the eastern bank fear for their Christmas trade and ask the council for lower rents.",
    "The bridge was built in 1931 and opens eleven hundred times a year for ships bound for the upper docks.",
]
PARAGRAPHS = "".join(f"<p>{line}</p>" for line in STORY)
FURNITURE = (
    "Skip to content", "Home", "Share on Facebook", "Related posts",
    "Five bridges you should see", "Leave a Comment",
    "Your email address will not be published", "Required fields are marked", "Post Comment", "Scroll to Top",
    "All rights reserved", "We use cookies", "Most read this week",
    "Get the City Desk by email", "appeared first on",
)  # fmt: skip
PAGE = f"""<!DOCTYPE html><html lang="en"><head><title>Harbour Bridge shut – City Desk</title>
<script>var x = "<b><i><div>";</script></head><body>
<div class="cookie-banner"><p>We use cookies to count our readers. <button>Accept all</button></p></div>
<header><a class="skip-link" href="#main">Skip to content</a><nav><ul><li><a href="/">Home</a></li>
<li><a href="/local">Local</a></li></ul></nav></header>
<main id="main"><article><h1>Harbour Bridge shut</h1><p class="byline">By Orla Tennant</p>
<div class="share-bar"><a href="#">Share on Facebook</a> <a href="#">Share on X</a></div>
{PARAGRAPHS}<p>The post Harbour Bridge shut appeared first on City Desk.</p></article>
<section><h3>Related posts</h3><ul><li><a href="/b">Five bridges you should see</a></li></ul></section>
<div id="respond"><h3>Leave a Comment</h3>
<form><p>Your email address will not be published. Required fields are
marked *</p><input name="email"><button>Post Comment</button></form></div></main>
<aside><h3>Most read this week</h3><p>Get the City Desk by email</p></aside>
<footer><p>© 2026 City Desk. All rights reserved.</p>
<a href="#top">Scroll to Top</a></footer></body></html>"""


def entry(**values: str) -> Entry:
    return Entry(
        **{"guid": "1", "url": "https://city.example.org/1", "title": "Harbour Bridge shut", **values}
    )


def test_a_page_gives_its_article_and_nothing_else() -> None:
    assert extract_page(PAGE, "https://city.example.org/1") == "\n".join(STORY)


def test_a_feed_that_carries_a_whole_page_comes_out_clean() -> None:
    body = extract(entry(html=PAGE))
    assert body.source == "content"
    assert body.text == "\n".join(STORY)
    assert not [phrase for phrase in FURNITURE if phrase.lower() in body.text.lower()]


def test_ordinary_content_keeps_every_paragraph() -> None:
    markup = f"<div><h1>Harbour Bridge shut</h1>{PARAGRAPHS}<ul><li>One more fact to know.</li></ul></div>"
    assert extract(entry(html=markup)).text == "\n".join([*STORY, "One more fact to know."])


def test_furniture_in_a_fragment_goes() -> None:
    markup = (
        f"{PARAGRAPHS}<div class='sharedaddy'><p>Share this: <a href='#'>X</a></p></div><p>Tags: bridges, "
        f"harbour</p>"
        "<p>The post <a href='#'>Harbour Bridge shut</a> appeared first on <a href='#'>City Desk</a>.</p>"
    )
    assert extract(entry(html=markup)).text == "\n".join(STORY)


def test_bytes_are_read_in_the_encoding_they_declare() -> None:
    page = PAGE.replace("<head>", '<head><meta charset="iso-8859-2">').replace("engineers", "inżynierowie")
    page = page.replace("–", "-").replace("“", '"').replace("”", '"').replace("©", "")
    assert "inżynierowie" in extract_page(page.encode("iso-8859-2"))


def test_a_byte_order_mark_tells_the_encoding() -> None:
    assert extract_page(PAGE.encode("utf-16")) == "\n".join(STORY)


@pytest.mark.parametrize(
    "page", [b"", b"\xff\xfe\x00", b"\xff", "plain words", "<html></html>", b"<!-- -->", "<p></p>" * 50]
)
def test_a_page_without_an_article_is_no_error(page: bytes | str) -> None:
    assert len(extract_page(page)) < 20


def test_short_content_gives_way_to_a_longer_description() -> None:
    body = extract(entry(html="<p>Read it here.</p>", description=" ".join(STORY[:3])))
    assert (body.source, body.text) == ("description", " ".join(STORY[:3]))


def test_a_teaser_gives_way_to_a_longer_description() -> None:
    teaser = " ".join(STORY[0].split()[:10]) + " […]"
    body = extract(entry(html=f"<p>{teaser}</p>", description=STORY[0] + " " + STORY[1]))
    assert body.source == "description"


def test_content_is_believed_before_a_description_that_says_less() -> None:
    body = extract(entry(html=f"<p>{STORY[0]}</p><p>{STORY[1]}</p>", description="Bridge shut."))
    assert (body.source, body.text) == ("content", f"{STORY[0]}\n{STORY[1]}")


def test_with_nothing_else_there_is_the_title() -> None:
    body = extract(entry(html="<img src='x.png'>", description=" "))
    assert (body.source, body.text) == ("title", "Harbour Bridge shut")


def test_half_a_sentence_at_the_cut_is_left_out() -> None:
    cut = "".join(f"<p>{line}</p>" for line in STORY) + "<p>The mayor said on Saturday that […]</p>"
    text = extract(entry(html=cut)).text
    assert text == "\n".join(STORY)


def test_a_form_around_the_whole_page_hides_nothing() -> None:
    assert extract_page(f"<html><body><form id='aspnet'>{PARAGRAPHS}</form></body></html>") == "\n".join(
        STORY
    )


def test_a_name_that_only_sounds_like_furniture_hides_nothing() -> None:
    page = f"<html><body><div class='with-sidebar non-paywall shareholders'>{PARAGRAPHS}</div></body></html>"
    assert extract_page(page) == "\n".join(STORY)


def test_markup_and_templates_in_text_stay_text() -> None:
    body = extract(entry(html="<p>Write &lt;b&gt; and {{7*7}} for bold.</p>" + PARAGRAPHS))
    assert body.text.startswith("Write <b> and {{7*7}} for bold.")


@pytest.mark.parametrize(
    "markup",
    [
        "<html><nav>" + "<a href='/x'>one two three four</a>" * 5_000 + "</nav>" + PARAGRAPHS * 200,
        "<nav></nav>" + "<div class='share'>x</div>" * 30_000,
        "<nav></nav>" + "<h2>Related posts</h2>" * 15_000,
        "<nav></nav>"
        + "".join(f"<div><p>Paragraph {n} of a very long page.</p></div>" for n in range(12_000)),
        "<article>" * 5_000 + "x",
        "<main>"
        + "<article>" * 180
        + "<article><p>some text of an article in an article.</p></article>" * 8_000,
        "<pre>" + "for i in range(10): print(i);\n" * 30_000,
        "<main>" + "<div>" * 20_000 + PARAGRAPHS,
        "<main>" + PARAGRAPHS + "<a href=/x>some link text here</a>" * 100_000,
        "<main>" + PARAGRAPHS + "<p><a href=/x>some link text here</a></p>" * 15_000,
        "<main><table>" + "<tr><td>1</td><td>2.5</td><td>abc</td></tr>" * 60_000 + "</table>",
        "<main>" + ("<table><tr><td>" + PARAGRAPHS) * 60,
        "<main><p>" + "w" * 2_000_000,
        "<main>"
        + '<div class="teaser x"><p>Some text of a teaser that is a little longer.</p></div>' * 8_000,
        "<main><div>" + "a line that is rather long and goes on<br><br>" * 15_000,
    ],
    ids=range(15),
)
def test_large_pages_are_read_in_a_second_or_two(markup: str) -> None:
    started = time.process_time()
    extract_page(markup)
    assert time.process_time() - started < 4  # 1 on an idle machine


def test_what_stands_first_on_a_page_without_an_end_is_read() -> None:
    page = f"<html><body><main>{PARAGRAPHS}{'<ul><li>one of many</li></ul>' * 9_000}</main></body></html>"
    assert extract_page(page).startswith("\n".join(STORY))


def test_two_breaks_make_a_paragraph_as_well() -> None:
    lines = "<br><br>".join(STORY)
    page = f"<html><body><div><b>City Desk</b></div><div>{lines}<br/>\n<br/></div></body></html>"
    assert extract_page(page) == "\n".join(STORY)


def test_a_character_that_no_tree_takes_is_left_out() -> None:
    page = f"<html><body><main><div>&#1;{'<br><br>&#2;'.join(STORY)}</div></main></body></html>"
    assert extract_page(page) == "\n".join(STORY)


def test_a_standfirst_is_read_though_it_is_called_a_teaser() -> None:
    rest = "".join(f"<p>{line}</p>" for line in STORY[1:])
    page = (
        f"<html><body>"
        f"<main><h1>Shut</h1><div class='teaser-text'><p>{STORY[0]}</p></div>{rest}</main></body></html>"
    )
    assert extract_page(page) == "\n".join(STORY)


def test_an_article_goes_on_after_a_link_to_another_one() -> None:
    lines = [f"<p>{line}</p>" for line in STORY]
    lines.insert(2, "<p>Read also: Five bridges you should see</p>")
    lines.insert(5, "<p><strong>You may also like</strong></p>")
    assert extract_page(f"<html><body><main>{''.join(lines)}</main></body></html>") == "\n".join(STORY)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>&amp;lt;b&amp;gt; stays text</p>", "&lt;b&gt; stays text"),
        ("<p>{{7*7}} ${7*7} <script>alert(1)</script>stays</p>", "{{7*7}} ${7*7} stays"),
        ("<p>left \u202eright\u202c \u2066in\u2069 order &#x202e;now</p>", "left right in order now"),
        ("<p>no\x00thing\x07 rings</p>", "nothing rings"),
    ],
)
def test_what_could_do_harm_is_text_or_gone(markup: str, text: str) -> None:
    assert extract(entry(html=markup)).text == text


def test_all_that_stands_on_a_page_in_one_line_is_no_article() -> None:
    menu = ["Home", "Issues", "Share", "Related articles", "The harbour papers: a secret hearing", "Weather"]
    assert is_heap(" ".join(menu), max(map(len, menu)))
    sentence = "A senior official of the harbour said on Monday that anyone could leave it by night."
    assert not is_heap(f"{sentence} {menu[4]}", len(sentence))
    assert not is_heap("\n".join(menu), max(map(len, menu)))  # lines: the filter of lines can see them

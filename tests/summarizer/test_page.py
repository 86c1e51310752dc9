"""What the page of an entry adds: its text when it is the article and says more; of a wall, nothing."""

from __future__ import annotations

import time

import pytest
from test_extract import PAGE, PARAGRAPHS, STORY
from window_samples import filler, unread

from digest.model import Article, Fetched
from digest.summarizer import read_entry

URL = "https://a.example/story/1"
TEASER = f"<p>{STORY[0]}</p>"


def read(
    page: str | bytes,
    *,
    title: str = "Harbour Bridge shut",
    description: str = TEASER,
    got: str = URL,
    content_type: str = "text/html; charset=utf-8",
    **entry: str,
) -> Article:
    body = page.encode() if isinstance(page, str) else page
    fetched = Fetched(url=got, status=200, body=body, content_type=content_type)
    return read_entry(unread(title=title, description=description, url=URL, **entry), fetched)


def whole(body: str, head: str = "") -> str:
    return (
        f"<!DOCTYPE html><html lang=en><head><title>Harbour Bridge shut – City Desk</title>"
        f'<meta property="og:title" content="Harbour Bridge shut">{head}</head><body>{body}</body></html>'
    )


ARTICLE = whole(f"<article><h1>Harbour Bridge shut</h1>{PARAGRAPHS}</article>")


def test_the_page_is_taken_when_it_says_more_than_the_feed() -> None:
    found = read(PAGE)
    assert (found.source, found.text) == ("page", "\n".join(STORY))
    assert found.words > 100
    assert found.fingerprint.shingles
    assert (found.title, found.url) == ("Harbour Bridge shut", URL)


def test_a_feed_of_titles_alone_is_filled_from_its_pages() -> None:
    assert read(PAGE, description="").text == "\n".join(STORY)


def test_a_feed_that_says_as_much_is_believed() -> None:
    found = read(ARTICLE, description="", html=PARAGRAPHS + "<p>One more thing that the page has not.</p>")
    assert (found.source, found.text.endswith("the page has not.")) == ("content", True)


def test_content_that_is_cut_off_gives_way_to_the_page_soon() -> None:
    assert read(PAGE, description="", html=f"<p>{' '.join(STORY[:5])} […]</p>").source == "page"
    assert read(PAGE, description="", html=f"<p>{' '.join(STORY[:5])}</p>").source == "content"


def test_a_moved_article_is_still_the_article() -> None:
    assert read(PAGE, got="https://b.example/news/1").source == "page"


@pytest.mark.parametrize(
    "got", ["https://a.example/", "https://a.example", "https://a.example/login?to=x", "https://consent.example/x",
            "https://a.example/error/404", "https://[broken"],
)  # fmt: skip
def test_where_a_detour_leads_there_is_no_article(got: str) -> None:
    assert read(PAGE, got=got).source == "description"


PITCH = """<h3>To continue reading, subscribe</h3><p>Already a subscriber? Log in to your account.</p>
<p>Get unlimited digital access to the City Desk for one euro a week, cancel anytime. Free trial for four
weeks, then
ten euros per month, billed every year. We thank you for supporting the journalism of the harbour.</p>"""
CONSENT = (
    """<h1>Before you continue</h1><p>We and our 842 partners store and access information on your
device, such
as cookies, and process personal data such as unique identifiers for personalised advertising and content,
measurement of advertising and content, audience research and services development.</p><p>With your
consent we and our
partners may use precise geolocation data and identification through device scanning. You may click to
consent to our
processing as described above. Alternatively you may refuse, or see more detailed information and change
your
preferences before consenting.</p>"""
    * 2
)
LOGIN = """<h1>Sign in</h1><p>Please log in to read Harbour Bridge shut.</p><form><input
name=a></form><p>Forgot your
password? Create an account, it is free and takes only a minute of your time, and it lets you read all
that we write
about the harbour and the bridge. It helps us to know who our readers are, and makes the comments a nicer
place.</p>"""
GONE = """<h1>Page not found</h1><p>The page you are looking for does not exist. It may have been moved
or taken out.
Try the search, or go back to the front page and look at what is new today in the town, the region and the
country.</p>"""
NOT_THE_ARTICLE = {
    "paywall": whole(f"<article><h1>Harbour Bridge shut</h1>{TEASER}<div>{PITCH}</div></article>"),
    "paywall without a word": whole(f"<article><h1>Harbour Bridge shut</h1>{PITCH}</article>"),
    "cookie wall": whole(CONSENT),
    "login": whole(LOGIN),
    "error": f"<html><body>{GONE}</body></html>",
    "empty": "",
    "a program": whole(
        "<div id=root></div><noscript>You need to enable JavaScript to run this app.</noscript>"
    ),
    "check": whole(
        "<h1>Checking your browser</h1><p>Verify that you are human by completing the action.</p>"
    ),
    "another article": whole(f"<article><p>{filler(1)}</p><p>{filler(2)}</p><p>{filler(3)}</p></article>"),
    "Bezahlschranke": whole(
        f"<article>{TEASER}<p>Jetzt weiterlesen mit dem Digitalabo: vier Wochen für einen Euro, danach zehn"
        " Euro im Monat, monatlich kündbar. Bereits Abonnent? Hier anmelden und alle Artikel ohne Werbung"
        " lesen, auch in der App und auf allen Geräten, die Sie haben.</p></article>"
    ),
}


@pytest.mark.parametrize("name", NOT_THE_ARTICLE)
@pytest.mark.parametrize("description", [TEASER, ""], ids=["with a teaser", "title alone"])
def test_what_stands_in_the_way_of_an_article_is_not_told(name: str, description: str) -> None:
    found = read(NOT_THE_ARTICLE[name], description=description)
    assert found.source == ("description" if description else "title")
    assert found.text == (STORY[0] if description else "Harbour Bridge shut")


def test_an_article_may_speak_of_subscriptions_and_cookies() -> None:
    lines = [*STORY, "The paper asks its readers to sign up for letters, and the law asks for your consent."]
    found = read(whole("".join(f"<p>{line}</p>" for line in lines)))
    assert found.text.split("\n") == lines


def test_a_page_fills_in_the_picture_the_language_and_the_title_that_the_feed_has_not() -> None:
    head = '<meta property="og:image" content="/bridge.jpg"><meta property="og:image" content="/second.jpg">'
    page = whole(PARAGRAPHS, head)
    assert read(page).image == "https://a.example/bridge.jpg"
    assert read(page, image="https://a.example/own.jpg").image == "https://a.example/own.jpg"
    assert read(whole(PARAGRAPHS, '<meta property="og:image" content="/logo.svg">')).image == ""
    assert read(whole(PARAGRAPHS)).image == ""
    assert read(whole(CONSENT, head)).image == ""
    assert read(page, title="").title == "Harbour Bridge shut"
    full = read(page, description="", html=PARAGRAPHS)
    assert (full.source, full.image) == ("content", "https://a.example/bridge.jpg")


@pytest.mark.parametrize(
    ("codec", "content_type", "head"),
    [
        ("cp1251", "text/html; charset=windows-1251", ""),
        ("cp1251", "text/html", "<meta charset=windows-1251>"),
        ("cp1251", "text/html", ""),
        ("utf-8", "text/html", ""),
        ("utf-16", "text/html", ""),
    ],
)
def test_a_page_is_read_in_its_own_encoding(codec: str, content_type: str, head: str) -> None:
    lines = [
        "Мост через гавань закрыли в пятницу после того, как инженеры нашли трещину в опоре пролёта.",
        "Город говорит, что мост будет закрыт не меньше трёх недель, пока не привезут новую опору с завода.",
        "Бесплатная лодка перевозит людей каждые четверть часа, а машины едут по виадуку выше по реке.",
        "Торговцы на восточном берегу боятся за рождественские продажи и просят снизить арендную плату.",
    ]
    page = f"<html><head>{head}</head><body>{''.join(f'<p>{line}</p>' for line in lines)}</body></html>"
    found = read(page.encode(codec), title="Мост закрыт", description=lines[0], content_type=content_type)
    assert (found.source, found.language, found.text.split("\n")) == ("page", "ru", lines)


@pytest.mark.parametrize(
    "page",
    [
        b"\x00" * 100_000,
        b"\xff\xfe" + b"<" * 10_001,
        b"<div>" * 200_000,
        b"<p>" + b"word " * 800_000,
        b"<html " + b"a='x' " * 300_000 + b">",
        b"<meta property=og:image content='" + b"x" * 2_000_000 + b"'>" + PARAGRAPHS.encode(),
        b"<table>" * 3_000 + PARAGRAPHS.encode(),
    ],
)
def test_no_page_costs_an_entry_its_article(page: bytes) -> None:
    started = time.process_time()
    found = read(page)
    assert time.process_time() - started < 8
    assert found.text.startswith(STORY[0])

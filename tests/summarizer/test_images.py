"""Which picture an article gets, and what is none."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from window_samples import article, unread

from digest.model import Entry
from digest.summarizer.images import image_of, placeholders, usable

HERE = "https://a.example/2026/story"


def entry(markup: str = "", *, image: str = "", description: str = "") -> Entry:
    return Entry(guid="1", url=HERE, title="T", html=markup, image=image, description=description)


@pytest.mark.parametrize(
    "source",
    [
        "https://a.example/photo.jpg",
        "/photo.jpg",
        "//cdn.example/photo.webp?w=1200&h=800",
        "https://a.example/wp-content/uploads/photo-150x150.jpg",
        "https://a.example/sites/default/files/styles/large/public/photo.jpg",
        "https://a.example/photo-16x9.jpg",
        "https://a.example/1x1/photo.jpg",
        "https://i.ytimg.example/vi/abc/hqdefault.jpg",
        "https://a.example/jenson-button-wins-again.jpg",
        "https://a.example/the-new-logo-of-the-city.jpg",
        "https://a.example/google-pixel-9-review.jpg",
        "https://a.example/fashion-icon-dies-aged-90.jpg",
        "https://images.ad.example/photo.jpg",
        "https://statistics.example/photo.jpg",
        "https://a.example/image?id=17",
    ],
)
def test_a_picture_is_a_picture(source: str) -> None:
    assert usable(source, HERE).endswith(source.removeprefix("https:"))


@pytest.mark.parametrize(
    "source",
    [
        "",
        "  ",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "ftp://a.example/photo.jpg",
        "https://[broken",
        "https://a.example/" + "x" * 3_000,
        "https://a.example/drawing.svg",
        "https://a.example/drawing.svg?v=2",
        "https://a.example/talk.mp3",
        "https://a.example/1x1.gif",
        "https://a.example/pixel.png?id=9",
        "https://a.example/count.gif",
        "https://a.example/spacer.gif",
        "https://a.example/photo.jpg?w=1&h=1",
        "https://a.example/photo-16x16.png",
        "https://a.example/banner-728x90.jpg",
        "https://a.example/skyscraper-160x600.jpg",
        "https://a.example/logo.png",
        "https://a.example/site-logo@2x.png",
        "https://a.example/logo-white-200.png",
        "https://a.example/assets/icons/share.png",
        "https://a.example/avatars/ann.jpg",
        "https://a.example/default-avatar.png",
        "https://a.example/ads/shoes.jpg",
        "https://secure.gravatar.com/avatar/abc?s=96",
        "https://s.w.org/images/core/emoji/15/72x72/1f525.png",
        "https://feeds.feedburner.com/~r/a/b",
        "https://feedads.g.doubleclick.net/~a/x",
        "https://pixel.wp.com/b.gif?host=a",
        "https://vg01.met.vgwort.de/na/abc",
        "https://ads.shop.example/shoes.jpg",
    ],
)
def test_what_counts_sells_or_decorates_is_no_picture(source: str) -> None:
    assert usable(source, HERE) == ""


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ('<img src="/a.jpg"><img src="/b.jpg">', "https://a.example/a.jpg"),
        ('<img src="/a.jpg" width="1" height="1"><img src="/b.jpg">', "https://a.example/b.jpg"),
        ('<img src="/a.jpg" style="width: 1px;height:1px"><img src="/b.jpg">', "https://a.example/b.jpg"),
        ('<img src="/a.jpg" style="display:none"><img src="/b.jpg">', "https://a.example/b.jpg"),
        ('<img src="/a.jpg" width="728" height="90"><img src="/b.jpg" width=600 height=400>', "https://a.example/b.jpg"),
        ('<img src="/a.jpg" width="300" height="1200">', ""),
        ('<img src="/a.jpg" width="100%" height="auto">', "https://a.example/a.jpg"),
        ('<img src="/smile.png" class="wp-smiley" alt=":)"><img src="/b.jpg">', "https://a.example/b.jpg"),
        ('<img src="/ann.jpg" class="avatar avatar-96">', ""),
        ('<img src="data:image/gif;base64,R0" data-src="/lazy.jpg">', "https://a.example/lazy.jpg"),
        ('<img src="/blank.gif" data-lazy-src="/lazy.jpg">', "https://a.example/lazy.jpg"),
        ('<img src="/s.jpg" srcset="/300.jpg 300w, /640.jpg 640w, /1024.jpg 1024w, /4000.jpg 4000w">',
         "https://a.example/640.jpg"),
        ('<img src="/s.jpg" srcset="/300.jpg 300w, /400.jpg 400w">', "https://a.example/400.jpg"),
        ('<img src="/s.jpg" srcset="/one.jpg 1x, /two.jpg 2x, /three.jpg 3x">', "https://a.example/two.jpg"),
        ('<img src="/s.jpg" srcset="nonsense,,  ,">', "https://a.example/s.jpg"),
        ('<img data-srcset="/640.jpg 640w">', "https://a.example/640.jpg"),
        ('<img src="/s.jpg" srcset="/f/w_640,h_400/a.jpg 640w, /f/w_900,h_600/a.jpg 900w">',
         "https://a.example/f/w_640,h_400/a.jpg"),
        ("<p>no picture</p>", ""),
        ("<img>", ""),
    ],
)  # fmt: skip
def test_the_first_real_picture_of_the_text_is_taken(markup: str, expected: str) -> None:
    assert image_of(entry(markup)) == expected
    assert image_of(entry(description=markup)) == expected


def test_what_the_feed_names_comes_before_the_page_and_the_text() -> None:
    inside = '<img src="/inside.jpg">'
    own, page = "https://a.example/own.jpg", "https://a.example/page.jpg"
    assert image_of(entry(inside, image=own), page) == own
    assert image_of(entry(inside), page) == page
    assert image_of(entry(inside, image="https://a.example/logo.png"), "") == "https://a.example/inside.jpg"
    assert image_of(entry(inside, image="https://a.example/inside.jpg"), page) == page
    assert image_of(entry(), page) == page
    assert image_of(entry(inside), "https://a.example/icon.svg") == "https://a.example/inside.jpg"


def test_what_the_text_shows_as_a_counter_is_none_even_if_the_feed_reader_named_it() -> None:
    markup = '<img src="/7.gif" width="1" height="1"><img src="/b.jpg">'
    assert image_of(entry(markup, image="https://a.example/7.gif")) == "https://a.example/b.jpg"


def test_https_is_taken_where_both_are_given() -> None:
    markup = '<img src="http://a.example/x.jpg"><img src="https://a.example/x.jpg">'
    assert image_of(entry(markup)) == "https://a.example/x.jpg"
    assert image_of(entry('<img src="http://a.example/x.jpg">')) == "http://a.example/x.jpg"


def test_a_picture_that_a_feed_gives_to_every_article_is_a_placeholder() -> None:
    shared, own = "https://a.example/card.jpg", "https://a.example/own.jpg"
    articles = [replace(article(number, f"Story {number}", "x"), image=shared) for number in (1, 2, 3)]
    other = replace(article(4, "Story 4", "x", feed="https://b.example/feed"), image=shared)
    single = replace(article(5, "Story 5", "x"), image=own)
    key = ("https://a.example/feed", shared)
    assert placeholders([*articles, other, single], ()) == {key}
    assert placeholders(articles[:2], ()) == set()


@pytest.mark.parametrize(
    "markup",
    [
        "<img src=/a.jpg>" * 50_000,
        '<img srcset="' + "a 1w," * 300_000 + '">',
        '<img style="' + "width:" * 300_000 + '">',
        '<img class="' + "a-" * 500_000 + '" src="/a.jpg">',
        '<img src="' + "x-" * 900 + '.jpg?' + "w=1&" * 300 + '">',
        "<img src='https://[::1'>" * 100,
    ],
)  # fmt: skip
def test_no_markup_takes_long(markup: str) -> None:
    started = time.process_time()
    image_of(entry(markup))
    assert time.process_time() - started < 1


def test_an_entry_without_an_address_keeps_absolute_pictures_only() -> None:
    bare = replace(unread(1).entry, url="", html='<img src="/a.jpg"><img src="https://b.example/b.jpg">')
    assert image_of(bare) == "https://b.example/b.jpg"

"""Web addresses: what can be asked, where a redirect leads, and who may know a password."""

from __future__ import annotations

import pytest
from yarl import URL

from digest.hops import may_know, next_url, place_of, read_url, shown
from digest.model import FeedError


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://a.example", "http://a.example"),
        (" HTTP://A.Example:80/x?y#z \n", "http://a.example/x?y"),
        ("https://bücher.example/größe", "https://xn--bcher-kva.example/gr%C3%B6%C3%9Fe"),
        ("https://a_b.example/ a", "https://a_b.example/%20a"),
        ("http://[2606:4700::0001]:8080/", "http://[2606:4700::1]:8080/"),
        ("http://a.example./", "http://a.example./"),
        ("http://10.0.0.1/", "http://10.0.0.1/"),
    ],
)
def test_addresses_are_read_as_people_write_them(text: str, url: str) -> None:
    assert str(read_url(text)) == url


NOT_ASKED = [
    *(
        "",
        "a.example",
        "/feed",
        "ftp://a.example/",
        "http://",
        "http:a.example",
        "http://a b.example/",
        "http://[::",
    ),
    *(
        "http://a.example:0/",
        "http://a.example:65536/",
        "http://127.1/",
        "http://0x7f.0.0.1/",
        "http://a..example/",
    ),
    *(
        "http://a.example\\@b.example/",
        "http://xn--a/",
        f"http://{'a' * 64}.example/",
        "http://a%41.example/",
    ),
    *("http://[fe80::1%25eth0]/", "http://a.example/" + "x" * 8_000, "http://\ud800.example/"),
]


@pytest.mark.parametrize("text", NOT_ASKED)
def test_what_cannot_be_asked_is_refused_in_words(text: str) -> None:
    with pytest.raises(FeedError) as caught:
        read_url(text)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b", "https://a.example:8443/b"),
        ("b?c", "https://a.example:8443/x/b?c"),
        ("?c", "https://a.example:8443/x/y?c"),
        ("//b.example/", "https://b.example/"),
        ("http://you:me@b.example/#c", "http://b.example/"),
        (
            "/gr\udcc3\udcb6\udcc3\udc9fe",
            "https://a.example:8443/gr%C3%B6%C3%9Fe",
        ),  # raw UTF-8, as aiohttp reads it
    ],
)
def test_a_redirect_is_relative_to_where_it_was_said(location: str, url: str) -> None:
    assert str(next_url(URL("https://a.example:8443/x/y"), location)) == url


@pytest.mark.parametrize("location", [None, "", "  "])
def test_a_redirect_to_nowhere_is_an_error(location: str | None) -> None:
    with pytest.raises(FeedError, match="without saying where"):
        next_url(URL("http://a.example/"), location)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://a.example./", ("a.example", 80)),
        ("https://a.example/", ("a.example", 443)),
        ("http://[2606:4700::1]:81/", ("2606:4700::1", 81)),
        ("http://bücher.example/", ("xn--bcher-kva.example", 80)),
    ],
)
def test_a_place_is_a_host_and_a_port(url: str, place: tuple[str, int]) -> None:
    assert place_of(read_url(url)) == place


@pytest.mark.parametrize(
    ("start", "url", "may"),
    [
        ("http://a.example/", "http://a.example/b", True),
        ("http://a.example/", "https://a.example/b", True),
        ("https://a.example/", "http://a.example/", False),
        ("https://a.example/", "https://a.example:8443/", False),
        ("https://a.example:8443/", "https://a.example:8443/", True),
        ("http://a.example/", "http://b.example/", False),
        ("http://a.example/", "http://www.a.example/", False),
    ],
)
def test_a_password_is_for_one_host_and_no_weaker_line(start: str, url: str, may: bool) -> None:
    assert may_know(URL(start), URL(url)) is may


def test_a_message_shows_no_password() -> None:
    assert shown("ftp://me:p@ss@a.example/x") == "'ftp://a.example/x'"
    assert len(shown("x" * 1000)) < 130

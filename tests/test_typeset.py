"""Text on its way out."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.typeset import clamp, clean, columns, host, one_line, safe_url, wrap


def test_what_cannot_be_shown_is_taken_out_and_line_ends_become_newlines() -> None:
    assert clean("a\x00b\x1b[1m\x7f\x9fc\ud800d\ufdd0e\uffff\U0001ffff\u202ef\u2066") == "ab[1mcdef"
    assert clean("a\r\nb\rc\u2028d\x85e\tf") == "a\nb\nc\nd\ne\tf"


def test_what_scripts_need_stays() -> None:
    assert clean("می\u200cخواهم \u200e\u200f👩\u200d🔬") == "می\u200cخواهم \u200e\u200f👩\u200d🔬"


def test_one_line_has_single_spaces_and_keeps_those_that_do_not_break() -> None:
    assert one_line("  a\r\n\tb \x0b\x1c c\u00a0d \x00 e ") == "a b c\u00a0d e"


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 70, "short"),
        ("exactly ten", 11, "exactly ten"),
        ("cut at a word, please", 18, "cut at a word…"),
        ("Donaudampfschifffahrtsgesellschaft", 10, "Donaudamp…"),
        ("一二三四五六七八九十", 6, "一二三四五…"),
        ("ab👩\u200d🔬cd", 5, "ab…"),
        ("abc👍🏽d", 5, "abc…"),
        ("ab🇩🇪🇫🇷x", 6, "ab🇩🇪…"),
        ("abe\u0301fg", 4, "ab…"),
        ("abक\u094dषd", 5, "ab…"),
    ],
)
def test_a_clamped_text_ends_at_a_word_or_a_whole_character(text: str, limit: int, expected: str) -> None:
    assert clamp(text, limit) == expected


@given(st.text(), st.integers(1, 80))
def test_a_clamped_text_is_one_line_within_its_limit(text: str, limit: int) -> None:
    clamped = clamp(text, limit)
    assert len(clamped) <= limit
    assert clamped == one_line(clamped)


def test_cjk_takes_two_columns_and_marks_take_none() -> None:
    assert columns("abc") == 3
    assert columns("日本") == 4
    assert columns("e\u0301") == 1


def test_lines_are_wrapped_at_72_columns_with_an_indent() -> None:
    wrapped = wrap("word " * 40, indent="  ")
    lines = wrapped.split("\n")
    assert len(lines) == 3
    assert all(line.startswith("  word") and len(line) <= 72 for line in lines)
    assert len(lines[0]) + len(" word") > 72  # no line ends early


def test_a_link_is_never_broken() -> None:
    url = "https://example.org/" + "a" * 100
    assert wrap(f"see {url} there") == f"see\n{url}\nthere"


def test_chinese_breaks_between_characters_but_not_before_a_full_stop() -> None:
    lines = wrap("第一二三四五六七八九。第二", 20).split("\n")
    assert lines == ["第一二三四五六七八", "九。第二"]


def test_korean_breaks_only_at_its_spaces() -> None:
    assert wrap("도서관 이동도서관", 12) == "도서관\n이동도서관"


@given(
    st.text(alphabet=st.sampled_from("ab 、。日本語がきー（）\u0301é한국"), max_size=200), st.integers(8, 40)
)
def test_wrapping_loses_nothing_and_keeps_to_the_width_where_it_can(text: str, width: int) -> None:
    wrapped = wrap(text, width)
    assert "".join(wrapped.split()) == "".join(one_line(text).split())
    for line in wrapped.split("\n"):
        assert columns(line) <= width or " " not in line


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.org/a?b=c&d=e#f", "https://example.org/a?b=c&d=e#f"),
        ("HTTP://Example.org", "http://Example.org"),
        ("mailto:a@example.org", "mailto:a@example.org"),
        ('https://example.org/a b"<c>', "https://example.org/a%20b%22%3Cc%3E"),
        (" https://example.org/\n", "https://example.org/"),
        ("javascript:alert(1)", ""),
        ("java\nscript:alert(1)", ""),
        ("\x01javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("file:///etc/passwd", ""),
        ("//example.org/x", ""),
        ("/x", ""),
        ("https:", ""),
        ("https://[::1", ""),
        ("https://[::1]:8080/x", "https://[::1]:8080/x"),
        ("https://example.org/日本?q=ü#é", "https://example.org/%E6%97%A5%E6%9C%AC?q=%C3%BC#%C3%A9"),
        ("https://example.org/a[1]?b[]=2&c=%zz%4", "https://example.org/a%5B1%5D?b%5B%5D=2&c=%25zz%254"),
        ("https://example.org/%E6%97%a5#a#b", "https://example.org/%E6%97%a5#a%23b"),
        ("https://Bücher.example:8080/ü", "https://xn--bcher-kva.example:8080/%C3%BC"),
        ("https://straße.example", "https://xn--strae-oqa.example"),
        ("https://例え。テスト/x", "https://xn--r8jz45g.xn--zckzah/x"),
        ("https://ü@bücher.example/", "https://%C3%BC@xn--bcher-kva.example/"),
        ("https://example.org:99999/", ""),
        ("https://example.org:80a/", ""),
        ("https://ex%61mple.org/", ""),
        ("https://exa mple.org/", ""),
        ("https://ex<b>.org/", ""),
        ("https://[::1%25eth0]/", ""),
        ("https://a\u2100b.example/", ""),  # would be a/cb.example to a browser
        ("mailto:jürgen@example.org?subject=a b", "mailto:j%C3%BCrgen@example.org?subject=a%20b"),
        ("mailto:", ""),
        ("", ""),
    ],
)
def test_only_web_and_mail_addresses_become_links(url: str, expected: str) -> None:
    assert safe_url(url) == expected


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30),
    st.sampled_from(("", "/", "?", "#", "@", ":", "ü")),
)
def test_what_becomes_a_link_is_a_uri_and_stays_as_it_is(text: str, sign: str) -> None:
    for url in (
        f"https://{text}",
        f"https://example.org{sign}{text}",
        f"HTTP://x{text}{sign}y",
        f"mailto:{text}",
    ):
        safe = safe_url(url)
        if safe:
            assert re.fullmatch(r"(?:[A-Za-z0-9\[\]._~!$&'()*+,;=:@/?#-]|%[0-9A-Fa-f]{2})+", safe)
            assert urlsplit(safe).port is None or urlsplit(safe).port == urlsplit(url).port
        assert safe_url(safe) == safe


def test_a_host_is_named_as_people_say_it() -> None:
    assert host("https://www.Example.org:8080/x") == "example.org"
    assert host("https://[::1") == ""

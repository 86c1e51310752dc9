"""Addresses: one spelling each, and the fast path never says yes where email-validator says no."""

from __future__ import annotations

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.addresses import AddressError, key, normalize


def by_the_library(text: str) -> str | None:
    """And two rules of our own."""
    if "\ufffd" in text:
        return None
    try:
        checked = validate_email(text.strip(), check_deliverability=False, strict=True)
    except EmailNotValidError:
        return None
    if len(checked.local_part.encode()) > 64:
        return None
    return f"{checked.local_part}@{checked.ascii_domain}"


def by_us(text: str) -> str | None:
    try:
        return normalize(text)
    except AddressError:
        return None


LOCALS = st.one_of(
    st.text("abcXYZ019.!#$%&'*+/=?^_`{|}~-", max_size=70),
    st.sampled_from(["info", "Postmaster", "ABUSE", "a" * 64, "a" * 65, '"q"', "a b", "ü", "", "a..b", ".a"]),
)
LABELS = st.one_of(
    st.text("abcXYZ019-_", max_size=12),
    st.sampled_from(
        ["xn--bcher-kva", "xn--a", "ab--c", "bücher", "a" * 63, "a" * 64, "-a", "a-", "", "例え", "ﬁ"]
    ),
)
TOPS = st.one_of(
    st.sampled_from(
        ["org", "ORG", "test", "localhost", "local", "example", "c0m", "arpa", "onion", "xn--p1ai", "1"]
    ),
    st.text("abz0-", min_size=1, max_size=4),
)
ADDRESSES = st.one_of(
    st.builds(lambda a, b, c: a + "@" + ".".join([*b, c]), LOCALS, st.lists(LABELS, max_size=4), TOPS),
    st.text('ab.@ <>"\\\n\t,;:()[]\x00é＠', max_size=30),
    st.text(max_size=30),
)


@settings(max_examples=1500, deadline=None)
@given(ADDRESSES)
@example("a@" + "b" * 63 + "." + "c" * 63 + "." + "d" * 63 + "." + "e" * 60 + ".org")
@example("a" * 64 + "@" + ".".join(["b" * 61] * 3) + ".org")
@example("a@b.org\n")
@example("ſ@example.org")
@example("a@example.orK")
def test_the_fast_path_agrees_with_email_validator(text: str) -> None:
    assert by_us(text) == by_the_library(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("you@example.org", "you@example.org"),
        ("  Bob.Smith+news@Mail.EXAMPLE.org\n", "Bob.Smith+news@mail.example.org"),
        ("o'neil@example.org", "o'neil@example.org"),
        ("Info@example.org", "info@example.org"),
        ("ich@bücher.example", "ich@xn--bcher-kva.example"),
        ("ich@XN--BCHER-KVA.example", "ich@xn--bcher-kva.example"),
        ("jörg@example.org", "jörg@example.org"),
        ("ü" * 32 + "@example.org", "ü" * 32 + "@example.org"),
    ],
)
def test_an_address_has_one_spelling(text: str, expected: str) -> None:
    assert normalize(text) == expected
    assert normalize(expected) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "must have an @-sign"),
        ("bob", "must have an @-sign"),
        ("bob@", "something after the @-sign"),
        ("@example.org", "something before the @-sign"),
        ("bob@localhost", "should have a period"),
        ("bob@printer.local", "special-use or reserved"),
        ("bob@example..org", "two periods in a row"),
        ("b ob@example.org", "invalid characters before the @-sign: SPACE"),
        ("Bob <bob@example.org>", "display name"),
        ('"b ob"@example.org', "Quoting"),
        ("bob@[127.0.0.1]", "square brackets|bracketed|domain literal|IP address"),
        ("m\ufffdller@example.org", r"U\+FFFD"),
        ("bob@m\ufffdller.example", r"U\+FFFD"),
        ("bob@example.org\r\nBcc: eve@example.org", "invalid characters"),
        ("b\x00b@example.org", "invalid characters"),
        ("a" * 65 + "@example.org", "too long before the @-sign"),
        ("ü" * 32 + "a@example.org", "too long before the @-sign"),
        ("a@" + "b." * 130 + "org", "too long"),
        ("a" * 1_000_000 + "@example.org", "The email address is too long"),
    ],
)
def test_what_is_no_address_is_refused_in_words_for_people(text: str, reason: str) -> None:
    with pytest.raises(AddressError, match=reason) as caught:
        normalize(text)
    assert "\n" not in str(caught.value)
    assert "\x00" not in str(caught.value)


def test_the_key_forgets_case_and_nothing_else() -> None:
    assert key(normalize("Bob@Example.org")) == key(normalize("bob@example.ORG"))
    assert key("bob+news@example.org") != key("bob@example.org")
    assert key("b.ob@example.org") != key("bob@example.org")
    assert key("strasse@example.org") != key("straße@example.org")

"""Text as the bytes of a letter."""

from __future__ import annotations

import email
import email.policy
import quopri
import re
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.publishers.mime import (
    ascii_url,
    header,
    is_address,
    phrase_tokens,
    quoted_printable,
    text_tokens,
    wire_address,
)
from digest.typeset import one_line

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=120)
TRICKY = st.one_of(TEXT, st.text('ab =?_utf-8q.From\r\n\t\x00é日🔬"\\(),<>@:;', max_size=160))


def read(field: bytes) -> email.message.EmailMessage:
    message = email.message_from_bytes(field + b"\r\n", policy=email.policy.default)
    assert isinstance(message, email.message.EmailMessage)
    return message


# ---------------------------------------------------------------- headers


@given(TRICKY)
def test_a_subject_is_read_back_as_it_was_written(text: str) -> None:
    field = header("Subject", text_tokens("Subject", text))
    assert field.endswith(b"\r\n")
    assert field.isascii()
    assert all(len(line) <= 76 for line in field.splitlines())
    assert not re.search(rb"[^\r]\n|\r[^\n]|\r\n[^ ]", field)  # no line but a folded one
    assert read(field)["Subject"] == one_line(text)


@given(TRICKY)
def test_a_display_name_is_read_back_as_it_was_written(text: str) -> None:
    field = header("From", [*phrase_tokens("From", text), "<news@example.org>"])
    assert field.isascii()
    assert all(len(line) <= 76 for line in field.splitlines())
    message = read(field)
    assert message.keys() == ["From"]
    (sender,) = message["From"].addresses
    assert sender.addr_spec == "news@example.org"
    name = sender.display_name
    if field.count(b"=?utf-8?") > 1:  # in addresses, this reader shows the space between two encoded words
        phrase = field.decode().replace("\r\n", "").removeprefix("From: ").partition(" <")[0]
        name = str(make_header(decode_header(phrase)))
    assert name == " ".join(one_line(text).split())


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("The Morning Post", b"From: The Morning Post <a@example.org>\r\n"),
        ("J. Doe, Jr", b'From: "J. Doe, Jr" <a@example.org>\r\n'),
        ('say "hi" \\', b'From: "say \\"hi\\" \\\\" <a@example.org>\r\n'),
        ("=?utf-8?q?fake?=", b"From: =?utf-8?q?=3D=3Futf-8=3Fq=3Ffake=3F=3D?= <a@example.org>\r\n"),
        ("Mörning", b"From: =?utf-8?q?M=C3=B6rning?= <a@example.org>\r\n"),
        ("日本", b"From: =?utf-8?b?5pel5pys?= <a@example.org>\r\n"),
        ("", b"From: <a@example.org>\r\n"),
        ("x\r\nBcc: b@example.org", b'From: "x Bcc: b@example.org" <a@example.org>\r\n'),
    ],
)
def test_a_name_stands_as_plainly_as_it_can(name: str, written: bytes) -> None:
    assert header("From", [*phrase_tokens("From", name), "<a@example.org>"]) == written


def test_encoded_words_hold_whole_characters_and_stay_within_75() -> None:
    field = header("Subject", text_tokens("Subject", "قطارات الليل " * 8))
    words = field.decode().split()[1:]
    assert len(words) > 2
    for each in words:
        assert len(each) <= 75
        (text, charset), *_ = decode_header(each)
        assert isinstance(text, bytes)
        text.decode(str(charset))  # no character is cut in two (RFC 2047 5)


def test_a_link_longer_than_a_line_is_neither_folded_nor_encoded() -> None:
    url = "https://example.org/unsubscribe/" + "x" * 200
    assert header("List-Unsubscribe", [f"<{url}>"]) == f"List-Unsubscribe: <{url}>\r\n".encode()


# ---------------------------------------------------------------- quoted-printable


@given(TRICKY)
def test_quoted_printable_is_read_back_as_it_was_written(text: str) -> None:
    encoded = quoted_printable(text)
    decoded = quopri.decodestring(encoded).decode()
    assert decoded.replace("\r\n", "\n") == re.sub("\r\n?", "\n", text)
    assert encoded.isascii()
    for line in encoded.split(b"\r\n"):
        assert len(line) <= 75 + line.endswith(b"=")
        assert not line.startswith((b".", b"From "))
        assert not line.endswith((b" ", b"\t"))
        assert re.fullmatch(rb"(?:[\t\x20-\x3c\x3e-\x7e]|=[0-9A-F]{2})*=?", line)


def test_no_character_of_utf_8_is_cut_by_a_soft_line_break() -> None:
    for shift in range(4):
        for line in quoted_printable("x" * shift + "é日🔬" * 40).split(b"=\r\n"):
            quopri.decodestring(line).decode()


# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("you@example.org", True),
        ("o'brien+tag@example.org", True),
        ("用户@例え.jp", True),
        ("you@[127.0.0.1]", False),
        ("a b@example.org", False),
        ("a@b@example.org", False),
        ("a@example.org\r\nBcc: b@example.org", False),
        ("a@example.org\x00", False),
        ("a@example.org,b@example.org", False),
        ("<a@example.org>", False),
        ('"a"@example.org', False),
        ("a@exam\u2028ple.org", False),
        ("a@exam\u00a0ple.org", False),
        ("example.org", False),
        ("@example.org", False),
        ("", False),
        ("a" * 400 + "@example.org", False),
    ],
)
def test_only_what_cannot_break_out_is_an_address(address: str, good: bool) -> None:
    assert is_address(address) is good


def test_a_domain_goes_out_in_ascii_and_only_a_mailbox_may_not() -> None:
    assert wire_address("You@Example.org") == "You@Example.org"
    assert wire_address("you@bücher.example") == "you@xn--bcher-kva.example"
    assert wire_address("you@straße.example") == "you@xn--strae-oqa.example"  # not strasse
    assert wire_address("用户@bücher.example") == "用户@xn--bcher-kva.example"


def test_an_address_in_a_header_is_ascii_and_cannot_leave_its_brackets() -> None:
    assert ascii_url("https://bücher.example:8080/ä?ö=ü&x=%20") == (
        "https://xn--bcher-kva.example:8080/%C3%A4?%C3%B6=%C3%BC&x=%20"
    )
    assert ascii_url("https://example.org/>\r\nBcc: x <") == "https://example.org/%3E%0D%0ABcc:%20x%20%3C"

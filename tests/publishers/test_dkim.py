"""Signatures, with dkimpy as the judge; and what an admin is told of keys that will not do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.publishers.base import Lent
from digest.publishers.dkim import Dkim, Signer, advice
from digest.publishers.email import Publisher, Settings, prepare_issue
from digest.publishers.keys import SigningKey
from digest.publishers.message import Opened, Reader, Sender, splice, values_of
from digest.store import Store
from dkim_keys import ed_key, pem, rsa_key, verifies
from letter_samples import LINKS, MIXED, SAMPLES, SITE
from publishing import bear, due, settle

WHEN = datetime(2026, 11, 22, 6, 10, tzinfo=UTC)
HEAD = b"From: Post <news@example.org>\r\nTo: you@example.org\r\nSubject: Morning\r\n"
LETTER = HEAD + b"\r\nA line.\r\n"
FROM = "The Morning Post <news@example.org>"


def signed(letter: bytes, *keys: Dkim) -> bytes:
    return Signer(keys).sign(letter, WHEN) + letter


# ---------------------------------------------------------------- the judge

_words = st.text(
    st.sampled_from("ab.:;=\té ") | st.characters(min_codepoint=0x21, max_codepoint=0x2FF), max_size=40
)
_folds = st.lists(_words, min_size=1, max_size=4).map("\r\n ".join)
_names = st.sampled_from(
    ["Subject", "subject", "To", "X-Own", "List-Unsubscribe", "Received", "DKIM-Other", "Comments"]
)
_heads = st.lists(st.tuples(_names, _folds, st.sampled_from([":", ": ", ":\t "])), max_size=6)
_lines = st.text(st.sampled_from("ab \t.=é"), max_size=12)
_bodies = st.lists(_lines, max_size=8).map(lambda lines: "".join(f"{line}\r\n" for line in lines))


@settings(max_examples=60, deadline=None)
@given(head=_heads, body=_bodies)
def test_the_judge_accepts_every_letter(head: list[tuple[str, str, str]], body: str) -> None:
    fields = "".join(f"{name}{colon}{value or 'x'}\r\n" for name, value, colon in head if value.strip())
    letter = b"From: Post <news@example.org>\r\n" + fields.encode() + b"\r\n" + body.encode()
    assert verifies(signed(letter, rsa_key(1024), ed_key()), rsa_key(1024), ed_key())


@pytest.mark.parametrize(
    "letter",
    [
        HEAD + b"\r\n",
        HEAD + b"\r\n\r\n",
        HEAD + b"\r\nEnds with empty lines.\r\n \r\n\t\r\n\r\n",
        HEAD + b"X-Folded: one\r\n\ttwo \r\n   three\r\n\r\n  Led  by \t blanks \r\n.\r\n..\r\n",
        "From: <news@example.org>\r\nTo: jörg@example.org\r\n\r\nGrüße\r\n".encode(),
        b"To: a@b.example\r\nFrom: <news@example.org>\r\nTo: c@d.example\r\nto: e@f.example\r\n\r\nx\r\n",
    ],
)
@pytest.mark.parametrize("make", [rsa_key, ed_key])
def test_the_judge_accepts_odd_letters(letter: bytes, make: Callable[[], Dkim]) -> None:
    assert verifies(signed(letter, make()), make())


def test_a_letter_may_have_several_signatures() -> None:
    letter = signed(LETTER, rsa_key(), ed_key())
    assert letter.count(b"DKIM-Signature:") == 2
    assert verifies(letter, rsa_key(), ed_key())


@pytest.mark.parametrize(("key", "step"), [(rsa_key(), 5), (ed_key(), 1)], ids=["rsa", "ed25519"])
def test_a_byte_that_changed_is_noticed_wherever_it_stands(key: Dkim, step: int) -> None:
    letter = signed(LETTER, key)
    start = len(letter) - len(LETTER)
    blank = letter.index(b"\r\n\r\n")
    for place in (letter.index(b"d=example") + 3, *range(start + 5, len(letter) - 2, step)):
        if letter[place : place + 1].isspace() or blank <= place < blank + 4:
            continue
        changed = letter[:place] + bytes([letter[place] ^ 1]) + letter[place + 1 :]
        try:
            assert not verifies(changed, key), changed
        except dkim.DKIMException:
            continue  # no letter any more, or no signature


@pytest.mark.parametrize(
    "field",
    [
        b"From: other@example.net",
        b"To: z@example.org",
        b"Cc: x@y.example",
        b"Subject: Buy",
        b"Reply-To: other@example.net",
        b"Content-Type: text/html",
        b"List-Unsubscribe: <https://other.example/>",
    ],
)
def test_nobody_can_add_a_field_that_matters(field: bytes) -> None:
    front, end = signed(LETTER, ed_key()).split(b"\r\nFrom:", 1)
    for letter in (
        front + b"\r\n" + field + b"\r\nFrom:" + end,
        front + b"\r\nFrom:" + end.replace(b"\r\n\r\n", b"\r\n" + field + b"\r\n\r\n", 1),
    ):
        assert not verifies(letter, ed_key())


def test_what_servers_add_on_the_way_is_left_to_them() -> None:
    letter = signed(b"Received: one\r\n" + LETTER, ed_key())
    assert verifies(b"Return-Path: <b@example.org>\r\nReceived: two\r\n" + letter, ed_key())
    assert verifies(letter.replace(b"Received: one\r\n", b""), ed_key())


# ---------------------------------------------------------------- the same bytes, and few steps


@pytest.mark.parametrize("name", SAMPLES)
def test_a_prepared_letter_is_signed_as_the_whole_one_is(name: str) -> None:
    shown, newsletter = SAMPLES[name]
    sender = Sender(name="Post", address="news@example.org")
    prepared = prepare_issue(shown, newsletter, SITE, sender, LINKS, None)
    signer = Signer([rsa_key(), ed_key()])
    stamp = signer.prepare(Opened(prepared).pieces, WHEN)
    for number, address in enumerate(("ann@example.org", "jörg@example.net", "x@bücher.example"), 1):
        reader = Reader(
            address=address,
            message_id=LINKS.message_id(str(number), "example.org"),
            unsubscribe_token=LINKS.token("unsubscribe", number),
            preferences_token=LINKS.token("preferences", number),
        )
        letter = splice(prepared, reader)
        fields = stamp.sign(values_of(reader))
        assert fields == signer.sign(letter, WHEN)
        assert verifies(fields + letter, rsa_key(), ed_key())


def test_a_signature_is_the_same_each_time_and_its_lines_are_short() -> None:
    first = Signer([rsa_key(), ed_key()]).sign(LETTER, WHEN)
    assert first == Signer([rsa_key(), ed_key()]).sign(LETTER, WHEN)
    assert f" t={int(WHEN.timestamp())};".encode() in first
    assert not any(tag in first for tag in (b" l=", b" x=", b" i="))
    assert max(map(len, first.split(b"\r\n"))) <= 78
    assert first.isascii()


def test_nothing_is_put_in_front_without_a_key() -> None:
    assert Signer([]).sign(LETTER, WHEN) == b""


def test_a_place_cannot_be_forged_by_the_letter() -> None:
    with pytest.raises(ValueError, match="NUL"):
        Signer([ed_key()]).prepare([(0, b"To: \0001\0"), (1, b""), (0, b"\r\n\r\n")], WHEN)
    assert verifies(signed(LETTER + b"\0001\0\r\n", ed_key()), ed_key())


# ---------------------------------------------------------------- the channel


@pytest.mark.asyncio
async def test_every_letter_is_signed_and_a_retry_has_the_same_bytes(
    store: Store, lend: Callable[..., Lent]
) -> None:
    settings = Settings(from_=FROM, dkim=(rsa_key(), ed_key()))
    publisher = Publisher(settings, lend())
    await settle(store, readers=["ann@example.org"])
    await bear(store, MIXED, publisher)
    await store.notices.create(
        kind="report", key="k", recipient="boss@example.org", newsletter="world", data={}, now=WHEN
    )
    deliveries = await due(store, "email")
    for delivery in deliveries:
        first = await publisher._write(delivery)
        again = await Publisher(settings, lend())._write(delivery)
        assert first.body == again.body
        assert verifies(b"".join(first.body), rsa_key(), ed_key())
    assert len(deliveries) == 2


# ---------------------------------------------------------------- what an admin is told


def test_keys_that_will_not_do_are_refused_in_plain_words() -> None:
    good = rsa_key().key
    for key, words in (
        ("dkim.pem", "!file dkim.pem"),
        (good.replace("MII", "AAA", 1), "broken"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "RSA or an Ed25519"),  # type: ignore[arg-type]
        (good.replace("PRIVATE", "PUBLIC"), "is a public one"),
    ):
        with pytest.raises(ValueError, match=words) as told:
            SigningKey.of(key)
        assert good.splitlines()[1] not in str(told.value)
    for domain, selector in (("example", "s1"), ("exa mple.org", "s1"), ("example.org", "s1;"), ("a.b", "")):
        with pytest.raises(ValueError, match=r"domain|selector"):
            Dkim(domain=domain, selector=selector, key=good)


def test_one_key_or_a_list_of_keys_and_none_twice() -> None:
    assert Settings(from_=FROM, dkim=ed_key()).keys == (ed_key(),)
    with pytest.raises(ValueError, match="same domain and selector"):
        Settings(from_=FROM, dkim=(ed_key(), ed_key()))


def test_the_doctor_shows_the_record_and_warns_of_what_dmarc_will_not_count() -> None:
    assert [state for _, state, _ in advice((), "news@example.org")] == ["warn"]
    assert "the relay signs for example.org" in advice((), "news@example.org")[0][2]
    [(_, state, said)] = advice((ed_key(),), "news@mail.example.org")
    assert state == "ok"
    assert said == f"publish in DNS: ed._domainkey.example.org TXT {ed_key().record()}"
    assert [state for _, state, _ in advice((rsa_key(1024),), "n@example.org")] == ["ok", "warn"]
    assert "DMARC" in advice((ed_key(),), "news@example.net")[-1][2]
    assert [state for _, state, _ in advice((ed_key("example.net"), ed_key()), "n@example.org")] == [
        "ok",
        "ok",
    ]

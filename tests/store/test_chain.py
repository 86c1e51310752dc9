"""The seals of the consent ledger, without a database."""

from __future__ import annotations

import hmac
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.model import DigestError
from digest.store.chain import (
    NOBODY,
    Chain,
    Head,
    Keys,
    Line,
    bytes_of,
    linker,
    mark_of,
    person_of,
    tail_of,
)

KEYS = Keys.of([b"one secret that is long enough"])
SALT = b"0123456789abcdef"


def line(number: int = 1, **changes: object) -> Line:
    made = Line(
        subscriber=number,
        at=1_700_000_000_000_000,
        newsletter="world",
        event="yes",
        source="web",
        person=person_of(SALT, "me@example.org"),
        mark=mark_of(SALT, "{}"),
    )
    return made._replace(**changes)  # type: ignore[arg-type]


@given(key=st.binary(min_size=1, max_size=64), message=st.binary(max_size=200))
def test_a_seal_is_an_hmac_of_sha256_cut_to_128_bits(key: bytes, message: bytes) -> None:
    assert linker(key)(message) == hmac.digest(key, message, "sha256")[:16]


def test_lines_are_numbered_from_the_head_on_and_the_head_moves() -> None:
    chain = Chain(KEYS, Head())
    first = list(chain.seal([line(1), line(2)]))
    assert [number for number, _ in first] == [1, 2]
    assert chain.head == Head(2, first[-1][1])
    again = Chain(KEYS, Head(1, first[0][1]))
    assert list(again.seal([line(2)])) == first[1:], "a chain can be gone on with from any head"


@pytest.mark.parametrize(
    "change",
    [
        {"subscriber": 2},
        {"at": 1},
        {"newsletter": "worl"},
        {"event": "no"},
        {"source": "cli"},
        {"person": NOBODY},
        {"mark": NOBODY},
        {"sealed_at": 1},
    ],
)
def test_every_word_of_a_line_is_under_its_seal(change: dict[str, object]) -> None:
    ((_, before),) = Chain(KEYS, Head()).seal([line()])
    ((_, after),) = Chain(KEYS, Head()).seal([line(**change)])
    assert before != after


def test_a_seal_depends_on_the_place_on_the_line_before_and_on_the_key() -> None:
    def sealed(head: Head, keys: Keys = KEYS) -> bytes:
        ((_, seal),) = Chain(keys, head).seal([line()])
        return seal

    seals = {
        sealed(Head()),
        sealed(Head(1)),
        sealed(Head(0, b"x" * 16)),
        sealed(Head(), Keys.of([b"another secret"])),
    }
    assert len(seals) == 4


words = st.text(max_size=12)


@given(one=st.tuples(words, words, words, words), two=st.tuples(words, words, words, words))
def test_no_two_lines_have_the_same_bytes(one: tuple[str, ...], two: tuple[str, ...]) -> None:
    bytes_of_one, bytes_of_two = bytes_of(1, line(), tail_of(*one)), bytes_of(1, line(), tail_of(*two))
    assert (bytes_of_one == bytes_of_two) is (one == two)


def test_rotated_secrets_keep_their_ids_and_the_first_one_signs() -> None:
    old, new = b"the old secret, in use till now", b"the new secret, used from now on"
    rotated = Keys.of([new, old])
    assert rotated.current == Keys.of([new]).current
    assert rotated.by_id[Keys.of([old]).current] == Keys.of([old]).by_id[Keys.of([old]).current]
    with pytest.raises(DigestError, match="needs a secret"):
        Keys.of([])


def test_a_key_is_not_the_secret_and_is_not_shown() -> None:
    secret = b"one secret that is long enough"
    assert secret not in KEYS.by_id.values()
    assert "by_id" not in repr(KEYS)
    with pytest.raises(FrozenInstanceError):
        KEYS.current = "x"  # type: ignore[misc]


def test_an_address_is_known_only_with_the_salt() -> None:
    assert person_of(SALT, "Me@Example.org") == person_of(SALT, "me@example.org")
    assert person_of(SALT, "me@example.org") != person_of(b"f" * 16, "me@example.org")
    assert person_of(None, None) == person_of(None, "me@example.org") == NOBODY
    assert mark_of(SALT, '{"a":1}') != mark_of(SALT, '{"a":2}')
    assert mark_of(SALT, "{}") != mark_of(b"f" * 16, "{}")


def test_a_head_is_read_as_it_was_printed() -> None:
    head = Head(1234, bytes(range(16)))
    assert Head.read(f" {head}\n") == head
    assert str(head) == "000102030405060708090a0b0c0d0e0f:1234"


@pytest.mark.parametrize(
    "text", ["", "x", "00:1", "0" * 32, "0" * 32 + ":", "0" * 32 + ":-1", "g" * 32 + ":1"]
)
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(DigestError, match="no head of the ledger"):
        Head.read(text)

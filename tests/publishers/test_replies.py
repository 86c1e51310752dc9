"""What an answer means: whom it concerns, and whether trying again can help."""

from __future__ import annotations

import pytest
from a_ledger import kind

from digest.publishers.replies import (
    Blocked,
    RelayDown,
    Stage,
    ends_connection,
    lost,
    refusal,
    reply_line,
    stray,
)


def said(stage: Stage, reply: str, *, fresh: bool = True) -> tuple[str, bool, bool]:
    """In a word; whether it speaks of us; whether it names a time."""
    code, _, text = reply.partition(" ")
    error = refusal(stage, int(code), text, recipient="ann@example.org", relay="r", fresh=fresh)
    return kind(error), isinstance(error, Blocked), error.wait is not None


DEAD = ("dead", False, False)
FAILED = ("failed", False, False)
LATER = ("later", False, False)
BLOCKED = ("later", True, True)
NOT_THEIRS = ("not the reader's", False, False)


@pytest.mark.parametrize(
    ("reply", "means"),
    [
        ("550 5.1.1 no such user", DEAD),
        ("550 5.1.2 no such domain", DEAD),
        ("553 5.1.3 bad syntax", DEAD),
        ("551 5.1.6 moved", DEAD),
        ("556 5.1.10 null MX", DEAD),
        ("550 5.2.1 disabled", DEAD),
        ("550 5.1.0 something about the address", FAILED),
        ("553 5.1.7 your address", BLOCKED),
        ("553 5.1.8 your domain", BLOCKED),
        ("554 5.7.1 blocked", BLOCKED),
        ("550 5.7.26 not authenticated", BLOCKED),
        ("550 no such user here", FAILED),
        ("550 5.1.1x no such code", FAILED),
        ("550 4.1.1 a code of another class", FAILED),
        ("552 5.2.2 full", FAILED),
        ("552 too much", FAILED),
        ("503 5.5.1 bad sequence", FAILED),
        ("450 5.1.1 the class is the code's", LATER),
        ("450 4.2.0 greylisted", LATER),
        ("451 4.7.1 greylisted, see you in 300 seconds", LATER),
        ("452 4.2.2 full", LATER),
        ("454 4.7.0 later", LATER),
        ("421 4.7.0 later", NOT_THEIRS),
    ],
)
def test_a_refusal_of_the_recipient(reply: str, means: tuple[str, bool, bool]) -> None:
    assert said(Stage.RCPT, reply) == means


@pytest.mark.parametrize("stage", [Stage.DATA, Stage.DOT])
@pytest.mark.parametrize(
    "reply",
    [
        "550 5.1.1 no such user",
        "554 5.7.1 blocked",
        "550 spam",
        "552 5.3.4 too big",
        "554 5.6.0 bad",
        "503 no",
    ],
)
def test_no_refusal_of_what_we_write_fails_a_reader_for_good(stage: Stage, reply: str) -> None:
    assert said(stage, reply) == BLOCKED


@pytest.mark.parametrize("stage", [Stage.DATA, Stage.DOT])
@pytest.mark.parametrize(
    ("reply", "means"),
    [("451 4.3.0 later", LATER), ("452 4.3.1 disk full", LATER), ("421 4.3.0 down", NOT_THEIRS)],
)
def test_a_temporary_refusal_of_what_we_write(
    stage: Stage, reply: str, means: tuple[str, bool, bool]
) -> None:
    assert said(stage, reply) == means


@pytest.mark.parametrize(
    ("stage", "reply", "ends"),
    [
        (Stage.MAIL, "421 bye", True),
        (Stage.RCPT, "452 4.5.3 too many", True),
        (Stage.RCPT, "450 4.5.3 too many", True),
        (Stage.DOT, "451 4.5.3 too many", True),
        (Stage.RCPT, "452 too many recipients", True),
        (Stage.MAIL, "452 too many messages", True),
        (Stage.RCPT, "452 4.2.2 full", False),
        (Stage.DOT, "452 no room", False),
        (Stage.DOT, "452 4.3.1 no room", False),
        (Stage.RCPT, "450 4.2.0 grey", False),
    ],
)
def test_a_connection_that_had_enough(stage: Stage, reply: str, ends: bool) -> None:
    code, _, text = reply.partition(" ")
    assert ends_connection(stage, int(code), text) == ends
    if ends and stage is not Stage.MAIL:
        assert said(stage, reply, fresh=False) == ("not the reader's", False, True)
        if not reply.startswith("421"):
            assert said(stage, reply, fresh=True) == LATER, (
                "nothing was sent on it: so it is not the connection"
            )


@pytest.mark.parametrize("code", [200, 250, 354, 399])
@pytest.mark.parametrize(("stage", "means"), [(Stage.DATA, "not the reader's"), (Stage.DOT, "unknown")])
def test_an_answer_that_is_neither_yes_nor_no(stage: Stage, code: int, means: str) -> None:
    assert kind(refusal(stage, code, "what?", recipient="ann@example.org", relay="r")) == means


@pytest.mark.parametrize(
    ("stage", "means"),
    [
        (Stage.MAIL, "not the reader's"),
        (Stage.RCPT, "not the reader's"),
        (Stage.DATA, "not the reader's"),
        (Stage.DOT, "unknown"),
    ],
)
def test_a_letter_is_unknown_only_when_its_body_may_have_arrived(stage: Stage, means: str) -> None:
    assert kind(lost(stage, "no answer in time", relay="r")) == means


def test_replies_are_kept_short_and_on_one_line() -> None:
    assert reply_line(550, "5.1.1 gone\r\n\x1b[31mfor\udc80 good\x00") == "550 5.1.1 gone [31mfor good"
    assert len(reply_line(550, "x" * 10_000)) == 500
    assert reply_line(-1, "Malformed") == "Malformed"


def test_an_address_is_hidden_however_it_is_written() -> None:
    for text in ("<Ann@Example.org> unknown", "ANN@EXAMPLE.ORG ANN@example.org", "x (ann@example.org)"):
        assert "example" not in reply_line(550, text, hide="ann@example.org").lower()
    assert reply_line(550, "<jörg@example.org>", hide="jörg@example.org") == "550 <(address)>"
    assert reply_line(550, "a.n@example.org", hide=".*") == "550 a.n@example.org"


def test_what_belongs_to_no_letter_names_nobody() -> None:
    assert stray("what \0 about <ann@example.org>?") == "what about <(address)>?"
    assert stray("ann@example.org is gone", 550) == "550 (address) is gone"


@pytest.mark.parametrize("code", [421, 450, 500, 550, 554, -1, 150, 354])
def test_nothing_said_at_mail_is_held_against_the_reader(code: int) -> None:
    error = refusal(Stage.MAIL, code, "5.1.1 whatever", recipient="ann@example.org", relay="r")
    assert isinstance(error, RelayDown)
    assert kind(error) == "not the reader's"

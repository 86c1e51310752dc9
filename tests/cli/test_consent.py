"""`digest subscribers verify`: the record of consent as an admin looks after it."""

from __future__ import annotations

import logging
import re
import sqlite3
from pathlib import Path

import pytest

from digest.cli.console import configure_logging
from digest.links import Links


def change(folder: Path, statement: str) -> None:
    with sqlite3.connect(folder / "subscribers.db") as connection:
        connection.execute(statement)
    connection.close()


@pytest.fixture
def three(digest) -> str:
    """Three readers and the config's own; the head at that time."""
    digest("subscribers", "add", "world", "a@example.org", "b@example.org", "c@example.org")
    return str(digest("subscribers", "verify", "--json").json()["head"])


def test_an_untouched_record_is_ok_and_its_head_is_told(digest, three: str) -> None:
    said = digest("subscribers", "verify")
    assert said.code == 0
    assert said.out.splitlines() == [
        "ok: 4 lines, and every active subscription rests on a yes",
        f"head {three}",
    ]
    assert re.fullmatch(r"[0-9a-f]{32}:4", three)


def test_a_changed_line_is_named_and_is_exit_3(digest, three: str, folder: Path) -> None:
    change(folder, "UPDATE consents SET source = 'web' WHERE seq = 2")
    said = digest("subscribers", "verify")
    assert said.code == 3
    assert "line 2 is not as sealed" in said.out
    told = digest("subscribers", "verify", "--json")
    assert told.code == 3
    assert told.json()["ok"] is False


@pytest.mark.parametrize(
    ("act", "told"),
    [
        ("DELETE FROM consent_heads", "the head of the ledger is gone"),
        ("UPDATE consents SET at = 'abc' WHERE seq = 2", "line 2 or its person holds a kind of value"),
        (
            "UPDATE consents SET newsletter = x'ff' WHERE seq = 2",
            "line 2 or its person holds a kind of value",
        ),
        ("UPDATE subscribers SET salt = 5 WHERE id = 2", "or its person holds a kind of value"),
        ("UPDATE consents SET source = CAST(x'ff' AS TEXT) WHERE seq = 2", "text that is no UTF-8"),
    ],
)
def test_what_we_never_write_is_a_finding_in_words(
    digest, three: str, folder: Path, act: str, told: str
) -> None:
    change(folder, act)
    said = digest("subscribers", "verify")
    assert (said.code, told in said.out) == (3, True), (said.out, said.err)
    assert "fault of Digest" not in said.err


def test_it_is_said_that_only_a_printed_head_shows_a_cut(digest, three: str) -> None:
    assert "--head HASH:LENGTH" in digest("subscribers", "verify").err
    assert "--head" not in digest("subscribers", "verify", "--head", three).err


def test_a_head_from_the_log_proves_that_nothing_was_cut_off(digest, three: str, folder: Path) -> None:
    digest("subscribers", "add", "world", "d@example.org")
    assert digest("subscribers", "verify", "--head", three).code == 0
    change(folder, "DELETE FROM consents WHERE seq > 3")
    gone = "NOT IN (SELECT subscriber_id FROM consents)"
    change(folder, f"DELETE FROM subscriptions WHERE subscriber_id {gone}")
    change(folder, "UPDATE consent_heads SET length = 3, link = (SELECT link FROM consents WHERE seq = 3)")
    change(folder, f"DELETE FROM subscribers WHERE id {gone}")
    assert digest("subscribers", "verify").code == 0
    said = digest("subscribers", "verify", "--head", three)
    assert said.code == 3
    assert "the newest lines were cut off, 3 are left" in said.out


def test_what_is_no_head_is_said(digest, three: str) -> None:
    said = digest("subscribers", "verify", "--head", "yesterday")
    assert said.code in (1, 2)
    assert "no head of the ledger" in said.err


def test_a_secret_is_rotated_and_the_old_lines_still_verify(digest, three: str, folder: Path) -> None:
    config = folder / "config.yaml"
    text = config.read_text(encoding="utf-8")
    rotated = text.replace("secret: !file secret.key", "secret: [!file new.key, !file secret.key]")
    assert rotated != text
    config.write_text(rotated, encoding="utf-8")
    digest("subscribers", "add", "world", "d@example.org")
    said = digest("subscribers", "verify", "--head", three)
    assert (said.code, said.out.splitlines()[0][:11]) == (0, "ok: 5 lines")
    assert (folder / "new.key").stat().st_mode & 0o777 == 0o600
    config.write_text(text, encoding="utf-8")
    assert digest("subscribers", "verify").code == 75, "the old secret alone signs no more"


def test_an_old_database_is_sealed_as_it_was_found(digest, three: str, folder: Path) -> None:
    change(folder, "UPDATE consents SET seq = NULL, link = NULL, person = NULL, mark = NULL, key_id = NULL")
    change(folder, "UPDATE consent_heads SET length = 0, link = zeroblob(16), found_to = NULL, begun = NULL")
    said = digest("subscribers", "verify")
    assert said.code == 0
    assert (
        "4 lines are older than the chain: they are sealed as they were found then, the last of them 2"
        in said.err
    )


@pytest.mark.parametrize("name", ["uvicorn.error", "python_multipart.multipart"])
def test_nobody_fills_the_log_with_what_is_no_form(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    configure_logging(service=True)
    logging.getLogger(name).warning("Expected boundary character 45, got 101 at index 2")
    logging.getLogger(name).error("this is our own fault")
    said = capfd.readouterr().err
    assert "boundary" not in said
    assert "our own fault" in said


PLACES = ["confirm", "unsubscribe", "preferences", "preferences/manage", "unsubscribe/undo"]


@pytest.mark.parametrize("path", PLACES)
def test_a_token_that_somebody_writes_into_the_log_is_cut(
    path: str, capfd: pytest.CaptureFixture[str]
) -> None:
    token = Links("https://x.example", b"s" * 32).token("unsubscribe", 7)
    configure_logging(service=True)
    error = OSError(f"GET /{path}/{token} was cut off")
    where = {"path": f"/{path}/{token}?x=1"}
    logging.getLogger("digest.web").error("broken: /%s/%s", path, token, extra=where, exc_info=error)
    said = capfd.readouterr().err
    assert said.count(f"/{path}/") >= 2
    assert token not in said
    assert "?x=1" in said

"""The admin's other commands: readers, feeds, config, doctor, init, eval."""

from __future__ import annotations

import csv
import io
import json
import stat
from pathlib import Path

import pytest

# ---------------------------------------------------------------- readers


def test_readers_are_added_listed_shown_removed_and_erased(digest) -> None:
    assert digest("subscribers", "add", "world", "ann@example.org", "Ben@Example.ORG").out.count("added") == 2
    assert digest("subscribers", "add", "world", "ann@example.org").out.strip().endswith("subscribed already")
    rows = digest("subscribers", "list", "--json").json()
    assert {row["address"] for row in rows} == {"you@example.org", "ann@example.org", "Ben@example.org"}
    assert (
        digest("subscribers", "remove", "ann@example.org").out.strip()
        == "ann@example.org: 1 subscription ended"
    )
    shown = digest("subscribers", "show", "ann@example.org", "--json").json()
    assert shown["subscriptions"][0]["status"] == "left"
    assert [row["event"] for row in shown["history"]][-1] == "no"
    assert digest("subscribers", "verify").code == 0
    assert digest("subscribers", "erase", "ann@example.org", "--yes").out.strip() == "erased"
    assert "ann@example.org" not in digest("subscribers", "list").out
    assert digest("subscribers", "erase", "ann@example.org", "--yes").out.strip() == (
        "nothing was held about this address"
    )


def test_a_wrong_address_is_refused_in_words(digest) -> None:
    said = digest("subscribers", "add", "world", "not an address")
    assert said.code == 1
    assert "not an address" in said.err
    said = digest("subscribers", "add", "wrld", "ann@example.org")
    assert said.code == 1
    assert "world" in said.err


def test_a_list_is_imported_whole(digest, tmp_path: Path) -> None:
    file = tmp_path / "readers.csv"
    file.write_text("name,email\nAnn,ann@example.org\nBen,ben@example.org\nAnn again,ann@example.org\n")
    assert "2 addresses" in digest("subscribers", "import", "world", str(file), "--dry-run").err
    assert len(digest("subscribers", "list", "--json").json()) == 0  # a dry run changes nothing
    assert "2: added" in digest("subscribers", "import", "world", str(file)).out
    rows = list(csv.DictReader(io.StringIO(digest("subscribers", "export").out)))
    assert {row["address"] for row in rows} == {"ann@example.org", "ben@example.org", "you@example.org"}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"email\nann@example.org\nnot an address\n", "readers.csv:3: "),
        ("email\nann@example.org\nbjörn@example.org\n".encode("latin-1"), "readers.csv:3: this is not UTF-8"),
        (b"", "the file is empty"),
    ],
    ids=["bad line", "latin-1", "empty"],
)
def test_a_bad_list_imports_nothing_and_names_the_line(
    digest, tmp_path: Path, data: bytes, says: str
) -> None:
    file = tmp_path / "readers.csv"
    file.write_bytes(data)
    said = digest("subscribers", "import", "world", str(file))
    assert said.code == 1
    assert says in said.err
    assert "ann@example.org" not in digest("subscribers", "list").out


def test_an_export_holds_no_formula(digest) -> None:
    assert digest("subscribers", "add", "world", "=cmd@example.org").code == 0
    assert "\n'=cmd@example.org," in digest("subscribers", "export").out.replace("\r", "")


# ---------------------------------------------------------------- feeds


def test_feeds_are_checked_and_the_broken_one_named(digest, folder: Path) -> None:
    assert digest("feeds", "check").code == 0
    (folder / "examples/feeds/city.xml").write_text("<html><title>Moved</title></html>")
    said = digest("feeds", "check")
    assert said.code == 3
    assert "examples/feeds/city.xml" in said.err
    rows = digest("feeds", "list", "--json").json()
    assert len(rows) == 5  # nothing was recorded, yet all are listed
    digest("pull")
    failing = digest("feeds", "list", "--failing", "--json").json()
    assert [row["feed"]["url"] for row in failing] == ["examples/feeds/city.xml"]


# ---------------------------------------------------------------- config, doctor, init


def test_config_is_checked_shown_and_planned(digest, folder: Path) -> None:
    assert digest("config", "check").out.strip() == "config.yaml: ok: 1 newsletters, 5 feeds"
    digest("pull")
    secret = (folder / "secret.key").read_text().strip()
    shown = digest("config", "show")
    assert shown.json()["site"]["title"] == "The Morning Post"
    assert secret not in shown.out
    assert digest("config", "diff").out.strip() == "no change"
    path = folder / "config.yaml"
    path.write_text(path.read_text().replace("[you@example.org]", "[me@example.org]"))
    plan = digest("config", "diff").out
    assert "world: + reader me@example.org" in plan
    assert "world: - reader you@example.org" in plan
    assert digest("subscribers", "list", "--json").json()[0]["address"] == "you@example.org"


def test_a_recipient_given_twice_is_noted_and_no_error(digest, folder: Path) -> None:
    path = folder / "config.yaml"
    path.write_text(path.read_text().replace("[you@example.org]", "[you@example.org, YOU@example.org]"))
    said = digest("config", "check")
    assert said.code == 0
    assert said.err.startswith("config.yaml:")
    assert "newsletters.world.recipients.1: is in this list already" in said.err


def test_the_schema_describes_the_shipped_config(digest, folder: Path) -> None:
    import jsonschema
    import yaml

    schema = digest("config", "schema").json()
    text = (folder / "config.yaml").read_text().replace("!file secret.key", '"' + "s" * 64 + '"')
    jsonschema.validate(yaml.safe_load(text), schema)


def test_the_doctor_finds_what_is_wrong(digest, folder: Path) -> None:
    digest("pull")
    well = digest("doctor", "--json")
    assert well.code == 0
    assert {row["check"] for row in well.json()} >= {
        "config",
        "site.url",
        "secret",
        "database",
        "feeds",
        "email",
    }
    (folder / "secret.key").chmod(0o644)
    ill = digest("doctor", "--json")
    assert ill.code == 3
    assert [row["check"] for row in ill.json() if row["state"] == "bad"] == ["secret"]


def test_init_makes_a_folder_that_works_and_never_overwrites(digest, tmp_path: Path) -> None:
    target = tmp_path / "letters"
    assert digest("init", str(target)).code == 0
    assert stat.S_IMODE((target / "secret.key").stat().st_mode) == 0o600
    assert (target / "templates" / "letters" / "issue.html").exists()
    (target / "config.yaml").write_text((target / "config.yaml").read_text() + "# mine\n")
    secret = (target / "secret.key").read_bytes()
    assert "kept  config.yaml" in digest("init", str(target)).err
    assert (target / "config.yaml").read_text().endswith("# mine\n")
    assert (target / "secret.key").read_bytes() == secret
    assert digest("config", "check", "--config", str(target / "config.yaml")).code == 0


def test_eval_answers_one_line_a_row(digest, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"id": "a", "lang": "en", "text": "It rained. Then it stopped."}
    stdin = io.TextIOWrapper(io.BytesIO(json.dumps(row).encode() + b"\n"))
    monkeypatch.setattr("sys.stdin", stdin)
    answer = digest("eval", "sentences").json()
    assert answer == {"id": "a", "sentences": ["It rained.", "Then it stopped."]}

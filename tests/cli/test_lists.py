"""`digest subscribers import` and `export`, and the plan for the config's own list."""

from __future__ import annotations

import json
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "readers.csv"


def test_a_dry_run_says_what_would_happen_and_changes_nothing(digest, file: Path) -> None:
    digest("subscribers", "add", "world", "left@example.org", "there@example.org")
    digest("subscribers", "remove", "left@example.org")
    file.write_text("email\nleft@example.org\nTHERE@example.org\nnew@example.org\nnew@example.org\n")
    said = digest("subscribers", "import", "world", str(file), "--dry-run", "--json")
    assert said.json() == {
        "addresses": 3,
        "bad": 0,
        "doubles": 1,
        "of_another_newsletter": 0,
        "dry_run": True,
        "imported": False,
        "resumed": False,
        "outcomes": {
            "added": 1,
            "already": 1,
            "left": 1,
            "suppressed": 0,
            "left_by_the_list": 0,
            "reads_here": 0,
            "never_confirmed_by_the_list": 0,
            "in_doubt": 0,
        },
    }
    assert "readers.csv:5: the same address as in line 4" in said.err
    assert "new@example.org" not in digest("subscribers", "list").out
    assert "1: not added: left by their own wish" in digest("subscribers", "import", "world", str(file)).out


def test_bad_lines_are_left_out_when_asked_and_all_stand_in_the_report(digest, file: Path) -> None:
    bad = "".join(f"bad{number}\n" for number in range(30))
    file.write_text(f"email\nann@example.org\n{bad}ann@example.org\n")
    report = file.with_name("report.csv")
    assert digest("subscribers", "import", "world", str(file)).code == 1
    assert "ann@example.org" not in digest("subscribers", "list").out
    said = digest("subscribers", "import", "world", str(file), "--skip-bad", "--report", str(report))
    assert said.code == 0
    assert "… and 20 more lines bad" in said.err
    lines = report.read_text().splitlines()
    assert len(lines) == 32
    assert lines[1].startswith("3,bad,,")
    assert lines[-1] == "33,double,ann@example.org,the same address as in line 2"
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert "ann@example.org" in digest("subscribers", "list").out


def test_who_is_in_doubt_is_not_added_and_that_is_said(digest, file: Path) -> None:
    lines = (
        "email,status",
        "ann@example.org,active",
        "ann@example.org,gone fishing",
        "ben@example.org,active",
    )
    file.write_text("\n".join(lines))
    refused = digest("subscribers", "import", "world", str(file))
    assert refused.code == 1
    assert "readers.csv:3: the status 'gone fishing' is not known" in refused.err
    said = digest("subscribers", "import", "world", str(file), "--skip-bad")
    assert said.code == 0
    assert said.out.splitlines() == [
        "1: added",
        "1: not added: the list says something of them that is not known; see the bad lines",
    ]
    there = {row["address"] for row in digest("subscribers", "list", "--json").json()}
    assert there == {"you@example.org", "ben@example.org"}


def test_a_column_that_may_be_the_status_refuses_the_file_in_words(digest, file: Path) -> None:
    file.write_text("email,Zustand\nann@example.org,unsubscribed\nben@example.org,active\n")
    refused = digest("subscribers", "import", "world", str(file), "--dry-run")
    assert refused.code == 1
    assert "readers.csv:2: the column `Zustand` may say who left" in refused.err
    assert "nothing was imported" in refused.err
    said = digest("subscribers", "import", "world", str(file), "--column", "status=Zustand").out
    assert said.startswith("1: added\n1: not added: the list itself says that they left")
    assert digest("subscribers", "import", "world", str(file), "--column", "status").code == 2


def test_an_export_is_imported_as_it_was(digest, file: Path) -> None:
    digest("subscribers", "add", "world", "--", "=cmd@example.org", "-x@example.org", "ann@example.org")
    digest("subscribers", "remove", "ann@example.org")
    assert digest("subscribers", "export", "-o", str(file)).code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "\n'=cmd@example.org,world,active,cli," in file.read_text().replace("\r", "")
    lines = [json.loads(line) for line in digest("subscribers", "export", "--json").out.splitlines()]
    assert {line["address"]: line["status"] for line in lines} == {
        "you@example.org": "active",
        "=cmd@example.org": "active",
        "-x@example.org": "active",
        "ann@example.org": "left",
    }
    Path("subscribers.db").unlink()
    out = digest("subscribers", "import", str(file)).out  # the file says for which newsletter
    assert "2: added" in out
    assert "1: subscribed already" in out
    assert "1: not added: the list itself says that they left" in out
    rows = digest("subscribers", "list", "--json").json()
    assert {row["address"] for row in rows} == {"you@example.org", "=cmd@example.org", "-x@example.org"}


def _count(folder: Path) -> int:
    with closing(sqlite3.connect(f"file:{folder / 'subscribers.db'}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM subscriptions").fetchone()[0])


def test_an_import_that_is_killed_goes_on_and_doubles_nobody(digest, file: Path, folder: Path) -> None:
    count = 15_000
    file.write_text("email\n" + "".join(f"reader{number}@example.org\n" for number in range(count)))
    digest("subscribers", "list")  # the database is there
    command = [sys.executable, "-m", "digest", "subscribers", "import", "world", str(file)]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as running:
        while _count(folder) <= 1_000:
            assert running.poll() is None, running.stderr and running.stderr.read()
            time.sleep(0.005)
        running.kill()
    assert _count(folder) < count
    said = digest("subscribers", "import", "world", str(file), "--json")
    assert said.json()["resumed"]
    assert said.json()["outcomes"]["added"] == count
    assert said.json()["outcomes"]["already"] == 0
    assert digest("subscribers", "verify").code == 0
    again = digest("subscribers", "import", "world", str(file), "--json").json()
    assert (again["resumed"], again["outcomes"]["already"]) == (False, count)


def test_the_plan_says_who_stays_away_and_can_be_an_exit_code(digest, folder: Path) -> None:
    digest("pull")
    digest("subscribers", "add", "world", "gone@example.org")
    digest("subscribers", "remove", "gone@example.org")
    assert digest("config", "diff", "--exit-code").code == 0
    path = folder / "config.yaml"
    path.write_text(path.read_text().replace("[you@example.org]", "[me@example.org, gone@example.org]"))
    said = digest("config", "diff", "--exit-code")
    assert said.code == 3
    assert said.out.splitlines()[:3] == [
        "world: + reader me@example.org",
        "world: - reader you@example.org",
        "world:   reader gone@example.org: left by their own wish, and stays so",
    ]
    plan = digest("config", "diff", "--json").json()
    assert plan["changes"]
    assert plan["newsletters"][0]["readers_kept_out"] == [["gone@example.org", "left"]]
    digest("pull")
    assert digest("config", "diff").out.splitlines()[-1] == "no change"

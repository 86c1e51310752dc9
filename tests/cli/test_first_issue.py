"""What a newcomer does: the first issue from the shipped config, and a look at it from every side."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from pathlib import Path

import pytest

HOUSE = ("subscribers.db", "secret.key")


@pytest.fixture(scope="session")
def kept(tmp_path_factory) -> Path:
    """Where the house of the first issue is kept, once it has been built."""
    return tmp_path_factory.mktemp("first")


@pytest.fixture
def first(digest, folder: Path, kept: Path):
    """The first issue, and what `digest once --now` said of it; each test has a copy of the house."""
    if not (kept / "said.json").exists():
        said = digest("once", "--now", "--json")
        assert said.code == 0, said.err
        for name in HOUSE:
            shutil.copy(folder / name, kept)
        (kept / "said.json").write_text(said.out)
    for name in HOUSE:
        shutil.copy(kept / name, folder)
    return json.loads((kept / "said.json").read_text())


def test_the_first_issue_has_letters_and_three_feeds_and_comes_once(digest, first, folder: Path) -> None:
    [issue] = first["composed"]["issues"]
    assert first["pulled"]["feeds"] == 5
    assert first["pulled"]["entries"] == 42
    assert first["summarized"]["articles"] == 42
    assert len(issue["stories"]) == 12
    assert first["delivered"]["states"] == {"sent": 2}  # the letter of the one recipient, and the feeds
    assert {name for name in first["urls"] if name.startswith("world ")} == {
        "world atom",
        "world rss",
        "world json",
    }
    with sqlite3.connect(folder / "subscribers.db") as db:
        assert db.execute("SELECT count(*) FROM inbox").fetchone() == (1,)
        paths = {row[0] for row in db.execute("SELECT path FROM documents")}
        before = db.execute("SELECT path, etag, last_modified FROM documents ORDER BY path").fetchall()
    db.close()
    assert paths >= {"/world/feed.atom", "/world/feed.rss", "/world/feed.json"}

    again = digest("once", "--now", "--json").json()
    assert again["composed"]["issues"] == []
    assert again["delivered"]["states"] == {}
    with sqlite3.connect(folder / "subscribers.db") as db:
        assert db.execute("SELECT count(*) FROM inbox").fetchone() == (1,)
        assert db.execute("SELECT count(*) FROM issues").fetchone() == (1,)
        assert (
            db.execute("SELECT path, etag, last_modified FROM documents ORDER BY path").fetchall() == before
        )
    db.close()


def test_no_furniture_of_a_page_is_in_the_letter(first, folder: Path) -> None:
    phrases = json.loads((folder / "examples/feeds/stories.json").read_text())["boilerplate"]
    with sqlite3.connect(folder / "subscribers.db") as db:
        body = db.execute("SELECT body FROM inbox").fetchone()[0].decode()
    db.close()
    assert first["composed"]["issues"]
    assert [phrase for phrase in phrases if phrase.lower() in body.lower()] == []


def test_a_preview_stores_and_sends_nothing(digest, folder: Path) -> None:
    assert digest("pull").code == 0
    assert digest("summarize").code == 0
    text = digest("preview", "world").out
    html = digest("preview", "world", "--format", "html").out
    data = digest("preview", "world", "--format", "json").json()
    assert data["stories"][0]["title"] in " ".join(text.split())
    assert html.lstrip().lower().startswith("<!doctype html")
    assert digest("issues", "list", "--json").json() == []
    assert digest("once", "--dry-run").out.startswith("world: 12 stories for 1 readers")
    with sqlite3.connect(folder / "subscribers.db") as db:
        assert db.execute("SELECT count(*) FROM deliveries").fetchone() == (0,)
    db.close()


def test_a_test_letter_goes_to_one_address_and_subscribes_nobody(digest, first, folder: Path) -> None:
    said = digest("send", "world", "--to", "someone@example.org")
    assert said.code == 0, said.err
    assert "sent to someone@example.org" in said.out
    with sqlite3.connect(folder / "subscribers.db") as db:
        assert db.execute(
            "SELECT count(*) FROM inbox WHERE recipient = 'someone@example.org'"
        ).fetchone() == (1,)
        assert db.execute("SELECT count(*) FROM subscribers").fetchone() == (1,)
    db.close()
    assert first


def test_show_and_why_explain_every_story_and_every_absence(digest, first) -> None:
    issue = first["composed"]["issues"][0]
    shown = digest("issues", "show", issue["path"])
    assert shown.code == 0
    for story in issue["stories"]:
        assert story["title"][:40] in shown.out
    with_story = digest("issues", "why", issue["stories"][0]["url"])
    assert "lead" in with_story.out
    assert "in all" in with_story.out
    told = {story["url"] for story in issue["stories"]}
    with_none = 0
    for feed in ("world.atom", "stadt.xml"):
        import feedparser

        for entry in feedparser.parse((Path("examples/feeds") / feed).read_bytes()).entries:
            if entry.link not in told:
                [row] = digest("issues", "why", entry.link, "--json").json()
                assert row["decisions"][0]["decision"]["verdict"] != "lead"
                assert row["decisions"][0]["decision"]["reason"]
                with_none += 1
    assert with_none >= 5


def test_an_issue_can_be_paused_resumed_corrected_and_cancelled(digest, first) -> None:
    path = first["composed"]["issues"][0]["path"]
    for word in ("pause", "resume", "retry", "cancel"):
        assert digest("issues", word, path).code == 0
    said = digest("issues", "correct", path, "--story", "1", "--title", "Corrected")
    assert said.out.strip() == f"{path}: revision 2"
    assert digest("issues", "show", path, "--json").json()["issue"]["stories"][0]["title"] == "Corrected"
    assert digest("issues", "correct", path, "--story", "99", "--title", "x").code == 1
    assert digest("issues", "show", "world/1999-01-01").code == 1


def test_a_changed_config_or_template_says_what_it_would_have_changed(
    digest, first, folder: Path, tmp_path: Path
) -> None:
    issue = first["composed"]["issues"][0]
    assert digest("issues", "diff", "world", "--last", "3").out == f"{issue['path']}: the same\n"
    templates = tmp_path / "mine" / "letters"
    templates.mkdir(parents=True)
    shipped = Path(__file__).parents[2] / "templates" / "letters" / "issue.txt"
    (templates / "issue.txt").write_text("NOTE TO ALL\n" + shipped.read_text())
    text = (folder / "config.yaml").read_text().replace("limit: 12", "limit: 3")
    (folder / "other.yaml").write_text(text + f"templates: {templates.parent}\n")
    said = digest("issues", "diff", "world", "--letter", "--config", str(folder / "other.yaml")).out
    assert said.count("\n  - ") == 9
    assert "the letter takes 3" in said  # each with its reason
    assert "+NOTE TO ALL" in said
    [held] = digest("issues", "diff", "world", "--json", "--config", str(folder / "other.yaml")).json()
    assert [change["what"] for change in held["changes"]].count("removed") == 9


def test_a_past_day_is_made_again_to_the_byte(digest, first) -> None:
    issue = first["composed"]["issues"][0]
    stored = digest("issues", "show", issue["path"], "--json").json()["issue"]
    made = json.loads(digest("preview", "world", "--as-of", issue["date"], "--format", "json").out)
    assert {key for key in stored if made[key] != stored[key]} <= {"state", "recipients"}
    letter = digest("send", "world", "--to", "a@example.org", "--dry-run").out
    assert digest("preview", "world", "--as-of", issue["date"]).out.rstrip() == letter.rstrip()
    early = digest("preview", "world", "--as-of", "2001-02-03")
    assert (early.code, early.out) == (0, "")
    assert "nothing was to tell" in early.err
    ahead = digest("preview", "world", "--as-of", "2999-01-01")
    assert (ahead.code, ahead.out) == (1, "")
    assert "not over yet" in ahead.err


def test_why_explains_before_there_is_an_issue_and_by_any_form_of_an_address(digest) -> None:
    assert digest("pull").code == 0
    assert "waits to be read" in digest("issues", "why", "1").out
    assert digest("summarize").code == 0
    url = json.loads(digest("preview", "world", "--format", "json").out)["stories"][0]["url"]
    other = url.replace("https://", "http://www.").rstrip("/") + "/?utm_source=letter&utm_medium=mail"
    [row] = digest("issues", "why", other, "--json").json()
    assert row["article"]["url"] == url
    [step] = row["decisions"]
    assert (step["issue"], step["decision"]["verdict"]) == ("next issue", "lead")
    assert sum(step["decision"]["terms"].values()) == pytest.approx(step["decision"]["score"], abs=1e-3)
    elsewhere = digest("issues", "why", url.replace("://", "://not-"))
    assert (elsewhere.code, elsewhere.out) == (1, "")
    assert "no followed feed is of not-" in elsewhere.err


def test_the_public_site_can_be_written_as_files(digest, first, tmp_path: Path) -> None:
    path = first["composed"]["issues"][0]["path"]
    out = tmp_path / "site"
    done = digest("export", str(out), "--json").json()
    assert done["written"] == done["files"] > 10
    for name in ("index.html", "404.html", "robots.txt", "sitemap.xml", "world/archive/index.html"):
        page = (out / name).read_text()
        assert "search" not in page or name == "robots.txt"
    assert 'action="http' in (out / "world" / "index.html").read_text()
    for page in out.rglob("*.html"):
        for link in re.findall(r'(?:href|src)="(/[^"#]*)', page.read_text()):
            assert (out / link.lstrip("/") / ("index.html" if link.endswith("/") else "")).exists(), link
    assert "<h1" in (out / path / "index.html").read_text()
    assert (out / "world" / "feed.atom").read_bytes().startswith(b"<?xml")
    assert list((out / "assets").glob("site.*.css"))
    stamps = {file: file.stat().st_mtime_ns for file in out.rglob("*") if file.is_file()}
    assert digest("export", str(out)).code == 0
    assert {file: file.stat().st_mtime_ns for file in out.rglob("*") if file.is_file()} == stamps


def test_a_backup_is_a_database_and_never_overwrites(digest, first, tmp_path: Path) -> None:
    assert first
    target = tmp_path / "copy.db"
    assert digest("db", "backup", str(target)).code == 0
    with sqlite3.connect(target) as db:
        assert db.execute("SELECT count(*) FROM issues").fetchone() == (1,)
    db.close()
    assert digest("db", "backup", str(target)).code != 0

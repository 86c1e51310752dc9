"""`digest feeds list`, `check` and `report`: how the sources are, for people and for programs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from a_house import write_config

NOW = datetime.now(UTC)
LONG = "a/path/that/goes/on/" * 6


def document(*ages: timedelta, title: str = "The Gazette") -> bytes:
    items = "".join(
        f"<item><guid>{n}</guid><title>Story {n}</title><link>https://gazette.example.org/{n}</link>"
        f"<pubDate>{format_datetime(NOW - age)}</pubDate></item>"
        for n, age in enumerate(ages)
    )
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>{title}</title>'
        f"<link>https://gazette.example.org/</link><description/>{items}</channel></rss>"
    ).encode()


DAYS = [timedelta(days=n, hours=n) for n in range(9)]
ANSWERS = {
    "/well": (200, document(*DAYS)),
    "/silent": (200, document(*(age + timedelta(days=1200) for age in DAYS))),
    "/empty": (200, document()),
    "/old-home": (301, b""),
    "/gone": (410, b""),
    "/lost": (404, b""),
    "/page": (200, b"<!DOCTYPE html><title>A page</title>"),
    f"/{LONG}": (200, document(*DAYS, title="\x1b[2J‮evil")),
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = ANSWERS[self.path]
        self.send_response(status)
        if status == 301:
            self.send_header("Location", "/well")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def follow(folder: Path, web: str):  # type: ignore[no-untyped-def]
    """Follow these paths of the server, and nothing else."""

    def set_up(*paths: str, more: str = "") -> None:
        write_config(folder, feeds="[" + ", ".join(web + one for one in paths) + "]", more=more)

    return set_up


# ---------------------------------------------------------------- check


def test_check_says_of_each_feed_what_is_wrong_and_what_to_do(digest, follow, web: str) -> None:
    follow("/well", "/silent", "/empty", "/old-home", "/gone", "/lost", "/page")
    said = digest("feeds", "check")
    assert said.code == 3
    lines = said.out.splitlines()
    assert lines[0].split() == ["result", "entries", "newest", "feed"]
    table = {line.split()[-1].removeprefix(web): line.split()[:-1] for line in lines[1:]}
    assert table["/well"] == ["ok", "9", NOW.date().isoformat()]
    assert table["/silent"] == ["silent", "9", (NOW - timedelta(days=1200)).date().isoformat()]
    assert table["/empty"] == ["empty", "0", "–"]
    assert table["/old-home"][0] == "moved"
    assert [table[path][0] for path in ("/gone", "/lost", "/page")] == ["gone", "failing", "failing"]
    told = " ".join(said.err.split())
    for words in (
        "its newest entry is 3 years old",
        "answers, and there is nothing in it",
        f"has moved permanently to {web}/well",
        f"→ Write {web}/well instead of {web}/old-home in config.yaml",
        "(410)",
        "(404)",
        "1 ok, 6 with problems",
    ):
        assert words in told


def test_check_gives_programs_one_row_for_each_feed_and_records_nothing(digest, follow, web: str) -> None:
    follow("/well", "/lost")
    well, lost = digest("feeds", "check", "--json").json()
    assert well == {
        "url": f"{web}/well",
        "title": "The Gazette",
        "entries": 9,
        "newest": well["newest"],
        "status": "ok",
        "words": "ok",
        "advice": "",
        "error": None,
    }
    assert abs(datetime.fromisoformat(well["newest"]) - NOW) < timedelta(seconds=2)
    assert (lost["status"], lost["error"]) == ("failing", lost["words"])
    assert lost["advice"]
    assert {row["status"] for row in digest("feeds", "list", "--json").json()} == {"new"}


def test_check_of_feeds_that_are_well_ends_with_0(digest, follow) -> None:
    follow("/well")
    said = digest("feeds", "check")
    assert (said.code, said.err.strip()) == (0, "1 ok, 0 with problems")


def test_check_notices_a_gone_feed_that_answers_again(
    digest, follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow("/gone")
    digest("pull")
    assert digest("pull", "--now").out.startswith("0 feeds")  # it is not asked again
    monkeypatch.setitem(ANSWERS, "/gone", (200, document(*DAYS)))
    said = digest("feeds", "check")
    assert said.code == 3
    assert "answers again" in " ".join(said.err.split())


# ---------------------------------------------------------------- list


def test_list_shows_what_an_admin_asks_of_each_feed(digest, follow, web: str) -> None:
    follow("/well", "/lost")
    digest("pull")
    said = digest("feeds", "list")
    assert f"The Gazette  {web}/well\n  ok · in world · 9 entries\n" in said.out
    told = " ".join(said.out.split())
    assert "comes daily · last read just now · last new " in told
    assert re.search(
        r"next poll (?:now|in \S+ (?:days?|hours?|minutes?))", told
    )  # before the next issue, whenever that is
    assert f"{web}/lost failing · in world · 0 entries" in told
    assert "has failed once, it was never read: there is no feed at this address" in told
    assert "→ Check its url" in told
    assert said.err.strip() == "2 feeds: 1 ok, 1 failing"


def test_list_failing_shows_all_that_need_a_look_and_only_those(digest, follow, web: str) -> None:
    follow("/well", "/silent", "/gone", "/lost")
    digest("pull")
    rows = digest("feeds", "list", "--failing", "--json").json()
    assert {row["feed"]["url"].removeprefix(web): row["status"] for row in rows} == {
        "/silent": "silent",
        "/gone": "gone",
        "/lost": "failing",
    }
    assert all(row["words"] and row["advice"] and row["rhythm"] for row in rows)
    said = digest("feeds", "list", "--failing")
    assert "/well" not in said.out
    assert "1 ok" in said.err


def test_list_says_when_no_feed_needs_a_look(digest, follow) -> None:
    follow("/well")
    digest("pull")
    said = digest("feeds", "list", "--failing")
    assert (said.out, said.err) == ("", "no feed needs a look\n1 feed: 1 ok\n")


@pytest.mark.parametrize("columns", [80, 40])
def test_on_a_narrow_screen_only_an_address_is_longer_than_the_line(
    digest, follow, web: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    follow("/well", "/silent", f"/{LONG}", "/lost")
    digest("pull")
    listed, checked = digest("feeds", "list"), digest("feeds", "check")
    assert f"{web}/{LONG}\n" in listed.out
    assert "\x1b" not in listed.out + listed.err
    lines = [*listed.out.splitlines(), *listed.err.splitlines(), *checked.err.splitlines()]
    assert len(lines) > 20
    assert [line for line in lines if len(line) > columns and web not in line] == []
    assert all(
        len(line.removesuffix(line.split()[-1])) < 40 for line in checked.out.splitlines()
    )  # the address stands last


# ---------------------------------------------------------------- report


def test_the_report_can_be_read_before_anybody_gets_it(digest, follow) -> None:
    follow("/well", "/silent", more='report: {to: [ada@example.org], day: fri, at: "17:30"}\n')
    digest("pull")
    said = digest("feeds", "report")
    assert said.code == 0
    assert said.out.startswith("Subject: The Morning Post: 1 of 2 feeds needs a look\n")
    assert "Gone silent (1)" in said.out
    assert "fri at 17:30 UTC" in said.err
    assert "ada@example.org" in said.err
    told = digest("feeds", "report", "--json").json()
    assert told["to"] == ["ada@example.org"]
    assert [group["title"] for group in told["groups"]] == ["Gone silent"]
    assert digest("deliver", "--dry-run", "--json").json() == {}  # nothing was filed


def test_the_report_is_off_until_somebody_is_named(digest, follow) -> None:
    follow("/well")
    assert "nobody gets it: name somebody under report.to" in digest("feeds", "report").err


def test_the_doctor_names_the_kinds_of_trouble(digest, follow) -> None:
    follow("/well", "/silent", "/lost")
    digest("pull")
    assert "of 3: 1 failing, 1 silent; `digest feeds list --failing`" in digest("doctor").out

"""Lists of feeds in and out of the config, and the search for feeds."""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from digest.feeds import opml
from digest.model import Follow
from digest.service import load

A, B = "https://a.example.org/feed", "https://b.example.org/feed"


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """A folder of lists that is not the config's."""
    place = tmp_path / "downloads"
    place.mkdir()
    return place


def write_list(path: Path, *urls: str, more: str = "") -> Path:
    outlines = "".join(f'<outline type="rss" text="{url}" xmlUrl="{url}"/>' for url in urls)
    path.write_text(
        f'<opml version="2.0"><body><outline text="Science">{outlines}</outline>{more}</body></opml>'
    )
    return path


def followed(config: Path, slug: str = "world") -> set[str]:
    [newsletter] = [item for item in load(config).newsletters if item.slug == slug]
    return {follow.url for follow in newsletter.follows}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_feeds_go_out_and_come_in_as_opml(digest, folder: Path, lists: Path) -> None:
    out = digest("feeds", "export")
    assert out.code == 0
    assert "examples/feeds/world.atom" in out.out
    more = write_list(lists / "more.opml", A)
    config, before = folder / "config.yaml", (folder / "config.yaml").read_text()
    files = names(folder)
    assert "1 of 1 feeds would be new" in digest("feeds", "import", str(more), "--dry-run").err
    assert (config.read_text(), names(folder)) == (before, files)
    said = digest("feeds", "import", str(more))
    assert (said.code, said.err) == (0, "1 new feed for world: more.opml is named in config.yaml\n")
    after = config.read_text()
    assert [line for line in after.splitlines() if line not in before.splitlines()] == [
        "      - {opml: more.opml}"
    ]
    assert after.replace("      - {opml: more.opml}\n", "") == before
    assert A in {row["feed"]["url"] for row in digest("feeds", "list", "--json").json()}
    assert names(folder) == files | {
        "more.opml",
        "secret.key",
        *(n for n in names(folder) if "subscribers.db" in n),
    }


def test_what_is_exported_can_be_imported_as_it_was(digest, folder: Path, lists: Path) -> None:
    follows = {
        Follow(url=A, title="A & <B>", section="Science"),
        Follow(url=B, section="العربية"),
        Follow(url="https://c.example.org/feed?a=1&b=2"),
    }
    (lists / "one.opml").write_bytes(opml.write("x", list(follows)))
    digest("feeds", "import", str(lists / "one.opml"))
    digest("feeds", "export", "-o", str(lists / "two.opml"))
    assert set(opml.read((lists / "two.opml").read_bytes())) == follows


def test_the_same_list_twice_changes_nothing(digest, folder: Path, lists: Path) -> None:
    digest("feeds", "import", str(write_list(lists / "more.opml", A, B)))
    before = (folder / "config.yaml").read_bytes()
    (folder / "taken.opml").write_text("something else")
    for name in ("more.opml", "another-name.opml", "taken.opml"):
        said = digest("feeds", "import", str(write_list(lists / name, A, B)))
        assert (said.code, said.err) == (
            0,
            "world follows all 2 feeds of this list already; nothing was changed\n",
        )
    assert (folder / "config.yaml").read_bytes() == before
    assert not (folder / "another-name.opml").exists()


def test_the_report_says_what_was_known_and_what_was_left_out_and_why(
    digest, folder: Path, lists: Path
) -> None:
    digest("feeds", "import", str(write_list(lists / "one.opml", A)))
    more = (
        f'<outline xmlUrl="{B}"/><outline xmlUrl="javascript:x"/><outline xmlUrl="file:///etc/passwd"/>'
        '<outline xmlUrl="https://u:p@c.example.org/"/><outline type="link" url="https://d.example.org/"/>'
    )
    said = digest("feeds", "import", str(write_list(lists / "two.opml", A, B, more=more)))
    assert said.err.splitlines() == [
        "1 new feed for world: two.opml is named in config.yaml",
        "1 followed already; what the config says of a feed wins over the list",
        "1 named more than once in the list",
        "1 left out: a link to a page or to another list, not a feed",
        "2 left out: not an address on the web",
        "1 left out: with a user name or password",
    ]
    assert {A, B} < followed(folder / "config.yaml")


def test_a_broken_list_is_taken_as_far_as_it_goes_and_that_is_said(digest, folder: Path, lists: Path) -> None:
    (lists / "cut.opml").write_text(f"<opml><body>\n<outline xmlUrl='{A}'/>\n<outline xmlUrl='{B}")
    said = digest("feeds", "import", str(lists / "cut.opml"))
    assert said.err.splitlines()[-1] == "the list is broken in line 3: feeds after it may be missing"
    assert A in followed(folder / "config.yaml")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("<html/>", "begins with <opml>"),
        ("<opml><body/></opml>", "names no feed that can be followed"),
        ('<opml><body><outline xmlUrl="javascript:x"/></body></opml>', "1 not an address on the web"),
        ('<!DOCTYPE o [<!ENTITY a "x">]><opml/>', "entities"),
    ],
)
def test_a_list_without_use_changes_nothing(
    digest, folder: Path, lists: Path, content: str, says: str
) -> None:
    (lists / "bad.opml").write_text(content)
    before, files = (folder / "config.yaml").read_bytes(), names(folder)
    said = digest("feeds", "import", str(lists / "bad.opml"))
    assert (said.code, says in said.err) == (1, True)
    assert ((folder / "config.yaml").read_bytes(), names(folder)) == (before, files)


def test_another_list_of_that_name_is_not_overwritten(digest, folder: Path, lists: Path) -> None:
    (folder / "more.opml").write_text("something else")
    before = (folder / "config.yaml").read_bytes()
    said = digest("feeds", "import", str(write_list(lists / "more.opml", A)))
    assert said.code == 1
    assert "more.opml is beside the config already" in said.err
    assert (folder / "more.opml").read_text() == "something else"
    assert (folder / "config.yaml").read_bytes() == before


def test_a_list_that_lies_beside_the_config_is_only_named(digest, folder: Path) -> None:
    write_list(folder / "my feeds ${x}.opml", A)
    assert digest("feeds", "import", "my feeds ${x}.opml").code == 0
    assert '- {opml: "my feeds $${x}.opml"}' in (folder / "config.yaml").read_text()
    assert A in followed(folder / "config.yaml")


# ---------------------------------------------------------------- the config's own ways

HEAD = """site: {title: The Post, url: "https://post.example.org"}
email: {from: news@example.org}
"""
REST = """    title: World
    schedule: {at: "07:00", zone: Europe/Berlin, days: daily}
"""
OLD = "https://old.example.org/feed"


@pytest.mark.parametrize(
    ("feeds", "expected"),
    [
        (f"    feeds:\n      - {OLD}\n", f"    feeds:\n      - {{opml: l.opml}}\n      - {OLD}\n"),
        (f"    feeds:\n    - {OLD}\n", f"    feeds:\n    - {{opml: l.opml}}\n    - {OLD}\n"),
        (
            f"    feeds: # \ttabs\there\n\n      # a remark\n      - {OLD} # old\n",
            f"    feeds: # \ttabs\there\n      - {{opml: l.opml}}\n\n      # a remark\n      - {OLD} # old\n",
        ),
        ("    feeds: []\n", "    feeds: [{opml: l.opml}]\n"),
        (f"    feeds: [{OLD}]  # one\n", f"    feeds: [{{opml: l.opml}}, {OLD}]  # one\n"),
        ("    feeds:\n      # - none yet\n", "    feeds:\n      - {opml: l.opml}\n      # - none yet\n"),
        ("    feeds:", "    feeds:\n      - {opml: l.opml}\n"),
        ("    feeds: ~\n", "    feeds: [{opml: l.opml}]\n"),
        ("", "    feeds:\n      - {opml: l.opml}\n"),
        (
            f"    'feeds': &mine\n      - {OLD}\n",
            f"    'feeds': &mine\n      - {{opml: l.opml}}\n      - {OLD}\n",
        ),
    ],
)
@pytest.mark.parametrize("form", ["plain", "windows", "with a mark"])
def test_the_line_is_put_where_it_belongs_and_all_else_is_kept(
    digest, folder: Path, lists: Path, feeds: str, expected: str, form: str
) -> None:
    def written(feeds: str, *, first: bool = False) -> bytes:
        text = HEAD + 'newsletters: # all of them\n  "world":\n' + (feeds + REST if first else REST + feeds)
        if form == "windows":
            text = text.replace("\n", "\r\n")
        return (b"\xef\xbb\xbf" if form == "with a mark" else b"") + text.encode()

    config = folder / "config.yaml"
    config.write_bytes(written(feeds))
    said = digest("feeds", "import", str(write_list(lists / "l.opml", A)))
    assert said.code == 0, said.err
    assert config.read_bytes() == written(expected, first=not feeds)
    assert A in followed(config)


ALL = f"{REST}    feeds: *all\n"
BY_HAND = {
    "a newsletter in one line": "newsletters:\n  world: {title: World, schedule: {at: '07:00', zone: UTC}}\n",
    "an alias": f"newsletters:\n  other:\n{REST}    feeds: &all\n      - {OLD}\n  world:\n{ALL}",
    "an anchor that others use": f"newsletters:\n  world:\n{REST}    feeds: &all [{OLD}]\n  other:\n{ALL}",
    "a question mark": f"newsletters:\n  world:\n    ? feeds\n    : - {OLD}\n{REST}",
}


@pytest.mark.parametrize("name", BY_HAND)
def test_what_cannot_be_changed_safely_is_told_to_be_done_by_hand(
    digest, folder: Path, lists: Path, name: str
) -> None:
    config = folder / "config.yaml"
    config.write_text(HEAD + BY_HAND[name])
    before, files = config.read_bytes(), names(folder)
    for words in ([], ["--dry-run"]):
        said = digest(
            "feeds", "import", str(write_list(lists / "l.opml", A)), "--newsletter", "world", *words
        )
        assert said.code == 1
        assert "nothing was done. By hand: copy the list to" in said.err
        assert "newsletters.world.feeds:\n  - {opml: l.opml}" in said.err
    assert (config.read_bytes(), names(folder)) == (before, files)


def test_a_config_that_is_wrong_elsewhere_stays_as_it_is(digest, folder: Path, lists: Path) -> None:
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace("limit: 12", "limitt: 12"))
    before, files = config.read_bytes(), names(folder)
    said = digest("feeds", "import", str(write_list(lists / "l.opml", A)))
    assert said.code == 4
    assert "limitt" in said.err
    assert (config.read_bytes(), names(folder)) == (before, files)
    config.unlink()
    assert digest("feeds", "import", str(lists / "l.opml")).code == 4


def test_the_newsletter_is_named_when_there_are_several(digest, folder: Path, lists: Path) -> None:
    config = folder / "config.yaml"
    config.write_text(HEAD + f"newsletters:\n  world:\n{REST}    feeds: []\n  other:\n{REST}    feeds: []\n")
    source = str(write_list(lists / "l.opml", A))
    assert "--newsletter: world, other" in digest("feeds", "import", source).err
    assert "there are world, other" in digest("feeds", "import", source, "--newsletter", "wrld").err
    assert digest("feeds", "import", source, "--newsletter", "other").code == 0
    assert (followed(config), followed(config, "other")) == (set(), {A})
    assert digest("feeds", "import", source, "--newsletter", "world").code == 0
    assert followed(config) == {A}
    assert "there are world, other" in digest("feeds", "export", "--newsletter", "wrld").err
    assert digest("feeds", "export", "--newsletter", "other").out.count("xmlUrl") == 1


def test_the_config_keeps_its_rights_and_its_link(digest, folder: Path, lists: Path) -> None:
    kept = folder / "kept"
    kept.mkdir()
    config = folder / "config.yaml"
    (kept / "real.yaml").write_bytes(config.read_bytes())
    config.unlink()
    config.symlink_to(kept / "real.yaml")
    (kept / "real.yaml").chmod(0o640)
    assert digest("feeds", "import", str(write_list(lists / "l.opml", A))).code == 0
    assert config.is_symlink()
    assert stat.S_IMODE(config.stat().st_mode) == 0o640
    assert stat.S_IMODE((folder / "l.opml").stat().st_mode) == 0o640
    assert names(kept) == {"real.yaml"}
    assert A in followed(config)


def test_ten_thousand_feeds_come_in_at_once(digest, folder: Path, lists: Path) -> None:
    follows = [
        Follow(url=f"https://s{n}.example/feed", title=f"Site {n}", section=f"{n % 40}")
        for n in range(10_000)
    ]
    (lists / "all of them.opml").write_bytes(opml.write("all", follows))
    said = digest("feeds", "import", str(lists / "all of them.opml"))
    assert said.err == "10000 new feeds for world: all-of-them.opml is named in config.yaml\n"
    assert digest("config", "check").out.strip() == "config.yaml: ok: 1 newsletters, 10005 feeds"


# ---------------------------------------------------------------- discover


@contextmanager
def a_site(pages: Mapping[str, str]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = pages.get(self.path)
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write((found or "no").encode())

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


LONG = "a-very-long-path-that-no-table-may-ever-cut-as-it-is-there-to-be-copied/feed.xml"
RSS = (
    "<rss version='2.0'><channel><title>News of the harbour</title><item><title>1</title>"
    "<pubDate>Sun, 22 Nov 2026 07:00:00 GMT</pubDate></item></channel></rss>"
)


def test_feeds_of_a_site_are_found_and_told(digest, folder: Path) -> None:
    with (folder / "config.yaml").open("a") as config:
        config.write("\nfetch: {allow: [127.0.0.1]}\n")
    link = f'<link rel="alternate" type="application/rss+xml" href="/{LONG}">'
    with a_site({"/": link, f"/{LONG}": RSS, "/none": "nothing"}) as url:
        said = digest("feeds", "discover", url)
        assert said.code == 0
        head, row = said.out.splitlines()
        assert head.split() == ["url", "entries", "newest", "title"]
        assert row.split(maxsplit=4) == [f"{url}{LONG}", "1", "2026-11-22", "07:00", "News of the harbour"]
        [found] = digest("feeds", "discover", url.removeprefix("http://"), "--json").json()
        assert found == {
            "url": f"{url}{LONG}",
            "title": "News of the harbour",
            "named": True,
            "comments": False,
            "entries": 1,
            "newest": "2026-11-22T07:00:00+00:00",
        }
    with a_site({"/": "nothing"}) as url:
        said = digest("feeds", "discover", url)
        assert (said.code, said.out) == (3, "")
        assert said.err.strip() == f"no feed found at {url}"
    said = digest("feeds", "discover", "mailto:me@example.org")
    assert (said.code, "not a web address" in said.err) == (1, True)


def test_discovery_needs_no_config_and_never_enters_the_house(digest, folder: Path) -> None:
    (folder / "config.yaml").unlink()
    with a_site({"/": RSS}) as url:
        said = digest("feeds", "discover", url)
    assert said.code == 1
    assert "not a public address" in said.err

"""Other people's feed readers read our feeds: as many entries as there are, with our ids, and then 304.

PyPI's `reader`, newsboat, rss2email, Liferea (without a screen) and three parsers of JavaScript; whichever is
not here is left out, and says so. `make bench-peers` gets those of PyPI and npm.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sqlite3
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import uvicorn

from digest.links import Links
from digest.net import Net
from digest.publishers.base import Lent
from digest.publishers.feed import Publisher, Settings
from digest.publishers.feed_content import FORMS
from digest.store import Store
from digest.web.documents import Documents
from digest.workers import Workers
from letter_samples import HOSTILE, LINKS, MIXED, MOMENT, SITE, WORLD, issue, story
from publishing import bear, due, settle

HERE = Path(__file__).parent
PEERS = HERE.parent.parent / ".venv-bench"
READER_PYTHON = PEERS / "bin" / "python"
MODULES = PEERS / "node_modules"
SCREENLESS = ("dbus-run-session", "--", "xvfb-run", "-a")

pytestmark = pytest.mark.asyncio


@dataclass
class Served:
    """Feeds under their own addresses. asked: (path, status) of every answer. ids: by the path of a feed."""

    url: str
    asked: list[tuple[str, int]] = field(default_factory=list)
    ids: dict[str, list[str]] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)

    def last(self, path: str) -> int:
        return [status for asked, status in self.asked if asked == path][-1]


@pytest_asyncio.fixture(params=["issues", "stories"])
async def served(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Served]:
    store = await Store.open(f"sqlite:///{tmp_path / 'subscribers.db'}")
    workers = Workers(processes=1)
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        found = Served(url=f"http://127.0.0.1:{listening.getsockname()[1]}")
        try:
            await _publish(store, workers, found, request.param)
            server = uvicorn.Server(
                uvicorn.Config(_watched(store, found), log_config=None, ws="none", lifespan="off")
            )
            running = asyncio.create_task(server.serve([listening]))
            yield found
            server.should_exit = True
            await running
        finally:
            workers.close()
            await store.close()


async def _publish(store: Store, workers: Workers, found: Served, items: Any) -> None:
    """Twenty-two days, all sorts of words, and three issues that were made in one second."""
    site = replace(SITE, url=found.url)
    lent = Lent(
        site=site,
        store=store,
        links=Links(found.url, LINKS.secret),
        net=Net(user_agent="Digest tests"),
        workers=workers,
        templates=None,
        clock=lambda: MOMENT,
    )
    publisher = Publisher(Settings(items=items, entries=20), lent)
    await settle(store, WORLD)
    for day in range(1, 23):
        moment = MOMENT.replace(day=min(day, 20))
        told = (
            HOSTILE
            if day == 7
            else MIXED
            if day % 2
            else issue(WORLD, *(story(n, f"S{n}") for n in range(3)))
        )
        path = f"world/2026-11-{day:02}"
        tag = f"tag:news.example.org,2026-11-01:{path}"
        one = replace(told, path=path, tag=tag, date=moment.date(), composed_at=moment, updated_at=moment)
        await bear(store, one, publisher)
    for delivery in await due(store, "feed", MOMENT + timedelta(days=9)):
        await publisher.publish(delivery)
    for document in await store.documents.all("world"):
        found.bodies[document.path] = document.body
    for form in FORMS:
        feed = json.loads(found.bodies["/world/feed.json"])
        found.ids[f"/world/feed.{form}"] = [item["id"] for item in feed["items"]]
    assert len(found.ids["/world/feed.atom"]) >= 20


def _watched(store: Store, found: Served) -> Any:
    async def nothing(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    documents = Documents(nothing, store.documents, lambda: MOMENT)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def noted(message: Any) -> None:
            if message["type"] == "http.response.start":
                found.asked.append((scope["path"], message["status"]))
            await send(message)

        await documents(scope, receive, noted)

    return app


async def _run(*command: str | Path, home: Path, seconds: float = 60, check: bool = True) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=home,
        env={**os.environ, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError:
        process.terminate()
        out, err = await process.communicate()
    assert not check or process.returncode == 0, (out + err).decode("utf-8", "replace")
    return out.decode("utf-8", "replace")


def _select(database: Path, statement: str) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [str(row[0]) for row in connection.execute(statement)]


# ---------------------------------------------------------------- the readers

READER = """
import json, sys
try:
    import sgmllib
except ImportError:
    import feedparser_sgmllib
    sys.modules["sgmllib"] = feedparser_sgmllib
from reader import make_reader
with make_reader("reader.db") as reader:
    reader.add_feed(sys.argv[1], exist_ok=True)
    reader.update_feeds(scheduled=False)
    assert not list(reader.get_feeds(broken=True)), [f.last_exception for f in reader.get_feeds()]
    print(json.dumps([entry.id for entry in reader.get_entries()]))
"""


async def _reader(url: str, home: Path) -> list[str]:
    found: list[str] = json.loads(await _run(READER_PYTHON, "-c", READER, url, home=home))
    return found


async def _newsboat(url: str, home: Path) -> list[str]:
    (home / "urls").write_text(url + "\n")
    (home / "config").touch()
    await _run("newsboat", "-u", "urls", "-c", "cache.db", "-C", "config", "-x", "reload", home=home)
    return _select(home / "cache.db", "SELECT guid FROM rss_item")


async def _rss2email(url: str, home: Path) -> list[str]:
    command = ("r2e", "-c", "r2e.cfg", "-d", "r2e.json")
    if not (home / "r2e.cfg").exists():
        await _run(*command, "new", "ann@example.org", home=home)
        await _run(*command, "add", "world", url, home=home)
    await _run(*command, "run", "--no-send", home=home)
    [feed] = json.loads((home / "r2e.json").read_text())["feeds"]
    return list(feed["seen"])


async def _liferea(url: str, home: Path) -> list[str]:
    """It asks for every feed when it starts, and again when the desktop's bus says so: that is its second
    poll, for its validators do not outlive it when it is ended from outside."""
    config = home / ".config" / "liferea"
    config.mkdir(parents=True, exist_ok=True)
    if not (config / "feedlist.opml").exists():
        opml = ET.Element("opml", version="1.0")
        body = ET.SubElement(opml, "body")
        about = {"title": "world", "text": "world", "type": "rss", "xmlUrl": url, "updateInterval": "1"}
        ET.SubElement(body, "outline", {**about, "id": "abcdefg"})
        ET.ElementTree(opml).write(config / "feedlist.opml", encoding="utf-8", xml_declaration=True)
    again = "--dest=org.gnome.feed.Reader /org/gnome/feed/Reader org.gnome.feed.Reader.Refresh"
    script = (
        "gsettings set net.sf.liferea startup-feed-action 0; liferea --mainwindow-state=hidden & "
        f"running=$!; sleep 8; dbus-send --session --print-reply {again}; sleep 4; "
        "kill $running; wait $running"
    )
    await _run(*SCREENLESS, "sh", "-c", script, home=home, seconds=90, check=False)
    database = home / ".local" / "share" / "liferea" / "liferea.db"
    return _select(database, "SELECT source_id FROM items WHERE parent_item_id = 0 OR parent_item_id IS NULL")


Read = Callable[[str, Path], Awaitable[list[str]]]
READERS: dict[str, tuple[Read, Path | str | None]] = {
    "reader": (_reader, READER_PYTHON if READER_PYTHON.exists() else None),
    "newsboat": (_newsboat, shutil.which("newsboat")),
    "rss2email": (_rss2email, shutil.which("r2e")),
    "liferea": (
        _liferea,
        shutil.which("liferea") and shutil.which("xvfb-run") and shutil.which(SCREENLESS[0]),
    ),
}
POLLS = {"newsboat": 3, "liferea": 1}
"""newsboat keeps validators only of feeds that it knew before: its second answer is whole, its third 304."""
NO_JSON = ("newsboat", "rss2email", "liferea")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", READERS)
async def test_a_reader_sees_our_ids_and_then_304(
    name: str, form: str, served: Served, tmp_path: Path
) -> None:
    read, program = READERS[name]
    if program is None:
        pytest.skip(f"{name} is not here")
    if form == "json" and name in NO_JSON:
        pytest.skip(f"{name} does not read JSON Feed")
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    path = f"/world/feed.{form}"
    for _ in range(POLLS.get(name, 2)):
        assert sorted(await read(served.url + path, home)) == sorted(served.ids[path])
    assert served.last(path) == 304
    assert [status for asked, status in served.asked if asked == path].count(304) >= 1
    print(f"{name}, {form}: {len(served.ids[path])} entries, {served.asked}")  # noqa: T201


async def test_parsers_of_javascript_see_our_ids(served: Served, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not (MODULES / "feedsmith").exists():
        pytest.skip("node, or its parsers, are not here: make bench-peers")
    files = {}
    for path, body in served.bodies.items():
        file = tmp_path / path.strip("/").replace("/", "_")
        file.write_bytes(body)
        files[str(file)] = body
    found = json.loads(await _run(node, HERE / "feed_parsers.cjs", MODULES, *files, home=tmp_path))
    assert len(found) == 3
    for name, by_file in found.items():
        assert len(by_file) >= 4, name
        for file, ids in by_file.items():
            stem = file.rpartition(".")[0]
            expected = [item["id"] for item in json.loads(files[f"{stem}.json"])["items"]]
            assert ids == expected, (name, file)
        print(f"{name}: {sum(map(len, by_file.values()))} entries in {len(by_file)} documents")  # noqa: T201

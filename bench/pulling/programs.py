"""Those who read the feeds: ours, PyPI's `reader`, Debian's newsboat. Each with a database of its own."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from bench.pulling.measured import Failed, Used, measure

HERE = Path(__file__).parent
OUR_PYTHON = sys.executable
OUR_CODE = HERE.parent.parent  # what lies beside this benchmark is measured, whatever is installed
READER_PYTHON = Path(".venv-bench/bin/python")
READER_WORKERS = (1, 4, 10)
NEWSBOAT_THREADS = 16


class Program(Protocol):
    """A feed reader that is a command.

    prepare, settle: what it needs before the first round and before the second; not timed. start: all that a
    round does but the asking, on an empty database or a full one; None: it cannot be had. entries: how many
    of each address its database holds.
    """

    name: str

    def prepare(self, home: Path, urls: Sequence[str]) -> None: ...
    def cold(self) -> Used: ...
    def settle(self) -> None: ...
    def again(self) -> Used: ...
    def start(self, *, empty: bool) -> Used | None: ...
    def entries(self) -> dict[str, int]: ...


# ---------------------------------------------------------------- ours


class Ours:
    name = "digest pull"

    def prepare(self, home: Path, urls: Sequence[str]) -> None:
        self._home = home
        write_our_config(home, urls)

    def cold(self) -> Used:
        return self._pull("--now")

    def settle(self) -> None:
        """We remember what a server said from the first answer on."""

    def again(self) -> Used:
        return self._pull("--now")

    def start(self, *, empty: bool) -> Used | None:
        if empty:  # every feed is due
            return None
        used = self._pull()
        if json.loads(used.output)["feeds"]:
            raise Failed("feeds were due again at once: this is no empty pull")
        return used

    def _pull(self, *options: str) -> Used:
        command = [OUR_PYTHON, "-m", "digest", "pull", "--json", *options]
        return measure(command, self._home, imports=OUR_CODE)

    def entries(self) -> dict[str, int]:
        return our_entries(self._home)


def write_our_config(home: Path, urls: Sequence[str]) -> None:
    """What an admin would write, with all of a feed's entries wanted (`first: all`)."""
    hosts = dict.fromkeys(f"'{url.split('/')[2]}'" for url in urls)
    feeds = "\n".join(f"      - {{url: '{url}', first: all}}" for url in urls)
    (home / "config.yaml").write_text(
        "site: {title: Bench, url: 'http://127.0.0.1:8080', postal_address: 1 Example Street}\n"
        "email: {from: news@example.org, transport: inbox}\n"
        f"fetch: {{gap: 0s, allow: [{', '.join(hosts)}]}}\n"
        "newsletters:\n  world:\n    title: World\n    schedule: {at: '07:00', zone: UTC}\n"
        f"    feeds:\n{feeds}\n"
    )


def our_entries(home: Path) -> dict[str, int]:
    return _counts(
        home / "subscribers.db",
        "SELECT feeds.url, count(*) FROM entries JOIN feeds ON feeds.id = entries.feed_id GROUP BY feeds.url",
    )


def pull_in_an_open_house(home: Path) -> tuple[Used, dict[str, dict[str, float]]]:
    """Two rounds in one process; what each took, as that process measured it."""
    used = measure([OUR_PYTHON, str(HERE / "house_driver.py"), "config.yaml"], home, imports=OUR_CODE)
    return used, json.loads(used.output)


# ---------------------------------------------------------------- peers


class Reader:
    """PyPI's `reader`, by its Python interface. workers: its threads in a cold and in an unchanged round."""

    def __init__(self, python: str, workers: tuple[int, int]) -> None:
        self._python = python
        self._workers = workers
        version = subprocess.run(
            [python, "-c", "from importlib.metadata import version; print(version('reader'))"],
            capture_output=True,
            text=True,
            check=True,
        )
        self.name = f"reader {version.stdout.strip()} ({workers[0]}/{workers[1]} workers)"

    def prepare(self, home: Path, urls: Sequence[str]) -> None:
        self._home = home
        (home / "urls").write_text("\n".join(urls) + "\n")
        self._drive("add", "urls")

    def cold(self) -> Used:
        return self._drive("update", str(self._workers[0]))

    def settle(self) -> None:
        """It asks for feeds that it could not read anew and in full each time: that is no round of 304s."""
        self._drive("forget")

    def again(self) -> Used:
        return self._drive("update", str(self._workers[1]))

    def start(self, *, empty: bool) -> Used | None:
        return self._drive("open")

    def _drive(self, *arguments: str) -> Used:
        return measure([self._python, str(HERE / "reader_driver.py"), "reader.db", *arguments], self._home)

    def entries(self) -> dict[str, int]:
        return _counts(self._home / "reader.db", "SELECT feed, count(*) FROM entries GROUP BY feed")


def reader_python() -> str | None:
    """The Python that has `reader`, if any: DIGEST_BENCH_READER, or the one that `make bench-peers` makes."""
    python = os.environ.get("DIGEST_BENCH_READER") or str(READER_PYTHON.absolute())
    if not Path(python).exists():
        return None
    has_it = subprocess.run([python, "-c", "import importlib.util as u; exit(not u.find_spec('reader'))"])
    return python if has_it.returncode == 0 else None


def best_workers(python: str, home: Path, urls: Sequence[str]) -> tuple[int, int]:
    """How many threads `reader` does best with, cold and unchanged, tried on these feeds."""
    cold, again = {}, {}
    for workers in READER_WORKERS:
        folder = home / f"workers-{workers}"
        folder.mkdir()
        reader = Reader(python, (workers, workers))
        reader.prepare(folder, urls)
        cold[workers] = reader.cold().seconds
        again[workers] = reader.again().seconds
    return min(cold, key=cold.__getitem__), min(again, key=again.__getitem__)


class Newsboat:
    """Debian's newsboat, as cron would run it."""

    def __init__(self) -> None:
        said = subprocess.run(["newsboat", "-v"], capture_output=True, text=True, check=True)
        self.name = f"newsboat {said.stdout.split()[1]}"

    @staticmethod
    def program() -> str | None:
        return shutil.which("newsboat")

    def prepare(self, home: Path, urls: Sequence[str]) -> None:
        self._home = home
        (home / "urls").write_text("\n".join(urls) + "\n")
        (home / "config").write_text(f"reload-threads {NEWSBOAT_THREADS}\n")

    def cold(self) -> Used:
        return self._do("reload")

    def settle(self) -> None:
        """It keeps ETag and Last-Modified only of feeds it knows already: its second round is a full one."""
        self._do("reload")

    def again(self) -> Used:
        return self._do("reload")

    def start(self, *, empty: bool) -> Used | None:
        return self._do("print-unread")

    def _do(self, what: str) -> Used:
        return measure(["newsboat", "-u", "urls", "-c", "cache.db", "-C", "config", "-x", what], self._home)

    def entries(self) -> dict[str, int]:
        return _counts(self._home / "cache.db", "SELECT feedurl, count(*) FROM rss_item GROUP BY feedurl")


def _counts(database: Path, statement: str) -> dict[str, int]:
    connection = sqlite3.connect(database)
    try:
        return dict(connection.execute(statement).fetchall())
    finally:
        connection.close()

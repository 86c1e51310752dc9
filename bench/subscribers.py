"""A million readers from a file, while somebody reads pages of the running service and leaves.

The service is `digest run`, the import `digest subscribers import`, each in a process of its own, on a new
SQLite file. Meanwhile pages are asked for: a newsletter's, a reader's preferences, all newsletters; and the
one-click form of leaving is posted, which needs its turn to write. First when nothing else happens, then
during the import, with everybody there, and while an issue for all of them is made and sent to Postfix's
smtp-sink, if that is here. At last the ledger is verified and everybody exported.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bench.sending.world import Sink

MB = 1024 * 1024
WANTED_SECONDS, WANTED_MS = 120.0, 50.0
CONFIG = """
site: {{title: Bench, url: "http://127.0.0.1:{port}"}}
database: sqlite:///subscribers.db
secret: {secret}
email:
  from: Bench <bench@example.org>
  transport: smtp
  smtp: [{{host: 127.0.0.1, port: {smtp}, security: none, connections: 8}}]
newsletters:
  world:
    title: World
    schedule: {{at: "07:00", zone: UTC}}
    feeds: [{{url: feed.xml, first: all}}]
    channels: [email]
"""
FEED = Path(__file__).parent.parent / "examples/feeds/city.xml"
SENDING_SECONDS = 60.0


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench subscribers", description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000, metavar="N", help="how many (1000000)")
    asked = parser.parse_args(options)
    with tempfile.TemporaryDirectory(prefix="digest-bench-") as name:
        Path(name).chmod(0o755)  # smtp-sink is nobody
        _run(Path(name), asked.people)


def _run(folder: Path, people: int) -> None:
    port = _free_port()
    smtp = _free_port()
    (folder / "config.yaml").write_text(CONFIG.format(port=port, secret="s" * 48, smtp=smtp))
    (folder / "feed.xml").write_bytes(FEED.read_bytes())
    _write_list(folder / "list.csv", people)
    _digest(folder, "subscribers", "add", "world", "known@example.org")
    service = subprocess.Popen(
        [sys.executable, "-m", "digest", "run", "--port", str(port)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        visitor = Visitor(port, *_pages(port))
        visitor.phase("nothing else", lambda: time.sleep(5))
        seconds, peak = 0.0, 0.0

        def take_in() -> None:
            nonlocal seconds, peak
            seconds, peak = _digest(folder, "subscribers", "import", "world", "list.csv")

        visitor.phase("import", take_in)
        _show(f"{people:,} people imported", seconds, "s", WANTED_SECONDS * people / 1_000_000)
        print(f"  {'the most memory of the import':44} {peak:8.0f} MB")
        visitor.phase("everybody there", lambda: time.sleep(5))
        if Sink.program():
            with Sink(folder, smtp) as sink:
                visitor.phase("an issue goes out", lambda: _send(folder, sink, people))
        else:
            print("  without Postfix's smtp-sink nothing is sent: apt-get install postfix")
        for words in (("subscribers", "verify"), ("subscribers", "export", "-o", "out.csv")):
            took, peak = _digest(folder, *words)
            print(f"  {' '.join(words[:2]):44} {took:8.1f} s, {peak:.0f} MB")
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(30)


def _send(folder: Path, sink: Sink, people: int) -> None:
    """The issue is born with a letter for each, and the service begins to send them."""
    took, _ = _digest(folder, "compose", "--now")
    began = time.perf_counter()
    while sink.took() < people and time.perf_counter() - began < SENDING_SECONDS:
        time.sleep(0.5)
    rate = sink.took() / (time.perf_counter() - began)
    print(f"  {'the issue and its letters born':44} {took:8.1f} s, then {rate:,.0f} letters/s")


def _write_list(path: Path, people: int) -> None:
    chance = random.Random(6)  # noqa: S311 - the same list each time
    with path.open("w") as file:
        file.write("email,name,confirmed_at\n")
        for number in range(people):
            host = chance.choice(("example.org", "mail.example.com", "post.example.net"))
            day = f"2025-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
            file.write(f"reader.{chance.randrange(10**9)}.{number}@{host},Reader {number},{day}\n")


def _digest(folder: Path, *words: str) -> tuple[float, float]:
    """Seconds, and the most memory, in MB, of one command."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "digest", *words], cwd=folder, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"digest {' '.join(words)} ended with {process.returncode}")
    return time.perf_counter() - began, used.ru_maxrss / 1024


def _pages(port: int) -> tuple[str, str]:
    """Preferences and leaving of `known@example.org`, the first subscription of all."""
    from digest.links import Links

    links = Links(f"http://127.0.0.1:{port}", b"s" * 48)
    return (
        urlsplit(links.preferences(links.token("preferences", 1))).path,
        urlsplit(links.unsubscribe(links.token("unsubscribe", 1))).path,
    )


class Visitor:
    """Asks for pages, one after another, and remembers how long each took."""

    def __init__(self, port: int, preferences: str, leaving: str) -> None:
        self._port = port
        self._paths = ("/world/", preferences, "/")
        self._leaving = leaving

    def phase(self, name: str, work: Callable[[], None]) -> None:
        """Visit as long as the work takes, and show what was seen."""
        over, found = threading.Event(), dict[str, list[float]]()
        thread = threading.Thread(target=self._visit, args=(over, found))
        thread.start()
        work()
        over.set()
        thread.join()
        for what, took in found.items():
            took.sort()
            p50, p99 = took[len(took) // 2], took[len(took) * 99 // 100]
            said = f"{name}: {what}, {len(took)} times, median {p50:.1f}, most {took[-1]:.0f} ms, p99"
            _show(said, p99, "ms", WANTED_MS)

    def _visit(self, over: threading.Event, found: dict[str, list[float]]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not over.is_set():
            for path in self._paths:
                name = "preferences" if len(path) > 20 else path
                found.setdefault(f"GET {name}", []).append(_timed(connection, "GET", path))
            took = _timed(connection, "POST", self._leaving, "List-Unsubscribe=One-Click")
            found.setdefault("POST unsubscribe", []).append(took)
            time.sleep(0.02)


def _timed(connection: http.client.HTTPConnection, method: str, path: str, body: str | None = None) -> float:
    began = time.perf_counter()
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        sys.exit(f"{method} {path}: {answer.status}")
    return (time.perf_counter() - began) * 1000


def _wait_for(port: int) -> None:
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit("the service did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _show(what: str, value: float, unit: str, most: float) -> None:
    verdict = "" if value <= most else "  too much"
    print(f"  {what:44} {value:8.1f} {unit} (at most {most:.0f}){verdict}")

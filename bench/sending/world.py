"""The world that letters are sent in: a house with readers and an issue, and mail servers."""

from __future__ import annotations

import email
import email.policy
import hashlib
import hmac
import json
import os
import re
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from bench.pulling.measured import Failed, Used, measure

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PYTHON = sys.executable
OURS: Mapping[str, str] = {"PYTHONPATH": str(ROOT)}  # the tree that is measured is this one
STORIES = 12
WORDS = 80  # of a story: so that a letter has about 28 KB
SPEAKS = ("the", "of", "harbour", "and", "to", "in", "a", "is", "council", "that", "for", "was", "on", "with",
          "as", "bread", "by", "night", "at", "be", "tram")  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ---------------------------------------------------------------- ours


def write_house(folder: Path, port: int, *, connections: int, more: str = "") -> None:
    """A config and a feed. more: further lines of `email:`."""
    folder.mkdir(parents=True, exist_ok=True)
    items = "".join(
        f"<item><guid>bench-{number}</guid><link>https://gazette.example.org/2026/{number}</link>"
        f"<title>{_words(number, 9).capitalize()}</title>"
        f"<description>&lt;p&gt;{_sentences(number)}&lt;/p&gt;</description></item>"
        for number in range(STORIES)
    )
    (folder / "feed.xml").write_text(
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>The Cape Gazette</title>'
        f"<link>https://gazette.example.org/</link><description>News</description>{items}</channel></rss>"
    )
    (folder / "config.yaml").write_text(
        "site: {title: Bench, url: 'https://post.example.org', postal_address: 1 Example Street}\n"
        "email:\n  from: The Morning Post <news@example.org>\n  transport: smtp\n"
        f"  smtp: [{{host: 127.0.0.1, port: {port}, security: none, connections: {connections}}}]\n{more}"
        "newsletters:\n  world:\n    title: World in brief\n    schedule: {at: '07:00', zone: UTC}\n"
        f"    channels: [email]\n    stories: {{limit: {STORIES}, per_feed: {STORIES}}}\n"
        "    feeds: [{url: feed.xml, first: all}]\n"
    )


def _words(seed: int, count: int) -> str:
    """Words of the story's own among common ones, so that no two stories are taken for one."""
    drawn = hashlib.shake_128(f"{seed} {count}".encode()).digest(2 * count)
    return " ".join(
        SPEAKS[one % len(SPEAKS)] if one % 3 else f"{SPEAKS[other % len(SPEAKS)]}{seed}x{other}"
        for one, other in zip(drawn[::2], drawn[1::2], strict=True)
    )


def _sentences(seed: int) -> str:
    return " ".join(f"{_words(seed * 100 + n, 16).capitalize()}." for n in range(WORDS // 16 * 4))


def digest(folder: Path, *arguments: str, environment: Mapping[str, str] = OURS) -> Used:
    return measure([PYTHON, "-m", "digest", *arguments], folder, environment=environment)


def drive(folder: Path, *steps: str, environment: Mapping[str, str] = OURS) -> tuple[Used, dict[str, Any]]:
    """The house driver: what the whole process took, and what it says of each step."""
    used = measure(
        [PYTHON, str(HERE / "house_driver.py"), "config.yaml", *steps], folder, environment=environment
    )
    return used, json.loads(used.output.splitlines()[-1])


def fill_house(folder: Path, readers: int) -> None:
    """Articles and readers are there; the issue is not made yet."""
    for step in ("pull", "summarize"):
        digest(folder, step)
    connection = sqlite3.connect(folder / "subscribers.db")
    try:
        with connection:
            [pepper] = connection.execute("SELECT value FROM meta WHERE name = 'pepper'").fetchone()
            edition, through = connection.execute("SELECT id, through FROM editions WHERE own").fetchone()
            now, key = int(time.time() * 1e6), bytes.fromhex(pepper)
            addresses = (f"reader{number}@example.org" for number in range(readers))
            connection.executemany(
                "INSERT INTO subscribers (address, hash, created_at) VALUES (?, ?, ?)",
                ((one, hmac.digest(key, one.encode(), hashlib.sha256).hex(), now) for one in addresses),
            )
            connection.execute(
                "INSERT INTO subscriptions (subscriber_id, newsletter, edition_id, status, source, through,"
                " created_at, confirmed_at)"
                " SELECT id, 'world', ?, 'active', 'import', ?, ?, ? FROM subscribers",
                (edition, through, now, now),
            )
    finally:
        connection.close()


def copy_house(source: Path, target: Path) -> Path:
    """All of it, so that each run begins with the same issue to send."""
    shutil.copytree(source, target)
    return target


def check_sent(folder: Path, readers: int) -> None:
    """Every letter is `sent`, once, says the ledger. Raises Failed."""
    connection = sqlite3.connect(folder / "subscribers.db")
    try:
        states = dict(
            connection.execute(
                "SELECT state, count(*) FROM deliveries WHERE channel = 'email' GROUP BY state"
            )
        )
        events = connection.execute("SELECT count(*) FROM delivery_events WHERE state = 'sent'").fetchone()[0]
    finally:
        connection.close()
    if states != {"sent": readers} or events != readers:
        raise Failed(f"the ledger should hold {readers:,} sent letters; it says {states}, {events:,} events")


# ---------------------------------------------------------------- the letter


def capture_letter(folder: Path, house: Path, port: int) -> tuple[dict[str, str], int]:
    """One of our letters, taken apart for the peers, and its size. It is sent by `digest send`."""
    house = copy_house(house, folder / "captured")  # whose ledger has one letter more from now on
    caught = folder / "caught"
    caught.mkdir()
    caught.chmod(0o777)
    with Sink(folder, port, dump=caught):
        digest(house, "send", "world", "--to", "reader0@example.org")
    [file] = list(caught.iterdir())
    raw = re.sub(rb"\A(?:X-[^\n]*\n|Received:[^\n]*\n(?:[ \t][^\n]*\n)*)+", b"", file.read_bytes())
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    text, html = (parsed.get_body((kind,)) for kind in ("plain", "html"))
    if text is None or html is None:
        raise Failed("our letter has no text or no HTML: there is nothing to give to the peers")
    size = len(raw.rstrip(b"\n").replace(b"\n", b"\r\n")) + 2
    return {
        "from": str(parsed["From"]),
        "subject": str(parsed["Subject"]),
        "date": str(parsed["Date"]),
        "text": text.get_content() + "\nhttps://example.org/preferences/@READER@\n",
        "html": html.get_content().replace("</body>", "<p>@READER@</p></body>"),
    }, size


# ---------------------------------------------------------------- servers


class Sink:
    """Postfix's smtp-sink while the block lasts, and how many letters it took. dump: a folder for them."""

    def __init__(self, folder: Path, port: int, *, dump: Path | None = None) -> None:
        self._port = port
        self._out = folder / f"sink-{time.monotonic_ns()}"
        self._dump = dump
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def program() -> str | None:
        return shutil.which("smtp-sink") or shutil.which("smtp-sink", path="/usr/sbin:/usr/local/sbin")

    def __enter__(self) -> Sink:
        options = ["-u", "nobody"] if os.geteuid() == 0 else []
        options += ["-d", f"{self._dump}/letter."] if self._dump else ["-c"]
        command = [str(self.program()), *options, f"127.0.0.1:{self._port}", "256"]
        with self._out.open("wb") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
        wait_for(self._port, self._process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        end(self._process)

    def took(self) -> int:
        """Letters it has taken so far, by its own counter."""
        found = re.findall(rb"mesg=\s*(\d+)", self._out.read_bytes()[-200:])
        return int(found[-1]) if found else 0

    def check(self, letters: int) -> None:
        deadline = time.monotonic() + 5
        while self.took() < letters and time.monotonic() < deadline:
            time.sleep(0.05)
        if self.took() != letters:
            raise Failed(f"smtp-sink should have got {letters:,} letters; it counted {self.took():,}")


class FarAway:
    """The proxy in front of a port while the block lasts. folder: where it is built; seconds: each way."""

    def __init__(self, folder: Path, port: int, seconds: float) -> None:
        compiler = self.compiler()
        if compiler is None:
            raise Failed("the far-away server needs a C compiler, and there is none")
        program = folder / "far_away"
        subprocess.run([compiler, "-O2", "-o", str(program), str(HERE / "far_away.c")], check=True)
        self._command = [str(program), str(port), str(seconds)]
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @staticmethod
    def compiler() -> str | None:
        return shutil.which("gcc") or shutil.which("cc")

    def __enter__(self) -> FarAway:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, start_new_session=True)
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], 10)[0]:
            end(self._process)
            raise Failed("the far-away server did not come up")
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        end(self._process)

    def round_trip(self) -> float:
        """Seconds that a command and its answer take through it, when nothing else is going on."""
        taken = []
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.recv(4096)
            for _ in range(40):
                start = time.perf_counter()
                sock.sendall(b"NOOP\r\n")
                sock.recv(4096)
                taken.append(time.perf_counter() - start)
        return sorted(taken)[len(taken) // 2]


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                end(process)
                raise Failed("smtp-sink did not come up") from None
            time.sleep(0.02)
        else:
            return


def end(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()

"""The database as an outsider sees it, and the verdict: does the ledger say what the mail server saw?

Nothing here goes through our own store: those who are judged do not hold the scales.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from a_house import rss, write_config
from judge_sink import Kept

WORLD = "world"
OUR_TREE = {"PYTHONPATH": str(Path(__file__).parent.parent)}
YOUNG = 8.0  # seconds; until then a worker may not listen to signals yet


class Ledger:
    """One database, looked at from outside. Every call is a connection and a transaction of its own."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.path = folder / url.removeprefix("sqlite:///") if url.startswith("sqlite") else None

    @contextlib.contextmanager
    def connect(self) -> Iterator[Any]:
        if self.path is not None:
            with contextlib.closing(sqlite3.connect(self.path, timeout=30)) as lite, lite:
                yield lite
            return
        import psycopg

        with psycopg.connect(self.url, connect_timeout=10) as post:
            yield post

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return list(connection.execute(self._spelled(statement), values).fetchall())

    def do(self, statement: str, *values: object) -> int:
        with self.connect() as connection:
            return int(connection.execute(self._spelled(statement), values).rowcount)

    def many(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        with self.connect() as connection:
            connection.cursor().executemany(self._spelled(statement), rows)

    def _spelled(self, statement: str) -> str:
        return statement if self.path is not None else statement.replace("?", "%s")

    # ------------------------------------------------------------ before

    def admit(self, addresses: Sequence[str], *, newsletter: str = WORLD) -> None:
        """These people read the newsletter, as if they had been subscribed one by one."""
        [(pepper,)] = self.rows("SELECT value FROM meta WHERE name = 'pepper'")
        [(edition, through)] = self.rows(
            "SELECT id, through FROM editions WHERE newsletter = ? AND own", newsletter
        )
        now, key = int(time.time() * 1e6), bytes.fromhex(pepper)
        hashes = [
            hmac.digest(key, address.casefold().encode(), hashlib.sha256).hex() for address in addresses
        ]
        self.many(
            "INSERT INTO subscribers (address, hash, created_at) VALUES (?, ?, ?)",
            [(address, hashed, now) for address, hashed in zip(addresses, hashes, strict=True)],
        )
        self.do(
            "INSERT INTO subscriptions (subscriber_id, newsletter, edition_id, status, source, through,"
            " created_at, confirmed_at) SELECT id, ?, ?, 'active', 'import', ?, ?, ? FROM subscribers"
            " WHERE id NOT IN (SELECT subscriber_id FROM subscriptions WHERE newsletter = ?)",
            newsletter, edition, through, now, now, newsletter,
        )  # fmt: skip

    # ------------------------------------------------------------ meanwhile

    def states(self, channel: str = "email") -> Counter[str]:
        found = self.rows("SELECT state, count(*) FROM deliveries WHERE channel = ? GROUP BY state", channel)
        return Counter(dict(found))

    def hurry(self) -> int:
        """What is put off for minutes is due now: a test has no minutes to wait. Leases are left alone."""
        return self.do(
            "UPDATE deliveries SET available_at = 0 WHERE queue IS NOT NULL AND available_at > 0"
            " AND state IN ('deferred', 'unknown')"
        )

    def let_leases_run_out(self) -> int:
        """As if a minute had passed. True only while no worker lives."""
        return self.do("UPDATE deliveries SET lease_until = 0 WHERE lease_until > 0")

    def sound(self) -> str:
        """`ok`, or what SQLite says is wrong with its file."""
        if self.path is None:
            return "ok"
        return "; ".join(str(row[0]) for row in self.rows("PRAGMA integrity_check"))


# ---------------------------------------------------------------- the verdict


@dataclass(slots=True, kw_only=True)
class Verdict:
    """wrong: every violation, in words. doubles: copies beyond the first; by_kill: those of them that only a
    dead worker explains."""

    wrong: list[str] = field(default_factory=list)
    letters: int = 0
    doubles: int = 0
    by_kill: int = 0

    def add(self, what: str, whom: Sequence[object]) -> None:
        if whom:
            some = ", ".join(map(str, whom[:5]))
            self.wrong.append(f"{what}: {len(whom)} ({some}{', …' if len(whom) > 5 else ''})")


def judge(ledger: Ledger, kept: Sequence[Kept], readers: Sequence[str], *, exact: bool = True) -> Verdict:
    """Everything that can be wrong between what the server kept and what the ledger says.

    exact: times are compared as well (not where a worker was stopped or the ledger was out of reach: there
    the line of history may come later than what it tells).
    """
    verdict = Verdict(letters=len(kept))
    copies: dict[str, list[Kept]] = defaultdict(list)
    for one in sorted(kept, key=lambda one: one.at):
        copies[one.recipient].append(one)
    rows = ledger.rows("SELECT id, recipient, state FROM deliveries WHERE channel = 'email'")
    events: dict[int, list[tuple[str, float, str]]] = defaultdict(list)
    for id_, state, at, relay in ledger.rows(
        "SELECT delivery_id, state, at, relay FROM delivery_events ORDER BY id"
    ):
        events[id_].append((state, at / 1e6, relay))
    verdict.add("addressed twice", [who for who, n in Counter(row[1] for row in rows).items() if n > 1])
    verdict.add("never addressed", sorted(set(readers) - {row[1] for row in rows}))
    verdict.add("strangers got a letter", sorted(set(copies) - set(readers)))
    verdict.add("lost", sorted(set(readers) - set(copies)))
    verdict.add(
        "copies differ", [who for who, some in copies.items() if len({one.sha256 for one in some}) > 1]
    )
    verdict.add(
        "copies with other Message-IDs",
        [who for who, some in copies.items() if len({one.message_id for one in some}) > 1],
    )
    ids = Counter(some[0].message_id for some in copies.values())
    verdict.add(
        "a Message-ID for several readers, or none", [id_ for id_, n in ids.items() if n > 1 or not id_]
    )
    unsent, unseen, unexplained, undecided, unordered = [], [], [], [], []
    for id_, who, state in rows:
        story, got = events[id_], copies.get(who, [])
        sents = sum(one[0] == "sent" for one in story)
        doubts = [one for one in story if one[0] == "unknown"]
        intents = [one[1] for one in story if one[0] == "attempting"]
        if state != "sent":
            unsent.append(f"{who} {state}")
        if sents > len(got):
            unseen.append(who)
        if len(got) > 1 + len(doubts):
            unexplained.append(f"{who}: {len(got)} copies, {[one[0] for one in story]}")
        if len(got) > len(intents):
            undecided.append(who)
        elif exact and any(sum(at <= one.at for at in intents) < n for n, one in enumerate(got, 1)):
            unordered.append(who)
        if exact:
            for first, second in pairwise(got):
                if not any(first.at <= at + 0.001 and at <= second.at + 0.001 for _, at, _ in doubts):
                    unexplained.append(f"{who}: no doubt between two copies")
        verdict.doubles += max(0, len(got) - 1)
        verdict.by_kill += max(0, len(got) - 1 - sum(bool(one[2]) for one in doubts))
    verdict.add("not sent in the end", unsent)
    verdict.add("called sent, and the server has no such copy", unseen)
    verdict.add("unexplained doubles", unexplained)
    verdict.add("a letter without an intent", undecided)
    verdict.add("a letter before its intent", unordered)
    if (said := ledger.sound()) != "ok":
        verdict.wrong.append(f"the file is damaged: {said}")
    return verdict


def broken_sums(folder: Path) -> list[str]:
    """What `store.deliveries.invariant` finds wrong with any issue."""
    import asyncio

    from digest.service import open_house

    async def look() -> list[str]:
        async with open_house(folder / "config.yaml", sync=False) as house:
            found = []
            for issue in await house.store.issues.latest(public=False, limit=50):
                found += await house.store.deliveries.invariant(issue.id)
            return found

    return asyncio.run(look())


# ---------------------------------------------------------------- a house full of readers


def digest(folder: Path, *arguments: str, seconds: float = 120) -> str:
    """One command, to its end; its stdout."""
    ended = subprocess.run(
        [sys.executable, "-m", "digest", *arguments],
        cwd=folder, capture_output=True, text=True, timeout=seconds, check=False,
        env={**os.environ, **OUR_TREE},
    )  # fmt: skip
    assert ended.returncode == 0, f"digest {' '.join(arguments)}: {ended.stderr[-2000:]}"
    return ended.stdout


def an_issue_to_send(
    folder: Path, database: str, port: int, readers: Sequence[str], *, relay: str = "", compose: bool = True
) -> Ledger:
    """A house whose newsletter has these readers, and an issue of which no letter has been sent yet.

    relay: further settings of the mail server. compose: False: the issue is not made yet.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "feed.xml").write_bytes(rss("lighthouse", "bees", "bread"))
    path = write_config(
        folder, feeds="[{url: feed.xml, first: all}]", smtp_port=port, database=database, recipients="[]"
    )
    if relay:
        text = path.read_text().replace("security: none,", f"security: none, {relay},")
        path.write_text(text)
    if not database.startswith("sqlite"):
        digest(folder, "db", "upgrade")
    digest(folder, "pull")
    digest(folder, "summarize")
    ledger = Ledger(database, folder)
    ledger.admit(readers)
    if compose:
        digest(folder, "compose", "--now")
        assert ledger.states()["pending"] == len(readers)
    return ledger


class Workers:
    """Processes of ours, `digest worker --roles deliver` if nothing else is asked, ended by pid."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self._folder = folder
        self._environment = environment
        self.log = folder / "workers.log"
        self.living: list[subprocess.Popen[bytes]] = []
        self._born: dict[int, float] = {}

    def start(self, count: int = 1, *command: str) -> None:
        wanted = command or ("-m", "digest", "worker", "--roles", "deliver")
        for _ in range(count):
            with self.log.open("ab") as log:
                one = subprocess.Popen(
                    [sys.executable, *wanted],
                    cwd=self._folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                    env={**os.environ, **OUR_TREE, **self._environment},
                )  # fmt: skip
            self.living.append(one)
            self._born[one.pid] = time.monotonic()

    def kill(self, place: int) -> None:
        """As the kernel does it when memory runs out: nothing is said, nothing is tidied up."""
        victim = self.living.pop(place)
        victim.send_signal(signal.SIGCONT)
        victim.kill()
        victim.wait(30)

    def kill_all(self) -> int:
        count = len(self.living)
        while self.living:
            self.kill(0)
        return count

    def end_well(self, seconds: float = 35) -> list[int]:
        """SIGTERM to all; their exit codes. One that had hardly started may know no better than to die."""
        for one in self.living:
            one.terminate()
        codes = []
        for one in self.living:
            try:
                code = one.wait(seconds)
                young = time.monotonic() - self._born[one.pid] < YOUNG
                codes.append(0 if young and code == -signal.SIGTERM else code)
            except subprocess.TimeoutExpired:
                one.kill()
                codes.append(one.wait(10))
        self.living.clear()
        return codes

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill_all()

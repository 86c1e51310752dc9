"""SQLite on a disk that is full, slow or failing, and a file that somebody else has locked.

No letter goes without an intent that lasts; health is red within five seconds; within thirty seconds of the
trouble's end letters go again; the file is sound, and nobody was lost.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from failing_disk import WHY_NOT, FailingDisk
from judge_sink import Judge
from outsider import Ledger, Workers, an_issue_to_send, broken_sums, judge

SHORT = os.environ.get("SOAK") == "short"
READERS = 160 if SHORT else 3000
LASTS = 6.0 if SHORT else 75.0  # longer than a lease
RED_WITHIN, RECOVERS_WITHIN = 5.0, 30.0
CONNECTIONS = 4
PATIENCE = 120.0 if SHORT else 600.0

Trouble = AbstractContextManager[None]


@contextlib.contextmanager
def locked(folder: Path, _disk: FailingDisk | None) -> Iterator[None]:
    connection = sqlite3.connect(folder / "subscribers.db", timeout=30, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
    finally:
        connection.close()


@contextlib.contextmanager
def full(folder: Path, _disk: FailingDisk | None) -> Iterator[None]:
    """The folder is a small file system of its own; the file that fills it goes away again."""
    ballast = folder / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * 4096)
        yield
    finally:
        ballast.unlink(missing_ok=True)


def failing(number: int, of: str) -> Callable[[Path, FailingDisk | None], Trouble]:
    @contextlib.contextmanager
    def trouble(_folder: Path, disk: FailingDisk | None) -> Iterator[None]:
        assert disk is not None
        disk.be(error=number, of=of)
        try:
            yield
        finally:
            disk.be()

    return trouble


@contextlib.contextmanager
def sleeping(_folder: Path, disk: FailingDisk | None) -> Iterator[None]:
    """Every fsync takes half a second: nobody may be lost, and nothing need be red."""
    assert disk is not None
    disk.be(seconds=0.5)
    try:
        yield
    finally:
        disk.be()


TROUBLES: dict[str, Callable[[Path, FailingDisk | None], Trouble]] = {
    "locked": locked,
    "full": full,
    "fsync-fails": failing(errno.EIO, "fsync"),
    "writes-fail": failing(errno.ENOSPC, "write"),
    "fsync-is-slow": sleeping,
}


@pytest.fixture
def house(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Where the house is; for `full` a small file system, which only root can mount."""
    folder = tmp_path / "house"
    folder.mkdir()
    if request.node.callspec.params["name"] != "full":
        yield folder
        return
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no small file system can be mounted here (that takes root)")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def ready(port: int) -> tuple[bool | None, str]:
    """Whether /readyz is green; None: nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=4.9) as answer:
            return True, answer.read().decode()
    except urllib.error.HTTPError as error:
        return False, error.read().decode()
    except OSError as error:
        return None, str(error)


def wait_until(what: str, is_so: Callable[[], bool], within: float) -> float:
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < within, f"{what}: not within {within:.0f} seconds"
        time.sleep(0.1)
    return time.monotonic() - began


@pytest.mark.parametrize("name", ["locked", "fsync-fails"] if SHORT else list(TROUBLES))
def test_nothing_is_lost_and_health_is_red_while_the_ledger_cannot_be_written(
    tmp_path: Path, house: Path, name: str
) -> None:
    disk = FailingDisk.built(tmp_path)
    if disk is None and name not in ("locked", "full"):
        pytest.skip(WHY_NOT)
    people = [f"reader{number}@example.org" for number in range(READERS)]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Judge(tmp_path / "judge", slow=1.0, slow_seconds=0.2) as sink:
        ledger = an_issue_to_send(
            house, "sqlite:///subscribers.db", sink.port, people, relay=f"connections: {CONNECTIONS}"
        )
        with Workers(house, **(disk.environment if disk else {})) as workers:
            workers.log = tmp_path / "run.log"
            workers.start(1, "-m", "digest", "run", "--port", str(port))
            wait_until("the first letters", lambda: sink.count() >= 10, 60)
            assert ready(port)[0] is True, ready(port)
            slow = name == "fsync-is-slow"
            red = None
            with TROUBLES[name](house, disk):
                began = time.monotonic()
                at_once = sink.count()
                while time.monotonic() - began < LASTS:
                    green, said = ready(port)
                    if green is False and red is None:
                        red = time.monotonic() - began
                        first_said = json.loads(said)["checks"]
                    time.sleep(0.2)
                meanwhile = sink.count() - at_once
            back = wait_until(
                "letters again", lambda: sink.count() > at_once + meanwhile or _done(ledger), RECOVERS_WITHIN
            )
            well = wait_until("green again", lambda: ready(port)[0] is True, RECOVERS_WITHIN)
            ends = time.monotonic() + PATIENCE
            while not _done(ledger):
                assert time.monotonic() < ends, f"not done in time: {ledger.states()}"
                ledger.hurry()
                time.sleep(0.5)
            assert workers.end_well() == [0]
        verdict = judge(ledger, sink.kept(), people, exact=False)
        verdict.wrong += [f"the server complains: {said}" for said in sink.complaints()[:5]]
        verdict.wrong += broken_sums(house)
    print(  # noqa: T201 - what a soak is for
        f"{name}: red after {red if red is None else f'{red:.1f} s'}, {meanwhile} letters meanwhile, letters"
        f" again after {back:.1f} s, green after {back + well:.1f} s, {verdict.doubles} doubles"
    )
    if not slow:
        if red is None or red > RED_WITHIN:
            verdict.wrong.append(f"red after {red} s")
        else:
            print(f"  {first_said}")  # noqa: T201
        if meanwhile > 2 * CONNECTIONS:
            verdict.wrong.append(f"{meanwhile} letters went while nothing could be written down")
    assert verdict.wrong == []


def _done(ledger: Ledger) -> bool:
    return ledger.states()["sent"] == READERS

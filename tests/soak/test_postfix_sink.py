"""Postfix's smtp-sink and every fault that it knows, at every stage: what becomes of each letter.

A server refuses, says 421 or hangs up; what the ledger says then is compared with what was meant. Then the
server is well again, and every letter that was not refused for good arrives.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from digest import dispatch
from digest.service import open_house
from outsider import Ledger, an_issue_to_send

SINK = shutil.which("smtp-sink") or shutil.which("smtp-sink", path="/usr/sbin:/usr/local/sbin")
READERS = [f"reader{number}@example.org" for number in range(6)]
WITHIN = 60.0  # seconds for one delivering, however badly the server behaves

pytestmark = pytest.mark.skipif(
    SINK is None, reason="Postfix's smtp-sink is not here: apt-get install postfix"
)


@dataclass(frozen=True, slots=True)
class Case:
    """options: smtp-sink's. states: in which every letter must be at first, any of them. counted: whether the
    readers' attempts are used up (None: either). lost_for_good: refused letters do not come later."""

    name: str
    options: tuple[str, ...]
    states: frozenset[str]
    counted: bool | None = None
    lost_for_good: bool = False
    suppressed: bool = False


def cases() -> Iterator[Case]:
    waits, later = frozenset({"pending", "deferred"}), frozenset({"deferred"})
    unknown, sent, failed = frozenset({"unknown"}), frozenset({"sent"}), frozenset({"failed"})
    kinds = {"4xx": "-r", "5xx": "-f", "disconnect": "-q", "421": "-Q"}
    for kind, option in kinds.items():
        for stage in ("CONNECT", "EHLO", "MAIL"):
            # Nothing here is about a reader.
            yield Case(
                f"{kind} at {stage}",
                (option, stage if stage != "EHLO" else "EHLO,HELO"),
                waits,
                counted=False,
            )
        for stage in ("QUIT", "RSET"):
            yield Case(f"{kind} at {stage}", (option, stage), sent)
    for stage in ("RCPT", "DATA", "."):
        yield Case(f"4xx at {stage}", ("-r", stage), later, counted=True)
        yield Case(f"421 at {stage}", ("-Q", stage), waits, counted=False)
    for stage in ("RCPT", "DATA"):
        yield Case(f"disconnect at {stage}", ("-q", stage), waits, counted=False)
    yield Case("disconnect at .", ("-q", "."), unknown | waits)
    yield Case("5xx at RCPT", ("-f", "RCPT"), failed, lost_for_good=True)
    yield Case(
        "5.1.1 at RCPT",
        ("-f", "RCPT", "-B", "550 5.1.1 no such user"),
        failed,
        lost_for_good=True,
        suppressed=True,
    )
    yield Case(
        "5.2.1 at RCPT",
        ("-f", "RCPT", "-B", "550 5.2.1 mailbox disabled"),
        failed,
        lost_for_good=True,
        suppressed=True,
    )
    # One answer of a block list must not wipe out a list.
    yield Case("5.7.1 at RCPT", ("-f", "RCPT", "-B", "554 5.7.1 blocked"), waits | failed, lost_for_good=True)
    yield Case("5xx at DATA", ("-f", "DATA"), waits | failed, lost_for_good=True)
    yield Case("5xx at .", ("-f", "."), waits | failed, lost_for_good=True)
    yield Case("550 in the middle of the letter", ("-A", "0"), waits | failed | unknown, lost_for_good=True)
    yield Case("452 at RCPT", ("-r", "RCPT", "-b", "452 4.5.3 too many recipients"), later)
    yield Case("no pipelining", ("-p",), sent)
    yield Case("no 8BITMIME", ("-8",), sent)
    yield Case("a small window", ("-T", "4096"), sent)
    yield Case("a slow DATA", ("-w", "1"), sent)
    yield Case("a slow dot", ("-p", "-W", ".:1"), sent)  # with pipelining its replies come out of order
    yield Case("no enhanced codes, no DSN", ("-E", "-N"), sent)


class PostfixSink:
    """smtp-sink on this port while the block lasts."""

    def __init__(self, port: int, *options: str) -> None:
        user = ("-u", "nobody") if os.geteuid() == 0 else ()
        self._command = [str(SINK), *user, *options, f"127.0.0.1:{port}", "64"]
        self._port = port

    def __enter__(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.__exit__()
                    raise
                time.sleep(0.02)

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(10)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house with an issue of which nothing has been sent; each case gets a copy."""
    folder = tmp_path_factory.mktemp("postfix") / "house"
    an_issue_to_send(folder, "sqlite:///subscribers.db", 1, READERS)
    return folder


def deliver(folder: Path) -> None:
    async def once() -> None:
        async with asyncio.timeout(WITHIN), open_house(folder / "config.yaml") as opened:
            await dispatch.deliver(opened.line)

    asyncio.run(once())


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.name.replace(" ", "-"))
def test_each_letter_is_in_the_right_state_and_none_is_lost(house: Path, tmp_path: Path, case: Case) -> None:
    folder = tmp_path / "house"
    shutil.copytree(house, folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace("port: 1,", f"port: {port},"))
    ledger = Ledger("sqlite:///subscribers.db", folder)
    with PostfixSink(port, *case.options):
        deliver(folder)
    first = ledger.rows(
        "SELECT recipient, state, attempts FROM deliveries WHERE channel = 'email' ORDER BY id"
    )
    assert len(first) == len(READERS)
    assert {state for _, state, _ in first} <= case.states, first
    if case.counted is False:
        assert {attempts for *_, attempts in first} == {0}, first
    elif case.counted:
        # A server that says it of the first letters may be left alone before the others are tried.
        assert all(attempts == (state == "deferred") for _, state, attempts in first), first
    [(suppressed,)] = ledger.rows("SELECT count(*) FROM suppressions")
    assert suppressed == (sum(state == "failed" for _, state, _ in first) if case.suppressed else 0)
    failed = sum(state == "failed" for _, state, _ in first)
    assert not failed or case.lost_for_good
    with PostfixSink(port):  # well again
        for _ in range(3):
            ledger.hurry()
            deliver(folder)
    states = ledger.states()
    if case.lost_for_good and not failed:
        # The way out or the domain rests for minutes after such answers; the letters wait, and none is lost.
        assert states["sent"] + states["deferred"] + states["pending"] == len(READERS), states
        return
    assert states == Counter(sent=len(READERS) - failed, failed=failed) + Counter(), states

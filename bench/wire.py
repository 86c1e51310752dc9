"""The wire: what a letter costs us from the ledger's intent to its outcome, the ledger itself left out.

The server is Postfix's smtp-sink where it is installed, and a small one of our own that takes BDAT and can be
as far away as we like. It runs in a process of its own; CPU is that of ours alone, with the kernel's part.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from digest.model import Delivery, DeliveryState
from digest.publishers.base import Lent, Result, anyone
from digest.publishers.email import Publisher, Settings, prepare_issue
from digest.publishers.relay import Relay
from digest.store import Store
from letter_samples import LINKS, LONG, SITE, WORLD

ISSUE = replace(LONG, stories=LONG.stories[:6])
ROOT = Path(__file__).parent.parent
SENDER = "The Morning Post <news@example.org>"
MOMENT = datetime(2026, 11, 28, 7, tzinfo=UTC)
FAR = 0.02  # seconds of a round trip


class Ledger:
    """So many letters to give; it remembers nothing but how many there are."""

    def __init__(self, readers: int) -> None:
        self.left = iter(range(1, readers + 1))
        self.sent = 0
        self.other: list[Result] = []

    async def step(
        self,
        done: Sequence[tuple[Delivery, Result]],
        want: int,
        admit: Callable[[Delivery], bool | None] = anyone,
    ) -> Sequence[Delivery]:
        for _, result in done:
            if isinstance(result, Exception):
                self.other.append(result)
            else:
                self.sent += 1
        return [_delivery(number) for number in itertools.islice(self.left, want)]

    def over(self) -> bool:
        return False

    def holds(self, _delivery: Delivery) -> bool:
        return True


def _delivery(number: int) -> Delivery:
    return Delivery(
        id=number,
        channel="email",
        recipient=f"reader{number}@example.org",
        newsletter="world",
        issue_id=ISSUE.id,
        subscription_id=number,
        state=DeliveryState.ATTEMPTING,
        created_at=MOMENT,
        available_at=MOMENT,
    )


class _Shelf:
    """The store, as far as a letter needs it: the letter, and a real room for what is counted of relays."""

    def __init__(self, prepared: bytes, store: Store) -> None:
        self.issues = self
        self.budgets = store.budgets
        self._prepared = prepared

    async def get(self, _issue_id: int) -> Any:
        return ISSUE

    async def prepared(self, _issue_id: int, _channel: str, _language: str) -> bytes:
        return self._prepared


def lent(settings: Settings, kept: Store) -> Lent:
    prepared = prepare_issue(ISSUE, WORLD, SITE, settings.sender, LINKS, None)
    missing: Any = SimpleNamespace()
    store: Any = _Shelf(prepared, kept)
    return Lent(
        site=SITE, store=store, links=LINKS, workers=missing, net=missing, templates=None,
        clock=lambda: MOMENT,
    )  # fmt: skip


async def send(port: int, letters: int, connections: int) -> tuple[float, float]:
    """Seconds of time and of processor, for so many letters."""
    relay = Relay(host="127.0.0.1", port=port, security="none", connections=connections)
    settings = Settings(from_=SENDER, transport="smtp", smtp=(relay,))
    with tempfile.TemporaryDirectory(prefix="digest-bench-") as folder:
        store = await Store.open(f"sqlite:///{folder}/budgets.db")
        try:
            publisher = Publisher(settings, lent(settings, store))
            await publisher.connect()
            await publisher.stream(Ledger(2 * connections))
            ledger = Ledger(letters)
            began, cpu = time.perf_counter(), time.process_time()
            await publisher.stream(ledger)
            taken = time.perf_counter() - began, time.process_time() - cpu
            await publisher.close()
        finally:
            await store.close()
    if ledger.sent != letters:
        sys.exit(f"{letters - ledger.sent} letters were not sent: {ledger.other[:1]}")
    return taken


# ---------------------------------------------------------------- servers


class Server(asyncio.Protocol):
    """Takes everything. far: seconds before each answer leaves."""

    def __init__(self, offers: Sequence[str], far: float) -> None:
        self._offers = offers
        self._far = far
        self._buffer = bytearray()
        self._skip = 0
        self._letter = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        transport.write(b"220 bench ESMTP\r\n")  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        out: list[bytes] = []
        while self._take(out):
            pass
        if out:
            said = b"".join(out)
            if self._far:
                asyncio.get_running_loop().call_later(self._far, self._transport.write, said)
            else:
                self._transport.write(said)

    def _take(self, out: list[bytes]) -> bool:
        buffer = self._buffer
        if self._skip:
            if len(buffer) < self._skip:
                return False
            del buffer[: self._skip]
            self._skip = 0
            out.append(b"250 2.0.0 queued\r\n")
            return True
        if self._letter:
            end = buffer.find(b"\r\n.\r\n")
            if end < 0:
                return False
            del buffer[: end + 5]
            self._letter = False
            out.append(b"250 2.0.0 queued\r\n")
            return True
        end = buffer.find(b"\r\n")
        if end < 0:
            return False
        line = bytes(buffer[:end])
        del buffer[: end + 2]
        if line == b"DATA":
            self._letter = True
            out.append(b"354 go on\r\n")
        elif line.startswith(b"BDAT"):
            self._skip = int(line.split(b" ")[1])
        elif line.startswith(b"EHLO"):
            lines = [b"bench", *(offer.encode() for offer in self._offers)]
            out += [b"250-" + each + b"\r\n" for each in lines[:-1]] + [b"250 " + lines[-1] + b"\r\n"]
        else:
            out.append(b"250 2.1.0 ok\r\n")
        return True


async def serve(port: int, far: float, offers: Sequence[str]) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Server(offers, far), "127.0.0.1", port)
    await server.serve_forever()


@contextlib.contextmanager
def running(command: Sequence[str], port: int) -> Iterator[int]:
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def ours(offers: str, far: float = 0.0) -> contextlib.AbstractContextManager[int]:
    port = _free()
    return running([sys.executable, "-m", "bench.wire", "--serve", str(port), str(far), offers], port)


def postfix() -> contextlib.AbstractContextManager[int] | None:
    sink = shutil.which("smtp-sink") or shutil.which("/usr/sbin/smtp-sink")
    if sink is None:
        return None
    port = _free()
    return running([sink, "-u", "nobody", f"127.0.0.1:{port}", "200"], port)


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# ---------------------------------------------------------------- the table


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench wire", description=__doc__)
    parser.add_argument("--letters", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--profile", action="store_true", help="show where our time goes, and nothing else")
    asked = parser.parse_args(options)
    if asked.profile:
        _profile(asked.letters, asked.connections)
        return
    size = len(prepare_issue(ISSUE, WORLD, SITE, Settings(from_=SENDER).sender, LINKS, None))
    print(f"\none letter of {size:,} bytes over {asked.connections} connections")
    print(f"  {'':44} {'letters/s':>10} {'CPU ms/letter':>14}")
    rows = [
        ("smtp-sink, PIPELINING", postfix(), 1),
        ("our sink, PIPELINING", ours("PIPELINING,SIZE"), 1),
        ("our sink, CHUNKING", ours("PIPELINING,CHUNKING,SIZE"), 1),
        ("our sink, neither", ours("SIZE"), 1),
        ("our sink, PIPELINING, 20 ms away", ours("PIPELINING,SIZE", FAR), 10),
        ("our sink, CHUNKING, 20 ms away", ours("PIPELINING,CHUNKING,SIZE", FAR), 2),
    ]
    for name, server, fewer in rows:
        if server is None:
            print(f"  {name:44} not installed: left out")
            continue
        letters = asked.letters // fewer
        with server as port:
            seconds, cpu = asyncio.run(send(port, letters, asked.connections))
        print(f"  {name:44} {letters / seconds:10,.0f} {cpu / letters * 1e3:14.4f}")


def _profile(letters: int, connections: int) -> None:
    import cProfile
    import pstats

    with postfix() or ours("PIPELINING,SIZE") as port:
        profile = cProfile.Profile()
        profile.runcall(asyncio.run, send(port, letters, connections))
    pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    if sys.argv[1:2] != ["--serve"]:
        sys.exit("python -m bench wire")
    asyncio.run(serve(int(sys.argv[2]), float(sys.argv[3]), sys.argv[4].split(",")))

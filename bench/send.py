"""Twenty thousand personal letters of 28 KB into Postfix's smtp-sink: ours, ledger included, against
nodemailer's pool and aiosmtplib's send_message, with Postfix's smtp-source as the limit of the wire.

The senders take turns, so that a noisy machine is noisy to all alike. smtp-sink's count and our ledger are
asked whether the work was really done; if not, nothing is printed but that. Then, ours alone: with 5 ms more
for every fsync, with DKIM (RSA-2048), with a server 20 ms away, and with few and many readers.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.pulling.measured import Failed, adopt_orphans, measure
from bench.sending.world import (
    HERE,
    OURS,
    PYTHON,
    ROOT,
    FarAway,
    Sink,
    capture_letter,
    check_sent,
    copy_house,
    digest,
    drive,
    fill_house,
    free_port,
    write_house,
)

sys.path.insert(0, str(ROOT / "tests"))
from failing_disk import WHY_NOT, FailingDisk

SERVICE, COMMAND = "digest, as a service", "digest deliver"
NODEMAILER, AIOSMTPLIB, LIMIT = "nodemailer's pool", "aiosmtplib.send_message", "smtp-source"
CPU_WANTED = {NODEMAILER: 15.0, AIOSMTPLIB: 25.0}
RATE_WANTED = 0.7  # of smtp-source
DKIM_WANTED = 1200  # letters a second and core
TRIPS_WANTED = 1.1  # round trips for a letter and connection
FSYNC, ROUND_TRIP = 0.005, 0.020
FAR_LETTERS = 2000
MB = 1024 * 1024
FLAT = 1.25  # the most that memory may grow from the smaller number of readers to the larger
PARTS = ("race", "fsync", "dkim", "far", "memory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """letters, and the wall and processor seconds they took."""

    letters: int
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        return self.letters / self.seconds

    @property
    def each(self) -> float:
        return self.cpu / self.letters


def main(options: Sequence[str] = ()) -> None:
    asked = _options(options)
    if Sink.program() is None:
        sys.exit("the send benchmark needs Postfix's smtp-sink, and it is not here: apt-get install postfix")
    adopt_orphans()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with tempfile.TemporaryDirectory(prefix="digest-bench-") as home:
            Path(home).chmod(0o755)  # smtp-sink is nobody
            _Bench(Path(home), asked).run()
    except Failed as failure:
        sys.exit(f"the send benchmark measured nothing more: {failure}")
    except KeyboardInterrupt:
        print("interrupted: everything is stopped and put away", file=sys.stderr)
        sys.exit(130)


def _options(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench send", description=__doc__)
    parser.add_argument("--letters", type=int, default=20_000, metavar="N", help="how many (20000)")
    parser.add_argument(
        "--peers", type=int, default=None, metavar="N", help="how many by nodemailer and aiosmtplib (a fifth)"
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how often (3); medians are shown")
    parser.add_argument("--connections", type=int, default=4, metavar="N", help="of every sender (4)")
    parser.add_argument("--million", action="store_true", help="memory with a million readers (else 50,000)")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="these parts (all)")
    asked = parser.parse_args(given)
    if asked.letters < 1 or asked.rounds < 1 or asked.connections < 1:
        parser.error("at least one letter, round and connection")
    asked.peers = asked.peers or max(1, asked.letters // 5)
    return asked


class _Bench:
    def __init__(self, home: Path, asked: argparse.Namespace) -> None:
        self.home = home
        self.asked = asked
        self.port = free_port()
        self.size = 0
        self._runs = 0

    def run(self) -> None:
        print("making a house, its readers and an issue …", file=sys.stderr)
        self.house = self._make("house", self.asked.letters)
        letter, self.size = capture_letter(self.home, self.house, self.port)
        (self.home / "letter.json").write_text(json.dumps(letter))
        print(f"letters of {self.size:,} bytes, {self.asked.connections} connections, into smtp-sink")
        parts: dict[str, Callable[[], None]] = {
            "race": self.race, "fsync": self.fsync, "dkim": self.dkim, "far": self.far, "memory": self.memory,
        }  # fmt: skip
        for name in PARTS:
            if name in self.asked.only:
                parts[name]()

    def _make(self, name: str, readers: int, *, port: int = 0, more: str = "", compose: bool = True) -> Path:
        house = self.home / name
        write_house(house, port or self.port, connections=self.asked.connections, more=more)
        fill_house(house, readers)
        if compose:
            digest(house, "compose", "--now")
        return house

    # ------------------------------------------------------------ the race

    def race(self) -> None:
        senders = self._senders()
        taken: dict[str, list[Took]] = {name: [] for name in senders}
        for number in range(self.asked.rounds):
            names = list(senders)
            for name in names[number % len(names) :] + names[: number % len(names)]:
                print(f"round {number + 1} of {self.asked.rounds}: {name} …", file=sys.stderr)
                taken[name].append(senders[name]())
        print(f"\n  {'':30}{'letters':>9}{'letters/s':>11}{'CPU ms/letter':>15}")
        for name, every in taken.items():
            print(
                f"  {name:30}{every[0].letters:9,}{statistics.median(one.rate for one in every):11,.0f}"
                f"{statistics.median(one.each for one in every) * 1e3:15.3f}"
            )
        for us in (SERVICE, COMMAND):
            for them, wanted in CPU_WANTED.items():
                if them in taken:
                    pairs = zip(taken[us], taken[them], strict=True)
                    ratio = statistics.median(b.each / a.each for a, b in pairs)
                    _verdict(
                        f"{us}: CPU per letter, {them} takes ×{ratio:.1f}", ratio >= wanted, f"×{wanted:g}"
                    )
            if LIMIT in taken:
                pairs = zip(taken[us], taken[LIMIT], strict=True)
                share = statistics.median(a.rate / b.rate for a, b in pairs)
                _verdict(
                    f"{us}: {share:.2f} of {LIMIT}'s letters/s", share >= RATE_WANTED, f"{RATE_WANTED:g}"
                )

    def _senders(self) -> dict[str, Callable[[], Took]]:
        senders = {SERVICE: self._service, COMMAND: self._command}
        if (limit := self._limit()) is not None:
            senders[LIMIT] = limit
        senders[AIOSMTPLIB] = lambda: self._peer([PYTHON, str(HERE / "aiosmtplib_driver.py")], {})
        modules = _nodemailer()
        if modules is None:
            print("without nodemailer: it needs node, and `make bench-peers`")
        else:
            node = [str(shutil.which("node")), str(HERE / "nodemailer_driver.cjs")]
            senders[NODEMAILER] = lambda: self._peer(node, {"NODE_PATH": str(modules)})
        return senders

    def _limit(self) -> Callable[[], Took] | None:
        program = shutil.which("smtp-source") or shutil.which("smtp-source", path="/usr/sbin:/usr/local/sbin")
        if program is None:
            print(f"without {LIMIT}: apt-get install postfix")
            return None
        return lambda: self._source(program)

    def _copy(self, source: Path | None = None) -> Path:
        self._runs += 1
        return copy_house(source or self.house, self.home / f"run-{self._runs}")

    def _service(self, source: Path | None = None, environment: Mapping[str, str] = OURS) -> Took:
        folder = self._copy(source)
        with Sink(self.home, self.port) as sink:
            _, told = drive(folder, "deliver", environment=environment)
            sink.check(self.asked.letters)
        check_sent(folder, self.asked.letters)
        shutil.rmtree(folder)
        return _told(told["deliver"], self.asked.letters)

    def _command(self) -> Took:
        folder = self._copy()
        with Sink(self.home, self.port) as sink:
            used = digest(folder, "deliver")
            sink.check(self.asked.letters)
        check_sent(folder, self.asked.letters)
        shutil.rmtree(folder)
        return Took(letters=self.asked.letters, seconds=used.seconds, cpu=used.cpu)

    def _source(self, program: str) -> Took:
        with Sink(self.home, self.port) as sink:
            used = measure(
                [program, "-d", "-N", "-s", str(self.asked.connections), "-m", str(self.asked.letters),
                 "-l", str(self.size), "-f", "news@example.org", "-t", "reader@example.org",
                 f"127.0.0.1:{self.port}"],
                self.home,
            )  # fmt: skip
            sink.check(self.asked.letters)
        return Took(letters=self.asked.letters, seconds=used.seconds, cpu=used.cpu)

    def _peer(self, command: Sequence[str], environment: Mapping[str, str]) -> Took:
        letters = self.asked.peers
        options = [str(self.home / "letter.json"), str(self.port), str(letters), str(self.asked.connections)]
        with Sink(self.home, self.port) as sink:
            used = measure([*command, *options], self.home, environment=environment)
            sink.check(letters)
        return _told(json.loads(used.output), letters)

    # ------------------------------------------------------------ ours alone

    def fsync(self) -> None:
        disk = FailingDisk.built(self.home)
        if disk is None:
            print(f"without the slow disk: {WHY_NOT}")
            return
        disk.be(seconds=FSYNC)
        plain, slow, limits = [], [], []
        limit = self._limit()
        for number in range(self.asked.rounds):
            print(f"slow disk, round {number + 1} of {self.asked.rounds} …", file=sys.stderr)
            plain.append(self._service())
            slow.append(self._service(environment={**OURS, **disk.environment}))
            if limit is not None:
                limits.append(limit())
        rates = [statistics.median(one.rate for one in every) for every in (plain, slow)]
        each = statistics.median(one.each for one in slow)
        print(
            f"\nwith {FSYNC * 1e3:g} ms more for every fsync: {rates[1]:,.0f} letters/s "
            f"(without: {rates[0]:,.0f}), {each * 1e3:.3f} ms of CPU a letter"
        )
        if limits:
            share = statistics.median(a.rate / b.rate for a, b in zip(slow, limits, strict=True))
            _verdict(
                f"{share:.2f} of the letters/s of {LIMIT}, which waits for no disk",
                share >= RATE_WANTED,
                f"{RATE_WANTED:g}",
            )

    def dkim(self) -> None:
        folder = self.home / "signing"
        more = "  dkim: {domain: example.org, selector: s1, key: !file dkim.pem}\n"
        write_house(folder, self.port, connections=self.asked.connections, more=more)
        _write_key(folder / "dkim.pem")
        try:
            digest(folder, "config", "check")
        except Failed as failure:
            if "dkim" not in str(failure):
                raise
            print("\nwithout DKIM: this tree's config does not take `email.dkim`")
            return
        fill_house(folder, self.asked.letters)
        digest(folder, "compose", "--now")
        taken = []
        for number in range(self.asked.rounds):
            print(f"DKIM, round {number + 1} of {self.asked.rounds} …", file=sys.stderr)
            taken.append(self._service(folder))
        rate = statistics.median(one.rate for one in taken)
        core = statistics.median(1 / one.each for one in taken)
        print(f"\nwith DKIM (RSA-2048): {rate:,.0f} letters/s")
        _verdict(f"{core:,.0f} letters/s/core", core >= DKIM_WANTED, f"{DKIM_WANTED:,}")

    def far(self) -> None:
        if FarAway.compiler() is None:
            print("without a server far away: there is no C compiler here to build it with")
            return
        letters = min(FAR_LETTERS, self.asked.letters)
        port = free_port()
        with FarAway(self.home, port, ROUND_TRIP / 2) as proxy:
            house = self._make("far", letters, port=proxy.port)
            trips, taken = [], []
            for number in range(self.asked.rounds):
                print(f"far away, round {number + 1} of {self.asked.rounds} …", file=sys.stderr)
                folder = self._copy(house)
                with Sink(self.home, port) as sink:
                    trip = proxy.round_trip()
                    _, told = drive(folder, "deliver")
                    sink.check(letters)
                check_sent(folder, letters)
                shutil.rmtree(folder)
                took = _told(told["deliver"], letters)
                taken.append(took)
                trips.append(took.seconds * self.asked.connections / letters / trip)
        rate = statistics.median(one.rate for one in taken)
        found = statistics.median(trips)
        print(f"\nat {ROUND_TRIP * 1e3:g} ms round trip ({trip * 1e3:.1f} measured): {rate:,.0f} letters/s")
        _verdict(
            f"{found:.2f} round trips for a letter and connection", found <= TRIPS_WANTED, f"{TRIPS_WANTED}"
        )

    def memory(self) -> None:
        few, many = 1000, 1_000_000 if self.asked.million else 50_000
        peaks = {}
        print("\nmemory of the process that makes the issue, its deliveries, and sends them")
        for readers in (few, many):
            print(f"memory, {readers:,} readers …", file=sys.stderr)
            house = self._make(f"memory-{readers}", readers, compose=False)
            with Sink(self.home, self.port) as sink:
                _, told = drive(house, "compose", "deliver")
                sink.check(readers)
            check_sent(house, readers)
            shutil.rmtree(house)
            peaks[readers] = told["deliver"]["peak"]
            sent = _told(told["deliver"], readers)
            print(
                f"  {readers:9,} readers: {told['compose']['peak'] / MB:,.0f} MB when all are born "
                f"({told['compose']['seconds']:.1f} s), {peaks[readers] / MB:,.0f} MB when all are sent "
                f"({sent.rate:,.0f} letters/s)"
            )
        ratio = peaks[many] / peaks[few]
        _verdict(f"×{ratio:.2f} from {few:,} to {many:,}", ratio <= FLAT, f"×{FLAT}")


def _told(told: Mapping[str, Any], letters: int) -> Took:
    return Took(letters=letters, seconds=told["seconds"], cpu=told["cpu"])


def _verdict(said: str, is_so: bool, wanted: str) -> None:
    print(f"  {said}   ({wanted} is wanted: {'yes' if is_so else 'NOT YET'})")


def _nodemailer() -> Path | None:
    """The folder of modules that has it, if node is here: DIGEST_BENCH_NODE_MODULES or our own."""
    modules = Path(os.environ.get("DIGEST_BENCH_NODE_MODULES") or ROOT / ".venv-bench" / "node_modules")
    return modules if shutil.which("node") and (modules / "nodemailer").is_dir() else None


def _write_key(path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    path.chmod(0o600)

"""Two thousand feeds from a local nginx: ours against PyPI's `reader` and Debian's newsboat.

A cold round (empty database, every answer 200), then one in which every answer is 304. The programs take
turns, so that a noisy machine is noisy to all alike. nginx's log and each database are asked whether the
work was really done; if not, nothing is printed but that.
"""

from __future__ import annotations

import argparse
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.pulling.corpus import FeedFile, described, write_feeds
from bench.pulling.measured import Failed, Used, adopt_orphans, measure
from bench.pulling.programs import (
    OUR_CODE,
    OUR_PYTHON,
    Newsboat,
    Ours,
    Program,
    Reader,
    best_workers,
    our_entries,
    pull_in_an_open_house,
    reader_python,
    write_our_config,
)
from bench.pulling.server import HOSTS, Nginx
from bench.pulling.table import Round, Took, show

TRIED = 200  # feeds on which `reader` shows how many threads it likes
OPEN_HOUSE = "digest, as a service"
STEPS = ("cold", "again")
CHOICES = ("ours", "reader", "newsboat")


def main(options: Sequence[str] = ()) -> None:
    asked = _options(options)
    if Nginx.program() is None:
        sys.exit("the pull benchmark needs nginx, and it is not here: apt-get install nginx-light")
    adopt_orphans()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # let go of everything then, too
    try:
        with tempfile.TemporaryDirectory(prefix="digest-bench-") as home:
            _run(Path(home), asked.feeds, asked.rounds, asked.only or CHOICES)
    except Failed as failure:
        sys.exit(f"the pull benchmark measured nothing: {failure}")
    except KeyboardInterrupt:
        print("interrupted: everything is stopped and put away", file=sys.stderr)
        sys.exit(130)


def _options(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench pull", description=__doc__)
    parser.add_argument("--feeds", type=int, default=2000, metavar="N", help="how many (2000)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how often (3); medians are shown")
    parser.add_argument("--only", nargs="+", choices=CHOICES, help="who takes part (all that are here)")
    asked = parser.parse_args(given)
    if asked.feeds < 1 or asked.rounds < 1:
        parser.error("at least one feed and one round")
    return asked


# ---------------------------------------------------------------- the world


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The feeds and their server, and the two questions that a benchmark must answer."""

    files: tuple[FeedFile, ...]
    nginx: Nginx

    def urls(self) -> list[str]:
        return [self.nginx.url(number, file.name) for number, file in enumerate(self.files)]

    def forget(self) -> None:
        self.nginx.answers()

    def check_asked(
        self, who: str, *statuses: str, of: Collection[FeedFile], perhaps: Collection[FeedFile] = ()
    ) -> int:
        """How many answers there were since the last time: one for each feed and status, and nothing else.

        perhaps: feeds that may have been left out.
        """
        found = self.nginx.answers()
        wanted = Counter({(status, f"/{file.name}"): 1 for status in statuses for file in of})
        allowed = wanted | Counter({(status, f"/{file.name}"): 1 for status in statuses for file in perhaps})
        if not wanted <= found <= allowed:
            sums: Counter[str] = Counter()
            for (status, _), count in found.items():
                sums[status] += count
            said = ", ".join(f"{count:,} × {status}" for status, count in sums.items()) or "nothing"
            raise Failed(
                f"{who} should have got {' and '.join(statuses) or 'nothing'} once for each of "
                f"{len(of):,} feeds; nginx answered {said}"
            )
        return found.total()

    def check_read(self, who: str, entries: Mapping[str, int], *, all_of_them: bool) -> list[FeedFile]:
        """Those that were read to the last entry. The well-formed ones must be; with all_of_them the others
        too."""
        whole = []
        for file, url in zip(self.files, self.urls(), strict=True):
            found = entries.get(url, 0)
            if found == file.entries:
                whole.append(file)
            elif file.sound or all_of_them:
                raise Failed(f"{who} has {found} of the {file.entries} entries of {file.name}")
        return whole


def _run(home: Path, feeds: int, rounds: int, wanted: Sequence[str]) -> None:
    root, work = home / "feeds", home / "nginx"
    root.mkdir()
    work.mkdir()
    print("making feeds …", file=sys.stderr)
    files = write_feeds(root, feeds)
    with Nginx(work, root, min(HOSTS, feeds)) as nginx:
        world = World(files=files, nginx=nginx)
        programs = _programs(home, world, wanted)
        taken: dict[str, list[Round]] = {}
        speeds = []
        for number in range(rounds):
            turn = programs[number % len(programs) :] + programs[: number % len(programs)]
            for program in turn:
                speeds.append(_machine_speed())
                print(f"round {number + 1} of {rounds}: {program.name} …", file=sys.stderr)
                with tempfile.TemporaryDirectory(dir=home) as folder:
                    taken.setdefault(program.name, []).append(_round(program, Path(folder), world))
                if isinstance(program, Ours):
                    with tempfile.TemporaryDirectory(dir=home) as folder:
                        taken.setdefault(OPEN_HOUSE, []).append(_open_house(Path(folder), world))
    print(
        f"\n{described(files)}; nginx on {len(nginx.hosts)} addresses; medians of {rounds} rounds, in turns"
    )
    show(taken, ours=Ours.name, service=OPEN_HOUSE)
    usual = statistics.median(speeds)
    spread = (max(speeds) - min(speeds)) / usual
    print(
        f"\nThe same small loop took {usual * 1e3:.0f} ms, ± {spread / 2:.0%} over the run: "
        "that is the noise of this machine. nginx shares its processors with whom it serves."
    )


def _programs(home: Path, world: World, wanted: Sequence[str]) -> list[Program]:
    programs: list[Program] = [Ours()] if "ours" in wanted else []
    python = reader_python()
    if "reader" in wanted and python is None:
        print("without `reader`: say `make bench-peers`, or DIGEST_BENCH_READER=/path/to/its/python")
    elif "reader" in wanted and python is not None:
        print("how many threads does `reader` like? …", file=sys.stderr)
        workers = best_workers(python, home, world.urls()[:TRIED])
        programs.append(Reader(python, workers))
    if "newsboat" in wanted and Newsboat.program() is None:
        print("without newsboat: apt-get install newsboat")
    elif "newsboat" in wanted:
        programs.append(Newsboat())
    if not programs:
        raise Failed("nobody is here to take part")
    return programs


# ---------------------------------------------------------------- a round


def _round(program: Program, home: Path, world: World) -> Round:
    strict = isinstance(program, Ours)
    program.prepare(home, world.urls())
    empty_start = program.start(empty=True)
    world.forget()
    cold = program.cold()
    world.check_asked(program.name, "200", of=world.files)
    whole = world.check_read(program.name, program.entries(), all_of_them=strict)
    start = program.start(empty=False)
    world.check_asked(program.name, of=())
    program.settle()
    world.forget()
    again = program.again()
    asked = world.check_asked(program.name, "304", of=whole, perhaps=() if strict else world.files)
    kept = world.check_read(program.name, program.entries(), all_of_them=strict)
    if kept != whole:
        raise Failed(f"{program.name} lost entries in a round without news")
    return Round(
        cold=_took(cold, len(world.files), empty_start or start),
        again=_took(again, asked, start),
        whole=len(whole),
    )


def _open_house(home: Path, world: World) -> Round:
    write_our_config(home, world.urls())
    measure(
        [OUR_PYTHON, "-m", "digest", "config", "check"], home, imports=OUR_CODE
    )  # makes byte code, secret
    world.forget()
    used, rounds = pull_in_an_open_house(home)
    world.check_asked(OPEN_HOUSE, "200", "304", of=world.files)
    feeds = len(world.check_read(OPEN_HOUSE, our_entries(home), all_of_them=True))
    cold, again = (replace(used, seconds=rounds[name]["seconds"], cpu=rounds[name]["cpu"]) for name in STEPS)
    return Round(cold=_took(cold, feeds, None), again=_took(again, feeds, None), whole=feeds)


def _took(used: Used, feeds: int, start: Used | None) -> Took:
    started = start.seconds if start else 0.0
    return Took(feeds=feeds, seconds=used.seconds, start=started, cpu=used.cpu, peak=used.peak)


def _machine_speed() -> float:
    """Seconds of a loop that is always the same."""
    start = time.perf_counter()
    total = 0
    for number in range(1_500_000):
        total += number & 7
    return time.perf_counter() - start

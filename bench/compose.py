"""A day of 5,000 articles from 300 feeds, and a normal one of 200, composed in a real
house while somebody reads its pages.

The articles are pulled and read first, as on any day: that is not measured. Then the draft is made several
times and stored nowhere, and at last the issue is composed as the service does it. Meanwhile another process
asks the same service for pages. What must not be exceeded stands beside each number.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import cProfile
import io
import json
import os
import pstats
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from bench.composing.day import write_day
from digest import dispatch, drafting, intake, pipeline
from digest.service import House, open_house
from digest.service.event_loop import new_event_loop
from digest.service.serve import Running

EARLIER = 1_200  # articles of the days before: what was told, and what is common
NORMAL = 200
DRAFTS = 3
MB = 1024 * 1024
VISITOR = Path(__file__).parent / "composing" / "visitor.py"


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench compose", description=__doc__)
    parser.add_argument("--articles", type=int, default=5_000, metavar="N", help="of the large day (5000)")
    parser.add_argument("--feeds", type=int, default=300, metavar="N", help="how many (300)")
    parser.add_argument("--profile", action="store_true", help="say where the time of the draft goes")
    asked = parser.parse_args(options)
    with (
        tempfile.TemporaryDirectory(prefix="digest-bench-") as folder,
        asyncio.Runner(loop_factory=new_event_loop()) as runner,
    ):
        runner.run(_run(Path(folder), asked.articles, asked.feeds, profile=asked.profile))


async def _run(folder: Path, articles: int, feeds: int, *, profile: bool) -> None:
    names = await _earlier(folder, feeds)
    await _day(folder, names, seed=2, articles=NORMAL, most=1.0, profile=False)
    await _day(folder, names, seed=3, articles=articles, most=10.0, profile=profile)


# ---------------------------------------------------------------- the days


async def _earlier(folder: Path, feeds: int) -> list[str]:
    """A house with some history: an issue with many stories, which the next ones must not repeat."""
    print(f"making {feeds} feeds, and an issue before …", file=sys.stderr)
    names = [f"feed-{number}.xml" for number in range(feeds)]
    _write_config(folder, names, limit=100)
    async with open_house(folder / "config.yaml") as house:
        await _read_in(house, folder, names, seed=1, articles=EARLIER)
        composed = await pipeline.compose(house.line, house.line.clock(), force=True)
        if composed.problems:
            sys.exit(f"the issue before could not be composed: {composed.problems}")
        await dispatch.deliver(house.line)
    _write_config(folder, names, limit=12)
    return names


async def _day(
    folder: Path, names: Sequence[str], *, seed: int, articles: int, most: float, profile: bool
) -> None:
    async with open_house(folder / "config.yaml") as house:
        took = await _read_in(house, folder, names, seed=seed, articles=articles)
    async with open_house(folder / "config.yaml") as house, _visited(house) as visits:
        line, now = house.line, house.line.clock()
        [newsletter] = line.newsletters.values()
        own = await line.store.newsletters.own_edition(newsletter.slug)
        through = await line.store.articles.max_ready()
        with visits.phase("nothing"):
            await asyncio.sleep(3)
        gathered, drafted = [], []
        with visits.phase("draft"):
            for _ in range(DRAFTS):
                start = time.perf_counter()
                held = await drafting.material(line, newsletter, now, after=own.through, through=through)
                gathered.append(time.perf_counter() - start)
                draft, _ = await drafting.drafted(line, newsletter, held, now, ask=False)
                drafted.append(time.perf_counter() - start)
        workers = _children()
        with visits.phase("compose"):
            start = time.perf_counter()
            composed = await pipeline.compose(line, now, force=True)
            whole = time.perf_counter() - start
        assert [len(issue.stories) for issue in composed.issues] == [len(draft.stories)]
        peak = max(_peak(pid) for pid in workers)
    print(
        f"\n{len(held.candidates):,} articles of {len(names)} feeds, {len(held.told)} told before: "
        f"{len(draft.stories)} stories, {len(draft.decisions):,} decisions (read in {took:.0f} s before)"
    )
    print(f"  {'draft, a new worker that loads everything':44} {drafted[0]:8.2f} s")
    _show("draft, median of the others", statistics.median(drafted[1:]), most)
    print(f"  {'of it, asking the store':44} {statistics.median(gathered):8.2f} s")
    _show("composed, stored, deliveries made", whole, most)
    _show("the most memory of a worker", peak / MB, 500, "MB")
    for name in ("nothing", "draft", "compose"):
        visits.show(name)
    if profile:
        _profile(newsletter, held, now)


async def _read_in(house: House, folder: Path, names: Sequence[str], *, seed: int, articles: int) -> float:
    """Pull and read a day's feeds; seconds."""
    start = time.perf_counter()
    write_day(folder, seed=seed, articles=articles, feeds=len(names), now=house.line.clock(), held=names)
    await intake.pull(house.line, house.line.clock(), force=True)
    read = await pipeline.summarize(house.line, house.line.clock())
    if read.articles < articles * 0.98:
        sys.exit(f"only {read.articles} of {articles} articles were read: there is nothing to measure")
    return time.perf_counter() - start


def _write_config(folder: Path, names: Sequence[str], *, limit: int) -> None:
    feeds = "".join(f"      - {{url: {name}, first: all}}\n" for name in names)
    (folder / "config.yaml").write_text(
        "site: {title: Bench, url: 'http://127.0.0.1:8080', postal_address: 1 Example Street}\n"
        "email: {from: Bench <news@example.org>, transport: inbox}\n"
        "newsletters:\n  world:\n    title: World\n    language: en\n"
        '    schedule: {at: "07:00", zone: UTC, days: daily}\n'
        f"    stories: {{limit: {limit}, per_feed: 4}}\n    recipients: [ann@example.org]\n"
        f"    feeds:\n{feeds}",
        encoding="utf-8",
    )


# ---------------------------------------------------------------- who reads meanwhile


@dataclass
class Visits:
    phases: dict[str, tuple[float, float]] = field(default_factory=dict)
    answers: list[tuple[float, float, int]] = field(default_factory=list)

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        start = time.monotonic()
        try:
            yield
        finally:
            self.phases[name] = (start, time.monotonic())

    def show(self, name: str) -> None:
        start, end = self.phases[name]
        found = sorted(seconds for began, seconds, _ in self.answers if start <= began <= end)
        wrong = {status for _, _, status in self.answers} - {200}
        assert not wrong, f"pages were answered with {wrong}"
        label = "with nothing else to do" if name == "nothing" else f"during “{name}”"
        p99 = found[min(len(found) - 1, int(len(found) * 0.99))] if found else 0.0
        _show(f"{len(found)} pages {label}, p99", p99 * 1000, 100, "ms")
        median, most = 1000 * statistics.median(found or [0]), 1000 * max(found or [0])
        print(f"  {'':44} {median:8.2f} ms  median; {most:.2f} ms at most")


@contextlib.asynccontextmanager
async def _visited(house: House) -> AsyncIterator[Visits]:
    """The pages of this house, served by its own event loop, and a visitor in a process of its own."""
    listening = socket.create_server(("127.0.0.1", 0))
    running = Running("config.yaml", house, (), "127.0.0.1")
    config: Any = {"log_config": None, "access_log": False, "interface": "asgi3", "lifespan": "off"}
    server = uvicorn.Server(uvicorn.Config(running.app, **config))
    web = asyncio.create_task(server.serve(sockets=[listening]))
    base = f"http://127.0.0.1:{listening.getsockname()[1]}"
    visits = Visits()
    visitor = await asyncio.create_subprocess_exec(
        sys.executable, str(VISITOR), f"{base}/world/", f"{base}/", f"{base}/world/feed.atom",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=64 * MB,
    )  # fmt: skip
    try:
        yield visits
        out, _ = await visitor.communicate(b"")
        visits.answers += [(began, seconds, status) for began, seconds, status in json.loads(out)]
    finally:
        if visitor.returncode is None:
            visitor.kill()
            await visitor.wait()
        server.should_exit = True
        await web
        listening.close()


# ---------------------------------------------------------------- numbers


def _show(what: str, value: float, most: float, unit: str = "s") -> None:
    print(f"  {what:44} {value:8.2f} {unit:3} {'✓' if value < most else '✗'} must be under {most:g}")


def _children() -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == os.getpid() and "spawn_main" in (entry / "cmdline").read_text():
                found.append(int(entry.name))
    return found


def _peak(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _profile(newsletter: Any, held: drafting.Material, now: Any) -> None:
    profile, out = cProfile.Profile(), io.StringIO()
    profile.runcall(drafting.write, newsletter, held, now, None)
    pstats.Stats(profile, stream=out).sort_stats("cumulative").print_stats(45)
    print("\n".join(line.replace(str(Path.cwd()) + "/", "") for line in out.getvalue().splitlines()))

"""Pages of a large archive: 10,000 issues with 100,000 stories, and how long each kind of page takes.

Asked one after the other of the app itself, without a socket, on SQLite (or `--database postgresql://…`, an
empty one): what is measured is queries and templates.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy.ext.asyncio import AsyncConnection

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "web"))
from web_house import NOW, SITE, WORLD, Clock, issue, story

from digest.links import Links
from digest.model import Issue
from digest.render import renderer
from digest.store import Store
from digest.store.births import bring_about
from digest.web import Health, WebLent, build_app

PAGES = (
    "/",
    "/world/",
    "/world/?before={issue}",
    "/world/{day}/",
    "/world/archive/",
    "/world/archive/{year}/",
    "/world/archive/{year}/{month}/",
    "/world/search?q={rare}",
    "/world/search?q={common}",
    "/world/search?q={common}+{rare}",
    "/search?q={word}",
    "/world/search?q={nothing}",
    "/world/search?q={common}&before={place}",
    "/world/sitemap.xml",
)
IN_ONE = 100  # transaction: an archive that grew in years is made in a minute
WORDS = [
    a + b + c
    for a in "bdfgklmnprst"
    for b in ("a", "en", "or", "ist")
    for c in ("ka", "lum", "ter", "vos", "dre")
]


async def fill(store: Store, count: int, chance: random.Random) -> None:
    await store.newsletters.sync([WORLD], site=SITE, now=NOW)
    edition = await store.newsletters.own_edition("world")
    day = NOW.date() - timedelta(days=count)
    for first in range(0, count, IN_ONE):
        issues = [_issue(edition.id, day, number, chance) for number in range(first, first + IN_ONE)]

        async def work(connection: AsyncConnection, issues: list[Issue] = issues) -> None:
            for each in issues:
                await bring_about(store._database, connection, each, (), {}, {}, {}, None, NOW)

        await store._database.write(work)
        if (first + IN_ONE) % 1_000 == 0:
            print(f"  {first + IN_ONE:,} issues", file=sys.stderr)


def _issue(edition: int, first: date, number: int, chance: random.Random) -> Issue:
    stories = tuple(
        replace(
            story(number * 10 + each, f"The {' '.join(chance.choices(WORDS, k=6))} {number}"),
            summary=tuple(f"{' '.join(chance.choices(WORDS, k=20))}." for _ in range(3)),
        )
        for each in range(1, 11)
    )
    made = issue(WORLD, edition, first + timedelta(days=number), number * 10, stories)
    return replace(made, composed_at=datetime.combine(made.date, NOW.timetz()))


async def measure(store: Store, count: int, rounds: int, chance: random.Random) -> None:
    async def well() -> Health:
        return Health(ok=True, checks={})

    app = build_app(
        WebLent(
            site=SITE,
            store=store,
            links=Links(SITE.url, b"a secret for measuring alone!!!!"),
            renderer=renderer(None),
            clock=Clock(datetime.now(UTC)),
            health=well,
            feed_state=lambda _feed, _now: "ok",
            ip_key=b"",
        )
    )
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=SITE.url) as web:
        print(
            f"\n{count:,} issues, {count * 10:,} stories, {store.dialect}; milliseconds of {rounds} requests"
        )
        print(f"  {'':44} {'median':>8} {'p99':>8} {'CPU':>8} {'p99':>8} {'KB':>6}")
        for page in PAGES:
            taken, spent, size = [], [], 0
            for number in range(rounds + 3):
                day = NOW.date() - timedelta(days=chance.randrange(1, count))
                path = page.format(
                    issue=chance.randrange(20, count),
                    day=day,
                    year=f"{day:%Y}",
                    month=f"{day:%m}",
                    rare=chance.randrange(count),
                    common="the",
                    word=chance.choice(WORDS),
                    nothing=f"zebra{number}",
                    place=chance.randrange(1, count) * 10_000,
                )
                start, cpu = time.perf_counter(), time.process_time()
                answer = await web.get(path)
                took, used = (time.perf_counter() - start) * 1e3, (time.process_time() - cpu) * 1e3
                assert answer.status_code == 200, (path, answer.status_code)
                size = len(answer.content)
                if number >= 3:
                    taken.append(took)
                    spent.append(used)
            numbers = [
                f"{each:8.1f}"
                for some in (taken, spent)
                for each in (statistics.median(some), statistics.quantiles(some, n=100)[98])
            ]
            print(f"  {page:44} {' '.join(numbers)} {size / 1024:6.0f}")


async def run(url: str, count: int, rounds: int) -> None:
    chance = random.Random(7)  # noqa: S311 - a seed, so that every run has the same
    store = await Store.open(url, migrate=True)
    try:
        start = time.perf_counter()
        await fill(store, count, chance)
        print(f"\nborn in {time.perf_counter() - start:.0f} s")
        await measure(store, count, rounds, chance)
    finally:
        await store.close()


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench archive", description=__doc__)
    parser.add_argument("--issues", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--database", default="")
    asked = parser.parse_args(options)
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(run(asked.database or f"sqlite:///{name}/archive.db", asked.issues, asked.rounds))


if __name__ == "__main__":
    main(sys.argv[1:])

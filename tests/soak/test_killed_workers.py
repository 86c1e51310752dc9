"""Workers are killed while they send; the server that got the letters is the judge.

`make soak` runs the long form, `make soak SOAK=short` one round.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from a_house import FeedServer, rss, write_config
from digest.model import DeliveryState
from digest.service import open_house
from smtp_sink import Fault, SmtpSink

SHORT = os.environ.get("SOAK") == "short"
READERS = 150 if SHORT else 600
KILLS = 3 if SHORT else 12
SEEDS = (1,) if SHORT else (1, 2, 3)
WORKERS = 3
PATIENCE = 240 if SHORT else 900


async def worker(folder: Path, log: Path) -> asyncio.subprocess.Process:
    with log.open("ab") as errors:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "digest", "worker", "--roles", "deliver",
            cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=errors,
        )  # fmt: skip


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_no_letter_is_lost_and_every_double_is_explained(
    tmp_path: Path, request: pytest.FixtureRequest, seed: int, engine: str, postgres_url: str
) -> None:
    chance = random.Random(seed)  # noqa: S311 - moments to kill, not secrets
    people = [f"reader{number}@example.org" for number in range(READERS)]
    database = postgres_url if engine == "postgresql" else "sqlite:///subscribers.db"
    faults = [
        Fault("dot", delay=0.05, accept=True, times=None),  # slow enough to be caught in the middle
        Fault("dot", drop="before", accept=True, skip=20, times=3),
    ]
    feed = FeedServer()
    async with feed.serving(), SmtpSink(faults=faults[::-1]) as sink:
        feed.body = rss("lighthouse", "bees", "bread")
        path = write_config(
            tmp_path,
            feeds=feed.all_of_it,
            smtp_port=sink.port,
            database=database,
            recipients="[" + ", ".join(people) + "]",
        )
        if engine == "postgresql":
            upgrade = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "digest", "db", "upgrade", cwd=tmp_path
            )
            assert await upgrade.wait() == 0
        from digest import intake, pipeline

        async with open_house(path) as house:
            line = house.line
            await intake.pull(line, line.clock(), force=True)
            await pipeline.summarize(line, line.clock())
            [issue] = (await pipeline.compose(line, line.clock(), force=True)).issues
            log = tmp_path / "workers.log"
            workers = [await worker(tmp_path, log) for _ in range(WORKERS)]
            kills = 0
            try:
                async with asyncio.timeout(PATIENCE):
                    while True:
                        states = (await house.store.issues.progress(issue.id))["email"]
                        if states.get("sent", 0) == READERS:
                            break
                        if kills < KILLS and sink.accepted:
                            await asyncio.sleep(chance.uniform(0.2, 1.5))
                            victim = chance.randrange(WORKERS)
                            workers[victim].kill()
                            await workers[victim].wait()
                            workers[victim] = await worker(tmp_path, log)
                            kills += 1
                        else:
                            await asyncio.sleep(0.5)
                        # What is put off for minutes is due now: the test has no minutes to wait.
                        for state in (DeliveryState.UNKNOWN, DeliveryState.DEFERRED):
                            for one in await house.store.deliveries.of_issue(issue.id, state):
                                await hurry(house.store, one.id)
            finally:
                for one in workers:
                    one.kill()
                    await one.wait()
            assert await house.store.deliveries.invariant(issue.id) == []
            copies = defaultdict(set)
            for kept in sink.accepted:
                copies[kept.recipient].add(kept.data)
            assert set(copies) == set(people), "a letter was lost"
            assert all(len(bytes_) == 1 for bytes_ in copies.values()), "two copies differ"
            counts = Counter(kept.recipient for kept in sink.accepted)
            for delivery in await house.store.deliveries.of_issue(issue.id, limit=10_000):
                if delivery.channel != "email":
                    continue
                history = await house.store.deliveries.history(delivery.id)
                doubts = sum(event.state == DeliveryState.UNKNOWN for event in history)
                assert counts[delivery.recipient] <= 1 + doubts, "a double that nothing explains"
    assert kills == KILLS or len(copies) == READERS
    print(f"{engine} seed {seed}: {sum(counts.values()) - READERS} explained doubles of {READERS}")  # noqa: T201


async def hurry(store: object, delivery_id: int) -> None:
    """Make one delivery due at once, as if its pause were over."""
    from sqlalchemy import text

    async def work(connection: object) -> None:
        await connection.execute(  # type: ignore[attr-defined]
            text("UPDATE deliveries SET available_at = 0 WHERE id = :id AND queue IS NOT NULL"),
            {"id": delivery_id},
        )

    await store._database.write(work)  # type: ignore[attr-defined]

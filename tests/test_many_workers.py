"""Four worker processes share one PostgreSQL, and the letters are counted by the server that got them."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from a_house import FeedServer, rss, write_config
from digest.service import open_house
from smtp_sink import Fault, SmtpSink

READERS = 120


async def digest(*arguments: str, folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "digest", *arguments,
        cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def done(process: asyncio.subprocess.Process) -> str:
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    return out.decode()


@pytest.mark.asyncio
async def test_four_workers_send_each_letter_once(tmp_path: Path, postgres_url: str) -> None:
    people = [f"reader{number}@example.org" for number in range(READERS)]
    feed = FeedServer()
    faults = [
        Fault("rcpt", reply="451 4.7.1 greylisted", times=5),
        Fault("mail", drop="before", skip=40, times=2),
    ]
    async with feed.serving(), SmtpSink(faults=faults) as sink:
        feed.body = rss("lighthouse", "bees", "bread")
        write_config(
            tmp_path,
            feeds=feed.all_of_it,
            smtp_port=sink.port,
            database=postgres_url,
            recipients="[" + ", ".join(people) + "]",
        )
        await done(await digest("db", "upgrade", folder=tmp_path))
        workers = [await digest("worker", folder=tmp_path) for _ in range(4)]
        try:
            async with asyncio.timeout(60), open_house(tmp_path / "config.yaml", sync=False) as house:
                while await house.store.articles.max_ready() < 3:  # noqa: ASYNC110 - other processes do it
                    await asyncio.sleep(0.1)
                await done(await digest("compose", "--now", folder=tmp_path))
                [issue] = await house.store.issues.latest("world")
                assert len(issue.stories) == 3
                while True:
                    states = (await house.store.issues.progress(issue.id))["email"]
                    if states.get("sent", 0) + states.get("deferred", 0) == READERS:
                        break
                    await asyncio.sleep(0.2)
                assert await house.store.deliveries.invariant(issue.id) == []
                put_off = states.get("deferred", 0)
        finally:
            for worker in workers:
                worker.send_signal(signal.SIGTERM)
            ends = [await asyncio.wait_for(worker.communicate(), 35) for worker in workers]
    counts = Counter(kept.recipient for kept in sink.accepted)
    assert set(counts.values()) == {1}, "a letter came twice"
    assert set(counts) <= set(people)
    assert len(counts) == READERS - put_off, "a letter was lost"
    assert put_off <= 7  # the greylisted ones, which wait for minutes, and the two whose connection was cut
    assert [worker.returncode for worker in workers] == [0, 0, 0, 0], ends

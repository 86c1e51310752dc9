"""Another process on the same database: `python store_worker.py JOB URL …`. It answers in one line of JSON.

It waits for a line on stdin before it starts, so that two of them begin together.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, text, update

from digest.store import Store
from digest.store.budgets import Draw
from digest.store.tables import meta

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


async def add_up(store: Store, times: str) -> int:
    """Read a number, think, write it back one larger: this loses updates without real transactions."""

    async def once(connection: Any) -> None:
        tally = select(meta.c.value).where(meta.c.name == "tally").with_for_update()
        value = int((await connection.execute(tally)).scalar_one())
        await asyncio.sleep(0)
        await connection.execute(update(meta).where(meta.c.name == "tally").values(value=str(value + 1)))

    await asyncio.gather(*(store._database.write(once) for _ in range(int(times))))
    return int(times)


async def hammer(store: Store, seconds: str) -> list[int]:
    """Write without a pause of one's own, so that a next job always waits; the numbers of our turns."""

    async def once(connection: Any) -> int:
        taken = "UPDATE counters SET value = value + 1 WHERE name = 'documents' RETURNING value"
        return int((await connection.execute(text(taken))).scalar_one())

    end = time.monotonic() + float(seconds)
    turns: list[int] = []

    async def again_and_again() -> None:
        while time.monotonic() < end:
            turns.append(await store._database.write(once))

    await asyncio.gather(*(again_and_again() for _ in range(4)))
    return turns


async def claim(store: Store, limit: str) -> list[int]:
    """Take letters until there are none."""
    mine: list[int] = []
    lease = timedelta(minutes=5)
    while batch := await store.deliveries.claim_due("email", NOW, limit=int(limit), lease=lease):
        mine += [one.id for one in batch]
    return mine


async def deliver(store: Store, limit: str) -> dict[str, int]:
    """Take letters, intend each, and record that it went."""
    answers = {"go": 0, "suppressed": 0, "lost": 0}
    lease = timedelta(minutes=5)
    while batch := await store.deliveries.claim_due("email", NOW, limit=int(limit), lease=lease):
        for one in batch:
            answer = await store.deliveries.begin(one, now=NOW, lease=lease)
            answers[answer] += 1
            if answer == "go":
                assert await store.deliveries.record(one, one.state.SENT, now=NOW)
    return answers


async def draw(store: Store, name: str, limit: str) -> int:
    """Draw from a count in small blocks until it gives no more, and give some back now and then."""
    kept = 0
    for turn in range(10_000):
        draw = Draw(name=name, cell=12, since=0, limit=int(limit), want=7, until=NOW)
        [granted] = await store.budgets.take([draw])
        if not granted:
            return kept
        kept += granted
        if turn % 5 == 0:
            await store.budgets.give_back(name, cell=12, letters=2)
            kept -= 2
    return kept


async def tally(store: Store, times: str) -> int:
    """Count a state up, one change after another."""
    for _ in range(int(times)):
        await store.budgets.change("r", "r gmail.com", lambda text: str(int(text or "0") + 1), NOW)
    return int(times)


async def say_path(store: Store) -> str:
    """Only open it."""
    return await store.check()


JOBS: dict[str, Any] = {job.__name__: job for job in (add_up, hammer, claim, deliver, draw, tally, say_path)}


async def main(job: str, url: str, *arguments: str) -> None:
    store = None if job == "say_path" else await Store.open(url)
    print("ready", flush=True)  # noqa: T201 - what the test waits for
    sys.stdin.readline()
    store = store or await Store.open(url)
    try:
        print(json.dumps(await JOBS[job](store, *arguments)), flush=True)  # noqa: T201 - the answer
    finally:
        await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

"""Several real processes on one database: what each does holds for all."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import groupby

import pytest
from sqlalchemy import insert, select
from store_processes import together
from store_values import NOW, born, newsletter, opened, readers, synced

from digest.model import Follow
from digest.store import Store
from digest.store.tables import meta, subscribers, subscriptions

pytestmark = pytest.mark.asyncio


async def many_readers(store: Store, count: int) -> None:
    """Active readers, written all at once."""
    edition = await store.newsletters.own_edition("world")

    async def work(connection) -> None:  # type: ignore[no-untyped-def]
        people = [{"address": f"p{n}@example.org", "hash": f"h{n}", "created_at": NOW} for n in range(count)]
        await connection.execute(insert(subscribers), people)
        ids = (await connection.execute(select(subscribers.c.id).order_by(subscribers.c.id))).scalars().all()
        rows = [
            {
                "subscriber_id": id,
                "newsletter": "world",
                "edition_id": edition.id,
                "status": "active",
                "source": "import",
                "through": edition.through,
                "created_at": NOW,
            }
            for id in ids  # noqa: A001 - the word of every room of the store
        ]
        await connection.execute(insert(subscriptions), rows)

    await store._database.write(work)


async def test_no_update_is_lost_by_many_tasks_in_two_processes(store: Store, store_url: str) -> None:
    async def begin_at_zero(connection) -> None:  # type: ignore[no-untyped-def]
        await connection.execute(insert(meta).values(name="tally", value="0"))

    await store._database.write(begin_at_zero)
    await together(("add_up", store_url, "40"), ("add_up", store_url, "40"))
    async with store._database.reading() as connection:
        tally = (await connection.execute(select(meta.c.value).where(meta.c.name == "tally"))).scalar_one()
    assert tally == "80"


async def test_two_processes_in_tight_loops_both_get_to_write(store: Store, store_url: str) -> None:
    """Counted in turns and not in seconds: a busy machine makes all turns longer, and none rarer."""
    one, other = await together(("hammer", store_url, "1.2"), ("hammer", store_url, "1.2"))
    assert sorted(one + other) == list(range(min(one + other), max(one + other) + 1))
    whose = sorted([(turn, "one") for turn in one] + [(turn, "other") for turn in other])
    both = [name for turn, name in whose if max(one[0], other[0]) <= turn <= min(one[-1], other[-1])]
    assert len(both) > 40, "they hardly wrote at the same time"
    # With the pause after each commit they take turns (nearly every turn; on two cores with eight busy jobs
    # 20 runs of 97 turns); without it one of them has up to 432 in a row (12 to 80 runs of 800, all idle).
    runs = sum(1 for _ in groupby(both))
    assert runs > 0.15 * len(both), f"{len(both)} turns in {runs} runs: one starved the other"


async def test_two_processes_claim_all_letters_and_none_twice(store: Store, store_url: str) -> None:
    await synced(store)
    await many_readers(store, 500)
    issue = await opened(store)
    assert issue.recipients == 500
    mine, yours = await together(("claim", store_url, "7"), ("claim", store_url, "11"))
    assert mine
    assert yours
    assert Counter(mine + yours).most_common(1)[0][1] == 1
    assert len(mine) + len(yours) == 500


async def test_two_processes_deliver_every_letter_once_while_readers_leave(
    store: Store, store_url: str
) -> None:
    await synced(store)
    ids = await readers(store, 60)
    issue = await opened(store)

    async def leave_some() -> None:
        for reader in ids[::4]:
            await store.subscriptions.leave(reader, evidence={}, now=NOW)

    answers, _ = await asyncio.gather(
        together(("deliver", store_url, "5"), ("deliver", store_url, "3")), leave_some()
    )
    states = (await store.issues.progress(issue.id))["email"]
    assert sum(states.values()) == 60
    assert set(states) <= {"sent", "suppressed"}
    assert states["sent"] == sum(answer["go"] for answer in answers)
    assert await store.deliveries.invariant(issue.id) == []


async def test_pages_are_quick_while_a_big_issue_gets_its_deliveries(store: Store) -> None:
    """With IMMEDIATE readers each page would wait for the whole insert."""
    await synced(store, newsletter(follows=(Follow(url="https://a.example/"),)))
    await many_readers(store, 30_000)
    loop = asyncio.get_running_loop()
    waits: list[float] = []
    issue = await born(store)
    start = loop.time()
    insert_ = asyncio.create_task(store.issues.add_deliveries(issue.id, NOW, chunk=100_000))
    while not insert_.done():
        begun = loop.time()
        assert (await store.newsletters.get("world")).retired_at is None
        assert len(await store.feeds.list()) == 1
        waits.append(loop.time() - begun)
        await asyncio.sleep(0.005)
    assert await insert_
    took = loop.time() - start
    assert max(waits) < max(0.5 * took, 0.1), f"a page waited {max(waits):.3f} s of the insert's {took:.3f} s"
    assert len(waits) >= 3
    assert (await store.issues.get(issue.id)).recipients == 30_000

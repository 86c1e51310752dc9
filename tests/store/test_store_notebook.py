"""What a language model wrote, and what was spent on it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from store_values import DAY, NOW, TODAY, synced

from digest.store import Store

pytestmark = pytest.mark.asyncio

CAPS: dict[str, Any] = {"most_calls": 3, "most_tokens": 1000, "most_micros": 50}


async def test_the_first_answer_stays(store: Store) -> None:
    assert await store.notebook.answer("k", by=NOW) is None
    await store.notebook.keep("k", "One.\0" + "x" * 9_000, model="m", now=NOW)
    await store.notebook.keep("k", "Another.", model="m", now=NOW)
    found = await store.notebook.answer("k", by=NOW)
    assert found is not None
    assert found.startswith("One.x")
    assert await store.notebook.answer("k", by=NOW - DAY) is None  # an issue of yesterday did not have it
    assert len(found) < 8_001


@pytest.mark.parametrize(
    ("calls", "tokens", "micros", "taken"),
    [(3, 1000, 50, True), (4, 1, 1, False), (1, 1001, 1, False), (1, 1, 51, False)],
)
async def test_each_cap_holds(store: Store, calls: int, tokens: int, micros: int, taken: bool) -> None:
    spend = store.notebook.spend
    assert await spend(TODAY, calls=calls, tokens=tokens, micros=micros, **CAPS) is taken
    # What was refused took nothing: the whole day is still there.
    assert await spend(TODAY, calls=3, tokens=1000, micros=50, **CAPS) is not taken
    assert await spend(TODAY + timedelta(days=1), calls=3, tokens=1000, micros=50, **CAPS)


async def test_money_that_is_not_capped_does_not_count(store: Store) -> None:
    caps = {**CAPS, "most_micros": None}
    assert await store.notebook.spend(TODAY, calls=1, tokens=1, micros=10**9, **caps)


async def test_many_at_once_never_take_more_than_there_is(store: Store) -> None:
    taken = await asyncio.gather(
        *(store.notebook.spend(TODAY, calls=1, tokens=10, micros=0, **CAPS) for _ in range(12))
    )
    assert sum(taken) == 3


async def test_what_was_not_used_is_given_back_and_no_sum_falls_below_nothing(store: Store) -> None:
    spend, settle = store.notebook.spend, store.notebook.settle
    assert await spend(TODAY, calls=1, tokens=900, micros=40, **CAPS)
    assert not await spend(TODAY, calls=1, tokens=200, micros=0, **CAPS)
    await settle(TODAY, tokens=-800, micros=-39)
    assert await spend(TODAY, calls=1, tokens=900, micros=49, **CAPS)
    await settle(TODAY, tokens=-(10**8), micros=-(10**15))
    assert await spend(TODAY, calls=1, tokens=1000, micros=50, **CAPS)
    await settle(TODAY + DAY, tokens=5, micros=5)  # of a day on which nothing was spent: nothing


async def test_old_answers_go_with_the_articles(store: Store) -> None:
    await synced(store)
    await store.notebook.keep("old", "Old.", model="m", now=NOW - 100 * DAY)
    await store.notebook.keep("new", "New.", model="m", now=NOW)
    gone = await store.prune(NOW, deliveries=30 * DAY, articles=90 * DAY)
    assert gone["notes"] == 1
    assert [await store.notebook.answer(key, by=NOW) for key in ("old", "new")] == [None, "New."]

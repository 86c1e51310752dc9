"""Counts and states that all processes share, on both databases, with real processes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from store_processes import together
from store_values import DAY, NOW

from digest.store import Store
from digest.store.budgets import Draw

pytestmark = pytest.mark.asyncio

HOUR = timedelta(hours=1)


async def take(store: Store, want: int, *, cell: int = 5, since: int = 0, limit: int = 100) -> int:
    draw = Draw(name="relay", cell=cell, since=since, limit=limit, want=want, until=NOW + HOUR)
    [granted] = await store.budgets.take([draw])
    return granted


async def test_what_is_granted_in_all_cells_of_a_window_stays_within_its_limit(store: Store) -> None:
    assert await take(store, 60, cell=1) == 60
    assert await take(store, 60, cell=5) == 40
    assert await take(store, 1, cell=5) == 0
    assert await take(store, 70, cell=6, since=2) == 60, "what was drawn in cell 1 does not count any more"
    assert await take(store, 50, limit=40) == 0, "a limit that was made smaller holds at once"


async def test_many_counts_are_drawn_from_at_once_each_by_itself(store: Store) -> None:
    draws = [
        Draw(name=f"count {n}", cell=n, since=n - 3, limit=n % 7, want=4, until=NOW)
        for n in range(130, 0, -1)
    ]
    assert await store.budgets.take(draws) == [min(4, n % 7) for n in range(130, 0, -1)]
    assert await store.budgets.take(draws) == [min(4, n % 7 - min(4, n % 7)) for n in range(130, 0, -1)]
    assert await store.budgets.take([]) == []


async def test_what_was_not_used_goes_back(store: Store) -> None:
    assert await take(store, 100) == 100
    await store.budgets.give_back("relay", cell=5, letters=30)
    assert await take(store, 100) == 30
    await store.budgets.give_back("relay", cell=5, letters=1_000)
    assert await take(store, 1_000) == 100, "no count falls below nothing"
    await store.budgets.give_back("nobody knows it", cell=5, letters=1)


async def test_the_first_use_of_a_relay_is_remembered(store: Store) -> None:
    assert await store.budgets.first("relay", NOW) == NOW
    assert await store.budgets.first("relay", NOW + DAY) == NOW
    assert await store.budgets.first("other", NOW + DAY) == NOW + DAY


async def test_states_are_changed_one_at_a_time_and_forgotten_when_empty(store: Store) -> None:
    change = store.budgets.change
    assert await change("r", "r gmail.com", lambda text: text + "a", NOW) == "a"
    await asyncio.gather(*(change("r", "r gmail.com", lambda text: text + "b", NOW) for _ in range(5)))
    await change("r:25", "r:25", lambda _: "other", NOW)
    assert await store.budgets.states("r") == {"r gmail.com": "abbbbb"}
    assert await change("r", "r gmail.com", lambda _: "", NOW) == ""
    assert await change("r", "r", lambda _: "", NOW) == ""
    assert await store.budgets.states("r") == {}


async def test_processes_that_draw_together_get_the_limit_and_not_one_more(
    store: Store, store_url: str
) -> None:
    shares = await together(*(("draw", store_url, "relay", "200") for _ in range(2)))
    assert sum(shares) == 200
    assert await take(store, 1, cell=12, limit=200) == 0


async def test_processes_that_change_one_state_lose_no_change(store: Store, store_url: str) -> None:
    await together(("tally", store_url, "20"), ("tally", store_url, "20"))
    assert await store.budgets.states("r") == {"r gmail.com": "40"}


async def test_old_counts_and_states_are_let_go(store: Store) -> None:
    await take(store, 5)
    await store.budgets.change("r", "r", lambda _: "paused", NOW)
    await store.budgets.first("relay", NOW)
    for now, gone in ((NOW + 2 * DAY, 0), (NOW + 2 * DAY + 2 * HOUR, 2)):
        pruned = await store.prune(now, deliveries=30 * DAY, articles=90 * DAY)
        assert pruned["budgets"] == gone
    assert await store.budgets.first("relay", NOW + 9 * DAY) == NOW, "a warm-up does not begin anew"

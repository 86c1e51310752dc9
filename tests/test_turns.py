"""One at a time, in order, with a pause in between."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

import pytest

from digest.model import FeedError
from digest.turns import MOST_RESTING, Turns

HERE, THERE = ("a.example", 80), ("b.example", 80)


async def ask(turns: Turns, seconds: float = 0.0, place: tuple[str, int] = HERE) -> tuple[float, float]:
    """When one request began and ended."""
    await turns.take(place)
    try:
        start = time.monotonic()
        await asyncio.sleep(seconds)
        return start, time.monotonic()
    finally:
        turns.give_back(place)


@pytest.mark.asyncio
@pytest.mark.parametrize("gap", [0.0, 0.03])
async def test_each_begins_after_the_pause_that_follows_the_one_before(gap: float) -> None:
    turns = Turns(gap)
    spans = await asyncio.gather(*(ask(turns, 0.02) for _ in range(5)))
    assert spans == sorted(spans)  # first come, first served
    pauses = [start - end for (_, end), (start, _) in pairwise(spans)]
    assert min(pauses) >= gap - 0.002
    assert min(pauses) < gap + 0.1  # the least of four: a busy machine may lengthen the others


@pytest.mark.asyncio
async def test_one_that_comes_within_the_pause_waits_for_its_end() -> None:
    turns = Turns(0.1)
    _, end = await ask(turns)
    await asyncio.sleep(0.03)
    start, _ = await ask(turns)
    assert 0.098 <= start - end < 1


@pytest.mark.asyncio
async def test_other_places_do_not_wait() -> None:
    turns = Turns(10.0)
    await ask(turns)
    begin = time.monotonic()
    await asyncio.gather(
        *(ask(turns, place=("a.example", port)) for port in range(81, 99)), ask(turns, place=THERE)
    )
    assert time.monotonic() - begin < 5
    turns.close()


@pytest.mark.asyncio
async def test_who_asked_nothing_costs_nobody_a_pause() -> None:
    turns = Turns(10.0)
    await turns.take(HERE)
    after = asyncio.create_task(ask(turns))
    await asyncio.sleep(0)
    turns.give_back(HERE, asked=False)
    await asyncio.wait_for(after, 10)
    turns.close()


@pytest.mark.asyncio
async def test_idle_places_are_forgotten() -> None:
    turns = Turns(0.01)
    for number in range(100_000):
        await turns.take(("host", number))
        turns.give_back(("host", number))
    await asyncio.sleep(0.05)
    assert len(turns) == 0


@pytest.mark.asyncio
async def test_a_turn_without_a_gap_costs_next_to_nothing() -> None:
    turns = Turns()
    start = time.process_time()
    for _ in range(20_000):
        await turns.take(HERE)
        turns.give_back(HERE)
    assert (time.process_time() - start) / 20_000 < 10e-6  # a fetch takes 150
    assert len(turns) == 0


@pytest.mark.asyncio
async def test_one_that_stops_waiting_leaves_the_queue() -> None:
    turns = Turns()
    await turns.take(HERE)
    waiting = [asyncio.create_task(ask(turns)) for _ in range(5)]
    await asyncio.sleep(0)
    for task in (waiting[0], waiting[2], waiting[4]):
        task.cancel()
    turns.give_back(HERE)
    outcomes = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 10)
    assert [isinstance(each, tuple) for each in outcomes] == [False, True, False, True, False]
    assert len(turns) == 0


@pytest.mark.asyncio
async def test_a_turn_that_comes_as_one_is_called_off_is_passed_on() -> None:
    turns = Turns()
    await turns.take(HERE)
    first, second = asyncio.create_task(ask(turns)), asyncio.create_task(ask(turns))
    await asyncio.sleep(0)
    turns.give_back(HERE)  # it is the first one's turn now, and it does not know yet
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await asyncio.wait_for(second, 10)
    assert len(turns) == 0


@pytest.mark.asyncio
async def test_ten_thousand_may_wait_and_be_called_off_quickly() -> None:
    turns = Turns()
    await turns.take(HERE)
    waiting = [asyncio.create_task(turns.take(HERE)) for _ in range(10_000)]
    await asyncio.sleep(0)
    start = time.process_time()
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert time.process_time() - start < 4
    turns.give_back(HERE)
    assert len(turns) == 0


@pytest.mark.asyncio
async def test_those_who_wait_are_told_when_we_stop() -> None:
    turns = Turns()
    await turns.take(HERE)
    waiting = asyncio.create_task(turns.take(HERE))
    await asyncio.sleep(0)
    turns.close()
    with pytest.raises(FeedError, match="we are stopping"):
        await waiting
    turns.give_back(HERE)  # the one that was being served comes home later
    assert len(turns) == 0


@pytest.mark.asyncio
async def test_a_place_that_asked_for_rest_is_remembered_until_its_end() -> None:
    turns = Turns()
    assert turns.resting(HERE) == 0
    turns.rest(HERE, 0.05)
    assert 0 < turns.resting(HERE) <= 0.05
    assert turns.resting(THERE) == 0
    await asyncio.sleep(0.06)
    assert turns.resting(HERE) == 0


@pytest.mark.asyncio
async def test_the_memory_of_rests_is_bounded() -> None:
    turns = Turns()
    for number in range(MOST_RESTING + 500):
        turns.rest(("host", number), 60)
    remembered = sum(turns.resting(("host", number)) > 0 for number in range(MOST_RESTING + 500))
    assert remembered == MOST_RESTING
    assert turns.resting(("host", MOST_RESTING + 499)) > 0

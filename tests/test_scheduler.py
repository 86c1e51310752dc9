"""The clock: it starts no step twice, survives every error, and ends well."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import pytest

from digest.model import DigestError, NotReady
from digest.scheduler import Scheduler, Step, Tick
from digest.service import clock

OFTEN = timedelta(seconds=0.05)


def ticking(**steps: Step) -> Scheduler:
    return Scheduler(
        tuple(Tick(name=name, step=step, every=OFTEN) for name, step in steps.items()), clock=clock
    )


@pytest.mark.asyncio
async def test_a_slow_step_is_not_started_twice() -> None:
    under_way = most = begun = 0

    async def slow() -> None:
        nonlocal under_way, most, begun
        under_way += 1
        begun += 1
        most = max(most, under_way)
        await asyncio.sleep(0.3)
        under_way -= 1

    scheduler = ticking(slow=slow)
    scheduler.start()
    await asyncio.sleep(0.8)
    await scheduler.stop(grace=timedelta(seconds=5))
    assert most == 1
    assert begun >= 2
    assert under_way == 0


@pytest.mark.asyncio
async def test_an_error_in_one_step_stops_neither_the_others_nor_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    errors = [NotReady("locked"), NotReady("locked"), DigestError("not so"), ValueError("a fault"), None]
    well = 0

    async def poor() -> None:
        if errors and (error := errors.pop(0)):
            raise error

    async def good() -> None:
        nonlocal well
        well += 1

    scheduler = ticking(poor=poor, good=good)
    with caplog.at_level(logging.INFO, "digest.scheduler"):
        scheduler.start()
        async with asyncio.timeout(10):
            while "poor" not in scheduler.errors():  # noqa: ASYNC110 - the clock has no event to wait for
                await asyncio.sleep(0.01)
            while "poor" not in scheduler.beats():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await scheduler.stop(grace=timedelta(seconds=5))
    assert scheduler.errors() == {}
    assert well >= 3
    said = [record.message for record in caplog.records]
    assert said.count("step must wait") == 1  # a long outage is one line
    assert said.count("step failed") == 1
    assert said.count("step broke") == 1


@pytest.mark.asyncio
async def test_stop_lets_a_running_step_end_within_the_grace() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def letter() -> None:
        begun.set()
        await asyncio.sleep(0.3)
        ended.set()

    scheduler = ticking(letter=letter)
    scheduler.start()
    await begun.wait()
    await scheduler.stop(grace=timedelta(seconds=5))
    assert ended.is_set()
    begun.clear()
    await asyncio.sleep(0.2)
    assert not begun.is_set()


@pytest.mark.asyncio
async def test_after_the_grace_a_step_is_cancelled_and_says_its_last_words() -> None:
    begun, last_words = asyncio.Event(), asyncio.Event()

    async def endless() -> None:
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.05)
            last_words.set()

    scheduler = ticking(endless=endless)
    scheduler.start()
    await begun.wait()
    async with asyncio.timeout(20):
        await scheduler.stop(grace=timedelta(seconds=0.1))
    assert last_words.is_set()  # before `stop` returns, for the store is closed then


@pytest.mark.asyncio
async def test_a_step_that_gets_on_with_its_work_beats() -> None:
    scheduler = ticking()
    before = clock()
    scheduler.beat("deliver")
    assert scheduler.beats()["deliver"] >= before


@pytest.mark.asyncio
async def test_a_step_that_gets_on_with_its_work_has_got_over_its_error() -> None:
    """A round of letters may go on for hours after an outage that ended the one before."""
    goes_on = asyncio.Event()
    rounds = 0

    async def letters() -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise NotReady("the disk is full")
        scheduler.beat("letters")
        goes_on.set()
        await asyncio.sleep(30)

    scheduler = ticking(letters=letters)
    scheduler.start()
    async with asyncio.timeout(10):
        await goes_on.wait()
    assert scheduler.errors() == {}
    await scheduler.stop(grace=timedelta(seconds=0))

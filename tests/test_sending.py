"""A channel's letters on their way: what one commit serves, who may have which, and what goes back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from a_house import Clock
from digest.dispatch import deliver
from digest.model import Delivery, DeliveryState, Ended, PublishError, Receipt
from digest.publishers.base import Result, Work
from digest.sending import Sending, Tally
from digest.store import Store
from digest.verdicts import judge
from letter_samples import MOMENT
from test_dispatch import Bench, Fake

pytestmark = pytest.mark.asyncio
OK = Receipt(relay="mx", reply="250 ok")


@dataclass
class Hands:
    """A ledger with its store, and the clock that leases are counted by."""

    bench: Bench
    ticks: float = 1000.0
    stopped: bool = False
    tally: Tally = field(default_factory=lambda: Tally(changed=lambda: None))

    def judged(self, delivery: Delivery, result: Result) -> Ended:
        now = self.bench.clock()
        return judge(delivery, result, now=now, jitter=0.5, stale_after=timedelta(hours=24))

    @contextlib.asynccontextmanager
    async def sending(self, **settings: Any) -> AsyncIterator[Sending]:
        work = Sending(
            self.bench.store,
            "email",
            clock=self.bench.clock,
            judge=self.judged,
            stopped=lambda: self.stopped,
            tally=self.tally,
            trouble=lambda _: None,
            ticks=lambda: self.ticks,
            **settings,
        )
        async with work.open():
            yield work


@pytest_asyncio.fixture
async def hands(tmp_path: Path) -> Any:
    store = await Store.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    try:
        yield Hands(Bench(store=store, clock=Clock(MOMENT + timedelta(seconds=1)), folder=tmp_path))
    finally:
        await store.close()


def people(count: int, domain: str = "example.org") -> list[str]:
    return [f"reader{number}@{domain}" for number in range(count)]


async def test_one_commit_serves_all_who_wait(hands: Hands) -> None:
    await hands.bench.bear(*people(40))
    database = hands.bench.store._database
    commits = 0
    write = database.write

    async def counted(work: Any) -> Any:
        nonlocal commits
        commits += 1
        return await write(work)

    database.write = counted  # type: ignore[method-assign]
    async with hands.sending() as work:
        given = await asyncio.gather(*(work.step([], 2) for _ in range(20)))
        assert sorted(one.recipient for some in given for one in some) == sorted(people(40))
        assert commits == 2  # the claim, and one step for twenty
        await asyncio.gather(*(work.step([(one, OK) for one in some], 0) for some in given))
        assert commits == 3
    assert await hands.bench.states() == {"sent": 40}


async def test_what_came_of_a_letter_and_the_next_intent_are_durable_together(hands: Hands) -> None:
    await hands.bench.bear(*people(2))
    async with hands.sending() as work:
        [first] = await work.step([], 1)
        [second] = await work.step([(first, OK)], 1)
        assert await hands.bench.states() == {"sent": 1, "attempting": 1}
        assert await work.step([(second, OK)], 1) == []
    assert await hands.bench.states() == {"sent": 2}


async def test_a_letter_that_may_not_go_makes_room_for_another(hands: Hands) -> None:
    await hands.bench.bear(*people(6))
    async with hands.sending() as work:
        given = list(await work.step([], 1))
        for number in (1, 2, 3):
            address = f"reader{number}@example.org"
            await hands.bench.store.subscriptions.suppress(address, "bounced", now=MOMENT)
        given += await work.step([], 3)
        assert [one.recipient for one in given] == [f"reader{number}@example.org" for number in (0, 4, 5)]
        await work.step([(one, OK) for one in given], 0)
    assert await hands.bench.states() == {"sent": 3, "suppressed": 3}
    assert hands.tally.states == {"sent": 3, "suppressed": 3}


async def test_a_connection_takes_only_what_it_admits_and_leaves_the_rest_to_others(hands: Hands) -> None:
    await hands.bench.bear(*people(3, "slow.example"), *people(3))

    def quick(delivery: Delivery) -> bool:
        return not delivery.recipient.endswith("@slow.example")

    async with hands.sending() as work:
        mine = await work.step([], 5, quick)
        assert [one.recipient for one in mine] == people(3)
        others = await work.step([], 5)
        assert [one.recipient for one in others] == people(3, "slow.example")
        await work.step([(one, OK) for one in [*mine, *others]], 0)


async def test_letters_that_nobody_may_have_wait_and_others_come_forward(hands: Hands) -> None:
    """Five hundred for one full domain must not keep the one behind them waiting, nor make us spin."""
    await hands.bench.bear(*people(500, "full.example"), "last@example.org")

    def room(delivery: Delivery) -> bool:
        return not delivery.recipient.endswith("@full.example")

    async with hands.sending() as work:
        [given] = await work.step([], 1, room)
        assert given.recipient == "last@example.org"
        assert await work.step([(given, OK)], 1, room) == []
    assert await hands.bench.states() == {"sent": 1, "pending": 500}
    assert not await hands.bench.store.deliveries.any_due("email", hands.bench.clock())
    hands.bench.clock.turn(minutes=10)
    assert (await deliver(hands.bench.line(Fake(concurrency=8)))).states == {"sent": 500}


async def test_a_lease_holds_for_a_minute_by_a_clock_that_never_stands_still(hands: Hands) -> None:
    await hands.bench.bear(*people(1))
    async with hands.sending() as work:
        [given] = await work.step([], 1)
        assert work.holds(given)
        hands.ticks += 59.0
        assert work.holds(given)
        hands.ticks += 2.0  # we were stopped, or the machine slept
        assert not work.holds(given)
        await work.step([(given, OK)], 0)
        assert not work.holds(given)


async def test_a_renewed_lease_holds_on_and_one_that_was_lost_does_not(hands: Hands) -> None:
    await hands.bench.bear(*people(2))
    async with hands.sending(renew_every=0.05) as work:
        ours, lost = await work.step([], 2)
        await hands.bench.store._database.write(_somebody_else_has(lost))
        hands.ticks += 30.0
        await asyncio.sleep(0.3)
        hands.ticks += 31.0
        assert work.holds(ours)
        assert not work.holds(lost)
        await work.step([(ours, OK), (lost, OK)], 0)
    assert hands.tally.states == {"sent": 1}, "the outcome of the other came too late"


def _somebody_else_has(delivery: Delivery) -> Any:
    async def work(connection: Any) -> None:
        from sqlalchemy import text

        await connection.execute(
            text("UPDATE deliveries SET fence = fence + 1 WHERE id = :id"), {"id": delivery.id}
        )

    return work


async def test_what_is_claimed_while_leases_are_renewed_is_not_forgotten(hands: Hands) -> None:
    await hands.bench.bear(*people(600))
    sent = 0
    async with hands.sending(renew_every=0.001) as work:
        given = await work.step([], 4)
        while given:
            sent += len(given)
            given = await work.step([(one, OK) for one in given], 4)
    assert sent == 600
    assert await hands.bench.states() == {"sent": 600}


async def test_a_caller_that_is_gone_when_its_letters_come_loses_none(hands: Hands) -> None:
    await hands.bench.bear(*people(1))
    async with hands.sending() as work:
        asking = asyncio.create_task(work.step([], 1))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
        await work.step([], 0)
    states = await hands.bench.states()
    assert states in ({"deferred": 1}, {"pending": 1}), states
    [one] = (await hands.bench.deliveries()).values()
    assert one.attempts == 0


async def test_stopped_means_no_more_and_what_was_at_hand_goes_back_at_once(hands: Hands) -> None:
    await hands.bench.bear(*people(5))
    async with hands.sending() as work:
        [given] = await work.step([], 1)
        hands.stopped = True
        assert await work.step([(given, OK)], 1) == []
    assert await hands.bench.states() == {"sent": 1, "pending": 4}
    assert await hands.bench.store.deliveries.any_due("email", hands.bench.clock())


async def test_trouble_of_the_way_out_gives_back_at_once_what_was_at_hand(hands: Hands) -> None:
    await hands.bench.bear(*people(5))

    async def shut() -> None:
        async with hands.sending() as work:
            [given] = await work.step([], 1)
            lost = PublishError("gone", counts=False)
            await work.step([(given, lost)], 0)
            raise lost

    with pytest.raises(PublishError, match="gone"):
        await shut()
    assert await hands.bench.states() == {"deferred": 1, "pending": 4}
    assert await hands.bench.store.deliveries.any_due("email", hands.bench.clock())


# ---------------------------------------------------------------- a channel that streams


@dataclass
class Stream(Fake):
    """Keeps three letters under way, as a connection that pipelines does."""

    async def stream(self, work: Work) -> None:
        done: list[tuple[Delivery, Result]] = []
        under_way: list[Delivery] = []
        while True:
            under_way += await work.step(done, 3 - len(under_way))
            if not under_way:
                return
            assert work.holds(under_way[0])
            letter, under_way = under_way[0], under_way[1:]
            self.got.append(letter.recipient)
            done = [(letter, await self.answer(letter))]

    async def answer(self, letter: Delivery) -> Result:
        act = self.acts.get(letter.recipient)
        try:
            if act is not None:
                await act(letter)
        except PublishError as error:
            return error
        return OK


async def test_a_channel_that_streams_is_lent_the_same_ledger(hands: Hands) -> None:
    await hands.bench.bear(*people(300))

    async def unknown(_delivery: Delivery) -> None:
        raise PublishError("gone after the dot", unknown=True)

    stream = Stream(acts={"reader7@example.org": unknown})
    assert (await deliver(hands.bench.line(stream))).states == {"sent": 299, "unknown": 1}
    assert len(stream.got) == len(set(stream.got)) == 300
    assert await hands.bench.store.deliveries.invariant(hands.bench.issue_id) == []
    history = await hands.bench.store.deliveries.history(1)
    assert [event.state for event in history] == [DeliveryState.ATTEMPTING, DeliveryState.SENT]


# ---------------------------------------------------------------- verdicts


def verdict(result: Result, *, attempts: int = 0, age: timedelta = timedelta(0)) -> Ended:
    delivery = Delivery(
        id=1, channel="email", recipient="a@example.org", newsletter="world", issue_id=1,
        state=DeliveryState.PENDING, attempts=attempts, created_at=MOMENT - age, available_at=MOMENT,
    )  # fmt: skip
    return judge(delivery, result, now=MOMENT, jitter=0.0, stale_after=timedelta(hours=24))


@pytest.mark.parametrize(
    ("error", "attempts", "age", "state", "minutes", "uncounted"),
    [
        (PublishError("451"), 0, 0, "deferred", 5, False),
        (PublishError("451"), 1, 0, "deferred", 10, False),
        (PublishError("451"), 9, 0, "deferred", 30, False),
        (PublishError("451"), 2, 30, "deferred", 20, False),  # too few tries to be stale
        (PublishError("451"), 3, 30, "failed", None, False),
        (PublishError("421", counts=False), 9, 300, "deferred", 1, True),  # not the reader's fault
        (PublishError("452", counts=False, wait=timedelta(minutes=3)), 0, 0, "deferred", 3, True),
        (PublishError("5.7.1", wait=timedelta(minutes=45)), 0, 0, "deferred", 45, False),
        (PublishError("gone", unknown=True), 0, 0, "unknown", 5, False),
        (PublishError("550", permanent=True), 0, 0, "failed", None, False),
    ],
)
async def test_what_an_error_means_for_a_letter(
    error: PublishError, attempts: int, age: int, state: str, minutes: int | None, uncounted: bool
) -> None:
    found = verdict(error, attempts=attempts, age=timedelta(hours=age))
    assert (found.state, found.uncounted) == (state, uncounted)
    assert found.available_at == (None if minutes is None else MOMENT + timedelta(minutes=minutes))


async def test_a_dead_address_is_to_be_suppressed_and_an_acceptance_names_its_relay() -> None:
    assert verdict(PublishError("550 5.1.1", permanent=True, suppress=True)).suppress
    sent = verdict(OK)
    assert (sent.state, sent.relay, sent.reply) == ("sent", "mx", "250 ok")

"""A channel's letters on their way: what one commit serves, who may have which, and what goes back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from a_house import Clock
from digest.dispatch import deliver
from digest.model import Delivery, DeliveryState, Ended, NotReady, PublishError, Receipt
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
    async def sending(self, *, ledger: Any = None, **settings: Any) -> AsyncIterator[Sending]:
        work = Sending(
            ledger or self.bench.store,
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
        until = work._until[ours.id]
        while work._until[ours.id] == until:  # noqa: ASYNC110 - a renewal has not come by yet
            await asyncio.sleep(0.01)
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


# ---------------------------------------------------------------- a ledger that stumbles


class Stumbling:
    """A store whose deliveries do as they are told, and then the answer is lost, late, or a no.

    lose: so many answers to a step, after it was committed. deny: so many claims, once one was granted.
    late: held until this is set, the answer to a renewal.
    """

    def __init__(self, store: Store, *, lose: int = 0, deny: int = 0, late: asyncio.Event | None = None):
        self.deliveries = self
        self.subscriptions = store.subscriptions
        self._real = store.deliveries
        self._lose, self._deny, self._late = lose, deny, late
        self._granted = False
        self.renewing = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def step(self, *asked: Any, **how: Any) -> Any:
        answer = await self._real.step(*asked, **how)
        if self._lose:
            self._lose -= 1
            raise NotReady("the connection was cut after COMMIT")
        return answer

    async def claim_due(self, *asked: Any, **how: Any) -> Any:
        if self._granted and self._deny:
            self._deny -= 1
            raise NotReady("database is locked")
        self._granted = True
        return await self._real.claim_due(*asked, **how)

    async def renew(self, *asked: Any, **how: Any) -> Any:
        answer = await self._real.renew(*asked, **how)
        self.renewing.set()
        if self._late is not None:
            await self._late.wait()
        return answer


async def test_an_intent_whose_commit_was_not_heard_of_is_still_ours(hands: Hands) -> None:
    """Else nobody sends it, it becomes `unknown` when its lease ends, and a newsletter that holds such
    letters back loses one of which nothing was ever sent."""
    await hands.bench.bear(*people(2))
    async with hands.sending(ledger=Stumbling(hands.bench.store, lose=1)) as work:
        [first] = await work.step([], 1)
        assert work.holds(first)
        assert await hands.bench.states() == {"attempting": 1, "pending": 1}
        await work.step([(first, OK)], 0)
    assert await hands.bench.states() == {"sent": 1, "pending": 1}


async def test_an_outcome_whose_commit_was_not_heard_of_is_written_once(hands: Hands) -> None:
    await hands.bench.bear(*people(2))
    ledger = Stumbling(hands.bench.store)
    async with hands.sending(ledger=ledger) as work:
        one, two = await work.step([], 2)
        ledger._lose = 1
        await work.step([(one, OK), (two, PublishError("421", counts=False))], 0)
    assert hands.tally.states == {"sent": 1, "deferred": 1}
    for delivery, end in ((one, "sent"), (two, "deferred")):
        history = await hands.bench.store.deliveries.history(delivery.id)
        assert [event.state for event in history][-2:] == ["attempting", end]
    assert (await hands.bench.store.deliveries.get(two.id)).attempts == 0


class Slow(Stumbling):
    """Does something after each step, before anybody hears of it."""

    def __init__(self, store: Store, then: Callable[[], object]) -> None:
        super().__init__(store)
        self._then = then

    async def step(self, *asked: Any, **how: Any) -> Any:
        answer = await self._real.step(*asked, **how)
        self._then()
        await asyncio.sleep(0)
        return answer


async def test_a_lease_is_counted_from_before_the_step_that_took_it(hands: Hands) -> None:
    await hands.bench.bear(*people(1))

    def long() -> None:
        hands.ticks += 50.0

    async with hands.sending(ledger=Slow(hands.bench.store, long)) as work:
        [given] = await work.step([], 1)
        hands.ticks += 9.0
        assert work.holds(given)
        hands.ticks += 2.0
        assert not work.holds(given)
        await work.step([(given, OK)], 0)


async def test_what_was_begun_for_nobody_is_taken_back_at_once(hands: Hands) -> None:
    await hands.bench.bear(*people(1))
    async with hands.sending(ledger=Slow(hands.bench.store, lambda: asking.cancel())) as work:
        asking = asyncio.create_task(work.step([], 1))
        with contextlib.suppress(asyncio.CancelledError):
            await asking
        await work.step([], 0)
    [one] = (await hands.bench.deliveries()).values()
    assert (one.state, one.attempts) == ("deferred", 0)


async def test_letters_that_were_begun_are_given_though_others_cannot_be_claimed(hands: Hands) -> None:
    await hands.bench.bear(*people(300))
    for number in range(200, 256):
        await hands.bench.store.subscriptions.suppress(f"reader{number}@example.org", "", now=MOMENT)
    async with hands.sending(ledger=Stumbling(hands.bench.store, deny=1)) as work:
        given = [*await work.step([], 192), *await work.step([], 20)]
        assert len(given) == 200
        await work.step([(one, OK) for one in given], 0)
    states = await hands.bench.states()
    assert (states["sent"], states.get("attempting")) == (200, None)


async def test_letters_claimed_while_leases_are_renewed_stay_at_hand(hands: Hands) -> None:
    await hands.bench.bear(*people(300))
    ledger = Stumbling(hands.bench.store, late=(late := asyncio.Event()))
    async with hands.sending(ledger=ledger, renew_every=0.05) as work:
        given = list(await work.step([], 250))
        await ledger.renewing.wait()
        given += await work.step([], 1)  # claims the others
        late.set()
        await asyncio.sleep(0.02)
        given += await work.step([], 100)
        assert len(given) == 300
        await work.step([(one, OK) for one in given], 0)


# ---------------------------------------------------------------- who waits for whom


async def test_a_notice_does_not_wait_for_the_end_of_a_long_stream(hands: Hands) -> None:
    await hands.bench.bear(*people(500))
    async with hands.sending() as work:
        given = list(await work.step([], 1))
        await hands.bench.store.notices.create(
            kind="test", key="t", recipient="new@example.org", newsletter="", data={}, now=MOMENT
        )
        hands.ticks += 6.0
        [notice] = await work.step([], 1)
        assert notice.issue_id is None
        await work.step([(one, OK) for one in [*given, notice]], 0)


async def test_what_becomes_due_while_the_last_letter_takes_its_time_is_found(hands: Hands) -> None:
    await hands.bench.bear(*people(1))
    async with hands.sending() as work:
        given = list(await work.step([], 1))
        assert await work.step([], 1) == []
        await hands.bench.store.notices.create(
            kind="test", key="t", recipient="new@example.org", newsletter="", data={}, now=MOMENT
        )
        hands.ticks += 6.0
        given += await work.step([], 1)
        assert len(given) == 2
        await work.step([(one, OK) for one in given], 0)


async def test_a_notice_for_a_full_domain_does_not_wait_as_long_as_its_letters(hands: Hands) -> None:
    await hands.bench.bear(*people(600, "full.example"))
    await hands.bench.store.notices.create(
        kind="test", key="t", recipient="new@full.example", newsletter="", data={}, now=MOMENT
    )
    async with hands.sending() as work:
        assert await work.step([], 1, lambda _: False) == []
    hands.bench.clock.turn(seconds=31)
    [notice] = await hands.bench.store.deliveries.claim_due(
        "email", hands.bench.clock(), limit=1, lease=timedelta(seconds=60)
    )
    assert notice.issue_id is None


async def test_a_domain_with_few_connections_goes_on_as_fast_as_they_do(hands: Hands) -> None:
    """The connections that may not have its letters must not put all of them off for half an hour."""
    await hands.bench.bear(*people(900, "few.example"))
    async with hands.sending() as work:
        given = list(await work.step([], 2))
        assert await work.step([], 1, lambda _: False) == []
        sent = 0
        while given := list(await work.step([(one, OK) for one in given], 2)):
            sent += len(given)
            assert await work.step([], 1, lambda _: False) == []
            hands.bench.clock.turn(seconds=0.1)
            hands.ticks += 0.1
    waits = [one.available_at for one in (await hands.bench.deliveries()).values() if one.state == "pending"]
    assert sent > 800
    assert all(wait < hands.bench.clock() + timedelta(seconds=31) for wait in waits)


async def test_letters_that_are_another_relays_turn_are_not_put_off(hands: Hands) -> None:
    await hands.bench.bear(*people(300))
    async with hands.sending() as work:
        assert await work.step([], 1, lambda _: None) == []
        given = await work.step([], 300)
        assert len(given) == 256
        given = [*given, *await work.step([], 300)]
        assert len(given) == 300
        await work.step([(one, OK) for one in given], 0)


async def test_what_is_known_is_written_before_a_long_search(hands: Hands) -> None:
    await hands.bench.bear("first@example.org", *people(700, "full.example"))
    seen: list[int] = []

    class Looking(Stumbling):
        async def put_off(self, *asked: Any, **how: Any) -> Any:
            seen.append((await hands.bench.states()).get("sent", 0))
            return await self._real.put_off(*asked, **how)

    async with hands.sending(ledger=Looking(hands.bench.store)) as work:
        [first] = await work.step([], 1)
        assert await work.step([(first, OK)], 1, lambda _: False) == []
    assert seen
    assert seen[0] == 1


async def test_no_list_is_too_long_to_be_looked_through(hands: Hands) -> None:
    """The claims below are made one after another, not each within the one before."""
    await hands.bench.bear(*people(300, "full.example"))

    class Endless(Stumbling):
        """The same letters again and again, as of a list of a million."""

        claims = 0

        async def claim_due(self, *asked: Any, **how: Any) -> Any:
            self.claims += 1
            if self.claims > 1500:
                return []
            return [replace(some, id=some.id + 1000 * self.claims) for some in sample]

        async def put_off(self, *asked: Any, **how: Any) -> Any:
            pass

    sample = await hands.bench.store.deliveries.of_issue(hands.bench.issue_id, limit=256)
    async with hands.sending(ledger=(ledger := Endless(hands.bench.store))) as work:
        assert await work.step([], 1, lambda _: False) == []
        assert ledger.claims > 1500
        assert len(work._until) < 1000


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

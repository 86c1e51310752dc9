"""Limits in force: a ledger that is asked, a database that several senders share, a clock that we turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from a_house import NOON, Clock
from digest.model import Delivery, DeliveryState, NotReady, PublishError, Receipt
from digest.publishers.base import Result, anyone
from digest.publishers.budget import Limiter, by_priority, domain_of, limiters, paused
from digest.publishers.relay import DomainLimit, Relay, WarmUp
from digest.store import Store
from digest.store.budgets import Draw

pytestmark = pytest.mark.asyncio

SENT = Receipt(relay="r", reply="250 ok")
BLOCKED = PublishError("554 5.7.1 listed")
GONE = PublishError("550 5.1.1 unknown", permanent=True)
LATER = PublishError("451 later")


Done = list[tuple[Delivery, Result]]


def against_us(error: PublishError) -> bool:
    return "5.7.1" in str(error)


def letter(number: int, domain: str = "a.example") -> Delivery:
    return Delivery(
        id=number,
        channel="email",
        recipient=f"r{number}@{domain}",
        newsletter="world",
        state=DeliveryState.PENDING,
        created_at=NOON,
        available_at=NOON,
    )


class Ledger:
    """Gives what it is let to; with `unsubscribed`, letters that are admitted and then not given."""

    def __init__(self, *letters: Delivery, unsubscribed: frozenset[int] = frozenset()) -> None:
        self.waiting = deque(letters)
        self.done: list[tuple[int, Result]] = []
        self.asked = 0
        self._unsubscribed = unsubscribed

    async def step(
        self,
        done: Sequence[tuple[Delivery, Result]],
        want: int,
        admit: Callable[[Delivery], bool] = anyone,
    ) -> Sequence[Delivery]:
        self.done += [(delivery.id, result) for delivery, result in done]
        given: list[Delivery] = []
        kept: deque[Delivery] = deque()
        while self.waiting and len(given) < want:
            delivery = self.waiting.popleft()
            self.asked += 1
            if not admit(delivery):
                kept.append(delivery)
            elif delivery.id not in self._unsubscribed:
                given.append(delivery)
        self.waiting = kept + self.waiting
        return given

    def over(self) -> bool:
        return False

    def holds(self, delivery: Delivery) -> bool:
        return True


def limiter(store: Store, clock: Clock, budgets: Any = None, **changes: Any) -> Limiter:
    relay = Relay(host="mail.example.org", **changes)
    return Limiter(relay, budgets or store.budgets, clock=clock, against_us=against_us)


async def send(limits: Limiter, ledger: Ledger, *, result: Result = SENT, want: int = 10) -> int:
    """Send until nothing more is given; how many."""
    sent, done = 0, Done()
    while (given := await limits.step(ledger, done, want)) or done:
        for delivery in given:
            limits.told(delivery, result)
            done.append((delivery, result))
        sent += len(given)
    return sent


async def test_senders_share_what_an_hour_allows_and_a_new_one_gets_no_more(store: Store) -> None:
    clock = Clock()
    ledger = Ledger(*map(letter, range(300)))
    one, two = (limiter(store, clock, rate="100/h") for _ in range(2))
    sent = 0
    while given := [*await one.step(ledger, [], 3), *await two.step(ledger, [], 3)]:
        sent += len(given)
    assert sent == 100
    assert await send(limiter(store, clock, rate="100/h"), ledger) == 0
    assert one.next_at("a.example") > clock()
    clock.turn(minutes=66)
    assert await send(two, ledger) == 100


async def test_what_one_did_not_use_another_may(store: Store) -> None:
    clock = Clock()
    one, two = (limiter(store, clock, rate="2000/h") for _ in range(2))
    ledger = Ledger(*map(letter, range(3_000)))
    assert len(await one.step(ledger, [], 1)) == 1  # 100 are drawn for it
    await one.close()
    clock.turn(seconds=20)
    assert await send(two, ledger, want=100) == 1_999


async def test_letters_that_the_ledger_does_not_give_cost_nothing(store: Store) -> None:
    limits = {"a.example": DomainLimit(connections=7, rate="5/h")}
    limiting = limiter(store, Clock(), domains=limits)
    ledger = Ledger(*map(letter, range(20)), unsubscribed=frozenset(range(6)))
    assert await send(limiting, ledger) == 5
    assert [number for number, result in ledger.done if result is SENT] == [6, 7, 8, 9, 10]


async def test_a_domain_that_waits_keeps_no_other_waiting(store: Store) -> None:
    limiting = limiter(store, Clock(), domains={"gmail.com": DomainLimit(rate="20/h")})
    letters = [letter(n, "gmail.com" if n % 2 else "b.example") for n in range(100)]
    ledger = Ledger(*letters)
    assert await send(limiting, ledger) == 70
    assert {domain_of(each) for each in ledger.waiting} == {"gmail.com"}


async def test_days_of_a_warm_up_begin_with_the_first_letter_and_are_remembered(store: Store) -> None:
    clock = Clock()
    plan = WarmUp(start=10, factor=2, days=3)
    sent = []
    for _day in range(4):
        ledger = Ledger(*map(letter, range(100)))
        sent.append(await send(limiter(store, clock, warm_up=plan), ledger))
        clock.turn(hours=20)
        sent.append(await send(limiter(store, clock, warm_up=plan), ledger))
        clock.turn(hours=4)
    assert sent == [10, 0, 20, 0, 40, 0, 100, 0]


async def test_a_domain_that_blocks_us_is_left_alone_by_all_until_one_letter_gets_through(
    store: Store,
) -> None:
    clock = Clock()
    one, two = limiter(store, clock), limiter(store, clock)
    ledger = Ledger(*[letter(n, "gmail.com") for n in range(1_000)])
    assert await send(one, ledger, result=BLOCKED, want=1) == 5
    assert await send(one, ledger) == 0
    assert await send(two, ledger) == 0
    assert one.next_at("GMAIL.com") == clock.now.replace(minute=10)
    assert await paused([one.relay], store.budgets, clock()) == [
        (
            "smtp",
            "warn",
            "mail.example.org:587 gmail.com refuses our letters; it is asked again at 2026-11-22 12:10 UTC",
        )
    ]
    other = Ledger(letter(2_000))
    assert await send(two, other) == 1
    clock.turn(minutes=10)
    given = [*await one.step(ledger, [], 5), *await two.step(ledger, [], 5)]
    assert len(given) == 1, "one letter asks"
    one.told(given[0], SENT)
    assert await send(one, ledger, want=100) == 994
    clock.turn(seconds=3)
    assert await send(two, Ledger(*[letter(n, "gmail.com") for n in range(9)])) == 9
    assert await paused([one.relay], store.budgets, clock()) == []


async def test_a_reader_who_is_gone_or_late_is_not_held_against_the_relay(store: Store) -> None:
    limiting = limiter(store, Clock())
    for result in (GONE, LATER):
        assert await send(limiting, Ledger(*map(letter, range(50))), result=result) == 50
    assert await store.budgets.states(limiting.relay.name) == {}


async def test_nobody_is_asked_about_while_the_relay_as_a_whole_may_not(store: Store) -> None:
    limiting = limiter(store, Clock(), rate="10/h")
    ledger = Ledger(*map(letter, range(50)))
    await send(limiting, ledger)
    asked = ledger.asked
    assert await send(limiting, ledger) == 0
    assert ledger.asked == asked


class OutOfReach:
    """Counts that nobody can draw from."""

    def __init__(self, store: Store) -> None:
        self.states = store.budgets.states

    async def take(self, draws: Sequence[Draw]) -> list[int]:
        if draws:
            raise NotReady("out of reach")
        return []


async def test_what_is_done_is_recorded_also_when_the_limits_cannot_be_known(store: Store) -> None:
    limiting = limiter(store, Clock(), OutOfReach(store), rate="10/h")
    ledger = Ledger(*map(letter, range(5)))
    done: Done = [(letter(7), SENT)]
    assert not await limiting.step(ledger, done, 3)
    assert ([number for number, _ in ledger.done], done) == ([7], [])
    assert "no letter now" in (await limiting.shut() or "")


async def test_a_letter_that_cannot_be_paid_for_does_not_go_and_others_do(store: Store) -> None:
    limits = {"gmail.com": DomainLimit(rate="20/h")}
    limiting = limiter(store, Clock(), OutOfReach(store), domains=limits)
    ledger = Ledger(letter(1), letter(2, "gmail.com"), letter(3))
    done: Done = []
    assert [each.id for each in await limiting.step(ledger, done, 3)] == [1, 3]
    [(late, error)] = done
    assert late.id == 2
    assert isinstance(error, PublishError)
    assert not error.counts
    assert error.wait is not None


async def test_two_accounts_of_one_server_have_counts_of_their_own(store: Store) -> None:
    accounts = [
        Relay(host="mail.example.org", username=name, password="x", rate="10/h", priority=1)
        for name in ("news", "post")
    ]
    one, two = limiters(accounts, store.budgets, clock=Clock(), against_us=against_us)
    ledger = Ledger(*map(letter, range(50)))
    sent = 0
    for _ in range(30):
        for limits in (one, two):
            for delivery in await limits.step(ledger, [], 1):
                limits.told(delivery, SENT)
                sent += 1
    assert sent == 20
    assert (
        await one.shut()
        == "news at mail.example.org:587 may be given no letter now; it is tried again at 12:02:30 UTC"
    )


async def test_relays_are_used_by_priority_and_share_by_weight(store: Store) -> None:
    relays = [
        Relay(host="first.example", weight=3, priority=1),
        Relay(host="last.example"),
        Relay(host="second.example", priority=1),
    ]
    assert [[relay.host for relay in group] for group in by_priority(relays)] == [
        ["first.example", "second.example"],
        ["last.example"],
    ]
    plain = [Relay(host="a.example"), Relay(host="b.example")]
    assert [len(group) for group in by_priority(plain)] == [1, 1]
    first, _, second = limiters(relays, store.budgets, clock=Clock(), against_us=against_us)
    ledger = Ledger(*map(letter, range(400)))
    sent = [0, 0]
    while ledger.waiting:
        for place, limits in enumerate((first, second)):
            for delivery in await limits.step(ledger, [], 2):
                limits.told(delivery, SENT)
                sent[place] += 1
    assert sent[0] / sent[1] == pytest.approx(3, rel=0.15)

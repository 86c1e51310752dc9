"""A ledger for tests of the wire, with the interface of `Work`: it keeps what it was told and complains when
the order of things that keeps letters from being lost or doubled is broken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from digest.model import Delivery, DeliveryState, NotReady, PublishError, Receipt
from digest.publishers.base import Result, anyone

NOW = datetime(2026, 11, 28, 7, tzinfo=UTC)


def delivery(number: int, *, recipient: str | None = None) -> Delivery:
    return Delivery(
        id=number,
        channel="email",
        recipient=recipient or f"reader{number}@example.org",
        newsletter="world",
        issue_id=1,
        subscription_id=number,
        state=DeliveryState.PENDING,
        created_at=NOW,
        available_at=NOW,
    )


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


class Ledger:
    """`readers` letters to give. commit: seconds that a step takes. slips: ids whose lease runs out as soon
    as they are given; slips_later: when it was asked for once. down_after: so many steps, and it is out of
    reach. taken: how many letters the server has.

    most_given: the most that were under way at once. most_ahead: the most that the server had taken and we
    did not know of. refused: what was said while it was out of reach.
    """

    def __init__(
        self,
        readers: int = 0,
        *,
        deliveries: Sequence[Delivery] = (),
        commit: float = 0.0,
        slips: Sequence[int] = (),
        slips_later: Sequence[int] = (),
        taken: Callable[[], int] | None = None,
        down_after: int | None = None,
    ) -> None:
        self.waiting = [*deliveries] or [delivery(number) for number in range(readers)]
        self.given: dict[int, Delivery] = {}
        self.results: dict[int, Result] = {}
        self.steps = 0
        self.complaints: list[str] = []
        self.most_given = 0
        self.most_ahead = 0
        self.refused: dict[int, Result] = {}
        self.stopped = False
        self._commit = commit
        self._slips = set(slips)
        self._slips_later = set(slips_later)
        self._taken = taken
        self._down_after = down_after

    async def step(
        self,
        done: Sequence[tuple[Delivery, Result]],
        want: int,
        admit: Callable[[Delivery], bool] = anyone,
    ) -> Sequence[Delivery]:
        self.steps += 1
        answered = [*done]
        await asyncio.sleep(self._commit)
        if self._taken is not None:
            self.most_ahead = max(self.most_ahead, self._taken() - len(self.results))
        if self._down_after is not None and self.steps > self._down_after:
            self.refused |= {each.id: result for each, result in answered}
            raise NotReady("the ledger is out of reach")
        for each, result in answered:
            if each.id not in self.given:
                self.complaints.append(f"{each.id} was answered for, but is not under way")
            self.given.pop(each.id, None)
            self.results[each.id] = result
        given: list[Delivery] = []
        for each in [] if self.stopped else [*self.waiting]:
            if len(given) < want and admit(each):
                given.append(each)
                self.waiting.remove(each)
                self.given[each.id] = each
        self.most_given = max(self.most_given, len(self.given))
        return given

    def over(self) -> bool:
        return self.stopped

    def holds(self, delivery: Delivery) -> bool:
        if delivery.id in self._slips:
            return False
        if delivery.id in self._slips_later:
            self._slips.add(delivery.id)
        return True

    def kinds(self) -> dict[int, str]:
        return {number: kind(result) for number, result in sorted(self.results.items())}


def kind(result: Result) -> str:
    """What the ledger makes of it, in a word."""
    if isinstance(result, Receipt):
        return "sent"
    return kind_of(result)


def kind_of(error: PublishError) -> str:
    if error.unknown:
        return "unknown"
    if error.suppress:
        return "dead"
    if error.permanent:
        return "failed"
    return "later" if error.counts else "not the reader's"

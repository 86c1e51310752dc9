"""A channel's letters on their way: claimed under a lease, begun and answered for in steps that many share.

    claim → at hand → step(outcomes, wanted) → intents → the channel sends → step(outcomes, …)

Whoever needs the ledger waits in one queue, and one commit serves all who wait. Leases of what is at hand or
under way are renewed; what was claimed and not begun goes back at the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from digest.model import Delivery, DeliveryState, Ended, NotReady, PublishError
from digest.publishers.base import Result, anyone
from digest.store import Store

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
RENEW_EVERY = 15.0
CLAIM = 256
"""Letters claimed at a time: notices that come meanwhile wait for no more than these."""
LOW_WATER = 64
AGAIN = 1.0
"""Seconds between two tries to write an outcome down while the ledger is out of reach."""
KEEP_TRYING = 45.0
"""Seconds; less than a lease, so that nobody else can have taken over."""
HELD_BACK = timedelta(seconds=30)
"""A letter whose domain has no room is put off for so long, and for longer the more are waiting with it."""
LONGEST_HELD_BACK = timedelta(hours=1)
MANY_HELD_BACK = 100
ROOM_SOON = timedelta(seconds=2)
"""The same for a domain that has a letter under way: when that is over there may be room at once."""
LOOK_AGAIN = 2.0
"""Seconds after which it is worth asking for what has become due meanwhile, notices above all."""


def since_boot() -> float:
    """Seconds on a clock that goes on while we, or the machine, are stopped."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(slots=True, kw_only=True)
class Tally:
    """What one round of sending has come to, over all channels. issues: those that it had letters of."""

    changed: Callable[[], None]
    states: Counter[str] = field(default_factory=Counter)
    claimed: int = 0
    issues: set[int] = field(default_factory=set)

    def count(self, state: DeliveryState) -> None:
        self.states[state.value] += 1
        self.changed()


@dataclass(slots=True, kw_only=True, eq=False)
class _Asked:
    """One caller of `step`. done: its outcomes; once they are written they are taken out."""

    done: list[Ended]
    want: int
    admit: Callable[[Delivery], bool | None]
    answer: asyncio.Future[Sequence[Delivery]]
    given: list[Delivery] = field(default_factory=list)


class Sending:
    """The ledger for one channel while it sends: what `publishers.base.Work` promises.

    Open it before use. judge: what a result means for its delivery. trouble: told in words when the ledger is
    out of reach, and None when it answers again. ticks: seconds, on a clock that never stands still.
    """

    def __init__(
        self,
        store: Store,
        channel: str,
        *,
        clock: Callable[[], datetime],
        judge: Callable[[Delivery, Result], Ended],
        stopped: Callable[[], bool],
        tally: Tally,
        trouble: Callable[[str | None], None],
        ticks: Callable[[], float] = since_boot,
        lease: timedelta = LEASE,
        renew_every: float = RENEW_EVERY,
        keep_trying: float = KEEP_TRYING,
    ) -> None:
        self._deliveries = store.deliveries
        self._suppress = store.subscriptions.suppress
        self._channel = channel
        self._clock = clock
        self._judge = judge
        self._stopped = stopped
        self._tally = tally
        self._trouble = trouble
        self._ticks = ticks
        self._lease = lease
        self._renew_every = renew_every
        self._keep_trying = keep_trying
        self._at_hand: deque[Delivery] = deque()
        self._under_way: dict[int, Delivery] = {}
        self._until: dict[int, float] = {}
        self._held_back: Counter[str] = Counter()
        self._asked: list[_Asked] = []
        self._wake = asyncio.Event()
        self._exhausted = False
        self._claimed_at = 0.0
        self.broken: NotReady | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Sending]:
        """Work off what is asked until the end; then give back what was claimed and not begun."""
        tasks = [asyncio.create_task(self._work_off()), asyncio.create_task(self._renew())]
        try:
            yield self
            if self._at_hand and not self._stopped() and self.broken is None:
                with contextlib.suppress(NotReady):
                    await self._put_off()  # no connection would have them: others, and later, perhaps
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            if self._at_hand:
                with contextlib.suppress(NotReady):  # their leases run out by themselves
                    await self._deliveries.release(list(self._at_hand))
                self._at_hand.clear()

    async def take(self, delivery: Delivery) -> bool:
        """The intent of one that was claimed elsewhere. False: it must not go."""
        self._under_way[delivery.id] = delivery
        [answer] = await self._step([], [delivery], [])
        if answer != "go":
            del self._under_way[delivery.id]
        return answer == "go"

    # -------------------------------------------------------- what a channel asks

    async def step(
        self,
        done: Sequence[tuple[Delivery, Result]],
        want: int,
        admit: Callable[[Delivery], bool | None] = anyone,
    ) -> Sequence[Delivery]:
        """See `publishers.base.Work`."""
        asked = _Asked(
            done=[self._judge(delivery, result) for delivery, result in done],
            want=want,
            admit=admit,
            answer=asyncio.get_running_loop().create_future(),
        )
        self._asked.append(asked)
        self._wake.set()
        return await asked.answer

    def over(self) -> bool:
        """See `publishers.base.Work`."""
        return self._stopped() or self.broken is not None

    def holds(self, delivery: Delivery) -> bool:
        """See `publishers.base.Work`."""
        return self._until.get(delivery.id, 0.0) > self._ticks()

    # -------------------------------------------------------- one commit for all who wait

    async def _work_off(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(0)  # whoever is ready in this turn of the loop comes along
            asked, self._asked = self._asked, []
            try:
                await self._serve(asked)
            except NotReady as error:
                self.broken = error
                log.error("ledger out of reach", extra={"channel": self._channel, "error": str(error)})  # noqa: TRY400 - its text is for people
                self._refuse(asked, error)
            except Exception as error:  # noqa: BLE001 - it belongs to those who asked
                self._refuse(asked, error)

    @staticmethod
    def _refuse(asked: Sequence[_Asked], error: Exception) -> None:
        for one in asked:
            if one.answer.done():
                continue
            if one.given:  # their intents are durable: whoever asked must send them, or say that it did not
                one.answer.set_result(one.given)
            else:
                one.answer.set_exception(error)

    async def _serve(self, asked: Sequence[_Asked]) -> None:
        await self._write_suppressions(asked)
        failed: NotReady | None = None
        while True:
            try:
                picked = await self._pick(asked)
            except NotReady as error:  # first write down what is known
                picked, failed = [], error
            ended = [one for each in asked for one in each.done]
            if not picked and not ended:
                break
            begun = await self._step(ended, [delivery for _, delivery in picked], asked)
            for (each, delivery), answer in zip(picked, begun, strict=True):
                if answer == "go":
                    each.given.append(delivery)
                    self._under_way[delivery.id] = delivery
                else:
                    self._until.pop(delivery.id, None)
                if answer == "suppressed":
                    self._tally.count(DeliveryState.SUPPRESSED)
            if all(answer == "go" for answer in begun):
                break  # else others take the places of those that may not go
        if failed is not None:
            raise failed
        for each in asked:
            if each.answer.cancelled():  # nobody is there to send these: nothing of them was written
                await self._take_back(each)
            else:
                each.answer.set_result(each.given)

    async def _take_back(self, asked: _Asked) -> None:
        lost = PublishError("it was not begun, because its connection ended", counts=False)
        await self._step([self._judge(delivery, lost) for delivery in asked.given], [], [asked])

    async def _step(
        self, ended: Sequence[Ended], wanted: Sequence[Delivery], asked: Sequence[_Asked]
    ) -> Sequence[str]:
        """One transaction, tried again while the ledger is out of reach, for as long as our leases live."""
        started = self._ticks()
        give_up, again = started + self._keep_trying, False
        while True:
            try:
                kept, begun = await self._deliveries.step(
                    ended, wanted, now=self._clock(), lease=self._lease, again=again
                )
            except NotReady as error:
                again = True  # it may have been done all the same, and only the answer was lost
                self._trouble(str(error))
                if self._ticks() > give_up:
                    raise
                log.warning("ledger not written yet", extra={"channel": self._channel, "error": str(error)})
                await asyncio.sleep(AGAIN)
                continue
            self._trouble(None)
            break
        for delivery in wanted:
            self._until[delivery.id] = started + self._lease.total_seconds()
        for one, ours in zip(ended, kept, strict=True):
            held = self._under_way.get(one.delivery.id)
            if held is None or held.fence == one.delivery.fence:  # else it was put back, and is ours anew
                self._under_way.pop(one.delivery.id, None)
                self._until.pop(one.delivery.id, None)
            if ours:
                self._tally.count(one.state)
            else:
                said = {"delivery": one.delivery.id, "state": str(one.state)}
                log.error("outcome came too late", extra=said)
        for each in asked:
            each.done.clear()
        return begun

    async def _write_suppressions(self, asked: Sequence[_Asked]) -> None:
        """An address that is dead is suppressed before its letter is at rest: not the other way round, or a
        death in between would forget it."""
        for each in asked:
            for one in each.done:
                if one.suppress:
                    await self._suppressed(one)

    async def _suppressed(self, one: Ended) -> None:
        give_up = self._ticks() + self._keep_trying
        while True:
            try:
                await self._suppress(one.delivery.recipient, one.reply, now=self._clock())
            except NotReady as error:
                self._trouble(str(error))
                if self._ticks() > give_up:
                    raise
                await asyncio.sleep(AGAIN)
            else:
                return

    # -------------------------------------------------------- letters at hand

    async def _pick(self, asked: Sequence[_Asked]) -> list[tuple[_Asked, Delivery]]:
        """The next letters for those who want any; more are claimed when few are left."""
        wants = [each for each in asked if len(each.given) < each.want and not each.answer.done()]
        while wants and not self.over():
            await self._look_for_more()
            picked, wait_for_others = self._admitted(wants)
            if picked or wait_for_others or self._exhausted or len(self._at_hand) < LOW_WATER:
                return picked
            if ended := [one for each in asked for one in each.done]:
                await self._step(ended, [], asked)  # what is known does not wait until all are looked at
            if await self._put_off():
                break
        return []

    def _admitted(self, wants: Sequence[_Asked]) -> tuple[list[tuple[_Asked, Delivery]], bool]:
        """Who may have which of those at hand; and whether some are only left to others for a moment."""
        picked: list[tuple[_Asked, Delivery]] = []
        wait_for_others = False
        for each in wants:
            passed_by: list[Delivery] = []
            missing = each.want - len(each.given)
            while missing and self._at_hand:
                delivery = self._at_hand.popleft()
                answer = each.admit(delivery)
                if answer:
                    picked.append((each, delivery))
                    missing -= 1
                else:
                    passed_by.append(delivery)
                    wait_for_others |= answer is None
            self._at_hand.extendleft(reversed(passed_by))
        return picked, wait_for_others

    async def _look_for_more(self) -> None:
        if self._ticks() - self._claimed_at >= LOOK_AGAIN:
            self._exhausted = False
            if len(self._at_hand) >= LOW_WATER:
                await self._claim(only_notices=True)
        if len(self._at_hand) < LOW_WATER and not self._exhausted:
            await self._claim()

    async def _claim(self, *, only_notices: bool = False) -> None:
        started = self._claimed_at = self._ticks()
        claimed = await self._deliveries.claim_due(
            self._channel, self._clock(), limit=CLAIM, lease=self._lease, only_notices=only_notices
        )
        if not only_notices:
            self._exhausted = len(claimed) < CLAIM
        self._tally.claimed += len(claimed)
        for delivery in claimed:
            self._until[delivery.id] = started + self._lease.total_seconds()
        self._tally.issues.update(one.issue_id for one in claimed if one.issue_id is not None)
        self._at_hand.extendleft(one for one in reversed(claimed) if one.issue_id is None)
        self._at_hand.extend(one for one in claimed if one.issue_id is not None)

    async def _put_off(self) -> bool:
        """No connection may have any of these now (their domains have no room): let others come forward.
        Whether there may be room for some of them soon: then it is not worth looking further now, and a few
        of them stay."""
        under_way = {_domain(delivery) for delivery in self._under_way.values()}
        waits: dict[timedelta, list[Delivery]] = {}
        kept: deque[Delivery] = deque()
        for delivery in self._at_hand:
            domain = _domain(delivery)
            if domain in under_way and len(kept) < LOW_WATER // 2:
                kept.append(delivery)
                continue
            wait = HELD_BACK
            if domain in under_way:
                wait = ROOM_SOON
            elif delivery.issue_id is not None:  # somebody waits for a notice: it is no part of a long queue
                self._held_back[domain] += 1
                wait = min(HELD_BACK * (1 + self._held_back[domain] // MANY_HELD_BACK), LONGEST_HELD_BACK)
            waits.setdefault(wait, []).append(delivery)
            self._until.pop(delivery.id, None)
        self._at_hand = kept
        for wait, some in waits.items():
            await self._deliveries.put_off(some, self._clock() + wait)
            self._tally.claimed -= len(some)
        most = dict(self._held_back.most_common(5))
        log.info("letters held back", extra={"channel": self._channel, "domains": most})
        return bool(kept)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._renew_every)
            held = [*self._at_hand, *self._under_way.values()]
            if not held:
                continue
            started = self._ticks()
            try:
                ours = await self._deliveries.renew(held, lease=self._lease)
            except NotReady as error:
                self._trouble(str(error))
                log.warning("lease not renewed", extra={"error": str(error)})
                continue
            for delivery in held:
                if delivery.id in ours and delivery.id in self._until:
                    self._until[delivery.id] = started + self._lease.total_seconds()
            lost = {delivery.id for delivery in held} - ours  # others may have come to hand meanwhile
            self._at_hand = deque(delivery for delivery in self._at_hand if delivery.id not in lost)


def _domain(delivery: Delivery) -> str:
    return delivery.recipient.rpartition("@")[2].lower()

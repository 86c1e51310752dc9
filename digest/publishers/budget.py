"""One relay's limits in force: the decisions of `limits`, what all processes share of them, and the clock.

step: draw what is lacking → the ledger gives what is admitted → give back what was not begun
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from digest.model import Delivery, NotReady, PublishError, Receipt
from digest.publishers.base import Advice, Result, Work
from digest.publishers.breaker import Breaker, Heard
from digest.publishers.limits import Gate, Verdict
from digest.publishers.mime import wire_address
from digest.publishers.rates import Window
from digest.publishers.relay import Relay
from digest.publishers.shares import Shares
from digest.store.budgets import Budgets, Draw

log = logging.getLogger(__name__)

LOOK_EVERY = 2.0  # seconds; how soon a pause that another process began holds here
TELL_EVERY = 2.0
SHORTEST_WAIT = 1.0  # seconds


class Limiter:
    """For the connections of one relay.

    against_us: whether an error blames the relay or the letter, and not the reader. shares: among relays of
    the same priority; None: it has no others beside it.
    """

    def __init__(
        self,
        relay: Relay,
        budgets: Budgets,
        *,
        clock: Callable[[], datetime],
        against_us: Callable[[PublishError], bool],
        shares: Shares | None = None,
    ) -> None:
        self.relay = relay
        self._budgets = budgets
        self._clock = clock
        self._against_us = against_us
        self._shares = shares
        self._gate = Gate(relay)
        self._lock = asyncio.Lock()
        self._looked_at = self._told_at = float("-inf")

    def admit(self, delivery: Delivery) -> bool | None:
        """Whether this letter may be begun now; reserves what it needs, until `told` or `release`. None: it
        is the turn of another relay beside this one."""
        if self._shares is None and self._gate.is_free:
            return True
        now = self._now()
        if not self._gate.admit(delivery.id, domain_of(delivery), now):
            return False
        if self._shares is None:
            return True
        if not self._shares.may(self.relay.account, now):
            self._gate.release(delivery.id, now)
            return None
        self._shares.took(self.relay.account)
        return True

    def told(self, delivery: Delivery, result: Result) -> None:
        """What came of a letter that was admitted."""
        self._gate.told(delivery.id, domain_of(delivery), self._verdict(result), self._now())

    def release(self, delivery: Delivery) -> None:
        """A letter that was admitted is not begun: the ledger did not give it."""
        self._gate.release(delivery.id, self._now())
        if self._shares is not None:
            self._shares.took(self.relay.account, -1)

    def next_at(self, domain: str) -> datetime:
        """When a letter to this domain may go at the earliest, as far as we know."""
        return datetime.fromtimestamp(self._gate.next_at(domain.lower(), self._now()), UTC)

    async def step(self, work: Work, done: list[tuple[Delivery, Result]], want: int) -> Sequence[Delivery]:
        """`work.step` for letters that may go now. Empties `done` once it is recorded, and puts letters into
        it that were given and must not go after all: their counts are used up. Raises NotReady."""
        if (want or self._gate.has_urgent_news()) and not await self._is_open():
            want = 0
        if not want and not done:
            return ()
        given = await self._asked(work, done, want)
        done.clear()
        if given and self._gate.is_free:
            return given
        if want and self._gate.is_in_need(self._now()) and await self._found_more() and not given:
            # There may only have been letters for a domain whose pause is over: one of them may ask now.
            given = await self._asked(work, (), want)
        now = self._now()
        may_go = []
        for delivery in given:
            if self._gate.pay(delivery.id, now):
                may_go.append(delivery)
            else:
                done.append((delivery, self._held_back(delivery)))
        return may_go

    async def _found_more(self) -> bool:
        try:
            return await self.refill()
        except NotReady as error:  # what cannot be paid for does not go
            log.warning("limits not known", extra={"relay": self.relay.account, "error": str(error)})
            return False

    def _held_back(self, delivery: Delivery) -> PublishError:
        domain = domain_of(delivery)
        wait = timedelta(seconds=max(SHORTEST_WAIT, self._gate.next_at(domain, self._now()) - self._now()))
        if self._shares is not None:
            self._shares.took(self.relay.account, -1)
        said = f"{self.relay.account} has had as many letters for {domain} as it may for now"
        return PublishError(said, counts=False, relay=self.relay.name, wait=wait)

    async def shut(self) -> str | None:
        """Why no letter may go now, whomever it is for."""
        if await self._is_open():
            return None
        at = datetime.fromtimestamp(self._gate.next_at("", self._now()), UTC)
        return f"{self.relay.account} may be given no letter now; it is tried again at {at:%H:%M:%S} UTC"

    async def _is_open(self) -> bool:
        now = self._now()
        try:
            if now - self._looked_at < LOOK_EVERY and not self._gate.is_in_need(now):
                return not self._gate.is_shut(now)
            await self.refill()
            if not self._gate.is_shut(self._now()):
                return True
            return await self.refill() and not self._gate.is_shut(self._now())
        except NotReady as error:
            log.warning("limits not known", extra={"relay": self.relay.account, "error": str(error)})
            return False  # `step` still has to say what is done

    async def _asked(
        self, work: Work, done: Sequence[tuple[Delivery, Result]], want: int
    ) -> Sequence[Delivery]:
        admitted: dict[int, Delivery] = {}

        def admit(delivery: Delivery) -> bool | None:
            yes = self.admit(delivery)
            if yes:
                admitted[delivery.id] = delivery
            return yes

        given: Sequence[Delivery] = ()
        try:
            given = await work.step(done, want, admit)
        finally:
            for id in admitted.keys() - {delivery.id for delivery in given}:  # noqa: A001
                self.release(admitted[id])
        return given

    # ------------------------------------------------------------ with all processes

    async def refill(self) -> bool:
        """Draw what letters were refused for, tell what was heard, look what others have heard. Whether there
        is something that was not there before. Raises NotReady."""
        async with self._lock:
            await self._exchange()
            drawn = await self._draw(self._gate.wishes(self._now()))
            asks = [await self._ask(name) for name in self._gate.would_ask()]
            return drawn or any(asks)

    async def close(self) -> None:
        """Give back what is not used, and say what was heard. Raises NotReady."""
        async with self._lock:
            await self._give_back(everything=True)
            await self._tell()

    async def _exchange(self) -> None:
        now = self._now()
        if self._gate.lacks_beginning:
            self._gate.began = (await self._budgets.first(self.relay.account, self._clock())).timestamp()
        await self._give_back()
        if self._gate.has_urgent_news() or now - self._told_at >= TELL_EVERY:
            self._told_at = now
            await self._tell()
        if now - self._looked_at >= LOOK_EVERY:
            self._looked_at = now
            states = await self._budgets.states(self.relay.account)
            self._gate.learn_all({name: Breaker.load(state) for name, state in states.items()})

    async def _draw(self, wishes: Sequence[tuple[Window, int]]) -> bool:
        granted = await self._budgets.take(
            [
                Draw(
                    name=window.name,
                    cell=window.cell,
                    since=window.since,
                    limit=window.limit,
                    want=want,
                    until=datetime.fromtimestamp(window.until, UTC),
                )
                for window, want in wishes
            ]
        )
        for (window, _), letters in zip(wishes, granted, strict=True):
            self._gate.granted(window, letters, self._now())
        return any(granted)

    async def _give_back(self, *, everything: bool = False) -> None:
        for window, letters in self._gate.unused(self._now(), everything=everything):
            await self._budgets.give_back(window.name, cell=window.cell, letters=letters)

    async def _tell(self) -> None:
        for name, heard in self._gate.news().items():
            await self._hear(name, heard)

    async def _hear(self, name: str, heard: Heard) -> None:
        now, spread = self._now(), self._gate.spread(name)
        seen: list[Breaker] = []

        def change(text: str) -> str:
            before = Breaker.load(text)
            seen[:] = [before, before.after(heard, now, spread=spread)]
            return seen[1].dump()

        await self._budgets.change(self.relay.account, name, change, self._clock())
        before, after = seen
        self._gate.learn(name, after)
        if after.until > before.until:
            until = datetime.fromtimestamp(after.until, UTC).isoformat()
            log.warning("relay paused", extra={"relay": name, "until": until})
        elif before.until and after.is_closed():
            log.info("relay takes letters again", extra={"relay": name})

    async def _ask(self, name: str) -> bool:
        """Whether we are the one whose letter may ask after a pause."""
        now = self._now()
        ours = False

        def change(text: str) -> str:
            nonlocal ours
            before = Breaker.load(text)
            ours = before.may_ask(now)
            return before.asking(now).dump() if ours else text

        state = Breaker.load(await self._budgets.change(self.relay.account, name, change, self._clock()))
        self._gate.learn(name, state)
        if ours:
            self._gate.may_ask(name)
        return ours

    # ------------------------------------------------------------ within

    def _now(self) -> float:
        return self._clock().timestamp()

    def _verdict(self, result: Result) -> Verdict:
        if isinstance(result, Receipt):
            return "good"
        if self._against_us(result):
            return "against us"
        # A refusal of this reader alone shows that we are listened to.
        return "good" if result.permanent else "says nothing"


def by_priority(relays: Sequence[Relay]) -> list[list[Relay]]:
    """Relays that are used together, those to be used first in front."""
    groups: dict[int, list[Relay]] = {}
    for place, relay in enumerate(relays, 1):
        groups.setdefault(place if relay.priority is None else relay.priority, []).append(relay)
    return [groups[priority] for priority in sorted(groups)]


def limiters(
    relays: Sequence[Relay],
    budgets: Budgets,
    *,
    clock: Callable[[], datetime],
    against_us: Callable[[PublishError], bool],
) -> list[Limiter]:
    """One for each relay, in the order of the list; those of one priority share letters by their weights."""
    shares: dict[str, Shares] = {}
    for group in by_priority(relays):
        if len(group) > 1:
            shared = Shares({relay.account: relay.weight for relay in group})
            shares |= dict.fromkeys((relay.account for relay in group), shared)
    return [
        Limiter(relay, budgets, clock=clock, against_us=against_us, shares=shares.get(relay.account))
        for relay in relays
    ]


async def paused(relays: Sequence[Relay], budgets: Budgets, now: datetime) -> list[Advice]:
    """What is left alone just now, and until when. Raises NotReady."""
    found: list[Advice] = []
    for relay in relays:
        for name, state in sorted((await budgets.states(relay.account)).items()):
            breaker = Breaker.load(state)
            if breaker.is_closed():
                continue
            at = datetime.fromtimestamp(breaker.opens_at(now.timestamp()), UTC)
            said = f"{name} refuses our letters; it is asked again at {at:%Y-%m-%d %H:%M} UTC"
            found.append(("smtp", "warn", said))
    return found


def domain_of(delivery: Delivery) -> str:
    """The domain a letter goes to, in small letters and A-labels; "" where there is no address any more."""
    return wire_address(delivery.recipient).rpartition("@")[2].lower()

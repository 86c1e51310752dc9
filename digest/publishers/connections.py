"""Connections that stay open: a few to each relay, lent for one letter or for as many as there are.

What a letter is told on the wire is the conversation's matter; which connection it has, and which relay, is
ours. A relay is used while those before it, in the admin's order, are down.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from digest.model import PublishError, Receipt
from digest.publishers.base import Work
from digest.publishers.envelope import Letter, whole
from digest.publishers.relay import Pace, Relay
from digest.publishers.replies import RelayDown
from digest.publishers.smtp import dial
from digest.publishers.streaming import Compose, Limits, Stream, Unlimited
from digest.publishers.wire import Wire

log = logging.getLogger(__name__)

FINAL_DOT = timedelta(seconds=600)  # RFC 5321 4.5.3.2.6: giving up earlier makes doubles
QUIT_SECONDS = 5.0
NOOP_SECONDS = 10.0
TRUST_IDLE = 2.0  # seconds; a connection that rested longer is asked NOOP before it gets a letter
AVOID_SECONDS = 60.0  # how long another relay is preferred to one that was down

T = TypeVar("T")


class Relays:
    """The ways out, in the admin's order: a later one is used while those before it are down."""

    def __init__(self, connections: Sequence[Connections], *, clock: Callable[[], float] = time.monotonic):
        self._all = tuple(connections)
        self._clock = clock
        self._down_until = [0.0] * len(self._all)

    async def connect(self) -> None:
        """See that at least one relay takes letters. Raises RelayDown with the reasons of all."""
        await self._first(lambda connections, _place: connections.connect())

    async def send(self, sender: str, recipient: str, body: bytes) -> Receipt:
        """Hand one letter to the first relay that takes letters. Raises PublishError."""
        return await self._first(lambda connections, _place: connections.send(sender, recipient, body))

    async def stream(self, work: Work, compose: Compose) -> None:
        """Send what `work` gives until it gives nothing more. Raises RelayDown with the reasons of all relays
        when none takes letters; NotReady when the ledger is out of reach."""

        async def use(connections: Connections, place: int) -> bool:
            return await connections.stream(work, compose, leave=lambda: self._better(place))

        while not await self._first(use):
            pass  # a relay that comes before the one in use may be up again

    def _better(self, place: int) -> bool:
        """Whether a relay that comes before this one is worth a try again."""
        return any(self._down_until[earlier] <= self._clock() for earlier in range(place))

    async def _first(self, use: Callable[[Connections, int], Awaitable[T]]) -> T:
        reasons: list[RelayDown] = []
        # One that was down just now comes last: waiting for it again would delay every letter.
        for place in sorted(range(len(self._all)), key=lambda n: (self._down_until[n] > self._clock(), n)):
            try:
                found = await use(self._all[place], place)
            except RelayDown as error:
                log.warning("relay is down", extra={"relay": error.relay, "error": str(error)})
                self._down_until[place] = self._clock() + AVOID_SECONDS
                reasons.append(error)
            else:
                self._down_until[place] = 0.0
                return found
        raise RelayDown("; ".join(map(str, reasons)), relay=reasons[0].relay) from reasons[0]

    async def close(self) -> None:
        await asyncio.gather(*(connections.close() for connections in self._all))


class Connections:
    """At most `relay.connections` conversations with one relay.

    limits: is asked before a letter is begun, and told what came of it. clock, sleep: for the pace and for
    how long a connection has rested. final_dot: how long the answer to a body is waited for.
    """

    def __init__(
        self,
        relay: Relay,
        *,
        ehlo: str,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        final_dot: timedelta = FINAL_DOT,
    ) -> None:
        self.relay = relay
        self.limits = limits or Unlimited()
        self.pace = Pace(relay.rate, clock=clock, sleep=sleep)
        self.sleep = sleep
        self.wanted = 0  # who waits for a connection
        self.in_use = 0
        self.may_chunk = True  # until it has shown that it cannot
        self._ehlo = relay.ehlo or ehlo
        self._clock = clock
        self._final_dot = final_dot.total_seconds()
        self._places = asyncio.Semaphore(relay.connections)
        self._idle: list[tuple[Wire, float]] = []
        self._closed = False

    async def connect(self) -> None:
        """See that there is a connection to send on. Raises RelayDown."""
        if self.in_use and not self._closed:
            return
        self.give_back(await self.take())

    async def send(self, sender: str, recipient: str, body: bytes) -> Receipt:
        """Hand one letter over. Raises PublishError; RelayDown when another relay may be tried instead."""
        letter = whole(sender, recipient, body)
        self.wanted += 1
        try:
            await self._places.acquire()
        finally:
            self.wanted -= 1
        try:
            await self.pace.wait()
            return await self._send(letter)
        finally:
            self._places.release()

    async def stream(self, work: Work, compose: Compose, *, leave: Callable[[], bool]) -> bool:
        """Send what `work` gives, on all connections. leave: whether to end soon although there is more.

        True: it gives nothing more. Raises RelayDown, NotReady; every delivery that it gave was answered for,
        as far as the ledger would listen.
        """
        return await Stream(self, work, compose, leave).run()

    async def _send(self, letter: Letter) -> Receipt:
        wire = await self._take()
        kept = wire.talk.carried > 0
        try:
            return await deliver(wire, letter)
        except RelayDown:
            # A kept connection that has died meanwhile says nothing about the relay: ask once on a new one.
            if not kept or wire.alive:
                raise
        finally:
            self._give_back(wire)
        wire = await self._open()
        try:
            return await deliver(wire, whole(letter.sender, letter.recipient, letter.body))
        finally:
            self._give_back(wire)

    async def close(self) -> None:
        """Let the letters under way finish, then say goodbye; no goodbye of theirs can fail us."""
        self._closed = True
        for _ in range(self.relay.connections):
            await self._places.acquire()
        idle, self._idle = self._idle, []
        await asyncio.gather(*(wire.goodbye(QUIT_SECONDS) for wire, _ in idle))
        for _ in range(self.relay.connections):
            self._places.release()  # whoever comes now is told that we have closed

    def may_stay(self, wire: Wire) -> bool:
        """Whether it may carry further letters."""
        return not self._closed and self._unspent(wire)

    def _unspent(self, wire: Wire) -> bool:
        messages = self.relay.messages
        return wire.alive and not (messages and wire.talk.carried >= messages)

    # ------------------------------------------------------------ lending

    async def take(self) -> Wire:
        """A connection, kept or new, for as long as you need it. Raises RelayDown."""
        await self._places.acquire()
        try:
            return await self._take()
        except BaseException:
            self._places.release()
            raise

    def give_back(self, wire: Wire) -> None:
        """What `take` gave."""
        self._give_back(wire)
        self._places.release()

    async def _take(self) -> Wire:
        while self._idle:
            wire, used_at = self._idle.pop()
            rested = self._clock() - used_at
            if wire.alive and (rested < TRUST_IDLE or await wire.answers(NOOP_SECONDS)):
                self.in_use += 1
                return wire
            wire.drop()
        return await self._open()

    def _give_back(self, wire: Wire) -> None:
        self.in_use -= 1
        if self._unspent(wire) and wire.talk.quiet and wire.talk.ready is None:
            self._idle.append((wire, self._clock()))
        else:
            wire.drop()

    async def _open(self) -> Wire:
        if self._closed:
            raise RelayDown(f"{self.relay.name}: sending has been stopped", relay=self.relay.name)
        wire = await dial(self.relay, self._ehlo, verdict=self._final_dot)
        self.in_use += 1
        return wire


# ---------------------------------------------------------------- one connection


async def deliver(wire: Wire, letter: Letter) -> Receipt:
    """One letter, alone on the wire. Raises PublishError."""
    talk = wire.talk
    try:
        talk.begin(letter)
        wire.flush()
        await wire.settled()
        if talk.ready is letter:
            talk.body()
            wire.flush()
            await wire.settled()
        [(_, result)] = talk.take_done()
        talk.reset()
        wire.flush()
        await wire.settled()
    except asyncio.CancelledError:
        wire.drop()
        raise
    if isinstance(result, PublishError):
        raise result
    return result

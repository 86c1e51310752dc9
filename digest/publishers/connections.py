"""Connections that stay open: a few to each relay, lent for one letter or for as many as there are.

What is said on the wire is the conversation's matter; which connection a letter has is ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from digest.model import NotReady, PublishError, Receipt
from digest.publishers.admission import Limits, Unlimited
from digest.publishers.envelope import Letter, whole
from digest.publishers.relay import Pace, Relay
from digest.publishers.replies import RelayDown
from digest.publishers.smtp import dial
from digest.publishers.wire import Wire

FINAL_DOT = timedelta(seconds=600)  # RFC 5321 4.5.3.2.6: giving up earlier makes doubles
QUIT_SECONDS = 5.0
NOOP_SECONDS = 10.0
TRUST_IDLE = 2.0  # seconds; a connection that rested longer is asked NOOP before it gets a letter


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
        self.name = relay.name
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
            return await deliver(wire, whole(letter.sender, letter.recipient, b"".join(letter.body)))
        finally:
            self._give_back(wire)

    async def shut(self) -> str | None:
        """Why no letter may go now, whomever it is for."""
        return await self.limits.shut()

    async def close(self) -> None:
        """Let the letters under way finish, then say goodbye; no goodbye of theirs can fail us."""
        self._closed = True
        with contextlib.suppress(NotReady):  # what is not given back is free when its time is over
            await self.limits.close()
        for _ in range(self.relay.connections):
            await self._places.acquire()
        idle, self._idle = self._idle, []
        await asyncio.gather(*(wire.goodbye(QUIT_SECONDS) for wire, _ in idle))
        for _ in range(self.relay.connections):
            self._places.release()  # whoever comes now is told that we have closed

    def room(self, wire: Wire) -> int:
        """How many further letters it may carry."""
        return 0 if self._closed else self._room(wire)

    def _room(self, wire: Wire) -> int:
        messages = self.relay.messages or sys.maxsize
        return max(0, messages - wire.talk.carried) if wire.alive else 0

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
        if self._room(wire) and wire.talk.quiet and wire.talk.ready is None:
            self._idle.append((wire, self._clock()))
        else:
            wire.drop()

    async def _open(self) -> Wire:
        if self._closed:
            raise RelayDown(f"{self.relay.name}: sending has been stopped", relay=self.relay.name)
        wire = await dial(self.relay, self._ehlo, verdict=self._final_dot)
        if not wire.alive:
            raise RelayDown(f"{self.relay.name}: {wire.talk.over}", relay=self.relay.name)
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

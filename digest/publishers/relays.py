"""The ways out: which relay is used, and which when that one is down.

A relay is used while those before it, in the admin's order, are down.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from digest.model import Receipt
from digest.publishers.base import Work
from digest.publishers.carrier import Compose
from digest.publishers.connections import Connections
from digest.publishers.replies import RelayDown
from digest.publishers.streaming import Stream
from digest.publishers.together import Together

log = logging.getLogger(__name__)

AVOID_SECONDS = 60.0  # how long another relay is preferred to one that was down

T = TypeVar("T")


Way = Connections | Together
"""One relay's connections, or those of several that are used side by side."""


async def stream_by(way: Way, work: Work, compose: Compose, *, leave: Callable[[], bool]) -> bool:
    """True: the work is done. False: we were asked to leave. Raises RelayDown, NotReady."""
    if isinstance(way, Together):
        return await way.stream(work, compose, leave=leave)
    return await Stream(way, work, compose, leave=leave).run()


class Relays:
    """The ways out, in the admin's order: a later one is used while those before it are down."""

    def __init__(self, connections: Sequence[Way], *, clock: Callable[[], float] = time.monotonic):
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

        async def use(way: Way, place: int) -> bool:
            if why := await way.shut():
                raise RelayDown(why, relay=way.name)
            ended = await stream_by(way, work, compose, leave=lambda: self._better(place))
            if why := await way.shut():
                raise RelayDown(why, relay=way.name)
            return ended

        while not await self._first(use):
            pass  # a relay that comes before the one in use may be up again

    def _better(self, place: int) -> bool:
        """Whether a relay that comes before this one is worth a try again."""
        return any(self._down_until[earlier] <= self._clock() for earlier in range(place))

    async def _first(self, use: Callable[[Way, int], Awaitable[T]]) -> T:
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

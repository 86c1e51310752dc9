"""All connections to one relay, while there are letters for them: opened, replaced, given up together.

A connection that is lost takes its own letters with it and no others; a new one is tried after a pause. The
relay is down when none is open and none can be opened. What is said on each is the `carrier`'s matter.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from digest.model import NotReady
from digest.publishers.base import Work
from digest.publishers.carrier import Carrier, Compose
from digest.publishers.connections import Connections
from digest.publishers.replies import RelayDown
from digest.publishers.wire import Wire

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5  # seconds; how often a connection without work asks again while others have some
FIRST_BACKOFF = 0.1  # seconds before a lost connection is replaced, doubled each time that this does not help
LONGEST_BACKOFF = 30.0
FRUITLESS = 3  # connections in a row that took no letter, and the relay takes none
GOODBYE_SECONDS = 5.0


class Stream:
    """One call of `stream` on one relay: its connections, and what they must know of one another.

    A connection is sending, idle (there was nothing for it), or away (dialled, or waited for). The work is
    over when some are idle and the others away; the relay is down when all are away and one gives up.
    """

    def __init__(
        self, connections: Connections, work: Work, compose: Compose, leave: Callable[[], bool]
    ) -> None:
        self._connections = connections
        self._relay = connections.relay
        self._work = work
        self._carrier = Carrier(connections, work, compose, self)
        self._leave = leave
        self._idle = 0
        self._away = 0
        self._dialling: set[asyncio.Task[None] | None] = set()
        self._over = asyncio.Event()
        self._failed: RelayDown | None = None
        self._errors: list[Exception] = []
        self._left = False

    async def run(self) -> bool:
        """True: the work is done. False: we were asked to leave. Raises RelayDown, NotReady."""
        await asyncio.gather(*(self._guarded() for _ in range(self._relay.connections)))
        if self._errors:
            raise self._errors[0]
        if self._failed is not None:
            raise self._failed
        return not self._left

    async def _guarded(self) -> None:
        """One connection and those that replace it; its error stops no letter on the others."""
        try:
            await self._connection()
        except Exception as error:  # raised again by `run` when all connections have ended
            if not isinstance(error, NotReady):
                log.exception("connection broke", extra={"relay": self._relay.name})
            self._errors.append(error)
            self._end()

    async def _connection(self) -> None:
        backoff, fruitless = FIRST_BACKOFF, 0
        while not self._over.is_set():
            wire = await self._dialled()
            if wire is not None:
                carried, accepted = wire.talk.carried, wire.talk.accepted
                try:
                    await self._carrier.converse(wire)
                    if not self._connections.room(wire):
                        await wire.goodbye(GOODBYE_SECONDS)
                finally:
                    self._connections.give_back(wire)
                if wire.talk.accepted > accepted or (wire.alive and wire.talk.carried == carried):
                    backoff, fruitless = FIRST_BACKOFF, 0
                    continue
                fruitless += 1
                if fruitless >= FRUITLESS and self._alone():
                    why = wire.talk.over or "it takes no letter"
                    self.down(RelayDown(f"{self._relay.name}: {why}", relay=self._relay.name))
            await self._rest(backoff)
            backoff = min(2 * backoff, LONGEST_BACKOFF)

    async def _dialled(self) -> Wire | None:
        """A connection; None: not now. It is given up as soon as nobody needs it any more."""
        task = asyncio.current_task()
        self._dialling.add(task)
        self._away += 1
        self._look_around()
        try:
            return await self._connections.take()
        except RelayDown as error:
            if self._alone(also=1):
                self.down(error)
            log.info("connection not replaced", extra={"relay": self._relay.name, "error": str(error)})
            return None
        except asyncio.CancelledError:
            if not self._over.is_set():
                raise
            return None
        finally:
            self._away -= 1
            self._dialling.discard(task)

    def _alone(self, *, also: int = 0) -> bool:
        """No other connection is open, or may soon be."""
        others = self._relay.connections - 1
        return self._away - also >= others and len(self._dialling) <= also

    async def _rest(self, seconds: float) -> None:
        """Before the next try, unless there is nothing more to wait for."""
        self._away += 1
        self._look_around()
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), seconds)
        finally:
            self._away -= 1

    async def more(self) -> bool:
        """There was nothing for us. Whether to ask again: there may be, while others are still sending."""
        self._idle += 1
        self._look_around()
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), LOOK_EVERY)
        finally:
            self._idle -= 1
        return not self._over.is_set()

    def _look_around(self) -> None:
        if self._idle and self._idle + self._away == self._relay.connections:
            self._end()

    def may_begin(self) -> bool:
        """Whether we are to begin a further letter, or somebody else needs the connection, or the relay."""
        if self._work.over():
            self._end()
        if self._over.is_set() or self._connections.wanted:
            return False
        if self._leave():
            self._left = True
            self._end()
        return not self._left

    def down(self, error: RelayDown) -> None:
        """The relay takes no letters from us."""
        self._failed = self._failed or error
        self._end()

    def _end(self) -> None:
        """Nothing is begun any more; what is under way ends well."""
        if not self._over.is_set():
            self._over.set()
            for task in self._dialling - {asyncio.current_task()}:
                if task is not None:
                    task.cancel()

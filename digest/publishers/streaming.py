"""Many letters over the connections of one relay, one round trip a letter or less, the ledger asked between.

    step(done=[n], want=1) → n+2     the outcome of n is durable, and the intent of n+2
    write  body n+1, MAIL RCPT DATA n+2        one write (RFC 2920)
    read   the verdict on n+1, the three answers about n+2

With CHUNKING up to eight letters are on the way at once, envelope and body in one piece (RFC 3030). A server
without PIPELINING gets one command at a time. A connection that is lost takes its own letters with it: the
one whose body was out is unknown, the others never were there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from digest.model import Delivery, NotReady, PublishError
from digest.publishers.base import Result, Work
from digest.publishers.envelope import Letter
from digest.publishers.replies import RelayDown, Stage, lost
from digest.publishers.wire import Wire

if TYPE_CHECKING:
    from digest.publishers.connections import Connections

log = logging.getLogger(__name__)

WINDOW = 8  # letters on the way at once with BDAT: so many may be doubled by a crash, a connection
LOOK_EVERY = 0.5  # seconds; how often a connection without work asks again while others have some
FIRST_BACKOFF = 0.1  # seconds before a lost connection is replaced, doubled each time that this does not help
LONGEST_BACKOFF = 30.0
FRUITLESS = 3  # connections in a row that took no letter, and the relay takes none
GOODBYE_SECONDS = 5.0
LONGEST_NAP = 1.0  # a pace of one letter an hour must not keep us from seeing that we are closed

Compose = Callable[[Delivery], Awaitable[Letter]]
"""The letter of a delivery. Raises PublishError."""

TOO_LATE = "our time with this letter ran out"

Done = list[tuple[Delivery, Result]]


class Limits(Protocol):
    """How much a relay, or a domain behind it, is to be given."""

    def admit(self, delivery: Delivery) -> bool:
        """Whether it may be begun now. After a yes the ledger may still say no: then it is not told of."""
        ...

    def told(self, delivery: Delivery, result: Result) -> None:
        """What came of a delivery that was begun, before it is recorded."""
        ...


class Unlimited:
    """Everything may go."""

    def admit(self, _delivery: Delivery) -> bool:
        return True

    def told(self, delivery: Delivery, result: Result) -> None:
        pass


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
        self._limits = connections.limits
        self._work = work
        self._compose = compose
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
                    await self._converse(wire)
                    if not self._connections.may_stay(wire):
                        await wire.goodbye(GOODBYE_SECONDS)
                finally:
                    self._connections.give_back(wire)
                if wire.talk.accepted > accepted or wire.talk.carried == carried:
                    backoff, fruitless = FIRST_BACKOFF, 0
                    continue
                fruitless += 1
                if fruitless >= FRUITLESS and self._alone():
                    why = wire.talk.over or "it takes no letter"
                    self._down(RelayDown(f"{self._relay.name}: {why}", relay=self._relay.name))
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
                self._down(error)
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

    async def _more(self) -> bool:
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

    def _down(self, error: RelayDown) -> None:
        self._failed = self._failed or error
        self._end()

    def _end(self) -> None:
        """Nothing is begun any more; what is under way ends well."""
        if not self._over.is_set():
            self._over.set()
            for task in self._dialling - {asyncio.current_task()}:
                if task is not None:
                    task.cancel()

    # ------------------------------------------------------------ on one connection

    async def _converse(self, wire: Wire) -> None:
        """Letters on this connection, as long as there are some and it carries them."""
        done: Done = []
        chunking = wire.talk.chunking and self._connections.may_chunk
        try:
            await (self._chunks(wire, done) if chunking else self._one_ahead(wire, done))
        except BaseException as error:
            wire.drop()
            if isinstance(error, Exception):
                await self._answer_anyway(wire, done)
            raise
        finally:
            if chunking and wire.talk.nonsense:
                self._connections.may_chunk = False

    async def _answer_anyway(self, wire: Wire, done: Done) -> None:
        """The ledger failed us, or we have a fault: say what is known, if it listens."""
        self._collect(wire, done)
        try:
            await self._step(done, 0)
        except NotReady as error:
            log.warning("outcomes not recorded", extra={"letters": len(done), "error": str(error)})

    async def _one_ahead(self, wire: Wire, done: Done) -> None:
        """At most one letter's body is out, and the next one's envelope behind it."""
        talk = wire.talk
        while True:
            want, nap = self._want(wire, done, 1 if talk.pipelining or talk.ready is None else 0)
            if nap:
                await self._connections.sleep(nap)
                continue
            given = await self._step(done, want)
            letters = await self._written(given, done)
            ready = talk.ready
            if ready is not None and (talk.over or not self._holds(ready)):
                # The server waits for a body; only the end of the connection is an answer that sends none.
                wire.drop(talk.over or TOO_LATE)
            elif ready is not None:
                talk.body()
            self._start(wire, talk.begin, letters, done)
            wire.flush()
            if talk.quiet and not done and not talk.decided:
                if not want or not (given or await self._more()):
                    return
                continue
            await wire.settled()
            self._collect(wire, done)

    async def _chunks(self, wire: Wire, done: Done) -> None:
        """Up to eight letters are out at once; one alone at first, to see that the server keeps the order."""
        talk = wire.talk
        while True:
            room = (WINDOW if talk.accepted else 1) - talk.under_way
            want, nap = self._want(wire, done, room)
            if nap:
                await self._connections.sleep(nap)
                continue
            given = await self._step(done, want)
            letters = await self._written(given, done)
            self._start(wire, talk.chunk, letters, done)
            wire.flush()
            if talk.quiet and not done and not talk.decided:
                if not want or not (given or await self._more()):
                    return
                continue
            await wire.writable()
            await wire.news()
            self._collect(wire, done)

    def _want(self, wire: Wire, done: Done, room: int) -> tuple[int, float]:
        """How many letters to ask for; or how long to rest before, when the pace says so and there is
        nothing else to do."""
        if room <= 0 or not self._may_begin(wire):
            return 0, 0.0
        pace = self._connections.pace
        wait = pace.take()
        if wait:
            busy = done or wire.talk.under_way
            return 0, 0.0 if busy else min(wait, LONGEST_NAP)
        want = 1
        while want < room and not pace.take():
            want += 1
        return want, 0.0

    def _may_begin(self, wire: Wire) -> bool:
        """Whether a further letter may be begun on this connection."""
        if self._over.is_set() or self._connections.wanted or not self._connections.may_stay(wire):
            return False
        if self._leave():
            self._left = True
            self._end()
            return False
        return True

    async def _step(self, done: Done, want: int) -> Sequence[Delivery]:
        """Forgets what is `done` once it is recorded. Raises NotReady."""
        if not done and not want:
            return ()
        given = await self._work.step(done, want, self._limits.admit)
        done.clear()
        return given

    async def _written(self, given: Sequence[Delivery], done: Done) -> list[Letter]:
        letters = []
        for delivery in given:
            try:
                letter = await self._compose(delivery)
            except PublishError as error:
                self._note(done, delivery, error)
            else:
                letter.about = delivery
                letters.append(letter)
        return letters

    def _start(self, wire: Wire, say: Callable[[Letter], None], letters: list[Letter], done: Done) -> None:
        """Say letters' first words, if they are still ours and the connection still stands."""
        for letter in letters:
            try:
                if not wire.alive:
                    raise lost(
                        Stage.RCPT, wire.talk.over or "the connection was lost", relay=self._relay.name
                    )
                if not self._holds(letter):
                    raise lost(Stage.RCPT, TOO_LATE, relay=self._relay.name)
                say(letter)
            except PublishError as error:
                self._note(done, letter.delivery, error)

    def _holds(self, letter: Letter) -> bool:
        return self._work.holds(letter.delivery)

    def _collect(self, wire: Wire, done: Done) -> None:
        talk = wire.talk
        for letter, result in talk.take_done():
            self._note(done, letter.delivery, result)
            if talk.closed_to_us and isinstance(result, RelayDown):
                self._down(result)

    def _note(self, done: Done, delivery: Delivery, result: Result) -> None:
        self._limits.told(delivery, result)
        done.append((delivery, result))

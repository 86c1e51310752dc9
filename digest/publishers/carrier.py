"""Many letters over the connections of one relay, one round trip a letter or less, the ledger asked between.

    step(done=[n], want=1) → n+2     the outcome of n is durable, and the intent of n+2
    write  body n+1, MAIL RCPT DATA n+2        one write (RFC 2920)
    read   the verdict on n+1, the three answers about n+2

With CHUNKING up to eight letters are on the way at once, envelope and body in one piece (RFC 3030). A server
without PIPELINING gets one command at a time. A connection that is lost takes its own letters with it: the
one whose body was out is unknown, the others never were there.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from digest.model import Delivery, NotReady, PublishError
from digest.publishers.admission import Done
from digest.publishers.base import Result, Work
from digest.publishers.connections import Connections
from digest.publishers.envelope import Letter
from digest.publishers.replies import RelayDown
from digest.publishers.wire import Wire

log = logging.getLogger(__name__)

WINDOW = 8  # letters on the way at once with BDAT: so many may be doubled by a crash, a connection
LONGEST_NAP = 1.0  # seconds; a pace of one letter an hour must not keep us from seeing that we are closed
TOO_LATE = "our time with this letter ran out"

Compose = Callable[[Delivery], Awaitable[Letter]]
"""The letter of a delivery. Raises PublishError."""


class Stream(Protocol):
    """What those on the other connections must know, and we of them."""

    def may_begin(self) -> bool: ...

    async def more(self) -> bool: ...

    def down(self, error: RelayDown) -> None: ...


class Carrier:
    """Carries letters over one connection after the other of one relay."""

    def __init__(self, connections: Connections, work: Work, compose: Compose, stream: Stream) -> None:
        self._connections = connections
        self._relay = connections.relay
        self._limits = connections.limits
        self._work = work
        self._compose = compose
        self._stream = stream

    async def converse(self, wire: Wire) -> None:
        """Letters on this connection, as long as there are some and it carries them."""
        done: Done = []
        chunking = wire.talk.chunking and self._connections.may_chunk
        try:
            await (self._chunks(wire, done) if chunking else self._one_ahead(wire, done))
        except NotReady:
            await self._answer_anyway(wire, done)
            raise
        except BaseException:
            wire.drop()
            raise
        finally:
            if chunking and wire.talk.nonsense:
                self._connections.may_chunk = False

    async def _answer_anyway(self, wire: Wire, done: Done) -> None:
        """The ledger is out of reach. What is out is waited for, nothing is begun, and what is known is said
        once more: perhaps it listens again."""
        if wire.talk.ready is not None:
            wire.drop("the ledger is out of reach")
        await wire.settled()
        self._collect(wire, done)
        wire.drop()
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
                if not want or not (given or await self._stream.more()):
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
                if not want or not (given or await self._stream.more()):
                    return
                continue
            await wire.writable()
            await wire.news()
            self._collect(wire, done)

    def _want(self, wire: Wire, done: Done, room: int) -> tuple[int, float]:
        """How many letters to ask for; or how long to rest before, when the pace says so and there is
        nothing else to do."""
        room = min(room, self._connections.room(wire))
        if room <= 0 or not self._stream.may_begin():
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

    async def _step(self, done: Done, want: int) -> Sequence[Delivery]:
        """Forgets what is `done` once it is recorded. Raises NotReady."""
        if not done and not want:
            return ()
        return await self._limits.step(self._work, done, want)

    async def _written(self, given: Sequence[Delivery], done: Done) -> list[Letter]:
        letters = []
        for delivery in given:
            try:
                letter = await self._compose(delivery)
            except PublishError as error:
                self._note(done, delivery, error)
            except Exception as error:
                log.exception("letter not written", extra={"delivery": delivery.id})
                self._note(done, delivery, PublishError(f"{type(error).__name__}: {error}"))
            else:
                letter.about = delivery
                letters.append(letter)
        return letters

    def _start(self, wire: Wire, say: Callable[[Letter], None], letters: list[Letter], done: Done) -> None:
        """Say letters' first words, if they are still ours and the connection still stands."""
        for letter in letters:
            try:
                if not wire.alive:
                    raise self._not_begun(wire.talk.over or "the connection was lost")
                if not self._holds(letter):
                    raise self._not_begun(TOO_LATE)
                say(letter)
            except PublishError as error:
                self._note(done, letter.delivery, error)

    def _not_begun(self, why: str) -> PublishError:
        relay = self._relay.name
        return PublishError(f"{relay}: {why}; nothing of it was sent", counts=False, relay=relay)

    def _holds(self, letter: Letter) -> bool:
        return self._work.holds(letter.delivery)

    def _collect(self, wire: Wire, done: Done) -> None:
        talk = wire.talk
        for letter, result in talk.take_done():
            self._note(done, letter.delivery, result)
            if talk.closed_to_us and isinstance(result, RelayDown):
                self._stream.down(result)

    def _note(self, done: Done, delivery: Delivery, result: Result) -> None:
        self._limits.told(delivery, result)
        done.append((delivery, result))

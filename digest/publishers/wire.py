"""The socket under a conversation: writes what it wants said, feeds it what comes, and keeps its deadline.

One timer a connection: the next answer must come in time, ten minutes for that to a body, and the clock
starts anew with each answer.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from digest.publishers.conversation import Conversation


class Wire(asyncio.Protocol):
    """Takes over a transport that somebody else opened. timeout, verdict: seconds for an answer, and for
    that to a body. heard: bytes that had come before we took over."""

    def __init__(
        self,
        transport: asyncio.Transport,
        talk: Conversation,
        *,
        timeout: float,
        verdict: float,
        heard: bytes = b"",
    ) -> None:
        self.talk = talk
        self._transport = transport
        self._timeout = timeout
        self._verdict = verdict
        self._loop = asyncio.get_running_loop()
        self._deadline = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._until: Callable[[], bool] = self._is_quiet
        transport.set_protocol(self)
        if heard:
            self.data_received(heard)

    @property
    def alive(self) -> bool:
        """It may carry a further letter."""
        return not self.talk.over and not self._transport.is_closing()

    # ------------------------------------------------------------ for those who converse

    def flush(self, within: float | None = None) -> None:
        """Write what is to be said. within: seconds for the answer, if not as usual."""
        if data := self.talk.take_output():
            if self._transport.is_closing():
                self._lost("the connection was lost")
                return
            self._transport.write(data)
            self._arm(within)

    async def settled(self) -> None:
        """Until every answer is there, or the connection is lost."""
        await self._wait(self._is_quiet)

    async def news(self) -> None:
        """Until some letter's outcome is known."""
        await self._wait(self._has_news)

    async def writable(self) -> None:
        """Until the peer has read most of what we wrote: memory is bounded by that."""
        if self._paused:
            await self._wait(self._is_writable)

    async def answers(self, within: float) -> bool:
        """Whether a connection that rested is still one."""
        self.talk.noop()
        await self._heard(within)
        return self.alive

    async def goodbye(self, within: float) -> None:
        """Say QUIT and end it, whatever is answered."""
        if self.talk.ready is None:
            self.talk.quit()
            await self._heard(within)
        self.drop()

    async def _heard(self, within: float) -> None:
        try:
            self.flush(within)
            await self.settled()
        except asyncio.CancelledError:
            self.drop()
            raise

    def drop(self, why: str = "the connection was given up") -> None:
        """End it at once, without a word."""
        self.talk.lost(why)
        self._stop()
        self._transport.abort()

    # ------------------------------------------------------------ for the transport

    def data_received(self, data: bytes) -> None:
        talk = self.talk
        talk.received(data)
        if talk.broken:
            self._stop()
            self._transport.abort()
        else:
            self.flush()
            self._arm()
        self._wake()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost(f"the connection was lost: {exc}" if exc else "the connection was lost")

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._wake()

    # ------------------------------------------------------------ waiting

    def _is_quiet(self) -> bool:
        return self.talk.quiet

    def _has_news(self) -> bool:
        return self.talk.decided or self.talk.quiet

    def _is_writable(self) -> bool:
        return not self._paused or self.talk.broken

    async def _wait(self, until: Callable[[], bool]) -> None:
        if until():
            return
        self._until = until
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and self._until() and not waiter.done():
            waiter.set_result(None)

    def _lost(self, why: str) -> None:
        self._stop()
        self.talk.lost(why)
        self._wake()

    def _arm(self, within: float | None = None) -> None:
        if self.talk.quiet:
            self._deadline = math.inf
            return
        seconds = within or (self._verdict if self.talk.awaits_verdict else self._timeout)
        self._deadline = deadline = self._loop.time() + seconds
        # A timer that rings too early is set anew when it rings: that is cheaper than moving it each time.
        if self._timer is None or self._timer.when() > deadline:
            self._stop()
            self._timer = self._loop.call_at(deadline, self._ring)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer = None
        if self._deadline == math.inf:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._ring)
            return
        self.talk.silent()
        self._transport.abort()
        self._wake()

"""Whose turn it is: one request at a time for each place, first come first served, with a pause in between.

A place is forgotten as soon as its pause is over and nobody waits for it, so that a hundred thousand of them
cost no more than those asked just now. Knows nothing of what is asked.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from digest.model import FeedError

Place = tuple[str, int]
"""Host and port, as connected to."""

MOST_RESTING = 10_000


class Turns:
    """gap: seconds between the end of one request and the start of the next to the same place."""

    def __init__(self, gap: float = 0.0) -> None:
        self._gap = gap
        self._queues: dict[Place, _Queue] = {}
        self._resting: dict[Place, float] = {}

    def __len__(self) -> int:
        """The places that are remembered."""
        return len(self._queues)

    async def take(self, place: Place) -> None:
        """Wait until nobody else asks there. What was taken is given back, whatever happens."""
        queue = self._queues.get(place)
        if queue is None:
            self._queues[place] = _Queue()
            return
        turn = asyncio.get_running_loop().create_future()
        queue.waiting[turn] = None
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._next(place)  # it became our turn in the moment we were called off
            else:
                queue.waiting.pop(turn, None)
            raise

    def give_back(self, place: Place, *, asked: bool = True) -> None:
        """Let the next one in: after the pause if anything was asked there, else at once."""
        queue = self._queues.get(place)
        if queue is None:
            return  # closed meanwhile
        if asked and self._gap > 0:
            loop = asyncio.get_running_loop()
            queue.pause = loop.call_later(self._gap, self._next, place)
        else:
            self._next(place)

    def _next(self, place: Place) -> None:
        queue = self._queues.get(place)
        if queue is None:
            return
        queue.pause = None
        while queue.waiting:
            turn, _ = queue.waiting.popitem(last=False)
            if not turn.done():
                turn.set_result(None)
                return
        del self._queues[place]

    def close(self) -> None:
        """Nobody's turn comes any more; those who wait are told."""
        queues, self._queues = self._queues, {}
        for queue in queues.values():
            if queue.pause is not None:
                queue.pause.cancel()
            for turn in queue.waiting:
                if not turn.done():
                    turn.set_exception(FeedError("it was not asked, because we are stopping"))

    # -------------------------------------------------------- places that asked to be left alone

    def rest(self, place: Place, seconds: float) -> None:
        """Remember that this place wants no request for so long."""
        now = asyncio.get_running_loop().time()
        self._resting.pop(place, None)
        if len(self._resting) >= MOST_RESTING:
            self._resting = {other: end for other, end in self._resting.items() if end > now}
        if len(self._resting) >= MOST_RESTING:
            del self._resting[next(iter(self._resting))]
        self._resting[place] = now + seconds

    def resting(self, place: Place) -> float:
        """For how many seconds more this place wants no request."""
        end = self._resting.get(place)
        if end is None:
            return 0.0
        left = end - asyncio.get_running_loop().time()
        if left <= 0:
            del self._resting[place]
        return max(left, 0.0)


class _Queue:
    """Those who wait, and the pause that runs when nobody is being served."""

    __slots__ = ("pause", "waiting")

    def __init__(self) -> None:
        self.waiting: OrderedDict[asyncio.Future[None], None] = OrderedDict()
        self.pause: asyncio.TimerHandle | None = None

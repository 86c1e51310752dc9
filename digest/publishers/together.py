"""Relays of the same priority, used side by side: who takes how much, their limits decide."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from digest.model import Receipt
from digest.publishers.base import Work
from digest.publishers.carrier import Compose
from digest.publishers.connections import Connections
from digest.publishers.replies import RelayDown
from digest.publishers.streaming import LOOK_EVERY, Stream

log = logging.getLogger(__name__)


class Together:
    """As if they were one: it is down, or shut, when all are."""

    def __init__(self, members: Sequence[Connections]) -> None:
        self._members = tuple(members)
        self.name = ", ".join(each.name for each in members)

    async def connect(self) -> None:
        """See that one of them takes letters. Raises RelayDown."""
        await self._any(Connections.connect)

    async def send(self, sender: str, recipient: str, body: bytes) -> Receipt:
        """Hand one letter to the first that takes it. Raises PublishError."""
        down: RelayDown | None = None
        for each in self._members:
            try:
                return await each.send(sender, recipient, body)
            except RelayDown as error:
                down = error
        raise down or RelayDown("there is no relay", relay=self.name)

    async def shut(self) -> str | None:
        """Why no letter may go now by any of them."""
        reasons = [await each.shut() for each in self._members]
        return None if None in reasons else "; ".join(map(str, reasons))

    async def stream(self, work: Work, compose: Compose, *, leave: Callable[[], bool]) -> bool:
        """True: the work is done. False: we were asked to leave. Raises RelayDown when none took letters."""
        ended: list[bool] = []
        sending = 0

        async def one(each: Connections) -> None:
            nonlocal sending
            while True:
                sending += 1
                try:
                    done = await Stream(each, work, compose, leave=leave).run()
                finally:
                    sending -= 1
                if not done or not sending or work.over():
                    break
                # There may be letters still, that only were the others' turn.
                await asyncio.sleep(LOOK_EVERY)
            ended.append(done)

        await self._any(one)
        return all(ended)

    async def close(self) -> None:
        await asyncio.gather(*(each.close() for each in self._members))

    async def _any(self, use: Callable[[Connections], Awaitable[None]]) -> None:
        """All at once; what one meets stops no other."""
        met = await asyncio.gather(*map(use, self._members), return_exceptions=True)
        for error in met:
            if isinstance(error, RelayDown):
                log.warning("relay is down", extra={"relay": error.relay, "error": str(error)})
            elif isinstance(error, BaseException):
                raise error
        down = [error for error in met if isinstance(error, RelayDown)]
        if len(down) == len(met):
            raise RelayDown("; ".join(map(str, down)), relay=down[0].relay) from down[0]

"""The line in force: a reload puts another in its place, and a letter in flight ends where it began."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.config import Settings
from digest.line import Line
from digest.service import House

LET_GO_WITHIN = timedelta(seconds=3)
FIRST_REST, LONGEST_REST = timedelta(seconds=5), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Shut:
    """A channel whose way out is shut is asked again then: mail servers bar who knocks every second."""

    until: datetime
    rest: timedelta

    @classmethod
    def again(cls, before: Shut | None, now: datetime) -> Shut:
        rest = min(before.rest * 2, LONGEST_REST) if before else FIRST_REST
        return cls(until=now + rest, rest=rest)


class Held:
    """A line with all that hangs on it. over: it is no longer the one in force, and a long step ends."""

    def __init__(self, settings: Settings, line: Line, stack: AsyncExitStack) -> None:
        self.settings = settings
        self.line = line
        self.over = asyncio.Event()
        self.stack = stack
        self.users = 0
        self.free = asyncio.Event()
        self.free.set()

    async def close(self) -> None:
        """Let go of it when no step uses it any more."""
        await self.free.wait()
        await self.stack.aclose()


class Current:
    """The line in force. A reload puts another in its place at once; the old one is let go when no step uses
    it, so that a letter in flight ends where it began."""

    def __init__(self, house: House) -> None:
        self.held = Held(house.settings, house.line, AsyncExitStack())  # the first line belongs to open_house
        self._old: set[asyncio.Task[None]] = set()

    @property
    def settings(self) -> Settings:
        return self.held.settings

    @property
    def line(self) -> Line:
        return self.held.line

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Held]:
        held = self.held
        held.users += 1
        held.free.clear()
        try:
            yield held
        finally:
            held.users -= 1
            if held.users == 0:
                held.free.set()

    def replace(self, settings: Settings, line: Line, stack: AsyncExitStack) -> None:
        old, self.held = self.held, Held(settings, line, stack)
        old.over.set()
        task = asyncio.create_task(old.close())
        self._old.add(task)
        task.add_done_callback(self._old.discard)

    async def close(self) -> None:
        ending = {*self._old, asyncio.create_task(self.held.close())}
        _, stuck = await asyncio.wait(ending, timeout=LET_GO_WITHIN.total_seconds())
        for task in stuck:
            task.cancel()

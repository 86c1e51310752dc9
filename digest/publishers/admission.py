"""Who is asked whether a letter may be begun now, and told what came of it: the place for limits.

limits.step(work, done, want) → letters → limits.told(delivery, result) → the next step
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from digest.model import Delivery
from digest.publishers.base import Result, Work

Done = list[tuple[Delivery, Result]]


class Limits(Protocol):
    """How much a relay, or a domain behind it, is to be given."""

    async def step(self, work: Work, done: Done, want: int) -> Sequence[Delivery]:
        """`work.step` for letters that may go now. Empties `done` once it is recorded, and puts letters into
        it that were given and must not go after all. Raises NotReady."""
        ...

    async def shut(self) -> str | None:
        """Why no letter may go now, whomever it is for."""
        ...

    def told(self, delivery: Delivery, result: Result) -> None:
        """What came of a delivery that was begun, before it is recorded. A `Blocked` speaks of the relay or
        of the domain, a `RelayDown` of the relay."""
        ...

    async def close(self) -> None:
        """Let others have what was reserved and not used. Raises NotReady."""
        ...


class Unlimited:
    """Everything may go."""

    async def step(self, work: Work, done: Done, want: int) -> Sequence[Delivery]:
        given = await work.step(done, want)
        done.clear()
        return given

    async def shut(self) -> str | None:
        return None

    def told(self, delivery: Delivery, result: Result) -> None:
        pass

    async def close(self) -> None:
        pass

"""Who is asked whether a letter may be begun now, and told what came of it: the place for limits.

work.step(done, want, limits.admit) → letters → limits.told(delivery, result) → the next step
"""

from __future__ import annotations

from typing import Protocol

from digest.model import Delivery
from digest.publishers.base import Result


class Limits(Protocol):
    """How much a relay, or a domain behind it, is to be given."""

    def admit(self, delivery: Delivery) -> bool:
        """Whether it may be begun now. After a yes the ledger may still say no: then it is not told of."""
        ...

    def told(self, delivery: Delivery, result: Result) -> None:
        """What came of a delivery that was begun, before it is recorded. A `Blocked` speaks of the relay or
        of the domain, a `RelayDown` of the relay."""
        ...


class Unlimited:
    """Everything may go."""

    def admit(self, _delivery: Delivery) -> bool:
        return True

    def told(self, delivery: Delivery, result: Result) -> None:
        pass

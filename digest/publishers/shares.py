"""Whose turn it is among relays of the same priority: each gets letters by its weight.

Pure. A relay that has been silent (down, paused, out of its budget) is not waited for, and does not catch up
on what it missed when it is back.
"""

from __future__ import annotations

from collections.abc import Mapping

SILENT = 1.0  # seconds without taking or wanting a letter, and the others go on alone
AHEAD = 8.0  # letters that one may be ahead of its share, for a weight of 1


class Shares:
    """weights: of the relays, by their names."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._weights = dict(weights)
        self._taken = dict.fromkeys(weights, 0.0)  # letters by weight
        self._seen: dict[str, float] = {}

    def may(self, relay: str, now: float) -> bool:
        """Whether the next letter may be this relay's, which could take it."""
        others = [name for name, at in self._seen.items() if name != relay and now - at <= SILENT]
        behind = min((self._taken[name] for name in others), default=self._taken[relay])
        if now - self._seen.get(relay, -SILENT - 1) > SILENT:
            self._taken[relay] = max(self._taken[relay], behind)
        self._seen[relay] = now
        return self._taken[relay] - behind < AHEAD / self._weights[relay]

    def took(self, relay: str, letters: int = 1) -> None:
        """It took so many; below 0: it gave them back."""
        self._taken[relay] += letters / self._weights[relay]

"""How much is written at once by those who have much to write, so that nobody waits for them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

CHUNK_SECONDS = 0.025  # while a chunk is written nobody else can write, and a page or a letter may be waiting
SMALLEST, LARGEST = 400, 20_000


@dataclass(slots=True)
class Pace:
    """How many make a chunk: as many as were written in `CHUNK_SECONDS`, by the last ones."""

    size: int = 1_000

    def took(self, written: int, seconds: float) -> None:
        """Learn from a chunk."""
        fitting = written * CHUNK_SECONDS / max(seconds, 1e-6)
        self.size = max(SMALLEST, min(LARGEST, round((self.size + fitting) / 2)))

"""Measure several ways of doing one thing, taking turns, so that a noisy machine is noisy to all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def race(
    ways: Mapping[str, Callable[[], object]], *, rounds: int = 15, each: float = 0.15
) -> dict[str, float]:
    """Median CPU seconds of one call of each way. Every round calls each for about `each` seconds."""
    calls = {}
    for name, way in ways.items():
        way()
        start = time.process_time()
        way()
        calls[name] = max(1, int(each / max(time.process_time() - start, 1e-7)))
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.process_time()
            for _ in range(calls[name]):
                way()
            taken[name].append((time.process_time() - start) / calls[name])
    return {name: statistics.median(values) for name, values in taken.items()}


def show(title: str, medians: Mapping[str, float], ours: str) -> None:
    """A table of medians and of how many times slower each is than ours."""
    print(f"\n{title}")
    for name, seconds in sorted(medians.items(), key=lambda row: row[1]):
        print(f"  {name:44} {seconds * 1e3:10.4f} ms   ×{seconds / medians[ours]:.1f}")

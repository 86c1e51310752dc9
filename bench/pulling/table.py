"""What the rounds came to, in a table for people: medians, and how ours compares."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

MEGABYTE = 1024 * 1024
NOISE = 0.1
# What we want to be able to say (feeds a second, ours over theirs): cold, unchanged.
WANTED = {"reader": (10.0, 20.0), "newsboat": (1.5, 10.0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """One way through the feeds. seconds: on the wall; start: those of them that it takes when nothing is to
    be asked. cpu: seconds of all its processes. peak: bytes."""

    feeds: int
    seconds: float
    start: float
    cpu: float
    peak: int

    @property
    def rate(self) -> float:
        return self.feeds / self.seconds

    @property
    def cpu_per_feed(self) -> float:
        return self.cpu / self.feeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """whole: how many feeds were read to the last entry."""

    cold: Took
    again: Took
    whole: int


def show(taken: Mapping[str, Sequence[Round]], *, ours: str, service: str) -> None:
    """Both tables. ours, service: which of the names are us, as a command and as a service."""
    cold = {name: [one.cold for one in rounds] for name, rounds in taken.items()}
    again = {name: [one.again for one in rounds] for name, rounds in taken.items()}
    whole = {name: min(one.whole for one in rounds) for name, rounds in taken.items()}
    titles = ("cold: an empty database, every answer is 200", "unchanged: every answer is 304")
    for step, (title, took) in enumerate(zip(titles, (cold, again), strict=True)):
        print(f"\n{title}")
        print(f"  {'':30}{'feeds/s':>9}{'but start':>11}{'CPU ms/feed':>13}{'peak MB':>9}{'whole':>7}")
        for name, every in took.items():
            print(f"  {name:30}{_row(every)}{whole[name]:7,}")
        for us in (ours, service):
            for them in [name for name in took if us in took and name not in (ours, service)]:
                pair = took[us], took[them]
                print(f"  {us} against {them}: {_compared(*pair)}{_verdict(*pair, them, step)}")


def _row(every: Sequence[Took]) -> str:
    rate = statistics.median(one.rate for one in every)
    bare = _without_start(every)
    cpu = statistics.median(one.cpu_per_feed for one in every)
    peak = statistics.median(one.peak for one in every)
    return f"{rate:9,.0f}{f'{bare:,.0f}' if bare else '–':>11}{cpu * 1e3:13.2f}{peak / MEGABYTE:9,.0f}"


def _without_start(every: Sequence[Took]) -> float | None:
    """Feeds a second but for the start; None when that is nearly all of the time, and the rest is noise."""
    seconds = statistics.median(one.seconds for one in every)
    rest = seconds - statistics.median(one.start for one in every)
    return statistics.median(one.feeds for one in every) / rest if rest > seconds * NOISE else None


def _compared(us: Sequence[Took], them: Sequence[Took]) -> str:
    """Medians of the rounds' own ratios: what disturbed a round disturbed both."""

    def times(value: Callable[[Took], float]) -> float:
        return statistics.median(value(a) / max(value(b), 1e-9) for a, b in zip(us, them, strict=True))

    ours, theirs = _without_start(us), _without_start(them)
    bare = f"×{ours / theirs:.1f}" if ours and theirs else "–"
    return (
        f"feeds/s ×{times(lambda one: one.rate):.1f}, but start {bare}, "
        f"CPU ×{times(lambda one: one.cpu_per_feed):.2f}, memory ×{times(lambda one: one.peak):.1f}"
    )


def _verdict(us: Sequence[Took], them: Sequence[Took], name: str, step: int) -> str:
    goal = next((goals[step] for peer, goals in WANTED.items() if name.startswith(peer)), None)
    if goal is None:
        return ""
    ratio = statistics.median(a.rate / b.rate for a, b in zip(us, them, strict=True))
    return f"   (×{goal:g} is wanted: {'yes' if ratio >= goal else 'NOT YET'})"

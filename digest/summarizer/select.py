"""Which stories go in: the best ones, within the caps. Says of each that stays out which step kept it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SECTION_SHARE = 0.4  # of the letter, from three sections on
SECTIONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A story that could be told: what the caps look at."""

    key: str
    feed: str
    section: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Why one stayed out: the verdict and the sentence for people."""

    verdict: str
    reason: str


def select(found: Sequence[Ranked], *, limit: int, per_feed: int) -> tuple[list[Ranked], Mapping[str, Left]]:
    """The chosen ones, best first, and by key why the others were left.

    A full section gives way only to what would otherwise not fit: when places are left, it gets them back.
    """
    ordered = sorted(found, key=lambda each: (-each.score, each.key))
    sections = {each.section for each in ordered}
    share = max(1, int(limit * SECTION_SHARE)) if len(sections) >= SECTIONS else limit
    chosen: list[Ranked] = []
    left: dict[str, Left] = {}
    feeds: Counter[str] = Counter()
    held: Counter[str] = Counter()
    waiting: list[Ranked] = []

    def take(each: Ranked) -> None:
        chosen.append(each)
        feeds[each.feed] += 1
        held[each.section] += 1

    for place, each in enumerate(ordered, 1):
        if feeds[each.feed] >= per_feed:
            left[each.key] = _too_many_of_a_feed(each, per_feed)
        elif len(chosen) < limit and held[each.section] >= share:
            waiting.append(each)
        elif len(chosen) < limit:
            take(each)
        else:
            left[each.key] = _no_place(each, place, limit, chosen)
    for each in waiting:
        if feeds[each.feed] >= per_feed:
            left[each.key] = _too_many_of_a_feed(each, per_feed)
        elif len(chosen) < limit:
            take(each)
        else:
            left[each.key] = _section_full(each, held[each.section], limit)
    return sorted(chosen, key=lambda each: (-each.score, each.key)), left


def _too_many_of_a_feed(each: Ranked, per_feed: int) -> Left:
    return Left(
        verdict="per_feed",
        reason=f"This feed already leads {per_feed} stories, as many as stories.per_feed allows; "
        f"this one has {each.score:.2f} points.",
    )


def _section_full(each: Ranked, held: int, limit: int) -> Left:
    return Left(
        verdict="section",
        reason=f"The section “{each.section}” already has {held} of {limit} stories, its share of "
        f"{SECTION_SHARE:.0%}; this one has {each.score:.2f} points.",
    )


def _no_place(each: Ranked, place: int, limit: int, chosen: Sequence[Ranked]) -> Left:
    last = min(one.score for one in chosen)
    return Left(
        verdict="limit",
        reason=f"Place {place} of all stories with {each.score:.2f} points; the letter takes {limit}, "
        f"and the last of them has {last:.2f}.",
    )

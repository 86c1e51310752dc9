"""Which stories go in: the best ones, within the caps. Says of each that stays out which step kept it out.

A story whose feed leads enough stories already may be led by another feed that tells it. Places under a
heading: those that the config gives it; of the others, from three headings on, none takes more than two
fifths of the letter unless nobody else wants the places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

SECTION_SHARE = 0.4  # of the letter, from three sections on
SECTIONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """An article that could lead a story: its number, its feed and the section of that."""

    number: int
    feed: str
    section: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A story that could be told: what the caps look at. others: who else could lead it, the best first."""

    key: str
    lead: Lead
    score: float
    others: tuple[Lead, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """per_section: for those sections that have a limit of their own."""

    limit: int
    per_feed: int
    per_section: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Why one stayed out: the verdict and the sentence for people."""

    verdict: str
    reason: str


def select(found: Sequence[Ranked], caps: Caps) -> tuple[list[Ranked], Mapping[str, Left]]:
    """The chosen ones, best first, each with the article that leads it; and by key why the rest stays out."""
    ordered = sorted(found, key=lambda each: (-each.score, each.key))
    letter = _Letter(caps, sections=len({each.lead.section for each in ordered}))
    left: dict[str, Left] = {}
    waiting: list[Ranked] = []
    for place, each in enumerate(ordered, 1):
        led = letter.led(each)
        if led is None:
            left[each.key] = _too_many_of_a_feed(each, caps.per_feed)
        elif letter.is_closed(led.lead.section):
            left[each.key] = _section_closed(led, caps)
        elif letter.is_full:
            left[each.key] = _no_place(each, place, letter)
        elif letter.has_its_share(led.lead.section):
            waiting.append(each)
        else:
            letter.take(led)
    for each in waiting:
        led = letter.led(each)
        if led is None:
            left[each.key] = _too_many_of_a_feed(each, caps.per_feed)
        elif letter.is_closed(led.lead.section):
            left[each.key] = _section_closed(led, caps)
        elif letter.is_full:
            left[each.key] = _section_full(led, letter)
        else:
            letter.take(led)
    return sorted(letter.chosen, key=lambda each: (-each.score, each.key)), left


class _Letter:
    """What has been chosen so far, counted."""

    def __init__(self, caps: Caps, *, sections: int) -> None:
        self.caps = caps
        self.chosen: list[Ranked] = []
        self.sections: Counter[str] = Counter()
        self._feeds: Counter[str] = Counter()
        self._share = max(1, int(caps.limit * SECTION_SHARE)) if sections >= SECTIONS else caps.limit

    @property
    def is_full(self) -> bool:
        return len(self.chosen) >= self.caps.limit

    def led(self, each: Ranked) -> Ranked | None:
        """The story with a lead whose feed may lead one more; None if no feed that tells it may."""
        for lead in (each.lead, *each.others):
            if self._feeds[lead.feed] < self.caps.per_feed:
                return replace(each, lead=lead)
        return None

    def is_closed(self, section: str) -> bool:
        own = self.caps.per_section.get(section)
        return own is not None and self.sections[section] >= own

    def has_its_share(self, section: str) -> bool:
        return section not in self.caps.per_section and self.sections[section] >= self._share

    def take(self, each: Ranked) -> None:
        self.chosen.append(each)
        self._feeds[each.lead.feed] += 1
        self.sections[each.lead.section] += 1


def _too_many_of_a_feed(each: Ranked, per_feed: int) -> Left:
    feeds = len({each.lead.feed, *(other.feed for other in each.others)})
    whose = (
        "This feed already leads" if feeds == 1 else f"Each of the {feeds} feeds that tell it already leads"
    )
    return Left(
        verdict="per_feed",
        reason=f"{whose} {_counted(per_feed)}, as many as stories.per_feed allows; "
        f"this one has {each.score:.2f} points.",
    )


def _section_closed(each: Ranked, caps: Caps) -> Left:
    section = each.lead.section
    return Left(
        verdict="section",
        reason=f"The section “{section}” already has {_counted(caps.per_section[section])}, as many as "
        f"stories.sections allows; this one has {each.score:.2f} points.",
    )


def _section_full(each: Ranked, letter: _Letter) -> Left:
    section = each.lead.section
    return Left(
        verdict="section",
        reason=f"The section “{section}” already has {letter.sections[section]} of {letter.caps.limit} "
        f"stories, its share of {SECTION_SHARE:.0%}; this one has {each.score:.2f} points.",
    )


def _no_place(each: Ranked, place: int, letter: _Letter) -> Left:
    last = min((one.score for one in letter.chosen), default=0.0)
    return Left(
        verdict="limit",
        reason=f"Place {place} of all stories with {each.score:.2f} points; the letter takes "
        f"{letter.caps.limit}, and the last of them has {last:.2f}.",
    )


def _counted(number: int) -> str:
    return "1 story" if number == 1 else f"{number} stories"

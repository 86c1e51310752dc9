"""Stories that go on: what in a window belongs to a story that was told in the last days, and whether it is
an update of that or a repeat.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from digest.model import Article, Earlier, Sentence, Told
from digest.summarizer.memory import YOUNG
from digest.summarizer.stories import CUT, LINK, is_round_up
from digest.summarizer.updates import READ, SHARED, Finding, Known, compare, known_from, names_known
from digest.summarizer.window import Window

_TEXT = 20_000  # characters of a told article
_LOOKED_AT = 3  # stories that may go on with one group


@dataclass(frozen=True, kw_only=True)
class Thread:
    """A told story with its updates, the newest telling first. places: theirs among all that was told."""

    tellings: tuple[Told, ...]
    places: tuple[int, ...]

    @property
    def key(self) -> str:
        return self.tellings[0].story.key

    @property
    def earlier(self) -> Earlier:
        last = self.tellings[0]
        return Earlier(path=last.path, date=last.date, title=last.story.title)

    @cached_property
    def known(self) -> Known:
        texts: dict[str, None] = {}
        for told in self.tellings:
            texts.update(dict.fromkeys((told.story.title, *told.story.summary)))
            for article in told.articles:
                texts.update(dict.fromkeys((article.title, article.text[:_TEXT])))
        return known_from(list(texts), self.tellings[0].story.language)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """That a story goes on: where it was told last, and by article the sentences that say what is new."""

    earlier: Earlier
    sentences: Mapping[int, tuple[Sentence, ...]]
    known: Mapping[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """That an article, by number, says nothing that was not told, and how we know."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """The groups that are new stories; by key those that tell on; and what tells nothing new."""

    new: list[list[int]]
    updates: dict[str, tuple[list[int], News]]
    repeats: list[Repeat]


def threads(told: Sequence[Told], now: datetime) -> dict[str, Thread]:
    """By key, the stories that were told in the last days. Round-ups do not go on."""
    by_key: dict[str, list[int]] = defaultdict(list)
    for place in sorted(range(len(told)), key=lambda place: told[place].composed_at, reverse=True):
        by_key[told[place].story.key].append(place)
    return {
        key: Thread(tellings=tuple(told[place] for place in places), places=tuple(places))
        for key, places in by_key.items()
        if now - told[places[0]].composed_at <= YOUNG and not is_round_up(told[places[0]].story.title)
    }


def sort(
    window: Window, groups: Sequence[Sequence[int]], going_on: Mapping[str, Thread], kin: Mapping[int, str]
) -> Sorted:
    """Each group by what was told. kin: of articles, by number, the key of a story whose text they hold."""
    found = Sorted(new=[], updates={}, repeats=[])
    findings: dict[str, dict[int, Finding]] = defaultdict(dict)
    for members in groups:
        rest = list(members)
        for thread, compared in _going_on_with(window, members, going_on, kin):
            rest = [number for number in rest if number not in compared]
            for number, finding in compared.items():
                if not finding.news:
                    likeness = _likeness(window, [number], thread)
                    found.repeats.append(_repeat(number, finding, thread, likeness))
                elif is_round_up(window.articles[number].title):
                    found.new.append([number])
                else:
                    findings[thread.key][number] = finding
        if rest:
            found.new.append(rest)
    for key, told_on in findings.items():
        news = News(
            earlier=going_on[key].earlier,
            sentences={number: each.sentences for number, each in told_on.items()},
            known={number: each.known for number, each in told_on.items()},
        )
        found.updates[key] = list(told_on), news
    return found


def _going_on_with(
    window: Window, members: Sequence[int], going_on: Mapping[str, Thread], kin: Mapping[int, str]
) -> Iterator[tuple[Thread, dict[int, Finding]]]:
    """The stories that the articles of a group go on with, each with those that do; mostly one or none. That
    which has most of their names and words comes first."""
    left = set(members)
    likely = _likely(window, members, going_on, kin)
    worth = {thread.key: _compared(window, members, thread, kin) for thread in likely}
    while left:
        sums = {
            key: math.fsum(value for number, (_, value) in each.items() if number in left)
            for key, each in worth.items()
            if left & each.keys()
        }
        best = max(sums, key=lambda key: (sums[key], key), default="")
        if not best:
            return
        taken = {number: finding for number, (finding, _) in worth[best].items() if number in left}
        yield going_on[best], taken
        left -= taken.keys()


def _likely(
    window: Window, members: Sequence[int], going_on: Mapping[str, Thread], kin: Mapping[int, str]
) -> list[Thread]:
    """The stories that a group may go on with: none unless it is like one of them, or holds a text of one."""
    likeness = {key: _likeness(window, members, thread) for key, thread in going_on.items()}
    copied = [key for number in members if (key := kin.get(number, "")) in going_on]
    ordered = sorted(likeness, key=lambda key: (-likeness[key], key))[:_LOOKED_AT]
    if not copied and (not ordered or likeness[ordered[0]] < CUT):
        return []
    keys = (*copied, *(key for key in ordered if likeness[key] >= LINK))
    return [going_on[key] for key in dict.fromkeys(keys)]


def _compared(
    window: Window, members: Sequence[int], thread: Thread, kin: Mapping[int, str]
) -> dict[int, tuple[Finding, float]]:
    """Those that are about the same as a story, and how much they have in common with it."""
    found = {}
    for number in members:
        article = window.articles[number]
        finding = compare(article, thread.known)
        if finding.related or (kin.get(number) == thread.key and _holds(article, thread)):
            value = finding.shared + finding.known + _likeness(window, [number], thread)
            found[number] = finding, value
    return found


def _likeness(window: Window, members: Sequence[int], thread: Thread) -> float:
    """To the nearest telling of a story."""
    near = window.near_told[list(members)].mean(axis=0)
    return round(float(near[list(thread.places)].max()), 4)


def _holds(article: Article, thread: Thread) -> bool:
    """Is it a text of this story, and not just one with the same furniture?"""
    return names_known(article, thread.known, article.text[:READ].split("\n")) >= SHARED


def _repeat(number: int, finding: Finding, thread: Thread, likeness: float) -> Repeat:
    earlier = thread.earlier
    says = f"{finding.known:.0%} of its headline and first sentences was in it"
    why = (
        "and no sentence at its top says anything new" if not finding.sentences else "which leaves too little"
    )
    return Repeat(
        number=number,
        reason=f"Already told as “{earlier.title}” on {earlier.date:%Y-%m-%d} (likeness {likeness:.2f}): "
        f"{says}, {why}.",
    )

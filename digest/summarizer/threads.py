"""Stories that go on: what in a window belongs to a story that was told in the last days, and whether it is
an update of that or a repeat.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from digest.model import Article, Earlier, Sentence, Told
from digest.summarizer.memory import YOUNG
from digest.summarizer.stories import CUT, LINK, is_round_up
from digest.summarizer.updates import READ, Finding, Known, compare, known_from, shares_names
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
        key, likeness, compared = _thread_of(window, members, going_on, kin)
        if else_ := [number for number in members if number not in compared]:
            found.new.append(else_)
        for number, each in compared.items():
            if not each.news:
                found.repeats.append(_repeat(number, each, going_on[key], likeness))
            elif is_round_up(window.articles[number].title):
                found.new.append([number])
            else:
                findings[key][number] = each
    for key, told_on in findings.items():
        news = News(
            earlier=going_on[key].earlier,
            sentences={number: each.sentences for number, each in told_on.items()},
            known={number: each.known for number, each in told_on.items()},
        )
        found.updates[key] = list(told_on), news
    return found


def _thread_of(
    window: Window, members: Sequence[int], going_on: Mapping[str, Thread], kin: Mapping[int, str]
) -> tuple[str, float, dict[int, Finding]]:
    """The story that they go on with, their likeness to its nearest telling, and how those of them compare that
    do go on with it; the first is empty when there is none. Of several stories it is the one that knows most of
    what they say."""
    near = window.near_told[list(members)].mean(axis=0)
    likeness = {key: round(float(near[list(thread.places)].max()), 4) for key, thread in going_on.items()}
    copied = {key: number for number in members if (key := kin.get(number, "")) in going_on}
    ordered = sorted(likeness, key=lambda key: (-likeness[key], key))[:_LOOKED_AT]
    if not copied and (not ordered or likeness[ordered[0]] < CUT):
        return "", 0.0, {}
    best, most, compared = "", 0.0, {}
    for key in dict.fromkeys((*copied, *(key for key in ordered if likeness[key] >= LINK))):
        each = {number: compare(window.articles[number], going_on[key].known) for number in members}
        each = {
            number: finding
            for number, finding in each.items()
            if finding.related or (kin.get(number) == key and _holds(window.articles[number], going_on[key]))
        }
        known = sum(finding.known for finding in each.values())
        if each and known >= most:
            best, most, compared = key, known, each
    return best, likeness.get(best, 0.0), compared


def _holds(article: Article, thread: Thread) -> bool:
    """Is it a text of this story, and not just one with the same furniture?"""
    return shares_names(article, thread.known, article.text[:READ].split("\n"))


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

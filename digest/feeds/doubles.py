"""Which entries of one document are one, and the guid that each is to be known by. Pure.

    entries → signs → every one gets a guid → doubles become one → guids that name several get more words

Side by side in one document, two guids say that there are two posts: doubles agree in all, or nearly all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from digest.feeds.marks import LONG_TEXT, Signs, fingerprint, mark, said, signs
from digest.model import Entry, Marks

SECOND = timedelta(seconds=1)
ALL = 3  # entries without which "all of a document" says little
_COMPARED = 8  # with so many of its kind an entry is compared at most: a document may hold a thousand alike


class Told(NamedTuple):
    """One entry of a document, its doubles put into it.

    entry: with the guid that it is to be known by. guids: all those it has in this document. given: whether
    the feed gave it a guid; else it is called by its link or its words, which say less. words: how much text
    the text mark stands for. claimed: when it says that it was published, None also where the document dates
    everything alike. position: from the top of the document.
    """

    entry: Entry
    position: int
    marks: Marks
    hash: str
    words: int
    guids: tuple[str, ...]
    given: bool
    claimed: datetime | None


def read(entries: Iterable[Entry]) -> list[Told]:
    """The entries of a document, each once, in its order. One that says nothing at all is left out."""
    given = _with_fragments([signs(entry, position) for position, entry in enumerate(entries)])
    return _told(_without_doubles(_identified(_without_machine_dates(given))))


def _without_machine_dates(given: list[Signs]) -> list[Signs]:
    """Where all was published in the same minute, a machine has put the time of asking: no date to go by."""
    moments = [each.claimed for each in given if each.claimed is not None and precise(each.claimed)]
    if len(given) < ALL or len(moments) < len(given) or max(moments) - min(moments) > timedelta(minutes=1):
        return given
    return [
        each._replace(
            claimed=None,
            marks=replace(each.marks, said=None if each.name is None else said(each.name, None)),
        )
        for each in given
    ]


def same(one: object, other: object) -> bool | None:
    """None when one of them says nothing."""
    return None if one is None or other is None else one == other


def same_time(one: datetime | None, other: datetime | None) -> bool | None:
    return None if one is None or other is None else abs(one - other) < SECOND


def precise(moment: datetime | None) -> bool:
    """A moment that no one plans and no calendar gives: two different posts hardly share it."""
    return moment is not None and (moment.second != 0 or moment.minute % 5 != 0)


# ---------------------------------------------------------------- every one gets a guid


def _with_fragments(given: list[Signs]) -> list[Signs]:
    """A fragment is a part of the link only where it tells entries apart: a changelog, a page of notes."""
    if not any(each.fragment for each in given):
        return given
    fragments: dict[int | None, set[str]] = {}
    for each in given:
        fragments.setdefault(each.marks.link, set()).add(each.fragment)
    return [_with_fragment(each) if len(fragments[each.marks.link]) > 1 else each for each in given]


def _with_fragment(each: Signs) -> Signs:
    if not each.fragment:
        return each
    return each._replace(marks=replace(each.marks, link=mark(f"{each.marks.link}#{each.fragment}")))


def _identified(given: Sequence[Signs]) -> Iterator[tuple[str, Signs]]:
    """With its guid: its own, else its link, else a fingerprint of what it says. A link that several give,
    each with its own title, names none, and neither does a site's front page."""
    names: dict[int | None, set[int | None]] = {}
    for each in given:
        if not each.entry.guid:
            names.setdefault(each.marks.link, set()).add(each.name)
    for each in given:
        link = each.marks.link
        if each.entry.guid:
            yield each.entry.guid, each
        elif link is not None and len(names[link]) == 1:
            yield each.entry.url, each
        elif words := fingerprint(each.entry):
            yield f"sha256:{words}", each
        elif each.entry.url:
            yield each.entry.url, each


# ---------------------------------------------------------------- doubles


class _Group:
    """Entries that are one: the chief of them, and the guids of all."""

    __slots__ = ("chief", "guids")

    def __init__(self, guid: str, chief: Signs) -> None:
        self.guids = {guid: chief}
        self.chief = chief

    def add(self, guid: str, other: Signs) -> None:
        self.guids.setdefault(guid, other)
        mine, its = self.chief.entry.updated, other.entry.updated
        if mine and its and its > mine:  # two versions of it stand there, and they say which is newer
            self.chief = other._replace(position=self.chief.position)
            self.guids = {guid: other, **self.guids}


def _without_doubles(given: Iterable[tuple[str, Signs]]) -> list[_Group]:
    groups: list[_Group] = []
    alike: dict[tuple[object, ...], list[_Group]] = {}
    for guid, each in given:
        keys = _keys(guid, each.marks)
        group = next(
            (
                group
                for key in keys
                for group in alike.get(key, ())[-_COMPARED:]
                if (_one_guid(group.chief, each) if key[0] == "guid" else _one_post(group.chief, each))
            ),
            None,
        )
        if group is None:
            group = _Group(guid, each)
            groups.append(group)
        else:
            group.add(guid, each)
        for key in keys:
            if group not in (known := alike.setdefault(key, [])):
                known.append(group)
    return groups


def _keys(guid: str, marks: Marks) -> list[tuple[object, ...]]:
    """What two entries must share to be looked at together."""
    keys: list[tuple[object, ...]] = [
        ("guid", guid, marks.link),
        ("guid", guid, 0, marks.title or marks.said),
    ]
    if marks.link is not None:
        keys.append(("link", marks.link, marks.title))
    if marks.text is not None:
        keys.append(("text", marks.text, marks.title))
    elif marks.title is None:
        keys.append(("said", marks.said))
    return keys


def same_name(one: Marks, other: Marks) -> bool | None:
    """The same title; an untitled post is named by what it says."""
    if one.title is None and other.title is None:
        text = same(one.text, other.text)
        return same(one.said, other.said) if text is None else text
    return same(one.title, other.title)


def _one_guid(one: Signs, other: Signs) -> bool:
    """Of one guid: are they one? Not where the feed does not know what a guid is (the same for all, a number
    of the place): then they point elsewhere under another title, or say something else at another time."""
    mine, its = one.marks, other.marks
    link, name, text = same(mine.link, its.link), same_name(mine, its), same(mine.text, its.text)
    time = same_time(one.claimed, other.claimed)
    if link is False and (name is False or time is False):
        return False
    return not (name is not True and text is False and not time)


def _one_post(one: Signs, other: Signs) -> bool:
    """Of two guids: the same post all the same? Side by side, the feed says that they are two: only what
    agrees in its time, too, is one."""
    mine, its = one.marks, other.marks
    dates = one.claimed, other.claimed
    time = same_time(*dates)
    dateless = dates == (None, None)
    if not (time or dateless):
        return False
    link, text = same(mine.link, its.link), same(mine.text, its.text)
    if link:
        return text is not False or precise(dates[0])
    if text:
        return bool(time) or one.words >= LONG_TEXT
    return mine.title is None and mine.said == its.said and precise(dates[0])  # untitled, and a few words


# ---------------------------------------------------------------- guids that name several


def _told(groups: Sequence[_Group]) -> list[Told]:
    holders = Counter(guid for group in groups for guid in group.guids)
    links = Counter(
        (guid, each.marks.link) for group in groups for guid, each in group.guids.items() if holders[guid] > 1
    )
    found = []
    for group in groups:
        chief = group.chief
        guid = next(iter(group.guids))
        guids = tuple(each for each in group.guids if holders[each] == 1)
        if holders[guid] > 1:  # it names several, each of which needs more than that
            guid = more_of(guid, chief.entry, by_link=links[guid, chief.marks.link] == 1)
            guids = (guid, *guids)
        entry = chief.entry if chief.entry.guid == guid else replace(chief.entry, guid=guid)
        given = bool(chief.entry.guid)
        found.append(
            Told(entry, chief.position, chief.marks, chief.hash, chief.words, guids, given, chief.claimed)
        )
    return found


def more_of(guid: str, entry: Entry, *, by_link: bool) -> str:
    """A guid for one of several that share one: with its link, or else with a fingerprint of its words."""
    return f"{guid} {entry.url if by_link and entry.url else fingerprint(entry)[:16]}"

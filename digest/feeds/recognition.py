"""Whether an entry of a document is one that the feed has told before. Pure.

A guid that is known decides, unless the feed gives its guids to other posts again. Else an entry is known by
signs that agree (`agreement`): link, title, text and claimed date. What a whole document shows at once (that
guids mean nothing here, or have changed) counts for the doubtful ones, too.

    by guid → by two signs → by what the whole document shows → guids given again → all others are new

Both mistakes cost: an old article told as news, and a new one never told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from digest.feeds.agreement import HALF_A_DAY, Pair, another_on_its_page, is_alike, is_the_same, pair_of
from digest.feeds.doubles import Told, more_of
from digest.feeds.marks import LONG_TEXT
from digest.model import KnownEntry

_COMPARED = 8
"""Of the entries that share a sign, so many at most are looked at: there may be a thousand, and a sign that
so many share tells nothing."""


class Match(NamedTuple):
    """known: the entry that it is, None for a new one. guid: by which it is to be known. by_guid: whether one
    of its guids named it."""

    known: KnownEntry | None
    guid: str
    by_guid: bool = False


def recognize(told: Sequence[Told], known: Sequence[KnownEntry]) -> list[Match]:
    """What each entry of the document is."""
    if not known:
        return [Match(None, each.entry.guid) for each in told]
    return _Recognition(told, known).matches()


# ---------------------------------------------------------------- a document


class _Recognition:
    """One document beside what the store remembers of its entries."""

    def __init__(self, told: Sequence[Told], known: Sequence[KnownEntry]) -> None:
        self._told = told
        self._by_guid = {each.other: each for each in known if each.other}
        self._by_guid |= {each.guid: each for each in known}
        self._by_link = _by("link", known)
        self._by_said = _by("said", known)
        self._by_text = _by("text", known)
        self._at: dict[int | None, list[Told]] = {}
        for each in told:
            self._at.setdefault(each.marks.link, []).append(each)
        self._found: dict[int, Match] = {}
        self._taken: set[int] = set()
        self._doubted: dict[int, KnownEntry] = {}

    def matches(self) -> list[Match]:
        named = self._find_by_guid()
        evidence = self._find_by_two_signs()
        self._find_by_the_whole(changed=evidence >= 2 and 2 * evidence >= len(self._told))
        elsewhere = sum(1 for number in self._doubted if number in self._found)
        reused = elsewhere > 0 and 2 * elsewhere >= named - (len(self._doubted) - elsewhere)
        for number, each in enumerate(self._told):
            if number in self._doubted and number not in self._found:
                self._found[number] = self._again_or_new(each, self._doubted[number], reused)
        return [
            self._found.get(number) or Match(None, each.entry.guid) for number, each in enumerate(self._told)
        ]

    def _find(self, number: int, known: KnownEntry, *, by_guid: bool = False) -> None:
        self._found[number] = Match(known, self._told[number].entry.guid, by_guid)
        self._taken.add(known.id)

    # ---------------------------------------------------------------- by guid

    def _find_by_guid(self) -> int:
        """How many entries have a guid that the store knows. Where nothing else agrees, we doubt it."""
        count = 0
        for number, each in enumerate(self._told):
            named = next(filter(None, map(self._by_guid.get, each.guids)), None)
            if named is None:
                continue
            count += 1
            if self._agrees(each, named):
                self._find(number, named, by_guid=True)
            else:
                self._doubted[number] = named
        return count

    @staticmethod
    def _agrees(each: Told, named: KnownEntry) -> bool:
        if each.hash == named.hash:
            return True  # as most are
        pair = pair_of(each, named)
        return pair.link is not False and bool(pair.name or pair.text)

    def _again_or_new(self, each: Told, named: KnownEntry, reused: bool) -> Match:
        """Its guid names an entry that is nothing like it, and it is like no other. A feed may give a guid
        again: the same to all, or a number of the place. reused: others in this document show that."""
        pair = pair_of(each, named)
        if not self._is_another(each, named, pair, reused):
            return Match(named, each.entry.guid, by_guid=True)
        by_link = len(self._at[each.marks.link]) == 1 and each.marks.link not in self._by_link
        return Match(None, more_of(each.entry.guid, each.entry, by_link=by_link))

    def _is_another(self, each: Told, named: KnownEntry, pair: Pair, reused: bool) -> bool:
        if named.id in self._taken:  # the entry that had this guid stands here under another
            return not (pair.name and pair.time)
        if not (pair.later or pair.dateless or (pair.time and not pair.exact)):
            return False
        if reused or (pair.later and pair.link is False and not pair.name and not pair.text):
            return True
        if not each.given:
            return another_on_its_page(pair)
        made = f"{each.entry.guid} "  # it was given again before, and we had to add to it
        return any(other.guid.startswith(made) for other in self._near(each))

    # ---------------------------------------------------------------- by what agrees

    def _find_by_two_signs(self) -> int:
        """How many are known, or seem to be, although the store knows none of their guids, not even but for
        noise."""
        evidence = 0
        for number, each in enumerate(self._told):
            if number in self._found:
                continue
            wrong = self._doubted.get(number)
            candidates = [one for one in self._strong(each) if wrong is None or one.id != wrong.id]
            if candidates:
                one = max(candidates, key=lambda one: sum(map(bool, pair_of(each, one)[:4])))
                self._find(number, one)
                evidence += wrong is None and not is_alike(each, one, only=self._only(each))
            elif wrong is None and self._said_before(each):
                evidence += 1
        return evidence

    def _strong(self, each: Told) -> list[KnownEntry]:
        only = self._only(each)
        return [one for one in self._near(each) if is_the_same(each, one, only=only)]

    def _near(self, each: Told) -> Iterable[KnownEntry]:
        """What shares a sign with it, each once."""
        marks = each.marks
        signs = ((self._by_link, marks.link), (self._by_said, marks.said), (self._by_text, marks.text))
        return {one.id: one for by, sign in signs for one in by.get(sign, ())[:_COMPARED]}.values()

    def _only(self, each: Told) -> bool:
        """No other entry points where it points, here or in the store."""
        link = each.marks.link
        return link is not None and len(self._at[link]) == 1 and len(self._by_link.get(link, ())) == 1

    def _said_before(self, each: Told) -> bool:
        """Its title with its date is known, if that is too little to go by alone."""
        return each.claimed is not None and each.marks.said in self._by_said

    # ---------------------------------------------------------------- by the whole document

    def _find_by_the_whole(self, *, changed: bool) -> None:
        """changed: half of the document is known, and by none of its guids."""
        rest = [(number, each) for number, each in enumerate(self._told) if number not in self._found]
        said = Counter(each.marks.said for _, each in rest)
        text = Counter(each.marks.text for _, each in rest)
        for number, each in rest:
            one, doubted = None, number in self._doubted
            if not doubted:
                one = self._at_its_link(each, changed)
                if one is None and changed and said[each.marks.said] == 1:
                    one = self._with_its_title(each)
            if one is None and text[each.marks.text] == 1:
                one = self._with_its_text(each, changed and not doubted)
            if one is not None:
                self._find(number, one)

    def _free(self, candidates: Sequence[KnownEntry]) -> KnownEntry | None:
        """The only one, if no other entry of the document is it."""
        return candidates[0] if len(candidates) == 1 and candidates[0].id not in self._taken else None

    def _at_its_link(self, each: Told, changed: bool) -> KnownEntry | None:
        one = self._free(self._by_link.get(each.marks.link, ())) if self._only(each) else None
        if one is None or changed:
            return one
        pair = pair_of(each, one)
        # Its guid has changed before, when nothing else had: that says nothing now.
        fickle = one.other is not None and pair.name is True
        return one if fickle and (pair.time is not False or pair.gap < HALF_A_DAY) else None

    def _with_its_title(self, each: Told) -> KnownEntry | None:
        one = self._free(self._by_said.get(each.marks.said, ()))
        if one is None or each.claimed is not None:
            return one
        pair = pair_of(each, one)
        return one if pair.text or pair.link is not False else None

    def _with_its_text(self, each: Told, changed: bool) -> KnownEntry | None:
        """Another title, and with it another address: the same words at the same second."""
        one = self._free(self._by_text.get(each.marks.text, ()))
        if one is None:
            return None
        pair = pair_of(each, one)
        if pair.dateless:
            nowhere = each.marks.link is None and one.marks.link is None
            return one if changed or (nowhere and each.words >= LONG_TEXT) else None
        return one if pair.exact or (pair.time and changed) else None


def _by(sign: str, known: Sequence[KnownEntry]) -> dict[int | None, list[KnownEntry]]:
    found: dict[int | None, list[KnownEntry]] = {}
    for each in known:
        value = getattr(each.marks, sign)
        if value is not None:
            found.setdefault(value, []).append(each)
    return found

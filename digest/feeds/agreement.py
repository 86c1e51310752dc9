"""What agrees between an entry of a document and a known one, and whether that is enough. Pure.

One sign alone is hardly ever enough; two that agree are, if nothing that the feed says on purpose speaks
against it. Where the signs allow both, another guid *and* another text or date make it new.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import NamedTuple

from digest.feeds.doubles import Told, precise, same, same_name, same_time
from digest.feeds.marks import LONG_TEXT, same_guid, same_page
from digest.model import KnownEntry

SOON = timedelta(hours=6)
"""A machine dates its entries anew at each poll; a page that shows another thing every day takes longer."""
HALF_A_DAY = timedelta(hours=12)


class Pair(NamedTuple):
    """What agrees; None: one of the two says nothing.

    exact: the same date, of a kind that two posts hardly share. dateless: neither claims any date.
    """

    link: bool | None
    name: bool | None
    text: bool | None
    time: bool | None
    exact: bool
    dateless: bool
    untitled: bool
    later: bool
    gap: timedelta


def pair_of(each: Told, one: KnownEntry) -> Pair:
    mine, its = each.marks, one.marks
    told, known = each.claimed, one.claimed
    time = same_time(told, known)
    later = None if told is None or known is None else told - known
    return Pair(
        link=same(mine.link, its.link),
        name=same_name(mine, its),
        text=same(mine.text, its.text),
        time=time,
        exact=time is True and precise(told),
        dateless=told is None and known is None,
        untitled=mine.title is None and its.title is None,
        later=later is not None and later > timedelta(0),
        gap=abs(later or timedelta(0)),
    )


def is_the_same(each: Told, one: KnownEntry, *, only: bool) -> bool:
    """Whether it is this entry, whatever the rest of the document says; the store does not know its guid.

    They have a link, a text or a title with its date in common. only: no other entry, here or in the store,
    points where these two point.
    """
    pair = pair_of(each, one)
    only = only and pair.link is True
    if is_alike(each, one, only=only):
        return each.given or not another_on_its_page(pair)
    if only:
        return _is_the_one_there(pair)
    if not pair.name or pair.time is False:
        return False  # the same words at another time are a thing that recurs: the thread of the day
    if pair.link and (pair.text is not False or pair.exact):
        return True  # a link that many give, with title and date
    if pair.text and (pair.time or each.words >= LONG_TEXT):
        return True
    return pair.exact and pair.link is None


def _is_the_one_there(pair: Pair) -> bool:
    """It alone points where the other alone pointed, under another guid. Is it the same, or the next thing on
    a page that shows another every day (same title, other text, later date)?"""
    if pair.exact or (pair.text and (pair.name or pair.untitled or pair.time is not False)):
        return True
    if not pair.name:
        return False
    if pair.time is False:
        return pair.text is None and pair.gap < SOON
    return pair.time is True or pair.text is not False or not pair.dateless


def another_on_its_page(pair: Pair) -> bool:
    """The feed gives no guid, so that the page is what is known, and all that stands there is another thing.
    Sooner it would be an edit."""
    return pair.name is False and pair.text is False and pair.later and pair.gap >= HALF_A_DAY


# ---------------------------------------------------------------- guids that are alike

_MADE = re.compile(r"[0-9a-f]{16}|\S*/\S*")


def is_alike(each: Told, one: KnownEntry, *, only: bool) -> bool:
    """Their guids differ by noise. only: they alone have their link; then a number of its revision, or what
    we added because the link told several apart, is noise, too."""
    known = (one.guid, one.other) if one.other else (one.guid,)
    for guid in each.guids:
        for its in known:
            if same_guid(guid, its) or (only and (same_page(guid, its) or _same_before(guid, its))):
                return True
    return False


def _same_before(guid: str, other: str) -> bool:
    if " " not in guid and " " not in other:
        return False
    start = _own_part(guid)
    return start == _own_part(other) and (start != guid or start != other)


def _own_part(guid: str) -> str:
    """Without what we added to a guid that named several."""
    start, _, more = guid.rpartition(" ")
    return start if start and _MADE.fullmatch(more) else guid

"""Which entry is which: within a document, between two polls, and whether it is news to anyone. Pure.

    document → doubles become one (`doubles`) → known or new (`recognition`) → news, at rest, revised

No old article ever returns as new, and no new one is lost: what a feed does to guids, links, titles and dates
is weighed in `recognition`; here it is decided what becomes of each entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from digest import timing
from digest.feeds.doubles import Told
from digest.feeds.recognition import Match, recognize
from digest.model import Entry, Feed, Follow, KnownEntry, Marks, NewEntry

MOST_ENTRIES = 1_000
OLD = timedelta(days=30)  # what is dated so long before we last looked was not just published
ARCHIVE = 3  # so many old ones at once, below all that we know, are an archive and no stragglers


def newest(entries: Iterable[Entry]) -> Sequence[Entry]:
    """At most MOST_ENTRIES, in the order of the document: the newest if all have dates, else the first."""
    entries = tuple(entries)
    if len(entries) <= MOST_ENTRIES:
        return entries
    ages = [(entry.published, -place) for place, entry in enumerate(entries) if entry.published]
    if len(ages) < len(entries):
        return entries[:MOST_ENTRIES]
    oldest = sorted(ages, reverse=True)[MOST_ENTRIES - 1]
    return tuple(entry for entry, age in zip(entries, ages, strict=True) if age >= oldest)


def keys(told: Sequence[Told]) -> tuple[tuple[str, ...], tuple[Marks, ...]]:
    """What the store is asked for: every guid of the document, and beside each what else its entry could be
    recognized by."""
    pairs = [(guid, each.marks) for each in told for guid in each.guids]
    return tuple(guid for guid, _ in pairs), tuple(marks for _, marks in pairs)


def decide(
    feed: Feed,
    told: Sequence[Told],
    known: Sequence[KnownEntry],
    follows: Sequence[Follow],
    *,
    now: datetime,
) -> tuple[NewEntry, ...]:
    """Every entry of the document with what we make of it, oldest first: the store keeps this order.

    feed: as it was before this poll. told: what `doubles.read` made of its entries; a worker does that, it
    takes long. known: what the store has of what `keys` asked for. follows: all who follow it; what none of
    them may tell is recorded as known and is not news.
    """
    matches = recognize(told, known)
    settle = max((follow.settle for follow in follows), default=timedelta(0))
    rest_until = now + settle if settle else None
    archive = _archive(told, matches, feed.last_ok_at)
    backlog = feed.last_ok_at is None
    guids = {guid for each in known for guid in (each.guid, each.other)}
    found: dict[object, NewEntry] = {}
    for each, match in zip(told, matches, strict=True):
        published, dated = timing.clamp_published(
            each.entry.published, received_at=now, previous_poll=feed.last_ok_at
        )
        if match.known is not None:
            one, other = _known(each, match, match.known, dated, rest_until, guids), found.get(match.known.id)
            if other is not None:  # it stands there twice: the one with its guid counts, and has both guids
                one, other = (one, other) if match.by_guid else (other, one)
                one = replace(one, also=one.also or other.also)
            found[match.known.id] = one
            continue
        news = each.position not in archive and (
            not follows
            or any(
                timing.is_news(published, dated, backlog, each.position, now, first=follow.first, since=now)
                for follow in follows
            )
        )
        found.setdefault(
            match.guid,
            NewEntry(
                entry=each.entry if each.entry.guid == match.guid else replace(each.entry, guid=match.guid),
                hash=each.hash,
                marks=each.marks,
                also=next((guid for guid in each.guids if guid not in guids and guid != match.guid), ""),
                published=published,
                dated=dated,
                backlog=backlog,
                position=each.position,
                claimed=each.claimed,
                news=news,
                rest_until=rest_until,
            ),
        )
    # Documents stand newest first, most of them; where dates say otherwise, the dates are right.
    return tuple(sorted(found.values(), key=lambda each: (each.published, -each.position)))


def _known(
    each: Told,
    match: Match,
    known: KnownEntry,
    dated: bool,
    rest_until: datetime | None,
    guids: set[str | None],
) -> NewEntry:
    """An entry told before: what of it is to be written down anew."""
    unmarked = known.marks == Marks()  # from before there were marks, with another kind of hash
    revised = not unmarked and _is_revised(each, known)
    latest = revised or each.hash == known.hash  # else it is an old copy, and its signs are old, too
    also = next((guid for guid in each.guids if guid not in guids), "")
    elsewhere = each.marks != known.marks or each.claimed != known.claimed
    return NewEntry(
        entry=each.entry,
        hash=each.hash,
        marks=each.marks,
        known=known.id,
        also=also if known.other is None or (latest and not match.by_guid) else "",
        revised=revised,
        # Where a guid names it, its other signs are needed only when that changes: then these are the last.
        marked=unmarked or revised or (latest and elsewhere and not match.by_guid),
        published=known.published,
        dated=dated,
        backlog=False,
        position=each.position,
        claimed=each.claimed,
        news=False,
        rest_until=rest_until if revised else None,
    )


def _is_revised(each: Told, known: KnownEntry) -> bool:
    """Whether it says something new. What it said before is an old copy of the document (a cache, another
    server), unless it claims to be newer; what claims to be older is one that we missed."""
    if each.hash == known.hash:
        return False
    updated, before = each.entry.updated, known.updated
    if updated is None or before is None:
        return each.hash not in known.hashes
    return updated > before or (updated == before and each.hash not in known.hashes)


def _archive(told: Sequence[Told], matches: Sequence[Match], last_ok_at: datetime | None) -> set[int]:
    """The positions of what was published long ago and only shows up now, among entries that we know: pages
    that a feed has opened, a document that has become longer. One straggler is no archive."""
    known = [
        each.entry.published for each, match in zip(told, matches, strict=True) if match.known is not None
    ]
    claims = [claim for claim in known if claim is not None]
    if last_ok_at is None or not claims:
        return set()
    newest_known, oldest_known = max(claims), min(claims)
    fresh = [
        (each.position, each.entry.published)
        for each, match in zip(told, matches, strict=True)
        if match.known is None and each.entry.published is not None
    ]
    old = {position for position, claim in fresh if claim < min(last_ok_at - OLD, newest_known)}
    below = {position for position, claim in fresh if claim < min(last_ok_at - timing.DAY, oldest_known)}
    return old | below if len(below) >= ARCHIVE <= len(claims) else old

"""Which entry is which: within a document, between two polls, and whether it is news to anyone. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from digest import timing
from digest.model import Entry, Feed, Follow, KnownEntry, Marks, NewEntry, Parsed

MOST_ENTRIES = 1_000

# ---------------------------------------------------------------- within a document


def identified(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Every entry gets a guid: its own, else its link, else a fingerprint of what it says. One that says
    nothing at all is left out. A link that several entries give, each with its own title, names none."""
    entries = tuple(entries)
    linked: dict[str, set[str]] = {}
    for entry in entries:
        if not entry.guid:
            linked.setdefault(entry.url, set()).add(entry.title)
    for entry in entries:
        if entry.guid or (entry.url and len(linked[entry.url]) == 1):
            yield replace(entry, guid=entry.guid or entry.url)
        elif entry.title or entry.html or entry.description:
            said = _digest(entry.title, entry.html or entry.description)
            yield replace(entry, guid=f"sha256:{said}")


def without_doubles(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The first of each guid. Entries that share one but neither link nor title are not the same: then the
    feed does not know what a guid is, and the link becomes a part of it."""
    entries = tuple(entries)
    sharing: dict[str, set[tuple[str, str]]] = {}
    for entry in entries:
        sharing.setdefault(entry.guid, set()).add((entry.url, entry.title))
    broken = {guid for guid, said in sharing.items() if len(said) > 1 and _all_differ(said)}
    seen: set[str] = set()
    for entry in entries:
        guid = f"{entry.guid} {entry.url}" if entry.guid in broken else entry.guid
        if guid not in seen:
            seen.add(guid)
            yield replace(entry, guid=guid)


def _all_differ(said: set[tuple[str, str]]) -> bool:
    urls, titles = zip(*said, strict=True)
    return len(set(urls)) == len(set(titles)) == len(said)


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


# ---------------------------------------------------------------- between two polls


def content_hash(entry: Entry) -> str:
    """The fingerprint of what a reader could see of it: a changed one is a revision. Dates, counters and
    picture addresses that change with every poll are not part of it."""
    return _digest(
        entry.title, entry.html, entry.description, entry.url, *entry.authors, "", *entry.categories
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()


def keys(parsed: Parsed) -> tuple[tuple[str, ...], tuple[Marks, ...]]:
    return tuple(entry.guid for entry in parsed.entries), ()


def decide(
    feed: Feed, parsed: Parsed, known: Sequence[KnownEntry], follows: Sequence[Follow], *, now: datetime
) -> tuple[NewEntry, ...]:
    """Every entry of the document with what we make of it, oldest first: the store keeps this order.

    feed: as it was before this poll. follows: all who follow it; what none of them may tell is recorded as
    known and is not news.
    """
    backlog = feed.last_ok_at is None
    settle = max((follow.settle for follow in follows), default=timedelta(0))
    found = []
    for position, entry in enumerate(parsed.entries):
        published, dated = timing.clamp_published(
            entry.published, received_at=now, previous_poll=feed.last_ok_at
        )
        news = not follows or any(
            timing.is_news(published, dated, backlog, position, now, first=follow.first, since=now)
            for follow in follows
        )
        found.append(
            NewEntry(
                entry=entry,
                hash=content_hash(entry),
                published=published,
                dated=dated,
                backlog=backlog,
                position=position,
                news=news,
                rest_until=now + settle if settle else None,
            )
        )
    # Documents stand newest first, most of them; where dates say otherwise, the dates are right.
    return tuple(sorted(found, key=lambda each: (each.published, -each.position)))

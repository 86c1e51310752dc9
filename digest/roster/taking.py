"""The second pass: the people of the spool are taken in, a chunk a transaction, politely.

How many make a chunk is decided by the time that the last one took: while it is written nobody else can
write, and a page or a letter may be waiting.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.model import Bookmark, SubscriptionStatus, Vouched
from digest.pace import Pace
from digest.roster.people import Person
from digest.roster.spool import Spool, in_chunks
from digest.roster.standing import UNKNOWN
from digest.store import Store

PAUSE_SECONDS = 0.004  # at least, between two chunks
LOOKED_UP = 5_000  # in one reading

# Outcomes that the list itself decides.
WAITING, DOUBTED = "never confirmed by the list", "in doubt"
_KEPT_OUT = {SubscriptionStatus.PENDING.value: WAITING, UNKNOWN: DOUBTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """What became of the people of a list, by outcome. resumed: `before` of them by an earlier run."""

    counts: Mapping[str, int]
    resumed: bool = False
    before: int = 0


async def survey(spool: Spool, store: Store, *, total: int, progress: Callable[[int, int], None]) -> Sum:
    """What `take_in` would do now; nothing is changed."""
    counts: Counter[str] = Counter()
    for chunk in in_chunks(spool.take(), lambda: LOOKED_UP):
        vouched, gone, kept_out = _sorted_out(chunk, "", 0)
        counts += kept_out
        counts.update(await store.imports.survey(vouched, gone))
        progress(counts.total(), total)
    return Sum(counts=dict(counts))


async def take_in(
    spool: Spool,
    store: Store,
    *,
    key: str,
    file: str,
    total: int,
    clock: Callable[[], datetime],
    progress: Callable[[int, int], None],
) -> Sum:
    """Everybody of the spool, from the bookmark on. key: what is imported, and how; file: its name. Raises
    NotFound, NotReady; then what is in is in, and the next call goes on."""
    loop, pace = asyncio.get_running_loop(), Pace()
    bookmark = await store.imports.begin(key, file=file, now=clock())
    before, resumed = sum(bookmark.counts.values()), bookmark.resumed
    ended = loop.time()
    for chunk in in_chunks(spool.take(bookmark.after), lambda: pace.size):
        progress(sum(bookmark.counts.values()), total)
        vouched, gone, kept_out = _sorted_out(chunk, file, bookmark.id)
        if kept_out:
            bookmark = _counted(bookmark, kept_out)
        await asyncio.sleep(ended + PAUSE_SECONDS - loop.time())  # less what it took to get them ready
        start = loop.time()
        bookmark = await store.imports.take_in(bookmark, vouched, chunk[-1][0], gone=gone, now=clock())
        ended = loop.time()
        pace.took(len(vouched) + len(gone), ended - start)
    await store.imports.finish(bookmark, now=clock())
    return Sum(counts=bookmark.counts, resumed=resumed, before=before)


def _counted(bookmark: Bookmark, more: Mapping[str, int]) -> Bookmark:
    return Bookmark(
        id=bookmark.id,
        after=bookmark.after,
        counts=dict(Counter(bookmark.counts) + Counter(more)),
        started_at=bookmark.started_at,
        resumed=bookmark.resumed,
    )


def _sorted_out(
    chunk: Sequence[tuple[bytes, Person]], file: str, number: int
) -> tuple[list[Vouched], list[Vouched], Counter[str]]:
    """Who is vouched for, with the evidence; who left, by the list; how many else it keeps out."""
    start = f'{{"file":{json.dumps(file)},"import":{number},"line":'
    kept_out: Counter[str] = Counter()
    vouched, gone = [], []
    for where, person in chunk:
        if person.status == SubscriptionStatus.LEFT.value:
            gone.append(Vouched(where[:32], person.address, person.newsletter))
            continue
        if person.status in _KEPT_OUT:
            kept_out[_KEPT_OUT[person.status]] += 1
            continue
        vouched.append(
            Vouched(
                where[:32],
                person.address,
                person.newsletter,
                f"{start}{person.line}{_rest(person)}}}",
                person.confirmed_at,
                person.status == SubscriptionStatus.PAUSED.value,
                person.paused_until,
                person.language,
            )
        )
    return vouched, gone, kept_out


def _rest(person: Person) -> str:
    given = "" if person.confirmed_at is None else f',"agreed":"{person.confirmed_at.isoformat()}"'
    return given + (f',"said":{json.dumps(person.note)}' if person.note else "")

"""Who left by the word of a list: remembered like those who left here; no later list brings them back.

Only the keyed hash is kept (`people.departure_of`). There is no line in the consent ledger: it tells what
people said to us, and these said it elsewhere.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from digest.model import SubscriptionStatus, Vouched
from digest.store.bulk import Rows, look_up, marker
from digest.store.codec import since_epoch

GONE, READS = "left by the list", "reads here"
_READING = (SubscriptionStatus.ACTIVE.value, SubscriptionStatus.PAUSED.value)
_DEPARTURE = {"hash": "text", "at": "bigint"}


def farewells(
    raw: sqlite3.Connection | Connection, pepper: bytes, people: Sequence[Vouched], now: datetime | None
) -> list[str]:
    """What became of each: `GONE`, or `READS` for a reader of ours, whose yes to us stands. people: for their
    names only. now: None changes nothing."""
    rows = Rows(raw)
    known = look_up(rows, pepper, people)
    reads = [
        known.subscriptions.get((one.newsletter, one.mark.hex()), (0, ""))[1] in _READING for one in people
    ]
    if now is not None:
        mark, at = marker(pepper), since_epoch(now)
        left = [one for one, reading in zip(people, reads, strict=True) if not reading]
        hashes = [(mark(f"left {one.newsletter} {one.address}").hex(), at) for one in left]
        rows.add("departures", _DEPARTURE, hashes, unless_there=True)
    return [READS if reading else GONE for reading in reads]

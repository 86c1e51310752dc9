"""What feeds said: every entry once, its later versions beside it, and what it can be recognized by.

A poll writes here what `feeds.identity` has decided. Plain SQL with plain numbers: a feed's first document
may hold a thousand entries, and what SQLAlchemy does for each parameter took longer than the database.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import KnownEntry, Marks, NewEntry
from digest.store.codec import AnyRow, clean, encode_entry, from_epoch, key_of, since_epoch
from digest.store.database import READY_LOCK, Database

MOST_REVISIONS = 20  # of an entry; one that changes with every poll must not fill the database
MOST_RESTS = 4  # an entry that is edited at every poll comes out after so many of its rests
ALIKE = 4  # of the entries that share a mark, the latest; from two on it tells none of them by itself

# ---------------------------------------------------------------- what a feed has told before

_KNOWN = """e.id, e.guid, e.guid_key, e.also_key, e.hash, e.published, e.claimed, e.updated, e.unread,
    e.link_mark, e.said_mark, e.title_mark, e.text_mark,
    (SELECT {list}(r.hash, ',') FROM entry_revisions r WHERE r.entry_id = e.id) AS hashes
    FROM entries e"""
_BY_GUID = """SELECT {known} WHERE e.feed_id = :feed AND e.guid_key IN ({keys})
    UNION ALL SELECT {known} WHERE e.feed_id = :feed AND e.also_key IN ({keys})"""
_LATEST = """SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY {name}_mark ORDER BY id DESC) AS place
        FROM entries WHERE feed_id = :feed AND {name}_mark IN ({among})
    ) AS {name} WHERE place <= :most"""
_BY_MARKS = "SELECT {known} WHERE e.id IN ({ids})"


def _statements(many: str, numbers: str, joined: str) -> tuple[TextClause, TextClause]:
    """By guid and by marks. However many are asked for, they travel as one parameter."""
    known = _KNOWN.format(list=joined)
    marks = (_LATEST.format(name=name, among=numbers.format(name)) for name in ("link", "said", "text"))
    return (
        text(_BY_GUID.format(known=known, keys=many)),
        text(_BY_MARKS.format(known=known, ids=" UNION ".join(marks))),
    )


_ASK = {
    "sqlite": _statements(
        "SELECT value FROM json_each(:keys)", "SELECT value FROM json_each(:{})", "group_concat"
    ),
    "postgresql": _statements(
        "SELECT unnest(CAST(:keys AS TEXT[]))", "SELECT unnest(CAST(:{} AS BIGINT[]))", "string_agg"
    ),
}


def _many(database: Database, values: list[Any]) -> Any:
    return json.dumps(values) if database.dialect == "sqlite" else values


async def find_known(
    database: Database, feed_id: int, guids: Sequence[str], marks: Sequence[Marks]
) -> list[KnownEntry]:
    """The entries of this feed that have one of these guids, and what might be the others under another."""
    keys = [key_of(guid) for guid in guids]
    asked = dict(zip(keys, guids, strict=True))
    by_guid, by_marks = _ASK[database.dialect]
    async with database.reading() as connection:
        given = {"feed": feed_id, "keys": _many(database, list(asked))}
        rows = {row.id: row for row in await connection.execute(by_guid, given)}
        named = {row.also_key: row for row in rows.values()} | {row.guid_key: row for row in rows.values()}
        strange = [
            signs
            for key, signs in zip(keys, marks, strict=True)
            if key not in named or _is_another_now(signs, named[key])
        ]
        if strange:
            given = {"feed": feed_id, "most": ALIKE}
            for name in ("link", "said", "text"):
                given[name] = _many(
                    database, [value for signs in strange if (value := getattr(signs, name)) is not None]
                )
            rows |= {row.id: row for row in await connection.execute(by_marks, given)}
    return [_known(row, asked) for row in rows.values()]


def _is_another_now(signs: Marks, row: AnyRow) -> bool:
    """The guid is known, but a feed may give a guid again: then it is another entry of ours, or a new one."""
    pairs = ((signs.link, row.link_mark), (signs.title, row.title_mark), (signs.text, row.text_mark))
    return any(None not in pair and pair[0] != pair[1] for pair in pairs)


def _known(row: AnyRow, asked: dict[str, str]) -> KnownEntry:
    return KnownEntry(
        id=row.id,
        guid=asked.get(row.guid_key, row.guid),
        other=None if row.also_key is None else asked.get(row.also_key, ""),
        marks=Marks(link=row.link_mark, said=row.said_mark, title=row.title_mark, text=row.text_mark),
        hash=row.hash,
        hashes=(row.hash, *row.hashes.split(",")) if row.hashes else (row.hash,),
        published=from_epoch(row.published),
        claimed=None if row.claimed is None else from_epoch(row.claimed),
        updated=None if row.updated is None else from_epoch(row.updated),
        unread=bool(row.unread),
    )


# ---------------------------------------------------------------- what a poll brought

_MARKS = ("hash", "link_mark", "said_mark", "title_mark", "text_mark", "claimed", "updated")
_ROW = ("feed_id", "guid_key", "guid", "also_key", "data", "published", "dated", "backlog", "position",
        "received_at", "rest_until", "unread", *_MARKS)  # fmt: skip
_HOLES = {"sqlite": "?", "postgresql": "%s"}
_TOGETHER = 100
"""Rows in one statement on SQLite. After each statement the writer's thread waits for Python's lock. Beside a
loop that never rests, 45,000 entries took 6 s ten rows at a time, and 3 s so; alone, 0.6 s."""


def _insert(hole: str, rows: int) -> str:
    row = f"({', '.join([hole] * len(_ROW))})"
    return (
        f"INSERT INTO entries ({', '.join(_ROW)}) VALUES {', '.join([row] * rows)}"  # noqa: S608
        " ON CONFLICT (feed_id, guid_key) DO NOTHING"
    )


_INSERT = {dialect: _insert(hole, 1) for dialect, hole in _HOLES.items()}
_INSERT_TOGETHER = _insert(_HOLES["sqlite"], _TOGETHER)
_MARK = text(f"UPDATE entries SET {', '.join(f'{name} = :{name}' for name in _MARKS)} WHERE id = :id")  # noqa: S608
_ALSO = text("UPDATE entries SET also_key = :key WHERE id = :id")


async def record_entries(
    database: Database,
    connection: AsyncConnection,
    polls: Iterable[tuple[int, Iterable[NewEntry]]],
    now: datetime,
) -> list[int]:
    """What polls of these feeds brought, in one statement; how many entries are new in each. Their fences
    keep everyone else out; ids ascend in this order."""
    fresh: list[tuple[Any, ...]] = []
    changed: list[NewEntry] = []
    counts = []
    for feed_id, given in polls:
        rows: dict[str, tuple[Any, ...]] = {}
        for new in given:
            if new.known is None:
                # Letters that no database takes may make two guids one: the first counts.
                key = key_of(new.entry.guid)
                if key not in rows:
                    rows[key] = _row(feed_id, key, new, now)
            elif new.revised or new.marked or new.also:
                changed.append(new)
        fresh += rows.values()
        counts.append(len(rows))
    if changed:
        await _record_known(database, connection, changed, now)
    if database.dialect == "sqlite" and len(fresh) >= _TOGETHER:
        whole = len(fresh) - len(fresh) % _TOGETHER
        flat = list(chain.from_iterable(fresh[:whole]))
        size = _TOGETHER * len(_ROW)
        batches = [tuple(flat[start : start + size]) for start in range(0, len(flat), size)]
        await connection.exec_driver_sql(_INSERT_TOGETHER, batches)
        fresh = fresh[whole:]
    if fresh:
        await connection.exec_driver_sql(_INSERT[database.dialect], fresh)
    return counts


def _row(feed_id: int, key: str, new: NewEntry, now: datetime) -> tuple[Any, ...]:
    marks = new.marks
    return (
        feed_id,
        key,
        clean(new.entry.guid),
        key_of(new.also) if new.also else None,
        encode_entry(new.entry),
        since_epoch(new.published),
        new.dated,
        new.backlog,
        new.position,
        since_epoch(now),
        since_epoch(new.rest_until),
        new.news,
        new.hash,
        marks.link,
        marks.said,
        marks.title,
        marks.text,
        since_epoch(new.claimed),
        since_epoch(new.entry.updated),
    )


def _marks(new: NewEntry) -> dict[str, Any]:
    marks = new.marks
    return {
        "hash": new.hash,
        "link_mark": marks.link,
        "said_mark": marks.said,
        "title_mark": marks.title,
        "text_mark": marks.text,
        "claimed": since_epoch(new.claimed),
        "updated": since_epoch(new.entry.updated),
    }


async def _record_known(
    database: Database, connection: AsyncConnection, changed: Sequence[NewEntry], now: datetime
) -> None:
    revised = {new.known: new for new in changed if new.revised and new.known is not None}
    if revised:
        await _revise(database, connection, revised, now)
    marked = [{"id": new.known, **_marks(new)} for new in changed if new.revised or new.marked]
    if marked:
        await connection.execute(_MARK, marked)
    renamed = [{"id": new.known, "key": key_of(new.also)} for new in changed if new.also]
    if renamed:
        await connection.execute(_ALSO, renamed)


# ---------------------------------------------------------------- what an entry says now

_THESE = {
    "sqlite": "SELECT value FROM json_each(:ids)",
    "postgresql": "SELECT unnest(CAST(:ids AS BIGINT[]))",
}
_BEFORE = {
    dialect: text(
        f"""SELECT e.id, e.hash, e.data, e.unread, e.received_at,
            EXISTS (SELECT 1 FROM articles a WHERE a.entry_id = e.id AND a.ready IS NULL) AS resting,
            (SELECT count(*) FROM entry_revisions r WHERE r.entry_id = e.id) AS told,
            (SELECT max(r.number) FROM entry_revisions r WHERE r.entry_id = e.id) AS last
            FROM entries e WHERE e.id IN ({these})"""  # noqa: S608
    )
    for dialect, these in _THESE.items()
}
_HOLD = text("SELECT id FROM entries WHERE id = ANY(:ids) ORDER BY id FOR UPDATE")
_REVISION = text(
    """INSERT INTO entry_revisions (entry_id, number, hash, data, recorded_at)
       VALUES (:entry_id, :number, :hash, :data, :recorded_at)"""
)
_FORGET = text("DELETE FROM articles WHERE entry_id = :id AND ready IS NULL")
_READ_AGAIN = text(
    """UPDATE entries SET data = :data, rest_until = :rest_until, unread = TRUE, attempts = 0,
       fence = fence + 1, lease_until = 0 WHERE id = :id"""
)


async def _revise(
    database: Database, connection: AsyncConnection, revised: dict[int, NewEntry], now: datetime
) -> None:
    """Append what these entries say now.

    Where no issue can have used the old words yet, the new ones take their place: an unread entry is read as
    it is now (a reader who holds the old words by a lease is fenced out of them), and an article that rests
    is given up and the entry read again. What has its `ready` number stays as it was read.
    """
    # While numbers are given nothing may be given up, or the count would leave one out.
    await database.lock(connection, READY_LOCK)
    these = {"ids": _many(database, list(revised))}
    if database.dialect == "postgresql":
        # Whoever is writing down an article of one of them ends first, and what it wrote is seen below.
        await connection.execute(_HOLD, these)
    revisions, again = [], []
    for row in (await connection.execute(_BEFORE[database.dialect], these)).all():
        new = revised[row.id]
        data = encode_entry(new.entry)
        if row.data is not None and row.told < MOST_REVISIONS:  # of a pruned entry nothing is kept any more
            if row.last is None:
                revisions.append((row.id, 1, row.hash, row.data, row.received_at))
            revisions.append((row.id, (row.last or 1) + 1, new.hash, data, since_epoch(now)))
        if row.unread or row.resting:
            again.append({"id": row.id, "data": data, "rest_until": _rest_until(new, row.received_at, now)})
    if again:
        await connection.execute(_FORGET, [{"id": row["id"]} for row in again])
        await connection.execute(_READ_AGAIN, again)
    if revisions:
        names = ("entry_id", "number", "hash", "data", "recorded_at")
        await connection.execute(_REVISION, [dict(zip(names, row, strict=True)) for row in revisions])


def _rest_until(new: NewEntry, received_at: int, now: datetime) -> int | None:
    """An edit starts the rest again, but one that is edited at every poll comes out at last."""
    if new.rest_until is None:
        return None
    rest = new.rest_until - now
    return since_epoch(min(new.rest_until, from_epoch(received_at) + MOST_RESTS * rest))

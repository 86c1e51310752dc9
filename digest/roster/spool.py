"""Where the people of a list lie between the two passes: on disk, sorted, each once.

SQLite's own nameless database: its file is deleted as soon as it is open, so that nothing of it can be found
after a crash, and its memory is bounded whatever the list is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from digest.roster.people import Person
from digest.store.codec import from_epoch, since_epoch

MEMORY = 32 * 1024  # kilobytes
AT_ONCE = 10_000
_COLUMNS = "mark, newsletter, line, address, status, confirmed_at, paused_until, note, language"


class Double(NamedTuple):
    """A line whose address stood in an earlier one. first: that one."""

    line: int
    first: int
    address: str


class Spool:
    """Put people in, `sort` once, take them out. mark_of: what stands for a person in any spelling."""

    def __init__(self, mark_of: Callable[[str], bytes]) -> None:
        self._mark_of = mark_of
        self._waiting: list[tuple[object, ...]] = []
        self._doubted = False
        self._database = sqlite3.connect("", isolation_level=None)
        for setting in (f"cache_size=-{MEMORY}", "journal_mode=OFF", "synchronous=OFF", "temp_store=FILE"):
            self._database.execute(f"PRAGMA {setting}")
        self._database.execute(f"CREATE TABLE read ({_COLUMNS})")
        self._database.execute("CREATE TABLE doubted (mark, newsletter)")
        self._database.execute("BEGIN")

    def close(self) -> None:
        """Everything in it is gone."""
        self._database.close()

    def put(self, person: Person, newsletter: str) -> None:
        """As long as it is not sorted."""
        line, address, _, status, confirmed_at, paused_until, note, language, _ = person
        self._waiting.append(
            (
                self._mark_of(address),
                newsletter,
                line,
                address,
                status,
                since_epoch(confirmed_at),
                paused_until.isoformat() if paused_until else None,
                note,
                language,
            )
        )
        if len(self._waiting) == AT_ONCE:
            self._flush()

    def doubt(self, address: str, newsletter: str) -> None:
        """Whoever has this address is taken in by no other line. newsletter: "" for any."""
        self._doubted = True
        self._database.execute("INSERT INTO doubted VALUES (?,?)", (self._mark_of(address), newsletter))

    def _flush(self) -> None:
        self._database.executemany("INSERT INTO read VALUES (?,?,?,?,?,?,?,?,?)", self._waiting)
        self._waiting.clear()

    def sort(self) -> int:
        """How many people there are. In the order of their marks each chunk of them lies close together in
        an index of the store. The first line of a person counts; a no counts from any line, and a word
        that nobody knows too, as it may be one; so does a line that cannot be read."""
        self._flush()
        self._database.execute(
            "CREATE TABLE people AS SELECT *,"
            " row_number() OVER person AS place, first_value(line) OVER person AS first,"
            " max(CASE status WHEN 'left' THEN 2 WHEN 'unknown' THEN 1 ELSE 0 END)"
            " OVER (PARTITION BY mark, newsletter) AS against"
            " FROM read WINDOW person AS (PARTITION BY mark, newsletter ORDER BY line)"
            " ORDER BY mark, newsletter, line"
        )
        if self._doubted:
            self._database.execute("CREATE INDEX who ON doubted (mark)")
            self._database.execute(
                "UPDATE people SET against = max(against, 1) WHERE EXISTS (SELECT 1 FROM doubted AS d"
                " WHERE d.mark = people.mark AND d.newsletter IN ('', people.newsletter))"
            )
        self._database.execute("COMMIT")
        self._database.execute("DROP TABLE read")
        return int(self._database.execute("SELECT count(*) FROM people WHERE place = 1").fetchone()[0])

    def doubles(self) -> Iterator[Double]:
        """The lines that are no person of their own, in the order of the file, less those that are bad."""
        found = self._database.execute(
            "SELECT line, first, address FROM people WHERE place > 1 AND status <> 'unknown' ORDER BY line"
        )
        return (Double(*row) for row in found)

    def take(self, after: bytes = b"") -> Iterator[tuple[bytes, Person]]:
        """Each person once, with where they lie; after: only those behind this place."""
        found = self._database.execute(
            "SELECT mark, newsletter, line, address,"
            " CASE against WHEN 2 THEN 'left' WHEN 1 THEN 'unknown' ELSE status END,"
            " confirmed_at, paused_until, note, language FROM people WHERE place = 1 ORDER BY rowid"
        )
        for mark, newsletter, line, address, status, confirmed_at, paused_until, *words in found:
            where = mark + newsletter.encode()
            if where > after:
                moment = None if confirmed_at is None else from_epoch(confirmed_at)
                until = date.fromisoformat(paused_until) if paused_until else None
                yield where, Person(line, address, newsletter, status, moment, until, *words)


def in_chunks(
    people: Iterator[tuple[bytes, Person]], size: Callable[[], int]
) -> Iterator[Sequence[tuple[bytes, Person]]]:
    """Some at a time; how many, is asked each time."""
    chunk: list[tuple[bytes, Person]] = []
    for one in people:
        chunk.append(one)
        if len(chunk) >= size():
            yield chunk
            chunk = []
    if chunk:
        yield chunk

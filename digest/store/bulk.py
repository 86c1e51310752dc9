"""Taking many people in at once, as part of a transaction: a handful of statements however many they are.

The same rules as for one (`joining`): who left stays away, who is suppressed too, and each yes is a sealed
line of the consent ledger. Rows go to the driver as they are: SQLite is asked with `json_each` and
`executemany`, PostgreSQL with arrays.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Edition, NotFound, SubscriptionStatus, Vouched
from digest.store.chain import SEAL, Chain, Line, mark_of, person_of
from digest.store.codec import since_epoch
from digest.store.database import Database
from digest.store.editions import own_edition
from digest.store.joining import DECISIVE, DEPARTURES, is_published
from digest.store.seals import put_head, take_chain

ACTIVE, PAUSED, LEFT = (
    SubscriptionStatus.ACTIVE.value,
    SubscriptionStatus.PAUSED.value,
    SubscriptionStatus.LEFT.value,
)
_RANK = {ACTIVE: 3, PAUSED: 3, LEFT: 2}  # which counts when an address has rows in several spellings


def marker(pepper: bytes) -> Callable[[str], bytes]:
    """What stands for a person by any spelling of their address: the bytes of `people.hash_of`.

    HMAC-SHA256 (RFC 2104) written out for one key: the library's one-shot digest takes three times as long.
    """
    block = pepper.ljust(64, b"\0")
    inner, outer = bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)
    return lambda address: sha256(outer + sha256(inner + address.casefold().encode()).digest()).digest()


def _departures(mark: Callable[[str], bytes], person: Vouched) -> list[str]:
    """What may stand in `departures` for somebody who left, or reads elsewhere: `people.departure_of`."""
    return [mark(f"{kind} {person.newsletter} {person.address}").hex() for kind in DEPARTURES]


async def admit(
    database: Database,
    connection: AsyncConnection,
    people: Sequence[Vouched],
    *,
    source: str,
    now: datetime,
    back: bool = False,
) -> list[str]:
    """What becomes of each: "added", "already", "left" (stays so) or "suppressed". Raises NotFound.

    back: also take in again whom the config took out. The editions' cursors are read here, and kept from
    moving until the end of the transaction, for the reason in `create_subscription`.
    """
    chain = await take_chain(database, connection)
    editions: dict[str, Edition] = {}
    for slug in sorted({person.newsletter for person in people}):
        if not await is_published(connection, slug):
            raise NotFound(f"there is no newsletter {slug!r}")
        editions[slug] = await own_edition(connection, slug, share=True)

    def work(raw: sqlite3.Connection | Connection) -> list[str]:
        known = look_up(Rows(raw), database.pepper, people, back=back)
        outcomes = [known.outcome(person) for person in people]
        wanted = [person for person, outcome in zip(people, outcomes, strict=True) if outcome == "added"]
        if wanted:
            _write(Rows(raw), known, wanted, editions, chain, source, now)
        return outcomes

    outcomes = await database.by_hand(connection, work)
    if chain is not None:
        await put_head(connection, chain.head)
    return outcomes


# ---------------------------------------------------------------- statements


@dataclass(frozen=True, slots=True)
class Rows:
    """Statements of both databases over many values, as `Database.by_hand` lends a connection."""

    connection: sqlite3.Connection | Connection

    @property
    def _on_sqlite(self) -> bool:
        return isinstance(self.connection, sqlite3.Connection)

    def one(self, statement: str, values: tuple[Any, ...] = ()) -> Any:
        """The first value of the first row; None when there is none."""
        row = self._run(statement, values).fetchone()
        return None if row is None else row[0]

    def all(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        """All rows, as the driver gives them."""
        return list(self._run(statement, values).fetchall())

    def among(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a statement that joins `wanted(value)`: these values, all texts or all numbers."""
        if not values:
            return []
        given: Any = list(values)
        if self._on_sqlite:
            table, given = "(SELECT value FROM json_each(?)) AS wanted", json.dumps(given)
        else:
            kind = "text" if isinstance(given[0], str) else "bigint"
            table = f"unnest(?::{kind}[]) AS wanted(value)"
        # CROSS JOIN: SQLite then looks each value up, and never walks the large table instead.
        return [tuple(row) for row in self._run(statement.format(wanted=table), (given,)).fetchall()]

    def add(
        self,
        table: str,
        columns: Mapping[str, str],
        rows: Sequence[tuple[Any, ...]],
        *,
        unless_there: bool = False,
    ) -> None:
        """Insert these rows. columns: name and PostgreSQL type. unless_there: pass over keys that are."""
        if not rows:
            return
        names, end = ", ".join(columns), " ON CONFLICT DO NOTHING" if unless_there else ""
        if self._on_sqlite:
            places = ", ".join("?" * len(columns))
            self.change(f"INSERT INTO {table} ({names}) VALUES ({places}){end}", rows)  # noqa: S608 - our own words
            return
        arrays = ", ".join(f"?::{kind}[]" for kind in columns.values())
        statement = f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays}){end}"  # noqa: S608 - our own words
        self._run(statement, tuple(map(list, zip(*rows, strict=True))))

    def change(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """One statement for each row, with `?` for its values."""
        if not rows:
            return
        if isinstance(self.connection, sqlite3.Connection):
            self.connection.executemany(statement, rows)
        else:
            self.connection.exec_driver_sql(statement.replace("?", "%s"), list(rows))

    def ids(self, table: str, count: int) -> Sequence[int]:
        """So many ids that nobody else gets. (On SQLite we are the only writer until we commit.)"""
        if self._on_sqlite:
            last = self.one("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)) or 0
            return range(last + 1, last + 1 + count)
        asked = "SELECT nextval(pg_get_serial_sequence(?, 'id')) FROM generate_series(1, ?)"
        return [row[0] for row in self._run(asked, (table, count)).fetchall()]

    def _run(self, statement: str, values: tuple[Any, ...]) -> Any:
        if isinstance(self.connection, sqlite3.Connection):
            return self.connection.execute(statement, values)
        return self.connection.exec_driver_sql(statement.replace("?", "%s"), values)

    def day(self, value: date | None) -> Any:
        """A date as the driver takes it."""
        return value.isoformat() if value is not None and self._on_sqlite else value


# ---------------------------------------------------------------- what is known of them


@dataclass(slots=True)
class Known:
    """What the store knows of some people. persons: (id, address, salt) by mark; subscriptions: (id, status)
    by newsletter and mark."""

    pepper_mark: Callable[[str], bytes]
    suppressed: frozenset[str] = frozenset()
    departed: frozenset[str] = frozenset()
    persons: dict[str, tuple[int, str, bytes | None]] = field(default_factory=dict)
    subscriptions: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    taken_out: frozenset[int] = frozenset()  # subscriptions that the config ended, and may begin again

    def outcome(self, person: Vouched) -> str:
        """What becomes of this one; who comes twice is there already the second time."""
        mark = person.mark.hex()
        if mark in self.suppressed:
            return "suppressed"
        number, status = self.subscriptions.get((person.newsletter, mark), (0, ""))
        if status in (ACTIVE, PAUSED):
            return "already"
        if status == LEFT and number not in self.taken_out:
            return "left"
        if self.departed and not self.departed.isdisjoint(_departures(self.pepper_mark, person)):
            return "left"
        self.subscriptions[person.newsletter, mark] = (number, ACTIVE)
        return "added"


def look_up(rows: Rows, pepper: bytes, people: Sequence[Vouched], *, back: bool = False) -> Known:
    """Everything that decides what becomes of these people."""
    known = Known(marker(pepper))
    marks = list({person.mark.hex() for person in people})
    known.suppressed = frozenset(
        mark
        for (mark,) in rows.among(
            "SELECT s.hash FROM {wanted} CROSS JOIN suppressions AS s WHERE s.hash = wanted.value", marks
        )
    )
    if rows.one("SELECT 1 FROM departures LIMIT 1"):
        asked = [mark for one in people for mark in _departures(known.pepper_mark, one)]
        known.departed = frozenset(
            mark
            for (mark,) in rows.among(
                "SELECT d.hash FROM {wanted} CROSS JOIN departures AS d WHERE d.hash = wanted.value", asked
            )
        )
    mark_of_id: dict[int, str] = {}
    for number, address, mark, salt in rows.among(
        "SELECT s.id, s.address, s.hash, s.salt FROM {wanted} CROSS JOIN subscribers AS s"
        " WHERE s.hash = wanted.value ORDER BY s.id",
        marks,
    ):
        known.persons.setdefault(mark, (number, address, salt))
        mark_of_id[number] = mark
    wished = {person.newsletter for person in people}
    for number, person_id, newsletter, status in rows.among(
        "SELECT s.id, s.subscriber_id, s.newsletter, s.status FROM {wanted} CROSS JOIN subscriptions AS s"
        " WHERE s.subscriber_id = wanted.value ORDER BY s.id",
        list(mark_of_id),
    ):
        place = (newsletter, mark_of_id[person_id])
        before = known.subscriptions.get(place)
        if newsletter in wished and (before is None or _RANK.get(status, 1) > _RANK.get(before[1], 1)):
            known.subscriptions[place] = (number, status)
    if back:
        known.taken_out = _taken_out(
            rows, [one for one, status in known.subscriptions.values() if status == LEFT]
        )
    return known


def _taken_out(rows: Rows, left: Iterable[int]) -> frozenset[int]:
    found = rows.among(
        "SELECT s.id FROM {wanted} CROSS JOIN subscriptions AS s"  # noqa: S608 - our own words
        " WHERE s.id = wanted.value AND EXISTS"
        " (SELECT 1 FROM consents AS c WHERE c.event = 'no' AND c.source = 'config' AND c.id ="
        " (SELECT l.id FROM consents AS l"
        "  WHERE l.subscriber_id = s.subscriber_id AND l.newsletter = s.newsletter"
        f"  AND l.event IN ({', '.join(map(repr, DECISIVE))})"
        "  ORDER BY l.seq DESC NULLS FIRST, l.id DESC LIMIT 1))",  # joining.NEWEST_FIRST
        list(left),
    )
    return frozenset(number for (number,) in found)


# ---------------------------------------------------------------- writing them down

_PERSON = {"id": "bigint", "address": "text", "hash": "text", "salt": "bytea", "created_at": "bigint"}
_SUBSCRIPTION = {
    "subscriber_id": "bigint",
    "newsletter": "text",
    "edition_id": "bigint",
    "status": "text",
    "source": "text",
    "through": "bigint",
    "created_at": "bigint",
    "confirmed_at": "bigint",
    "paused_until": "date",
    "language": "text",
}
_CONSENT = {
    "subscriber_id": "bigint",
    "newsletter": "text",
    "at": "bigint",
    "event": "text",
    "source": "text",
    "evidence": "text",
    "seq": "bigint",
    "person": "bytea",
    "mark": "bytea",
    "link": "bytea",
    "key_id": "text",
}
_AGAIN = (  # as `joining.activate`: nothing is told twice, and a private feed has ended with the yes before
    "UPDATE subscriptions SET status = ?, edition_id = ?, source = ?,"
    " through = CASE WHEN through > ? THEN through ELSE ? END, confirmed_at = ?,"
    " paused_until = ?, language = COALESCE(NULLIF(?, ''), language), left_at = NULL,"
    " feed_on = FALSE, by_mail = TRUE WHERE id = ?"
)


def _salt(rows: Rows, known: Known, wanted: Sequence[Vouched]) -> None:
    """Salts for those whom an older release has written down."""
    salted = []
    for mark in {one.mark.hex() for one in wanted}:
        number, address, salt = known.persons[mark]
        if salt is None:
            known.persons[mark] = (number, address, fresh := secrets.token_bytes(SEAL))
            salted.append((fresh, number))
    rows.change("UPDATE subscribers SET salt = ? WHERE id = ?", salted)


def _write(
    rows: Rows,
    known: Known,
    wanted: Sequence[Vouched],
    editions: Mapping[str, Edition],
    chain: Chain | None,
    source: str,
    now: datetime,
) -> None:
    at = since_epoch(now) or 0
    fresh = {one.mark.hex(): one for one in reversed(wanted) if one.mark.hex() not in known.persons}
    salts = secrets.token_bytes(SEAL * len(fresh))
    persons = [
        (number, one.address, mark, salts[SEAL * place : SEAL * (place + 1)], at)
        for place, (number, (mark, one)) in enumerate(
            zip(rows.ids("subscribers", len(fresh)), fresh.items(), strict=True)
        )
    ]
    for number, address, mark, fresh_salt, _ in persons:
        known.persons[mark] = (number, address, fresh_salt)
    _salt(rows, known, wanted)
    made: list[tuple[Any, ...]] = []
    again: list[tuple[Any, ...]] = []
    lines: list[Line] = []
    for one in wanted:
        mark = one.mark.hex()
        person, address, salt = known.persons[mark]
        edition = editions[one.newsletter]
        confirmed = at if one.confirmed_at is None else since_epoch(one.confirmed_at)
        status, until = (PAUSED, rows.day(one.paused_until)) if one.paused else (ACTIVE, None)
        number, _ = known.subscriptions[one.newsletter, mark]
        if number:
            through = edition.through
            again.append(
                (status, edition.id, source, through, through, confirmed, until, one.language, number)
            )
        else:
            reads = (person, one.newsletter, edition.id, status, source, edition.through)
            made.append((*reads, at, confirmed, until, one.language))
        lines.append(
            Line(
                subscriber=person,
                at=at,
                newsletter=one.newsletter,
                event="vouched",
                source=source,
                person=person_of(salt, address),
                mark=mark_of(salt, one.evidence),
            )
        )
    for table, columns, values in (("subscribers", _PERSON, persons), ("subscriptions", _SUBSCRIPTION, made)):
        rows.add(table, columns, values)
    rows.change(_AGAIN, again)
    sealed: Iterable[tuple[int | None, bytes | None]] = ((None, None) for _ in lines)
    if chain is not None:
        sealed = chain.seal(lines)
    key_id = None if chain is None else chain.key_id
    rows.add(
        "consents",
        _CONSENT,
        [
            (
                line.subscriber,
                line.newsletter,
                at,
                line.event,
                source,
                one.evidence,
                seq,
                line.person if key_id else None,
                line.mark if key_id else None,
                link,
                key_id,
            )
            for line, one, (seq, link) in zip(lines, wanted, sealed, strict=True)
        ],
    )

"""The first pass: the whole file is read, and nothing is changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO, NamedTuple

from digest.roster.lines import BadFile, Lines
from digest.roster.people import BadLine, Columns, Nobody, addresses_in, is_telling
from digest.roster.records import Record, Records
from digest.roster.spool import Spool

BLOCK = 256 * 1024
LOOK_EVERY = 5_000  # records between two words about how far we are


class Problem(NamedTuple):
    """What is wrong with one line. kind: bad, double or other (of another newsletter)."""

    line: int
    kind: str
    address: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the file is. digest: SHA-256 of its bytes. people: those who would be taken in, each once."""

    digest: str
    encoding: str
    delimiter: str
    records: int
    people: int
    bad: int
    doubles: int
    others: int


def check(
    file: IO[bytes],
    spool: Spool,
    *,
    newsletter: str,
    known: frozenset[str],
    named: Mapping[str, str],
    languages: frozenset[str],
    now: datetime,
    note: Callable[[Problem], None],
    progress: Callable[[int], None],
) -> Checked:
    """Read the file to its end into the spool. newsletter: which one they are for; "" when the list says.
    known: the newsletters there are. named: columns that the admin names. languages: those that we speak.
    note: is told what is wrong, bad lines first; progress: how many bytes are read. Raises BadFile."""
    hashed = hashlib.sha256()
    read = records = bad = others = 0

    def blocks() -> Iterator[bytes]:
        nonlocal read
        while block := file.read(BLOCK):
            hashed.update(block)
            read += len(block)
            yield block

    lines = Lines(blocks())
    source = Records(lines, is_telling)
    columns: Columns | None = None
    for record in source:
        if records % LOOK_EVERY == 0:
            progress(read)
        try:
            if columns is None:
                columns = _columns(record, named, languages)
                if columns.has_heads:
                    continue
            records += 1
            person = columns.person(record.line, _cells(record), now)
            if newsletter and person.newsletter and person.newsletter != newsletter:
                others += 1
                reason = f"this line is about {person.newsletter[:64]!r}, not about {newsletter!r}"
                note(Problem(record.line, "other", person.address, reason))
                continue
            if person.doubt:
                bad += 1
                note(Problem(record.line, "bad", person.address, person.doubt))
            spool.put(person, _known(newsletter or person.newsletter, known))
        except Nobody as error:
            bad += 1
            note(_doubted(record.line, error, spool, newsletter))
        except BadLine as error:
            bad += 1
            note(Problem(record.line, "bad", "", str(error)))
    progress(read)
    if columns is not None and (misread := columns.misread()):
        raise BadFile(*misread)
    people = spool.sort()
    doubles = 0
    for double in spool.doubles():
        doubles += 1
        note(Problem(double.line, "double", double.address, f"the same address as in line {double.first}"))
    return Checked(
        digest=hashed.hexdigest(),
        encoding=lines.encoding.removesuffix("-sig"),
        delimiter=source.delimiter,
        records=records,
        people=people,
        bad=bad,
        doubles=doubles,
        others=others,
    )


def _cells(record: Record) -> list[str]:
    if record.reason:
        raise Nobody(record.reason, record.text)
    return record.cells


def _doubted(line: int, error: Nobody, spool: Spool, newsletter: str) -> Problem:
    """Whoever seems to stand in a line that cannot be read is not known to agree: it may have been a no."""
    found = addresses_in(error.text)
    for address in found:
        spool.doubt(address, newsletter)
    so = "; an address in it is not added by another line either" if found else ""
    return Problem(line, "bad", found[0] if len(found) == 1 else "", f"{error}{so}")


def _columns(record: Record, named: Mapping[str, str], languages: frozenset[str]) -> Columns:
    try:
        return Columns(_cells(record), named, languages)
    except BadLine as error:
        raise BadFile(record.line, str(error)) from error


def _known(newsletter: str, known: frozenset[str]) -> str:
    if not newsletter:
        raise BadLine("for which newsletter? Name it in the command, or in a column `newsletter`")
    if newsletter not in known:
        raise BadLine(
            f"there is no newsletter {newsletter[:64]!r}; there are {', '.join(sorted(known)) or 'none'}"
        )
    return newsletter

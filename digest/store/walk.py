"""One walk along the consent ledger: each line held against its seal, its person and its evidence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from digest.store.bulk import Rows, marker
from digest.store.chain import NOBODY, Head, Keys, Line, bytes_of, linker, mark_of, person_of, tail_of
from digest.store.seals import NOT_OURS

PAGE = 10_000
SHOWN = 20  # findings of one kind


_LINES = """
SELECT c.seq, c.subscriber_id, c.at, c.newsletter, c.event, c.source, c.evidence, c.person, c.mark, c.link,
    c.key_id, coalesce(c.sealed_at, 0), s.id, s.address, s.salt, s.hash
FROM consents AS c LEFT JOIN subscribers AS s ON s.id = c.subscriber_id
WHERE c.seq > ? ORDER BY c.seq LIMIT ?"""


def lines_after(rows: Rows, seq: Any) -> list[Any]:
    """The next page of lines with their persons, as they lie there: SQLite takes any value in any column. (By
    hand, as making rows of SQLAlchemy's took as long as all the hashing.)"""
    return rows.all(_LINES, (seq, PAGE))


@dataclass(slots=True)
class Walk:
    """One pass over the lines, in order. found: how many were there before the chain; found_at: when the last
    of them was sealed, in microseconds since the epoch."""

    keys: Keys
    pepper: bytes
    heads: Sequence[Head]  # that were printed before, and must still be on the chain
    found: int = 0
    found_at: int = 0
    walked: int = 0
    missed: int = 0  # lines that no page held, as two pages met between two of one number
    _last: int = 0
    _own: bool = False  # a line that was sealed when it was written has come by
    _before: bytes | None = NOBODY  # None: the line before is missing, so this one's seal cannot be told
    _also: bytes | None = None  # what the line before should have had, if its own seal is wrong
    _printed: dict[int, list[Head]] = field(default_factory=dict)
    _linkers: dict[str, Callable[[bytes], bytes]] = field(default_factory=dict)
    _hash: Callable[[str], bytes] = field(init=False)
    _tails: dict[tuple[str, str, str, str], bytes] = field(default_factory=dict)
    _gaps: list[tuple[int, int]] = field(default_factory=list)
    _twice: list[int] = field(default_factory=list)
    _odd: list[Any] = field(default_factory=list)
    _changed: list[int] = field(default_factory=list)
    _late: list[int] = field(default_factory=list)
    _evidence: list[int] = field(default_factory=list)
    _unknown_keys: dict[str, int] = field(default_factory=dict)
    _gone: dict[int, int] = field(default_factory=dict)  # persons without a row: the first line of each
    _unfindable: dict[int, int] = field(default_factory=dict)
    _strangers: dict[tuple[int, bytes], int] = field(default_factory=dict)
    _formerly: set[tuple[int, bytes]] = field(default_factory=set)
    _lost_heads: list[Head] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._hash = marker(self.pepper)
        self._linkers = {name: linker(key) for name, key in self.keys.by_id.items()}
        for head in self.heads:
            self._printed.setdefault(head.length, []).append(head)
        self._lost_heads = [head for head in self._printed.get(0, []) if head.link != NOBODY]

    @property
    def end(self) -> Head:
        """The last line that was walked."""
        return Head(self._last, self._before or NOBODY)

    def look_at(self, rows: Sequence[Any]) -> None:
        """The next lines. (Their columns are unpacked: by name, a row costs five times as much.)"""
        self.walked += len(rows)
        for row in rows:
            (
                seq,
                subscriber,
                at,
                newsletter,
                event,
                source,
                evidence,
                person,
                mark,
                link,
                key_id,
                sealed_at,
                number,
                address,
                salt,
                hashed,
            ) = row
            if type(seq) is not int:
                self._odd.append(seq)
                continue
            if seq != self._last + 1:
                if seq <= self._last:
                    self._twice.append(seq)
                    continue
                self._gaps.append((self._last + 1, seq - 1))
                self._before = self._also = None
            self._last = seq
            if seq in self._printed:
                self._lost_heads += [head for head in self._printed[seq] if head.link != link]
            try:
                # The line against its person and its evidence …
                if number is None:
                    self._gone.setdefault(subscriber, seq)
                elif salt is None:  # erased: the words are gone, or came later and name nobody
                    if evidence != "{}" and mark_of(None, evidence) != mark:
                        self._evidence.append(seq)
                else:
                    if mark_of(salt, evidence) != mark:
                        self._evidence.append(seq)
                    if person_of(salt, address) != person:
                        self._strangers.setdefault((subscriber, person), seq)
                    if address is not None and self._hash(address).hex() != hashed:
                        self._unfindable.setdefault(subscriber, seq)
                    if event == "moved" and (was := _was(evidence)) is not None:
                        self._formerly.add((subscriber, was))
                # … and against its seal.
                seal = self._linkers.get(key_id)
                if seal is None:
                    self._unknown_keys.setdefault(key_id or "", seq)
                    self._pass_over(link)
                    continue
                words = (key_id, newsletter, event, source)
                tail = self._tails.get(words)
                if tail is None:
                    tail = self._tails[words] = tail_of(*words)
                said = Line(subscriber, at, newsletter, event, source, person or b"", mark or b"", sealed_at)
                line = bytes_of(seq, said, tail)
                right = self._untold(link) if self._before is None else seal(self._before + line)
                if right == link:
                    self._also = None
                    if sealed_at or not self._own:
                        self._note_found(seq, sealed_at)
                elif self._also is not None and seal(self._also + line) == link:
                    self._also = None  # it was only the seal of the line before that was changed
                else:
                    self._changed.append(seq)
                    self._also = right
                self._before = link if isinstance(link, bytes) else right
            except NOT_OURS:
                self._odd.append(seq)
                self._pass_over(link)

    def _untold(self, link: Any) -> bytes:
        """The seal of a line whose forerunner is missing: any seal may be right."""
        return link if isinstance(link, bytes) else b""

    def _pass_over(self, link: Any) -> None:
        """This line cannot be told; the next one is held against its seal all the same."""
        self._before, self._also = link if isinstance(link, bytes) else None, None

    def _note_found(self, seq: int, sealed_at: int) -> None:
        """Lines from before the chain stand before all others."""
        if not sealed_at:
            self._own = True
            return
        self.found += 1
        self.found_at = max(self.found_at, sealed_at)
        if self._own:
            self._late.append(seq)

    def findings(self, head: Head | None) -> Iterator[str]:
        """What is wrong with the lines, in words. head: where the chain should end, if that is known."""
        for first, last in self._gaps[:SHOWN]:
            yield f"{_span(first, last)} missing: removed from the middle of the ledger"
        for seq in self._twice[:SHOWN]:
            yield f"line {seq} is there twice: one was added by somebody without the secret"
        if self.missed:
            yield f"{self.missed} more lines have the number of another one: added without the secret"
        for first, last in _runs(self._changed)[:SHOWN]:
            yield f"{_span(first, last)} not as sealed: changed, or added by somebody without the secret"
        for seq in self._odd[:SHOWN]:
            yield f"line {seq!r} or its person holds a kind of value that we never write: somebody changed it"
        for first, last in _runs(self._late)[:SHOWN]:
            yield f"{_span(first, last)} sealed as found, behind lines that were sealed when written"
        for seq in self._evidence[:SHOWN]:
            yield f"line {seq}: what was shown to the person is not what was sealed"
        yield from self._about_persons()
        for name, seq in islice(self._unknown_keys.items(), SHOWN):
            yield (
                f"line {seq} is sealed with the key {name or '(none)'} that we do not have: put the secret of"
                " that time behind the new one, `secret: [new, old]`"
            )
        if head is not None:
            yield from self._about_the_end(head)
        for printed in self._lost_heads:
            yield f"the head {printed} was printed, and that line has another seal: the past was rewritten"
        for printed in self.heads:
            if printed.length > self._last:
                yield f"the head {printed} was printed: the newest lines were cut off, {self._last} are left"

    def _about_persons(self) -> Iterator[str]:
        for number, seq in islice(self._gone.items(), SHOWN):
            yield f"line {seq} is about person {number}, whose row was removed: we only ever empty it"
        strangers = (seq for key, seq in self._strangers.items() if key not in self._formerly)
        for seq in islice(strangers, SHOWN):
            yield f"line {seq}: the person's address is not the one that this line is about"
        for number, seq in islice(self._unfindable.items(), SHOWN):
            yield (
                f"person {number}, of line {seq}, is not found by their address: their hash was changed, or"
                " the pepper, on which suppressions and departures rest"
            )

    def _about_the_end(self, head: Head) -> Iterator[str]:
        if self._last < head.length:
            yield f"{_span(self._last + 1, head.length)} missing at the end"
        elif self._last > head.length:
            yield f"{_span(head.length + 1, self._last)} behind the head: added without the lock"
        elif self._before != head.link:
            yield "the head is not the seal of the last line"


def _was(evidence: str) -> bytes | None:
    try:
        return bytes.fromhex(json.loads(evidence)["was"])
    except (ValueError, KeyError, TypeError):
        return None


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """5, 6, 7, 9 → (5, 7), (9, 9)."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def _span(first: int, last: int) -> str:
    return f"line {first} is" if first == last else f"lines {first} to {last} are"

"""The records of a CSV file (RFC 4180), with the lines they stand on. Pure.

A quote that is never closed would take all lines after it into one cell, and the people in them would be gone
without a word. So cells are read strictly, and one that runs over lines may hold no other address.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import NamedTuple

from digest.roster.lines import BadFile, Lines

DELIMITERS = ",;\t"
MOST_LINES = 1_000  # of one record
_FOR_EXCEL = re.compile(r'"?sep=([,;\t|])"?\s*', re.IGNORECASE)


class Record(NamedTuple):
    """line, last: where it begins and ends. reason: why it cannot be read; then it has no cells, and text is
    what stands there."""

    line: int
    last: int
    cells: list[str]
    reason: str = ""
    text: str = ""


class Records:
    """Iterate once: every record that is not blank. Raises BadFile. `delimiter` is known after the first."""

    def __init__(self, lines: Lines, is_telling: Callable[[str], bool]) -> None:
        """is_telling: whether this is a whole cell of a first record, by what it says."""
        self._lines = lines
        self._is_telling = is_telling
        self.delimiter = ","

    def __iter__(self) -> Iterator[Record]:
        lines = iter(self._lines)
        looked_at: list[str] = []
        for text in lines:
            looked_at.append(text)
            if text.strip():
                break
        if not looked_at or not looked_at[-1].strip():
            raise BadFile(1, "the file is empty")
        told = _FOR_EXCEL.fullmatch(looked_at[-1])
        self.delimiter = told[1] if told else delimiter_of(looked_at[-1], self._is_telling)
        passed = len(looked_at) if told else 0
        reader = csv.reader(chain(looked_at, lines), delimiter=self.delimiter, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if "unexpected end" in str(error) or "field larger" in str(error):
                    raise BadFile(line, "a quote is opened here and never closed") from error
                yield self._unreadable(line, reader.line_num, _words(error))
                continue
            if line <= passed or not any(map(str.strip, cells)):
                continue
            yield self._looked_through(Record(line, reader.line_num, cells))

    def _looked_through(self, record: Record) -> Record:
        line, last, cells, _, _ = record
        if last > line:
            if last - line > MOST_LINES:
                raise BadFile(line, f"a quote is opened here and closed only in line {last}")
            if any("\n" in cell and "@" in cell.partition("\n")[2] for cell in cells):
                reason = "a cell runs over several lines and holds an address; is a quote missing?"
                return self._unreadable(line, last, reason)
        if self._lines.has_nul and any("\0" in cell for cell in cells):
            long = any(number in self._lines.overlong for number in range(line, last + 1))
            return self._unreadable(
                line, last, "the line is too long" if long else "there is a NUL byte in it"
            )
        return record

    def _unreadable(self, line: int, last: int, reason: str) -> Record:
        text = self._lines.last(last - line + 1)
        if text is None:
            raise BadFile(line, f"{reason}, and it is so long that nobody can tell who stands in it")
        return Record(line, last, [], reason, text)


def delimiter_of(line: str, is_telling: Callable[[str], bool]) -> str:
    """What separates the cells of this first line: with it one that tells something stands alone."""

    def score(delimiter: str) -> tuple[bool, int]:
        try:
            cells = next(csv.reader([line], delimiter=delimiter))
        except csv.Error:
            return (False, 0)
        return (any(map(is_telling, cells)), len(cells))

    return max(DELIMITERS, key=score)


def _words(error: csv.Error) -> str:
    if "expected after" in str(error):
        return "a closing quote stands in the middle of a cell; inside quotes it is written twice"
    return f"the line is not CSV: {error}"

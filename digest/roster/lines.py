"""The lines of a text file, whoever wrote it: its encoding is found out, and one that we do not know is
refused with the line where it shows. Pure: blocks of bytes come in.

UTF-8 with or without a byte order mark, and UTF-16 with one (RFC 2781 3.2); nothing is guessed, as a guess
that is wrong makes other people's addresses.
"""

from __future__ import annotations

import codecs
import io
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain

from digest.model import DigestError

LONGEST = 64 * 1024  # characters of a line; what is longer is passed over and stands here as `PASSED_OVER`
PASSED_OVER = "\0\n"
KEPT = 512 * 1024  # characters behind us that can be looked at again

_SAVE_AS = "save the file as “CSV UTF-8” and try again"
_NOT_TEXT = {
    b"PK\x03\x04": "this is a spreadsheet or an archive, not text; save it as CSV",
    b"\xd0\xcf\x11\xe0": "this is an old spreadsheet, not text; save it as CSV",
    b"\x1f\x8b": "this is packed with gzip; unpack it first",
    b"\xff\xfe\x00\x00": f"this is UTF-32; {_SAVE_AS}",
    b"\x00\x00\xfe\xff": f"this is UTF-32; {_SAVE_AS}",
}


class BadFile(DigestError):
    """The file as a whole cannot be used; the text names the line."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


class Lines:
    """Iterate once: every line with "\\n" at its end, the last one too. Raises BadFile.

    overlong: the numbers of the lines that were passed over.
    """

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self.encoding = "utf-8"
        self.overlong: set[int] = set()
        self.has_nul = False
        self._given = 0
        self._kept: deque[str] = deque()  # blocks of text; the last one is being read
        self._length = 0  # of all of them but the last
        self._whole = True  # whether they begin where the file does
        self._before = 0  # lines that were given when the last one came
        self._split: list[str] | None = None  # their lines, once somebody asks
        self._passed = 0  # how many of these end before the last block

    def __iter__(self) -> Iterator[str]:
        rest, passing = "", False
        for text in self._texts():
            self._keep(text)
            self.has_nul = self.has_nul or "\0" in text
            first, *others = text.split("\n")
            rest = "" if passing else rest + first
            passing = passing or len(rest) > LONGEST
            for following in others:
                yield self._counted(rest, passing)
                rest, passing = following, len(following) > LONGEST
        if rest or passing:
            yield self._counted(rest, passing)

    def last(self, count: int) -> str | None:
        """The lines that were given last, so many, as they stand in the file, also if they were passed over.
        None: they are too long to be kept."""
        if self._split is None:
            behind = "".join(self._kept)
            self._split = behind.split("\n")
            self._passed = behind.count("\n") - self._kept[-1].count("\n")
        end = self._passed + self._given - self._before
        start = end - count
        if start < 0 or (start == 0 and not self._whole):
            return None
        return "\n".join(self._split[start:end])

    def _keep(self, text: str) -> None:
        self._length += len(self._kept[-1]) if self._kept else 0
        self._kept.append(text)
        self._before = self._given
        self._split = None
        while self._length - len(self._kept[0]) >= KEPT:
            self._length -= len(self._kept.popleft())
            self._whole = False

    def _counted(self, line: str, passing: bool) -> str:
        self._given += 1
        if not passing:
            return line + "\n"
        self.overlong.add(self._given)
        self.has_nul = True
        return PASSED_OVER

    def _texts(self) -> Iterator[str]:
        start = b""
        for block in self._blocks:  # a pipe may give a byte at a time
            start += block
            if len(start) >= 4:
                break
        self.encoding = _encoding_of(start)
        # It makes one "\n" of CR LF, CR and LF, also where a block ends between the two.
        ends = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(self.encoding)(), translate=True)
        for block in chain([start], self._blocks):
            yield self._decoded(ends, block)
        yield self._decoded(ends, b"", final=True)

    def _decoded(self, ends: io.IncrementalNewlineDecoder, block: bytes, *, final: bool = False) -> str:
        try:
            return ends.decode(block, final=final)
        except UnicodeDecodeError as error:
            good = error.object[: error.start].decode(error.encoding, "replace")
            line = self._given + 1 + len(good.replace("\r\n", "\n").replace("\r", "\n").split("\n")) - 1
            name = "UTF-16" if "16" in self.encoding else "UTF-8"
            raise BadFile(line, f"this is not {name}; {_SAVE_AS}") from error


def _encoding_of(start: bytes) -> str:
    for mark, reason in _NOT_TEXT.items():
        if start.startswith(mark):
            raise BadFile(1, reason)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in start[:4]:
        raise BadFile(1, f"this looks like UTF-16 without its mark; {_SAVE_AS}")
    return "utf-8-sig"

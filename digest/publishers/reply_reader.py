"""A mail server's replies, cut out of the bytes as they come.

Pure: bytes in, replies out. What is no reply (RFC 5321 4.2), or is longer than any honest one, is an error:
guessing where the next reply begins would give one letter the answer to another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

LONGEST_LINE = 4096  # bytes; RFC 5321 4.5.3.1.5 says 512
LONGEST_REPLY = 65536
MOST_LINES = 100

_CODES = {b"%03d" % code: code for code in range(200, 600)}  # RFC 5321 4.2.1: 1yz is not used


class Nonsense(Exception):
    """What came is no reply; its text says why, and holds what came."""


class Reply(NamedTuple):
    """One reply. raw: its lines without their codes, as bytes that may be anything."""

    code: int
    raw: bytes

    @property
    def text(self) -> str:
        return self.raw.decode("utf-8", "surrogateescape")


class ReplyReader:
    """Takes bytes in pieces of any size."""

    def __init__(self) -> None:
        self._rest = b""
        self._code = b""
        self._lines: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[Reply]:
        """The replies that are whole now, in order. Raises Nonsense behind the last that was one; nothing
        may be fed after that."""
        lines = (self._rest + data if self._rest else data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            reply = self._line(line[:-1] if line.endswith(b"\r") else line)
            if reply is not None:
                yield reply
        if len(self._rest) > LONGEST_LINE:
            raise Nonsense("a line without an end")

    def _line(self, line: bytes) -> Reply | None:
        number, mark = line[:3], line[3:4]
        code = _CODES.get(number)
        if code is None or mark not in (b" ", b"-", b"\t", b""):
            raise Nonsense(f"no reply: {line[:80].decode('ascii', 'replace')}")
        if len(line) > LONGEST_LINE:
            raise Nonsense("a line that is too long")
        if not self._lines and mark != b"-":
            return Reply(code, line[4:])
        if self._lines and number != self._code:
            raise Nonsense("a reply with two codes")
        self._code = number
        self._lines.append(line[4:])
        self._size += len(line)
        if len(self._lines) > MOST_LINES or self._size > LONGEST_REPLY:
            raise Nonsense("a reply that is too long")
        if mark == b"-":
            return None
        raw = b"\n".join(self._lines)
        self._lines, self._size = [], 0
        return Reply(code, raw)

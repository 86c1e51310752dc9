"""Patterns that an admin writes, looked for in the texts of strangers, within a time.

A careless pattern (`(a+)+$`) or a text that is built to hurt it must not hold up an issue: each search has
its time, and each pattern a time for all texts of one issue; after that it is given up. Door of: regex.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from digest.model import DigestError

ONE_TEXT = 0.05  # seconds of processor time for one text
LONGEST_TEXT = 50_000  # characters of it that are looked at
_MOST_REPEATS = 10_000  # `(?:x{500}){500}` is unrolled while it is compiled: 250,000 nodes
_REPEAT = re.compile(r"\{\s*([0-9]{1,9})")

# To ask whether `.*word` is found is to ask for `word`, without a try from each letter of the text.
_NEEDLESS = re.compile(r"^(\(\?[a-z]+\))?(?:\.\*\??(?![+*?{]))+")


class PatternError(DigestError):
    """This is no pattern; the text says what is wrong with it, and where."""


def check(pattern: str) -> None:
    """Raises PatternError for what cannot be compiled."""
    _compiled(pattern)


class Search:
    """One pattern and the time it has left. Case does not matter unless it says `(?-i:…)`.

    seconds: processor time for all texts together.
    """

    def __init__(self, pattern: str, *, seconds: float) -> None:
        self._pattern = _compiled(pattern)
        self._left = seconds

    def stands_in(self, texts: Iterable[str]) -> bool | None:
        """Whether it is found in one of the texts; None when that took too long to tell."""
        for text in texts:
            if self._left <= 0:
                return None
            started = time.process_time()
            try:
                found = self._pattern.search(text[:LONGEST_TEXT], timeout=min(ONE_TEXT, self._left))
            except (TimeoutError, MemoryError):
                return None
            finally:
                self._left -= time.process_time() - started
            if found:
                return True
        return False


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    import regex  # 12 ms, paid by those who write patterns

    repeats = 1
    for number in _REPEAT.findall(pattern):
        repeats *= max(1, int(number))
    if repeats > _MOST_REPEATS:
        raise PatternError(f"it repeats things {repeats:,} times; {_MOST_REPEATS:,} is the most")
    try:
        regex.compile(pattern)  # as it is written, so that an error names the right place
        return regex.compile(_NEEDLESS.sub(r"\1", pattern), regex.IGNORECASE)
    except regex.error as error:
        raise PatternError(str(error)) from error
    except (RecursionError, MemoryError, OverflowError, ValueError) as error:
        raise PatternError("it is too deep or too large") from error

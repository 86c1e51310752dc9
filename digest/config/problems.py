"""What is wrong with the file, said in lines that an editor can jump to."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from digest.model import DigestError


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing to mend or, as a note, to know. Lines and columns count from 1; line 0: the whole file."""

    file: str
    line: int = 0
    column: int = 0
    path: str = ""
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return ": ".join(part for part in (place, self.path, self.text) if part)


class ConfigError(DigestError):
    """The config cannot be used. Its text has one line for each problem, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=_order))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def _order(problem: Problem) -> tuple[int, int, str]:
    return problem.line, problem.column, problem.path


def closest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known word that was probably meant."""
    by_folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=cutoff)
    return by_folded[found[0]] if found else None


def suggestion(word: str, known: Sequence[str], *, otherwise: str) -> str:
    """`did you mean x?`, or what could be written instead."""
    meant = closest(word, known)
    return f"did you mean {meant}?" if meant else f"{otherwise}: {', '.join(known)}"

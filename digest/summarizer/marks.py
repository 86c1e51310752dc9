"""What the scores of labelled files must reach, and the table that says whether they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from digest.summarizer.scoring import mean

CPU = "CPU ms a row"


LESS_IS_BETTER = frozenset({"leak", "pages under .5", "missing", "too long", CPU})

Marks = Mapping[str, Mapping[str, float]]
"""File (task--source) → measure → what it must reach; what it may not exceed where less is better."""

# Development data that these methods were measured with; its texts are not ours and not shipped.
MARKS: Marks = {
    "extract_body--articles": {"F1": 0.966, "leak": 0.011, "pages under .5": 0, CPU: 60},
    "extract_snippets--multilingual": {"F1": 0.931, CPU: 60},
    "summarize--cnndm": {"ROUGE": 24.39, CPU: 8},
    "summarize--realsumm": {"ROUGE": 28.34, CPU: 8},
    "summarize--orange_fr": {"ROUGE": 18.13, CPU: 8},
    "summarize--vietnews_vi": {"ROUGE": 21.25, CPU: 8},
    "summarize--meta_ml": {"ROUGE": 21.50, CPU: 8},
    "cluster--mixed_day": {"B-cubed F": 0.915, "pair F": 0.785},
    "cluster--wikinews_sources": {"B-cubed F": 0.885},
    "cluster--event_bank": {"B-cubed F": 0.85},
    "cluster--headlines_2days": {"B-cubed F": 0.73},
    "neardup--copies": {"pair F": 0.99},
    "sentences--treebanks": {"macro F1": 0.93},
}
MEAN = "summarize: mean of five"
MEAN_OF = tuple(name for name in MARKS if name.startswith("summarize--"))
MEAN_MARK = 23.7

SHOWN = {
    "extract_body": ("F1", "leak", "pages under .5"),
    "extract_snippets": ("F1",),
    "summarize": ("ROUGE",),
    "cluster": ("B-cubed F", "pair F"),
    "neardup": ("pair F",),
    "sentences": ("macro F1",),
}
"""Task → the measures that a table shows, whether they have a mark or not."""


def reached(measure: str, value: float, mark: float) -> bool:
    return value <= mark if measure in LESS_IS_BETTER else value >= mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The measures of one file. file: TASK--SOURCE. cpu: milliseconds of processor time a row."""

    file: str
    rows: int
    cpu: float
    measures: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table. mark, reached: None where there is nothing to reach."""

    file: str
    measure: str
    value: float
    mark: float | None
    reached: bool | None
    rows: int
    cpu: float


def lines(scored: Sequence[Scored], marks: Marks = MARKS) -> list[Line]:
    """The measures that are shown, and those that have a mark."""
    found: list[Line] = []
    for each in scored:
        of_file = marks.get(each.file, {})
        values = {**each.measures, CPU: each.cpu}
        shown = dict.fromkeys((*SHOWN[each.file.partition("--")[0]], *of_file))
        found += [_line(each, name, values.get(name, 0.0), of_file.get(name)) for name in shown]
    five = [each for each in scored if each.file in MEAN_OF]
    if len(five) == len(MEAN_OF):
        rows = sum(each.rows for each in five)
        cpu = sum(each.cpu * each.rows for each in five) / max(1, rows)
        of_five = Scored(file=MEAN, rows=rows, cpu=cpu, measures={})
        found.append(_line(of_five, "ROUGE", mean(each.measures["ROUGE"] for each in five), MEAN_MARK))
    return found


def _line(of: Scored, measure: str, value: float, mark: float | None) -> Line:
    return Line(
        file=of.file,
        measure=measure,
        value=value,
        mark=mark,
        reached=None if mark is None else reached(measure, value, mark),
        rows=of.rows,
        cpu=of.cpu,
    )

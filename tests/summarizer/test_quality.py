"""Our own labelled examples, scored: a change that makes digests worse fails here. `make eval` prints the
scores."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from digest.summarizer import marks, scoring
from digest.summarizer.evaluate import answer_all

FOLDER = Path(__file__).parent / "labelled"
MARKS: marks.Marks = json.loads((FOLDER / "marks.json").read_text(encoding="utf-8"))
NAMES = sorted(path.stem for path in FOLDER.glob("*.jsonl"))


@cache
def scores(name: str) -> dict[str, float]:
    task = name.partition("--")[0]
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").split("\n")
    rows = [json.loads(line) for line in lines if line]
    answers = answer_all(task, [scoring.hidden(row, task) for row in rows])
    return scoring.score(task, rows, {each["id"]: each[scoring.FIELDS[task]] for each in answers})


def test_every_file_has_its_marks_and_every_mark_its_file() -> None:
    assert set(MARKS) == set(NAMES)
    assert {name.partition("--")[0] for name in NAMES} == set(scoring.FIELDS)


@pytest.mark.parametrize(("name", "measure"), [(name, measure) for name in NAMES for measure in MARKS[name]])
def test_digests_are_as_good_as_they_were(name: str, measure: str) -> None:
    value, mark = scores(name)[measure], MARKS[name][measure]
    assert marks.reached(measure, value, mark), f"{name}: {measure} is {value:.4f}, it was {mark} and better"


@pytest.mark.parametrize("name", [name for name in NAMES if "summarize" in name])
def test_summaries_say_nothing_of_their_own(name: str) -> None:
    found = scores(name)
    assert found["copied"] > 0.9
    assert (found["missing"], found["too long"]) == (0, 0)

"""The methods of this room asked one by one, so that a scorer can judge them: `digest eval TASK`.

A row is a mapping with an `id` and what the task needs; an answer is a mapping with the same `id` and one
field. The settings are those of every day: nothing is tuned to a task.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from digest.summarizer import stories
from digest.summarizer.fingerprint import fingerprint
from digest.summarizer.language import detect
from digest.summarizer.scoring import BadRow, Row
from digest.summarizer.sentences import split
from digest.summarizer.summarize import MAX_CHARS, MAX_SENTENCES, summarize

Answer = dict[str, Any]

_ONE_BY_ONE: dict[str, Callable[[Row], Answer]]
_TOGETHER: dict[str, Callable[[Sequence[Row]], Iterator[Answer]]]

_NEEDED = {
    "extract_body": "html",
    "extract_snippets": "html",
    "summarize": "text",
    "cluster": "title",
    "neardup": "text",
    "sentences": "text",
}
_WORDS = ("html", "url", "lang", "title", "text")
_COUNTS = ("max_sentences", "max_chars")
_LATEST = 1e12  # seconds; far beyond every date, and no more than a float can hold


def one_by_one(task: str) -> bool:
    """Whether a row of this task is answered without looking at the others."""
    return task in _ONE_BY_ONE


def checked(task: str, row: object) -> Row:
    """A row that can be answered: a field that is null is as if it were empty, or not there. Raises
    BadRow."""
    if not isinstance(row, Mapping):
        raise BadRow("a row must be an object")
    if not isinstance(row.get("id"), str | int):
        raise BadRow("the row has no 'id'")
    if _NEEDED[task] not in row:
        raise BadRow(f"the row has no '{_NEEDED[task]}'")
    given = {name: value for name, value in row.items() if value is not None}
    given.setdefault(_NEEDED[task], "")
    for name in _WORDS:
        if not isinstance(given.get(name, ""), str):
            raise BadRow(f"'{name}' must be text")
    for name in _COUNTS:
        if not isinstance(value := given.get(name, 1), int) or value < 1:
            raise BadRow(f"'{name}' must be a whole number from 1")
    if not isinstance(moment := given.get("time", 0), int | float) or not abs(moment) < _LATEST:
        raise BadRow("'time' must be seconds since 1970, 0 when unknown")
    return given


def answer_all(task: str, rows: Iterable[Row]) -> Iterator[Answer]:
    """An answer for each row, in their order. Raises ValueError for a task that is not known."""
    if task in _ONE_BY_ONE:
        return (answer(task, row) for row in rows)
    if task in _TOGETHER:
        return _TOGETHER[task](list(rows))
    raise ValueError(f"no such task: {task}; there are {', '.join(sorted((*_ONE_BY_ONE, *_TOGETHER)))}")


def answer(task: str, row: Row) -> Answer:
    """The answer to one row of a task that looks at rows one by one."""
    return {"id": row["id"], **_ONE_BY_ONE[task](row)}


def _extract(row: Row) -> Answer:
    from digest.summarizer.extract import extract_page

    return {"text": extract_page(row["html"], row.get("url", ""))}


def _summarize(row: Row) -> Answer:
    found = summarize(
        row["text"],
        title=row.get("title", ""),
        language=_language(row),
        max_sentences=row.get("max_sentences", MAX_SENTENCES),
        max_chars=row.get("max_chars", MAX_CHARS),
    )
    return {"summary": " ".join(sentence.text for sentence in found)}


def _sentences(row: Row) -> Answer:
    text = row["text"]
    return {"sentences": [text[span.start : span.end] for span in split(text, _language(row))]}


def _cluster(rows: Sequence[Row]) -> Iterator[Answer]:
    items = [
        stories.Item(
            language=_language(row),
            title=row.get("title", ""),
            terms=fingerprint(row.get("text", ""), row.get("title", ""), _language(row)).terms,
            time=float(row.get("time") or 0),
        )
        for row in rows
    ]
    label = {number: each[0] for each in stories.group(items) for number in each}
    return ({"id": row["id"], "cluster": label[number]} for number, row in enumerate(rows))


def _neardup(rows: Sequence[Row]) -> Iterator[Answer]:
    prints = [fingerprint(row["text"], row.get("title", ""), _language(row)) for row in rows]
    pairs = stories.near_copies([each.shingles for each in prints])
    roots = stories.joined(len(rows), pairs)
    return ({"id": row["id"], "group": root} for row, root in zip(rows, roots, strict=True))


def _language(row: Row) -> str:
    return row.get("lang") or detect(f"{row.get('title', '')}\n{row.get('text', '')}")


_ONE_BY_ONE = {
    "extract_body": _extract,
    "extract_snippets": _extract,
    "summarize": _summarize,
    "sentences": _sentences,
}
_TOGETHER = {"cluster": _cluster, "neardup": _neardup}

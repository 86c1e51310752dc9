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
from digest.summarizer.sentences import split
from digest.summarizer.summarize import MAX_CHARS, MAX_SENTENCES, summarize

Row = Mapping[str, Any]
Answer = dict[str, Any]

_ONE_BY_ONE: dict[str, Callable[[Row], Answer]]
_TOGETHER: dict[str, Callable[[Sequence[Row]], Iterator[Answer]]]


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


def main() -> None:
    """JSON lines in, JSON lines out: `python -m digest.summarizer.evaluate TASK`."""
    import json
    import sys

    rows = (json.loads(line) for line in sys.stdin if line.strip())
    for each in answer_all(sys.argv[1], rows):
        sys.stdout.write(json.dumps(each, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()

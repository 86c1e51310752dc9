"""`digest eval`: rows in, answers out, whatever stands in the rows; and the table of scores."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

TEXT = "The tide came in at six. Gulls walked where barley had grown. Nobody had expected it so soon."


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch):
    """Put these lines on stdin: mappings as JSON, bytes as they are."""

    def put(*lines: Any) -> None:
        raw = b"".join((x if isinstance(x, bytes) else json.dumps(x).encode()) + b"\n" for x in lines)
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))

    return put


def answers(said) -> dict[Any, Any]:
    return {row["id"]: row for row in map(json.loads, said.out.splitlines())}


@pytest.mark.parametrize("task", ["extract_body", "summarize", "cluster", "neardup", "sentences"])
def test_bad_rows_are_named_by_their_line_and_the_others_answered(digest, given, task: str) -> None:
    good = {"id": "good", "lang": "en", "title": "Tide", "text": TEXT, "html": f"<p>{TEXT}</p>"}
    given(
        good, b"{broken", b"", {"text": TEXT, "html": "", "title": ""}, {"id": "bare"},
        {**good, "id": "null", "text": None, "html": None, "title": None, "lang": None}, [1], b"\xff\xfe",
        b"[" * 100_000,
        {**good, "id": "half", "text": "\ud800 and. More.", "html": "\ud800", "title": "\ud800"},
        {**good, "id": "number", "text": 5, "html": 5, "title": 5},
    )  # fmt: skip
    said = digest("eval", task)
    assert said.code == 1
    assert [line.split(":")[1].strip() for line in said.err.splitlines()] == [
        f"line {number}" for number in (2, 4, 5, 7, 8, 9, 11)
    ]
    assert "line 2: this is not JSON" in said.err
    assert list(answers(said)) == ["good", "null", "half"]


@pytest.mark.parametrize(("task", "field"), [("summarize", "summary"), ("extract_snippets", "text")])
def test_an_empty_row_gets_an_empty_answer(digest, given, task: str, field: str) -> None:
    given({"id": "a", "text": None, "html": None})
    said = digest("eval", task)
    assert said.code == 0
    assert answers(said)["a"][field] == ""


def test_five_megabytes_are_a_row_like_any_other(digest, given) -> None:
    given(
        {"id": "many", "lang": "en", "text": "The river rose by two metres on Monday. " * 125_000},
        {"id": "word", "lang": "en", "text": "a" * 5_000_000},
    )
    said = digest("eval", "summarize")
    assert said.code == 0
    assert answers(said)["many"]["summary"].startswith("The river rose")
    assert len(answers(said)["word"]["summary"]) <= 420


def write(path: Path, *rows: Any) -> None:
    raw = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)


def test_a_folder_is_scored_in_one_table(digest, tmp_path: Path) -> None:
    folder = tmp_path / "labelled"
    folder.mkdir()
    row = {
        "id": "a",
        "lang": "en",
        "text": "It rained. It stopped.",
        "sentences": ["It rained.", "It stopped."],
    }
    write(folder / "sentences--plain.jsonl", row)
    write(folder / "sentences--packed.jsonl.gz", row, {**row, "id": "b", "sentences": [row["text"]]})
    write(folder / "summarize--one.jsonl", {"id": "s", "text": TEXT, "ref": TEXT, "max_chars": 400})
    (folder / "notes.txt").write_text("not a row")
    said = digest("eval", "--table", str(folder))
    assert said.code == 0
    assert [line.split()[:2] for line in said.out.splitlines()] == [
        ["file", "measure"],
        ["sentences--packed", "macro"],
        ["sentences--plain", "macro"],
        ["summarize--one", "ROUGE"],
    ]
    assert "0.6667" in said.out
    only = digest("eval", "summarize", "--table", str(folder), "--json").json()
    assert [each["file"] for each in only["files"]] == ["summarize--one"]
    assert only["table"][0]["mark"] is None


def test_a_missed_mark_ends_with_three(digest, tmp_path: Path) -> None:
    row = {"id": "a", "lang": "en", "text": "It rained. It stopped.", "sentences": ["It rained. It stopped."]}
    write(tmp_path / "sentences--mine.jsonl", row)
    (tmp_path / "marks.json").write_text('{"sentences--mine": {"macro F1": 0.9}}')
    said = digest("eval", "--table", str(tmp_path))
    assert said.code == 3
    assert "✗" in said.out
    assert "1 mark missed" in said.err
    (tmp_path / "marks.json").write_text('{"sentences--mine": {"macro F1": 0}}')
    assert digest("eval", "--table", str(tmp_path)).code == 0


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "sentences--x.jsonl",
            b'{"id": "a", "text": "x"}\n',
            "sentences--x.jsonl:1: the row needs 'sentences'",
        ),
        (
            "cluster--x.jsonl",
            b'{"id": "a", "title": "x", "story": "s"}\n{oops\n',
            "cluster--x.jsonl:2: this is not",
        ),
        ("cluster--x.jsonl.gz", gzip.compress(b"{}", mtime=0)[:-9], "is not a whole gzip file"),
        ("cluster--x.jsonl.gz", b"plain", "is not a whole gzip file"),
        ("marks.json", b"[]", "must read"),
        ("sing--x.jsonl", b"", "holds no file named TASK--SOURCE"),
    ],
)
def test_a_folder_that_cannot_be_scored_says_why(
    digest, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    folder = tmp_path / "labelled"
    folder.mkdir()
    if name == "marks.json":
        write(folder / "sentences--x.jsonl", {"id": "a", "lang": "en", "text": "x", "sentences": ["x"]})
    (folder / name).write_bytes(content)
    done = digest("eval", "--table", str(folder))
    assert done.code == 1
    assert said in done.err


def test_neither_task_nor_folder_is_a_wrong_call(digest) -> None:
    assert digest("eval").code == 2

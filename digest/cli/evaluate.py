"""`digest eval`: the text methods answer a task for a scorer, or are scored on a folder of labelled files."""

from __future__ import annotations

import gzip
import json
import sys
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digest.cli.console import CHECK_FAILED, FAILURE, Progress, json_option, print_json, say, table
from digest.model import DigestError

if TYPE_CHECKING:
    from digest.summarizer.marks import Marks, Scored

TASKS = ("extract_body", "extract_snippets", "summarize", "cluster", "neardup", "sentences")
MARKS_FILE = "marks.json"

Row = Mapping[str, Any]


@click.command("eval")
@click.argument("task", type=click.Choice(TASKS), required=False)
@click.option(
    "--table",
    "folder",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Score every labelled file in FOLDER (of TASK, if it is given) and print one table.",
)
@json_option
@click.pass_context
def eval_command(ctx: click.Context, task: str | None, folder: Path | None, as_json: bool) -> None:
    """Read JSON lines of TASK on stdin, write one answer a line to stdout; or print a table of scores.

    A row that cannot be answered is named on stderr by its line; the others are answered, and the exit code
    is 1. With --table it is 3 when a mark is missed. Labelled files are named TASK--SOURCE.jsonl(.gz); FOLDER
    may hold the marks to reach in marks.json: {"TASK--SOURCE": {"F1": 0.9}}.
    """
    if folder is not None:
        ctx.exit(_print_scores(folder, task, as_json=as_json))
    if task is None:
        raise click.UsageError("Give a TASK, or --table FOLDER.")
    ctx.exit(_answer(task))


def _answer(task: str) -> int:
    from digest.summarizer.evaluate import answer_all, one_by_one

    out = sys.stdout.buffer
    lines = _Lines(task, sys.stdin.buffer)
    for answer in answer_all(task, lines):
        out.write(_line(answer))
        if one_by_one(task):
            out.flush()  # who reads row by row waits for it
    out.flush()
    return FAILURE if lines.bad else 0


def _line(answer: Row) -> bytes:
    try:
        return json.dumps(answer, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can hold and UTF-8 cannot
        return json.dumps(answer).encode() + b"\n"


class _Lines:
    """The good rows of a stream; the others are told on stderr and counted."""

    def __init__(self, task: str, stream: Iterable[bytes]) -> None:
        self._task = task
        self._stream = stream
        self.bad = 0

    def __iter__(self) -> Iterator[Row]:
        from digest.summarizer.evaluate import checked

        for number, line in enumerate(self._stream, 1):
            if not line.strip():
                continue
            try:
                row = checked(self._task, _read(line))
            except ValueError as error:
                self.bad += 1
                say(f"error: line {number}: {error}")
            else:
                yield row


def _read(line: bytes) -> object:
    """What a line holds. Raises ValueError in words."""
    try:
        return json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError("this is not UTF-8") from error
    except RecursionError as error:
        raise ValueError("this is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"this is not JSON: {error.msg}, at character {error.pos + 1}") from error


# ---------------------------------------------------------------- the table


def _print_scores(folder: Path, only: str | None, *, as_json: bool) -> int:
    from digest.summarizer import marks

    files = [path for path in sorted(folder.iterdir()) if _task(path) in ((only,) if only else TASKS)]
    if not files:
        raise DigestError(f"{folder} holds no file named {only or 'TASK'}--SOURCE.jsonl or .jsonl.gz")
    scored = [_scored(path) for path in files]
    lines = marks.lines(scored, _marks(folder))
    if as_json:
        print_json({"files": scored, "table": lines})
    else:
        table(
            ["file", "measure", "ours", "mark", "", "rows", "CPU ms/row"],
            [
                (
                    line.file,
                    line.measure,
                    _number(line.value),
                    ""
                    if line.mark is None
                    else f"{'≤' if line.measure in marks.LESS_IS_BETTER else '≥'} {line.mark:g}",
                    "" if line.reached is None else "✓" if line.reached else "✗",
                    line.rows,
                    f"{line.cpu:.1f}",
                )
                for line in lines
            ],
            empty="",
            whole=("file",),
        )
    missed = sum(line.reached is False for line in lines)
    if missed:
        say(f"{missed} mark{'s' if missed > 1 else ''} missed")
    return CHECK_FAILED if missed else 0


def _scored(path: Path) -> Scored:
    from digest.summarizer import scoring
    from digest.summarizer.evaluate import answer_all, one_by_one
    from digest.summarizer.marks import Scored

    task, rows = _task(path), _labelled(path)
    asked = [scoring.hidden(row, task) for row in rows]
    list(answer_all(task, asked[:1]))  # what the first call loads is not the method's time
    answers: dict[Any, Any] = {}
    began = time.process_time()
    with Progress(path.name) as progress:
        for done, answer in enumerate(answer_all(task, asked), 1):
            answers[answer["id"]] = answer[scoring.FIELDS[task]]
            if one_by_one(task):
                progress(done, len(rows))
    cpu = time.process_time() - began
    return Scored(
        file=f"{task}--{_source(path)}",
        rows=len(rows),
        cpu=1000 * cpu / max(1, len(rows)),
        measures=scoring.score(task, rows, answers),
    )


def _labelled(path: Path) -> list[Row]:
    """The rows of a file with their gold fields. Raises DigestError with the line of the first bad one."""
    from digest.summarizer import scoring
    from digest.summarizer.evaluate import checked

    task, rows = _task(path), []
    read = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            for line in lines:
                read += 1
                if line.strip():
                    row = checked(task, _read(line))
                    scoring.check_gold(task, row)
                    rows.append(row)
    except ValueError as error:
        raise DigestError(f"{path}:{read}: {error}") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DigestError(f"{path} is not a whole gzip file") from error
    return rows


def _marks(folder: Path) -> Marks:
    """Those that the folder brings; ours for the files that we were measured with."""
    from digest.summarizer.marks import MARKS

    try:
        given = json.loads((folder / MARKS_FILE).read_bytes())
    except FileNotFoundError:
        return MARKS
    except ValueError as error:
        raise DigestError(f"{folder / MARKS_FILE} is not JSON: {error}") from error
    try:
        return {file: {measure: float(mark) for measure, mark in of.items()} for file, of in given.items()}
    except (AttributeError, TypeError, ValueError) as error:
        text = f'{folder / MARKS_FILE} must read {{"TASK--SOURCE": {{"F1": 0.9}}}}'
        raise DigestError(text) from error


def _task(path: Path) -> str:
    return path.name.partition("--")[0] if path.name.endswith((".jsonl", ".jsonl.gz")) else ""


def _source(path: Path) -> str:
    return path.name.partition("--")[2].removesuffix(".gz").removesuffix(".jsonl")


def _number(value: float) -> str:
    return f"{value:.4f}" if value < 1 and value != int(value) else f"{value:.2f}".removesuffix(".00")

"""`digest eval`: the text methods answer a task, so that a scorer can judge them."""

from __future__ import annotations

import json
import sys

import click

TASKS = ("extract_body", "extract_snippets", "summarize", "cluster", "neardup", "sentences")


@click.command("eval")
@click.argument("task", type=click.Choice(TASKS))
def eval_command(task: str) -> None:
    """Read JSON lines of TASK on stdin, write one answer a line to stdout."""
    from digest.model import DigestError
    from digest.summarizer.evaluate import answer_all

    rows = []
    for number, line in enumerate(sys.stdin, 1):
        if not line.strip():
            continue
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise DigestError(f"line {number} of the input is not JSON: {error}") from error
    for answer in answer_all(task, rows):
        sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")

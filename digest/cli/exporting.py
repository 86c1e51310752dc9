"""Subscriptions by the million, on the screen or in a file: nothing is gathered before it is written."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from digest.cli.console import plain, table

if TYPE_CHECKING:
    from digest.model import Subscription

COLUMNS = (
    "address",
    "newsletter",
    "status",
    "source",
    "created_at",
    "confirmed_at",
    "left_at",
    "paused_until",
)
AT_ONCE = 1_000


async def export_to(path: Path | None, everyone: AsyncIterator[Subscription], *, as_json: bool) -> int:
    """CSV, or JSON lines, into a file (None: stdout); how many there were. A file is whole or as it was."""
    with _target(path) as out:
        return await (_json_lines(out, everyone) if as_json else _csv(out, everyone))


async def _csv(out: TextIO, everyone: AsyncIterator[Subscription]) -> int:
    from digest.roster.cells import neutral

    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    count = 0
    async for row in everyone:
        times = (row.created_at, row.confirmed_at, row.left_at, row.paused_until)
        writer.writerow(
            [neutral(row.address), row.newsletter, row.status.value, row.source]
            + [moment.isoformat() if moment else "" for moment in times]
        )
        count += 1
    return count


async def _json_lines(out: TextIO, everyone: AsyncIterator[Subscription]) -> int:
    count = 0
    async for row in everyone:
        out.write(
            json.dumps({name: plain(getattr(row, name)) for name in COLUMNS}, ensure_ascii=False) + "\n"
        )
        count += 1
    return count


@contextlib.contextmanager
def _target(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    # For its owner alone, and in its place only when it is whole.
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.touch(0o600, exist_ok=False)
        with beside.open("w", encoding="utf-8", newline="") as file:
            yield file
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


async def show_as_json(everyone: AsyncIterator[Subscription]) -> None:
    """One JSON array on stdout, an element at a time."""
    before = "["
    async for row in everyone:
        text = json.dumps(plain(row), ensure_ascii=False, indent=2).replace("\n", "\n  ")
        click.echo(f"{before}\n  {text}", nl=False)
        before = ","
    click.echo("\n]" if before == "," else "[]")


async def show_as_table(everyone: AsyncIterator[Subscription]) -> None:
    """A table on stdout; the first thousand decide how wide its columns are."""
    waiting: list[Subscription] = []
    shown = False
    async for row in everyone:
        waiting.append(row)
        if len(waiting) == AT_ONCE:
            _show(waiting)
            waiting = []
            shown = True
    if waiting or not shown:
        _show(waiting)


def _show(rows: list[Subscription]) -> None:
    table(
        ["address", "newsletter", "status", "source", "since"],
        [(row.address, row.newsletter, row.status, row.source, row.created_at) for row in rows],
        empty="no subscribers yet",
    )

"""Subscriptions by the million, on the screen or in a file: no more than a page is gathered before it is
written."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

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
    "language",
)
SUPPRESSED = "suppressed"  # a status that stands only in a file; `import` takes it for a no
AT_ONCE = 1_000


Pages = AsyncIterator[list["Subscription"]]
SuppressedOf = Callable[[int, int], Awaitable[frozenset[int]]]


async def export_to(path: Path | None, pages: Pages, suppressed: SuppressedOf, *, as_json: bool) -> int:
    """CSV, or JSON lines, into a file (None: stdout); how many there were. A file is whole or as it was.
    suppressed: which of the subscriptions with these ids (both included) are."""
    with _target(path) as out:
        rows = _rows(pages, suppressed)
        return await (_json_lines(out, rows) if as_json else _csv(out, rows))


async def _rows(pages: Pages, suppressed: SuppressedOf) -> AsyncIterator[Mapping[str, Any]]:
    """By `COLUMNS`. Whoever was erased is nobody: there is no address to import, and nothing to tell."""
    async for page in pages:
        never = await suppressed(page[0].id, page[-1].id)
        for one in page:
            if "@" not in one.address:
                continue
            row = {name: plain(getattr(one, name)) for name in COLUMNS}
            if one.id in never and one.left_at is None:
                row["status"] = SUPPRESSED
            yield row


async def _csv(out: TextIO, rows: AsyncIterator[Mapping[str, Any]]) -> int:
    from digest.roster.cells import neutral

    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    count = 0
    async for row in rows:
        writer.writerow([neutral(row[name] or "") for name in COLUMNS])
        count += 1
    return count


async def _json_lines(out: TextIO, rows: AsyncIterator[Mapping[str, Any]]) -> int:
    count = 0
    async for row in rows:
        out.write(json.dumps(row, ensure_ascii=False) + "\n")
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

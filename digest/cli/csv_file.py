"""Address lists as CSV: read whole and checked before anything is used, written so that no cell runs."""

from __future__ import annotations

import csv
from pathlib import Path

from digest.addresses import AddressError, normalize
from digest.model import DigestError

SHOWN = 10


def read_addresses(path: Path) -> list[str]:
    """The addresses of a CSV file, normalized, in order, without repeats.

    Raises DigestError that names the first bad lines by number; then nothing of the file should be used.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise DigestError(
            f"{path.name}:{line}: this is not UTF-8; save the file as “CSV UTF-8” and try again"
        ) from error
    rows = list(csv.reader(text.splitlines()))
    if not rows:
        raise DigestError(f"{path.name}: the file is empty")
    heads = [cell.strip().lower() for cell in rows[0]]
    column = next((heads.index(name) for name in ("email", "address", "e-mail") if name in heads), None)
    start = 0 if column is None and "@" in "".join(rows[0]) else 1
    column = column or 0
    seen: dict[str, None] = {}
    problems: list[str] = []
    for number, row in enumerate(rows[start:], start + 1):
        if not any(cell.strip() for cell in row):
            continue
        try:
            seen.setdefault(normalize(row[column].strip()))
        except IndexError:
            problems.append(f"{path.name}:{number}: there is no column {column + 1}")
        except AddressError as error:
            problems.append(f"{path.name}:{number}: {error}")
    if problems:
        more = f"\n… and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise DigestError("nothing was imported:\n" + "\n".join(problems[:SHOWN]) + more)
    return list(seen)


def neutral(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return "'" + cell if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell

"""Cells that no spreadsheet takes for a formula (OWASP, CSV injection), and back. Pure."""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


def neutral(cell: str) -> str:
    """The cell with an apostrophe before it when a program might run it; `plain` takes it away again."""
    return "'" + cell if _FORMULA.match(cell) else cell


def plain(cell: str) -> str:
    """What `neutral` was given."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell, 1) else cell

"""What is written beside each corpus file: the values that the parser must find in it."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from digest.feeds.parse import parse
from digest.model import FeedError

CORPUS = Path(__file__).parent / "corpus"
URL = "https://feeds.example/news/feed.xml"


def corpus() -> list[Path]:
    return sorted(path for path in CORPUS.iterdir() if not path.name.endswith(".expected.json"))


def beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.expected.json")


def found_in(path: Path) -> dict[str, Any]:
    """Everything parsed from a file that is not empty, or the error's words."""
    try:
        return _plain(parse(path.read_bytes(), "", URL))
    except FeedError as error:
        return {"error": str(error)}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if not hasattr(value, "__dataclass_fields__"):
        return value
    pairs = ((each.name, getattr(value, each.name)) for each in fields(value))
    found = {name: _plain(each) for name, each in pairs}
    return {name: each for name, each in found.items() if each not in ("", [], {}, None)}

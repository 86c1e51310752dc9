"""Which of our languages a browser would like best.

Accept-Language (RFC 9110 12.5.4), looked up as in RFC 4647 3.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

LONGEST = 1000  # characters that we look at; browsers send less than a hundred

_RANGE = re.compile(
    r"\s*([a-z]{1,8}(?:-[a-z0-9]{1,8})*|\*)\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?",
    re.ASCII | re.IGNORECASE,
)


def preferred(header: str, available: Iterable[str]) -> str:
    """The tag of ours that is liked best, as we spell it; empty when there is none, or nothing is said.

    `de-AT` finds `de`, and `pt` finds `pt-BR`. What has no quality is liked by its place.
    """
    ours = {tag.lower(): tag for tag in available}
    for wanted in _wishes(header):
        parts = wanted.split("-")
        for count in range(len(parts), 0, -1):
            if found := ours.get("-".join(parts[:count])):
                return found
        for tag, found in ours.items():
            if tag.startswith(f"{parts[0]}-"):
                return found
    return ""


def _wishes(header: str) -> Iterator[str]:
    read = (_RANGE.fullmatch(part) for part in header[:LONGEST].split(","))
    wishes = [(float(one[2] or 1), one[1].lower()) for one in read if one and one[1] != "*"]
    wishes.sort(key=lambda wish: -wish[0])
    return (tag for quality, tag in wishes if quality > 0)

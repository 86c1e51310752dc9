"""What has the reader got, and what can it read? Conditional requests and codings by RFC 9110; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Literal

Verdict = Literal["send", "not modified", "failed"]

IDENTITY = "identity"

_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_DATES = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y")
_WEIGHT = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.ASCII)  # RFC 9110, 12.4.2
_OTHER_NAMES = {"x-gzip": "gzip"}  # RFC 9110, 8.4.1.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The precondition headers of a request; several lines of one header are joined with commas."""

    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None
    if_unmodified_since: str | None = None


def verdict(asked: Conditions, *, etag: str, last_modified: datetime | None) -> Verdict:
    """What a GET or HEAD gets, in the order of RFC 9110 section 13.2.2."""
    if asked.if_match is not None:
        if not _listed(asked.if_match, etag, strong=True):
            return "failed"
    elif asked.if_unmodified_since is not None and last_modified is not None:
        limit = http_date(asked.if_unmodified_since)
        if limit is not None and last_modified > limit:
            return "failed"
    if asked.if_none_match is not None:
        return "not modified" if _listed(asked.if_none_match, etag, strong=False) else "send"
    if asked.if_modified_since is not None and last_modified is not None:
        since = http_date(asked.if_modified_since)
        if since is not None and last_modified <= since:
            return "not modified"
    return "send"


def _listed(field: str, etag: str, *, strong: bool) -> bool:
    """Whether a field `*`, `"a"` or `W/"a", "b"` names this (strong) entity tag."""
    if field == etag or field.strip() == "*":
        return True
    return any(tag == etag and not (weak and strong) for weak, tag in _TAG.findall(field))


def http_date(text: str) -> datetime | None:
    """An HTTP-date in any of its three forms; None for anything else, which is then ignored."""
    for form in _DATES:
        try:
            return datetime.strptime(text.strip(), form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def as_http_date(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC), usegmt=True)


def best_coding(field: str | None, offered: Sequence[str]) -> str | None:
    """Which coding this Accept-Encoding field likes best (RFC 9110, 12.5.3); of equals the one that is
    offered first. `identity` is always there; None: not even that is acceptable.

    A missing field takes anything, but a reader that sends none may understand no coding: it gets none.
    """
    if not field:
        return IDENTITY
    weights: dict[str, float] = {}
    for item in field.lower().split(","):
        name, weight = _weight(item)
        if name:
            weights[_OTHER_NAMES.get(name, name)] = weight
    others = weights.get("*")
    best, highest = None, 0.0
    for coding in offered:
        weight = weights.get(coding, others or 0.0)
        if weight > highest:
            best, highest = coding, weight
    # Uncoded is acceptable unless it is refused, but liked less than any coding that is named.
    plain = weights.get(IDENTITY, others)
    if plain is None:
        return best or IDENTITY
    return IDENTITY if plain > highest else best


def _weight(item: str) -> tuple[str, float]:
    """The coding and its weight; a weight that is none counts as “not acceptable”."""
    coding, _, parameters = item.partition(";")
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            value = value.strip()
            return coding.strip(), float(value) if _WEIGHT.fullmatch(value) else 0.0
    return coding.strip(), 1.0

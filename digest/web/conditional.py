"""Has the reader already got it? Conditional requests and content coding by RFC 9110; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Literal

Verdict = Literal["send", "not modified", "failed"]

_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_DATES = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y")


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


def accepts_gzip(field: str) -> bool:
    """Whether gzip is acceptable and not liked less than no coding at all (RFC 9110, 12.5.3)."""
    if ";" not in field and "," not in field:
        return field.strip().lower() in ("gzip", "x-gzip", "*")
    weights = dict(_weight(item) for item in field.lower().split(","))
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


def _weight(item: str) -> tuple[str, float]:
    coding, _, parameter = item.partition(";")
    name, _, value = parameter.partition("=")
    if name.strip() != "q":
        return coding.strip(), 1.0
    try:
        return coding.strip(), float(value)
    except ValueError:
        return coding.strip(), 0.0

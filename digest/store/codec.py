"""How our values lie in the database: times as numbers, frozen values as JSON, text that both databases take.

Reading is guided by the types of `model`: a field that is missing takes its default, one that we no longer
know is passed over, so that rows written by an older or a newer release can be read.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import types
import typing
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from json.encoder import encode_basestring as _quoted  # a text as JSON; it is what `json` itself calls
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import BigInteger, Row, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from digest.model import Entry, Fingerprint

T = TypeVar("T")
AnyRow: TypeAlias = Row[*tuple[Any, ...]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(span: timedelta) -> int:
    """A span as the whole microseconds that the columns count in."""
    return span // _MICROSECOND


def since_epoch(moment: datetime | None) -> int | None:
    """A moment as the columns hold it."""
    return None if moment is None else micros(moment - _EPOCH)


def from_epoch(value: int) -> datetime:
    return _EPOCH + value * _MICROSECOND


def clean(text: str) -> str:
    """Text that both databases store: PostgreSQL refuses NUL, and half a surrogate pair (a JSON feed may
    hold one) has no UTF-8. One such character must not cost the whole feed."""
    if "\0" in text:
        text = text.replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def key_of(text: str) -> str:
    """A short stand-in for a text of any length in an index (PostgreSQL's take 2,700 bytes at most)."""
    return hashlib.sha256(clean(text).encode()).hexdigest()[:40]


def host_of(address: str) -> str:
    """Whose server this address asks, with its port; a local file stands for itself."""
    kind, found, rest = address.partition("://")
    if not found:
        return address
    place = re.split(r"[/?#\\]", rest, maxsplit=1)[0].rpartition("@")[2].lower()
    return place.removesuffix(":443" if kind.lower() == "https" else ":80")


class Moment(TypeDecorator[datetime]):
    """An aware time as microseconds since the epoch, UTC: exact, sortable, the same on both databases."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return since_epoch(value)  # a naive time raises TypeError here

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + value * _MICROSECOND


class Span(TypeDecorator[timedelta]):
    """A length of time as microseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: Dialect) -> int | None:
        return None if value is None else micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> timedelta | None:
        return None if value is None else value * _MICROSECOND


class Words(TypeDecorator[str]):
    """Text that came from outside."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else clean(value)


def encode(value: object) -> str:
    """A value of ours (or a list or mapping of them) as JSON text."""
    return clean(json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":")))


def encode_entry(entry: Entry) -> str:
    """As `encode`, at a sixth of its time: a first poll writes down hundreds."""
    published, updated = entry.published, entry.updated
    return clean(
        f'{{"guid":{_quoted(entry.guid)},"url":{_quoted(entry.url)},"title":{_quoted(entry.title)},'
        f'"html":{_quoted(entry.html)},"description":{_quoted(entry.description)},'
        f'"authors":[{",".join(map(_quoted, entry.authors))}],'
        f'"categories":[{",".join(map(_quoted, entry.categories))}],'
        f'"language":{_quoted(entry.language)},"image":{_quoted(entry.image)},'
        f'"published":{"null" if published is None else _quoted(published.isoformat())},'
        f'"updated":{"null" if updated is None else _quoted(updated.isoformat())},'
        f'"enclosure":{_quoted(entry.enclosure)},"comments":{_quoted(entry.comments)}}}'
    )


def decode(kind: type[T], text: str) -> T:
    """What `encode` wrote, as a value of this type."""
    read = _reader(typing.cast(Any, kind))
    return typing.cast(T, read(json.loads(text)))


def decode_mapping(text: str) -> dict[str, Any]:
    """What `encode` wrote for a mapping of plain values."""
    return typing.cast("dict[str, Any]", json.loads(text))


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Fingerprint):
        held = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        return {**held, "shingles": _packed(value.shingles)}
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return micros(value)
    return [_plain(item) for item in value]


def _packed(numbers: Sequence[int]) -> str:
    """Hundreds of 64-bit numbers, at half of their digits' length and a tenth of the time to read them."""
    return b64encode(struct.pack(f"<{len(numbers)}Q", *numbers)).decode()


def _unpacked(value: Any) -> tuple[int, ...]:
    if isinstance(value, str):
        held = b64decode(value)
        return struct.unpack(f"<{len(held) // 8}Q", held)
    return tuple(value)  # as older releases wrote them


def _same(value: Any) -> Any:
    return value


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """The function that turns plain JSON into this type; None always stays None."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        (inner,) = (argument for argument in arguments if argument is not type(None))
        read = _reader(inner)
        return lambda value: None if value is None else read(value)
    if is_dataclass(kind):
        return _reader_of_fields(kind)
    if origin is tuple:
        read = _reader(arguments[0])
        return lambda value: tuple(read(item) for item in value)
    if origin is not None and issubclass(origin, Mapping):
        read = _reader(arguments[1])
        return lambda value: {key: read(item) for key, item in value.items()}
    if kind in (datetime, date, time):
        return typing.cast("Callable[[Any], Any]", kind.fromisoformat)
    if kind is timedelta:
        return lambda value: value * _MICROSECOND
    return _same


def _reader_of_fields(kind: Any) -> Callable[[Any], Any]:
    hints = typing.get_type_hints(kind)
    readers = {field.name: _reader(hints[field.name]) for field in fields(kind)}
    if kind is Fingerprint:
        readers["shingles"] = _unpacked
    return lambda value: kind(
        **{name: readers[name](item) for name, item in value.items() if name in readers}
    )

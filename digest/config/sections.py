"""Turns a settings dataclass, such as a publisher brings along, into a section of the file.

A field's name is its key (or `metadata={"key": "from"}`), its default its default. What it means is taken
from `metadata={"description": …}`, or from the class's docstring, where `name: what it means` describes a
field. Durations are written `2d`, paths are relative to the config file, dataclasses are mappings. What the
class itself refuses, in `__post_init__`, is an error at the section's place.
"""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import pydantic
from pydantic import AfterValidator, BaseModel, ConfigDict, create_model

from digest.config.kinds import Duration, File, Number, Whole, spell, wrong
from digest.model import DigestError

_KINDS: dict[Any, Any] = {timedelta: Duration, Path: File, int: Whole, float: Number}


def section(settings: type, name: str = "") -> Any:
    """The type of the section: a mapping is checked and becomes an instance of `settings`."""
    if not dataclasses.is_dataclass(settings):
        raise TypeError(f"{settings!r} is not a dataclass")
    hints = get_type_hints(settings, include_extras=True)
    told = descriptions(settings)
    # With a prefix: a field may be called `json` or `copy`, as methods of pydantic's are.
    fields: dict[str, Any] = {
        f"its_{item.name}": (_kind(hints[item.name]), _field(item, told.get(item.name, "")))
        for item in dataclasses.fields(settings)
        if item.init
    }
    model = create_model(
        f"{name.title().replace('_', '')}{settings.__name__}",
        __config__=ConfigDict(extra="forbid"),
        __doc__="",
        **fields,
    )

    def build(given: BaseModel) -> Any:
        values = {name.removeprefix("its_"): getattr(given, name) for name in given.model_fields_set}
        try:
            return settings(**values)
        except (ValueError, DigestError) as error:
            raise wrong("{reason}", reason=str(error)) from error

    return Annotated[model, AfterValidator(build)]


def key_of(item: Field[Any]) -> str:
    """What the field is called in the file."""
    return str(item.metadata.get("key", item.name))


def required(settings: type) -> list[str]:
    """The keys that have no default."""
    return [
        key_of(item)
        for item in dataclasses.fields(settings)
        if item.init and item.default is MISSING and item.default_factory is MISSING
    ]


def is_secret(item: Field[Any]) -> bool:
    return bool(item.metadata.get("secret")) or not item.repr


def plain(value: Any) -> Any:
    """The value as it would be written in the file; secrets masked."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {key_of(item): _masked(item, getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, timedelta):
        return spell(value)
    if isinstance(value, time):
        return value.isoformat("minutes")
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [plain(item) for item in value]
    return str(value)


def _masked(item: Field[Any], value: Any) -> Any:
    return "…" if is_secret(item) and value else plain(value)


def descriptions(settings: type) -> dict[str, str]:
    """What the class's docstring says of its fields: `name: what it means. other: …`."""
    names = "|".join(re.escape(item.name) for item in dataclasses.fields(settings))
    text = " ".join((settings.__doc__ or "").split())
    if not names or text.startswith(f"{settings.__name__}("):  # the signature that dataclass writes itself
        return {}
    parts = re.split(rf"(?:^|(?<=[.;!?)] ))({names}): ", text)
    return {
        name: said[:1].upper() + said[1:].strip() for name, said in zip(parts[1::2], parts[2::2], strict=True)
    }


def _field(item: Field[Any], told: str) -> Any:
    default: Any = ...
    if item.default is not MISSING:
        default = plain(item.default)
    elif item.default_factory is not MISSING:
        default = plain(item.default_factory())
    description = item.metadata.get("description", told)
    return pydantic.Field(default, alias=key_of(item), description=description or None)


def _kind(hint: Any) -> Any:
    """The same type, with the ways of writing that are the file's."""
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return section(hint)
    if hint in _KINDS:
        return _KINDS[hint]
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return Union[tuple(_kind(one) for one in inner)]  # noqa: UP007 - the members are made here
    if origin in (tuple, list, dict, Mapping, Sequence):
        kinds = tuple(one if one is Ellipsis else _kind(one) for one in inner)
        return (dict if origin is Mapping else tuple if origin is Sequence else origin)[
            kinds if origin is not Sequence else (*kinds, ...)
        ]
    return hint

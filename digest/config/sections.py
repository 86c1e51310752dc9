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
from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Tag, create_model

from digest.config.kinds import OURS, TEMPLATE, Duration, File, Number, Whole, spell, wrong
from digest.model import DigestError

LIST, MAPPING, VALUE = "<list>", "<mapping>", "<value>"
_FORMS = {LIST: "a list", MAPPING: "a mapping of settings", VALUE: "a plain value"}
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
        name: (told := said.strip())[:1].upper() + told[1:]
        for name, said in zip(parts[1::2], parts[2::2], strict=True)
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
        return _either([one for one in inner if one is not type(None)], type(None) in inner)
    if origin in (tuple, list, dict, Mapping, Sequence):
        kinds = tuple(one if one is Ellipsis else _kind(one) for one in inner)
        return (dict if origin is Mapping else tuple if origin is Sequence else origin)[
            kinds if origin is not Sequence else (*kinds, ...)
        ]
    return hint


def _either(kinds: Sequence[Any], optional: bool) -> Any:
    """One of these. Where each has a form of its own (a list, a mapping, a plain value), what is given is
    held against the one of its form, so that an error speaks of that and of nothing else. (None is never
    given: a key without a value is as good as absent.)"""
    forms = [_form(one) for one in kinds]
    made: Any = tuple(_kind(one) for one in kinds)
    if len(kinds) == 1 or len(kinds) > len(set(forms)):
        return Union[(*made, None) if optional else made]  # noqa: UP007 - the members are made here
    tagged = tuple(Annotated[one, Tag(form)] for one, form in zip(made, forms, strict=True))
    said = "should be " + " or ".join(_FORMS[form] for form in forms)
    return Annotated[
        Union[tagged],  # noqa: UP007
        Discriminator(
            lambda value: form if (form := _form_of(value)) in forms else None,
            custom_error_type=OURS,
            custom_error_message=said,
            custom_error_context={TEMPLATE: said},
        ),
    ]


def _form(hint: Any) -> str:
    if get_origin(hint) in (tuple, list, Sequence):
        return LIST
    return MAPPING if dataclasses.is_dataclass(hint) or get_origin(hint) in (dict, Mapping) else VALUE


def _form_of(value: Any) -> str:
    if isinstance(value, list | tuple):
        return LIST
    return MAPPING if isinstance(value, dict) or dataclasses.is_dataclass(value) else VALUE

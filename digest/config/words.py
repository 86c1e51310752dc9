"""Says in plain words what pydantic found, and at which line and column."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic.fields import FieldInfo

from digest.config.choice import FILTER, INTEREST, WORDS
from digest.config.document import Document, Loc
from digest.config.kinds import OURS, TEMPLATE
from digest.config.problems import Problem, closest, suggestion
from digest.config.sections import LIST, MAPPING, VALUE
from digest.config.shape import ADDRESS, FEED, OPML

_TAGS = frozenset((ADDRESS, FEED, OPML, WORDS, FILTER, INTEREST, LIST, MAPPING, VALUE))

_SENTENCES = {
    "string_type": "should be text; put it in quotes",
    "int_type": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_from_float": "should be a whole number",
    "float_type": "should be a number",
    "float_parsing": "should be a number",
    "finite_number": "should be a finite number",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "tuple_type": "should be a list, such as [a, b]",
    "list_type": "should be a list, such as [a, b]",
    "dict_type": "should be a mapping of names to settings",
    "model_type": "should be a mapping of settings",
    "too_short": "must not be empty",
    "union_tag_not_found": "should be an address, a path, or a mapping with url or opml",
    "greater_than": "should be more than {gt}",
    "greater_than_equal": "should be at least {ge}",
    "less_than": "should be less than {lt}",
    "less_than_equal": "should be at most {le}",
}


def problems(error: ValidationError, document: Document, shape: type[BaseModel]) -> Iterator[Problem]:
    """Each error once: not those of values that could not even be read, and of a misspelt key only that."""
    errors = error.errors(include_url=False)
    meant = {
        (*found["loc"][:-1], closest(str(found["loc"][-1]), _fields(shape, found["loc"][:-1])))
        for found in errors
        if found["type"] == "extra_forbidden"
    }
    for found in errors:
        steps: Loc = found["loc"]
        key = steps[-1:] == ("[key]",)
        loc = tuple(step for step in steps if step not in _TAGS and step != "[key]")
        kind = found["type"]
        if document.is_spoiled(loc) or (kind == "missing" and steps in meant):
            continue
        if kind == "extra_forbidden":
            text, key = _unknown(str(loc[-1]), shape, steps[:-1]), True
        elif kind == "missing":
            text, key = _missing(str(loc[-1]), shape, steps[:-1]), True
        else:
            ctx = found.get("ctx", {})
            if kind == OURS:
                text = _sentence_of_ours(ctx, document, loc)
            else:
                text = _sentence(kind, ctx, found["msg"], found["input"])
        yield document.problem(loc, text, key=key)


def _sentence(kind: str, ctx: Mapping[str, Any], message: str, given: Any) -> str:
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", str(ctx["expected"]))
        return "should be one of " + _or(known, str(given))
    if kind in _SENTENCES:
        return _SENTENCES[kind].format(**ctx)
    return message[:1].lower() + message[1:]


def _or(known: Sequence[str], given: str) -> str:
    meant = closest(given, known)
    return ", ".join(known) + (f"; did you mean {meant}?" if meant else "")


def _unknown(name: str, shape: type[BaseModel], steps: Loc) -> str:
    known = sorted(_fields(shape, steps))
    if name == "<<":
        return "YAML 1.2 has no merge keys; write the settings out, or name the whole mapping with an alias"
    return f"there is no such setting; {suggestion(name, known, otherwise='known here')}"


def _missing(name: str, shape: type[BaseModel], steps: Loc) -> str:
    found = _fields(shape, steps).get(name)
    if found is None or not found.examples:
        return "is missing"
    return f"is missing; for example, {name}: {found.examples[0]}"


def _sentence_of_ours(ctx: Mapping[str, Any], document: Document, loc: Loc) -> str:
    """The sentence, repeating nothing that came from the environment or a file."""
    text = str(ctx[TEMPLATE])
    hidden = document.hidden_under(loc)
    for name, value in ctx.items():
        repeats = loc in document.hidden or any(secret in str(value) for secret in hidden)
        if repeats and text == f"{{{name}}}":
            return "is refused, in words that would repeat a value from the environment or a file"
        text = text.replace(f"{{{name}}}", "…" if repeats else str(value))
    return text


# ---------------------------------------------------------------- the shape at a place


def _fields(shape: type[BaseModel], steps: Loc) -> dict[str, FieldInfo]:
    """The settings that are known at that place, by their keys."""
    kind: Any = shape
    for step in steps:
        kind = _inside(kind, step)
    found = _bare(kind)
    if not (isinstance(found, type) and issubclass(found, BaseModel)):
        return {}
    return {field.alias or name: field for name, field in found.model_fields.items()}


def _inside(kind: Any, step: str | int) -> Any:
    kind = _bare(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            if step == (field.alias or name):
                return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        return None
    origin, inner = get_origin(kind), get_args(kind)
    if origin is dict:
        return inner[1]
    if origin in (tuple, list):
        return inner[0]
    if origin in (Union, types.UnionType):
        return next((one for one in inner if _tag(one) == step), None)
    return None


def _bare(kind: Any) -> Any:
    """Without Annotated and without `| None`."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif get_origin(kind) in (Union, types.UnionType) and type(None) in get_args(kind):
            rest = [one for one in get_args(kind) if one is not type(None)]
            if len(rest) != 1:
                return kind
            kind = rest[0]
        else:
            return kind


def _tag(kind: Any) -> str | None:
    if get_origin(kind) is not Annotated:
        return None
    return next((one.tag for one in get_args(kind)[1:] if isinstance(one, Tag)), None)

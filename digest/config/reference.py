"""What the file may say, for editors (JSON Schema) and for people (a table), both made from its shape."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from digest.config.settings import ChannelSettings
from digest.config.shape import CHANNELS, with_channels

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_EXPANDED = {"type": "string", "pattern": r"\$\{", "x-type": "`${VAR}`"}


def schema(channel_settings: ChannelSettings, channels: Sequence[str] = CHANNELS) -> dict[str, Any]:
    """The JSON Schema (2020-12) of config.yaml with the sections of these channels."""
    shape = with_channels({name: channel_settings(name) for name in channels})
    made = shape.model_json_schema(by_alias=True)
    definitions = made.pop("$defs", {})
    body = _for_editors(made)
    body.pop("title", None)
    return {
        "$schema": _DIALECT,
        "title": "config.yaml of Digest",
        **body,
        "$defs": {name: _for_editors(item) for name, item in definitions.items()},
    }


def _for_editors(item: Any, *, named: bool = False) -> Any:
    """Without the titles that pydantic makes of names, and with `${VAR}` wherever it may stand.

    named: the keys of this mapping are names of settings, not words of JSON Schema.
    """
    if isinstance(item, list):
        return [_for_editors(one) for one in item]
    if not isinstance(item, dict):
        return item
    if named:
        return {key: _for_editors(value) for key, value in item.items()}
    kept = {
        key: value
        if key in ("default", "examples", "enum", "required")
        else _for_editors(value, named=key in ("properties", "patternProperties"))
        for key, value in item.items()
        if key != "title" and not (key == "default" and value is None)
    }
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    if "enum" in kept or "pattern" in kept or kept.get("type") in ("integer", "number", "boolean"):
        about = {key: kept.pop(key) for key in ("description", "default", "examples") if key in kept}
        return {**about, "anyOf": [kept, _EXPANDED]}
    return kept


# ---------------------------------------------------------------- for people


def reference(channel_settings: ChannelSettings, channels: Sequence[str] = CHANNELS) -> str:
    """Every setting with its type, default and meaning, as Markdown: one table for each top-level name."""
    whole = schema(channel_settings, channels)
    parts = []
    for name, item in whole["properties"].items():
        rows = list(_rows(name, item, name in whole["required"], whole["$defs"]))
        lines = [f"## `{name}`", "", "| setting | type | default | what it means |", "|---|---|---|---|"]
        lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _rows(
    path: str, item: Mapping[str, Any], required: bool, definitions: Mapping[str, Any]
) -> Iterator[tuple[str, str, str, str]]:
    default = "required" if required else _default(item)
    yield f"`{path}`", _kind(item, definitions), default, item.get("description", "")
    yield from _inner_rows(path, item, definitions)


def _inner_rows(
    path: str, item: Mapping[str, Any], definitions: Mapping[str, Any]
) -> Iterator[tuple[str, str, str, str]]:
    item = _resolved(item, definitions)
    for name, inner in item.get("properties", {}).items():
        yield from _rows(f"{path}.{name}", inner, name in item.get("required", ()), definitions)
    others = item.get("additionalProperties")
    for of_each in (
        *item.get("patternProperties", {}).values(),
        *([others] if isinstance(others, dict) else []),
    ):
        yield from _inner_rows(f"{path}.NAME", of_each, definitions)
    if "items" in item:
        yield from _inner_rows(f"{path}[]", item["items"], definitions)
    for one in (*item.get("anyOf", ()), *item.get("oneOf", ())):
        yield from _inner_rows(path, one, definitions)


def _kind(item: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    item = _resolved(item, definitions)
    if "x-type" in item:
        return str(item["x-type"])
    if "enum" in item:
        return " or ".join(f"`{value}`" for value in item["enum"])
    if "const" in item:
        return f"`{item['const']}`"
    parts = [*item.get("anyOf", ()), *item.get("oneOf", ())]
    if parts:
        said = [part for part in parts if part.get("type") != "null" and part != _EXPANDED]
        return " or ".join(dict.fromkeys(_kind(part, definitions) for part in said))
    if item.get("type") == "array":
        return f"list of {_kind(item.get('items', {}), definitions)}"
    words = {"string": "text", "integer": "whole number", "object": "mapping", "boolean": "true or false"}
    return words.get(str(item.get("type")), str(item.get("type", "anything")))


def _default(item: Mapping[str, Any]) -> str:
    default = item.get("default")
    if default in (None, "", [], {}):
        return ""
    return f"`{default if isinstance(default, str) else json.dumps(default, ensure_ascii=False)}`"


def _resolved(item: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = item.get("$ref")
    if reference is None:
        return item
    return {**definitions[reference.rpartition("/")[2]], **item}

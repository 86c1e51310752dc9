"""Puts a list of feeds into the admin's file and leaves every other byte as it was, comments and all.

The place is found by the marks of the YAML nodes, and what comes out is read again: if it says anything but
the old and the new line, it is not used. Pure.
"""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from digest.config.document import decoded
from digest.config.nodes import UNTAGGED, Composer, child, compose
from digest.config.problems import ConfigError

_BOM = "\ufeff"
_KEY = "feeds"
_PLAIN = re.compile(r"[^\W_][\w.-]*")
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what libyaml takes for one
_DASH = re.compile(r"( *)-(?=[ \t\r\n])")
_IDLE = re.compile(r"[ \t]*(?:#[^\n\r]*)?")


def slugs(raw: bytes, name: str) -> list[str]:
    """The newsletters that the file defines. Raises ConfigError when it is not YAML."""
    found = child(compose(decoded(raw, name), name, Composer), "newsletters")
    if found is None or not isinstance(found[1], yaml.MappingNode):
        return []
    return [key.value for key, _ in found[1].value if isinstance(key, yaml.ScalarNode)]


def with_opml(raw: bytes, name: str, slug: str, file: str) -> bytes | None:
    """The file's bytes with `- {opml: file}` at the top of that newsletter's feeds.

    None when it is written in a way in which that cannot be done without changing anything else.
    """
    text = decoded(raw, name)
    root = compose(text, name, Composer)
    newsletters = child(root, "newsletters")
    newsletter = child(newsletters[1], slug) if newsletters else None
    if root is None or newsletter is None:
        return None
    changed = _edited(text, newsletter[1], f"{{opml: {_scalar(file)}}}")
    if changed is None:
        return None
    try:
        after = compose(changed, name, Composer)
    except ConfigError:
        return None
    if after is None or _plain(after) != _expected(_plain(root), slug, file):
        return None
    return ((_BOM if raw.startswith(_BOM.encode()) else "") + changed).encode()


def _scalar(file: str) -> str:
    if _PLAIN.fullmatch(file) and file.isprintable():
        return file
    return json.dumps(file.replace("${", "$${"), ensure_ascii=False)


# ---------------------------------------------------------------- where


def _edited(text: str, newsletter: yaml.Node, item: str) -> str | None:
    if not isinstance(newsletter, yaml.MappingNode) or not newsletter.value:
        return None
    found = child(newsletter, _KEY)
    if found is None:
        return None if newsletter.flow_style else _before_first(text, newsletter.value[0][0], item)
    key, value = found
    if key is None:
        return None
    start, end = value.start_mark.index, value.end_mark.index
    if isinstance(value, yaml.SequenceNode) and value.flow_style:
        inside = text.index("[", start) + 1  # an anchor may stand before it, and has no bracket
        return text[:inside] + item + (", " if value.value else "") + text[inside:]
    if isinstance(value, yaml.SequenceNode):
        return _before_items(text, key, item)
    if isinstance(value, yaml.ScalarNode) and value.tag == UNTAGGED and not value.style:
        if start == end and not newsletter.flow_style:
            return _below(text, key, item)
        if value.value in ("~", "null", "Null", "NULL"):
            return f"{text[:start]}[{item}]{text[end:]}"
    return None


def _before_first(text: str, key: yaml.Node, item: str) -> str | None:
    """A newsletter without `feeds`: they become its first setting."""
    start, column = key.start_mark.index, key.start_mark.column
    before = text[start - column : start]
    if before.strip(" "):
        return None
    end = _line_end(text, start)
    return f"{text[: start - column]}{before}{_KEY}:{end}{before}  - {item}{end}{text[start - column :]}"


def _before_items(text: str, key: yaml.Node, item: str) -> str | None:
    """At once below `feeds:`, above the comments of what was the first item, and as deep as that is."""
    at = _next_line(text, key.start_mark.index)
    end = _line_end(text, key.start_mark.index)
    line = at
    while (idle := _IDLE.match(text, line)) and (break_ := _LINE_END.match(text, idle.end())):
        line = break_.end()
    dash = _DASH.match(text, line)
    return None if dash is None else f"{text[:at]}{dash[1]}- {item}{end}{text[at:]}"


def _below(text: str, key: yaml.Node, item: str) -> str:
    """`feeds:` with nothing, or only comments, below it."""
    at = _next_line(text, key.start_mark.index)
    end = _line_end(text, key.start_mark.index)
    first = "" if _LINE_END.search(text, key.start_mark.index) else end
    return f"{text[:at]}{first}{' ' * (key.start_mark.column + 2)}- {item}{end}{text[at:]}"


def _next_line(text: str, index: int) -> int:
    found = _LINE_END.search(text, index)
    return found.end() if found else len(text)


def _line_end(text: str, index: int) -> str:
    found = _LINE_END.search(text, index) or _LINE_END.search(text)
    return found[0] if found else "\n"


# ---------------------------------------------------------------- the same but for one


def _plain(node: yaml.Node) -> Any:
    """What a node says, in values that can be compared; keys and items in their order."""
    if isinstance(node, yaml.MappingNode):
        return [(_plain(key), _plain(value)) for key, value in node.value]
    if isinstance(node, yaml.SequenceNode):
        return {number: _plain(item) for number, item in enumerate(node.value)}
    return (node.tag, isinstance(node, yaml.ScalarNode) and bool(node.style), node.value)


def _expected(said: Any, slug: str, file: str) -> Any:
    """What the file should say afterwards."""
    name = file.replace("${", "$${")
    item = [((UNTAGGED, False, "opml"), (UNTAGGED, name != file or not _PLAIN.fullmatch(file), name))]

    def added(feeds: Any) -> Any:
        old = list(feeds.values()) if isinstance(feeds, dict) else []
        return dict(enumerate([item, *old]))

    def within(newsletter: Any) -> Any:
        if not any(key[2] == _KEY for key, _ in newsletter):
            return [((UNTAGGED, False, _KEY), added(None)), *newsletter]
        return [(key, added(value) if key[2] == _KEY else value) for key, value in newsletter]

    return [
        (key, [(one, within(value) if one[2] == slug else value) for one, value in whole])
        if key[2] == "newsletters"
        else (key, whole)
        for key, whole in said
    ]

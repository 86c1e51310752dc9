"""From text to YAML nodes, with marks: libyaml does it, and nothing that is written can make it run away."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import yaml

from digest.config.problems import ConfigError, Problem

LARGEST = 1_000_000  # values, aliases expanded: a "billion laughs" is refused before it is built
DEEPEST = 40

UNTAGGED = "?"


class Place(NamedTuple):
    line: int
    column: int


class _TooDeep(Exception):
    """Raised through libyaml's composer, whose recursion would otherwise end the process."""


class _Untagged:
    """Leaves the meaning of untagged nodes to us, and counts how deep they are nested."""

    depth = 0

    def resolve(self, _kind: type, _value: object, _implicit: object) -> str:
        return UNTAGGED

    def descend_resolver(self, _node: object, _index: object) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise _TooDeep

    def ascend_resolver(self) -> None:
        self.depth -= 1


class PureComposer(
    _Untagged, yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser, yaml.composer.Composer
):
    """Ten times slower, for a PyYAML that was built without libyaml."""

    def __init__(self, text: str) -> None:
        yaml.reader.Reader.__init__(self, text)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)
        yaml.composer.Composer.__init__(self)


Composer: type[Any] = PureComposer
if yaml.__with_libyaml__:
    from yaml.cyaml import CParser  # type: ignore[attr-defined]

    class _FastComposer(_Untagged, CParser):
        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)

    Composer = _FastComposer


@contextmanager
def without_collector() -> Iterator[None]:
    """Half of the time of a large config went into looking, again and again, for garbage among its nodes."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def compose(text: str, name: str, composer: type[Any]) -> yaml.Node | None:
    """The root node, None of an empty text. Raises ConfigError."""
    try:
        root: yaml.Node | None = composer(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(part for part in (error.context, error.problem) if part)
        line, column = (mark.line, mark.column) if mark else (0, 0)
        said += _advice(text, line, said)
        raise wrong_at(name, line, column, f"is not YAML: {said}") from error
    except _TooDeep as error:
        raise wrong_at(name, 0, 0, f"is nested more than {DEEPEST} deep") from error
    if root is not None and "*" in text:  # without an alias it is no larger than its text
        _bound(root, name)
    return root


def _advice(text: str, line: int, said: str) -> str:
    shown = text.splitlines()[line : line + 1]
    if not shown:
        return ""
    if "cannot start any token" in said and shown[0].lstrip(" ").startswith("\t"):
        return "; indent with spaces, not with tabs"
    if "${" in shown[0] and "flow" in said:
        return '; within [ ] and { }, write "${…}" with quotes'
    return ""


def _bound(root: yaml.Node, name: str) -> None:
    """Refuse what would never end, or fill the memory, once aliases are followed."""
    measured: dict[int, tuple[int, int]] = {}
    within: set[int] = set()

    def measure(node: yaml.Node) -> tuple[int, int]:
        """How many values it holds, and how deep they are nested."""
        if isinstance(node, yaml.ScalarNode):
            return 1, 0
        if id(node) in measured:
            return measured[id(node)]
        if id(node) in within:
            raise _at(node, name, "contains itself, by an alias")
        within.add(id(node))
        parts = [measure(child) for child in _children(node)]
        within.discard(id(node))
        values, depth = 1 + sum(part[0] for part in parts), 1 + max((part[1] for part in parts), default=0)
        if values > LARGEST:
            raise _at(node, name, f"is more than {LARGEST} values, with its aliases followed")
        if depth > DEEPEST:
            raise _at(node, name, f"is nested more than {DEEPEST} deep, with its aliases followed")
        measured[id(node)] = values, depth
        return values, depth

    measure(root)


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    for item in node.value:
        if isinstance(item, tuple):
            yield from item
        else:
            yield item


def child(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node | None, yaml.Node] | None:
    """The key (None in a list) and value of that name."""
    if isinstance(node, yaml.MappingNode):
        return next(((name, value) for name, value in node.value if name.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return None, node.value[step]
    return None


def place_of(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def column_after(before: str) -> int:
    return len(before) - (before.rfind("\n") + 1)


def shown_tag(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")


def _at(node: yaml.Node, name: str, text: str) -> ConfigError:
    return wrong_at(name, node.start_mark.line, node.start_mark.column, text)


def wrong_at(name: str, line: int, column: int, text: str) -> ConfigError:
    return ConfigError([Problem(file=name, line=line + 1, column=column + 1, text=text)])

"""The values of the file, and for each of them its line and column.

What a scalar means is decided here, not by PyYAML: the core schema of YAML 1.2, in which
`7:00`, `no` and `on` are words. Numbers written in more than one way (`0777`, `1_000`) are words too.
`${VAR}`, `${VAR:-default}` and `!file path` are applied to scalars after parsing, so that no value of
theirs can become markup.

A key whose value is empty (all items commented out) is as good as absent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from digest.config.nodes import (
    UNTAGGED,
    Composer,
    Place,
    child,
    column_after,
    compose,
    place_of,
    shown_tag,
    wrong_at,
)
from digest.config.problems import Problem

Loc = tuple[str | int, ...]

LARGEST_FILE = 1 << 20  # of a `!file`, in bytes

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})|0o[0-7]{1,20}|0x[0-9a-fA-F]{1,16}", re.ASCII)
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)\.[0-9]*|(0|[1-9][0-9]*)(?=[eE]))([eE][-+]?[0-9]+)?", re.ASCII
)
_NO_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", re.ASCII)
_VARIABLE = re.compile(r"\$\$\{|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(?::-([^{}]*))?\})?", re.ASCII)
_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Document:
    """The values of one file and where each of them stands.

    hidden: what came from the environment or a file; it is never repeated in a message.
    files: the `!file`s, by place in the document; those of the places in `may_lack` need not be there yet.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        env: Mapping[str, str],
        root: yaml.Node | None,
        may_lack: frozenset[Loc] = frozenset(),
    ) -> None:
        self.name = name
        self.folder = folder
        self.problems: list[Problem] = []
        self.files: dict[Loc, Path] = {}
        self.hidden: dict[Loc, tuple[str, ...]] = {}
        self._spoiled: set[Loc] = set()
        self._may_lack = may_lack
        self._env = env
        self._root = root
        self.data = {} if root is None else self._value(root, ())

    # ------------------------------------------------------------ places

    def place(self, loc: Loc, *, key: bool = False) -> Place:
        """Where the value at `loc` begins, or its key; of what is absent: the key of what is around it."""
        node, name = self._root, None
        for step in loc:
            found = child(node, step)
            if found is None:
                key = True
                break
            name, node = found
        shown = name if key and name is not None else node
        return Place(1, 1) if shown is None else place_of(shown)

    def problem(self, loc: Loc, text: str, *, key: bool = False) -> Problem:
        line, column = self.place(loc, key=key)
        return Problem(file=self.name, line=line, column=column, path=".".join(map(str, loc)), text=text)

    def complain(self, loc: Loc, text: str, *, key: bool = False) -> None:
        self.problems.append(self.problem(loc, text, key=key))

    def is_spoiled(self, loc: Loc) -> bool:
        """Whether something at, or around, this place has been complained about while reading it."""
        return any(loc[:length] in self._spoiled for length in range(len(loc) + 1))

    def hidden_under(self, loc: Loc) -> list[str]:
        """The texts at, or below, this place that no message may repeat."""
        return [
            text for place, texts in self.hidden.items() if place[: len(loc)] == loc for text in texts if text
        ]

    # ------------------------------------------------------------ values

    def _value(self, node: yaml.Node, loc: Loc) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, loc)
        if node.tag != UNTAGGED:
            self._spoil(loc, f"the tag {shown_tag(node.tag)} is not used here; only !file is")
            return None
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*loc, number)) for number, item in enumerate(node.value)]
        return self._mapping(node, loc)

    def _mapping(self, node: yaml.Node, loc: Loc) -> dict[str, Any]:
        values: dict[str, Any] = {}
        seen: dict[str, int] = {}
        for name, item in node.value:
            if not isinstance(name, yaml.ScalarNode):
                self._complain_at(name, loc, "a key must be a word")
                continue
            here = (*loc, name.value)
            if name.value in seen:
                self._complain_at(name, here, f"is given twice; the first is in line {seen[name.value]}")
                continue
            seen[name.value] = place_of(name).line
            value = self._value(item, here)
            if value is not None:
                values[name.value] = value
        return values

    def _scalar(self, node: yaml.ScalarNode, loc: Loc) -> Any:
        if node.tag not in (UNTAGGED, "!file"):
            self._spoil(loc, f"the tag {shown_tag(node.tag)} is not used here; only !file is")
            return None
        if node.tag == UNTAGGED and not node.style:
            value = _core_schema(node.value)
            if not isinstance(value, str):
                return value
        text = self._expanded(node.value, loc) if "${" in node.value else node.value
        if text is None or node.tag == UNTAGGED:
            return text
        return self.file(loc, text)

    def _expanded(self, text: str, loc: Loc) -> str | None:
        used: list[str] = []
        wrong: list[str] = []

        def one(found: re.Match[str]) -> str:
            if found[0] == "$${":
                return "${"
            name, default = found[1], found[2]
            if name is None:
                wrong.append("${ is not followed by NAME} or NAME:-default}; write $${ for a plain ${")
                return ""
            text = self._env.get(name)
            if default is not None and not text:
                return str(default)
            if text is None:
                wrong.append(f"the environment has no {name}; set it, or write ${{{name}:-default}}")
                return ""
            used.append(text)
            return text

        expanded = _VARIABLE.sub(one, text)
        for text in wrong:
            self._spoil(loc, text)
        if wrong:
            return None
        if used:
            self.hidden[loc] = (*used, expanded)
        return expanded

    def file(self, loc: Loc, name: str) -> str | None:
        """The text of that file, without the line ending at its end; None if it has none (complained of)."""
        path = self.folder / name
        self.files[loc] = path
        try:
            with path.open("rb") as file:
                raw = file.read(LARGEST_FILE + 1)
            text = raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
        except FileNotFoundError:
            if loc not in self._may_lack:
                self._spoil(loc, f"there is no file {name} in {self.folder}")
            return None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
            self._spoil(loc, f"the file {name} cannot be read: {reason}")
            return None
        if len(raw) > LARGEST_FILE:
            self._spoil(loc, f"the file {name} is larger than 1 MB")
            return None
        self.hidden[loc] = (text,)
        return text

    def _spoil(self, loc: Loc, text: str) -> None:
        """Complain, and expect nothing more of that place."""
        self.complain(loc, text)
        self._spoiled.add(loc)

    def _complain_at(self, node: yaml.Node, loc: Loc, text: str) -> None:
        """Complain of a key that `loc` alone cannot point to."""
        line, column = place_of(node)
        path = ".".join(map(str, loc))
        self.problems.append(Problem(file=self.name, line=line, column=column, path=path, text=text))


def read(
    raw: bytes,
    *,
    name: str,
    folder: Path,
    env: Mapping[str, str],
    may_lack: frozenset[Loc] = frozenset(),
    composer: type[Any] = Composer,
) -> Document:
    """The document in these bytes. Raises ConfigError when they are not YAML at all."""
    text = decoded(raw, name)
    root = compose(text, name, composer)
    document = Document(name, folder, env, root, may_lack)
    if not isinstance(document.data, dict):
        raise wrong_at(name, 0, 0, "should be a mapping of settings, such as `site:` and `newsletters:`")
    return document


def decoded(raw: bytes, name: str) -> str:
    """The text in these bytes, without a byte order mark. Raises ConfigError when YAML may not hold it."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig")
        raise wrong_at(name, before.count("\n"), column_after(before), "is not text in UTF-8") from error
    if found := _FORBIDDEN.search(text):
        before = text[: found.start()]
        character = f"the character U+{ord(found[0]):04X} may not stand in YAML"
        raise wrong_at(name, before.count("\n"), column_after(before), character)
    return text


def _core_schema(text: str) -> Any:
    """What a plain scalar means in YAML 1.2 (10.3.2), without its second spellings of numbers."""
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if _INT.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NO_NUMBER.fullmatch(text):
        return float(text.replace(".", ""))
    return text

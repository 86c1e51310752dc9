"""Titles, summaries and contents, as the quick reader finds them: which wins, and of what type. Pure."""

from __future__ import annotations

from html import escape

from digest.feeds.mending import is_markup
from digest.feeds.names import Unusual
from digest.feeds.reading import Said
from digest.feeds.walk import Element, Walk

TYPES = {"text": "text/plain", "plain": "text/plain", "html": "text/html", "xhtml": "application/xhtml+xml"}
HTML = ("text/html", "application/xhtml+xml")
_KNOWN_TYPES = ("text/plain", *HTML)


def title(walk: Walk, element: Element, depth: int) -> None:
    parameters = _parameters(walk, element, "text/plain")
    value = _text(walk, element, parameters)
    # The type of other texts of RSS is all the same to us.
    if not walk.is_atom and parameters["type"] == "text/plain" and is_markup(value):
        parameters["type"] = "text/html"
    if not -1 < walk.title_depth <= depth:
        walk.store("title", value, depth)
        walk.detail("title", parameters)
    if value:
        walk.title_depth = depth


def media_title(walk: Walk, element: Element, depth: int) -> None:
    before = walk.title_depth
    title(walk, element, depth)
    walk.title_depth = before


def description(walk: Walk, element: Element, depth: int) -> None:
    _summary_of_type(walk, element, depth, "text/html", "description")


def summary(walk: Walk, element: Element, depth: int) -> None:
    _summary_of_type(walk, element, depth, "text/plain", "summary")


def abstract(walk: Walk, element: Element, depth: int) -> None:
    _store_summary(walk, element, depth, _parameters(walk, element, "text/plain"), "description")


def content(walk: Walk, element: Element, depth: int) -> None:
    _content_of_type(walk, element, "text/plain")


def encoded(walk: Walk, element: Element, depth: int) -> None:
    _content_of_type(walk, element, "text/html")


# ---------------------------------------------------------------- which one it is


def _summary_of_type(walk: Walk, element: Element, depth: int, default: str, name: str) -> None:
    if "summary" in walk.context and not walk.has_content:
        content(walk, element, depth)  # a second summary
        return
    _store_summary(walk, element, depth, _parameters(walk, element, default), name)


def _store_summary(walk: Walk, element: Element, depth: int, parameters: Said, name: str) -> None:
    value = _text(walk, element, parameters)
    if walk.entry is None and name == "description":
        return  # the subtitle of the feed
    walk.store("summary", value, depth)
    walk.detail("summary", parameters)


def _content_of_type(walk: Walk, element: Element, default: str) -> None:
    walk.has_content = True
    parameters = _parameters(walk, element, default)
    value = _text(walk, element, parameters)
    if walk.entry is not None:
        walk.entry.setdefault("content", []).append(parameters)
    walk.context.setdefault("summary", value)


# ---------------------------------------------------------------- what it says


def _parameters(walk: Walk, element: Element, default: str) -> Said:
    attributes = walk.attributes(element)
    kind = default
    if attributes:
        if attributes.get("mode") == "base64":
            raise Unusual("base64")
        kind = attributes.get("type", default)
        kind = TYPES.get(kind, kind)
        if kind not in _KNOWN_TYPES:
            raise Unusual(f"a text of type {kind}")
    lang = walk.lang.replace("_", "-") if walk.lang else walk.lang
    return {"type": kind, "language": lang, "base": walk.base}


def _text(walk: Walk, element: Element, parameters: Said) -> str:
    """What it says; beside its parameters, too."""
    if parameters["type"] == "application/xhtml+xml":
        value = walk.mend(_xhtml(walk, element).strip())
    else:
        value = walk.words(element)
    parameters["value"] = value
    return value


def _xhtml(walk: Walk, element: Element) -> str:
    pieces = [_escaped(element.text)]
    for child in element:
        _write(walk, child, pieces)
    pieces = [piece for piece in pieces if piece]
    return "".join(_without_wrapper(pieces) if walk.version == "atom10" else pieces)


def _write(walk: Walk, element: Element, pieces: list[str]) -> None:
    local = walk.names.of(element.tag).removeprefix("xhtml_")
    if walk.means_something(element.tag) or "_" in local or local in ("svg", "math"):
        raise Unusual(f"{local} in a text")
    attributes = walk.attributes(element)
    if any(":" in key and not key.startswith("xml:") for key in attributes):
        raise Unusual("an attribute of a namespace in a text")
    said = "".join(f' {key}="{_quoted(value)}"' for key, value in attributes.items())
    pieces += [f"<{local}{said}>", _escaped(element.text)]
    for child in element:
        _write(walk, child, pieces)
    pieces += [f"</{local}>", _escaped(element.tail)]


def _without_wrapper(pieces: list[str]) -> list[str]:
    """RFC 4287 3.1.1.3: the one `<div>` around everything is not part of the content."""
    while len(pieces) > 1 and not pieces[-1].strip():
        pieces.pop()
    while len(pieces) > 1 and not pieces[0].strip():
        pieces.pop(0)
    if not pieces or pieces[-1] != "</div>" or not (pieces[0] == "<div>" or pieces[0].startswith("<div ")):
        return pieces
    depth = 0
    for piece in pieces[:-1]:
        if piece.startswith("</"):
            depth -= 1
            if depth == 0:
                return pieces
        elif piece.startswith("<"):
            depth += 1
    return pieces[1:-1]


def _escaped(text: str | None) -> str:
    return escape(text, quote=False) if text else ""


def _quoted(value: str) -> str:
    return _escaped(value).replace('"', "&quot;")

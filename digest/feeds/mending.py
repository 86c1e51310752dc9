"""Values as feedparser makes them of what a feed says: mended texts, joined addresses, guesses. Pure."""

from __future__ import annotations

import re
from contextlib import suppress
from html import entities
from urllib.parse import urljoin

from digest.feeds.names import Unusual, words

_SLASHES = re.compile(r"^([A-Za-z][A-Za-z0-9+-.]*://)/+")
_C1 = re.compile("[\x80-\x9f]")
_WINDOWS = {
    code: character
    for code in range(0x80, 0xA0)
    if (character := bytes((code,)).decode("cp1252", "ignore"))  # five of them mean nothing
}


def mended(text: str) -> str:
    """Without the two defects that feedparser mends: UTF-8 that was read as Latin-1, and characters of
    Windows-1252 that were not read as such."""
    if text.isascii():
        return text
    with suppress(UnicodeError):  # as nearly always: then it is well as it is
        text = text.encode("iso-8859-1").decode("utf-8")
    return text.translate(_WINDOWS) if _C1.search(text) else text


def joined(base: str, uri: str) -> str:
    """An address, made absolute; nothing for one that is none."""
    if (
        base.startswith("wais:")
        and uri.startswith(("http://", "https://"))
        and uri.isascii()
        and "[" not in uri
        and "]" not in uri
        and ":///" not in uri[:9]
    ):
        return uri
    try:
        return urljoin(base, _SLASHES.sub(r"\1", uri))
    except ValueError:
        return ""


# ---------------------------------------------------------------- is it markup?

# Elements with which any page is written; a text that holds others may be about elements.
ORDINARY_TAGS = words(
    """a abbr b big blockquote br center cite code dd del div dl dt em font h1 h2 h3 h4 h5 h6 hr i img ins li
    ol p pre q s small span strike strong sub sup table tbody td th thead tr tt u ul"""
)
_TAG_NAME = re.compile(r"</?(\w+)")
_ENTITY_NAME = re.compile(r"&(\w+);")
_IS_CLOSED = re.compile(r"</\w+>")
_IS_ESCAPED = re.compile(r"&#?\w+;")


def is_markup(text: str) -> bool:
    """Is a text that should be plain really markup? As feedparser decides it."""
    if not ("</" in text and _IS_CLOSED.search(text)) and not ("&" in text and _IS_ESCAPED.search(text)):
        return False
    for name in _TAG_NAME.findall(text) if "<" in text else ():
        if name.lower() not in ORDINARY_TAGS:
            raise Unusual("markup of a rare kind in a plain text")
    return all(name in entities.entitydefs for name in _ENTITY_NAME.findall(text))


# ---------------------------------------------------------------- people

_ADDRESS = re.compile(
    r"[a-zA-Z0-9_.+-]+@(?:\[(?:[0-9]{1,3}\.){3}|(?:[a-zA-Z0-9-]+\.)+)(?:[a-zA-Z]{2,4}|[0-9]{1,3})\]?"
    r"(?:\?subject=\S+)?"
)
_LONGEST_AUTHOR = 200


def name_beside_address(text: str) -> str:
    """The name in `bob@example.com (Bob)` and `Bob <bob@example.com>`, as feedparser finds it."""
    if len(text) > _LONGEST_AUTHOR:
        raise Unusual("a long author with an address")
    found = _ADDRESS.search(text)
    if found is None:
        return text
    for part in (found[0], "()", "<>", "&lt;&gt;"):
        text = text.replace(part, "")
    return text.strip().removeprefix("(").removesuffix(")").strip()

"""Lists of feeds as other readers write and read them: OPML 1.0 and 2.0. Pure.

It refuses documents that are built to hurt, and takes from a list only what is on the web: a list from a
stranger must not make us read files. What is searched for harm is the very text that is parsed, so that no
encoding hides anything.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from html.entities import html5
from urllib.parse import urlsplit

from lxml import etree

from digest import html
from digest.feeds import markup
from digest.feeds.decoding import to_text
from digest.feeds.web_address import without_feed_scheme
from digest.model import FeedError, Follow

LARGEST = 20 * 1024 * 1024
MOST_OUTLINES = 50_000
DEEPEST = 50
MOST_REFERENCES = 1_000_000
LONGEST_NAME = 500  # characters, as in the config

_NOT_XML = "this is not a list of feeds (OPML): it is not even XML"
_ENTITIES = "this list defines entities, which no list of feeds needs: it is not read"
_OUTSIDE = "this list asks us to read other files into it, which no list of feeds needs: it is not read"
_XINCLUDE = "http://www.w3.org/2001/XInclude"

NOT_WEB = "not an address on the web"
PASSWORD = "with a user name or password"  # noqa: S105 - words for people
NO_FEED = "a link to a page or to another list, not a feed"

_ROOT = re.compile(r"<(?:[\w.-]+:)?opml\b", re.IGNORECASE)
_DOCTYPE = re.compile(r"<!DOCTYPE\b[^>\[]*", re.IGNORECASE)
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0, 2.2
_NAMED = re.compile(
    r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]+|#[xX][0-9a-fA-F]+);)(?:([A-Za-z][A-Za-z0-9]{1,31});)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedList:
    """What a list says. follows: each feed once, in the list's order, the nearest folder as its section.

    repeated: outlines that name a feed again. left_out: how many were not taken, by reason. broken: the line
    from which on the document is no XML; what could be read was taken. 0: it is whole.
    """

    follows: tuple[Follow, ...]
    repeated: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    broken: int = 0


def read(data: bytes) -> list[Follow]:
    """The feeds of a list, in its order, each once. Raises FeedError."""
    return list(read_list(data).follows)


def read_list(data: bytes) -> FeedList:
    """The feeds of a list, and what was not taken from it. Raises FeedError."""
    if len(data) > LARGEST:
        raise FeedError(f"this list is larger than {LARGEST // (1024 * 1024)} MB")
    root, broken = _root(data)
    follows: dict[str, Follow] = {}
    left_out: Counter[str] = Counter()
    repeated = 0
    for said, section in _outlines(root):
        url, fault = _address(said)
        if fault:
            left_out[fault] += 1
        elif url in follows:
            repeated += 1
        elif url:
            section = section or _category(said)
            follows[url] = Follow(url=url, title=_title(said, url), section=section or None)
    return FeedList(
        follows=tuple(follows.values()), repeated=repeated, left_out=dict(left_out), broken=broken
    )


# ---------------------------------------------------------------- the document


def _root(data: bytes) -> tuple[etree._Element, int]:
    """The root, and the line where the document breaks (0: nowhere)."""
    try:
        text = _ILLEGAL.sub("", to_text(data, ""))
    except FeedError as error:
        raise FeedError(_NOT_XML) from error
    start = _start(text)
    _refuse_harm(text, text[:start] if start >= 0 else text)
    if start < 0:
        if "<" not in text:
            raise FeedError(_NOT_XML)
        raise FeedError("this is not a list of feeds: an OPML document begins with <opml>")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(_NAMED.sub(_character, text[start:]).encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise FeedError(_NOT_XML) from error
    if root is None:
        raise FeedError(_NOT_XML)
    fatal = [error.line for error in parser.error_log if error.level_name == "FATAL"]
    return root, text.count("\n", 0, start) + fatal[0] if fatal else 0


def _start(text: str) -> int:
    """Where the root begins, comments before it passed over; -1: nowhere."""
    position = 0
    while found := _ROOT.search(text, position):
        comment = text.rfind("<!--", position, found.start())
        end = text.find("-->", comment) if comment >= 0 else -1
        if comment < 0 or 0 <= end < found.start():
            return found.start()
        if end < 0:
            return -1
        position = end
    return -1


def _refuse_harm(text: str, prolog: str) -> None:
    if re.search(r"<!ENTITY\b", text, re.IGNORECASE):
        raise FeedError(_ENTITIES)
    if text.count("&") > MOST_REFERENCES:
        raise FeedError(f"this list has more than {MOST_REFERENCES} references (&): nobody has so many feeds")
    doctype = _DOCTYPE.search(prolog)
    if _XINCLUDE in text or (doctype and re.search(r"\s(?:SYSTEM|PUBLIC)\b", doctype[0], re.IGNORECASE)):
        raise FeedError(_OUTSIDE)


def _character(found: re.Match[str]) -> str:
    """HTML's names for characters, which XML does not know, and the bare `&` of a badly written address."""
    name = found[1]
    if name and f"{name};" in html5:
        return escape(html5[f"{name};"])
    return f"&amp;{found[0][1:]}"


# ---------------------------------------------------------------- outlines

_Said = Mapping[str, str]
"""The attributes of an outline, their names in lower case: lists write xmlUrl, xmlURL and XMLURL."""


def _outlines(root: etree._Element) -> Iterator[tuple[_Said, str]]:
    """Every outline with the name of the folder it is in, in document order."""
    waiting = [(child, "", 0) for child in reversed(root)]
    count = 0
    while waiting:
        element, section, depth = waiting.pop()
        name = section
        if etree.QName(element).localname.lower() == "outline":
            depth += 1
            count += 1
            if count > MOST_OUTLINES:
                raise FeedError(f"this list has more than {MOST_OUTLINES} entries")
            said = {str(key).lower(): str(value) for key, value in element.items()}
            yield said, section
            if not _names_feed(said):
                name = _name(said.get("text", "")) or _name(said.get("title", "")) or section
        if depth > DEEPEST:
            raise FeedError(f"this list has folders more than {DEEPEST} deep")
        waiting.extend((child, name, depth) for child in reversed(element))


def _names_feed(said: _Said) -> bool:
    return any(said.get(key, "").strip() for key in ("xmlurl", "feedurl", "url"))


def _address(said: _Said) -> tuple[str, str]:
    """(address, why it is not taken); neither for a folder."""
    written = said.get("xmlurl", "").strip() or said.get("feedurl", "").strip()
    if not written:
        written = said.get("url", "").strip()
        kind = said.get("type", "").strip().lower()
        # OPML 2.0: an outline of type link or include names a page or another list.
        if (written and kind in ("link", "include")) or (not written and said.get("htmlurl", "").strip()):
            return "", NO_FEED
        if not written:
            return "", ""
    url = markup.absolute("", without_feed_scheme(html.scrub(written).strip()))
    try:
        parts = urlsplit(url)
        if not url or parts.port == 0:
            return "", NOT_WEB
    except ValueError:  # its port is none
        return "", NOT_WEB
    if parts.username is not None or parts.password is not None:
        return "", PASSWORD
    return url, ""


def _title(said: _Said, url: str) -> str | None:
    """An outline must have a text (OPML 2.0); who knows no better writes the address there, as we do."""
    if title := _name(said.get("title", "")):
        return title
    text = _name(said.get("text", ""))
    return text if text and text not in (url, said.get("xmlurl", "").strip()) else None


def _category(said: _Said) -> str:
    """`/News/Local,/Boston` (OPML 2.0): the nearest of the first, for a feed that lies in no folder."""
    parts = said.get("category", "").partition(",")[0].split("/")
    return next(filter(None, map(_name, reversed(parts))), "")


def _name(text: str) -> str:
    name = html.plain(text)
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


# ---------------------------------------------------------------- ours


def write(title: str, follows: Sequence[Follow]) -> bytes:
    """A list that other readers understand, and that `read` gives back; sections become folders."""
    root = etree.Element("opml", version="2.0")
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = html.plain(title)
    body = etree.SubElement(root, "body")
    folders: dict[str, etree._Element] = {"": body}
    for follow in follows:
        section = html.plain(follow.section or "")
        if section not in folders:
            folders[section] = etree.SubElement(body, "outline", text=section, title=section)
        title, url = html.plain(follow.title or ""), html.plain(follow.url)
        outline = etree.SubElement(folders[section], "outline", type="rss", text=title or url)
        if title:
            outline.set("title", title)
        outline.set("xmlUrl", url)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)

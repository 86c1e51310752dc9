"""Lists of feeds as other readers write and read them: OPML 1.0 and 2.0. Pure.

It refuses documents that are built to hurt, and takes from a list only what is on the web: a list from a
stranger must not make us read files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lxml import etree

from digest import html
from digest.feeds import markup
from digest.model import FeedError, Follow

LARGEST = 20 * 1024 * 1024
MOST_OUTLINES = 50_000
DEEPEST = 50
ENTITIES = "this list defines entities, which no list of feeds needs: it is not read"


def read(data: bytes) -> list[Follow]:
    """The feeds of a list, in its order, each once. The nearest folder is the section. Raises FeedError."""
    if len(data) > LARGEST:
        raise FeedError(f"this list is larger than {LARGEST // (1024 * 1024)} MB")
    follows: dict[str, Follow] = {}
    for outline, section in _outlines(_root(data)):
        url = markup.absolute("", _attribute(outline, "xmlUrl"))
        if url and url not in follows:
            title = _attribute(outline, "title") or _attribute(outline, "text")
            follows[url] = Follow(url=url, title=title or None, section=section or None)
    return list(follows.values())


def _root(data: bytes) -> etree._Element:
    if (
        b"<!ENTITY" in data
        or "<!ENTITY".encode("utf-16-le") in data
        or "<!ENTITY".encode("utf-16-be") in data
    ):
        raise FeedError(ENTITIES)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(data.strip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise FeedError("this is not a list of feeds (OPML): it is not even XML") from error
    if root is None or etree.QName(root).localname.lower() != "opml":
        raise FeedError("this is not a list of feeds: an OPML document begins with <opml>")
    declared = root.getroottree().docinfo.internalDTD
    # In an encoding in which the search above could not see it. The stubs leave `iterentities` out.
    if declared is not None and any(True for _ in declared.iterentities()):  # type: ignore[union-attr]
        raise FeedError(ENTITIES)
    return root


def _outlines(root: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    """Every outline with the name of the folder it is in, in document order."""
    waiting = [(child, "", 1) for child in reversed(root.findall("./body/outline"))]
    count = 0
    while waiting:
        outline, section, depth = waiting.pop()
        count += 1
        if count > MOST_OUTLINES or depth > DEEPEST:
            raise FeedError(f"this list has more than {MOST_OUTLINES} entries, or folders {DEEPEST} deep")
        yield outline, section
        name = section
        if not _attribute(outline, "xmlUrl"):
            name = _attribute(outline, "text") or _attribute(outline, "title") or section
        waiting.extend((child, name, depth + 1) for child in reversed(outline.findall("./outline")))


def _attribute(outline: etree._Element, name: str) -> str:
    """Lists differ in the case of their attributes: xmlUrl, xmlURL, XMLURL."""
    value = outline.get(name)
    if value is not None:
        return html.plain(value)
    return next(
        (html.plain(str(each)) for key, each in outline.items() if str(key).lower() == name.lower()), ""
    )


def write(title: str, follows: Sequence[Follow]) -> bytes:
    """A list that other readers understand; sections become folders."""
    root = etree.Element("opml", version="2.0")
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = html.plain(title)
    body = etree.SubElement(root, "body")
    folders: dict[str, etree._Element] = {"": body}
    for follow in follows:
        section = html.plain(follow.section or "")
        if section not in folders:
            folders[section] = etree.SubElement(body, "outline", text=section, title=section)
        name = html.plain(follow.title or "") or follow.url
        etree.SubElement(
            folders[section], "outline", type="rss", text=name, title=name, xmlUrl=html.plain(follow.url)
        )
    return etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)

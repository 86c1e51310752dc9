"""Reads ordinary feeds quickly: well formed, of a known format, with nothing odd in them. Pure.

It gives what feedparser would give, value for value, as far as we read it: which of two titles wins, what a
guid that is no link means, when a second summary counts as content. Where it is not sure of that, it raises
Unusual, and feedparser reads the document. A test compares the two on every feed of our corpus.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lxml import etree

from digest.feeds import facts, texts
from digest.feeds.names import Names, Unusual, words
from digest.feeds.walk import Action, Element, OddDate, Walk, unknown
from digest.feeds.wishes import wishes
from digest.model import Wishes

# ---------------------------------------------------------------- the document

_CONTROL = bytes((*range(9), 11, 12, *range(14, 32), 127))
# By the byte that each begins with: most documents hold none of the bytes, and that is quickly seen.
_HIDDEN = (
    (b"\xc2", re.compile(rb"\xc2[\x80-\x9f\xad]")),
    (b"\xe2", re.compile(rb"\xe2(?:\x80[\x8b\xa8-\xae]|\x81[\xa0\xa6-\xa9])")),
    (b"\xef", re.compile(rb"\xef(?:\xb7[\x90-\xaf]|\xbb\xbf|\xbf[\xb9-\xbf])")),
    (b"\xf3", re.compile(rb"\xf3\xa0")),
)
_REFERENCE = re.compile(rb"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));")
# An attribute `base` or `lang`, perhaps with a blank before its sign, which is quickly found.
_SCOPE = re.compile(rb"=(?:(?<=[aA][sS][eE]=|[aA][nN][gG]=)|(?<=\s=))")


def tree(document: bytes, *, recover: bool = False) -> Element | None:
    """The root of a well-formed document in UTF-8; None for all others, unless recover. Nothing is fetched,
    no entity but the five of XML is known, and no tree is deeper than libxml2 allows (256)."""
    if b"<!DOCTYPE" in document:
        return None
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
        recover=recover,
    )
    try:
        return etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


class Characters(NamedTuple):
    """What the texts of a document are made of, its references included.

    clean: no character that we would take out. sound: nothing that could be UTF-8 read as Latin-1, for that
    needs a character from U+0080 to U+00BF.
    """

    clean: bool
    sound: bool


def characters(document: bytes) -> Characters:
    clean = len(document.translate(None, _CONTROL)) == len(document) and not _hides(document)
    codes: set[int] = set()
    if b"&#" in document:
        found = set(_REFERENCE.findall(document))
        codes = {int(code, 16) if code else int(number) for code, number in found}
    return Characters(
        clean=clean and not any(map(_is_hidden, codes)),
        sound=b"\xc2" not in document and not any(0x80 <= code < 0xC0 for code in codes),
    )


def _hides(text: bytes) -> bool:
    return not text.isascii() and any(first in text and it.search(text) for first, it in _HIDDEN)


def _is_hidden(code: int) -> bool:
    if code < 0xA0:
        return code >= 0x7F or (code < 0x20 and code not in (9, 10))
    return code >= 0xD800 or _hides(chr(code).encode())


# ---------------------------------------------------------------- from its root on

_RSS = {"0.91": "rss091u", "0.92": "rss092", "0.93": "rss093", "0.94": "rss094"}
_ATOM = {"0.1": "atom01", "0.2": "atom02", "0.3": "atom03"}


def walked(root: Element, document: bytes, base: str, odd_date: OddDate, *, sound: bool) -> Walk:
    """The walk over a whole document. Raises Unusual."""
    walk = Walk(
        Names(document),
        ACTIONS,
        LEFT_TO_FEEDPARSER,
        base=base,
        odd_date=odd_date,
        scoped=_SCOPE.search(document) is not None,
        sound=sound,
    )
    name = walk.names.of(root.tag)
    declared = (_version_of(prefix, uri.lower()) for prefix, uri in root.nsmap.items())
    walk.version = next(filter(None, declared), "")
    attributes = walk.attributes(root)
    walk.enter(attributes)
    if walk.lang and name in ("rss", "feed"):
        walk.feed["language"] = walk.lang.replace("_", "-")
    if name == "rss" and not walk.version.startswith("rss"):
        said = attributes.get("version", "")
        walk.version = _RSS.get(said) or ("rss20" if said.startswith("2.") else "rss")
    elif name == "feed":
        walk.version = walk.version or _ATOM.get(attributes.get("version", ""), "atom")
        walk.in_feed = True
    if name not in ("rss", "feed", "rdf_rdf") or not walk.version or (name == "feed" and not walk.is_atom):
        raise Unusual("a format that we do not know")
    walk.is_rdf = name == "rdf_rdf"
    walk.children(root, 2)
    return walk


def asked(walk: Walk) -> Wishes:
    ttl, period, frequency = (
        walk.simple.get(name) for name in ("ttl", "sy_updateperiod", "sy_updatefrequency")
    )
    return wishes(ttl, period, frequency, walk.hours, walk.days)


def _version_of(prefix: str | None, uri: str) -> str:
    if prefix is None and uri == "http://my.netscape.com/rdf/simple/0.9/":
        return "rss090"
    return {"http://purl.org/rss/1.0/": "rss10", "http://www.w3.org/2005/atom": "atom10"}.get(uri, "")


# ---------------------------------------------------------------- structure


def _channel(walk: Walk, element: Element, depth: int) -> None:
    attributes = walk.attributes(element)
    if "href" in attributes or "lastmod" in attributes or walk.in_feed or walk.entry is not None:
        raise Unusual("a channel of CDF, or a channel within another")
    walk.in_feed = True
    walk.children(element, depth + 1)
    walk.in_feed = False


def _item(walk: Walk, element: Element, depth: int) -> None:
    attributes = walk.attributes(element)
    if "href" in attributes or "lastmod" in attributes or walk.entry is not None:
        raise Unusual("an item of CDF, or an item within another")
    walk.entry = {}
    walk.entries.append(walk.entry)
    walk.depths = {}
    walk.title_depth = -1
    if attributes.get("rdf:about"):
        walk.entry["id"] = attributes["rdf:about"]
    walk.children(element, depth + 1)
    walk.entry = None
    walk.has_content = False


def _image(walk: Walk, element: Element, depth: int) -> None:
    walk.title_depth = -1
    if walk.entry is not None:
        if len(element):
            raise Unusual("a picture of an entry, with parts")
        return
    picture = walk.feed.setdefault("image", {})
    for child in element:
        name = walk.names.of(child.tag)
        if name == "url" and not child.attrib:
            value = walk.address(child)
            if walk.in_feed:
                picture["href"] = value
        elif len(child) or name not in _OF_A_PICTURE:
            raise Unusual(f"{name} of a picture")
    _inner_titles(walk, element, depth)


def _form(walk: Walk, element: Element, depth: int) -> None:
    if walk.entry is not None:
        raise Unusual("a form within an entry")
    walk.title_depth = -1
    for child in element:
        if len(child) or walk.names.of(child.tag) not in _OF_A_FORM:
            raise Unusual("an odd part of a form")
    _inner_titles(walk, element, depth)


def _source(walk: Walk, element: Element, depth: int) -> None:
    walk.title_depth = -1
    for child in element:
        name = walk.names.of(child.tag)
        if name in ("author", "contributor"):
            facts.person(walk, child)
        elif len(child) or name not in _OF_A_SOURCE:
            raise Unusual(f"{name} of a source")
    _inner_titles(walk, element, depth)


def _inner_titles(walk: Walk, element: Element, depth: int) -> None:
    for child in element:
        if walk.names.of(child.tag) == "title" and walk.text(child):
            walk.title_depth = depth + 1


def _ignored(walk: Walk, element: Element, depth: int) -> None:
    """It tells us nothing, unless elements stand in it that do."""
    for child in element.iterdescendants():
        name = walk.names.of(child.tag)
        if name in LEFT_TO_FEEDPARSER or ACTIONS.get(name, _ignored) is not _ignored:
            raise Unusual(f"{name} in an odd place")


def _ignored_text(walk: Walk, element: Element, depth: int) -> None:
    """A text that we do not need, perhaps with markup in it."""
    if any(walk.means_something(child.tag) for child in element.iterdescendants()):
        raise Unusual("an element in an odd place")


def _leaf(walk: Walk, element: Element, depth: int) -> None:
    walk.text(element)


def _simple(name: str) -> Action:
    """A text that is kept under its name."""

    def action(walk: Walk, element: Element, depth: int) -> None:
        if element.attrib:
            raise Unusual(f"attributes of {name}")
        value = walk.address(element) if name in _ADDRESSES else walk.words(element)
        walk.store(name, value, depth)
        if walk.entry is None and walk.in_feed:
            walk.simple[name] = value

    return action


def _skipped(kind: str) -> Action:
    """A list of hours or days."""

    def action(walk: Walk, element: Element, depth: int) -> None:
        if walk.entry is None:
            found = walk.hours if kind == "hour" else walk.days
            found += [walk.text(child) for child in element if walk.names.of(child.tag) == kind]
        walk.children(element, depth + 1)

    return action


# ---------------------------------------------------------------- which element means what

_ADDRESSES = words("comments icon logo")
_OF_A_PICTURE = words("title link description width height")
_OF_A_FORM = words("title link description name")
_OF_A_SOURCE = words("title subtitle updated published id link rights generator icon logo category")

_MEANINGS: tuple[tuple[Action, str], ...] = (
    (_channel, "channel"),
    (_item, "item entry"),
    (_image, "image"),
    (_form, "textinput"),
    (_source, "source"),
    (texts.title, "title dc_title"),
    (texts.media_title, "media_title"),
    (texts.description, "description dc_description media_description"),
    (texts.abstract, "abstract"),
    (texts.summary, "summary itunes_summary"),
    (texts.content, "content"),
    (texts.encoded, "content_encoded fullitem"),
    (facts.author, "author managingeditor dc_author dc_creator itunes_author"),
    (facts.contributor, "contributor"),
    (facts.owner, "itunes_owner"),
    (facts.link, "link"),
    (facts.enclosure, "enclosure"),
    (facts.guid, "guid id"),
    (facts.category, "category keywords dc_subject"),
    (facts.media_category, "media_category"),
    (facts.itunes_category, "itunes_category"),
    (facts.keywords, "itunes_keywords media_keywords tags"),
    (facts.date("published"), "published issued pubdate dcterms_issued"),
    (facts.date("updated"), "updated modified lastbuilddate dc_date dcterms_modified"),
    (facts.date("created"), "created dcterms_created"),
    (facts.language, "language dc_language"),
    (facts.itunes_image, "itunes_image"),
    (facts.media_content, "media_content"),
    (facts.media_thumbnail, "media_thumbnail"),
    (unknown, "media_group"),
    (_leaf, "name email url uri homepage itunes_name itunes_email width height dc_contributor"),
    (
        _ignored_text,
        "subtitle tagline itunes_subtitle rights copyright dc_rights info feedburner_browserfriendly",
    ),
    (
        _ignored,
        """webmaster dc_publisher generator cloud newlocation expirationdate dcterms_valid itunes_block
        itunes_explicit admin_generatoragent admin_errorreportsto cc_license creativecommons_license
        media_rating media_credit media_restriction media_license media_player georss_where georss_point
        georss_line georss_polygon georss_box where gml_point gml_poslist gml_pos gml_linestring gml_polygon
        gml_exterior gml_linearring psc_chapters psc_chapter""",
    ),
)
ACTIONS: dict[str, Action] = {
    **{name: action for action, names in _MEANINGS for name in names.split()},
    **{name: _simple(name) for name in (*_ADDRESSES, "ttl", "feedburner_origlink")},
    **{name: _simple(name) for name in ("sy_updateperiod", "sy_updatefrequency")},
    "skiphours": _skipped("hour"),
    "skipdays": _skipped("day"),
}
# What is rare, and what feedparser keeps under a name that we read.
LEFT_TO_FEEDPARSER = words(
    """rss feed body xhtml_body itunes_link date date_parsed published_parsed updated_parsed created_parsed
    issued_parsed modified_parsed title_detail summary_detail description_detail links authors
    author_detail"""
)

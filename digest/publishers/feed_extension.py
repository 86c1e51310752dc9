"""What feedgen leaves out or gets wrong in Atom and RSS, mended in the tree before it is written.

feedgen drops rel, type and length of an entry's links, writes whatever link came last as the RSS channel's,
has neither dc:creator nor thumbnail that suit us, and calls every title plain text, even one that a feed
reader would take for markup.
"""

from __future__ import annotations

from html import escape

from feedgen.ext.base import BaseEntryExtension, BaseExtension
from lxml import etree

NAME = "digest"
"""The attribute of feeds and entries under which feedgen keeps our extension."""

DC = "http://purl.org/dc/elements/1.1/"
MEDIA = "http://search.yahoo.com/mrss/"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


class FeedExtension(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """The feed itself. home: the newsletter's page, that an RSS channel links to."""

    home = ""

    def extend_ns(self) -> dict[str, str]:
        return {"dc": DC, "media": MEDIA}

    def extend_atom(self, feed: etree._Element) -> etree._Element:
        _declare_markup(feed, "title", "subtitle")
        return feed

    def extend_rss(self, rss: etree._Element) -> etree._Element:
        link = rss.find("channel/link")
        if link is not None:
            link.text = self.home
        _escape(rss.find("channel/description"))
        return rss


class EntryExtension(BaseEntryExtension):  # type: ignore[misc]
    """One entry. links: attributes of each link. language: where it differs from the feed's, else empty."""

    def __init__(self) -> None:
        self.links: tuple[dict[str, str], ...] = ()
        self.creator = ""
        self.image = ""
        self.language = ""

    def extend_atom(self, entry: etree._Element) -> etree._Element:
        for wrong in entry.findall("link"):
            entry.remove(wrong)
        for attributes in self.links:
            etree.SubElement(entry, "link", attributes)
        _declare_markup(entry, "title", "summary")
        if self.language:
            entry.set(_LANG, self.language)
        self._add_thumbnail(entry)
        return entry

    def extend_rss(self, item: etree._Element) -> etree._Element:
        _escape(item.find("description"))
        if self.creator:
            etree.SubElement(item, f"{{{DC}}}creator", nsmap={"dc": DC}).text = self.creator
        self._add_thumbnail(item)
        return item

    def _add_thumbnail(self, parent: etree._Element) -> None:
        if self.image:
            etree.SubElement(parent, f"{{{MEDIA}}}thumbnail", {"url": self.image}, nsmap={"media": MEDIA})


def _declare_markup(parent: etree._Element, *names: str) -> None:
    """Text with `<` or `&` in it is written as escaped HTML and says so: then nobody has to guess
    (RFC 4287 3.1.1.2)."""
    for name in names:
        element = parent.find(name)
        if _escape(element) and element is not None:
            element.set("type", "html")


def _escape(element: etree._Element | None) -> bool:
    """Make plain text the HTML that shows it; False if they are the same. RSS cannot say which of both a
    description is, and every reader takes it for HTML."""
    if element is None or not element.text or not any(sign in element.text for sign in "<&"):
        return False
    element.text = escape(element.text, quote=False)
    return True

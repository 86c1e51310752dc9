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

ATOM = "http://www.w3.org/2005/Atom"
DC = "http://purl.org/dc/elements/1.1/"
HISTORY = "http://purl.org/syndication/history/1.0"
MEDIA = "http://search.yahoo.com/mrss/"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


class FeedExtension(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """The feed itself. home: the newsletter's page, that an RSS channel links to. archive: it is an archive
    document of RFC 5005. links: attributes of each link that feedgen does not know."""

    def __init__(self) -> None:
        self.home = ""
        self.icon = ""
        self.archive = False
        self.links: tuple[dict[str, str], ...] = ()

    def extend_ns(self) -> dict[str, str]:
        return {"dc": DC, "media": MEDIA, **({"fh": HISTORY} if self.archive else {})}

    def extend_atom(self, feed: etree._Element) -> etree._Element:
        _declare_markup(feed, "title", "subtitle")
        place = len(feed) - len(feed.findall("entry"))
        for attributes in self.links:
            feed.insert(place, etree.Element("link", attributes))
            place += 1
        if self.icon:
            icon = etree.Element("icon")
            icon.text = self.icon
            feed.insert(place, icon)
            place += 1
        if self.archive:
            feed.insert(place, etree.Element(f"{{{HISTORY}}}archive", nsmap={"fh": HISTORY}))
        return feed

    def extend_rss(self, rss: etree._Element) -> etree._Element:
        channel = rss.find("channel")
        if channel is None:
            return rss
        link = channel.find("link")
        if link is not None:
            link.text = self.home
        place = len(channel) - len(channel.findall("item"))
        for attributes in self.links:
            channel.insert(place, etree.Element(f"{{{ATOM}}}link", attributes, nsmap={"atom": ATOM}))
            place += 1
        if self.archive:
            channel.insert(place, etree.Element(f"{{{HISTORY}}}archive", nsmap={"fh": HISTORY}))
        return rss


class EntryExtension(BaseEntryExtension):  # type: ignore[misc]
    """One entry. links: attributes of each link. author: where it is not the feed's, else empty. source: who
    told it first. language: where it differs from the feed's, else empty."""

    def __init__(self) -> None:
        self.links: tuple[dict[str, str], ...] = ()
        self.creator = ""
        self.author = ""
        self.source = ""
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
        if self.author:
            author = etree.SubElement(entry, "author")
            etree.SubElement(author, "name").text = self.author
        self._add_source(entry)
        self._add_thumbnail(entry)
        return entry

    def extend_rss(self, item: etree._Element) -> etree._Element:
        _escape(item.find("description"))
        if self.creator:
            etree.SubElement(item, f"{{{DC}}}creator", nsmap={"dc": DC}).text = self.creator
        self._add_source(item)
        self._add_thumbnail(item)
        return item

    def _add_source(self, parent: etree._Element) -> None:
        """`<source>` of both forms asks for the address of the feed, which may hold somebody's key."""
        if self.source:
            etree.SubElement(parent, f"{{{DC}}}source", nsmap={"dc": DC}).text = self.source

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

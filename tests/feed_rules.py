"""The rules that feeds must keep, written from the specifications: each check lists what is wrong, in words.

RFC 4287 (Atom), RSS 2.0 with the profile of the RSS Advisory Board, JSON Feed 1.1, and what the W3C feed
validator warns of. They read the bytes with the standard library's parser, not with the one that wrote them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
CREATOR = "{http://purl.org/dc/elements/1.1/}creator"
THUMBNAIL = "{http://search.yahoo.com/mrss/}thumbnail"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
HISTORY = "{http://purl.org/syndication/history/1.0}"
NAMESPACES = frozenset(name[1:].partition("}")[0] for name in (ATOM, CONTENT, CREATOR, THUMBNAIL, HISTORY))
RELATIONS = frozenset(
    ("alternate", "self", "hub", "related", "via", "current", "prev-archive", "next-archive")
)
PAGED = frozenset(("current", "prev-archive", "next-archive"))

_URI = re.compile(
    r"https?://(?:[\w.~!$&'()*+,;=:-]|%[0-9A-F]{2})*@?(?:[A-Za-z0-9_.-]+|\[[0-9A-F:.]+\])(?::\d*)?"
    r"(?:/(?:[\w.~!$&'()*+,;=:@/-]|%[0-9A-F]{2})*)?(?:[?#](?:[\w.~!$&'()*+,;=:@/?-]|%[0-9A-F]{2})*){0,2}",
    re.ASCII | re.IGNORECASE,
)
_TAG_URI = re.compile(r"tag:[a-z0-9]([a-z0-9.-]*[a-z0-9])?,\d{4}-\d\d-\d\d:[A-Za-z0-9;/?:@&=+$.\-_!~*'()%,]*")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_RFC822 = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d ([+-]\d{4}|GMT)"
)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_END_TAG = re.compile(r"</\w+>|&[a-zA-Z]+;|&#x?[0-9a-fA-F]+;")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")

_UNSAFE = """
script style iframe object embed form input button link meta base svg math frame frameset applet noscript
audio video html head body title
"""
UNSAFE_TAGS = frozenset(_UNSAFE.split())


def atom_problems(body: bytes, uri: str = "") -> list[str]:
    """uri: where the document was found; empty: nobody knows."""
    return [*_atom(body), *_at_home(ElementTree.fromstring(body), uri)]  # noqa: S314 - our own document


def rss_problems(body: bytes, uri: str = "") -> list[str]:
    rss = ElementTree.fromstring(body)  # noqa: S314 - our own document
    channel = rss.find("channel")
    return [*_rss(body), *(_at_home(channel, uri) if channel is not None else ())]


def json_problems(body: bytes, uri: str = "") -> list[str]:
    found = json.loads(body).get("feed_url")
    return [*_json(body), *([f"feed_url is {found}"] if uri and found != uri else ())]


# ---------------------------------------------------------------- Atom


def _atom(body: bytes) -> Iterator[str]:
    yield from _document(body)
    feed = ElementTree.fromstring(body)  # noqa: S314 - our own document
    if feed.tag != f"{ATOM}feed":
        yield f"the root is {feed.tag}"
    yield from _once(feed, "id", "title", "updated")
    yield from _at_most_once(feed, "generator", "icon", "logo", "subtitle", "rights")
    yield from _atom_common(feed)
    yield from _feed_links(feed, "application/atom+xml")
    selves = [link for link in feed.findall(f"{ATOM}link") if link.get("rel") == "self"]
    if len(selves) != 1:
        yield f"{len(selves)} links rel=self"
    elif selves[0].get("type") != "application/atom+xml":
        yield "link rel=self has no type"
    if not _LANGUAGE.fullmatch(feed.get(LANG) or ""):
        yield "no xml:lang"
    children = [child.tag for child in feed]
    entries = feed.findall(f"{ATOM}entry")
    if entries and f"{ATOM}entry" in children[: -len(entries)]:
        yield "something stands after the first entry"
    if feed.find(f"{ATOM}author") is None:
        yield from ("an entry without an author" for entry in entries if entry.find(f"{ATOM}author") is None)
    for entry in entries:
        yield from _atom_entry(entry)
    ids = [entry.findtext(f"{ATOM}id") or "" for entry in entries]
    yield from _unique("atom:id", [feed.findtext(f"{ATOM}id") or "", *ids])
    yield from _newest_first([entry.findtext(f"{ATOM}published") or "" for entry in entries])
    updates = [entry.findtext(f"{ATOM}updated") or "" for entry in entries]
    yield from _unique("updated", updates)
    if updates and feed.findtext(f"{ATOM}updated") != max(updates):
        yield "the feed's updated is not that of its latest change"


def _atom_entry(entry: ElementTree.Element) -> Iterator[str]:
    yield from _once(entry, "id", "title", "updated", "published", "summary", "content")
    yield from _atom_common(entry)
    content, summary = entry.find(f"{ATOM}content"), entry.find(f"{ATOM}summary")
    if content is None or content.get("type") != "html" or not content.text:
        yield "content is not inline html"
    else:
        yield from markup_problems(content.text)
    if summary is not None and content is not None and summary.text == content.text:
        yield "summary and content are the same"
    for category in entry.findall(f"{ATOM}category"):
        if not category.get("term"):
            yield "category without term"
    yield from _thumbnails(entry)


def _atom_common(parent: ElementTree.Element) -> Iterator[str]:
    """What feed and entries have in common."""
    name = parent.tag.removeprefix(ATOM)
    yield from (f"{name}: {said}" for said in _id(parent.findtext(f"{ATOM}id") or ""))
    for date in ("updated", "published"):
        text = parent.findtext(f"{ATOM}{date}")
        if text is not None and not _RFC3339.fullmatch(text):
            yield f"{name}: {date} is no RFC 3339 date: {text}"
        elif text is not None and not 1990 <= int(text[:4]) < 2100:
            yield f"{name}: {date} is not plausible: {text}"
    for child in ("title", "subtitle", "summary"):
        element = parent.find(f"{ATOM}{child}")
        if element is None:
            continue
        kind, text = element.get("type", "text"), element.text or ""
        if not text.strip():
            yield f"{name}: {child} is blank"
        if kind == "text" and _END_TAG.search(text):
            yield f"{name}: {child} looks like markup but says it is text"
        if kind == "html":
            yield from markup_problems(text)
    alternates = [link for link in parent.findall(f"{ATOM}link") if link.get("rel") == "alternate"]
    if len(alternates) != 1:
        yield f"{name}: {len(alternates)} links rel=alternate"
    for link in parent.findall(f"{ATOM}link"):
        if link.get("rel") not in RELATIONS:
            yield f"{name}: a relation that is not registered: {link.get('rel')}"
        if link.get("rel") in PAGED and name == "entry":
            yield f"{name}: {link.get('rel')} is for feeds"
        if link.get("rel") != "hub" and not link.get("type"):
            yield f"{name}: a link without type"
        if not is_web(link.get("href") or ""):
            yield f"{name}: a link that is not absolute: {link.get('href')}"
    for author in parent.findall(f"{ATOM}author"):
        if not (author.findtext(f"{ATOM}name") or "").strip():
            yield f"{name}: author without a name"
        yield from _no_markup(f"{name}: author", author.findtext(f"{ATOM}name") or "")
        uri = author.findtext(f"{ATOM}uri")
        if uri is not None and not is_web(uri):
            yield f"{name}: author's uri is not absolute"


def _once(parent: ElementTree.Element, *names: str) -> Iterator[str]:
    for name in names:
        found = len(parent.findall(f"{ATOM}{name}"))
        if found != 1:
            yield f"{found} times {name} in {parent.tag}"


def _at_most_once(parent: ElementTree.Element, *names: str) -> Iterator[str]:
    for name in names:
        if len(parent.findall(f"{ATOM}{name}")) > 1:
            yield f"{name} more than once"


# ---------------------------------------------------------------- RSS


def _rss(body: bytes) -> Iterator[str]:
    yield from _document(body)
    rss = ElementTree.fromstring(body)  # noqa: S314 - our own document
    channel = rss.find("channel")
    if rss.tag != "rss" or rss.get("version") != "2.0" or channel is None or len(rss) != 1:
        yield "not an rss 2.0 document with one channel"
        return
    yield from _feed_links(channel, "application/rss+xml")
    yield from _plain_elements(
        channel, once=("title", "link", "description", "language", "lastBuildDate"), optional=("pubDate",)
    )
    if not is_web(channel.findtext("link") or ""):
        yield "channel: link is not absolute"
    if not _LANGUAGE.fullmatch(channel.findtext("language") or ""):
        yield "channel: no language"
    selves = [link for link in channel.findall(f"{ATOM}link") if link.get("rel") == "self"]
    if (
        len(selves) != 1
        or selves[0].get("type") != "application/rss+xml"
        or not is_web(selves[0].get("href", ""))
    ):
        yield "no proper atom:link rel=self"
    elif selves[0].get("href") == channel.findtext("link"):
        yield "channel: link is the feed itself"
    items = channel.findall("item")
    for item in items:
        yield from _rss_item(item)
    yield from _unique("guid", [item.findtext("guid") or "" for item in items])
    yield from _newest_first(
        [
            _from_rfc822(item.findtext("pubDate") or "").isoformat()
            for item in items
            if item.findtext("pubDate")
        ]
    )


def _rss_item(item: ElementTree.Element) -> Iterator[str]:
    yield from _plain_elements(
        item, once=("title", "link", "description", "guid", "pubDate", CONTENT, CREATOR), optional=()
    )
    if not is_web(item.findtext("link") or ""):
        yield "item: link is not absolute"
    guid = item.find("guid")
    if guid is not None and not is_web(guid.text or "") and guid.get("isPermaLink") != "false":
        yield "item: a guid that is no URL must say isPermaLink=false"
    yield from (f"item: {said}" for said in _id(item.findtext("guid") or ""))
    order = [child.tag for child in item]
    if CONTENT in order and order.index("description") > order.index(CONTENT):
        yield "item: description must stand before content:encoded"
    for category in item.findall("category"):
        yield from _no_markup("item: category", category.text or "")
    yield from _no_markup("item: creator", item.findtext(CREATOR) or "")
    if item.find("author") is not None:
        yield "item: author must be an email address; dc:creator is for names"
    yield from markup_problems(item.findtext(CONTENT) or "")
    yield from markup_problems(item.findtext("description") or "")
    if re.search("<", item.findtext("description") or ""):
        yield "item: description holds markup; it should be plain text, escaped"
    yield from _thumbnails(item)


def _plain_elements(
    parent: ElementTree.Element, *, once: Iterable[str], optional: Iterable[str]
) -> Iterator[str]:
    for name in once:
        found = parent.findall(name)
        if len(found) != 1 or not (found[0].text or "").strip():
            yield f"{parent.tag}: {len(found)} times {name}, or blank"
    yield from _no_markup(f"{parent.tag}: title", parent.findtext("title") or "")
    if parent.tag == "channel":
        yield from _no_markup("channel: description", parent.findtext("description") or "")
    for name in (*once, *optional):
        text = parent.findtext(name)
        if name in ("pubDate", "lastBuildDate") and text is not None:
            if not _RFC822.fullmatch(text):
                yield f"{parent.tag}: {name} is no RFC 822 date: {text}"
            elif _from_rfc822(text).strftime("%a") != text[:3]:
                yield f"{parent.tag}: {name} has the wrong day of the week"


def _from_rfc822(text: str) -> datetime:
    return datetime.strptime(text.replace("GMT", "+0000"), "%a, %d %b %Y %H:%M:%S %z")


# ---------------------------------------------------------------- JSON Feed


def _json(body: bytes) -> Iterator[str]:
    if body.startswith(b"\xef\xbb\xbf"):
        yield "a byte order mark"
    feed = json.loads(body.decode("utf-8"))
    if feed.get("version") != "https://jsonfeed.org/version/1.1":
        yield "version is not that of JSON Feed 1.1"
    if "author" in feed:
        yield "author is of 1.0; 1.1 has authors"
    yield from _json_kinds(
        feed,
        "feed",
        text=("title", "description", "language"),
        urls=("home_page_url", "feed_url", "next_url", "icon", "favicon"),
    )
    yield from _json_authors(feed.get("authors", []))
    if feed.get("next_url") in (feed.get("feed_url"), ""):
        yield "next_url leads nowhere new"
    if not feed.get("title"):
        yield "feed: no title"
    items = feed.get("items")
    if not isinstance(items, list):
        yield "items is no array"
        return
    for hub in feed.get("hubs", []):
        if set(hub) != {"type", "url"} or not is_web(hub["url"]):
            yield f"feed: hubs have a type and a url: {hub}"
    for item in items:
        yield from _json_item(item)
    yield from _unique("date_modified", [item.get("date_modified", "") for item in items])
    yield from _unique("id", [item.get("id", "") for item in items])
    yield from _newest_first([item.get("date_published", "") for item in items])


def _json_item(item: dict[str, Any]) -> Iterator[str]:
    yield from _json_kinds(
        item,
        "item",
        text=("id", "title", "summary", "content_html", "content_text", "language"),
        urls=("url", "external_url", "image", "banner_image"),
    )
    if not item.get("id"):
        yield "item: no id"
    yield from (f"item: {said}" for said in _id(item.get("id", "")))
    yield from _json_authors(item.get("authors", []))
    yield from _no_markup("item: title", item.get("title", ""))
    if not item.get("content_html") and not item.get("content_text"):
        yield "item: neither content_html nor content_text"
    for date in ("date_published", "date_modified"):
        if not _RFC3339.fullmatch(item.get(date, "")):
            yield f"item: {date} is no RFC 3339 date"
    if not all(isinstance(tag, str) and tag for tag in item.get("tags", [])):
        yield "item: tags are not strings"
    yield from markup_problems(item.get("content_html", ""))


def _json_kinds(
    value: dict[str, Any], name: str, *, text: Iterable[str], urls: Iterable[str]
) -> Iterator[str]:
    for key in (*text, *urls):
        if key in value and not isinstance(value[key], str):
            yield f"{name}: {key} is no string"
        elif key in value and _FORBIDDEN.search(value[key]):
            yield f"{name}: {key} holds a control character"
    for key in urls:
        if key in value and not is_web(str(value[key])):
            yield f"{name}: {key} is not absolute"


def _json_authors(authors: Any) -> Iterator[str]:
    for author in authors:
        if not {"name", "url", "avatar"} & set(author):
            yield "author without name, url or avatar"


# ---------------------------------------------------------------- what all have in common


def _document(body: bytes) -> Iterator[str]:
    if not re.match(rb"<\?xml version=['\"]1\.0['\"] encoding=['\"]UTF-8['\"]\?>\n", body, re.IGNORECASE):
        yield "no XML declaration"
    if _FORBIDDEN.search(body.decode("utf-8")):
        yield "a control character"
    if re.search("[\x80-\x9f\ufffd]", body.decode("utf-8")):
        yield "a C1 control or a replacement character"
    for namespace in {tag[1:].partition("}")[0] for tag in _tags(body) if tag.startswith("{")}:
        if namespace not in NAMESPACES:
            yield f"an unknown namespace: {namespace}"
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        yield "a document type"


def _tags(body: bytes) -> Iterator[str]:
    return (element.tag for element in ElementTree.fromstring(body).iter())  # noqa: S314 - our own document


def _at_home(feed: ElementTree.Element, uri: str) -> Iterator[str]:
    for link in feed.findall(f"{ATOM}link"):
        if uri and link.get("rel") == "self" and link.get("href") != uri:
            yield f"found at {uri}, but it calls itself {link.get('href')}"


def _feed_links(feed: ElementTree.Element, kind: str) -> Iterator[str]:
    """RFC 4287 4.1.1: no two of the same relation, type and language. RFC 5005 4: what archives need."""
    links = feed.findall(f"{ATOM}link")
    keys = [(link.get("rel"), link.get("type"), link.get("hreflang")) for link in links]
    if len(set(keys)) != len(keys):
        yield f"a link is given twice: {keys}"
    relations = {link.get("rel"): link for link in links}
    for name, link in relations.items():
        if name not in RELATIONS:
            yield f"a relation that is not registered: {name}"
        if name in PAGED and (link.get("type") != kind or not is_web(link.get("href") or "")):
            yield f"{name} is no absolute link to a {kind}"
    archive = feed.findall(f"{HISTORY}archive")
    if len(archive) > 1 or any(element.text or len(element) for element in archive):
        yield "fh:archive is not one empty element"
    if archive and "current" not in relations:
        yield "an archive without a link to the current feed"
    if archive and not {"prev-archive", "next-archive"} & set(relations):
        yield "an archive that leads to no other"  # the W3C validator's ArchiveIncomplete
    if not archive and {"current", "prev-archive"} <= set(relations):
        yield "an archive that does not say so"


def _id(text: str) -> Iterator[str]:
    if not urlsplit(text).scheme:
        yield f"id is no absolute IRI: {text}"
    if text.startswith("tag:") and not _TAG_URI.fullmatch(text):
        yield f"id is no tag URI: {text}"


def _no_markup(name: str, text: str) -> Iterator[str]:
    """Where nothing says whether a text is markup, it must not look like it."""
    if _END_TAG.search(text) or re.search(r"<[A-Za-z/!?]", text):
        yield f"{name} looks like markup: {text}"


def _unique(name: str, values: list[str]) -> Iterator[str]:
    if len(set(values)) != len(values) or not all(values):
        yield f"{name} is missing or given twice: {values}"


def _newest_first(dates: list[str]) -> Iterator[str]:
    if dates != sorted(dates, reverse=True):
        yield f"entries are not newest first: {dates}"


def _thumbnails(parent: ElementTree.Element) -> Iterator[str]:
    for thumbnail in parent.findall(THUMBNAIL):
        if not is_web(thumbnail.get("url") or ""):
            yield "a thumbnail that is not absolute"


def is_web(url: str) -> bool:
    """An absolute URI (RFC 3986, which is stricter than what browsers take) of a host that can be asked."""
    try:
        parts = urlsplit(url)
        return (
            bool(parts.scheme in ("http", "https") and parts.hostname and _URI.fullmatch(url))
            and parts.port != 0
        )
    except ValueError:
        return False


def _is_absolute(url: str) -> bool:
    """What content may link to: HTML takes IRIs."""
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"[\s<>\"]", url)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in UNSAFE_TAGS:
            self.problems.append(f"content holds <{tag}>")
        for name, value in attrs:
            if name.startswith("on") or name in ("style", "srcdoc", "formaction", "background"):
                self.problems.append(f"content holds the attribute {name}")
            if name in ("href", "src") and not (
                _is_absolute(value or "") or (value or "").startswith("mailto:")
            ):
                self.problems.append(f"content holds a {name} that is not absolute: {value}")

    def handle_data(self, data: str) -> None:
        if _FORBIDDEN.search(data):
            self.problems.append("content holds a control character")


def markup_problems(markup: str) -> list[str]:
    """What may not stand in markup that strangers' programs show."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return reader.problems

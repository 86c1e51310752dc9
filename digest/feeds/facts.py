"""What the quick reader finds beside the texts: people, links, ids, categories, dates and pictures. Pure."""

from __future__ import annotations

import re

from digest.feeds.mending import joined, name_beside_address
from digest.feeds.moments import moment
from digest.feeds.names import Unusual
from digest.feeds.reading import Said
from digest.feeds.texts import HTML, TYPES
from digest.feeds.walk import Action, Attributes, Element, Walk, own_text

_ITUNES = "http://www.itunes.com/"
_MEDIA = "http://search.yahoo.com/mrss/category_schema"
_MOST_TAGS = 1_000  # far more than we keep; to look for doubles takes the square of them
_NAMELESS = (None, None, None)
_BROKEN_REFERENCE = re.compile(r"&([A-Za-z0-9_]+);")

# ---------------------------------------------------------------- people


def author(walk: Walk, element: Element, depth: int) -> None:
    if walk.entry is None and not walk.is_atom:
        contributor(walk, element, depth)  # RSS's managingEditor is nobody's author
        return
    context = walk.context
    found: Said = {}
    context.setdefault("authors", []).append(found)
    if not len(element):
        walk.store("author", walk.words(element), depth)
    else:
        for key, value in person(walk, element).items():
            context.setdefault("author_detail", {})[key] = value
            _agree(context, found)
            found[key] = value
        walk.store("author", "", depth)
    _agree(context, found)


def _agree(context: Said, found: Said) -> None:
    """What feedparser does whenever it has heard something of a person. The first one is also the detail of
    the author, and what is said of a later one's parts is said of it too."""
    if found:
        name, email = found.get("name"), found.get("email")
        if name or email:
            context["author"] = f"{name} ({email})" if name and email else name or email
    elif whole := context.get("author"):
        context.setdefault("author_detail", found)
        name = name_beside_address(whole) if "@" in whole else whole
        found.update({"name": name} if name else {}, email="")


def person(walk: Walk, element: Element) -> Said:
    """What the parts of a person say: `<name>`, `<email>`; nothing of one who is a text only."""
    found: Said = {}
    for child in element:
        name = walk.names.of(child.tag)
        if name in ("name", "email"):
            found[name] = walk.text(child)
        elif name in ("uri", "url", "homepage"):
            found["href"] = walk.address(child)
        elif walk.means_something(child.tag) or len(child) or (child.attrib and (child.text or "").strip()):
            raise Unusual(f"{name} of a person")
    if len(element) and own_text(element):
        raise Unusual("a person with parts and a text")
    return found


def contributor(walk: Walk, element: Element, depth: int) -> None:
    if len(element):
        person(walk, element)


def owner(walk: Walk, element: Element, depth: int) -> None:
    if walk.entry is not None or walk.is_atom:
        raise Unusual("an owner in an odd place")
    for child in element:
        if walk.names.of(child.tag) not in ("itunes_name", "itunes_email") or len(child):
            raise Unusual("an owner with odd parts")


# ---------------------------------------------------------------- links


def link(walk: Walk, element: Element, depth: int) -> None:
    attributes = walk.attributes(element)
    attributes.setdefault("rel", "alternate")
    attributes.setdefault("type", "application/atom+xml" if attributes["rel"] == "self" else "text/html")
    attributes = _with_href(attributes)
    context = walk.context
    context.setdefault("links", []).append(attributes)
    if "href" in attributes:
        if len(element):
            raise Unusual("elements within a link")
        attributes["href"] = joined(walk.base, attributes["href"])
        kind = attributes["type"]
        if attributes["rel"] == "alternate" and TYPES.get(kind, kind) in HTML:
            context["link"] = attributes["href"]
        return
    value = walk.address(element)
    if walk.entry is None and not walk.in_feed:
        return
    if "&" in value:
        if walk.entry is not None:
            value = value.replace("&amp;", "&")
        value = _BROKEN_REFERENCE.sub(r"&\1", value)
    context["link"] = value
    if value or walk.entry is None:
        attributes["href"] = value


def enclosure(walk: Walk, element: Element, depth: int) -> None:
    found = {**_with_href(walk.attributes(element)), "rel": "enclosure"}
    walk.context.setdefault("links", []).append(found)
    walk.children(element, depth + 1)


def guid(walk: Walk, element: Element, depth: int) -> None:
    is_link = walk.attributes(element).get("ispermalink", "true") == "true"
    value = walk.address(element) if is_link else walk.words(element)
    walk.store("id", value, depth)
    if is_link:
        walk.context.setdefault("link", value)


def _with_href(attributes: Attributes) -> Attributes:
    if "url" not in attributes and "uri" not in attributes:
        return attributes
    href = attributes.get("url", attributes.get("uri"))
    if not href:
        return attributes
    return {**{key: value for key, value in attributes.items() if key not in ("url", "uri")}, "href": href}


# ---------------------------------------------------------------- categories


def category(walk: Walk, element: Element, depth: int) -> None:
    said = walk.attributes(element)
    if said:
        named = (said.get("term"), said.get("scheme", said.get("domain")), said.get("label"))
        _tag(walk, element, depth, named)
    else:
        _tag(walk, element, depth, _NAMELESS)


def media_category(walk: Walk, element: Element, depth: int) -> None:
    said = walk.attributes(element)
    _tag(walk, element, depth, (said.get("term"), said.get("scheme", _MEDIA), said.get("label")))


def itunes_category(walk: Walk, element: Element, depth: int) -> None:
    _tag(walk, element, depth, (walk.attributes(element).get("text"), _ITUNES, None))


def keywords(walk: Walk, element: Element, depth: int) -> None:
    if element.attrib:
        raise Unusual("attributes of keywords")
    scheme = _ITUNES if "itunes" in walk.names.of(element.tag) else None
    for term in walk.words(element).split(","):
        if term.strip():
            _add_tag(walk, (term.strip(), scheme, None))


def _tag(walk: Walk, element: Element, depth: int, said: tuple[str | None, str | None, str | None]) -> None:
    _add_tag(walk, said)
    if len(element):
        walk.children(element, depth + 1)
        if own_text(element):
            raise Unusual("a category with parts and a text")
        return
    value = walk.words(element)
    tags = walk.context["tags"]
    if value and tags and not tags[-1]["term"]:
        tags[-1]["term"] = value
    elif value:
        _add_tag(walk, (value, None, None))


def _add_tag(walk: Walk, said: tuple[str | None, str | None, str | None]) -> None:
    tags = walk.context.setdefault("tags", [])
    if said is _NAMELESS or not any(said):
        return
    term, scheme, label = said
    tag = {"term": term, "scheme": scheme, "label": label}
    if len(tags) < _MOST_TAGS and tag not in tags:
        tags.append(tag)


# ---------------------------------------------------------------- dates, pictures


def date(name: str) -> Action:
    read = f"{name}_parsed"

    def action(walk: Walk, element: Element, depth: int) -> None:
        value = walk.words(element)
        if walk.entry is None:
            return  # of a feed, it tells us nothing
        walk.store(name, value, depth)
        walk.entry[read] = moment(value) or walk.odd_date(value)

    return action


def language(walk: Walk, element: Element, depth: int) -> None:
    walk.store("language", walk.words(element), depth)


def itunes_image(walk: Walk, element: Element, depth: int) -> None:
    attributes = walk.attributes(element)
    href = attributes.get("href") or attributes.get("url")
    if href:
        walk.context["image"] = {"href": href}
    walk.children(element, depth + 1)


def media_content(walk: Walk, element: Element, depth: int) -> None:
    walk.context.setdefault("media_content", []).append(walk.attributes(element))
    walk.children(element, depth + 1)


def media_thumbnail(walk: Walk, element: Element, depth: int) -> None:
    attributes = walk.attributes(element)
    text = walk.address(element)
    if text.strip():
        attributes.setdefault("url", text)
    walk.context.setdefault("media_thumbnail", []).append(attributes)

"""What stands around and inside the markup of a feed: prolog, characters, titles and links. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape, unescape
from html.entities import html5
from urllib.parse import urljoin, urlsplit

from digest import html
from digest.model import FeedError

# ---------------------------------------------------------------- the document

_PROLOG = re.compile(r"\s+|<\?(?!xml\s).*?\?>|<\?xml\b[^>]*>|<!--.*?-->", re.DOTALL)
_START = re.compile(
    r"<\?xml\b|<(?:[A-Za-z][\w.-]*:)?(?:rss|feed|RDF|channel)\b|<!DOCTYPE\b|<!--|<html\b", re.IGNORECASE
)
_NAME = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")
_ENTITY = re.compile(r"""<!ENTITY\s+([\w.-]+)\s+(?:"([^"]*)"|'([^']*)')\s*>""")
# The names of HTML's characters, which we know without reading that file.
_NAMES_OF_HTML = re.compile(
    r"""<!ENTITY\s+%\s+[\w.-]+\s+PUBLIC\s+"-//W3C//ENTITIES[^"]*"\s+(?:"[^"]*"|'[^']*')\s*>"""
)
_ENTITIES_AT_MOST = 300
_ENTITY_AT_MOST = 200
_EXPANDED_AT_MOST = 1_000_000
_HARMFUL = "this document defines entities that could do harm; we do not read such feeds"

# XML 1.0, 2.2: characters that may not be, and references to them, which are as bad.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(r"&#(?:[xX]([0-9a-fA-F]{1,8})|([0-9]{1,8}));")
_SURROGATES = re.compile(
    r"&#(?:[xX][dD][89abAB][0-9a-fA-F]{2}|5[56][0-9]{3});&#(?:[xX][dD][c-fC-F][0-9a-fA-F]{2}|5[67][0-9]{3});"
)
_NAMED = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31});")
_OF_XML = frozenset(("amp", "lt", "gt", "quot", "apos"))
_BARE = re.compile(r"&(?!(?:#[0-9]+|#x[0-9a-fA-F]+|amp|lt|gt|quot|apos);)")


def document(text: str) -> tuple[str, str]:
    """(root, text): the name of the first element, and the document from there on, as an XML parser can read
    it, its own harmless entities put in their places. Raises FeedError for entities that can hurt."""
    text = _ILLEGAL.sub("", text)
    start = _START.search(text, 0, 20_000)  # before it, warnings of a broken server
    position = start.start() if start else max(text.find("<"), 0)
    entities: dict[str, str] = {}
    while position < len(text):
        if found := _PROLOG.match(text, position):
            position = found.end()
        elif text[position : position + 9].upper() == "<!DOCTYPE":
            end = _doctype_end(text, position)
            entities |= _entities(text[position:end])
            if text[position:end].lower().startswith("<!doctype html"):
                return "html", text[position:]
            position = end
        else:
            break
    name = _NAME.match(text, position)
    return (name[1].lower() if name else ""), _readable(text[position:], entities)


def _doctype_end(text: str, start: int) -> int:
    """Just past a DOCTYPE with its internal subset. Quoted text and comments may hold any bracket."""
    inside = False
    for found in re.compile(r"""<!--.*?-->|"[^"]*"|'[^']*'|[\[\]>]""", re.DOTALL).finditer(text, start):
        sign = found[0]
        if sign == "[":
            inside = True
        elif sign == "]":
            inside = False
        elif sign == ">" and not inside:
            return found.end()
    return len(text)


def _entities(doctype: str) -> dict[str, str]:
    doctype = _NAMES_OF_HTML.sub("", doctype)
    count = len(re.findall(r"<!ENTITY\b", doctype, re.IGNORECASE))
    found = {name: first or second for name, first, second in _ENTITY.findall(doctype)}
    simple = all(
        len(value) <= _ENTITY_AT_MOST and "%" not in value and not re.search(r"&(?!#\w{1,8};)", value)
        for value in found.values()
    )
    if count > _ENTITIES_AT_MOST or len(found) != count or not simple:
        raise FeedError(_HARMFUL)
    return found


def _readable(text: str, entities: dict[str, str]) -> str:
    """Without references to characters that XML forbids, and with HTML's names for characters as numbers:
    for either a strict parser would give up. What the document itself has named is put in its place."""
    spent = 0

    def pair(found: re.Match[str]) -> str:
        high, low = (_code(each) for each in _REFERENCE.finditer(found[0]))
        if 0xD800 <= high < 0xDC00 <= low < 0xE000:
            return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
        return ""

    def reference(found: re.Match[str]) -> str:
        code = _code(found)
        return found[0] if code < 0x110000 and not _ILLEGAL.match(chr(code)) else ""

    def named(found: re.Match[str]) -> str:
        nonlocal spent
        name = found[1]
        if name in entities:
            spent += len(entities[name])
            if spent > _EXPANDED_AT_MOST:
                raise FeedError(_HARMFUL)
            return escape(unescape(entities[name]))
        if name in _OF_XML or f"{name};" not in html5:
            return found[0]
        return "".join(f"&#{ord(character)};" for character in html5[f"{name};"])

    def readable(part: str) -> str:
        if "&#" in part:
            part = _REFERENCE.sub(reference, _SURROGATES.sub(pair, part))
        return _NAMED.sub(named, part)

    return _outside_of_cdata(text, readable) if "&" in text else text


def with_ampersands(text: str) -> str:
    """With every `&` that begins no reference of XML as `&amp;`: the one thing that is wrong with `R&D`."""
    return _outside_of_cdata(text, lambda part: _BARE.sub("&amp;", part)) if "&" in text else text


def _outside_of_cdata(text: str, change: Callable[[str], str]) -> str:
    """What stands in CDATA is no markup of this document: a reference in it belongs to a page."""
    parts = []
    position = 0
    while (start := text.find("<![CDATA[", position)) >= 0 and (end := text.find("]]>", start)) >= 0:
        parts += [change(text[position:start]), text[start:end]]
        position = end
    return "".join((*parts, change(text[position:])))


def _code(reference: re.Match[str]) -> int:
    return int(reference[1], 16) if reference[1] else int(reference[2])


# ---------------------------------------------------------------- titles

TITLE_AT_MOST = 10_000
_TAG = re.compile(r"<!--.*?-->|</?[A-Za-z][^<>]*>", re.DOTALL)


def title(text: str, *, is_html: bool) -> str:
    """One plain line. Only what is declared as markup loses its tags, and is decoded once."""
    if is_html and ("<" in text or "&" in text):
        text = unescape(_TAG.sub("", text[:TITLE_AT_MOST]))
    return html.plain(text[:TITLE_AT_MOST])


def as_html(text: str) -> str:
    """Plain text as markup that shows the same."""
    return "<p>" + escape(text, quote=False).replace("\n\n", "</p><p>").replace("\n", "<br>") + "</p>"


# ---------------------------------------------------------------- links

_SPACE_WITHIN = re.compile(r"[\t\r\n]+")
# Addresses that no rule changes; nearly all are so.
_WHOLE = re.compile(
    r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?(?:/[\w/%~.+,=:@!$()*&-]*)?(?:\?[\w/%~.+,=:@!$()*&;?-]+)?"
    r"(?:#[\w/%~.+,=:@!$()*&;?-]+)?",
    re.ASCII,
)
# Of these without `&` and comma, each with its width: one picture in several sizes, as WordPress writes it.
_SET_PART = r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(?:/[\w/%~.+=:@!$()*-]*)? [0-9]{1,5}w"
_SET = re.compile(rf"{_SET_PART}(?:, {_SET_PART})*", re.ASCII)
# An absolute path in which nothing has to be taken away: no folder that begins with a dot.
_ROOTED = re.compile(r"(?:/[\w%~+,=:@!$()*-][\w%~.+,=:@!$()*-]*)+/?", re.ASCII)
_SITE = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?(?=[/?#]|$)", re.ASCII)
_ELEMENT = re.compile(r"<[A-Za-z][^<>=]*=[^<>]*>")
_ATTRIBUTE = re.compile(
    r"""(\s(?:href|src|poster|cite|srcset)\s*=\s*)(?:"([^"]*)"|'([^']*)'|([^\s"'<>`]+))""", re.IGNORECASE
)
# Is there anything to do? It begins with `=`, which is quickly found, and looks back: an address that is not
# whole, a list of which that is not plain, or a blank before the sign.
_RELATIVE = re.compile(
    r"""=(?:(?<=[eE][fF]=|[rR][cC]=|[tT][eE]=|[eE][rR]=)(?!\s*["']?https?://)"""
    rf"""|(?<=[sS][eE][tT]=)(?!(?a:"{_SET.pattern}"))|(?<=\s=))"""
)
_IMAGE = re.compile(r"<[iI][mM][gG]\s[^<>]*>")  # faster than IGNORECASE: it can look for the `<`
_SOURCE = re.compile(r"""\s(?:data-)?src\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>`]+))""", re.IGNORECASE)
_TINY = re.compile(r"""\s(?:width|height)\s*=\s*["']?[01](?:px)?["'\s/>]""", re.IGNORECASE)


def absolute(base: str, url: str) -> str:
    """An http(s) address, or nothing: for a reader every other scheme is useless or dangerous."""
    if _WHOLE.fullmatch(url):
        return url
    if _ROOTED.fullmatch(url) and (site := _SITE.match(base)):
        return site[0] + url
    url = _SPACE_WITHIN.sub("", html.scrub(url)).strip()
    if not url:
        return ""
    try:
        url = urljoin(base, url)
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return ""
    except ValueError:
        return ""
    return url.replace(" ", "%20").replace('"', "%22").replace("<", "%3C").replace(">", "%3E")


def elsewhere(url: str, own: str) -> str:
    """The address, or nothing where it leads to the feed itself (`own`): that may hold a key of ours."""
    return "" if url and own and _document(url) == _document(own) else url


def _document(url: str) -> tuple[str, str, str]:
    """What an address names, whatever its scheme, its case, its fragment or the name before its host."""
    try:
        parts = urlsplit(absolute("", url))
    except ValueError:
        return (url, "", "")
    return parts.netloc.rpartition("@")[2].lower(), parts.path or "/", parts.query


def may_be_relative(markup: str) -> bool:
    """Is there any link or source in it that `resolved` might change?"""
    return _RELATIVE.search(markup) is not None


def resolved(markup: str, base: str, own: str = "") -> str:
    """Markup with every relative link and source made absolute; all else is untouched, and so is what leads
    to the feed itself (`own`), such as `#note-1`."""
    if not base or not may_be_relative(markup):
        return markup
    site = _SITE.match(base)

    def attribute(found: re.Match[str]) -> str:
        value = found[2] or found[3] or found[4] or ""
        if _WHOLE.fullmatch(value) or (found[2] and _SET.fullmatch(value)):
            return found[0]
        if site and _ROOTED.fullmatch(value):
            return f'{found[1]}"{site[0]}{value}"'
        value = unescape(value).strip()
        if "srcset" in found[1].lower():
            value = ", ".join(_joined(base, part.strip(), own) for part in value.split(", "))
        else:
            value = _joined(base, value, own)
        return f'{found[1]}"{escape(value)}"'

    return _ELEMENT.sub(lambda element: _ATTRIBUTE.sub(attribute, element[0]), markup)


def _joined(base: str, url: str, own: str) -> str:
    try:
        return elsewhere(urljoin(base, url), own) or url
    except ValueError:
        return url


def first_image(markup: str, base: str, own: str = "") -> str:
    """The address of the first picture that is one, not a one-pixel counter nor the feed itself (`own`)."""
    for found in _IMAGE.finditer(markup):
        source = _SOURCE.search(found[0])
        if source is None or _TINY.search(found[0]):
            continue
        url = elsewhere(absolute(base, unescape(source[1] or source[2] or source[3] or "")), own)
        if url:
            return url
    return ""


# ---------------------------------------------------------------- languages

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}")


def language(text: object) -> str:
    """A language tag as in BCP 47, or nothing."""
    tag = text.strip().replace("_", "-") if isinstance(text, str) else ""
    return tag if _LANGUAGE.fullmatch(tag) else ""

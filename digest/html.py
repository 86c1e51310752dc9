"""Reading and cleaning markup of strangers: safe markup, plain lines, and text that keeps its paragraphs.

Whatever comes in, something safe comes out within a second or two and nothing raises: markup that is built
to hurt a parser (endless nesting, one tag with 50,000 attributes) is reduced to its words before any parser
sees it.
Pure; knows nothing of feeds or articles.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape
from urllib.parse import urlsplit

import nh3
from lxml import etree
from lxml import html as lxml_html

MAX_MARKUP = 2_000_000  # characters; what is longer is cut there
_MAX_TAGS = 40_000
_MAX_TAG_LENGTH = 8_000
_MAX_DEPTH = 200  # lxml stops at 256
_MAX_REFERENCES = 100_000  # the cleaner's time grows with the square of the `&` in one text
_MAX_REOPENED = (
    500_000  # an unclosed <b> is opened again in every following block: a tree grows by the product
)

# C0 and C1 controls but tab and newline, bidi embeddings, overrides and isolates, lone surrogates,
# non-characters, and marks without width that only hide things (soft hyphen, zero width space, byte order
# mark). The joiners U+200C and U+200D stay: Persian and emoji need them.
_CONTROL = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
_LINE_ENDS = re.compile("\r\n?|[\v\f\x85\u2028\u2029]")
# Any of both; looking costs a third of replacing, and most texts hold none.
_UNCLEAN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b\u2028\u2029\u2060\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
# What has no shape of its own (Unicode: Default_Ignorable_Code_Point, and the blank of braille).
_UNSEEN = re.compile(
    "[ \u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
# Marks that stand above or below a letter: the combining blocks, and those of scripts from Hebrew to Khmer.
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0711\u0730-\u074a\u07a6-\u07b0\u0900-\u0902"
    "\u093a\u093c\u0941-\u0948\u094d\u0951-\u0957\u0981\u09bc\u09c1-\u09cd\u0a01-\u0a02\u0a3c-\u0a51\u0abc\u0ac1-\u0acd"
    "\u0b3c\u0b41-\u0b4d\u0bc0\u0bcd\u0c3e-\u0c4d\u0cbc\u0ccc-\u0ccd\u0d41-\u0d4d\u0dca-\u0dd6\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
    "\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u0f18-\u0f19\u0f35\u0f37\u0f39\u0f71-\u0f84\u0f8d-\u0fbc\u102d-\u1037\u1039-\u103a"
    "\u17b7-\u17bd\u17c6\u17c9-\u17d3\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u302a-\u302d\u3099-\u309a\ufe20-\ufe2f"
)
_STACKED = re.compile(f"([{_MARKS}]{{6}})[{_MARKS}]+")
_SPACES = re.compile(r"[^\S\n]+")
_ALL_SPACES = re.compile(r"\s+")
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]*)")
_LONG_TAG = re.compile(r"<[A-Za-z][^<>]{%d,}>?" % _MAX_TAG_LENGTH)  # noqa: UP031  (braces of the pattern)
_REFERENCE = re.compile(r"&[#\w]*;?")
_ANY_TAG = re.compile(r"</?[A-Za-z][^<>]*>?|<[!?][^<>]*>?")
_SCRIPT = re.compile(r"<(script|style)\b[^<>]*>|<!--", re.IGNORECASE)
_SCRIPT_END = {
    "script": re.compile(r"</script\b[^<>]*>", re.IGNORECASE),
    "style": re.compile(r"</style\b[^<>]*>", re.IGNORECASE),
    "<!--": re.compile(r"--!?>"),
}


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_VOID = _names("area base br col embed hr img input link meta param source track wbr")
_CLOSED_BY_OTHERS = _names("p li dd dt td th tr tbody thead tfoot option optgroup colgroup rp rt")
_INLINE = _names("a b big code em font i nobr s small strike strong tt u")

BLOCKS = _names(
    """address article aside blockquote body br caption center dd details dialog div dl dt fieldset figcaption
    figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav ol option p pre section
    select summary table tbody tfoot thead tr ul"""
)
HIDDEN = _names(
    """script style head title template noscript iframe object embed svg canvas audio video map select button
    textarea input"""
)
_CELLS = frozenset(("td", "th"))
_TAGS = _names(
    """a abbr b blockquote br caption cite code dd del dfn div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr
    i img ins kbd li mark ol p pre q rp rt ruby s samp small span strong sub sup table tbody td tfoot th thead
    time tr u ul var"""
)
_ATTRIBUTES = {
    "*": {"dir", "lang"},
    "a": {"href", "title"},
    "abbr": {"title"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
}
_DROPPED_WITH_CONTENT = _names(
    """script style template noscript iframe object svg math canvas audio video form button select textarea
    title head nav"""
)
_IMAGE_WITHOUT_SOURCE = re.compile(r"<img(?![^>]*\ssrc=)[^>]*>")


def scrub(text: str) -> str:
    """Without what no reader should get: control characters, bidi overrides, lone surrogates. Lines stay."""
    return _CONTROL.sub("", _LINE_ENDS.sub("\n", text)) if _UNCLEAN.search(text) else text


def plain(text: str) -> str:
    """One clean line of text; empty where nothing of it would be seen. The argument is text, not markup:
    `a < b` stays as it is."""
    line = " ".join(scrub(text).split())
    return "" if _UNSEEN.fullmatch(line) else line


def unstacked(text: str) -> str:
    """With at most six marks on one letter: more are piled up only to paint over what stands around it."""
    return text if text.isascii() else _STACKED.sub(r"\1", text)


def lines(text: str) -> str:
    """Clean text, one paragraph a line, no empty lines."""
    found = (_SPACES.sub(" ", line).strip() for line in scrub(text).split("\n"))
    return "\n".join(line for line in found if line)


def tame(markup: str) -> str:
    """Markup that any parser gets through quickly: cut at MAX_MARKUP, and flat where it was built to hurt."""
    markup = _without_scripts(scrub(markup[:MAX_MARKUP]))
    if len(markup) > _MAX_TAG_LENGTH:
        markup = _LONG_TAG.sub("", markup)
    if markup.count("&") > _MAX_REFERENCES:
        markup = _REFERENCE.sub(" ", markup)
    return _flat(markup) if _hurts(markup) else markup


def parse(markup: str) -> lxml_html.HtmlElement | None:
    """The tree of a document or a fragment, its root `html`; None when there is nothing in it."""
    parser = lxml_html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        return lxml_html.document_fromstring(tame(markup).encode(), parser=parser)
    except (etree.LxmlError, ValueError):  # empty, or not markup at all
        return None


def text_of(tree: lxml_html.HtmlElement) -> str:
    """The text of a tree, a line for each block. Scripts, styles and form controls are taken out of it."""
    etree.strip_elements(tree, *HIDDEN, with_tail=False)
    parts: list[str] = []
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        tag = element.tag
        if tag in BLOCKS:
            parts.append("\n")
        elif tag in _CELLS:
            parts.append(" ")
        if event == "start":
            if element.text:
                parts.append(_ALL_SPACES.sub(" ", element.text) if tag != "pre" else element.text)
        elif element.tail and element is not tree:
            parts.append(_ALL_SPACES.sub(" ", element.tail))
    return lines("".join(parts))


def to_text(markup: str) -> str:
    """The text that a reader of this markup would see, one line a block."""
    if "<" not in markup and "&" not in markup:
        return lines(markup[:MAX_MARKUP])
    tree = parse(markup)
    return "" if tree is None else text_of(tree)


def clean(markup: str, base_url: str) -> str:
    """Markup that is safe to show: a few tags, http(s) and mailto links only, every address absolute.
    Relative ones are dropped when `base_url` is not an http(s) address."""
    found = _cleaner(base_url if _is_web(base_url) else "").clean(tame(markup))
    return _IMAGE_WITHOUT_SOURCE.sub("", scrub(found)).strip()  # `&#x202e;` is only now what it says


@lru_cache(maxsize=64)
def _cleaner(base_url: str) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(_TAGS),
        clean_content_tags=set(_DROPPED_WITH_CONTENT),
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        url_relative=("rewrite_with_base", base_url) if base_url else "deny",
        link_rel="noopener noreferrer",
    )


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _hurts(markup: str) -> bool:
    """Would a parser need more than linear time, or more depth than it allows? Counts what is opened and not
    closed; elements that HTML closes by itself do not count."""
    depth = inline = reopened = count = 0
    for count, found in enumerate(_TAG.finditer(markup)):
        tag = found[2].lower()
        if tag in _VOID or tag in _CLOSED_BY_OTHERS:
            continue
        step = -1 if found[1] else 1
        depth = max(0, depth + step)
        if tag in _INLINE:
            inline = max(0, inline + step)
            reopened = max(reopened, inline)
        if depth > _MAX_DEPTH or count > _MAX_TAGS:
            return True
    return reopened * count > _MAX_REOPENED


def _without_scripts(markup: str) -> str:
    """Without scripts, styles and comments: their text may look like tags. One pass, whatever stays open."""
    parts = []
    start = 0
    endless = set()
    for found in _SCRIPT.finditer(markup):
        kind = (found[1] or "<!--").lower()
        if found.start() < start or kind in endless:
            continue
        end = _SCRIPT_END[kind].search(markup, found.end())
        if end is None:
            endless.add(kind)
            continue
        parts.append(markup[start : found.start()])
        start = end.end()
    return "".join((*parts, markup[start:]))


def _flat(markup: str) -> str:
    """Only paragraphs: every block tag ends a line, every other tag goes."""

    def spaced(found: re.Match[str]) -> str:
        name = _TAG.match(found[0])
        return "\n" if name and name[2].lower() in BLOCKS else " "

    text = unescape(_ANY_TAG.sub(spaced, markup))
    found = (line.replace("&", "&amp;").replace("<", "&lt;") for line in lines(text).split("\n"))
    return "".join(f"<p>{line}</p>" for line in found)

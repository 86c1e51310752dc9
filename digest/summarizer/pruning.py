"""A tree of a page without what stands around its article, by the names that sites give to such parts.

Knows markup; what the words of a line say is known by `boilerplate`. Pure.
"""

from __future__ import annotations

import re
from collections import Counter

from lxml import etree
from lxml.html import HtmlElement

from digest import html
from digest.summarizer.boilerplate import is_paragraph, opens_tail

_LAYOUT = 400  # characters, from which a cell with markup in it is a column of the page
_MANY_CELLS = 60
_MANY_BREAKS = 3_000
_PARAGRAPH = 80  # characters
_LEAD = 60
MAX_CHARACTERS = 500_000
MAX_ELEMENTS = 5_000  # the largest of 312 pages of the press has 3,600

_JUNK_TAGS = ("nav", "aside", "footer", "dialog", "form", "menu")
_JUNK_ROLES = frozenset(("navigation", "search", "contentinfo", "complementary", "banner", "dialog", "alert"))
# Names in class or id that say what a part of a page is for: whole names, `non-paywall` is none.
_JUNK_NAME = re.compile(
    r"share(?:[_-]?(?:bar|buttons?|links?|tools?|icons?|widget|this|daddy|container|wrapper|options|block))?|sharing"
    r"|sharedaddy|addtoany\w*|addthis\w*|social(?:[_-]?(?:media|share|sharing|links?|icons?|bar|buttons?|networks?))?"
    r"|jp-relatedposts|related(?:[_-]?(?:posts?|articles?|stories|content|news|links?|topics?|items?|\w*))?"
    r"|recommend(?:ed|ations?)(?:[_-]\w+)?|outbrain\w*|taboola\w*|zergnet\w*|newsletter(?:[_-][\w-]+)?|signup|sign-up"
    r"|subscribe(?:[_-][\w-]+)?|mailchimp\w*|breadcrumbs?|cookie(?:[_-][\w-]+)?|gdpr[\w-]*|consent|pagination|pager"
    r"|(?:post-?|entry-?)?navigation|nav-?links?|(?:left-|right-|site-)?side-?bar|widget(?:[_-](?!area)[\w-]+)?"
    r"|skip-?link|screen-reader-text|sr-only|visually-?hidden|author-?(?:bio|box|info)|about-?(?:the-)?author"
    r"|tags?-?links?|tag-?list|(?:post|entry|article)-?tags|advert(?:isement|orial)?|ads?|adsbygoogle"
    r"|ad-?(?:slot|unit|container|wrapper|box)|sponsor(?:ed)?|promo(?:tion)?s?|most-?(?:read|popular)|trending|popup"
    r"|modal|print-?(?:only|link)|no-?print|read-?(?:more|next|also)|see-?also|more-?(?:stories|articles|from|news)"
    r"|next-?article|caption-credit|photo-?credit|(?:back|scroll)-?to-?top",
    re.IGNORECASE,
)
_COMMENT_NAME = re.compile(
    r"comments?(?:[_-]?(?:list|area|form|section|wrap(?:per)?|respond|template|container|box))?|respond|disqus(?:_thread)?"
    r"|commentlist|fb-comments",
    re.IGNORECASE,
)
_HEADING = frozenset(
    ("h1", "h2", "h3", "h4", "h5", "h6", "p", "div", "span", "strong", "header", "dt", "legend")
)


def prune(tree: HtmlElement) -> None:
    """Take out what is around an article. Nothing that holds much of the page's prose or its headline goes,
    whatever it is called: some sites wrap everything in a form or call their main column `sidebar`."""
    etree.strip_elements(tree, *html.HIDDEN, with_tail=False)
    _open_tables(tree)
    _open_breaks(tree)
    _open_leads(tree)
    sizes = _Sizes(tree)
    limit = max(300, sizes.prose(tree) // 5)
    headlined = {id(above) for headline in tree.iter("h1") for above in headline.iterancestors()}
    for element in list(tree.iter(etree.Element)):
        if element.tag in ("html", "body", "main", "h1") or element.getparent() is None:
            continue
        names = f"{element.get('class', '')} {element.get('id', '')}".split()
        comments = any(map(_COMMENT_NAME.fullmatch, names))
        if not comments and element.tag not in _JUNK_TAGS and not _is_junk(element, names):
            continue
        if (comments or sizes.prose(element) <= limit) and id(element) not in headlined:
            _drop(element)
    for element in list(tree.iter("article")):
        outer = next(element.iterancestors("article"), None)
        if outer is not None and sizes.prose(element) * 2 < sizes.prose(outer) <= limit * 5:
            _drop(element)  # an article inside an article is a comment or a teaser (HTML 4.3.2)
    for element in list(tree.iter(*_HEADING)):
        if kind := _opens_tail(element, sizes):
            _drop_from(element, kind, limit, sizes)
    shorten(tree)


def shorten(tree: HtmlElement, most: int = MAX_ELEMENTS) -> None:
    """Cut a tree that is larger than any article: readers of pages need time that grows with its square."""
    size = 0
    for number, element in enumerate(tree.iter()):
        if size > MAX_CHARACTERS or number >= most:
            break
        if len(element.text or "") > MAX_CHARACTERS:
            element.text = _allowed(element.text[:MAX_CHARACTERS])
        if len(element.tail or "") > MAX_CHARACTERS:
            element.tail = _allowed(element.tail[:MAX_CHARACTERS])
        size += len(element.text or "") + len(element.tail or "")
    else:
        return
    while (parent := element.getparent()) is not None:
        place = parent.index(element)
        del parent[place + 1 :]
        element = parent


class _Sizes:
    """How much text the elements of a tree held when it was measured, in one pass over it."""

    def __init__(self, tree: HtmlElement) -> None:
        self._kept: list[HtmlElement] = []  # lxml makes new objects for elements that nobody holds
        self._found: dict[int, tuple[int, int]] = {}
        for _, element in etree.iterwalk(tree, events=("end",)):
            own = len((element.text or "").strip()) if isinstance(element.tag, str) else 0
            paragraphs = 0
            for child in element:
                size, within = self._found.get(id(child), (0, 0))
                own += size + len((child.tail or "").strip())
                paragraphs += within
            if element.tag == "p" and own >= _PARAGRAPH:
                paragraphs += own
            self._found[id(element)] = own, paragraphs
            self._kept.append(element)

    def text(self, element: HtmlElement) -> int:
        return self._found.get(id(element), (0, 0))[0]

    def prose(self, element: HtmlElement) -> int:
        """How many characters stand in paragraphs of some length."""
        size, paragraphs = self._found.get(id(element), (0, 0))
        return size if element.tag == "p" else paragraphs or size // 3


def prose(tree: HtmlElement) -> int:
    return _Sizes(tree).prose(tree)


def _open_tables(tree: HtmlElement) -> None:
    """Tables that only place things, as sites of 2003 do: their cells become boxes. A table of data has
    headings, or many cells, or no prose in them."""
    sizes = _Sizes(tree)
    for table in list(tree.iter("table")):
        cells = table.xpath("./tr/*|./tbody/tr/*")
        if len(cells) > _MANY_CELLS or any(cell.tag == "th" for cell in cells):
            continue
        if not any(
            sizes.text(cell) > _LAYOUT and len(cell.xpath("(.//p|.//br|.//table)[2]")) for cell in cells
        ):
            continue
        for element in (table, *table.xpath("./tr|./tbody|./tbody/tr"), *cells):
            element.tag = "div"


def _open_breaks(tree: HtmlElement) -> None:
    """Paragraphs that are made with `<br><br>` become paragraphs."""
    found = (br.getparent() for br in tree.iter("br") if _is_double(br))
    for parent in reversed({id(each): each for each in found if each is not None}.values()):
        if parent.tag in ("p", "pre") or len(parent) > _MANY_BREAKS:
            continue
        children, text = list(parent), _allowed(parent.text)
        parent.text = None
        for child in children:
            parent.remove(child)
        current = _paragraph(parent, text)
        for number, child in enumerate(children):
            tail, child.tail = _allowed(child.tail), None
            if (
                child.tag == "br"
                and number
                and children[number - 1].tag == "br"
                and not (current.text or len(current))
            ):
                current.text = tail  # the second of two
            elif (
                child.tag == "br"
                and not (tail or "").strip()
                and _is_break(children[number + 1 : number + 2])
            ):
                current = _paragraph(parent, None)
            elif child.tag != "br" and (
                child.tag in html.BLOCKS or next(child.iter("p", "div"), None) is not None
            ):
                parent.append(child)
                current = _paragraph(parent, tail)
            else:
                current.append(child)
                child.tail = tail
        for each in list(parent):
            if (
                each.tag == "p"
                and not len(each)
                and not (each.text or "").strip()
                and not (each.tail or "").strip()
            ):
                parent.remove(each)


def _is_double(br: HtmlElement) -> bool:
    return not (br.tail or "").strip() and br.getnext() is not None and br.getnext().tag == "br"


def _is_break(found: list[HtmlElement]) -> bool:
    return bool(found) and found[0].tag == "br"


def _allowed(text: str | None) -> str | None:
    """`&#1;` is a character that a parser gives and a tree does not take."""
    return html.scrub(text) if text else text


def _paragraph(parent: HtmlElement, text: str | None) -> HtmlElement:
    made: HtmlElement = parent.makeelement("p")
    made.text = text
    parent.append(made)
    return made


def _open_leads(tree: HtmlElement) -> None:
    """A standfirst may be called `teaser`, which readers of pages take for a link to elsewhere."""
    found = [each for each in tree.iter("div", "p", "section") if "teaser" in each.get("class", "").lower()]
    often = Counter(each.get("class") for each in found)
    for element in found:
        if often[element.get("class")] > 1 or next(element.iter("a", "h1", "h2", "h3"), None) is not None:
            continue
        if _size(element) >= _LEAD:
            del element.attrib["class"]


def _is_junk(element: HtmlElement, names: list[str]) -> bool:
    if element.get("role", "") in _JUNK_ROLES or element.get("hidden") is not None:
        return True
    if "display:none" in element.get("style", "").replace(" ", ""):
        return True
    return element.tag not in ("p", "em", "strong", "article") and any(map(_JUNK_NAME.fullmatch, names))


def _opens_tail(element: HtmlElement, sizes: _Sizes) -> str:
    if len(element) > 3 or element.getparent() is None or not 0 < sizes.text(element) <= 60:
        return ""
    line = html.plain("".join(element.itertext()))
    return opens_tail(line) if 0 < len(line) <= 60 else ""


def _drop_from(heading: HtmlElement, kind: str, limit: int, sizes: _Sizes) -> None:
    """A heading and what follows it in its box, until something long comes; teasers end with a paragraph, and
    below "About the author" there is one."""
    for sibling in list(heading.itersiblings()):
        long = sibling.tag == "p" and sizes.text(sibling) > 200 and kind != "author"
        if long or sizes.prose(sibling) > limit:
            break
        if kind == "teasers" and sibling.tag in ("p", "div") and _reads_on(sibling):
            break
        _drop(sibling)
        if kind == "author":
            break
    _drop(heading)


def _reads_on(element: HtmlElement) -> bool:
    line = html.plain("".join(element.itertext()))
    linked = sum(_size(link) for link in element.iter("a"))
    return is_paragraph(line) and linked * 2 < len(line)


def _drop(element: HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()


def _size(element: HtmlElement) -> int:
    return sum(len(part.strip()) for part in element.itertext() if isinstance(part, str))

"""The text of an article: what its author wrote, without the page around it.

The feed's own content first; a description when there is no more; the title when there is nothing. A fragment
that carries a whole page's furniture is read as a page is. Pure; used by workers only (trafilatura is heavy).
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass

from lxml import etree
from lxml.html import HtmlElement

from digest import html
from digest.model import Entry
from digest.summarizer.boilerplate import (
    bare,
    is_cut_off,
    opens_tail,
    without_cut_mark,
    without_furniture,
)
from digest.summarizer.charset import decoded
from digest.summarizer.terms import count_words

ENOUGH = 80  # words of content that need nothing else
LEAST = 40  # below this the publisher's description may say more
_MANY_BLOCKS = 3_000  # trafilatura's second opinions take time that grows with the square of them
MAX_TEXT = 400_000  # characters that we read on with

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
_PAGE_MARK = re.compile(
    r"<(?:html|body|main|nav|footer|form)\b|(?:class|id)\s*=\s*[\"'][^\"'>]*\b(?:comment-form|respond|related|share|"
    r"sharedaddy|sidebar|site-header|site-footer|cookie|newsletter)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What was found: the text, one paragraph a line, and where it came from."""

    text: str
    source: str


def extract(entry: Entry) -> Body:
    """The text of an entry from what the feed said. Never raises, never returns markup."""
    title = html.plain(entry.title)
    content = fragment_text(entry.html, title) if entry.html else ""
    words = count_words(content)
    if words >= ENOUGH or (words >= LEAST and not is_cut_off(content)):
        return Body(text=finished(content), source="content")
    description = fragment_text(entry.description, title) if entry.description else ""
    if words and words >= count_words(description):
        return Body(text=finished(content), source="content")
    if description:
        return Body(text=finished(description), source="description")
    return Body(text=title, source="title")


def fragment_text(markup: str, title: str = "") -> str:
    """The text of a feed's content or description."""
    tree = html.parse(markup)
    if tree is None:
        return ""
    if _PAGE_MARK.search(markup[: html.MAX_MARKUP]) and (text := _page_text(tree, title, "")):
        return text
    _prune(tree)
    return _article_lines(html.text_of(tree), title, _links(tree))


def extract_page(page: bytes | str, url: str = "", content_type: str = "") -> str:
    """The article of a whole page, one paragraph a line; empty when the page has none.

    content_type: the header that came with the bytes.
    """
    tree = html.parse(page if isinstance(page, str) else decoded(page, content_type))
    return "" if tree is None else tree_text(tree, url)


def tree_text(tree: HtmlElement, url: str = "") -> str:
    """The same for a page that is parsed already. The tree is used up."""
    return _page_text(tree, page_title(tree), url)


def finished(text: str) -> str:
    """Without the mark of a cut, and without the half sentence that stood before it when there is a whole "
    "one."""
    text = text[:MAX_TEXT]
    if not is_cut_off(text):
        return text
    text = without_cut_mark(text)
    end = max(
        (text.rfind(mark) for mark in (". ", "! ", "? ", ".\n", "!\n", "?\n", "。", "؟ ", "।")), default=-1
    )
    if text[-1:] in ".!?。؟।" or end < 40:
        return text
    return text[: end + 1]


# ---------------------------------------------------------------- pages


def _page_text(tree: HtmlElement, title: str, url: str) -> str:
    links = _links(tree)
    whole = deepcopy(tree)
    _prune(tree)
    prose = _prose(tree)
    text = _read(deepcopy(tree), url, precise=True)
    if len(text) < max(1000, 0.6 * prose):
        generous = _read(tree, url, precise=False)
        text = generous if len(text) < 0.5 * len(generous) else text
    if len(text) < 250:  # pruning took too much
        text = max(text, _read(whole, url, precise=True), key=len)
    return _article_lines(text, title, links)


def _read(tree: HtmlElement, url: str, *, precise: bool) -> str:
    import trafilatura  # 0.3 s: only workers pay for it

    large = sum(1 for _ in tree.iter(*html.BLOCKS)) > _MANY_BLOCKS
    try:
        found = trafilatura.extract(
            tree, url=url or None, favor_precision=precise, include_comments=False, fast=large
        )
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
        etree.LxmlError,
    ):
        return ""  # what it stumbles over is told by its description
    return html.lines(found or "")


# ---------------------------------------------------------------- pruning


def _prune(tree: HtmlElement) -> None:
    """Take out what is around an article. Nothing that holds much of the page's prose or its headline goes,
    whatever it is called: some sites wrap everything in a form or call their main column `sidebar`."""
    etree.strip_elements(tree, *html.HIDDEN, with_tail=False)
    limit = max(300, _prose(tree) // 5)
    for element in list(tree.iter(etree.Element)):
        if element.tag in ("html", "body", "main", "h1") or element.getparent() is None:
            continue
        names = f"{element.get('class', '')} {element.get('id', '')}".split()
        comments = any(map(_COMMENT_NAME.fullmatch, names))
        if not comments and element.tag not in _JUNK_TAGS and not _is_junk(element, names):
            continue
        if (comments or _prose(element) <= limit) and next(element.iter("h1"), None) is None:
            _drop(element)
    for element in list(tree.iter("article")):
        outer = next(element.iterancestors("article"), None)
        if outer is not None and _prose(element) * 2 < _prose(outer) <= limit * 5:
            _drop(element)  # an article inside an article is a comment or a teaser (HTML 4.3.2)
    for element in list(tree.iter(*_HEADING)):
        if _opens_tail(element):
            _drop_from(element, limit)


def _is_junk(element: HtmlElement, names: list[str]) -> bool:
    if element.get("role", "") in _JUNK_ROLES or element.get("hidden") is not None:
        return True
    if "display:none" in element.get("style", "").replace(" ", ""):
        return True
    return element.tag not in ("p", "em", "strong", "article") and any(map(_JUNK_NAME.fullmatch, names))


def _opens_tail(element: HtmlElement) -> bool:
    if len(element) > 3 or element.getparent() is None:
        return False
    line = html.plain("".join(element.itertext()))
    return 0 < len(line) <= 60 and bool(opens_tail(line))


def _drop_from(heading: HtmlElement, limit: int) -> None:
    """A heading and what follows it in its box, until something long comes."""
    for sibling in list(heading.itersiblings()):
        if _prose(sibling) > limit or (sibling.tag == "p" and _size(sibling) > 200):
            break
        _drop(sibling)
    _drop(heading)


def _drop(element: HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()


def _size(element: HtmlElement) -> int:
    return sum(len(part.strip()) for part in element.itertext() if isinstance(part, str))


def _prose(element: HtmlElement) -> int:
    """How many characters stand in paragraphs of some length."""
    found = [_size(each) for each in element.iter("p")]
    if element.tag == "p":
        return sum(found[:1])
    return sum(size for size in found if size >= 80) or _size(element) // 3


# ---------------------------------------------------------------- lines


def _article_lines(text: str, title: str, links: frozenset[str]) -> str:
    """The lines of an article: its own headline, furniture, and lines that are only a link go."""
    headline = bare(title)
    found = text.split("\n")
    kept = [
        line
        for number, line in enumerate(found)
        if not (headline and number < 5 and bare(line) == headline) and bare(line) not in links
    ]
    return "\n".join(without_furniture(kept))


def _links(tree: HtmlElement) -> frozenset[str]:
    """The texts of links of three words and more that stand alone in their block: teasers."""
    found = set()
    for link in tree.iter("a"):
        if "#" in link.get("href", "#"):  # a table of contents names the article's own headings
            continue
        parent = link.getparent()
        if parent is None or (parent.tag != "li" and not _is_alone(link, parent)):
            continue
        line = bare(html.plain("".join(link.itertext())))
        if len(line.split()) >= 3:
            found.add(line)
    return frozenset(found)


def _is_alone(link: HtmlElement, parent: HtmlElement) -> bool:
    around = ((parent.text or "") + (link.tail or "")).strip(" \t\r\n-–—•»›:|")
    return len(parent) == 1 and not around


def page_title(tree: HtmlElement) -> str:
    """The headline that a page gives itself."""
    for element in tree.iter("h1"):
        if line := html.plain("".join(element.itertext())):
            return line
    for element in tree.iter("meta"):
        if element.get("property") == "og:title":
            return html.plain(element.get("content", ""))
    return ""

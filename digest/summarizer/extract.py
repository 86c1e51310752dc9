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
    is_paragraph,
    without_cut_mark,
    without_furniture,
)
from digest.summarizer.charset import decoded
from digest.summarizer.pruning import MAX_ELEMENTS, prose, prune, shorten
from digest.summarizer.terms import count_words
from digest.summarizer.walls import said_without_walls

ENOUGH = 80  # words of content that need nothing else
LEAST = 40  # below this the publisher's description may say more
_MANY_BLOCKS = 3_000  # trafilatura's second opinions take time that grows with the square of them
_HEAD = 12  # lines among which the headline is looked for
MAX_LINES = 3_000
MAX_TEXT = 400_000  # characters that we read on with

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
    content = said_without_walls(fragment_text(entry.html, title)) if entry.html else ""
    words = count_words(content)
    if words >= ENOUGH or (words >= LEAST and not is_cut_off(content)):
        return Body(text=finished(content), source="content")
    description = said_without_walls(fragment_text(entry.description, title)) if entry.description else ""
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
    prune(tree)
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
    shorten(tree, 4 * MAX_ELEMENTS)
    whole = deepcopy(tree)
    shorten(whole)
    prune(tree)
    size = prose(tree)
    text = _read(deepcopy(tree), url, precise=True)
    if len(text) < max(1000, 0.6 * size):
        longest = max(map(len, html.text_of(tree).split("\n")), default=0)
        generous = _read(tree, url, precise=False)
        if is_heap(generous, longest):
            generous = ""
        text = generous if len(text) < 0.5 * len(generous) else text
    if len(text) < 250:  # pruning took too much
        text = max(text, _read(whole, url, precise=True), key=len)
    return _article_lines(text, title, links)


def is_heap(text: str, longest: int) -> bool:
    """Is it trafilatura's last resort, everything that stands on the page in one line? longest: characters
    of the longest line there."""
    return "\n" not in text and longest < 0.5 * len(text)


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


# ---------------------------------------------------------------- lines


def _article_lines(text: str, title: str, links: frozenset[str]) -> str:
    """The lines of an article: its own headline, furniture, and lines that are only a link go."""
    headline = bare(title)
    found = text[: MAX_TEXT + 1].split("\n", MAX_LINES)[:MAX_LINES]
    at = next((n for n, line in enumerate(found[:_HEAD]) if headline and bare(line) == headline), -1)
    if at >= 0:
        above = [line for line in found[:at] if is_paragraph(line)]  # what else stands there is the way to it
        found = above + found[at + 1 :]
    kept = [line for line in found if bare(line) not in links]
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

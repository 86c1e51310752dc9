"""What the page of an entry adds to what its feed said: the whole text, a picture, a language. Pure.

A page is a stranger's answer: it may be a paywall's stub, a cookie wall, a login, an error or the front page
of the site. It is believed if it speaks of what the feed spoke of, and taken if it says plainly more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from digest import html
from digest.model import Entry, Fetched
from digest.summarizer.boilerplate import is_cut_off
from digest.summarizer.charset import decoded
from digest.summarizer.extract import Body, finished, page_title, tree_text
from digest.summarizer.images import usable
from digest.summarizer.language import detect
from digest.summarizer.terms import count_words, terms
from digest.summarizer.walls import without_walls

LEAST = 40  # words, for a page to be a text at all
PLENTY = 120  # words that a wall does not have
MORE = 1.3  # times what the feed said
_SAMPLE = 80  # words of the feed's own text that a page is compared with
_TELLING = 6  # different terms of it that are enough to compare with

_DETOUR = re.compile(
    r"(?:^|[/.])(?:log-?in|sign-?(?:in|up)|sso|oauth2?|authorize|consent|subscribe|subscriptions?|abo|paywall|captcha"
    r"|challenge|blocked|error|404|not-?found)(?:[/.?]|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a page adds. text: empty if the feed said as much. The rest: empty if it has none."""

    text: str
    title: str
    image: str
    language: str


def read_page(entry: Entry, said: Body, page: Fetched) -> Page | None:
    """What this page adds to what the feed said of the entry; None if it is about something else."""
    if _is_detour(entry.url, page.url):
        return None
    tree = html.parse(decoded(page.body or b"", page.content_type))
    if tree is None:
        return None
    title, facts = page_title(tree), _facts(tree)
    image = usable(facts.get("og:image") or facts.get("twitter:image") or "", page.url)
    language = (tree.get("lang") or facts.get("content-language") or facts.get("og:locale") or "").strip()
    text = without_walls(finished(tree_text(tree, page.url)))
    if not _is_same(entry, said, title, text):
        return None
    return Page(
        text=text if _says_more(entry, said, text) else "", title=title, image=image, language=language
    )


def _is_detour(asked: str, got: str) -> bool:
    """Whether we were sent to a login, or to the front page as so many sites do with what they have not."""
    try:
        before, after = urlsplit(asked), urlsplit(got)
    except ValueError:
        return True
    if (before.hostname, before.path.rstrip("/")) == (after.hostname, after.path.rstrip("/")):
        return False
    return not after.path.strip("/") or bool(_DETOUR.search(f"{after.hostname}{after.path}"))


def _facts(tree: HtmlElement) -> dict[str, str]:
    """What the page says of itself in `<meta>`; of several the first."""
    found: dict[str, str] = {}
    for meta in tree.iter("meta"):
        name = meta.get("property") or meta.get("name") or meta.get("http-equiv") or ""
        found.setdefault(name.lower(), meta.get("content") or "")
    return found


def _is_same(entry: Entry, said: Body, title: str, text: str) -> bool:
    """Whether the page speaks of what the feed spoke of. The same headline is a hint; walls have it, too."""
    own = "" if said.source == "title" else " ".join(said.text.split()[:_SAMPLE])[:2_000]
    headline = html.plain(entry.title)
    language = detect(f"{headline}\n{own}", entry.language)
    found, named = set(terms(text, language)), set(terms(headline, language))
    spoken = set(terms(own, language)) - named
    alike = bool(named) and _share(named, set(terms(title, language))) >= 0.7
    if len(spoken) >= _TELLING:
        return _share(spoken, found) >= (0.2 if alike else 0.3)
    if named:
        return _share(named, found) >= (0.3 if alike else 0.5)
    return count_words(text) >= PLENTY


def _share(some: set[str], found: set[str]) -> float:
    return len(some & found) / len(some)


def _says_more(entry: Entry, said: Body, text: str) -> bool:
    words = count_words(text)
    before = 0 if said.source == "title" else count_words(said.text)
    cut = is_cut_off(html.to_text(entry.html or entry.description))
    return words >= LEAST and words > before * (1 if cut else MORE)

"""The sentences of an article that a summary may use, each with its place in the text. Pure.

A quotation that goes over several sentences is one: half of what somebody said is never told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from digest.summarizer import scraps
from digest.summarizer.quotes import is_open, marks
from digest.summarizer.sentences import Span, spans
from digest.summarizer.terms import terms

UNMARKED = 6  # words from which a line without a full stop is a standfirst, not a heading
_MOST = 50  # sentences that are looked at; later ones are never chosen anyway
_LONGEST = 1_000  # characters of one
_JOINED = 3  # sentences that one quotation may go over
_JOINED_CHARS = 360
_UNCLOSED = 4  # sentences, after which a mark is one that nobody closes
_ENDS = ".!?。！？؟।…"
_NO_QUOTES = str.maketrans(
    "", "", "<>()《》（）"
)  # a stray one of these makes no sentence part of a quotation
CLOSERS = "\"'”’»›)]」』"
_BULLET = re.compile(r"(?:[-–—*•·▪●»>]|\d{1,2}[.)])\s+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A usable sentence; `place` counts usable ones.

    after: the place of the sentence just before it, if that is usable, else -1. opens: it opens a paragraph.
    """

    text: str
    start: int
    end: int
    place: int
    terms: tuple[str, ...]
    words: int
    leans: bool
    torn: bool
    after: int = -1
    opens: bool = False


def candidates(text: str, language: str, title: str = "") -> list[Candidate]:
    """The sentences that a summary may use."""
    found: list[Candidate] = []
    headline = set(terms(title, language))
    last = -1
    for span, torn in _whole(text, language):
        sentence = text[span.start : span.end]
        bullet = _BULLET.match(sentence)
        start = span.start + (bullet.end() if bullet else 0)
        sentence = text[start : span.end]
        before, last = last, -1
        if len(sentence) > _LONGEST or scraps.is_scrap(sentence):
            continue
        own = tuple(terms(sentence, language))
        if not own or _repeats(own, headline):
            continue
        last = len(found)
        size, leans = len(sentence.split()), scraps.leans(sentence, language)
        opens = not text[text.rfind("\n", 0, start) + 1 : span.start].strip()
        found.append(Candidate(sentence, start, span.end, last, own, size, leans, torn, before, opens))
        if len(found) == _MOST:
            break
    whole = [each for each in found if ends_well(each.text) or _real_words(each.text) >= UNMARKED]
    return whole or found[:1]  # a heading or a caption only when there is nothing else


def _whole(text: str, language: str) -> Iterator[tuple[Span, bool]]:
    """The sentences, and whether each is torn.

    A quotation that opens the text is one sentence where it can be; further down there are others to choose.
    """
    before = ""  # the marks of the paragraph so far
    waiting: list[tuple[Span, bool]] = []
    begun = False
    end = unclosed = 0
    for span in spans(text, language):
        if "\n" in text[end : span.start]:
            before, unclosed = "", 0
            yield from waiting
            waiting = []
        end = span.end
        own = marks(text[span.start : span.end])
        torn = is_open(own) or (unclosed <= _UNCLOSED and is_open(before))
        before += own.translate(_NO_QUOTES)
        if unclosed <= _UNCLOSED:
            unclosed = unclosed + 1 if is_open(before) else 0
        if begun or (not torn and not waiting):
            begun = True
            yield span, torn
            continue
        waiting.append((span, torn))
        start = waiting[0][0].start
        if not is_open(marks(text[start : span.end])):
            yield Span(start, span.end), False
            waiting, begun = [], True
        elif len(waiting) == _JOINED or span.end - start > _JOINED_CHARS:
            yield from waiting
            waiting = []
    yield from waiting


def ends_well(sentence: str) -> bool:
    """Does it end as a sentence does?"""
    return sentence.rstrip(CLOSERS + " ")[-1:] in tuple(_ENDS)


def _real_words(sentence: str) -> int:
    return sum(len(word) > 1 and any(map(str.isalpha, word)) for word in sentence.split())


def _repeats(own: Sequence[str], headline: set[str]) -> bool:
    """Is it the headline once more?"""
    return bool(headline) and len(headline.intersection(own)) >= 0.75 * max(len(headline), len(set(own)))

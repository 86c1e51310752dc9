"""A summary in whole sentences of the article: two or three that say what it is about.

The publisher's own description when it is good; otherwise sentences chosen by place, title, weight of their
terms
and how much of the rest they stand for, without saying a thing twice. Each keeps its place in the text.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from digest.model import Sentence
from digest.summarizer import scraps
from digest.summarizer.boilerplate import is_cut_off
from digest.summarizer.sentences import split
from digest.summarizer.terms import terms

MAX_SENTENCES = 3
MAX_CHARS = 420
GOOD_DESCRIPTION = range(80, 401)

ENOUGH = 0.4  # of the first sentence's worth; what is worth less only fills the room
UNMARKED = 6  # words from which a line without a full stop is a standfirst, not a heading
_MOST = 80  # sentences that are looked at; later ones are never chosen anyway
_ENDS = ".!?。！？؟।…"
_CLOSERS = "\"'”’»›)]」』"

_BULLET = re.compile(r"(?:[-–—*•·▪●»>]|\d{1,2}[.)])\s+")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A usable sentence; `place` counts usable ones."""

    text: str
    start: int
    end: int
    place: int
    terms: tuple[str, ...]
    words: int
    leans: bool
    torn: bool


def summarize(
    text: str,
    *,
    title: str = "",
    language: str = "",
    description: str = "",
    max_sentences: int = MAX_SENTENCES,
    max_chars: int = MAX_CHARS,
) -> tuple[Sentence, ...]:
    """Whole sentences in the order of the text; none when there is none to be had."""
    if own := described(description, text, language, max_sentences, max_chars):
        return own
    found = candidates(text, language, title)
    chosen = choose(found, title, language, max_sentences, max_chars)
    if chosen:
        return tuple(Sentence(text=each.text, start=each.start, end=each.end) for each in chosen)
    return _shortest_way(text, max_chars)


def described(
    description: str, text: str, language: str, max_sentences: int, max_chars: int
) -> tuple[Sentence, ...]:
    """The publisher's own description as sentences, if it is a good one: of some length, finished, no
    teaser, and
    not simply the beginning of the text."""
    description = " ".join(description.split())
    if len(description) not in GOOD_DESCRIPTION or len(description) > max_chars or is_cut_off(description):
        return ()
    if not ends_well(description) or _squash(description)[:60] in _squash(text[:1_000]):
        return ()
    spans = split(description, language)
    found = [description[span.start : span.end] for span in spans]
    if len(found) > max_sentences or any(scraps.is_scrap(each) or not ends_well(each) for each in found):
        return ()
    return tuple(Sentence(text=each) for each in found)


def ends_well(sentence: str) -> bool:
    """Does it end as a sentence does?"""
    return sentence.rstrip(_CLOSERS + " ")[-1:] in tuple(_ENDS)


def candidates(text: str, language: str, title: str = "") -> list[Candidate]:
    """The sentences that a summary may use."""
    found: list[Candidate] = []
    headline = set(terms(title, language))
    for span in split(text, language):
        sentence = text[span.start : span.end]
        bullet = _BULLET.match(sentence)
        start = span.start + (bullet.end() if bullet else 0)
        sentence = text[start : span.end]
        if len(sentence) > 1000 or scraps.is_scrap(sentence):
            continue
        own = tuple(terms(sentence, language))
        if not own or _repeats(own, headline):
            continue
        size = len(sentence.split())
        torn = scraps.is_torn(sentence, text[text.rfind("\n", 0, start) + 1 : start][-2_000:])
        leans = scraps.leans(sentence)
        found.append(Candidate(sentence, start, span.end, len(found), own, size, leans, torn))
        if len(found) == _MOST:
            break
    whole = [each for each in found if ends_well(each.text) or _real_words(each.text) >= UNMARKED]
    return whole or found[:1]  # a heading or a caption only when there is nothing else


def _real_words(sentence: str) -> int:
    return sum(len(word) > 1 and any(map(str.isalpha, word)) for word in sentence.split())


def _repeats(own: Sequence[str], headline: set[str]) -> bool:
    """Is it the headline once more?"""
    return bool(headline) and len(headline.intersection(own)) >= 0.75 * max(len(headline), len(set(own)))


def choose(
    found: Sequence[Candidate], title: str, language: str, max_sentences: int, max_chars: int
) -> list[Candidate]:
    """The best sentences; the first of them should not lean on one that is not there, if others can be "
    "had."""
    found = list(found)
    while True:
        chosen = _most_relevant(found, title, language, max_sentences, max_chars)
        if not chosen or len(found) <= 3 or not (chosen[0].leans and chosen[0].place):
            return chosen
        found.remove(chosen[0])


def _most_relevant(
    found: Sequence[Candidate], title: str, language: str, max_sentences: int, max_chars: int
) -> list[Candidate]:
    """The sentences of most worth, each unlike the others (maximal marginal relevance)."""
    if not found:
        return []
    vectors = _vectors(found)
    alike: Floats = vectors @ vectors.T
    base = scores(found, vectors, alike, set(terms(title, language)))
    closest = np.zeros(len(found))
    chosen: list[int] = []
    room = max_chars
    while len(chosen) < max_sentences:
        best, value = -1, -math.inf
        for number, each in enumerate(found):
            if number in chosen or len(each.text) + bool(chosen) > room or closest[number] > 0.75:
                continue
            worth = float(base[number]) - 0.8 * float(closest[number])
            if each.leans and each.place and number - 1 not in chosen:
                worth -= 0.1
            if worth > value:
                best, value = number, worth
        if best < 0 or (chosen and value < ENOUGH * float(base[chosen[0]])):
            break
        room -= len(found[best].text) + bool(chosen)
        chosen.append(best)
        closest = np.maximum(closest, alike[best])
    return [found[number] for number in sorted(chosen)]


def scores(found: Sequence[Candidate], vectors: Floats, alike: Floats, title: set[str]) -> Floats:
    """The worth of each sentence by itself: one sum, its weights measured on six collections."""
    count = len(found)
    tf = Counter(term for each in found for term in each.terms)
    frequency = np.array(
        [sum(math.log1p(tf[term]) for term in each.terms) / len(each.terms) for each in found]
    )
    share = np.array([len(title.intersection(each.terms)) / len(title) if title else 0.0 for each in found])
    centroid = vectors @ vectors.sum(axis=0)
    degree = alike.sum(axis=1) - 1.0
    place = np.array([math.exp(-each.place / 10) for each in found])
    total: Floats = (
        place
        + 0.2 * _of_largest(centroid)
        + 0.8 * share
        + 0.2 * _of_largest(frequency)
        + 0.3 * _of_largest(degree)
        + 0.1 * _of_largest(_page_rank(alike, count))
    )
    for number, each in enumerate(found):
        total[number] -= _faults(each)
    return total


def _faults(each: Candidate) -> float:
    fault = 0.0
    if each.words < 10 or each.words > 45:
        fault += 0.1
    if each.words < 8:
        fault += 0.15
    if each.text.rstrip(_CLOSERS).endswith(("?", "？", "؟")):
        fault += 0.4
    if each.torn:
        fault += 0.8
    return fault


def _vectors(found: Sequence[Candidate]) -> Floats:
    df = Counter(term for each in found for term in set(each.terms))
    column = {term: number for number, term in enumerate(df)}
    vectors = np.zeros((len(found), len(column)))
    for row, each in enumerate(found):
        for term, count in Counter(each.terms).items():
            weight = math.log(1 + len(found) / df[term])
            vectors[row, column[term]] = (1 + math.log(count)) * weight
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    result: Floats = vectors / np.where(length == 0, 1, length)
    return result


def _page_rank(alike: Floats, count: int) -> Floats:
    links = alike.copy()
    np.fill_diagonal(links, 0.0)
    total = links.sum(axis=0)
    links = np.where(total > 0, links / np.where(total > 0, total, 1), 1.0 / count)
    rank = np.full(count, 1.0 / count)
    for _ in range(20):
        rank = 0.15 / count + 0.85 * (links @ rank)
    return rank


def _of_largest(values: Floats) -> Floats:
    largest = float(values.max()) if len(values) else 0.0
    return values / largest if largest > 0 else values


def _shortest_way(text: str, max_chars: int) -> tuple[Sentence, ...]:
    """A text without a sentence that fits: all of it when it is short, its first line when that is; else
    nothing,
    for half a sentence would be a lie."""
    for start, end in ((0, len(text)), (0, len(text.partition("\n")[0]))):
        piece = text[start:end].strip()
        if piece and len(piece) <= max_chars and any(map(str.isalpha, piece)):
            left = text.index(piece)
            return (Sentence(text=" ".join(piece.split()), start=left, end=left + len(piece)),)
    return ()


def _squash(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))

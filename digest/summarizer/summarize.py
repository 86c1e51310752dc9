"""A summary in whole sentences of the article: two or three that say what it is about.

The publisher's own description when it is good; otherwise sentences chosen by place, title, weight of their
terms and how much of the rest they stand for, without saying a thing twice. Each keeps its place in the text.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from digest.model import Sentence
from digest.summarizer.description import described
from digest.summarizer.scraps import asks
from digest.summarizer.terms import terms
from digest.summarizer.usable import Candidate, candidates

MAX_SENTENCES = 3
MAX_CHARS = 420

ENOUGH = 0.6  # of the first sentence's worth; what is worth less only fills the room
LEANS = 0.2  # off the worth of a sentence that needs the one before it, where that is not told
LIKE = 0.9  # off the worth for being like what is told already, times the cosine
ALIKE = 0.75  # cosine, from which a sentence says the same once more
FEW = 3  # usable sentences, of which one cannot be choosy

Floats = npt.NDArray[np.float64]


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
    found = [each for each in candidates(text, language, title) if not each.torn]
    chosen = choose(found, title, language, max_sentences, max_chars)
    if chosen:
        return tuple(
            Sentence(text=" ".join(each.text.split()), start=each.start, end=each.end) for each in chosen
        )
    return _shortest_way(text, max_chars)


def choose(
    found: Sequence[Candidate], title: str, language: str, max_sentences: int, max_chars: int
) -> list[Candidate]:
    """The sentences of most worth, each unlike the others (maximal marginal relevance).

    The first is no question and does not lean on what is not there, while others can be had; one further on
    that leans is told with the sentence before it where there is room.
    """
    if not found:
        return []
    alike = likeness(found)
    base = scores(found, alike, set(terms(title, language)))
    barred: set[int] = set()
    while True:
        chosen = _most_relevant(found, base, alike, barred, max_sentences, max_chars)
        first = chosen[:1]
        if len(found) - len(barred) <= FEW or not first:
            break
        if not (asks(found[first[0]].text) or _hangs(found[first[0]], [])):
            break
        barred.update(first)
    return [found[number] for number in _supported(found, chosen, max_sentences, max_chars)]


def _supported(
    found: Sequence[Candidate], chosen: Sequence[int], max_sentences: int, max_chars: int
) -> list[int]:
    """With the sentences that others lean on, as far as there is room."""
    result = list(chosen)
    place = {each.place: number for number, each in enumerate(found)}
    for number in chosen:
        before = place.get(found[number].after, -1)
        if (
            before < 0
            or len(result) == max_sentences
            or not _hangs(found[number], [found[n].place for n in result])
        ):
            continue
        size = sum(len(found[each].text) + 1 for each in (*result, before)) - 1
        if size <= max_chars and not found[before].leans and not asks(found[before].text):
            result.append(before)
    return sorted(result)


def _hangs(each: Candidate, places: Sequence[int]) -> bool:
    return each.leans and each.place > 0 and each.after not in places


def _most_relevant(
    found: Sequence[Candidate],
    base: Floats,
    alike: Floats,
    barred: set[int],
    max_sentences: int,
    max_chars: int,
) -> list[int]:
    size = np.array([len(each.text) for each in found])
    lean = np.array([LEANS if each.leans and each.place else 0.0 for each in found])
    free = np.array([number not in barred for number in range(len(found))])
    closest = np.zeros(len(found))
    chosen: list[int] = []
    room = max_chars
    while len(chosen) < max_sentences:
        fits = free & (size + bool(chosen) <= room) & (closest <= ALIKE)
        worth = np.where(fits, base - LIKE * closest - lean, -math.inf)
        best = int(worth.argmax())
        if not fits[best] or (chosen and worth[best] < ENOUGH * float(base[chosen[0]])):
            break
        room -= int(size[best]) + bool(chosen)
        chosen.append(best)
        free[best] = False
        if best + 1 < len(found) and found[best + 1].after == found[best].place:
            lean[best + 1] = 0.0
        closest = np.maximum(closest, alike[best])
    return sorted(chosen)


def scores(found: Sequence[Candidate], alike: Floats, title: set[str]) -> Floats:
    """The worth of each sentence by itself: one sum, its weights measured on five collections."""
    tf = Counter(term for each in found for term in each.terms)
    frequency = np.array(
        [sum(math.log1p(tf[term]) for term in each.terms) / len(each.terms) for each in found]
    )
    share = np.array([len(title.intersection(each.terms)) / len(title) if title else 0.0 for each in found])
    place = np.array([math.exp(-each.place / 10) for each in found])
    near = alike.sum(axis=1)  # how much of the rest it stands for, and itself
    total: Floats = (
        place + share + 0.2 * _of_largest(frequency) + 0.2 * _of_largest(near) + 0.4 * _of_largest(near - 1.0)
    )
    for number, each in enumerate(found):
        total[number] -= _faults(each)
    return total


def _faults(each: Candidate) -> float:
    fault = 0.0
    if each.words < 10 or each.words > 45:
        fault += 0.1
    if each.words < 8:
        fault += 0.4
    if each.opens and each.place:  # what matters most stands in the first paragraph
        fault += 0.12
    if asks(each.text):
        fault += 0.4
    return fault


def likeness(found: Sequence[Candidate]) -> Floats:
    """The cosines between sentences. Terms of one sentence count in its length only, so it stays small."""
    counted = [Counter(each.terms) for each in found]
    df = Counter(term for each in counted for term in each)
    column = {term: number for number, term in enumerate(term for term, often in df.items() if often > 1)}
    vectors = np.zeros((len(found), len(column)))
    for row, each in enumerate(counted):
        weights = {
            term: (1 + math.log(count)) * math.log(1 + len(found) / df[term]) for term, count in each.items()
        }
        length = math.sqrt(sum(weight * weight for weight in weights.values()))
        for term, weight in weights.items():
            if term in column:
                vectors[row, column[term]] = weight / length
    alike: Floats = vectors @ vectors.T
    np.fill_diagonal(alike, 1.0)
    return alike


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

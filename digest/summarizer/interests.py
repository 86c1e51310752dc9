"""The words and phrases that an admin wants to read more of, looked for in an article.

Whole words, whatever their case, accents and endings; the words of a phrase stand near each other, in any
order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from digest.matching import fold
from digest.model import Article
from digest.summarizer.terms import words

MOST = 2.0  # what many interests are worth together
IN_TEXT = 0.5  # of what a word in the headline is worth
LOOKED_AT = 20_000  # characters of a text
BETWEEN = 3  # other words among those of a phrase
_CUT = 7  # as terms are


def interest(article: Article, interests: Sequence[str], weights: Mapping[str, float]) -> float:
    """The sum of the weights of what it holds, whole for the headline and half for the text, at most `MOST`
    or the weight of the heaviest. weights: of those that do not count 1."""
    if not interests:
        return 0.0
    title, text = fold(article.title), ""
    found: list[float] = []
    for each in interests:
        weight = weights.get(each, 1.0)
        phrase = _words_of(each)
        if holds(title, phrase):
            found.append(weight)
            continue
        text = text or fold("\n".join((article.text[:LOOKED_AT], *article.categories)))
        if holds(text, phrase):
            found.append(IN_TEXT * weight)
    return min(sum(found), max(MOST, *found)) if found else 0.0


def holds(text: str, phrase: Sequence[str]) -> bool:
    """Whether these words stand near each other in a folded text."""
    if not phrase or not all(_shortest(word) in text for word in phrase):
        return False
    standing = words(text)
    places = [[place for place, other in enumerate(standing) if _alike(word, other)] for word in phrase]
    if len(phrase) == 1 or not all(places):
        return all(places)
    return _near(places, len(phrase) + BETWEEN)


@lru_cache(maxsize=1024)
def _words_of(phrase: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words(fold(phrase))))


def _near(places: Sequence[Sequence[int]], width: int) -> bool:
    """Whether a stretch of that many words holds a place of each."""
    ordered = sorted((place, which) for which, found in enumerate(places) for place in found)
    last: dict[int, int] = {}
    for place, which in ordered:
        last[which] = place
        if len(last) == len(places) and place - min(last.values()) < width:
            return True
    return False


def _shortest(word: str) -> str:
    """What every word that is alike begins with."""
    return word[: max(1, len(word) - _grace(word))][:_CUT]


def _alike(word: str, other: str) -> bool:
    """The same word, perhaps with another ending: long ones by their first seven letters, short ones with a
    letter or two more."""
    if word[:_CUT] == other[:_CUT]:
        return True
    short, long = sorted((word, other), key=len)
    return len(long) - len(short) <= _grace(short) and long.startswith(short)


def _grace(word: str) -> int:
    return 0 if len(word) < 4 or not word.isalpha() else 1 if len(word) < 6 else 2

"""What is new in an article about something that was told before, and whether it is enough to tell.

News stands at the top: it is an update when its headline and its first two sentences say mostly what was not
told. What shares nearly nothing with that is about something else. Words, numbers and names are compared with
all that was told of the story, so that an update does not tell an earlier update again. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from digest.model import Article, Sentence
from digest.summarizer.names import unknown, words_of
from digest.summarizer.numerals import Number, claimed, held
from digest.summarizer.summarize import MAX_CHARS, MAX_SENTENCES, choose
from digest.summarizer.terms import stop_words, terms, whole_terms
from digest.summarizer.usable import Candidate, candidates

ABOUT = 4  # sentences that say what an article is about
TOP = 2  # … and of these those that say why it was written today
DEEP = 12  # sentences that are read for what is new
READ = 8_000  # characters of them
NEW = 0.5  # share of new words that makes a sentence news …
NEW_FACT = 0.3  # … and with a number or a name that was not told
FEW = 3  # new words below which nothing was said; a number or a name counts two
# Measured on pairs of articles about one event and on worlds of made news, where truth is known: this misses
# one update of a thousand, and lets through a quarter of what is told a second time by another paper. A new
# number in the headline is enough by itself when the beginning repeats it.
ENOUGH = 0.5  # share of what is new in the first two sentences, when that of the headline is
ENOUGH_ABOVE = 0.3  # … this; or
ENOUGH_BELOW = 0.85  # … under any headline
ENOUGH_BARE = 0.65  # … in a headline alone
ELSEWHERE = 0.9  # share of what is new in the headline (twice) and ABOUT it: from here on something else
SHARED = 0.2  # share of its names that must be known: two floods have the same words, but not the same names
_FACT = 2
_TOP = 300  # characters of a text's beginning
_WRITTEN_LARGE = """
monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
september october november december januar februar märz mai juni juli oktober dezember
"""
_DATES = frozenset(_WRITTEN_LARGE.split())
# German writes every noun with a capital, but seldom one without an article after these: `in Hollen`.
_BEFORE_NAMES = frozenset(("auf", "aus", "bei", "für", "gegen", "in", "nach", "über", "um", "von", "vor"))
_CAPITALS = 0.6  # share of a headline's words that begin with one, from which they say nothing
_MARKS = "\"'“”‘’«»„‚,.;:!?()[]…"
_POSSESSIVE = re.compile(r"['’]s?$")
_STEM = 5  # letters
_ENDING = 3
_COMPOUNDING = frozenset(("da", "de", "et", "fi", "hu", "is", "nb", "nl", "nn", "no", "sv"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """known: share of the headline and the top that was told, 0 to 1. shared: of their names; 0 for what is
    quite new. sentences: the best of those that say what is new, as they stand in the text. news: worth it.
    """

    known: float
    shared: float
    sentences: tuple[Sentence, ...]
    news: bool

    @property
    def related(self) -> bool:
        """Is it about the same thing?"""
        return self.shared >= SHARED


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was told, as it is looked up."""

    language: str
    stems: frozenset[str]
    numbers: frozenset[Number]
    words: frozenset[str]

    def new_terms(self, text: str) -> tuple[int, int]:
        """How many of its words were not told, and how many it has."""
        found = _stems(text, self.language)
        return len(found - self.stems), len(found)

    def new_facts(self, text: str, *, headline: bool = False) -> int:
        """Numbers and names that were not told: 0, 1 or 2. No names where every noun has a capital, as in a
        headline; and the first word of a sentence is none."""
        found = int(any(not self.numbers & means for _, means in claimed(text, self.language)))
        if headline or self.language == "de":
            return found
        first = words_of(text.partition(" ")[0], self.language)
        return found + bool(unknown(text, self.words | first | _DATES, self.language))


def known_from(texts: Sequence[str], language: str) -> Known:
    whole = "\n".join(texts)
    return Known(
        language=language,
        stems=_stems(whole, language),
        numbers=held(whole, language),
        words=words_of(whole, language),
    )


def _stems(text: str, language: str) -> frozenset[str]:
    """Words by their beginning: `repair`, `repaired`; where words are put together it must be most of the
    word: `Feuerwehr` is no `Feuerwerk`."""
    if language in _COMPOUNDING:
        return frozenset(word[: max(_STEM, len(word) - _ENDING)] for word in whole_terms(text, language))
    return frozenset(term[:_STEM] for term in terms(text, language))


def compare(article: Article, known: Known) -> Finding:
    """What this article adds to what was told."""
    usable = candidates(article.text[:READ], article.language, article.title)[:DEEP]
    headline = _new_of(article.title, known, headline=True)
    parts = [_new_of(each.text, known) for each in usable[:ABOUT]]
    share = _share([headline, headline, *parts])
    risen = numbers_above(article, known.numbers)
    fresh = [each for each in usable if _is_news(each, known) or _claims(each.text, risen, article.language)]
    shared = names_known(article, known, [each.text for each in usable[:ABOUT]])
    chosen = choose(fresh, article.title, article.language, MAX_SENTENCES, MAX_CHARS)
    return Finding(
        known=round(1 - share, 4),
        sentences=tuple(Sentence(text=each.text, start=each.start, end=each.end) for each in chosen),
        news=_is_enough(_share([headline]), _share(parts[:TOP]), fresh, bool(risen))
        if usable
        else share >= ENOUGH_BARE,
        shared=shared if share < ELSEWHERE else 0.0,
    )


def _is_enough(above: float, top: float, fresh: Sequence[Candidate], risen: bool) -> bool:
    if not any(each.place < ABOUT for each in fresh):
        return False
    return risen or top >= ENOUGH_BELOW or (top >= ENOUGH and above >= ENOUGH_ABOVE)


def numbers_above(article: Article, known: frozenset[Number]) -> frozenset[Number]:
    """The numbers of its headline that were not told, if its beginning has them, too: `Five dead`."""
    top = held(article.text[:_TOP], article.language)
    found = (means for _, means in claimed(article.title, article.language))
    return frozenset().union(*(means & top for means in found if not means & known))


def _claims(text: str, numbers: frozenset[Number], language: str) -> bool:
    return bool(numbers) and any(means & numbers for _, means in claimed(text, language))


def names_known(article: Article, known: Known, texts: Sequence[str]) -> float:
    """The share of the names in its headline and these texts that is known; 1 when there are no names."""
    texts = list(texts)
    headline = article.title.split()
    if sum(word[:1].isupper() for word in headline) <= _CAPITALS * len(headline):
        texts.append(article.title)
    names = {name for text in texts for name in names_in(text, article.language)}
    shared = sum(bool(words_of(name, article.language) & known.words) for name in names)
    return shared / len(names) if names else 1.0


def names_in(sentence: str, language: str) -> set[str]:
    """Words with a capital, but for the first one; in German only pairs, and what stands like a place."""
    found = set()
    tokens = sentence.split()
    for place, token in enumerate(tokens[1:], 1):
        name = _POSSESSIVE.sub("", token.strip(_MARKS))
        folded = name.lower()
        if len(name) < 2 or not name[0].isupper() or folded in _DATES:
            continue
        if language == "de" and not _stands_as_a_name(tokens, place):
            continue
        if folded not in stop_words(language):
            found.add(name)
    return found


def _stands_as_a_name(tokens: Sequence[str], place: int) -> bool:
    before, token, after = tokens[place - 1], tokens[place], " ".join(tokens[place + 1 : place + 2])
    paired = (place > 1 and before[:1].isupper() and before[-1:].isalpha()) or (
        token[-1:].isalpha() and after[:1].isupper()
    )
    return paired or before.lower() in _BEFORE_NAMES


def _new_of(text: str, known: Known, *, headline: bool = False) -> tuple[int, int]:
    """How much of it is new, and how much there is."""
    new, size = known.new_terms(text)
    facts = _FACT * known.new_facts(text, headline=headline)
    return new + facts, size + facts


def _share(parts: Sequence[tuple[int, int]]) -> float:
    every = sum(size for _, size in parts)
    return sum(new for new, _ in parts) / every if every else 0.0


def _is_news(each: Candidate, known: Known) -> bool:
    new, size = known.new_terms(each.text)
    facts = known.new_facts(each.text)
    return new + _FACT * facts >= FEW and new >= (NEW_FACT if facts else NEW) * size

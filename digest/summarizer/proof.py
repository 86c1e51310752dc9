"""Whether a summary that a language model wrote may stand in a letter: only if the article says it, too.

Some answers are refused as a whole. Of the others every sentence must stand for itself: be whole, have its
numbers, names and quotations from the article, and most of its words. What is left must be carried by a few
sentences of the article and be about what the article is about, and fit. Pure; for workers.

The shares were measured on summaries that people wrote in four languages: they let most of those pass that
keep to their article, and none that was written for another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from digest.summarizer import scraps
from digest.summarizer.language import UNKNOWN, detect
from digest.summarizer.llm import CHARACTERS, NOTHING, PROMPT, SENTENCES, Material, Proof, visible
from digest.summarizer.names import unknown, words_of
from digest.summarizer.numerals import Number, claimed, held
from digest.summarizer.quotes import is_torn
from digest.summarizer.refusals import unfit
from digest.summarizer.sentences import split
from digest.summarizer.summarize import summarize
from digest.summarizer.terms import terms
from digest.summarizer.usable import ends_well

SUPPORT = 0.6  # of a sentence's terms: what the article has
OVERLAP = 0.5  # of the answer's terms: what the three sentences of the article have that carry it best
ABOUT = 0.25  # of its terms, or of those of the headline, the first and the best sentences: what both have
FEWEST = 2  # terms of a sentence that says something
CARRYING = BEST = 3
BEST_CHARS = 1_500
ENOUGH_LETTERS = 80  # to tell a language by
STEM = 5  # letters of a term that count; endings differ where a sentence is put in other words
MOST_SENTENCES = 12  # that are looked at; who writes more did not read the task

_ABBREVIATED = re.compile(r"\b[A-ZÀ-Þ][a-zà-ÿ]{0,3}\.$")  # perhaps no end: `2 Mio. | Euro`
_PICTURE = re.compile("[\u2600-\u27bf\u2b50-\u2b55\U0001f000-\U0001faff]")
_QUOTED = re.compile(
    r"[\"“„”]([^\"“”„]{2,300})[\"“”]|«([^«»]{2,300})»|»([^«»]{2,300})«|「([^「」]{2,300})」|『([^『』]{2,300})』"
    r"|《([^《》]{2,300})》|(?<!\w)['‘](\w[^\"]{1,300}?)['’](?!\w)"
)
_CURRENCIES = {
    "$": ("$", "dollar", "usd", "dólar", "доллар", "美元", "ドル", "달러", "peso"),
    "€": ("€", "eur", "ευρ", "евро", "євро", "欧元", "ユーロ", "유로", "يورو"),
    "£": ("£", "pound", "gbp", "sterling", "pfund", "livre", "libra", "sterlin", "funt", "фунт", "英镑"),
    "¥": ("¥", "￥", "yen", "yuan", "rmb", "jpy", "cny", "円", "元"),
    "₹": ("₹", "rs", "rupee", "inr", "रुपय"),
}


def prove(answer: str, given: Material) -> Proof:
    """The sentences of the answer that the article bears out, in their order."""
    answer = visible(answer).strip()
    if not any(map(str.isalnum, answer)):
        return Proof(refused="it says nothing")
    if answer.strip(" .\"'“”*") == NOTHING:
        return Proof(refused="the model found nothing to summarize")
    sentences = _sentences(answer, given.language)
    if why := unfit(answer, sentences, PROMPT, given.whole):
        return Proof(refused=why)
    if _is_in_another_language(" ".join(sentences), given):
        return Proof(refused=f"it is not in the article's language ({given.language})")
    kept, dropped = _borne_out(sentences, _Source.of(given))
    kept, cut = _fitting(kept)
    if not kept:
        return Proof(refused=" and ".join(dict.fromkeys((*dropped, *cut))) or "it says nothing")
    if why := _beside_the_point(kept, given):
        return Proof(refused=why)
    return Proof(sentences=tuple(kept), dropped=(*dropped, *cut))


def _is_in_another_language(answer: str, given: Material) -> bool:
    """Told which language it should be, the model of languages believes that for long; hence it is not told
    where it knows the article's without."""
    if given.language == UNKNOWN:
        return False
    if detect(answer, given.language) != given.language:
        return True
    long = sum(map(str.isalpha, answer)) >= ENOUGH_LETTERS
    return long and detect(given.text) == given.language != detect(answer)


def _beside_the_point(sentences: list[str], given: Material) -> str:
    """Whether they tell something else than the article does, though in its words."""
    theirs = _stems(" ".join(sentences), given.language)
    spans = split(given.text, given.language)
    own = [_stems(given.text[span.start : span.end], given.language) for span in spans]
    carrying = set().union(*sorted(own, key=lambda each: len(each & theirs))[-CARRYING:])
    best = summarize(
        given.text, title=given.title, language=given.language, max_sentences=BEST, max_chars=BEST_CHARS
    )
    lead = given.text[spans[0].start : spans[0].end] if spans else ""
    point = _stems(" ".join((given.title, lead, *(each.text for each in best))), given.language)
    for ours, least in ((carrying, OVERLAP), (point, ABOUT)):
        if (share := _shared(theirs, ours)) < least:
            return f"it tells too little of what the article tells (overlap {share:.2f} of {least:g})"
    return ""


def _shared(one: set[str], other: set[str]) -> float:
    """What both have, of the smaller."""
    return len(one & other) / max(1, min(len(one), len(other)))


def _stems(text: str, language: str) -> set[str]:
    return {term[:STEM] for term in terms(text, language)}


def _sentences(answer: str, language: str) -> list[str]:
    """What may have been cut in the middle stays together: half a sentence must not be left."""
    found: list[str] = []
    for span in split(answer, language)[:MOST_SENTENCES]:
        sentence = " ".join(answer[span.start : span.end].split())
        if found and _ABBREVIATED.search(found[-1]):
            found[-1] += f" {sentence}"
        else:
            found.append(sentence)
    return found


# ---------------------------------------------------------------- sentence by sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """The article, as the claims of a sentence are looked up in it."""

    language: str
    text: str
    letters: str
    words: frozenset[str]
    numbers: frozenset[Number]
    stems: set[str]

    @classmethod
    def of(cls, given: Material) -> _Source:
        return cls(
            language=given.language,
            text=given.whole.lower(),
            letters=_letters(given.whole),
            words=words_of(given.whole, given.language),
            numbers=held(given.whole, given.language),
            stems=_stems(given.whole, given.language),
        )


def _borne_out(sentences: list[str], source: _Source) -> tuple[list[str], list[str]]:
    """Those that stand, and why the others do not."""
    kept: list[str] = []
    dropped: list[str] = []
    gap = True
    for sentence in sentences:
        why = _fault(sentence, source)
        if not why and gap and scraps.leans(sentence, source.language):
            why = "it leans on a sentence that is not there"
        if not why and sentence in kept:
            why = "it says the same twice"
        if why:
            dropped.append(why)
        else:
            kept.append(sentence)
        gap = bool(why)
    return kept, dropped


def _fault(sentence: str, source: _Source) -> str:
    """What is wrong with it; "" for nothing."""
    if not ends_well(sentence) or is_torn(sentence):
        return "a sentence is not whole"
    if scraps.is_scrap(sentence) or _PICTURE.search(sentence):
        return "a sentence is not one of a summary"
    for written, numbers in claimed(sentence, source.language):
        if not numbers <= source.numbers:
            return f"the number {written} is not in the article"
    for symbol, forms in _CURRENCIES.items():
        if symbol in sentence and not any(form in source.text for form in forms):
            return f"the currency {symbol} is not in the article"
    for found in _QUOTED.finditer(sentence):
        if _letters(next(filter(None, found.groups()))) not in source.letters:
            return "a quotation is not in the article"
    if name := unknown(sentence, source.words, source.language):
        return f"the name {name[:40]} is not in the article"
    own = _stems(sentence, source.language)
    if len(own) < FEWEST:
        return "a sentence says nothing by itself"
    if len(own & source.stems) < SUPPORT * len(own):
        return "most of a sentence is not in the article"
    return ""


def _letters(text: str) -> str:
    """What is said, whatever the marks around and between it."""
    return "".join(filter(str.isalnum, text.casefold()))


def _fitting(sentences: list[str]) -> tuple[list[str], list[str]]:
    """As many of the first as there is room for."""
    kept: list[str] = []
    for sentence in sentences:
        if len(kept) == SENTENCES or len(" ".join((*kept, sentence))) > CHARACTERS:
            return kept, ["there was no room for all of it"]
        kept.append(sentence)
    return kept, []

"""The names in a sentence, and whether a text has them: what a summary by somebody else must not invent.

A name is a word with a capital that is not the sentence's first; the first word counts when the text does not
know it at all. German writes all nouns with a capital: there a noun may also be put together of the text's
own words, or be an abstract one. Where a script has no capitals, Latin words are looked up. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from digest.summarizer.terms import stop_words

_CASELESS = frozenset("ar bn fa he hi ja ka ko ml mr my ne ta te th ur zh".split())  # noqa: SIM905 - read as words
_INFLECTED = frozenset("bg cs el et fi hr hu is lt lv pl ro ru sk sl sr tr uk".split())  # noqa: SIM905
_DOTTED = re.compile(r"\b(?:[^\W\d_]\.){2,}")
_L = "A-Za-zÀ-ɏ\u1e00-\u1eff"
_WORD = re.compile(  # Latin words stand apart from what is around them in Chinese: 北京的OpenAI公司
    rf"[{_L}\d]+(?:['’`][{_L}\d]+)*|[^\W_{_L}]+(?:['’`][^\W_{_L}]+)*"
)
_POSSESSIVE = re.compile(r"['’`]s?$|['’`]s$", re.IGNORECASE)
_ELISION = re.compile(r"^(?:[cdjlmnstCDJLMNST]|qu|Qu|dell|Dell|all|All|nell|Nell|un|Un)['’](?=\w)")
_LATIN = re.compile(rf"[{_L}]")
_MONTHS = """
jan january januar|feb february februar|mar march märz|apr april|jun june juni|jul july juli|aug august
sep sept september|oct okt october oktober|nov november|dec dez december dezember
"""
_MONTH = {
    name: line.split()[0] for line in _MONTHS.replace("\n", "|").split("|") if line for name in line.split()
}
_ABSTRACT = ("heit", "keit", "schaft", "ismus", "tät", "ierung", "ungen", "heiten", "keiten")
_SHORTEST_PART, _SHORTEST_COMPOUND = 3, 8  # `Baukosten`, but not `Neumann`


def words_of(text: str, language: str) -> frozenset[str]:
    """Every word of a text as `unknown` looks it up."""
    return frozenset(_folded(word, language) for word in _words(text))


def unknown(sentence: str, known: frozenset[str], language: str) -> str:
    """The first name in the sentence that is none of the known words; "" when there is none."""
    caseless = language in _CASELESS
    for place, word in enumerate(_words(sentence)):
        if caseless:
            if (
                len(word) > 1
                and _LATIN.search(word)
                and not _is_known(_folded(word, language), known, language)
            ):
                return word
        elif place == 0:
            if not _first_may_stand(word, known, language):
                return word
        elif _is_name(word, language) and not _is_known(_folded(word, language), known, language):
            return word
    return ""


def _words(text: str) -> Iterator[str]:
    text = _DOTTED.sub(lambda found: found[0].replace(".", "") + " ", text)
    for found in _WORD.findall(text):
        word = _ELISION.sub("", _POSSESSIVE.sub("", found))
        if not word[:1].isdigit():
            yield word


def _is_name(word: str, language: str) -> bool:
    """`Sie` and the `The` of a title are none; `NOW` may be one."""
    if len(word) == 1 or not any(map(str.isupper, word)):
        return False
    return not (word.istitle() and _folded(word, language) in _folded_stop_words(language))


def _first_may_stand(word: str, known: frozenset[str], language: str) -> bool:
    """A sentence begins with a capital whatever its first word is."""
    folded = _folded(word, language)
    return folded in _folded_stop_words(language) or _is_known(folded, known, language)


def _is_known(word: str, known: frozenset[str], language: str) -> bool:
    if word in known or f"{word}s" in known or (len(word) > 3 and word.removesuffix("s") in known):
        return True
    if word in _MONTH and any(_MONTH.get(other) == _MONTH[word] for other in known):
        return True
    if language in _INFLECTED:
        return any(_same_stem(word, other) for other in known)
    return language == "de" and _is_german_noun(word, known)


def _same_stem(word: str, other: str) -> bool:
    """Two forms of one word, by their beginning: `Warszawa`, `Warszawie`."""
    shorter, longer = sorted((word, other), key=len)
    if len(shorter) < 4 or len(longer) - len(shorter) > 4:
        return False
    common = next((n for n, letter in enumerate(shorter) if letter != longer[n]), len(shorter))
    # `Мария` is not `Марина`: another ending only after five letters
    return common == len(shorter) or (
        common >= 5 and len(shorter) - common <= 2 and len(longer) - common <= 4
    )


def _is_german_noun(word: str, known: frozenset[str]) -> bool:
    """A form of a word of the text, a compound of two of them, or an abstract noun: no name ends so."""
    if len(word) > 7 and word.endswith(_ABSTRACT):
        return True
    for end in ("en", "er", "es", "n", "e", "s"):
        if len(word) - len(end) > 3 and word.endswith(end) and word.removesuffix(end) in known:
            return True
    if len(word) > 3 and any(word + end in known for end in ("e", "n", "en", "er", "es", "s")):
        return True
    cuts = range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1)
    return len(word) >= _SHORTEST_COMPOUND and any(
        _part(word[:cut], known) and _part(word[cut:], known) for cut in cuts
    )


def _part(piece: str, known: frozenset[str]) -> bool:
    """Half of a compound: a word of the text, with or without what joins the halves."""
    joined = (piece, piece.removesuffix("s"), piece.removesuffix("n"), piece.removesuffix("en"))
    return any(len(each) >= _SHORTEST_PART and each in known for each in joined)


def _folded(word: str, language: str) -> str:
    """Without case and accents: São Paulo is Sao Paulo, but in Vietnamese another tone is another name."""
    word = word.casefold()
    if word.isascii() or language == "vi":
        return unicodedata.normalize("NFC", word)
    apart = unicodedata.normalize("NFKD", word)
    return "".join(each for each in apart if unicodedata.category(each) != "Mn")


@lru_cache(maxsize=8)
def _folded_stop_words(language: str) -> frozenset[str]:
    return frozenset(_folded(word, language) for word in stop_words(language))

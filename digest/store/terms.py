"""The words that a search goes by: how a text is cut into them, and what somebody asks for.

    text → words, folded (case, accents, Arabic spellings, widths) → terms

Both databases are given finished words, so that they find the same. Chinese, Japanese, Thai, Lao, Khmer and
Burmese set no spaces: there every two neighbouring letters are a word, and what is asked for must stand
together. Nothing that a reader writes is a query language: whatever is no letter and no figure is a space.

Pure. When what it gives changes, raise `RULES`: the service then reads all stories again by itself.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

RULES = 1
LONGEST = 64  # letters of a word that count
LONGEST_QUERY = 300  # characters that are read; nobody types more
MOST_TERMS = 12
BEGINNING = 4  # letters; a word of so many finds longer ones that begin with it (bridge, bridges)

_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),
    (0x3041, 0x30FF),  # Hiragana, Katakana
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),  # Katakana of half width
    (0x20000, 0x323AF),
)
# Marks that may be left out when one writes; those of other scripts are letters in their own right.
_MARKS = (
    (0x0300, 0x036F),
    (0x0591, 0x05C7),
    (0x0610, 0x061A),
    (0x064B, 0x065F),
    (0x0670, 0x0670),
    (0x06D6, 0x06ED),
)
_SAME = str.maketrans({
    "ٱ": "ا", "ى": "ي", "ی": "ي", "ې": "ي", "ک": "ك", "ة": "ه", "ۀ": "ه", "ـ": None,
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Word:
    """A word as the index has it, and where it stands in the text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Term:
    """Words that must stand one behind the other; beginning: the last one may go on."""

    words: tuple[str, ...]
    beginning: bool


def words_of(text: str) -> list[Word]:
    """The words of a text, in their order."""
    return [word for start, end in _runs(text) for word in _cut(text, start, end, asked=False)]


def terms_of(query: str) -> tuple[Term, ...]:
    """What a story must have, all of it. Empty: nothing was asked for."""
    query = query[:LONGEST_QUERY]
    found: dict[Term, None] = {}
    for start, end in _runs(query):
        words = tuple(word.text for word in _cut(query, start, end, asked=True))
        if words:
            found[Term(words, len(words) == 1 and _begins(words[0], unspaced=_is_unspaced(query[start])))] = (
                None
            )
    return tuple(found)[:MOST_TERMS]


def _begins(word: str, *, unspaced: bool) -> bool:
    """Whether what is asked for may go on: one letter of a script without spaces, two Korean syllables (their
    particles follow without a space), or four letters."""
    if unspaced:
        return len(word) == 1 or (len(word) == 6 and word.isascii())  # the second is one letter in figures
    return len(word) >= (2 if "\uac00" <= word[0] <= "\ud7a3" else BEGINNING)


def _runs(text: str) -> Iterator[tuple[int, int]]:
    """Where letters and figures stand together, of scripts with spaces or of those without."""
    start, kind = 0, ""
    for place, character in enumerate(text):
        if character.isalnum() or unicodedata.category(character)[0] == "M":
            now = "unspaced" if _is_unspaced(character) else "spaced"
        else:
            now = ""
        if now != kind:
            if kind:
                yield start, place
            start, kind = place, now
    if kind:
        yield start, len(text)


def _cut(text: str, start: int, end: int, *, asked: bool) -> Iterator[Word]:
    if not _is_unspaced(text[start]):
        word = _indexed(_folded(text[start:end])[:LONGEST])
        if word:
            yield Word(word, start, end)
        return
    letters = [(place, _folded(text[place])) for place in range(start, end)]
    letters = [(place, letter) for place, letter in letters if letter]
    for number, (place, letter) in enumerate(letters):
        if number + 1 < len(letters):
            after, other = letters[number + 1]
            yield Word(_indexed(letter + other), place, after + 1)
        elif not asked or len(letters) == 1:
            # The last letter also stands alone, so that whoever asks for one letter finds it.
            yield Word(_indexed(letter), place, place + 1)


@lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    """As it is compared: without case, without accents, figures as 0 to 9."""
    parts = []
    for character in unicodedata.normalize("NFKD", text).casefold().translate(_SAME):
        code = ord(character)
        if any(first <= code <= last for first, last in _MARKS):
            continue
        figure = unicodedata.digit(character, None) if code > 127 else None
        parts.append(character if figure is None else str(figure))
    return "".join(
        each for each in unicodedata.normalize("NFKC", "".join(parts)) if each.isalnum() or _is_mark(each)
    )


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"


def _indexed(word: str) -> str:
    """SQLite knows the letters of an old Unicode: what may be newer is written as figures."""
    if not word or (word.isascii() or max(word) < "\u0870"):
        return word
    if max(word) <= "\uffff":
        return word
    return "".join(f"{ord(letter):06x}" for letter in word)


def _is_unspaced(character: str) -> bool:
    code = ord(character)
    return code >= 0x0E00 and any(first <= code <= last for first, last in _UNSPACED)

"""Where a text has what was asked for: pieces, marked or not, cut around the first place. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from digest.model import Piece
from digest.store.terms import Term, Word, words_of

BEFORE = 60  # characters of the text in front of the first mark


def marked(text: str, terms: Sequence[Term], limit: int = 0) -> tuple[Piece, ...]:
    """The text in pieces. limit: so many characters at most, around the first mark; 0: all of it."""
    spots = list(_spots(words_of(text), terms))
    start, end = 0, len(text)
    if limit and len(text) > limit:
        first = spots[0][0] if spots else 0
        start = _word_start(text, max(0, min(first - BEFORE, len(text) - limit)))
        end = _word_end(text, min(len(text), start + limit))
    pieces: list[Piece] = []
    place = start
    for left, right in spots:
        if left < place or right > end:
            continue
        if left > place:
            pieces.append(Piece(text=text[place:left]))
        pieces.append(Piece(text=text[left:right], marked=True))
        place = right
    if place < end:
        pieces.append(Piece(text=text[place:end]))
    if start > 0:
        pieces.insert(0, Piece(text="… "))
    if end < len(text):
        pieces.append(Piece(text=" …"))
    return tuple(pieces)


def _spots(words: Sequence[Word], terms: Sequence[Term]) -> Iterator[tuple[int, int]]:
    """From where to where each found term reaches, from left to right, none over another."""
    done = 0
    for number, word in enumerate(words):
        if word.start < done:
            continue
        ends = [words[number + len(term.words) - 1].end for term in terms if _stands(words, number, term)]
        if ends:
            done = max(ends)
            yield word.start, done


def _stands(words: Sequence[Word], number: int, term: Term) -> bool:
    here = words[number : number + len(term.words)]
    if len(here) < len(term.words):
        return False
    *others, last = zip(here, term.words, strict=True)
    if any(word.text != wanted for word, wanted in others):
        return False
    word, wanted = last
    return word.text.startswith(wanted) if term.beginning else word.text == wanted


def _word_start(text: str, place: int) -> int:
    """The next space, if one is near: no word is cut in two."""
    space = text.find(" ", place, place + 20) if place else -1
    return space + 1 if space >= 0 else place


def _word_end(text: str, place: int) -> int:
    space = text.rfind(" ", place - 20, place) if place < len(text) else -1
    return space if space >= 0 else place

"""Whether words that an admin lists stand in a text: whole words, whatever their case and accents.

In scripts without spaces between words it is enough that the characters stand there; a Korean word may go on,
as its particles do. Pure.
"""

from __future__ import annotations

import re
import unicodedata

# Accents, Hebrew points, Arabic vowel signs and the stretching line. The vowel signs of Indic scripts and the
# voicing marks of Japanese are no accents: without them it is another word.
_MARKS = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]"
)
# Letters that Unicode does not take apart, as people without them on their keyboard write them.
_PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "’": "'", "‐": "-", "‑": "-"}
)
_AROUND = "\"'“”„‘«»‹›()[]{}<>「」『』（）《》"
_ENDS = ",;:.!?…،؛؟、。，；：！？"
_DENSE = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_KOREAN = re.compile("[\uac00-\ud7a3]")


def fold(text: str) -> str:
    """The text without case and accents."""
    text = text.casefold()
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFKD", text))).translate(_PLAIN)


def pieces(words: str) -> tuple[str, ...]:
    """What has to stand in a text, folded: `C++` and `R&D` stay what they are. Empty if there is no word."""
    found = (each.lstrip(_AROUND).rstrip(_AROUND + _ENDS) for each in fold(words).split())
    return tuple(dict.fromkeys(each for each in found if any(map(_says, each))))


def stands(piece: str, text: str) -> bool:
    """Whether this piece is in that folded text as a whole word."""
    place = text.find(piece)
    while place >= 0:
        end = place + len(piece)
        if not _joined(text, place) and (not _joined(text, end) or _KOREAN.match(text[end - 1])):
            return True
        place = text.find(piece, place + 1)
    return False


def _says(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character)[0] == "S"


def _joined(text: str, place: int) -> bool:
    """Whether one word runs on from before this place to after it."""
    if not 0 < place < len(text):
        return False
    before, after = text[place - 1], text[place]
    return _of_word(before) and _of_word(after) and not (_DENSE.match(before) or _DENSE.match(after))


def _of_word(character: str) -> bool:
    return character.isalnum() or character == "_" or unicodedata.category(character)[0] == "M"

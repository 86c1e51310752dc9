"""The first line of a letter: what the day is about, in the newsletter's language.

Made of headlines only, so that nothing in it is made up.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from digest.summarizer.language import normalized
from digest.typeset import clamp

__all__ = ["clamp", "opening"]

# Two stories; three. The places are headlines.
_LINES = {
    "en": ("Today: {0}. Also: {1}.", "Today: {0}. Also: {1}; {2}."),
    "ar": ("اليوم: {0}. وأيضًا: {1}.", "اليوم: {0}. وأيضًا: {1}؛ {2}."),
    "cs": ("Dnes: {0}. Také: {1}.", "Dnes: {0}. Také: {1}; {2}."),
    "da": ("I dag: {0}. Desuden: {1}.", "I dag: {0}. Desuden: {1}; {2}."),
    "de": ("Heute: {0}. Außerdem: {1}.", "Heute: {0}. Außerdem: {1}; {2}."),
    "es": ("Hoy: {0}. Además: {1}.", "Hoy: {0}. Además: {1}; {2}."),
    "fa": ("امروز: {0}. همچنین: {1}.", "امروز: {0}. همچنین: {1}؛ {2}."),
    "fr": ("Aujourd’hui : {0}. Et aussi : {1}.", "Aujourd’hui : {0}. Et aussi : {1} ; {2}."),
    "he": ("היום: {0}. וגם: {1}.", "היום: {0}. וגם: {1}; {2}."),
    "it": ("Oggi: {0}. Inoltre: {1}.", "Oggi: {0}. Inoltre: {1}; {2}."),
    "ja": ("今日は「{0}」。ほかに「{1}」。", "今日は「{0}」。ほかに「{1}」「{2}」。"),
    "ko": ("오늘: {0}. 그 밖에: {1}.", "오늘: {0}. 그 밖에: {1}; {2}."),
    "nb": ("I dag: {0}. Dessuten: {1}.", "I dag: {0}. Dessuten: {1}; {2}."),
    "nl": ("Vandaag: {0}. Verder: {1}.", "Vandaag: {0}. Verder: {1}; {2}."),
    "pl": ("Dziś: {0}. Ponadto: {1}.", "Dziś: {0}. Ponadto: {1}; {2}."),
    "pt": ("Hoje: {0}. E também: {1}.", "Hoje: {0}. E também: {1}; {2}."),
    "ru": ("Сегодня: {0}. А также: {1}.", "Сегодня: {0}. А также: {1}; {2}."),
    "sv": ("I dag: {0}. Dessutom: {1}.", "I dag: {0}. Dessutom: {1}; {2}."),
    "tr": ("Bugün: {0}. Ayrıca: {1}.", "Bugün: {0}. Ayrıca: {1}; {2}."),
    "uk": ("Сьогодні: {0}. А також: {1}.", "Сьогодні: {0}. А також: {1}; {2}."),
    "vi": ("Hôm nay: {0}. Ngoài ra: {1}.", "Hôm nay: {0}. Ngoài ra: {1}; {2}."),
    "zh": ("今天：{0}。此外：{1}。", "今天：{0}。此外：{1}；{2}。"),
}
_LINES["no"] = _LINES["nb"]
MAX_HEADLINE = 90
TOLD = 3
_RTL = frozenset(("ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"))
_LRM, _RLM = "\u200e", "\u200f"
_CLOSING = "\"'”’»«“)]）」』›"
_SENTENCE_ENDS = ("!", "?", "؟", "…", "！", "？", "。", "।", ".")
_QUESTION = ("?", "؟", "？")
_LOOSE_ENDS = ".:;,،؛。、：； "


def opening(titles: Sequence[str], language: str) -> str:
    """One line from the first three headlines at most; empty for a single one, which is its own opening.

    A question tells nothing of the day: it gives its place to a headline that says something, if there is
    one.
    """
    spoken = normalized(language)
    found = [clamp(title, MAX_HEADLINE).rstrip(_LOOSE_ENDS) for title in titles]
    told = [title for title in found if title][:TOLD]
    told.sort(key=_asks)  # stable: otherwise the order stays
    if len(told) < 2:
        return ""
    parts: list[str] = []
    ends_itself = False
    for piece in re.split(r"(\{\d\})", _LINES.get(spoken, _LINES["en"])[len(told) - 2]):
        if piece.startswith("{"):
            title = told[int(piece[1])]
            ends_itself = title.rstrip(_CLOSING).endswith(_SENTENCE_ENDS)  # “Why now?”
            parts.append(_kept_apart(title, rtl=spoken in _RTL))
        elif ends_itself and piece[:1] in (".", ";", "؛", "。", "；"):
            parts.append(piece[1:])
        elif ends_itself and piece.startswith(" ;"):
            parts.append(piece[2:])
        else:
            parts.append(piece)
    return "".join(parts)


def _asks(title: str) -> bool:
    return title.rstrip(_CLOSING).endswith(_QUESTION)


def _kept_apart(title: str, *, rtl: bool) -> str:
    """A headline that runs against its line, between marks of its own direction: else its quotation marks and
    brackets wander to the other end."""
    first = next(
        (kind for each in title if (kind := unicodedata.bidirectional(each)) in ("L", "R", "AL")), ""
    )
    if not first or (first != "L") == rtl:
        return title
    mark = _LRM if first == "L" else _RLM
    return f"{mark}{title}{mark}"

"""The first line of a letter: what the day is about, in the newsletter's language.

Made of headlines only, so that nothing in it is made up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from digest.summarizer.language import normalized

# One story; two; three. The places are headlines.
_LINES = {
    "en": ("Today: {0}.", "Today: {0}. Also: {1}.", "Today: {0}. Also: {1}; {2}."),
    "de": ("Heute: {0}.", "Heute: {0}. Außerdem: {1}.", "Heute: {0}. Außerdem: {1}; {2}."),
    "fr": (
        "Aujourd’hui : {0}.",
        "Aujourd’hui : {0}. Et aussi : {1}.",
        "Aujourd’hui : {0}. Et aussi : {1} ; {2}.",
    ),
    "es": ("Hoy: {0}.", "Hoy: {0}. Además: {1}.", "Hoy: {0}. Además: {1}; {2}."),
    "it": ("Oggi: {0}.", "Oggi: {0}. Inoltre: {1}.", "Oggi: {0}. Inoltre: {1}; {2}."),
    "pt": ("Hoje: {0}.", "Hoje: {0}. E também: {1}.", "Hoje: {0}. E também: {1}; {2}."),
    "nl": ("Vandaag: {0}.", "Vandaag: {0}. Verder: {1}.", "Vandaag: {0}. Verder: {1}; {2}."),
    "pl": ("Dziś: {0}.", "Dziś: {0}. Ponadto: {1}.", "Dziś: {0}. Ponadto: {1}; {2}."),
    "ar": ("اليوم: {0}.", "اليوم: {0}. وأيضًا: {1}.", "اليوم: {0}. وأيضًا: {1}؛ {2}."),
}
MAX_HEADLINE = 100
_ENDS = ("!", "?", "؟", "…", "！", "？", "。")


def opening(titles: Sequence[str], language: str) -> str:
    """One line from the first three headlines at most; empty when there is none."""
    found = [clamp(title.rstrip(".:;, "), MAX_HEADLINE) for title in titles[:3] if title.strip()]
    if not found:
        return ""
    line = _LINES.get(normalized(language), _LINES["en"])[len(found) - 1]
    parts = []
    for piece in re.split(r"(\{\d\}\.?)", line):
        if not piece.startswith("{"):
            parts.append(piece)
            continue
        title = found[int(piece[1])]
        ends_itself = title.endswith(_ENDS)  # “Why now?”
        parts.append(title + ("" if ends_itself else piece[3:]))
    return "".join(parts)


def clamp(text: str, length: int) -> str:
    """At most `length` characters, cut at the end of a word and marked with an ellipsis."""
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    at = max(cut.rfind(" "), cut.rfind("\u3000"))
    if text[length - 1] != " " and at > length // 2:
        cut = cut[:at]
    return cut.rstrip(" ,;:–—-(«“„") + "…"

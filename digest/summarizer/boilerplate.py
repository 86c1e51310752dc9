"""Is this line part of the article, or of the page around it?

Only whole lines are judged, never words inside a paragraph: an article about cookies keeps its sentences.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from digest.summarizer import furniture

_MAX_LINE = 300  # a longer line is a paragraph, whatever it begins with
_MAX_BEGINNING = 200
_MAX_ANYWHERE = 240
_MAX_HEADING = 60
_MAX_BELOW = 160  # below "Related posts" only longer lines are kept

_EDGES = re.compile(r"^[\s\-–—*•·»›>|#✉☰×+←→↑▲▼■●►▶\[\]_=~]+|[\s|»›>\-–—*•·…→↑▲▼\[\]_=~:]+$")
_MONTH = (
    r"(?:jan|feb|mar|mär|apr|may|mai|maj|jun|jul|aug|sep|oct|okt|nov|dec|dez|janv|févr|mars|avr|juin|juil|août|déc|"
    r"ene|abr|ago|dic|fev|set|out|gen|mag|giu|lug|ott|sty|lut|kwi|cze|lip|sie|wrz|paź|lis|gru)[^\W\d]*\.?"
)
_DATE = (
    rf"(?:\d{{1,2}}(?:st|nd|rd|th|\.)?\s(?:de\s)?{_MONTH},?(?:\sde)?\s\d{{4}}|{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?,?\s\d{{4}}"
    r"|\d{4}[-./年]\d{1,2}[-./月]\d{1,2}日?|\d{1,2}[-./]\d{1,2}[-./]\d{2,4})"
)
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # when: a date with little around it
        rf"[^.!?]{{0,40}}?\b{_DATE}[^.!?]{{0,35}}(?:\d{{1,2}}[:.h]\d{{2}}[^!?]{{0,20}})?",
        r"(?:at |um |à |kl\.? )?\d{1,2}[:.h]\d{2}\s?(?:am|pm|uhr|[ap]\.m\.|gmt|utc|est|cet|et)?",
        r"(?:updated|aktualisiert|mis à jour) (?:on |at |am |um |le |à )?.{0,15}\d{1,2}[:.h]\d{2}.{0,25}",
        r"\d+ (?:second|minute|hour|day|week|month|year|min|hr)s? (?:ago|read)",
        r"(?:vor|il y a|hace|há) \d+ \w+",
        r"\d+\s?min(?:ute[ns]?|uti|utos|s)?\.?(?: (?:read|lesezeit|de lect\w+|di lettura|czytania))?",
        # how many
        r"\(?\d[\d.,]*k?\)? ?(?:comments?|responses?|replies|shares?|views?|likes?|votes?|followers?"
        r"|kommentare?"
        r"|commentaires?|comentarios?|comentários?|commenti|komentarz[ye]?|reacties?|aufrufe|vues|visitas"
        r"|réactions?)?",
        r"\d+ thoughts? on .+|page \d+ (?:of|/) \d+|\d+\s?/\s?\d+|image \d+ of \d+",
    )
)
# who: "By Ann Example and Bo Example, Staff Writer"; the case of the letters decides, so no IGNORECASE
_BYLINE = re.compile(
    r"(?:By|BY|Von|VON|Par|PAR|Por|POR|Di|Door|Af|Av|Text|Story|Author|Autor|Written by|Posted by"
    r"|Published by"
    r"|Publié par|Veröffentlicht von|Escrito por|Redaktion)\s?:?\s"
    r"(?:(?:[A-ZÀ-ÞŁŚŻŹ][\w’'.-]*|de|da|di|del|van|von|der|la|le|and|und|et|y|e|i|for|&)(?:\s?[,|/]\s?|\s|$)){1,10}"
    r"(?:.{0,40}(?:\d{4}|\d{1,2}:\d{2}|@|Editor|Reporter|Writer|Correspondent|Redakteur)\b.{0,30})?"
)
_AGENCY = re.compile(
    r"\W*(?:©|\(c\))?\s?(?:Getty Images|Shutterstock|iStock|AP(?: Photo)?|Associated Press|Reuters|AFP|dpa"
    r"|PA|EPA"
    r"|PAP|Unsplash|Pixabay|imago|Alamy|Flickr|Wikimedia Commons)(?:\s?/.{0,50}|\s?via .{0,50})?\W*",
    re.IGNORECASE,
)
_CREDIT = re.compile(
    r"[(\[](?:photo|image|foto|picture|video|bild|credit|source|quelle|zdjęcie|imagen|file)s?\b.{0,120}[)\]]",
    re.IGNORECASE,
)

_CUT_OFF = re.compile(
    r"(?:\[\s?(?:…|\.{3}|&hellip;)\s?\]|\(\s?(?:…|\.{3})\s?\)|…|\.{3}"
    r"|\b(?:read (?:more|on|the rest|the full \w+)|continue reading|keep reading|weiterlesen|mehr lesen"
    r"|lire la suite|leer más|seguir leyendo|leia mais|continua a leggere|leggi tutto|czytaj (?:dalej|więcej)"
    r"|lees (?:meer|verder))|اقرأ المزيد|続きを読む|阅读全文)[\s.…»›>→\[\])]*$",
    re.IGNORECASE,
)


def _split(table: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """Whole lines, and beginnings."""
    found = furniture.phrases(table)
    return (
        frozenset(phrase for phrase in found if not phrase.endswith(" *")),
        tuple(sorted({phrase[:-2] for phrase in found if phrase.endswith(" *")})),
    )


_WORDS = frozenset(furniture.phrases(furniture.WORDS))
_BEGINNINGS = _split(furniture.BEGINNINGS)[1]
_ANYWHERE = furniture.phrases(furniture.ANYWHERE)
_COMMENTS, _COMMENT_BEGINNINGS = _split(furniture.COMMENTS)
_TEASERS, _TEASER_BEGINNINGS = _split(furniture.TEASERS)


def bare(line: str) -> str:
    """A line in lower case, without bullets, arrows and brackets around it, its apostrophes straight."""
    return _EDGES.sub("", line[: _MAX_LINE + 1].replace("’", "'").replace("\u00a0", " ")).casefold()


def is_furniture(line: str) -> bool:
    """Is this whole line part of the page, not of the article?"""
    if len(line) > _MAX_LINE:
        return False
    words = bare(line)
    if not words or words in _WORDS or words.rstrip("*.!?:()0123456789 ") in _WORDS:
        return True
    if len(words) <= _MAX_BEGINNING and _begins(words, _BEGINNINGS):
        return True
    if len(words) <= _MAX_ANYWHERE and any(phrase in words for phrase in _ANYWHERE):
        return True
    if len(words) > 160:
        return False
    if "©" in line:  # a caption and its credit
        return True
    stripped = line.strip()
    if stripped[0] not in "—–" and any(pattern.fullmatch(words) for pattern in _PATTERNS):
        return True  # `— Ann Example, 18 November 2019` is the end of a quotation
    return any(pattern.fullmatch(stripped) for pattern in (_BYLINE, _AGENCY, _CREDIT)) or _is_bar(words)


def opens_tail(line: str) -> str:
    """`comments` or `teasers` if this is a heading below which a page only has such; else empty."""
    if len(line) > _MAX_HEADING:
        return ""
    words = bare(line)
    if words in _COMMENTS or _begins(words, _COMMENT_BEGINNINGS):
        return "comments"
    return "teasers" if words in _TEASERS or _begins(words, _TEASER_BEGINNINGS) else ""


def is_cut_off(text: str) -> bool:
    """Does the text say itself that it goes on elsewhere?"""
    return bool(_CUT_OFF.search(text[-200:].rstrip()))


def without_cut_mark(text: str) -> str:
    """The text without a closing `[…]`, `Read more` or the like."""
    tail = _CUT_OFF.search(text, max(0, len(text) - 200))
    return text[: tail.start()].rstrip() if tail else text


def without_furniture(lines: Iterable[str]) -> list[str]:
    """The lines of an article. Below "Leave a comment" nothing short is kept; below "Related posts" teasers
    go
    until a real paragraph comes. Only in the later half: an article may have a section called "Comments"."""
    found = list(lines)
    whole, before = _size(found), 0
    kept: list[str] = []
    tail = ""
    for line in found:
        before += len(line)
        opened = opens_tail(line) if kept and before * 2 >= whole else ""
        if opened and tail != "comments":
            tail = opened
        elif tail == "teasers" and _is_paragraph(line):
            tail = ""
        if is_furniture(line) or opened or (tail and len(line) <= _MAX_BELOW):
            continue
        kept.append(line)
    return kept


def _is_paragraph(line: str) -> bool:
    return len(line) > 60 and line.rstrip("\"'”’»)")[-1:] in ".!?。！？؟।"


def _begins(words: str, beginnings: tuple[str, ...]) -> bool:
    """Does it begin with one of them, at the end of a word?"""
    if not words.startswith(beginnings):
        return False
    return any(
        words.startswith(each) and not (words[len(each) : len(each) + 1].isalnum() and each[-1].isalnum())
        for each in beginnings
    )


def _is_bar(words: str) -> bool:
    """A row of buttons: `Facebook Twitter Email`, `Share | Print`."""
    parts = [part for part in re.split(r"[\s|,/·•+&]+", words) if part]
    return 2 <= len(parts) <= 12 and all(part in _WORDS or part.isdigit() for part in parts)


def _size(lines: Sequence[str]) -> int:
    return sum(len(line) for line in lines)

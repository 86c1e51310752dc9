"""Is this line part of the article, or of the page around it?

Only whole lines are judged, never words inside a paragraph: an article about cookies keeps its sentences.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from digest.summarizer import furniture, headings
from digest.summarizer.address import appeals, attributed, introduces, tells

_MAX_LINE = 300  # a longer line is a paragraph, whatever it begins with
_MAX_BEGINNING = 200
_MAX_ANYWHERE = 240
_MAX_HEADING = 60
_MAX_BELOW = 160  # below "Related posts" only longer lines are kept

_EDGES = re.compile(r"^[\s\-–—*•·»›>|#✉☰×+←→↑▲▼■●►▶\[\]_=~]+|[\s|»›>\-–—*•·…→↑▲▼\[\]_=~:]+$")
_MONTH = (
    r"(?:jan|feb|mar|mär|apr|may|mai|maj|jun|jul|aug|sep|oct|okt|nov|dec|dez|janv|févr|mars|avr|juin|juil"
    r"|août|déc|"
    r"ene|abr|ago|dic|fev|set|out|gen|mag|giu|lug|ott|sty|lut|kwi|cze|lip|sie|wrz|paź|lis|gru|يناير"
    r"|فبراير|مارس|أبريل"
    r"|مايو|يونيو|يوليو|أغسطس|سبتمبر|أكتوبر|نوفمبر|ديسمبر)[^\W\d]*\.?"
)
_DATE = (
    rf"(?:\d{{1,2}}(?:st|nd|rd|th|\.)?\s(?:de\s)?{_MONTH},?(?:\sde)?\s\d{{4}}|{_MONTH}\s\d{{1,2}}(?:st|nd"
    rf"|rd|th)?,?\s\d{{4}}"
    r"|\d{4}[-./年]\d{1,2}[-./月]\d{1,2}日?|\d{1,2}[-./]\d{1,2}[-./]\d{2,4})"
)
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # when: a date with little around it
        rf"[^.!?]{{0,40}}?\b{_DATE}[^.!?]{{0,35}}(?:\d{{1,2}}[:.h]\d{{2}}[^!?]{{0,20}})?",
        r"(?:at |um |à |kl\.? )?\d{1,2}[:.h]\d{2}\s?(?:am|pm|uhr|[ap]\.m\.|gmt|utc|est|cet|et)?",
        r"(?:(?:last |zuletzt )?updated|(?:zuletzt )?aktualisiert|mis à jour) (?:on |at |am |um |le "
        r"|à )?.{0,15}\d{1,2}[:.h]\d{2}.{0,35}",
        r"\d+ (?:second|minute|hour|day|week|month|year|min|hr)s? (?:ago|read)",
        r"(?:vor|il y a|hace|há) \d+ \w+",
        r"\d+\s?(?:min(?:ute[ns]?|uti|utos|uten|s)?\.?|دقائق|دقيقة)"
        r"(?: (?:read|lesezeit|de lect\w+|de leitura|di lettura|czytania|leestijd|للقراءة|قراءة))?",
        # how many
        r"\(?\d[\d.,]*k?\)? ?(?:comments?|responses?|replies|shares?|views?|likes?|votes?|followers?"
        r"|kommentare?"
        r"|commentaires?|comentarios?|comentários?|commenti|komentarz[ye]?|reacties?|aufrufe|vues|visitas"
        r"|réactions?)?",
        r"(?:figure|fig\.?|abbildung|abb\.?|exhibit) ?\d+\s?[.:–-].*|copyright (?:©|\(c\)|\d{4}).*",
        r"\d+ (?:replies|responses|antworten|gedanken|réponses|respuestas|risposte|respostas|reacties"
        r"|odpowiedzi) "
        r"(?:to|zu|à|a|al|su|op|na)\b.{0,150}",
        r"(?:die )?(?:comments?|commenting|kommentar\w*|commentaires?|comentarios|comentários|commenti"
        r"|reacties|komentowanie"
        r"|komentarze|możliwość komentowania)\b.{0,40}\b(?:closed|disabled|geschlossen|deaktiviert|fermés"
        r"|désactivés|cerrados"
        r"|desactivados|fechados|chiusi|disabilitati|gesloten|wyłączon[aey])\b.{0,40}",
        r"read \d+ times|pic\.twitter\.com/\w+|la suite est réservée.{0,60}|لا توجد تعليقات|\d+ تعليق",
        r"you have \d+ (?:free )?articles? .{0,60}|il vous reste \d+ ?% .{0,120}",
        r"\d+ thoughts? on .+|page \d+ (?:of|/) \d+|\d+\s?/\s?\d+|image \d+ of \d+",
    )
)
# who: "By Ann Example and Bo Example, Staff Writer"; the case of the letters decides, so no IGNORECASE
_BYLINE = re.compile(
    r"(?:By|BY|Von|VON|Par|PAR|Por|POR|Di|Door|Af|Av|Text|Story|Author|Autor|Written by|Posted by"
    r"|Published by"
    r"|Publié par|Veröffentlicht von|Escrito por|Redaktion)\s?:?\s"
    r"(?:(?:[A-ZÀ-ÞŁŚŻŹ][\w’'.-]*|de|da|di|del|van|von|der|la|le|and|und|et|y|e|i|for|&)(?:\s?[,|/]\s?|\s"
    r"|$)){1,10}"
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


def _marked(table: str, mark: str) -> tuple[str, ...]:
    """The phrases with this mark behind them; with none, those without any."""
    found = furniture.phrases(table)
    if not mark:
        return tuple(sorted({phrase for phrase in found if phrase[-2:] not in (" *", " ~")}))
    return tuple(sorted({phrase[:-2] for phrase in found if phrase.endswith(f" {mark}")}))


_WORDS = frozenset(furniture.phrases(furniture.WORDS))
_BEGINNINGS, _LIKELY_BEGINNINGS = _marked(furniture.BEGINNINGS, "*"), _marked(furniture.BEGINNINGS, "~")
_ANYWHERE, _LIKELY_ANYWHERE = _marked(furniture.ANYWHERE, ""), _marked(furniture.ANYWHERE, "~")
_HEADINGS = {
    kind: (frozenset(_marked(table, "")), _marked(table, "*"))
    for kind, table in (
        ("comments", headings.COMMENTS),
        ("teasers", headings.TEASERS),
        ("author", headings.AUTHORS),
    )
}
_AFTER_COLON = re.compile(r":\s*\w{2}")
_COUNTED = re.compile(
    r"(?:\d+|one|no|ein|un|eine?n?|keine?|aucun|sin|nessun|geen|brak)? ?(?:comments?|responses|replies"
    r"|kommentare?"
    r"|commentaires?|comentarios?|comentários?|comment[oi]|komentarz[ey]?|reacties?|reactions|réactions"
    r"|تعليقات|تعليق)"
    r"(?: \(\d+\)| ?: ?\d+)?",
)


def bare(line: str) -> str:
    """A line in lower case, without bullets, arrows and brackets around it, its apostrophes straight."""
    return _EDGES.sub("", line[: _MAX_LINE + 1].replace("’", "'").replace("\u00a0", " ")).casefold()


def is_furniture(line: str) -> bool:
    """Is this whole line part of the page, not of the article?"""
    if appeals(line):
        return True
    if len(line) > _MAX_LINE:
        return False
    words = bare(line)
    if not words or words in _WORDS or words.rstrip("*.!?:()0123456789 ") in _WORDS:
        return True
    if _sounds_like_it(line, words):
        return True
    if len(words) > 160:
        return False
    if "©" in line:  # a caption and its credit
        return True
    stripped = line.strip()
    if stripped[0] not in "—–" and any(pattern.fullmatch(words) for pattern in _PATTERNS):
        return True  # `— Ann Example, 18 November 2019` is the end of a quotation
    return any(pattern.fullmatch(stripped) for pattern in (_BYLINE, _AGENCY, _CREDIT)) or _is_bar(words)


def _sounds_like_it(line: str, words: str) -> bool:
    """Does it begin with a phrase of furniture, or hold one, without telling something?"""
    sure = likely = False
    if len(words) <= _MAX_BEGINNING:
        sure, likely = _begins(words, _BEGINNINGS), _begins(words, _LIKELY_BEGINNINGS)
    if len(words) <= _MAX_ANYWHERE:
        sure = sure or any(phrase in words for phrase in _ANYWHERE)
        likely = likely or any(phrase in words for phrase in _LIKELY_ANYWHERE)
    return (sure and not attributed(line)) or (likely and not tells(line))


def opens_tail(line: str) -> str:
    """`comments`, `teasers` or `author` if this is a heading below which a page only has such; else empty."""
    words = bare(line)
    if len(line) > _MAX_HEADING or _AFTER_COLON.search(words):  # `Read also: …` is a line for itself
        return ""
    if line.endswith(".") and not line.endswith("..") and len(line.split()) > 4:
        return ""
    if _COUNTED.fullmatch(words):
        return "comments"
    for kind, (whole, beginnings) in _HEADINGS.items():
        if words in whole or _begins(words, beginnings):
            return kind
    return ""


def is_cut_off(text: str) -> bool:
    """Does the text say itself that it goes on elsewhere?"""
    return bool(_CUT_OFF.search(text[-200:].rstrip()))


def without_cut_mark(text: str) -> str:
    """The text without a closing `[…]`, `Read more` or the like."""
    tail = _CUT_OFF.search(text, max(0, len(text) - 200))
    return text[: tail.start()].rstrip() if tail else text


def without_furniture(lines: Iterable[str]) -> list[str]:
    """The lines of an article.

    Below "Leave a comment" nothing short is kept; below "Related posts" teasers go until a real paragraph
    comes; below "About the author" one line goes. Only in the later half: articles have such sections.
    """
    found = list(lines)
    whole, before = _size(found), 0
    kept: list[str] = []
    tail = ""
    for line in found:
        before += len(line)
        opened = opens_tail(line) if kept and before * 2 >= whole else ""
        if opened and tail != "comments":
            tail = opened
        elif tail == "teasers" and is_paragraph(line):
            tail = ""
        if tail == "author" and not opened:
            tail = ""
            continue
        if is_furniture(line) or opened or (tail and len(line) <= _MAX_BELOW):
            continue
        kept.append(line)
    while len(kept) > 3 and introduces(kept[-1]):
        kept.pop()
    return kept


def is_paragraph(line: str) -> bool:
    """Is it a whole sentence of some length, not a heading or a teaser?"""
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

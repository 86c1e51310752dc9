"""Where sentences begin and end, in any script, with their exact place in the text.

simplemma's rules for alphabets with capitals, a rule of our own for the full stops of Chinese, Japanese and
Hindi, and repairs for what texts on the web do: no space after a full stop, a year or a result at the end,
everything in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_CLOSERS = "\"'”’»›)\\]】」』》）〉"
_EASTERN_END = re.compile(f"(?:[。！？!?｡।॥]+|…{{2}})[{_CLOSERS}]*(?!\\s*[，、,])")
_EASTERN = frozenset(("zh", "ja", "hi", "mr", "ne", "bn", "my", "km"))
_DENSE = re.compile("[\u3040-\u30ff\u3400-\u9fff।]")

# `… in Yale (USA).Nach Angaben …`: a full stop between a word and a capital, with no space
_GLUED = re.compile(r"(?<=[^\W\d_]{3}|[^\W\d_]{2}[)\"”»])([.!?][\"”»]?)(?=[A-ZÀ-ÞА-ЯŁŚŻŹ«“\"][^\W\d_A-Z])")
# `It was set for July 13. The wedding …` in languages that write ordinals without a full stop
_AFTER_NUMBER = re.compile(r"(?<=\d)\.[\"”»)]?\s+(?=[\"“«(]?[A-ZÀ-Þ])")
_ORDINALS = "cs da de et fi fo hr hu is lb lt lv nb nn no pl sk sl sr sv tr"  # write `13.` for `13th`
_ORDINALS_WITH_STOP = frozenset(_ORDINALS.split())
_IN_A_LIST = re.compile(r"(?:(?:^|[.;:!?]\s)\(?|\b[Nn]o\.? |\bart\. )\d+$")
# `ended in peace . The …`, `. . .`, `***`
_SPACED = re.compile(r"(?<=\s)[.!?](?:\s?[.!?])*\s+(?=[\"“«(]?[A-ZÀ-ÞА-Я])|(?<=\s)(?:\*\*\*|___)\s+")
_LOWER = re.compile(
    r"(?<=[^\W\d_]{2})[.!?][\"”»)]*\s+(?=[\"“«(]?[^\W\d_])|(?<=[\d)\"”»])[.!?]\s+(?=[^\W\d_])"
)
_ABBREVIATED = "approx col dr e.g etc fig gen gov i.e inc jr lt mr mrs ms no prof rep rev sen sr st u.s vs"
_SHORT = frozenset(_ABBREVIATED.split())
_KNOWN = frozenset(("cs", "de", "en", "fr", "nl", "pl", "pt", "el"))  # to simplemma
# No sentence ends with these: a name or a number follows.
_TITLES = """
Sr Sra Srta Dr Dra Prof Profa Sig Sig.ra Dott Dott.ssa Avv Ing Mr Mrs Ms MM Mme Mmes Mlle Mgr Ud Uds hl sv Gov
Sen Rep Gen Col Lt Sgt Capt Cpt Rev Hon Pres Supt Insp Mt Ft Av Avda Pza Ctra Dña Exc inż
mgr gen płk kpt hab sig sig.ra dott dott.ssa prof dr avv ing av św ul ks tzw dhr mevr mw
drs Dir Hr Fr Frl Dipl St Sta Sto
"""
_TITLE = re.compile(rf"\b(?:{'|'.join(map(re.escape, _TITLES.split()))})\.\s*$")
_BEFORE_NUMBER = re.compile(
    r"\b(?:no|nr|nos|art|num|núm|abs|vol|bd|fig|abb|pp|cap|poz|pkt|c)\.\s*$", re.IGNORECASE
)
_CLOSING = re.compile(r"\s*[»”’)\]]+(?:\s+|$|(?=[,;–—]))")
_TOO_LONG = 50_000  # characters of one paragraph; nobody reads on


@dataclass(frozen=True, slots=True)
class Span:
    """A sentence: text[start:end]."""

    start: int
    end: int


def split(text: str, language: str = "") -> list[Span]:
    """All sentences in order. A line break always ends one. Together they hold every visible character."""
    return list(spans(text, language))


def spans(text: str, language: str = "") -> Iterator[Span]:
    """The same one after the other, for who does not read to the end."""
    start = 0
    for line in text.split("\n"):
        yield from _line(text, start, start + len(line), language)
        start += len(line) + 1


def _line(text: str, start: int, end: int, language: str) -> Iterator[Span]:
    block = text[start:end]
    if not block.strip():
        return
    cuts = set(_eastern(block) if _is_eastern(block, language) else _western(block, language))
    begin = 0
    for cut in (*sorted(cuts), len(block)):
        piece = block[begin:cut]
        stripped = piece.strip()
        if stripped:
            left = begin + len(piece) - len(piece.lstrip())
            yield Span(start + left, start + left + len(stripped))
        begin = cut


def _is_eastern(block: str, language: str) -> bool:
    if language in _EASTERN:
        return True
    return len(_DENSE.findall(block[:400])) * 3 > len(block[:400])


def _eastern(block: str) -> Iterator[int]:
    for found in _EASTERN_END.finditer(block):
        yield found.end()


def _western(block: str, language: str) -> Iterator[int]:
    block = block[:_TOO_LONG]
    if _without_capitals(block):
        yield from _lower(block)
        return
    from simplemma import split_sentences

    place = 0
    for sentence in split_sentences(block, language if language in _KNOWN else None):
        place = block.find(sentence, place) + len(sentence)
        if (cut := _mended(block, place)) is not None:
            yield cut
    for pattern in (_GLUED, _SPACED):
        for found in pattern.finditer(block):
            if (cut := _mended(block, found.end())) is not None:
                yield cut
    if language not in _ORDINALS_WITH_STOP:
        for found in _AFTER_NUMBER.finditer(block):
            before = block[max(0, found.start() - 12) : found.start()]
            if found.start() > 4 and not _IN_A_LIST.search(before):
                yield found.end()


def _mended(block: str, cut: int) -> int | None:
    """The cut, moved behind a closing mark that would open the next sentence (`« Pourquoi ? »`).

    None where the sentence goes on after it, or where only a title ended (`El Sr. Ruiz`).
    """
    if _TITLE.search(block, max(0, cut - 12), cut):
        return None
    if block[cut : cut + 2].strip()[:1].isdigit() and _BEFORE_NUMBER.search(block, max(0, cut - 8), cut):
        return None
    closing = _CLOSING.match(block, cut)
    if closing is None:
        return cut
    after = block[closing.end() : closing.end() + 1]
    return None if after.islower() or after in (",", ";", "–", "—") else closing.end()


def _without_capitals(block: str) -> bool:
    """Lower-cased text: full stops are all there is to go by."""
    letters = sum(map(str.islower, block))
    return letters > 40 and sum(map(str.isupper, block)) * 200 < letters


def _lower(block: str) -> Iterator[int]:
    for found in _LOWER.finditer(block):
        word = block[max(0, found.start() - 8) : found.start()].rsplit(None, 1)[-1:]
        if not word or word[0].lower().strip("(\"'“") not in _SHORT:
            yield found.end()

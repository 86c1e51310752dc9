"""Is what a publisher writes about an article good enough to be its summary? Pure.

It is when it is finished, of some length, in the language of the article, and tells what happened: no teaser,
no beginning of the text, no words about the site or the author.
"""

from __future__ import annotations

import re

from digest.model import Sentence
from digest.summarizer import scraps
from digest.summarizer.address import appeals, introduces
from digest.summarizer.boilerplate import is_cut_off
from digest.summarizer.language import detect
from digest.summarizer.quotes import is_torn
from digest.summarizer.sentences import split
from digest.summarizer.usable import ends_well

GOOD_LENGTH = range(80, 401)
_SURE = 60  # letters, from which its language can be told

_TEASER = re.compile(
    r"\b(?:find out|here(?:['’]s| is| are) (?:what|why|how|everything|all|the|our|a look)"
    r"|what you need to know"
    r"|everything (?:you|we) (?:need|know)|you won['’]t believe|click|tap here|read (?:our|on|more"
    r"|the full)|learn (?:how|more|why)"
    r"|discover (?:how|why|what|the)|see (?:how|why|what|the (?:photos|pictures|full))|watch (?:the|as"
    r"|this|how)|check out"
    r"|take a look|this is (?:why|how|what)|we (?:explain|look at|take a|answer|asked|tested|reveal"
    r"|round up|rank|break down)"
    r"|in this (?:article|post|video|episode|guide|week['’]s|piece)|join us|subscribe|sign up"
    r"|don['’]t miss|listen (?:to|now)"
    r"|get the latest|latest news|breaking news|(?:news|photos|videos?), (?:and )?(?:news|photos|videos?"
    r"|comment|opinion)"
    r"|erfahren sie|erfahre|lesen sie|das müssen sie|was sie (?:über|jetzt|wissen)|wir (?:zeigen|erklären"
    r"|verraten|stellen)"
    r"|klicken|hier (?:lesen|finden|erfahren)|so (?:geht|funktioniert) (?:es|das)|in diesem (?:artikel"
    r"|beitrag|video)"
    r"|découvrez|cliquez|lisez|retrouvez|tout savoir|voici (?:ce|pourquoi|comment|les|tout)"
    r"|on vous (?:explique|dit)|nous vous"
    r"|descubre|conoce (?:cómo|por|los|las|todo)|haz clic|lee (?:más|aquí)|te (?:contamos|explicamos)"
    r"|aquí te|todo lo que"
    r"|scopri|ecco (?:cosa|come|perché|tutto|i|le)|leggi|clicca|tutto quello che|descubra|saiba|veja"
    r"|confira|clique|entenda"
    r"|tudo o que|ontdek|lees (?:hier|meer|verder)|klik|dit moet je|sprawdź|dowiedz się|zobacz|kliknij"
    r"|przeczytaj|oto (?:co|jak))\b"
    r"|اكتشف|تعرف على|اضغط|اقرأ",
    re.IGNORECASE,
)


def described(
    description: str, text: str, language: str, max_sentences: int, max_chars: int
) -> tuple[Sentence, ...]:
    """The publisher's own description as sentences, if it is a good one; else none."""
    description = " ".join(description.split())
    if len(description) not in GOOD_LENGTH or len(description) > max_chars or is_cut_off(description):
        return ()
    if not ends_well(description) or _squash(description)[:60] in _squash(text[:1_000]):
        return ()
    if is_torn(description) or scraps.leans(description, language) or scraps.asks(description):
        return ()
    if _TEASER.search(description) or introduces(description) or appeals(description):
        return ()
    if sum(map(str.isalpha, description)) >= _SURE and detect(description) != language:
        return ()
    found = [description[span.start : span.end] for span in split(description, language)]
    if len(found) > max_sentences or any(scraps.is_scrap(each) or not ends_well(each) for each in found):
        return ()
    return tuple(Sentence(text=each) for each in found)


def _squash(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))

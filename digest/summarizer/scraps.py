"""Sentences that tell nothing about an article: bylines, time stamps, credits, appeals, and sentences that
cannot stand alone because they lean on the one before."""

from __future__ import annotations

import re

from digest.summarizer.boilerplate import is_furniture

_LEAST_WORDS = 4
_LEAST_DENSE = 8
_DENSE = re.compile("[\u3040-\u30ff\u3400-\u9fff]")

_APPEAL = re.compile(
    r"\b(?:click here|(?:sign up|subscribe)(?: (?:now|here|today|free))?(?: (?:to|for) (?:our|my"
    r"|a free)\b|$|[!.])"
    r"|follow (?:us|me|him|her|them) on|read more|scroll down|(?:see|watch) (?:the )?(?:video|gallery)"
    r"|share this"
    r"|e-?mail us|let us know|leave a comment|all rights reserved|contributed to this (?:report|story)"
    r"|terms of use"
    r"|for confidential support|(?:we|site) uses? cookies|accept (?:all )?cookies|(?:image|photo"
    r"|picture) courtesy"
    r"|this (?:page|article|story) was (?:last )?(?:updated|published|posted)|abonnieren sie|klicken sie"
    r"|melden sie sich"
    r"|lesen sie (?:auch|hier|mehr)|abonnez-vous|cliquez ici|lire aussi|inscrivez-vous|suscríbete|haz clic"
    r"|lea también|inscreva-se|clique aqui|leia também|iscriviti|clicca qui|leggi anche|zapisz się|kliknij"
    r"|czytaj (?:też|także))",
    re.IGNORECASE,
)
_STAMP = re.compile(
    r"^(?:(?:article |artikel |this article was |zuletzt )?(?:published|updated|posted|last updated|created"
    r"|stand:"
    r"|publié|mis à jour|veröffentlicht|aktualisiert|publicado|actualizado|pubblicato|aggiornato"
    r"|opublikowano))\b"
    r"[^.!?]{0,25}\d",
    re.IGNORECASE,
)
_CREDIT = re.compile(
    r"^\W*(?:photo|photos|image|picture|foto|fotos|bild|crédits?|credit|imagen|fot|zdjęcie|ảnh|illustration)"
    r"\b\.?\s?[:/(©]|©",
    re.IGNORECASE,
)

# Openings that lean on the sentence before, by language. Only whole words at the start.
_OPENINGS = """
however|but|and|also|so|yet|still|then|therefore|thus|moreover|furthermore|meanwhile|instead|besides|nonetheless
nevertheless|otherwise|similarly|likewise|in addition|as a result|for example|for instance
on the other hand|such
that is why|this is why|he|she|it|they|his|her|their|its|this|that|these|those
aber|doch|jedoch|dennoch|trotzdem|deshalb|daher|deswegen|darum|dabei|dafür|dagegen|damit|danach|außerdem|zudem
und|auch|allerdings|so|hingegen|er|sie|es|ihr|ihre|sein|seine|dies|diese|dieser|dieses|diesem|diesen|das
mais|cependant|toutefois|pourtant|néanmoins|donc|ainsi|alors|ensuite|puis|en effet|par ailleurs|de plus
en outre
et|il|elle|ils|elles|ce|cela|celui-ci|celle-ci|ces|cette|cet
pero|sin embargo|no obstante|además|también|por eso|así|entonces|luego|y|él|ella|ellos|ellas|esto|eso
esta|este
estos|estas|mas|porém|contudo|no entanto|além disso|por isso|então|e|ele|ela|eles|elas|isso|isto|esse|essa
ma|però|tuttavia|inoltre|anche|quindi|così|poi|ed|egli|lui|lei|essi|questo|questa|quello
ale|jednak|jednakże|ponadto|również|dlatego|więc|zatem|i|on|ona|ono|oni|one|to|ten|ta|te
maar|echter|ook|daarom|daarnaast|en|hij|zij|ze|het|dit|dat|deze
но|однако|также|поэтому|и|он|она|оно|они|это|этот|эта|эти
لكن|ولكن|غير أن|إلا أن|كما|وهو|وهي|وقد|هو|هي|هم|هذا|هذه|ذلك|تلك
nhưng|tuy nhiên|tuy vậy|ngoài ra|vì vậy|do đó|và|ông|bà|anh|chị|họ|đó|nó|đây
"""
_LEANING = re.compile(
    r"^[\s\"'“”„«»‘’(\[–—-]*(?:"
    + "|".join(map(re.escape, _OPENINGS.strip().replace("\n", "|").split("|")))
    + r")(?=[\s,.:;،]|$)",
    re.IGNORECASE,
)
_PAIRS = (("«", "»"), ("(", ")"), ("「", "」"), ("『", "』"))
_LEANING_DENSE = re.compile(
    '^[「『“"]?(?:但是|但|不过|不過|然而|可是|因此|所以|此外|另外|而且|他|她|它|这|這|那|しかし|だが|また|そして|さらに|これ'
    "|それ|彼)"
)


def is_scrap(sentence: str) -> bool:
    """Is it nothing that a summary could hold?"""
    if _too_short(sentence):
        return True
    if not any(map(str.isalpha, sentence)):
        return True
    if is_furniture(sentence) or _STAMP.search(sentence) or _CREDIT.search(sentence):
        return True
    return len(sentence) < 200 and bool(_APPEAL.search(sentence))


def leans(sentence: str) -> bool:
    """Does it need the sentence before it to be understood? (`However, …`, `He said …`)"""
    return bool(_LEANING.match(sentence) or _LEANING_DENSE.match(sentence))


def is_torn(sentence: str, before: str = "") -> bool:
    """Does a quotation or a bracket begin or end in it whose other half is elsewhere?

    before: what stands before it in its paragraph; a sentence from the middle of a quotation is torn, too.
    """
    return _open(sentence) or _open(before)


def _open(text: str) -> bool:
    german = "„" in text or "‚" in text
    pairs = (("„", "“"), *_PAIRS) if german else (("“", "”"), *_PAIRS)
    if any(text.count(left) != text.count(right) for left, right in pairs):
        return True
    return text.count('"') % 2 == 1


def _too_short(sentence: str) -> bool:
    dense = len(_DENSE.findall(sentence))
    if dense:
        return dense + len(sentence.split()) < _LEAST_DENSE
    return len(sentence.split()) < _LEAST_WORDS

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

# Openings that lean on the sentence before. What is one in a language is none in another: `On`, `En`, `Il`.
_OPENINGS = {
    "en": """however|but|and|also|so|yet|still|then|therefore|thus|moreover|furthermore|meanwhile|instead
besides|nonetheless|nevertheless|otherwise|similarly|likewise|in addition|as a result|for example
for instance|on the other hand|such|that is why|this is why|he|she|it|they|his|her|their|its|this|that
that's|these|those|he's|she's|it's|they're|one of them|both of them|the latter|the former|neither
after that|since then|as such|hence|or""",
    "de": """aber|doch|jedoch|dennoch|trotzdem|deshalb|daher|deswegen|darum|dabei|dafür|dagegen|damit
danach|außerdem|zudem|und|auch|allerdings|so|hingegen|er|sie|es|ihr|ihre|ihren|ihrem|ihrer|sein|seine
seinen|seinem|seiner|dies|diese|dieser|dieses|diesem|diesen|das ist|das war|das sei|das sind|das hat
das habe|das heißt|das bedeutet|das gilt|das sagt|das sagte|das könnte|das wäre|das würde|das soll
das liegt|das geht|das zeigt|daraufhin|davon|daran|darauf|darüber|daraus|hierzu|dazu|darin|somit|demnach
oder|denn|solche|solch|letztere|ersterer|seitdem|anschließend""",
    "fr": """mais|cependant|toutefois|pourtant|néanmoins|donc|ainsi|alors|ensuite|puis|en effet
par ailleurs|de plus|en outre|et|il|elle|ils|elles|ce|c'est|c'était|cela|ça|celui-ci|celle-ci|ceux-ci|ces
cette|cet|son|sa|ses|leur|leurs|ou|or|aussi|celui|celle|ce dernier|cette dernière|de son côté|du coup
au contraire|en revanche|quant à lui""",
    "es": """pero|sin embargo|no obstante|además|también|por eso|por ello|así|entonces|luego|y|él|ella
ellos|ellas|esto|eso|esta|este|estos|estas|ese|esa|esos|esas|ello|asimismo|o|su|sus|aunque|por lo tanto
es decir|tampoco|aquello""",
    "pt": """mas|porém|contudo|no entanto|além disso|por isso|então|e|ele|ela|eles|elas|isso|isto|esse
essa|esses|essas|este|esta|estes|estas|também|seu|sua|seus|suas|assim|portanto|ou|já ele|já ela|aquilo
entretanto|todavia""",
    "it": """ma|però|tuttavia|inoltre|anche|quindi|così|poi|e|ed|egli|lui|lei|essi|esse|questo|questa
questi|queste|quello|quella|ciò|dunque|infatti|suo|sua|suoi|sue|loro|perciò|eppure|invece|o|oppure
pertanto""",
    "pl": """ale|jednak|jednakże|ponadto|również|dlatego|więc|zatem|i|on|ona|ono|oni|one|to|ten|ta|te|jego
jej|ich|natomiast|a|tym samym|poza tym|też|taki|taka|takie|lecz|lub|albo|mimo to|z kolei|dzięki temu
w związku z tym""",
    "nl": """maar|echter|ook|daarom|daarnaast|en|hij|zij|ze|dit|dat|deze|die|haar|zijn|hun|toch|dus
vervolgens|bovendien|daarbij|daarmee|daarop|daarvoor|hierdoor|daardoor|of|want|zo|wel|hiervoor|het is
het was|het gaat""",
    "ru": """но|однако|также|поэтому|и|он|она|оно|они|это|этот|эта|эти|его|её|ее|их|а|кроме того|при этом
тем не менее|затем|впрочем|или|зато|таким образом""",
    "ar": """لكن|ولكن|غير أن|إلا أن|كما|وهو|وهي|وقد|هو|هي|هم|هذا|هذه|ذلك|تلك|لذلك|وكان|وكانت|وأضاف|وأضافت
وقال|وقالت|وأوضح|وأشار|وأكد|ومن ثم|أما|وذلك""",
    "vi": """nhưng|tuy nhiên|tuy vậy|ngoài ra|vì vậy|do đó|và|họ|nó|đây|đó|điều này|điều đó|sau đó|theo đó
bên cạnh đó|còn""",
}
# Vietnamese calls people by such words, also before a name, where they lean on nothing.
_CALLED = re.compile(r"(?:ông|bà|anh|chị|cô|em)\s+(\w)", re.IGNORECASE)
_QUOTED = r"^[\s\"'“”„«»‘’(\[–—-]*"
_LEANING = {
    language: re.compile(
        _QUOTED + f"(?:{'|'.join(map(re.escape, table.replace(chr(10), '|').split('|')))})(?=[\\s,.:;،]|$)",
        re.IGNORECASE,
    )
    for language, table in _OPENINGS.items()
}
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


def leans(sentence: str, language: str) -> bool:
    """Does it need the sentence before it to be understood? (`However, …`, `He said …`)"""
    opening = sentence[:40].replace("’", "'")
    pattern = _LEANING.get(language)
    if pattern is None:
        return bool(_LEANING_DENSE.match(opening))
    if language == "vi" and (called := _CALLED.match(opening)):
        return called[1].islower()
    return bool(pattern.match(opening))


def asks(sentence: str) -> bool:
    """Does it end with a question?"""
    return sentence.rstrip(" \"'”’»›)]」』").endswith(("?", "？", "؟"))


def _too_short(sentence: str) -> bool:
    dense = len(_DENSE.findall(sentence))
    if dense:
        return dense + len(sentence.split()) < _LEAST_DENSE
    return len(sentence.split()) < _LEAST_WORDS

"""Whom a line speaks to: does it tell something of others, or does it want something of its reader?

`Sign up for the crew, the carpenter says, …` is a sentence of an article, `Sign up for our letters` is none.
"""

from __future__ import annotations

import re

_LEAST = 6  # words of a sentence that tells something
_MAX_APPEAL = 400

_SAID = r"""
says|said|tells|told|asks|asked|writes|wrote|replied|recalls|recalled|argues|argued|explained|shouted|added|warned
sagt|sagte|sagten|sagen|schreibt|schrieb|rief|riefen|fragte|erklärte|erzählt|erzählte|meint|meinte|betonte
dit|disait|disaient|écrit|expliquait|explique|raconte|racontait|demande|demandait|répond|assure|promis|affirme
dice|dicen|dijo|dijeron|decía|decían|según|escribió|explica|explicó|preguntó|afirmó|prometió
detto|diceva|dicevano|disse|scrive|scriveva|gridava|gridavano|spiega|spiegava|racconta|chiese
diz|dizia|diziam|disseram|escreveu|contou|explicou|afirmou|perguntou
zei|zeiden|zegt|zeggen|riep|riepen|schreef|vertelde|vroeg|volgens|beloofde
mówi|mówił|mówiła|mówili|powiedział|powiedziała|pisze|napisał|napisała|twierdzi|dodał|dodała|zapytał
сказал|сказала|говорит|заявил|заявила|пишет|قال|قالت|يقول|تقول|أضاف|أضافت|đã nói|cho biết
"""
_TOLD = re.compile(rf"\b(?:{'|'.join(_SAID.split())})\b", re.IGNORECASE)
_ATTRIBUTED = re.compile(
    rf"[,،!?]\s?[\"”’»“›]?,?\s(?:[\w’'.-]+\s){{0,3}}?(?:{'|'.join(_SAID.split())})\b", re.IGNORECASE
)
# Words for the reader, for the writer's own house, and for a place to press. German `Sie` opens many
# sentences about others; inside one the capital makes it the reader.
_READER = re.compile(
    r"\b(?:you|your|yours|dein\w*|dich|dir|euch|eure?\w?|vous|votre|vos|usted|tus?|você|tua|teu|tuo[i]?"
    r"|tue|je"
    r"|jouw|uw|jij|twoj\w+|twój|twą|cię|tobie)\b|(?<=\s)(?-i:Sie|Ihr|Ihre[mnrs]?|Ihnen|u)\b"
    r"|بريدك|لتصلك|معنا",
    re.IGNORECASE,
)
_HOUSE = re.compile(
    r"\b(?:we|us|our|my|wir|uns|unser\w*|nous|notre(?!-)|nos|nuestr[oa]s?|noi|nostr[oaie]|nosso?s?"
    r"|nossas?|ons|onze|wij|nas"
    r"|nam|nasz\w*|nami)\b|\bنا|نشرتنا|موقعنا|صفحتنا|قناتنا|عملنا|تساعدنا|ادعمنا|لنا\b",
    re.IGNORECASE,
)
_HERE = re.compile(
    r"\b(?:here|apps?|log in|account|newsletters?|newslettera|e-?mail|hier|ici|aquí|aqui|qui|tutaj|below"
    r"|website|webseite|homepage|online)\b|هنا"
    r"|https?://|www\.|\w@\w|@\w|\.(?:com|org|net|de|fr|es|it|pl|nl)\b|[→»›]\s*$",
    re.IGNORECASE,
)
_MAILBOX = re.compile(
    r"\b(?:your|ihr|ihren|dein|deinen|votre|tu|tuo|tua|su|sua|teu|seu|uw|je|jouw|twoj[aąe]|twój|swoj[ąe])"
    r" (?:\w+ )?(?:inbox|mailbox|postfach|boîte|bandeja|buzón|casella|caixa de entrada|skrzynk\w+)\b"
    r"|\bno seu e-?mail\b|بريدك",
    re.IGNORECASE,
)
_GIFT = re.compile(
    r"\b(?:donat\w+|chip in|spenden?|un don|dons|donación|donaciones|donar|donazion[ei]|doação|doações"
    r"|gift|doneer"
    r"|darowizn\w+|datk\w+|patreon|ko-fi)\b|تبرع",
    re.IGNORECASE,
)
_GIVE = re.compile(
    r"\b(?:please (?:consider )?donat\w+|consider (?:making )?a donation|consider donating|spenden sie"
    r"|jetzt spenden"
    r"|faites un don|haz una donación|haga una donación|fai una donazione|faça uma doação"
    r"|doe (?:dan )?een gift|doneer"
    r"|przekaż darowiznę|wpłać|buy me a coffee)\b|تبرع",
    re.IGNORECASE,
)
_CONTACT = re.compile(r"\b(?:can|may) be reached (?:at|by|on|via) .{0,25}?(?:\d{3}|@|http)")
# One of these stands in every line that the patterns of `appeals` find; looking for them first is quick.
_STEMS_OF_ALL = """
box postfach boîte bandeja buzón casella caixa mail skrzynk بريدك donat chip spend don doa gift doe darowi
datk patreon ko-fi تبرع wpłać coffee podcast spotify itunes stitcher deezer overcast rss بودكاست سبوتيفاي
reached brought sponsor presented supported präsentiert unterstützt présent patrocina presenta apresenta
offerto aangeboden mogelijk
"""
_STEMS = tuple(_STEMS_OF_ALL.split())
_PLAYERS = re.compile(
    r"\b(?:apple podcasts?|spotify|google podcasts?|itunes|stitcher|deezer|overcast|rss|podcasts?)\b"
    r"|بودكاست|سبوتيفاي",
    re.IGNORECASE,
)
_LISTEN = re.compile(
    r"^\W*(?:listen|subscribe|hear|hören|hör|höre|abonnier\w+|écoute[rz]?|abonnez|escúcha\w*|escucha"
    r"|suscríb\w+"
    r"|ascolta\w*|iscriviti|ouça|escute|assine|luister|beluister|abonneer|słuchaj|posłuchaj|subskrybuj"
    r"|استمع|استمعوا|اشترك|follow)\b",
    re.IGNORECASE,
)
_SPONSOR = re.compile(
    r"\b(?:episode|podcast|newsletter|show|issue|folge|ausgabe|épisode|émission|episodio|episódio|puntata"
    r"|aflevering"
    r"|odcin\w+) (?:is|was|wird|ist|est|es|é|wordt|jest) (?:\w+ )?(?:brought|sponsor\w*|presented"
    r"|supported|präsentiert"
    r"|unterstützt|présentée?|sponsorisée?|patrocinado|presentado|apresentado|offerto|aangeboden|mogelijk)\b",
    re.IGNORECASE,
)

_NAME = r"(?:[A-ZÀ-ÞŁŚŻŹ][\w’'.-]*\s+(?:(?:de|da|di|del|van|von|der|la|le)\s+)?){1,4}"
_TRADE = (
    r"(?:[\w’'-]+\s){0,6}?(?:writer|reporter|journalist|editor|correspondent|columnist|contributor|blogger"
    r"|redakteur(?:in)?|journalistin|autor(?:in)?|korrespondent(?:in)?|journaliste|rédact(?:eur|rice)"
    r"|periodista"
    r"|redactora?|giornalista|jornalista|repórter|redacteur|dziennikar(?:zem|ką)|redaktor(?:em|ką))\b"
)
_PAPER = (
    r"(?:[\w’'-]+,?\s){0,6}?(?:newspaper|news (?:site|website|outlet|agency|organi[sz]ation|service)"
    r"|newsroom|newsletter"
    r"|nonprofit|magazine|publication|blog|podcast|nachrichten\w*|onlinemagazin|zeitung|site d’information"
    r"|site d'information|periódico|diario digital|jornal|quotidiano|testata|nieuwssite|portal\w*)\b"
)
_BIO = re.compile(
    rf"{_NAME}(?:is|ist|est|es|è|é|jest)\s(?:an?\s|the\s|our\s|eine?\s|une?\s|una?\s|um\s"
    rf"|een\s)?{_TRADE}.{{0,220}}"
    rf"|{_NAME}(?:covers|has covered|writes|reports|schreibt|berichtet|couvre|escribe|cubre|scrive|cobre"
    rf"|escreve|schrijft"
    rf"|pisze)\b.{{0,40}}\b(?:for|from|since|für|seit|pour|depuis|para|desde|per|dal|voor|sinds|dla"
    rf"|od)\b.{{0,160}}"
    rf"|(?:The\s|Die\s|Der\s|Das\s)?{_NAME}(?:is|ist|est|es|è|é|jest)\s(?:an?|the|eine?|une?|una?|um|il|la"
    rf"|le|een)\s{_PAPER}"
    rf".{{0,220}}"
)


def introduces(line: str) -> bool:
    """Does it present a writer or a paper? (`Ann Example is a reporter based in …`) At the end of an article
    that is what stands below it."""
    return len(line) <= 320 and bool(_BIO.fullmatch(line.strip()))


def attributed(line: str) -> bool:
    """Are its first words somebody's? (`Leave a comment, she told the minister, and left.`)"""
    return ":" not in line[:40] and bool(_ATTRIBUTED.search(line)) and _is_sentence(line)


def tells(line: str) -> bool:
    """Is it a sentence about others, however it begins?"""
    if not _is_sentence(line):
        return False
    if attributed(line):
        return True
    return not any(pattern.search(line) for pattern in (_READER, _HOUSE, _HERE))


def appeals(line: str) -> bool:
    """Does it want something of the reader: an address, money, an hour of listening?"""
    if len(line) > _MAX_APPEAL:
        return False
    small = line.lower()
    if not any(stem in small for stem in _STEMS):
        return False
    if len(line) <= 240 and _MAILBOX.search(line):
        return not _TOLD.search(line)
    if _HOUSE.search(line) and (_GIVE.search(line) or (_GIFT.search(line) and _READER.search(line))):
        return not _TOLD.search(line) and not any(mark in line for mark in '“„«»"')
    if _LISTEN.match(line) and _PLAYERS.search(line):
        return not _TOLD.search(line)
    return bool(_SPONSOR.search(line) or _CONTACT.search(line))


def _is_sentence(line: str) -> bool:
    return line.rstrip(" \"'”’»“›)")[-1:] in ".。" and len(line.split()) >= _LEAST

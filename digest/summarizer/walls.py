"""What stands in the way of an article: subscriptions, consent, logins, checks for robots, pages of errors.

An article may well speak of such things; so what is short and speaks of little else is a wall. Pure.
"""

from __future__ import annotations

import re

from digest.summarizer.address import tells
from digest.summarizer.terms import count_words

_SHORT = 200  # words; no wall has more before it repeats itself
_BEGINNING = 240  # characters

# What stands in the way of an article.
_WALLS = """
subscribe now|subscribe today|subscribe to continue|subscribe to read|subscribe to keep|subscribe to unlock
subscribe to get|to continue reading|to keep reading|already a subscriber|already a member|log in to
login to|sign in to|sign up for|sign up to|create an account|create a free account|create your account
free account|unlimited access|unlimited digital access|cancel anytime|cancel any time|free trial
for subscribers|register for free|register now|register to|forgot your password|forgotten your password
our partners store|our partners use|we use cookies|use of cookies|accept all|reject all|manage cookies
cookie settings|privacy settings|privacy preferences|your consent|your choices|legitimate interest
enable javascript|enable cookies|javascript is|ad blocker|adblocker|are a human|are human|not a robot
checking your browser|ad-blocker|continue reading our|precise geolocation|you may click to consent
access denied|page not found|page you are looking for|page you were looking for|page does not exist
error 404|jetzt abonnieren|jetzt weiterlesen|jetzt registrieren|bereits abonnent|weiterlesen mit
monatlich kündbar|nur für abonnenten|anmelden|einloggen|seite nicht gefunden|seite wurde nicht gefunden
alle cookies|unsere partner|ihre einwilligung|déjà abonné|déjà inscrit|réservé aux abonnés|abonnez-vous
s'identifier|se connecter|page introuvable|page non trouvée|nos partenaires|votre consentement
ya soy suscriptor|ya eres suscriptor|suscríbete|iniciar sesión|página no encontrada|para suscriptores
nuestros socios|já é assinante|exclusivo para assinantes|assine já|nossos parceiros|sei già abbonato
abbonati|accedi|pagina non trovata|nostri partner|zaloguj|dla prenumeratorów|nie znaleziono strony
nasi partnerzy|seguir leyendo|exclusivo para suscriptores|inicia sesión|exclusivo para assinantes
continuar lendo|faça login|riservato agli abbonati|continuare a leggere|tylko dla prenumeratorów
voor abonnees|verder te lezen|word abonnee|exklusiv für|weiterzulesen|réservée aux abonnés|al abonnee
inloggen|pagina niet gevonden|onze partners|войти|подпишитесь|подписка|подписчиков|страница не найдена
"""
_WALLS_DENSE = "للمشتركين|سجل الدخول|登录|登入|订阅|訂閱|ログイン|有料会員|会員限定|로그인"
_WALL = re.compile(
    "|".join(rf"\b{re.escape(each)}\b" for each in _WALLS.strip().replace("\n", "|").split("|"))
    + f"|{_WALLS_DENSE}",
    re.IGNORECASE,
)
# What only a wall says. It stands at its beginning.
_SIGN = re.compile(
    r"checking (?:your browser|if the site connection)|^just a moment\b"
    r"|verify(?:ing)? (?:that )?you(?:'re| are) (?:a )?human"
    r"|complete the captcha|prove (?:that )?you(?:'re| are) (?:not a robot|human)"
    r"|unusual traffic from your|ddos protection by"
    r"|^access denied$|permission to access (?:this|the requested)|^(?:error )?40[34]\b.{0,20}$|^404\b"
    r"|^403 forbidden"
    r"|^(?:oops.{0,5} )?(?:that |this )?page (?:not found|does not exist|could not be found"
    r"|can['’]t be found)"
    r"|page you(?:'re| are| were) looking for|^seite (?:wurde )?nicht gefunden|gewünschte seite"
    r"|angeforderte seite"
    r"|^page (?:introuvable|non trouvée)|page que vous (?:cherchez|recherchez)|^página no encontrada"
    r"|página que buscas?"
    r"|^página não encontrada|página que você|^pagina non trovata|^pagina niet gevonden"
    r"|^nie znaleziono strony"
    r"|^strona nie została|الصفحة غير موجودة|الصفحة المطلوبة|unavailable to visitors from"
    r"|not available in your (?:region|country)"
    r"|using an? ad[ -]?blocker|disable your ad[ -]?blocker|if you are not redirected|redirecting you to"
    r"|before you continue to"
    r"|we value your privacy|partners (?:store|use) .{0,40}(?:information on|access)|enable javascript"
    r"|javascript is (?:disabled|required)"
    r"|enable cookies to continue|browser does not support javascript|aktivieren sie javascript"
    r"|activer javascript",
    re.IGNORECASE | re.MULTILINE,
)


def without_walls(text: str) -> str:
    """The text of a page without the lines that ask for money, consent or a password, where these make up
    much of it; nothing when all of it is a wall."""
    lines = text.split("\n")
    kept = [line for line in lines if len(_WALL.findall(line)) < (1 if len(line) <= 300 else 2)]
    left = "\n".join(kept) if sum(map(len, kept)) < 0.8 * len(text) else text
    return "" if is_wall(left) else left


def said_without_walls(text: str) -> str:
    """The same for what a feed says itself, where a line that tells something is believed."""
    if count_words(text) > _SHORT:
        return text
    if is_wall(text):
        return ""
    lines = text.split("\n")
    kept = [
        line for line in lines if (hits := len(_WALL.findall(line))) < 2 and not (hits and not tells(line))
    ]
    return "\n".join(kept) if sum(map(len, kept)) < 0.8 * len(text) else text


def is_wall(text: str) -> bool:
    """Is all of this something else than an article?"""
    return bool(_SIGN.search(text[:_BEGINNING])) and count_words(text) <= _SHORT

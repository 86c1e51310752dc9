"""What a list says of somebody's standing: that they read, rest, wait to confirm, or left. Pure.

Each program has columns and words of its own for it, and a file may have several: the worst of them counts.
A word that we do not know is no yes. A column that may mean something else (`state` is also where somebody
lives) is taken for a status only when all of its words are about subscriptions; the file is refused, with
the way to say which it is, when we cannot tell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from digest.model import SubscriptionStatus
from digest.roster.cells import plain

ACTIVE, PAUSED, PENDING, LEFT = (
    SubscriptionStatus.ACTIVE.value,
    SubscriptionStatus.PAUSED.value,
    SubscriptionStatus.PENDING.value,
    SubscriptionStatus.LEFT.value,
)
UNKNOWN = "unknown"
READING = (ACTIVE, PAUSED)
_RANK = {ACTIVE: 0, PAUSED: 1, PENDING: 2, UNKNOWN: 3, LEFT: 4}  # the worst of several columns counts

# ---------------------------------------------------------------- heads, as `head_of` writes them

STATUS = (
    "status", "subscribed", "subscribedtoemails", "subscriptionstatus", "subscriberstatus", "emailstatus",
    "memberstatus", "deliverystatus", "globalstatus", "liststatus", "subscribertype", "issubscribed",
    "active", "isactive", "enabled", "abonniert", "abonne", "suscrito",
)  # fmt: skip
MAYBE_STATUS = ("state", "type")
CONFIRMED = (  # a no means: not yet
    "confirmed", "isconfirmed", "emailconfirmed", "optin", "optedin", "hasoptedin", "emailoptin",
    "doubleoptin", "consent", "hasconsent", "consentgiven", "emailconsent", "marketingconsent", "gdprconsent",
    "acceptsmarketing", "acceptsemailmarketing", "bestatigt", "confirme", "confirmado", "einwilligung",
    "consentement", "consentimiento",
)  # fmt: skip
# In heads that we do not know: a no to the first counts, a yes or a date to the second, and nothing else.
_CONSENT = re.compile(r"opt(ed)?in|consent|accepts|permission")
_GOODBYE = re.compile(r"unsub|opt(ed)?out|donot(e?mail|contact)|abgemeldet|desabon|desins")
_DATE = re.compile(r"\s*'?\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?!\d)")
# A date or a yes means that they left (then). `Cancel date` and `active_subscription` are about paying.
AGAINST = (
    "leftat", "unsubscribedat", "unsubscribedon", "unsubscribedate", "unsubscribeddate", "unsubscribetime",
    "unsubtime", "unsubdate", "unsubreason", "dateunsubscribed", "unsubscribed", "isunsubscribed",
    "unsubscribedfromallemail", "optouttime", "optoutdate", "optedoutat", "optedout", "optout", "emailoptout",
    "hasoptedoutofemail", "donotemail", "emaildisabled", "cleantime", "cleanedat", "bouncedat", "bounced",
    "complainedat", "complained", "deletedat", "removedat", "suppressedat", "blockedat", "blacklisted",
    "blocklisted", "suppressed", "abgemeldet", "abgemeldetam", "abmeldedatum", "abmeldung", "abbestellt",
    "abbestelltam", "ausgetragen", "ausgetragenam", "desabonne", "desabonnele", "desinscrit", "desinscritle",
    "desinscription", "datededesinscription", "baja", "fechadebaja", "dadodebaja",
)  # fmt: skip
HEADS: Mapping[str, tuple[str, ...]] = {
    "status": (*STATUS, *MAYBE_STATUS, *CONFIRMED),
    "left_at": AGAINST,
}

# ---------------------------------------------------------------- words, as `word_of` writes them

_ABOUT_SUBSCRIPTIONS = {
    ACTIVE: {"active", "enabled", "confirmed", "subscribed", "subscriber", "regular", "optin", "optedin",
             "premium", "gifted", "trialed", "churning"},
    PAUSED: {"paused", "nomail", "byuser", "bymoderator"},
    PENDING: {"pending", "unconfirmed", "notconfirmed", "unactivated", "waiting", "validating", "unverified",
              "notverified", "nonsubscribed", "notsubscribed", "neversubscribed", "nonmember",
              "transactional", "unpaid"},
    LEFT: {"left", "unsubscribed", "unsubscribe", "unsub", "cancelled", "canceled", "removed", "deleted",
           "archived", "inactive", "disabled", "deactivated", "optout", "optedout", "blocklisted",
           "blacklisted", "blocked", "bounced", "bouncing", "hardbounce", "hardbounced", "softbounce",
           "softbounced", "bybounces", "undeliverable", "invalid", "held", "cleaned", "complained",
           "complaint", "spamcomplaint", "abuse", "suppressed", "spam", "spammy", "donotemail",
           "donotcontact"},
}  # fmt: skip
# What may be said of anything; in a column for the status we know what it means.
_OF_ANYTHING = {
    ACTIVE: {"", "true", "yes", "y", "t", "on", "1", "member", "free", "paid", "comped", "ja", "oui",
             "sí", "si"},
    LEFT: {"false", "no", "n", "f", "off", "0", "nein", "non"},
}  # fmt: skip
_MEANING = {word: status for status, words in _ABOUT_SUBSCRIPTIONS.items() for word in words}
_TELLING = frozenset(_MEANING)
_BEGINNINGS = frozenset(word[:3] for word in _TELLING)
_MEANING |= {word: status for status, words in _OF_ANYTHING.items() for word in words}
_SURELY = frozenset(("true", "yes", "y", "t", "on", "1", "x", "ja", "oui", "sí", "si"))
_NOTHING = frozenset(("null", "none", "nil", "na", "n/a", "never", "\\n"))
_LONGEST = 100  # characters of a cell that are looked at; no word of ours is longer, no date either
_DROPPED = str.maketrans("", "", " \t_-.")

Named = Mapping[str, int | None]
"""Columns that the admin names, by field; None: there is none for it."""


def word_of(cell: str) -> str:
    """A word as it stands above: `Opted-out` is `optedout`."""
    return plain(cell).strip().lower().translate(_DROPPED)


@lru_cache(maxsize=4096)
def _said(cell: str) -> str:
    return _MEANING.get(word_of(cell), UNKNOWN)


@lru_cache(maxsize=4096)
def _said_if_any(cell: str) -> str:
    word = word_of(cell)
    return _MEANING[word] if word in _TELLING else ACTIVE


@lru_cache(maxsize=4096)
def _confirmed(cell: str) -> str:
    said = _said(cell)
    if said == LEFT and word_of(cell) in _OF_ANYTHING[LEFT]:
        return PENDING
    return ACTIVE if said == UNKNOWN and _is_moment(cell) else said


@lru_cache(maxsize=4096)
def _unless_no(cell: str) -> str:
    return PENDING if word_of(cell) in _OF_ANYTHING[LEFT] else ACTIVE


@lru_cache(maxsize=4096)
def _if_sure(cell: str) -> str:
    word = word_of(cell)
    said = word in _SURELY or word in _ABOUT_SUBSCRIPTIONS[LEFT]
    return LEFT if said or (_DATE.match(cell) and word.strip("0:/")) else ACTIVE


@lru_cache(maxsize=4096)
def _against(cell: str) -> str:
    word = word_of(cell)
    if word in _NOTHING or word in _OF_ANYTHING[LEFT] or not word.strip("0:/"):
        return ACTIVE
    if word in _SURELY or _is_moment(cell) or _MEANING.get(word) == LEFT:
        return LEFT
    return UNKNOWN


def _is_moment(cell: str) -> bool:
    return any(character.isdigit() for character in cell)


class Standing:
    """Asked of each record; and at the end of the file, whether we understood it."""

    def __init__(self, names: Sequence[str], heads: Sequence[str], named: Named, taken: set[int]) -> None:
        """names: of the columns, for people; heads: the same as `head_of` writes them, empty where there are
        none. taken: columns that mean something else."""
        self._names = names
        self._asked: list[tuple[int, Callable[[str], str]]] = []
        self._watched: list[_Watched] = []
        for place, head in enumerate(heads):
            if place in taken or place in named.values():
                continue
            if head in AGAINST and "left_at" not in named:
                self._asked.append((place, _against))
            if "status" in named:
                continue
            if head in STATUS:
                self._asked.append((place, _said))
            elif head in CONFIRMED:
                self._asked.append((place, _confirmed))
            elif head in MAYBE_STATUS:
                self._asked.append((place, _said_if_any))
                self._watched.append(_Watched(place, names[place], wholly=True))
            elif head not in AGAINST:
                if _GOODBYE.search(head):
                    self._asked.append((place, _if_sure))
                elif _CONSENT.search(head):
                    self._asked.append((place, _unless_no))
                self._watched.append(_Watched(place, names[place], wholly=False))
        for field, reading in (("status", _said), ("left_at", _against)):
            chosen = named.get(field)
            if chosen is not None:
                self._asked.append((chosen, reading))

    def of(self, line: int, cells: Sequence[str]) -> tuple[str, str]:
        """A status or `UNKNOWN`, and why it is not known."""
        for watched in self._watched:
            if watched.place < len(cells) and (cell := cells[watched.place]):
                watched.look(line, cell)
        worst, rank, why = ACTIVE, 0, ""
        for place, reading in self._asked:
            cell = cells[place][:_LONGEST] if place < len(cells) else ""
            status = reading(cell)
            if _RANK[status] > rank:
                worst, rank = status, _RANK[status]
                why = self._unknown(place, reading, cell) if status == UNKNOWN else ""
        return worst, why

    def _unknown(self, place: int, reading: Callable[[str], str], cell: str) -> str:
        said, name = repr(plain(cell).strip()[:40]), self._names[place]
        if reading is _against:
            return f"{said} in the column `{name}` says neither that they left nor that they did not"
        return (
            f"the status {said} is not known; active, paused, left and pending are. If the column `{name}` is"
            " not the status, name the one that is: --column status=NAME; if none is: --column status="
        )

    def misread(self) -> tuple[int, str] | None:
        """A line and what is wrong with the file, if a column may be a status that we did not read."""
        return next((found for one in self._watched if (found := one.misread()) is not None), None)


class _Watched:
    """A column that may be a status. wholly: it counts as one if it holds no other words; else it does not
    count, and must not be one."""

    def __init__(self, place: int, name: str, *, wholly: bool) -> None:
        self.place = place
        self._name = name
        self._wholly = wholly
        self._words = self._others = 0
        self._word = self._other = (0, "")

    def look(self, line: int, cell: str) -> None:
        # (Most cells are names: three letters tell that they are no status.)
        if cell[:3].lower() in _BEGINNINGS and word_of(cell[:_LONGEST]) in _TELLING:
            self._words += 1
            self._word = self._word if self._word[0] else (line, cell)
        elif not cell.isspace():
            self._others += 1
            self._other = self._other if self._other[0] else (line, cell)

    def misread(self) -> tuple[int, str] | None:
        line, word = self._word
        if not self._words or (self._wholly and not self._others):
            return None
        if not self._wholly and self._words < self._others:
            return None
        other = f", but not {self._other[1].strip()[:40]!r} in line {self._other[0]}" if self._others else ""
        return line, (
            f"the column `{self._name}` may say who left: {word.strip()[:40]!r} is such a word{other}."
            f" If it does, say --column status={self._name}; if another does, name that one; if none does,"
            " say --column status="
        )

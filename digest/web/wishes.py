"""What a reader wishes, read from the fields of a form. Pure.

A wish that cannot be is a `Problem`: the field that it is about, and a sentence for the catalogues.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta

from digest.addresses import LOCAL_LONGEST, UNREADABLE, octets
from digest.languages import is_placed
from digest.model import WEEKDAYS, Newsletter, Rhythm
from digest.translations import msg

LONGEST_PAUSE = timedelta(days=366)
STEP = 15  # minutes
TOO_OFTEN = msg("You have asked for this too often. Please try again later.")
NOT_MAILED = msg(
    "Nothing is mailed to this address any more: mail servers refused our letters, or they were reported as"
    " unwanted. To read on, subscribe with another address."
)
OWN = "own"
WEEKLY = "weekly"

_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::00)?", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """field: the `name` of the field in the form."""

    field: str
    sentence: str


# ---------------------------------------------------------------- rhythm


def cadences(newsletter: Newsletter) -> tuple[str, ...]:
    """What the form lets one choose, in its order: the newsletter's own days (`own`) unless they are offered
    to everybody anyway, then what it offers."""
    offered = newsletter.offers.cadences
    own = newsletter.schedule.cadence
    among = own in offered or (WEEKLY in offered and own in WEEKDAYS)
    return offered if among else (OWN, *offered)


def chosen(rhythm: Rhythm, newsletter: Newsletter) -> str:
    """Which of `cadences` a reader has now."""
    if rhythm.cadence in newsletter.offers.cadences:
        return rhythm.cadence
    if rhythm.cadence in WEEKDAYS and WEEKLY in newsletter.offers.cadences:
        return WEEKLY
    return OWN


def read_rhythm(form: Mapping[str, str], newsletter: Newsletter, now: Rhythm) -> Rhythm | Problem:
    """The rhythm that is wished. now: what the reader has; a field that the form does not show stays so."""
    cadence = form.get("cadence", "") or chosen(now, newsletter)
    if cadence not in cadences(newsletter):
        return Problem(field="cadence", sentence=msg("Please choose one of these."))
    if cadence == WEEKLY:
        cadence = form.get("day", "")
        if cadence not in WEEKDAYS:
            return Problem(field="day", sentence=msg("Please choose a day of the week."))
    elif cadence == OWN:
        cadence = newsletter.schedule.cadence
    if not newsletter.offers.hour:
        own = newsletter.schedule
        return Rhythm(cadence=cadence, at=own.at, zone=own.zone)
    if (at := read_clock(form.get("at", ""))) is None:
        return Problem(field="at", sentence=msg("Please write the time like 07:00 or 18:30."))
    zone = form.get("zone", "")
    own_rhythm = newsletter.schedule.rhythm
    if not is_placed(zone) and zone not in ("UTC", now.zone, own_rhythm.zone):
        return Problem(field="zone", sentence=msg("Please choose a place from the list."))
    wished = Rhythm(cadence=cadence, at=at, zone=zone)
    if at.minute % STEP and wished not in (now, own_rhythm):
        sentence = msg("Please choose a quarter of an hour: 07:00, 07:15, 07:30 or 07:45.")
        return Problem(field="at", sentence=sentence)
    return wished


def read_clock(text: str) -> time | None:
    """Browsers write `07:00`; some add seconds."""
    found = _CLOCK.fullmatch(text.strip())
    return time(int(found[1]), int(found[2])) if found else None


# ---------------------------------------------------------------- pause


def read_pause(text: str, today: date) -> date | Problem:
    """The first day with letters again. today: where the reader is."""
    until = _date(text)
    if until is None or not today < until <= today + LONGEST_PAUSE:
        return Problem(field="until", sentence=msg("Please choose a day after today and within a year."))
    return until


def _date(text: str) -> date | None:
    if not _DAY.fullmatch(text.strip()):
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


# ---------------------------------------------------------------- reasons for leaving

REASONS: Mapping[str, str] = {
    "often": msg("The letters come too often."),
    "fit": msg("They are not about what I want to read."),
    "read": msg("I do not get round to reading them."),
    "elsewhere": msg("I read them in another way, such as a feed reader."),
    "unasked": msg("I did not sign up."),
    "other": msg("Another reason"),
}
LONGEST_REMARK = 500


def read_reason(form: Mapping[str, str]) -> tuple[str, str] | Problem:
    """(a key of `REASONS` or "", what they wrote). Raises nothing; a problem when both are missing."""
    reason = form.get("reason", "")
    remark = " ".join(form.get("remark", "").replace("\x00", "").split())
    if reason and reason not in REASONS:
        return Problem(field="reason", sentence=msg("Please choose one of these."))
    if len(remark) > LONGEST_REMARK:
        return Problem(field="remark", sentence=msg("Please write at most 500 characters."))
    if not reason and not remark:
        return Problem(field="reason", sentence=msg("Please choose a reason or write one."))
    return reason, remark


# ---------------------------------------------------------------- addresses


def why_no_address(text: str) -> str:
    """What is most likely wrong with an address that is none, as a sentence for the catalogues."""
    text = text.strip()
    local, at, domain = text.rpartition("@")
    other_at = any(sign in text for sign in ("\N{FULLWIDTH COMMERCIAL AT}", "\N{SMALL COMMERCIAL AT}"))
    if not text:
        return msg("Please write your email address.")
    if UNREADABLE in text:
        return msg("A character of this address was lost on its way. Please type the address again.")
    if not at and other_at:
        return msg("The @ in this address is another sign that looks like it. Please type it as @.")
    if not at:
        return msg("There is no @ in this address. It should look like name@example.org.")
    if len(text) > 254 or octets(local) > LOCAL_LONGEST:
        return msg("This address is too long.")
    if re.fullmatch(r'".*"', local, re.DOTALL):
        return msg("Addresses in quotation marks cannot be used here. Please take another one.")
    if re.search(r"\s|[,;<>\"()]", text):
        return msg("Please write one address only, without spaces, names or brackets.")
    if "@" in local:
        return msg("There is more than one @ in this address.")
    if not local:
        return msg("Something is missing before the @.")
    if not domain:
        return msg("Something is missing after the @.")
    if "." not in domain:
        return msg("The part after the @ is not complete: it should look like example.org.")
    return msg("This does not look like an address that mail can be sent to. Please check it.")

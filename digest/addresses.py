"""Email addresses: one spelling for each, and a kind word for what is not one.

What we keep is the form that goes on the wire: the local part as its owner writes it (RFC 5321 2.4: only
their server knows whether its case matters), the domain in lower case, an international domain as its
A-labels (`bücher.example` → `xn--bcher-kva.example`). Two addresses with the same `key` are the same
person's: there the local part's case is dropped too, because no mailbox in use tells Bob@ from bob@, and
two letters to one reader are worse than none to a second one who does not exist. Dots and plus-tags stay:
they may be different mailboxes.

Whether mail arrives there is not asked; nothing here touches the network.
"""

from __future__ import annotations

import re
import unicodedata

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES

from digest.model import DigestError

LONGEST = 254  # RFC 5321 4.5.3.1.3, less the angle brackets
UNREADABLE = "\N{REPLACEMENT CHARACTER}"  # for bytes that were no text
LOCAL_LONGEST = 64  # octets; RFC 5321 4.5.3.1.1

# What nearly every address looks like. Labels with hyphens in third and fourth place (A-labels among them)
# and everything else that this does not match goes the long way.
_PLAIN = re.compile(
    r"([a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*)"
    r"@((?:(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63}))",
    re.ASCII | re.IGNORECASE,
)
_SPECIAL = frozenset(name.rpartition(".")[2] for name in SPECIAL_USE_DOMAIN_NAMES)


class AddressError(DigestError):
    """This is not an address that mail can be sent to; the text says why."""


def normalize(text: str) -> str:
    """The one spelling of this address. Raises AddressError."""
    text = text.strip()
    plain = _PLAIN.fullmatch(text)
    if plain and len(text) <= LONGEST:
        local, domain = plain[1], plain[2].lower()
        if (
            len(local) <= LOCAL_LONGEST
            and plain[3].lower() not in _SPECIAL
            and local.lower() not in CASE_INSENSITIVE_MAILBOX_NAMES
        ):
            return f"{local}@{domain}"
    return _normalize_slowly(text)


def key(address: str) -> str:
    """What two spellings of one address have in common; `address` is normalized."""
    local, _, domain = address.rpartition("@")
    return f"{unicodedata.normalize('NFC', local.lower())}@{domain}"


def octets(text: str) -> int:
    """As long as this is on the wire."""
    return len(text.encode("utf-8", "surrogatepass"))


def _normalize_slowly(text: str) -> str:
    if (
        len(text) > 4 * LONGEST
    ):  # not even in a script of four bytes a letter: spare the validator the reading
        raise AddressError("The email address is too long.")
    if UNREADABLE in text:
        raise AddressError("The email address contains U+FFFD: a character of it was lost on its way.")
    try:
        checked = validate_email(text, check_deliverability=False, strict=True)
    except EmailNotValidError as error:
        raise AddressError(str(error)) from error
    if octets(checked.local_part) > LOCAL_LONGEST:  # the library counts characters
        raise AddressError(f"The email address is too long before the @-sign: at most {LOCAL_LONGEST} bytes.")
    return f"{checked.local_part}@{checked.ascii_domain}"

"""What a mail server's answer means for one letter: whom it concerns, and whether trying again can help.

Pure. A refusal of us (MAIL) is never the reader's fault; a refusal of the reader (RCPT) may be; what happens
after the body is sent is unknown unless the server said a number that we understand.
"""

from __future__ import annotations

import re
from enum import StrEnum

from digest.model import PublishError

_ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b", re.ASCII)  # RFC 2034
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_LONGEST = 500

# RFC 3463 3.2 and RFC 7505: these two speak of the sender's address, all other 5.1.x of the reader's.
_ABOUT_THE_SENDER = ("5.1.7", "5.1.8")
_SERVICE_CLOSES = 421


class Stage(StrEnum):
    """How far a letter had come. At `dot` its body is on the way, and the answer to it is awaited."""

    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    DOT = "the letter"


class RelayDown(PublishError):
    """The relay takes no letter from us now, whoever it is for; nothing of this one was sent."""

    def __init__(self, message: str, *, relay: str) -> None:
        super().__init__(message, counts=False, relay=relay)


def reply_line(code: int, text: str, *, hide: str = "") -> str:
    """A reply as the ledger keeps it: one printable line. `code` is below zero when there was none.

    hide: an address that must not stay in the ledger when it is erased everywhere else.
    """
    if hide:
        text = re.sub(re.escape(hide), "(address)", text, flags=re.IGNORECASE)
    text = f"{code} {text}" if code > 0 else text
    return " ".join(_UNPRINTABLE.sub(" ", text).split())[:_LONGEST]


def refusal(stage: Stage, code: int, text: str, *, recipient: str, relay: str) -> PublishError:
    """The error for a reply that is no yes."""
    said = f"{relay} answered {stage} with {reply_line(code, text, hide=recipient)}"
    if stage is Stage.MAIL:
        return RelayDown(said, relay=relay)
    if not 400 <= code <= 599:
        # After the body a strange answer may be a yes: only `unknown` is true then.
        return PublishError(said, unknown=stage is Stage.DOT, counts=stage is Stage.DOT, relay=relay)
    if code == _SERVICE_CLOSES:
        return PublishError(said, counts=False, relay=relay)
    if code < 500:
        return PublishError(said, relay=relay)
    enhanced = _enhanced(text)
    if enhanced.startswith("5.7.") or enhanced in _ABOUT_THE_SENDER:
        # Policy, block lists, our own address: one such answer must not wipe out a list.
        return PublishError(said, relay=relay)
    dead = stage is Stage.RCPT and (enhanced.startswith("5.1.") or enhanced == "5.2.1")
    return PublishError(said, permanent=True, suppress=dead, relay=relay)


def lost(stage: Stage, why: str, *, relay: str) -> PublishError:
    """The error for a conversation that broke or fell silent at this stage."""
    if stage is Stage.MAIL:
        return RelayDown(f"{relay}: {why}", relay=relay)
    if stage is Stage.DOT:
        # The server may have taken it and lost only its answer (RFC 1047).
        return PublishError(f"{relay}: {why} after the letter was sent", unknown=True, relay=relay)
    return PublishError(f"{relay}: {why} at {stage}", counts=False, relay=relay)


def _enhanced(text: str) -> str:
    found = _ENHANCED.match(text)
    return found[1] if found else ""

"""What a mail server's answer means for one letter: whom it concerns, and whether trying again can help.

Pure. A refusal of us (MAIL) is never the reader's fault; a refusal of the reader (RCPT) may be; a refusal of
what we say (DATA, the letter) or of who we are (5.7.x) fails no reader for good; what happens after the body
is sent is unknown unless the server said a number that we understand.
"""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum

from digest.model import PublishError

_ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b", re.ASCII)  # RFC 2034
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_ANY_ADDRESS = re.compile(r"[^\s<>]*@[^\s<>]*")
_LONGEST = 500

# RFC 3463 3.2 and 3.3, RFC 7505: there is no such mailbox or domain, or it is shut for good.
_DEAD = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
_ABOUT_THE_SENDER = frozenset({"5.1.7", "5.1.8"})
_SERVICE_CLOSES = 421
_TOO_MANY = 452  # RFC 5321 4.5.3.1.10

SOON = timedelta(seconds=5)  # the letter itself is well; only the connection had enough
BLOCKED_WAIT = timedelta(minutes=15)  # a block list or a filter does not think again within a minute


class Stage(StrEnum):
    """How far a letter had come. At `dot` its body is on the way, and the answer to it is awaited."""

    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    DOT = "the letter"


class RelayDown(PublishError):
    """The relay takes no letter from us now, whoever it is for; nothing of this one was sent."""

    def __init__(self, message: str, *, relay: str, wait: timedelta | None = None) -> None:
        super().__init__(message, counts=False, relay=relay, wait=wait)


class Blocked(PublishError):
    """The answer is against us or against what we write, not against this reader: policy, block lists,
    filters. One such answer must not wipe out a list; many of them are the relay's or the domain's matter."""

    def __init__(self, message: str, *, relay: str) -> None:
        super().__init__(message, relay=relay, wait=BLOCKED_WAIT)


def reply_line(code: int, text: str, *, hide: str = "") -> str:
    """A reply as the ledger keeps it: one printable line. `code` is below zero when there was none.

    hide: an address that must not stay in the ledger when it is erased everywhere else.
    """
    if hide and hide.lower() in text.lower():  # the pattern is made only where it is needed: that takes long
        text = re.sub(re.escape(hide), "(address)", text, flags=re.IGNORECASE)
    text = f"{code} {text}" if code > 0 else text
    if not (text.isascii() and text.isprintable()):
        text = _UNPRINTABLE.sub(" ", text)
    return " ".join(text.split())[:_LONGEST]


def stray(text: str, code: int = -1) -> str:
    """Something said that cannot be matched to a letter, without any address that it may name."""
    return reply_line(code, _ANY_ADDRESS.sub("(address)", text))


def refusal(
    stage: Stage, code: int, text: str, *, recipient: str, relay: str, fresh: bool = True
) -> PublishError:
    """The error for a reply that is no yes.

    fresh: this was the connection's first letter: then it is not the connection that had enough.
    """
    said = f"{relay} answered {stage} with {reply_line(code, text, hide=recipient)}"
    soon = SOON if not fresh and ends_connection(stage, code, text) else None
    if stage is Stage.MAIL:
        return RelayDown(said, relay=relay, wait=soon)
    if not 400 <= code <= 599:
        # After the body a strange answer may be a yes: only `unknown` is true then.
        return PublishError(said, unknown=stage is Stage.DOT, counts=stage is Stage.DOT, relay=relay)
    if code == _SERVICE_CLOSES or soon:
        return PublishError(said, counts=False, relay=relay, wait=soon)
    if code < 500:
        return PublishError(said, relay=relay)
    enhanced = _enhanced(code, text)
    ours = enhanced.startswith("5.7.") or enhanced in _ABOUT_THE_SENDER
    if ours or stage is not Stage.RCPT:
        return Blocked(said, relay=relay)
    return PublishError(said, permanent=True, suppress=enhanced in _DEAD, relay=relay)


def ends_connection(stage: Stage, code: int, text: str) -> bool:
    """Whether the server wants no further letter on this connection: 421, or “too many” (RFC 3463 X.5.3).

    A 452 without a reason is that only before the body; afterwards it speaks of room on a disk.
    """
    if code == _SERVICE_CLOSES:
        return True
    enhanced = _enhanced(code, text)
    return enhanced == "4.5.3" or (code == _TOO_MANY and not enhanced and stage is not Stage.DOT)


def lost(stage: Stage, why: str, *, relay: str) -> PublishError:
    """The error for a conversation that broke or fell silent at this stage."""
    if stage is Stage.MAIL:
        return RelayDown(f"{relay}: {why}", relay=relay)
    if stage is Stage.DOT:
        # The server may have taken it and lost only its answer (RFC 1047).
        return PublishError(f"{relay}: {why} after the letter was sent", unknown=True, relay=relay)
    return PublishError(f"{relay}: {why} at {stage}", counts=False, relay=relay)


def _enhanced(code: int, text: str) -> str:
    """The enhanced code; "" where there is none, or one of another class than the code's (RFC 2034 4)."""
    found = _ENHANCED.match(text)
    return found[1] if found and found[1][0] == str(code)[0] else ""

"""A letter as the wire sees it: whom it is from and for, its bytes, and what the server must be able to do.

Pure. What could break out of its place (an address with a line end in it, a body with a line end that only
some servers see) is refused here, before anything is said to a server.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from digest.model import Delivery, PublishError
from digest.publishers.replies import Stage

_ADDRESS = re.compile(r"[^\s<>\x00-\x1f\x7f]+@[^\s<>@\x00-\x1f\x7f]+")


@dataclass(slots=True, eq=False, kw_only=True)
class Letter:
    """One letter on its way, and how far it has come.

    body: in pieces, to be joined once, with what is said around them.
    about: what it is to the ledger; None for one that is sent alone. dots: some line begins with a dot.
    stage: what it waits to be answered; body_out: a byte of its body may have left. error: the first refusal.
    """

    sender: str
    recipient: str
    body: Sequence[bytes]
    dots: bool
    needs_utf8: bool = False
    needs_8bit: bool = False
    about: Delivery | None = None
    stage: Stage = field(default=Stage.MAIL)
    body_out: bool = False
    error: PublishError | None = None

    @property
    def size(self) -> int:
        """Bytes of its body."""
        return sum(map(len, self.body))

    @property
    def delivery(self) -> Delivery:
        if self.about is None:
            raise AssertionError("this letter is not the ledger's")
        return self.about


def whole(sender: str, recipient: str, body: bytes) -> Letter:
    """A letter of which nothing is known yet: every byte of it is looked at. Raises PublishError."""
    ends = body.count(b"\r\n")
    if body.count(b"\n") != ends or body.count(b"\r") != ends or not body.endswith(b"\r\n"):
        # A bare CR or LF may be read as this letter's end and another's start (RFC 5321 4.1.1.4).
        raise PublishError("the letter's lines do not all end with CR LF", permanent=True)
    check_addresses(sender, recipient)
    head = body[: body.find(b"\r\n\r\n")]
    return Letter(
        sender=sender,
        recipient=recipient,
        body=(body,),
        dots=body.startswith(b".") or b"\r\n." in body,
        needs_utf8=not (sender.isascii() and recipient.isascii() and head.isascii()),
        needs_8bit=not body.isascii(),
    )


def check_addresses(*addresses: str) -> None:
    """Raises PublishError for what cannot stand in an envelope."""
    for address in addresses:
        if not _ADDRESS.fullmatch(address):
            raise PublishError("this is no address that mail can be sent to", permanent=True)

"""What a mail server announced at EHLO, and what follows for a letter's MAIL.

Pure. What the server cannot carry is refused here, before a word of it is said.
"""

from __future__ import annotations

from collections.abc import Mapping

from digest.model import PublishError
from digest.publishers.envelope import Letter


class Offers:
    """The extensions by their names in lower case, with what stood behind each."""

    def __init__(self, announced: Mapping[str, str], *, relay: str) -> None:
        self.pipelining = "pipelining" in announced  # RFC 2920
        self.chunking = self.pipelining and "chunking" in announced  # RFC 3030
        self._announced = announced
        self._relay = relay
        self._largest = _number(announced.get("size", ""))

    def mail(self, letter: Letter) -> bytes:
        """The MAIL command. Raises PublishError."""
        options = b""
        size = letter.size
        if self._largest and size > self._largest:  # RFC 1870 4
            raise PublishError(
                f"{self._relay} takes no letter of {size} bytes", permanent=True, relay=self._relay
            )
        if "size" in self._announced:
            options += b" SIZE=%d" % size
        if letter.needs_utf8:
            self._require("smtputf8", "no addresses with characters beyond ASCII (SMTPUTF8)")
            options += b" SMTPUTF8"
        if letter.needs_8bit:
            self._require("8bitmime", "no 8-bit letters (8BITMIME)")
            options += b" BODY=8BITMIME"
        return b"MAIL FROM:<" + letter.sender.encode() + b">" + options + b"\r\n"

    def _require(self, extension: str, otherwise: str) -> None:
        if extension not in self._announced:
            raise PublishError(f"{self._relay} takes {otherwise}", permanent=True, relay=self._relay)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0

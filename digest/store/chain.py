"""The consent ledger as a chain: each line is sealed by an HMAC over the seal before it and itself.

The keys come from the config's secrets and are never in the database. So whoever can only write to the
database cannot change, remove or add a line without a seal that does not fit; what they can do is to cut the
newest lines off, which shows as soon as a head that was printed before is looked for. Pure.

A line holds the address only as a hash with the person's own salt, and what was shown only as a hash with the
same salt. When salt and address are deleted, nobody is named any more and every seal still fits.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from struct import Struct
from typing import NamedTuple

from digest.model import DigestError

SEAL = 16  # bytes of a link, and of the hashes in a line: 128 bits
NOBODY = bytes(SEAL)  # whose address and salt are deleted
_NUMBERS = Struct(">QqQq")
_HEAD = re.compile(r"([0-9a-f]{32}):([0-9]{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Head:
    """How far the chain goes: the number of its lines, and the link of the last."""

    length: int = 0
    link: bytes = NOBODY

    def __str__(self) -> str:
        """`HASH:LENGTH`, as it is printed."""
        return f"{self.link.hex()}:{self.length}"

    @classmethod
    def read(cls, text: str) -> Head:
        """A head as it was printed. Raises DigestError."""
        found = _HEAD.fullmatch(text.strip().lower())
        if found is None:
            raise DigestError(f"{text!r} is no head of the ledger; one looks like 0123…cdef:1234")
        return cls(int(found[2]), bytes.fromhex(found[1]))


class Line(NamedTuple):
    """What a line says (a tuple: there may be millions). at, sealed_at: microseconds since the epoch.

    person: `person_of` its address. mark: `mark_of` its evidence. sealed_at: when a line was sealed that was
    written before there was a chain; 0 for one that was sealed when it was written.
    """

    subscriber: int
    at: int
    newsletter: str
    event: str
    source: str
    person: bytes
    mark: bytes
    sealed_at: int = 0


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of the chain, by their ids; new lines are sealed with `current`."""

    current: str
    by_id: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def of(cls, secrets: Iterable[bytes]) -> Keys:
        """From the config's secrets; the first one signs."""
        made = {_id(secret): _key(secret) for secret in secrets}
        if not made:
            raise DigestError("the consent ledger needs a secret")
        return cls(next(iter(made)), made)


class Chain:
    """A chain that grows from its head. `head` moves with each line that is sealed."""

    def __init__(self, keys: Keys, head: Head) -> None:
        self._length, self._last = head.length, head.link
        self.key_id = keys.current
        self._link = linker(keys.by_id[keys.current])
        self._tails: dict[tuple[str, str, str], bytes] = {}

    @property
    def head(self) -> Head:
        return Head(self._length, self._last)

    def seal(self, lines: Iterable[Line]) -> Iterator[tuple[int, bytes]]:
        """The number and the link of each line, in order. A million take a few seconds."""
        seal = self._link
        for line in lines:
            kind = (line.newsletter, line.event, line.source)
            tail = self._tails.get(kind)
            if tail is None:
                tail = self._tails[kind] = tail_of(self.key_id, *kind)
            self._length += 1
            self._last = seal(self._last + bytes_of(self._length, line, tail))
            yield self._length, self._last


def bytes_of(number: int, line: Line, tail: bytes) -> bytes:
    """A line as it is sealed: no two lines have the same bytes."""
    return _NUMBERS.pack(number, line.at, line.subscriber, line.sealed_at) + line.person + line.mark + tail


def tail_of(key_id: str, newsletter: str, event: str, source: str) -> bytes:
    """The words of a line, each behind its length."""
    words = [word.encode() for word in (key_id, newsletter, event, source)]
    return b"".join(len(word).to_bytes(4, "big") + word for word in words)


def linker(key: bytes) -> Callable[[bytes], bytes]:
    """What seals with this key: HMAC-SHA256 (RFC 2104), cut to 128 bits. It is given the seal of the line
    before and the line.

    Written out, as the library's one-shot digest fetches its hash anew each time and takes three times as
    long; a test holds the two against each other.
    """
    block = key.ljust(64, b"\0")
    inner, outer = bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)
    return lambda message: sha256(outer + sha256(inner + message).digest()).digest()[:SEAL]


def person_of(salt: bytes | None, address: str | None) -> bytes:
    """What a line holds of an address; NOBODY when the person has been erased."""
    if salt is None or address is None:
        return NOBODY
    return sha256(salt + b"address " + address.casefold().encode()).digest()[:SEAL]


def mark_of(salt: bytes | None, evidence: str) -> bytes:
    """What a line holds of the evidence (the text as it is stored)."""
    return sha256((salt or NOBODY) + b"evidence " + evidence.encode()).digest()[:SEAL]


def _key(secret: bytes) -> bytes:
    return hmac.digest(secret, b"digest consent chain v1", "sha256")


def _id(secret: bytes) -> str:
    return hmac.digest(secret, b"digest consent chain v1 id", "sha256")[:4].hex()

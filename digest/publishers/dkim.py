"""DKIM signatures (RFC 6376, RFC 8463): relaxed/relaxed, one for each key, over every header of ours.

    Signer.prepare(pieces) → Stamp, once for an issue → Stamp.sign(the reader's values) → the fields

Pure, and deterministic: a letter's signature depends on its bytes, the keys and the moment it was made for,
so that a retry is the same letter again. What is the same for all readers is canonicalized and hashed once;
what is left for each is the hash of what follows the first place of their own, and the signature itself.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from digest.publishers.base import Advice
from digest.publishers.keys import GOOD_RSA, SigningKey

Pieces = Sequence[tuple[int, bytes]]
"""A letter with places: (0, bytes as they stand) or (the kind of place, nothing)."""

# Signed once more than they occur, so that nobody can add one and have it shown instead (RFC 6376 8.15).
OVERSIGNED = (
    b"From", b"To", b"Cc", b"Subject", b"Date", b"Message-ID", b"Reply-To", b"MIME-Version", b"Content-Type",
    b"Content-Transfer-Encoding", b"List-Unsubscribe", b"List-Unsubscribe-Post",
)  # fmt: skip
# What servers on the way write, change or take away (RFC 6376 5.4.1).
NEVER_SIGNED = frozenset(
    (
        b"return-path",
        b"received",
        b"bcc",
        b"comments",
        b"keywords",
        b"dkim-signature",
        b"authentication-results",
    )
)

_WSP = re.compile(rb"[ \t]+")
_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_MARK = re.compile(rb"\0([0-9]+)\0")
_LINE = 74
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dkim:
    """A key that letters are signed with.

    domain: whose signature it is; that of `from`, so that DMARC counts it.
    selector: under which name of that domain the public key is found in DNS.
    key: the private key, RSA of 2048 bits or Ed25519, in PEM; best given as `!file dkim.pem`.
    """

    domain: str
    selector: str
    key: str = field(repr=False, metadata={"secret": True})

    def __post_init__(self) -> None:
        for name, value in (("domain", self.domain), ("selector", self.selector)):
            if len(value) > 200 or not _NAME.fullmatch(value):
                raise ValueError(f"{name} must be a name such as DNS has them, not {value!r}")
        if "." not in self.domain:
            raise ValueError(f"domain must be a whole domain, not {self.domain!r}")
        SigningKey.of(self.key)

    @property
    def place(self) -> str:
        """Where in DNS the public key belongs."""
        return f"{self.selector}._domainkey.{self.domain}"

    def record(self) -> str:
        """The TXT record to publish at `place`."""
        return SigningKey.of(self.key).record()

    def is_weak(self) -> bool:
        """Whether the key is shorter than is good today."""
        bits = SigningKey.of(self.key).bits
        return bits is not None and bits < GOOD_RSA

    def is_aligned(self, sender: str) -> bool:
        """Whether DMARC surely takes this domain for the one of `sender`, an address: the same, or one
        below the other. (Domains beside each other may be the same to DMARC; only DNS knows.)"""
        ours, theirs = self.domain.lower(), sender.rpartition("@")[2].lower()
        return ours == theirs or ours.endswith(f".{theirs}") or theirs.endswith(f".{ours}")


def advice(keys: Sequence[Dkim], sender: str) -> list[Advice]:
    """What to tell those who send letters from `sender`, an address, signed with these keys."""
    domain = sender.rpartition("@")[2]
    if not keys:
        said = f"letters are not signed here (email.dkim); is it sure that the relay signs for {domain}?"
        return [("dkim", "warn", said)]
    told: list[Advice] = []
    for key in keys:
        told.append(("dkim", "ok", f"publish in DNS: {key.place} TXT {key.record()}"))
        if key.is_weak():
            told.append(
                ("dkim", "warn", f"the key of {key.place} has less than {GOOD_RSA} bits; make a new one")
            )
    if not any(key.is_aligned(sender) for key in keys):
        said = f"no key is of {domain}, the domain of `from`; DMARC may not count the signature"
        told.append(("dkim", "warn", said))
    return told


class Signer:
    """Signs letters with these keys, in this order."""

    def __init__(self, keys: Sequence[Dkim]) -> None:
        self._keys = tuple((each.domain, each.selector, SigningKey.of(each.key)) for each in keys)

    def sign(self, letter: bytes, when: datetime) -> bytes:
        """The DKIM-Signature fields to put in front of a whole letter with CRLF line ends. when: the moment
        it says it was signed at; the letter's own date, so that signing it again gives the same bytes."""
        return self.prepare([(0, letter)], when).sign(())

    def prepare(self, pieces: Pieces, when: datetime) -> Stamp:
        """What signs a letter with places. Values never hold white space and are never empty; no NUL stands
        in the letter. Raises ValueError."""
        return Stamp(self._keys, pieces, when)


class Stamp:
    """One letter's signatures, all done but for what is the reader's own."""

    def __init__(self, keys: Sequence[tuple[str, str, SigningKey]], pieces: Pieces, when: datetime) -> None:
        has_places = any(kind for kind, _ in pieces)
        if has_places and any(b"\0" in content for _, content in pieces):
            raise ValueError("a letter with places cannot hold a NUL")
        whole = b"".join(b"\0%d\0" % kind if kind else content for kind, content in pieces)
        head, _, body = whole.partition(b"\r\n\r\n")
        names, fields = _signed(head)
        body = relaxed_body(body)
        # Bytes, the kind of a place in digits, bytes, and so on.
        self._head = _MARK.split(fields) if has_places else [fields]
        self._body: list[bytes]
        first, *self._body = _MARK.split(body) if has_places else [body]
        self._hashed = hashlib.sha256(first)
        moment = int(when.timestamp())
        self._keys: list[tuple[SigningKey, bytes, bytes]] = []
        for domain, selector, key in keys:
            begin = _begin(key.algorithm, domain, selector, moment, names)
            self._keys.append((key, begin, relaxed_field(begin)))

    def sign(self, values: Sequence[bytes]) -> bytes:
        """The DKIM-Signature fields, each with its CRLF; `values` by the kinds of their places."""
        if not self._keys:
            return b""
        hashed = self._hashed.copy()
        for place, piece in enumerate(self._body):
            hashed.update(piece if place % 2 else values[int(piece)])
        body = base64.b64encode(hashed.digest())
        head = b"".join(values[int(piece)] if place % 2 else piece for place, piece in enumerate(self._head))
        signatures = []
        for key, begin, canonical in self._keys:
            # The field itself is signed last, with nothing after `b=` and without its line end (3.7).
            signature = base64.b64encode(key.sign(b"%b%b%b; b=" % (head, canonical, body)))
            signatures.append(b"%b%b;\r\n b=%b\r\n" % (begin, body, _folded(signature)))
        return b"".join(signatures)


def _begin(algorithm: str, domain: str, selector: str, moment: int, names: Sequence[bytes]) -> bytes:
    """The field up to the body's hash. No `l=`: what is behind it could be anything; no `x=`, no `i=`."""
    lines = [
        b"DKIM-Signature: v=1; a=%b; c=relaxed/relaxed;" % algorithm.encode(),
        b"d=%b; s=%b; t=%d;" % (domain.encode(), selector.encode(), moment),
        b"h=",
    ]
    for place, name in enumerate(names):
        token = name + (b":" if place + 1 < len(names) else b";")
        if len(lines[-1]) + len(token) > _LINE:
            lines.append(b"")
        lines[-1] += token
    return b"\r\n ".join([*lines, b"bh="])


def _signed(head: bytes) -> tuple[list[bytes], bytes]:
    """The names for `h=`, and the fields they mean, in that order: of several with one name the last one is
    meant first (5.4.2), and a name that means none any more adds nothing."""
    found: dict[bytes, list[bytes]] = {}
    names: list[bytes] = []
    for each in _FIELD_END.split(head):
        name = each.partition(b":")[0].rstrip(b" \t")
        if name and name.lower() not in NEVER_SIGNED:
            names.append(name)
            found.setdefault(name.lower(), []).append(each)
    fields = b"".join(relaxed_field(found[name.lower()].pop()) + b"\r\n" for name in names)
    return [*names, *OVERSIGNED], fields


def relaxed_field(field: bytes) -> bytes:
    """A header field as it is hashed (3.4.2), without its line end."""
    name, _, value = field.partition(b":")
    value = _WSP.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")
    return name.rstrip(b" \t").lower() + b":" + value


def relaxed_body(body: bytes) -> bytes:
    """A body as it is hashed (3.4.4). Of an empty one nothing is left, not even a line end."""
    body = _WSP.sub(b" ", body).replace(b" \r\n", b"\r\n").removesuffix(b" ")
    end = len(body)
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    return body[:end] + b"\r\n" if end else b""


def _folded(signature: bytes) -> bytes:
    return b"\r\n ".join(signature[at : at + _LINE - 2] for at in range(0, len(signature), _LINE - 2))

"""How text becomes the bytes of a letter: folded headers, encoded words, quoted-printable, addresses.

Pure, and our own because the standard library's policies fold a long List-Unsubscribe into an encoded word,
which kills one-click unsubscribing, and cost milliseconds a letter.
"""

from __future__ import annotations

import base64
import re
import string
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

from digest.typeset import ascii_domain, one_line

LINE = 76  # RFC 2047 2: a line that holds an encoded word; RFC 2045 6.7: a quoted-printable line
_LONGEST_PLAIN_WORD = 60

# ---------------------------------------------------------------- headers

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ ]+", re.ASCII)  # RFC 5322 3.2.3
_Q_PLAIN = frozenset((string.ascii_letters + string.digits + "!*+-/").encode())  # RFC 2047 5 (3)


def header(name: str, tokens: Iterable[str]) -> bytes:
    """One header field, folded between tokens only; a token that is longer than a line stays whole."""
    lines = [f"{name}:"]
    for place, token in enumerate(tokens):
        if place and len(lines[-1]) + 1 + len(token) > LINE:
            lines.append("")
        lines[-1] += f" {token}"
    return "\r\n".join([*lines, ""]).encode("ascii")


def text_tokens(name: str, text: str) -> list[str]:
    """Unstructured text, such as a subject, for the header `name`."""
    text = one_line(text)
    return text.split(" ") if _is_plain(text) else _encoded_words(name, text)


def phrase_tokens(name: str, text: str) -> list[str]:
    """A display name: as it is, in quotation marks, or as encoded words."""
    text = " ".join(one_line(text).split())  # readers of names take every kind of space for white space
    if not text:
        return []
    if not _is_plain(text):
        return _encoded_words(name, text)
    if _ATOMS.fullmatch(text):
        return text.split(" ")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'.split(" ")  # white space inside quotation marks may be folded too (RFC 5322 3.2.4)


def _is_plain(text: str) -> bool:
    """Whether the text can stand as it is: what looks like an encoded word would be decoded by its reader."""
    return (
        text.isascii()
        and text.isprintable()
        and "=?" not in text
        and all(len(word) <= _LONGEST_PLAIN_WORD for word in text.split(" "))
    )


def _encoded_words(name: str, text: str) -> list[str]:
    """Encoded words (RFC 2047), each with whole characters; white space between two of them is not shown."""
    data = text.encode()
    in_q = sum(1 if byte in _Q_PLAIN or byte == 0x20 else 3 for byte in data)
    encoding, encode = ("q", _q) if in_q <= 2 * len(data) else ("b", _b)
    frame = len(f"=?utf-8?{encoding}??=")
    words: list[str] = []
    held, room = "", LINE - len(name) - 2 - frame
    for character in text:
        if held and len(encode(held + character)) > room:
            words.append(held)
            held, room = "", LINE - 1 - frame
        held += character
    return [f"=?utf-8?{encoding}?{encode(each)}?=" for each in [*words, held]]


def _q(text: str) -> str:
    return "".join(
        chr(byte) if byte in _Q_PLAIN else "_" if byte == 0x20 else f"={byte:02X}" for byte in text.encode()
    )


def _b(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


# ---------------------------------------------------------------- quoted-printable

_QP = tuple(
    bytes([byte]) if byte == 0x09 or (0x20 <= byte < 0x7F and byte != 0x3D) else b"=%02X" % byte
    for byte in range(256)
)


def quoted_printable(text: str) -> bytes:
    """The text with CRLF line ends, in lines of at most 75 characters: a soft break may always follow.

    No line begins with a dot or with “From ”: neither SMTP nor a mailbox file has anything to stuff.
    """
    return b"\r\n".join(_qp_line(line) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


def _qp_line(line: str) -> bytes:
    rest = b"".join(map(_QP.__getitem__, line.encode()))
    if rest[-1:] in (b" ", b"\t"):
        rest = rest[:-1] + b"=%02X" % rest[-1]
    parts: list[bytes] = []
    while True:
        if rest[:1] == b"." or rest[:5] == b"From ":
            rest = b"=%02X" % rest[0] + rest[1:]
        if len(rest) < LINE:
            return b"=\r\n".join([*parts, rest])
        end = _end_of_character(rest, LINE - 1)
        parts.append(rest[:end])
        rest = rest[end:]


def _end_of_character(encoded: bytes, end: int) -> int:
    """The last place up to `end` that is neither inside `=XX` nor inside a character of UTF-8."""
    if encoded[end - 1 : end] == b"=":
        end -= 1
    elif encoded[end - 2 : end - 1] == b"=":
        end -= 2
    for _ in range(3):
        if encoded[end : end + 2] not in (b"=8", b"=9", b"=A", b"=B"):
            break
        end -= 3
    return end


# ---------------------------------------------------------------- addresses

_ADDRESS = re.compile(r"[^\s<>()\[\],;:\\\"@\x00-\x20\x7f-\x9f]+@[^\s<>()\[\],;:\\\"@\x00-\x20\x7f-\x9f]+")
_URL_UNSAFE = re.compile(r"[^!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]")


def is_address(text: str) -> bool:
    """Whether this can stand in a header and an envelope; whether it is any good is decided at the door."""
    return len(text) <= 320 and _ADDRESS.fullmatch(text) is not None


def wire_address(address: str) -> str:
    """The address as it goes out: the domain in ASCII (RFC 5890 A-labels).

    What is left outside ASCII is a mailbox name; only then the letter needs SMTPUTF8 (RFC 6531), and its
    `To` is UTF-8 as it stands (RFC 6532).
    """
    if address.isascii():
        return address
    mailbox, _, domain = address.rpartition("@")
    return f"{mailbox}@{ascii_domain(domain)}"


def ascii_url(url: str) -> str:
    """An address as headers may hold it: ASCII, with nothing that could end the angle brackets around it."""
    if not url.isascii():
        parts = urlsplit(url)
        name = parts.hostname or ""
        host = parts.netloc.lower().replace(name, ascii_domain(name), 1)
        url = parts._replace(netloc=host).geturl()
    return _URL_UNSAFE.sub(lambda found: quote(found[0], safe=""), url)

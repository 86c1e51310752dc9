"""The letter as bytes: built once for an issue, with places for what is the reader's own, then spliced.

    places → (render) → build_issue → prepared bytes, stored → splice(reader) → the letter on the wire

Pure, and deterministic: the same issue gives the same prepared bytes, the same reader the same letter, so
that a retry is the same letter again. A letter is ASCII with CRLF line ends; only a recipient whose mailbox
name is not ASCII brings UTF-8 into its `To` (and needs SMTPUTF8). Its parts are quoted-printable and no line
begins with a dot. `dkim` signs what `splice` returns; the envelope is the transport's.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from hashlib import sha256
from typing import NamedTuple

from digest.links import Links
from digest.model import Issue, Newsletter, Notice, PublishError, Site
from digest.publishers.mime import (
    ascii_url,
    header,
    is_address,
    phrase_tokens,
    quoted_printable,
    text_tokens,
    wire_address,
)
from digest.render import SUBJECT_LIMIT, LetterText, NoticeText, ReaderLinks
from digest.typeset import ascii_domain, clamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Whom letters come from; `name` may be empty."""

    name: str
    address: str
    reply_to: str | None = None

    @property
    def domain(self) -> str:
        """The domain that Message-IDs are made under."""
        return ascii_domain(self.address.rpartition("@")[2])


class Reader(NamedTuple):
    """What differs from letter to letter. `message_id` has its angle brackets."""

    address: str
    message_id: str
    unsubscribe_token: str
    preferences_token: str


# ---------------------------------------------------------------- an issue


def places(issue: Issue, links: Links) -> ReaderLinks:
    """The links to render a letter with: where their tokens stand, `build_issue` leaves places.

    The stand-ins are hashes of the issue itself. No title can hold one: it would have to hold its own hash.
    """
    unsubscribe, preferences = _stand_ins(issue)
    return ReaderLinks(unsubscribe=links.unsubscribe(unsubscribe), preferences=links.preferences(preferences))


def build_issue(
    issue: Issue, newsletter: Newsletter, site: Site, sender: Sender, text: LetterText, links: Links
) -> bytes:
    """The prepared letter. `text` was rendered with the links of `places`."""
    unsubscribe, preferences = _stand_ins(issue)
    boundary = _boundary(issue.tag, issue.path, issue.composed_at.isoformat())
    page, web = links.newsletter(newsletter.slug), links.issue(issue.path)
    leave = ascii_url(links.unsubscribe(unsubscribe))
    subject = clamp(issue.subject, SUBJECT_LIMIT) or clamp(issue.title, SUBJECT_LIMIT)
    feedback = f"{issue.date.isoformat()}:{newsletter.slug}:issue:{_sender_id(sender)}"
    head = b"".join(
        (
            _from(sender, site),
            b"To: ", _ADDRESS_PLACE, b"\r\n",
            header("Subject", text_tokens("Subject", subject)),
            _date(issue.composed_at),
            b"Message-ID: ", _MESSAGE_ID_PLACE, b"\r\n",
            # A thread of its own for each issue, without claiming to answer anything.
            header("References", [links.message_id(f"issue {issue.tag} {issue.path}", sender.domain)]),
            header("List-Id", _list_id(issue, newsletter, sender)),
            header("List-Unsubscribe", [f"<{leave}>"]),
            header("List-Unsubscribe-Post", ["List-Unsubscribe=One-Click"]),
            header("List-Archive", [f"<{ascii_url(page)}>"]),
            header("List-Help", [f"<{ascii_url(page)}>"]),
            header("Archived-At", [f"<{ascii_url(web)}>"]),
            header("Feedback-ID", [feedback]),
            _automatic(issue.language),
            _multipart(boundary),
        )
    )  # fmt: skip
    marks = {unsubscribe: _UNSUBSCRIBE, preferences: _PREFERENCES}
    pieces = [
        *_cut(head, {**{key.encode(): kind for key, kind in marks.items()}, **_HEAD_PLACES}),
        *_parts(text.text, text.html, boundary, marks),
    ]
    return _packed(pieces)


class Opened:
    """A prepared letter, taken apart and looked through once, so that each reader costs a list and no more.

    Whatever is checked of a reader's values, every letter of it has CRLF line ends only, ends with one, has
    no line that begins with a dot, and is ASCII but for an address. Raises PublishError when it would not.
    """

    def __init__(self, prepared: bytes) -> None:
        if not prepared.startswith(_MAGIC):
            raise PublishError("the prepared letter is of another release", permanent=True)
        (count,) = _COUNT.unpack_from(prepared, len(_MAGIC))
        start = len(_MAGIC) + _COUNT.size
        at = start + count * _PIECE.size
        self._pieces: list[bytes] = []
        self._places: list[tuple[int, int]] = []  # (where among the pieces, kind)
        for kind, size in _PIECE.iter_unpack(prepared[start:at]):
            if kind:
                self._places.append((len(self._pieces), kind))
            self._pieces.append(prepared[at : at + size])
            at += size
        _check_lines(self._pieces, dict(self._places))

    @property
    def pieces(self) -> list[tuple[int, bytes]]:
        """(0, bytes as they stand), or (the kind of a place, nothing)."""
        kinds = dict(self._places)
        return [(kinds.get(place, 0), piece) for place, piece in enumerate(self._pieces)]

    def letter(self, values: Sequence[bytes]) -> list[bytes]:
        """One reader's letter in pieces, with what `values_of` says."""
        pieces = self._pieces.copy()
        for place, kind in self._places:
            pieces[place] = values[kind]
        return pieces


def values_of(reader: Reader) -> tuple[bytes, ...]:
    """What stands in the places, by their kinds; no white space. Raises PublishError for what could break out
    of its place in a header."""
    return (
        b"",
        _checked_address(reader.address),
        _checked(_MESSAGE_ID_FORM, reader.message_id),
        _checked(_TOKEN_FORM, reader.unsubscribe_token),
        _checked(_TOKEN_FORM, reader.preferences_token),
    )


def splice(prepared: bytes, reader: Reader) -> bytes:
    """One reader's letter. Raises PublishError for what could break out of its place in a header."""
    return b"".join(Opened(prepared).letter(values_of(reader)))


def _check_lines(pieces: Sequence[bytes], places: Mapping[int, int]) -> None:
    """A reader's values hold neither CR nor LF, and of them only an address may begin with a dot. So it is
    enough to look at one letter, that of a reader whose address is a dot."""
    values = {place: b"." if kind == _ADDRESS else b"x" for place, kind in places.items()}
    whole = b"".join(values.get(place, piece) for place, piece in enumerate(pieces))
    ends = whole.count(b"\r\n")
    if whole.count(b"\n") != ends or whole.count(b"\r") != ends or not whole.endswith(b"\r\n"):
        raise PublishError("the prepared letter's lines do not all end with CR LF", permanent=True)
    if whole.startswith(b".") or b"\r\n." in whole or not whole.isascii():
        raise PublishError("the prepared letter is not one that mail can carry as it is", permanent=True)


# ---------------------------------------------------------------- a notice


def build_notice(
    notice: Notice, site: Site, sender: Sender, text: NoticeText, *, language: str, message_id: str
) -> bytes:
    """A letter that is no issue, whole: it has one recipient, and no list that one could leave."""
    boundary = _boundary("notice", notice.kind, notice.key)
    head = b"".join(
        (
            _from(sender, site),
            b"To: ", _checked_address(notice.recipient), b"\r\n",
            header("Subject", text_tokens("Subject", clamp(text.subject, SUBJECT_LIMIT))),
            _date(notice.created_at),
            b"Message-ID: ", _checked(_MESSAGE_ID_FORM, message_id), b"\r\n",
            _automatic(language),
            _multipart(boundary),
        )
    )  # fmt: skip
    return head + b"".join(content for _, content in _parts(text.text, text.html, boundary, {}))


# ---------------------------------------------------------------- headers

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_NAME_OF_HOST = re.compile(r"(?!.*\.[0-9]+$)[a-z0-9-]+(\.[a-z0-9-]+)+")  # no address, and not only one label


def _from(sender: Sender, site: Site) -> bytes:
    for address in (sender.address, sender.reply_to or sender.address):
        if not is_address(address) or not wire_address(address).isascii():
            raise PublishError(f"letters cannot come from {address!r}: a plain ASCII address is needed")
    name = phrase_tokens("From", sender.name) or phrase_tokens("From", site.title)
    fields = header("From", [*name, f"<{wire_address(sender.address)}>"])
    if sender.reply_to:
        fields += header("Reply-To", [wire_address(sender.reply_to)])
    return fields


def _date(moment: datetime) -> bytes:
    return header("Date", [format_datetime(moment)])


def _automatic(language: str) -> bytes:
    """What tells machines not to answer (RFC 3834), and in which language the letter is."""
    fields = (
        b"Auto-Submitted: auto-generated\r\n"
        b"Precedence: bulk\r\n"
        b"X-Auto-Response-Suppress: OOF, AutoReply\r\n"
    )  # fmt: skip
    return fields + (header("Content-Language", [language]) if _LANGUAGE.fullmatch(language) else b"")


def _multipart(boundary: str) -> bytes:
    return (
        b"MIME-Version: 1.0\r\n"
        b"Content-Type: multipart/alternative;\r\n"
        b' boundary="' + boundary.encode() + b'"\r\n\r\n'
    )  # fmt: skip


def _list_id(issue: Issue, newsletter: Newsletter, sender: Sender) -> list[str]:
    """`World in brief <world.news.example.org>` (RFC 2919).

    Under the authority that the newsletter got with its first issue, so that nobody's filters break when
    `site.url` moves; under the sender's domain if that authority is no name.
    """
    authority = issue.tag.removeprefix("tag:").partition(",")[0].lower()
    domain = authority if _NAME_OF_HOST.fullmatch(authority) else sender.domain
    return [*phrase_tokens("List-Id", newsletter.title), f"<{newsletter.slug}.{domain}>"]


def _sender_id(sender: Sender) -> str:
    """The constant part of Feedback-ID, 5 to 15 characters, by which Gmail tells senders apart."""
    return "d" + sha256(sender.domain.encode()).hexdigest()[:10]


def _boundary(*about: str) -> str:
    """`=_` cannot occur in quoted-printable text, so no boundary can occur in a part (RFC 2045 6.7)."""
    return "=_" + sha256("\n".join(about).encode()).hexdigest()[:24]


# ---------------------------------------------------------------- parts and places

# Kinds of pieces; 0 is bytes as they stand.
_ADDRESS, _MESSAGE_ID, _UNSUBSCRIBE, _PREFERENCES = 1, 2, 3, 4

# In headers a NUL marks a place: `header` never writes one.
_ADDRESS_PLACE, _MESSAGE_ID_PLACE = b"\0a", b"\0m"
_HEAD_PLACES = {_ADDRESS_PLACE: _ADDRESS, _MESSAGE_ID_PLACE: _MESSAGE_ID}

_TOKEN_FORM = re.compile(r"[A-Za-z0-9_-]{1,72}", re.ASCII)
_MESSAGE_ID_FORM = re.compile(r"<[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+>", re.ASCII)

# magic, number of pieces, (kind, size) of each, the bytes of those that are no place
_MAGIC = b"digest letter 1\n"
_COUNT = struct.Struct(">H")
_PIECE = struct.Struct(">BI")

_Pieces = list[tuple[int, bytes]]


def _stand_ins(issue: Issue) -> tuple[str, str]:
    told = repr(issue).encode("utf-8", "backslashreplace")
    return "u" + sha256(b"unsubscribe" + told).hexdigest(), "p" + sha256(b"preferences" + told).hexdigest()


def _parts(text: str, html: str, boundary: str, marks: Mapping[str, int]) -> _Pieces:
    """Text first, then HTML: readers show the last part that they can (RFC 2046 5.1.4)."""
    pieces: _Pieces = []
    for kind, body in (("plain", text), ("html", html)):
        pieces.append(
            (
                0,
                f"--{boundary}\r\n"
                f"Content-Type: text/{kind}; charset=utf-8\r\n"
                "Content-Transfer-Encoding: quoted-printable\r\n\r\n".encode(),
            )
        )
        pieces += _body(body, marks)
        pieces.append((0, b"\r\n"))
    return [*pieces, (0, f"--{boundary}--\r\n".encode())]


def _body(body: str, marks: Mapping[str, int]) -> _Pieces:
    """A part in quoted-printable. A place stands on a line of its own between soft line breaks, so that
    whatever is put there leaves no line longer than 76."""
    if not marks:
        return [(0, quoted_printable(body))]
    pieces: _Pieces = []
    for segment in re.split("(" + "|".join(map(re.escape, marks)) + ")", body):
        if segment in marks:
            before = pieces[-1][1]
            soft = b"" if not before or before.endswith(b"\r\n") else b"=\r\n"
            pieces += [(0, soft), (marks[segment], b""), (0, b"=\r\n")]
        else:
            pieces.append((0, quoted_printable(segment)))
    return pieces


def _cut(head: bytes, marks: Mapping[bytes, int]) -> _Pieces:
    pattern = re.compile(b"(" + b"|".join(map(re.escape, marks)) + b")")
    return [(marks[each], b"") if each in marks else (0, each) for each in pattern.split(head)]


def _packed(pieces: Sequence[tuple[int, bytes]]) -> bytes:
    """Neighbouring bytes joined, then everything in one."""
    joined: _Pieces = []
    for kind, content in pieces:
        if kind == 0 and joined and joined[-1][0] == 0:
            joined[-1] = (0, joined[-1][1] + content)
        else:
            joined.append((kind, content))
    table = b"".join(_PIECE.pack(kind, len(content)) for kind, content in joined)
    return _MAGIC + _COUNT.pack(len(joined)) + table + b"".join(content for _, content in joined)


def _checked_address(address: str) -> bytes:
    if not is_address(address):
        raise PublishError("the address cannot stand in a letter", permanent=True)
    return wire_address(address).encode()


def _checked(form: re.Pattern[str], value: str) -> bytes:
    if not form.fullmatch(value):
        raise PublishError("a value of the reader's own cannot stand in a letter", permanent=True)
    return value.encode("ascii")

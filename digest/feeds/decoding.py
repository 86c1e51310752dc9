"""Bytes to text, believing the bytes before what is said about them. Pure.

Feeds say one encoding in the header, another in the document and use a third. A byte order mark is believed;
text that is valid UTF-8 is UTF-8; then comes what is declared, as browsers understand it (WHATWG Encoding);
what declares nothing that can be true is guessed.
"""

from __future__ import annotations

import codecs
import re

from digest.feeds.guessing import guess, is_mostly_utf8
from digest.model import FeedError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# XML 1.0, appendix F.1: how `<` and its neighbour look without a mark.
_SHAPES = (
    (re.compile(rb"<\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0\0\0<"), "utf-32-be"),
    (re.compile(rb"(?:[\s<]\0){2}|<\0[?!a-zA-Z]\0"), "utf-16-le"),
    (re.compile(rb"(?:\0[\s<]){2}|\0<\0[?!a-zA-Z]"), "utf-16-be"),
)

_ALIASES = {
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "x-euc-jp": "euc_jp",
    "big5": "big5hkscs",
    "x-mac-cyrillic": "mac_cyrillic",
    "unicode": "utf-8",
}
_SEVEN_BIT = frozenset(("iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_kr", "hz"))
_UNIVERSAL = frozenset(("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7"))

_DECLARED = re.compile(rb"""^[^>]{0,20}<\?xml[^>]{0,200}?\bencoding\s*=\s*["']([\w.:-]{1,40})["']""")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)

_BINARY = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"RIFF", "a media file"),
    (b"ID3", "an MP3 file"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\x7fELF", "a program"),
)


def to_text(body: bytes, content_type: str) -> str:
    """The text of a document. Raises FeedError when it is no text at all."""
    for magic, name in _BINARY:
        if body.startswith(magic):
            raise FeedError(f"this is {name}, not a feed: check the url")
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return _checked(body[len(mark) :].decode(encoding, "replace"))
    for shape, encoding in _SHAPES:
        if shape.match(body):
            return _checked(body.decode(encoding, "replace"))
    return _checked(_without_mark(body, content_type))


def _without_mark(body: bytes, content_type: str) -> str:
    declared = _DECLARED.match(body)
    said = _CHARSET.search(content_type)
    candidates = [
        _codec(declared[1].decode("ascii", "replace")) if declared else None,
        _codec(said[1]) if said else None,
    ]
    # A charset in the header wins (RFC 7303 3.2), but not the one that servers add to everything.
    if candidates[1] not in (None, "cp1252") or candidates[0] is None:
        candidates.reverse()
    for codec in candidates:
        if codec in _SEVEN_BIT and body.isascii():
            return body.decode(codec, "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.end >= len(body) - 3 and error.reason == "unexpected end of data":
            return body[: error.start].decode("utf-8")  # half a file, cut within a character
    known = [codec for codec in candidates if codec is not None and codec not in _UNIVERSAL]
    for codec in known:
        try:
            return body.decode(codec)
        except UnicodeDecodeError:
            continue
    if known:
        return body.decode(known[0], "replace")
    # It says UTF-8, or nothing. Where most of it is, every other byte is read as Windows-1252.
    if is_mostly_utf8(body):
        return body.decode("utf-8", "digest-windows-1252")
    return body.decode(guess(body), "replace")


def _codec(name: str) -> str | None:
    name = name.lower()
    try:
        found = codecs.lookup(_ALIASES.get(name, name))
    except LookupError:
        return None
    # Python also lists codecs that do not make text: base64, zip, rot13.
    return found.name if getattr(found, "_is_text_encoding", True) else None


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("digest-windows-1252", _as_windows_1252)


def _checked(text: str) -> str:
    head = text[:1000]
    if "<" not in head and "{" not in head:
        strange = sum(character < " " and character not in "\t\n\r\f\x0b" for character in head)
        if strange > len(head) // 10:
            raise FeedError("this is not text but something binary, not a feed: check the url")
    return text

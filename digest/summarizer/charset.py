"""The bytes of a web page as text: a mark is believed, then valid UTF-8, then what is declared. Pure."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from itertools import chain

from digest import html

SURELY_UTF8 = 16  # bytes above ASCII, every one of them in its place
_MOST = html.MAX_MARKUP * 2  # bytes; what lies behind is never read
_DECLARED = re.compile(
    rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w.:-]+)|<\?xml[^>]+encoding\s*=\s*[\"']([\w.:-]+)", re.IGNORECASE
)
_IN_HEADER = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_LANGUAGE = re.compile(rb"<html[^>]+lang\s*=\s*[\"']?\s*([a-zA-Z]{2})", re.IGNORECASE)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What browsers understand by these names (WHATWG Encoding).
_ALIASES = {
    "ascii": "cp1252", "us-ascii": "cp1252", "iso-8859-1": "cp1252", "iso8859-1": "cp1252",
    "latin1": "cp1252", "latin-1": "cp1252", "iso-8859-9": "cp1254", "iso-8859-11": "cp874",
    "tis-620": "cp874", "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "shift_jis": "cp932",
    "shift-jis": "cp932", "x-sjis": "cp932", "sjis": "cp932", "windows-31j": "cp932", "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949", "big5": "big5hkscs", "x-euc-jp": "euc_jp", "x-mac-cyrillic": "mac_cyrillic",
}  # fmt: skip
# Not all that Python knows: it lists codings that make no text, and in UTF-16 nobody could read `<meta`.
_OF_PAGES = re.compile(r"ascii|big5|cp\d|euc|gb|hz$|iso|johab|koi8|kz|mac|ptcp|shift|tis|utf-8$")
_SEVEN_BIT = frozenset(("iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_kr", "hz"))
# A guesser cannot tell the codings of Latin letters apart: of these the language of the page decides.
_LATIN = re.compile(r"cp(?:125[0247]|437|775|85\d|86\d)|iso8859_\d+|latin_\d|mac_\w+|hp_roman8")
_CENTRAL = frozenset(b"pl cs sk hu hr sl ro sq bs".split())


def decoded(page: bytes, content_type: str = "") -> str:
    """The text of a page. content_type: the header that came with it. Never raises."""
    page = page[:_MOST]
    for mark, codec in _MARKS:
        if page.startswith(mark):
            return page[len(mark) :].decode(codec, "replace")
    for start, codec in ((b"<\0", "utf-16-le"), (b"\0<", "utf-16-be")):
        if page.lstrip(b"\r\n\t ").startswith(start):
            return page.decode(codec, "replace")
    named = list(_named(page, content_type))
    if b"\x1b" in page or b"~{" in page:
        for codec in named:
            if codec in _SEVEN_BIT and page.isascii():
                return page.decode(codec, "replace")
    text = page.decode("utf-8", "replace")
    high = len(page.translate(None, bytes(range(128))))
    # A few bad bytes, or a character cut in two at the end, make no other encoding of it. Bytes of another
    # one do not make so many characters of UTF-8 by chance, whatever is declared.
    bad = text.count("\ufffd")
    if bad * 20 <= high and (not named or "utf-8" in named or (bad <= 1 and high >= SURELY_UTF8)):
        return text
    for codec in chain(named, _guessed(page)):
        try:
            return page.decode(codec)
        except UnicodeDecodeError as error:
            if error.end >= len(page) - 3 and codec != "utf-8":
                return page[: error.start].decode(codec)
    return page.decode(next((name for name in named if name != "utf-8"), "cp1252"), "replace")


def _named(page: bytes, content_type: str) -> Iterator[str]:
    """The codecs that the header and the page itself name."""
    header, within = _IN_HEADER.search(content_type), _DECLARED.search(page[:4096])
    names = [header[1] if header else "", (within[1] or within[2]).decode("ascii") if within else ""]
    for name in filter(None, names):
        try:
            codec = codecs.lookup(_ALIASES.get(name.lower(), name))
        except LookupError:
            continue
        if _OF_PAGES.match(codec.name):
            yield codec.name


def _guessed(page: bytes) -> Iterator[str]:
    from trafilatura.utils import detect_encoding  # 0.3 s: only workers pay for it

    language = _LANGUAGE.search(page[:4096])
    latin = "cp1250" if language and language[1].lower() in _CENTRAL else "cp1252"
    for guess in detect_encoding(page)[:1]:
        yield latin if _LATIN.fullmatch(guess) else guess
    yield latin

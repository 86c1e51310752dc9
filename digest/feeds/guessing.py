"""Which encoding a text is in that does not say so, or says something that cannot be. Pure.

Many old sites write Windows-1251, Shift_JIS or Windows-1250 and declare UTF-8 or nothing. Door of: chardet
(measured on 37 samples in 23 languages, titles of five words: 37 right; charset-normalizer 29).
"""

from __future__ import annotations

import re

_HIGH = bytes(range(0x80, 0x100))
_WESTERN = ("cp1252", "cp1250", "iso8859-2", "cp1254", "cp1257")
_OTHERS = (
    *("cp1251", "koi8-r", "koi8-u", "iso8859-5", "cp866"),
    *("cp1253", "iso8859-7", "cp1255", "iso8859-8", "cp1256", "iso8859-6", "cp874"),
    *("cp1252", "gb18030", "big5", "big5hkscs", "cp932", "shift_jis", "euc-jp", "cp949", "euc-kr"),
)
_WIDER = {"shift_jis": "cp932", "euc_kr": "cp949", "gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs"}
_LONGEST_SAMPLE = 20_000
_FEWEST_LETTERS = 2

_TAG = re.compile(rb"<[^<>]{0,500}>|&[a-z]{1,8};")
_HIGH_BYTE = re.compile(rb"[\x80-\xff]")
_RUN = re.compile(rb"[\x80-\xff]{3}")


def is_mostly_utf8(body: bytes) -> bool:
    """Are there more characters of UTF-8 in it than bytes that are none?"""
    plain = len(body.translate(None, _HIGH))
    read = body.decode("utf-8", "ignore")
    bad = len(body) - len(read.encode())
    return len(read) - plain >= bad


def guess(body: bytes) -> str:
    """The name of a codec; Windows-1252 where nothing tells."""
    sample = _sample(body)
    letters = sample.translate(None, bytes(range(0x80)))
    # In the languages of Latin letters, a letter with a mark stands between others without.
    foreign = len(_RUN.findall(sample)) * 8 > len(sample.split())
    if not foreign and len(set(letters)) < _FEWEST_LETTERS:
        return "cp1252"
    import chardet  # few documents need it

    found = chardet.detect(
        sample,
        include_encodings=_OTHERS if foreign else _WESTERN,
        prefer_superset=False,
        compat_names=False,
        no_match_encoding="cp1252",
    )
    name = found["encoding"] or "cp1252"
    return _WIDER.get(name, name)


def _sample(body: bytes) -> bytes:
    """Text without markup, from where the first odd byte stands."""
    first = _HIGH_BYTE.search(body)
    start = max(0, (first.start() if first else 0) - 200)
    return _TAG.sub(b" ", body[start : start + 2 * _LONGEST_SAMPLE])[:_LONGEST_SAMPLE]

"""Takes out of a document what makes feedparser slow, before it sees it. Pure.

Measured: 64 KB in one `<author>` cost it 35 seconds, 16,000 attributes in one tag 12, 50,000 entries 17. A
feed like that is broken or hostile: it keeps what a reader could want of it, and loses what nobody reads.
"""

from __future__ import annotations

import re

from digest.feeds.identity import MOST_ENTRIES

_LONGEST_PERSON = 1_000
_MOST_ATTRIBUTES = 200

_PERSON = re.compile(
    r"<(?:[\w.-]{1,30}:)?(?:author|creator|managingEditor|webMaster|publisher|name|email|owner)\b"
    r"[^<>]{0,1000}>\s{0,100}(<!\[CDATA\[)?",
    re.IGNORECASE,
)
_HALF_A_REFERENCE = re.compile(r"&[^;&]{0,20}$")
_LONG_TAG = re.compile(r"<[A-Za-z][^<>]{4000,}>")
_ATTRIBUTE = re.compile(r"""[^\s=<>"'/]+\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+)""")
_ENTRY = re.compile(r"<(?:[\w.-]{1,30}:)?(?:item|entry)[\s>]", re.IGNORECASE)


def tamed(document: str) -> str:
    document = _without_the_middle(document)
    if len(document) <= _LONGEST_PERSON:
        return document
    return _LONG_TAG.sub(_with_fewer_attributes, _with_shorter_people(document))


def _with_shorter_people(document: str) -> str:
    parts = []
    position = 0
    for found in _PERSON.finditer(document):
        start = found.end()
        end = document.find("]]>" if found[1] else "<", start)
        if end < 0:  # open to the end: the next one is open, too
            end = len(document)
        if start < position or end - start <= _LONGEST_PERSON:
            continue
        text = document[start : start + _LONGEST_PERSON]
        parts += [document[position:start], _HALF_A_REFERENCE.sub("", text)]
        position = end
        if end == len(document):
            break
    return "".join((*parts, document[position:]))


def _with_fewer_attributes(found: re.Match[str]) -> str:
    tag = found[0]
    if tag.count("=") <= _MOST_ATTRIBUTES:
        return tag
    name = re.split(r"[\s/]", tag[:200], maxsplit=1)[0]
    kept = [
        each for each, _ in zip(_ATTRIBUTE.findall(tag[len(name) :]), range(_MOST_ATTRIBUTES), strict=False)
    ]
    return f"{name} {' '.join(kept)}{'/>' if tag.endswith('/>') else '>'}"


def _without_the_middle(document: str) -> str:
    """Only the first and the last entries of a document that has too many. The newest stand at one of its
    ends; which one, their dates will tell."""
    starts = [found.start() for found in _ENTRY.finditer(document)]
    if len(starts) <= 2 * MOST_ENTRIES:
        return document
    return document[: starts[MOST_ENTRIES]] + document[starts[-MOST_ENTRIES] :]

"""Words and terms of a text: what the summary, the fingerprint and the grouping count.

A word is a run of letters and digits, in lower case; in scripts without spaces it is two characters that
follow
each other. A term is a word that says something (no stop word), cut to seven letters so that endings matter
less.
"""

from __future__ import annotations

import re
from functools import lru_cache

_DENSE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_DENSE}]+|[^\W_{_DENSE}]+(?:['’][^\W_{_DENSE}]+)*")
_ONE_DENSE = re.compile(rf"[{_DENSE}\u0e00-\u0e7f]")
_IS_DENSE = re.compile(rf"[{_DENSE}]")
_DIACRITICS = re.compile("[\u064b-\u0652\u0640]")  # Arabic vowel signs and the stretching line
_UNCUT = frozenset(("zh", "ja", "ko", "vi", "th"))
_CUT = 7


def words(text: str) -> list[str]:
    """All words in order."""
    found = []
    for run in _WORD.findall(_DIACRITICS.sub("", text.lower())):
        if not _IS_DENSE.match(run):
            found.append(run.replace("’", "'"))
        elif len(run) == 1:
            found.append(run)
        else:
            found.extend(run[place : place + 2] for place in range(len(run) - 1))
    return found


def terms(text: str, language: str) -> list[str]:
    """The words that say something, in order."""
    return terms_of(words(text), language)


def whole_terms(text: str, language: str) -> list[str]:
    """The same, uncut."""
    return terms_of(words(text), language, length=99)


def terms_of(found: list[str], language: str, length: int = _CUT) -> list[str]:
    stop = stop_words(language)
    length = 99 if language in _UNCUT else length
    kept = []
    for word in found:
        base = word.partition("'")[0] if word.endswith("'s") else word.rpartition("'")[2]
        if base in stop or word in stop or (len(base) == 1 and not _IS_DENSE.match(base)):
            continue
        kept.append(base[:length])
    return kept


@lru_cache(maxsize=32)
def stop_words(language: str) -> frozenset[str]:
    """Words that every text of a language has; empty for a language we know nothing about."""
    from stopwordsiso import has_lang, stopwords

    return frozenset(stopwords(language)) if language and has_lang(language) else frozenset()


def count_words(text: str) -> int:
    """Words for a reader's time; in scripts without spaces two characters count as one."""
    dense = _ONE_DENSE.findall(text)
    return len(_ONE_DENSE.sub(" ", text).split()) + len(dense) // 2 if dense else len(text.split())

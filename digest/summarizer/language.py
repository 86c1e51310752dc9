"""The language of a text: what the feed declares, unless the text plainly is another."""

from __future__ import annotations

import re

from digest.model import RENAMED_LANGUAGES

UNKNOWN = "und"  # BCP 47: undetermined

_SHORT = 80  # letters; below, a guess is worth less than a declaration
_SAMPLE = 4_000
_DOUBT = 0.25  # of the best score
_LETTERS = re.compile(r"[^\W\d_]")
_TAG = re.compile(r"[A-Za-z]{2,3}")
_NOT_LATIN = re.compile("[\u0370-\u1dff\u2d00-\ua6ff\ua800-\uabff]")
_FOREIGN_LANGUAGES = """
am ar be bg bn ckb dv el fa gu he hi hy ja ka kk km kn ko ky lo mk ml mn mr my ne or pa ps ru sa sd si ta te
tg th ti ug uk ur yi zh
"""
_FOREIGN = frozenset(_FOREIGN_LANGUAGES.split())
_TWO_SCRIPTS = frozenset(("az", "bs", "sr", "uz", "ku", "ms"))
_SCRIPTS = (
    # a script that only one language of the news uses, or that rules out the others
    (re.compile("[\u3040-\u30ff]"), "ja"),
    (re.compile("[\uac00-\ud7af]"), "ko"),
    (re.compile("[\u0e00-\u0e7f]"), "th"),
    (re.compile("[\u0590-\u05ff]"), "he"),
    (re.compile("[\u0370-\u03ff]"), "el"),
    (re.compile("[\u4e00-\u9fff]"), "zh"),
)


def normalized(tag: str) -> str:
    """`en-GB` and `EN_us` are `en`; empty for what is no language tag."""
    found = _TAG.match(tag.strip())
    language = found[0].lower() if found else ""
    return RENAMED_LANGUAGES.get(language, language)


def language_of(title: str, text: str, declared: str = "") -> str:
    """The language of an article: of its text where that is long enough, whatever its title is written in."""
    if len(_LETTERS.findall(text[:_SAMPLE])) >= _SHORT:
        return detect(text, declared)
    return detect(f"{title}\n{text}", declared)


def detect(text: str, declared: str = "") -> str:
    """The language of a text as two letters; `und` when nothing tells."""
    declared = normalized(declared)
    sample = text[:_SAMPLE]
    letters = len(_LETTERS.findall(sample))
    if not letters:
        return declared or UNKNOWN
    for script, language in _SCRIPTS:
        if len(script.findall(sample)) * (10 if language == "ja" else 3) > letters:
            return declared if declared == language else language
    foreign = len(_NOT_LATIN.findall(sample)) * 2 > letters
    if foreign != (declared in _FOREIGN) and declared not in _TWO_SCRIPTS:
        declared = ""  # it cannot be what they say
    if letters < _SHORT and declared:
        return declared
    return _guess(sample, declared)


def _guess(text: str, declared: str) -> str:
    """What the model says; but a declaration stands unless the model finds it much less likely."""
    import py3langid  # numpy and a model: 0.7 s, only workers pay for it

    ranked: list[tuple[str, float]] = py3langid.rank(text)
    best, score = ranked[0]
    own = dict(ranked).get(declared)
    if declared and (own is None or score - own < _DOUBT * abs(score)):
        return declared
    return best

"""Is a quotation or a bracket whole, in the marks of all languages: “ ” „ “ « » ‹ › 「 」 and straight?"""

from __future__ import annotations

import re

# A mark, or a single one where a word begins (it opens) or ends (it closes, or is an apostrophe). Inches are
# none.
_MARK = re.compile(
    r"[“”„‟«»‹›()「」『』《》（）]|(?<!\d)\"|(?<=\d)\"(?=\W|$)|''|``|(?:(?<=^)|(?<=[\s(\[“„«\"—–-]))[‘‚](?=\w)"
    r"|(?<=\S)[’‘](?=[\s.,;:!?)\]”“»\"]|$)"
)
_PAIRS = ("()", "「」", "『』", "《》", "（）")
_DOUBLE = str.maketrans("", "", "«»‹›()「」『』《》（）\"'<>")


def marks(text: str) -> str:
    """The marks of a text in their order, in one alphabet: `\"` for straight, `<` `>` for single ones."""
    found = []
    for match in _MARK.finditer(text):
        mark = match[0]
        if mark in ("''", "``"):
            mark = '"'
        elif mark in "‘‚’":
            mark = "<" if text[match.end() : match.end() + 1].isalnum() else ">"
        found.append(mark)
    return "".join(found)


def is_open(found: str) -> bool:
    """Is something opened and not closed by these marks, or closed and not opened?"""
    if not found:
        return False
    if any(found.count(pair[0]) != found.count(pair[1]) for pair in _PAIRS):
        return True
    if found.count('"') % 2 or (found.count("«") + found.count("»")) % 2:
        return True
    if (found.count("‹") + found.count("›")) % 2 or found.count("<") > found.count(">"):
        return True
    double = found.translate(_DOUBLE)
    if len(double) % 2:
        return True
    # `lucky,” he said. “We`: as many as there should be, but the first closes
    return double[:2] == "“„" or (double[:1] == "”" and ("“" in double or "„" in double))


def is_torn(sentence: str, before: str = "") -> bool:
    """Does a quotation or a bracket begin or end in it whose other half is elsewhere?

    before: what stands before it in its paragraph; a sentence from the middle of a quotation is torn, too.
    """
    return is_open(marks(sentence)) or is_open(marks(before))

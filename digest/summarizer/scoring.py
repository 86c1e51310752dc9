"""How good the answers to labelled rows are: the measures of each text task.

The tasks, their rows and their gold fields are described in docs/how-to/measure-quality.md. Pure: it is given
rows and answers, and gives numbers.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import fmean
from typing import Any

Row = Mapping[str, Any]
Answers = Mapping[str, Any]
"""By the id of the row. A row that is not in it was not answered."""

FIELDS = {
    "extract_body": "text",
    "extract_snippets": "text",
    "summarize": "summary",
    "cluster": "cluster",
    "neardup": "group",
    "sentences": "sentences",
}
"""Task → the field of an answer."""
GOLD = {
    "extract_body": ("body",),
    "extract_snippets": ("with", "without"),
    "summarize": ("ref",),
    "cluster": ("story",),
    "neardup": ("original", "kind"),
    "sentences": ("sentences",),
}
"""Task → the fields that a labelled row must have; the method never sees them."""
ASIDE = ("event", "part", "set")  # more that only the scorer may see


class BadRow(ValueError):
    """A row that cannot be used; the text says what is wrong with it."""


def score(task: str, rows: Sequence[Row], answers: Answers) -> dict[str, float]:
    """Every measure of the task, by name. Raises ValueError for a task that is not known."""
    if task not in _MEASURES:
        raise ValueError(f"no such task: {task}; there are {', '.join(sorted(_MEASURES))}")
    return _MEASURES[task](rows, answers)


def hidden(row: Row, task: str) -> dict[str, Any]:
    """The row as the method gets it: without what is right."""
    return {name: value for name, value in row.items() if name not in (*GOLD[task], *ASIDE)}


def check_gold(task: str, row: Row) -> None:
    """Raises BadRow for a row that is not labelled as the task needs."""
    for name in GOLD[task]:
        lists = name in ("with", "without", "sentences")
        value = row.get(name)
        if not isinstance(value, list if lists else str):
            raise BadRow(f"the row needs '{name}', {'a list of texts' if lists else 'a text'}")
    if task == "summarize" and not isinstance(row.get("max_chars"), int):
        raise BadRow("the row needs 'max_chars', a number")
    if task == "sentences" and not isinstance(row.get("set") or row.get("lang"), str):
        raise BadRow("the row needs 'lang' or 'set', a text")


# ---------------------------------------------------------------- the text of a page

_WORD = re.compile(r"\w+")
_LEAKS = re.compile(
    "|".join(
        map(
            re.escape,
            (
                "leave a comment", "leave a reply", "your email address will not be published",
                "required fields are marked", "scroll to top", "click to share", "share on facebook",
                "share on twitter", "share on linkedin", "sign up for our", "subscribe to our",
                "we use cookies", "accept cookies", "accept all cookies", "cookie policy", "related articles",
                "related posts", "related stories", "you may also like", "all rights reserved",
                "privacy policy", "kommentar hinterlassen", "kommentar schreiben", "dodaj komentarz",
                "laisser un commentaire",
            ),
        )
    ),
    re.IGNORECASE,
)  # fmt: skip


def _body(rows: Sequence[Row], answers: Answers) -> dict[str, float]:
    """Runs of four words that the answer shares with the article, each as often as it occurs.

    F1 is made of the mean precision (over the pages with an answer) and the mean recall (over those with a
    text), as the public benchmarks of article bodies do. leak: pages with words of furniture that the
    article does not have.
    """
    precisions, recalls, each_f1, leaks = [], [], [], 0
    for row in rows:
        wanted, text = row["body"], answers.get(row["id"]) or ""
        right, given = _fours(wanted), _fours(text)
        shared, of_right, of_given = (right & given).total(), right.total(), given.total()
        if of_given:
            precisions.append(shared / of_given)
        if of_right:
            recalls.append(shared / of_right)
        each_f1.append(2 * shared / (of_right + of_given) if of_right + of_given else 1.0)
        leaks += _LEAKS.search(text) is not None and _LEAKS.search(wanted) is None
    precision, recall = mean(precisions), mean(recalls)
    return {
        "F1": _harmonic(precision, recall),
        "precision": precision,
        "recall": recall,
        "mean F1 of a page": mean(each_f1),
        "pages under .5": sum(value < 0.5 for value in each_f1),
        "leak": leaks / max(1, len(rows)),
    }


def _fours(text: str) -> Counter[tuple[str, ...]]:
    words = _WORD.findall(text)
    if len(words) < 4:
        return Counter([tuple(words)] if words else [])
    return Counter(zip(words, words[1:], words[2:], words[3:], strict=False))


def _snippets(rows: Sequence[Row], answers: Answers) -> dict[str, float]:
    """Of the phrases of a page that must come out, and of those that must not, which are in the answer."""
    found = missed = leaked = 0
    for row in rows:
        text = answers.get(row["id"]) or ""
        inside = sum(phrase in text for phrase in row["with"])
        found += inside
        missed += len(row["with"]) - inside
        leaked += sum(phrase in text for phrase in row["without"])
    precision, recall = _share(found, found + leaked), _share(found, found + missed)
    return {"F1": _harmonic(precision, recall), "precision": precision, "recall": recall}


# ---------------------------------------------------------------- summaries

# A letter of the scripts that write no spaces is a word of its own.
_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+")


def _summaries(rows: Sequence[Row], answers: Answers) -> dict[str, float]:
    """ROUGE-1, -2 and -L against the reference, each an F1 in percent; lower-cased, unstemmed. What is longer
    than the row allows is cut. copied: the share of its runs of three words that the article has."""
    found: list[tuple[float, float, float]] = []
    copied: list[float] = []
    over = missing = 0
    for row in rows:
        text = (answers.get(row["id"]) or "").strip()
        missing += not text
        over += len(text) > row["max_chars"]
        said = _tokens(text[: row["max_chars"]])
        found.append(rouge(said, _tokens(row["ref"])))
        article = _tokens(row["text"])
        known = set(zip(article, article[1:], article[2:], strict=False))
        runs = list(zip(said, said[1:], said[2:], strict=False))
        copied.append(sum(run in known for run in runs) / len(runs) if runs else float(bool(said)))
    one, two, longest = (100 * mean(each[which] for each in found) for which in range(3))
    return {
        "ROUGE": (one + two + longest) / 3,
        "ROUGE-1": one,
        "ROUGE-2": two,
        "ROUGE-L": longest,
        "copied": mean(copied),
        "missing": missing,
        "too long": over,
    }


def rouge(said: Sequence[str], reference: Sequence[str]) -> tuple[float, float, float]:
    """F1 of single words, of pairs, and of the longest common subsequence."""
    ones = Counter(said) & Counter(reference)
    twos = Counter(pairwise(said)) & Counter(pairwise(reference))
    return (
        _overlap(ones.total(), len(said), len(reference)),
        _overlap(twos.total(), max(0, len(said) - 1), max(0, len(reference) - 1)),
        _overlap(_common_subsequence(said, reference), len(said), len(reference)),
    )


def _common_subsequence(left: Sequence[str], right: Sequence[str]) -> int:
    """Its length. A row of the usual table as the bits of one number: a bit is 0 where the length steps up
    (Crochemore, Iliopoulos, Pinzon and Reid, 2001)."""
    places: defaultdict[str, int] = defaultdict(int)
    for place, word in enumerate(left):
        places[word] |= 1 << place
    all_ones = (1 << len(left)) - 1
    bits = all_ones
    for word in right:
        same = bits & places[word]
        bits = ((bits + same) | (bits & ~same)) & all_ones
    return len(left) - bits.bit_count()


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text.lower())


# ---------------------------------------------------------------- stories and copies


def _stories(rows: Sequence[Row], answers: Answers) -> dict[str, float]:
    return _partition(rows, answers, "story")


def _copies(rows: Sequence[Row], answers: Answers) -> dict[str, float]:
    return _partition(rows, answers, "original")


def _partition(rows: Sequence[Row], answers: Answers, gold: str) -> dict[str, float]:
    """B-cubed: for each row, how much of its group belongs there, and how much of its story is in it. Pairs:
    of two rows put together, how many belong together. A row without an answer is alone."""
    group: list[Hashable] = [
        ("group", answers[row["id"]]) if row["id"] in answers else ("alone", number)
        for number, row in enumerate(rows)
    ]
    story = [row[gold] for row in rows]
    in_group, in_story, in_both = Counter(group), Counter(story), Counter(zip(group, story, strict=True))
    places = list(zip(group, story, strict=True))
    precision = mean(in_both[place] / in_group[place[0]] for place in places)
    recall = mean(in_both[place] / in_story[place[1]] for place in places)
    right, together, belonging = (_pairs(counts) for counts in (in_both, in_group, in_story))
    return {
        "B-cubed F": _harmonic(precision, recall),
        "B-cubed precision": precision,
        "B-cubed recall": recall,
        "pair F": _overlap(right, together, belonging),
        "pair precision": _share(right, together),
        "pair recall": _share(right, belonging),
        "groups": len(in_group),
        "stories": len(in_story),
    }


def _pairs(sizes: Counter[Any]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes.values())


# ---------------------------------------------------------------- sentences


def _sentences(rows: Sequence[Row], answers: Answers) -> dict[str, float]:
    """Where one sentence ends and the next begins, counted in characters that are no space; F1 of each set of
    rows (or language), and their mean."""
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        right, given = _inner_ends(row["sentences"]), _inner_ends(answers.get(row["id"]) or ())
        of_set = counts[row.get("set") or row["lang"]]
        for place, number in enumerate((len(right & given), len(given), len(right))):
            of_set[place] += number
    each = {name: _overlap(*numbers) for name, numbers in sorted(counts.items())}
    return {"macro F1": mean(each.values()), **{f"F1 {name}": value for name, value in each.items()}}


def _inner_ends(pieces: Iterable[str]) -> set[int]:
    ends, place = set(), 0
    for piece in pieces:
        place += len("".join(piece.split()))
        ends.add(place)
    return ends - {0, place}


# ---------------------------------------------------------------- numbers


def mean(values: Iterable[float]) -> float:
    found = list(values)
    return fmean(found) if found else 0.0


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _harmonic(precision: float, recall: float) -> float:
    return _share(2 * precision * recall, precision + recall)


def _overlap(shared: int, left: int, right: int) -> float:
    return _share(2 * shared, left + right)


_MEASURES: dict[str, Callable[[Sequence[Row], Answers], dict[str, float]]] = {
    "extract_body": _body,
    "extract_snippets": _snippets,
    "summarize": _summaries,
    "cluster": _stories,
    "neardup": _copies,
    "sentences": _sentences,
}

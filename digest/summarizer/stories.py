"""Which articles are copies of one another, and which tell the same story.

Copies: the same address, id or text, or a third of the shorter one's four-word shingles in the other.
Stories: TF-IDF vectors of headline and beginning, average link inside each connected part of the graph of
likeness. Languages stay apart; round-ups, which would glue everything together, stay alone. Pure; numpy.
"""

from __future__ import annotations

import math
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

COPY = 0.3  # share of the smaller one's shingles
COPY_LEAST = 8  # shingles that say anything
COMMON = 50  # a shingle in more articles than this is furniture

LINK = 0.13  # cosine from which two articles may belong together
CUT = 0.175  # average link below which groups stay apart
STRICT_CUT = 0.24  # for groups that have grown too wide
WIDEST = timedelta(hours=72).total_seconds()
LARGEST = 200
BARE = 25  # terms below which an article is hardly more than its headline
BARE_FACTOR = 2.1
_LARGEST_PART = 3_000

_BLOCK = 512
_FREQUENT = 40  # document frequency from which a term is worth a dense column

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]

_ROUND_UP = re.compile(
    r"\b(?:morning|evening|daily|weekly|news|midday|afternoon|weekend)"
    r" (?:brief(?:ing)?|round-?up|digest|update|headlines|summary|wrap|recap|links)\b"
    r"|\blive ?(?:blog|updates?|coverage|ticker|stream)\b|\b(?:as it happened|what we know so far|top stories"
    r"|at a glance|week in (?:review|pictures)|things to know|news in pictures|open thread|the papers"
    r"|newswrap"
    r"|today's (?:papers|headlines|news)|what you need to know today)\b"
    r"|\b(?:tages|wochen)(?:rückblick|überblick|zusammenfassung)\b|\bliveticker\b|\bnewsblog\b|\bpresseschau\b"
    r"|\bdas wichtigste (?:am|des|vom|heute)\b|\bdie wichtigsten (?:themen|nachrichten|meldungen)\b"
    r"|\bkurz notiert\b"
    r"|\brevue de presse\b|\ben direct\b|\ble récap\b|\bl'essentiel de l'actualité\b"
    r"|\bce qu'il faut retenir\b"
    r"|\ben vivo\b|\bminuto a minuto\b|\bresumen (?:del día|de la semana|de noticias)\b|\bao vivo\b"
    r"|\bresumo do dia\b|\bin diretta\b|\brassegna stampa\b|\bna żywo\b|\bprzegląd (?:prasy|dnia)\b"
    r"|\bновости дня\b|\bموجز\b|\bأبرز (?:الأخبار|العناوين)\b|\bأهم الأخبار\b|早报|晚报|要闻|ニュースまとめ"
    r"|\bđiểm (?:tin|báo)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What grouping needs of an article. `time` in seconds, 0 when unknown."""

    language: str
    title: str
    terms: Mapping[str, int]
    time: float = 0.0


def is_round_up(title: str) -> bool:
    return bool(_ROUND_UP.search(title))


# ---------------------------------------------------------------- copies


def near_copies(shingles: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Pairs (by number, the smaller first) of which one holds much of the other."""
    sizes = np.array([len(each) for each in shingles], dtype=np.int64)
    if not len(sizes) or not sizes.sum():
        return []
    values = np.concatenate([np.asarray(each, dtype=np.int64) for each in shingles if len(each)])
    owners = np.repeat(np.arange(len(sizes)), sizes)
    order = np.lexsort((owners, values))
    values, owners = values[order], owners[order]
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    runs = np.diff(np.r_[starts, len(values)])
    usable = np.repeat((runs > 1) & (runs <= COMMON), runs)
    values, owners = values[usable], owners[usable]
    found: list[npt.NDArray[np.int64]] = []
    for step in range(1, COMMON):
        same = (
            np.flatnonzero(values[:-step] == values[step:]) if len(values) > step else np.empty(0, np.int64)
        )
        if not len(same):
            break
        found.append(owners[same] * len(sizes) + owners[same + step])
    if not found:
        return []
    pairs, counts = np.unique(np.concatenate(found), return_counts=True)
    left, right = pairs // len(sizes), pairs % len(sizes)
    smaller = np.minimum(sizes[left], sizes[right])
    good = (smaller >= COPY_LEAST) & (counts >= COPY * smaller) & (left != right)
    return [(int(a), int(b)) for a, b in zip(left[good], right[good], strict=True)]


def joined(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """For each number the smallest one that it is joined with by some chain of pairs."""
    root = list(range(count))

    def find(number: int) -> int:
        while root[number] != number:
            root[number] = root[root[number]]
            number = root[number]
        return number

    for a, b in pairs:
        low, high = sorted((find(a), find(b)))
        root[high] = low
    return [find(number) for number in range(count)]


# ---------------------------------------------------------------- stories


@dataclass(frozen=True, slots=True)
class Vectors:
    """Rows of unit length, one after the other: row n is terms[starts[n]:starts[n + 1]], in the order of the
    terms, with their weights. Terms of a single item are left out: they make nothing alike."""

    starts: Numbers
    terms: Numbers
    weights: Floats

    def __len__(self) -> int:
        return len(self.starts) - 1

    def cosine(self, left: int, right: int) -> float:
        a, b = (slice(self.starts[row], self.starts[row + 1]) for row in (left, right))
        _, x, y = np.intersect1d(self.terms[a], self.terms[b], assume_unique=True, return_indices=True)
        return float(self.weights[a][x] @ self.weights[b][y])


@dataclass(frozen=True, slots=True)
class Space:
    """The items of one language, by number, and their vectors in the same order."""

    numbers: list[int]
    vectors: Vectors


def spaces(items: Sequence[Item]) -> dict[str, Space]:
    """A space for each language."""
    by_language: dict[str, list[int]] = defaultdict(list)
    for number, item in enumerate(items):
        by_language[item.language].append(number)
    return {
        language: Space(numbers, vectors_of([items[number].terms for number in numbers]))
        for language, numbers in sorted(by_language.items())
    }


def group(
    items: Sequence[Item], within: Mapping[str, Space] | None = None, count: int | None = None
) -> list[list[int]]:
    """The numbers of the items, story by story; each is in exactly one.

    count: only the first `count` items are grouped; the others only lend their words to the vectors.
    """
    count = len(items) if count is None else count
    found: list[list[int]] = []
    for space in (within or spaces(items)).values():
        places = []
        for place, number in enumerate(space.numbers):
            if number >= count:
                continue
            if is_round_up(items[number].title) or not items[number].terms:
                found.append([number])
            else:
                places.append(place)
        members = [items[number] for number in space.numbers]
        told = _one_language(space.vectors, members, places)
        found.extend([space.numbers[place] for place in each] for each in told)
    return sorted(sorted(each) for each in found)


def _one_language(vectors: Vectors, items: list[Item], places: list[int]) -> list[list[int]]:
    bare = np.array([sum(item.terms.values()) < BARE for item in items], dtype=np.bool_)
    found: list[list[int]] = []
    for part in _parts(vectors, bare, places):
        if len(part) == 1:
            found.append(part)
            continue
        alike = likeness(vectors, part)
        _double_bare(alike, bare[part], bare[part])
        for members in average_link(alike, CUT):
            chosen = [part[each] for each in members]
            found.extend(_not_too_wide(chosen, alike[np.ix_(members, members)], items))
    return found


def vectors_of(bags: Sequence[Mapping[str, int]]) -> Vectors:
    df = Counter(term for bag in bags for term in bag)
    column = {term: number for number, term in enumerate(sorted(df)) if df[term] > 1}
    value = {term: idf(len(bags), count) for term, count in df.items()}
    starts, terms, weights = [0], array("q"), array("f")
    for bag in bags:
        row = {term: (1 + math.log(count)) * value[term] for term, count in bag.items()}
        length = math.sqrt(sum(weight * weight for weight in row.values())) or 1.0
        for term in sorted(row):
            if term in column:
                terms.append(column[term])
                weights.append(row[term] / length)
        starts.append(len(terms))
    return Vectors(
        np.array(starts, dtype=np.int64),
        np.frombuffer(terms, dtype=np.int64) if terms else np.empty(0, np.int64),
        np.frombuffer(weights, dtype=np.float32) if weights else np.empty(0, np.float32),
    )


def idf(total: int, df: int) -> float:
    """How much a term tells. Rather flat, for a day is a small collection and the words of a story that many
    tell are frequent in it for that very reason; but what nearly every article has tells nothing."""
    return (math.log(total / df) + 2.25) * (1 - (df / (total + 10)) ** 2)


def nearness_to_all(vectors: Vectors, count: int) -> list[float]:
    """For each of the first `count` rows the sum of its cosines with them all."""
    end = int(vectors.starts[count])
    if not end:
        return [0.0] * count
    middle = np.bincount(vectors.terms[:end], vectors.weights[:end])
    owners = np.repeat(np.arange(count), np.diff(vectors.starts[: count + 1]))
    near = np.bincount(owners, vectors.weights[:end] * middle[vectors.terms[:end]], count)
    return [float(value) for value in near]


def closest_of_rest(vectors: Vectors, count: int) -> list[float]:
    """For each of the first `count` rows its largest cosine with any row after them."""
    end = int(vectors.starts[count])
    owners = np.repeat(np.arange(count), np.diff(vectors.starts[: count + 1]))
    terms, weights = vectors.terms[:end], vectors.weights[:end]
    largest = np.zeros(count)
    row = np.zeros(int(vectors.terms.max()) + 1 if len(vectors.terms) else 1)
    for other in range(count, len(vectors)):
        place = slice(vectors.starts[other], vectors.starts[other + 1])
        row[vectors.terms[place]] = vectors.weights[place]
        np.maximum(largest, np.bincount(owners, weights * row[terms], count), out=largest)
        row[vectors.terms[place]] = 0.0
    return [round(float(value), 6) for value in largest]


def likeness(vectors: Vectors, rows: Sequence[int]) -> Floats:
    """Cosines of some rows with one another."""
    found = np.zeros((len(rows), len(rows)), dtype=np.float32)
    for start, block in _blocks(vectors, rows):
        found[start : start + len(block), start:] = block
    upper = np.triu(found, 1)
    result: Floats = upper + upper.T
    np.fill_diagonal(result, 1.0)
    return result


def _blocks(vectors: Vectors, rows: Sequence[int]) -> Iterator[tuple[int, Floats]]:
    """Cosines of `rows`, some of them at a time, with themselves and all later ones. Frequent terms by a
    dense
    product, the many rare ones pair by pair."""
    count = len(rows)
    chosen = np.asarray(rows, dtype=np.int64)
    sizes = vectors.starts[chosen + 1] - vectors.starts[chosen]
    owners = np.repeat(np.arange(count), sizes)
    first = np.cumsum(sizes) - sizes
    places = np.arange(int(sizes.sum())) - np.repeat(first - vectors.starts[chosen], sizes)
    terms, weights = vectors.terms[places], vectors.weights[places]
    order = np.argsort(terms, kind="stable")
    owners, terms, weights = owners[order], terms[order], weights[order]
    new = np.r_[True, terms[1:] != terms[:-1]] if len(terms) else np.empty(0, np.bool_)
    runs = np.diff(np.r_[np.flatnonzero(new), len(terms)])
    frequent = np.repeat(runs >= _FREQUENT, runs)
    columns = (np.cumsum(new) - 1)[frequent]
    names, columns = np.unique(columns, return_inverse=True)
    dense = np.zeros((count, max(1, len(names))), dtype=np.float32)
    dense[owners[frequent], columns] = weights[frequent]
    left, right, worth = _rare_pairs(owners[~frequent], terms[~frequent], weights[~frequent])
    for start in range(0, count, _BLOCK):
        stop, width = min(start + _BLOCK, count), count - start
        block = dense[start:stop] @ dense[start:].T
        here = (left >= start) & (left < stop)
        keys = (left[here].astype(np.int64) - start) * width + (right[here] - start)
        block += np.bincount(keys, worth[here], len(block) * width).reshape(block.shape).astype(np.float32)
        yield start, block


def _rare_pairs(
    owners: Numbers, terms: Numbers, weights: Floats
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Floats]:
    """Each pair of owners of the same term, the smaller first, and the product of its weights."""
    left: list[npt.NDArray[np.int32]] = []
    right: list[npt.NDArray[np.int32]] = []
    worth: list[Floats] = []
    for step in range(1, _FREQUENT):
        same = np.flatnonzero(terms[:-step] == terms[step:]) if len(terms) > step else np.empty(0, np.int64)
        if not len(same):
            break
        left.append(owners[same].astype(np.int32))
        right.append(owners[same + step].astype(np.int32))
        worth.append(weights[same] * weights[same + step])
    if not left:
        return np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32)
    return np.concatenate(left), np.concatenate(right), np.concatenate(worth)


def _parts(vectors: Vectors, bare: npt.NDArray[np.bool_], places: list[int]) -> list[list[int]]:
    """The connected parts of the graph of all pairs that are alike enough."""
    edges: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]] = []
    plain = bare[places]
    for start, alike in _blocks(vectors, places):
        _double_bare(alike, plain[start : start + len(alike)], plain[start:])
        a, b = np.nonzero(alike >= LINK)
        keep = a < b
        edges.append((a[keep] + start, b[keep] + start, alike[a[keep], b[keep]]))
    limit = LINK
    while True:
        pairs = (
            pair
            for a, b, worth in edges
            for pair in zip(a[worth >= limit].tolist(), b[worth >= limit].tolist(), strict=True)
        )
        parts: dict[int, list[int]] = defaultdict(list)
        for number, root in enumerate(joined(len(places), pairs)):
            parts[root].append(places[number])
        if limit > 1 or max(map(len, parts.values()), default=0) <= _LARGEST_PART:
            return list(parts.values())
        limit += 0.05  # too much to compare at once: only what is closer stays together


def _double_bare(alike: Floats, left: npt.NDArray[np.bool_], right: npt.NDArray[np.bool_]) -> None:
    """Two bare headlines have few words to share: each shared one says twice as much."""
    alike *= 1 + (BARE_FACTOR - 1) * np.outer(left, right).astype(np.float32)


def average_link(alike: Floats, cut: float) -> list[list[int]]:
    """Merge the two groups with the largest average likeness until none reaches `cut`."""
    count = len(alike)
    alike = alike.copy()
    np.fill_diagonal(alike, -1.0)
    members: list[list[int]] = [[number] for number in range(count)]
    sizes = np.ones(count, dtype=np.float32)
    nearest = alike.argmax(axis=1)
    value = alike[np.arange(count), nearest]
    while count > 1:
        a = int(value.argmax())
        if value[a] < cut:
            break
        b = int(nearest[a])
        a, b = min(a, b), max(a, b)
        row = (sizes[a] * alike[a] + sizes[b] * alike[b]) / (sizes[a] + sizes[b])
        row[[a, b]] = -1.0
        row[alike[a] == -1.0] = -1.0
        alike[a], alike[:, a] = row, row
        alike[b], alike[:, b] = -1.0, -1.0
        members[a] += members[b]
        members[b] = []
        sizes[a] += sizes[b]
        value[b] = -1.0
        better = row > value
        nearest[better], value[better] = a, row[better]
        stale = np.flatnonzero(((nearest == a) | (nearest == b)) & ~better & (value > -1.0))
        for each in {a, *stale.tolist()}:
            nearest[each] = int(alike[each].argmax())
            value[each] = alike[each, nearest[each]]
        count -= 1
    return [sorted(each) for each in members if each]


def _not_too_wide(members: list[int], alike: Floats, items: list[Item]) -> list[list[int]]:
    """A group over days, or too large to be one event, is cut again more strictly."""
    times = [items[each].time for each in members if items[each].time]
    if len(members) <= LARGEST and (not times or max(times) - min(times) <= WIDEST):
        return [members]
    return [[members[each] for each in inner] for inner in average_link(alike, STRICT_CUT)]

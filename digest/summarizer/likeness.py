"""How alike articles are: TF-IDF vectors of one language and their cosines, thousands at a time.

Only the words count that at least two of the items share. Pure; numpy.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FLAT = 2.75  # how much a word that every article has still tells, before the damping below

_BLOCK = 256
_FREQUENT = 40  # document frequency from which a term is worth a dense column

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]


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


def vectors_of(
    bags: Sequence[Mapping[str, int]], before: int = 0, common: Mapping[str, int] | None = None
) -> Vectors:
    """before, common: how many articles were counted in the weeks before, and in how many of them each term
    stood; so a small window, too, knows which words are common."""
    df = Counter(term for bag in bags for term in bag)
    column = {term: number for number, term in enumerate(sorted(df)) if df[term] > 1}
    common, total = common or {}, len(bags) + before
    value = {term: idf(total, count + common.get(term, 0)) for term, count in df.items()}
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
    df = min(df, total)
    return (math.log(total / df) + FLAT) * (1 - (df / (total + 10)) ** 2)


def nearness_to_all(vectors: Vectors, count: int) -> list[float]:
    """For each of the first `count` rows the sum of its cosines with them all."""
    end = int(vectors.starts[count])
    if not end:
        return [0.0] * count
    middle = np.bincount(vectors.terms[:end], vectors.weights[:end])
    owners = np.repeat(np.arange(count), np.diff(vectors.starts[: count + 1]))
    near = np.bincount(owners, vectors.weights[:end] * middle[vectors.terms[:end]], count)
    return [float(value) for value in near]


def likeness_to_rest(vectors: Vectors, count: int) -> Floats:
    """Cosines of each of the first `count` rows with every row after them."""
    end = int(vectors.starts[count])
    order = np.argsort(vectors.terms[:end], kind="stable")
    owners = np.repeat(np.arange(count), np.diff(vectors.starts[: count + 1]))[order]
    terms, weights = vectors.terms[:end][order], vectors.weights[:end][order]
    found = np.zeros((count, len(vectors) - count), dtype=np.float32)
    for column in range(len(vectors) - count):
        place = slice(vectors.starts[count + column], vectors.starts[count + column + 1])
        first = np.searchsorted(terms, vectors.terms[place], "left")
        runs = np.searchsorted(terms, vectors.terms[place], "right") - first
        spots = np.arange(int(runs.sum())) - np.repeat(np.cumsum(runs) - runs - first, runs)
        worth = weights[spots] * np.repeat(vectors.weights[place], runs)
        found[:, column] = np.bincount(owners[spots], worth, count)
    return found


def likeness(vectors: Vectors, rows: Sequence[int]) -> Floats:
    """Cosines of some rows with one another."""
    found = np.zeros((len(rows), len(rows)), dtype=np.float32)
    for start, block in blocks(vectors, rows):
        found[start : start + len(block), start:] = block
    upper = np.triu(found, 1)
    result: Floats = upper + upper.T
    np.fill_diagonal(result, 1.0)
    return result


def blocks(vectors: Vectors, rows: Sequence[int]) -> Iterator[tuple[int, Floats]]:
    """Cosines of `rows`, some of them at a time, with themselves and all later ones. Frequent terms by a
    dense product, the many rare ones pair by pair."""
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
    steps = [_same(terms, step) for step in range(1, min(_FREQUENT, len(terms)))]
    count = sum(map(len, steps))
    left, right = np.empty(count, np.int32), np.empty(count, np.int32)
    worth = np.empty(count, np.float32)
    end = 0
    for step, same in enumerate(steps, 1):
        place = slice(end, end := end + len(same))
        left[place], right[place] = owners[same], owners[same + step]
        worth[place] = weights[same] * weights[same + step]
    return left, right, worth


def _same(terms: Numbers, step: int) -> npt.NDArray[np.int32]:
    """Where the same term stands so many places further on."""
    return np.flatnonzero(terms[:-step] == terms[step:]).astype(np.int32)

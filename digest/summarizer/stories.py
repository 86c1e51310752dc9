"""Which articles are copies of one another, and which tell the same story.

Copies: the same address, id or text, or a third of the shorter one's four-word shingles in the other.
Stories: TF-IDF vectors of headline and beginning, average link inside each connected part of the graph of
likeness; then each article may move to the group that it is nearer to. Languages stay apart; round-ups, which
would glue everything together, stay alone. Pure; numpy.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain

import numpy as np
import numpy.typing as npt

from digest.model import Background
from digest.summarizer.likeness import Floats, Vectors, blocks, likeness, vectors_of

COPY = 0.3  # share of the smaller one's shingles
COPY_LEAST = 8  # shingles that say anything
COMMON = 50  # a shingle in more articles than this is furniture

LINK = 0.13  # cosine from which two articles may belong together
CUT = 0.225  # average link below which groups stay apart; from 0.185 to 0.255 it hardly matters
MOVE = 0.15  # average likeness to a group from which an article may move to it
CROWD = 0.7  # a group's pull is the sum of its likenesses over its size to this power: many say more than few
ROUNDS = 4
STRICT_CUT = 0.24  # for groups that have grown too wide
WIDEST = timedelta(hours=72).total_seconds()
LARGEST = 200
BARE = 25  # terms below which an article is hardly more than its headline
BARE_FACTOR = 2.1
_LARGEST_PART = 3_000
_ROUNDING = 1e-5  # of an average; without it thousands of equal headlines are compared anew at each step

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


def is_bare(item: Item) -> bool:
    """Is there hardly more of it than a headline?"""
    return sum(item.terms.values()) < BARE


def is_round_up(title: str) -> bool:
    return bool(_ROUND_UP.search(title))


# ---------------------------------------------------------------- copies


def near_copies(shingles: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Pairs (by number, the smaller first) of which one holds much of the other."""
    sizes = np.array([len(each) for each in shingles], dtype=np.int64)
    if not len(sizes) or not sizes.sum():
        return []
    values = np.fromiter(chain.from_iterable(shingles), dtype=np.int64, count=int(sizes.sum()))
    order = np.argsort(values, kind="stable").astype(np.int32)  # owners of one shingle stay in order
    values = values[order]
    owners = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)[order]
    del order
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    runs = np.diff(np.r_[starts, len(values)])
    usable = np.repeat((runs > 1) & (runs <= COMMON), runs)
    values, owners = values[usable], owners[usable].astype(np.int64)
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
class Space:
    """The items of one language, by number, and their vectors in the same order."""

    numbers: list[int]
    vectors: Vectors


def spaces(items: Sequence[Item], background: Background | None = None) -> dict[str, Space]:
    """A space for each language."""
    known = background or Background()
    by_language: dict[str, list[int]] = defaultdict(list)
    for number, item in enumerate(items):
        by_language[item.language].append(number)
    return {
        language: Space(
            numbers,
            vectors_of(
                [items[number].terms for number in numbers],
                known.articles.get(language, 0),
                known.terms.get(language),
            ),
        )
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
    bare = np.array([is_bare(item) for item in items], dtype=np.bool_)
    twins: dict[bytes, list[int]] = {}
    for place in places:
        said = repr(sorted(items[place].terms.items())).encode(errors="replace")
        twins.setdefault(hashlib.blake2b(said, digest_size=16).digest(), []).append(place)
    same = {each[0]: each for each in twins.values()}  # thousands of equal headlines are compared once
    found: list[list[int]] = []
    for part in _parts(vectors, bare, list(same)):
        if len(part) == 1:
            found.append(same[part[0]])
            continue
        alike = likeness(vectors, part)
        _double_bare(alike, bare[part], bare[part])
        sizes = [len(same[each]) for each in part]
        groups = []
        for members in average_link(alike, CUT, sizes):
            times = [items[each].time for member in members for each in same[part[member]]]
            groups.extend(_not_too_wide(members, alike, sizes, times))
        found.extend(
            [each for member in members for each in same[part[member]]]
            for members in resettled(alike, groups, sizes)
        )
    return found


def _parts(vectors: Vectors, bare: npt.NDArray[np.bool_], places: list[int]) -> list[list[int]]:
    """The connected parts of the graph of all pairs that are alike enough."""
    edges: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]] = []
    plain = bare[places]
    for start, alike in blocks(vectors, places):
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


def average_link(alike: Floats, cut: float, counts: Sequence[int] = ()) -> list[list[int]]:
    """Merge the two groups with the largest average likeness until none reaches `cut`. counts: for how many
    each one stands.

    What is nearest to a group is looked up again only when it would be merged next: a merger never makes the
    likeness to others larger than that of its nearer half, so the old value is a bound.
    """
    count = len(alike)
    alike = alike.copy()
    np.fill_diagonal(alike, -1.0)
    members: list[list[int]] = [[number] for number in range(count)]
    sizes = np.array(counts or [1] * count, dtype=np.float32)
    nearest = alike.argmax(axis=1)
    value = alike[np.arange(count), nearest]
    stale = np.zeros(count, dtype=np.bool_)
    while count > 1:
        a = int(value.argmax())
        if value[a] < cut:
            break
        if stale[a]:
            nearest[a] = int(alike[a].argmax())
            value[a], stale[a] = alike[a, nearest[a]], False
            continue
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
        stale |= (nearest == a) | (nearest == b)
        nearer = (row >= value - _ROUNDING) & (row > -1.0)
        nearest[nearer], value[nearer], stale[nearer] = a, row[nearer], False
        value[a], stale[a] = row.max(), False
        nearest[a] = int(row.argmax())
        count -= 1
    return [sorted(each) for each in members if each]


def resettled(alike: Floats, groups: Sequence[Sequence[int]], counts: Sequence[int] = ()) -> list[list[int]]:
    """The groups after each item had a few chances to move to the group that pulls it most.

    Average link never takes back what it joined early, and it leaves out whatever came late.
    """
    count = len(alike)
    stands_for = np.array(counts or [1] * count, dtype=np.float32)
    everyone = np.arange(count)
    home = np.zeros(count, dtype=np.int64)
    for number, members in enumerate(groups):
        home[list(members)] = number
    for _ in range(ROUNDS if len(groups) > 1 else 0):
        settled = np.zeros((count, len(groups)), dtype=np.float32)
        settled[everyone, home] = stands_for
        total = alike @ settled
        size = np.repeat(settled.sum(axis=0, keepdims=True), count, axis=0)
        total[everyone, home] -= alike[everyone, everyone]
        size[everyone, home] -= 1.0
        others = np.maximum(size, 1.0)
        pull = np.where(size > 0, total / others**CROWD, 0.0)
        stays = pull[everyone, home]
        pull[total < MOVE * others] = -1.0
        pull[everyone, home] = stays
        best = pull.argmax(axis=1)
        moves = pull[everyone, best] > stays + 1e-6
        if not moves.any():
            break
        home[moves] = best[moves]
    return [members for number in range(len(groups)) if (members := np.flatnonzero(home == number).tolist())]


def _not_too_wide(
    members: list[int], alike: Floats, counts: Sequence[int], times: Sequence[float]
) -> list[list[int]]:
    """A group over days, or too large to be one event, is cut again more strictly. times: of all it stands
    for, 0 when unknown."""
    known = [time for time in times if time]
    if len(times) <= LARGEST and (not known or max(known) - min(known) <= WIDEST):
        return [members]
    inner = average_link(alike[np.ix_(members, members)], STRICT_CUT, [counts[each] for each in members])
    return [[members[each] for each in one] for one in inner]

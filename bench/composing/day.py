"""A day of news from a seed: feeds with articles that are about as alike as those of a real day.

The words are made up, but as frequent as words are; a story has words of its own, which its articles share.
Some stories are in many papers, most in one; some articles are largely copies.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import accumulate
from pathlib import Path

FUNCTION_WORDS = {
    "en": ("the", "of", "and", "to", "in", "a", "is", "that", "for", "it", "was", "on", "with", "as", "by",
           "at", "be", "this", "had", "not", "are", "but", "from", "or", "have", "an", "they", "one"),
    "de": ("der", "die", "und", "in", "den", "von", "zu", "das", "mit", "sich", "des", "auf", "für", "ist",
           "im", "dem", "nicht", "ein", "eine", "als", "auch", "es", "an", "werden", "aus", "er", "hat"),
}  # fmt: skip
ONSETS = ("b", "br", "d", "f", "fl", "g", "gr", "h", "k", "l", "m", "n", "p", "pr", "r", "s", "st", "v")
VOWELS = ("a", "e", "i", "o", "u", "ea", "ou")
CODAS = ("n", "r", "s", "t", "l", "nd", "rk", "st", "m", "")
VOCABULARY = 30_000
WORDS = 220  # in an article
OF_THE_STORY = 25  # words that only its articles have in such number


@dataclass(frozen=True, slots=True)
class Piece:
    title: str
    text: str


def write_day(
    folder: Path, *, seed: int, articles: int, feeds: int, now: datetime, held: Sequence[str] = ()
) -> list[str]:
    """Write the feeds of a day, an RSS file each; their names. held: those that are there already."""
    chance = random.Random(seed)  # noqa: S311 - no secrets
    names = list(held) or [f"feed-{number}.xml" for number in range(feeds)]
    languages = ["de" if number % 6 == 5 else "en" for number in range(len(names))]
    by_feed: dict[int, list[Piece]] = {number: [] for number in range(len(names))}
    for language in ("en", "de"):
        ours = [number for number, of in enumerate(languages) if of == language]
        share = round(articles * len(ours) / len(names))
        for group in _stories(chance, language, share):
            papers = chance.sample(ours, min(len(ours), len(group)))
            for place, piece in enumerate(group):
                by_feed[papers[place % len(papers)]].append(piece)
    for number, name in enumerate(names):
        items = "".join(
            f"<item><guid>{seed}-{number}-{place}</guid><link>https://paper{number}.example.org/{seed}/{place}</link>"
            f"<title>{piece.title}</title>"
            f"<pubDate>{format_datetime(now - timedelta(minutes=chance.randint(5, 1200)))}</pubDate>"
            f"<description>&lt;p&gt;{piece.text}&lt;/p&gt;</description></item>"
            for place, piece in enumerate(by_feed[number])
        )
        (folder / name).write_text(
            '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>'
            f"<title>Paper {number}</title><link>https://paper{number}.example.org/</link>"
            f"<description>News</description><language>{languages[number]}</language>{items}</channel></rss>",
            encoding="utf-8",
        )
    return names


def _stories(chance: random.Random, language: str, articles: int) -> Iterator[list[Piece]]:
    words = sorted({_word(chance) for _ in range(VOCABULARY)})
    chance.shuffle(words)
    common = list(accumulate(1 / (rank + 10) for rank in range(len(words))))
    left = articles
    while left > 0:
        size = min(left, int(chance.paretovariate(1.1)), 60)
        own = chance.sample(words, OF_THE_STORY)
        made: list[Piece] = []
        for _ in range(size):
            if made and chance.random() < 0.15:
                first = chance.choice(made)
                made.append(
                    Piece(f"{chance.choice(own).capitalize()}: {first.title}", first.text + " Own report.")
                )
            else:
                made.append(_piece(chance, FUNCTION_WORDS[language], words, common, own))
        yield made
        left -= size


def _piece(
    chance: random.Random,
    function: Sequence[str],
    words: Sequence[str],
    common: Sequence[float],
    own: Sequence[str],
) -> Piece:
    kinds = chance.choices((0, 1, 2), (45, 12, 43), k=WORDS)
    usual = iter(chance.choices(words, cum_weights=common, k=WORDS))
    said = [
        next(usual) if kind == 2 else chance.choice(function if kind == 0 else own) for kind in kinds
    ]  # fmt: skip
    sentences, place = [], 0
    while place < len(said):
        length = chance.randint(9, 25)
        sentences.append(" ".join(said[place : place + length]).capitalize() + ".")
        place += length
    title = " ".join((*chance.sample(list(own), 5), next(usual, "again"))).capitalize()
    return Piece(title, " ".join(sentences))


def _word(chance: random.Random) -> str:
    return "".join(
        chance.choice(ONSETS) + chance.choice(VOWELS) + chance.choice(CODAS)
        for _ in range(chance.randint(2, 3))
    )

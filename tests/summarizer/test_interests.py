"""Words and phrases that make a story count for more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from window_samples import article

from digest.summarizer.interests import interest

STORY = replace(
    article(
        1,
        "Harbour Bridge closed for São Tomé ferries",
        "The bridge was shut on Friday after a crack was found in its bearing. An engineer of the port said "
        "that the harbour authority had known. Trams run as usual.",
    ),
    categories=("Transport",),
)


@pytest.mark.parametrize(
    ("interests", "weights", "expected"),
    [
        ((), {}, 0.0),
        (("bridge",), {}, 1.0),
        (("BRIDGES",), {}, 1.0),
        (("bearing",), {}, 0.5),
        (("bearings",), {}, 0.5),
        (("transport",), {}, 0.5),
        (("tram",), {}, 0.5),
        (("sao tome",), {}, 1.0),
        (("engine",), {}, 0.5),  # as “engineer”: an ending of two letters
        (("bear",), {}, 0.0),
        (("bri",), {}, 0.0),
        (("harbour bridge",), {}, 1.0),
        (("bridge harbour",), {}, 1.0),
        (("friday tram",), {}, 0.0),
        (("harbour authority",), {}, 0.5),
        (("bearing engineer",), {}, 0.5),
        (("bridge authority",), {}, 0.0),  # both are there, but far apart
        (("bridge", "bearing"), {}, 1.5),
        (("bridge", "harbour", "closed", "ferries"), {}, 2.0),
        (("bridge",), {"bridge": 3.0}, 3.0),
        (("bridge", "bearing"), {"bridge": 3.0}, 3.0),
        (("bridge", "bearing"), {"bridge": 0.25, "bearing": 0.5}, 0.5),
        (("", "…", "🔥"), {}, 0.0),
    ],
)
def test_listed_words_count_whole_in_headlines_and_half_in_texts(
    interests: tuple[str, ...], weights: Mapping[str, float], expected: float
) -> None:
    assert interest(STORY, interests, weights) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("word", "title", "expected"),
    [
        ("東京", "東京で地震", 1.0),
        ("東京都", "東京で地震", 0.0),
        ("Überflutung", "Uberflutungen im Norden", 1.0),
        ("مِيناء", "عودة ميناء المدينة", 1.0),
        ("правительство", "Решение правительства", 1.0),
        ("don’t", "They don't", 1.0),
    ],
)
def test_every_script_has_its_words(word: str, title: str, expected: float) -> None:
    assert interest(replace(STORY, title=title, text=""), (word,), {}) == expected


def test_no_text_takes_long() -> None:
    for text in ("bridge " * 200_000, "w" * 2_000_000, "bridge harbour " * 100_000):
        interest(replace(STORY, title="", text=text), ("bridge harbour tram", "www", "tram"), {})

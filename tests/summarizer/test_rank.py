"""Each term of the sum, by itself."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from window_samples import NOW, article

from digest.summarizer import rank

STORY = article(
    1, "Harbour Bridge closed", "The bridge was closed on Friday after a crack was found in its bearing."
)


def terms(**changes: object) -> dict[str, float]:
    values = {"voices": {"a": 1.0}, "centrality": 0.0, "interests": (), "told": 0.0, "now": NOW, **changes}
    return rank.terms_of(STORY, **values)  # type: ignore[arg-type]


def test_more_publishers_make_a_story_weigh_more() -> None:
    assert terms()["publishers"] < terms(voices={"a": 1.0, "b": 1.0})["publishers"]
    assert terms()["publishers"] < terms(voices={"a": 2.0})["publishers"]


def test_a_copy_counts_a_quarter() -> None:
    assert rank.voice(2.0, 1, copy=True) == pytest.approx(0.5)


def test_a_firehose_is_damped_by_the_root_of_its_volume() -> None:
    assert rank.voice(1.0, 10) == 1.0
    assert rank.voice(1.0, 1_000) == pytest.approx(0.1)


def test_half_of_the_recency_is_gone_after_twelve_hours() -> None:
    fresh = replace(STORY, published=NOW)
    older = replace(STORY, published=NOW - timedelta(hours=12))
    future = replace(STORY, published=NOW + timedelta(days=1))
    assert rank.recency(fresh, NOW) == 1.0
    assert rank.recency(older, NOW) == pytest.approx(0.5)
    assert rank.recency(future, NOW) == 1.0


def test_an_undated_article_is_as_old_as_our_knowledge_of_it() -> None:
    undated = replace(STORY, dated=False, published=NOW, received_at=NOW - timedelta(hours=12))
    assert rank.recency(undated, NOW) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("interests", "weights", "expected"),
    [((), {}, 0.0), (("bridge",), {}, 0.5), (("BEARING",), {}, 0.25), (("bridge",), {"bridge": 4.0}, 2.0)],
)
def test_listed_words_are_worth_half_a_point(
    interests: tuple[str, ...], weights: dict[str, float], expected: float
) -> None:
    assert terms(interests=interests, weights=weights)["interest"] == expected


def test_the_sum_is_the_documented_one() -> None:
    aged = replace(STORY, published=NOW - timedelta(hours=24))
    found = rank.terms_of(
        aged,
        voices={
            "https://www.a.example/1": 2.0,
            "https://feeds.a.example/2": 1.0,  # the same publisher
            "https://b.example/": rank.voice(1.0, 40),
            "https://c.example/": rank.voice(1.0, 1, copy=True),
        },
        centrality=0.6,
        interests=("bridge", "bearing"),
        told=1.0,
        now=NOW,
    )
    assert found == {
        "publishers": round(math.log(1 + 2 + 0.5 + 0.25), 4),
        "centrality": 0.21,
        "interest": 0.75,
        "recency": 0.2,
        "full_text": 0.2,
        "told": -0.5,
    }


def test_feeds_of_one_publisher_count_once_with_the_largest_weight() -> None:
    many = {f"https://a.example/{number}": 1.0 for number in range(9)}
    assert rank.loudness(many) == 1.0
    assert rank.loudness({**many, "https://a.example/big": 3.0, "https://b.example/": 1.0}) == 4.0


def test_full_text_and_told_stories_have_their_terms() -> None:
    assert terms()["full_text"] == 0.2
    assert (
        rank.terms_of(
            replace(STORY, source="description"), voices={}, centrality=0.0, interests=(), told=0.0, now=NOW
        )["full_text"]
        == 0.0
    )
    assert terms(told=1.0)["told"] == -0.5


def test_the_terms_stand_in_the_order_of_the_formula() -> None:
    assert list(terms()) == ["publishers", "centrality", "interest", "recency", "full_text", "told"]

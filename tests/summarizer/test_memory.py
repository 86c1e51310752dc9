"""What was told is known again: by its id, its address and its text, for as long as told stories are kept."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from test_stories import BELL, BRIDGE, OTTER, TRAM
from window_samples import NOW, article, composed, filler, newsletter, remembered, verdicts

from digest.model import Article, Told
from digest.summarizer.memory import Memory

A, B = "https://a.example/feed", "https://b.example/feed"
LETTER = newsletter(A, B)


def told_of(*articles: Article, days: int = 1) -> list[Told]:
    return remembered(composed(LETTER, list(articles)), articles, days)


def memory(told: Sequence[Told]) -> Memory:
    return Memory(told, NOW)


BELL_TOLD = article(1, *BELL, feed=A, url="https://a.example/bell")


@pytest.mark.parametrize("days", [1, 10, 14])
def test_an_article_that_comes_back_under_a_new_id_and_address_is_told(days: int) -> None:
    again = article(77, *BELL, feed=A, guid="a-new-guid-of-the-feed", url="https://a.example/again/77")
    draft = composed(LETTER, [again], told_of(BELL_TOLD, days=days))
    assert verdicts(draft) == {77: "told"}
    assert BELL[0] in draft.decisions[0].reason


@pytest.mark.parametrize(
    ("change", "how"),
    [
        ({"number": 1}, "the same article"),
        ({"url": "http://www.a.example/bell/?utm_source=rss"}, "the same address"),
        ({"guid": "https://a.example/feed#1-of-the-feed"}, "the same id"),
        ({"text": BELL[1].upper(), "title": "Bell!"}, "the same text"),
        ({"text": f"From our own correspondent. {BELL[1]}"}, "stood in what it was told from"),
    ],
)
def test_it_says_how_it_knew(change: dict[str, Any], how: str) -> None:
    values = {"number": 2, "title": "Other", "text": filler(5), "feed": B} | change
    found = memory(told_of(BELL_TOLD)).knows(article(**values))
    assert found.startswith(f"Already told as “{BELL[0]}” on 2026-11-21: ")
    assert how in found


def test_a_feed_that_links_all_its_items_to_one_page_is_told_on() -> None:
    asked = memory(told_of(BELL_TOLD))
    assert asked.knows(article(2, *OTTER, feed=A, url=BELL_TOLD.url)) == ""
    assert "the same address" in asked.knows(article(2, BELL[0], filler(5), feed=A, url=BELL_TOLD.url))
    assert "the same address" in asked.knows(article(2, *OTTER, feed=B, url=BELL_TOLD.url))


@pytest.mark.parametrize("other", [BRIDGE, TRAM, OTTER])
def test_what_was_not_told_is_not_known(other: tuple[str, str]) -> None:
    asked = memory(told_of(BELL_TOLD))
    assert asked.knows(article(2, *other, feed=B)) == ""
    assert asked.kin(article(2, *other, feed=B)) == ""


def test_half_a_told_text_may_have_news_above_it_while_the_story_is_young() -> None:
    grown = article(2, "More", f"{filler(1)} {filler(2)}\n{BELL[1]}", feed=B)
    young, old = told_of(BELL_TOLD), told_of(BELL_TOLD, days=9)
    assert memory(young).knows(grown) == ""
    assert memory(young).kin(grown) == young[0].story.key
    assert "stood in what it was told from" in memory(old).knows(grown)


def test_a_headline_alone_is_known_again_when_it_says_something() -> None:
    long, short = "Harbour bridge closed after a crack is found", "Weather"
    told = told_of(article(1, long, "", feed=A), article(2, short, "", feed=B))
    assert "the same text" in memory(told).knows(article(3, long, "", feed=B))
    assert memory(told).knows(article(4, short, "", feed=A)) == ""


def test_when_the_articles_are_gone_the_words_of_the_letter_are_remembered() -> None:
    pruned = [replace(each, articles=()) for each in told_of(BELL_TOLD)]
    again = article(9, "Bell is back", BELL[1], feed=B)
    assert "of what we told of it stands in this text" in memory(pruned).knows(again)
    assert memory(pruned).knows(article(9, *TRAM, feed=B)) == ""


def test_a_follow_up_that_quotes_the_told_summary_is_not_known_while_the_articles_are_kept() -> None:
    told = told_of(BELL_TOLD)
    quoting = f"{filler(3)} {filler(4)} {filler(6)}\n{' '.join(told[0].story.summary)}"
    assert memory(told).knows(article(5, "What came after", quoting, feed=B)) == ""


def test_nothing_told_knows_nothing() -> None:
    assert memory([]).knows(BELL_TOLD) == ""
    assert memory(told_of(BELL_TOLD)).knows(article(3, "", "", feed=B, url="", guid="")) == ""


def test_two_weeks_of_letters_are_asked_quickly() -> None:
    chance = random.Random(3)  # noqa: S311  (nothing secret)
    one = told_of(BELL_TOLD)[0]
    prints = [tuple(sorted(chance.sample(range(2**62), 500))) for _ in range(300)]
    told = [
        replace(
            one,
            articles=(
                replace(
                    BELL_TOLD,
                    guid="",
                    url="",
                    fingerprint=replace(BELL_TOLD.fingerprint, shingles=each, text_hash=str(number)),
                ),
            ),
        )
        for number, each in enumerate(prints)
    ]
    asked = memory(told)
    fresh = [
        replace(
            BELL_TOLD,
            id=number + 9,
            guid="",
            url="",
            fingerprint=replace(BELL_TOLD.fingerprint, shingles=each),
        )
        for number, each in enumerate(prints)
    ]
    started = time.process_time()
    assert all(asked.knows(each) for each in fresh)
    assert time.process_time() - started < 1  # 0.05 s on an idle core

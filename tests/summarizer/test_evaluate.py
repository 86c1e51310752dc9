"""The methods asked one by one, as a scorer asks them."""

from __future__ import annotations

import pytest
from test_extract import PAGE, STORY
from test_stories import BELL, BRIDGE, BRIDGE_TOO

from digest.summarizer.evaluate import answer_all


def row(number: int, story: tuple[str, str]) -> dict[str, object]:
    return {"id": f"r{number}", "lang": "en", "title": story[0], "text": story[1], "time": 0, "publisher": ""}


def test_pages_are_answered_with_their_text() -> None:
    for task in ("extract_body", "extract_snippets"):
        rows = [{"id": "p", "url": "https://city.example.org/1", "html": PAGE}]
        assert list(answer_all(task, rows)) == [{"id": "p", "text": "\n".join(STORY)}]


def test_summaries_keep_to_what_the_row_allows() -> None:
    rows = [{**row(1, BRIDGE), "max_sentences": 1, "max_chars": 300}]
    [answer] = answer_all("summarize", rows)
    assert answer["id"] == "r1"
    assert answer["summary"].count(".") == 1
    assert answer["summary"] in BRIDGE[1]


def test_sentences_are_a_list_in_order() -> None:
    [answer] = answer_all("sentences", [{"id": "s", "lang": "en", "text": "One is here. Two is there."}])
    assert answer == {"id": "s", "sentences": ["One is here.", "Two is there."]}


def test_stories_and_copies_are_labels() -> None:
    rows = [row(1, BRIDGE), row(2, BELL), row(3, BRIDGE_TOO), row(4, (BELL[0], "Now. " + BELL[1]))]
    stories = {each["id"]: each["cluster"] for each in answer_all("cluster", rows)}
    assert stories["r1"] == stories["r3"] != stories["r2"]
    copies = {each["id"]: each["group"] for each in answer_all("neardup", rows)}
    assert copies["r2"] == copies["r4"]
    assert len({copies[name] for name in ("r1", "r2", "r3")}) == 3


def test_a_row_without_a_language_is_answered_too() -> None:
    [answer] = answer_all(
        "sentences", [{"id": "s", "text": "Das ist ein Satz mit Dr. Müller darin. Noch einer."}]
    )
    assert len(answer["sentences"]) == 2


def test_an_unknown_task_is_named() -> None:
    with pytest.raises(ValueError, match="no such task: sing"):
        answer_all("sing", [])

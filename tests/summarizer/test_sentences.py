"""Where sentences end, in several scripts; each with its exact place."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from digest.summarizer.sentences import split


def sentences(text: str, language: str) -> list[str]:
    return [text[span.start : span.end] for span in split(text, language)]


CASES = [
    ("en", ["Dr. Smith went home at 5 p.m. on Friday.", "Nobody saw him.", "“Why?” asked Mr. Jones."]),
    ("en", ["The U.S. economy grew by 3.5 percent in 2025.", "It shrank the year before."]),
    ("en", ["The wedding was set for July 13.", "The rain came on the 12th."]),
    ("en", ["Is it over?", "Yes!", "“We are done,” she said."]),
    (
        "de",
        ["Am 3. Mai kam Prof. Müller nach Köln.", "Er blieb bis zum 4. Juni.", "„Das war schön“, sagte er."],
    ),
    ("de", ["Es kostet z. B. 3,50 Euro.", "Das ist viel."]),
    ("fr", ["M. Dupont est arrivé hier.", "Il n’a rien dit !", "« Pourquoi ? » demande sa fille."]),
    ("es", ["¿Quién lo vio?", "Nadie lo vio.", "El Sr. Ruiz calló."]),
    ("pl", ["Prof. Kowalski mieszka przy ul. Długiej.", "Ma dwa psy."]),
    ("ru", ["Он приехал вчера.", "Никто его не видел."]),
    ("zh", ["市长昨天宣布关闭大桥。", "“我们别无选择。”", "居民表示理解！", "何时重开？"]),
    ("ja", ["橋は昨日閉鎖されました。", "市長は「仕方がない」と述べた。", "再開は未定です。"]),
    ("ar", ["أُغلق الجسر أمس.", "هل سيفتح قريباً؟", "لا أحد يعرف!"]),
    ("hi", ["पुल कल बंद कर दिया गया।", "कोई नहीं जानता कि वह कब खुलेगा।"]),
    ("vi", ["Cây cầu đóng cửa hôm qua.", "Không ai biết khi nào nó mở lại."]),
]


@pytest.mark.parametrize(("language", "expected"), CASES)
def test_sentences_end_where_they_end(language: str, expected: list[str]) -> None:
    joint = "" if language in ("zh", "ja") else " "
    assert sentences(joint.join(expected), language) == expected


def test_a_line_break_always_ends_a_sentence() -> None:
    assert sentences("A heading\nThe text begins. It goes on.", "en") == [
        "A heading",
        "The text begins.",
        "It goes on.",
    ]


def test_a_missing_space_does_not_glue_two_sentences() -> None:
    assert sentences("Elle étudie à Yale.Selon elle, tout va bien.", "fr") == [
        "Elle étudie à Yale.",
        "Selon elle, tout va bien.",
    ]


def test_addresses_and_abbreviations_are_not_torn() -> None:
    text = "Visit news.example.org or e.g. the U.S. site. Then rest."
    assert sentences(text, "en") == ["Visit news.example.org or e.g. the U.S. site.", "Then rest."]


def test_text_without_capitals_is_split_too() -> None:
    text = "two heroes survived the earthquake. they help others now. mr. rai has 45 children to care for."
    assert sentences(text, "en") == [
        "two heroes survived the earthquake.",
        "they help others now.",
        "mr. rai has 45 children to care for.",
    ]


@pytest.mark.parametrize(
    "text", ["", "   \n\n ", "...", "。", "word", "a" * 10_000, ". " * 5_000, "🦦🦦🦦", "\n".join("abc" * 3)]
)
def test_every_visible_character_stands_in_exactly_one_sentence(text: str) -> None:
    found = split(text, "en")
    assert all(before.end <= after.start for before, after in pairwise(found))
    assert "".join("".join(text[s.start : s.end].split()) for s in found) == "".join(text.split())


def test_two_megabytes_are_split_in_a_moment() -> None:
    started = time.process_time()
    split("A. " * 300_000, "en")
    split("我们今天去。" * 100_000, "zh")
    split("x" * 2_000_000, "de")
    assert time.process_time() - started < 5

"""The opening line of a letter and the clamp of its subject."""

from __future__ import annotations

import re

import pytest

from digest.summarizer.opening import clamp, opening

TITLES = ["Bridge shut", "Tram wins", "Otters back", "Never told"]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "Today: Bridge shut. Also: Tram wins; Otters back."),
        ("en-GB", "Today: Bridge shut. Also: Tram wins; Otters back."),
        ("de", "Heute: Bridge shut. Außerdem: Tram wins; Otters back."),
        ("fr", "Aujourd’hui : Bridge shut. Et aussi : Tram wins ; Otters back."),
        ("es", "Hoy: Bridge shut. Además: Tram wins; Otters back."),
        ("ar", "اليوم: \u200eBridge shut\u200e. وأيضًا: \u200eTram wins\u200e؛ \u200eOtters back\u200e."),
        ("ja", "今日は「Bridge shut」。ほかに「Tram wins」「Otters back」。"),
        ("zh-Hant", "今天：Bridge shut。此外：Tram wins；Otters back。"),
        ("nn-NO", "Today: Bridge shut. Also: Tram wins; Otters back."),
        ("no", "I dag: Bridge shut. Dessuten: Tram wins; Otters back."),
        ("tlh", "Today: Bridge shut. Also: Tram wins; Otters back."),
    ],
)
def test_the_opening_names_the_first_three(language: str, expected: str) -> None:
    assert opening(TITLES, language) == expected


@pytest.mark.parametrize(
    ("titles", "expected"),
    [
        ([], ""),
        ([" "], ""),
        (["One"], ""),
        (["One", "Two!"], "Today: One. Also: Two!"),
        (["One", "Two!", "Three"], "Today: One. Also: Two! Three."),
        (["One", "“Two.”", "Three"], "Today: One. Also: “Two.” Three."),
        (["One!", "Two"], "Today: One! Also: Two."),
        (["He said “no”", "B"], "Today: He said “no”. Also: B."),
        (["A", "He asked “why?”"], "Today: A. Also: He asked “why?”"),
        (["Wait…", "One"], "Today: Wait… Also: One."),
        (["One:", "Two;", "Three,"], "Today: One. Also: Two; Three."),
        (["Why now?", "One", "Two"], "Today: One. Also: Two; Why now?"),
        (["Why now?", "“Who?”"], "Today: Why now? Also: “Who?”"),
        (["", "One", " : ", "Two", "Three", "Four"], "Today: One. Also: Two; Three."),
        (["عودة «القطارات»", "One"], "Today: \u200fعودة «القطارات»\u200f. Also: One."),
        (["{0} {1} {{7*7}} \\1", "{2}"], "Today: {0} {1} {{7*7}} \\1. Also: {2}."),
    ],
)
def test_marks_and_places_in_headlines_do_no_harm(titles: list[str], expected: str) -> None:
    assert opening(titles, "en") == expected


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [
        ("short", 70, "short"),
        ("exactly ten", 11, "exactly ten"),
        ("one two three four", 12, "one two…"),
        ("one two three four", 14, "one two three…"),
        ("one, two three", 6, "one…"),
        ("w" * 100, 10, "w" * 9 + "…"),
    ],
)
def test_a_clamp_ends_at_a_word(text: str, length: int, expected: str) -> None:
    assert clamp(text, length) == expected
    assert len(clamp(text, length)) <= length


@pytest.mark.parametrize("language", ["en", "fr", "ar", "ja", "zh", "he", "ru"])
def test_no_opening_has_two_full_stops_in_a_row(language: str) -> None:
    for titles in (["A.", "B.", "C."], ["A!", "B?", "C…"], ["A。", "B؟", "C؛"], ["“A.”", "(B.)", "C"]):
        line = opening(titles, language)
        assert not re.search(r"[.;。；؛!?؟…][”)」]?[.;。；؛]", line.replace("」。", "」")), line


def test_a_long_headline_is_cut_at_a_word() -> None:
    line = opening(["word " * 60, "One"], "en")
    assert "word… Also: One." in line
    assert len(line) < 120

"""The opening line of a letter and the clamp of its subject."""

from __future__ import annotations

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
        ("ar", "اليوم: Bridge shut. وأيضًا: Tram wins؛ Otters back."),
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
        (["One."], "Today: One."),
        (["Why now?"], "Today: Why now?"),
        (["One", "Two!"], "Today: One. Also: Two!"),
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

"""Numbers as people write them, and whether a text holds one."""

from __future__ import annotations

import time

import pytest

from digest.summarizer.names import unknown, words_of
from digest.summarizer.numerals import claimed, held


def holds(source: str, said: str, language: str) -> bool:
    found = list(claimed(said, language))
    assert found
    return all(numbers <= held(source, language) for _, numbers in found)


@pytest.mark.parametrize(
    ("source", "said", "language"),
    [
        ("1,000 people", "1.000 people", "en"),
        ("1.000 Menschen", "1000 Menschen", "de"),
        ("1 000 personnes", "1\u202f000 personnes", "fr"),
        ("1'000'000 Franken", "1 Million Franken", "de"),
        ("12,34,567 rupees", "1234567 rupees", "hi"),
        ("1,234.5", "1.234,5", "de"),
        ("2 million", "2,000,000", "en"),
        ("2,5 Mio. Euro", "2,5 Millionen Euro", "de"),
        ("$3.5bn", "$3.5 billion", "en"),
        ("5,2 млрд", "5,2 миллиарда", "ru"),
        ("1.2万人", "12000人", "zh"),
        ("١٢٠٠", "1200", "ar"),
        ("१२", "12", "hi"),
        ("5 %", "5 percent", "en"),
        ("5%", "5 pour cent", "fr"),
        ("10:30", "10.30", "en"),
        ("22.11.2026", "2026-11-22", "en"),
        ("seven", "7", "en"),
        ("7", "seven", "en"),
        ("twenty-five", "25", "en"),
        ("fünfundzwanzig", "25", "de"),
        ("quatre-vingt-dix", "90", "fr"),
        ("2-3 days", "2 to 3 days", "en"),
        ("the 1990s", "in 1990", "en"),
        ("on the 21st", "on 21 May", "en"),
        (".5 million", ".5 million", "en"),
    ],
)
def test_one_number_is_the_same_however_it_is_written(source: str, said: str, language: str) -> None:
    assert holds(source, said, language)


@pytest.mark.parametrize(
    ("source", "said", "language"),
    [
        ("1 house", "1,000 houses", "en"),
        ("1,000", "1", "de"),
        ("2 million", "2", "en"),
        ("2", "2 million", "en"),
        ("3 and 5", "3.5", "en"),
        ("5 people", "5 percent", "en"),
        ("seven", "eight", "en"),
        ("10:30", "11:30", "en"),
        ("2026", "2027", "en"),
        ("1.2万", "1.2亿", "zh"),
        ("5m", "£50m", "en"),
    ],
)
def test_two_numbers_are_not_one(source: str, said: str, language: str) -> None:
    if (source, said) == ("1,000", "1"):
        assert holds(source, said, language)  # a German 1,000 is 1 with three decimals
    else:
        assert not holds(source, said, language)


def test_words_that_only_look_like_numbers_are_none() -> None:
    assert list(claimed("G7 und COVID19, außer Acht lassen", "fr")) == []


@pytest.mark.parametrize(
    ("text", "said", "language", "name"),
    [
        ("Angela Merkel met Xi.", "Today Merkel's guest met Xi.", "en", ""),
        ("Angela Merkel met Xi.", "Angela Merkel met Putin.", "en", "Putin"),
        ("The U.S. army came.", "An army of the US came.", "en", ""),
        ("São Paulo grows.", "In Sao Paulo it grows.", "en", ""),
        ("Iran spoke.", "The talk of Iraq spoke.", "en", "Iraq"),
        ("It was in Nov. 2026.", "It was in November.", "en", ""),
        ("It was in November.", "It was in December.", "en", "December"),
        ("Warszawa czeka.", "Czeka w Warszawie.", "pl", ""),
        ("Марина ждёт.", "Её ждёт Мария.", "ru", "Мария"),
        ("Die Bank hat Kosten.", "Heute hat die Bank Bankkosten.", "de", ""),
        ("Ein Mann kam.", "Der neue Neumann kam.", "de", "Neumann"),
        ("Er geht.", "Dann gehen Sie mit Entschlossenheit.", "de", ""),
        ("L'Élysée répond.", "Selon l’Elysée, il répond.", "fr", ""),
        ("Tỉnh Thanh Hóa", "Ở tỉnh Thạnh Hóa", "vi", "Thạnh"),
        ("北京的OpenAI公司", "北京的Google公司", "zh", "Google"),
        ("北京的OpenAI公司", "北京的OpenAI", "zh", ""),
    ],
)
def test_a_name_is_known_by_its_forms_and_no_other_is(text: str, said: str, language: str, name: str) -> None:
    assert unknown(said, words_of(text, language), language) == name


@pytest.mark.parametrize(
    "text", ["1." * 50_000, "9" * 100_000, "1 " * 50_000, "five-" * 30_000, "und" * 30_000]
)
def test_long_texts_take_no_long_time(text: str) -> None:
    begin = time.process_time()
    held(text, "de")
    unknown(text, words_of(text, "de"), "de")
    assert time.process_time() - begin < 2

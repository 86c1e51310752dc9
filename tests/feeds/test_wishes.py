"""What a document asks for: how seldom to be read, and when not at all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from digest.feeds.parse import parse_patiently, parse_quickly
from digest.feeds.wishes import minutes, skipped, updates, wishes
from digest.model import Wishes

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("60", HOUR), (" 90\n", 1.5 * HOUR), ("0", None), ("-5", None), ("1.5", None), ("", None), (None, None),
     ("99999999999", timedelta(days=7)), ("٣", None)],
)  # fmt: skip
def test_ttl_is_in_minutes_and_at_most_a_week(text: object, expected: timedelta | None) -> None:
    assert minutes(text) == expected


@pytest.mark.parametrize(
    ("period", "frequency", "expected"),
    [
        ("hourly", "1", HOUR),
        (" Daily ", "4", 6 * HOUR),
        ("weekly", None, timedelta(days=7)),
        ("monthly", "30", timedelta(days=1)),
        ("yearly", "1", timedelta(days=7)),
        ("", "2", 12 * HOUR),
        ("hourly", "0", HOUR),
        ("fortnightly", "1", None),
        (None, None, None),
        ({"a": "dict"}, None, None),
    ],
)
def test_the_syndication_module_says_how_often_in_a_period(
    period: object, frequency: object, expected: timedelta | None
) -> None:
    assert updates(period, frequency) == expected


def test_the_longer_of_two_wishes_counts() -> None:
    assert wishes("30", "hourly", "1", (), ()).every == HOUR
    assert wishes("120", "hourly", "1", (), ()).every == 2 * HOUR
    assert wishes(None, None, None, (), ()) == Wishes()


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(["3", " 4 ", "24", "25", "-1", "x", "007"], (0, 3, 4)), (map(str, range(24)), ()), ([], ())],
)
def test_hours_count_from_midnight_and_all_of_them_say_nothing(
    hours: list[str], expected: tuple[int, ...]
) -> None:
    assert wishes(None, None, None, hours, ()).skip_hours == expected


def test_days_are_named_and_all_of_them_say_nothing() -> None:
    week = ["Monday", "tuesday", "WEDNESDAY", "Thu", "Friday", "Saturday", "Sunday"]
    assert wishes(None, None, None, (), ["Sunday", "monday", "Caturday"]).skip_days == (0, 6)
    assert wishes(None, None, None, (), week).skip_days == ()


def test_lists_within_an_entry_are_its_words_not_a_wish() -> None:
    text = "<channel><item><skipHours><hour>3</hour></skipHours></item><skipDays><day>Friday</day></skipDays>"
    assert skipped(text) == ([], ["friday"])


def test_both_ways_of_reading_find_the_same_wishes() -> None:
    head = """<ttl>90</ttl><s:updatePeriod>daily</s:updatePeriod><s:updateFrequency>12</s:updateFrequency>
        <skipHours><hour>1</hour><!-- <hour>7</hour> --><hour><![CDATA[2]]></hour></skipHours>
        <skipDays><day>Sunday</day></skipDays>"""
    space = 'xmlns:s="http://purl.org/rss/1.0/modules/syndication/"'
    body = f'<rss version="2.0" {space}><channel><title>T</title>{head}<item/></channel></rss>'.encode()
    expected = Wishes(every=2 * HOUR, skip_hours=(1, 2), skip_days=(6,))
    quick = parse_quickly(body)
    assert quick is not None
    assert quick.wishes == parse_patiently(body).wishes == expected

"""What headers and status of an answer mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from digest.headers import freshness, http_date, printable, refusal, retry_after, validator

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Sun, 22 Nov 2026 12:05:00 GMT", 300),
        ("Sunday, 22-Nov-26 12:05:00 GMT", 300),
        ("Sun, 22 Nov 2026 13:05:00 +0100", 300),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0),
        ("99999999999999999999", 86_400),
        ("Sun, 22 Nov 2076 12:05:00 GMT", 86_400),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("²", None),
        (None, None),
    ],
)
def test_retry_after_has_two_forms_and_is_a_day_at_most(value: str | None, seconds: int | None) -> None:
    assert retry_after(value, NOW) == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("public, max-age=900", 900),
        ('MAX-AGE="60"', 60),
        ("max-age = 60", 60),
        ("max-age=60; must-revalidate", 60),
        ("private,max-age=60,immutable", 60),
        ("max-age=60, max-age=5", 60),
        ("s-maxage=60", None),
        ("s-maxage=60, max-age=70", 70),
        ("max-age=60, s-maxage=5, proxy-revalidate", 60),
        ("max-age=60, no-cache", None),
        ('no-cache="set-cookie", max-age=60', 60),
        ("no-store, max-age=60", None),
        ("no-store", None),
        ("must-revalidate", None),
        ("immutable", None),
        ("stale-while-revalidate=60", None),
        ("max-age=0", None),
        ("max-age=-1", None),
        ("max-age=1.5", None),
        ("max-age=ten", None),
        ("max-age", None),
        ("max-age=²", None),
        ("x-max-age=60", None),
        ('private="max-age=60"', None),
        ("", None),
        ("max-age=999999999", 365 * 86_400),
        ("max-age=" + "9" * 400, 365 * 86_400),
        ("a" * 100_000, None),
        ('a="' * 30_000, None),
    ],
)
def test_freshness_is_what_is_meant_for_us(value: str, seconds: int | None) -> None:
    assert freshness(value, now=NOW) == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("expires", "date", "seconds"),
    [
        ("Sun, 22 Nov 2026 12:05:00 GMT", None, 300),
        ("Sun, 22 Nov 2026 12:05:00 GMT", "Sun, 22 Nov 2026 12:04:00 GMT", 60),
        ("Sun, 22 Nov 2026 12:05:00 GMT", "yesterday", 300),
        ("Sunday, 22-Nov-26 12:05:00 GMT", None, 300),
        ("Sun Nov 22 12:05:00 2026", None, 300),
        ("Sun, 22 Nov 2026 12:00:00 GMT", None, None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None, None),
        ("Sun, 22 Nov 9999 12:05:00 GMT", None, 365 * 86_400),
        ("Sun, 22 Nov 99999 12:05:00 GMT", None, None),
        ("Sun, 22 Nov 2026 12:05:00 +9999", None, None),
        ("0", None, None),
        ("-1", None, None),
        ("", None, None),
        ("x" * 70_000, None, None),
    ],
)
def test_expires_counts_from_the_servers_own_date(
    expires: str, date: str | None, seconds: int | None
) -> None:
    found = freshness("", expires=expires, date=date, now=NOW)
    assert found == (None if seconds is None else timedelta(seconds=seconds))


def test_max_age_wins_over_expires_even_when_it_is_nonsense() -> None:
    later = "Sun, 22 Nov 2026 13:00:00 GMT"
    assert freshness("max-age=60", expires=later, now=NOW) == timedelta(minutes=1)
    assert freshness("max-age=x", expires=later, now=NOW) is None
    assert freshness("no-store", expires=later, now=NOW) is None
    assert freshness("public", expires=later, now=NOW) == timedelta(hours=1)


@pytest.mark.parametrize(
    ("age", "seconds"),
    [
        ("0", 60),
        ("20", 40),
        ("20, 30", 40),
        ("60", None),
        ("9" * 30, None),
        ("-5", 60),
        ("ten", 60),
        ("", 60),
    ],
)
def test_what_it_has_aged_in_caches_is_taken_off(age: str, seconds: int | None) -> None:
    found = freshness("max-age=60", age=age, now=NOW)
    assert found == (None if seconds is None else timedelta(seconds=seconds))


def test_dates_without_a_zone_are_utc() -> None:
    assert http_date("Sun, 22 Nov 2026 12:00:00") == NOW
    assert http_date("Sun, 22 Nov 2026 13:00:00 +0100") == NOW


def test_a_validator_is_kept_verbatim_or_not_at_all() -> None:
    assert validator('W/"a b-gzip"') == 'W/"a b-gzip"'
    for odd in ("unquoted", "W/", '""', '"a", "b"', "0", "Sun, 32 Foo 99", "a  b", "ümläut 🙂", '\\"'):
        assert validator(odd) == odd
    for value in (None, "", "a\nb", "\udcff", "x" * 3000):
        assert validator(value) is None


def test_what_is_shown_of_a_header_is_short_and_harmless() -> None:
    assert printable("text/xml; charset=utf-8") == "text/xml; charset=utf-8"
    assert printable("a\x1b[31m\udcffb") == "a[31mb"
    assert len(printable("x" * 60_000)) == len(printable("\0" + "x" * 60_000)) == 200


def test_only_gone_is_permanent() -> None:
    assert refusal(410, "a.example", None, NOW).permanent
    for status in (400, 401, 403, 404, 429, 500, 502, 503, 304, 418, 100):
        assert not refusal(status, "a.example", None, NOW).permanent


@pytest.mark.parametrize("status", [429, 500, 503, 413])
def test_the_servers_wish_to_wait_is_kept(status: int) -> None:
    error = refusal(status, "a.example", "7200", NOW)
    assert error.retry_after == timedelta(hours=2)
    assert "2 hours" in str(error)
    assert "a.example" in str(error)

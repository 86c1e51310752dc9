"""What headers and status of an answer mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from digest.headers import max_age, refusal, retry_after, validator

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
        ("s-maxage=60", None),
        ("max-age=60, no-cache", None),
        ("no-store", None),
        ("", None),
        ("max-age=999999999", 365 * 86_400),
    ],
)
def test_max_age_is_read_unless_caching_is_forbidden(value: str, seconds: int | None) -> None:
    assert max_age(value) == (None if seconds is None else timedelta(seconds=seconds))


def test_a_validator_is_kept_verbatim_or_not_at_all() -> None:
    assert validator('W/"a b-gzip"') == 'W/"a b-gzip"'
    assert validator("unquoted") == "unquoted"
    for value in (None, "", "a\nb", "\udcff", "x" * 3000):
        assert validator(value) is None


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

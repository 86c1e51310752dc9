from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.web.conditional import Conditions, accepts_gzip, as_http_date, http_date, verdict

AT = datetime(2026, 11, 22, 7, 0, 5, tzinfo=UTC)
SAME, EARLIER, LATER = (
    as_http_date(AT),
    as_http_date(AT - timedelta(seconds=1)),
    as_http_date(AT + timedelta(days=1)),
)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Conditions(), "send"),
        (Conditions(if_none_match='"a"'), "not modified"),
        (Conditions(if_none_match='W/"a"'), "not modified"),
        (Conditions(if_none_match='"x", "y,z", W/"a"'), "not modified"),
        (Conditions(if_none_match='"x","a"'), "not modified"),
        (Conditions(if_none_match="*"), "not modified"),
        (Conditions(if_none_match=" * "), "not modified"),
        (Conditions(if_none_match='"b"'), "send"),
        (Conditions(if_none_match='"A"'), "send"),
        (Conditions(if_none_match='"aa"'), "send"),
        (Conditions(if_none_match='"x, a"'), "send"),
        (Conditions(if_none_match="a"), "send"),
        (Conditions(if_none_match=""), "send"),
        (Conditions(if_none_match='w/"a'), "send"),
        (Conditions(if_modified_since=SAME), "not modified"),
        (Conditions(if_modified_since=LATER), "not modified"),
        (Conditions(if_modified_since=EARLIER), "send"),
        (Conditions(if_modified_since="Sunday, 22-Nov-26 07:00:05 GMT"), "not modified"),
        (Conditions(if_modified_since="Sun Nov 22 07:00:05 2026"), "not modified"),
        (Conditions(if_modified_since="Sunday, 22-Nov-26 07:00:04 GMT"), "send"),
        (Conditions(if_modified_since="2026-11-23"), "send"),
        (Conditions(if_modified_since="Mon, 23 Nov 2026 07:00:05 +0000"), "send"),
        (Conditions(if_modified_since=f"{LATER}, {LATER}"), "send"),
        (Conditions(if_modified_since="0"), "send"),
        (Conditions(if_none_match='"b"', if_modified_since=LATER), "send"),
        (Conditions(if_none_match='"a"', if_modified_since=EARLIER), "not modified"),
        (Conditions(if_match='"a"'), "send"),
        (Conditions(if_match="*"), "send"),
        (Conditions(if_match='W/"a"'), "failed"),
        (Conditions(if_match='"b"'), "failed"),
        (Conditions(if_match='"a"', if_none_match='"a"'), "not modified"),
        (Conditions(if_unmodified_since=SAME), "send"),
        (Conditions(if_unmodified_since=EARLIER), "failed"),
        (Conditions(if_unmodified_since="nonsense"), "send"),
        (Conditions(if_match='"a"', if_unmodified_since=EARLIER), "send"),
    ],
)
def test_preconditions_are_judged_by_rfc_9110(asked: Conditions, expected: str) -> None:
    assert verdict(asked, etag='"a"', last_modified=AT) == expected


@pytest.mark.parametrize(
    ("field", "accepted"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("*", True),
        ("identity", False),
        ("br", False),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0, *", False),
        ("*;q=0", False),
        ("*;q=0.5, identity;q=0.1", True),
        ("identity;q=1, gzip;q=0.5", False),
        ("gzip;q=high", False),
        ("deflate, gzip;level=9", True),
        (",,gzip,,", True),
        ("gzipped", False),
    ],
)
def test_gzip_goes_only_to_those_who_take_it(field: str, accepted: bool) -> None:
    assert accepts_gzip(field) is accepted


@given(st.text(max_size=60))
def test_no_header_breaks_the_reading_of_headers(text: str) -> None:
    assert accepts_gzip(text) in (True, False)
    http_date(text)
    asked = Conditions(if_none_match=text, if_match=text, if_modified_since=text, if_unmodified_since=text)
    assert verdict(asked, etag='"a"', last_modified=AT) in ("send", "not modified", "failed")

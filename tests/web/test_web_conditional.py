from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.web.conditional import Conditions, as_http_date, best_coding, http_date, verdict

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
    ("field", "coding"),
    [
        (None, "identity"),
        ("", "identity"),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("x-gzip;q=0.5, gzip;q=0", "identity"),
        ("br", "br"),
        ("*", "br"),
        ("identity", "identity"),
        ("zstd", "identity"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=1.0, br;q=0.9", "gzip"),
        ("br;q=0.5, gzip;q=0.8, *;q=0.1", "gzip"),
        ("gzip;q=0", "identity"),
        ("gzip; q=0.0, *", "br"),
        ("*;q=0", None),
        ("identity;q=0", None),
        ("identity;q=0, gzip", "gzip"),
        ("gzip;q=0, br;q=0, identity;q=0", None),
        ("*;q=0, identity", "identity"),
        ("*;q=0, gzip;q=0.001", "gzip"),
        ("*;q=0.5, identity;q=0.1", "br"),
        ("*;q=0.5, br;q=0.1, gzip;q=0.1", "identity"),
        ("identity;q=1, gzip;q=0.5", "identity"),
        ("identity;q=0.5", "identity"),
        ("gzip;q=0.5, identity;q=0.5", "gzip"),
        ("gzip;Q=0.5", "gzip"),
        ("gzip ; q = 0.7 ", "gzip"),
        ("gzip;q=high", "identity"),
        ("gzip;q=nan", "identity"),
        ("gzip;q=inf", "identity"),
        ("gzip;q=-1", "identity"),
        ("gzip;q=2", "identity"),
        ("gzip;q=0.0001", "identity"),
        ("gzip;q=", "identity"),
        ("deflate, gzip;level=9", "gzip"),
        ("gzip;level=9;q=0", "identity"),
        (",,gzip,,", "gzip"),
        ("gzipped", "identity"),
        ("gzip\tbr", "identity"),
    ],
)
def test_everybody_gets_the_coding_they_like_best(field: str | None, coding: str | None) -> None:
    assert best_coding(field, ("br", "gzip")) == coding


@given(st.text(max_size=60))
def test_no_header_breaks_the_reading_of_headers(text: str) -> None:
    assert best_coding(text, ("br", "gzip")) in ("br", "gzip", "identity", None)
    http_date(text)
    asked = Conditions(if_none_match=text, if_match=text, if_modified_since=text, if_unmodified_since=text)
    assert verdict(asked, etag='"a"', last_modified=AT) in ("send", "not modified", "failed")

"""Fingerprints: the same everywhere and for ever, and blind to what does not matter."""

from __future__ import annotations

import subprocess
import sys

import pytest

from digest.summarizer.fingerprint import canonical_url, fingerprint, page_address

TEXT = "The council closed the old harbour bridge on Friday because of a crack in it."


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    code = (
        "from digest.summarizer.fingerprint import fingerprint;"
        f"f = fingerprint({TEXT!r}, 'Bridge closed', 'en'); print(f.text_hash, f.shingles[:3], dict(f.terms))"
    )
    out = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    here = fingerprint(TEXT, "Bridge closed", "en")
    assert out == {f"{here.text_hash} {here.shingles[:3]} {dict(here.terms)}\n"}


def test_shingles_fit_a_signed_column() -> None:
    found = fingerprint(" ".join(f"word{number}" for number in range(3_000)), "", "en").shingles
    assert len(found) == 2_000 - 3
    assert all(0 <= each < 2**63 for each in found)
    assert list(found) == sorted(set(found))


def test_case_spaces_and_marks_do_not_change_a_text() -> None:
    loud = TEXT.upper().replace(" ", "\n ").replace(".", "!!")
    assert fingerprint(loud, "", "en").text_hash == fingerprint(TEXT, "", "en").text_hash


def test_terms_count_the_title_twice_and_leave_stop_words_out() -> None:
    terms = fingerprint("The bridge is closed.", "The bridge", "en").terms
    assert terms["bridge"] == 3
    assert "the" not in terms
    assert "is" not in terms


def test_a_title_alone_has_a_hash_of_its_own() -> None:
    assert fingerprint("", "One title", "en").text_hash != fingerprint("", "Another title", "en").text_hash


def test_lone_surrogates_and_strange_scripts_are_no_error() -> None:
    fingerprint("\ud800 abc \udfff 漢字かな交じり文 ไทย", "\ud83d", "xx")


@pytest.mark.parametrize(
    "other",
    [
        "http://example.org/a/story",
        "https://www.example.org/a/story/",
        "https://example.org/a/story#comments",
        "https://EXAMPLE.org:443/a/story?utm_source=rss&utm_medium=feed",
        "https://example.org/a/story?fbclid=abc",
        "https://m.example.org/a/story/amp",
    ],
)
def test_two_ways_to_a_page_are_one_address(other: str) -> None:
    assert canonical_url(other) == canonical_url("https://example.org/a/story")


@pytest.mark.parametrize(
    "other",
    [
        "https://example.org/a/other",
        "https://example.net/a/story",
        "https://example.org/a/story?id=2",
        "https://example.org:8443/a/story",
    ],
)
def test_two_pages_are_two_addresses(other: str) -> None:
    assert canonical_url(other) != canonical_url("https://example.org/a/story")


@pytest.mark.parametrize("url", ["https://example.org/", "https://example.org", "", "https://[broken"])
def test_a_front_page_is_no_page_of_an_article(url: str) -> None:
    assert page_address(url) in ("", url if "[" in url else "")

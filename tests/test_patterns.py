"""Patterns of an admin on texts of strangers: found, refused, or given up in time."""

from __future__ import annotations

import time

import pytest

from digest.patterns import PatternError, Search, check


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"live ?blog", "Our LiveBlog", True),
        (r"(?-i:NATO)", "nato", False),
        (r"\bFähre\b", "die fähre kam", True),
        (r"^\p{Lu}+$", "ABC", True),
        (r"東.京", "東の京", True),
        (r"x", "", False),
    ],
)
def test_a_pattern_is_found_whatever_the_case(pattern: str, text: str, expected: bool) -> None:
    assert Search(pattern, seconds=1).stands_in([text]) is expected


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(a", "missing ) at position 2"),
        ("a{5,2}", "min repeat greater than max repeat at position 2"),
        ("((x{500}){500}){500}", "it repeats things 125,000,000 times; 10,000 is the most"),
        ("(" * 400, "it is too deep or too large"),
    ],
)
def test_what_is_no_pattern_is_refused_in_words(pattern: str, said: str) -> None:
    with pytest.raises(PatternError) as caught:
        check(pattern)
    assert str(caught.value) == said


@pytest.mark.parametrize("pattern", [r"^(a+)+$", r"(a|aa)+$", r"(\w+\s?)*$", r"(?R)?a", r"(a*)*\1*\1*\1*$"])
def test_a_pattern_that_runs_away_is_stopped_and_given_up(pattern: str) -> None:
    texts = ["a" * 3_000 + "! " * 500] * 400
    search = Search(pattern, seconds=0.1)
    started = time.process_time()
    answers = [search.stands_in([text]) for text in texts]
    assert time.process_time() - started < 1
    assert None in answers


@pytest.mark.parametrize("pattern", [".*sponsored.*", "(?i).*?sponsored", ".*.*sponsored"])
def test_a_needless_beginning_costs_nothing(pattern: str) -> None:
    search = Search(pattern, seconds=0.5)
    text = "word " * 4_000
    assert [search.stands_in([text]) for _ in range(20)] == [False] * 20
    assert search.stands_in([f"{text} Sponsored post"]) is True


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (".*", "", True),
        (".*+x", "x", False),
        (".*|x", "y", True),
        (".{2}x", "x", False),
        (r"\.\*x", ".*x", True),
    ],
)
def test_what_only_looks_like_one_is_kept(pattern: str, text: str, expected: bool) -> None:
    assert Search(pattern, seconds=0.5).stands_in([text]) is expected


def test_what_was_found_before_the_time_ran_out_stays_found() -> None:
    search = Search("^(a+)+$", seconds=0.1)
    assert search.stands_in(["aaa"]) is True
    assert [search.stands_in(["a" * 3_000 + "!"]) for _ in range(9)][-1] is None
    assert search.stands_in(["aaa"]) is None

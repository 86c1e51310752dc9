"""The measures, on rows small enough to be counted by hand."""

from __future__ import annotations

import pytest

from digest.summarizer.evaluate import checked
from digest.summarizer.marks import CPU, MARKS, MEAN, MEAN_OF, Scored, lines, reached
from digest.summarizer.scoring import BadRow, check_gold, hidden, rouge, score


def test_the_body_is_measured_by_runs_of_four_words() -> None:
    rows = [{"id": "a", "body": "one two three four five"}, {"id": "b", "body": "six seven eight nine"}]
    found = score("extract_body", rows, {"a": "one two three four, Six seven", "b": ""})
    assert found["precision"] == pytest.approx(1 / 3)  # of the one page that has an answer
    assert found["recall"] == pytest.approx((1 / 2 + 0) / 2)
    assert found["F1"] == pytest.approx(2 * (1 / 3) * (1 / 4) / (1 / 3 + 1 / 4))
    assert found["mean F1 of a page"] == pytest.approx((2 * 1 / 5 + 0) / 2)
    assert found["pages under .5"] == 2


def test_a_text_of_less_than_four_words_is_one_run_and_an_empty_one_is_right_when_nothing_was_there() -> None:
    rows = [{"id": "a", "body": "Just this"}, {"id": "b", "body": ""}]
    assert score("extract_body", rows, {"a": "Just this", "b": None})["mean F1 of a page"] == 1.0


def test_furniture_leaks_unless_the_article_itself_talks_of_it() -> None:
    rows = [
        {"id": "a", "body": "The tide came in over the marsh."},
        {"id": "b", "body": "The law says that every privacy policy must be short."},
    ]
    said = {"a": "The tide came in. Leave a Comment", "b": rows[1]["body"]}
    assert score("extract_body", rows, said)["leak"] == 0.5


def test_snippets_are_counted_over_all_pages() -> None:
    rows = [
        {"id": "a", "with": ["tide", "marsh"], "without": ["cookie", "login"]},
        {"id": "b", "with": ["bread"], "without": ["share"]},
    ]
    found = score("extract_snippets", rows, {"a": "tide and cookie", "b": "bread"})
    assert (found["precision"], found["recall"]) == (pytest.approx(2 / 3), pytest.approx(2 / 3))


def test_rouge_of_words_pairs_and_the_longest_common_subsequence() -> None:
    said, right = ["the", "cat", "sat", "on", "the", "mat"], ["the", "cat", "lay", "on", "a", "mat", "today"]
    one, two, longest = rouge(said, right)
    assert one == pytest.approx(2 * 4 / 13)  # the, cat, on, mat
    assert two == pytest.approx(2 * 1 / 11)  # the cat
    assert longest == pytest.approx(2 * 4 / 13)
    assert rouge([], right) == (0.0, 0.0, 0.0)
    assert rouge(["a", "b", "c"], ["c", "a"])[2] == pytest.approx(2 * 1 / 5)


def test_a_summary_is_cut_where_the_row_ends_it_and_letters_of_unspaced_scripts_are_words() -> None:
    rows = [{"id": "a", "lang": "ja", "text": "橋が開いた。", "ref": "橋が開いた", "max_chars": 2}]
    found = score("summarize", rows, {"a": "橋が開いた"})
    assert found["ROUGE-1"] == pytest.approx(100 * 2 * 2 / 7)
    assert (found["too long"], found["missing"]) == (1, 0)


def test_stories_by_b_cubed_and_by_pairs() -> None:
    rows = [{"id": n, "story": s} for n, s in (("a", "x"), ("b", "x"), ("c", "y"), ("d", "z"))]
    found = score("cluster", rows, {"a": 1, "b": 1, "c": 1})  # d is not answered: alone
    assert found["B-cubed precision"] == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1) / 4)
    assert found["B-cubed recall"] == 1.0
    assert (found["pair precision"], found["pair recall"]) == (pytest.approx(1 / 3), 1.0)
    assert found["pair F"] == pytest.approx(0.5)
    assert score("cluster", rows, {})["pair F"] == 0.0


def test_copies_are_measured_against_their_originals() -> None:
    rows = [{"id": n, "original": o, "kind": "copy"} for n, o in (("a", "a"), ("b", "a"), ("c", "c"))]
    assert score("neardup", rows, {"a": "g", "b": "g", "c": "h"})["pair F"] == 1.0


def test_sentence_ends_are_counted_without_spaces_and_averaged_over_sets() -> None:
    rows = [
        {"id": "a", "lang": "en", "sentences": ["One is.", "Two is.", "Three."]},
        {"id": "b", "lang": "de", "sentences": ["Eins.", "Zwei."]},
    ]
    found = score("sentences", rows, {"a": ["One is. ", "Two  is.Three."], "b": ["Eins.", "Zwei."]})
    assert found["F1 en"] == pytest.approx(2 * 1 / 3)
    assert found["macro F1"] == pytest.approx((2 / 3 + 1) / 2)


def test_the_method_never_sees_what_is_right() -> None:
    row = {"id": "a", "lang": "en", "title": "t", "text": "x", "story": "s", "event": "e"}
    assert hidden(row, "cluster") == {"id": "a", "lang": "en", "title": "t", "text": "x"}


def test_what_is_no_task_is_named() -> None:
    with pytest.raises(ValueError, match="no such task: sing"):
        score("sing", [], {})


@pytest.mark.parametrize(
    ("task", "row", "said"),
    [
        ("summarize", {"text": "x"}, "no 'id'"),
        ("summarize", {"id": "a"}, "no 'text'"),
        ("extract_body", {"id": "a", "html": 5}, "'html' must be text"),
        ("summarize", {"id": "a", "text": "x", "max_chars": 0}, "whole number from 1"),
        ("cluster", {"id": "a", "title": "x", "time": float("nan")}, "seconds since 1970"),
        ("sentences", ["a"], "an object"),
    ],
)
def test_a_row_that_cannot_be_answered_says_why(task: str, row: object, said: str) -> None:
    with pytest.raises(BadRow, match=said):
        checked(task, row)


def test_a_row_without_its_gold_says_so() -> None:
    with pytest.raises(BadRow, match="needs 'with', a list"):
        check_gold("extract_snippets", {"id": "a", "html": "", "with": "x", "without": []})


def test_null_is_as_good_as_nothing() -> None:
    assert checked("summarize", {"id": 1, "text": None, "lang": None}) == {"id": 1, "text": ""}


# ---------------------------------------------------------------- marks


def scored(file: str, cpu: float = 1.0, **measures: float) -> Scored:
    return Scored(file=file, rows=10, cpu=cpu, measures=measures)


def test_marks_are_reached_from_above_or_from_below() -> None:
    assert reached("F1", 0.9, 0.9)
    assert not reached("F1", 0.8999, 0.9)
    assert reached("leak", 0.0, 0.0)
    assert not reached(CPU, 8.1, 8)


def test_a_file_that_is_not_known_has_no_mark() -> None:
    [line] = lines([scored("sentences--mine", **{"macro F1": 0.1})])
    assert (line.mark, line.reached) == (None, None)


def test_time_counts_where_there_is_a_mark_for_it() -> None:
    found = lines([scored("summarize--cnndm", cpu=9.0, ROUGE=30.0)])
    assert [(line.measure, line.reached) for line in found] == [("ROUGE", True), (CPU, False)]


def test_the_mean_of_the_five_is_there_when_all_five_are() -> None:
    five = [scored(name, ROUGE=value) for name, value in zip(MEAN_OF, (30, 30, 20, 20, 18), strict=True)]
    assert lines(five)[-1].file == MEAN
    assert lines(five)[-1].value == pytest.approx(23.6)
    assert lines(five)[-1].reached is False
    assert all(line.file != MEAN for line in lines(five[:-1]))
    assert (
        lines([scored("summarize--own", ROUGE=1.0)], {"summarize--own": {"ROUGE": 2.0}})[0].reached is False
    )
    assert set(MEAN_OF) <= set(MARKS)

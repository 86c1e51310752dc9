"""What goes in, and why the rest stays out."""

from __future__ import annotations

import random
from collections import Counter

from digest.summarizer.select import Ranked, select


def ranked(*rows: tuple[str, str, str, float]) -> list[Ranked]:
    return [Ranked(key=key, feed=feed, section=section, score=score) for key, feed, section, score in rows]


def test_the_best_go_in() -> None:
    found = ranked(("a", "f1", "", 1.0), ("b", "f2", "", 3.0), ("c", "f3", "", 2.0))
    chosen, left = select(found, limit=2, per_feed=4)
    assert [each.key for each in chosen] == ["b", "c"]
    assert left["a"].verdict == "limit"
    assert "1.00" in left["a"].reason
    assert "2.00" in left["a"].reason


def test_no_feed_leads_more_than_its_share() -> None:
    found = ranked(
        *((f"k{number}", "busy", "", 9.0 - number) for number in range(5)), ("other", "calm", "", 0.1)
    )
    chosen, left = select(found, limit=10, per_feed=2)
    assert [each.key for each in chosen] == ["k0", "k1", "other"]
    assert {left[key].verdict for key in ("k2", "k3", "k4")} == {"per_feed"}
    assert "2" in left["k2"].reason


def test_from_three_sections_on_none_takes_more_than_two_fifths() -> None:
    rows = [(f"l{number}", f"f{number}", "Local", 9.0) for number in range(9)]
    rows += [(f"w{number}", f"g{number}", "World", 5.0) for number in range(9)]
    rows += [(f"s{number}", f"h{number}", "Sport", 1.0) for number in range(9)]
    chosen, left = select(ranked(*rows), limit=10, per_feed=4)
    assert Counter(each.section for each in chosen) == {"Local": 4, "World": 4, "Sport": 2}
    assert left["l8"].verdict == "section"
    assert "Local" in left["l8"].reason


def test_two_sections_share_as_they_like() -> None:
    rows = [(f"l{number}", f"f{number}", "Local", 9.0) for number in range(9)] + [("w", "g", "World", 1.0)]
    chosen, _ = select(ranked(*rows), limit=8, per_feed=4)
    assert {each.section for each in chosen} == {"Local"}


def test_places_that_no_other_section_wants_are_filled() -> None:
    rows = [(f"l{number}", f"f{number}", "Local", 9.0) for number in range(9)]
    rows += [("w", "g", "World", 1.0), ("s", "h", "Sport", 1.0)]
    chosen, left = select(ranked(*rows), limit=8, per_feed=4)
    assert len(chosen) == 8
    assert Counter(each.section for each in chosen)["Local"] == 6
    assert len(left) == 3


def test_equal_scores_are_told_apart_by_their_keys() -> None:
    rows = ranked(*((f"k{number}", f"f{number}", "", 1.0) for number in range(9)))
    expected = [each.key for each in select(rows, limit=4, per_feed=4)[0]]
    for seed in range(5):
        mixed = random.Random(seed).sample(rows, len(rows))  # noqa: S311
        assert [each.key for each in select(mixed, limit=4, per_feed=4)[0]] == expected


def test_everything_is_either_chosen_or_has_a_reason() -> None:
    chance = random.Random(3)  # noqa: S311  (nothing secret)
    rows = ranked(
        *(
            (f"k{n}", f"f{chance.randrange(7)}", f"s{chance.randrange(4)}", chance.random())
            for n in range(200)
        )
    )
    chosen, left = select(rows, limit=12, per_feed=3)
    assert {each.key for each in chosen} | set(left) == {each.key for each in rows}
    assert len(chosen) + len(left) == 200


def test_an_empty_window_and_a_letter_without_places_are_fine() -> None:
    assert select([], limit=5, per_feed=2) == ([], {})

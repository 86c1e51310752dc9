"""What goes in, and why the rest stays out."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from digest.summarizer.select import Caps, Lead, Left, Ranked, select


def ranked(*rows: tuple[str, str, str, float]) -> list[Ranked]:
    return [
        Ranked(key=key, lead=Lead(number=number, feed=feed, section=section), score=score)
        for number, (key, feed, section, score) in enumerate(rows)
    ]


def chosen_of(
    found: Sequence[Ranked], *, limit: int, per_feed: int = 4, per_section: Mapping[str, int] | None = None
) -> tuple[list[Ranked], Mapping[str, Left]]:
    return select(found, Caps(limit=limit, per_feed=per_feed, per_section=per_section or {}))


def test_the_best_go_in() -> None:
    found = ranked(("a", "f1", "", 1.0), ("b", "f2", "", 3.0), ("c", "f3", "", 2.0))
    chosen, left = chosen_of(found, limit=2, per_feed=4)
    assert [each.key for each in chosen] == ["b", "c"]
    assert left["a"].verdict == "limit"
    assert "1.00" in left["a"].reason
    assert "2.00" in left["a"].reason


def test_no_feed_leads_more_than_its_share() -> None:
    found = ranked(
        *((f"k{number}", "busy", "", 9.0 - number) for number in range(5)), ("other", "calm", "", 0.1)
    )
    chosen, left = chosen_of(found, limit=10, per_feed=2)
    assert [each.key for each in chosen] == ["k0", "k1", "other"]
    assert {left[key].verdict for key in ("k2", "k3", "k4")} == {"per_feed"}
    assert "2" in left["k2"].reason


def test_from_three_sections_on_none_takes_more_than_two_fifths() -> None:
    rows = [(f"l{number}", f"f{number}", "Local", 9.0) for number in range(9)]
    rows += [(f"w{number}", f"g{number}", "World", 5.0) for number in range(9)]
    rows += [(f"s{number}", f"h{number}", "Sport", 1.0) for number in range(9)]
    chosen, left = chosen_of(ranked(*rows), limit=10, per_feed=4)
    assert Counter(each.lead.section for each in chosen) == {"Local": 4, "World": 4, "Sport": 2}
    assert left["l8"].verdict == "section"
    assert "Local" in left["l8"].reason


def test_two_sections_share_as_they_like() -> None:
    rows = [(f"l{number}", f"f{number}", "Local", 9.0) for number in range(9)] + [("w", "g", "World", 1.0)]
    chosen, _ = chosen_of(ranked(*rows), limit=8, per_feed=4)
    assert {each.lead.section for each in chosen} == {"Local"}


def test_places_that_no_other_section_wants_are_filled() -> None:
    rows = [(f"l{number}", f"f{number}", "Local", 9.0) for number in range(9)]
    rows += [("w", "g", "World", 1.0), ("s", "h", "Sport", 1.0)]
    chosen, left = chosen_of(ranked(*rows), limit=8, per_feed=4)
    assert len(chosen) == 8
    assert Counter(each.lead.section for each in chosen)["Local"] == 6
    assert len(left) == 3


def test_equal_scores_are_told_apart_by_their_keys() -> None:
    rows = ranked(*((f"k{number}", f"f{number}", "", 1.0) for number in range(9)))
    expected = [each.key for each in chosen_of(rows, limit=4, per_feed=4)[0]]
    for seed in range(5):
        mixed = random.Random(seed).sample(rows, len(rows))  # noqa: S311
        assert [each.key for each in chosen_of(mixed, limit=4, per_feed=4)[0]] == expected


def test_everything_is_either_chosen_or_has_a_reason() -> None:
    chance = random.Random(3)  # noqa: S311  (nothing secret)
    rows = ranked(
        *(
            (f"k{n}", f"f{chance.randrange(7)}", f"s{chance.randrange(4)}", chance.random())
            for n in range(200)
        )
    )
    chosen, left = chosen_of(rows, limit=12, per_feed=3)
    assert {each.key for each in chosen} | set(left) == {each.key for each in rows}
    assert len(chosen) + len(left) == 200


def test_an_empty_window_and_a_letter_without_places_are_fine() -> None:
    assert chosen_of([], limit=5, per_feed=2) == ([], {})


def test_a_section_may_have_a_limit_of_its_own() -> None:
    rows = [(f"l{number}", f"f{number}", "Local", 9.0) for number in range(5)]
    rows += [("w", "g", "World", 1.0), ("s", "h", "Sport", 1.0)]
    chosen, left = chosen_of(ranked(*rows), limit=10, per_section={"Local": 2})
    assert Counter(each.lead.section for each in chosen) == {"Local": 2, "World": 1, "Sport": 1}
    assert {left[key].verdict for key in ("l2", "l3", "l4")} == {"section"}
    assert "already has 2 stories, as many as stories.sections allows" in left["l2"].reason


def test_a_limit_of_its_own_may_be_more_than_the_share() -> None:
    rows = [(f"l{number}", f"f{number}", "Local", 9.0) for number in range(9)]
    rows += [(f"{name}{number}", f"{name}{number}", name, 1.0) for name in "wsx" for number in range(9)]
    chosen, _ = chosen_of(ranked(*rows), limit=10, per_section={"Local": 8})
    assert Counter(each.lead.section for each in chosen)["Local"] == 8


def test_another_feed_may_lead_where_the_first_leads_enough() -> None:
    busy = [Ranked(key=f"k{n}", lead=Lead(number=n, feed="busy"), score=9.0 - n) for n in range(3)]
    shared = [
        replace(
            each, others=(Lead(number=10 + n, feed="busy"), Lead(number=20 + n, feed="calm", section="S"))
        )
        for n, each in enumerate(busy)
    ]
    chosen, left = chosen_of(shared, limit=9, per_feed=1)
    assert [(each.key, each.lead.number) for each in chosen] == [("k0", 0), ("k1", 21)]
    assert left["k2"].verdict == "per_feed"
    assert left["k2"].reason.startswith("Each of the 2 feeds that tell it already leads 1 story")


def test_another_lead_does_not_open_a_closed_section() -> None:
    first = Ranked(key="a", lead=Lead(number=0, feed="busy"), score=9.0)
    second = Ranked(
        key="b",
        lead=Lead(number=1, feed="busy"),
        score=8.0,
        others=(Lead(number=2, feed="calm", section="S"),),
    )
    taken = Ranked(key="c", lead=Lead(number=3, feed="third", section="S"), score=9.5)
    chosen, left = chosen_of([first, second, taken], limit=9, per_feed=1, per_section={"S": 1})
    assert [each.key for each in chosen] == ["c", "a"]
    assert left["b"].verdict == "section"


def test_caps_hold_for_any_stories() -> None:
    chance = random.Random(8)  # noqa: S311  (nothing secret)
    for _ in range(60):
        rows = [
            Ranked(
                key=f"k{n}",
                lead=Lead(number=n, feed=f"f{chance.randrange(6)}", section=f"s{chance.randrange(4)}"),
                score=round(chance.random(), 1),
                others=tuple(
                    Lead(number=100 + n, feed=f"f{chance.randrange(6)}", section=f"s{chance.randrange(4)}")
                    for _ in range(chance.randrange(3))
                ),
            )
            for n in range(chance.randrange(30))
        ]
        caps = Caps(limit=chance.randrange(1, 12), per_feed=chance.randrange(1, 4), per_section={"s1": 2})
        chosen, left = select(rows, caps)
        assert {each.key for each in chosen} | set(left) == {each.key for each in rows}
        assert len(chosen) + len(left) == len(rows)
        assert len(chosen) <= caps.limit
        assert max(Counter(each.lead.feed for each in chosen).values(), default=0) <= caps.per_feed
        assert Counter(each.lead.section for each in chosen)["s1"] <= 2
        assert select(chance.sample(rows, len(rows)), caps) == (chosen, left)

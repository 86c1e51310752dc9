"""The made-up world keeps its own rules: what the soak counts with must be true."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from digest.feeds.parse import parse
from news_world import HELD, of_event, world


def test_a_seed_makes_the_same_world_again_and_another_one_another() -> None:
    assert world(1) == world(1)
    assert world(1).items != world(2).items


@pytest.mark.parametrize("seed", range(5))
def test_every_article_holds_what_shows_its_facts(seed: int) -> None:
    made = world(seed)
    for item in made.items:
        event = made.events.get(item.event)
        for fact in item.facts if event else ():
            assert event
            assert event.marker(fact).casefold() in f"{item.title} {item.text}".casefold(), (item.title, fact)


@pytest.mark.parametrize("seed", range(5))
def test_updates_tell_what_nobody_has_told_and_recaps_do_not(seed: int) -> None:
    for _, items in of_event(world(seed).items):
        for item in items:
            before = {fact for other in items if other.day < item.day for fact in other.facts}
            if item.role in ("update", "fix"):
                assert len(item.facts - before) == 1, item
            elif item.role in ("recap", "late"):
                assert item.facts <= before, item
        assert {item.role for item in items if item.day == items[0].day} <= {
            "break", "rewrite", "copy", "noise",
        }  # fmt: skip


def test_there_is_some_of_everything() -> None:
    roles = Counter(item.role for item in world(1, events=16).items)
    assert set(roles) == {"break", "rewrite", "copy", "late", "update", "recap", "fix", "noise"}
    assert min(roles.values()) >= 4


def test_feeds_can_be_read_and_items_stay_for_some_days_under_changing_names() -> None:
    made = world(3)
    paper = "courier"
    guids: dict[str, set[str]] = {}
    for day in range(made.days):
        parsed = parse(made.feeds(day)[paper], url=f"https://{paper}.example.org/feed.xml")
        assert parsed.language == "en"
        titles = [entry.title for entry in parsed.entries]
        assert titles == [
            item.title
            for item in reversed(made.items)
            if item.paper == paper and day - HELD < item.day <= day
        ]
        assert all(a.published >= b.published for a, b in pairwise(parsed.entries))  # type: ignore[operator]
        for entry in parsed.entries:
            guids.setdefault(entry.title, set()).add(entry.guid)
    assert {len(each) for each in guids.values()} == {1, 2}

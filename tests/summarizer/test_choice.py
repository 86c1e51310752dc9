"""What goes into a draft: filters first, then copies, stories, rank and caps; pictures that help."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from test_stories import BELL, BRIDGE, BRIDGE_TOO, OTTER, TRAM
from window_samples import SINCE, article, composed, filler, newsletter, remembered, verdicts

from digest.model import Article, Filter, Follow, Newsletter

A, B, C = (f"https://{name}.example/feed" for name in "abc")


def day() -> list[Article]:
    return [
        article(1, *BRIDGE, feed=A, hours=3),
        article(2, *BRIDGE_TOO, feed=B, hours=4),
        article(3, *BELL, feed=A),
        article(4, *TRAM, feed=B, hours=9),
        article(5, *OTTER, feed=C, hours=20),
        article(6, BELL[0], BELL[1], feed=C),
        article(7, "Long ago", filler(7), feed=A, hours=20),
    ]


def picky(**more: object) -> Newsletter:
    follows = (
        Follow(url=A, section="Local", exclude=(Filter(words="Long ago", where="title"),)),
        Follow(url=B, section="World", weight=2.0),
        Follow(url=C, section="Nature"),
    )
    return newsletter(*follows, **more)


STEPS = [
    # what is changed, and what becomes of the otters (5), of the bell (3) and of its copy (6)
    ({}, "lead", "lead", "copy"),
    ({"exclude": (Filter(words="otters"),)}, "filtered", "lead", "copy"),
    ({"exclude": (Filter(feed=A),)}, "lead", "filtered", "lead"),
    ({"include": (Filter(words="bell"),)}, "filtered", "lead", "copy"),
    ({"include": (Filter(words="otters"), Filter(words="bell")), "exclude": (Filter(words="bell"),)},
     "lead", "filtered", "filtered"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "otters", "bell", "copy"), STEPS)
def test_filters_come_before_everything_that_compares(
    change: dict[str, object], otters: str, bell: str, copy: str
) -> None:
    found = verdicts(composed(picky(**change), day()))
    assert (found[5], found[3], found[6]) == (otters, bell, copy)
    assert found[7] == "filtered"


def test_what_is_known_is_not_even_filtered_and_what_is_filtered_was_not_told() -> None:
    old = replace(article(8, *BELL, feed=A), backlog=True, published=SINCE - timedelta(days=9))
    bell = [article(3, *BELL, feed=A)]
    told = remembered(composed(picky(), bell), bell)
    letter = picky(exclude=(Filter(words="bell"),))
    assert verdicts(composed(letter, [old, *bell], told)) == {8: "known", 3: "filtered"}
    assert verdicts(composed(picky(), [old, *bell], told)) == {8: "known", 3: "told"}


def test_every_article_has_one_decision_whatever_the_choice() -> None:
    for change in (
        {"limit": 1},
        {"per_section": {"Local": 1}},
        {"per_feed": 1},
        {"exclude": (Filter(regex="b.ll"),)},
        {"include": (Filter(words="nothing at all"),)},
        {"interests": ("bell", "otter"), "interest_weights": {"bell": 9.0}},
    ):
        draft = composed(picky(**change), day())
        assert sorted(decision.article_id for decision in draft.decisions) == [1, 2, 3, 4, 5, 6, 7]


def test_the_same_articles_in_any_order_make_the_same_draft_with_every_choice_made() -> None:
    letter = picky(
        limit=6,
        per_feed=2,
        per_section={"World": 1},
        interests=("bell", "river otter"),
        interest_weights={"bell": 2.0},
        exclude=(Filter(regex="^Story 1[0-3]$", where="title"), Filter(category="sport")),
    )
    picture = "https://a.example/card.jpg"
    articles = [*day(), *(article(n, f"Story {n}", filler(n), feed=(A, B, C)[n % 3]) for n in range(10, 30))]
    articles = [replace(each, image=picture if each.id % 2 else "") for each in articles]
    expected = composed(letter, articles)
    for seed in range(5):
        assert composed(letter, random.Random(seed).sample(articles, len(articles))) == expected  # noqa: S311


def test_an_interest_lifts_a_story_by_what_the_terms_say() -> None:
    plain = composed(picky(), day())
    keen = composed(picky(interests=("bell",), interest_weights={"bell": 3.0}), day())

    def score(draft: object) -> float:
        return next(each.score for each in draft.stories if each.lead.article_id == 3)  # type: ignore[attr-defined]

    assert score(keen) - score(plain) == pytest.approx(1.5)


def test_a_section_holds_no_more_than_the_config_gives_it() -> None:
    more = article(8, "Story 8", filler(8), feed=A)
    draft = composed(picky(per_section={"Local": 1}), [*day(), more])
    assert [story.section for story in draft.stories].count("Local") == 1
    reasons = [each.reason for each in draft.decisions if each.verdict == "section"]
    assert reasons
    assert all("stories.sections" in reason for reason in reasons)


def test_another_feed_leads_when_the_first_leads_enough() -> None:
    busy = Follow(url=A, weight=9.0)
    first = article(1, *BRIDGE, feed=A, hours=1)
    others = [article(2, *BRIDGE_TOO, feed=B, hours=4), article(3, *BELL, feed=A, hours=1)]
    keen = {"interests": ("bell",), "interest_weights": {"bell": 9.0}}
    both = composed(newsletter(busy, B, **keen), [first, *others])
    assert {story.lead.article_id for story in both.stories} == {1, 3}
    capped = composed(newsletter(busy, B, per_feed=1, **keen), [first, *others])
    assert {story.lead.article_id for story in capped.stories} == {2, 3}
    story = next(each for each in capped.stories if each.lead.article_id == 2)
    assert [source.article_id for source in story.also] == [1]
    assert verdicts(capped) == {1: "also", 2: "lead", 3: "lead"}


# ---------------------------------------------------------------- pictures


def test_a_picture_that_stands_beside_everything_is_in_no_letter() -> None:
    card, own = "https://a.example/card.jpg", "https://a.example/bell.jpg"
    articles = [article(n, f"Story {n}", filler(n), feed=A, image=card) for n in (1, 2, 3)]
    draft = composed(newsletter(A), [*articles, article(4, *BELL, feed=A, image=own)])
    assert {story.image for story in draft.stories} == {"", own}
    single = composed(newsletter(A), articles[:1])
    assert single.stories[0].image == card


def test_a_picture_of_every_day_is_noticed_by_what_was_told() -> None:
    card = "https://a.example/card.jpg"
    before = [article(n, f"Story {n}", filler(n), feed=A, image=card, hours=50) for n in (1, 2)]
    told = remembered(composed(newsletter(A), before), before)
    draft = composed(newsletter(A), [article(3, "Story 3", filler(3), feed=A, image=card)], told)
    assert [story.image for story in draft.stories] == [""]


def test_one_story_needs_no_opening() -> None:
    draft = composed(newsletter(A), [article(3, *BELL, feed=A)])
    assert draft.intro == ""
    assert draft.subject == BELL[0]
    assert draft.minutes == 1

"""An issue's draft: what is told, what is not, and the reason for each article."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from test_stories import BELL, BRIDGE, BRIDGE_TOO, OTTER, TRAM
from window_samples import NOW, SINCE, article, composed, filler, newsletter, remembered, verdicts

from digest.model import Article, Follow, FollowState
from digest.summarizer import compose

A, B, C = (f"https://{name}.example/feed" for name in "abc")


def day() -> list[Article]:
    return [
        article(1, *BRIDGE, feed=A, hours=3),
        article(2, *BRIDGE_TOO, feed=B, hours=4),
        article(3, *BELL, feed=A),
        article(4, *TRAM, feed=B, hours=9),
        article(5, *OTTER, feed=C, hours=20),
    ]


def test_one_event_is_one_story_with_the_other_paper_named() -> None:
    draft = composed(newsletter(A, B, C), day())
    told = {story.lead.article_id: [source.article_id for source in story.also] for story in draft.stories}
    assert told in ({1: [2], 3: [], 4: [], 5: []}, {2: [1], 3: [], 4: [], 5: []})
    assert sorted(verdicts(draft).values()) == ["also", "lead", "lead", "lead", "lead"]


def test_a_story_that_two_papers_tell_comes_first() -> None:
    draft = composed(newsletter(A, B, C), day())
    assert draft.stories[0].also
    assert draft.stories[0].terms["publishers"] > draft.stories[1].terms["publishers"]


def test_every_article_has_exactly_one_decision_with_a_reason() -> None:
    articles = [
        *day(),
        article(6, BELL[0], BELL[1], feed=C),
        article(7, "Old news", filler(7), feed=A, hours=24 * 90),
    ]
    draft = composed(newsletter(A, B, C, limit=2), articles)
    assert sorted(decision.article_id for decision in draft.decisions) == [1, 2, 3, 4, 5, 6, 7]
    assert all(len(decision.reason) > 20 and decision.reason.endswith(".") for decision in draft.decisions)


def test_the_sum_of_a_story_is_the_sum_of_its_terms() -> None:
    draft = composed(newsletter(A, B, C), day())
    for story in draft.stories:
        assert story.score == pytest.approx(sum(story.terms.values()), abs=1e-3)
        decision = next(each for each in draft.decisions if each.article_id == story.lead.article_id)
        assert decision.terms == story.terms
        assert f"{story.score:.2f}" in decision.reason


def test_the_same_articles_in_any_order_make_the_same_draft() -> None:
    articles = [
        *day(),
        article(6, *BELL, feed=C),
        *(article(n, f"Story {n}", filler(n)) for n in range(10, 30)),
    ]
    expected = composed(newsletter(A, B, C, limit=8), articles)
    for seed in range(4):
        mixed = random.Random(seed).sample(articles, len(articles))  # noqa: S311
        assert composed(newsletter(A, B, C, limit=8), mixed) == expected


def test_a_near_copy_in_another_paper_is_told_once() -> None:
    copy = article(6, "Bell back after four decades", f"MARLOW BAY. {BELL[1]}", feed=C)
    draft = composed(newsletter(A, B, C), [*day(), copy])
    assert verdicts(draft)[6] == "copy"
    assert all(6 not in [source.article_id for source in story.also] for story in draft.stories)
    reason = next(each.reason for each in draft.decisions if each.article_id == 6)
    assert BELL[0] in reason


def test_a_copy_adds_a_quarter_of_a_voice() -> None:
    alone = composed(newsletter(A), [article(3, *BELL, feed=A)])
    copied = composed(newsletter(A, C), [article(3, *BELL, feed=A), article(6, *BELL, feed=C)])
    assert 0 < copied.stories[0].terms["publishers"] - alone.stories[0].terms["publishers"] < 0.2


def test_of_two_copies_the_heavier_feed_is_told() -> None:
    letter = newsletter(Follow(url=A, weight=1), Follow(url=C, weight=3))
    draft = composed(letter, [article(3, *BELL, feed=A), article(6, *BELL, feed=C)])
    assert [story.lead.article_id for story in draft.stories] == [6]


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://paper.example/bell/?utm_source=rss"},
        {"url": "http://www.paper.example/bell"},
    ],
)
def test_the_same_page_by_two_ways_is_told_once(change: dict[str, str]) -> None:
    first = article(1, *BELL, feed=A, url="https://paper.example/bell")
    draft = composed(newsletter(A, B), [first, article(2, "Another headline", filler(3), feed=B, **change)])
    assert sorted(verdicts(draft).values()) == ["copy", "lead"]


def test_a_front_page_that_all_entries_link_to_makes_no_copies() -> None:
    page = "https://paper.example/podcast"
    articles = [
        article(number, f"Episode {number}", filler(number), feed=A, url=page) for number in (1, 2, 3)
    ]
    assert set(verdicts(composed(newsletter(A), articles)).values()) == {"lead"}


def test_two_articles_of_one_paper_on_different_things_stay_two_stories() -> None:
    routine = "The football club won its home game on Saturday before a large crowd after a fine second half."
    first = article(
        1, "Football: Reds win at home", f"{routine} Arvel scored twice for the Reds against Bodrin.", feed=A
    )
    other = article(2, "Football: Blues win at home", f"{filler(2)} {filler(3)}", feed=A)
    assert len(composed(newsletter(A), [first, other]).stories) == 2


def test_also_in_needs_another_paper() -> None:
    draft = composed(
        newsletter(A), [article(1, *BRIDGE, feed=A), article(2, *BRIDGE_TOO, feed=A), *day()[2:]]
    )
    assert all(source.feed_url != story.lead.feed_url for story in draft.stories for source in story.also)


# ---------------------------------------------------------------- told before


def test_what_was_told_is_never_told_again() -> None:
    letter = newsletter(A, B, C)
    first = composed(letter, day())
    again = composed(letter, day(), told=remembered(first, day()))
    assert again.stories == ()
    assert set(verdicts(again).values()) == {"told"}


def test_a_told_text_under_a_new_address_is_told_before() -> None:
    letter = newsletter(A, C)
    bell = [article(3, *BELL, feed=A)]
    told = remembered(composed(letter, bell), bell)
    late = composed(letter, [article(9, "Bell is back", BELL[1], feed=C)], told=told)
    assert verdicts(late) == {9: "told"}
    assert BELL[0] in late.decisions[0].reason


# ---------------------------------------------------------------- news


def test_what_lies_before_the_first_window_is_known() -> None:
    old = replace(article(1, *BELL, feed=A, hours=1), backlog=True, published=SINCE - timedelta(days=9))
    draft = composed(newsletter(A), [old, article(2, *TRAM, feed=A)])
    assert verdicts(draft) == {1: "known", 2: "lead"}
    assert "2 days back" in next(each.reason for each in draft.decisions if each.article_id == 1)


def test_a_feed_with_everything_first_knows_no_backlog() -> None:
    old = replace(article(1, *BELL, feed=A, hours=1), backlog=True, published=SINCE - timedelta(days=900))
    assert verdicts(composed(newsletter(Follow(url=A, first=None)), [old])) == {1: "lead"}


# ---------------------------------------------------------------- sections, caps, words


def test_sections_stand_in_the_order_of_the_config() -> None:
    letter = newsletter(
        Follow(url=B, section="World"),
        Follow(url=A, section="Local"),
        Follow(url=C, section="Nature", title="Creek"),
    )
    draft = composed(letter, day())
    order = [story.section for story in draft.stories]
    assert order == sorted(order, key=["World", "Local", "Nature"].index)
    assert next(story for story in draft.stories if story.section == "Nature").lead.feed_title == "Creek"


def test_a_full_letter_says_what_stayed_out_and_why() -> None:
    articles = [
        article(number, f"Story {number}", filler(number), feed=f"https://f{number}.example/feed")
        for number in range(1, 9)
    ]
    draft = composed(newsletter(limit=3), articles)
    assert len(draft.stories) == 3
    assert list(verdicts(draft).values()).count("limit") == 5


def test_an_article_of_a_story_that_stayed_out_says_so() -> None:
    draft = composed(
        newsletter(A, B, C, limit=1), [*day(), article(6, "Big", filler(6), feed="https://d.example/feed")]
    )
    kept_out = [each for each in draft.decisions if each.verdict == "limit"]
    assert kept_out
    assert all(each.reason for each in kept_out)


def test_the_subject_is_the_first_headline_clamped() -> None:
    title = "A headline of many words that goes on and on until no telephone in the world could ever show it"
    draft = composed(newsletter(A), [article(1, title, filler(1))])
    assert len(draft.subject) <= 70
    assert draft.subject.endswith("…")
    assert title.startswith(draft.subject[:-1])
    assert title[len(draft.subject) - 1] == " "


def test_the_opening_holds_only_headlines() -> None:
    draft = composed(newsletter(A, B, C, language="de"), day())
    assert draft.intro.startswith(f"Heute: {draft.stories[0].title}")
    assert draft.intro.count(";") == 1


def test_the_reading_time_is_that_of_the_letter() -> None:
    draft = composed(newsletter(A, B, C), day())
    assert draft.words >= sum(len(" ".join(story.summary).split()) for story in draft.stories)
    assert draft.minutes == 1


def test_an_empty_window_makes_an_empty_draft() -> None:
    draft = composed(newsletter(A), [])
    assert (draft.stories, draft.decisions, draft.subject, draft.intro, draft.minutes) == ((), (), "", "", 0)


def test_headlines_with_markup_and_templates_stay_text() -> None:
    title = 'Why "a < b" matters: <b>R&D</b> {{7*7}}'
    assert composed(newsletter(A), [article(1, title, filler(1))]).stories[0].title == title


def test_a_story_keeps_its_key_while_it_grows() -> None:
    letter = newsletter(A, B, C)
    small = composed(letter, [article(1, *BRIDGE, feed=A, hours=9), *day()[2:]])
    grown = composed(
        letter, [article(1, *BRIDGE, feed=A, hours=9), article(2, *BRIDGE_TOO, feed=B, hours=1), *day()[2:]]
    )
    assert {story.key for story in small.stories} == {story.key for story in grown.stories}


def test_two_hundred_articles_are_composed_in_a_moment() -> None:
    articles = [
        article(number, f"Story {number}", filler(number), feed=f"https://f{number % 20}.example/feed")
        for number in range(200)
    ]
    letter = newsletter(*(f"https://f{number}.example/feed" for number in range(20)))
    candidates = [(each, FollowState(url=each.feed_url, since=SINCE)) for each in articles]
    compose(letter, candidates[:2], (), NOW)  # loads the libraries
    started = time.process_time()
    draft = compose(letter, candidates, (), NOW)
    assert time.process_time() - started < 2
    assert len(draft.decisions) == 200
    assert len(draft.stories) == 12

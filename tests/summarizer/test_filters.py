"""Filters: which articles a newsletter wants, and the reason that the others are given."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from window_samples import article, composed, newsletter, verdicts

from digest.model import Article, Filter, Follow
from digest.summarizer.filters import Filters, spelled

FEED = "https://a.example/feed"
STORY = replace(
    article(
        1,
        "Ferry strike ends at the harbour",
        "Crews sailed again on Friday after the port authority had agreed to a new rota.",
        feed=FEED,
    ),
    categories=("Local news", "Transport"),
    authors=("Ann Sørensen", "Bob Smith"),
    language="en",
)


def out(story: Article, *, include: tuple[Filter, ...] = (), exclude: tuple[Filter, ...] = ()) -> str:
    letter = newsletter(FEED, include=include, exclude=exclude)
    return Filters(letter).sift(story, letter.follows[0]).reason


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (Filter(words="ferry"), True),
        (Filter(words="FÉRRY"), True),
        (Filter(words="ferries"), False),
        (Filter(words="authority rota"), True),
        (Filter(words="ferry rota"), True),
        (Filter(words="ferry tram"), False),
        (Filter(words="transport"), True),
        (Filter(words="sorensen"), True),
        (Filter(words="ferry", where="title"), True),
        (Filter(words="ferry", where="text"), False),
        (Filter(words="rota", where="title"), False),
        (Filter(words="transport", where="text"), False),
        (Filter(regex=r"strikes? end"), True),
        (Filter(regex=r"^crews"), True),
        (Filter(regex=r"^crews", where="title"), False),
        (Filter(regex=r"smith$"), True),
        (Filter(category="local"), True),
        (Filter(category="local transport"), False),
        (Filter(author="smith"), True),
        (Filter(author="ann smith"), False),
        (Filter(language="en-GB"), True),
        (Filter(language="de"), False),
        (Filter(feed=FEED), True),
        (Filter(feed="A.Example"), True),
        (Filter(feed="https://b.example/feed"), False),
        (Filter(words="ferry", category="transport", author="ann", language="en", feed=FEED), True),
        (Filter(words="ferry", category="sport"), False),
        (Filter(), False),
        (Filter(words=""), False),
        (Filter(words="…", category="transport"), False),
        (Filter(where="title"), False),
    ],
)
def test_all_parts_of_a_filter_must_hold(given: Filter, expected: bool) -> None:
    assert bool(out(STORY, exclude=(given,))) is expected
    assert (out(STORY, include=(given,)) == "") is expected


def test_excluding_wins() -> None:
    assert out(STORY, include=(Filter(words="ferry"),), exclude=(Filter(category="transport"),))
    assert out(STORY, include=(Filter(words="tram"), Filter(words="ferry"))) == ""


@pytest.mark.parametrize(
    ("include", "exclude", "said"),
    [
        ((), (Filter(words="tram"), Filter(words="ferry")),
         "Kept out by the filter “ferry” (stories.exclude)."),
        ((), (Filter(regex="f.rry", where="title"),),
         "Kept out by the filter {regex: f.rry, where: title} (stories.exclude)."),
        ((Filter(words="tram"),), (), "Matches no filter that lets articles in (stories.include): “tram”."),
        (tuple(Filter(words=word) for word in ("a1", "b2", "c3", "d4", "e5")), (),
         "Matches no filter that lets articles in (stories.include): “a1”, “b2”, “c3” and 2 more."),
    ],
)  # fmt: skip
def test_the_reason_names_the_filter_as_it_was_written(
    include: tuple[Filter, ...], exclude: tuple[Filter, ...], said: str
) -> None:
    assert out(STORY, include=include, exclude=exclude) == said


def test_a_feed_has_filters_of_its_own() -> None:
    own = Follow(
        url=FEED, title="City desk", include=(Filter(words="ferry"),), exclude=(Filter(author="bob"),)
    )
    filters = Filters(newsletter(own))
    assert filters.sift(STORY, own).reason == "Kept out by the filter {author: bob} (exclude of its feed)."
    assert filters.sift(replace(STORY, authors=()), own).reason == ""
    other = replace(STORY, title="A tram", authors=())
    said = "Matches no filter that lets articles in (include of its feed): “ferry”."
    assert filters.sift(other, own).reason == said


def test_a_title_that_the_config_gives_a_feed_is_its_name() -> None:
    own = Follow(url=FEED, title="City desk")
    filters = Filters(newsletter(own, exclude=(Filter(feed="city DESK"),)))
    assert filters.sift(STORY, own).reason
    assert not filters.sift(STORY, replace(own, title=None)).reason


def test_each_spelling_says_what_was_asked_for() -> None:
    assert spelled(Filter(words="a b")) == "“a b”"
    assert spelled(Filter(words="a", language="de")) == "{words: a, language: de}"


# ---------------------------------------------------------------- in a draft


HOSTILE = "a" * 40_000 + "!"


def test_a_careless_pattern_and_a_hostile_text_hold_nothing_up() -> None:
    articles = [replace(article(number, f"Story {number}", "x"), text=HOSTILE) for number in range(1, 200)]
    letter = newsletter(
        FEED, exclude=tuple(Filter(regex=each) for each in (r"^(a+)+$", r"(a|aa)+$", "x+x+y"))
    )
    filters = Filters(letter, seconds=0.3)
    started = time.process_time()
    sifted = [filters.sift(each, letter.follows[0]) for each in articles]
    assert time.process_time() - started < 2
    assert {each.reason for each in sifted} == {""}
    assert all("{regex: ^(a+)+$}" in each.note and "took too long" in each.note for each in sifted)


def test_a_pattern_that_took_too_long_lets_the_article_in_and_says_so() -> None:
    story = replace(STORY, text=HOSTILE)
    draft = composed(newsletter(FEED, exclude=(Filter(regex=r"^(a+)+$"),)), [story])
    assert verdicts(draft) == {1: "lead"}
    said = "The pattern of {regex: ^(a+)+$} took too long on it and was not counted."
    assert draft.decisions[0].reason.endswith(said)
    kept_out = composed(newsletter(FEED, include=(Filter(regex=r"^(a+)+$"),)), [story])
    assert verdicts(kept_out) == {1: "filtered"}
    assert said in kept_out.decisions[0].reason


def test_what_is_filtered_is_neither_told_nor_counted() -> None:
    other = article(2, "Ferry strike ends in the harbour", STORY.text, feed="https://b.example/feed")
    draft = composed(newsletter(FEED, exclude=(Filter(feed="https://b.example/feed"),)), [STORY, other])
    alone = composed(newsletter(FEED), [STORY])
    assert draft.stories == alone.stories
    assert verdicts(draft) == {1: "lead", 2: "filtered"}


@pytest.mark.parametrize("text", ["", "\x00\ud800", "🔥" * 3_000, "w" * 2_000_000, "{{7*7}} <b>"])
def test_no_text_breaks_a_filter(text: str) -> None:
    story = replace(STORY, text=text, title=text[:500], categories=(text[:99],), authors=())
    assert out(story, exclude=(Filter(words="ferry"), Filter(regex="f(.*)y"), Filter(category="x"))) == ""

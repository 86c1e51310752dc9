"""A story's articles: who may lead it, who is named beside it, and what it is worth."""

from __future__ import annotations

import pytest
from test_stories import BELL, BRIDGE, BRIDGE_TOO, OTTER, TRAM
from window_samples import NOW, article, composed, filler, newsletter

from digest.model import Article, Follow
from digest.summarizer.tellings import Telling, tellings, with_lead
from digest.summarizer.window import Window

A, B, C = (f"https://{name}.example/feed" for name in "abc")
BRIDGE_THIRD = (
    "Harbour Bridge in Marlow Bay closed: crack in bearing",
    "Engineers found a crack in a bearing of the Harbour Bridge in Marlow Bay and closed it on Friday. "
    "Repairs may take weeks, the city says. Boats carry people across the bay.",
)


def rest() -> list[Article]:
    return [article(n, *text, feed=C) for n, text in enumerate((BELL, TRAM, OTTER), 10)]


def window_of(*articles: Article, follows: tuple[Follow, ...] = ()) -> Window:
    return Window(newsletter(*(follows or (A, B, C))), [*articles, *rest()])


def bridge_of(window: Window) -> Telling:
    found, repeats = tellings(window, [], NOW)
    assert repeats == []
    return next(each for each in found if 0 in each.members)


def also_of(*articles: Article) -> list[int]:
    draft = composed(newsletter(A, B, C), [*articles, *rest()])
    story = next(each for each in draft.stories if each.lead.article_id < 10)
    return [story.lead.article_id, *(source.article_id for source in story.also)]


@pytest.mark.parametrize(
    ("feed", "url"),
    [
        ("https://feeds.a.example/second", "https://x.example/two"),
        ("https://b.example/feed", "https://www.a.example/two"),
        ("https://feedburner.com/a-paper", "https://a.example/two"),
    ],
    ids=["two feeds of one house", "another's feed with its page", "a feed that is lent out"],
)
def test_a_publisher_is_named_once(feed: str, url: str) -> None:
    first = article(1, *BRIDGE, feed=A)
    assert len(also_of(first, article(2, *BRIDGE_TOO, feed=feed, url=url))) == 1
    assert len(also_of(first, article(2, *BRIDGE_TOO, feed=B))) == 2


def test_those_who_could_lead_stand_in_order_of_suitability() -> None:
    articles = (
        article(1, *BRIDGE, feed=A),
        article(2, *BRIDGE_TOO, feed=B),
        article(3, *BRIDGE_THIRD, feed=C, source="description"),
    )
    light = bridge_of(window_of(*articles))
    assert set(light.members) == {0, 1, 2}
    heavy = tuple(Follow(url=url, weight=weight) for url, weight in ((A, 0.1), (B, 5), (C, 0.1)))
    assert bridge_of(window_of(*articles, follows=heavy)).members[0] == 1
    thin = (article(1, *BRIDGE, feed=A, source="description"), article(2, *BRIDGE, feed=B))
    assert bridge_of(window_of(*thin)).members == (1, 0)


def test_of_equals_the_earliest_leads() -> None:
    two = (article(1, *BRIDGE, feed=A, hours=2), article(2, *BRIDGE, feed=B, hours=9))
    assert bridge_of(window_of(*two)).members == (1, 0)


def test_another_lead_gets_a_sum_of_its_own() -> None:
    window = window_of(article(1, *BRIDGE, feed=A, hours=1), article(2, *BRIDGE_TOO, feed=B, hours=30))
    telling = bridge_of(window)
    other = with_lead(window, telling, telling.members[1], NOW)
    assert (other.lead, set(other.members), other.key) == (
        telling.members[1],
        set(telling.members),
        telling.key,
    )
    assert other.terms["publishers"] == telling.terms["publishers"]
    assert {telling.lead: telling.terms["recency"], other.lead: other.terms["recency"]} == {
        0: pytest.approx(0.8 * 2 ** (-1 / 12), abs=1e-3),
        1: pytest.approx(0.8 * 2 ** (-30 / 12), abs=1e-3),
    }
    assert with_lead(window, other, telling.lead, NOW).terms == telling.terms


def test_a_round_up_stays_alone_and_leads_nothing() -> None:
    both = f"{BRIDGE[1]} {BRIDGE_TOO[1]}"
    window = window_of(
        article(1, *BRIDGE, feed=A),
        article(2, *BRIDGE_TOO, feed=B),
        article(3, "Morning briefing: Harbour Bridge", both, feed=C),
    )
    found, _ = tellings(window, [], NOW)
    assert sorted(each.members for each in found if 2 in each.members) == [(2,)]


def test_a_second_article_of_a_feed_stands_alone_unless_it_is_close() -> None:
    routine = f"{filler(1)} {filler(2)}"
    window = window_of(
        article(1, *BRIDGE, feed=A),
        article(2, *BRIDGE_TOO, feed=B),
        article(
            3, "Bay ferries after the closing of Harbour Bridge", f"{BRIDGE_TOO[1][:120]} {routine}", feed=A
        ),
    )
    found, _ = tellings(window, [], NOW)
    assert (2,) in [each.members for each in found]

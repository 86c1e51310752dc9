"""The example feeds, read and told as an admin's first issue would tell them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest

from digest.feeds.parse import parse
from digest.model import Article, Draft, Follow, FollowState, Newsletter, Schedule, UnreadEntry
from digest.summarizer import compose, read_entry
from digest.summarizer.extract import extract_page

FEEDS = Path(__file__).parents[2] / "examples" / "feeds"
NAMES = ("city.xml", "world.atom", "tech.json", "stadt.xml", "sahifa.atom")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FEEDS / "stories.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    found: list[Article] = []
    for name in NAMES:
        feed = parse((FEEDS / name).read_bytes(), url=f"https://paper.example.org/{name}")
        for position, entry in enumerate(feed.entries):
            number = len(found) + 1
            unread = UnreadEntry(
                id=number,
                feed_id=NAMES.index(name),
                feed_url=name,
                feed_title=feed.title,
                feed_language=feed.language,
                fence=1,
                attempts=1,
                received_at=NOW,
                published=entry.published or NOW,
                dated=entry.published is not None,
                backlog=True,
                position=position,
                entry=entry,
            )
            found.append(replace(read_entry(unread), id=number, ready=number))
    return found


def told(articles: list[Article], limit: int = 50) -> Draft:
    letter = Newsletter(
        slug="all",
        title="All",
        schedule=Schedule(at=time(7), zone="UTC"),
        follows=tuple(Follow(url=name, first=None) for name in NAMES),
        limit=limit,
        per_feed=limit,
    )
    return compose(letter, [(each, FollowState(url=each.feed_url, since=NOW)) for each in articles], (), NOW)


def test_the_same_event_is_one_story_and_nothing_else_is(
    articles: list[Article], expected: dict[str, Any]
) -> None:
    guid = {each.id: each.guid for each in articles}
    groups = {
        frozenset((guid[story.lead.article_id], *(guid[each.article_id] for each in story.also)))
        for story in told(articles).stories
        if story.also
    }
    assert groups == {frozenset(group) for group in expected["groups"]}


def test_the_syndicated_text_is_a_copy(articles: list[Article], expected: dict[str, Any]) -> None:
    guid = {each.id: each.guid for each in articles}
    copies = {guid[each.article_id] for each in told(articles).decisions if each.verdict == "copy"}
    assert len(copies) == len(expected["near_copies"])
    assert all(copies & set(pair) for pair in expected["near_copies"])


def test_no_furniture_is_in_any_text(articles: list[Article], expected: dict[str, Any]) -> None:
    found = [
        (phrase, each.guid)
        for each in articles
        for phrase in expected["boilerplate"]
        if phrase.lower() in each.text.lower()
    ]
    assert found == []


def test_the_page_itself_is_read_as_cleanly(expected: dict[str, Any]) -> None:
    text = extract_page((FEEDS / "pages" / "harbour-bridge.html").read_bytes())
    assert len(text.split()) > 150
    assert [phrase for phrase in expected["boilerplate"] if phrase.lower() in text.lower()] == []


def test_every_article_has_its_language_and_a_summary_of_whole_sentences(articles: list[Article]) -> None:
    declared = {"stadt.xml": "de", "sahifa.atom": "ar"}
    for each in articles:
        assert each.language == declared.get(each.feed_url, "en")
        assert each.summary
        assert sum(len(sentence.text) + 1 for sentence in each.summary) <= 421
        for sentence in each.summary:
            assert sentence.text.rstrip('”“»’"')[-1] in ".!?؟…", sentence.text


def test_traps_are_survived(articles: list[Article], expected: dict[str, Any]) -> None:
    by_guid = {each.guid: each for each in articles}
    special = {name: by_guid[guid] for name, guid in expected["special"].items()}
    assert special["markup_like_title"].title == 'Why "a < b" matters: R&D budgets & you'
    assert "🦦" in special["emoji_title"].title
    assert special["description_only"].source == "description"
    assert special["description_cut_off"].source == "content"
    assert not any("[…]" in sentence.text for each in articles for sentence in each.summary)


def test_the_first_issue_is_a_full_letter(articles: list[Article]) -> None:
    draft = told(articles, limit=12)
    assert len(draft.stories) == 12
    assert len(draft.decisions) == len(articles)
    assert draft.stories[0].also
    assert draft.intro.startswith("Today: ")

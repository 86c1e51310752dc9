"""Which entry is which, and what is news."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from digest.feeds.identity import content_hash, decide, identified, without_doubles
from digest.model import Entry, Feed, Follow, Parsed

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
FEED = Feed(id=1, url="https://a.example/feed", address="https://a.example/feed", next_poll_at=NOW)
POLLED = replace(FEED, last_ok_at=NOW - HOUR)


def entry(guid: str, **said: object) -> Entry:
    return Entry(**{"guid": guid, "url": f"https://a.example/{guid}", "title": guid, **said})  # type: ignore[arg-type]


def document(*entries: Entry) -> Parsed:
    return Parsed(title="A", site_url="", language="en", entries=entries)


def follow(first: timedelta | None = timedelta(days=2), **settings: timedelta) -> Follow:
    return Follow(url=FEED.url, first=first, **settings)


def test_a_guid_comes_from_the_feed_else_the_link_else_the_words() -> None:
    given = [
        entry("g"),
        entry("", url="https://a.example/x"),
        entry("", url="", title="words"),
        entry("", url="", title=""),
    ]
    first, second, third = (each.guid for each in identified(given))
    assert (first, second) == ("g", "https://a.example/x")
    assert third.startswith("sha256:")
    assert third == next(identified([entry("", url="", title="words", published=NOW)])).guid


def test_the_same_guid_twice_is_one_entry() -> None:
    kept = list(without_doubles([entry("a"), entry("a", title="corrected"), entry("b")]))
    assert [each.title for each in kept] == ["a", "b"]


def test_entries_that_share_only_a_guid_are_not_the_same() -> None:
    one, two = (
        entry("0", url="https://a.example/1", title="One"),
        entry("0", url="https://a.example/2", title="Two"),
    )
    kept = list(without_doubles([one, two]))
    assert len({each.guid for each in kept}) == 2
    # the order of the document must not decide which is which
    assert {each.guid for each in kept} == {each.guid for each in without_doubles([two, one])}


@pytest.mark.parametrize("change", [{"title": "b"}, {"html": "x"}, {"description": "x"}, {"authors": ("A",)}])
def test_what_a_reader_could_see_is_part_of_the_hash(change: dict[str, object]) -> None:
    assert content_hash(entry("a", **change)) != content_hash(entry("a"))


def test_what_changes_with_every_poll_is_not() -> None:
    noisy = entry("a", published=NOW, updated=NOW, image="https://a.example/i?t=1", enclosure="x")
    assert content_hash(noisy) == content_hash(entry("a"))


def test_parts_cannot_be_moved_without_changing_the_hash() -> None:
    assert content_hash(entry("a", title="ab", html="c")) != content_hash(entry("a", title="a", html="bc"))
    assert content_hash(entry("a", authors=("x",))) != content_hash(entry("a", categories=("x",)))


def test_a_first_document_is_backlog_and_only_its_first_window_is_news() -> None:
    parsed = document(
        entry("new", published=NOW - HOUR), entry("edge", published=NOW - timedelta(days=2)),
        entry("old", published=NOW - timedelta(days=3)),
    )  # fmt: skip
    found = {each.entry.guid: each for each in decide(FEED, parsed, [follow()], now=NOW)}
    assert {guid: each.news for guid, each in found.items()} == {"new": True, "edge": True, "old": False}
    assert all(each.backlog and each.dated for each in found.values())
    assert found["old"].published == NOW - timedelta(days=3)
    assert [each.position for each in found.values()] == [2, 1, 0]


def test_one_follower_who_wants_all_is_enough() -> None:
    parsed = document(entry("old", published=NOW - timedelta(days=300)))
    assert decide(FEED, parsed, [follow(), follow(None)], now=NOW)[0].news


def test_of_a_first_document_without_dates_the_top_ten_are_news() -> None:
    parsed = document(*(entry(str(number)) for number in range(15)))
    news = [each.position for each in decide(FEED, parsed, [follow()], now=NOW) if each.news]
    assert sorted(news) == list(range(10))


def test_what_appears_later_is_news_whatever_it_claims() -> None:
    parsed = document(entry("a", published=NOW - timedelta(days=900)), entry("b"))
    found = decide(POLLED, parsed, [follow()], now=NOW)
    assert all(each.news and not each.backlog for each in found)
    assert min(each.published for each in found) >= NOW - 2 * HOUR


def test_the_oldest_comes_first_and_without_dates_the_lowest() -> None:
    parsed = document(
        entry("b", published=NOW - HOUR), entry("c", published=NOW - 2 * HOUR), entry("x"), entry("y"),
        entry("d", published=NOW - HOUR),
    )  # fmt: skip
    assert [each.entry.guid for each in decide(FEED, parsed, [follow()], now=NOW)] == [
        "c",
        "d",
        "b",
        "y",
        "x",
    ]


def test_an_entry_rests_as_long_as_the_most_patient_follower_wants() -> None:
    parsed = document(entry("a"))
    follows = [follow(), follow(settle=HOUR), follow(settle=2 * HOUR)]
    assert decide(POLLED, parsed, follows, now=NOW)[0].rest_until == NOW + 2 * HOUR
    assert decide(POLLED, parsed, [follow()], now=NOW)[0].rest_until is None

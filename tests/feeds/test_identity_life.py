"""Feeds live for weeks and change all that can be changed: each post is reported once, and none is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from publisher_life import GUIDS, Memory, Publisher, some_habits

from digest.feeds import doubles, identity
from digest.model import Entry, Feed, Follow, NewEntry, Newsletter, Schedule, Site
from digest.store import Store

FEED = "https://www.paper.example/feed"
POLLS = 60


class Watch:
    """What a reader of the truth sees: every post that was served must be reported at once, and only then."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.was: dict[int, str] = {}

    def look(self, served: Iterable[Entry], out: Sequence[NewEntry]) -> None:
        reported = Counter(each.entry.comments for each in out if each.known is None)
        fresh = {entry.comments for entry in served} - self.seen
        assert set(reported) - fresh == set(), "old ones returned as new"
        assert fresh - set(reported) == set(), "new ones were lost"
        assert max(reported.values(), default=1) == 1, "one was reported twice"
        taken = {each.entry.comments: self.was.get(each.known) for each in out if each.known is not None}
        assert all(was in (None, now) for now, was in taken.items()), "one was taken for another"
        self.seen |= fresh


def a_life(seed: int) -> Publisher:
    random = Random(seed)  # noqa: S311 - the same lives every time
    publisher = Publisher(random=random, habits=some_habits(random))
    publisher.write(random.randrange(1, publisher.habits.length + 3))
    return publisher


@pytest.mark.parametrize("first", range(0, 160, 20))
def test_each_post_is_reported_once_whatever_its_publisher_does(first: int) -> None:
    for seed in range(first, first + 20):
        publisher, memory, watch = a_life(seed), Memory(), Watch()
        feed = Feed(id=1, url=FEED, address=FEED, next_poll_at=publisher.now)
        for _ in range(POLLS):
            served = publisher.go_on()
            told = doubles.read(served)
            known = memory.known(*identity.keys(told)) if feed.last_ok_at else ()
            out = identity.decide(feed, told, known, (), now=publisher.now)
            watch.was = memory.posts
            watch.look(served, out)
            memory.record(out)
            feed = replace(feed, last_ok_at=publisher.now)
        assert len(watch.seen) == len(memory.rows)


def test_the_lives_are_of_every_kind() -> None:
    lives = [a_life(seed).habits for seed in range(160)]
    assert {life.guids for life in lives} == set(GUIDS)
    assert {life.links for life in lives} == {"own", "shared", "front", "none"}
    assert {life.dates for life in lives} == {"exact", "hour", "none", "now"}
    assert {kind for life in lives for kind in life.kinds} == {"post", "untitled", "thread", "page"}
    for trait in ("noise", "doubles", "pinned", "says_updated", "texts"):
        assert {getattr(life, trait) for life in lives} == {True, False}


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", range(6))
async def test_the_store_remembers_what_is_needed(seed: int, sqlite_url: str) -> None:
    store = await Store.open(sqlite_url)
    try:
        await _live(store, a_life(1_000 + seed))
    finally:
        await store.close()


async def _live(store: Store, publisher: Publisher) -> None:
    newsletter = Newsletter(
        slug="world",
        title="World",
        schedule=Schedule(at=publisher.now.time(), zone="UTC"),
        follows=(Follow(url=FEED, first=None),),
    )
    site = Site(title="Post", url="https://post.example")
    await store.newsletters.sync([newsletter], site=site, now=publisher.now)
    watch = Watch()
    for _ in range(POLLS // 2):
        served = publisher.go_on()
        told, now = doubles.read(served), publisher.now
        feed = await store.feeds.claim_now(FEED, lease=timedelta(minutes=1))
        assert feed is not None
        known = await store.feeds.known(feed.id, *identity.keys(told)) if feed.last_ok_at else ()
        out = identity.decide(feed, told, known, (), now=now)
        watch.look(served, out)
        after = replace(feed, last_ok_at=now, last_polled_at=now, next_poll_at=now)
        assert await store.feeds.record_poll(after, out, now=now) == sum(each.known is None for each in out)
        for unread in await store.articles.claim_unread(now, limit=1_000, lease=timedelta(minutes=1)):
            watch.was[unread.id] = unread.entry.comments
    assert (await store.feeds.get(FEED)).entries == len(watch.seen)

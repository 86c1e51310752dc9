"""What a feed said is recognized again, and what it says later replaces what no issue has used yet."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from store_values import (
    DAY,
    FEED,
    HOUR,
    MINUTE,
    NOW,
    article_of,
    new_entry,
    newsletter,
    read_all,
    synced,
    told,
    window,
)

from digest.model import Entry, Feed, Follow, KnownEntry, Marks, NewEntry
from digest.store import Store
from digest.store.codec import decode, encode, encode_entry
from digest.store.database import READY_LOCK
from digest.store.tables import articles, entries, entry_revisions

pytestmark = pytest.mark.asyncio


def marked(number: int, **changes: Any) -> NewEntry:
    """An entry with marks of its own: link 10·n + 1, said 10·n + 2, title 10·n + 3, text 10·n + 4."""
    signs = Marks(link=10 * number + 1, said=10 * number + 2, title=10 * number + 3, text=10 * number + 4)
    return new_entry(number, **{"marks": signs, "claimed": NOW - HOUR, **changes})


async def known(store: Store, feed: Feed, *asked: tuple[str, Marks]) -> list[KnownEntry]:
    found = await store.feeds.known(feed.id, [guid for guid, _ in asked], [marks for _, marks in asked])
    return sorted(found, key=lambda one: one.id)


async def id_of(store: Store, feed: Feed, number: int) -> int:
    (one,) = await known(store, feed, (f"guid-{number}", Marks()))
    return one.id


async def edited(
    store: Store, feed: Feed, number: int, title: str, now: Any = NOW, **changes: Any
) -> NewEntry:
    """The entry says something new."""
    first = marked(number)
    new = replace(
        first,
        entry=replace(first.entry, title=title),
        hash=f"hash-{title}",
        known=await id_of(store, feed, number),
        revised=True,
        **changes,
    )
    await told(store, new, now=now)
    return new


async def revisions(store: Store) -> list[tuple[int, str]]:
    async with store._database.reading() as connection:
        rows = (await connection.execute(select(entry_revisions).order_by(entry_revisions.c.number))).all()
    return [(row.number, decode(Entry, row.data).title) for row in rows]


async def test_a_known_entry_comes_back_with_all_it_is_recognized_by(store: Store) -> None:
    await synced(store)
    updated = NOW - MINUTE
    given = marked(1, entry=replace(new_entry(1).entry, updated=updated), published=NOW - 2 * HOUR)
    feed = await told(store, given, marked(2, claimed=None, news=False))
    one, two = await known(store, feed, ("guid-1", Marks()), ("guid-2", Marks()), ("guid-3", Marks()))
    assert one == KnownEntry(
        id=one.id,
        guid="guid-1",
        marks=given.marks,
        hash="hash-1",
        hashes=("hash-1",),
        published=NOW - 2 * HOUR,
        unread=True,
        claimed=NOW - HOUR,
        updated=updated,
    )
    assert (two.claimed, two.updated, two.unread) == (None, None, False)


@pytest.mark.parametrize("sign", ["link", "said", "text"])
async def test_under_another_guid_an_entry_is_found_by_each_of_its_marks(store: Store, sign: str) -> None:
    await synced(store)
    feed = await told(store, marked(1), marked(2))
    (found,) = await known(store, feed, ("other", Marks(**{sign: getattr(marked(2).marks, sign)})))
    assert found.guid == "guid-2"
    assert await known(store, feed, ("other", Marks(title=23))) == []
    assert await known(store, feed, ("other", Marks(link=22, said=24, text=21))) == []


async def test_the_marks_of_a_known_guid_are_looked_for_only_when_they_differ(store: Store) -> None:
    await synced(store)
    feed = await told(store, marked(1), marked(2))
    shifted = replace(marked(1).marks, link=marked(2).marks.link)
    assert [one.guid for one in await known(store, feed, ("guid-1", shifted))] == ["guid-1", "guid-2"]
    untitled = replace(marked(1).marks, title=None, text=marked(2).marks.text)
    assert [one.guid for one in await known(store, feed, ("guid-1", untitled))] == ["guid-1", "guid-2"]
    same = replace(marked(1).marks, said=marked(2).marks.said)
    assert [one.guid for one in await known(store, feed, ("guid-1", same))] == ["guid-1"]


async def test_other_feeds_entries_are_not_ours(store: Store) -> None:
    other = "https://other.example/feed"
    await synced(store, newsletter(follows=(Follow(url=FEED), Follow(url=other))))
    await told(store, marked(1, also="second"))
    feed = await told(store, marked(2), url=other)
    assert await known(store, feed, ("guid-1", marked(1).marks), ("second", Marks())) == []


async def test_a_mark_that_a_thousand_share_brings_only_the_latest(store: Store) -> None:
    await synced(store)
    shared = [marked(number, marks=replace(marked(number).marks, link=7)) for number in range(1, 1_001)]
    feed = await told(store, *shared)
    alone = marked(5).marks.text
    found = await known(store, feed, ("other", Marks(link=7)), ("another", Marks(text=alone)))
    assert [one.guid for one in found] == ["guid-5", "guid-997", "guid-998", "guid-999", "guid-1000"]


async def test_a_huge_document_is_looked_up_at_once(store: Store) -> None:
    await synced(store)
    feed = await told(store, *(marked(number) for number in range(1, 1_001)))
    asked = [(f"guid-{number}", Marks()) for number in range(1, 501)]
    asked += [(f"other-{number}", marked(number).marks) for number in range(501, 1_001)]
    assert len(await known(store, feed, *asked)) == 1_000


async def test_a_second_guid_is_as_good_as_the_first(store: Store) -> None:
    await synced(store)
    feed = await told(store, marked(1), marked(2, also="second"))
    one = await id_of(store, feed, 1)
    await told(store, marked(1, known=one, also="new-guid"))
    found = await known(store, feed, ("new-guid", Marks()), ("second", Marks()))
    assert [(each.guid, each.other) for each in found] == [("guid-1", "new-guid"), ("guid-2", "second")]
    (by_first,) = await known(store, feed, ("guid-1", Marks()))
    assert (by_first.id, by_first.other) == (one, "")
    await told(store, marked(1, known=one, also="newest-guid"))
    assert await known(store, feed, ("new-guid", Marks())) == []
    (by_latest,) = await known(store, feed, ("newest-guid", Marks()))
    assert by_latest.id == one


async def test_new_marks_replace_the_old_ones_without_a_revision(store: Store) -> None:
    await synced(store)
    feed = await told(store, marked(1))
    moved = Marks(link=5, said=6, title=7, text=8)
    await told(store, marked(1, known=await id_of(store, feed, 1), marks=moved, marked=True, claimed=NOW))
    (one,) = await known(store, feed, ("other", Marks(link=5)))
    assert (one.marks, one.claimed, one.hash) == (moved, NOW, "hash-1")
    assert await revisions(store) == []


async def test_what_is_only_seen_again_is_not_written(store: Store) -> None:
    await synced(store)
    feed = await told(store, marked(1))
    (before,) = await known(store, feed, ("guid-1", Marks()))
    await told(store, marked(1, known=before.id, hash="ignored", marks=Marks(), claimed=NOW))
    assert await known(store, feed, ("guid-1", Marks())) == [before]


async def test_rows_from_before_there_were_marks_are_found_by_their_guid_and_filled_in(store: Store) -> None:
    await synced(store)
    feed = await told(store, new_entry(1))
    (old,) = await known(store, feed, ("guid-1", marked(1).marks))
    assert (old.marks, old.claimed) == (Marks(), None)
    await told(store, marked(1, known=old.id, marked=True, hash="new kind of hash"))
    (found,) = await known(store, feed, ("other", Marks(text=14)))
    assert (found.id, found.hash, found.claimed) == (old.id, "new kind of hash", NOW - HOUR)


async def test_pruned_entries_are_recognized_and_keep_no_words(store: Store) -> None:
    await synced(store)
    feed = await told(store, marked(1))
    async with store._database._writing.begin() as connection:
        await connection.execute(update(entries).values(data=None, unread=False))
    (found,) = await known(store, feed, ("other", Marks(link=11)))
    assert (found.guid, found.claimed) == ("guid-1", NOW - HOUR)
    await edited(store, feed, 1, "Corrected")
    (found,) = await known(store, feed, ("guid-1", Marks()))
    assert found.hash == "hash-Corrected"
    assert await revisions(store) == []
    assert await store.articles.claim_unread(NOW, limit=1, lease=MINUTE) == []


async def test_letters_no_database_likes_make_two_guids_one(store: Store) -> None:
    await synced(store)
    twice = [
        replace(marked(n), entry=replace(new_entry(n).entry, guid=guid))
        for n, guid in ((1, "a\0b"), (2, "ab"))
    ]
    feed = await told(store, *twice)
    (one,) = await known(store, feed, ("a\0b", Marks()), ("ab", Marks()))
    assert one.marks == marked(1).marks
    assert (await store.feeds.get(FEED)).entries == 1


async def test_an_entry_told_twice_is_harmless(store: Store) -> None:
    await synced(store)
    await told(store, marked(1))
    await told(store, marked(1, hash="by one who did not look"))
    assert (await store.feeds.get(FEED)).entries == 1


# ---------------------------------------------------------------- what it says now


async def test_a_changed_entry_that_nobody_has_read_is_read_as_it_is_now(store: Store) -> None:
    await synced(store)
    feed = await told(store, marked(1))
    (held,) = await store.articles.claim_unread(NOW, limit=1, lease=HOUR)
    await edited(store, feed, 1, "Corrected")
    assert await store.articles.record(article_of(held), fence=held.fence) is None, "those words are gone"
    (unread,) = await store.articles.claim_unread(NOW, limit=1, lease=HOUR)
    assert unread.entry.title == "Corrected"


async def test_what_an_issue_may_have_used_stays_as_it_was_read(store: Store) -> None:
    await synced(store)
    feed = await told(store, marked(1))
    await read_all(store)
    assert await store.articles.make_ready(NOW) == 1
    for title in ("Second", "Third"):
        await edited(store, feed, 1, title, rest_until=NOW + HOUR)
    assert await store.articles.claim_unread(NOW, limit=1, lease=HOUR) == []
    ((article, _),) = await window(store, "world", after=0, through=1)
    assert article.title == "Story 1"
    assert await revisions(store) == [(1, "Story 1"), (2, "Second"), (3, "Third")]
    (one,) = await known(store, feed, ("guid-1", Marks()))
    assert one.hash == "hash-Third"
    assert set(one.hashes) == {"hash-1", "hash-Second", "hash-Third"}


async def test_an_article_that_rests_is_given_up_for_the_corrected_words(store: Store) -> None:
    await synced(store)
    feed = await told(store, marked(1, rest_until=NOW + HOUR), marked(2, rest_until=NOW + HOUR))
    await read_all(store)
    later = NOW + 30 * MINUTE
    await edited(store, feed, 1, "Corrected", now=later, rest_until=later + HOUR)
    assert await store.articles.make_ready(NOW + HOUR) == 1, "only the one that was left alone"
    assert await store.articles.waiting("world", NOW - DAY) == 1
    (unread,) = await store.articles.claim_unread(later, limit=9, lease=MINUTE)
    assert (unread.entry.title, unread.attempts) == ("Corrected", 1)
    assert await store.articles.record(article_of(unread), fence=unread.fence) is not None
    assert await store.articles.make_ready(later + HOUR - MINUTE) == 0
    assert await store.articles.make_ready(later + HOUR) == 1
    found = [article.title for article, _ in await window(store, "world", after=0, through=9)]
    assert found == ["Story 2", "Corrected"]


async def test_an_edit_without_a_rest_is_read_again_too_as_long_as_no_issue_may_use_it(store: Store) -> None:
    await synced(store)
    feed = await told(store, marked(1))
    await read_all(store)
    await edited(store, feed, 1, "Corrected")
    assert await store.articles.make_ready(NOW) == 0
    await read_all(store)
    assert await store.articles.make_ready(NOW) == 1
    ((article, _),) = await window(store, "world", after=0, through=9)
    assert article.title == "Corrected"


async def test_what_is_no_news_is_not_read_because_it_was_edited(store: Store) -> None:
    await synced(store)
    feed = await told(store, marked(1, news=False))
    await edited(store, feed, 1, "Corrected", rest_until=NOW + HOUR)
    assert await store.articles.claim_unread(NOW, limit=1, lease=HOUR) == []


async def test_an_entry_that_is_edited_at_every_poll_comes_out_at_last(store: Store) -> None:
    await synced(store)
    rest = 2 * HOUR
    feed = await told(store, marked(1, rest_until=NOW + rest))
    for number in range(1, 12):
        now = NOW + number * HOUR
        await edited(store, feed, 1, f"Version {number}", now=now, rest_until=now + rest)
        await read_all(store)
        if await store.articles.make_ready(now):
            break
    assert number == 8, "after four rests"
    ((article, _),) = await window(store, "world", after=0, through=9)
    assert article.title == "Version 8"


async def test_twenty_versions_of_an_entry_are_kept(store: Store) -> None:
    await synced(store)
    feed = await told(store, marked(1))
    for number in range(2, 31):
        await edited(store, feed, 1, f"Version {number}")
    kept = await revisions(store)
    assert [number for number, _ in kept] == list(range(1, 21))
    assert kept[-1] == (20, "Version 20")
    (one,) = await known(store, feed, ("guid-1", Marks()))
    assert one.hash == "hash-Version 30"
    (unread,) = await store.articles.claim_unread(NOW, limit=1, lease=HOUR)
    assert unread.entry.title == "Version 30"


async def test_numbers_stay_in_order_while_articles_are_given_up(store: Store, store_url: str) -> None:
    """One numbers what is read while another gives articles up for new words: every number is given once, to
    an article that is there."""
    await synced(store)
    count = 40
    feed = await told(store, *(marked(number) for number in range(1, count + 1)))
    await read_all(store)
    ids = [await id_of(store, feed, number) for number in range(1, count + 1)]
    other = await Store.open(store_url)

    async def edit() -> None:
        for start in range(0, count, 4):
            some: Sequence[NewEntry] = [
                marked(number, hash=f"edited-{number}", known=ids[number - 1], revised=True)
                for number in range(start + 1, start + 5)
            ]
            await told(other, *some)

    async def number() -> None:
        while await store.articles.max_ready() < count:
            await store.articles.make_ready(NOW, limit=3)
            await read_all(store)

    try:
        await asyncio.wait_for(asyncio.gather(edit(), number()), 60)
    finally:
        await other.close()
    held = await window(store, "world", after=0, through=count)
    assert [article.ready for article, _ in held] == list(range(1, count + 1))
    assert {article.entry_id for article, _ in held} == set(ids)


async def test_giving_up_waits_until_the_numbers_are_given(postgres_url: str) -> None:
    store = await Store.open(postgres_url)
    try:
        await synced(store)
        feed = await told(store, marked(1))
        await read_all(store)
        async with store._database._writing.begin() as connection:
            await store._database.lock(connection, READY_LOCK)
            editing = asyncio.create_task(edited(store, feed, 1, "Corrected"))
            done, _ = await asyncio.wait([editing], timeout=0.3)
            assert not done
        await editing
        assert await store.articles.make_ready(NOW) == 0
    finally:
        await store.close()


async def test_an_article_that_is_being_written_down_is_given_up_once_it_is_there(postgres_url: str) -> None:
    store = await Store.open(postgres_url)
    try:
        await synced(store)
        feed = await told(store, marked(1))
        (held,) = await store.articles.claim_unread(NOW, limit=1, lease=HOUR)
        async with store._database._writing.begin() as connection:
            await connection.execute(update(entries).values(unread=False))
            editing = asyncio.create_task(edited(store, feed, 1, "Corrected"))
            done, _ = await asyncio.wait([editing], timeout=0.3)
            assert not done
            row = {"entry_id": held.id, "feed_id": feed.id, "guid_key": "", "url_key": "", "received_at": NOW}
            await connection.execute(insert(articles).values(row | {"data": encode(article_of(held))}))
        await editing
        assert await store.articles.make_ready(NOW) == 0
        await read_all(store)
        assert await store.articles.make_ready(NOW) == 1
    finally:
        await store.close()


# ---------------------------------------------------------------- how it lies there


async def test_the_quick_way_of_writing_an_entry_down_is_the_common_one() -> None:
    full = Entry(
        **{field.name: f"\0{field.name} “\ud800\n" for field in fields(Entry) if field.type == "str"},
        authors=("A", "Ö"),
        categories=(),
        published=NOW,
        updated=NOW + timedelta(microseconds=5),
    )
    for entry in (full, Entry(guid="g", url="", title="")):
        assert encode_entry(entry) == encode(entry)
        assert decode(Entry, encode_entry(entry)).published == entry.published

"""Documents, the inbox and notices: kept once, changed only by what is really new."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from store_values import HOUR, MINUTE, NOW, claimed, synced

from digest.model import Document, NotFound
from digest.store import Store

pytestmark = pytest.mark.asyncio

FEED = Document(
    path="world/feed.atom",
    newsletter="world",
    content_type="application/atom+xml",
    body=b"<feed/>\x00\xff",
    etag='"1"',
    last_modified=NOW,
)


async def test_a_document_comes_back_byte_by_byte(store: Store) -> None:
    assert await store.documents.get(FEED.path) is None
    assert await store.documents.put(FEED)
    assert await store.documents.get(FEED.path) == FEED


async def test_the_same_bytes_again_change_nothing(store: Store) -> None:
    await store.documents.put(FEED)
    version = await store.documents.version()
    assert not await store.documents.put(replace(FEED, etag='"2"', last_modified=NOW + HOUR))
    assert await store.documents.get(FEED.path) == FEED
    assert await store.documents.version() == version


@pytest.mark.parametrize("change", [{"body": b"<feed>news</feed>"}, {"content_type": "text/xml"}])
async def test_other_bytes_replace_the_document_and_count(store: Store, change: dict[str, object]) -> None:
    await store.documents.put(FEED)
    version = await store.documents.version()
    changed = replace(FEED, etag='"2"', last_modified=NOW + HOUR, **change)  # type: ignore[arg-type]
    assert await store.documents.put(changed)
    assert await store.documents.get(FEED.path) == changed
    assert await store.documents.version() > version


async def test_documents_are_listed_by_path_of_all_or_one_newsletter(store: Store) -> None:
    local = replace(FEED, path="local/feed.rss", newsletter="local")
    opml = replace(FEED, path="feeds.opml", newsletter="")
    for document in (FEED, local, opml):
        await store.documents.put(document)
    assert await store.documents.all() == [opml, local, FEED]
    assert await store.documents.all("local") == [local]
    assert await store.documents.all("nowhere") == []


async def test_every_put_at_once_is_counted(store: Store) -> None:
    before = await store.documents.version()
    await asyncio.gather(*(store.documents.put(replace(FEED, path=f"p{number}")) for number in range(80)))
    assert await store.documents.version() == before + 80


async def test_a_letter_is_kept_once_in_the_inbox(store: Store) -> None:
    async def keep(recipient: str, message_id: str, subject: str = "Hello \0 there") -> None:
        await store.inbox.keep(
            recipient=recipient, subject=subject, message_id=message_id, body=b"\x00raw\xff", now=NOW
        )

    await keep("a@example.org", "<1@x>")
    await keep("a@example.org", "<1@x>", "again")
    await keep("b@example.org", "<1@x>")
    await keep("a@example.org", "<2@x>")
    letters = await store.inbox.list()
    assert [(one.recipient, one.message_id) for one in letters] == [
        ("a@example.org", "<2@x>"),
        ("b@example.org", "<1@x>"),
        ("a@example.org", "<1@x>"),
    ]
    assert (letters[2].subject, letters[2].body, letters[2].received_at) == (
        "Hello  there",
        b"\x00raw\xff",
        NOW,
    )
    assert await store.inbox.list(limit=1) == letters[:1]
    assert await store.inbox.get(letters[1].id) == letters[1]
    assert await store.inbox.get(999) is None


async def test_a_notice_is_made_once_with_its_delivery(store: Store) -> None:
    async def create():  # type: ignore[no-untyped-def]
        return await store.notices.create(
            kind="report",
            key="issue:1:failures",
            recipient="admin@example.org",
            newsletter="",
            data={"failed": 3, "list": ["a"], "name": "\ud800"},
            now=NOW,
            channel="pager",
        )

    made = await create()
    assert made is not None
    assert await create() is None
    assert await store.notices.get(made.id) == made
    assert (made.kind, made.recipient, made.created_at) == ("report", "admin@example.org", NOW)
    assert made.data == {"failed": 3, "list": ["a"], "name": "\ufffd"}
    (delivery,) = await claimed(store, "pager")
    assert (delivery.notice_id, delivery.issue_id, delivery.recipient) == (made.id, None, "admin@example.org")
    with pytest.raises(NotFound):
        await store.notices.get(999)


async def test_of_many_notices_with_one_key_at_once_one_is_made(store: Store) -> None:
    await synced(store)
    made = await asyncio.gather(
        *(
            store.notices.create(
                kind="goodbye", key="k", recipient="a@example.org", newsletter="world", data={}, now=NOW
            )
            for _ in range(10)
        )
    )
    assert sum(one is not None for one in made) == 1
    assert len(await claimed(store, now=NOW + MINUTE)) == 1


async def test_every_change_has_a_number_and_names_its_path(store: Store) -> None:
    await synced(store)
    start = await store.documents.version()
    other = replace(FEED, path="/world/feed.rss")
    await store.documents.put(FEED)
    await store.documents.put(other)
    version, changed = await store.documents.changes(start)
    assert changed == {FEED.path, other.path}
    assert await store.documents.changes(version) == (version, frozenset())
    assert [one.path for one in await store.documents.unpacked("world")] == [FEED.path, other.path]
    assert await store.documents.pack(replace(FEED, gzip=b"g", brotli=b"b"))
    assert not await store.documents.pack(replace(FEED, etag='"old"', gzip=b"g", brotli=b"b"))
    assert [one.path for one in await store.documents.unpacked("world")] == [other.path]
    packed, changed = await store.documents.changes(version)
    assert changed == {FEED.path}
    found = await store.documents.get(FEED.path)
    assert found is not None
    assert (found.gzip, found.brotli) == (b"g", b"b")
    await store.documents.put(replace(FEED, body=b"other", etag='"3"'))
    found = await store.documents.get(FEED.path)
    assert found is not None
    assert (found.gzip, found.brotli) == (b"", b"")
    assert await store.documents.remove(other.path)
    assert not await store.documents.remove(other.path)
    assert await store.documents.get(other.path) is None
    assert await store.documents.paths("world") == [FEED.path]
    assert (await store.documents.changes(packed))[1] == {FEED.path, other.path}


async def test_a_writer_of_another_release_makes_everything_doubtful(store: Store) -> None:
    """It moves the counter and puts no number on the document."""
    await synced(store)
    await store.documents.put(FEED)
    version = await store.documents.version()

    async def work(connection: object) -> None:
        await store._database.count_up(connection, "documents", 1)  # type: ignore[arg-type]

    await store._database.write(work)  # type: ignore[arg-type]
    assert await store.documents.changes(version) == (version + 1, None)

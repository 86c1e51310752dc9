"""The lanes in which documents are read: hostile ones delay each other, and nobody else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from a_house import rss
from digest.feeds import doubles
from digest.feeds.parse import parse
from digest.feeds.readers import QUICK_BYTES, Readers, read_batch
from digest.model import FeedError, Fetched

pytestmark = pytest.mark.asyncio

# feedparser looks for an address in an author with a pattern that takes cubic time on this; the undeclared
# prefix keeps the quick reader from taking it.
HOG = (
    b"<rss version='2.0'><channel><title>x</title><item><nope:x/><title>hog</title><author>"
    + (b"a" * 900 + b"<i/>") * 70  # in parts, for a long name would be cut
    + b"@</author></item></channel></rss>"
)
AWKWARD = (
    b"<rss version='2.0'><channel><title>Awkward &nope; <b></title><item><title>One</title></item></channel>"
)


def fetched(body: bytes, url: str = "https://feeds.example/feed.xml") -> Fetched:
    return Fetched(url=url, status=200, body=body, content_type="application/rss+xml")


@pytest_asyncio.fixture
async def readers() -> AsyncIterator[Readers]:
    made = Readers(lanes=2)
    yield made
    made.close()


async def test_many_documents_are_read_in_company_each_to_its_own(readers: Readers) -> None:
    answers = await asyncio.gather(
        *(readers.read(fetched(rss("bees", title=f"Feed {number}"))) for number in range(60))
    )
    assert [answer.parsed.title for answer in answers] == [f"Feed {number}" for number in range(60)]


async def test_a_document_that_is_no_feed_is_told_to_its_own_reader_only(readers: Readers) -> None:
    page, good, awkward = await asyncio.gather(
        readers.read(fetched(b"<!doctype html><html><body>Hello</body></html>")),
        readers.read(fetched(rss("bees"))),
        readers.read(fetched(AWKWARD)),
        return_exceptions=True,
    )
    assert isinstance(page, FeedError)
    assert "web page" in str(page)
    assert not isinstance(good, BaseException)
    assert len(good.parsed.entries) == 1
    assert not isinstance(awkward, BaseException)
    assert [entry.title for entry in awkward.parsed.entries] == ["One"]


async def test_a_large_document_is_never_read_in_company(readers: Readers) -> None:
    large = rss("bees").replace(b"<description>", b"<description>" + b" " * QUICK_BYTES, 1)
    document = await readers.read(fetched(large))
    assert len(document.parsed.entries) == 1


async def test_a_batch_leaves_what_it_cannot_read_to_the_other_reader() -> None:
    feed, awkward = read_batch([(rss("bees"), "", ""), (AWKWARD, "", "")])
    assert isinstance(feed, tuple)
    assert awkward is None  # for the other reader


@pytest.mark.parametrize(
    "name", ["doubles.xml", "atom10-full.xml", "podcast.xml", "jsonfeed11.json", "no-items-rss.xml"]
)
async def test_nothing_is_lost_on_the_way_from_a_worker(readers: Readers, name: str) -> None:
    body = (Path(__file__).parent / "corpus" / name).read_bytes()
    document = await readers.read(fetched(body))
    assert document.parsed == parse(body, "", fetched(body).url)
    assert document.told == doubles.read(document.parsed.entries)


async def test_documents_made_to_hurt_do_not_hold_up_the_others(readers: Readers) -> None:
    hogs = [asyncio.create_task(readers.read(fetched(HOG, f"https://hog.example/{n}"))) for n in range(3)]
    await asyncio.sleep(0.5)
    began = time.monotonic()
    await asyncio.gather(*(readers.read(fetched(rss("bees"))) for _ in range(20)))
    assert time.monotonic() - began < 8
    assert not any(hog.done() for hog in hogs)
    for hog in hogs:
        hog.cancel()
    await asyncio.gather(*hogs, return_exceptions=True)

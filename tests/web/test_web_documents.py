from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import httpx
import pytest
from starlette.responses import PlainTextResponse
from web_house import Clock, House, document

from digest.model import Document, NotReady
from digest.web.documents import Documents
from digest.web.prepared import prepare

pytestmark = pytest.mark.asyncio

BODY = b"<feed>" + b"one and the same line\n" * 500 + b"</feed>"
TYPES = {
    "atom": "application/atom+xml; charset=utf-8",
    "rss": "application/rss+xml; charset=utf-8",
    "json": "application/feed+json",
}


@dataclass
class Shelf:
    """The store's documents, counting what is asked of it."""

    documents: list[Document] = field(default_factory=lambda: [document("/world/feed.atom", BODY)])
    number: int = 1
    asked: int = 0
    read: int = 0
    down: bool = False
    slow: asyncio.Event | None = None
    changed: frozenset[str] | None = None

    async def version(self) -> int:
        self.asked += 1
        if self.slow is not None:
            await self.slow.wait()
        if self.down:
            raise NotReady("the database is locked")
        return self.number

    async def changes(self, since: int) -> tuple[int, frozenset[str] | None]:
        return await self.version(), self.changed

    async def get(self, path: str) -> Document | None:
        self.read += 1
        if self.down:
            raise NotReady("the database is locked")
        return next((one for one in self.documents if one.path == path), None)


@asynccontextmanager
async def client(shelf: Shelf, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    app = Documents(PlainTextResponse("somebody else"), shelf, clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x") as found:
        found.headers.clear()
        yield found


@pytest.mark.parametrize("kind", ["atom", "rss", "json"])
async def test_a_feed_comes_with_everything_a_poller_needs(house: House, kind: str) -> None:
    async with house.client() as web:
        answer = await web.get(f"/world/feed.{kind}", headers={"accept-encoding": "identity"})
    assert answer.status_code == 200
    assert answer.content == kind.encode() * 500
    assert answer.headers["content-type"] == TYPES[kind]
    assert answer.headers["etag"] == f'"world-feed.{kind}-1"'
    assert answer.headers["last-modified"] == "Sun, 22 Nov 2026 07:30:00 GMT"
    assert answer.headers["cache-control"] == "public, max-age=900"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert "set-cookie" not in answer.headers
    assert "content-encoding" not in answer.headers


async def test_gzip_is_the_same_document_under_another_tag() -> None:
    async with client(Shelf(), Clock()) as web:
        plain = await web.get("/world/feed.atom")
        small = await web.get("/world/feed.atom", headers={"accept-encoding": "gzip"})
        again = await web.get(
            "/world/feed.atom", headers={"accept-encoding": "gzip", "if-none-match": small.headers["etag"]}
        )
        other = await web.get(
            "/world/feed.atom", headers={"accept-encoding": "gzip", "if-none-match": plain.headers["etag"]}
        )
    assert small.headers["content-encoding"] == "gzip"
    assert int(small.headers["content-length"]) < len(BODY) / 5
    assert plain.content == small.content == BODY
    assert plain.headers["etag"] != small.headers["etag"]
    assert again.status_code == 304
    assert other.status_code == 200


async def test_gzip_is_the_same_bytes_after_a_restart() -> None:
    first, second = prepare(document("/world/feed.atom", BODY)), prepare(document("/world/feed.atom", BODY))
    assert first.codings["gzip"].full.body == second.codings["gzip"].full.body
    assert gzip.decompress(first.codings["gzip"].full.body) == BODY


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"if-none-match": '"world-feed.atom-1"'}, 304),
        ({"if-none-match": '"old", W/"world-feed.atom-1"'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"old"'}, 200),
        ({"if-none-match": '"old"', "if-modified-since": "Sun, 22 Nov 2026 07:30:00 GMT"}, 200),
        ({"if-modified-since": "Sun, 22 Nov 2026 07:30:00 GMT"}, 304),
        ({"if-modified-since": "Sun, 22 Nov 2026 07:29:59 GMT"}, 200),
        ({"if-modified-since": "yesterday"}, 200),
        ({"if-match": '"old"'}, 412),
        ({"if-unmodified-since": "Sun, 22 Nov 2026 07:29:59 GMT"}, 412),
        ({"range": "bytes=0-9"}, 200),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_conditional_requests(method: str, headers: dict[str, str], status: int) -> None:
    async with client(Shelf(), Clock()) as web:
        answer = await web.request(method, "/world/feed.atom", headers=headers)
    assert answer.status_code == status
    assert answer.content == (BODY if (method, status) == ("GET", 200) else b"")
    if status == 200:
        assert answer.headers["content-length"] == str(len(BODY))
    if status == 304:
        assert answer.headers["etag"] == '"world-feed.atom-1"'
        assert answer.headers["cache-control"] == "public, max-age=900"
        assert answer.headers["vary"] == "Accept-Encoding"
        assert "content-type" not in answer.headers


async def test_two_lines_of_if_none_match_are_one_list() -> None:
    async with client(Shelf(), Clock()) as web:
        lines = [("if-none-match", '"old"'), ("if-none-match", '"world-feed.atom-1"')]
        assert (await web.get("/world/feed.atom", headers=lines)).status_code == 304


async def test_other_methods_are_refused_and_a_preflight_is_answered() -> None:
    async with client(Shelf(), Clock()) as web:
        refused = await web.post("/world/feed.atom", content=b"x")
        asked = await web.options("/world/feed.atom")
    assert refused.status_code == 405
    assert refused.headers["allow"] == "GET, HEAD, OPTIONS"
    assert asked.status_code == 204
    assert "If-None-Match" in asked.headers["access-control-allow-headers"]


async def test_the_store_is_asked_at_most_once_a_second_and_read_only_when_something_changed() -> None:
    shelf, clock = Shelf(), Clock()
    async with client(shelf, clock) as web:
        for _ in range(20):
            await web.get("/world/feed.atom")
        assert (shelf.asked, shelf.read) == (1, 1)
        clock.advance(seconds=1.1)
        await web.get("/world/feed.atom")
        assert (shelf.asked, shelf.read) == (2, 1)
        shelf.documents, shelf.number = [document("/world/feed.atom", b"news", 2)], 2
        assert (await web.get("/world/feed.atom")).content == BODY
        clock.advance(seconds=1.1)
        assert (await web.get("/world/feed.atom")).content == b"news"


async def test_a_crowd_at_a_cold_start_asks_once() -> None:
    shelf = Shelf()
    async with client(shelf, Clock()) as web:
        answers = await asyncio.gather(*(web.get("/world/feed.atom") for _ in range(20)))
    assert {answer.content for answer in answers} == {BODY}
    assert (shelf.asked, shelf.read) == (1, 1)


async def test_feeds_outlive_a_store_that_is_down_or_slow() -> None:
    shelf, clock = Shelf(), Clock()
    async with client(shelf, clock) as web:
        await web.get("/world/feed.atom")
        shelf.down = True
        clock.advance(seconds=2)
        assert (await web.get("/world/feed.atom")).content == BODY
        shelf.down, shelf.slow = False, asyncio.Event()
        clock.advance(seconds=2)
        waiting = asyncio.create_task(web.get("/world/feed.atom"))
        await asyncio.sleep(0.01)
        assert (await asyncio.wait_for(web.get("/world/feed.atom"), 10)).content == BODY
        shelf.slow.set()
        assert (await waiting).content == BODY


async def test_a_clock_set_back_does_not_keep_an_old_feed() -> None:
    shelf, clock = Shelf(), Clock()
    async with client(shelf, clock) as web:
        await web.get("/world/feed.atom")
        shelf.documents, shelf.number = [document("/world/feed.atom", b"news", 2)], 2
        clock.advance(hours=-3)
        assert (await web.get("/world/feed.atom")).content == b"news"


async def test_everything_else_goes_on_to_the_pages() -> None:
    async with client(Shelf(), Clock()) as web:
        assert (await web.get("/world/")).text == "somebody else"
        assert (await web.get("/world/feed.rss")).text == "somebody else"


async def test_a_newsletter_without_feeds_says_when_there_will_be_one(house: House) -> None:
    async with house.client() as web:
        waiting = await web.get("/port/feed.atom")
        unknown = await web.get("/port/feed.xml")
        nobody = await web.get("/nobody/feed.atom")
    assert waiting.status_code == unknown.status_code == nobody.status_code == 404
    assert "together with the first issue" in waiting.text
    assert "together with the first issue" not in unknown.text + nobody.text


async def test_a_new_document_in_the_real_store_is_served_within_a_second(house: House) -> None:
    async with house.client() as web:
        before = await web.get("/world/feed.atom")
        await house.store.documents.put(document("/world/feed.atom", b"news", 2))
        house.clock.advance(seconds=1)
        after = await web.get("/world/feed.atom", headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.content == b"news"


def many(count: int, size: int = 50_000) -> list[Document]:
    return [document(f"/n{number}/feed.atom", bytes([number % 250]) * size) for number in range(count)]


async def test_memory_has_an_end_and_what_was_asked_for_last_stays() -> None:
    shelf, clock = Shelf(documents=many(20)), Clock()
    app = Documents(PlainTextResponse("somebody else"), shelf, clock, memory=400_000)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x") as web:
        for number in range(20):
            await web.get(f"/n{number}/feed.atom")
            await web.get("/n0/feed.atom")
        assert shelf.read == 20
        await web.get("/n19/feed.atom")
        assert shelf.read == 20
        await web.get("/n1/feed.atom")
        assert shelf.read == 21


async def test_only_what_changed_is_read_again() -> None:
    shelf, clock = Shelf(documents=many(3)), Clock()
    async with client(shelf, clock) as web:
        for number in range(3):
            await web.get(f"/n{number}/feed.atom")
        await web.get("/n9/feed.atom")
        read = shelf.read
        shelf.documents = [
            *many(3)[:2],
            document("/n2/feed.atom", b"news", 2),
            document("/n9/feed.atom", b"new"),
        ]
        shelf.number, shelf.changed = 2, frozenset(("/n2/feed.atom", "/n9/feed.atom", "/n77/feed.atom"))
        clock.advance(seconds=2)
        assert (await web.get("/n2/feed.atom")).content == b"news"
        assert (await web.get("/n9/feed.atom")).content == b"new"
        assert (await web.get("/n0/feed.atom")).status_code == 200
        assert shelf.read == read + 2


async def test_brotli_and_gzip_come_as_they_were_packed() -> None:
    packed = replace(document("/world/feed.atom", BODY), gzip=b"small", brotli=b"smaller")
    async with client(Shelf(documents=[packed]), Clock()) as web:
        answers = {}
        for accepted in ("br", "gzip", "gzip, br", "identity"):
            request = web.build_request("GET", "/world/feed.atom", headers={"accept-encoding": accepted})
            answer = await web.send(request, stream=True)
            raw = b"".join([piece async for piece in answer.aiter_raw()])
            answers[accepted] = (answer.headers.get("content-encoding"), raw, answer.headers["etag"])
        refused = await web.get("/world/feed.atom", headers={"accept-encoding": "identity;q=0"})
    assert answers["br"][:2] == answers["gzip, br"][:2] == ("br", b"smaller")
    assert answers["gzip"][:2] == ("gzip", b"small")
    assert answers["identity"][:2] == (None, BODY)
    assert len({etag for _, _, etag in answers.values()}) == 3
    assert (refused.status_code, refused.headers["vary"]) == (406, "Accept-Encoding")


async def test_a_document_that_was_taken_away_is_gone_within_a_second(house: House) -> None:
    async with house.client() as web:
        assert (await web.get("/world/feed.atom")).status_code == 200
        await house.store.documents.remove("/world/feed.atom")
        house.clock.advance(seconds=2)
        assert (await web.get("/world/feed.atom")).status_code == 404
        assert (await web.get("/world/feed.rss")).status_code == 200


async def test_an_archive_that_was_taken_away_is_gone_and_one_that_never_was_is_not_found(
    house: House,
) -> None:
    about = await house.store.documents.get("/world/feed.atom")
    assert about is not None
    await house.store.documents.put(replace(about, path="/world/feed/1.atom"))
    async with house.client() as web:
        assert (await web.get("/world/feed/1.atom")).status_code == 200
        await house.store.documents.remove("/world/feed/1.atom")
        house.clock.advance(seconds=2)
        for method in ("GET", "HEAD"):
            assert (await web.request(method, "/world/feed/1.atom")).status_code == 410
        for path in ("world/feed/1.rss", "world/feed/2.atom", "world/feed/1.a%00", "no/feed/1.atom"):
            assert (await web.get(f"/{path}")).status_code == 404
        await house.store.documents.put(replace(about, path="/world/feed/1.atom"))
        house.clock.advance(seconds=2)
        assert (await web.get("/world/feed/1.atom")).status_code == 200

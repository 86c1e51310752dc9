"""Answers that lie ready, over a real socket: the same as by uvicorn's own way, in the right order."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
import uvicorn

from digest.model import Document
from digest.service.quick_http import LONGEST_HEAD, PATIENCE, quick_http
from digest.web.documents import Documents
from digest.web.prepared import Answer, Header

pytestmark = pytest.mark.asyncio

BODY = b"<feed>" + b"one and the same line\n" * 3_000 + b"</feed>"
FEED = "/world/feed.atom"


class Shelf:
    """One document, for ever."""

    async def version(self) -> int:
        return 1

    async def changes(self, since: int) -> tuple[int, frozenset[str] | None]:
        return since, frozenset()

    async def get(self, path: str) -> Document | None:
        if path != FEED:
            return None
        return Document(
            path=path,
            newsletter="world",
            content_type="application/atom+xml; charset=utf-8",
            body=BODY,
            etag='"1"',
            last_modified=datetime(2026, 11, 22, tzinfo=UTC),
        )


async def elsewhere(scope: Any, receive: Any, send: Any) -> None:
    """Every other page; it takes its time, and gives the body that it was sent."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await asyncio.sleep(0.02)
    said = b"page " + scope["path"].encode() + b" " + body
    headers = [(b"content-length", str(len(said)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": said})


class Served:
    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self.quick = 0
        self.port = 0

    def at_once(self, path: str, method: str, headers: Iterable[Header]) -> Answer | None:
        found = self.documents.at_once(path, method, headers)
        self.quick += found is not None
        return found

    async def say(self, raw: bytes) -> bytes:
        """Send this, and read until the server closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(raw)
        try:
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def served(seconds: float = PATIENCE) -> AsyncIterator[Served]:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    it = Served(Documents(elsewhere, Shelf(), lambda: now))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        it.port = listening.getsockname()[1]
        config = uvicorn.Config(
            it.documents,
            http=quick_http(it.at_once, seconds=seconds),
            log_config=None,
            lifespan="off",
            server_header=False,
        )
        server = uvicorn.Server(config)
        running = asyncio.create_task(server._serve([listening]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        await it.say(ask("GET", FEED, close=True))  # now it is in memory
        try:
            yield it
        finally:
            server.should_exit = True
            await running


def ask(method: str, path: str, *more: str, close: bool = False, version: str = "1.1") -> bytes:
    lines = [f"{method} {path} HTTP/{version}", "host: x", *more, *(["connection: close"] if close else [])]
    return "\r\n".join([*lines, "", ""]).encode()


def without_date(answer: bytes) -> bytes:
    return re.sub(rb"date: [^\r]*\r\n", b"", answer)


async def test_both_ways_give_the_same_answer() -> None:
    async with served() as it:
        for more in ((), ("accept-encoding: gzip",), ('if-none-match: "1"',), ("accept-encoding: *;q=0",)):
            for method in ("GET", "HEAD"):
                before = it.quick
                short = await it.say(ask(method, FEED, *more, close=True))
                assert it.quick == before + 1
                long = await it.say(ask(method, f"{FEED}?", *more, close=True))
                assert it.quick == before + 1
                heads = [sorted(each.partition(b"\r\n\r\n")[0].split(b"\r\n")) for each in (short, long)]
                assert without_date(b"\r\n".join(heads[0])) == without_date(b"\r\n".join(heads[1]))
                assert short.partition(b"\r\n\r\n")[2] == long.partition(b"\r\n\r\n")[2]
                assert b"date: " in short


async def test_requests_in_one_piece_are_answered_in_their_order() -> None:
    async with served() as it:
        raw = (
            ask("GET", FEED, 'if-none-match: "1"')
            + ask("GET", "/page")
            + ask("GET", FEED)
            + ask("HEAD", FEED)
        )
        answer = await it.say(
            raw + ask("POST", "/x", "content-length: 5") + b"hello" + ask("GET", FEED, close=True)
        )
    heads = re.findall(rb"HTTP/1.1 (\d+)", answer)
    assert heads == [b"304", b"200", b"200", b"200", b"200", b"200"]
    assert answer.count(BODY) == 2
    places = [
        answer.index(b" 304 "),
        answer.index(b"page /page"),
        answer.index(BODY),
        answer.index(b"page /x hello"),
    ]
    assert places == sorted(places)
    assert answer.endswith(BODY)


async def test_a_connection_stays_open_only_for_who_wants_it() -> None:
    async with served() as it:
        old = await it.say(ask("GET", FEED, version="1.0"))
        assert b"connection: close" in old
        assert old.endswith(BODY)
        both = await it.say(ask("GET", FEED) + ask("GET", FEED, close=True))
        assert both.count(b"HTTP/1.1 200 OK") == 2
        assert both.count(b"connection: close") == 1


async def test_a_body_that_comes_with_a_get_is_passed_over() -> None:
    async with served() as it:
        raw = ask("GET", FEED, "content-length: 11") + b"GET /x HTTP" + ask("GET", "/next", close=True)
        answer = await it.say(raw)
    assert answer.count(b"HTTP/1.1 200") == 2
    assert answer.endswith(b"page /next ")


async def test_one_who_asks_and_does_not_read_is_not_given_more_and_more() -> None:
    async with served() as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port, limit=1)
        many = 2_000
        writer.write(ask("GET", FEED) * many)
        await asyncio.sleep(0.3)
        assert it.quick < many / 2
        writer.transport.abort()
        assert (await it.say(ask("GET", FEED, close=True))).endswith(BODY)
        assert reader is not None


async def test_what_is_no_request_is_refused() -> None:
    async with served() as it:
        assert b" 400 " in await it.say(b"GET /world/feed.atom\r\nnonsense\r\n\r\n")
        assert b"HTTP/1.1 200" in await it.say(ask("GET", FEED, close=True))


@pytest.mark.parametrize("path", [FEED, "/elsewhere"])
@pytest.mark.parametrize(
    "hosts", ["", "host: a\r\nhost: b\r\n", "host: a, b\r\n", "host: a/b\r\n", "host: a@b\r\n"]
)
async def test_a_request_says_whom_it_is_for(path: str, hosts: str) -> None:
    async with served() as it:
        answer = await it.say(f"GET {path} HTTP/1.1\r\n{hosts}\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "host", ["example.org", "example.org:8080", "[::1]:8080", "xn--bcher-kva.example", ""]
)
async def test_every_kind_of_host_is_one(host: str) -> None:
    async with served() as it:
        answer = await it.say(f"GET {FEED} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert (await it.say(f"GET {FEED} HTTP/1.0\r\n\r\n".encode())).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("begun", "answer"),
    [
        (b"", b""),  # browsers connect before they ask; an answer to nothing would confuse them
        (b"GET / HTTP/1.1\r\nhost: x\r\nx-a: ", b"HTTP/1.1 408"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf", b""),
        (ask("GET", FEED) + b"GET / HT", b"HTTP/1.1 200"),
        (b"\r\n", b""),
    ],
    ids=["nothing", "half a head", "half a body", "half a second one", "a line end"],
)
async def test_a_request_that_does_not_end_is_waited_for_only_so_long(begun: bytes, answer: bytes) -> None:
    async with served(seconds=0.3) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        writer.write(begun)
        for _ in range(3):  # a byte now and then is no sign of life
            await asyncio.sleep(0.05)
            writer.write(begun[-1:] if begun.endswith((b": ", b"half")) else b"")
        began = asyncio.get_running_loop().time()
        said = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        assert said.startswith(answer)
        assert bool(said) == bool(answer)
        assert asyncio.get_running_loop().time() - began < 2


async def test_line_ends_after_an_answer_keep_no_connection_open() -> None:
    async with served(seconds=0.3) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        writer.write(ask("GET", "/page"))
        await reader.readuntil(b"page /page ")
        writer.write(b"\r\n")
        assert await asyncio.wait_for(reader.read(), 3) == b""
        writer.close()


async def test_who_takes_their_time_between_requests_is_not_cut_off() -> None:
    async with served(seconds=0.3) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        for _ in range(3):
            writer.write(ask("GET", "/page"))
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            await reader.readuntil(b"page /page ")
            await asyncio.sleep(0.5)
        writer.close()


async def test_a_head_without_an_end_is_refused() -> None:
    async with served() as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n")
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 50 * LONGEST_HEAD:
                writer.write(b"x-filler: %b\r\n" % (b"y" * 4_000))
                await writer.drain()
                await asyncio.sleep(0.001)
                sent += 4_000
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(reader.read(), 5)
        writer.close()
        assert sent < 40 * LONGEST_HEAD  # what the sockets hold, too
        assert b"HTTP/1.1 200" in await it.say(ask("GET", FEED, close=True))

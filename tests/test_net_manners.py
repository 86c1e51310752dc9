"""Politeness: one request at a time for each host, a pause in between, and rest for those who ask for it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from digest.model import FeedError
from digest.net import Net
from web_server import FEED, Book, Handler, Request, answer, by_path, serving

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@contextlib.asynccontextmanager
async def net(*allow: str, **settings: object) -> AsyncIterator[Net]:
    client = Net(user_agent="Digest/1", allow=allow, clock=lambda: NOW, **settings)  # type: ignore[arg-type]
    try:
        yield client
    finally:
        await client.close()


class Watched:
    """A handler that takes some time, and when each of its requests began and ended."""

    def __init__(self, handler: Handler, seconds: float = 0.0) -> None:
        self.spans: list[tuple[float, float]] = []
        self._handler = handler
        self._seconds = seconds

    async def __call__(self, request: Request, writer: asyncio.StreamWriter) -> None:
        start = time.monotonic()
        await asyncio.sleep(self._seconds)
        self.spans.append((start, time.monotonic()))
        await self._handler(request, writer)

    @property
    def pauses(self) -> list[float]:
        return [start - end for (_, end), (start, _) in pairwise(self.spans)]


@pytest.mark.asyncio
async def test_a_host_is_asked_for_one_thing_at_a_time() -> None:
    watched = Watched(answer(), 0.03)
    async with serving(watched) as server, net("127.0.0.1") as client:
        await asyncio.gather(*(client.fetch(f"{server.url}{number}") for number in range(6)))
    assert [request.path for request in server.requests] == [f"/{number}" for number in range(6)]
    assert min(watched.pauses) >= 0
    assert server.connections == 1


@pytest.mark.asyncio
async def test_there_is_a_pause_after_the_end_of_each_request() -> None:
    watched = Watched(answer(), 0.02)
    async with serving(watched) as server, net("127.0.0.1", gap=0.1) as client:
        await client.fetch(server.url)
        await asyncio.gather(*(client.fetch(server.url) for _ in range(3)))
    assert all(0.098 <= pause < 5 for pause in watched.pauses), watched.pauses


@pytest.mark.asyncio
async def test_waiting_for_ones_turn_is_not_counted() -> None:
    async with (
        serving(Watched(answer(), 0.15)) as server,
        net("127.0.0.1", gap=0.1, total_seconds=0.4) as client,
    ):
        start = time.monotonic()
        found = await asyncio.gather(*(client.fetch(server.url) for _ in range(4)))
    assert [each.body for each in found] == [FEED] * 4
    assert time.monotonic() - start > 0.8


@pytest.mark.asyncio
async def test_redirects_wait_for_their_turn_and_their_wait_is_not_counted_either() -> None:
    hop = answer(b"", status="302 Found", Location="/b")
    watched = Watched(by_path(start=hop, b=answer(b"", status="302 Found", Location="/c"), c=answer()))
    async with serving(watched) as server, net("127.0.0.1", gap=0.2, total_seconds=0.3) as client:
        assert (await client.fetch(server.url)).url == f"{server.url}c"
    assert all(pause >= 0.198 for pause in watched.pauses)
    assert len(watched.pauses) == 2


@pytest.mark.asyncio
async def test_a_redirect_elsewhere_gives_the_first_host_free() -> None:
    async def slow(_request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with serving(slow) as far:
        near = by_path(start=answer(b"", status="302 Found", Location=far.url), b=answer())
        async with serving(near) as server, net("127.0.0.1") as client:
            moved = asyncio.create_task(client.fetch(server.url))
            await asyncio.sleep(0.05)
            await client.fetch(f"{server.url}b")
            assert not moved.done()
            await moved


@pytest.mark.asyncio
async def test_other_hosts_and_other_ports_do_not_wait() -> None:
    async with serving(answer()) as one, serving(answer()) as other, net("127.0.0.1", gap=10.0) as client:
        start = time.monotonic()
        await asyncio.gather(client.fetch(one.url), client.fetch(other.url))
        assert time.monotonic() - start < 5


@pytest.mark.asyncio
async def test_the_same_host_in_other_letters_is_the_same_host() -> None:
    watched = Watched(answer(), 0.02)
    book = Book(feeds_example=[["127.0.0.1"]])
    book.answers["feeds.example."] = [["127.0.0.1"]]
    async with serving(watched) as server, net("feeds.example", gap=0.1, resolver=book) as client:
        names = ("feeds.example", "FEEDS.example", "feeds.example.")
        await asyncio.gather(*(client.fetch(f"http://{name}:{server.port}/") for name in names))
    assert len(watched.pauses) == 2
    assert all(pause >= 0.098 for pause in watched.pauses)


@pytest.mark.asyncio
async def test_a_request_that_fails_or_is_called_off_gives_its_turn_back() -> None:
    async def silence(_request: Request, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with (
        serving(by_path(start=silence, a=answer(b"", status="500 Oops"), b=answer())) as server,
        net("127.0.0.1", total_seconds=0.2) as client,
    ):
        late, broken = asyncio.create_task(client.fetch(server.url)), client.fetch(f"{server.url}a")
        called_off = asyncio.create_task(client.fetch(server.url, total=60.0))
        waiting = asyncio.create_task(client.fetch(f"{server.url}b"))
        outcomes = asyncio.gather(late, broken, return_exceptions=True)
        await asyncio.sleep(0.05)
        called_off.cancel()
        assert [type(each) for each in await outcomes] == [FeedError, FeedError]
        assert (await asyncio.wait_for(waiting, 10)).body == FEED


@pytest.mark.asyncio
async def test_closing_tells_those_who_wait() -> None:
    async def silence(_request: Request, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with serving(silence) as server:
        client = Net(user_agent="x", allow=["127.0.0.1"], total_seconds=30)
        tasks = [asyncio.create_task(client.fetch(server.url)) for _ in range(3)]
        await asyncio.sleep(0.05)
        await client.close()
        found = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
    assert [type(each) for each in found] == [FeedError] * 3
    assert sum("we are stopping" in str(each) for each in found) == 2


# ---------------------------------------------------------------- rest


@pytest.mark.asyncio
@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
async def test_a_host_that_asks_us_to_wait_is_left_alone_for_all_its_feeds(status: str) -> None:
    busy = answer(b"", status=status, Retry_After="120")
    async with (
        serving(by_path(start=busy, b=answer())) as server,
        serving(answer()) as other,
        net("127.0.0.1", gap=0.5) as client,
    ):
        waiting = (client.fetch(f"{server.url}b") for _ in range(20))
        start = time.monotonic()
        found = await asyncio.gather(client.fetch(server.url), *waiting, return_exceptions=True)
        assert time.monotonic() - start < 5  # nobody waits for a turn that will not come
        late = await asyncio.gather(client.fetch(f"{server.url}b"), return_exceptions=True)
        assert (await client.fetch(other.url)).body == FEED
    errors = [each for each in (*found, *late) if isinstance(each, FeedError)]
    assert len(errors) == 22
    assert errors[0].retry_after == timedelta(seconds=120)
    for error in errors[1:]:
        assert "another feed" in str(error)
        assert error.retry_after is not None
        assert timedelta(seconds=115) < error.retry_after <= timedelta(seconds=120)
        assert not error.permanent
    assert len(server.requests) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "wish"), [("429 Too Many", None), ("503 No", "0"), ("404 Not Found", "99"), ("429 No", "soon")]
)
async def test_other_refusals_are_about_one_feed(status: str, wish: str | None) -> None:
    refusing = answer(b"", status=status, **({"Retry_After": wish} if wish else {}))
    async with serving(by_path(start=refusing, b=answer())) as server, net("127.0.0.1") as client:
        with pytest.raises(FeedError):
            await client.fetch(server.url)
        assert (await client.fetch(f"{server.url}b")).body == FEED


@pytest.mark.asyncio
async def test_rest_ends() -> None:
    busy = answer(b"", status="503 Busy", Retry_After="1")
    async with serving(by_path(start=busy, b=answer())) as server, net("127.0.0.1") as client:
        with pytest.raises(FeedError):
            await client.fetch(server.url)
        with pytest.raises(FeedError, match=r"waits [01] seconds too"):
            await client.fetch(f"{server.url}b")
        await asyncio.sleep(1.02)
        assert (await client.fetch(f"{server.url}b")).body == FEED


@pytest.mark.asyncio
async def test_neighbours_wait_an_hour_at_most() -> None:
    busy = answer(b"", status="503 Busy", Retry_After="999999")
    async with serving(busy) as server, net("127.0.0.1") as client:
        with pytest.raises(FeedError) as caught:
            await client.fetch(server.url)
        assert caught.value.retry_after == timedelta(days=1)
        with pytest.raises(FeedError) as caught:
            await client.fetch(f"{server.url}b")
        assert caught.value.retry_after is not None
        assert timedelta(minutes=59) < caught.value.retry_after <= timedelta(hours=1)


@pytest.mark.asyncio
async def test_a_redirect_to_a_host_that_rests_is_not_followed() -> None:
    async with (
        serving(answer(b"", status="429 No", Retry_After="60")) as resting,
        serving(answer(b"", status="302 Found", Location=f"{resting.url}b")) as server,
        net("127.0.0.1") as client,
    ):
        with pytest.raises(FeedError):
            await client.fetch(resting.url)
        with pytest.raises(FeedError, match="another feed"):
            await client.fetch(server.url)
    assert len(resting.requests) == 1


# ---------------------------------------------------------------- what strangers name


@pytest.mark.asyncio
async def test_what_a_feed_names_leads_to_an_allowed_host_only_if_the_feed_is_on_one() -> None:
    async with serving(answer()) as server, net(f"127.0.0.1:{server.port}") as client:
        assert (await client.fetch(server.url)).body == FEED
        for friend in (f"{server.url}feed", "examples/feeds/city.xml", None):
            assert (await client.fetch(server.url, source=friend)).body == FEED
        for stranger in ("https://evil.example/feed", f"http://127.0.0.1:{server.port + 1}/"):
            with pytest.raises(FeedError, match=r"is in fetch\.allow, but only feeds of allowed hosts"):
                await client.fetch(server.url, source=stranger)
    assert len(server.requests) == 4

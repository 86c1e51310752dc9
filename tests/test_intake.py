"""A round of pulling: polite to each host, not held up by the slow ones, and harmless when it ends early."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from a_house import Clock, FeedServer, rss, write_config
from digest import intake
from digest.service import House, open_house

pytestmark = pytest.mark.asyncio

HOSTS = [f"127.0.0.{number}" for number in range(1, 6)]


class Sites:
    """One server under several addresses. What a path does: `slow…` never answers, `broken…` is no feed,
    all others are feeds. Counts how many requests each host has at a time."""

    def __init__(self) -> None:
        self.port = 0
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.asked: list[str] = []
        self.wait = 0.02

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[Sites]:
        servers = [await asyncio.start_server(self._answer, HOSTS[0], 0)]
        self.port = servers[0].sockets[0].getsockname()[1]
        servers += [await asyncio.start_server(self._answer, host, self.port) for host in HOSTS[1:]]
        try:
            yield self
        finally:
            for server in servers:
                server.close()

    def url(self, host: int, path: str) -> str:
        return f"http://{HOSTS[host]}:{self.port}/{path}"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = writer.get_extra_info("sockname")[0]
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                path = request.split()[1].decode()
                self.asked.append(path)
                self.now[host] += 1
                self.most[host] = max(self.most[host], self.now[host])
                await asyncio.sleep(30 if path.startswith("/slow") else self.wait)
                body = b"no feed" if path.startswith("/broken") else rss("bees", title=path)
                self.now[host] -= 1
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def house_of(folder: Path, *urls: str, clock: Clock | None = None) -> AsyncIterator[House]:
    path = write_config(folder, feeds="[" + ", ".join(urls) + "]")
    text = path.read_text().replace("allow: [127.0.0.1]", f"allow: [{', '.join(HOSTS)}]")
    path.write_text(text)
    async with open_house(path, clock=clock or Clock()) as house:
        yield house


async def test_a_host_is_asked_one_feed_at_a_time_and_all_of_them_are_asked(tmp_path: Path) -> None:
    async with Sites().serving() as sites:
        urls = [sites.url(host, f"feed{number}") for host in range(3) for number in range(11)]
        async with house_of(tmp_path, *urls) as house:
            pulled = await intake.pull(house.line, house.line.clock())
            titles = {state.feed.title for state in await house.store.feeds.list()}
        assert (pulled.feeds, pulled.entries, pulled.failed) == (33, 33, 0)
        assert titles == {f"/feed{number}" for number in range(11)}
        assert sites.most == dict.fromkeys(HOSTS[:3], 1)
        assert len(sites.asked) == 33


async def test_a_slow_host_and_a_broken_feed_delay_nobody(tmp_path: Path) -> None:
    async with Sites().serving() as sites:
        urls = [sites.url(0, "slow"), sites.url(1, "broken"), *(sites.url(2, f"f{n}") for n in range(6))]
        async with house_of(tmp_path, *urls) as house:
            began = time.monotonic()
            task = asyncio.create_task(intake.pull(house.line, house.line.clock()))
            while True:
                states = {state.feed.url: state for state in await house.store.feeds.list()}
                broken = states[urls[1]]
                if broken.feed.failures and sum(state.entries for state in states.values()) == 6:
                    break
                assert time.monotonic() - began < 20, "the good feeds wait for the slow one"
                await asyncio.sleep(0.05)
            assert broken.feed.failures == 1
            assert "not a feed" in (broken.feed.error or "")
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            # What was under way is given back at once: the next round need not wait for its lease.
            held = await house.store.feeds.claim_due(house.line.clock(), limit=9, lease=intake.LEASE)
            assert [feed.url for feed in held] == [urls[0]]


async def test_a_feed_that_did_not_change_is_asked_and_not_read(tmp_path: Path) -> None:
    clock = Clock()
    feed = FeedServer()
    async with feed.serving():
        feed.body = rss("bees")
        async with house_of(tmp_path, feed.url, clock=clock) as house:
            assert (await intake.pull(house.line, clock())).entries == 1
            assert (await intake.pull(house.line, clock())).feeds == 0  # it is not due
            clock.turn(days=1)
            again = await intake.pull(house.line, clock())
            assert (again.feeds, again.unchanged, feed.unchanged) == (1, 1, 1)
            state = (await house.store.feeds.list())[0].feed
            assert (state.last_ok_at, state.failures) == (clock(), 0)
            assert state.next_poll_at > clock()


async def test_a_forced_round_asks_each_feed_once(tmp_path: Path) -> None:
    clock = Clock()
    async with Sites().serving() as sites:
        urls = [sites.url(host, f"feed{number}") for host in range(2) for number in range(10)]
        async with house_of(tmp_path, *urls, clock=clock) as house:
            await intake.pull(house.line, clock())
            clock.turn(minutes=1)
            pulled = await intake.pull(house.line, clock(), force=True)
        assert (pulled.feeds, pulled.unchanged) == (20, 20)
        assert len(sites.asked) == 40

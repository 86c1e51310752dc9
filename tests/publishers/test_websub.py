"""A hub on loopback is told of what changed, once each; whatever it does, letters go and it is told later."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import pytest_asyncio

from a_house import Clock, FeedServer, rss, write_config
from digest import desk, dispatch, intake, pipeline
from digest.model import DeliveryState, PublishError
from digest.net import Net
from digest.publishers import feed
from digest.publishers.base import Lent
from digest.publishers.websub import Publisher, Settings
from digest.service import House, open_house
from digest.store import Store
from feed_rules import atom_problems, json_problems, rss_problems
from letter_samples import MIXED, ONE, WORLD
from publishing import bear, due, settle

pytestmark = pytest.mark.asyncio
PROBLEMS = {"atom": atom_problems, "rss": rss_problems, "json": json_problems}
TOPICS = [f"https://news.example.org/world/feed.{form}" for form in ("atom", "rss", "json")]


class Hub:
    """Answers as it is told to, in turn; then 204. `told` is what it was sent. "" is an answer that never
    comes."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.told: list[dict[str, list[str]]] = []
        self.heads: list[str] = []
        self.url = ""

    @property
    def topics(self) -> list[str]:
        return [one["hub.url"][0] for one in self.told]

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[Hub]:
        server = await asyncio.start_server(self._hear, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hub?a=1"
        async with server:
            yield self

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0])
            self.told.append(parse_qs((await reader.readexactly(length)).decode()))
            self.heads.append(head)
            answer = self.answers.pop(0) if self.answers else "204 No Content"
            if not answer:
                await reader.read()  # until it hangs up
            elif answer != "hang up":
                writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                await writer.drain()
        writer.close()


@pytest_asyncio.fixture
async def net() -> AsyncIterator[Net]:
    made = Net(user_agent="Digest tests", allow=["127.0.0.1"])
    yield made
    await made.close()


async def a_published_issue(store: Store, lent: Lent, hub: str) -> tuple[feed.Publisher, Publisher]:
    await settle(store, replace(WORLD, hub=hub))
    feeds = feed.Publisher(feed.Settings(), lent)
    pings = Publisher(Settings(timeout=timedelta(seconds=0.3)), lent, patience=timedelta(seconds=0.1))
    await bear(store, ONE, feeds, pings)
    return feeds, pings


async def publish_feeds(store: Store, feeds: feed.Publisher) -> None:
    for delivery in await due(store, "feed"):
        await feeds.publish(delivery)
        await store.deliveries.begin(delivery, now=delivery.created_at, lease=timedelta(minutes=1))
        await store.deliveries.record(delivery, DeliveryState.SENT, now=delivery.created_at)


async def test_the_hub_is_told_of_each_feed_once(store: Store, lend: Callable[..., Lent], net: Net) -> None:
    async with Hub().listening() as hub:
        feeds, pings = await a_published_issue(store, lend(net=net), hub.url)
        await publish_feeds(store, feeds)
        [ping] = await due(store, "websub")
        assert (await pings.publish(ping)).reply == "told of 3 changed feeds"
        assert hub.topics == TOPICS
        assert {tuple(one["hub.mode"]) for one in hub.told} == {("publish",)}
        assert [one["hub.topic"] for one in hub.told] == [[topic] for topic in TOPICS]
        assert all(head.startswith("POST /hub?a=1 ") for head in hub.heads)
        assert (await pings.publish(ping)).reply == "told of 0 changed feeds"
        await bear(store, replace(MIXED, path="world/2026-11-23", tag=f"{MIXED.tag}-3"), feeds, pings)
        await publish_feeds(store, feeds)
        [ping] = await due(store, "websub")
        await pings.publish(ping)
        assert hub.topics == [*TOPICS, *TOPICS]


async def test_nothing_is_told_before_the_feeds_are_there(
    store: Store, lend: Callable[..., Lent], net: Net
) -> None:
    async with Hub().listening() as hub:
        feeds, pings = await a_published_issue(store, lend(net=net), hub.url)
        [ping] = await due(store, "websub")
        with pytest.raises(PublishError, match="not built yet") as raised:
            await pings.publish(ping)
        assert not raised.value.shuts
        assert hub.told == []
        await publish_feeds(store, feeds)
        await pings.publish(ping)
        assert hub.topics == TOPICS


@pytest.mark.parametrize(
    ("answer", "said", "permanent", "wait"),
    [
        ("503 No\r\nRetry-After: 90", "wait 90 seconds", False, timedelta(seconds=90)),
        ("429 Slow down", r"\(429\)", False, None),
        ("404 Not Found", r"\(404\)", True, None),
        ("301 Moved\r\nLocation: https://other.example/", "elsewhere", False, None),
        ("", "no answer within 0.3 seconds", False, None),
        ("hang up", "closed the connection", False, None),
        ("!!", "breaks the rules of HTTP", False, None),
    ],
)
async def test_what_a_hub_may_do(
    store: Store,
    lend: Callable[..., Lent],
    net: Net,
    answer: str,
    said: str,
    permanent: bool,
    wait: timedelta | None,
) -> None:
    async with Hub("204 No Content", answer).listening() as hub:
        feeds, pings = await a_published_issue(store, lend(net=net), hub.url)
        await publish_feeds(store, feeds)
        [ping] = await due(store, "websub")
        with pytest.raises(PublishError, match=said) as raised:
            await pings.publish(ping)
        assert (raised.value.permanent, raised.value.wait) == (permanent, wait)
        assert not raised.value.shuts, "one hub's trouble is not everybody's"
        assert hub.topics == TOPICS[:2]
        assert (await pings.publish(ping)).reply == "told of 2 changed feeds"
        assert hub.topics == [*TOPICS[:2], *TOPICS[1:]]


async def test_a_hub_inside_our_network_must_be_allowed(store: Store, lend: Callable[..., Lent]) -> None:
    guarded = Net(user_agent="Digest tests")
    async with Hub().listening() as hub:
        feeds, pings = await a_published_issue(store, lend(net=guarded), hub.url)
        await publish_feeds(store, feeds)
        [ping] = await due(store, "websub")
        with pytest.raises(PublishError, match=r"fetch.allow"):
            await pings.publish(ping)
        assert hub.told == []
    await guarded.close()


async def test_the_feeds_name_their_hub_and_archives_do_not(store: Store, lend: Callable[..., Lent]) -> None:
    await settle(store, replace(WORLD, hub="https://hub.example/"))
    feeds = feed.Publisher(feed.Settings(entries=1), lend())
    await bear(store, ONE, feeds)
    await publish_feeds(store, feeds)
    for document in await store.documents.all("world"):
        form = document.path.rpartition(".")[2]
        address = f"https://news.example.org{document.path}"
        assert PROBLEMS[form](document.body, address) == []
        archive = "/feed/" in document.path
        assert (b"https://hub.example/" in document.body) is not archive
        expected = f'<https://hub.example/>; rel="hub", <{address}>; rel="self"'
        assert document.links == ("" if archive else expected)


async def test_a_newsletter_that_lost_its_hub_tells_nobody(store: Store, lend: Callable[..., Lent]) -> None:
    _, pings = await a_published_issue(store, lend(), "")
    [ping] = await due(store, "websub")
    assert "no hub" in (await pings.publish(ping)).reply
    with pytest.raises(PublishError) as raised:
        await pings.publish(replace(ping, recipient="nowhere"))
    assert raised.value.permanent


async def once(house: House) -> dispatch.Delivered:
    line = house.line
    await intake.pull(line, line.clock(), force=True)
    await pipeline.summarize(line, line.clock())
    await pipeline.compose(line, line.clock(), force=True)
    return await dispatch.deliver(line)


async def test_letters_go_while_the_hub_is_down_and_it_is_told_when_it_is_back(tmp_path: Path) -> None:
    clock, source = Clock(), FeedServer()
    async with source.serving(), Hub("503 No", "503 No").listening() as hub:
        source.body = rss("lighthouse", "bees")
        path = write_config(tmp_path, feeds=f"[{source.url}]", more=f"    hub: {hub.url}\n")
        async with open_house(path, clock=clock) as house:
            assert (await once(house)).states == {"sent": 3, "deferred": 1}
            assert len(await house.store.inbox.list()) == 2
            assert len(hub.told) == 1
            clock.turn(minutes=30)
            assert (await dispatch.deliver(house.line)).states == {"deferred": 1}
            clock.turn(hours=1)
            assert (await dispatch.deliver(house.line)).states == {"sent": 1}
            assert hub.topics[2:] == [f"https://post.example.org/world/feed.{form}" for form in feed.FORMS]
            assert await house.store.deliveries.invariant(1) == []


async def test_a_hub_is_told_of_a_correction_of_an_issue_from_before_there_was_a_hub(tmp_path: Path) -> None:
    clock, source = Clock(), FeedServer()
    async with source.serving(), Hub().listening() as hub:
        source.body = rss("lighthouse", "bees")
        path = write_config(tmp_path, feeds=f"[{source.url}]")
        async with open_house(path, clock=clock) as house:
            assert (await once(house)).states == {"sent": 3}
        write_config(tmp_path, feeds=f"[{source.url}]", more=f"    hub: {hub.url}\n")
        async with open_house(path, clock=clock) as house:
            [issue] = await house.store.issues.latest("world")
            await desk.correct(
                house.line, issue, story=2, title="The light is on again", summary=None, now=clock()
            )
            assert (await dispatch.deliver(house.line)).states == {"sent": 2}
            assert hub.topics == [f"https://post.example.org/world/feed.{form}" for form in feed.FORMS]
            assert (await house.store.issues.progress(issue.id))["websub"] == {"sent": 1}
            assert await house.store.deliveries.invariant(issue.id) == []

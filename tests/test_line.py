"""An article walks from a served feed to a letter in a real SMTP server and to the three feeds."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from a_house import NOON, STORIES, Clock, FeedServer, rss, write_config
from digest import desk, dispatch, intake, pipeline
from digest.feeds.parse import parse
from digest.service import House, open_house
from smtp_sink import Fault, SmtpSink


async def once(house: House, *, force: bool = True) -> tuple[pipeline.Composed, dispatch.Delivered]:
    line = house.line
    await intake.pull(line, line.clock(), force=force)
    await pipeline.summarize(line, line.clock())
    composed = await pipeline.compose(line, line.clock(), force=force)
    return composed, await dispatch.deliver(line)


def letter(data: bytes) -> email.message.EmailMessage:
    return email.message_from_bytes(data, policy=email.policy.default)  # type: ignore[return-value]


@pytest.mark.asyncio
async def test_an_article_walks_from_a_feed_to_a_letter_and_the_three_feeds(tmp_path: Path) -> None:
    clock, feed = Clock(), FeedServer()
    async with feed.serving(), SmtpSink() as sink:
        feed.body = rss("lighthouse", "bees")
        path = write_config(tmp_path, feeds=f"[{feed.url}]", smtp_port=sink.port)
        async with open_house(path, clock=clock) as house:
            composed, delivered = await once(house)

            [issue] = composed.issues
            assert issue.path == "world/2026-11-22"
            assert {story.title for story in issue.stories} == {STORIES[n][0] for n in ("lighthouse", "bees")}
            assert delivered.states == {"sent": 3}

            assert sorted(kept.recipient for kept in sink.accepted) == ["ann@example.org", "ben@example.org"]
            for kept in sink.accepted:
                mail = letter(kept.data)
                assert mail["To"] == kept.recipient
                text = mail.get_body(("plain",)).get_content()
                html = mail.get_body(("html",)).get_content()
                for name in ("lighthouse", "bees"):
                    assert STORIES[name][0] in " ".join(text.split())
                    assert f"https://gazette.example.org/{name}" in html
                assert "post.example.org/world/2026-11-22" in html
            assert sink.complaints == []

            for form in ("atom", "rss", "json"):
                document = await house.store.documents.get(f"/world/feed.{form}")
                assert document is not None
                parsed = parse(
                    document.body, content_type=document.content_type, url="https://post.example.org/"
                )
                [entry] = parsed.entries
                assert entry.guid == issue.tag
                assert entry.url == "https://post.example.org/world/2026-11-22/"
                assert STORIES["bees"][0] in entry.html


@pytest.mark.asyncio
async def test_a_second_run_at_once_writes_nothing_and_sends_nothing(tmp_path: Path) -> None:
    clock, feed = Clock(), FeedServer()
    async with feed.serving(), SmtpSink() as sink:
        feed.body = rss("lighthouse")
        path = write_config(tmp_path, feeds=f"[{feed.url}]", smtp_port=sink.port)
        async with open_house(path, clock=clock) as house:
            await once(house)
            before = {d.path: (d.etag, d.last_modified) for d in await house.store.documents.all()}
        clock.turn(seconds=1)
        async with open_house(path, clock=clock) as house:
            composed, delivered = await once(house)
            assert composed.issues == ()
            assert delivered.states == {}
            assert {d.path: (d.etag, d.last_modified) for d in await house.store.documents.all()} == before
        assert len(sink.accepted) == 2
        assert feed.unchanged == 1


@pytest.mark.asyncio
async def test_the_next_issue_holds_only_what_is_new(tmp_path: Path) -> None:
    clock, feed = Clock(), FeedServer()
    async with feed.serving():
        feed.body = rss("lighthouse")
        path = write_config(tmp_path, feeds=f"[{feed.url}]")
        async with open_house(path, clock=clock) as house:
            first, _ = await once(house)
            feed.body = rss("bees", "lighthouse")
            clock.turn(hours=1)
            second, _ = await once(house)
            assert [story.title for story in second.issues[0].stories] == [STORIES["bees"][0]]
            assert second.issues[0].path == "world/2026-11-22-2"
            assert second.issues[0].after == first.issues[0].through
            assert {kept.subject for kept in await house.store.inbox.list()} == {
                STORIES["lighthouse"][0],
                STORIES["bees"][0],
            }


@pytest.mark.asyncio
async def test_a_slot_makes_one_issue_whatever_restarts_and_clocks_do(tmp_path: Path) -> None:
    clock, feed = Clock(datetime(2026, 11, 22, 5, 0, tzinfo=UTC)), FeedServer()  # 06:00 in Berlin
    async with feed.serving():
        feed.body = rss("lighthouse")
        path = write_config(tmp_path, feeds=f"[{feed.url}]")
        made = []
        for hour, minute in [(5, 30), (5, 59), (6, 0), (6, 1), (5, 59), (6, 0), (12, 0), (4, 0), (23, 0)]:
            clock.now = datetime(2026, 11, 22, hour, minute, tzinfo=UTC)
            async with open_house(path, clock=clock) as house:
                await intake.pull(house.line, clock(), force=True)
                await pipeline.summarize(house.line, clock())
                made += [(hour, minute)] * len((await pipeline.compose(house.line, clock())).issues)
        assert made == [(6, 0)]
        async with open_house(path, clock=clock) as house:
            [issue] = await house.store.issues.latest("world")
            assert issue.date == date(2026, 11, 22)
            [slot] = await house.store.issues.slots("world")
            assert slot.status == "issue"
            assert slot.issue_id == issue.id


@pytest.mark.asyncio
async def test_an_empty_day_sends_nothing_and_is_recorded(tmp_path: Path) -> None:
    clock, feed = Clock(datetime(2026, 11, 22, 5, 0, tzinfo=UTC)), FeedServer()
    async with feed.serving(), SmtpSink() as sink:
        feed.body = rss()
        path = write_config(tmp_path, feeds=f"[{feed.url}]", smtp_port=sink.port)
        async with open_house(path, clock=clock) as house:
            await once(house, force=False)
            clock.turn(hours=2)
            composed, _ = await once(house, force=False)
            assert composed.issues == ()
            [slot] = await house.store.issues.slots("world")
            assert (slot.status, slot.issue_id) == ("empty", None)
        assert sink.accepted == []


@pytest.mark.asyncio
async def test_compose_waits_for_entries_in_hand_but_not_for_ever(tmp_path: Path) -> None:
    clock, feed = Clock(datetime(2026, 11, 22, 5, 0, tzinfo=UTC)), FeedServer()
    async with feed.serving():
        feed.body = rss("lighthouse")
        path = write_config(tmp_path, feeds=f"[{feed.url}]")
        async with open_house(path, clock=clock) as house:
            line = house.line
            clock.now = datetime(2026, 11, 22, 6, 0, 1, tzinfo=UTC)
            await intake.pull(line, clock(), force=True)  # the entry is recorded, not yet read
            assert (await pipeline.compose(line, clock())).issues == ()
            assert await house.store.issues.slots("world") == []
            clock.turn(minutes=5)
            await pipeline.compose(line, clock())
            [slot] = await house.store.issues.slots("world")
            assert slot.status == "empty"
            await pipeline.summarize(line, clock())
            clock.turn(days=1)
            [issue] = (await pipeline.compose(line, clock.turn(minutes=10))).issues
            assert [story.title for story in issue.stories] == [STORIES["lighthouse"][0]]


@pytest.mark.asyncio
async def test_a_broken_feed_never_stops_the_others_and_says_why(tmp_path: Path) -> None:
    clock, feed, broken = Clock(), FeedServer(), FeedServer()
    async with feed.serving(), broken.serving():
        feed.body = rss("bread")
        broken.body, broken.content_type = b"<html><body>Hello</body></html>", "text/html"
        path = write_config(tmp_path, feeds=f"[{broken.url}, missing.xml, {feed.url}]")
        async with open_house(path, clock=clock) as house:
            composed, _ = await once(house)
            assert [story.title for story in composed.issues[0].stories] == [STORIES["bread"][0]]
            states = {state.feed.url: state.feed for state in await house.store.feeds.list()}
            assert "web page" in (states[broken.url].error or "")
            assert "missing.xml" in (states["missing.xml"].error or "")
            assert states[feed.url].error is None
            assert states[broken.url].next_poll_at > states[broken.url].last_polled_at  # type: ignore[operator]


@pytest.mark.asyncio
async def test_letters_wait_while_smtp_is_down_and_go_out_later(tmp_path: Path) -> None:
    clock, feed = Clock(), FeedServer()
    async with feed.serving():
        feed.body = rss("bread")
        async with SmtpSink() as sink:
            port = sink.port
        path = write_config(tmp_path, feeds=f"[{feed.url}]", smtp_port=port)  # nobody listens there now
        async with open_house(path, clock=clock) as house:
            _, delivered = await once(house)
            assert "email" in delivered.waiting
            assert delivered.states == {"sent": 1}  # the feeds
            [issue] = await house.store.issues.latest("world")
            assert (await house.store.issues.progress(issue.id))["email"] == {"pending": 2}
        async with SmtpSink() as sink:
            path = write_config(tmp_path, feeds=f"[{feed.url}]", smtp_port=sink.port)
            clock.turn(minutes=2)
            async with open_house(path, clock=clock) as house:
                await dispatch.deliver(house.line)
                assert len(sink.accepted) == 2
                assert (await house.store.issues.progress(issue.id))["email"] == {"sent": 2}


@pytest.mark.asyncio
async def test_a_letter_put_off_comes_later_with_the_same_bytes_and_message_id(tmp_path: Path) -> None:
    clock, feed = Clock(), FeedServer()
    fault = Fault("dot", reply="451 4.3.0 later", accept=True, times=1, match="ann@")
    async with feed.serving(), SmtpSink(faults=[fault]) as sink:
        feed.body = rss("bread")
        path = write_config(tmp_path, feeds=f"[{feed.url}]", smtp_port=sink.port)
        async with open_house(path, clock=clock) as house:
            _, delivered = await once(house)
            assert delivered.states == {"sent": 2, "deferred": 1}
            assert (await dispatch.deliver(house.line)).states == {}
            clock.turn(minutes=15)
            assert (await dispatch.deliver(house.line)).states == {"sent": 1}
        first, second = [kept.data for kept in sink.accepted if kept.recipient.startswith("ann")]
        assert first == second


@pytest.mark.asyncio
async def test_one_who_left_gets_nothing_of_an_issue_already_composed(tmp_path: Path) -> None:
    clock, feed = Clock(), FeedServer()
    async with feed.serving(), SmtpSink() as sink:
        feed.body = rss("bread")
        path = write_config(tmp_path, feeds=f"[{feed.url}]", smtp_port=sink.port)
        async with open_house(path, clock=clock) as house:
            line = house.line
            await intake.pull(line, clock(), force=True)
            await pipeline.summarize(line, clock())
            await pipeline.compose(line, clock(), force=True)
            [ann] = await house.store.subscriptions.of("ann@example.org")
            await house.store.subscriptions.leave(ann.id, evidence={}, now=clock())
            delivered = await dispatch.deliver(line)
            assert delivered.states == {"sent": 2, "suppressed": 1}
        assert [kept.recipient for kept in sink.accepted] == ["ben@example.org"]
        async with open_house(path, clock=clock) as house:  # the config still names her
            [ann] = await house.store.subscriptions.of("ann@example.org")
            assert ann.status == "left"


@pytest.mark.asyncio
async def test_a_correction_changes_the_feeds_and_mails_nobody(tmp_path: Path) -> None:
    clock, feed = Clock(), FeedServer()
    async with feed.serving():
        feed.body = rss("bread")
        path = write_config(tmp_path, feeds=f"[{feed.url}]")
        async with open_house(path, clock=clock) as house:
            composed, _ = await once(house)
            [issue] = composed.issues
            letters = len(await house.store.inbox.list())
            clock.turn(hours=1)
            await desk.correct(
                house.line, issue, story=1, title="Bakers agree at last", summary=None, now=clock()
            )
            await dispatch.deliver(house.line)
            document = await house.store.documents.get("/world/feed.atom")
            assert document is not None
            parsed = parse(document.body, content_type=document.content_type, url="https://post.example.org/")
            assert parsed.entries[0].guid == issue.tag
            assert "Bakers agree at last" in parsed.entries[0].html
            assert parsed.entries[0].updated == NOON.replace(hour=13)
            assert len(await house.store.inbox.list()) == letters

"""A correction: a new revision of the same issue, for pages and feeds; nobody gets a letter."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from a_house import Clock, FeedServer, rss, write_config
from digest import desk, dispatch, intake, pipeline, shelving
from digest.model import DigestError, Issue
from digest.service import House, open_house

pytestmark = pytest.mark.asyncio


async def test_a_correction_is_in_the_feeds_and_in_no_letter(tmp_path: Path) -> None:
    clock, source = Clock(), FeedServer()
    async with source.serving():
        source.body = rss("lighthouse", "bees")
        path = write_config(tmp_path, feeds=f"[{source.url}]")
        async with open_house(path, clock=clock) as house:
            line, store = house.line, house.store
            await intake.pull(line, clock(), force=True)
            await pipeline.summarize(line, clock())
            [issue] = (await pipeline.compose(line, clock(), force=True)).issues
            await dispatch.deliver(line)
            letters = len(await store.inbox.list())
            before = {one.path: one.etag for one in await store.documents.all("world")}
            now = clock.turn(hours=1)
            corrected = await desk.correct(
                line, issue, story=2, title="The light is on again", summary=None, now=now
            )
            assert (corrected.revision, corrected.updated_at) == (2, now)
            assert [one.corrected_at for one in corrected.stories] == [None, now]
            assert (corrected.tag, corrected.path) == (issue.tag, issue.path)
            assert (await dispatch.deliver(line)).states == {"sent": 1}
            after = {one.path: one for one in await store.documents.all("world")}
            for place, etag in before.items():
                assert after[place].etag != etag
                assert b"The light is on again" in after[place].body
                assert issue.stories[1].title.encode() not in after[place].body  # also not in the opening
            assert len(await store.inbox.list()) == letters
            for empty in ("", "   ", "\x00\n"):
                with pytest.raises(DigestError, match="a title cannot be empty"):
                    await desk.correct(line, corrected, story=1, title=empty, summary=None, now=now)
            with pytest.raises(DigestError, match="says that already"):
                await desk.correct(
                    line, corrected, story=2, title="The light is on again", summary=None, now=now
                )
            long = await desk.correct(
                line, corrected, story=1, title="Bell " * 200 + "\u0301" * 90, summary=None, now=now
            )
            assert len(long.stories[0].title) <= 300
            with pytest.raises(DigestError, match="somebody else"):
                await desk.correct(line, issue, story=1, title="Other words", summary=None, now=now)


async def test_a_correction_of_an_old_issue_is_in_the_feeds_also_when_its_deliveries_are_pruned(
    tmp_path: Path,
) -> None:
    clock, source = Clock(), FeedServer()
    async with source.serving():
        source.body = rss("lighthouse", "bees")
        path = write_config(tmp_path, feeds=f"[{source.url}]")
        async with open_house(path, clock=clock) as house:
            line, store = house.line, house.store
            issue = await published(house)
            clock.turn(days=60)
            pruned = await store.prune(clock(), deliveries=timedelta(days=30), articles=timedelta(days=90))
            assert pruned["deliveries"] == 3
            await desk.correct(line, issue, story=2, title="The light is on again", summary=None, now=clock())
            assert (await dispatch.deliver(line)).states == {"sent": 1}
            for document in await store.documents.all("world"):
                assert b"The light is on again" in document.body
            assert await store.deliveries.invariant(issue.id) == []
            assert await store.issues.progress(issue.id) == {"email": {"sent": 2}, "feed": {"sent": 1}}


@pytest.mark.parametrize("control", ["cancel", "pause"])
async def test_a_correction_is_in_the_feeds_also_when_no_letter_of_the_issue_goes_any_more(
    tmp_path: Path, control: str
) -> None:
    clock, source = Clock(), FeedServer()
    async with source.serving():
        source.body = rss("lighthouse", "bees")
        path = write_config(tmp_path, feeds=f"[{source.url}]", more="feed: {entries: 1}\n")
        async with open_house(path, clock=clock) as house:
            line, store = house.line, house.store
            issue = await published(house)
            if control == "cancel":
                await store.issues.cancel(issue.id, clock())
            else:
                await store.issues.pause(issue.id)
            issue = await store.issues.get(issue.id)
            await desk.correct(line, issue, story=2, title="The light is on again", summary=None, now=clock())
            found = await store.documents.all("world")
            assert len(found) == 6
            for document in found:
                assert b"The light is on again" in document.body
            assert (await dispatch.deliver(line)).states == {}
            assert await store.deliveries.invariant(issue.id) == []


class Stubborn:
    """A channel for everyone that cannot be brought up to date now."""

    audience = "newsletter"

    async def refresh(self, slug: str) -> int:
        raise DigestError(f"the template of {slug} is broken")


async def test_feeds_that_cannot_be_made_now_do_not_undo_a_correction_and_have_it_later(
    tmp_path: Path,
) -> None:
    clock, source = Clock(), FeedServer()
    async with source.serving():
        source.body = rss("lighthouse", "bees")
        path = write_config(tmp_path, feeds=f"[{source.url}]")
        async with open_house(path, clock=clock) as house:
            line, store = house.line, house.store
            issue = await published(house)
            await store.issues.cancel(issue.id, clock())
            issue = await store.issues.get(issue.id)
            broken = replace(line, publishers={**line.publishers, "feed": cast(Any, Stubborn())})
            await desk.correct(
                broken, issue, story=2, title="The light is on again", summary=None, now=clock()
            )
            assert (await store.issues.get(issue.id)).stories[1].title == "The light is on again"
            await shelving.refresh(line)
            for document in await store.documents.all("world"):
                assert b"The light is on again" in document.body


async def published(house: House) -> Issue:
    line, now = house.line, house.line.clock()
    await intake.pull(line, now, force=True)
    await pipeline.summarize(line, now)
    [issue] = (await pipeline.compose(line, now, force=True)).issues
    await dispatch.deliver(line)
    return issue

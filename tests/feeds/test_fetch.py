"""The bytes of a feed, from the network and from a file."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from digest.feeds.fetch import fetch
from digest.feeds.parse import parse
from digest.model import Feed, FeedError
from digest.net import Net
from digest.workers import WorkerFailed, Workers
from small_site import serving

NOW = datetime(2026, 11, 22, tzinfo=UTC)
RSS = b"<rss version='2.0'><channel><title>x</title></channel></rss>"


def feed(address: str, **state: str) -> Feed:
    return Feed(id=1, url=address, address=address, next_poll_at=NOW, **state)  # type: ignore[arg-type]


@pytest_asyncio.fixture
async def net() -> AsyncIterator[Net]:
    client = Net(user_agent="Digest/1 (+https://digest.example/)", allow=["127.0.0.1"])
    yield client
    await client.close()


# ---------------------------------------------------------------- the network


@pytest.mark.asyncio
async def test_an_address_is_fetched_and_asked_again_with_its_validators(net: Net, tmp_path: Path) -> None:
    async with serving({"/feed": ("application/rss+xml", RSS)}) as site:
        first = await fetch(feed(f"{site.url}feed"), net=net, folder=tmp_path)
        known = feed(f"{site.url}feed", etag=first.etag or "", last_modified="yesterday")
        again = await fetch(known, net=net, folder=tmp_path)
    assert (first.body, first.etag, first.content_type) == (RSS, '"1"', "application/rss+xml")
    assert (again.status, again.body) == (304, None)
    assert site.asked[1][1]["if-modified-since"] == "yesterday"


@pytest.mark.asyncio
async def test_where_a_feed_lives_now_is_asked_not_where_it_was(net: Net, tmp_path: Path) -> None:
    async with serving({"/new": ("text/xml", RSS)}) as site:
        moved = replace(feed(f"{site.url}old"), address=f"{site.url}new")
        assert (await fetch(moved, net=net, folder=tmp_path)).body == RSS


@pytest.mark.asyncio
async def test_other_schemes_are_refused_in_words(net: Net, tmp_path: Path) -> None:
    for address in ("ftp://a.example/feed", "file:///etc/passwd"):
        with pytest.raises(FeedError, match="only http and https"):
            await fetch(feed(address), net=net, folder=tmp_path)


# ---------------------------------------------------------------- files


@pytest.mark.asyncio
async def test_a_path_is_relative_to_the_folder_of_the_config(net: Net, tmp_path: Path) -> None:
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "a.xml").write_bytes(RSS)
    relative = await fetch(feed("feeds/a.xml"), net=net, folder=tmp_path)
    absolute = await fetch(feed(str(tmp_path / "feeds" / "a.xml")), net=net, folder=Path("/nowhere"))
    assert relative.body == absolute.body == RSS
    assert relative.url == "feeds/a.xml"
    assert relative.status == 200


@pytest.mark.asyncio
async def test_a_file_that_has_not_changed_counts_as_not_modified(net: Net, tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(RSS)
    first = await fetch(feed("a.xml"), net=net, folder=tmp_path)
    known = feed("a.xml", etag=first.etag or "")
    again = await fetch(known, net=net, folder=tmp_path)
    assert (again.status, again.body, again.etag) == (304, None, first.etag)
    path.write_bytes(RSS + b" ")
    os.utime(path, ns=(0, 0))
    changed = await fetch(known, net=net, folder=tmp_path)
    assert (changed.status, changed.body) == (200, RSS + b" ")


@pytest.mark.asyncio
async def test_a_missing_file_is_named_with_what_to_do(net: Net, tmp_path: Path) -> None:
    with pytest.raises(FeedError, match=r"no file gone\.xml .*put it there or correct") as caught:
        await fetch(feed("gone.xml"), net=net, folder=tmp_path)
    assert not caught.value.permanent


@pytest.mark.asyncio
async def test_only_regular_files_are_read_and_a_pipe_does_not_hold_us_up(net: Net, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", ".", "/dev/zero"):
        with pytest.raises(FeedError, match="is not a file|cannot be read"):  # noqa: RUF043 - two sentences
            await asyncio.wait_for(fetch(feed(name), net=net, folder=tmp_path), 10)


@pytest.mark.asyncio
async def test_a_file_has_the_limit_of_the_network(net: Net, tmp_path: Path) -> None:
    with (tmp_path / "big.xml").open("wb") as file:
        file.truncate(16 * 1024 * 1024)
    with pytest.raises(FeedError, match="larger than 15 MB"):
        await fetch(feed("big.xml"), net=net, folder=tmp_path)


@pytest.mark.asyncio
async def test_a_path_that_is_none_is_refused_in_words(net: Net, tmp_path: Path) -> None:
    for name in ("a\0b", "x" * 5000):
        with pytest.raises(FeedError, match="cannot be read"):
            await fetch(feed(name), net=net, folder=tmp_path)


# ---------------------------------------------------------------- and on to the parser


@pytest.mark.asyncio
async def test_a_feed_that_is_built_to_hang_the_parser_is_killed_and_the_next_one_read() -> None:
    name = (b"a" * 900 + b"<i/>") * 70  # in parts, each of them short
    slow = b"<rss version='2.0'><channel><item><author>" + name + b"@</author><b></item></channel></rss>"
    workers = Workers(processes=1)
    try:
        await workers.run(parse, RSS, timeout=30)
        with pytest.raises(WorkerFailed, match="longer than 1 seconds"):
            await workers.run(parse, slow, timeout=1.0)
        assert (await workers.run(parse, RSS, timeout=30)).title == "x"
        with pytest.raises(FeedError, match="not a feed"):
            await workers.run(parse, b"<html>", timeout=30)
    finally:
        workers.close()

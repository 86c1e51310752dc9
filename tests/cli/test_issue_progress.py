"""`digest issues show` of an issue on its way: how far, how fast, why letters failed, who got it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from a_house import FeedServer, rss, write_config
from digest import dispatch, intake, pipeline
from digest.service import open_house
from smtp_sink import Fault, SmtpSink

PEOPLE = ("ann", "ben", "cat", "dan")


async def sent(folder: Path) -> None:
    """One reader's address is dead, one is put off, two get their letter."""
    feed = FeedServer()
    faults = [
        Fault("rcpt", reply="550 5.1.1 no such user 12345", match="ben@", times=None),
        Fault("rcpt", reply="451 4.7.1 greylisted, come back at 07:15", match="cat@", times=None),
    ]
    async with feed.serving(), SmtpSink(faults=faults) as sink:
        feed.body = rss("lighthouse", "bees")
        path = write_config(
            folder,
            feeds=feed.all_of_it,
            smtp_port=sink.port,
            recipients="[" + ", ".join(f"{name}@example.org" for name in PEOPLE) + "]",
        )
        async with open_house(path) as house:
            line = house.line
            await intake.pull(line, line.clock(), force=True)
            await pipeline.summarize(line, line.clock())
            await pipeline.compose(line, line.clock(), force=True)
            await dispatch.deliver(line)


@pytest.fixture
def shown(tmp_path: Path, digest: Any) -> Any:
    asyncio.run(sent(tmp_path))

    def show(*options: str) -> str:
        found = digest("issues", "show", "1", *options, "--config", str(tmp_path / "config.yaml"))
        assert found.code == 0, found.err
        return str(found.out)

    return show


def test_an_issue_tells_how_far_it_is_and_why_letters_failed(shown: Any) -> None:
    said = shown()
    assert "email: 1 deferred, 1 failed, 2 sent" in said
    assert "letters in the last minute, 1 to go" in said
    assert "1 × 127.0.0.1:" in said
    assert "550 5.1.1 no such user 12345" in said
    assert "ben@example.org: failed" in said
    assert "ann@example.org" not in said, "who got it is told only when it is asked for"
    held = json.loads(shown("--json"))
    assert held["waiting"] == 1
    assert held["sent_in_the_last_minute"] == 2
    assert [count for _, count in held["reasons"]["deferred"]] == [1]
    assert held["invariant"] == []


def test_each_reader_is_named_when_it_is_asked_for(shown: Any) -> None:
    said = shown("--readers")
    for name, state in (("ann", "sent"), ("ben", "failed"), ("cat", "deferred"), ("dan", "sent")):
        [row] = [line for line in said.splitlines() if line.startswith(f"{name}@example.org ")]
        assert state in row

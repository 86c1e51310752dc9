"""Round after round over servers that misbehave and documents made to hurt: the process that asks does not
grow, and the ordinary feeds among them never notice.

`make soak` runs 20 rounds, `make soak SOAK=short` six.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from a_house import FeedServer, rss, write_config
from hostile_servers import MISDEEDS, misbehaving

ROUNDS = 6 if os.environ.get("SOAK") == "short" else 20
SETTLED = 1
"""Rounds in which memory may find its size: pools, caches, compiled statements."""
GROWTH_MB = 16
"""Between the medians of the earlier and of the later rounds; single rounds differ by more."""
ORDINARY = 12

PULLS = """
import asyncio, json, sys, time
from datetime import timedelta
from digest import intake
from digest.service import open_house

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

async def main():
    async with open_house("config.yaml") as house:
        now = house.line.clock()
        for _ in range(int(sys.argv[1])):
            began, now = time.monotonic(), now + timedelta(minutes=1)
            pulled = await intake.pull(house.line, now, force=True)
            states = await house.store.feeds.list()
            print(json.dumps({
                "mb": resident(), "seconds": time.monotonic() - began, "feeds": pulled.feeds,
                "failed": {state.feed.url: state.feed.error for state in states if state.feed.error},
                "entries": {state.feed.url: state.entries for state in states},
            }), flush=True)

if __name__ == "__main__":
    import uvloop
    uvloop.run(main())
"""


def _documents() -> dict[str, bytes]:
    """Made to cost a parser its time or its memory."""
    item = b"<item><title>t</title><description>%s</description></item>"

    def feed(inside: bytes, more: bytes = b"") -> bytes:
        return b"<?xml version='1.0'?>%s<rss version='2.0'><channel><title>x</title>%s</channel></rss>" % (
            more,
            inside,
        )

    laughs = b"".join(
        b"<!ENTITY l%d '%s'>" % (number, b"&l%d;" % (number - 1) * 10) for number in range(1, 10)
    )
    return {
        "laughs": feed(item % b"&l9;", b"<!DOCTYPE rss [<!ENTITY l0 'ha'>%s]>" % laughs),
        "external": feed(item % b"&x;", b"<!DOCTYPE rss [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"),
        "author": feed(b"<item><nope:x/><author>%s</author></item>" % (b"a@" * 32_000)),
        "attributes": feed(b"<item %s/>" % b" ".join(b"a%d='1'" % number for number in range(16_000))),
        "deep": feed(b"<a>" * 100_000),
        "many": feed((item % b"x") * 50_000),
        "references": feed(item % (b"&amp;" * 400_000)),
        "long": feed(item % (b"word " * 2_000_000)),
        "open": feed(b"<item><title><![CDATA[" + b"x" * 5_000_000),
        "json": b'{"version": "https://jsonfeed.org/version/1.1", "items": ' + b"[" * 200_000,
    }


@contextlib.asynccontextmanager
async def _served(documents: dict[str, bytes]) -> AsyncIterator[list[str]]:
    async with contextlib.AsyncExitStack() as stack:
        urls = []
        for body in documents.values():
            server = FeedServer()
            await stack.enter_async_context(server.serving())
            server.body = body
            urls.append(server.url)
        yield urls


@contextlib.asynccontextmanager
async def _apart(folder: Path) -> AsyncIterator[list[str]]:
    """Ordinary feeds, from a process of their own: what the others do to this one is not theirs to suffer."""
    folder.mkdir()
    for number in range(ORDINARY):
        (folder / f"{number}.xml").write_bytes(rss("bees", "bread", title=f"Plain {number}"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(folder),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = (await process.stdout.readline()).decode()
        port = said.split(" port ")[1].split()[0]
        yield [f"http://127.0.0.1:{port}/{number}.xml" for number in range(ORDINARY)]
    finally:
        process.kill()
        await process.wait()


@pytest.mark.asyncio
async def test_hostile_feeds_cost_their_neighbours_nothing_and_us_no_memory(tmp_path: Path) -> None:
    names = [name for name, misdeed in MISDEEDS.items() if not misdeed.tls]
    async with (
        misbehaving(*names) as servers,
        _served(_documents()) as bad,
        _apart(tmp_path / "plain") as good,
    ):
        path = write_config(tmp_path, feeds="[" + ", ".join([*good, *servers.values(), *bad]) + "]")
        text = path.read_text().replace("allow: [127.0.0.1]", "allow: [127.0.0.1], timeout: 3s")
        path.write_text(text)
        (tmp_path / "pulls.py").write_text(PULLS)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "pulls.py", str(ROUNDS),
            cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        out, _ = await asyncio.wait_for(process.communicate(), timeout=ROUNDS * 90)
    rounds = [json.loads(line) for line in out.splitlines()]
    for number, each in enumerate(rounds):
        print(  # noqa: T201 - a soak is watched
            f"round {number}: {each['mb']:.0f} MB, {each['seconds']:.1f} s, {len(each['failed'])} failed"
        )
    assert process.returncode == 0
    assert len(rounds) == ROUNDS
    for each in rounds:
        assert {url: each["failed"][url] for url in good if url in each["failed"]} == {}
        assert all(each["entries"][url] == 2 for url in good)
    # A document of 15 MB that comes in time in one round and too late in another makes 40 MB of difference:
    # only rounds in which the same feeds failed are compared.
    settled = rounds[SETTLED:]
    [(usual, _)] = Counter(frozenset(each["failed"]) for each in settled).most_common(1)
    alike = [each["mb"] for each in settled if each["failed"].keys() == usual]
    assert len(alike) >= ROUNDS // 2
    half = len(alike) // 2
    assert statistics.median(alike[half:]) < statistics.median(alike[:half]) + GROWTH_MB

"""The service in trouble: reloads while letters go out, a locked database, one that was taken away."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
import sys
from pathlib import Path

import httpx
import pytest

from a_house import FeedServer, rss, write_config
from digest import intake, pipeline
from digest.service import open_house
from digest.service.serve import Running
from smtp_sink import Fault, SmtpSink
from test_serve import Service, running


async def born(folder: Path, feed: FeedServer, port: int, readers: int) -> Path:
    """An issue with so many letters to send."""
    feed.body = rss("bread")
    names = ", ".join(f"r{number}@example.org" for number in range(readers))
    path = write_config(folder, feeds=feed.all_of_it, smtp_port=port, recipients=f"[{names}]")
    async with open_house(path) as house:
        await intake.pull(house.line, house.line.clock(), force=True)
        await pipeline.summarize(house.line, house.line.clock())
        assert (await pipeline.compose(house.line, house.line.clock(), force=True)).issues
    return path


async def ready(service: Service) -> httpx.Response:
    async with httpx.AsyncClient(timeout=10) as web:
        return await web.get(f"http://127.0.0.1:{service.port}/readyz")


async def until(sink: SmtpSink, letters: int) -> None:
    async with asyncio.timeout(30):
        while len(sink.accepted) < letters:  # noqa: ASYNC110 - the sink is a server
            await asyncio.sleep(0.02)


@pytest.mark.asyncio
async def test_a_reload_while_letters_go_out_takes_hold_at_once_and_loses_and_doubles_none(
    tmp_path: Path,
) -> None:
    feed, slow = FeedServer(), Fault("dot", delay=0.5, accept=True, times=None)
    async with feed.serving(), SmtpSink(faults=[slow]) as old, SmtpSink() as new:
        path = await born(tmp_path, feed, old.port, 60)
        async with running(tmp_path) as service:
            await until(old, 4)
            text = path.read_text().replace(f"port: {old.port}", f"port: {new.port}")
            path.write_text(text + "    stories: {limit: 5}\n")  # another hash: a newer config
            service.process.send_signal(signal.SIGHUP)
            await service.says("config reloaded", within=10)
            async with asyncio.timeout(30):
                while len(old.accepted) + len(new.accepted) < 60:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            await asyncio.sleep(6)  # a compose tick
            assert await service.end() == 0
        assert new.accepted
        assert len({kept.recipient for kept in [*old.accepted, *new.accepted]}) == 60
        assert len(old.accepted) + len(new.accepted) == 60


@pytest.mark.asyncio
async def test_a_locked_database_is_red_within_seconds_and_green_again(tmp_path: Path) -> None:
    write_config(tmp_path, feeds="[]")
    async with running(tmp_path) as service:
        with contextlib.closing(sqlite3.connect(tmp_path / "subscribers.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            red = await ready(service)
            assert red.status_code == 503
            assert red.json()["checks"]["database"].startswith("red: no answer")
            async with asyncio.timeout(40):  # each step waits for the lock for seconds before it says so
                while "database is locked" not in (told := (await ready(service)).text):  # noqa: ASYNC110 - as below
                    await asyncio.sleep(0.2)
            assert "subscribers.db" not in told  # health may be seen by strangers
            other.execute("ROLLBACK")
        async with asyncio.timeout(20):
            while (await ready(service)).status_code != 200:  # noqa: ASYNC110 - health is asked, it tells nobody
                await asyncio.sleep(0.2)
        assert await service.end() == 0


@pytest.mark.asyncio
async def test_trouble_with_the_ledger_is_over_when_a_round_ends_well_though_it_sent_nothing(
    tmp_path: Path,
) -> None:
    path = write_config(tmp_path, feeds="[]")
    async with open_house(path) as house:
        serving = Running(str(path), house, ("deliver",), None)
        serving._has_trouble("database is locked")  # a lease was not renewed, and its letter is done
        assert not (await serving.health()).ok
        tick = next(each for each in serving._ticks() if each.name == "deliver")
        await tick.step()
        assert (await serving.health()).ok
        await serving.close()


@pytest.mark.asyncio
async def test_a_database_that_was_taken_away_is_red_and_nothing_more_is_sent(tmp_path: Path) -> None:
    write_config(tmp_path, feeds="[]")
    async with running(tmp_path) as service:
        assert (await ready(service)).status_code == 200
        (tmp_path / "subscribers.db").rename(tmp_path / "elsewhere.db")
        red = await ready(service)
        assert red.status_code == 503
        assert "taken away" in red.json()["checks"]["database"]
        await service.says("step must wait")
        assert await service.end() == 0


@pytest.mark.asyncio
async def test_a_way_out_that_is_shut_is_said_and_not_knocked_at_every_second(tmp_path: Path) -> None:
    feed = FeedServer()
    async with feed.serving(), SmtpSink(faults=[Fault("connect", reply="554 no", times=None)]) as sink:
        await born(tmp_path, feed, sink.port, 3)
        async with running(tmp_path) as service:
            await service.says("channel waits")
            await asyncio.sleep(4)
            assert sink.connections <= 2
            answer = await ready(service)
            assert answer.status_code == 200
            assert answer.json()["checks"]["email"].startswith("waits")
            assert await service.end() == 0


@pytest.mark.asyncio
async def test_an_interrupted_deliver_ends_the_letters_in_flight_and_begins_no_more(tmp_path: Path) -> None:
    feed, slow = FeedServer(), Fault("dot", delay=1.0, accept=True, times=None)
    async with feed.serving(), SmtpSink(faults=[slow]) as sink:
        await born(tmp_path, feed, sink.port, 12)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "digest", "deliver", cwd=tmp_path,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        await until(sink, 1)
        process.send_signal(signal.SIGTERM)
        _, err = await process.communicate()
        assert process.returncode == 130, err
    async with open_house(tmp_path / "config.yaml") as house:
        [issue] = await house.store.issues.latest("world", limit=1)
        states = (await house.store.issues.progress(issue.id))["email"]
        assert states == {"sent": len(sink.accepted), "pending": 12 - len(sink.accepted)}

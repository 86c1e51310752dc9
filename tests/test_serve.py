"""The service as a process: it comes up, reloads, waits for what is in flight, and ends well."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from a_house import FeedServer, rss, write_config
from digest.model import WEEKDAYS
from smtp_sink import Fault, SmtpSink


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Service:
    """A `digest run` in a folder, with what it says on stderr."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.port = port
        self.log: list[dict[str, object]] = []

    async def listen(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            with contextlib.suppress(ValueError):
                self.log.append(json.loads(line))

    async def says(self, event: str, *, within: float = 20) -> dict[str, object]:
        async with asyncio.timeout(within):
            while True:
                for entry in self.log:
                    if entry.get("event") == event:
                        return entry
                await asyncio.sleep(0.05)

    async def end(self, *, within: float = 32) -> int:
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), within)


@contextlib.asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Service]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "digest", "run", "--port", str(port),
        cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    service = Service(process, port)
    listening = asyncio.create_task(service.listen())
    try:
        await service.says("running")
        yield service
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await listening


@pytest.mark.asyncio
async def test_the_service_comes_up_healthy_and_ends_on_sigterm(tmp_path: Path) -> None:
    write_config(tmp_path, feeds="[]")
    async with (
        running(tmp_path) as service,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}") as web,
    ):
        assert (await web.get("/healthz")).status_code == 200
        ready = await web.get("/readyz")
        assert ready.status_code == 200, ready.text
        assert set(ready.json()["checks"]) >= {"database", "pull", "summarize", "compose", "deliver"}
        assert "World in brief" in (await web.get("/world/")).text
        assert (await web.get("/dev/inbox")).status_code == 200
        assert await service.end() == 0


@pytest.mark.asyncio
async def test_the_weekly_report_goes_out_by_itself_and_once(tmp_path: Path) -> None:
    today = WEEKDAYS[datetime.now(UTC).weekday()]
    asked = f'report: {{to: [ada@example.org], day: {today}, at: "00:00"}}\n'
    async with SmtpSink() as sink:
        write_config(tmp_path, feeds="[]", smtp_port=sink.port, recipients="[]", more=asked)
        for _ in range(2):
            async with running(tmp_path) as service:
                async with asyncio.timeout(20):
                    while not sink.accepted:  # noqa: ASYNC110 - the sink is a server, it has no event to wait for
                        await asyncio.sleep(0.05)
                await asyncio.sleep(1.5)
                assert await service.end() == 0
    assert [kept.recipient for kept in sink.accepted] == ["ada@example.org"]
    assert b"Subject: The Morning Post: No feeds yet" in sink.accepted[0].data


@pytest.mark.asyncio
async def test_sigterm_lets_the_letter_in_flight_end(tmp_path: Path) -> None:
    feed = FeedServer()
    slow = Fault("dot", reply="250 2.0.0 took my time", accept=True, delay=1.5, times=None)
    async with feed.serving(), SmtpSink(faults=[slow]) as sink:
        feed.body = rss("bread")
        write_config(tmp_path, feeds=feed.all_of_it, smtp_port=sink.port, recipients="[ann@example.org]")
        compose = await asyncio.create_subprocess_exec(
            sys.executable, "-c",
            "import asyncio, digest.pipeline as p\n"
                "from digest.intake import pull\n"
            "from digest.service import open_house\n"
            "async def main():\n"
            "    async with open_house('config.yaml') as house:\n"
            "        line = house.line\n"
            "        await pull(line, line.clock(), force=True)\n"
            "        await p.summarize(line, line.clock())\n"
            "        assert (await p.compose(line, line.clock(), force=True)).issues\n"
            "if __name__ == '__main__':\n"
            "    asyncio.run(main())\n",
            cwd=tmp_path,
        )  # fmt: skip
        assert await compose.wait() == 0
        async with running(tmp_path) as service:
            async with asyncio.timeout(20):
                while not sink.accepted:  # noqa: ASYNC110 - the sink is a server, it has no event to wait for
                    await asyncio.sleep(0.05)
            asked = time.monotonic()
            assert await service.end() == 0
            assert time.monotonic() - asked < 30
        async with running(tmp_path) as service:  # a second life finds nothing to send again
            await asyncio.sleep(2.5)
            assert await service.end() == 0
    assert [kept.recipient for kept in sink.accepted] == ["ann@example.org"]


@pytest.mark.asyncio
async def test_sighup_takes_a_good_config_and_refuses_a_bad_one(tmp_path: Path) -> None:
    path = write_config(tmp_path, feeds="[]")
    good = path.read_text()
    async with (
        running(tmp_path) as service,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}") as web,
    ):
        path.write_text(good.replace("title: World in brief", "titel: Oops"))
        service.process.send_signal(signal.SIGHUP)
        said = await service.says("config not reloaded, the old one stays in force")
        assert "config.yaml:" in str(said["error"])
        assert "World in brief" in (await web.get("/world/")).text
        path.write_text(good.replace("title: World in brief", "title: World at noon"))
        service.process.send_signal(signal.SIGHUP)
        await service.says("config reloaded")
        assert "World at noon" in (await web.get("/world/")).text
        assert await service.end() == 0


@pytest.mark.asyncio
async def test_a_newer_config_elsewhere_ends_a_composing_process_with_75(tmp_path: Path) -> None:
    path = write_config(tmp_path, feeds="[]")
    async with running(tmp_path) as service:
        path.write_text(path.read_text().replace("limit", "limit") + "    stories: {limit: 5}\n")
        other = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "digest", "compose",
            cwd=tmp_path, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert await other.wait() == 0
        assert await asyncio.wait_for(service.process.wait(), 30) == 75


@pytest.mark.asyncio
async def test_a_port_in_use_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    write_config(tmp_path, feeds="[]")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "digest", "run", "--port", str(taken.getsockname()[1]),
            cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, err = await process.communicate()
    assert process.returncode == 1
    assert "cannot listen on 127.0.0.1" in err.decode()
    assert "Traceback" not in err.decode()

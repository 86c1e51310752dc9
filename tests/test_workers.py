"""The killable workers: limits, errors that travel, cancellation, and death with the parent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from digest.model import DigestError, FeedError, PublishError
from digest.workers import WorkerFailed, Workers

# ---------------------------------------------------------------- what the workers are asked to do


def double(number: int) -> int:
    return number * 2


def my_pid() -> int:
    return os.getpid()


def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def spin() -> None:
    while True:
        pass


def eat_memory(megabytes: int) -> int:
    return len(bytearray(megabytes * 1024 * 1024))


def import_the_heavy_ones() -> str:
    import lxml.html
    import nh3
    import numpy as np

    return f"{np.zeros(1000).sum()} {nh3.clean('<b>x')} {lxml.html.fromstring('<p>a').text}"


def deep_in_c() -> int:
    return sum(range(10**12))  # looks at no signal until it is done


def raise_feed_error() -> None:
    raise FeedError("come back later", permanent=True, retry_after=timedelta(seconds=90))


def raise_publish_error() -> None:
    raise PublishError("no such mailbox", permanent=True, suppress=True, relay="mx1")


class Odd(DigestError):
    def __init__(self, *, name: str) -> None:
        super().__init__(f"odd {name}")
        self.lock = open(os.devnull)  # noqa: PTH123, SIM115 - it must be something that cannot be pickled


def raise_odd() -> None:
    raise Odd(name="thing")


def divide() -> float:
    return 1 / 0


def leave() -> None:
    sys.exit(3)


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def return_a_lambda() -> object:
    return lambda: None


def return_many() -> list[tuple[int, str]]:
    return [(number, str(number)) for number in range(400_000)]


def used_cpu(seconds: float) -> float:
    start = time.process_time()
    while time.process_time() - start < seconds:
        pass
    return time.process_time()


@pytest.fixture(scope="module")
def shared() -> Iterator[Workers]:
    workers = Workers(processes=2, memory_mb=400, cpu_seconds=20)
    yield workers
    workers.close()


@contextlib.asynccontextmanager
async def one_worker(**settings: int) -> AsyncIterator[Workers]:
    workers = Workers(processes=1, **settings)
    try:
        yield workers
    finally:
        workers.close()


# ---------------------------------------------------------------- answers and errors


@pytest.mark.asyncio
async def test_a_function_is_run_in_another_process(shared: Workers) -> None:
    assert await shared.run(double, 21, timeout=20) == 42
    assert await shared.run(my_pid, timeout=20) != os.getpid()


@pytest.mark.asyncio
async def test_our_own_errors_come_out_as_they_are(shared: Workers) -> None:
    with pytest.raises(FeedError, match="come back later") as caught:
        await shared.run(raise_feed_error, timeout=20)
    assert caught.value.permanent
    assert caught.value.retry_after == timedelta(seconds=90)
    with pytest.raises(PublishError) as refused:
        await shared.run(raise_publish_error, timeout=20)
    assert (refused.value.suppress, refused.value.relay) == (True, "mx1")


@pytest.mark.asyncio
@pytest.mark.parametrize("function", [divide, leave, return_a_lambda, raise_odd])
async def test_everything_else_is_a_fixed_sentence_and_a_log_line(
    shared: Workers, function: object, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(WorkerFailed, match="the log has the details"):
        await shared.run(function, timeout=20)  # type: ignore[arg-type]
    record = next(record for record in caplog.records if record.getMessage() == "work broke")
    assert record.__dict__["trace"]
    assert await shared.run(double, 1, timeout=20) == 2


@pytest.mark.asyncio
async def test_a_crash_is_told_and_the_worker_replaced(shared: Workers) -> None:
    with pytest.raises(WorkerFailed, match=r"crashed \(exit -11\)"):
        await shared.run(crash, timeout=20)
    assert await shared.run(double, 2, timeout=20) == 4


@pytest.mark.asyncio
async def test_a_big_result_does_not_hold_up_the_event_loop(shared: Workers) -> None:
    gaps: list[float] = []

    async def tick() -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.005)
            now = time.perf_counter()
            gaps.append(now - last)
            last = now

    ticking = asyncio.create_task(tick())
    answer = await shared.run(return_many, timeout=20)
    ticking.cancel()
    assert len(answer) == 400_000
    assert sorted(gaps)[len(gaps) * 9 // 10] < 0.1


# ---------------------------------------------------------------- limits


@pytest.mark.asyncio
async def test_the_time_limit_kills_work_that_is_deep_in_c(shared: Workers) -> None:
    start = time.monotonic()
    with pytest.raises(WorkerFailed, match=r"longer than 0\.5 seconds"):
        await shared.run(deep_in_c, timeout=0.5)
    assert time.monotonic() - start < 10
    assert await shared.run(double, 3, timeout=20) == 6


@pytest.mark.asyncio
async def test_a_task_that_is_killed_delays_the_others_by_less_than_a_second(shared: Workers) -> None:
    await asyncio.gather(*(shared.run(sleep, 0.2, timeout=20) for _ in range(2)))  # both are awake
    stuck = asyncio.create_task(shared.run(deep_in_c, timeout=0.6))
    slowest = 0.0
    while not stuck.done():
        start = time.monotonic()
        await shared.run(double, 1, timeout=20)
        slowest = max(slowest, time.monotonic() - start)
    with pytest.raises(WorkerFailed):
        await stuck
    assert slowest < 1.0


@pytest.mark.asyncio
async def test_time_counts_from_the_start_of_the_work_not_from_the_queue() -> None:
    async with one_worker() as workers:
        await workers.run(double, 1, timeout=20)
        answers = await asyncio.gather(*(workers.run(sleep, 0.4, timeout=1.2) for _ in range(4)))
        assert answers == [0.4] * 4


@pytest.mark.asyncio
async def test_a_memory_bomb_is_refused_in_words_and_heavy_imports_fit(shared: Workers) -> None:
    assert await shared.run(import_the_heavy_ones, timeout=30) == "0.0 <b>x</b> a"
    assert await shared.run(eat_memory, 100, timeout=20) == 100 * 1024 * 1024
    with pytest.raises(WorkerFailed, match="more than 400 MB"):
        await shared.run(eat_memory, 512, timeout=20)


@pytest.mark.asyncio
async def test_the_processor_limit_is_for_each_task_not_for_the_worker() -> None:
    async with one_worker(cpu_seconds=2) as workers:  # busy cores count a second more
        pid = await workers.run(my_pid, timeout=20)
        for _ in range(4):  # together more than the limit
            total = await workers.run(used_cpu, 0.9, timeout=20)
        assert total > 3
        assert await workers.run(my_pid, timeout=20) == pid
        with pytest.raises(WorkerFailed, match="2 seconds of processor time"):
            await workers.run(spin, timeout=30)
        assert await workers.run(double, 4, timeout=20) == 8


# ---------------------------------------------------------------- ends


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def gone(pid: int, within: float) -> bool:
    end = time.monotonic() + within
    while alive(pid) and time.monotonic() < end:  # noqa: ASYNC110 - another process sets no event of ours
        await asyncio.sleep(0.02)
    return not alive(pid)


@pytest.mark.asyncio
async def test_cancelling_the_caller_kills_the_task() -> None:
    async with one_worker() as workers:
        pid = await workers.run(my_pid, timeout=20)
        task = asyncio.create_task(workers.run(spin, timeout=60))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await gone(pid, within=20)
        assert await workers.run(double, 5, timeout=20) == 10


@pytest.mark.asyncio
async def test_an_idle_worker_killed_from_outside_is_not_the_end_of_the_pool() -> None:
    async with one_worker() as workers:
        for _ in range(2):
            pid = await workers.run(my_pid, timeout=20)
            os.kill(pid, signal.SIGKILL)
            assert await gone(pid, within=20)
            assert await workers.run(double, 6, timeout=20) == 12


@pytest.mark.asyncio
async def test_closing_is_quick_and_tells_who_waits() -> None:
    workers = Workers(processes=1)
    pid = await workers.run(my_pid, timeout=20)
    waiting = [asyncio.create_task(workers.run(spin, timeout=60)) for _ in range(3)]
    await asyncio.sleep(0.2)
    start = time.monotonic()
    workers.close()
    assert time.monotonic() - start < 20
    for answer in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(answer, WorkerFailed)
    assert await gone(pid, within=20)
    with pytest.raises(WorkerFailed, match="shut down"):
        await workers.run(double, 1, timeout=1)


PARENT = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
import test_workers as work
from digest.workers import Workers

async def main():
    workers = Workers(processes=2)
    pids = set()
    while len(pids) < 2:
        pids.update(await asyncio.gather(*(workers.run(work.my_pid, timeout=20) for _ in range(4))))
    spinning = [asyncio.create_task(workers.run(work.spin, timeout=60)) for _ in range(2)]
    await asyncio.sleep(0.3)
    print(*pids, flush=True)
    await asyncio.gather(*spinning)

if __name__ == "__main__":
    asyncio.run(main())
"""


@pytest.mark.asyncio
async def test_busy_workers_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    command = [sys.executable, str(script), str(Path(__file__).parent)]
    with subprocess.Popen(  # noqa: ASYNC220 - its quick start blocks nobody
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as parent:
        try:
            assert parent.stdout is not None
            line = await asyncio.to_thread(parent.stdout.readline)
            pids = [int(pid) for pid in line.split()]
            assert len(pids) == 2
            assert all(alive(pid) for pid in pids)
        finally:
            parent.kill()
        for pid in pids:
            assert await gone(pid, within=20)


NO_PLACE = """
import asyncio, tempfile
from digest.model import NotReady
from digest.workers import Workers

async def main():
    tempfile.tempdir = "/proc/nowhere"
    workers = Workers(processes=1)
    try:
        await workers.run(abs, -1, timeout=20)
    except NotReady as error:
        print(error)
    workers.close()

if __name__ == "__main__":
    asyncio.run(main())
"""


@pytest.mark.asyncio
async def test_a_worker_that_cannot_start_says_why(tmp_path: Path) -> None:
    script = tmp_path / "no_place.py"
    script.write_text(NO_PLACE)
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, complaints = await asyncio.wait_for(process.communicate(), 60)
    assert said.decode() == "no worker could be started: No such file or directory\n"
    assert b"Traceback" not in complaints

"""The one writer of a process on SQLite: a queue of work, a transaction for each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import NotReady

log = logging.getLogger(__name__)

# Seconds of rest after a transaction, as long as it took: without it a busy process starves the writers of
# all others (FACTS 7.1). One that had to wait for another process took long, and rests longest. After a long
# one a quarter of it, if that is more: on busy cores who waits does not wake up within two milliseconds.
SHORTEST_PAUSE, LONGEST_PAUSE, SHARE = 0.001, 0.002, 4

T_co = TypeVar("T_co", covariant=True)


def pause(took: float) -> float:
    """How long to rest after a transaction."""
    return min(max(took, SHORTEST_PAUSE), max(LONGEST_PAUSE, min(took / SHARE, 3 * LONGEST_PAUSE)))


class Work(Protocol[T_co]):
    """What a transaction does. It changes nothing else: after a deadlock it is run again from its start."""

    def __call__(self, connection: AsyncConnection, /) -> Awaitable[T_co]: ...


@dataclass(frozen=True, slots=True)
class _Job:
    work: Work[Any]
    answer: asyncio.Future[Any]


class Writer:
    """The only writer of this process on SQLite: one job, one transaction, one after another."""

    def __init__(self, commit: Callable[[Work[Any]], Awaitable[Any]]) -> None:
        self._commit = commit
        self._jobs: asyncio.Queue[_Job | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._work_off())

    async def do(self, work: Work[Any]) -> Any:
        if self._task is None or self._task.done():
            raise NotReady("the database is being closed")
        job = _Job(work, asyncio.get_running_loop().create_future())
        self._jobs.put_nowait(job)
        return await job.answer

    async def _work_off(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while (job := await self._jobs.get()) is not None:
                if job.answer.done():  # its caller was cancelled while it waited
                    continue
                started = loop.time()
                await self._answer(job)
                await asyncio.sleep(pause(loop.time() - started))
        finally:
            while not self._jobs.empty():
                left = self._jobs.get_nowait()
                if left is not None and not left.answer.done():
                    left.answer.set_exception(NotReady("the database was closed"))

    async def _answer(self, job: _Job) -> None:
        try:
            result = await self._commit(job.work)
        except asyncio.CancelledError:
            if not job.answer.done():
                job.answer.set_exception(NotReady("the database was closed"))
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to the caller; the writer goes on
            if job.answer.done():
                log.warning("abandoned transaction failed", extra={"error": str(error)})
            else:
                job.answer.set_exception(error)
        else:
            if not job.answer.done():
                job.answer.set_result(result)

    async def stop(self) -> None:
        """Finish what was asked for, then end."""
        if self._task is not None and not self._task.done():
            self._jobs.put_nowait(None)
            await asyncio.wait([self._task])

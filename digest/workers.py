"""Work that must not run on the event loop, done in processes that can be killed.

A worker runs pure module-level functions under limits on wall-clock time, processor time and memory. It dies
with us, and one that died is replaced. What a task asks for and what it answers travel pickled by us, so that
neither a strange argument nor a huge result can break the pool's own channel. Door of: pebble.

Workers are forked from a process that has no threads and has loaded what they need (`preload`): the first
costs as much as before, each other one a few milliseconds, and they share its memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import logging
import os
import pickle
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from digest.model import DigestError, NotReady

log = logging.getLogger(__name__)

T = TypeVar("T")

ATTEMPTS = 3
LOOK_EVERY = 1.0
LOST_AFTER = 30
PR_SET_PDEATHSIG = 1
PIPE_BYTES = 1024 * 1024  # what Linux lets anyone have
AT_ONCE_BYTES = 1024 * 1024
"""An answer of so many bytes is opened where it is waited for, within 2 ms: the way to a thread and back
takes longer beside a busy loop."""


_LOADED_IN = os.getpid()  # in a worker: the process that it was forked from


def preload(*modules: str) -> None:
    """What the workers of this process will need, said before the first task. Else each loads its own."""
    forkserver.set_forkserver_preload(["digest.workers", *modules])


class WorkerFailed(DigestError):
    """A task was stopped by a limit, or it broke. The log has the particulars."""


class TookTooLong(WorkerFailed):
    """A task was stopped because its time was over, on the wall or on the processor."""


class Workers:
    """A pool of killable processes, started at its first task.

    processes: None means one for each processor. memory_mb, cpu_seconds: the most that one task may use.
    """

    def __init__(self, *, processes: int | None = None, memory_mb: int = 512, cpu_seconds: int = 20) -> None:
        self._processes = processes or os.cpu_count() or 1
        self._memory_mb = memory_mb
        self._cpu_seconds = cpu_seconds
        # Threads of our own: names that resolve slowly fill the loop's default ones.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="workers")
        self._opening = threading.Lock()
        self._pool: ProcessPool | None = None
        self._under_way: set[Future[bytes]] = set()
        self._closed = False

    async def run(self, function: Callable[..., T], /, *args: object, timeout: float) -> T:  # noqa: ASYNC109 - it kills the process, not the coroutine
        """The function's answer. `timeout` is wall-clock seconds from the start of its work, not from now.

        Raises the function's own DigestError as it is, NotReady when the machine gives us no process, and
        WorkerFailed for everything else. Cancelling the caller kills the task.
        """
        name = getattr(getattr(function, "func", function), "__name__", "work")  # of a partial, too
        payload = await self._in_thread(pickle.dumps, (function, args))
        answer = await self._answer(name, payload, timeout)
        if len(answer) <= AT_ONCE_BYTES:
            kind, value = pickle.loads(answer)  # noqa: S301 - as `_perform` wrote it
        else:
            kind, value = await self._in_thread(pickle.loads, answer)
        if kind == "done":
            return value  # type: ignore[no-any-return]
        if kind == "said":
            raise value
        if kind == "memory":
            raise WorkerFailed(f"this needed more than {self._memory_mb} MB of memory")
        log.error("work broke", extra={"task": name, "trace": value})
        raise WorkerFailed("something in it could not be worked with; the log has the details")

    async def _answer(self, name: str, payload: bytes, seconds: float) -> bytes:
        # Pebble gives up a whole pool when one idle worker is killed from outside (BrokenProcessPool). The
        # functions are pure: a new pool and another try are harmless.
        for _ in range(ATTEMPTS):
            self._check_open()
            pool = self._pool or await self._in_thread(self._open)
            try:
                arguments = (payload, self._cpu_seconds, self._memory_mb)
                future = pool.schedule(_perform, args=arguments, timeout=seconds)
                return await self._watched(pool, future)
            except TimeoutError:
                log.warning("work stopped", extra={"task": name, "limit": "time"})
                raise TookTooLong(f"this took longer than {seconds:g} seconds") from None
            except ProcessExpired as error:
                log.warning("work stopped", extra={"task": name, "exit": error.exitcode})
                kind = TookTooLong if error.exitcode == -signal.SIGXCPU else WorkerFailed
                raise kind(self._why(error.exitcode)) from None
            except (BrokenProcessPool, RuntimeError) as error:
                self._check_open()
                log.warning("workers broke, starting new ones", extra={"task": name, "error": repr(error)})
                await self._in_thread(self._discard, pool)
        raise WorkerFailed("the workers died again and again")

    async def _watched(self, pool: ProcessPool, future: Future[bytes]) -> bytes:
        self._under_way.add(future)
        waiting = asyncio.wrap_future(future)
        idle = 0
        try:
            while not (await asyncio.wait({waiting}, timeout=LOOK_EVERY))[0]:
                if not pool.active:
                    raise BrokenProcessPool("the pool stopped by itself")
                # A worker killed between taking a task and saying so leaves it waiting for ever.
                busy = sum(other.running() for other in self._under_way)
                idle = idle + 1 if not future.running() and busy < self._processes else 0
                if idle > LOST_AFTER:
                    raise BrokenProcessPool("a task was lost")
            if waiting.cancelled():
                self._check_open()
                raise BrokenProcessPool("the pool dropped a task")
            return waiting.result()
        finally:
            self._under_way.discard(future)
            if not waiting.done():
                waiting.cancel()

    def _why(self, exitcode: int) -> str:
        if exitcode == -signal.SIGXCPU:
            return f"this used more than {self._cpu_seconds} seconds of processor time"
        if exitcode == -signal.SIGKILL:
            return "the worker was killed from outside, perhaps because the machine ran out of memory"
        return f"the worker crashed (exit {exitcode})"

    async def _in_thread(self, function: Callable[..., Any], *args: object) -> Any:
        self._check_open()
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)

    def _check_open(self) -> None:
        if self._closed:
            raise WorkerFailed("the workers are shut down")

    def _open(self) -> ProcessPool:
        with self._opening:
            self._check_open()
            if self._pool is None:
                pool = ProcessPool(
                    max_workers=self._processes,
                    initializer=_initialize,
                    context=_WithLargePipes(),  # never fork a process that has threads, as we have
                )
                # Asking is what starts pebble's pool: here in a thread, not on the loop.
                try:
                    pool.active  # noqa: B018
                except BrokenProcessPool as error:
                    # No folder for temporary files, no more processes, no more memory: nothing to try again.
                    why = getattr(error.__cause__, "strerror", None) or error.__cause__ or "it broke"
                    raise NotReady(f"no worker could be started: {why}") from error
                self._pool = pool
            return self._pool

    def _discard(self, pool: ProcessPool) -> None:
        with self._opening:
            if self._pool is pool:
                self._pool = None
        _stop(pool)

    def close(self) -> None:
        """Kill all workers; whoever waits for one gets WorkerFailed."""
        with self._opening:
            self._closed = True
            pool, self._pool = self._pool, None
        for future in tuple(self._under_way):
            future.cancel()
        if pool is not None:
            _stop(pool)
        self._threads.shutdown(wait=False)


class _WithLargePipes(ForkServerContext):
    """A batch of documents fits into a pipe. Into 64 KB it goes piece by piece, and before each piece, worker
    and parent wait for one another, and the parent for Python's lock."""

    def Pipe(self, duplex: bool = True) -> tuple[Connection[Any, Any], Connection[Any, Any]]:  # noqa: N802
        ends = super().Pipe(duplex)
        with contextlib.suppress(OSError, AttributeError):  # not on Linux, or more than this user may have
            fcntl.fcntl(ends[1].fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        return ends


def _stop(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]  # pebble ships types but leaves this one out
    pool.join()


# ---------------------------------------------------------------- inside a worker


def _initialize() -> None:
    # Pebble's own handler runs Python code: a worker deep in C would live three seconds more and hold the
    # channel of the others meanwhile.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        # The process that we were forked from ends when no one holds this pipe any more: only the one that
        # gives us work shall. It may have ended before we asked to be told.
        held = getattr(forkserver, "_forkserver", None)
        alive = getattr(held, "_forkserver_alive_fd", None)
        if held is not None and alive is not None:
            held._forkserver_alive_fd = None
            os.close(alive)
        if os.getppid() != _LOADED_IN != os.getpid():
            os._exit(1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # each of their threads reserves memory; the limit counts it


def _perform(payload: bytes, cpu_seconds: int, memory_mb: int) -> bytes:
    """Run what was asked and tell how it went. Under the limits only here: a worker that dies while it
    holds the channel to its parent would stop all others."""
    with _limits(cpu_seconds, memory_mb):
        try:
            function, args = pickle.loads(payload)  # noqa: S301 - written by our own parent
            return pickle.dumps(("done", function(*args)))
        except DigestError as error:
            said = error
        except MemoryError:
            return pickle.dumps(("memory", ""))
        except BaseException:  # noqa: BLE001 - whatever it is, SystemExit too, is told to the parent
            return pickle.dumps(("broke", traceback.format_exc()[-10_000:]))
        try:
            return pickle.dumps(("said", said))
        except Exception:  # noqa: BLE001 - an error that holds something that cannot travel
            return pickle.dumps(("broke", repr(said)[-10_000:]))


@contextlib.contextmanager
def _limits(cpu_seconds: int, memory_mb: int) -> Iterator[None]:
    """RLIMIT_CPU counts from the birth of the process, hence armed anew for each task. RLIMIT_DATA counts
    memory that can be written; RLIMIT_AS would also count mapped libraries."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + 1 + cpu_seconds
    wanted = {resource.RLIMIT_CPU: soft, resource.RLIMIT_DATA: memory_mb * 1024 * 1024}
    before = {which: resource.getrlimit(which) for which in wanted}
    for which, limit in wanted.items():
        hard = before[which][1]
        resource.setrlimit(which, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
    try:
        yield
    finally:
        for which, limits in before.items():
            resource.setrlimit(which, limits)

"""Run a program with all its children and say what it took: time, processor time, memory."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

SAMPLE_EVERY = 0.2  # seconds, after a few quicker looks: some programs are gone before that
PR_SET_CHILD_SUBREAPER = 36
NOTHING_MORE: Mapping[str, str] = MappingProxyType({})


class Failed(Exception):
    """A program did not do what it was asked: there is nothing to measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """seconds: on the wall. cpu: user and system seconds of the whole tree. peak: bytes, the most at once."""

    seconds: float
    cpu: float
    peak: int
    output: str


def adopt_orphans() -> None:
    """Grandchildren whose parent died become our children: their processor time is counted as well."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def measure(
    command: Sequence[str],
    home: Path,
    *,
    most_seconds: float = 1800,
    imports: Path | None = None,
    environment: Mapping[str, str] = NOTHING_MORE,
) -> Used:
    """Run it in this folder, with nothing of our environment but what a program needs, and `environment`.

    imports: the folder that Python looks into first.

    Raises Failed when it does not end well. What it started is gone afterwards, whatever happens.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out, err = home / "stdout", home / "stderr"
    peak = 0
    with out.open("wb") as stdout, err.open("wb") as stderr:
        start = time.perf_counter()
        # No variables of ours: a proxy named there would be asked instead of nginx.
        process = subprocess.Popen(
            command,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": str(home),
                "LANG": "C.UTF-8",
                **({"PYTHONPATH": str(imports)} if imports else {}),
                **environment,
            },
            start_new_session=True,
        )
        try:
            end = os.pidfd_open(process.pid)
            try:
                pause = 0.02
                while not select.select([end], [], [], pause)[0]:
                    peak = max(peak, _memory(process.pid))
                    pause = min(pause * 1.5, SAMPLE_EVERY)
                    if time.perf_counter() - start > most_seconds:
                        raise Failed(f"{command[0]} was still at work after {most_seconds:.0f} seconds")
            finally:
                os.close(end)
            seconds = time.perf_counter() - start
        finally:
            _end(process)
    if process.returncode:
        raise Failed(f"{' '.join(command)} ended with {process.returncode}: {err.read_text()[-800:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Used(seconds=seconds, cpu=cpu, peak=peak, output=out.read_text())


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of its session and wait for all of it, so that it is counted."""
    group = process.pid
    if process.poll() is None:
        os.killpg(group, signal.SIGKILL)
        process.wait()
    patience = time.monotonic() + 2
    while True:
        try:
            if os.waitpid(-group, os.WNOHANG)[0]:
                continue
        except ChildProcessError:
            return
        if time.monotonic() > patience:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        time.sleep(0.01)


def _memory(session: int) -> int:
    """Bytes of all processes of a session; what several share is counted once (PSS)."""
    total = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                total += _pss(entry)
    return total


def _pss(process: Path) -> int:
    for line in (process / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0

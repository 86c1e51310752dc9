"""The clock: it ticks, remembers nothing, and never decides what is due (the store does).

APScheduler with its memory job store and interval ticks only; every rule about time of day is in `timing`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from digest.model import DigestError, NotReady

log = logging.getLogger(__name__)

LAST_WORDS = timedelta(seconds=1)

Step = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One step and how often it is looked at."""

    name: str
    step: Step
    every: timedelta


class Scheduler:
    """Ticks until stopped. A tick that is still running is not started again; a late one runs once."""

    def __init__(self, ticks: tuple[Tick, ...], *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._running: set[asyncio.Task[None]] = set()
        self._last: dict[str, datetime] = {}
        self._errors: dict[str, str] = {}
        self._ticks = ticks
        # Left alone, a job that is late by more than a second is dropped: hence no grace limit (FACTS 6).
        self._clockwork = AsyncIOScheduler(
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        """Start ticking; every step is looked at once right away."""
        for tick in self._ticks:
            self._clockwork.add_job(
                self._run,
                "interval",
                seconds=tick.every.total_seconds(),
                args=(tick,),
                id=tick.name,
                next_run_time=self._clock(),
            )
        self._clockwork.start()

    async def _run(self, tick: Tick) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._running.add(task)
        try:
            await tick.step()
            self._last[tick.name] = self._clock()
            self._errors.pop(tick.name, None)
        except NotReady as error:
            if self._errors.get(tick.name) != str(error):  # a long outage is one line, not one a second
                log.warning("step must wait", extra={"step": tick.name, "error": str(error)})
            self._note(tick, str(error))
        except DigestError as error:
            if self._errors.get(tick.name) != str(error):
                log.error("step failed", extra={"step": tick.name, "error": str(error)})  # noqa: TRY400 - its text is for people
            self._note(tick, str(error))
        except Exception as error:
            self._note(tick, f"{type(error).__name__}: {error}")
            log.exception("step broke", extra={"step": tick.name})
        finally:
            if task is not None:
                self._running.discard(task)

    def beat(self, name: str) -> None:
        """A step that has not ended yet gets on with its work: what it failed of before is over."""
        self._last[name] = self._clock()
        self._errors.pop(name, None)

    def _note(self, tick: Tick, error: str) -> None:
        self._errors[tick.name] = error

    def beats(self) -> Mapping[str, datetime]:
        """When each step last ended well, or got on with its work."""
        return dict(self._last)

    def errors(self) -> Mapping[str, str]:
        """What each step that fails now says."""
        return dict(self._errors)

    async def stop(self, *, grace: timedelta) -> None:
        """No new tick; those under way may finish within the grace, then they are cancelled.

        `AsyncIOScheduler.shutdown(wait=True)` would cancel the coroutines at once, and a letter in flight
        with them.
        """
        if self._clockwork.running:
            self._clockwork.pause()
        if self._running:
            await asyncio.wait(set(self._running), timeout=grace.total_seconds())
        if cancelled := set(self._running):
            for task in cancelled:
                task.cancel()
            # They need the store for their last words; whoever called us closes it next.
            await asyncio.wait(cancelled, timeout=LAST_WORDS.total_seconds())
        if self._clockwork.running:
            self._clockwork.shutdown(wait=False)

"""What the steps of the line are lent, and how they do many things at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from digest.feeds.readers import Readers
from digest.links import Links
from digest.model import Newsletter, Site
from digest.net import Net
from digest.publishers.base import Publisher
from digest.store import Store
from digest.workers import Workers
from digest.writer import Writer

T = TypeVar("T")
Progress = Callable[[int, int], None]
"""Called with (done, known so far) while a step works."""


def quiet(_done: int, _known: int) -> None:
    """No progress shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Everything the steps are lent. Built by `service`; nothing here is built by us.

    folder: what the paths of local feeds are relative to. chance: a number in [0, 1), for jitter. writer: the
    language model; None when the admin names none. admins: who is told when more than the share `alarm` of an
    issue's letters fails.
    """

    store: Store
    net: Net
    readers: Readers
    workers: Workers
    links: Links
    site: Site
    newsletters: Mapping[str, Newsletter]
    publishers: Mapping[str, Publisher]
    folder: Path
    templates: Path | None
    config_hash: str
    clock: Callable[[], datetime]
    chance: Callable[[], float]
    writer: Writer | None = None
    reads_at_once: int = 4
    admins: tuple[str, ...] = ()
    alarm: float = 0.1


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """Tasks that end together; the first error ends the rest."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors  # what is said to people and to the clock is the error itself


async def each(items: Iterable[T], act: Callable[[T], Awaitable[None]], at_once: int) -> None:
    """Do this with every item, so many at a time; the first error ends the rest."""
    gate = asyncio.Semaphore(at_once)

    async def one(item: T) -> None:
        async with gate:
            await act(item)

    async with together() as group:
        for item in items:
            group.create_task(one(item))

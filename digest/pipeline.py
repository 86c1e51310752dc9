"""The line: pull · summarize · compose · deliver. The file to read first.

    pull       feeds.claim_due → fetch → parse → record entries                        ◆ rests in the store
    summarize  entries.claim_unread → extract, summarize → record article, `ready`     ◆
    compose    due slots → articles of the window → stories → Issue + Deliveries       ◆
    deliver    deliveries.claim_due → intent → publish → record outcome                ◆ inbox / feed reader

A step takes work from the store and puts what it made back; none calls another. That is why one process
and fifty workers run the same code: whatever a dead one held comes back when its lease runs out.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from digest import feeds, render, summarizer, timing
from digest.links import Links, tag
from digest.model import (
    Article,
    Delivery,
    DeliveryState,
    DigestError,
    Draft,
    Edition,
    Feed,
    FeedError,
    FollowState,
    Issue,
    Newsletter,
    NotReady,
    PublishError,
    Site,
    SlotKey,
    Story,
    UnreadEntry,
)
from digest.net import Net
from digest.publishers.base import Publisher
from digest.store import Store
from digest.workers import WorkerFailed, Workers

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
RENEW_EVERY = 15.0
PARSE_SECONDS = 10.0
READ_SECONDS = 15.0
COMPOSE_SECONDS = 120.0
WAIT_FOR_ENTRIES = timedelta(minutes=5)
TOLD_WITHIN = timedelta(days=14)
STALE_AFTER = timedelta(hours=24)

T = TypeVar("T")
Tick = Callable[[int, int], None]
"""Called with (done, known so far) while a step works; for progress bars."""


def _quiet(_done: int, _total: int) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Everything the steps are lent. Built by `service`; nothing here is built by us.

    folder: what feed paths are relative to. chance: a number in [0, 1), for jitter.
    """

    store: Store
    net: Net
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
    pulls_at_once: int = 16
    reads_at_once: int = 4


# ---------------------------------------------------------------- pull


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    feeds: int = 0
    entries: int = 0
    unchanged: int = 0
    failed: int = 0


async def pull(line: Line, now: datetime, *, force: bool = False, tick: Tick = _quiet) -> Pulled:
    """Ask every feed that is due. force: also those that are not due yet (once each)."""
    follows = _follows(line.newsletters.values())
    outcomes: list[Pulled] = []
    while batch := await line.store.feeds.claim_due(now, limit=200, lease=2 * LEASE, force=force):
        known = len(outcomes) + len(batch)

        async def one(feed: Feed, known: int = known) -> None:
            outcomes.append(await _pull_one(line, feed, follows.get(feed.url, ()), now))
            tick(len(outcomes), known)

        await _each(batch, one, line.pulls_at_once)
    return Pulled(
        feeds=len(outcomes),
        entries=sum(o.entries for o in outcomes),
        unchanged=sum(o.unchanged for o in outcomes),
        failed=sum(o.failed for o in outcomes),
    )


def _follows(newsletters: Iterable[Newsletter]) -> dict[str, tuple[timing.First, ...]]:
    """How far back the first window of each feed reaches, for every newsletter that follows it."""
    found: dict[str, list[timing.First]] = {}
    for newsletter in newsletters:
        for follow in newsletter.follows:
            found.setdefault(follow.url, []).append(follow)
    return {url: tuple(follows) for url, follows in found.items()}

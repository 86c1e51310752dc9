"""Pull: every feed that is due is asked, read, and its entries put into the store.

feeds.claim_due → fetch → parse → decide → record
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from digest import timing
from digest.feeds import identity
from digest.feeds.fetch import fetch
from digest.feeds.parse import parse
from digest.model import Feed, FeedError, Follow, Newsletter
from digest.pipeline import Line, Progress, each, quiet
from digest.workers import WorkerFailed

log = logging.getLogger(__name__)

POLL_LEASE = timedelta(minutes=3)
PARSE_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    feeds: int = 0
    entries: int = 0
    unchanged: int = 0
    failed: int = 0


async def pull(line: Line, now: datetime, *, force: bool = False, progress: Progress = quiet) -> Pulled:
    """Ask every feed that is due. force: also, once each, those that are not."""
    follows = _followers(line.newsletters.values())
    outcomes: list[Pulled] = []
    while batch := await line.store.feeds.claim_due(now, limit=200, lease=POLL_LEASE, force=force):
        known = len(outcomes) + len(batch)

        async def one(feed: Feed, known: int = known) -> None:
            outcomes.append(await _pull_one(line, feed, follows.get(feed.url, ()), now))
            progress(len(outcomes), known)

        await each(batch, one, line.pulls_at_once)
    return Pulled(
        feeds=len(outcomes),
        entries=sum(outcome.entries for outcome in outcomes),
        unchanged=sum(outcome.unchanged for outcome in outcomes),
        failed=sum(outcome.failed for outcome in outcomes),
    )


def _followers(newsletters: Iterable[Newsletter]) -> dict[str, tuple[Follow, ...]]:
    found: dict[str, list[Follow]] = {}
    for newsletter in newsletters:
        for follow in newsletter.follows:
            found.setdefault(follow.url, []).append(follow)
    return {url: tuple(follows) for url, follows in found.items()}


async def _pull_one(line: Line, feed: Feed, follows: Sequence[Follow], now: datetime) -> Pulled:
    """One feed, with its error caught here: it never stops the others."""
    try:
        fetched = await fetch(feed, net=line.net, folder=line.folder)
        hint = fetched.max_age
        digest = hashlib.sha256(fetched.body).hexdigest() if fetched.body is not None else feed.body_hash
        seen = replace(
            feed,
            etag=fetched.etag if fetched.body is not None else fetched.etag or feed.etag,
            last_modified=fetched.last_modified
            if fetched.body is not None
            else fetched.last_modified or feed.last_modified,
            body_hash=digest,
        )
        if fetched.body is None or digest == feed.body_hash:
            await line.store.feeds.record_poll(
                timing.after_success(seen, now=now, hint=hint, jitter=line.chance()), (), now=now
            )
            return Pulled(feeds=1, unchanged=1)
        parsed = await line.workers.run(
            partial(parse, content_type=fetched.content_type, url=fetched.url),
            fetched.body,
            timeout=PARSE_SECONDS,
        )
    except (FeedError, WorkerFailed) as error:
        failure = error if isinstance(error, FeedError) else FeedError(str(error))
        log.warning("feed failed", extra={"feed": feed.url, "error": str(error)})
        await line.store.feeds.record_poll(
            timing.after_failure(feed, failure, now=now, jitter=line.chance()), (), now=now
        )
        return Pulled(feeds=1, failed=1)
    entries = identity.decide(feed, parsed, follows, now=now)
    seen = replace(seen, title=parsed.title, site_url=parsed.site_url, language=parsed.language)
    new = await line.store.feeds.record_poll(
        timing.after_success(
            seen,
            now=now,
            new=bool(entries),
            hint=parsed.wishes.every if parsed.wishes else None,
            jitter=line.chance(),
        ),
        entries,
        now=now,
    )
    log.debug("feed read", extra={"feed": feed.url, "entries": len(entries), "new": new})
    return Pulled(feeds=1, entries=new or 0)

"""The archive in order: what is kept no longer is shelved, what came from older releases can be found.

Nothing happens here while nothing changes. It is done in small pieces, so that letters and pages never wait.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from digest.line import Line, Progress, quiet
from digest.model import DigestError, Newsletter
from digest.publishers.base import Refreshes

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """shelved: issues that left the archive or came back. indexed: issues whose stories can now be found."""

    shelved: int
    indexed: int


async def tidy(line: Line, now: datetime, *, progress: Progress = quiet) -> Shelved:
    """Bring the archives of all newsletters into the state that the config wants."""
    shelved = 0
    for newsletter in line.newsletters.values():
        changed = await _shelve(line, newsletter, now, progress)
        if changed:
            log.info("archive shelved", extra={"newsletter": newsletter.slug, "issues": changed})
        shelved += changed
        # Also what an earlier round shelved whose feeds could not be made then.
        slug = newsletter.slug
        if await line.store.shelves.is_unpublished(slug) and await refresh_channels(
            line, slug, newsletter.channels
        ):
            await line.store.shelves.published(slug)
    indexed = 0
    while some := await line.store.search.catch_up():
        indexed += some
        progress(indexed, 0)
    if indexed:
        log.info("stories indexed", extra={"issues": indexed})
    return Shelved(shelved=shelved, indexed=indexed)


async def refresh(line: Line) -> None:
    """Bring up to date what channels show between issues: the feeds of newsletters that have none yet, or
    whose title, address or templates are others now."""
    for newsletter in line.newsletters.values():
        await refresh_channels(line, newsletter.slug, newsletter.channels)


async def refresh_channels(line: Line, slug: str, channels: Iterable[str]) -> bool:
    """Bring up to date what these channels of a newsletter show between issues. False: one of them could not;
    the log says why."""
    well = True
    for name in channels:
        publisher = line.publishers[name]
        if not isinstance(publisher, Refreshes):
            continue
        try:
            await publisher.refresh(slug)
        except DigestError as error:  # it stops no other channel, and no other newsletter
            log.warning(
                "channel not refreshed", extra={"channel": name, "newsletter": slug, "error": str(error)}
            )
            well = False
    return well


async def _shelve(line: Line, newsletter: Newsletter, now: datetime, progress: Progress) -> int:
    changed = 0
    today = now.astimezone(ZoneInfo(newsletter.schedule.zone)).date()
    while some := await line.store.shelves.keep(newsletter.slug, newsletter.archive, today=today, now=now):
        changed += some
        progress(changed, 0)
    return changed

"""Pull: every feed that is due is asked, read, and what it says put into the store.

    feeds.claim_due → fetch → read → decide → record

The feeds of one host are asked one after another, those of different hosts at the same time; reading and
recording go on meanwhile. A feed's error is the feed's: it never stops the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from digest import polling
from digest.feeds import identity
from digest.feeds.fetch import fetch
from digest.line import Line, Progress, quiet
from digest.model import DigestError, Feed, FeedError, Fetched, Follow, NewEntry, Newsletter
from digest.store.codec import host_of

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
"""More than CLAIM feeds, or those that are taken of one host, can take."""
HOSTS_AT_ONCE = 64
CLAIM = 256
"""Feeds that are taken at a time: even if each of them takes its 20 seconds, the lease lasts."""
LOOK_AGAIN = 1.0
"""Seconds until we look for feeds that became due, or free, while others are still being asked."""
DOCUMENTS_AT_ONCE = 64
"""So many documents are held in memory, to be read and recorded, before more are fetched."""
POLLS_TOGETHER = 32
TOGETHER = 0.03
"""Seconds that polls without news wait for others, to be written down in one transaction."""

_Polled = tuple[tuple[Feed, Sequence[NewEntry]], "asyncio.Future[int | None]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    feeds: int = 0
    entries: int = 0
    unchanged: int = 0
    failed: int = 0


async def pull(
    line: Line,
    now: datetime,
    *,
    force: bool = False,
    seconds: float = math.inf,
    progress: Progress = quiet,
) -> Pulled:
    """Ask every feed that is due. force: also, once each, those that are not. seconds: after so many no feed
    is begun any more; a service may have another config by then."""
    return await _Round(line, now, force, seconds, progress).run()


def _followers(newsletters: Iterable[Newsletter]) -> dict[str, tuple[Follow, ...]]:
    found: dict[str, list[Follow]] = {}
    for newsletter in newsletters:
        for follow in newsletter.follows:
            found.setdefault(follow.url, []).append(follow)
    return {url: tuple(follows) for url, follows in found.items()}


def _slots(newsletters: Iterable[Newsletter], now: datetime) -> dict[str, datetime]:
    """When the first issue that may tell something of a feed is due, by its url."""
    found: dict[str, datetime] = {}
    for newsletter in newsletters:
        slot = polling.next_issue([newsletter.schedule], now)
        for follow in newsletter.follows:
            if slot is not None:
                found[follow.url] = min(slot, found.get(follow.url, slot))
    return found


def _by_host(feeds: Iterable[Feed]) -> Iterator[list[Feed]]:
    chains: dict[str, list[Feed]] = {}
    for feed in feeds:
        chains.setdefault(host_of(feed.address), []).append(feed)
    yield from chains.values()


class _Round:
    """One pull under way."""

    def __init__(self, line: Line, now: datetime, force: bool, seconds: float, progress: Progress) -> None:
        self._line = line
        self._now = now
        self._force = force
        self._seconds = seconds
        self._progress = progress
        self._follows = _followers(line.newsletters.values())
        self._slots = _slots(line.newsletters.values(), now)
        self._held: dict[int, Feed] = {}
        self._hosts = 0
        self._changed = asyncio.Event()
        self._more = False
        self._gate = asyncio.Semaphore(HOSTS_AT_ONCE)
        self._documents = asyncio.Semaphore(DOCUMENTS_AT_ONCE)
        self._without_news: list[Feed] = []
        self._polled: list[_Polled] = []
        self._recording = False
        self._claimed = self._done = self._entries = self._unchanged = self._failed = 0

    async def run(self) -> Pulled:
        try:
            async with asyncio.TaskGroup() as group:
                await self._take(group)
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors  # what people and the clock are told is the error itself
        finally:
            if self._held:
                with contextlib.suppress(DigestError):
                    await self._line.store.feeds.release(list(self._held.values()))
        return Pulled(feeds=self._done, entries=self._entries, unchanged=self._unchanged, failed=self._failed)

    async def _take(self, group: asyncio.TaskGroup) -> None:
        """Claim what is due as long as there is any, and room for it."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._seconds
        while loop.time() < end:
            claimed = await self._line.store.feeds.claim_due(
                self._now, limit=CLAIM, lease=LEASE, force=self._force
            )
            self._more = len(claimed) == CLAIM
            self._claimed += len(claimed)
            self._held.update((feed.id, feed) for feed in claimed)
            for chain in _by_host(claimed):
                self._hosts += 1
                group.create_task(self._ask_in_turn(group, chain, end))
            if not self._held:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN):
                    await self._room()

    async def _room(self) -> None:
        """Until another claim is worth its while: there may be more, and hosts that would wait for none; or
        all is done."""
        while self._held and not (self._more and self._hosts < HOSTS_AT_ONCE):
            self._changed.clear()
            await self._changed.wait()

    async def _ask_in_turn(self, group: asyncio.TaskGroup, chain: Sequence[Feed], end: float) -> None:
        async with self._gate:
            for feed in chain:
                await self._documents.acquire()
                if asyncio.get_running_loop().time() < end:
                    group.create_task(self._follow_up(feed, await self._ask(feed)))
                else:
                    self._documents.release()  # what is still held is given back at the end
        self._hosts -= 1
        self._changed.set()

    # -------------------------------------------------------- one feed

    async def _ask(self, feed: Feed) -> Fetched | FeedError:
        try:
            return await fetch(feed, net=self._line.net, folder=self._line.folder)
        except FeedError as error:
            return error
        except Exception:
            log.exception("feed broke", extra={"feed": feed.url})
            return FeedError("asking for it went wrong in a way that we did not expect; the log has more")

    async def _follow_up(self, feed: Feed, answer: Fetched | FeedError) -> None:
        try:
            if isinstance(answer, FeedError):
                self._fail(feed, answer)
            else:
                await self._look_at(feed, answer)
        except FeedError as error:
            self._fail(feed, error)
        except DigestError:
            raise  # the store, not the feed
        except Exception:
            log.exception("feed broke", extra={"feed": feed.url})
            self._fail(feed, FeedError("something in it could not be worked with; the log has the details"))
        finally:
            self._documents.release()
        self._done += 1
        self._progress(self._done, self._claimed)
        await self._write_down()

    async def _look_at(self, feed: Feed, fetched: Fetched) -> None:
        seen = _seen(feed, fetched)
        if fetched.body is not None and seen.body_hash != feed.body_hash:
            await self._read(feed, seen, fetched)
            return
        self._unchanged += 1
        self._without_news.append(
            polling.after_success(
                seen,
                now=self._now,
                hint=fetched.max_age,
                jitter=self._line.chance(),
                slot=self._slots.get(feed.url),
            )
        )

    async def _read(self, feed: Feed, seen: Feed, fetched: Fetched) -> None:
        document = await self._line.readers.read(fetched)
        parsed, told = document.parsed, document.told
        store, follows = self._line.store.feeds, self._follows.get(feed.url, ())
        known = await store.known(feed.id, *identity.keys(told)) if feed.last_ok_at else ()
        entries = identity.decide(feed, told, known, follows, now=self._now)
        seen = replace(
            seen,
            title=parsed.title,
            site_url=parsed.site_url,
            language=parsed.language,
            wishes=parsed.wishes,
        )
        after = polling.after_success(
            seen,
            now=self._now,
            new=any(entry.known is None for entry in entries),
            hint=fetched.max_age,
            moments=[entry.published for entry in entries if entry.dated],
            jitter=self._line.chance(),
            slot=self._slots.get(feed.url),
        )
        new = await self._record(after, entries)
        self._let_go([feed])
        self._entries += new or 0
        log.debug("feed read", extra={"feed": feed.url, "entries": len(entries), "new": new})

    async def _record(self, feed: Feed, entries: Sequence[NewEntry]) -> int | None:
        """How many were new. While one transaction is written the next ones gather, and go together."""
        answer: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._polled.append(((feed, entries), answer))
        if not self._recording:
            self._recording = True
            try:
                while self._polled:
                    batch, self._polled = self._polled[:POLLS_TOGETHER], self._polled[POLLS_TOGETHER:]
                    await self._record_batch(batch)
            finally:
                self._recording = False
        return await answer

    async def _record_batch(self, batch: Sequence[_Polled]) -> None:
        store, polls = self._line.store.feeds, [poll for poll, _ in batch]
        try:
            counts = await store.record_polls(polls, now=self._now)
        except Exception as error:  # noqa: BLE001 - whose it is decides the follow-up of that feed
            if len(batch) > 1 and not isinstance(error, DigestError):
                for each in batch:  # one of them cannot be written down: the others are not to suffer
                    await self._record_batch([each])
                return
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), count in zip(batch, counts, strict=True):
            if not answer.done():
                answer.set_result(count)

    def _fail(self, feed: Feed, error: FeedError) -> None:
        self._failed += 1
        log.warning("feed failed", extra={"feed": feed.url, "error": str(error)})
        self._without_news.append(
            polling.after_failure(feed, error, now=self._now, jitter=self._line.chance())
        )

    async def _write_down(self) -> None:
        """Polls without news are recorded together: the first to wait writes for all who came meanwhile."""
        if len(self._without_news) != 1:
            return
        await asyncio.sleep(TOGETHER)
        polled, self._without_news = self._without_news, []
        await self._line.store.feeds.record_quiet(polled)
        self._let_go(polled)

    def _let_go(self, polled: Sequence[Feed]) -> None:
        for feed in polled:
            self._held.pop(feed.id, None)
        self._more = True  # a host that has more feeds may be free now
        self._changed.set()


def _seen(feed: Feed, fetched: Fetched) -> Feed:
    """The feed with what this answer says of itself; validators of a body we did not get stay."""
    if fetched.body is None:
        etag, modified, digest = fetched.etag or feed.etag, fetched.last_modified or feed.last_modified, None
    else:
        etag, modified = fetched.etag, fetched.last_modified
        digest = hashlib.sha256(fetched.body).hexdigest()
    seen = feed
    if digest or (etag, modified) != (feed.etag, feed.last_modified):  # hardly ever with a 304
        seen = replace(feed, etag=etag, last_modified=modified, body_hash=digest or feed.body_hash)
    return polling.moved(seen, fetched.permanent_url, passing=fetched.url != feed.address)

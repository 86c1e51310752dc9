"""Finds the feeds of a site from its address: what its page names, what is known of such sites, what it links
to, and at last where feeds usually lie. Only what was fetched and is a feed is told."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from digest.feeds import hints
from digest.feeds.decoding import to_text
from digest.feeds.hints import Hints
from digest.feeds.parse import parse
from digest.feeds.sites import further_pages, known_places
from digest.feeds.web_address import addresses
from digest.model import FeedError, Fetched
from digest.net import FEEDS, Net
from digest.workers import WorkerFailed, Workers

log = logging.getLogger(__name__)

ONE_SECONDS = 15.0
ALL_SECONDS = 60.0
PARSE_SECONDS = 10.0
AT_ONCE = 4
MOST_PLACES = 30
PAGE = "text/html, application/xhtml+xml, application/atom+xml, application/rss+xml, */*;q=0.5"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFeed:
    """A feed that was read. named: the page itself names it. comments: it tells what readers say.
    entries: how many it holds; newest: the latest date among them, None when it gives none."""

    url: str
    title: str = ""
    named: bool = False
    comments: bool = False
    entries: int = 0
    newest: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What matters of a feed's document. content: the same for what says the same."""

    title: str
    entries: int
    newest: datetime | None
    content: str


async def discover(text: str, *, net: Net, workers: Workers, seconds: float = ALL_SECONDS) -> list[FoundFeed]:
    """The feeds of a site, each fetched and read once: those that its page names first, comments last.
    If the address is a feed itself, only that.

    text: an address as people type it; without a scheme, https is tried and then http. seconds: for all;
    what was found by then is told. Raises FeedError when the address cannot be read and has no feeds either.
    """
    return await _Search(net, workers, asyncio.get_running_loop().time() + seconds).feeds(addresses(text))


class _Search:
    """One search, with what it has asked so far."""

    def __init__(self, net: Net, workers: Workers, until: float) -> None:
        self._net = net
        self._workers = workers
        self._until = until
        self._asked: set[str] = set()
        self._found: dict[str, FoundFeed] = {}
        self._source = ""

    async def feeds(self, urls: Sequence[str]) -> list[FoundFeed]:
        asked, page, trouble = await self._page(urls)
        self._source = asked
        if page is not None and (itself := await self._read(page)) is not None:
            return [_feed(page, asked, itself)]
        told = await self._hints(page)
        if told.elsewhere and not (told.named or told.program) and (next_page := await self._sent_on(told)):
            page, told = next_page, await self._hints(next_page)
        known = [*known_places(asked), *(known_places(page.url) if page else ())]
        await self._ask(told.named, named=True)
        await self._ask(_untitled((*known, *told.program, *await self._directory(asked, told))))
        if not self._has_main():
            await self._ask(_untitled(told.linked))
        # A server that answered but refused its page may still have a feed; one that is silent has none.
        if not self._has_main() and (trouble is None or trouble.__cause__ is None):
            near, far = hints.usual_places(page.url if page else asked)
            await self._ask(_untitled(near))
            await self._try(far)
        if not self._found and trouble is not None:
            raise trouble
        return sorted(self._found.values(), key=lambda feed: (feed.comments, not feed.named))

    def _has_main(self) -> bool:
        return any(not feed.comments for feed in self._found.values())

    # ------------------------------------------------------------ the page

    async def _page(self, urls: Sequence[str]) -> tuple[str, Fetched | None, FeedError | None]:
        """The first address that answers and what is there; else the first, and why nothing is there."""
        trouble: FeedError | None = None
        for url in urls:
            try:
                return url, await self._fetch(url, accept=PAGE), None
            except FeedError as error:
                trouble = trouble or error
        return urls[0], None, trouble

    async def _sent_on(self, told: Hints) -> Fetched | None:
        try:
            return await self._fetch(told.elsewhere, accept=PAGE, source=self._source)
        except FeedError as error:
            log.debug("page sends us on in vain", extra={"url": told.elsewhere, "error": str(error)})
            return None

    async def _hints(self, page: Fetched | None) -> Hints:
        if page is None:
            return Hints()
        body, kind = page.body or b"", page.content_type
        try:
            return await self._workers.run(read_page, body, page.url, kind, timeout=PARSE_SECONDS)
        except WorkerFailed as error:
            log.debug("page not readable", extra={"url": page.url, "error": str(error)})
            return Hints()

    async def _directory(self, url: str, told: Hints) -> list[str]:
        """What a directory says of a podcast whose page there does not tell."""
        found: list[str] = []
        for place in () if told.program else further_pages(url):
            try:
                fetched = await self._fetch(place, accept="application/json, */*;q=0.5")
                found += hints.feed_url(to_text(fetched.body or b"", fetched.content_type))
            except FeedError as error:
                log.debug("directory does not tell", extra={"url": place, "error": str(error)})
        return found

    # ------------------------------------------------------------ what may be feeds

    async def _ask(self, places: Iterable[tuple[str, str]], *, named: bool = False) -> None:
        """Read all of these; those that are feeds are found, in the order given."""
        gate = asyncio.Semaphore(AT_ONCE)
        new = {place: title for place, title in places if place not in self._asked}
        mine = dict(list(new.items())[:MOST_PLACES])
        self._asked.update(mine)

        async def one(place: str, title: str) -> tuple[FoundFeed, str] | None:
            async with gate:
                return await self._look(place, title, named=named)

        for found in await asyncio.gather(*(one(place, title) for place, title in mine.items())):
            self._keep(found)

    async def _try(self, places: Iterable[str]) -> None:
        """Read one after another until there is a feed."""
        for place in places:
            if self._has_main():
                return
            await self._ask(_untitled((place,)))

    async def _look(self, place: str, title: str, *, named: bool) -> tuple[FoundFeed, str] | None:
        try:
            fetched = await self._fetch(place, source=self._source)
        except FeedError as error:
            log.debug("no feed here", extra={"url": place, "error": str(error)})
            return None
        read = await self._read(fetched)
        return None if read is None else (_feed(fetched, place, read, title, named=named), read.content)

    def _keep(self, found: tuple[FoundFeed, str] | None) -> None:
        """The first of those that say the same stays, but by https if one of them is read so."""
        if found is None:
            return
        feed, content = found
        for key, kept in self._found.items():
            if key == content or _without_scheme(kept.url) == _without_scheme(feed.url):
                if kept.url.startswith("http:") and feed.url.startswith("https:"):
                    self._found[key] = replace(kept, url=feed.url)
                return
        self._found[content] = feed

    # ------------------------------------------------------------ asking and reading

    async def _fetch(self, url: str, accept: str = FEEDS, *, source: str | None = None) -> Fetched:
        """source: the page that names this address; None for what was typed."""
        try:
            async with asyncio.timeout_at(self._until):  # also while we wait for our turn at this host
                return await self._net.fetch(url, total=ONE_SECONDS, accept=accept, source=source)
        except TimeoutError as error:
            raise FeedError("there was no time left to ask here") from error

    async def _read(self, fetched: Fetched) -> _Read | None:
        try:
            return await self._workers.run(
                read_feed, fetched.body or b"", fetched.content_type, fetched.url, timeout=PARSE_SECONDS
            )
        except (FeedError, WorkerFailed) as error:
            log.debug("not a feed", extra={"url": fetched.url, "error": str(error)})
            return None


def _feed(fetched: Fetched, asked: str, read: _Read, title: str = "", *, named: bool = False) -> FoundFeed:
    """Told by the address to follow: where it moved for good, but not where it is lent out for today."""
    url = fetched.permanent_url or asked
    if _without_scheme(fetched.url) == _without_scheme(asked):
        url = fetched.url
    title = read.title or title
    return FoundFeed(
        url=url,
        title=title,
        named=named,
        comments=hints.is_comments(url, title),
        entries=read.entries,
        newest=read.newest,
    )


def _untitled(places: Iterable[str]) -> Iterable[tuple[str, str]]:
    return ((place, "") for place in places)


def _without_scheme(url: str) -> str:
    return url.partition("://")[2].rstrip("/")


# ---------------------------------------------------------------- in a worker


def read_page(body: bytes, url: str, content_type: str) -> Hints:
    """What a page tells; nothing if it is none."""
    try:
        return hints.read(to_text(body, content_type), url)
    except FeedError:
        return Hints()


def read_feed(body: bytes, content_type: str, url: str) -> _Read:
    """Raises FeedError for what is no feed."""
    parsed = parse(body, content_type, url)
    said = [(entry.guid, entry.url, entry.title) for entry in parsed.entries]
    dates = [entry.updated or entry.published for entry in parsed.entries]
    return _Read(
        title=parsed.title,
        entries=len(parsed.entries),
        newest=max(filter(None, dates), default=None),
        content=hashlib.sha256(repr((parsed.title, said or _without_scheme(url))).encode()).hexdigest(),
    )

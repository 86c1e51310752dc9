"""The page of an entry, asked for feeds that tell only the beginning: once, within limits, and no trouble.

Whatever goes wrong, the entry is read as its feed tells it.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

from digest.model import FeedError, Fetched, UnreadEntry
from digest.net import MEGABYTE, Net

log = logging.getLogger(__name__)

PAGE_BYTES = 5 * MEGABYTE
WAIT_SECONDS = 120.0  # well within the lease on the entry
HELD_AT_ONCE = 8
TRIES = 3  # an entry whose reading ended in a crash so often is read without its page
ACCEPT = "text/html, application/xhtml+xml, */*;q=0.1"

_HTML = frozenset(("text/html", "application/xhtml+xml"))
_UNSAID = frozenset(("", "text/plain", "application/octet-stream", "application/xml", "text/xml"))
_MARKUP = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_OTHER_KIND = re.compile(
    r"\.(?:pdf|epub|docx?|xlsx?|pptx?|zip|gz|exe|dmg|iso|jpe?g|png|gif|webp|avif|svg|mp3|m4a|ogg|opus|wav|flac"
    r"|mp4|m4v|mov|webm|mkv|avi|xml|rss|atom|json|txt|ics)$",
    re.IGNORECASE,
)


class Pages:
    """The pages of one round of reading.

    wanted: the feeds whose entries are read in full, by url. seconds: the most that an entry waits. A host
    that lets us wait in vain, or asks us to wait, is not asked again in this round.
    """

    def __init__(self, net: Net, wanted: Collection[str], *, seconds: float = WAIT_SECONDS) -> None:
        self._net = net
        self._wanted = wanted
        self._seconds = seconds
        self._turns: dict[str, asyncio.Lock] = {}
        self._silent: set[str] = set()
        self._held = asyncio.Semaphore(HELD_AT_ONCE)

    def wants(self, unread: UnreadEntry) -> bool:
        return unread.feed_url in self._wanted and unread.attempts <= TRIES and bool(_host(unread.entry.url))

    @asynccontextmanager
    async def of(self, unread: UnreadEntry) -> AsyncIterator[Fetched | None]:
        """The page of this entry for as long as it is needed; None if it is not wanted, or not to be had."""
        if not self.wants(unread):
            yield None
            return
        host, page = _host(unread.entry.url), None
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(self._seconds), self._turns.setdefault(host, asyncio.Lock()):
                    await held.enter_async_context(self._held)
                    page = await self._ask(unread, host)
            except TimeoutError:
                log.debug("no time left for a page", extra={"entry": unread.id, "url": unread.entry.url})
            yield page

    async def _ask(self, unread: UnreadEntry, host: str) -> Fetched | None:
        url = unread.entry.url
        if host in self._silent:
            return None
        try:
            page = await self._net.fetch(url, limit_bytes=PAGE_BYTES, accept=ACCEPT, source=unread.feed_url)
        except FeedError as error:
            if isinstance(error.__cause__, OSError) or error.retry_after:
                self._silent.add(host)
            log.debug("page not to be had", extra={"entry": unread.id, "url": url, "error": str(error)})
            return None
        if not _is_page(page):
            log.debug("not a web page", extra={"entry": unread.id, "url": url, "type": page.content_type})
            return None
        return page


def _host(url: str) -> str:
    """Whose page it is; empty if it is surely not the page of one article."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or _OTHER_KIND.search(parts.path):
        return ""
    if not parts.path.strip("/") and not parts.query:
        return ""  # the front page
    # `#part` is one of many on a page; `#xtor=RSS-1` only counts readers.
    return "" if parts.fragment and "=" not in parts.fragment else host


def _is_page(page: Fetched) -> bool:
    kind = page.content_type.partition(";")[0].strip().lower()
    return kind in _HTML or (kind in _UNSAID and bool(_MARKUP.match((page.body or b"")[:4096].lstrip())))

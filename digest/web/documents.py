"""Feeds, answered from memory before the rest of the web is asked: what feed readers poll all day.

    store → (thread) → prepared, in memory → answer

One question a second tells what changed; only that is read again. What is asked for often stays in memory,
the rest is read when somebody wants it: a thousand newsletters with their archives do not fit into a process.

A server that can write by itself asks `at_once` and is spared the ASGI conversation.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from digest.model import Document, NotReady
from digest.web.prepared import LATER, Answer, Header, Prepared, choose, prepare

log = logging.getLogger(__name__)

CHECK_EVERY = timedelta(seconds=1)
MEMORY = 64 << 20  # bytes of documents that are kept at hand
NOTHING = 200  # bytes that it takes to remember that there is no document

# No other page waits for us, or falls with us: feeds and their archives alone have such names.
_NAMED = re.compile(r"/[a-z0-9-]{1,64}/feed(/[0-9]{1,9})?\.(atom|rss|json)", re.ASCII)


class Published(Protocol):
    """What we need of the store."""

    async def version(self) -> int: ...
    async def changes(self, since: int) -> tuple[int, frozenset[str] | None]: ...
    async def get(self, path: str) -> Document | None: ...


class Documents:
    """The ASGI wrapper: a known document's path is answered here, everything else goes on to `app`."""

    def __init__(
        self, app: ASGIApp, published: Published, clock: Callable[[], datetime], *, memory: int = MEMORY
    ) -> None:
        self._app = app
        self._published = published
        self._clock = clock
        self._lock = asyncio.Lock()
        self._checked: datetime | None = None
        self._version: int | None = None
        self._told = 0  # how often something had changed
        self._room = memory
        self._held: OrderedDict[str, Prepared | None] = OrderedDict()
        self._reading: dict[str, asyncio.Task[Prepared | None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        document = None
        if scope["type"] == "http" and _NAMED.fullmatch(scope["path"]):
            try:
                document = await self._find(scope["path"])
            except NotReady as error:
                log.warning("document not possible now", extra={"error": str(error)})
                await _send(LATER, send)
                return
        if document is None:
            await self._app(scope, receive, send)
        else:
            await _send(choose(document, scope["method"], scope["headers"]), send)

    def at_once(self, path: str, method: str, headers: Iterable[Header]) -> Answer | None:
        """The answer, if it can be given without waiting for anything."""
        document = self._held.get(path)
        if document is None or not self._fresh():
            return None
        self._held.move_to_end(path)
        return choose(document, method, headers)

    # ------------------------------------------------------------ what is at hand

    async def _find(self, path: str) -> Prepared | None:
        await self._follow()
        if path in self._held:
            self._held.move_to_end(path)
            return self._held[path]
        task = self._reading.get(path)
        if task is None:  # of a crowd, one asks
            task = asyncio.create_task(self._read(path))
            self._reading[path] = task
            task.add_done_callback(lambda _done: self._reading.pop(path, None))
        return await asyncio.shield(task)

    async def _read(self, path: str) -> Prepared | None:
        """Read a document and keep it; once more if something changed meanwhile. Raises NotReady."""
        while True:
            told = self._told
            prepared = await self._fetch(path)
            if told == self._told:
                self._keep(path, prepared)
                return prepared

    async def _fetch(self, path: str) -> Prepared | None:
        document = await self._published.get(path)
        return None if document is None else await asyncio.to_thread(prepare, document)

    def _keep(self, path: str, prepared: Prepared | None) -> None:
        self._forget(path)
        self._held[path] = prepared
        self._room -= _size(prepared)
        while self._room < 0 and len(self._held) > 1:
            self._forget(next(iter(self._held)))

    def _forget(self, path: str) -> None:
        if path in self._held:
            self._room += _size(self._held.pop(path))

    # ------------------------------------------------------------ following the store

    async def _follow(self) -> None:
        """Be at most a second behind the store; more while it cannot be asked."""
        if self._fresh() or (self._lock.locked() and self._version is not None):
            return
        async with self._lock:
            if not self._fresh():
                try:
                    await self._refresh()
                except NotReady as error:
                    log.warning("documents not refreshed", extra={"error": str(error)})
                self._checked = self._clock()

    def _fresh(self) -> bool:
        # A clock that was set back must not keep an old feed alive: hence the lower bound.
        return self._checked is not None and timedelta(0) <= self._clock() - self._checked < CHECK_EVERY

    async def _refresh(self) -> None:
        if self._version is None:
            self._version = await self._published.version()
            return
        version, changed = await self._published.changes(self._version)
        if version == self._version:
            return
        self._told += 1
        for path in list(self._held) if changed is None else changed:
            if self._held.get(path) is None:
                self._forget(path)
            else:  # it was wanted before: those who want it next need not wait
                self._keep(path, await self._fetch(path))
        self._version = version


async def _send(chosen: Answer, send: Send) -> None:
    await send({"type": "http.response.start", "status": chosen.status, "headers": chosen.headers})
    await send({"type": "http.response.body", "body": chosen.body})


def _size(prepared: Prepared | None) -> int:
    return NOTHING if prepared is None else prepared.size

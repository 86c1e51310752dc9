"""The service as it runs: the clock's ticks, the web, and the signals that end or renew it.

SIGTERM and SIGINT: nothing new is begun, the letters in flight end, exit 0 within 30 s. SIGHUP: the config is
read again; a bad file is reported and the old one stays in force.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gc
import hmac
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn

from digest import dispatch, intake, pipeline, report, shelving
from digest.config import Settings
from digest.line import Line, Progress
from digest.model import DigestError, NotReady, Superseded
from digest.render import renderer
from digest.scheduler import Scheduler, Tick
from digest.service import (
    House,
    adopt,
    build_line,
    clear_up,
    clock,
    database_file,
    feed_state,
    inbox_is_local,
    load,
    open_house,
    private_feeds,
)
from digest.service.current import Current, Held, Shut
from digest.service.listening import is_loopback, listen
from digest.service.quick_http import quick_http
from digest.store import Store
from digest.watch import LedgerBroken, Watch
from digest.web.app import build_app
from digest.web.health import Health
from digest.web.lent import SignupLimits, WebLent
from digest.web.prepared import Answer, Header

log = logging.getLogger(__name__)

EVERY = {
    "pull": timedelta(seconds=5),
    "summarize": timedelta(seconds=2),
    "compose": timedelta(seconds=5),
    "deliver": timedelta(seconds=1),
}
LONGEST_ROUND = 60.0  # seconds of pulling; then a changed config gets its turn
LATE = 20  # issues at one look, in each edition, for readers who come back from a pause or another rhythm
SIGNUPS = timedelta(seconds=1)  # apart from `deliver`, which may send for hours
HOUSEKEEPING = timedelta(hours=1)
REPORT = timedelta(minutes=1)
ARCHIVE = timedelta(minutes=5)
GRACE = timedelta(seconds=22)  # then there are goodbyes to say and transactions to end: 30 s in all
SILENT_AFTER = timedelta(minutes=5)  # a step that has not ended well for so long turns health red
ANSWER_WITHIN = timedelta(seconds=4)  # the database, when health is asked; load balancers wait for 5 to 10
FILE_GONE = "the database's file was taken away or replaced; put it back, if you can, and start again"
TRY_LATER = 75


class Running:
    """One process of the service: `serve` builds it, runs it, and returns its exit code."""

    def __init__(self, path: str, house: House, roles: tuple[str, ...], host: str | None) -> None:
        self._path = path
        self._store: Store = house.store
        self.roles = roles
        self._host = host
        self._started = clock()
        self.current = Current(house)
        self.stop = asyncio.Event()
        self.code = 0
        self.scheduler = Scheduler(self._ticks(), clock=clock)
        self._reloading: asyncio.Task[None] | None = None
        self._shut: dict[str, Shut] = {}
        self._trouble: str | None = None
        self._watch = Watch()
        self._broken: LedgerBroken | None = None
        self._file_path = database_file(house.settings)
        self._file = _identity(self._file_path)
        self._app: Any = None
        if host is not None:
            renderer(self.current.line.templates).make_ready()
            self._app = self._build_app()

    # ------------------------------------------------------------ steps

    def _ticks(self) -> tuple[Tick, ...]:
        steps: dict[str, Callable[[Held], Awaitable[object]]] = {
            "pull": lambda held: intake.pull(
                held.line, clock(), seconds=LONGEST_ROUND, progress=self._goes_on("pull")
            ),
            "summarize": lambda held: pipeline.summarize(
                held.line, clock(), progress=self._goes_on("summarize")
            ),
            "compose": lambda held: self._compose(held.line),
            "deliver": lambda held: self._deliver(held),
        }
        ticks = [Tick(name=role, step=self._step(steps[role]), every=EVERY[role]) for role in self.roles]
        if "deliver" in self.roles:
            ticks.append(Tick(name="signups", step=self._step(self._answer_signups), every=SIGNUPS))
        if "compose" in self.roles:
            ticks.append(Tick(name="housekeeping", step=self._step(self._prune), every=HOUSEKEEPING))
            ticks.append(Tick(name="report", step=self._step(self._report), every=REPORT))
            ticks.append(Tick(name="archive", step=self._step(self._tidy), every=ARCHIVE))
        return tuple(ticks)

    def _goes_on(self, role: str) -> Progress:
        """A long step is no silent one."""
        return lambda _done, _known: self.scheduler.beat(role)

    def _step(self, act: Callable[[Held], Awaitable[object]]) -> Callable[[], Awaitable[object]]:
        async def step() -> None:
            if self.stop.is_set():
                return
            if self._file_is_gone():
                raise NotReady(FILE_GONE)  # what is sent now would be sent again by who finds no trace of it
            reloading = self._is_reloading()
            try:
                async with self.current.use() as held:
                    await act(held)
            except Superseded as error:
                if reloading or self._is_reloading() or held.over.is_set():
                    return  # by ourselves: the store knows the new config a moment before we use it
                log.error("superseded", extra={"error": str(error)})  # noqa: TRY400 - its text is for people
                self.code = TRY_LATER
                self.stop.set()

        return step

    async def _deliver(self, held: Held) -> None:
        """Send what is due. A way out that is shut is left alone for a while, longer each time."""
        if self._broken is not None:
            raise self._broken  # somebody has to look first, and start us again
        now = clock()
        resting = {name for name, shut in self._shut.items() if now < shut.until}
        try:
            delivered = await dispatch.deliver(
                held.line,
                stop=held.over,
                progress=self._goes_on("deliver"),
                resting=resting,
                trouble=self._has_trouble,
                shut=self._is_shut,
                watch=self._watch,
            )
        except LedgerBroken as error:
            self._broken = error
            raise
        finally:
            self._trouble = None  # how the round ended says it from here on
        for name in held.line.publishers.keys() - resting - delivered.waiting.keys():
            self._shut.pop(name, None)

    def _is_shut(self, channel: str) -> None:
        self._shut[channel] = Shut.again(self._shut.get(channel), clock())

    def _has_trouble(self, said: str | None) -> None:
        """A ledger out of reach is tried again for most of a minute; health must not wait for the end."""
        self._trouble = said

    async def _compose(self, line: Line) -> None:
        composed = await pipeline.compose(line, line.clock(), late=LATE)
        if composed.problems:
            raise DigestError("; ".join(composed.problems))

    async def _answer_signups(self, held: Held) -> None:
        await held.line.store.signups.answer(clock())

    async def _prune(self, held: Held) -> None:
        head = await clear_up(held.line.store, held.settings, clock())
        if head is not None:
            log.info("consent ledger", extra={"head": str(head), "lines": head.length})

    async def _tidy(self, held: Held) -> None:
        await shelving.tidy(held.line, clock(), progress=self._goes_on("archive"))

    async def _report(self, held: Held) -> None:
        wanted = held.settings.report
        await report.file_due(held.line, wanted.schedule, wanted.to, clock())

    # ------------------------------------------------------------ web

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """The pages of the settings in force."""
        await self._app(scope, receive, send)

    def at_once(self, path: str, method: str, headers: Iterable[Header]) -> Answer | None:
        """A document that lies ready in memory."""
        ready: Answer | None = self._app.at_once(path, method, headers)
        return ready

    def _build_app(self) -> Any:
        settings, line = self.current.settings, self.current.line
        return build_app(
            WebLent(
                site=line.site,
                store=self._store,
                links=line.links,
                renderer=renderer(line.templates),
                clock=clock,
                health=self.health,
                feed_state=feed_state,
                ip_key=hmac.digest(settings.secret, b"digest network key v1", "sha256"),
                trusted_proxies=settings.web.trusted_proxies,
                signup=SignupLimits(**dataclasses.asdict(settings.web.signup)),
                dev_inbox=inbox_is_local(settings) and is_loopback(self._host or ""),
                private_feeds=private_feeds(settings, line),
            )
        )

    async def health(self) -> Health:
        """Is the database there, and does every step of this process end well?"""
        checks: dict[str, str] = {}
        try:
            async with asyncio.timeout(ANSWER_WITHIN.total_seconds()):
                await self._store.check()
            checks["database"] = "ok"
        except NotReady as error:
            checks["database"] = f"red: {self._unnamed(error)}"
        except TimeoutError:
            checks["database"] = f"red: no answer within {ANSWER_WITHIN.total_seconds():.0f} seconds"
        if self._file_is_gone():
            checks["database"] = f"red: {FILE_GONE}"
        beats: Mapping[str, datetime] = self.scheduler.beats()
        errors = self.scheduler.errors()
        for role in self.roles:
            silent = clock() - beats.get(role, self._started)
            if role in errors:
                checks[role] = f"red: {self._unnamed(errors[role])}"
            elif silent > SILENT_AFTER:
                checks[role] = f"red: has not ended well for {silent.total_seconds() / 60:.0f} minutes"
            else:
                checks[role] = "ok"
        if self._trouble is not None and "deliver" in self.roles:
            checks["deliver"] = f"red: {self._unnamed(self._trouble)}"
        for name in self._shut:  # no reason to take the pages away from readers; the log has the particulars
            checks[name] = "waits: its way out is shut; letters go out when it opens again"
        return Health(ok=not any(said.startswith("red") for said in checks.values()), checks=checks)

    def _unnamed(self, error: object) -> str:
        """Health may be seen by strangers: where the database is stays in the log."""
        return str(error).replace(f"{self._store.name}: ", "")

    def _file_is_gone(self) -> bool:
        """SQLite goes on with a file that was deleted, and nothing written there is ever seen again."""
        return self._file is not None and self._file != _identity(self._file_path)

    # ------------------------------------------------------------ reload

    def _is_reloading(self) -> bool:
        return self._reloading is not None and not self._reloading.done()

    def reload(self) -> None:
        """SIGHUP. A second one while the first is under way is left out."""
        if not self._is_reloading() and not self.stop.is_set():
            self._reloading = asyncio.get_running_loop().create_task(self._reload())

    async def _reload(self) -> None:
        try:
            settings = load(self._path)
            self._must_fit(settings)
            stack = AsyncExitStack()
            line = await stack.enter_async_context(build_line(settings, self._store, clock))
            try:
                await adopt(self._store, settings, clock())
            except BaseException:
                await stack.aclose()
                raise
        except DigestError as error:
            log.error("config not reloaded, the old one stays in force", extra={"error": str(error)})  # noqa: TRY400 - its text is for people
            return
        self.current.replace(settings, line, stack)
        self._shut.clear()
        if self._host is not None:
            self._app = self._build_app()
        await self.refresh()
        log.info("config reloaded", extra={"newsletters": len(settings.newsletters)})

    def _must_fit(self, settings: Settings) -> None:
        now = self.current.settings
        if settings.database != now.database:
            raise DigestError("`database` cannot change while the service runs; restart it")
        if (settings.secret, settings.former_secrets) != (now.secret, now.former_secrets):
            raise DigestError("`secret` cannot change while the service runs; restart it")

    async def refresh(self) -> None:
        """Bring up to date what channels show between issues: at the start, and after a reload."""
        async with self.current.use() as held:
            await shelving.refresh(held.line)

    async def close(self) -> None:
        if self._reloading is not None:
            self._reloading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reloading
        await self.current.close()


class _Server(uvicorn.Server):
    """uvicorn in our own loop: the signals are ours."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    path: str,
    *,
    roles: tuple[str, ...],
    address: tuple[str, int] | None,
    announce: Callable[[str], None],
) -> int:
    """Run until told to stop. address: where the pages listen; None: no web. Returns the exit code."""
    listening = listen(*address) if address else None
    try:
        async with open_house(path) as house:
            running = Running(path, house, roles, address[0] if address else None)
            try:
                return await _until_stopped(running, house, listening, announce)
            finally:
                await running.close()
    finally:
        if listening is not None:
            listening.close()


async def _until_stopped(
    running: Running, house: House, listening: socket.socket | None, announce: Callable[[str], None]
) -> int:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.stop.set)
    loop.add_signal_handler(signal.SIGHUP, running.reload)
    web: asyncio.Task[None] | None = None
    server: _Server | None = None
    if listening is not None:
        server = _Server(
            uvicorn.Config(
                running.app,
                http=quick_http(running.at_once),
                log_config=None,
                access_log=False,  # addresses of pages hold tokens; they are never logged
                interface="asgi3",  # a bound method is not recognized as one
                lifespan="off",
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=10,
            )
        )
        web = asyncio.create_task(server.serve(sockets=[listening]))
        await _say_where(house, listening, announce)
    refreshing: asyncio.Task[None] | None = None
    if running.roles:
        running.scheduler.start()
    if "deliver" in running.roles:
        refreshing = asyncio.create_task(running.refresh())
    # What is there now stays: the collector need not walk through it (0.1 s) while somebody waits for a page.
    gc.freeze()
    log.info("running", extra={"roles": ",".join(running.roles) or "web"})
    stopping = asyncio.create_task(running.stop.wait())
    await asyncio.wait({stopping, *([web] if web else [])}, return_when=asyncio.FIRST_COMPLETED)
    running.stop.set()
    running.current.held.over.set()
    log.info("stopping")
    if server is not None:
        server.should_exit = True  # its own grace runs along with that of the letters
    if refreshing is not None:
        refreshing.cancel()
        await asyncio.wait({refreshing})
    await running.scheduler.stop(grace=GRACE)
    if web is not None:
        await web
    await stopping
    log.info("stopped")
    return running.code


async def _say_where(house: House, listening: socket.socket, announce: Callable[[str], None]) -> None:
    host, port = listening.getsockname()[:2]
    announce(f"listening on http://{f'[{host}]' if ':' in host else host}:{port}")
    latest = [
        issue for slug in house.line.newsletters for issue in await house.store.issues.latest(slug, limit=1)
    ]
    for name, url in house.urls(latest).items():
        announce(f"{name:18} {url}")


def _identity(path: Path | None) -> tuple[int, int] | None:
    """Which file stands at a path now; None: none, or there is no path."""
    try:
        found = None if path is None else path.stat()
    except OSError:
        return None
    return None if found is None else (found.st_dev, found.st_ino)

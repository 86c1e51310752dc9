"""Engines, transactions and the differences between the two databases.

SQLite: readers are deferred and `query_only`, so a page never waits for a writer; all writing of a process
goes through one queue and one connection (`BEGIN IMMEDIATE`), because SQLAlchemy's default transactions lose
updates silently. PostgreSQL: one pool. On both, a transaction that has begun runs to its end even when its
caller is cancelled, and an error of COMMIT reaches the caller.

Whatever the database cannot do now (locked, full, unreachable, read-only) becomes `NotReady`, in plain words.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast
from urllib.parse import quote

from sqlalchemy import BigInteger, Table, any_, event, func, literal, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import DataError as BadData
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement

from digest.model import DigestError, NotReady
from digest.store.tables import counters

log = logging.getLogger(__name__)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

BUSY_SECONDS = 5.0
PAUSE_AFTER_COMMIT = 0.002  # seconds; without it a busy process starves the writers of all others (FACTS 7.1)
PARAMETERS = 500  # how many values go into one IN (…) or VALUES; SQLite takes 32,766 parameters a statement
READY_LOCK, SCHEMA_LOCK, SYNC_LOCK = 0x64696731, 0x64696732, 0x64696733  # advisory locks on PostgreSQL
_TRY_AGAIN = {"40001", "40P01"}  # PostgreSQL: serialization failure, deadlock


class Work(Protocol[T_co]):
    """What a transaction does. It changes nothing else: after a deadlock it is run again from its start."""

    def __call__(self, connection: AsyncConnection, /) -> Awaitable[T_co]: ...


class clock(ColumnElement[int]):  # noqa: N801 - written in statements like the SQL function that it is
    """The database's own clock in microseconds: the only one that leases know."""

    inherit_cache = True
    type = BigInteger()


@compiles(clock, "sqlite")
def _sqlite_clock(element: clock, compiler: SQLCompiler, **kw: Any) -> str:
    # SQLite 3.40 has no unixepoch('now','subsec'): it returns NULL (FACTS 7.1).
    return "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"


@compiles(clock, "postgresql")
def _postgresql_clock(element: clock, compiler: SQLCompiler, **kw: Any) -> str:
    # clock_timestamp() would defeat the index (FACTS 7.7).
    return "CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000000 AS BIGINT)"


class Database:
    """One database, open. `pepper` keys the hashes of suppressed addresses; it is never rotated."""

    def __init__(self, url: str) -> None:
        parsed = _read_url(url)
        self.pepper = b""
        self.name = make_url(url).render_as_string(hide_password=True)
        self.path: Path | None = None
        self._running: set[asyncio.Task[Any]] = set()
        self._open_readings = 0
        self._no_reading = asyncio.Event()
        self._no_reading.set()
        self._closed = False
        if parsed.get_backend_name() == "sqlite":
            self.dialect = "sqlite"
            self.path = Path(cast(str, parsed.database))
            self._writing = _sqlite_writer(parsed)
            self._reading = _sqlite_readers(parsed, self.path)
            self._writer: _Writer | None = _Writer(self._commit)
        else:
            self.dialect = "postgresql"
            self._writing = _postgresql(parsed)
            # The same snapshot for all statements of one reading, as SQLite's WAL gives it by itself.
            self._reading = self._writing.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            self._writer = None

    @contextmanager
    def _plain_words(self) -> Iterator[None]:
        try:
            yield
        except PoolTimeout as error:
            raise NotReady(f"{self.name}: all connections are in use; try again in a moment") from error
        except (IntegrityError, ProgrammingError, BadData):
            raise  # a mistake of ours, not a state of the database
        except DBAPIError as error:
            raise NotReady(f"{self.name}: {_words(self.dialect, error)}") from error

    async def start(self) -> None:
        """Reach the database. SQLite: makes the file, turns WAL on. Raises NotReady."""
        with self._plain_words():
            if self.dialect == "sqlite":
                await self._turn_wal_on()
            else:
                async with self._writing.connect() as connection:
                    await connection.execute(select(1))
        if self._writer is not None:
            self._writer.start()

    async def _turn_wal_on(self) -> None:
        # WAL is a property of the file, and SQLite does not wait when two processes change it at once.
        for patience in range(100):
            try:
                async with self._writing.connect() as connection:
                    driver = (await connection.get_raw_connection()).driver_connection
                    await cast(Any, driver).execute("PRAGMA journal_mode=WAL")
                return
            except DBAPIError as error:
                if "locked" not in str(error.orig) or patience == 99:
                    raise
                await asyncio.sleep(BUSY_SECONDS / 100)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise NotReady(f"{self.name}: it is being closed")

    async def close(self) -> None:
        """Finish what is being written and read, and let go of every connection."""
        self._closed = True
        if self._writer is not None:
            await self._writer.stop()
        if self._running:
            await asyncio.wait(self._running)
        await self._no_reading.wait()
        # An engine that is not disposed keeps the process alive: aiosqlite's threads are no daemons.
        await self._reading.dispose()
        await self._writing.dispose()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection that can only read, and sees one state of the database throughout."""
        self._refuse_if_closed()  # a connection made now would never be closed
        self._open_readings += 1
        self._no_reading.clear()
        try:
            with self._plain_words():
                async with self._reading.connect() as connection:
                    yield connection
        finally:
            self._open_readings -= 1
            if not self._open_readings:
                self._no_reading.set()

    async def write(self, work: Work[T]) -> T:
        """Do this work in one transaction and give back its result once it is committed.

        A caller that is cancelled while its work waits takes it back; once begun it is carried through.
        """
        self._refuse_if_closed()
        if self._writer is not None:
            return cast(T, await self._writer.do(work))
        task = asyncio.create_task(self._commit(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _commit(self, work: Work[T]) -> T:
        with self._plain_words():
            for _ in range(5):
                try:
                    async with self._writing.begin() as connection:
                        return await work(connection)
                except DBAPIError as error:
                    if getattr(error.orig, "sqlstate", None) not in _TRY_AGAIN:
                        raise
            async with self._writing.begin() as connection:
                return await work(connection)

    def insert(self, table: Table) -> postgresql.Insert:
        """An INSERT that knows ON CONFLICT. (SQLAlchemy has a class per dialect with the same methods.)"""
        if self.dialect == "sqlite":
            return cast(postgresql.Insert, sqlite.insert(table))
        return postgresql.insert(table)

    def among(self, column: ColumnElement[int], ids: Sequence[int]) -> ColumnElement[bool]:
        """The column is one of these, however many: they travel as one parameter, not as thousands."""
        if self.dialect == "postgresql":
            return column == any_(literal(list(ids), postgresql.ARRAY(BigInteger)))
        values = func.json_each(json.dumps(list(ids))).table_valued("value")
        return column.in_(select(values.c.value))

    async def lock(self, connection: AsyncConnection, key: int) -> None:
        """One at a time, over all processes, until this transaction ends. On SQLite every writer is alone."""
        if self.dialect == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})

    async def count_up(self, connection: AsyncConnection, name: str, by: int) -> int:
        """Move a counter in this transaction; its value afterwards. The row is locked until the end."""
        statement = (
            counters.update()
            .where(counters.c.name == name)
            .values(value=counters.c.value + by)
            .returning(counters.c.value)
        )
        return int((await connection.execute(statement)).scalar_one())


@dataclass(frozen=True, slots=True)
class _Job:
    work: Work[Any]
    answer: asyncio.Future[Any]


class _Writer:
    """The only writer of this process on SQLite: one job, one transaction, one after another."""

    def __init__(self, commit: Callable[[Work[Any]], Awaitable[Any]]) -> None:
        self._commit = commit
        self._jobs: asyncio.Queue[_Job | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._work_off())

    async def do(self, work: Work[Any]) -> Any:
        if self._task is None or self._task.done():
            raise NotReady("the database is being closed")
        job = _Job(work, asyncio.get_running_loop().create_future())
        self._jobs.put_nowait(job)
        return await job.answer

    async def _work_off(self) -> None:
        try:
            while (job := await self._jobs.get()) is not None:
                if job.answer.done():  # its caller was cancelled while it waited
                    continue
                await self._answer(job)
                await asyncio.sleep(PAUSE_AFTER_COMMIT)
        finally:
            while not self._jobs.empty():
                left = self._jobs.get_nowait()
                if left is not None and not left.answer.done():
                    left.answer.set_exception(NotReady("the database was closed"))

    async def _answer(self, job: _Job) -> None:
        try:
            result = await self._commit(job.work)
        except asyncio.CancelledError:
            if not job.answer.done():
                job.answer.set_exception(NotReady("the database was closed"))
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to the caller; the writer goes on
            if job.answer.done():
                log.warning("abandoned transaction failed", extra={"error": str(error)})
            else:
                job.answer.set_exception(error)
        else:
            if not job.answer.done():
                job.answer.set_result(result)

    async def stop(self) -> None:
        """Finish what was asked for, then end."""
        if self._task is not None and not self._task.done():
            self._jobs.put_nowait(None)
            await asyncio.wait([self._task])


def chunks(items: Sequence[T], size: int = PARAMETERS) -> Iterator[Sequence[T]]:
    """The items in pieces that fit into one statement."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


# ---------------------------------------------------------------- engines


def _read_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise DigestError(
            f"database: {url.split(':')[0]!r} … is no URL we know: sqlite:///file.db or postgresql://…"
        ) from None
    if parsed.drivername in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername != "sqlite":
        raise DigestError(
            f"database: {parsed.drivername}: is not supported; use sqlite:///file.db or postgresql://…"
        )
    if not parsed.database or parsed.database == ":memory:":
        raise DigestError("database: SQLite needs a file, like sqlite:///subscribers.db")
    return parsed.set(drivername="sqlite+aiosqlite")


def _patience(url: URL) -> dict[str, Any]:
    """Driver-level autocommit: we begin transactions ourselves. `?timeout=1` in the URL: seconds to wait."""
    return {"isolation_level": None, "timeout": float(str(url.query.get("timeout", BUSY_SECONDS)))}


def _sqlite_writer(url: URL) -> AsyncEngine:
    engine = create_async_engine(url, pool_size=1, max_overflow=0, connect_args=_patience(url))
    _set_up(engine, begin="BEGIN IMMEDIATE", pragmas=("foreign_keys=ON", "synchronous=FULL"))
    return engine


def _sqlite_readers(url: URL, path: Path) -> AsyncEngine:
    # mode=rw: a file that was taken away is an error, not a new empty database.
    url = url.set(database=f"file:{quote(str(path))}", query={**url.query, "mode": "rw", "uri": "true"})
    engine = create_async_engine(url, pool_size=4, max_overflow=4, connect_args=_patience(url))
    _set_up(engine, begin="BEGIN", pragmas=("query_only=ON",))
    return engine


def _set_up(engine: AsyncEngine, *, begin: str, pragmas: Sequence[str]) -> None:
    @event.listens_for(engine.sync_engine, "do_connect")
    def _try_first(_dialect: object, _record: object, arguments: Any, options: Any) -> None:
        # aiosqlite starts a thread for each connection; that of one which cannot be opened outlives the event
        # loop and complains there. So it is found out here.
        sqlite3.connect(arguments[0], uri=options.get("uri", False)).close()

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        try:
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            connection.close()  # nobody else would
            raise

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def _postgresql(url: URL) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=5,
        max_overflow=10,
        pool_timeout=30,
        pool_pre_ping=True,  # the server may have been restarted since
        connect_args={
            key: value
            for key, value in {"connect_timeout": 5, "application_name": "digest"}.items()
            if key not in url.query
        },
    )


# ---------------------------------------------------------------- errors in words

_SQLITE_WORDS = (
    (
        "locked",
        "another process is writing to it and does not end; try again in a moment (database is locked)",
    ),
    ("unable to open", "it cannot be opened: does its folder exist, and may we write there?"),
    ("readonly", "it may only be read: look at the owner and the rights of the file and of its folder"),
    ("disk is full", "the disk is full"),
    ("disk I/O error", "the disk under it is full or failing (disk I/O error)"),
    ("not a database", "the file is not a SQLite database"),
    ("malformed", "the file is damaged (database disk image is malformed); bring back a backup"),
)


def _words(dialect: str, error: DBAPIError) -> str:
    said = str(error.orig).strip() or type(error.orig).__name__
    if dialect == "sqlite":
        found = (words for fragment, words in _SQLITE_WORDS if fragment in said)
        return next(found, said)
    return f"the server cannot do this now: {' '.join(said.split())}"


def copy_file(source: Path, target: Path) -> None:
    """A complete copy of a SQLite database in use, in one new file. Blocking; raises NotReady."""
    if target.exists():
        raise NotReady(f"{target} is there already; a backup never overwrites")
    try:
        connection = sqlite3.connect(f"file:{quote(str(source))}?mode=rw", uri=True, timeout=BUSY_SECONDS)
        try:
            connection.execute("VACUUM INTO ?", (str(target),))
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise NotReady(f"{source} could not be copied to {target}: {error}") from error

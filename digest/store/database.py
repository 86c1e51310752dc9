"""Engines, transactions and the differences between the two databases.

SQLite: readers are deferred and `query_only`, so a page never waits for a writer; all writing of a process
goes through one queue, a transaction at a time (`BEGIN IMMEDIATE`), because SQLAlchemy's default transactions
lose updates silently. PostgreSQL: one pool. On both, a transaction that has begun runs to its end even when
its caller is cancelled, and an error of COMMIT reaches the caller.

Whatever the database cannot do now (locked, full, unreachable, read-only) becomes `NotReady`, in plain words.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlalchemy import BigInteger, Connection, Table, TextClause, any_, func, literal, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError as BadData
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement

from digest.model import NotReady
from digest.store.chain import Keys
from digest.store.engines import (
    BUSY_SECONDS,
    in_words,
    postgresql_engine,
    read_url,
    sqlite_readers,
    sqlite_writer,
    take_turn,
    touch_file,
)
from digest.store.tables import counters
from digest.store.writer import Work, Writer

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

T = TypeVar("T")

PARAMETERS = 500  # how many values go into one IN (…) or VALUES; SQLite takes 32,766 parameters a statement
READY_LOCK, SCHEMA_LOCK, SYNC_LOCK, PULL_LOCK = range(0x64696731, 0x64696735)  # advisory, on PostgreSQL
_TRY_AGAIN = {"40001", "40P01"}  # PostgreSQL: serialization failure, deadlock


class clock(ColumnElement[int]):  # noqa: N801 - written in statements like the SQL function that it is
    """The database's own clock in microseconds: the only one that leases know."""

    inherit_cache = True
    type = BigInteger()


CLOCK = {
    # SQLite 3.40 has no unixepoch('now','subsec'): it returns NULL (FACTS 7.1).
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
    # clock_timestamp() would defeat the index (FACTS 7.7).
    "postgresql": "CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000000 AS BIGINT)",
}
"""How each database says it."""


@compiles(clock, "sqlite")
@compiles(clock, "postgresql")
def _clock(element: clock, compiler: SQLCompiler, **kw: Any) -> str:
    return CLOCK[compiler.dialect.name]


Run = Callable[[str, Mapping[str, Any]], list[tuple[Any, ...]]]
"""Executes one statement (with `:name` parameters) and gives its rows."""


@dataclass(frozen=True, slots=True)
class _Quick:
    """Work that is done in one go on the driver's own connection, without SQLAlchemy in between."""

    work: Callable[[Run], Any]
    durable: bool


@dataclass(frozen=True, slots=True)
class _Unhurried:
    """Work that is durable only together with what is committed after it."""

    work: Work[Any]


class Database:
    """One database, open. `pepper` keys the hashes of suppressed addresses; it is never rotated. `keys` seal
    the consent ledger; None until the database was claimed with a secret."""

    def __init__(self, url: str) -> None:
        parsed = read_url(url)
        self.pepper = b""
        self.keys: Keys | None = None
        self.name = make_url(url).render_as_string(hide_password=True)
        self.path: Path | None = None
        self._running: set[asyncio.Task[Any]] = set()
        self._open_readings = 0
        self._no_reading = asyncio.Event()
        self._no_reading.set()
        self._closed = False
        self._held: tuple[AsyncConnection, Any] | None = None
        if parsed.get_backend_name() == "sqlite":
            self.dialect = "sqlite"
            self.path = Path(cast(str, parsed.database))
            self._writing = sqlite_writer(parsed)
            self._reading = sqlite_readers(parsed, self.path)
            self._writer: Writer | None = Writer(self._commit)
        else:
            self.dialect = "postgresql"
            self._writing = postgresql_engine(parsed)
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
            raise NotReady(f"{self.name}: {in_words(self.dialect, error.orig or error)}") from error
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise
        except sqlite3.Error as error:
            raise NotReady(f"{self.name}: {in_words(self.dialect, error)}") from error

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
        deadline = asyncio.get_running_loop().time() + BUSY_SECONDS
        while True:
            try:
                await asyncio.to_thread(touch_file, cast(Path, self.path))
                async with self._writing.connect() as connection:
                    driver = (await connection.get_raw_connection()).driver_connection
                    await cast(Any, driver).execute("PRAGMA journal_mode=WAL")
                return
            except (sqlite3.Error, DBAPIError) as error:
                said = error.orig if isinstance(error, DBAPIError) else error
                if "locked" not in str(said) or asyncio.get_running_loop().time() > deadline:
                    raise NotReady(f"{self.name}: {in_words(self.dialect, said or error)}") from error
                await asyncio.sleep(0.05)

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
        await self._let_go()
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

    async def write(self, work: Work[T], *, durable: bool = True) -> T:
        """Do this work in one transaction and give back its result once it is committed.

        A caller that is cancelled while its work waits takes it back; once begun it is carried through.

        durable: False for a part of something long that can go on where it stopped: nobody waits for the
        disk. When the machine fails, the last parts may be lost; what is committed later with True is durable
        together with them, whoever commits it, as both databases write one log.
        """
        self._refuse_if_closed()
        if not durable:
            work = cast(Work[T], _Unhurried(work))
        if self._writer is not None:
            return cast(T, await self._writer.do(work))
        task = asyncio.create_task(self._commit(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def write_quickly(self, work: Callable[[Run], T], *, durable: bool = True) -> T:
        """`write` for the hot paths: a function that runs a few plain statements and never waits.

        durable: False for what may be lost when the machine fails, and this process with it. SQLite does not
        wait for the disk then; what is committed later is durable together with it.

        On SQLite all of it is one trip to the connection's thread, BEGIN and COMMIT included: SQLAlchemy and
        a trip for each of a handful of statements took five times as long as the database (measured).
        """
        return cast(T, await self.write(cast(Any, _Quick(work, durable))))

    async def by_hand(
        self, connection: AsyncConnection, work: Callable[[sqlite3.Connection | Connection], T]
    ) -> T:
        """Run a function within the transaction of this connection: on SQLite with the driver's own one, in
        one trip to its thread; on PostgreSQL with SQLAlchemy's blocking face, for `exec_driver_sql`."""
        if self.dialect == "sqlite":
            driver = cast(Any, (await connection.get_raw_connection()).driver_connection)
            return cast(T, await driver._execute(work, driver._conn))
        return await connection.run_sync(work)

    async def _commit(self, work: Work[T]) -> T:
        with self._plain_words():
            if isinstance(work, _Quick):
                return cast(T, await self._commit_quickly(work))
            if isinstance(work, _Unhurried):
                return cast(T, await self._commit_unhurried(work.work))
            for _ in range(5):
                try:
                    async with self._writing.begin() as connection:
                        return await work(connection)
                except DBAPIError as error:
                    if getattr(error.orig, "sqlstate", None) not in _TRY_AGAIN:
                        raise
            async with self._writing.begin() as connection:
                return await work(connection)

    async def _commit_unhurried(self, work: Work[T]) -> T:
        if self.dialect != "sqlite":

            async def unhurried(connection: AsyncConnection) -> T:
                await connection.execute(text("SET LOCAL synchronous_commit TO off"))
                return await work(connection)

            return await self._commit(unhurried)
        async with self._writing.connect() as connection:
            driver = cast(Any, (await connection.get_raw_connection()).driver_connection)
            try:
                await driver.execute("PRAGMA synchronous=NORMAL")
                async with connection.begin():
                    return await work(connection)
            finally:
                try:
                    await driver.execute("PRAGMA synchronous=FULL")
                except BaseException:
                    await connection.invalidate()  # the next one is opened anew, and is careful
                    raise

    async def _commit_quickly(self, quick: _Quick) -> Any:
        if self.dialect == "sqlite":
            driver = await self._driver()
            try:
                # The one thing that aiosqlite has no public name for: a function of ours in its thread.
                return await driver._execute(_in_one_go, driver._conn, quick)
            except sqlite3.Error:
                await self._let_go()  # whatever is wrong with it, the next one is opened anew
                raise

        def perform(connection: Connection) -> Any:
            def run(statement: str, asked: Mapping[str, Any]) -> list[tuple[Any, ...]]:
                found = connection.execute(_text(statement), asked)
                return [tuple(row) for row in found] if found.returns_rows else []

            return quick.work(run)

        async def work(connection: AsyncConnection) -> Any:
            return await connection.run_sync(perform)

        return await self._commit(work)

    async def _driver(self) -> Any:
        """The connection of the hot paths. It is kept: to take one from SQLAlchemy's pool and to give it back
        are further trips to its thread, and took as long as a small transaction."""
        if self._held is None:
            connection = await self._writing.connect()
            self._held = connection, (await connection.get_raw_connection()).driver_connection
        return self._held[1]

    async def _let_go(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            await held[0].close()

    def insert(self, table: Table) -> postgresql.Insert:
        """An INSERT that knows ON CONFLICT. (SQLAlchemy has a class per dialect with the same methods.)"""
        if self.dialect == "sqlite":
            return cast("postgresql.Insert", sqlite.insert(table))
        from sqlalchemy.dialects import postgresql  # it takes long to load

        return postgresql.insert(table)

    def among(self, column: ColumnElement[int], ids: Sequence[int]) -> ColumnElement[bool]:
        """The column is one of these, however many: they travel as one parameter, not as thousands."""
        if self.dialect == "postgresql":
            from sqlalchemy.dialects import postgresql

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


@lru_cache(maxsize=64)
def _text(statement: str) -> TextClause:
    return text(statement)


def _in_one_go(connection: sqlite3.Connection, quick: _Quick) -> Any:
    """A whole transaction, in the thread that has the connection."""
    if quick.durable:
        return _alone(connection, quick.work)
    connection.execute("PRAGMA synchronous=NORMAL")  # in WAL mode: a commit writes, and does not sync
    try:
        return _alone(connection, quick.work)
    finally:
        connection.execute("PRAGMA synchronous=FULL")


def _alone(connection: sqlite3.Connection, work: Callable[[Run], T]) -> T:

    def run(statement: str, asked: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        return connection.execute(statement, asked).fetchall()

    take_turn(connection)
    try:
        answer = work(run)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return answer


def chunks(items: Sequence[T], size: int = PARAMETERS) -> Iterator[Sequence[T]]:
    """The items in pieces that fit into one statement."""
    for start in range(0, len(items), size):
        yield items[start : start + size]

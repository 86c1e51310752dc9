"""Transactions are real ones, whatever happens to those who asked for them."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from store_values import NOW, newsletter, synced

from digest.model import DigestError, NotReady
from digest.store import Store
from digest.store.database import Database, Run

pytestmark = pytest.mark.asyncio


async def remember(connection, name: str) -> None:  # type: ignore[no-untyped-def]
    await connection.execute(text("INSERT INTO meta (name, value) VALUES (:name, '')"), {"name": name})


async def remembered(store: Store) -> set[str]:
    async with store._database.reading() as connection:
        rows = await connection.execute(text("SELECT name FROM meta WHERE name NOT IN ('pepper')"))
        return set(rows.scalars())


# ---------------------------------------------------------------- transactions


async def test_a_transaction_that_fails_leaves_nothing_and_the_next_goes_on(store: Store) -> None:
    async def fail(connection) -> None:  # type: ignore[no-untyped-def]
        await remember(connection, "half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store._database.write(fail)
    await store._database.write(lambda connection: remember(connection, "whole"))
    assert await remembered(store) == {"whole"}


async def test_an_error_of_commit_reaches_the_caller(store: Store) -> None:
    async def prepare(connection) -> None:  # type: ignore[no-untyped-def]
        await connection.execute(text("CREATE TABLE parents (id INTEGER PRIMARY KEY)"))
        await connection.execute(
            text("CREATE TABLE children (parent INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED)")
        )

    async def orphan(connection) -> str:  # type: ignore[no-untyped-def]
        await remember(connection, "orphan")
        await connection.execute(text("INSERT INTO children VALUES (1)"))
        return "done"  # only COMMIT finds out

    await store._database.write(prepare)
    with pytest.raises(IntegrityError):
        await store._database.write(orphan)
    assert await remembered(store) == set()
    await store._database.write(lambda connection: remember(connection, "next"))
    assert await remembered(store) == {"next"}


async def test_a_caller_who_is_cancelled_does_not_stop_the_others(store: Store) -> None:
    started, finish = asyncio.Event(), asyncio.Event()

    async def slow(connection) -> None:  # type: ignore[no-untyped-def]
        await remember(connection, "in flight")
        started.set()
        await finish.wait()

    async def after(connection) -> None:  # type: ignore[no-untyped-def]
        await remember(connection, "after")

    async def queued(connection) -> None:  # type: ignore[no-untyped-def]
        await remember(connection, "queued")

    in_flight = asyncio.create_task(store._database.write(slow))
    await started.wait()
    waiting = asyncio.create_task(store._database.write(queued)) if store.dialect == "sqlite" else None
    await asyncio.sleep(0)
    for task in (in_flight, waiting):
        if task is not None:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    finish.set()
    async with asyncio.timeout(10):
        await store._database.write(after)
        await asyncio.gather(*store._database._running)  # on PostgreSQL they go side by side
    assert await remembered(store) == {"in flight", "after"}, "begun is carried through, queued is taken back"


async def test_many_callers_cancelled_at_random_leave_a_writer_that_works(store: Store) -> None:
    tasks = [
        asyncio.create_task(store._database.write(lambda connection, n=n: remember(connection, f"n{n}")))  # type: ignore[misc]
        for n in range(60)
    ]
    for number, task in enumerate(tasks):
        if number % 3 == 0:
            await asyncio.sleep(0.002)
            task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    await store._database.write(lambda connection: remember(connection, "last"))
    kept = await remembered(store)
    assert "last" in kept
    for number, result in enumerate(results):
        assert result is None or isinstance(result, asyncio.CancelledError)
        if result is None:
            assert f"n{number}" in kept, "it was told that this is committed"


async def test_closing_finishes_what_was_asked_for_and_refuses_what_comes_after(store_url: str) -> None:
    store = await Store.open(store_url)
    tasks = [
        asyncio.create_task(store._database.write(lambda connection, n=n: remember(connection, f"n{n}")))  # type: ignore[misc]
        for n in range(10)
    ]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*tasks)
    with pytest.raises(NotReady, match="being closed"):
        await store.newsletters.all()
    with pytest.raises(NotReady, match="being closed"):
        await store.set_config("late")
    again = await Store.open(store_url)
    try:
        assert len(await remembered(again)) == 10
    finally:
        await again.close()


async def test_closing_waits_for_pages_that_are_being_read(store_url: str) -> None:
    store = await Store.open(store_url)
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def page() -> object:
        async with store._database.reading() as connection:
            reading.set()
            await go_on.wait()
            return (await connection.execute(text("SELECT count(*) FROM counters"))).scalar_one()

    task = asyncio.create_task(page())
    await reading.wait()
    closing = asyncio.create_task(store.close())
    await asyncio.sleep(0.01)
    assert not closing.done()
    go_on.set()
    await closing
    assert await task == 2


async def test_readers_cannot_write(store: Store) -> None:
    with pytest.raises((NotReady, DBAPIError)):
        async with store._database.reading() as connection:
            await remember(connection, "sneaked in")
    assert await remembered(store) == set()


async def test_a_reading_sees_one_state_throughout(store: Store) -> None:
    await synced(store)
    async with store._database.reading() as connection:
        before = (await connection.execute(text("SELECT count(*) FROM newsletters"))).scalar_one()
        await synced(store, newsletter(), newsletter("local"))
        assert (await connection.execute(text("SELECT count(*) FROM newsletters"))).scalar_one() == before
    assert len(await store.newsletters.all()) == 2


async def test_a_page_does_not_wait_for_a_writer(store: Store) -> None:
    writing, finish = asyncio.Event(), asyncio.Event()

    async def slow(connection) -> None:  # type: ignore[no-untyped-def]
        await remember(connection, "slow")
        writing.set()
        await finish.wait()

    task = asyncio.create_task(store._database.write(slow))
    await writing.wait()
    try:
        async with asyncio.timeout(20):  # an IMMEDIATE reader waits until the writer ends, and it does not
            for _ in range(20):
                assert await store.newsletters.all() == []
    finally:
        finish.set()
        await task


async def test_a_deadlock_is_run_again_and_both_get_through(postgres_url: str) -> None:
    store = await Store.open(postgres_url)
    met = asyncio.Barrier(2)
    runs: list[str] = []

    def crossing(first: str, second: str):  # type: ignore[no-untyped-def]
        async def work(connection) -> None:  # type: ignore[no-untyped-def]
            runs.append(first)
            touch = text("UPDATE counters SET value = value + 1 WHERE name = :name")
            await connection.execute(touch, {"name": first})
            if len(runs) <= 2:
                await met.wait()
            await connection.execute(touch, {"name": second})

        return work

    try:
        async with asyncio.timeout(20):
            await asyncio.gather(
                store._database.write(crossing("ready", "documents")),
                store._database.write(crossing("documents", "ready")),
            )
        assert len(runs) > 2  # mostly 3; on a busy machine the second try may meet the other one again
        assert await store.documents.version() == 2
    finally:
        await store.close()


# ---------------------------------------------------------------- what SQLite is told


async def test_sqlite_is_as_durable_as_it_can_be(sqlite_url: str) -> None:
    store = await Store.open(sqlite_url)
    pragmas = ("journal_mode", "synchronous", "foreign_keys", "query_only", "busy_timeout")

    async def ask(connection) -> list[object]:  # type: ignore[no-untyped-def]
        return [(await connection.execute(text(f"PRAGMA {name}"))).scalar_one() for name in pragmas]

    try:
        assert await store._database.write(ask) == ["wal", 2, 1, 0, 5000]
        async with store._database.reading() as connection:
            assert (await ask(connection))[3] == 1
    finally:
        await store.close()


# ---------------------------------------------------------------- what cannot be done now


async def test_a_database_that_another_process_holds_is_not_ready_and_then_is(
    sqlite_url: str, tmp_path: Path
) -> None:
    store = await Store.open(f"{sqlite_url}?timeout=0.1")
    other = sqlite3.connect(tmp_path / "subscribers.db", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(NotReady, match=r"another process is writing.*database is locked"):
            await store.check()
        assert await store.newsletters.all() == [], "pages go on"
        other.execute("ROLLBACK")
        await store.check()
    finally:
        other.close()
        await store.close()


async def test_a_full_disk_is_not_ready_and_then_is(sqlite_url: str) -> None:
    store = await Store.open(sqlite_url)

    async def pages(connection, limit: str):  # type: ignore[no-untyped-def]
        return (await connection.execute(text(f"PRAGMA max_page_count = {limit}"))).scalar_one()

    async def keep(number: int) -> None:
        await store.inbox.keep(
            recipient="a@example.org", subject="", message_id=str(number), body=b"x" * 500_000, now=NOW
        )

    try:
        await store._database.write(lambda connection: pages(connection, "100"))
        with pytest.raises(NotReady, match="disk is full"):
            await keep(1)
        assert await store.inbox.list() == []
        await store._database.write(lambda connection: pages(connection, "1000000"))
        await keep(1)
        assert len(await store.inbox.list()) == 1
    finally:
        await store.close()


async def test_a_file_that_was_taken_away_is_not_ready_for_new_readers(
    sqlite_url: str, tmp_path: Path
) -> None:
    store = await Store.open(sqlite_url)
    try:
        await store._database._reading.dispose()
        (tmp_path / "subscribers.db").rename(tmp_path / "elsewhere.db")
        with pytest.raises(NotReady, match="cannot be opened"):
            await store.newsletters.all()
        assert not (tmp_path / "subscribers.db").exists(), "an empty one was made in its place"
    finally:
        await store.close()


async def test_connections_that_were_cut_are_replaced(postgres_url: str) -> None:
    store = await Store.open(postgres_url)

    async def cut(connection) -> None:  # type: ignore[no-untyped-def]
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )

    try:
        await asyncio.gather(*(store.newsletters.all() for _ in range(5)))
        await store._database.write(cut)
        await asyncio.gather(*(store.check() for _ in range(5)))
        with pytest.raises(NotReady):
            await store._database.write(
                lambda connection: connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
            )
        await store.check()
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("mysql://u:secret@h/d", "not supported"),
        ("subscribers.db", "no URL"),
    ],
)
async def test_a_url_we_do_not_know_is_refused_in_words(url: str, words: str) -> None:
    with pytest.raises(DigestError, match=words) as refused:
        Database(url)
    assert "secret" not in str(refused.value)


# ---------------------------------------------------------------- what waits for the disk


async def test_what_need_not_be_durable_says_so_for_itself_only(sqlite_url: str) -> None:
    def synchronous(run: Run) -> int:
        return int(run("PRAGMA synchronous", {})[0][0])

    def fails(run: Run) -> None:
        raise ZeroDivisionError(synchronous(run))

    store = await Store.open(sqlite_url)
    write = store._database.write_quickly
    normal, full = 1, 2
    try:
        assert await write(synchronous) == full
        assert await write(synchronous, durable=False) == normal
        assert await write(synchronous) == full
        with pytest.raises(ZeroDivisionError, match=str(normal)):
            await write(fails, durable=False)
        assert await write(synchronous) == full
    finally:
        await store.close()


async def test_a_part_of_something_long_does_not_wait_for_the_disk(store: Store) -> None:
    on_sqlite = store._database.dialect == "sqlite"
    asked = "PRAGMA synchronous" if on_sqlite else "SHOW synchronous_commit"

    async def synchronous(connection: AsyncConnection) -> str:
        return str((await connection.execute(text(asked))).scalar_one())

    async def fails(connection: AsyncConnection) -> None:
        await remember(connection, "half")
        raise ZeroDivisionError(await synchronous(connection))

    write = store._database.write
    # Tests' own PostgreSQL may not wait for the disk anyway.
    waiting, going_on = ("2", "1") if on_sqlite else (await write(synchronous), "off")
    for _ in range(3):
        assert await write(synchronous) == waiting
        assert await write(synchronous, durable=False) == going_on
        with pytest.raises(ZeroDivisionError, match=going_on):
            await write(fails, durable=False)
    assert await write(synchronous) == waiting
    assert await remembered(store) == set()

"""Opening a database: new, old, too new, not there; and what belongs to the whole of it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from store_processes import together
from store_values import MINUTE, NOW, newsletter, synced, told

from digest.model import NotReady
from digest.store import Store, migrations
from digest.store.database import Database
from digest.store.schema import prepare
from digest.store.tables import metadata

pytestmark = pytest.mark.asyncio


# ---------------------------------------------------------------- schema


async def test_the_list_of_revisions_is_that_of_the_files() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations.FOLDER))
    scripts = ScriptDirectory.from_config(config)
    assert tuple(reversed([script.revision for script in scripts.walk_revisions()])) == migrations.REVISIONS


async def test_the_migrations_make_the_tables_that_the_code_knows(store: Store) -> None:
    def differences(connection):  # type: ignore[no-untyped-def]
        # The words that stories are found by lie in a table of each database's own kind.
        options = {"include_name": lambda name, kind, _parents: kind != "table" or "story_words" not in name}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    async with store._database.reading() as connection:
        found = await connection.run_sync(differences)
    assert found == []


async def test_the_migrations_make_the_very_schema_on_sqlite(sqlite_url: str, tmp_path: Path) -> None:
    await (await Store.open(sqlite_url)).close()
    plain = create_engine(f"sqlite:///{tmp_path / 'plain.db'}")
    metadata.create_all(plain)
    plain.dispose()

    def schema(path: Path) -> dict[str, list[str]]:
        connection = sqlite3.connect(path)
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        connection.close()
        # The order in which a table names its constraints says nothing.
        return {
            name: sorted(" ".join(sql.split()).replace(" )", ")").replace("))", ")").split(", "))
            for name, sql in rows
            if name != "alembic_version"
        }

    assert schema(tmp_path / "subscribers.db") == schema(tmp_path / "plain.db")


async def test_the_migrations_make_the_very_indexes_on_postgresql(
    postgres_url: str, empty_postgres_url: str
) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine

    plain = create_async_engine(empty_postgres_url.replace("postgresql:", "postgresql+psycopg:"))
    store = await Store.open(postgres_url)
    indexes = text(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    )
    try:
        async with plain.begin() as connection:
            await connection.run_sync(metadata.create_all)
            wanted = set((await connection.execute(indexes)).scalars())
        async with store._database.reading() as connection:
            assert set((await connection.execute(indexes)).scalars()) == wanted
    finally:
        await plain.dispose()
        await store.close()


async def test_sqlite_migrates_by_itself_and_without_a_backup_when_it_is_new(
    sqlite_url: str, tmp_path: Path
) -> None:
    store = await Store.open(sqlite_url)
    await store.close()
    assert [path.name for path in tmp_path.iterdir()] == ["subscribers.db"]


async def test_a_relative_file_is_relative_to_where_we_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = await Store.open("sqlite:///here 100%.db")
    await synced(store)
    assert len(await store.newsletters.all()) == 1
    await store.close()
    assert (tmp_path / "here 100%.db").exists()


async def test_sqlite_is_not_migrated_when_asked_not_to(sqlite_url: str) -> None:
    with pytest.raises(NotReady, match="digest db upgrade"):
        await Store.open(sqlite_url, migrate=False)
    assert await Store.upgrade(sqlite_url) == migrations.REVISIONS[-1]
    await (await Store.open(sqlite_url, migrate=False)).close()


async def test_an_older_file_is_copied_beside_itself_before_it_is_migrated(
    sqlite_url: str, tmp_path: Path
) -> None:
    store = await Store.open(sqlite_url)
    await synced(store)
    await store.close()
    folder = tmp_path / "migrations"
    shutil.copytree(migrations.FOLDER, folder)
    newest = migrations.REVISIONS[-1]
    (folder / "versions" / "9999_more.py").write_text(
        "from alembic import op\n"
        "import sqlalchemy as sa\n"
        f"revision, down_revision = '9999', '{newest}'\n"
        "def upgrade():\n"
        "    op.add_column('newsletters', sa.Column('more', sa.Text()))\n"
    )
    newer = {"revisions": (*migrations.REVISIONS, "9999"), "folder": folder, "migrate": None}
    for expected in (1, 1):
        database = Database(sqlite_url)
        try:
            await database.start()
            await prepare(database, **newer)  # type: ignore[arg-type]
            async with database.reading() as connection:
                rows = (await connection.execute(text("SELECT slug, more FROM newsletters"))).all()
            assert [tuple(row) for row in rows] == [("world", None)]
        finally:
            await database.close()
        copies = list(tmp_path.glob("*.backup"))
        assert len(copies) == expected
    assert copies[0].name == f"subscribers.db.{newest}.backup"
    old = await Store.open(f"sqlite:///{copies[0]}")
    assert len(await old.newsletters.all()) == 1
    await old.close()
    with pytest.raises(NotReady, match="newer release"):
        await Store.open(sqlite_url)


async def test_feeds_of_the_first_release_get_their_hosts(sqlite_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    shutil.copytree(migrations.FOLDER, folder)
    for later in (folder / "versions").glob("0*.py"):
        if not later.name.startswith("0001"):
            later.unlink()
    database = Database(sqlite_url)
    try:
        await database.start()
        await prepare(database, migrate=None, revisions=("0001",), folder=folder)
        async with database._writing.begin() as connection:
            for url in ("https://Example.org:443/feed.xml", "city.xml", "http://u:p@example.org:8080/a"):
                await connection.execute(
                    text(
                        "INSERT INTO feeds (url, address, gone, next_poll_at, interval) "
                        "VALUES (:url, :url, 0, 0, 0)"
                    ),
                    {"url": url},
                )
    finally:
        await database.close()
    store = await Store.open(sqlite_url)
    async with store._database.reading() as connection:
        hosts = (await connection.execute(text("SELECT host FROM feeds ORDER BY id"))).scalars().all()
    await store.close()
    assert hosts == ["example.org", "city.xml", "example.org:8080"]


async def test_a_migration_that_fails_leaves_the_old_schema(sqlite_url: str, tmp_path: Path) -> None:
    await (await Store.open(sqlite_url)).close()
    folder = tmp_path / "migrations"
    shutil.copytree(migrations.FOLDER, folder)
    (folder / "versions" / "9999_bad.py").write_text(
        "from alembic import op\n"
        f"revision, down_revision = '9999', '{migrations.REVISIONS[-1]}'\n"
        "def upgrade():\n"
        "    op.execute('CREATE TABLE half (x INTEGER)')\n"
        "    raise ZeroDivisionError\n"
    )
    database = Database(sqlite_url)
    try:
        await database.start()
        with pytest.raises(ZeroDivisionError):
            await prepare(database, migrate=None, revisions=(*migrations.REVISIONS, "9999"), folder=folder)
    finally:
        await database.close()
    store = await Store.open(sqlite_url)
    async with store._database.reading() as connection:
        tables = (await connection.execute(text("SELECT name FROM sqlite_master WHERE name = 'half'"))).all()
    await store.close()
    assert tables == []


async def test_a_schema_of_a_newer_release_is_left_alone(store: Store, store_url: str) -> None:
    async def pretend(connection) -> None:  # type: ignore[no-untyped-def]
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    await store._database.write(pretend)
    for attempt in (Store.open(store_url), Store.open(store_url, migrate=True), Store.upgrade(store_url)):
        with pytest.raises(NotReady, match="newer release"):
            await attempt


async def test_postgresql_is_migrated_only_when_asked_and_by_one_at_a_time(empty_postgres_url: str) -> None:
    with pytest.raises(NotReady, match="digest db upgrade"):
        await Store.open(empty_postgres_url)
    revisions = await asyncio.gather(*(Store.upgrade(empty_postgres_url) for _ in range(3)))
    assert set(revisions) == {migrations.REVISIONS[-1]}
    store = await Store.open(empty_postgres_url)
    assert store.dialect == "postgresql"
    await store.check()
    await store.close()


async def test_two_processes_open_a_new_file_at_once(sqlite_url: str) -> None:
    names = await together(*[("say_path", sqlite_url)] * 3)
    assert names == [sqlite_url] * 3


# ---------------------------------------------------------------- not possible now


async def test_a_missing_folder_is_not_ready_in_words(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="does its folder exist"):
        await Store.open(f"sqlite:///{tmp_path}/nowhere/subscribers.db")


async def test_a_file_that_is_no_database_is_not_ready_in_words(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader, " * 500)
    with pytest.raises(NotReady, match="not a SQLite database"):
        await Store.open(f"sqlite:///{path}")
    assert path.read_text().startswith("Dear reader")


async def test_a_server_that_is_not_there_is_not_ready_and_no_password_is_shown() -> None:
    with pytest.raises(NotReady, match=r"127\.0\.0\.1") as refused:
        await Store.open("postgresql://digest:s3cret@127.0.0.1:1/digest")
    assert "s3cret" not in str(refused.value)


async def test_a_database_that_is_not_there_is_not_ready(postgres_url: str) -> None:
    with pytest.raises(NotReady, match="does not exist"):
        await Store.open(postgres_url.replace("test_", "nowhere_"))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody can look into (pytest's own is for us alone)."""
    folder = Path(tempfile.mkdtemp(prefix="digest-store-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


async def test_a_file_that_may_only_be_read_is_not_ready_in_words(open_folder: Path) -> None:
    path = open_folder / "subscribers.db"
    await (await Store.open(f"sqlite:///{path}")).close()
    path.chmod(0o444)
    open_folder.chmod(0o555)
    script = (
        "import aiosqlite, asyncio, concurrent.futures.thread, os\n"
        "from digest.model import NotReady\n"
        "from digest.store import Store\n"
        "async def main():\n"
        "    try:\n"
        f"        store = await Store.open('sqlite:///{path}')\n"
        "    except NotReady as error:\n"
        "        return print(error)\n"
        "    try:\n"
        "        await store.check()\n"
        "    except NotReady as error:\n"
        "        print(error)\n"
        "    finally:\n"
        "        await store.close()\n"
        # Root may write everything: be somebody else, once everything is loaded that the second run needs.
        "asyncio.run(main())\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "asyncio.run(main())\n"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
        )
    finally:
        open_folder.chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert "it may only be read" in done.stdout or "may we write there" in done.stdout
    assert os.access(path, os.R_OK)


# ---------------------------------------------------------------- the whole of it


async def test_another_secret_is_refused(store: Store) -> None:
    await store.claim_identity(b"one", "hash", NOW)
    await store.claim_identity(b"one", None, NOW)
    with pytest.raises(NotReady, match="another secret"):
        await store.claim_identity(b"two", "hash", NOW)
    await store.claim_identity(b"one", "hash", NOW)


async def test_of_two_first_processes_with_different_secrets_one_is_refused(store: Store) -> None:
    answers = await asyncio.gather(
        *(store.claim_identity(secret, None, NOW) for secret in (b"one", b"two")), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["NoneType", "NotReady"]


async def test_the_config_that_was_announced_last_is_known_to_all(store: Store) -> None:
    assert await store.same_config("a")
    await store.claim_identity(b"one", "a", NOW)
    await store.claim_identity(b"one", "b", NOW)  # the first one stands until somebody announces another
    assert (await store.same_config("a"), await store.same_config("b")) == (True, False)
    await store.set_config("b")
    assert (await store.same_config("a"), await store.same_config("b")) == (False, True)


async def test_check_names_the_database_without_its_password(store: Store, store_url: str) -> None:
    assert (await store.check()).split("?")[0] == store_url.split("?")[0]


async def test_a_backup_of_sqlite_is_complete_and_never_overwrites(sqlite_url: str, tmp_path: Path) -> None:
    store = await Store.open(sqlite_url)
    copy = tmp_path / "a 'copy'.db"
    try:
        await synced(store, newsletter(recipients=("me@example.org",)))
        await store.backup(copy)
        with pytest.raises(NotReady, match="there already"):
            await store.backup(copy)
        with pytest.raises(NotReady, match="could not be copied"):
            await store.backup(tmp_path / "nowhere" / "copy.db")
        await synced(store)
    finally:
        await store.close()
    opened = await Store.open(f"sqlite:///{copy}")
    try:
        (mine,) = await opened.subscriptions.of("me@example.org")
        assert mine.status == "active"
        assert not await opened.subscriptions.is_suppressed("me@example.org")
    finally:
        await opened.close()


async def test_a_backup_of_postgresql_is_left_to_pg_dump(postgres_url: str, tmp_path: Path) -> None:
    store = await Store.open(postgres_url)
    try:
        with pytest.raises(NotReady, match="pg_dump"):
            await store.backup(tmp_path / "copy.db")
    finally:
        await store.close()


async def test_a_suppression_made_by_one_process_is_known_to_the_next(store: Store, store_url: str) -> None:
    await store.subscriptions.suppress("me@example.org", "bounced", NOW)
    other = await Store.open(store_url)
    try:
        assert await other.subscriptions.is_suppressed("me@example.org")
    finally:
        await other.close()


async def test_a_claim_outlives_the_process_that_took_it(store: Store, store_url: str) -> None:
    await synced(store)
    feed = await store.feeds.claim_now("https://city.example/feed.xml", lease=MINUTE)
    assert feed is not None
    other = await Store.open(store_url)
    try:
        assert await other.feeds.claim_due(NOW, limit=9, lease=MINUTE) == []
        assert await other.feeds.record_poll(replace(feed, title="T"), [], now=NOW) == 0
    finally:
        await other.close()
    assert (await store.feeds.get(feed.url)).feed.title == "T"
    await told(store)

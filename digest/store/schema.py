"""Is the schema ours? Older: bring it up to date, after a backup. Newer: leave it alone and say so."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import NotReady
from digest.store import migrations
from digest.store.database import SCHEMA_LOCK, Database
from digest.store.engines import copy_file

log = logging.getLogger(__name__)


async def prepare(
    database: Database,
    *,
    migrate: bool | None,
    revisions: Sequence[str] = migrations.REVISIONS,
    folder: Path = migrations.FOLDER,
) -> None:
    """Make sure the schema is the one this code knows. Raises NotReady."""
    have = await _current(database, revisions)
    if have == revisions[-1]:
        return
    if migrate is False or (migrate is None and database.dialect == "postgresql"):
        state = "has no tables yet" if have is None else f"has the older schema {have}"
        raise NotReady(f"{database.name} {state}; run: digest db upgrade")
    if have is not None and database.path is not None:
        await asyncio.to_thread(_copy_beside, database.path, have)
    await upgrade(database, revisions=revisions, folder=folder)


async def upgrade(
    database: Database,
    *,
    revisions: Sequence[str] = migrations.REVISIONS,
    folder: Path = migrations.FOLDER,
) -> str:
    """Run what is missing, in one transaction, one process at a time. Raises NotReady when it is newer."""
    await _current(database, revisions)

    async def work(connection: AsyncConnection) -> None:
        await database.lock(connection, SCHEMA_LOCK)
        await connection.run_sync(migrations.upgrade, folder)

    await database.write(work)
    log.info("schema is up to date", extra={"revision": revisions[-1]})
    return revisions[-1]


async def _current(database: Database, revisions: Sequence[str]) -> str | None:
    async with database.reading() as connection:
        have = await connection.run_sync(migrations.current)
        if have is not None and have not in revisions:
            raise NotReady(
                f"{database.name} was made by a newer release (schema {have}; this one knows up to "
                f"{revisions[-1]}); update this installation"
            )
    return have


def _copy_beside(path: Path, revision: str) -> None:
    """`subscribers.db.0001.backup`, or with a number when that is there. Raises NotReady."""
    target, number = path.with_name(f"{path.name}.{revision}.backup"), 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.name}.{revision}.{number}.backup")
    copy_file(path, target)
    log.info("backup before the upgrade", extra={"file": str(target)})

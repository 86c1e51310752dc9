"""What the house remembers, on SQLite or on PostgreSQL: the same statements, the same meaning.

One method is one transaction, named for its intention; values of `model` go in and come out, and no row or
connection ever leaves. Doing a thing twice is harmless: unique keys decide who was first, and losing is a
quiet answer. Taking work is a lease by the database's own clock, with a fence against who wakes too late.

The store imports only `model`. What it cannot do now is `NotReady`.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import NotReady
from digest.store.articles import Articles
from digest.store.audit import Ledger
from digest.store.budgets import Budgets, prune_budgets
from digest.store.chain import Keys
from digest.store.database import Database
from digest.store.deliveries import Deliveries
from digest.store.documents import Documents
from digest.store.engines import copy_file
from digest.store.erasing import forget_unconfirmed
from digest.store.feed_archives import FeedArchives
from digest.store.feeds import Feeds
from digest.store.imports import Imports
from digest.store.inbox import Inbox
from digest.store.issues import Issues
from digest.store.mailbox import prune_letters
from digest.store.newsletters import Newsletters
from digest.store.notebook import Notebook
from digest.store.notices import Notices
from digest.store.owning import forget_changes
from digest.store.prune import prune_articles, prune_deliveries, prune_notes
from digest.store.schema import prepare, upgrade
from digest.store.seals import begin
from digest.store.search import Search
from digest.store.shelves import Shelves
from digest.store.signups import Signups
from digest.store.slots import Slots
from digest.store.subscriptions import Subscriptions
from digest.store.sync import remember
from digest.store.tables import counters, meta
from digest.store.windows import Windows

UNCONFIRMED = timedelta(days=7)  # who asked and never answered is remembered for so long


class Store:
    """Everything that must survive a restart. Open it with `Store.open`; always close it.

    dialect: "sqlite" or "postgresql".
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.dialect = database.dialect
        self.newsletters = Newsletters(database)
        self.feeds = Feeds(database)
        self.articles = Articles(database)
        self.windows = Windows(database)
        self.issues = Issues(database)
        self.slots = Slots(database)
        self.subscriptions = Subscriptions(database)
        self.signups = Signups(database)
        self.ledger = Ledger(database)
        self.imports = Imports(database)
        self.notices = Notices(database)
        self.notebook = Notebook(database)
        self.deliveries = Deliveries(database)
        self.documents = Documents(database)
        self.search = Search(database)
        self.shelves = Shelves(database)
        self.feed_archives = FeedArchives(database)
        self.inbox = Inbox(database)
        self.budgets = Budgets(database)

    @property
    def name(self) -> str:
        """The database's URL without its password: how errors call it."""
        return self._database.name

    @classmethod
    async def open(cls, url: str, *, migrate: bool | None = None) -> Store:
        """Open `sqlite:///file.db` or `postgresql://user:password@host/name`. Raises NotReady.

        migrate: bring an older schema up to date. None: on SQLite yes (with a backup beside the file, when it
        holds anything), on PostgreSQL no: other processes may be at work, so `digest db upgrade` does it.
        """
        database = Database(url)
        try:
            await database.start()
            await prepare(database, migrate=migrate)
            database.pepper = await _pepper(database)
        except BaseException:
            await database.close()
            raise
        return cls(database)

    @classmethod
    async def upgrade(cls, url: str) -> str:
        """Bring the schema up to date, one process at a time; the revision it has then. Raises NotReady."""
        database = Database(url)
        try:
            await database.start()
            return await upgrade(database)
        finally:
            await database.close()

    async def close(self) -> None:
        """Finish what is being written and let go of every connection."""
        await self._database.close()

    async def backup(self, path: Path) -> None:
        """A complete copy of a SQLite database, while it is in use, into a new file. Raises NotReady."""
        if self._database.path is None:
            raise NotReady("on PostgreSQL, make backups with pg_dump (its own tools are the best there are)")
        await asyncio.to_thread(copy_file, self._database.path, path)

    async def check(self) -> str:
        """Read and write once; the name of the database, without its password. Raises NotReady."""

        async def work(connection: AsyncConnection) -> None:
            name, value = counters.c.name, counters.c.value
            await connection.execute(counters.update().where(name == "ready").values(value=value))

        async with self._database.reading() as connection:
            await connection.execute(select(counters.c.value))
        await self._database.write(work)
        return self._database.name

    async def is_noted(self, what: str) -> bool:
        """Whether this was noted, by this process or another."""
        async with self._database.reading() as connection:
            return await _meta(connection, what) is not None

    async def note(self, what: str, now: datetime) -> None:
        """Remember that this was done; to be done once."""

        async def work(connection: AsyncConnection) -> None:
            row = self._database.insert(meta).values(name=what, value=now.isoformat())
            await connection.execute(row.on_conflict_do_nothing())

        await self._database.write(work)

    async def claim_identity(
        self, secret: bytes, config_hash: str | None, now: datetime, *, former: Sequence[bytes] = ()
    ) -> None:
        """The first process leaves a fingerprint of the secret, and what config it has; one that comes with
        another secret gets NotReady: its links and those in letters already sent would not agree.

        former: secrets that were in use before this one. When the fingerprint is one of theirs, the secret
        has been rotated: it is this one's from now on. The consent ledger is sealed with the secret.
        """
        mark = _fingerprint(secret)
        formerly = [_fingerprint(each) for each in former]

        async def work(connection: AsyncConnection) -> str:
            for name, value in (("secret", mark), ("config", config_hash)):
                if value is not None:
                    row = self._database.insert(meta).values(name=name, value=value)
                    await connection.execute(row.on_conflict_do_nothing())
            known = await _meta(connection, "secret") or ""
            if known in formerly:
                await remember(self._database, connection, "secret", mark)
                return mark
            return known

        if not hmac.compare_digest(await self._database.write(work), mark):
            raise NotReady(
                f"{self._database.name} was made with another secret; bring the old secret file back, "
                "or every link in letters already sent is dead"
            )
        self._database.keys = Keys.of((secret, *former))
        await begin(self._database, now)

    async def same_config(self, config_hash: str) -> bool:
        """Whether this is the config that was announced last (or none was)."""
        async with self._database.reading() as connection:
            known = await _meta(connection, "config")
        return known in (None, config_hash)

    async def set_config(self, config_hash: str) -> None:
        """Announce the config that composes from now on."""

        async def work(connection: AsyncConnection) -> None:
            await remember(self._database, connection, "config", config_hash)

        await self._database.write(work)

    async def prune(self, now: datetime, *, deliveries: timedelta, articles: timedelta) -> dict[str, int]:
        """Let go of deliveries at rest, and of told articles with what was noted about them, that are older
        than this, and of counts that do not matter any more; how many of each."""
        return {
            "deliveries": await prune_deliveries(self._database, now - deliveries),
            "articles": await prune_articles(self._database, now - articles),
            "notes": await prune_notes(self._database, now - articles),
            "budgets": await prune_budgets(self._database, now),
            "unconfirmed": await forget_unconfirmed(self._database, now - UNCONFIRMED, now),
            "limits": await prune_letters(self._database, now),
            "changes": await forget_changes(self._database, now),
        }


def _fingerprint(secret: bytes) -> str:
    return hmac.new(secret, b"digest identity", hashlib.sha256).hexdigest()


async def _meta(connection: AsyncConnection, name: str) -> str | None:
    found: str | None = (
        await connection.execute(select(meta.c.value).where(meta.c.name == name))
    ).scalar_one_or_none()
    return found


async def _pepper(database: Database) -> bytes:
    """The key of the suppression hashes: made once, with the database, and never changed."""
    async with database.reading() as connection:
        known = await _meta(connection, "pepper")
    if known is None:

        async def work(connection: AsyncConnection) -> str | None:
            row = database.insert(meta).values(name="pepper", value=secrets.token_hex(32))
            await connection.execute(row.on_conflict_do_nothing())
            return await _meta(connection, "pepper")

        known = await database.write(work)
    return bytes.fromhex(known or "")

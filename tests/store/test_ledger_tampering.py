"""Whoever can write to the database, and has no secret, changes nothing about consent unseen."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from consent_lives import LATER, SECRET, live
from store_values import NOW, newsletter, synced

from digest.model import SubscriptionStatus
from digest.store import Store
from digest.store.chain import Head
from postgres_databases import create, drop


@dataclass(frozen=True)
class Lived:
    """A database full of histories. numbers: of the persons, by name."""

    url: str
    numbers: dict[str, int]

    def tamper(self, act: str) -> None:
        """SQL statements past all our code, foreign keys and triggers, with `{name}` for persons."""
        statements = [part for part in act.format(**self.numbers).split(";") if part.strip()]
        if self.url.startswith("sqlite"):
            with sqlite3.connect(self.url.removeprefix("sqlite:///")) as connection:
                for statement in statements:
                    connection.execute(statement)
            connection.close()
            return
        with psycopg.connect(self.url) as server:
            server.execute(b"SET session_replication_role = replica")
            for statement in statements:
                server.execute(statement.encode())

    async def problems(self, *heads: Head) -> tuple[str, ...]:
        """What is found when the database is opened next."""
        store = await Store.open(self.url)
        try:
            await store.claim_identity(SECRET, None, LATER)
            return (await store.ledger.verify(heads=heads)).problems
        finally:
            await store.close()


async def _lived(url: str) -> dict[str, int]:
    store = await Store.open(url)
    try:
        await store.claim_identity(SECRET, None, NOW)
        return await live(store)
    finally:
        await store.close()


@pytest.fixture(scope="session")
def _sqlite_lives(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    path = tmp_path_factory.mktemp("lives") / "lived.db"
    shutil.copyfile(_sqlite_template, path)
    return Lived(f"sqlite:///{path}", asyncio.run(_lived(f"sqlite:///{path}")))


@pytest.fixture(scope="session")
def _postgres_lives(postgres_server: str, _postgres_template: str) -> Iterator[tuple[str, dict[str, int]]]:
    name = create(postgres_server, _postgres_template)
    yield name, asyncio.run(_lived(postgres_server.format(database=name)))
    drop(postgres_server, name)


@pytest.fixture
def on_sqlite(_sqlite_lives: Lived, tmp_path: Path) -> Lived:
    copy = tmp_path / "subscribers.db"
    shutil.copyfile(_sqlite_lives.url.removeprefix("sqlite:///"), copy)
    return Lived(f"sqlite:///{copy}", _sqlite_lives.numbers)


@pytest.fixture
def on_postgresql(postgres_server: str, _postgres_lives: tuple[str, dict[str, int]]) -> Iterator[Lived]:
    name = create(postgres_server, _postgres_lives[0])
    yield Lived(postgres_server.format(database=name), _postgres_lives[1])
    drop(postgres_server, name)


@pytest.fixture(params=["sqlite", "postgresql"])
def lived(request: pytest.FixtureRequest) -> Lived:
    found: Lived = request.getfixturevalue(f"on_{request.param}")
    return found


# ---------------------------------------------------------------- all is well


@pytest.mark.asyncio
async def test_no_history_looks_like_a_changed_one(lived: Lived) -> None:
    assert await lived.problems() == ()


# ---------------------------------------------------------------- the order that counts is the sealed one

TURN = "UPDATE consents SET id = -id WHERE subscriber_id = "
"""The newest line of a person has the lowest id then."""


@pytest.mark.asyncio
async def test_a_no_is_not_undone_by_renumbering(lived: Lived) -> None:
    lived.tamper(
        f"{TURN} {{left}};"
        " UPDATE subscriptions SET status = 'active', left_at = NULL WHERE subscriber_id = {left}"
    )
    problems = await lived.problems()
    assert any("is active, but its last word is no" in problem for problem in problems), problems


@pytest.mark.asyncio
async def test_ids_decide_neither_who_may_come_back_nor_whom_the_config_takes_in_again(lived: Lived) -> None:
    store = await Store.open(lived.url)
    try:
        await store.claim_identity(SECRET, None, LATER)
        [reader] = await store.subscriptions.of("reader@example.org")
        await store.subscriptions.remove("world", reader.address, now=LATER)
        lived.tamper(f"{TURN} {{reader}}; {TURN} {{out}}")
        assert await store.subscriptions.undo(reader.id, evidence={}, now=LATER) is None, "an admin said no"
        listed = newsletter("list", recipients=("out@example.org",))
        await synced(store, newsletter("world"), newsletter("local"), listed)
        [out] = await store.subscriptions.of("out@example.org")
        assert out.status == SubscriptionStatus.ACTIVE, "only the config had said no"
    finally:
        await store.close()

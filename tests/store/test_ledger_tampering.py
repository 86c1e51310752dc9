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

from digest.model import DigestError, SubscriptionStatus
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


@pytest.mark.asyncio
async def test_histories_from_before_the_chain_are_well_too(store: Store) -> None:
    await live(store)
    await store.claim_identity(SECRET, None, LATER)
    found = await store.ledger.verify()
    assert (found.problems, found.found, found.found_at) == ((), found.head.length, LATER)


# ---------------------------------------------------------------- somebody was here


def forged(seq: str) -> str:
    """A yes of their own for somebody who left, and the subscription to it."""
    return (
        "INSERT INTO consents (subscriber_id, newsletter, at, event, source, evidence, seq, person, mark,"
        f" link, key_id, sealed_at) SELECT subscriber_id, newsletter, at, 'yes', source, evidence, {seq},"
        " person, mark, link, key_id, sealed_at FROM consents WHERE subscriber_id = {left} AND event = 'yes';"
        " UPDATE subscriptions SET status = 'active', left_at = NULL WHERE subscriber_id = {left}"
    )


LAST = "(SELECT max(seq) FROM consents)"
CUT = f"DELETE FROM consents WHERE seq = {LAST}; UPDATE consent_heads SET length = {LAST}"
ROLLED = f"UPDATE consent_heads SET length = {LAST}, link = (SELECT link FROM consents WHERE seq = {LAST})"
EVIL = "UPDATE subscribers SET salt = NULL, address = 'evil@example.net' WHERE id = {reader}"
FORGET = "UPDATE consents SET evidence = '{{}}' WHERE subscriber_id = "
EMPTY = "UPDATE subscribers SET address = NULL, salt = NULL, hash = NULL WHERE id = "
OTHER_SALT = (
    "UPDATE subscribers SET salt = (SELECT s.salt FROM subscribers AS s WHERE s.id = {known}) WHERE id ="
)
OUT = " UPDATE subscriptions SET status = 'left', left_at = 1 WHERE subscriber_id = "

TAMPERING = {
    # the lines
    "UPDATE consents SET subscriber_id = {known} WHERE seq = 5": "line 5 is not as sealed",
    "UPDATE consents SET newsletter = 'local' WHERE seq = 5": "line 5 is not as sealed",
    "UPDATE consents SET at = at + 1 WHERE seq = 5": "line 5 is not as sealed",
    "UPDATE consents SET event = 'vouched' WHERE subscriber_id = {left} AND event = 'no'": "not as sealed",
    "UPDATE consents SET source = 'undo' WHERE seq = 5": "line 5 is not as sealed",
    "UPDATE consents SET person = mark WHERE seq = 5": "line 5 is not as sealed",
    "UPDATE consents SET mark = person WHERE seq = 5": "line 5 is not as sealed",
    "UPDATE consents SET link = mark WHERE seq = 5": "line 5 is not as sealed",
    "UPDATE consents SET link = NULL WHERE seq = 5": "line 5 is not as sealed",
    "UPDATE consents SET person = NULL WHERE seq = 5": "line 5 is not as sealed",
    "UPDATE consents SET mark = NULL WHERE seq = 5": "line 5 is not as sealed",
    "UPDATE consents SET key_id = NULL WHERE seq = 5": "line 5 is sealed with the key (none)",
    "UPDATE consents SET key_id = 'aaaaaaaa' WHERE seq = 5": "line 5 is sealed with the key aaaaaaaa",
    "UPDATE consents SET sealed_at = 5 WHERE seq = 5": "line 5 is not as sealed",
    "UPDATE consents SET evidence = 'x' WHERE subscriber_id = {reader} AND event = 'yes'": "what was shown",
    "UPDATE consents SET evidence = 'x' WHERE subscriber_id = {erased}": "what was shown",
    f"{FORGET} {{reader}}": "what was shown",
    "UPDATE consents SET evidence = (SELECT evidence FROM consents AS c WHERE c.subscriber_id = {reader}"
    " AND c.event = 'asked') WHERE subscriber_id = {reader}": "what was shown",
    "DELETE FROM consents WHERE seq = 5": "line 5 is missing",
    CUT: "the head is not the seal of the last line",
    "DELETE FROM consents": "missing at the end",
    "DELETE FROM consents; UPDATE consent_heads SET length = 0": "is in no line of the ledger",
    # their numbers
    "UPDATE consents SET seq = NULL WHERE seq = 5": "is on no chain",
    "UPDATE consents SET seq = -5 WHERE seq = 5": "is on no chain",
    "UPDATE consents SET seq = 0 WHERE seq = 5": "is on no chain",
    "UPDATE consents SET seq = 0 WHERE seq = 5; UPDATE consents SET seq = 5 WHERE seq = 6;"
    " UPDATE consents SET seq = 6 WHERE seq = 0": "lines 5 to 7 are not as sealed",
    forged("NULL"): "is on no chain",
    forged("-1"): "is on no chain",
    forged("0"): "is on no chain",
    forged(f"{LAST} + 1"): "behind the head",
    forged(f"{LAST} + 1") + f"; {ROLLED}": "not as sealed",
    "DROP INDEX ix_consents_seq; " + forged("5"): "line 5 is there twice",
    # the head
    "DELETE FROM consent_heads": "the head of the ledger is gone",
    "UPDATE consent_heads SET length = -5": "the head of the ledger is gone",
    "UPDATE consent_heads SET length = length + 1": "missing at the end",
    "UPDATE consent_heads SET link = begun": "the head is not the seal of the last line",
    "UPDATE consent_heads SET found_to = 100": "where the chain begins is not as it was sealed",
    "UPDATE consent_heads SET begun = link": "where the chain begins is not as it was sealed",
    "UPDATE consent_heads SET begun = NULL, found_to = NULL; " + forged("NULL"): (
        "the chain has not been begun"
    ),
    "UPDATE consent_heads SET begun = NULL, found_to = NULL, length = 0; "
    + forged("NULL"): "the chain has not been begun",
    # the persons
    "UPDATE subscribers SET address = 'evil@example.net' WHERE id = {reader}": "the person's address",
    "UPDATE subscribers SET address = 'mover@example.org' WHERE id = {moved}": "the person's address",
    f"{OTHER_SALT} {{reader}}": "the person's address",
    f"{EVIL}; {FORGET} {{reader}}": "has an address without its salt",
    "UPDATE subscribers SET salt = NULL WHERE id = {asking}": "has an address without its salt",
    "UPDATE subscribers SET hash = NULL WHERE id = {reader}": "has an address without its salt",
    "UPDATE subscribers SET hash = (SELECT s.hash FROM subscribers AS s WHERE s.id = {left})"
    " WHERE id = {reader}": "is not found by their address",
    "UPDATE meta SET value = '00' WHERE name = 'pepper'": "the pepper",
    "UPDATE subscribers SET hash = (SELECT s.hash FROM subscribers AS s WHERE s.id = {left})"
    " WHERE id = {erased}": "has no address, but",
    f"{EMPTY} {{reader}}; {FORGET} {{reader}}": "has no address, and the ledger does not say",
    f"{EMPTY} {{reader}}; {FORGET} {{reader}}; {OUT} {{reader}}": "has no address, and the ledger does not",
    f"{EMPTY} {{moved}}; {FORGET} {{moved}}; {OUT} {{moved}}": "has no address, and the ledger does not say",
    f"{EMPTY} {{second}}; {FORGET} {{second}}": "has no address, and the ledger does not say",
    f"{EMPTY} {{half}}; {FORGET} {{half}}; {OUT} {{half}}": "has no address, and the ledger does not say",
    f"{EMPTY} {{past}}; {FORGET} {{past}}": "has no address, and the ledger does not say",
    f"{EMPTY} {{past}}; {FORGET} {{past}}; DELETE FROM subscriptions WHERE subscriber_id = {{past}}": (
        "has no address, and the ledger does not say"
    ),
    f"DELETE FROM subscriptions WHERE subscriber_id = {{reader}}; {FORGET} {{reader}};"
    " DELETE FROM subscribers WHERE id = {reader}": "whose row was removed",
    "DELETE FROM subscribers WHERE id = {erased}": "whose row was removed",
    "INSERT INTO subscribers (address, created_at) VALUES ('new@example.org', 1)": "is in no line",
    # the subscriptions
    "UPDATE subscriptions SET status = 'active', left_at = NULL WHERE subscriber_id = {left}": (
        "is active, but its last word is no"
    ),
    "UPDATE subscriptions SET status = 'paused', left_at = NULL WHERE subscriber_id = {out}": (
        "is paused, but its last word is no"
    ),
    "UPDATE subscriptions SET status = 'active' WHERE subscriber_id = {asking}": "its last word is missing",
    "UPDATE subscriptions SET status = 'active' WHERE subscriber_id = {lapsed}": "its last word is missing",
    "UPDATE subscriptions SET status = 'active', left_at = NULL WHERE subscriber_id = {erased2}": (
        "is read by somebody who was erased"
    ),
    f"{OUT} {{reader}}": "is left, but its last word is yes",
    f"{OUT} {{undone}}": "is left, but its last word is yes",
    f"{OUT} {{listed}}": "is left, but its last word is vouched",
    "UPDATE subscriptions SET status = 'pending' WHERE subscriber_id = {reader}": "is pending, but",
    "UPDATE subscriptions SET status = 'pending', left_at = NULL WHERE subscriber_id = {left}": (
        "is pending, but"
    ),
    "UPDATE subscriptions SET status = 'asleep' WHERE subscriber_id = {reader}": "is asleep, but",
    "UPDATE subscriptions SET left_at = NULL WHERE subscriber_id = {left}": "has left, but not at any time",
    "UPDATE subscriptions SET left_at = 5 WHERE subscriber_id = {reader}": "has not left, but at some time",
    "UPDATE subscriptions SET newsletter = 'local' WHERE subscriber_id = {reader}": (
        "its last word is missing"
    ),
    "UPDATE subscriptions SET subscriber_id = {known} + 100 WHERE subscriber_id = {reader}": "is of nobody",
    "UPDATE subscriptions SET by_mail = FALSE WHERE subscriber_id = {reader}": "neither letters nor a feed",
    "UPDATE subscriptions SET feed_on = FALSE WHERE subscriber_id = {feed}": "neither letters nor a feed",
    "DELETE FROM subscriptions WHERE subscriber_id = {reader}": "and the subscription is gone",
}


# Each is looked for by code that both databases share; PostgreSQL has its turn with every third.
WHERE = [("sqlite", act) for act in TAMPERING] + [("postgresql", act) for act in list(TAMPERING)[::3]]


@pytest.mark.asyncio
@pytest.mark.parametrize(("lived", "act"), WHERE, indirect=["lived"])
async def test_what_was_changed_without_the_secret_is_named(lived: Lived, act: str) -> None:
    lived.tamper(act)
    problems = await lived.problems()
    assert any(TAMPERING[act] in problem for problem in problems), problems


ODD = {
    "UPDATE consents SET {column} = {value} WHERE seq = 5": (
        "subscriber_id newsletter at event source evidence person mark link key_id sealed_at"
    ),
    "UPDATE subscribers SET {column} = {value} WHERE id = {reader}": "address salt hash",
    "UPDATE consent_heads SET {column} = {value}": "length link found_to begun",
    "UPDATE subscriptions SET {column} = {value} WHERE subscriber_id = {reader}": (
        "subscriber_id newsletter status left_at by_mail"
    ),
}
VALUES = ("'abc'", "x'ff'", "CAST(x'ff' AS TEXT)", "-3", "2.5", "9000000000000000000", "''")


@pytest.mark.asyncio
@pytest.mark.parametrize(("act", "column"), [(act, one) for act in ODD for one in ODD[act].split()])
async def test_values_of_any_kind_are_findings_and_no_faults_of_ours(
    on_sqlite: Lived, tmp_path: Path, act: str, column: str
) -> None:
    """PostgreSQL takes none of them."""
    clean = tmp_path / "clean.db"
    shutil.copyfile(tmp_path / "subscribers.db", clean)
    for value in VALUES:
        if column == "by_mail" and value not in ("'abc'", "x'ff'", "''"):
            continue
        for kept in tmp_path.glob("subscribers.db*"):
            kept.unlink()
        shutil.copyfile(clean, tmp_path / "subscribers.db")
        on_sqlite.tamper(act.replace("{column}", column).replace("{value}", value))
        assert await on_sqlite.problems() != (), value


@pytest.mark.asyncio
@pytest.mark.parametrize("value", ["'abc'", "x'ff'", "2.5", "CAST(x'ff' AS TEXT)"])
async def test_a_number_of_any_kind_is_a_finding(on_sqlite: Lived, value: str) -> None:
    on_sqlite.tamper(f"UPDATE consents SET seq = {value} WHERE seq = 5")
    assert any("line 5 is missing" in one or "UTF-8" in one for one in await on_sqlite.problems())


@pytest.mark.asyncio
async def test_two_lines_of_one_number_are_found_also_where_two_pages_meet(
    lived: Lived, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.store.walk.PAGE", 5)
    assert await lived.problems() == ()
    lived.tamper("DROP INDEX ix_consents_seq; " + forged("5"))
    assert any("1 more lines have the number of another" in one for one in await lived.problems())


@pytest.mark.asyncio
async def test_lines_that_were_cut_off_with_the_head_rolled_back_need_a_printed_head(lived: Lived) -> None:
    """The newest line is somebody's no; only outside of the database is it known that it was there."""
    store = await Store.open(lived.url)
    try:
        await store.claim_identity(SECRET, None, LATER)
        [reader] = await store.subscriptions.of("reader@example.org")
        await store.subscriptions.leave(reader.id, evidence={}, now=LATER)
        printed = await store.ledger.head()
    finally:
        await store.close()
    assert await lived.problems(printed, Head()) == ()
    wrong = Head(printed.length, b"x" * 16)
    for heads in ((printed, wrong), (wrong, printed), (Head(0, b"x" * 16),)):
        assert any("another seal" in one for one in await lived.problems(*heads)), "each is looked for"
    lived.tamper(
        "UPDATE subscriptions SET status = 'active', left_at = NULL WHERE subscriber_id = {reader};"
        f" DELETE FROM consents WHERE seq = {printed.length}; {ROLLED}"
    )
    assert await lived.problems() == ()
    assert any("the newest lines were cut off" in one for one in await lived.problems(printed))


@pytest.mark.asyncio
async def test_nothing_is_written_behind_a_head_that_is_gone(lived: Lived) -> None:
    lived.tamper("DELETE FROM consent_heads")
    store = await Store.open(lived.url)
    try:
        await store.claim_identity(SECRET, None, LATER)
        with pytest.raises(DigestError, match="head of the consent ledger is gone"):
            await store.subscriptions.add("world", "n@example.org", source="cli", evidence={}, now=LATER)
        with pytest.raises(DigestError, match="head of the consent ledger is gone"):
            await store.ledger.head_of_the_day(LATER)
    finally:
        await store.close()


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

"""The consent ledger on its chain, in a real database: who changed the past, and where."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from store_values import DAY, NOW, readers, synced

from digest.model import DigestError
from digest.store import Store, migrations
from digest.store.chain import Head
from digest.store.database import Database
from digest.store.seals import _begun

pytestmark = pytest.mark.asyncio

SECRET = b"the secret of these tests, long enough"
ME = "reader1@example.org"


@pytest_asyncio.fixture
async def sealed(store: Store) -> Store:
    """A store with a chain, and five readers on it."""
    await store.claim_identity(SECRET, None, NOW)
    await synced(store)
    await readers(store, 5)
    return store


async def verdict(store: Store, *heads: Head) -> tuple[str, ...]:
    return (await store.ledger.verify(heads=heads)).problems


async def run(store: Store, *statements: str, **parameters: Any) -> None:
    async def work(connection: Any) -> None:
        for statement in statements:
            await connection.execute(text(statement), parameters)

    await store._database.write(work)


async def rows(store: Store, statement: str) -> Sequence[Any]:
    async with store._database.reading() as connection:
        return (await connection.execute(text(statement))).all()


# ---------------------------------------------------------------- all is well


async def test_every_line_is_on_the_chain_without_gaps(sealed: Store) -> None:
    (one, *_) = await sealed.subscriptions.list()
    await sealed.subscriptions.leave(one.id, evidence={"form": "one-click"}, now=NOW)
    await sealed.subscriptions.erase("reader2@example.org", NOW)
    numbers = [row.seq for row in await rows(sealed, "SELECT seq FROM consents ORDER BY id")]
    assert numbers == list(range(1, 8))
    found = await sealed.ledger.verify()
    assert found.problems == ()
    assert found.head == await sealed.ledger.head()
    assert found.head.length == 7


async def test_lines_of_many_at_once_are_numbered_in_the_order_in_which_they_commit(sealed: Store) -> None:
    async def come(number: int) -> None:
        asked = await sealed.subscriptions.request("world", f"p{number}@example.org", evidence={}, now=NOW)
        assert asked.subscription is not None
        await sealed.subscriptions.confirm(asked.subscription.id, evidence={}, now=NOW)
        if number % 2:
            await sealed.subscriptions.leave(asked.subscription.id, evidence={}, now=NOW)

    await asyncio.gather(*(come(number) for number in range(12)))
    found = await sealed.ledger.verify()
    assert found.problems == ()
    assert found.head.length == 5 + 12 * 2 + 6


async def test_erasing_deletes_salt_and_address_and_the_chain_still_verifies(sealed: Store) -> None:
    before = await sealed.ledger.head()
    asked = await sealed.subscriptions.request("world", "x@example.org", evidence={"form": "shown"}, now=NOW)
    assert asked.subscription is not None
    await sealed.subscriptions.erase("x@example.org", NOW)
    (row,) = await rows(sealed, f"SELECT * FROM subscribers WHERE id = {asked.subscription.subscriber_id}")
    assert (row.address, row.salt, row.hash) == (None, None, None)
    lines = await rows(sealed, "SELECT evidence FROM consents WHERE seq > 5")
    assert {line.evidence for line in lines} == {"{}"}
    assert await verdict(sealed, before) == ()


async def test_the_key_is_nowhere_in_the_database(sealed: Store) -> None:
    from digest.store.chain import Keys

    key = next(iter(Keys.of([SECRET]).by_id.values()))
    from digest.store.tables import metadata

    async with sealed._database.reading() as connection:
        for table in metadata.sorted_tables:
            for row in await connection.execute(table.select()):
                for value in row:
                    held = value if isinstance(value, bytes) else str(value).encode()
                    assert SECRET not in held
                    assert key not in held
                    assert key.hex().encode() not in held


# ---------------------------------------------------------------- somebody was here


@pytest.mark.parametrize(
    ("act", "told"),
    [
        ("UPDATE consents SET event = 'no' WHERE seq = 3", "line 3 is not as sealed"),
        ("UPDATE consents SET at = at + 1 WHERE seq = 3", "line 3 is not as sealed"),
        ("UPDATE consents SET source = 'web' WHERE seq = 3", "line 3 is not as sealed"),
        ("UPDATE consents SET newsletter = 'x' WHERE seq = 3", "line 3 is not as sealed"),
        ("UPDATE consents SET subscriber_id = 5 WHERE seq = 3", "line 3 is not as sealed"),
        ("UPDATE consents SET link = mark WHERE seq = 3", "line 3 is not as sealed"),
        ('UPDATE consents SET evidence = \'{"form":"x"}\' WHERE seq = 3', "line 3: what was shown"),
        ("DELETE FROM consents WHERE seq = 3", "line 3 is missing: removed from the middle"),
        ("DELETE FROM consents WHERE seq IN (2, 3)", "lines 2 to 3 are missing: removed from the middle"),
        ("DELETE FROM consents WHERE seq = 5", "line 5 is missing at the end"),
        ("UPDATE subscribers SET address = 'evil@example.org' WHERE id = 3", "line 3: the person's address"),
        ("UPDATE consents SET key_id = 'ffffffff' WHERE seq = 3", "line 3 is sealed with the key ffffffff"),
        (
            "INSERT INTO consents (subscriber_id, newsletter, at, event, source, evidence)"
            " VALUES (3, 'world', 1, 'yes', 'web', '{}')",
            "the row with the id 6 is on no chain",
        ),
        (
            "INSERT INTO consents (subscriber_id, newsletter, at, event, source, evidence, seq, person, mark,"
            " link, key_id) SELECT subscriber_id, newsletter, at, event, source, evidence, 6, person, mark,"
            " link, key_id FROM consents WHERE seq = 5",
            "line 6 is not as sealed",
        ),
        ("UPDATE consent_heads SET length = 5, link = begun", "the head is not the seal of the last line"),
        ("UPDATE consent_heads SET found_to = 99", "where the chain begins is not as it was sealed"),
        (
            "UPDATE subscribers SET address = NULL, salt = NULL, hash = NULL WHERE id = 3",
            "person 3 has no address, and the ledger does not say",
        ),
        (
            "UPDATE subscribers SET address = 'evil@example.org', salt = NULL WHERE id = 3;"
            " UPDATE consents SET evidence = '{}' WHERE subscriber_id = 3",
            "person 3 has an address without its salt",
        ),
        ("DELETE FROM consent_heads", "the head of the ledger is gone"),
    ],
)
async def test_a_changed_past_is_named_by_its_line(sealed: Store, act: str, told: str) -> None:
    await run(sealed, *act.split("; "))
    problems = await verdict(sealed)
    assert any(told in problem for problem in problems), problems


async def test_one_changed_line_is_one_finding_and_not_all_that_follow(sealed: Store) -> None:
    await run(sealed, "UPDATE consents SET event = 'asked' WHERE seq = 2")
    told = [problem for problem in await verdict(sealed) if problem.startswith("line")]
    assert told == ["line 2 is not as sealed: changed, or added by somebody without the secret"]


async def test_a_line_that_was_cut_out_with_the_rest_renumbered_is_found(sealed: Store) -> None:
    await run(
        sealed,
        "DELETE FROM consents WHERE seq = 2",
        "UPDATE consents SET seq = -seq WHERE seq > 2",
        "UPDATE consents SET seq = -seq - 1 WHERE seq < 0",
        "UPDATE consent_heads SET length = 4",
    )
    assert "lines 2 to 4 are not as sealed" in " ".join(await verdict(sealed))


async def test_a_forged_yes_for_somebody_who_left_is_found(sealed: Store) -> None:
    """With the line, the subscription and the head all made to agree, the seal is still missing."""
    (one, *_) = await sealed.subscriptions.list()
    await sealed.subscriptions.leave(one.id, evidence={}, now=NOW)
    await run(
        sealed,
        "UPDATE consents SET event = 'yes' WHERE seq = 6",
        f"UPDATE subscriptions SET status = 'active', left_at = NULL WHERE id = {one.id}",
    )
    assert [problem for problem in await verdict(sealed) if "line 6 is not as sealed" in problem]


@pytest.mark.parametrize(
    "act",
    [
        "DELETE FROM subscriptions WHERE subscriber_id = 3; DELETE FROM subscribers WHERE id = 3;"
        " UPDATE consents SET evidence = '{}' WHERE subscriber_id = 3",
        "UPDATE consents SET at = 'abc' WHERE seq = 3",
        "UPDATE consents SET newsletter = x'ff' WHERE seq = 3",
        "UPDATE consents SET event = x'ff' WHERE seq = 3",
        "UPDATE consents SET evidence = x'ff' WHERE seq = 3",
        "UPDATE consents SET link = 5 WHERE seq = 3",
        "UPDATE subscribers SET salt = 5 WHERE id = 3",
        "UPDATE subscribers SET address = x'ff' WHERE id = 3",
    ],
)
async def test_what_only_sqlite_lets_through_is_a_finding_and_no_crash(sealed: Store, act: str) -> None:
    path = sealed._database.path
    if path is None:
        pytest.skip("PostgreSQL holds to its types and references by itself")
    with closing(sqlite3.connect(path)) as file:  # whoever tampers has no foreign keys on
        file.executescript(act)
    problems = await verdict(sealed)
    assert any(re.search("(line|lines|person) 3 ?", problem) for problem in problems), problems


async def test_a_reader_without_a_yes_is_found_though_the_chain_is_whole(sealed: Store) -> None:
    (one, *_) = await sealed.subscriptions.list()
    await sealed.subscriptions.leave(one.id, evidence={}, now=NOW)
    await run(sealed, f"UPDATE subscriptions SET status = 'active', left_at = NULL WHERE id = {one.id}")
    (told,) = await verdict(sealed)
    assert told == f"subscription {one.id} of world is active, but its last word is no"


async def test_only_a_printed_head_shows_that_the_newest_lines_were_cut_off(sealed: Store) -> None:
    printed = await sealed.ledger.head()
    await run(
        sealed,
        "DELETE FROM subscriptions WHERE id = 5",
        "DELETE FROM consents WHERE seq = 5",
        "DELETE FROM subscribers WHERE id = 5",
        "UPDATE consent_heads SET length = 4, link = (SELECT link FROM consents WHERE seq = 4)",
    )
    assert await verdict(sealed) == ()
    (told,) = await verdict(sealed, printed)
    assert "the newest lines were cut off, 4 are left" in told
    await sealed.subscriptions.add("world", "new@example.org", source="cli", evidence={}, now=NOW)
    (told,) = await verdict(sealed, printed)
    assert "another seal: the past was rewritten" in told


async def test_every_head_that_was_ever_printed_stays_provable(sealed: Store) -> None:
    printed = [await sealed.ledger.head()]
    for number in range(3):
        await sealed.subscriptions.add("world", f"n{number}@example.org", source="cli", evidence={}, now=NOW)
        printed.append(await sealed.ledger.head())
    assert await verdict(sealed, *printed) == ()
    assert await verdict(sealed, Head(2, b"x" * 16)) != ()


async def test_the_head_of_a_day_is_told_once(sealed: Store) -> None:
    assert await sealed.ledger.head_of_the_day(NOW) == await sealed.ledger.head()
    assert await sealed.ledger.head_of_the_day(NOW + timedelta(hours=5)) is None
    assert await sealed.ledger.head_of_the_day(NOW + DAY) is not None


# ---------------------------------------------------------------- keys and beginnings


async def test_lines_from_before_a_rotation_verify_and_the_next_are_sealed_with_the_new_key(
    sealed: Store, store_url: str
) -> None:
    new = b"the next secret, as long as the other"
    later = await Store.open(store_url)
    try:
        await later.claim_identity(new, None, NOW, former=(SECRET,))
        await later.subscriptions.add("world", "new@example.org", source="cli", evidence={}, now=NOW)
        assert await verdict(later) == ()
        assert len(await rows(later, "SELECT DISTINCT key_id FROM consents")) == 2
        with pytest.raises(DigestError, match="another secret"):
            await later.claim_identity(SECRET, None, NOW)
        await later.claim_identity(new, None, NOW)
        told = " ".join(await verdict(later))
        assert "that we do not have: put the secret of that time behind the new one" in told
    finally:
        await later.close()


async def test_what_was_there_before_the_chain_is_sealed_as_it_was_found(store: Store) -> None:
    await synced(store)
    await readers(store, 4)
    await store.subscriptions.erase("reader2@example.org", NOW)
    assert {row.seq for row in await rows(store, "SELECT seq FROM consents")} == {None}
    await store.claim_identity(SECRET, None, NOW + DAY)
    found = await store.ledger.verify()
    assert (found.problems, found.found, found.head.length) == ((), 5, 5)
    await store.subscriptions.add("world", "new@example.org", source="cli", evidence={}, now=NOW + DAY)
    again = await store.ledger.verify(heads=[found.head])
    assert (again.problems, again.found, again.head.length) == ((), 5, 6)
    await run(store, "UPDATE consents SET event = 'yes' WHERE seq = 1")
    assert "line 1 is not as sealed" in " ".join(await verdict(store))


async def test_sealing_what_was_found_goes_on_where_it_was_interrupted(store: Store) -> None:
    await synced(store)
    await readers(store, 4)
    await store.claim_identity(SECRET, None, NOW)
    await run(
        store,
        "UPDATE consents SET seq = NULL, link = NULL WHERE seq > 2",
        "UPDATE consent_heads SET length = 2, link = (SELECT link FROM consents WHERE seq = 2)",
    )
    assert "waits to be sealed" in " ".join(await verdict(store))
    await store.claim_identity(SECRET, None, NOW)
    assert await verdict(store) == ()


async def test_a_reader_whom_an_older_release_wrote_down_gets_a_salt_with_their_next_line(
    sealed: Store,
) -> None:
    await run(sealed, "UPDATE subscribers SET salt = NULL WHERE id = 5", "DELETE FROM consents WHERE seq = 5")
    await run(sealed, "UPDATE consent_heads SET length = 4, link = (SELECT link FROM consents WHERE seq = 4)")
    await sealed.subscriptions.remove("world", "reader5@example.org", now=NOW)
    assert await verdict(sealed) == ()


async def test_nobody_slips_a_line_among_those_that_were_found(sealed: Store) -> None:
    await run(
        sealed,
        "INSERT INTO consents (subscriber_id, newsletter, at, event, source, evidence)"
        " VALUES (3, 'world', 1, 'yes', 'web', '{}')",
        "UPDATE consent_heads SET found_to = 99",
    )
    await sealed.claim_identity(SECRET, None, NOW)
    assert [row.seq for row in await rows(sealed, "SELECT seq FROM consents WHERE id = 6")] == [None]
    assert await verdict(sealed) != ()


async def test_lines_that_were_found_stand_before_all_others(sealed: Store) -> None:
    """An earlier release began the chain a second time when the mark was taken away."""
    await run(
        sealed,
        "INSERT INTO consents (subscriber_id, newsletter, at, event, source, evidence)"
        " VALUES (3, 'world', 1, 'yes', 'web', '{}')",
    )
    keys = sealed._database.keys
    assert keys is not None
    begun = _begun(keys.by_id[keys.current], 99)
    await run(sealed, "UPDATE consent_heads SET found_to = 99, begun = :begun", begun=begun)
    await sealed.claim_identity(SECRET, None, NOW)
    assert "line 6 is sealed as found, behind lines that were sealed when written" in await verdict(sealed)


async def test_without_the_secret_nothing_is_written_to_a_sealed_ledger(
    sealed: Store, store_url: str
) -> None:
    stranger = await Store.open(store_url)
    try:
        with pytest.raises(DigestError, match="without the secret nothing is written"):
            await stranger.subscriptions.add("world", "x@example.org", source="cli", evidence={}, now=NOW)
        with pytest.raises(DigestError, match="without the secret nobody can tell"):
            await stranger.ledger.verify()
    finally:
        await stranger.close()
    assert await verdict(sealed) == ()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_the_migration_gives_everybody_a_salt_of_their_own(
    kind: str, sqlite_url: str, empty_postgres_url: str
) -> None:
    url = sqlite_url if kind == "sqlite" else empty_postgres_url
    database = Database(url)
    try:
        await database.start()

        async def as_before(connection: Any) -> None:
            def upgrade(plain: Connection) -> None:
                config = Config()
                config.set_main_option("script_location", str(migrations.FOLDER))
                config.attributes["connection"] = plain
                command.upgrade(config, "0004")

            await connection.run_sync(upgrade)
            for name in ("'a@b.example'", "'c@d.example'", "NULL"):
                row = f"INSERT INTO subscribers (address, created_at) VALUES ({name}, 1)"
                await connection.execute(text(row))

        await database.write(as_before)
    finally:
        await database.close()
    store = await Store.open(url, migrate=True)
    try:
        found = await rows(store, "SELECT address, salt FROM subscribers ORDER BY id")
        assert [row.salt is None for row in found] == [False, False, True]
        assert {len(bytes(row.salt)) for row in found[:2]} == {16}
        assert found[0].salt != found[1].salt
    finally:
        await store.close()

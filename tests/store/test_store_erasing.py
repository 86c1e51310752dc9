"""Erasing concerns one person: nothing of theirs stays, and nothing of anybody else goes."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from store_values import DAY, HOUR, MINUTE, NOW, claimed, newsletter, opened, synced

from digest.model import DeliveryState, Subscription, Token
from digest.store import Store, migrations
from digest.store.database import Database
from digest.store.tables import deliveries, metadata, notices, signups

pytestmark = pytest.mark.asyncio

ME, VICTIM = "me@example.org", "victim@example.net"


async def vouched(store: Store, address: str, slug: str = "world") -> Subscription:
    assert await store.subscriptions.add(slug, address, source="cli", evidence={}, now=NOW) == "added"
    (made,) = [one for one in await store.subscriptions.of(address) if one.newsletter == slug]
    return made


async def letters(store: Store, address: str) -> list[tuple[str, str, bool]]:
    """(kind, state, whether it has something to say) of the notices to this address."""
    statement = (
        select(notices.c.kind, deliveries.c.state, notices.c.data)
        .join(deliveries, deliveries.c.notice_id == notices.c.id)
        .where(notices.c.recipient == address, deliveries.c.recipient == address)
        .order_by(notices.c.id)
    )
    async with store._database.reading() as connection:
        return [(row.kind, row.state, row.data != "{}") for row in await connection.execute(statement)]


async def waiting(store: Store) -> list[str]:
    async with store._database.reading() as connection:
        return list((await connection.execute(select(signups.c.address))).scalars())


async def holding(store: Store, word: str) -> list[str]:
    """The tables that still hold this word."""
    async with store._database.reading() as connection:
        return [
            table.name
            for table in metadata.sorted_tables
            if any(word in str(row).lower() for row in await connection.execute(table.select()))
        ]


async def moved(store: Store, made: Subscription, to: str, now: datetime = NOW) -> None:
    assert await store.subscriptions.request_address(made.id, to, evidence={}, now=now)
    asked = select(notices).where(notices.c.kind == "address", notices.c.recipient == to)
    async with store._database.reading() as connection:
        letter = (await connection.execute(asked.order_by(notices.c.id.desc()).limit(1))).one()
    token = Token(json.loads(letter.data)["change_id"], int(now.timestamp()))
    assert await store.subscriptions.confirm_address(token, evidence={}, now=now) is not None


async def test_who_wished_for_a_strangers_address_takes_nothing_of_theirs_along(store: Store) -> None:
    await synced(store, newsletter(), newsletter("second"), newsletter("third"))
    attacker = await vouched(store, ME)
    assert await store.subscriptions.request_address(attacker.id, VICTIM, evidence={}, now=NOW)
    later = NOW + 2 * HOUR
    assert (await store.subscriptions.request("second", VICTIM, evidence={}, now=later)).mailed
    await store.signups.take("third", VICTIM, evidence={}, allowances=(), now=later)
    await store.inbox.keep(recipient=VICTIM, subject="s", message_id="<1>", body=b"x", now=NOW)
    assert await store.subscriptions.erase_id(attacker.subscriber_id, later)

    assert await letters(store, VICTIM) == [("confirm", DeliveryState.PENDING, True)]
    assert await waiting(store) == [VICTIM]
    assert [one.recipient for one in await store.inbox.list()] == [VICTIM]
    assert [one.recipient for one in await claimed(store, now=later)] == [VICTIM]
    assert await holding(store, "me@") == []


async def test_the_wish_itself_goes_with_the_address_in_it(store: Store) -> None:
    await synced(store)
    made = await vouched(store, ME)
    assert await store.subscriptions.request_address(made.id, VICTIM, evidence={}, now=NOW)
    (letter,) = await claimed(store)
    await store.inbox.keep(
        recipient=VICTIM, subject="s", message_id="<1>", body=b"x", now=NOW, subscription_id=made.id
    )
    assert letter.subscription_id == made.id
    assert await store.subscriptions.erase(ME, NOW)
    assert await holding(store, "victim") == []


async def test_an_address_that_was_moved_away_from_is_left_to_whoever_is_there_now(store: Store) -> None:
    await synced(store, newsletter(), newsletter("second"))
    made = await vouched(store, VICTIM)
    await moved(store, made, ME)
    assert (await store.subscriptions.request("second", VICTIM, evidence={}, now=NOW + 2 * HOUR)).mailed
    await store.signups.take("world", VICTIM, evidence={}, allowances=(), now=NOW)
    await store.inbox.keep(recipient=VICTIM, subject="s", message_id="<1>", body=b"x", now=NOW)
    assert await store.subscriptions.erase(ME, NOW + 2 * HOUR)
    assert await letters(store, VICTIM) == [("confirm", DeliveryState.PENDING, True)]
    assert await waiting(store) == [VICTIM]
    assert len(await store.inbox.list()) == 1
    assert await holding(store, "me@") == []


async def test_a_former_address_where_nobody_is_goes_but_not_somebody_elses_wish_for_it(store: Store) -> None:
    await synced(store)
    made = await vouched(store, VICTIM)
    await moved(store, made, ME)
    other = await vouched(store, "other@example.org")
    later = NOW + 2 * HOUR
    assert await store.subscriptions.request_address(other.id, VICTIM, evidence={}, now=later)
    for number, about in enumerate((made.id, None, other.id)):
        await store.inbox.keep(
            recipient=VICTIM.upper(),
            subject=f"{about}",
            message_id=f"<{number}>",
            body=b"x",
            now=NOW,
            subscription_id=about,
        )
    await store.signups.take("world", VICTIM.upper(), evidence={}, allowances=(), now=NOW)
    assert await store.subscriptions.erase(ME, later)
    assert await letters(store, VICTIM) == [("address", DeliveryState.PENDING, True)]
    assert [one.subject for one in await store.inbox.list()] == [str(other.id)]
    assert await waiting(store) == []


async def test_two_who_become_one_keep_the_letters_of_the_one_who_stays(store: Store) -> None:
    """The letter that asked whether the address is theirs went to it for the one who goes."""
    await synced(store)
    stays = await vouched(store, VICTIM)
    assert await store.subscriptions.request_manage(stays.id, NOW)
    await store.inbox.keep(
        recipient=VICTIM, subject="s", message_id="<1>", body=b"x", now=NOW, subscription_id=stays.id
    )
    goes = await vouched(store, ME)
    issue = await opened(store)
    later = NOW + HOUR
    await moved(store, goes, VICTIM, later)
    assert [kind for kind, _, said in await letters(store, VICTIM) if said] == ["manage"]
    assert len(await store.inbox.list()) == 1
    async with store._database.reading() as connection:
        to = select(deliveries.c.state).where(
            deliveries.c.issue_id == issue.id, deliveries.c.subscription_id == stays.id
        )
        assert (await connection.execute(to)).scalars().all() == [DeliveryState.PENDING]
    assert await store.subscriptions.erase(VICTIM, later)
    assert await holding(store, "victim") == []
    assert await holding(store, "me@") == []


async def test_who_is_erased_leaves_no_address_in_the_wishes_of_others(store: Store) -> None:
    await synced(store)
    await vouched(store, ME)
    other = await vouched(store, "other@example.org")
    assert await store.subscriptions.request_address(other.id, ME, evidence={}, now=NOW)
    assert await store.subscriptions.erase(ME, NOW)
    assert await holding(store, "me@") == []
    assert await claimed(store) == []


@pytest.mark.parametrize("spelled", ["ÖLBERG@example.net", "Ölberg@example.net", "ölberg@example.net"])
async def test_every_spelling_goes_in_every_script(store: Store, spelled: str) -> None:
    """Also where the database can lower only ASCII."""
    await synced(store)
    await vouched(store, "ölberg@example.net")
    other = await vouched(store, "other@example.org")
    await store.signups.take("world", spelled, evidence={}, allowances=(), now=NOW)
    await store.signups.take("world", "o.lberg@example.net", evidence={}, allowances=(), now=NOW)
    await store.inbox.keep(recipient=spelled, subject="s", message_id="<1>", body=b"x", now=NOW)
    assert await store.subscriptions.request_address(other.id, spelled, evidence={}, now=NOW)
    assert await store.subscriptions.erase("ölberg@example.net", NOW)
    assert await waiting(store) == ["o.lberg@example.net"]
    assert await holding(store, "ölberg") == []


async def test_an_address_that_nobody_has_goes_in_every_spelling(store: Store) -> None:
    await synced(store)
    await store.signups.take("world", "Ölberg@example.net", evidence={}, allowances=(), now=NOW)
    assert await store.subscriptions.erase("ÖLBERG@example.net", NOW)
    assert not await store.subscriptions.erase("ÖLBERG@example.net", NOW)
    assert await waiting(store) == []


async def test_who_never_confirmed_and_asks_again_is_not_forgotten_before_the_answer(store: Store) -> None:
    """The first wish lapses in the second between the form and its answer."""
    await synced(store, newsletter(), newsletter("second"))
    await store.subscriptions.request("world", ME, evidence={}, now=NOW)
    later = NOW + 8 * DAY
    await store.signups.take("second", ME, evidence={}, allowances=(), now=later)
    pruned = await store.prune(later, deliveries=30 * DAY, articles=30 * DAY)
    assert pruned["unconfirmed"] == 1
    assert await store.signups.answer(later) == 1
    assert await letters(store, ME) == [("confirm", DeliveryState.PENDING, True)]


async def test_a_notice_whose_delivery_is_pruned_keeps_no_address(store: Store) -> None:
    """Nobody could tell any more whose it was."""
    await synced(store)
    made = await vouched(store, ME)
    assert await store.subscriptions.request_address(made.id, VICTIM, evidence={}, now=NOW)
    assert await store.subscriptions.request_address(made.id, "b@example.net", evidence={}, now=NOW + MINUTE)
    for one in await claimed(store, now=NOW + MINUTE):
        assert (await store.deliveries.begin(one, now=NOW, lease=MINUTE)) == "go"
        assert await store.deliveries.record(one, DeliveryState.SENT, now=NOW)
    await store.prune(NOW + 2 * DAY, deliveries=DAY, articles=30 * DAY)
    assert await store.subscriptions.erase(ME, NOW + 2 * DAY)
    assert await holding(store, "victim") == []


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_the_migration_says_whose_kept_letters_are_and_blanks_notices_without_a_delivery(
    kind: str, sqlite_url: str, empty_postgres_url: str
) -> None:
    url = sqlite_url if kind == "sqlite" else empty_postgres_url
    database = Database(url)
    try:
        await database.start()

        async def as_before(connection: AsyncConnection) -> None:
            def upgrade(plain: Connection) -> None:
                config = Config()
                config.set_main_option("script_location", str(migrations.FOLDER))
                config.attributes["connection"] = plain
                command.upgrade(config, "0010")

            await connection.run_sync(upgrade)
            for row in OF_BEFORE:
                await connection.execute(text(row))

        await database.write(as_before)
    finally:
        await database.close()
    store = await Store.open(url, migrate=True)
    try:
        async with store._database.reading() as connection:
            kept = await connection.execute(text("SELECT recipient, subscription_id FROM inbox ORDER BY id"))
            assert [tuple(row) for row in kept] == [(ME, 5), (VICTIM, None)]
            told = await connection.execute(text("SELECT recipient, data FROM notices ORDER BY id"))
            assert [tuple(row) for row in told] == [(ME, '{"a": 1}'), ("erased", "{}")]
    finally:
        await store.close()


OF_BEFORE = (
    "INSERT INTO newsletters (slug, definition, unknown) VALUES ('world', '{}', 'retry')",
    "INSERT INTO editions (id, newsletter, cadence, at, zone, own, through, created_at)"
    " VALUES (1, 'world', 'daily', '07:00', 'UTC', true, 0, 1)",
    f"INSERT INTO subscribers (id, address, created_at) VALUES (3, '{ME}', 1)",
    "INSERT INTO subscriptions (id, subscriber_id, newsletter, edition_id, status, source, through,"
    " created_at) VALUES (5, 3, 'world', 1, 'active', 'web', 0, 1)",
    "INSERT INTO inbox (id, recipient, subject, message_id, received_at, body)"
    f" VALUES (1, '{ME}', 's', 'm', 1, '')",
    "INSERT INTO inbox (id, recipient, subject, message_id, received_at, body)"
    f" VALUES (2, '{VICTIM}', 's', 'm', 1, '')",
    "INSERT INTO notices (id, kind, key, recipient, newsletter, data, created_at)"
    f""" VALUES (1, 'confirm', 'k1', '{ME}', 'world', '{{"a": 1}}', 1)""",
    "INSERT INTO notices (id, kind, key, recipient, newsletter, data, created_at)"
    f""" VALUES (2, 'confirm', 'k2', '{ME}', 'world', '{{"a": 1}}', 1)""",
    "INSERT INTO deliveries (channel, recipient, newsletter, notice_id, state, available_at, created_at,"
    f" changed_at) VALUES ('email', '{ME}', 'world', 1, 'sent', 1, 1, 1)",
)
"""What an older release has left: a reader's letter and a stranger's, a notice and a pruned one."""


async def test_a_link_that_was_mailed_before_takes_in_nobody_who_was_erased(store: Store) -> None:
    """Who had left asks again, and is erased before they press the button in that letter."""
    await store.claim_identity(b"the secret of these tests", None, NOW)
    await synced(store)
    me = await vouched(store, ME)
    await store.subscriptions.leave(me.id, evidence={}, now=NOW)
    later = NOW + 2 * HOUR
    assert (await store.subscriptions.request("world", ME, evidence={}, now=later)).mailed
    await store.subscriptions.erase(ME, later)
    link = Token(me.id, int(later.timestamp()))
    assert await store.subscriptions.to_confirm(link) is None
    assert await store.subscriptions.confirm(me.id, token=link, evidence={}, now=later) is None
    assert (await store.ledger.verify()).problems == ()

"""Asking on the web: how often a mailbox is written to, in whatever spelling, and what becomes of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select, update
from store_values import DAY, HOUR, MINUTE, NOW, SITE, claimed, newsletter, opened, synced

from digest.model import SubscriptionStatus, Token
from digest.store import Store
from digest.store.mailbox import mailbox
from digest.store.signups import Allowance
from digest.store.tables import consents, notices, signups, subscribers, subscriptions

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Bob@example.org", "bob@example.org", True),
        ("bob+news@example.org", "bob@example.org", True),
        ("b.o.b@example.org", "bob@example.org", True),
        ("b.o.b+x+y@googlemail.com", "bob@gmail.com", True),
        ("bob-news@yahoo.com", "bob@yahoo.com", True),
        ("bob-news@example.org", "bob@example.org", False),
        ("bob@me.com", "bob@icloud.com", True),
        ("ｂｏｂ@example.org", "bob@example.org", True),
        ("STRASSE@example.org", "straße@example.org", True),
        ("bob@example.org", "bob@example.com", False),
        ("bob@example.org", "rob@example.org", False),
        ("+tag@example.org", "@example.org", False),
    ],
)
async def test_one_mailbox_has_many_spellings(one: str, other: str, same: bool) -> None:
    assert (mailbox(one) == mailbox(other)) is same


async def ask(store: Store, address: str, slug: str = "world", now: Any = NOW) -> bool:
    return (await store.subscriptions.request(slug, address, evidence={}, now=now)).mailed


async def test_no_spelling_of_a_mailbox_gets_a_second_letter_within_the_hour(store: Store) -> None:
    await synced(store, newsletter(), newsletter("local"))
    assert await ask(store, "bob@gmail.com")
    for other in ("BOB@gmail.com", "b.o.b@gmail.com", "bob+1@gmail.com", "bob@googlemail.com"):
        for slug in ("world", "local"):
            assert not await ask(store, other, slug, NOW + 59 * MINUTE)
    assert await ask(store, "b.ob@gmail.com", "local", NOW + HOUR)


async def test_neither_erasing_nor_pruning_gives_a_mailbox_more_letters(store: Store) -> None:
    await synced(store)
    assert await ask(store, "bob@example.org")
    await store.subscriptions.erase("bob@example.org", NOW)
    assert not await ask(store, "bob@example.org", now=NOW + 30 * MINUTE)
    await store.prune(NOW + 40 * MINUTE, deliveries=MINUTE, articles=MINUTE)
    assert not await ask(store, "bob@example.org", now=NOW + 50 * MINUTE)
    assert await ask(store, "bob@example.org", now=NOW + HOUR)


async def take(store: Store, address: str, slug: str = "world", now: Any = NOW) -> None:
    refused = await store.signups.take(slug, address, evidence={"form": "x"}, allowances=(), now=now)
    assert refused is None


async def test_who_asks_for_two_newsletters_gets_the_second_letter_an_hour_later(store: Store) -> None:
    await synced(store, newsletter(), newsletter("local"))
    await take(store, "bob@example.org")
    await take(store, "bob@example.org", "local")
    assert await store.signups.answer(NOW) == 1
    assert await store.signups.answer(NOW + 59 * MINUTE) == 0
    assert await store.signups.answer(NOW + HOUR) == 1
    assert await store.signups.waiting() == 0
    assert {one.newsletter for one in await store.subscriptions.of("bob@example.org")} == {"world", "local"}


async def last_letter(store: Store, slug: str = "world", address: str = "bob@example.org") -> Any:
    """(status, when the letter with the link that works was written)."""
    [one] = [one for one in await store.subscriptions.of(address) if one.newsletter == slug]
    return one.status, one.asked_at


@pytest.mark.parametrize("after", [0 * MINUTE, MINUTE, 50 * MINUTE])
async def test_a_button_that_is_pressed_twice_sends_one_letter_and_its_link_stays_good(
    store: Store, after: Any
) -> None:
    """Also if the first letter is out when the button is pressed again."""
    await synced(store)
    await take(store, "bob@example.org")
    if after:
        assert await store.signups.answer(NOW) == 1
    await take(store, "BOB@example.org", now=NOW + after)
    assert await store.signups.answer(NOW + after) == (0 if after else 1)
    assert await store.signups.waiting() == 0
    assert await store.signups.answer(NOW + 2 * HOUR) == 0
    assert await last_letter(store) == (SubscriptionStatus.PENDING, NOW)
    assert len(await claimed(store, now=NOW + 2 * HOUR)) == 1


async def test_who_asks_a_fourth_time_in_a_day_keeps_the_link_of_the_third_letter(store: Store) -> None:
    await synced(store)
    for hour in range(4):
        await take(store, "bob@example.org", now=NOW + hour * HOUR)
        assert await store.signups.answer(NOW + hour * HOUR) == (1 if hour < 3 else 0)
    assert await store.signups.waiting() == 0
    assert await store.signups.answer(NOW + 26 * HOUR) == 0
    assert await last_letter(store) == (SubscriptionStatus.PENDING, NOW + 2 * HOUR)


async def test_a_letter_whose_link_is_dead_does_not_stand_for_another(store: Store) -> None:
    await synced(store, newsletter(), newsletter("local"))
    await take(store, "bob@example.org")
    assert await store.signups.answer(NOW) == 1
    later = NOW + 3 * DAY
    await take(store, "bob@example.org", "local", now=later)
    await take(store, "bob@example.org", now=later)
    assert await store.signups.answer(later) == 1
    assert await store.signups.answer(later + HOUR) == 1
    assert await last_letter(store) == (SubscriptionStatus.PENDING, later + HOUR)


async def joined(store: Store, slug: str, now: Any) -> int:
    [one] = [one for one in await store.subscriptions.of("bob@example.org") if one.newsletter == slug]
    assert await store.subscriptions.confirm(one.id, evidence={}, now=now) is not None
    return one.id


@pytest.mark.parametrize("waits", ["in the queue", "looked at", "put off by an older version"])
async def test_nothing_is_mailed_to_somebody_who_left_after_they_had_asked(store: Store, waits: str) -> None:
    await synced(store)
    await take(store, "bob@example.org")
    await store.signups.answer(NOW)
    await take(store, "bob@example.org", now=NOW + MINUTE)
    if waits == "looked at":
        await store.signups.answer(NOW + MINUTE)
    elif waits == "put off by an older version":
        await put_off_all(store, NOW + HOUR)
    reader = await joined(store, "world", NOW + 2 * MINUTE)
    await store.subscriptions.leave(reader, evidence={}, now=NOW + 3 * MINUTE)
    for minutes in (4, 61, 125):
        assert await store.signups.answer(NOW + minutes * MINUTE) == 0
    assert await store.signups.waiting() == 0
    assert (await last_letter(store))[0] == SubscriptionStatus.LEFT


async def test_a_request_that_waited_is_forgotten_when_a_later_one_was_mailed(store: Store) -> None:
    await synced(store, newsletter(), newsletter("local"))
    await take(store, "bob@example.org")
    await take(store, "bob@example.org", "local")
    assert await store.signups.answer(NOW) == 1
    assert await store.signups.waiting() == 1
    assert await ask(store, "bob@example.org", "local", NOW + HOUR)
    assert await store.signups.answer(NOW + 3 * HOUR) == 0
    assert await last_letter(store, "local") == (SubscriptionStatus.PENDING, NOW + HOUR)


async def test_who_left_and_asks_again_within_the_hour_gets_the_letter_when_it_is_over(store: Store) -> None:
    await synced(store)
    await take(store, "bob@example.org")
    assert await store.signups.answer(NOW) == 1
    reader = await joined(store, "world", NOW + MINUTE)
    await store.subscriptions.leave(reader, evidence={}, now=NOW + 2 * MINUTE)
    await take(store, "bob@example.org", now=NOW + 3 * MINUTE)
    assert await store.signups.answer(NOW + 3 * MINUTE) == 0
    assert await store.signups.answer(NOW + HOUR) == 1
    assert await last_letter(store) == (SubscriptionStatus.LEFT, NOW + HOUR)


async def put_off_all(store: Store, later: Any) -> None:
    async def work(connection: Any) -> None:
        await connection.execute(update(signups).values(due_at=later))

    await store._database.write(work)


async def test_a_mailbox_that_is_flooded_gets_three_letters_a_day_and_fills_no_queue(store: Store) -> None:
    slugs = [f"n{number}" for number in range(12)]
    await synced(store, *map(newsletter, slugs))
    for slug in slugs:
        for address in ("bob@example.org", "b.ob@example.org"):
            await take(store, address, slug)
    sent = 0
    for hour in range(30):
        sent += await store.signups.answer(NOW + hour * HOUR)
        assert await store.signups.waiting() <= 3
    assert sent <= 4
    assert await store.signups.waiting() == 0


async def test_two_processes_answer_each_sign_up_once(store: Store, store_url: str) -> None:
    await synced(store)
    for number in range(10):
        await take(store, f"p{number}@example.org")
    other = await Store.open(store_url)
    try:
        counts = await asyncio.gather(store.signups.answer(NOW), other.signups.answer(NOW))
    finally:
        await other.close()
    assert sum(counts) == 10
    assert len(await claimed(store)) == 10


async def test_no_hour_has_more_sign_ups_than_its_allowance_however_many_come_at_once(store: Store) -> None:
    await synced(store)
    allowances = (Allowance("signup address x", 4), Allowance("signup total", 6))

    async def knock(number: int) -> bool:
        taken = await store.signups.take(
            "world", f"p{number}@example.org", evidence={}, allowances=allowances, now=NOW
        )
        return taken is None

    assert sum(await asyncio.gather(*(knock(number) for number in range(12)))) == 4
    refused = await store.signups.take("world", "x@y.org", evidence={}, allowances=allowances, now=NOW)
    assert refused is not None
    assert (refused.name, refused.first) == ("signup address x", False)
    assert refused.until > NOW


# ---------------------------------------------------------------- who never answers


async def counted(store: Store, table: Any) -> int:
    async with store._database.reading() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


async def test_who_never_confirmed_is_forgotten_after_seven_days(
    store: Store,
) -> None:
    await store.claim_identity(b"the secret of these tests", None, NOW)
    await synced(store)
    assert await ask(store, "bob@example.org")
    await store.inbox.keep(recipient="bob@example.org", subject="s", message_id="<1>", body=b"x", now=NOW)
    assert (await prune(store, NOW + 7 * DAY))["unconfirmed"] == 0
    assert (await prune(store, NOW + 7 * DAY + MINUTE))["unconfirmed"] == 1
    assert await counted(store, subscriptions) == 0
    async with store._database.reading() as connection:
        for table in (subscribers, consents, notices, signups):
            assert "bob@" not in str((await connection.execute(select(table))).all())
    events = [row.event for row in await lines(store)]
    assert events == ["asked", "lapsed"]
    assert (await store.ledger.verify()).problems == ()
    assert await add(store, "bob@example.org") == "added", "they said no to nothing"


async def test_a_reader_who_never_confirmed_another_newsletter_stays(store: Store) -> None:
    await synced(store, newsletter(), newsletter("local"))
    assert await add(store, "bob@example.org") == "added"
    assert await ask(store, "bob@example.org", "local")
    assert (await prune(store, NOW + 8 * DAY))["unconfirmed"] == 1
    (kept,) = await store.subscriptions.of("bob@example.org")
    assert (kept.newsletter, kept.status) == ("world", SubscriptionStatus.ACTIVE)
    assert await store.subscriptions.verify() == []


async def test_asking_again_begins_the_seven_days_again(store: Store) -> None:
    await synced(store)
    assert await ask(store, "bob@example.org")
    assert await ask(store, "bob@example.org", now=NOW + 6 * DAY)
    assert (await prune(store, NOW + 8 * DAY))["unconfirmed"] == 0


async def prune(store: Store, now: Any) -> dict[str, int]:
    return await store.prune(now, deliveries=30 * DAY, articles=30 * DAY)


async def add(store: Store, address: str, slug: str = "world") -> str:
    return await store.subscriptions.add(slug, address, source="import", evidence={}, now=NOW)


async def lines(store: Store) -> list[Any]:
    async with store._database.reading() as connection:
        return list(await connection.execute(select(consents).order_by(consents.c.id)))


# ---------------------------------------------------------------- nobody is brought back by others


@pytest.mark.parametrize("erased", [False, True])
async def test_who_left_is_not_imported_also_once_they_are_erased(store: Store, erased: bool) -> None:
    await synced(store, newsletter(), newsletter("local"))
    await add(store, "Bob@example.org")
    (bob,) = await store.subscriptions.of("bob@example.org")
    await store.subscriptions.leave(bob.id, evidence={}, now=NOW)
    if erased:
        await store.subscriptions.erase("bob@example.org", NOW)
    assert await add(store, "bob@example.org") == "left"
    assert await add(store, "BOB@example.org") == "left"
    assert await add(store, "bob@example.org", "local") == "added", "they left another newsletter"
    assert await ask(store, "bob@example.org"), "they may come back themselves"
    (asked,) = [one for one in await store.subscriptions.of("bob@example.org") if one.newsletter == "world"]
    await store.subscriptions.confirm(asked.id, evidence={}, now=NOW + MINUTE)
    await store.subscriptions.remove("world", "bob@example.org", now=NOW)
    assert await add(store, "bob@example.org") == "left"


async def test_erasing_a_reader_is_leaving_what_they_read(store: Store) -> None:
    await synced(store)
    await add(store, "bob@example.org")
    await store.subscriptions.erase("bob@example.org", NOW)
    assert await add(store, "bob@example.org") == "left"
    await store.newsletters.sync([newsletter(recipients=("bob@example.org",))], site=SITE, now=NOW)
    assert await store.subscriptions.of("bob@example.org") == [], "the config brings nobody back either"


async def test_one_address_in_two_spellings_is_one_reader(store: Store) -> None:
    await synced(store)
    assert await add(store, "Bob@example.org") == "added"
    assert await add(store, "bob@example.org") == "already"
    assert len(await store.subscriptions.list("world")) == 1
    assert (await opened(store)).recipients == 1
    assert len(await store.subscriptions.of("BOB@example.org")) == 1


async def test_who_says_goodbye_after_the_list_let_them_go_is_not_taken_in_by_it_again(store: Store) -> None:
    await store.claim_identity(b"the secret of these tests", None, NOW)
    listed = newsletter(recipients=("bob@example.org",))
    await synced(store, listed)
    await synced(store, newsletter())
    (bob,) = await store.subscriptions.of("bob@example.org")
    for _ in range(2):  # by the link in an old letter, and once more
        left = await store.subscriptions.leave(bob.id, evidence={"form": "one-click"}, now=NOW + MINUTE)
        assert left is not None
        assert left.status == SubscriptionStatus.LEFT
    assert await store.subscriptions.undo(bob.id, evidence={}, now=NOW + MINUTE) is None
    await synced(store, listed)
    assert [one.status for one in await store.subscriptions.of("bob@example.org")] == [
        SubscriptionStatus.LEFT
    ]
    said = [(row.event, row.source) for row in await store.subscriptions.history("bob@example.org")]
    assert said == [("vouched", "config"), ("no", "config"), ("no", "web")]
    assert (await store.ledger.verify()).problems == ()


async def test_a_goodbye_ends_what_was_asked_for_since_the_one_before(store: Store) -> None:
    await store.claim_identity(b"the secret of these tests", None, NOW)
    await synced(store)
    assert await ask(store, "bob@example.org")
    number = await joined(store, "world", NOW)
    await store.subscriptions.leave(number, evidence={}, now=NOW)
    at = NOW + 2 * HOUR
    assert await ask(store, "bob@example.org", now=at)
    link = Token(number, int(at.timestamp()))
    assert await store.subscriptions.to_confirm(link) is not None
    await store.subscriptions.leave(number, evidence={"form": "one-click"}, now=at + MINUTE)
    assert await store.subscriptions.to_confirm(link) is None
    assert await store.subscriptions.confirm(number, token=link, evidence={}, now=at + MINUTE) is None
    assert (await store.ledger.verify()).problems == ()


@pytest.mark.parametrize("way", ["config", "import"])
async def test_who_presses_the_button_after_a_list_took_them_in_reads_by_their_own_word(
    store: Store, way: str
) -> None:
    """So the list cannot let them go, and the ledger has their yes."""
    await store.claim_identity(b"the secret of these tests", None, NOW)
    await synced(store)
    assert await ask(store, "bob@example.org")
    (bob,) = await store.subscriptions.of("bob@example.org")
    link = Token(bob.id, int(NOW.timestamp()))
    if way == "config":
        await synced(store, newsletter(recipients=("bob@example.org",)))
    else:
        await store.imports.vouch("world", ["bob@example.org"], source="import", evidence={}, now=NOW)
    old = Token(bob.id, link.number - 1)
    for token in (old, link, link):
        assert await store.subscriptions.confirm(bob.id, token=token, evidence={"form": "y"}, now=NOW)
    said = [(row.event, row.source) for row in await store.subscriptions.history("bob@example.org")]
    assert said == [("asked", "web"), ("vouched", way), ("yes", "web")]
    await synced(store)
    (bob,) = await store.subscriptions.of("bob@example.org")
    assert (bob.status, bob.source) == (SubscriptionStatus.ACTIVE, "web")
    assert (await store.ledger.verify()).problems == ()

"""Many people at once: the same rules as for one, and every yes a sealed line."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from store_values import DAY, NOW, newsletter, synced

from digest.model import Bookmark, NotFound, NotReady, SubscriptionStatus, Vouched
from digest.store import Store
from digest.store.chain import Chain, Head, Keys, Line, mark_of, person_of
from digest.store.people import hash_of
from digest.store.tables import consent_heads, consents, editions, imports, subscribers, subscriptions

pytestmark = pytest.mark.asyncio
SECRET = b"s" * 32


async def opened(store: Store) -> None:
    await store.claim_identity(SECRET, None, NOW)
    await synced(store, newsletter("world"), newsletter("town"))


def people(store: Store, *addresses: str, **changes: Any) -> list[Vouched]:
    mark = store.imports.mark_of()
    return [Vouched(mark(address), address, "world")._replace(**changes) for address in addresses]


async def rows(store: Store, *columns: Any) -> list[tuple[Any, ...]]:
    async with store._database.reading() as connection:
        return [tuple(row) for row in await connection.execute(select(*columns))]


async def taken_in(store: Store, some: list[Vouched], key: str = "k", after: bytes = b"1") -> Bookmark:
    bookmark = await store.imports.begin(key, file="list.csv", now=NOW)
    return await store.imports.take_in(bookmark, some, after, now=NOW)


async def test_who_is_taken_in_reads_from_where_the_edition_stands(store: Store) -> None:
    await opened(store)
    await store._database.write(
        lambda connection: connection.execute(update(editions).where(editions.c.own).values(through=7))
    )
    agreed = NOW - 30 * DAY
    some = people(store, "ann@example.org", "Ben@example.org", confirmed_at=agreed, evidence='{"line":2}')
    assert (await taken_in(store, some)).counts == {"added": 2}
    [ann], [ben] = [await store.subscriptions.of(one.address) for one in some]
    assert (ann.status, ann.source, ann.through, ann.confirmed_at, ann.created_at) == (
        SubscriptionStatus.ACTIVE,
        "import",
        7,
        agreed,
        NOW,
    )
    assert ben.address == "Ben@example.org"
    assert ann.edition_id == (await store.newsletters.own_edition("world")).id
    [line] = await store.subscriptions.history("ann@example.org")
    assert (line.event, line.source, line.evidence, line.newsletter) == (
        "vouched",
        "import",
        {"line": 2},
        "world",
    )
    assert await store.subscriptions.verify() == []


async def test_every_yes_is_sealed_in_one_chain_with_those_of_the_web(store: Store) -> None:
    await opened(store)
    await store.subscriptions.add("world", "zoe@example.org", source="cli", evidence={}, now=NOW)
    await taken_in(store, people(store, "ann@example.org", "ben@example.org"))
    await store.subscriptions.add("world", "yan@example.org", source="cli", evidence={}, now=NOW)
    chain, link = Chain(Keys.of([SECRET]), Head()), b""
    async with store._database.reading() as connection:
        found = await connection.execute(
            select(consents, subscribers.c.address, subscribers.c.salt)
            .join(subscribers, subscribers.c.id == consents.c.subscriber_id)
            .order_by(consents.c.seq)
        )
        for row in found:
            line = Line(
                subscriber=row.subscriber_id,
                at=(row.at - NOW) // timedelta(microseconds=1) + int(NOW.timestamp()) * 1_000_000,
                newsletter=row.newsletter,
                event=row.event,
                source=row.source,
                person=person_of(row.salt, row.address),
                mark=mark_of(row.salt, row.evidence),
            )
            [(number, link)] = chain.seal([line])
            assert (row.seq, row.link, row.person, row.mark) == (number, link, line.person, line.mark)
        head = (await connection.execute(select(consent_heads))).one()
    assert (head.length, head.link) == (4, link)


async def test_nobody_who_left_or_is_suppressed_comes_back(store: Store) -> None:
    await opened(store)
    for address in ("ann@example.org", "ben@example.org", "cleo@example.org"):
        await store.subscriptions.add("world", address, source="cli", evidence={}, now=NOW)
    [ann] = await store.subscriptions.of("ann@example.org")
    await store.subscriptions.leave(ann.id, evidence={}, now=NOW)
    await store.subscriptions.remove("world", "ben@example.org", now=NOW)
    await store.subscriptions.suppress("dora@example.org", "complained", NOW)
    some = people(
        store, "ANN@example.org", "ben@example.org", "cleo@EXAMPLE.org", "Dora@example.org", "eve@example.org"
    )
    assert await store.imports.survey(some) == ["left", "left", "already", "suppressed", "added"]
    assert await store.subscriptions.of("eve@example.org") == []  # a survey changes nothing
    assert (await taken_in(store, some)).counts == {"left": 2, "already": 1, "suppressed": 1, "added": 1}
    assert [one.address for one in await store.subscriptions.list(status=SubscriptionStatus.ACTIVE)] == [
        "cleo@example.org",
        "eve@example.org",
    ]


async def test_who_left_by_a_list_is_brought_back_by_themselves_only(store: Store) -> None:
    await opened(store)
    ann, ben = people(store, "ann@example.org", "Ben@example.org")
    elsewhere = ann._replace(newsletter="town")
    bookmark = await store.imports.begin("k", file="list.csv", now=NOW)
    for after in (b"1", b"2"):  # to say it twice changes nothing
        bookmark = await store.imports.take_in(bookmark, [], after, gone=[ann, ben], now=NOW)
    assert bookmark.counts == {"left by the list": 4}
    assert await rows(store, subscribers.c.id) == []
    both = people(store, "ANN@example.org", "ben@example.org")
    assert await store.imports.survey([*both, elsewhere]) == ["left", "left", "added"]
    assert (await taken_in(store, both, key="other")).counts == {"left": 2}
    asked = await store.subscriptions.request("world", "ann@example.org", evidence={}, now=NOW)
    assert asked.subscription is not None
    assert await store.subscriptions.confirm(asked.subscription.id, evidence={}, now=NOW)
    assert await store.imports.survey(both) == ["already", "left"]


async def test_a_yes_to_us_outlives_the_no_of_a_list(store: Store) -> None:
    await opened(store)
    await store.subscriptions.add("world", "ann@example.org", source="cli", evidence={}, now=NOW)
    some = people(store, "ANN@example.org", "ben@example.org")
    assert await store.imports.survey([], some) == ["reads here", "left by the list"]
    assert await store.imports.survey(some) == ["already", "added"]  # a survey changes nothing
    bookmark = await store.imports.begin("k", file="list.csv", now=NOW)
    bookmark = await store.imports.take_in(bookmark, [], b"1", gone=some, now=NOW)
    assert bookmark.counts == {"reads here": 1, "left by the list": 1}
    [ann] = await store.subscriptions.of("ann@example.org")
    assert ann.status == SubscriptionStatus.ACTIVE
    assert await store.imports.survey(some) == ["already", "left"]


async def test_who_asked_on_the_web_and_is_vouched_for_is_in(store: Store) -> None:
    await opened(store)
    asked = await store.subscriptions.request("world", "ann@example.org", evidence={}, now=NOW)
    assert asked.subscription is not None
    assert (await taken_in(store, people(store, "ann@example.org"))).counts == {"added": 1}
    [ann] = await store.subscriptions.of("ann@example.org")
    assert (ann.id, ann.status, ann.source) == (asked.subscription.id, SubscriptionStatus.ACTIVE, "import")


async def test_one_person_takes_two_newsletters_and_may_be_paused(store: Store) -> None:
    await opened(store)
    [one] = people(store, "ann@example.org", paused=True, paused_until=date(2027, 1, 2))
    assert (await taken_in(store, [one, one._replace(newsletter="town"), one])).counts == {
        "added": 2,
        "already": 1,
    }
    found = await store.subscriptions.of("ann@example.org")
    assert [(each.newsletter, each.status, each.paused_until) for each in found] == [
        ("town", SubscriptionStatus.PAUSED, date(2027, 1, 2)),
        ("world", SubscriptionStatus.PAUSED, date(2027, 1, 2)),
    ]
    assert len(await rows(store, subscribers.c.id)) == 1


async def test_a_language_comes_along_and_does_not_undo_a_choice(store: Store) -> None:
    await opened(store)
    asked = await store.subscriptions.request("world", "ann@example.org", evidence={}, now=NOW)
    assert asked.subscription is not None
    await store.subscriptions.speak(asked.subscription.id, "fr")
    ann, ben, cleo = people(store, "ann@example.org", "ben@example.org", "cleo@example.org")
    await taken_in(store, [ann, ben._replace(language="de"), cleo])
    found = {one.address: one.language for one in await store.subscriptions.list()}
    assert found == {"ann@example.org": "fr", "ben@example.org": "de", "cleo@example.org": ""}


async def test_the_bookmark_and_its_people_are_one_transaction(store: Store) -> None:
    await opened(store)
    bookmark = await store.imports.begin("k", file="list.csv", now=NOW)
    assert not bookmark.resumed
    with pytest.raises(NotFound):
        await store.imports.take_in(
            bookmark, people(store, "a@example.org", newsletter="moon"), b"1", now=NOW
        )
    moved = await store.imports.take_in(bookmark, people(store, "ann@example.org"), b"1", now=NOW)
    with pytest.raises(NotReady, match="another process"):  # one that did not see it move
        await store.imports.take_in(bookmark, people(store, "ben@example.org"), b"2", now=NOW)
    assert await store.subscriptions.of("ben@example.org") == []
    again = await store.imports.begin("k", file="list.csv", now=NOW + DAY)
    assert (again.id, again.after, again.counts, again.resumed) == (moved.id, b"1", {"added": 1}, True)
    await store.imports.finish(again, now=NOW + DAY)
    assert (await store.imports.begin("k", file="list.csv", now=NOW)).id != moved.id
    assert [file for (file,) in await rows(store, imports.c.file)] == ["list.csv", "list.csv"]


async def test_ids_go_on_behind_those_of_bulk_rows(store: Store) -> None:
    await opened(store)
    await taken_in(store, people(store, "ann@example.org", "ben@example.org"))
    await store.subscriptions.add("world", "cleo@example.org", source="cli", evidence={}, now=NOW)
    await taken_in(store, people(store, "dora@example.org"), key="other")
    for table in (subscribers, subscriptions, consents):
        ids = [number for (number,) in await rows(store, table.c.id)]
        assert len(set(ids)) == len(ids) == 4


async def test_the_mark_of_a_person_is_the_one_that_all_rooms_use(store: Store) -> None:
    for address in ("Ann@example.org", "jörg@example.org", "STRASSE@example.org"):
        assert store.imports.mark_of()(address).hex() == hash_of(store._database, address)


async def test_a_list_in_the_config_comes_and_goes_in_bulk_and_keeps_away_who_left(store: Store) -> None:
    await store.claim_identity(SECRET, None, NOW)
    many = tuple(f"reader{number}@example.org" for number in range(3_000))
    await synced(store, newsletter(recipients=many))
    [left] = await store.subscriptions.of(many[0])
    await store.subscriptions.leave(left.id, evidence={}, now=NOW)
    await synced(store, newsletter(recipients=many[:10]))
    assert await store.subscriptions.counts() == {("world", "left"): 2_991, ("world", "active"): 9}
    wanted = newsletter(recipients=(*many[:2], many[-1], "new@example.org"))
    plan = await store.newsletters.plan(wanted)
    assert plan.added == (many[-1], "new@example.org")
    assert plan.removed == many[2:10]
    assert plan.kept_out == ((many[0], "left"),)
    await synced(store, wanted)
    active = await store.subscriptions.list(status=SubscriptionStatus.ACTIVE)
    assert {one.address for one in active} == {many[1], many[-1], "new@example.org"}
    assert (await store.newsletters.plan(wanted)).added == ()
    assert (await store.ledger.verify()).problems == ()


@pytest.mark.parametrize("told", [9, 3])
async def test_who_returns_by_a_list_is_told_nothing_twice_and_reads_in_no_old_feed(
    store: Store, told: int
) -> None:
    """A rhythm of one's own may be ahead of the newsletter's, or behind it."""
    await store.claim_identity(SECRET, None, NOW)
    await synced(store, newsletter(recipients=("ann@example.org",)))
    [ann] = await store.subscriptions.of("ann@example.org")
    await store.subscriptions.private_feed(ann.id, True, NOW)
    await store.subscriptions.by_mail(ann.id, False, NOW)
    await synced(store, newsletter())
    for statement in (
        update(subscriptions).values(through=told),
        update(editions).where(editions.c.own).values(through=7),
    ):
        await store._database.write(lambda connection, each=statement: connection.execute(each))
    await synced(store, newsletter(recipients=("ann@example.org",)))
    [back] = await store.subscriptions.of("ann@example.org")
    assert (back.status, back.through) == (SubscriptionStatus.ACTIVE, max(told, 7))
    assert (back.feed_on, back.by_mail) == (False, True)

"""Yes and no: who may be written to, how often a confirmation goes, and what a person leaves behind."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text, update
from store_values import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SITE,
    TODAY,
    born,
    claimed,
    newsletter,
    opened,
    readers,
    synced,
)

from digest.model import DeliveryState, NotFound, SubscriptionStatus
from digest.store import Store
from digest.store.tables import subscriptions

pytestmark = pytest.mark.asyncio

ME = "me@example.org"
SHOWN = {"page": "subscribe", "ip": "keyed"}
ACTIVE, LEFT = SubscriptionStatus.ACTIVE, SubscriptionStatus.LEFT
PENDING, PAUSED = SubscriptionStatus.PENDING, SubscriptionStatus.PAUSED


async def ask(store: Store, slug: str = "world", address: str = ME, now=NOW):  # type: ignore[no-untyped-def]
    return await store.subscriptions.request(slug, address, evidence=SHOWN, now=now)


async def confirmed(store: Store, now=NOW):  # type: ignore[no-untyped-def]
    asked = await ask(store, now=now)
    assert asked.subscription is not None
    yes = await store.subscriptions.confirm(asked.subscription.id, evidence=SHOWN, now=now)
    assert yes is not None
    return yes


async def events(store: Store, address: str = ME) -> list[tuple[str, str]]:
    return [(line.event, line.source) for line in await store.subscriptions.history(address)]


# ---------------------------------------------------------------- language


async def test_a_reader_may_choose_a_language_and_take_the_choice_back(store: Store) -> None:
    await synced(store)
    reader = await confirmed(store)
    assert reader.language == ""
    spoken = await store.subscriptions.speak(reader.id, "fr")
    assert spoken is not None
    assert spoken.language == "fr"
    assert await store.subscriptions.languages(reader.edition_id) == {"fr"}
    assert await store.subscriptions.languages(reader.edition_id + 1) == frozenset()
    await store.subscriptions.speak(reader.id, "")
    assert await store.subscriptions.languages(reader.edition_id) == frozenset()
    assert await store.subscriptions.speak(999, "fr") is None


async def test_the_language_outlives_a_goodbye_and_is_not_asked_of_who_has_left(store: Store) -> None:
    await synced(store)
    reader = await confirmed(store)
    await store.subscriptions.speak(reader.id, "fr")
    await store.subscriptions.leave(reader.id, evidence=SHOWN, now=NOW)
    assert await store.subscriptions.languages(reader.edition_id) == frozenset()
    back = await store.subscriptions.undo(reader.id, evidence=SHOWN, now=NOW)
    assert back is not None
    assert back.language == "fr"


# ---------------------------------------------------------------- asking


async def test_asking_makes_a_pending_subscription_and_one_confirmation(store: Store) -> None:
    await synced(store)
    asked = await ask(store)
    assert asked.mailed
    assert asked.subscription is not None
    assert (asked.subscription.status, asked.subscription.source, asked.subscription.address) == (
        PENDING,
        "web",
        ME,
    )
    (letter,) = await claimed(store)
    notice = await store.notices.get(letter.notice_id or 0)
    assert (notice.kind, notice.recipient, notice.newsletter) == ("confirm", ME, "world")
    assert notice.data == {"subscription_id": asked.subscription.id}
    (line,) = await store.subscriptions.history(ME)
    assert (line.at, line.newsletter, line.event, line.evidence) == (NOW, "world", "asked", SHOWN)


async def test_asking_for_what_is_not_there_or_retired_stores_nothing(store: Store) -> None:
    await synced(store)
    await store.newsletters.sync([], site=SITE, now=NOW)
    for slug in ("world", "nowhere"):
        asked = await ask(store, slug)
        assert (asked.subscription, asked.mailed) == (None, False)
    assert await store.subscriptions.list() == []
    assert await claimed(store) == []


async def test_a_suppressed_address_gets_nothing_and_leaves_nothing(store: Store) -> None:
    await synced(store)
    await store.subscriptions.suppress(ME, "bounced", NOW)
    asked = await ask(store, address="ME@example.org")
    assert (asked.subscription, asked.mailed) == (None, False)
    assert await store.subscriptions.list() == []
    assert await claimed(store) == []


async def test_somebody_who_has_it_already_is_not_mailed(store: Store) -> None:
    await synced(store)
    yes = await confirmed(store)
    await claimed(store)
    asked = await ask(store, now=NOW + 2 * DAY)
    assert (asked.subscription, asked.mailed) == (yes, False)
    await store.subscriptions.pause(yes.id, None, NOW)
    assert not (await ask(store, now=NOW + 3 * DAY)).mailed
    assert await claimed(store, now=NOW + 4 * DAY) == []


async def test_one_confirmation_an_hour_and_three_a_day_whatever_the_newsletter(store: Store) -> None:
    await synced(store, newsletter(), newsletter("local"))
    hours = (0, 0.5, 1, 2, 3, 4, 23.9, 25.1)
    slugs = ("world", "local", "world", "local", "world", "local", "world", "local")
    mailed = [
        (await ask(store, slug, now=NOW + hour * HOUR)).mailed
        for slug, hour in zip(slugs, hours, strict=True)
    ]
    assert mailed == [True, False, True, True, False, False, False, True]
    assert (await ask(store, address="other@example.org")).mailed


async def test_of_many_requests_at_once_one_is_mailed(store: Store) -> None:
    await synced(store)
    answers = await asyncio.gather(*(ask(store) for _ in range(12)))
    assert sum(one.mailed for one in answers) == 1
    assert len(await store.subscriptions.list()) == 1
    assert len(await claimed(store)) == 1


# ---------------------------------------------------------------- confirming


async def test_confirming_makes_a_reader_from_the_next_issue_on(store: Store) -> None:
    await synced(store)
    asked = await ask(store)
    assert asked.subscription is not None
    await opened(store, through=5)
    yes = await store.subscriptions.confirm(asked.subscription.id, evidence=SHOWN, now=NOW + HOUR)
    assert yes is not None
    assert (yes.status, yes.through, yes.confirmed_at) == (ACTIVE, 5, NOW + HOUR)
    following = await opened(store, date=TODAY + timedelta(days=1))
    assert following.recipients == 1
    assert await store.subscriptions.verify() == []


async def test_confirming_again_changes_nothing(store: Store) -> None:
    await synced(store)
    yes = await confirmed(store)
    assert await store.subscriptions.confirm(yes.id, evidence=SHOWN, now=NOW + DAY) == yes
    assert await events(store) == [("asked", "web"), ("yes", "web")]


async def test_confirming_what_is_unknown_or_retired_is_refused(store: Store) -> None:
    await synced(store)
    asked = await ask(store)
    assert asked.subscription is not None
    assert await store.subscriptions.confirm(999, evidence=SHOWN, now=NOW) is None
    await store.newsletters.sync([], site=SITE, now=NOW)
    assert await store.subscriptions.confirm(asked.subscription.id, evidence=SHOWN, now=NOW) is None
    found = await store.subscriptions.get(asked.subscription.id)
    assert found is not None
    assert found.status == PENDING


async def test_who_left_comes_back_only_by_asking_and_confirming_anew(store: Store) -> None:
    await synced(store)
    yes = await confirmed(store)
    await store.subscriptions.leave(yes.id, evidence=SHOWN, now=NOW + HOUR)
    assert await store.subscriptions.confirm(yes.id, evidence=SHOWN, now=NOW + 2 * HOUR) is None, (
        "an old link"
    )
    asked = await ask(store, now=NOW + 3 * HOUR)
    assert asked.mailed
    assert asked.subscription is not None
    assert asked.subscription.status == LEFT, "asking alone, which anybody can, changes nothing"
    back = await store.subscriptions.confirm(yes.id, evidence=SHOWN, now=NOW + 4 * HOUR)
    assert back is not None
    assert (back.status, back.left_at) == (ACTIVE, None)
    assert [event for event, _ in await events(store)] == ["asked", "yes", "no", "asked", "yes"]


async def test_nobody_falls_between_an_issue_and_the_next_by_confirming_while_it_is_born(
    store: Store,
) -> None:
    await synced(store)
    people = []
    for number in range(12):
        asked = await ask(store, address=f"p{number}@example.org")
        assert asked.subscription is not None
        people.append(asked.subscription.id)

    async def confirm(number: int) -> None:
        await asyncio.sleep(number * 0.003)
        await store.subscriptions.confirm(people[number], evidence={}, now=NOW)

    async def publish() -> None:
        for day in range(4):
            await opened(store, date=TODAY + timedelta(days=day))
            await asyncio.sleep(0.005)

    await asyncio.gather(publish(), *(confirm(number) for number in range(12)))
    last = await opened(store, date=TODAY + timedelta(days=9))
    assert last.recipients == 12, "somebody is out of step, and would never get an issue again"


async def test_a_birth_waits_for_who_has_just_read_where_the_edition_stands(postgres_url: str) -> None:
    """Otherwise they stand at the old number when all deliveries are born, and match no issue ever again."""
    store = await Store.open(postgres_url)
    held, let_go = asyncio.Event(), asyncio.Event()

    async def hold_up_consent(connection) -> None:  # type: ignore[no-untyped-def]
        await connection.execute(text("LOCK TABLE consents IN SHARE MODE"))
        held.set()
        await let_go.wait()

    try:
        await synced(store)
        asked = await ask(store)
        assert asked.subscription is not None
        holding = asyncio.create_task(store._database.write(hold_up_consent))
        await held.wait()
        confirming = asyncio.create_task(
            store.subscriptions.confirm(asked.subscription.id, evidence={}, now=NOW)
        )
        await asyncio.sleep(0.2)  # it has read `through`, and cannot commit
        publishing = asyncio.create_task(opened(store))
        await asyncio.sleep(0.2)
        assert not publishing.done()
        let_go.set()
        await holding
        await confirming
        assert (await publishing).recipients == 1
        assert (await opened(store, date=TODAY + timedelta(days=1))).recipients == 1
    finally:
        let_go.set()
        await store.close()


# ---------------------------------------------------------------- leaving, pausing


async def test_leaving_holds_at_once_and_again_changes_nothing(store: Store) -> None:
    await synced(store)
    yes = await confirmed(store)
    left = await store.subscriptions.leave(yes.id, evidence={"how": "one-click"}, now=NOW + HOUR)
    assert left is not None
    assert (left.status, left.left_at) == (LEFT, NOW + HOUR)
    assert await store.subscriptions.leave(yes.id, evidence={}, now=NOW + DAY) == left
    assert await events(store) == [("asked", "web"), ("yes", "web"), ("no", "web")]
    assert (await store.subscriptions.history(ME))[-1].evidence == {"how": "one-click"}
    assert await store.subscriptions.leave(999, evidence={}, now=NOW) is None
    assert await store.subscriptions.verify() == []


async def test_a_paused_reader_gets_no_issue_and_goes_on_with_the_next_after_resuming(store: Store) -> None:
    await synced(store)
    (reader,) = await readers(store, 1)
    until = TODAY + timedelta(days=30)
    paused = await store.subscriptions.pause(reader, until, NOW)
    assert paused is not None
    assert (paused.status, paused.paused_until) == (PAUSED, until)
    assert (await opened(store)).recipients == 0
    back = await store.subscriptions.resume(reader, NOW)
    assert back is not None
    assert (back.status, back.paused_until, back.through) == (ACTIVE, None, 0), "what they missed comes yet"
    assert await store.subscriptions.verify() == []


async def test_pausing_and_resuming_bring_nobody_back_who_left_or_never_confirmed(store: Store) -> None:
    await synced(store)
    asked = await ask(store)
    assert asked.subscription is not None
    (reader,) = await readers(store, 1)
    await store.subscriptions.leave(reader, evidence={}, now=NOW)
    for id, status in ((asked.subscription.id, PENDING), (reader, LEFT)):  # noqa: A001
        for act in (store.subscriptions.pause(id, None, NOW), store.subscriptions.resume(id, NOW)):
            found = await act
            assert found is not None
            assert found.status == status
    assert await store.subscriptions.pause(999, None, NOW) is None
    assert await store.subscriptions.resume(999, NOW) is None


# ---------------------------------------------------------------- the admin's hand


async def test_adding_says_what_came_of_it(store: Store) -> None:
    await synced(store)

    async def add(address: str) -> str:
        return await store.subscriptions.add(
            "world", address, source="import", evidence={"file": "a.csv"}, now=NOW
        )

    assert await add(ME) == "added"
    assert await add(ME) == "already"
    (mine,) = await store.subscriptions.of(ME)
    assert (mine.status, mine.source, mine.confirmed_at) == (ACTIVE, "import", NOW)
    await store.subscriptions.leave(mine.id, evidence={}, now=NOW)
    assert await add(ME) == "left"
    assert (await store.subscriptions.of(ME))[0].status == LEFT
    await store.subscriptions.suppress("dead@example.org", "bounced", NOW)
    assert await add("dead@example.org") == "suppressed"
    await ask(store, address="waiting@example.org")
    assert await add("waiting@example.org") == "added"
    assert await events(store, "waiting@example.org") == [("asked", "web"), ("vouched", "import")]
    with pytest.raises(NotFound, match="nowhere"):
        await store.subscriptions.add("nowhere", ME, source="cli", evidence={}, now=NOW)


async def test_removing_ends_one_subscription_or_all_of_a_person(store: Store) -> None:
    await synced(store, newsletter(), newsletter("local"), newsletter("sport"))
    for slug in ("world", "local", "sport"):
        await readers(store, 2, slug)
    address = "reader1@example.org"
    assert await store.subscriptions.remove("world", address, now=NOW) == 1
    assert await store.subscriptions.remove("world", address, now=NOW) == 0
    assert await store.subscriptions.remove(None, address, now=NOW) == 2
    assert await store.subscriptions.remove(None, "nobody@example.org", now=NOW) == 0
    assert {one.status for one in await store.subscriptions.of(address)} == {LEFT}
    assert {one.status for one in await store.subscriptions.of("reader2@example.org")} == {ACTIVE}
    assert (await events(store, address))[-1] == ("no", "cli")


async def test_subscriptions_are_listed_page_by_page_and_counted(store: Store) -> None:
    await synced(store, newsletter(), newsletter("local"))
    ids = await readers(store, 5)
    await readers(store, 2, "local")
    await store.subscriptions.leave(ids[0], evidence={}, now=NOW)
    first = await store.subscriptions.list("world", limit=3)
    second = await store.subscriptions.list("world", after_id=first[-1].id, limit=3)
    assert [one.id for one in first + second] == ids
    assert [one.id for one in await store.subscriptions.list("world", LEFT)] == [ids[0]]
    assert len(await store.subscriptions.list(status=ACTIVE)) == 6
    assert await store.subscriptions.counts() == {
        ("world", "active"): 4,
        ("world", "left"): 1,
        ("local", "active"): 2,
    }
    assert [one.newsletter for one in await store.subscriptions.of("reader1@example.org")] == [
        "local",
        "world",
    ]
    assert await store.subscriptions.get(999) is None


# ---------------------------------------------------------------- proof


async def test_an_active_reader_without_a_standing_yes_is_reported(store: Store) -> None:
    await synced(store)
    ids = await readers(store, 3)
    await store.subscriptions.leave(ids[1], evidence={}, now=NOW)

    async def forge(connection) -> None:  # type: ignore[no-untyped-def]
        await connection.execute(text("DELETE FROM consents WHERE subscriber_id = 1"))
        await connection.execute(
            update(subscriptions).where(subscriptions.c.id == ids[1]).values(status="active")
        )

    await store._database.write(forge)
    problems = await store.subscriptions.verify()
    assert len(problems) == 2
    assert "missing" in problems[0]
    assert f"subscription {ids[1]}" in problems[1]
    assert "no" in problems[1]


async def test_an_erased_person_is_gone_everywhere_and_the_counts_stay(store: Store, store_url: str) -> None:
    await synced(store, newsletter(), newsletter("local"))
    await readers(store, 3)
    await readers(store, 2, "local")
    address = "reader1@example.org"
    issue = await opened(store)
    other = await born(store, "local", audiences={"email": "readers"})
    sent, second, _ = await claimed(store)
    for letter in (sent, second):
        await store.deliveries.begin(letter, now=NOW, lease=MINUTE)
        await store.deliveries.record(
            letter, DeliveryState.SENT, now=NOW, reply=f"250 <{letter.recipient}> ok"
        )
    await store.issues.add_deliveries(other.id, NOW)
    await store.notices.create(
        kind="test", key="t", recipient=address, newsletter="world", data={"to": address}, now=NOW
    )
    await store.inbox.keep(recipient="Reader1@example.org", subject="s", message_id="<1>", body=b"x", now=NOW)
    await store.inbox.keep(recipient="reader2@example.org", subject="s", message_id="<2>", body=b"x", now=NOW)
    await store.subscriptions.suppress(address, "complained", NOW)

    assert await store.subscriptions.erase(address, NOW)
    assert not await store.subscriptions.erase(address, NOW)

    assert await store.subscriptions.of(address) == []
    assert await store.subscriptions.history(address) == []
    found = await store.subscriptions.list("world")
    assert (found[0].address, found[0].status) == ("erased", LEFT)
    assert [one.recipient for one in await store.inbox.list()] == ["reader2@example.org"]
    assert (await store.deliveries.get(sent.id)).recipient == "erased"
    assert (await store.deliveries.history(sent.id))[-1].reply == ""
    assert (await store.deliveries.history(second.id))[-1].reply == "250 <reader2@example.org> ok"
    assert (await store.issues.progress(issue.id))["email"] == {"sent": 2, "pending": 1}
    assert await store.issues.progress(other.id) == {"email": {"suppressed": 1, "pending": 1}}
    assert [await store.deliveries.invariant(one.id) for one in (issue, other)] == [[], []]
    assert await store.subscriptions.is_suppressed(address), "erasing lifts no suppression"
    assert await store.subscriptions.verify() == []
    await _is_nowhere(store, "reader1")


async def _is_nowhere(store: Store, word: str) -> None:
    from digest.store.tables import metadata

    async with store._database.reading() as connection:
        for table in metadata.sorted_tables:
            for row in await connection.execute(table.select()):
                assert word not in str(row).lower(), f"still in {table.name}: {row}"


async def test_erasing_somebody_unknown_says_so(store: Store) -> None:
    assert not await store.subscriptions.erase("nobody@example.org", NOW)


async def test_an_erased_person_may_come_again_as_somebody_new(store: Store) -> None:
    await synced(store)
    first = await confirmed(store)
    await store.subscriptions.erase(ME, NOW)
    again = await confirmed(store, now=NOW + 2 * DAY)
    assert again.id != first.id
    assert again.subscriber_id != first.subscriber_id
    assert [event for event, _ in await events(store)] == ["asked", "yes"]


async def test_suppression_is_by_address_over_all_newsletters_and_says_nothing_of_it(store: Store) -> None:
    assert not await store.subscriptions.is_suppressed(ME)
    await store.subscriptions.suppress(ME, "bounced", NOW)
    await store.subscriptions.suppress(ME, "again", NOW)
    assert await store.subscriptions.is_suppressed("Me@Example.org")
    assert not await store.subscriptions.is_suppressed("other@example.org")
    await _is_nowhere(store, "me@example")

"""The ledger: nobody lost, nobody written to twice, and whoever wakes too late is told no."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import delete, text, update
from store_values import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    TODAY,
    claimed,
    one_letter,
    opened,
    readers,
    synced,
)

from digest.model import Delivery, DeliveryState, Ended, NotFound
from digest.store import Store
from digest.store.claims import CLAIM, EXPIRED
from digest.store.tables import deliveries

pytestmark = pytest.mark.asyncio

PENDING, ATTEMPTING, SENT = DeliveryState.PENDING, DeliveryState.ATTEMPTING, DeliveryState.SENT
DEFERRED, FAILED = DeliveryState.DEFERRED, DeliveryState.FAILED
SUPPRESSED, UNKNOWN = DeliveryState.SUPPRESSED, DeliveryState.UNKNOWN
NO_TIME = timedelta(0)


async def begin(store: Store, letter: Delivery, lease: timedelta = MINUTE) -> str:
    return await store.deliveries.begin(letter, now=NOW, lease=lease)


async def states(store: Store, letter: Delivery) -> list[tuple[str, int]]:
    return [(event.state, event.attempt) for event in await store.deliveries.history(letter.id)]


# ---------------------------------------------------------------- claims


async def test_a_claim_is_a_lease_on_rows_that_stay_pending(store: Store) -> None:
    letter = await one_letter(store)
    assert (letter.state, letter.attempts, letter.fence) == (PENDING, 0, 1)
    assert (letter.channel, letter.recipient, letter.newsletter) == ("email", "reader1@example.org", "world")
    assert (letter.created_at, letter.available_at) == (NOW, NOW)
    assert (letter.issue_id, letter.notice_id, letter.subscription_id) == (1, None, 1)
    assert await claimed(store) == [], "it is lent already"
    assert await store.deliveries.get(letter.id) == letter
    assert await states(store, letter) == []


async def test_a_lease_runs_by_the_clock_of_the_database(store: Store) -> None:
    await synced(store)
    await readers(store, 1)
    await opened(store)
    lease = timedelta(milliseconds=300)
    (first,) = await store.deliveries.claim_due("email", NOW, limit=9, lease=lease)
    # `now` is an argument and may be anything: it does not end anybody's lease.
    assert await claimed(store, now=NOW + 365 * DAY) == []
    await asyncio.sleep(0.35)
    (second,) = await claimed(store)
    assert (second.id, second.fence) == (first.id, first.fence + 1)


async def test_what_is_released_may_be_claimed_at_once_and_what_was_begun_is_not_released(
    store: Store,
) -> None:
    await synced(store)
    await readers(store, 2)
    await opened(store)
    begun, waiting = await claimed(store)
    assert await begin(store, begun) == "go"
    await store.deliveries.release([begun, waiting])
    assert [one.id for one in await claimed(store)] == [waiting.id]
    assert await begin(store, waiting) == "lost", "it was handed back and another has it now"


async def test_notices_go_first_then_issue_by_issue(store: Store) -> None:
    await synced(store)
    await readers(store, 2)
    first = await opened(store)
    second = await opened(store, date=TODAY + timedelta(days=1))
    await store.notices.create(
        kind="report", key="r", recipient="admin@example.org", newsletter="", data={}, now=NOW + MINUTE
    )
    order = [one.issue_id for one in await claimed(store, now=NOW + MINUTE)]
    assert order == [None, first.id, first.id, second.id, second.id]


async def test_a_claim_takes_no_more_than_its_limit(store: Store) -> None:
    await synced(store)
    await readers(store, 5)
    await opened(store)
    await store.notices.create(
        kind="report", key="r", recipient="admin@example.org", newsletter="", data={}, now=NOW
    )
    sizes = [len(await claimed(store, limit=4)) for _ in range(3)]
    assert sizes == [4, 2, 0]
    assert await claimed(store, limit=0) == []


async def test_what_is_deferred_waits_for_its_time(store: Store) -> None:
    letter = await one_letter(store)
    await begin(store, letter)
    assert await store.deliveries.record(letter, DEFERRED, now=NOW, available_at=NOW + HOUR, reply="451")
    assert await claimed(store, now=NOW + HOUR - MINUTE) == []
    (again,) = await claimed(store, now=NOW + HOUR)
    assert (again.id, again.attempts, again.state) == (letter.id, 1, DEFERRED)


async def test_channels_do_not_see_one_another(store: Store) -> None:
    await one_letter(store)
    (document,) = await claimed(store, "feed")
    assert (document.recipient, document.subscription_id) == ("world", None)
    assert await begin(store, document) == "go"
    assert await store.deliveries.record(document, SENT, now=NOW)


async def test_many_claims_at_once_share_without_overlap(store: Store) -> None:
    await synced(store)
    await readers(store, 100)
    await opened(store)
    batches = await asyncio.gather(*(claimed(store, limit=7) for _ in range(20)))
    while more := await claimed(store, limit=7):
        batches.append(more)
    ids = [one.id for batch in batches for one in batch]
    assert len(ids) == len(set(ids)) == 100
    assert max(map(len, batches)) <= 7


# ---------------------------------------------------------------- intent


async def test_an_intent_is_durable_and_counted_before_the_letter_goes(store: Store, store_url: str) -> None:
    letter = await one_letter(store)
    assert await begin(store, letter) == "go"
    other = await Store.open(store_url)
    try:
        found = await other.deliveries.get(letter.id)
    finally:
        await other.close()
    assert (found.state, found.attempts) == (ATTEMPTING, 1)
    assert await states(store, letter) == [(ATTEMPTING, 1)]


async def test_an_intent_can_be_had_only_once(store: Store) -> None:
    letter = await one_letter(store)
    answers = await asyncio.gather(*(begin(store, letter) for _ in range(8)))
    assert sorted(answers) == ["go", *["lost"] * 7]
    assert await states(store, letter) == [(ATTEMPTING, 1)]


async def test_a_step_asked_again_counts_what_was_done_and_does_it_once(store: Store) -> None:
    await synced(store)
    await readers(store, 4)
    await opened(store)
    sent, deferred, begun, new = await claimed(store)
    ended = [Ended(delivery=sent, state=SENT), Ended(delivery=deferred, state=DEFERRED, uncounted=True)]
    await store.deliveries.step([], [sent, deferred], now=NOW, lease=MINUTE)
    assert await store.deliveries.step(ended, [begun], now=NOW, lease=MINUTE) == ([True, True], ["go"])
    again = await store.deliveries.step(ended, [begun, new], now=NOW, lease=MINUTE, again=True)
    assert again == ([True, True], ["go", "go"])
    assert await states(store, sent) == [(ATTEMPTING, 1), (SENT, 1)]
    assert await states(store, deferred) == [(ATTEMPTING, 1), (DEFERRED, 1)]
    assert await states(store, begun) == await states(store, new) == [(ATTEMPTING, 1)]
    found = {one.id: one for one in await store.deliveries.of_issue(sent.issue_id or 0)}
    assert [found[one.id].attempts for one in (sent, deferred, begun, new)] == [1, 0, 1, 1]


async def test_a_step_asked_again_gives_nobody_the_intent_of_another(store: Store) -> None:
    letter = await one_letter(store)
    assert await begin(store, letter, lease=NO_TIME) == "go"
    asked = await store.deliveries.step([], [letter], now=NOW, lease=MINUTE, again=True)
    assert asked == ([], ["lost"]), "its lease ran out: somebody may be giving it up"
    (other,) = [one for one in await claimed(store) if one.id == letter.id]
    assert await begin(store, other) == "go"
    asked = await store.deliveries.step([], [letter], now=NOW, lease=MINUTE, again=True)
    assert asked == ([], ["lost"])


async def test_whatever_a_server_says_can_be_written_down(store: Store) -> None:
    letter = await one_letter(store)
    assert await begin(store, letter) == "go"
    said = "né \U0001f600 \" ' \\u0000 \\ :id %s {} \u2028 \ud83d\x00\x1f"
    assert await store.deliveries.record(letter, SENT, now=NOW, relay="mx\x00", reply=said)
    *_, event = await store.deliveries.history(letter.id)
    assert event.relay == "mx"
    assert event.reply == said.replace("\0", "").replace("\ud83d", "\ufffd")


async def test_an_intent_needs_a_lease_that_has_not_run_out(store: Store) -> None:
    await synced(store)
    await readers(store, 1)
    await opened(store)
    (letter,) = await store.deliveries.claim_due("email", NOW, limit=1, lease=NO_TIME)
    assert await begin(store, letter) == "lost", "it slept through its lease"
    assert (await store.deliveries.get(letter.id)).state == PENDING


async def test_whoever_was_overtaken_gets_no_from_everything(store: Store) -> None:
    await synced(store)
    await readers(store, 1)
    await opened(store)
    (sleeper,) = await store.deliveries.claim_due("email", NOW, limit=1, lease=NO_TIME)
    (other,) = await claimed(store)
    assert await begin(store, sleeper) == "lost"
    await store.deliveries.renew([sleeper], lease=HOUR)
    await store.deliveries.release([sleeper])
    assert not await store.deliveries.record(sleeper, FAILED, now=NOW)
    assert await begin(store, other) == "go", "the sleeper's calls changed something"
    assert not await store.deliveries.record(sleeper, SENT, now=NOW)
    assert await store.deliveries.record(other, SENT, now=NOW, relay="mx", reply="250 ok")
    events = await store.deliveries.history(other.id)
    assert [(one.state, one.relay, one.reply) for one in events] == [
        (ATTEMPTING, "", ""),
        (SENT, "mx", "250 ok"),
    ]


async def test_an_intent_is_refused_for_good_when_the_reader_has_left(store: Store) -> None:
    letter = await one_letter(store)
    assert letter.subscription_id is not None
    await store.subscriptions.leave(letter.subscription_id, evidence={}, now=NOW)
    assert await begin(store, letter) == "suppressed"
    assert await states(store, letter) == [(SUPPRESSED, 0)]
    assert await claimed(store, now=NOW + DAY) == []
    assert await begin(store, letter) == "suppressed"
    assert len(await states(store, letter)) == 1


async def test_an_intent_is_refused_for_good_when_the_address_is_suppressed(store: Store) -> None:
    letter = await one_letter(store)
    await store.subscriptions.suppress("Reader1@Example.ORG", "bounced", NOW)
    assert await begin(store, letter) == "suppressed"
    assert (await store.deliveries.get(letter.id)).state == SUPPRESSED


async def test_a_confirmation_goes_to_somebody_who_is_not_active_yet(store: Store) -> None:
    await synced(store)
    asked = await store.subscriptions.request("world", "me@example.org", evidence={}, now=NOW)
    assert asked.mailed
    (letter,) = await claimed(store)
    assert asked.subscription is not None
    assert (letter.notice_id, letter.subscription_id) == (1, asked.subscription.id)
    assert await begin(store, letter) == "go"


async def test_a_notice_does_not_go_to_a_suppressed_address(store: Store) -> None:
    await synced(store)
    await store.subscriptions.request("world", "me@example.org", evidence={}, now=NOW)
    (letter,) = await claimed(store)
    await store.subscriptions.suppress("me@example.org", "bounced", NOW)
    assert await begin(store, letter) == "suppressed"


async def test_a_goodbye_that_is_being_committed_counts_for_the_intent_that_waits_on_it(
    store: Store,
) -> None:
    letter = await one_letter(store)
    if store.dialect == "sqlite":
        return  # one writer at a time: there is no “while it is being committed”
    leaving = asyncio.Event()

    async def goodbye(connection) -> None:  # type: ignore[no-untyped-def]
        await connection.execute(text("UPDATE subscriptions SET status = 'left'"))
        leaving.set()
        await asyncio.sleep(0.3)

    task = asyncio.create_task(store._database.write(goodbye))
    await leaving.wait()
    assert await begin(store, letter) == "suppressed"
    await task


# ---------------------------------------------------------------- outcome


@pytest.mark.parametrize("state", [SENT, FAILED, SUPPRESSED])
async def test_a_final_outcome_is_at_rest(store: Store, state: DeliveryState) -> None:
    letter = await one_letter(store)
    await begin(store, letter)
    assert await store.deliveries.record(letter, state, now=NOW, relay="mx.example", reply="the answer")
    assert not await store.deliveries.record(letter, state, now=NOW), "an outcome is recorded once"
    assert await claimed(store, now=NOW + 365 * DAY) == []
    (event,) = (await store.deliveries.history(letter.id))[1:]
    assert (event.at, event.state, event.attempt, event.relay, event.reply) == (
        NOW,
        state,
        1,
        "mx.example",
        "the answer",
    )


async def test_only_what_was_begun_can_have_been_sent(store: Store) -> None:
    letter = await one_letter(store)
    assert not await store.deliveries.record(letter, SENT, now=NOW)
    assert await store.deliveries.record(letter, FAILED, now=NOW, reply="cannot be built")


async def test_a_lost_connection_does_not_use_up_the_readers_attempts(store: Store) -> None:
    letter = await one_letter(store)
    await begin(store, letter)
    assert await store.deliveries.record(letter, PENDING, now=NOW, uncounted=True, reply="connection lost")
    (again,) = await claimed(store)
    assert again.attempts == 0
    assert await states(store, letter) == [(ATTEMPTING, 1), (PENDING, 1)]
    # Not begun, nothing to give back.
    assert await store.deliveries.record(again, PENDING, now=NOW, uncounted=True)
    assert (await store.deliveries.get(letter.id)).attempts == 0


async def test_an_attempt_whose_worker_fell_silent_becomes_unknown_and_is_tried_again(store: Store) -> None:
    letter = await one_letter(store)
    assert await begin(store, letter, lease=NO_TIME) == "go"
    (again,) = await claimed(store)
    assert (again.id, again.state, again.attempts) == (letter.id, UNKNOWN, 1)
    assert await states(store, letter) == [(ATTEMPTING, 1), (UNKNOWN, 1)]
    assert not await store.deliveries.record(letter, SENT, now=NOW), "the first worker woke too late"
    assert await begin(store, again) == "go"
    assert await store.deliveries.record(again, SENT, now=NOW)
    assert await states(store, letter) == [(ATTEMPTING, 1), (UNKNOWN, 1), (ATTEMPTING, 2), (SENT, 2)]


async def test_an_attempt_whose_worker_fell_silent_is_held_when_the_newsletter_says_so(store: Store) -> None:
    letter = await one_letter(store, unknown="hold")
    assert await begin(store, letter, lease=NO_TIME) == "go"
    assert await claimed(store) == []
    assert await states(store, letter) == [(ATTEMPTING, 1), (UNKNOWN, 1)]
    assert await claimed(store, now=NOW + DAY) == []
    assert not await store.deliveries.record(letter, SENT, now=NOW), "the worker woke too late"


@pytest.mark.parametrize(("policy", "again"), [("retry", 1), ("hold", 0)])
async def test_an_outcome_nobody_knows_follows_the_newsletters_policy(
    store: Store, policy: str, again: int
) -> None:
    letter = await one_letter(store, unknown=policy)
    await begin(store, letter)
    assert await store.deliveries.record(letter, UNKNOWN, now=NOW, available_at=NOW + MINUTE)
    assert await claimed(store) == []
    assert len(await claimed(store, now=NOW + MINUTE)) == again


async def test_a_notice_in_doubt_is_tried_again_also_when_it_is_about_no_newsletter(store: Store) -> None:
    await store.notices.create(
        kind="report", key="r", recipient="admin@example.org", newsletter="", data={}, now=NOW
    )
    (letter,) = await claimed(store)
    await begin(store, letter)
    await store.deliveries.record(letter, UNKNOWN, now=NOW)
    assert [one.id for one in await claimed(store)] == [letter.id]


async def test_a_renewed_lease_keeps_the_letter_while_the_other_side_thinks(store: Store) -> None:
    letter = await one_letter(store)
    await begin(store, letter, lease=timedelta(seconds=1))
    await store.deliveries.renew([letter], lease=HOUR)
    await asyncio.sleep(1.05)
    assert await claimed(store) == []
    assert await store.deliveries.record(letter, SENT, now=NOW)


async def test_a_claim_that_has_run_out_is_not_renewed(store: Store) -> None:
    await synced(store)
    await readers(store, 1)
    await opened(store)
    (letter,) = await store.deliveries.claim_due("email", NOW, limit=1, lease=NO_TIME)
    await store.deliveries.renew([letter], lease=HOUR)
    assert await begin(store, letter) == "lost"
    assert len(await claimed(store)) == 1


async def test_hundreds_of_claims_are_renewed_and_released_in_one_call(store: Store) -> None:
    await synced(store)
    await readers(store, 40)
    await opened(store)
    held = await store.deliveries.claim_due("email", NOW, limit=1000, lease=timedelta(seconds=2))
    await store.deliveries.renew(held * 30, lease=HOUR)
    await asyncio.sleep(2.05)
    assert await claimed(store) == []
    await store.deliveries.release(held * 30)
    assert len(await claimed(store)) == 40


# ---------------------------------------------------------------- looking


async def test_letters_of_an_issue_are_found_by_state(store: Store) -> None:
    await synced(store)
    await readers(store, 3)
    issue = await opened(store)
    first, *_ = await claimed(store)
    await begin(store, first)
    await store.deliveries.record(first, SENT, now=NOW)
    assert [one.id for one in await store.deliveries.of_issue(issue.id, SENT)] == [first.id]
    assert len(await store.deliveries.of_issue(issue.id)) == 4
    assert len(await store.deliveries.of_issue(issue.id, limit=2)) == 2
    assert await store.deliveries.counts() == {"pending": 3, "sent": 1}
    assert await store.issues.progress(issue.id) == {
        "email": {"pending": 2, "sent": 1},
        "feed": {"pending": 1},
    }
    with pytest.raises(NotFound):
        await store.deliveries.get(999)


async def test_the_invariant_names_a_letter_that_is_missing(store: Store) -> None:
    await synced(store)
    await readers(store, 3)
    issue = await opened(store)
    assert await store.deliveries.invariant(issue.id) == []

    async def lose_one(connection) -> None:  # type: ignore[no-untyped-def]
        await connection.execute(delete(deliveries).where(deliveries.c.id == 2))

    await store._database.write(lose_one)
    (wrong,) = await store.deliveries.invariant(issue.id)
    assert "3 recipients but 2" in wrong


async def test_the_invariant_names_a_letter_that_was_accepted_twice(store: Store) -> None:
    letter = await one_letter(store)
    assert letter.issue_id is not None
    for state in (SENT, UNKNOWN, SENT, SENT):

        async def by_magic(connection) -> None:  # type: ignore[no-untyped-def]
            await connection.execute(update(deliveries).values(state="attempting"))

        assert await store.deliveries.invariant(letter.issue_id) == []
        await store._database.write(by_magic)
        await store.deliveries.record(letter, state, now=NOW)
    assert await store.deliveries.invariant(letter.issue_id) == [f"delivery {letter.id} was accepted twice"]


async def test_claims_walk_the_partial_indexes_and_never_sort(store: Store) -> None:
    letter = await one_letter(store)
    words = {"channel": "email", "place": letter.issue_id, "now": 0, "limit": 5, "lease": 1}
    plans = []
    async with store._database._writing.begin() as connection:
        if store.dialect == "postgresql":  # a small table is read whole, whatever indexes it has
            for way in ("seqscan", "bitmapscan"):
                await connection.execute(text(f"SET LOCAL enable_{way} = off"))
        for statement in (EXPIRED[store.dialect], CLAIM[store.dialect]):
            explain = "EXPLAIN QUERY PLAN" if store.dialect == "sqlite" else "EXPLAIN"
            rows = await connection.execute(text(f"{explain} {statement}"), words)
            plans.append(" ".join(str(row) for row in rows))
    assert "ix_deliveries_attempting" in plans[0]
    assert "ix_deliveries_queue" in plans[1]
    for plan in plans:
        assert "Sort" not in plan
        assert "TEMP B-TREE" not in plan


async def test_whether_anything_is_due_is_what_a_claim_would_find(store: Store) -> None:
    assert not await store.deliveries.any_due("email", NOW)
    letter = await one_letter(store)
    assert not await store.deliveries.any_due("email", NOW), "it is lent"
    assert await store.deliveries.any_due("feed", NOW)
    assert letter.issue_id is not None
    await store.issues.pause(letter.issue_id)
    assert not await store.deliveries.any_due("feed", NOW)
    await store.issues.resume(letter.issue_id)
    await begin(store, letter)
    await store.deliveries.record(letter, DEFERRED, now=NOW, available_at=NOW + HOUR)
    assert not await store.deliveries.any_due("email", NOW)
    assert await store.deliveries.any_due("email", NOW + HOUR)
    (again,) = await claimed(store, now=NOW + HOUR)
    assert await begin(store, again, lease=NO_TIME) == "go"
    assert await store.deliveries.any_due("email", NOW), "somebody fell silent over it"


async def test_one_notice_is_claimed_by_itself(store: Store) -> None:
    notice = await store.notices.create(
        kind="test", key="k", recipient="a@example.org", newsletter="", data={}, now=NOW
    )
    assert notice is not None
    letter = await store.deliveries.claim_notice(notice.id, lease=MINUTE)
    assert letter is not None
    assert letter.notice_id == notice.id
    assert await store.deliveries.claim_notice(notice.id, lease=MINUTE) is None, "it is lent"
    assert await begin(store, letter) == "go"
    assert await store.deliveries.record(letter, SENT, now=NOW)
    assert await store.deliveries.claim_notice(notice.id, lease=MINUTE) is None, "it has gone"

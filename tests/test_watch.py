"""The sums that are looked at while letters go, and what happens when too many fail."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from digest.dispatch import Patience, deliver
from digest.model import Delivery, DeliveryState, PublishError
from digest.store import Store
from digest.watch import LedgerBroken, Watch, too_many, words
from letter_samples import MOMENT, WORLD, issue, story
from test_dispatch import Bench, Clock, Fake


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> Any:
    store = await Store.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    try:
        yield Bench(store=store, clock=Clock(MOMENT), folder=tmp_path)
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("states", "share", "alarm"),
    [
        ({}, 0.1, False),
        ({"failed": 19, "sent": 0}, 0.1, False),  # a handful never says anything
        ({"failed": 20, "sent": 0}, 0.1, True),
        ({"failed": 20, "sent": 180}, 0.1, False),
        ({"failed": 21, "sent": 180}, 0.1, True),
        ({"failed": 21, "sent": 150, "suppressed": 60}, 0.1, False),
        ({"failed": 21, "sent": 180, "pending": 100_000}, 0.1, True),  # those that wait say nothing yet
        ({"failed": 900, "sent": 100}, 1.0, False),
    ],
)
def test_a_share_of_the_letters_that_were_tried_is_too_many(
    states: dict[str, int], share: float, alarm: bool
) -> None:
    assert too_many(states, share) is alarm


def test_the_admins_read_what_failed_why_and_what_to_do() -> None:
    told = issue(WORLD, story(1, "A bridge was opened", "It was opened."))
    early = words(told, {"failed": 30, "sent": 100, "pending": 70}, [("550 5.7.1 blocked", 30)], over=False)
    text_ = " ".join(early["lines"])
    assert early["title"] == f"{told.path} is paused: 30 letters failed"
    assert "Of the 200 letters" in text_
    assert "30 times: 550 5.7.1 blocked" in text_
    for word in ("resume", "retry", "cancel"):
        assert f"digest issues {word} {told.path}" in text_
    late = words(told, {"failed": 30, "sent": 100}, [], over=True)
    assert late["title"] == f"30 letters of {told.path} failed"
    assert "resume" not in " ".join(late["lines"])


async def refuse(_delivery: Delivery) -> None:
    raise PublishError("550 no thanks", permanent=True)


async def welcome(_delivery: Delivery) -> None:
    pass


def people(count: int) -> list[str]:
    return [f"reader{number}@example.org" for number in range(count)]


@pytest.mark.asyncio
async def test_an_issue_that_failed_is_told_to_the_admins_once(bench: Bench) -> None:
    await bench.bear(*people(30))
    fake = Fake(always=refuse)
    line = replace(bench.line(fake), admins=("admin@example.org", "boss@example.org"), alarm=0.1)
    assert (await deliver(line)).states == {"failed": 30}
    fake.always = None
    assert (await deliver(line)).states == {"sent": 2}  # the two letters to the admins
    assert sorted(fake.got[30:]) == ["admin@example.org", "boss@example.org"]
    assert (await deliver(line)).states == {}
    assert (await bench.store.issues.get(bench.issue_id)).state == "open"
    [notice] = [await bench.store.notices.get(1)]
    assert "30 times: 550 no thanks" in " ".join(notice.data["lines"])


@pytest.mark.asyncio
async def test_an_issue_that_begins_to_fail_is_paused_and_an_admin_may_go_on(bench: Bench) -> None:
    await bench.bear(*people(600))

    async def refuse_slowly(delivery: Delivery) -> None:
        if len(fake.got) > 60:
            await asyncio.sleep(0.05)  # there is time to see what happens
        await refuse(delivery)

    fake = Fake(always=refuse_slowly, acts={"admin@example.org": welcome}, concurrency=8)
    line = replace(bench.line(fake), admins=("admin@example.org",), alarm=0.1)
    found = await deliver(line, patience=Patience(watch_every=0.02))
    assert 20 <= found.states["failed"] < 600
    assert (await bench.store.issues.get(bench.issue_id)).state == "paused"
    fake.always = None
    told = found.states.get("sent", 0) + (await deliver(line)).states.get("sent", 0)
    assert told == fake.done.count("admin@example.org") == 1
    await bench.store.issues.resume(bench.issue_id)
    rest = 600 - found.states["failed"]
    assert (await deliver(line, patience=Patience(watch_every=0.02))).states == {"sent": rest}


@pytest.mark.asyncio
async def test_broken_sums_stop_everything(bench: Bench) -> None:
    await bench.bear(*people(5))

    async def lose_one(connection: Any) -> None:
        await connection.execute(text("DELETE FROM deliveries WHERE id = 5"))

    await bench.store._database.write(lose_one)
    with pytest.raises(LedgerBroken, match="5 recipients but 4 deliveries"):
        await deliver(bench.line(Fake()))
    assert (await bench.store.issues.get(bench.issue_id)).state == "paused"


@pytest.mark.asyncio
async def test_a_look_that_took_long_rests_and_is_made_up_for_later(bench: Bench) -> None:
    """A watch that lives longer than a round: the last letters of a million do not count it every second."""
    await bench.bear(*people(5))
    ticks = iter([0.0, 10.0, 10.0, *[100.0] * 2, *[600.0] * 6])  # the first look takes ten seconds

    watch = Watch(ticks=lambda: next(ticks))
    line = bench.line(Fake())
    await deliver(line, watch=watch)

    async def lose_one(connection: Any) -> None:
        await connection.execute(text("DELETE FROM delivery_events WHERE delivery_id = 5"))
        await connection.execute(text("DELETE FROM deliveries WHERE id = 5"))

    await bench.store._database.write(lose_one)
    watch.mind([bench.issue_id])
    await watch.look(line)  # it rests for five hundred seconds
    with pytest.raises(LedgerBroken):
        await watch.look(line)


@pytest.mark.asyncio
async def test_reasons_that_differ_only_in_numbers_are_one(bench: Bench) -> None:
    await bench.bear(*people(5))
    said = iter(
        [
            "550 5.1.1 <(address)> unknown; queue 4F2A91",
            "550 5.1.1 <(address)> unknown; queue 77B0E2",
            "550 5.1.1 <(address)> unknown; queue 9",
            "554 5.7.1 blocked by list 12",
            "550 5.2.1 mailbox disabled",
        ]
    )

    async def act(_delivery: Delivery) -> None:
        raise PublishError(next(said), permanent=True)

    await deliver(bench.line(Fake(always=act)))
    reasons = await bench.store.deliveries.reasons(bench.issue_id, DeliveryState.FAILED)
    assert [count for _, count in reasons] == [3, 1, 1]
    assert {reply[:9] for reply, _ in reasons} == {"550 5.1.1", "554 5.7.1", "550 5.2.1"}

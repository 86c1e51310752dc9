"""The ledger against a small model of it: whatever workers do, the store says what the model says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text
from store_values import MINUTE, NOW, newsletter, opened, readers, synced

from digest.model import Delivery, DeliveryState
from digest.store import Store

READERS = 4


class Ledger(RuleBasedStateMachine):
    """Two workers, four readers. The model: the state of each letter, and whose claim is the newest.

    A lease is ended by putting it back to 0 in the database: what its clock would do, without waiting.
    """

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = TemporaryDirectory()
        self.store: Store = self.run(self.begin_with_an_issue())
        self.states: dict[int, str] = dict.fromkeys(self.subscriptions, "pending")
        self.newest: dict[int, Delivery] = {}
        self.leased: set[int] = set()
        self.claims: list[Delivery] = []
        self.active = set(self.subscriptions)
        self.paused = False
        self.accepted: dict[int, int] = {}
        self.doubted: dict[int, int] = {}

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    async def begin_with_an_issue(self) -> Store:
        url = self.url or f"sqlite:///{Path(self.folder.name) / 'ledger.db'}"
        store = await Store.open(url)
        if self.url:
            async with store._database._writing.begin() as connection:
                tables = "deliveries, delivery_events, issues, newsletters, subscribers, departures"
                await connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
        await synced(store, newsletter())
        self.subscriptions = await readers(store, READERS)
        self.issue = await opened(store, audiences={"email": "readers"})
        return store

    def teardown(self) -> None:
        self.run(self.store.close())
        self.loop.close()
        self.folder.cleanup()

    # ------------------------------------------------------------ what happens

    @rule(limit=st.integers(1, READERS))
    def claim(self, limit: int) -> None:
        expired = {s for s, state in self.states.items() if state == "attempting" and s not in self.leased}
        claimed = self.run(self.store.deliveries.claim_due("email", NOW, limit=limit, lease=10 * MINUTE))
        for subscription in sorted(expired, key=self.subscriptions.index)[:limit]:
            self.states[subscription] = "unknown"
            self.doubted[subscription] = self.doubted.get(subscription, 0) + 1
            self.newest.pop(subscription, None)
        free = {
            s
            for s, state in self.states.items()
            if state in ("pending", "deferred", "unknown") and s not in self.leased
        }
        assert {one.subscription_id for one in claimed} <= free
        assert len(claimed) == (0 if self.paused else min(limit, len(free)))
        for one in claimed:
            self.newest[one.subscription_id] = one
            self.leased.add(one.subscription_id)
            self.claims.append(one)

    def is_newest(self, claim: Delivery) -> bool:
        return self.newest.get(claim.subscription_id or 0) is claim

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def intend(self, data: st.DataObject) -> None:
        claim = data.draw(st.sampled_from(self.claims))
        reader = claim.subscription_id or 0
        ours = self.is_newest(claim) and reader in self.leased
        waiting = self.states[reader] in ("pending", "deferred", "unknown")
        answer = self.run(self.store.deliveries.begin(claim, now=NOW, lease=10 * MINUTE))
        if ours and waiting and reader not in self.active:
            assert answer == "suppressed"
            self.states[reader] = "suppressed"
        elif ours and waiting and not self.paused:
            assert answer == "go"
            self.states[reader] = "attempting"
        else:
            assert answer in ("lost", "suppressed")
            assert (answer == "suppressed") == (self.is_newest(claim) and self.states[reader] == "suppressed")
            if ours and waiting:
                self.leased.discard(reader)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), state=st.sampled_from(["sent", "deferred", "failed", "unknown", "pending"]))
    def report(self, data: st.DataObject, state: str) -> None:
        claim = data.draw(st.sampled_from(self.claims))
        reader = claim.subscription_id or 0
        allowed = self.is_newest(claim) and (
            self.states[reader] == "attempting"
            or (state != "sent" and self.states[reader] in ("pending", "deferred", "unknown"))
        )
        written = self.run(self.store.deliveries.record(claim, DeliveryState(state), now=NOW))
        assert written == allowed
        if written:
            self.states[reader] = state
            self.leased.discard(reader)
            if state == "sent":
                self.accepted[reader] = self.accepted.get(reader, 0) + 1
            if state == "unknown":
                self.doubted[reader] = self.doubted.get(reader, 0) + 1

    @precondition(lambda self: self.leased)
    @rule(data=st.data())
    def fall_silent(self, data: st.DataObject) -> None:
        reader = data.draw(st.sampled_from(sorted(self.leased)))

        async def end_lease(connection: Any) -> None:
            statement = text("UPDATE deliveries SET lease_until = 0 WHERE subscription_id = :reader")
            await connection.execute(statement, {"reader": reader})

        self.run(self.store._database.write(end_lease))
        self.leased.discard(reader)

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def hand_back(self, data: st.DataObject) -> None:
        claim = data.draw(st.sampled_from(self.claims))
        reader = claim.subscription_id or 0
        self.run(self.store.deliveries.release([claim]))
        if self.is_newest(claim) and self.states[reader] != "attempting":
            self.leased.discard(reader)

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        reader = data.draw(st.sampled_from(self.subscriptions))
        self.run(self.store.subscriptions.leave(reader, evidence={}, now=NOW))
        self.active.discard(reader)

    @rule()
    def pause_or_resume(self) -> None:
        change = self.store.issues.resume if self.paused else self.store.issues.pause
        self.run(change(self.issue.id))
        self.paused = not self.paused

    # ------------------------------------------------------------ what always holds

    @invariant()
    def the_store_says_what_the_model_says(self) -> None:
        letters = self.run(self.store.deliveries.of_issue(self.issue.id))
        assert {one.subscription_id: str(one.state) for one in letters} == self.states
        assert self.run(self.store.deliveries.invariant(self.issue.id)) == []
        for reader, times in self.accepted.items():
            assert times <= 1 + self.doubted.get(reader, 0)


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest) -> type[Ledger]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    return type("Ledger", (Ledger,), {"url": url})


def test_the_ledger_keeps_to_its_model(ledger: type[Ledger]) -> None:
    run_state_machine_as_test(
        ledger,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )

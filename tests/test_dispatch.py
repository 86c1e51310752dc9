"""Deliver: what becomes of each letter, whatever the way out and the ledger do."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from a_house import Clock
from digest import dispatch
from digest.dispatch import Patience, deliver
from digest.feeds.readers import Readers
from digest.line import Line, each
from digest.links import Links
from digest.model import Delivery, Issue, Newsletter, Notice, NotReady, PublishError, Receipt
from digest.net import Net
from digest.publishers.base import Audience
from digest.store import Store
from digest.workers import Workers
from letter_samples import MOMENT, SITE, WORLD, issue, story
from publishing import bear_prepared, settle

Act = Callable[[Delivery], Awaitable[None]]


@dataclass
class Fake:
    """A publisher that writes down what it is given and does what the test says."""

    channel: str = "email"
    audience: Audience = "readers"
    concurrency: int = 2
    acts: dict[str, Act] = field(default_factory=dict)
    always: Act | None = None
    shut: PublishError | None = None
    got: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    connected: int = 0

    async def prepare(self, issue: Issue, newsletter: Newsletter) -> bytes | None:
        return b"letter"

    async def connect(self) -> None:
        self.connected += 1
        if self.shut:
            raise self.shut

    async def publish(self, delivery: Delivery) -> Receipt:
        self.got.append(delivery.recipient)
        act = self.acts.get(delivery.recipient, self.always)
        if act is not None:
            await act(delivery)
        self.done.append(delivery.recipient)
        return Receipt(relay="fake", reply="250 ok")

    async def close(self) -> None:
        pass


def fails(error: Exception) -> Act:
    async def act(_delivery: Delivery) -> None:
        raise error

    return act


@dataclass
class Bench:
    """An open issue for these readers, on SQLite, with a clock that we turn."""

    store: Store
    clock: Clock
    folder: Path
    issue_id: int = 0

    def line(self, *publishers: Fake) -> Line:
        return Line(
            store=self.store,
            net=Net(user_agent="test"),
            readers=Readers(lanes=1),
            workers=Workers(processes=1),
            links=Links("https://news.example.org", b"a secret of the tests, long enough"),
            site=SITE,
            newsletters={"world": WORLD},
            publishers={publisher.channel: publisher for publisher in publishers},
            folder=self.folder,
            templates=None,
            config_hash="h",
            clock=self.clock,
            chance=lambda: 0.5,
        )

    async def bear(self, *readers: str, channels: dict[str, Audience] | None = None) -> None:
        await settle(self.store, WORLD, readers=readers)
        made = issue(WORLD, story(1, "A bridge was opened", "It was opened."))
        own = await self.store.newsletters.own_edition("world")
        made = replace(made, edition_id=own.id, after=own.through, through=own.through + 1)
        audiences: dict[str, Any] = channels or {"email": "readers"}
        self.issue_id = (await bear_prepared(self.store, made, {}, audiences, MOMENT)).id

    async def states(self, channel: str = "email") -> dict[str, int]:
        return (await self.store.issues.progress(self.issue_id))[channel]

    async def deliveries(self) -> dict[str, Delivery]:
        return {one.recipient: one for one in await self.store.deliveries.of_issue(self.issue_id)}


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> Any:
    store = await Store.open(f"sqlite:///{tmp_path / 'ledger.db'}?timeout=0.1")
    try:
        yield Bench(store=store, clock=Clock(MOMENT + timedelta(seconds=1)), folder=tmp_path)
    finally:
        await store.close()


ANN, BEN, CAT, DAN, EVE = (f"{name}@example.org" for name in ("ann", "ben", "cat", "dan", "eve"))


# ---------------------------------------------------------------- outcomes


@pytest.mark.asyncio
async def test_all_is_sent_once_and_a_second_look_finds_nothing(bench: Bench) -> None:
    await bench.bear(ANN, BEN, CAT)
    fake = Fake()
    assert (await deliver(bench.line(fake))).states == {"sent": 3}
    assert (await deliver(bench.line(fake))).states == {}
    assert sorted(fake.got) == [ANN, BEN, CAT]


@pytest.mark.asyncio
async def test_a_permanent_refusal_is_final_and_a_dead_address_is_suppressed(bench: Bench) -> None:
    await bench.bear(ANN, BEN, CAT)
    fake = Fake(
        acts={
            ANN: fails(PublishError("550 no", permanent=True)),
            BEN: fails(PublishError("550 5.1.1 no such user", permanent=True, suppress=True)),
        }
    )
    assert (await deliver(bench.line(fake))).states == {"failed": 2, "sent": 1}
    assert not await bench.store.subscriptions.is_suppressed(ANN)
    assert await bench.store.subscriptions.is_suppressed(BEN)
    bench.clock.turn(days=2)
    assert (await deliver(bench.line(fake))).states == {}


@pytest.mark.asyncio
async def test_what_nobody_knows_is_unknown_and_is_tried_again_later(bench: Bench) -> None:
    await bench.bear(ANN)
    fake = Fake(acts={ANN: fails(PublishError("gone after the dot", unknown=True))})
    assert (await deliver(bench.line(fake))).states == {"unknown": 1}
    assert (await deliver(bench.line(fake))).states == {}
    fake.acts.clear()
    bench.clock.turn(minutes=15)
    assert (await deliver(bench.line(fake))).states == {"sent": 1}


@pytest.mark.asyncio
async def test_a_reader_put_off_comes_back_after_a_wait_and_the_attempt_counts(bench: Bench) -> None:
    await bench.bear(ANN, BEN)
    fake = Fake(acts={ANN: fails(PublishError("451 later"))})
    assert (await deliver(bench.line(fake))).states == {"deferred": 1, "sent": 1}
    assert (await bench.deliveries())[ANN].attempts == 1
    assert (await deliver(bench.line(fake))).states == {}
    bench.clock.turn(minutes=15)
    assert (await deliver(bench.line(fake))).states == {"deferred": 1}
    assert (await bench.deliveries())[ANN].attempts == 2


@pytest.mark.asyncio
async def test_an_address_suppressed_meanwhile_gets_nothing(bench: Bench) -> None:
    await bench.bear(ANN, BEN)
    await bench.store.subscriptions.suppress(ANN, "complained", now=bench.clock())
    fake = Fake()
    await deliver(bench.line(fake))
    assert fake.got == [BEN]
    assert await bench.states() == {"sent": 1, "suppressed": 1}


# ---------------------------------------------------------------- time


@pytest.mark.asyncio
async def test_after_a_day_of_refusals_a_letter_is_given_up(bench: Bench) -> None:
    await bench.bear(ANN)
    fake = Fake(acts={ANN: fails(PublishError("451 greylisted"))})
    seen: list[str] = []
    for _ in range(30):
        seen += (await deliver(bench.line(fake))).states
        bench.clock.turn(hours=1)
    assert seen[-1] == "failed"
    assert set(seen[:-1]) == {"deferred"}
    [last] = [event for event in await bench.store.deliveries.history(1) if event.state == "failed"]
    assert "given up after 24 hours" in last.reply
    assert "451 greylisted" in last.reply


@pytest.mark.asyncio
async def test_a_letter_that_waited_a_day_for_a_dead_relay_still_gets_its_tries(bench: Bench) -> None:
    await bench.bear(ANN)
    fake = Fake(shut=PublishError("nobody answers", counts=False))
    bench.clock.turn(days=3)
    assert (await deliver(bench.line(fake))).waiting == {"email": "nobody answers"}
    fake.shut = None
    fake.acts[ANN] = fails(PublishError("451 greylisted"))
    assert (await deliver(bench.line(fake))).states == {"deferred": 1}
    bench.clock.turn(minutes=15)
    fake.acts.clear()
    assert (await deliver(bench.line(fake))).states == {"sent": 1}


@pytest.mark.asyncio
async def test_trouble_of_the_relay_never_makes_a_letter_stale(bench: Bench) -> None:
    await bench.bear(ANN, BEN, CAT, DAN, EVE)
    fake = Fake(always=fails(PublishError("our account is blocked", counts=False)))
    for _ in range(40):
        bench.clock.turn(hours=1)
        await deliver(bench.line(fake))
    assert "failed" not in await bench.states()
    fake.always = None
    bench.clock.turn(minutes=2)
    await deliver(bench.line(fake))
    assert await bench.states() == {"sent": 5}


# ---------------------------------------------------------------- the way out


@pytest.mark.asyncio
async def test_trouble_of_the_relay_costs_no_attempt_and_gives_the_rest_back_at_once(bench: Bench) -> None:
    await bench.bear(ANN, BEN, CAT, DAN, EVE)
    fake = Fake(concurrency=1, acts={ANN: fails(PublishError("421 closing", counts=False))})
    found = await deliver(bench.line(fake))
    assert found.states == {"deferred": 1}
    assert found.waiting == {"email": "421 closing"}
    assert fake.got == [ANN]
    assert (await bench.deliveries())[ANN].attempts == 0
    assert (await deliver(bench.line(fake))).states == {"sent": 4}  # no lease holds them up


@pytest.mark.asyncio
async def test_nothing_is_claimed_while_the_way_out_is_shut(bench: Bench) -> None:
    await bench.bear(ANN)
    fake = Fake(shut=PublishError("refused", counts=False))
    assert (await deliver(bench.line(fake))).waiting == {"email": "refused"}
    [one] = (await bench.deliveries()).values()
    assert (one.fence, one.state) == (0, "pending")


@pytest.mark.asyncio
async def test_a_channel_that_rests_is_not_asked(bench: Bench) -> None:
    await bench.bear(ANN)
    fake = Fake()
    assert (await deliver(bench.line(fake), resting={"email"})).states == {}
    assert (fake.connected, fake.got) == (0, [])


@pytest.mark.asyncio
async def test_a_publisher_that_breaks_never_stops_the_others(bench: Bench) -> None:
    await bench.bear(ANN, BEN, CAT, channels={"email": "readers", "feed": "newsletter"})
    email = Fake(acts={ANN: fails(KeyError("a fault of ours"))})
    feed = Fake(channel="feed", audience="newsletter", always=fails(RuntimeError("too")))
    found = await deliver(bench.line(email, feed))
    assert found.states == {"sent": 2, "deferred": 2}
    assert sorted(email.done) == [BEN, CAT]


# ---------------------------------------------------------------- the ledger


@pytest.mark.asyncio
async def test_a_ledger_out_of_reach_for_one_channel_cuts_off_no_letter_of_another(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.bear(ANN, BEN, channels={"email": "readers", "feed": "newsletter"})
    in_flight, failed = asyncio.Event(), asyncio.Event()

    async def slow(_delivery: Delivery) -> None:
        in_flight.set()
        await failed.wait()
        await asyncio.sleep(0.05)

    email, feed = Fake(always=slow), Fake(channel="feed", audience="newsletter")
    claim = bench.store.deliveries.claim_due

    async def claim_due(channel: str, now: datetime, **limits: Any) -> list[Delivery]:
        if channel == "feed":
            await in_flight.wait()
            failed.set()
            raise NotReady("database is locked")
        return await claim(channel, now, **limits)

    monkeypatch.setattr(bench.store.deliveries, "claim_due", claim_due)
    with pytest.raises(NotReady, match="locked"):
        await deliver(bench.line(email, feed))
    assert sorted(email.done) == [ANN, BEN]
    assert await bench.states() == {"sent": 2}


@contextlib.contextmanager
def locked(bench: Bench) -> Iterator[None]:
    """Somebody else writes to the database, and does not end."""
    other = sqlite3.connect(bench.folder / "ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


@pytest.mark.asyncio
async def test_an_outcome_is_written_down_as_soon_as_the_ledger_answers_again(bench: Bench) -> None:
    await bench.bear(ANN)
    said: list[str | None] = []
    lock = contextlib.ExitStack()

    async def then_lock(_delivery: Delivery) -> None:
        lock.enter_context(locked(bench))

    def trouble(text: str | None) -> None:
        said.append(text)
        if text is not None and len(said) > 2:
            lock.close()

    fake = Fake(always=then_lock)
    assert (await deliver(bench.line(fake), trouble=trouble)).states == {"sent": 1}
    assert fake.got == [ANN]
    assert await bench.states() == {"sent": 1}
    first = said.index(next(text for text in said if text))
    assert "is writing to it" in str(said[first])
    assert said[-1] is None


@pytest.mark.asyncio
async def test_a_ledger_that_never_answers_again_ends_the_run_and_begins_nothing_more(bench: Bench) -> None:
    await bench.bear(ANN, BEN, CAT, DAN)
    lock = contextlib.ExitStack()

    async def then_lock(delivery: Delivery) -> None:
        if delivery.recipient == ANN:
            lock.enter_context(locked(bench))
        await asyncio.sleep(0.1)

    fake = Fake(always=then_lock)
    with lock, pytest.raises(NotReady, match="is writing to it"):
        await deliver(bench.line(fake), patience=Patience(keep_trying=0.0))
    assert sorted(fake.done) == [ANN, BEN]
    assert await bench.states() == {"attempting": 2, "pending": 2}


@pytest.mark.asyncio
async def test_a_dead_address_is_suppressed_even_when_the_ledger_stumbles(bench: Bench) -> None:
    await bench.bear(ANN)
    lock = contextlib.ExitStack()

    async def then_lock(_delivery: Delivery) -> None:
        lock.enter_context(locked(bench))
        raise PublishError("550 5.1.1", permanent=True, suppress=True)

    def trouble(text: str | None) -> None:
        if text is not None:
            lock.close()

    fake = Fake(acts={ANN: then_lock})
    assert (await deliver(bench.line(fake), trouble=trouble)).states == {"failed": 1}
    assert await bench.states() == {"failed": 1}
    assert await bench.store.subscriptions.is_suppressed(ANN)


SHORT = Patience(lease=timedelta(seconds=1.5), renew_every=0.1)


@pytest.mark.asyncio
async def test_the_lease_is_renewed_while_a_letter_takes_long(bench: Bench) -> None:
    await bench.bear(ANN)
    other = Fake()

    async def long(_delivery: Delivery) -> None:
        await asyncio.sleep(1.9)
        assert (await deliver(bench.line(other))).states == {}  # a second worker finds nothing

    assert (await deliver(bench.line(Fake(always=long)), patience=SHORT)).states == {"sent": 1}
    assert other.got == []
    assert await bench.states() == {"sent": 1}


@pytest.mark.asyncio
async def test_a_long_run_of_letters_does_not_keep_the_feeds_waiting(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.bear(ANN, BEN, channels={"email": "readers", "feed": "newsletter"})
    published = asyncio.Event()

    async def long(_delivery: Delivery) -> None:
        await published.wait()

    async def publish(_delivery: Delivery) -> None:
        published.set()

    email, feed = Fake(always=long), Fake(channel="feed", audience="newsletter", always=publish)
    looks = 0
    any_due = bench.store.deliveries.any_due

    async def due_later(channel: str, now: datetime) -> bool:
        nonlocal looks
        if channel == "feed":
            looks += 1
            if looks < 3:
                return False  # its issue is not composed yet
        return await any_due(channel, now)

    monkeypatch.setattr(bench.store.deliveries, "any_due", due_later)
    async with asyncio.timeout(10):
        found = await deliver(bench.line(email, feed), patience=Patience(look_every=0.02))
        assert found.states == {"sent": 3}


@pytest.mark.asyncio
async def test_a_way_out_that_is_shut_is_told_while_another_channel_is_busy(bench: Bench) -> None:
    await bench.bear(ANN, channels={"email": "readers", "feed": "newsletter"})
    told = asyncio.Event()

    async def long(_delivery: Delivery) -> None:
        await told.wait()

    email = Fake(shut=PublishError("nobody answers", counts=False))
    feed = Fake(channel="feed", audience="newsletter", always=long)
    async with asyncio.timeout(10):
        found = await deliver(bench.line(email, feed), shut=lambda _channel: told.set())
    assert (found.waiting, found.states) == ({"email": "nobody answers"}, {"sent": 1})


# ---------------------------------------------------------------- the end


@pytest.mark.asyncio
async def test_stop_begins_nothing_new_and_gives_the_rest_back(bench: Bench) -> None:
    await bench.bear(ANN, BEN, CAT, DAN, EVE)
    stop = asyncio.Event()

    async def then_stop(_delivery: Delivery) -> None:
        stop.set()
        await asyncio.sleep(0.05)

    fake = Fake(always=then_stop, concurrency=2)
    found = await deliver(bench.line(fake), stop=stop)
    assert found.states["sent"] == len(fake.got) <= 2
    assert (await deliver(bench.line(fake), stop=stop)).states == {}
    fake.always = None
    await deliver(bench.line(fake))
    assert await bench.states() == {"sent": 5}
    assert sorted(fake.got) == [ANN, BEN, CAT, DAN, EVE]


# ---------------------------------------------------------------- notices


async def _notice(bench: Bench) -> Notice:
    await settle(bench.store, WORLD)
    notice = await bench.store.notices.create(
        kind="test", key="test:1", recipient=ANN, newsletter="world", data={}, now=bench.clock()
    )
    assert notice is not None
    return notice


@pytest.mark.asyncio
async def test_a_notice_is_sent_at_once_and_holds_its_lease_meanwhile(bench: Bench) -> None:
    notice = await _notice(bench)
    other = Fake()

    async def long(_delivery: Delivery) -> None:
        await asyncio.sleep(1.9)
        await deliver(bench.line(other))

    outcome = await dispatch.deliver_notice(bench.line(Fake(always=long)), notice, patience=SHORT)
    assert outcome is not None
    assert outcome.state == "sent"
    assert other.got == []


@pytest.mark.asyncio
async def test_a_notice_without_a_channel_waits_and_says_so(bench: Bench) -> None:
    notice = await _notice(bench)
    outcome = await dispatch.deliver_notice(bench.line(), notice)
    assert outcome is not None
    assert (outcome.state, "email" in outcome.reply) == ("pending", True)
    fake = Fake()
    assert (await deliver(bench.line(fake))).states == {"sent": 1}  # it was given back


# ---------------------------------------------------------------- each


@pytest.mark.asyncio
async def test_the_error_of_one_of_many_comes_out_as_itself() -> None:
    async def act(number: int) -> None:
        if number == 2:
            raise NotReady("locked")
        await asyncio.sleep(0.01)

    with pytest.raises(NotReady, match="locked"):
        await each(range(5), act, 2)

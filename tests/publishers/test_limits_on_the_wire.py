"""Limits where letters really go: through sockets, to servers that refuse, by several relays."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from a_ledger import Ledger, delivery, kind

from a_house import Clock
from digest.model import Delivery
from digest.publishers.base import Lent
from digest.publishers.budget import by_priority, limiters
from digest.publishers.connections import Connections
from digest.publishers.email import Publisher, Settings
from digest.publishers.envelope import Letter, whole
from digest.publishers.relay import DomainLimit, Relay
from digest.publishers.relays import Relays
from digest.publishers.replies import Blocked, RelayDown
from digest.publishers.together import Together
from digest.store import Store
from dkim_keys import ed_key, rsa_key, verifies
from letter_samples import MIXED
from publishing import bear, due, settle
from smtp_sink import Fault, SmtpSink

pytestmark = pytest.mark.asyncio

CHUNKS = ("PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8", "SIZE 10000000")


async def compose(one: Delivery) -> Letter:
    letter = f"From: news@example.org\r\nTo: {one.recipient}\r\n\r\nNumber {one.id}.\r\n"
    return whole("news@example.org", one.recipient, letter.encode())


def relay_to(sink: SmtpSink, **changes: Any) -> Relay:
    fields: dict[str, Any] = {"security": "none", "connections": 2, "timeout": timedelta(seconds=5)}
    return Relay(host="127.0.0.1", port=sink.port, **fields | changes)


async def test_the_channel_signs_its_letters_and_keeps_to_its_limits(
    store: Store, lend: Callable[..., Lent]
) -> None:
    readers = [f"r{n}@example.net" for n in range(6)]
    await settle(store, readers=readers)
    async with SmtpSink(extensions=CHUNKS) as sink:
        settings = Settings(
            from_="news@example.org",
            transport="smtp",
            smtp=(relay_to(sink, warm_up=(4, 8)),),
            dkim=(rsa_key(), ed_key()),
        )
        publisher = Publisher(settings, lend())
        await bear(store, MIXED, publisher)
        ledger = Ledger(deliveries=await due(store, "email"))
        with pytest.raises(RelayDown, match="may be given no letter now"):
            await publisher.stream(ledger)
        await publisher.close()
        assert len(sink.accepted) == 4
        assert all(verifies(letter.data, rsa_key(), ed_key()) for letter in sink.accepted)
    assert ledger.complaints == []
    assert [what for what, *_ in await publisher.advice()] == ["dkim", "dkim"]


@contextlib.asynccontextmanager
async def sending(
    store: Store, *relays: Relay, clock: Callable[[], datetime] | None = None
) -> AsyncIterator[Relays]:
    """As the channel puts them together."""
    limits = limiters(
        relays, store.budgets, clock=clock or Clock(), against_us=lambda error: isinstance(error, Blocked)
    )
    open_ = {
        relay.name: Connections(relay, ehlo="example.org", limits=each)
        for relay, each in zip(relays, limits, strict=True)
    }
    groups = [[open_[relay.name] for relay in group] for group in by_priority(relays)]
    ways = Relays([group[0] if len(group) == 1 else Together(group) for group in groups])
    try:
        yield ways
    finally:
        await ways.close()


def letters(*domains: str, each: int) -> list[Delivery]:
    names = [(n, domain) for n in range(each) for domain in domains]
    return [delivery(place, recipient=f"r{n}@{domain}") for place, (n, domain) in enumerate(names)]


@pytest.mark.parametrize("extensions", [CHUNKS, CHUNKS[:1] + CHUNKS[2:], CHUNKS[2:]])
async def test_no_more_letters_go_than_an_hour_allows_and_the_others_wait(
    extensions: tuple[str, ...], store: Store
) -> None:
    ledger = Ledger(50)
    async with SmtpSink(extensions=extensions) as sink:
        async with sending(store, relay_to(sink, rate="20/h")) as ways:
            with pytest.raises(RelayDown, match="may be given no letter now"):
                await ways.stream(ledger, compose)
        async with sending(store, relay_to(sink, rate="20/h")) as ways:  # a new process
            with pytest.raises(RelayDown, match="may be given no letter now"):
                await ways.stream(ledger, compose)
        assert len(sink.accepted) == 20
    kinds = Counter(ledger.kinds().values())
    assert kinds["sent"] == 20
    assert kinds.total() - kinds["sent"] == kinds["not the reader's"]
    assert len(ledger.waiting) == 50 - kinds.total()
    assert (ledger.given, ledger.complaints) == ({}, [])


@pytest.mark.parametrize("extensions", [CHUNKS, CHUNKS[:1] + CHUNKS[2:]])
async def test_a_domain_that_blocks_us_gets_a_few_letters_and_all_others_get_theirs(
    extensions: tuple[str, ...], store: Store
) -> None:
    ledger = Ledger(deliveries=letters("gmail.com", "a.example", "b.example", each=60))
    fault = Fault("rcpt", reply="550 5.7.1 on a block list", match="@gmail.com", times=None)
    async with SmtpSink(faults=[fault], extensions=extensions) as sink:
        async with sending(store, relay_to(sink)) as ways:
            await ways.stream(ledger, compose)
        assert len(sink.accepted) == 120
    refused = [result for result in ledger.results.values() if kind(result) != "sent"]
    assert 5 <= len(refused) <= 5 + 2 * 8, "those that were under way on two connections"
    assert all(isinstance(result, Blocked) for result in refused)
    assert len(ledger.waiting) == 60 - len(refused)
    assert ledger.complaints == []


async def test_a_domain_gets_no_more_letters_at_once_than_it_may(store: Store) -> None:
    ledger = Ledger(deliveries=letters("gmail.com", "a.example", each=30))
    limits = {"gmail.com": DomainLimit(connections=1)}
    async with SmtpSink(extensions=CHUNKS) as sink:
        async with sending(store, relay_to(sink, domains=limits)) as ways:
            await ways.stream(ledger, compose)
        assert len(sink.accepted) == 60
    assert ledger.complaints == []


async def test_relays_of_one_priority_take_letters_by_their_weights(store: Store) -> None:
    ledger = Ledger(300)
    async with SmtpSink() as one, SmtpSink() as two:
        relays = (relay_to(one, priority=1, weight=2), relay_to(two, priority=1))
        async with sending(store, *relays) as ways:
            await ways.connect()
            await ways.stream(ledger, compose)
        assert len(one.accepted) + len(two.accepted) == 300
        assert 1.5 < len(one.accepted) / len(two.accepted) < 2.7


async def test_a_relay_that_is_ahead_of_a_slow_one_waits_for_it_and_goes_on(store: Store) -> None:
    ledger = Ledger(60)
    async with SmtpSink() as quick, SmtpSink(faults=[Fault("dot", delay=0.1, times=None)]) as slow:
        relays = (relay_to(quick, priority=1), relay_to(slow, priority=1))
        async with sending(store, *relays, clock=lambda: datetime.now(UTC)) as ways:
            await ways.connect()
            await ways.stream(ledger, compose)
        assert len(quick.accepted) + len(slow.accepted) == 60
        assert len(quick.accepted) > 20
    assert ledger.complaints == []


async def test_one_takes_all_while_the_other_is_down(store: Store) -> None:
    ledger = Ledger(30)
    async with SmtpSink() as one, SmtpSink() as two:
        relays = (relay_to(one, priority=1), relay_to(two, priority=1))
        await two.stop()
        async with sending(store, *relays) as ways:
            await ways.connect()
            await ways.stream(ledger, compose)
        assert len(one.accepted) == 30


async def test_a_later_relay_takes_what_an_earlier_one_may_not(store: Store) -> None:
    ledger = Ledger(60)
    async with SmtpSink() as one, SmtpSink() as two:
        async with sending(store, relay_to(one, rate="20/h"), relay_to(two)) as ways:
            await ways.stream(ledger, compose)
        assert len(one.accepted) == 20
        late = sum(kind(result) == "not the reader's" for result in ledger.results.values())
        assert len(two.accepted) == 40 - late

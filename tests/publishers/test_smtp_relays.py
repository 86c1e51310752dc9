"""Many letters, and how much a relay is given of them: limits, pace, other relays."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest
from a_ledger import Clock, Ledger, delivery, kind
from a_relay import MODES, check, compose, letter_for, relays_to, took

from digest.model import Delivery
from digest.publishers.admission import Done, Unlimited
from digest.publishers.base import Result, Work
from digest.publishers.connections import Connections
from digest.publishers.relay import Relay
from digest.publishers.relays import Relays
from digest.publishers.replies import RelayDown
from smtp_sink import Fault, SmtpSink

# ---------------------------------------------------------------- limits, pace, other letters


class Narrow(Unlimited):
    """At most one letter to each of these at once."""

    def __init__(self, domain: str) -> None:
        self.domain = domain
        self.open = 0
        self.most = 0
        self.heard: list[str] = []

    async def step(self, work: Work, done: Done, want: int) -> Sequence[Delivery]:
        given = await work.step(done, want, self.admit)
        done.clear()
        return given

    def admit(self, delivery: Delivery) -> bool:
        if not delivery.recipient.endswith(self.domain):
            return True
        if self.open:
            return False
        self.open = self.most = 1
        return True

    def told(self, delivery: Delivery, result: Result) -> None:
        self.heard.append(kind(result))
        if delivery.recipient.endswith(self.domain):
            self.open -= 1


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.asyncio
async def test_limits_are_asked_before_each_letter_and_told_what_came_of_it(mode: str) -> None:
    domains = ("example.org", "slow.example")
    deliveries = [delivery(n, recipient=f"reader{n}@{domains[n % 2]}") for n in range(12)]
    ledger = Ledger(deliveries=deliveries)
    limits = Narrow("slow.example")
    async with SmtpSink(extensions=MODES[mode]) as sink:
        relay = Relay(host="127.0.0.1", port=sink.port, security="none", connections=2)
        relays = Relays([Connections(relay, ehlo="example.org", limits=limits)])
        await relays.stream(ledger, compose)
        await relays.close()
    assert len(took(sink)) == 12
    assert limits.heard == ["sent"] * 12
    assert limits.open == 0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.asyncio
async def test_the_pace_holds_and_nothing_waits_half_sent_for_it(mode: str) -> None:
    clock = Clock()
    ledger = Ledger(21)
    async with SmtpSink(extensions=MODES[mode]) as sink:
        relay = Relay(host="127.0.0.1", port=sink.port, security="none", connections=2, rate="10/s")
        relays = Relays([Connections(relay, ehlo="example.org", clock=clock, sleep=clock.sleep)])
        await relays.stream(ledger, compose)
        await relays.close()
    assert len(sink.accepted) == 21
    assert 1.9 <= clock.now - 1000.0 <= 5.0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.asyncio
async def test_a_connection_carries_no_more_letters_than_the_settings_say(mode: str) -> None:
    ledger = Ledger(12)
    async with SmtpSink(extensions=MODES[mode]) as sink, relays_to(sink, messages=5) as relays:
        await relays.stream(ledger, compose)
        check(sink, ledger)
    assert max(Counter(letter.connection for letter in sink.accepted).values()) == 5
    assert sink.connections == 3
    assert sink.commands.count("QUIT") == 3


@pytest.mark.asyncio
async def test_a_letter_sent_alone_gets_a_connection_while_a_stream_has_them_all() -> None:
    ledger = Ledger(400)
    faults = [Fault("dot", delay=0.005, times=None)]
    async with SmtpSink(faults=faults) as sink, relays_to(sink) as relays:
        stream = asyncio.create_task(relays.stream(ledger, compose))
        await sink.heard("DATA")
        receipt = await relays.send("news@example.org", "ann@example.org", letter_for(delivery(1)))
        assert receipt.reply.startswith("250")
        assert len(ledger.results) < 50, "it did not have to wait for all"
        ledger.stopped = True
        await stream
        assert sink.most_open == 1
        assert sink.complaints == []


# ---------------------------------------------------------------- several relays


@pytest.mark.asyncio
async def test_a_relay_that_refuses_us_hands_its_readers_to_the_next() -> None:
    ledger = Ledger(12)
    async with (
        SmtpSink(faults=[Fault("mail", reply="550 5.7.1 not you", skip=3, times=None)]) as first,
        SmtpSink() as second,
        relays_to(first, second) as relays,
    ):
        await relays.stream(ledger, compose)
    assert len(first.accepted) == 3
    assert len(second.accepted) == 8
    assert Counter(ledger.kinds().values()) == {"sent": 11, "not the reader's": 1}
    assert ledger.given == {}


@pytest.mark.asyncio
async def test_a_relay_that_cuts_every_connection_is_down_after_a_few() -> None:
    ledger = Ledger(12)
    async with (
        SmtpSink(faults=[Fault("rcpt", drop="before", times=None)]) as first,
        SmtpSink() as second,
        relays_to(first, second) as relays,
    ):
        await relays.stream(ledger, compose)
    assert first.connections == 3
    assert Counter(ledger.kinds().values()) == {"sent": 9, "not the reader's": 3}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("reply", ["451 4.3.0 not now", "421 4.7.0 not now", "452 too many"])
@pytest.mark.asyncio
async def test_a_relay_that_takes_nothing_for_now_does_not_get_the_whole_list(reply: str, mode: str) -> None:
    ledger = Ledger(500)
    faults = [Fault("mail", reply=reply, times=None, skip=5)]
    async with (
        SmtpSink(extensions=MODES[mode], faults=faults) as sink,
        relays_to(sink, connections=3) as relays,
    ):
        with pytest.raises(RelayDown, match=r"not now|too many"):
            await relays.stream(ledger, compose)
        check(sink, ledger)
    assert len(ledger.results) <= 5 + 3 * 5 * (2 if mode != "chunks" else 8)


@pytest.mark.asyncio
async def test_what_came_before_we_took_over_is_heard() -> None:
    ledger = Ledger(3)
    greeting = "250-sink.example\r\n250 PIPELINING\r\n250 and something that nobody asked for"
    async with (
        SmtpSink(faults=[Fault("ehlo", reply=greeting, times=None)]) as sink,
        relays_to(sink) as relays,
    ):
        with pytest.raises(RelayDown, match="an answer to nothing"):
            await relays.connect()
        with pytest.raises(RelayDown, match="an answer to nothing"):
            await relays.stream(ledger, compose)
    assert ledger.results == {}
    assert not [command for command in sink.commands if command.startswith("MAIL")]


@pytest.mark.asyncio
async def test_when_no_relay_is_open_any_more_every_letter_has_been_answered_for() -> None:
    ledger = Ledger(12)
    faults = [Fault("mail", reply="550 5.7.1 not you", times=None)]
    async with (
        SmtpSink(faults=faults) as first,
        SmtpSink(faults=[Fault("connect", reply="554 no", times=None)]) as second,
        relays_to(first, second, connections=3) as relays,
    ):
        with pytest.raises(RelayDown, match=r"not you.*554 no"):
            await relays.stream(ledger, compose)
    assert ledger.given == {}
    assert set(ledger.kinds().values()) == {"not the reader's"}
    assert len(ledger.results) <= 3
    assert len(ledger.waiting) >= 9


@pytest.mark.asyncio
async def test_the_first_relay_is_tried_again_while_the_second_sends() -> None:
    clock = Clock()
    ledger = Ledger(200)
    async with (
        SmtpSink(faults=[Fault("connect", reply="421 not yet")]) as first,
        SmtpSink(faults=[Fault("dot", delay=0.002, times=None)]) as second,
    ):
        relays = Relays(
            [
                Connections(
                    Relay(host="127.0.0.1", port=sink.port, security="none", connections=1),
                    ehlo="example.org",
                )
                for sink in (first, second)
            ],
            clock=clock,
        )
        stream = asyncio.create_task(relays.stream(ledger, compose))
        await second.took(5)
        clock.now += 120
        await stream
        await relays.close()
    assert len(first.accepted) > 100
    assert len(first.accepted) + len(second.accepted) == 200


@pytest.mark.asyncio
async def test_more_connections_than_the_server_allows_are_done_without() -> None:
    ledger = Ledger(30)
    faults = [Fault("connect", reply="421 4.7.0 too many connections", skip=1, times=None)]
    async with SmtpSink(faults=faults) as sink, relays_to(sink, connections=4) as relays:
        await relays.stream(ledger, compose)
        check(sink, ledger)
    assert len(sink.accepted) == 30

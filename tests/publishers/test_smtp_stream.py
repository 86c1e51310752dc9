"""Many letters over a few connections: in order with the ledger, over every kind of transport."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvloop
from a_ledger import Ledger, delivery, kind
from a_relay import MODES, check, compose, letter_for, relays_to, took

from digest.model import Delivery, NotReady, PublishError
from digest.publishers.envelope import Letter, whole
from digest.publishers.replies import RelayDown
from smtp_sink import Fault, SmtpSink, certificate


@pytest.mark.parametrize("connections", [1, 3])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.asyncio
async def test_every_letter_arrives_once_as_it_was(mode: str, connections: int) -> None:
    ledger = Ledger(40)
    deliveries = {each.recipient: each for each in ledger.waiting}
    async with SmtpSink(extensions=MODES[mode]) as sink, relays_to(sink, connections=connections) as relays:
        await relays.connect()
        await relays.stream(ledger, compose)
    assert set(ledger.kinds().values()) == {"sent"}
    assert len(ledger.results) == 40
    assert took(sink) == Counter(list(deliveries))
    assert all(letter.data == letter_for(deliveries[letter.recipient]) for letter in sink.accepted)
    assert sink.complaints == []
    assert ledger.complaints == []
    assert ledger.given == {}
    assert sink.connections <= connections


# ---------------------------------------------------------------- with the ledger


@pytest.mark.parametrize(("mode", "most"), [("plain", 1), ("pipelined", 2), ("chunks", 8)])
@pytest.mark.asyncio
async def test_no_body_leaves_before_the_outcome_of_the_one_before_is_durable(mode: str, most: int) -> None:
    async with SmtpSink(extensions=MODES[mode]) as sink, relays_to(sink) as relays:
        ledger = Ledger(60, commit=0.001, taken=lambda: len(sink.accepted))
        await relays.stream(ledger, compose)
    assert ledger.most_given <= most
    assert ledger.most_ahead <= (8 if mode == "chunks" else 1)
    assert len(ledger.results) == 60


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.asyncio
async def test_a_slow_pace_keeps_nobody_from_stopping(mode: str) -> None:
    ledger = Ledger(3)
    async with SmtpSink(extensions=MODES[mode]) as sink, relays_to(sink, rate="1/m") as relays:
        stream = asyncio.create_task(relays.stream(ledger, compose))
        while not ledger.results:  # noqa: ASYNC110 - the ledger tells nobody
            await asyncio.sleep(0.01)
        ledger.stopped = True
        await asyncio.wait_for(stream, 20)
    assert (ledger.kinds(), len(ledger.waiting)) == ({0: "sent"}, 2)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.asyncio
async def test_a_letter_whose_lease_has_run_out_is_not_sent(mode: str) -> None:
    ledger = Ledger(12, slips=[0, 5, 11])
    async with SmtpSink(extensions=MODES[mode]) as sink, relays_to(sink) as relays:
        await relays.stream(ledger, compose)
        check(sink, ledger)
    sent = dict.fromkeys(range(12), "sent")
    assert ledger.kinds() == sent | dict.fromkeys([0, 5, 11], "not the reader's")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.asyncio
async def test_a_lease_that_runs_out_between_envelope_and_body_sends_no_body(mode: str) -> None:
    ledger = Ledger(6, slips_later=[2])
    async with SmtpSink(extensions=MODES[mode]) as sink, relays_to(sink) as relays:
        await relays.stream(ledger, compose)
        check(sink, ledger)
    if mode != "chunks":  # there is nothing in between
        assert ledger.kinds()[2] == "not the reader's"
        assert "reader2@example.org" not in took(sink)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.asyncio
async def test_a_ledger_out_of_reach_stops_all_connections_and_begins_nothing(mode: str) -> None:
    ledger = Ledger(100, down_after=9)
    faults = [Fault("dot", delay=0.01, times=None)]
    async with (
        SmtpSink(extensions=MODES[mode], faults=faults) as sink,
        relays_to(sink, connections=2) as relays,
    ):
        with pytest.raises(NotReady):
            await relays.stream(ledger, compose)
        answered = {f"reader{number}@example.org" for number in [*ledger.results, *ledger.given]}
        assert set(took(sink)) <= answered
        assert max(took(sink).values()) == 1
    assert ledger.given
    assert set(ledger.given) <= set(ledger.refused), "what was known was said once more"
    said = {kind(result) for result in [*ledger.results.values(), *ledger.refused.values()]}
    assert "unknown" not in said, "what was out was waited for"


@pytest.mark.asyncio
async def test_a_letter_that_cannot_be_written_is_answered_for_and_holds_up_nobody() -> None:
    async def broken(delivery: Delivery) -> Letter:
        if delivery.id in (0, 3, 4):
            raise PublishError("no such issue", permanent=True)
        return await compose(delivery)

    for mode in MODES:
        ledger = Ledger(6)
        async with SmtpSink(extensions=MODES[mode]) as sink, relays_to(sink) as relays:
            await relays.stream(ledger, broken)
            check(sink, ledger)
        assert Counter(ledger.kinds().values()) == {"sent": 3, "failed": 3}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.asyncio
async def test_a_fault_of_ours_costs_its_own_letter_only(mode: str) -> None:
    async def broken(delivery: Delivery) -> Letter:
        if delivery.id == 4:
            raise RuntimeError("a fault of ours")
        return await compose(delivery)

    ledger = Ledger(30)
    async with SmtpSink(extensions=MODES[mode]) as sink, relays_to(sink, connections=3) as relays:
        await relays.stream(ledger, broken)
        check(sink, ledger)
    assert ledger.kinds() == dict.fromkeys(range(30), "sent") | {4: "later"}


@pytest.mark.asyncio
async def test_a_stopped_ledger_ends_the_stream_when_the_letters_in_flight_have_ended() -> None:
    ledger = Ledger(1000)
    faults = [Fault("dot", delay=0.005, times=None)]
    async with SmtpSink(faults=faults) as sink, relays_to(sink, connections=2) as relays:
        stream = asyncio.create_task(relays.stream(ledger, compose))
        await sink.took(10)
        ledger.stopped = True
        await stream
        check(sink, ledger)
    assert set(ledger.kinds().values()) == {"sent"}
    assert len(ledger.results) < 30


@pytest.mark.asyncio
async def test_a_connection_without_work_looks_again_while_another_is_still_sending() -> None:
    ledger = Ledger(1)
    faults = [Fault("dot", delay=0.7)]
    async with SmtpSink(faults=faults) as sink, relays_to(sink, connections=2) as relays:
        stream = asyncio.create_task(relays.stream(ledger, compose))
        await sink.heard("DATA")
        await asyncio.sleep(0.1)  # both have asked, and one found nothing
        ledger.waiting.append(delivery(7))
        await stream
        assert len({letter.connection for letter in sink.accepted}) == 2
    assert ledger.kinds() == {0: "sent", 7: "sent"}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.asyncio
async def test_closing_lets_a_stream_finish_what_is_in_flight(mode: str) -> None:
    ledger = Ledger(1000)
    faults = [Fault("dot", delay=0.005, times=None)]
    async with (
        SmtpSink(extensions=MODES[mode], faults=faults) as sink,
        relays_to(sink, connections=2) as relays,
    ):
        stream = asyncio.create_task(relays.stream(ledger, compose))
        await sink.took(5)
        await relays.close()
        with pytest.raises(RelayDown, match="stopped"):
            await stream
        check(sink, ledger)
    assert set(ledger.kinds().values()) == {"sent"}
    assert sink.commands.count("QUIT") == 2


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.asyncio
async def test_a_stream_that_is_cancelled_lets_go_of_its_connections(mode: str) -> None:
    ledger = Ledger(50)
    faults = [Fault("dot", delay=30.0, skip=3)]
    async with (
        SmtpSink(extensions=MODES[mode], faults=faults) as sink,
        relays_to(sink, connections=2) as relays,
    ):
        stream = asyncio.create_task(relays.stream(ledger, compose))
        await sink.took(3)
        stream.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stream
        left = Ledger(deliveries=[*ledger.waiting])
        await relays.stream(left, compose)
        check(sink, left)
    assert set(left.kinds().values()) == {"sent"}
    assert max(took(sink).values()) == 1


@pytest.mark.asyncio
async def test_a_connection_that_nobody_needs_any_more_is_not_waited_for() -> None:
    ledger = Ledger(5)
    async with (
        SmtpSink(faults=[Fault("connect", delay=60.0, skip=1)]) as sink,
        relays_to(sink, connections=2, timeout=timedelta(seconds=60)) as relays,
        asyncio.timeout(20),
    ):
        await relays.stream(ledger, compose)
    assert set(ledger.kinds().values()) == {"sent"}


# ---------------------------------------------------------------- TLS, uvloop, big letters


@pytest.mark.parametrize("mode", ["pipelined", "chunks"])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_letters_stream_over_every_kind_of_transport(
    security: Any, loop: str, mode: str, tmp_path: Path
) -> None:
    tls, trusted = certificate(tmp_path)
    ledger = Ledger(12)

    async def run() -> None:
        async with (
            SmtpSink(security=security, tls=tls, extensions=MODES[mode]) as sink,
            relays_to(sink, security=security, ca=trusted, connections=2) as relays,
        ):
            await relays.stream(ledger, long_compose)
            assert {letter.encrypted for letter in sink.accepted} == {security != "none"}
            assert {letter.data for letter in sink.accepted} == {long_letter(n) for n in range(12)}
            assert sink.complaints == []

    with asyncio.Runner(loop_factory=uvloop.new_event_loop if loop == "uvloop" else None) as runner:
        runner.run(run())
    assert set(ledger.kinds().values()) == {"sent"}


def long_letter(number: int) -> bytes:
    line = f"reader {number}: " + "news " * 12 + "\r\n"
    return f"To: reader{number}@example.org\r\n\r\n".encode() + line.encode() * 8000


async def long_compose(delivery: Delivery) -> Letter:
    return whole("news@example.org", delivery.recipient, long_letter(delivery.id))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.asyncio
async def test_a_slow_reader_at_the_other_end_holds_up_our_writing(mode: str) -> None:
    ledger = Ledger(12)
    faults = [Fault("mail", delay=0.02, times=None)]
    async with SmtpSink(extensions=MODES[mode], faults=faults) as sink, relays_to(sink) as relays:
        await relays.stream(ledger, long_compose)
        check_long = {letter.recipient: letter.data for letter in sink.accepted}
    assert check_long == {f"reader{n}@example.org": long_letter(n) for n in range(12)}

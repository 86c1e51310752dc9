"""Many letters over a few connections, against a real server that fails on purpose at every stage."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from a_ledger import Ledger

from digest.model import Delivery
from digest.publishers.connections import Connections, Relays
from digest.publishers.envelope import Letter, whole
from digest.publishers.relay import Relay
from smtp_sink import Fault, SmtpSink

BASE = ("8BITMIME", "SMTPUTF8", "SIZE 10000000")
MODES = {
    "plain": BASE,
    "pipelined": ("PIPELINING", *BASE),
    "chunks": ("PIPELINING", "CHUNKING", *BASE),
}


def letter_for(delivery: Delivery) -> bytes:
    return (
        f"From: news@example.org\r\nTo: {delivery.recipient}\r\nSubject: Hello\r\n\r\n"
        f"Good morning, number {delivery.id}.\r\n" + "A line of news.\r\n" * (delivery.id % 7)
    ).encode()


async def compose(delivery: Delivery) -> Letter:
    return whole("news@example.org", delivery.recipient, letter_for(delivery))


@contextlib.asynccontextmanager
async def relays_to(*sinks: SmtpSink, final_dot: float = 5.0, **changes: Any) -> AsyncIterator[Relays]:
    fields: dict[str, Any] = {"host": "127.0.0.1", "security": "none", "connections": 1}
    fields |= {"timeout": timedelta(seconds=5)} | changes
    relays = Relays(
        [
            Connections(
                Relay(**fields | {"port": sink.port}),
                ehlo="example.org",
                final_dot=timedelta(seconds=final_dot),
            )
            for sink in sinks
        ]
    )
    try:
        yield relays
    finally:
        await relays.close()


def took(sink: SmtpSink) -> Counter[str]:
    return Counter(letter.recipient for letter in sink.accepted)


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


# ---------------------------------------------------------------- faults, while other letters are on the way

FIVE = {"match": "reader5@"}
CUT_BEFORE, CUT_AFTER = {"drop": "before"}, {"drop": "after"}

# stage, fault, what becomes of the letter that it strikes; None: it strikes no certain one
FAULTS: list[tuple[str, dict[str, Any], str | None]] = [
    ("connect", {"reply": "421 4.3.2 busy"}, None),
    ("connect", CUT_BEFORE, None),
    ("ehlo", {"reply": "421 4.3.2 busy"}, None),
    ("ehlo", {"reply": "550 5.7.1 who are you"}, None),
    ("mail", {"reply": "421 4.7.0 too many letters", "skip": 5}, "not the reader's"),
    ("mail", {"reply": "421 4.7.0 too many letters", "skip": 5, **CUT_AFTER}, "not the reader's"),
    ("mail", {"reply": "451 4.3.0 later", "skip": 5}, "not the reader's"),
    ("mail", {"reply": "452 4.5.3 enough for one connection", "skip": 5}, "not the reader's"),
    ("mail", {"skip": 5, **CUT_BEFORE}, None),
    ("mail", {"skip": 5, **CUT_AFTER}, None),
    ("rcpt", {"reply": "421 4.7.0 too many letters", **FIVE}, "not the reader's"),
    ("rcpt", {"reply": "421 4.7.0 too many letters", **FIVE, **CUT_AFTER}, "not the reader's"),
    ("rcpt", {"reply": "450 4.2.0 greylisted", **FIVE}, "later"),
    ("rcpt", {"reply": "452 4.5.3 too many recipients", **FIVE}, "not the reader's"),
    ("rcpt", {"reply": "452 too many recipients", **FIVE}, "not the reader's"),
    ("rcpt", {"reply": "452 4.2.2 mailbox full", **FIVE}, "later"),
    ("rcpt", {"reply": "550 5.1.1 no such user", **FIVE}, "dead"),
    ("rcpt", {"reply": "550-5.1.1 no such\r\n550 5.1.1 user", **FIVE}, "dead"),
    ("rcpt", {"reply": "550 no such user", **FIVE}, "failed"),
    ("rcpt", {"reply": "552 5.2.2 mailbox full", **FIVE}, "failed"),
    ("rcpt", {"reply": "554 5.7.1 blocked using a list", **FIVE}, "later"),
    ("rcpt", {**FIVE, **CUT_BEFORE}, None),
    ("rcpt", {**FIVE, **CUT_AFTER}, None),
    ("data", {"reply": "421 4.3.0 later", "skip": 5}, "not the reader's"),
    ("data", {"reply": "451 4.3.0 later", "skip": 5}, "later"),
    ("data", {"reply": "554 5.5.1 no valid recipients", "skip": 5}, "later"),
    ("data", {"skip": 5, **CUT_BEFORE}, "not the reader's"),
    ("data", {"skip": 5, **CUT_AFTER}, None),
    ("body", {**FIVE, **CUT_BEFORE}, "unknown"),
    ("dot", {"reply": "421 4.3.0 shutting down", **FIVE}, "not the reader's"),
    ("dot", {"reply": "421 4.3.0 shutting down", **FIVE, **CUT_AFTER}, "not the reader's"),
    ("dot", {"reply": "451 4.3.0 later", **FIVE}, "later"),
    ("dot", {"reply": "452 4.3.1 disk full", **FIVE}, "later"),
    ("dot", {"reply": "550 5.6.0 this is spam", **FIVE}, "later"),
    ("dot", {"reply": "550 5.1.1 no such user", **FIVE}, "later"),
    ("dot", {"reply": "hello?", **FIVE}, "unknown"),
    ("dot", {"reply": "354 more?", **FIVE}, "unknown"),
    ("dot", {**FIVE, **CUT_BEFORE}, "unknown"),
    ("dot", {**FIVE, **CUT_BEFORE, "accept": True}, "unknown"),
    ("dot", {**FIVE, **CUT_AFTER}, "sent"),
    ("rset", {"reply": "502 5.5.1 what?"}, None),
    ("rset", CUT_BEFORE, None),
    ("quit", {"reply": "500 what?"}, None),
    ("quit", CUT_BEFORE, None),
]


def check(sink: SmtpSink, ledger: Ledger) -> None:
    """Nothing is lost or doubled, and what we say of each letter is true."""
    accepted = took(sink)
    kinds = ledger.kinds()
    assert ledger.given == {}, "a delivery was not answered for"
    assert ledger.complaints == []
    assert sink.complaints == []
    for number, said in kinds.items():
        copies = accepted[f"reader{number}@example.org"]
        assert copies <= 1
        if said != "unknown":
            assert copies == (said == "sent"), f"{number} is called {said}"
    for letter in sink.accepted:
        number = int(letter.recipient.removeprefix("reader").partition("@")[0])
        assert letter.sender == "news@example.org"
        assert letter.data.startswith(b"From: news@example.org\r\nTo: " + letter.recipient.encode())
        assert f"number {number}.".encode() in letter.data


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("stage", "fault", "means"), FAULTS)
@pytest.mark.asyncio
async def test_every_fault_strikes_its_own_letter_only(
    stage: Any, fault: dict[str, Any], means: str | None, mode: str
) -> None:
    ledger = Ledger(12)
    async with (
        SmtpSink(extensions=MODES[mode], faults=[Fault(stage, **fault)]) as sink,
        relays_to(sink, connections=2) as relays,
    ):
        await relays.stream(ledger, compose)
        check(sink, ledger)
    kinds = ledger.kinds()
    assert len(kinds) == 12, "some were never asked for"
    struck = [said for said in kinds.values() if said != "sent"]
    if means is not None and not (mode == "chunks" and stage == "data"):
        assert means in (kinds[5], *struck)
        if "match" in fault:
            assert kinds[5] == means
    on_the_way = {"plain": 1, "pipelined": 2, "chunks": 8}[mode]
    assert len(struck) <= on_the_way
    refused = fault.get("reply", "hello")[0] in "45" and "421" not in fault["reply"] and "drop" not in fault
    if refused and stage != "rset":
        assert len(struck) <= 1, "a refusal in order is nobody else's"

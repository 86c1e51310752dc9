"""What tests of the wire share: letters that can be told apart, relays to a sink, and the check of what came
of all letters."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from a_ledger import Ledger

from digest.model import Delivery
from digest.publishers.connections import Connections
from digest.publishers.envelope import Letter, whole
from digest.publishers.relay import Relay
from digest.publishers.relays import Relays
from smtp_sink import SmtpSink

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

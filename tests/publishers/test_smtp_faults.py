"""Every fault at every stage, while other letters are on the way: it strikes its own letter and no other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from a_ledger import Ledger
from a_relay import MODES, check, compose, relays_to

from smtp_sink import Fault, SmtpSink

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


# ---------------------------------------------------------------- servers that do not keep the order


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("stage", "fault"),
    [
        ("mail", {"reply": "250 ok\r\n250 and again"}),
        ("rcpt", {"reply": "250 ok\r\n550 5.1.1 or not"}),
        ("data", {"reply": "354 go on\r\n354 go on"}),
        ("dot", {"reply": "250 2.0.0 queued\r\n250 2.0.0 queued"}),
        ("dot", {"reply": "250-2.0.0 queued\r\n550 or not"}),
        ("rset", {"reply": "250 ok\r\n250 ok"}),
        ("mail", {"mute": True}),
        ("rcpt", {"mute": True}),
        ("data", {"mute": True}),
        ("dot", {"mute": True, "accept": True}),
    ],
)
@pytest.mark.asyncio
async def test_answers_that_are_too_many_or_too_few_are_never_taken_for_anothers(
    stage: Any, fault: dict[str, Any], mode: str
) -> None:
    ledger = Ledger(12)
    faults = [Fault(stage, skip=4, **fault)]
    async with (
        SmtpSink(extensions=MODES[mode], faults=faults) as sink,
        relays_to(sink, timeout=timedelta(seconds=0.15), final_dot=0.15) as relays,
    ):
        await relays.stream(ledger, compose)
        sink.complaints.clear()
        check(sink, ledger)
    assert len(ledger.results) == 12


@pytest.mark.asyncio
async def test_a_server_that_cannot_keep_chunks_apart_gets_them_no_more() -> None:
    ledger = Ledger(20)
    faults = [Fault("dot", reply="250 2.0.0 queued\r\n250 2.0.0 queued")]
    async with SmtpSink(extensions=MODES["chunks"], faults=faults) as sink, relays_to(sink) as relays:
        await relays.stream(ledger, compose)
    assert ledger.kinds() | {0: "sent"} == dict.fromkeys(range(20), "sent")
    assert ledger.kinds()[0] == "unknown"
    assert "DATA" in sink.commands
    assert sum(command.startswith("BDAT") for command in sink.commands) == 1


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
@pytest.mark.asyncio
async def test_silence_costs_the_letters_of_its_connection_and_no_others(stage: Any, mode: str) -> None:
    ledger = Ledger(12)
    faults = [Fault(stage, delay=30.0, skip=3)]
    async with (
        SmtpSink(extensions=MODES[mode], faults=faults) as sink,
        relays_to(sink, connections=2, timeout=timedelta(seconds=0.15), final_dot=0.3) as relays,
    ):
        await relays.stream(ledger, compose)
        check(sink, ledger)
    if not (mode == "chunks" and stage == "data"):
        assert any("no answer in time" in str(result) for result in ledger.results.values())

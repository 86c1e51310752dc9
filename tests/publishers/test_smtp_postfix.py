"""The same faults from a server that somebody else wrote: Postfix's smtp-sink, where it is installed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import AsyncIterator

import pytest
from a_ledger import Ledger
from a_relay import compose

from digest.publishers.connections import Connections
from digest.publishers.relay import Relay
from digest.publishers.relays import Relays
from digest.publishers.replies import RelayDown

SINK = shutil.which("smtp-sink") or shutil.which("/usr/sbin/smtp-sink")

pytestmark = pytest.mark.skipif(SINK is None, reason="Postfix's smtp-sink is not installed")


@contextlib.asynccontextmanager
async def sink(*options: str) -> AsyncIterator[Relays]:
    """Two connections to a sink with these faults. As root it wants to know whom to become."""
    assert SINK is not None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    become = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = await asyncio.create_subprocess_exec(
        SINK, *become, *options, f"127.0.0.1:{port}", "100", stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await _listening(port)
        relay = Relay(host="127.0.0.1", port=port, security="none", connections=2)
        relays = Relays([Connections(relay, ehlo="example.org")])
        yield relays
        await relays.close()
    finally:
        process.terminate()
        await process.wait()


async def _listening(port: int) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            await writer.wait_closed()
            return
        await asyncio.sleep(0.02)
    raise AssertionError("smtp-sink does not listen")


@pytest.mark.parametrize("options", [(), ("-p",)])
@pytest.mark.asyncio
async def test_letters_are_taken_with_pipelining_and_without(options: tuple[str, ...]) -> None:
    ledger = Ledger(40)
    async with sink(*options) as relays:
        await relays.stream(ledger, compose)
    assert ledger.kinds() == dict.fromkeys(range(40), "sent")
    assert ledger.complaints == []


@pytest.mark.parametrize(
    ("options", "means"),
    [
        (("-f", "RCPT"), "failed"),
        (("-r", "RCPT"), "later"),
        (("-f", "DATA"), "later"),
        (("-r", "DATA"), "later"),
        (("-f", "."), "later"),
        (("-r", "."), "later"),
    ],
)
@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.asyncio
async def test_refusals_of_letters(options: tuple[str, ...], means: str, pipelining: bool) -> None:
    ledger = Ledger(12)
    async with sink(*options, *(() if pipelining else ("-p",))) as relays:
        await relays.stream(ledger, compose)
    assert ledger.kinds() == dict.fromkeys(range(12), means)


@pytest.mark.parametrize(
    ("options", "means"),
    [
        (("-f", "CONNECT"), set()),
        (("-r", "EHLO,HELO"), set()),
        (("-r", "MAIL"), {"not the reader's"}),
        (("-f", "MAIL"), {"not the reader's"}),
        (("-q", "MAIL"), {"not the reader's"}),
        (("-Q", "MAIL"), {"not the reader's"}),
        (("-q", "RCPT"), {"not the reader's"}),
        (("-Q", "RCPT"), {"not the reader's"}),
        (("-q", "DATA"), {"not the reader's"}),
        (("-q", "."), {"unknown"}),
        (("-Q", "."), {"not the reader's"}),
    ],
)
@pytest.mark.asyncio
async def test_refusals_of_us_and_cuts_stop_the_relay_and_not_the_readers(
    options: tuple[str, ...], means: set[str]
) -> None:
    ledger = Ledger(200)
    async with sink(*options) as relays:
        with pytest.raises(RelayDown):
            await relays.stream(ledger, compose)
    kinds = set(ledger.kinds().values())
    assert means <= kinds <= means | {"not the reader's"}
    assert len(ledger.results) <= 30
    assert ledger.given == {}


@pytest.mark.asyncio
async def test_a_goodbye_that_fails_changes_nothing() -> None:
    ledger = Ledger(12)
    async with sink("-q", "QUIT") as relays:
        await relays.stream(ledger, compose)
    assert ledger.kinds() == dict.fromkeys(range(12), "sent")

"""The way to a mail server, against a real one that fails on purpose at every stage."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from a_ledger import kind

from digest.model import PublishError
from digest.publishers.connections import FINAL_DOT, Connections
from digest.publishers.rates import Rate
from digest.publishers.relay import Pace, Relay
from digest.publishers.relays import AVOID_SECONDS, Relays
from digest.publishers.replies import RelayDown
from smtp_sink import Fault, SmtpSink, certificate

LETTER = b"From: news@example.org\r\nTo: ann@example.org\r\nSubject: Hello\r\n\r\nGood morning.\r\n"


def relay_to(sink: SmtpSink, **changes: Any) -> Relay:
    fields: dict[str, Any] = {"host": "127.0.0.1", "port": sink.port, "security": "none", "connections": 1}
    return Relay(**fields | {"timeout": timedelta(seconds=5)} | changes)


@contextlib.asynccontextmanager
async def connections_to(
    sink: SmtpSink, *, final_dot: float = 5.0, **changes: Any
) -> AsyncIterator[Connections]:
    connections = Connections(
        relay_to(sink, **changes), ehlo="example.org", final_dot=timedelta(seconds=final_dot)
    )
    try:
        yield connections
    finally:
        await connections.close()


async def send(connections: Connections | Relays, to: str = "ann@example.org", letter: bytes = LETTER) -> str:
    return (await connections.send("news@example.org", to, letter)).reply


# ---------------------------------------------------------------- when all is well


@pytest.mark.asyncio
async def test_a_letter_arrives_as_the_bytes_it_was_with_its_envelope() -> None:
    letter = LETTER + b".a dot\r\n..two dots\r\n.\r\nthe end\r\n"
    async with SmtpSink() as sink, connections_to(sink) as connections:
        receipt = await connections.send("news@example.org", "ann@example.org", letter)
    [accepted] = sink.accepted
    assert accepted.data == letter
    assert (accepted.sender, accepted.recipient) == ("news@example.org", "ann@example.org")
    assert receipt.relay == f"127.0.0.1:{sink.port}"
    assert receipt.reply == "250 2.0.0 queued as 1"
    assert sink.complaints == []


@pytest.mark.asyncio
async def test_a_letter_that_begins_with_a_dot_arrives_whole() -> None:
    async with SmtpSink() as sink, connections_to(sink) as connections:
        await send(connections, letter=b".\r\n.\r\n")
    assert sink.accepted[0].data == b".\r\n.\r\n"


@pytest.mark.asyncio
async def test_one_connection_carries_many_letters_and_says_goodbye() -> None:
    async with (
        SmtpSink() as sink,
        connections_to(sink) as connections,
    ):
        await connections.connect()
        for number in range(5):
            await send(connections, f"reader{number}@example.org")
    assert sink.connections == 1
    assert sink.commands.count("EHLO example.org") == 1
    assert sink.commands[-1] == "QUIT"
    assert [letter.recipient for letter in sink.accepted] == [f"reader{n}@example.org" for n in range(5)]


@pytest.mark.asyncio
async def test_there_are_never_more_connections_than_allowed() -> None:
    faults = [Fault("dot", delay=0.02, times=None)]
    async with SmtpSink(faults=faults) as sink, connections_to(sink, connections=3) as connections:
        await asyncio.gather(*(send(connections, f"reader{n}@example.org") for n in range(12)))
        assert sink.most_open == 3
        assert len({letter.recipient for letter in sink.accepted}) == 12


@pytest.mark.asyncio
async def test_the_relay_is_greeted_by_the_name_in_its_settings() -> None:
    async with SmtpSink() as sink, connections_to(sink, ehlo="out.example.net") as connections:
        await send(connections)
    assert sink.accepted[0].ehlo == "out.example.net"


@pytest.mark.asyncio
async def test_eight_bit_letters_are_announced() -> None:
    letter = LETTER + "Grüße\r\n".encode()
    async with SmtpSink() as sink, connections_to(sink) as connections:
        await send(connections, letter=letter)
        await send(connections)
    assert [(accepted.options, accepted.data) for accepted in sink.accepted] == [
        (f"SIZE={len(letter)} BODY=8BITMIME", letter),
        (f"SIZE={len(LETTER)}", LETTER),
    ]


# ---------------------------------------------------------------- what the relay cannot do


@pytest.mark.asyncio
async def test_an_international_address_goes_where_smtputf8_is_offered() -> None:
    async with SmtpSink() as sink, connections_to(sink) as connections:
        await send(connections, "jörg@example.org")
    assert sink.accepted[0].recipient == "jörg@example.org"
    assert sink.accepted[0].options == f"SIZE={len(LETTER)} SMTPUTF8"


@pytest.mark.asyncio
async def test_an_international_address_is_refused_where_smtputf8_is_not_offered() -> None:
    async with SmtpSink(extensions=("8BITMIME",)) as sink, connections_to(sink) as connections:
        with pytest.raises(PublishError, match="SMTPUTF8") as raised:
            await send(connections, "jörg@example.org")
        assert raised.value.permanent
        assert not raised.value.suppress
        await send(connections)
        assert sink.connections == 1
    assert [letter.recipient for letter in sink.accepted] == ["ann@example.org"]


@pytest.mark.asyncio
async def test_eight_bit_letters_are_not_forced_on_a_relay_without_8bitmime() -> None:
    async with SmtpSink(extensions=()) as sink, connections_to(sink) as connections:
        with pytest.raises(PublishError, match="8BITMIME") as raised:
            await send(connections, letter=LETTER + "Grüße\r\n".encode())
        assert raised.value.permanent
    assert not [command for command in sink.commands if command.startswith("MAIL")]


@pytest.mark.parametrize(
    "letter",
    [
        LETTER + b"\n.\r\nMAIL FROM:<evil@example.com>\r\n",
        LETTER + b"\r.\r\n",
        LETTER + b"one\rtwo\r\n",
        LETTER + b"no end",
    ],
)
@pytest.mark.asyncio
async def test_a_letter_with_other_line_ends_never_leaves(letter: bytes) -> None:
    async with SmtpSink() as sink, connections_to(sink) as connections:
        with pytest.raises(PublishError, match="CR LF") as raised:
            await send(connections, letter=letter)
        assert raised.value.permanent
        assert sink.connections == 0


@pytest.mark.parametrize(
    "address",
    [
        "ann@example.org>\r\nRCPT TO:<all@example.org",
        "ann@example.org> SIZE=1",
        "ann",
        "",
        "a\0@example.org",
        "a b@example.org",
    ],
)
@pytest.mark.asyncio
async def test_what_is_no_address_is_never_said_to_a_server(address: str) -> None:
    async with SmtpSink() as sink, connections_to(sink) as connections:
        with pytest.raises(PublishError, match="no address") as raised:
            await send(connections, address)
        assert raised.value.permanent
        assert sink.connections == 0


# ---------------------------------------------------------------- faults at every stage


CUT_BEFORE, CUT_AFTER = {"drop": "before"}, {"drop": "after"}

FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("connect", {"reply": "421 4.3.2 busy"}, "not the reader's"),
    ("connect", {"reply": "554 5.7.1 your address is listed"}, "not the reader's"),
    ("connect", CUT_BEFORE, "not the reader's"),
    ("connect", {"reply": "HTTP/1.1 400 Bad Request"}, "not the reader's"),
    ("ehlo", {"reply": "421 4.3.2 busy"}, "not the reader's"),
    ("ehlo", {"reply": "550 5.7.1 who are you"}, "not the reader's"),
    ("ehlo", CUT_BEFORE, "not the reader's"),
    ("mail", {"reply": "421 4.7.0 too many letters"}, "not the reader's"),
    ("mail", {"reply": "451 4.3.0 later"}, "not the reader's"),
    ("mail", {"reply": "550 5.7.1 sender refused"}, "not the reader's"),
    ("mail", {"reply": "552 5.3.4 too big"}, "not the reader's"),
    ("mail", CUT_BEFORE, "not the reader's"),
    ("rcpt", {"reply": "421 4.7.0 too many letters"}, "not the reader's"),
    ("rcpt", {"reply": "450 4.2.0 greylisted"}, "later"),
    ("rcpt", {"reply": "452 4.5.3 too many recipients"}, "later"),
    ("rcpt", {"reply": "452 4.2.2 mailbox full"}, "later"),
    ("rcpt", {"reply": "550 5.1.1 no such user"}, "dead"),
    ("rcpt", {"reply": "550-5.1.1 no such\r\n550 5.1.1 user"}, "dead"),
    ("rcpt", {"reply": "556 5.1.10 null MX"}, "dead"),
    ("rcpt", {"reply": "550 5.2.1 mailbox disabled"}, "dead"),
    ("rcpt", {"reply": "553 5.1.8 your domain is unknown"}, "later"),
    ("rcpt", {"reply": "554 5.7.1 blocked using a list"}, "later"),
    ("rcpt", {"reply": "552 5.2.2 mailbox full"}, "failed"),
    ("rcpt", {"reply": "550 no such user here"}, "failed"),
    ("rcpt", {"reply": "999 what"}, "not the reader's"),
    ("rcpt", CUT_BEFORE, "not the reader's"),
    ("data", {"reply": "421 4.3.0 later"}, "not the reader's"),
    ("data", {"reply": "451 4.3.0 later"}, "later"),
    ("data", {"reply": "554 5.5.1 no valid recipients"}, "later"),
    ("data", {"reply": "554 5.7.1 blocked using a list"}, "later"),
    ("data", CUT_BEFORE, "not the reader's"),
    ("dot", {"reply": "421 4.3.0 shutting down"}, "not the reader's"),
    ("dot", {"reply": "421 4.3.0 shutting down", "drop": "after"}, "not the reader's"),
    ("dot", {"reply": "451 4.3.0 later"}, "later"),
    ("dot", {"reply": "452 4.3.1 disk full"}, "later"),
    ("dot", {"reply": "550 5.6.0 this is spam"}, "later"),
    ("dot", {"reply": "554 5.7.1 blocked using a list"}, "later"),
    ("dot", {"reply": "550 5.1.1 no such user"}, "later"),
    ("dot", {"reply": "hello?"}, "unknown"),
    ("dot", {"drop": "before", "accept": True}, "unknown"),
    ("dot", {"drop": "before"}, "unknown"),
    ("body", CUT_BEFORE, "unknown"),
]


@pytest.mark.parametrize(("stage", "fault", "means"), FAULTS)
@pytest.mark.asyncio
async def test_every_fault_gets_its_own_answer_and_stops_nobody_else(
    stage: Any, fault: dict[str, Any], means: str
) -> None:
    async with SmtpSink(faults=[Fault(stage, **fault)]) as sink, connections_to(sink) as connections:
        with pytest.raises(PublishError) as raised:
            await send(connections, "ann@example.org")
        assert kind(raised.value) == means
        assert raised.value.relay == f"127.0.0.1:{sink.port}"
        assert await send(connections, "bob@example.org") == f"250 2.0.0 queued as {len(sink.accepted)}"
        assert sink.complaints == []
    kept = ["ann@example.org"] if fault.get("accept") else []
    assert [letter.recipient for letter in sink.accepted] == [*kept, "bob@example.org"]


@pytest.mark.parametrize(
    ("stage", "means"),
    [
        ("connect", "not the reader's"),
        ("ehlo", "not the reader's"),
        ("mail", "not the reader's"),
        ("rcpt", "not the reader's"),
        ("data", "not the reader's"),
    ],
)
@pytest.mark.asyncio
async def test_silence_before_the_body_is_not_the_readers_fault(stage: Any, means: str) -> None:
    faults = [Fault(stage, delay=30.0)]
    async with (
        SmtpSink(faults=faults) as sink,
        connections_to(sink, timeout=timedelta(seconds=0.1)) as connections,
    ):
        with pytest.raises(PublishError, match="no answer in time") as raised:
            await send(connections)
        assert kind(raised.value) == means
        assert sink.accepted == []


@pytest.mark.asyncio
async def test_silence_after_the_final_dot_is_unknown_and_waits_longer_than_other_answers() -> None:
    faults = [Fault("dot", delay=0.3), Fault("dot", delay=30.0)]
    async with (
        SmtpSink(faults=faults) as sink,
        connections_to(sink, timeout=timedelta(seconds=0.1), final_dot=0.8) as connections,
    ):
        assert await send(connections) == "250 2.0.0 queued as 1"
        with pytest.raises(PublishError) as raised:
            async with asyncio.timeout(15):
                await send(connections)
        assert raised.value.unknown
    assert timedelta(seconds=600) <= FINAL_DOT


@pytest.mark.parametrize(
    "fault", [{"reply": "500 what?"}, {"drop": "before"}, {"reply": "421 bye", "drop": "after"}]
)
@pytest.mark.asyncio
async def test_a_goodbye_that_fails_changes_nothing(fault: dict[str, Any]) -> None:
    async with (
        SmtpSink(faults=[Fault("quit", **fault)]) as sink,
        connections_to(sink) as connections,
    ):
        assert await send(connections) == "250 2.0.0 queued as 1"
    assert sink.commands[-1] == "QUIT"
    assert len(sink.accepted) == 1


@pytest.mark.asyncio
async def test_a_refused_reader_leaves_the_connection_usable_for_the_next() -> None:
    faults = [Fault("rcpt", reply="550 5.1.1 gone", match="gone@", times=None)]
    async with SmtpSink(faults=faults) as sink, connections_to(sink) as connections:
        for _ in range(3):
            with pytest.raises(PublishError):
                await send(connections, "gone@example.org")
            await send(connections, "here@example.org")
        assert sink.connections == 1
        assert sink.commands.count("RSET") == 3


@pytest.mark.parametrize("reply", ["421 4.3.2 shutting down", "hello?", "354 more?"])
@pytest.mark.asyncio
async def test_a_connection_that_talks_of_its_end_or_nonsense_carries_no_further_letter(reply: str) -> None:
    async with SmtpSink(faults=[Fault("dot", reply=reply)]) as sink, connections_to(sink) as connections:
        with pytest.raises(PublishError):
            await send(connections, "ann@example.org")
        await send(connections, "bob@example.org")
    assert [letter.connection for letter in sink.accepted] == [2]


@pytest.mark.parametrize("fault", [{"drop": "before"}, {"reply": "502 5.5.1 what?"}])
@pytest.mark.asyncio
async def test_a_connection_that_cannot_be_reset_is_replaced(fault: dict[str, Any]) -> None:
    faults = [Fault("rcpt", reply="450 4.2.0 greylisted"), Fault("rset", **fault)]
    async with SmtpSink(faults=faults) as sink, connections_to(sink) as connections:
        with pytest.raises(PublishError, match="greylisted") as raised:
            await send(connections, "ann@example.org")
        assert kind(raised.value) == "later"
        await send(connections, "bob@example.org")
    assert [letter.connection for letter in sink.accepted] == [2]


@pytest.mark.asyncio
async def test_a_refusal_does_not_keep_the_readers_address() -> None:
    faults = [Fault("rcpt", reply="550 5.1.1 <Ann@Example.org>: unknown")]
    async with SmtpSink(faults=faults) as sink, connections_to(sink) as connections:
        with pytest.raises(PublishError, match=r"<\(address\)>: unknown") as raised:
            await send(connections, "ann@example.org")
        assert "example.org" not in str(raised.value).lower()


@pytest.mark.asyncio
async def test_one_broken_connection_stops_no_letter_on_the_others() -> None:
    faults = [Fault("rcpt", drop="before", match="unlucky@"), Fault("dot", delay=0.02, times=None)]
    readers = [f"reader{n}@example.org" for n in range(6)]
    async with SmtpSink(faults=faults) as sink, connections_to(sink, connections=3) as connections:
        outcomes = await asyncio.gather(
            *(send(connections, to) for to in [*readers[:3], "unlucky@example.org", *readers[3:]]),
            return_exceptions=True,
        )
    assert [type(outcome) for outcome in outcomes].count(PublishError) == 1
    assert sorted(letter.recipient for letter in sink.accepted) == readers


@pytest.mark.asyncio
async def test_a_cancelled_letter_takes_only_its_own_connection_with_it() -> None:
    async with SmtpSink(faults=[Fault("rcpt", delay=30.0)]) as sink, connections_to(sink) as connections:
        letter = asyncio.create_task(send(connections, "ann@example.org"))
        await sink.heard("RCPT")
        letter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await letter
        await send(connections, "bob@example.org")
    assert [letter.recipient for letter in sink.accepted] == ["bob@example.org"]


# ---------------------------------------------------------------- kept connections


@pytest.mark.asyncio
async def test_a_connection_that_the_server_closed_meanwhile_is_replaced() -> None:
    async with SmtpSink() as sink, connections_to(sink) as connections:
        await send(connections)
        await sink.hang_up()
        await send(connections)
        assert sink.connections == 2
    assert len(sink.accepted) == 2


@pytest.mark.asyncio
async def test_a_connection_that_rested_is_asked_before_it_gets_a_letter() -> None:
    clock = Clock()
    async with SmtpSink(faults=[Fault("noop", reply="421 4.4.2 idle too long")]) as sink:
        connections = Connections(relay_to(sink), ehlo="example.org", clock=clock)
        await send(connections)
        await send(connections)
        assert "NOOP" not in sink.commands
        clock.now += 60
        await send(connections)
        assert sink.commands.count("NOOP") == 1
        assert sink.connections == 2
        clock.now += 60
        await send(connections)
        assert sink.commands.count("NOOP") == 2
        assert sink.connections == 2
        await connections.close()
    assert len(sink.accepted) == 4


@pytest.mark.parametrize(
    "fault", [{"drop": "before"}, {"reply": "421 4.7.0 enough letters for one connection"}]
)
@pytest.mark.asyncio
async def test_a_kept_connection_that_dies_at_the_next_letter_costs_it_nothing(fault: dict[str, Any]) -> None:
    async with SmtpSink(faults=[Fault("mail", skip=1, **fault)]) as sink, connections_to(sink) as connections:
        await send(connections, "ann@example.org")
        await send(connections, "bob@example.org")
        assert sink.connections == 2
    assert [letter.recipient for letter in sink.accepted] == ["ann@example.org", "bob@example.org"]


@pytest.mark.asyncio
async def test_connecting_says_whether_the_way_out_is_open() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        relay = Relay(host="127.0.0.1", port=nobody.getsockname()[1], security="none")
        connections = Connections(relay, ehlo="example.org")
        with pytest.raises(RelayDown, match="connecting failed") as raised:
            await connections.connect()
        assert not raised.value.counts
        assert not raised.value.permanent
        await connections.close()


@pytest.mark.asyncio
async def test_a_host_that_cannot_be_a_name_is_a_relay_that_is_down() -> None:
    connections = Connections(Relay(host="x" * 64 + ".example.org", security="none"), ehlo="example.org")
    with pytest.raises(RelayDown, match="connecting failed"):
        await connections.connect()


@pytest.mark.asyncio
async def test_nothing_is_sent_after_closing_and_letters_under_way_are_finished() -> None:
    async with SmtpSink(faults=[Fault("dot", delay=0.1)]) as sink:
        connections = Connections(relay_to(sink), ehlo="example.org")
        under_way = asyncio.create_task(send(connections))
        await sink.heard("DATA")
        await connections.close()
        assert await under_way == "250 2.0.0 queued as 1"
        with pytest.raises(RelayDown, match="stopped"):
            await send(connections)
        assert sink.connections == 1
        assert sink.open == 0 or sink.commands[-1] == "QUIT"


# ---------------------------------------------------------------- TLS and names


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.asyncio
async def test_letters_travel_encrypted_to_a_server_we_trust(security: Any, tmp_path: Path) -> None:
    tls, trusted = certificate(tmp_path)
    async with (
        SmtpSink(security=security, tls=tls) as sink,
        connections_to(sink, security=security, ca=trusted) as connections,
    ):
        await send(connections)
        await send(connections)
    assert [letter.encrypted for letter in sink.accepted] == [True, True]
    assert sink.complaints == []
    assert sink.connections == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("flaw", ["unknown issuer", "another name", "run out"])
@pytest.mark.asyncio
async def test_a_certificate_that_does_not_verify_gets_no_letter(
    security: Any, flaw: str, tmp_path: Path
) -> None:
    tls, trusted = certificate(
        tmp_path,
        name="mail.example.org" if flaw == "another name" else "127.0.0.1",
        days=-1 if flaw == "run out" else 2,
    )
    ca = None if flaw == "unknown issuer" else trusted
    async with (
        SmtpSink(security=security, tls=tls) as sink,
        connections_to(sink, security=security, ca=ca) as connections,
    ):
        with pytest.raises(RelayDown, match="certificate is not accepted"):
            await connections.connect()
    assert not [command for command in sink.commands if command.startswith(("MAIL", "AUTH"))]


@pytest.mark.asyncio
async def test_a_server_that_hides_starttls_gets_neither_password_nor_letter() -> None:
    async with (
        SmtpSink(users={"news": "secret"}) as sink,
        connections_to(sink, security="starttls", username="news", password="secret") as connections,
    ):
        with pytest.raises(RelayDown, match="does not offer STARTTLS; nothing is sent in the clear"):
            await send(connections)
    assert not [command for command in sink.commands if command.startswith(("MAIL", "AUTH"))]


@pytest.mark.parametrize("fault", [{"reply": "454 4.7.0 no TLS now"}, {"drop": "before"}, {"drop": "after"}])
@pytest.mark.asyncio
async def test_starttls_that_fails_is_not_the_readers_fault(fault: dict[str, Any], tmp_path: Path) -> None:
    tls, trusted = certificate(tmp_path)
    faults = [Fault("starttls", **fault)]
    async with (
        SmtpSink(security="starttls", tls=tls, faults=faults) as sink,
        connections_to(sink, security="starttls", ca=trusted) as connections,
    ):
        with pytest.raises(RelayDown) as raised:
            await send(connections)
        assert kind(raised.value) == "not the reader's"
        await send(connections)
    assert [letter.encrypted for letter in sink.accepted] == [True]


@pytest.mark.parametrize("method", ["PLAIN", "LOGIN"])
@pytest.mark.asyncio
async def test_we_log_in_by_what_the_server_offers(method: str, tmp_path: Path) -> None:
    tls, trusted = certificate(tmp_path)
    async with (
        SmtpSink(security="starttls", tls=tls, users={"news": "gehéim"}, auth=[method]) as sink,
        connections_to(
            sink, security="starttls", ca=trusted, username="news", password="gehéim"
        ) as connections,
    ):
        await send(connections)
    assert sink.accepted[0].user == "news"


@pytest.mark.asyncio
async def test_a_wrong_password_stops_the_relay_and_is_not_told() -> None:
    async with (
        SmtpSink(users={"news": "right"}) as sink,
        connections_to(sink, username="news", password="wr0ng") as connections,
    ):
        with pytest.raises(RelayDown, match=r"535 5\.7\.8") as raised:
            await connections.connect()
        assert "wr0ng" not in str(raised.value)
        assert not raised.value.counts
    assert "wr0ng" not in repr(relay_to(sink, username="news", password="wr0ng"))


@pytest.mark.parametrize("fault", [{"reply": "454 4.7.0 later"}, {"drop": "before"}])
@pytest.mark.asyncio
async def test_a_log_in_that_breaks_is_not_the_readers_fault(fault: dict[str, Any]) -> None:
    faults = [Fault("auth", times=2, **fault)]
    async with (
        SmtpSink(users={"news": "right"}, faults=faults, auth=["PLAIN"]) as sink,
        connections_to(sink, username="news", password="right") as connections,
    ):
        with pytest.raises(RelayDown) as raised:
            await send(connections)
        assert kind(raised.value) == "not the reader's"


@pytest.mark.asyncio
async def test_a_file_of_certificates_that_is_missing_is_named() -> None:
    relay = Relay(host="127.0.0.1", ca=Path("/nowhere/ca.pem"))
    with pytest.raises(RelayDown, match=r"/nowhere/ca\.pem"):
        await Connections(relay, ehlo="example.org").connect()


# ---------------------------------------------------------------- several relays


@pytest.mark.asyncio
async def test_the_second_relay_takes_over_while_the_first_is_down() -> None:
    clock = Clock()
    async with (
        SmtpSink(faults=[Fault("connect", reply="421 closed", times=2)]) as first,
        SmtpSink() as second,
    ):
        relays = Relays(
            [Connections(relay_to(sink), ehlo="example.org") for sink in (first, second)], clock=clock
        )
        await relays.connect()
        await send(relays, "ann@example.org")
        await send(relays, "bob@example.org")
        assert first.connections == 1, "one that was down just now is left alone"
        clock.now += 2 * AVOID_SECONDS
        await send(relays, "cyd@example.org")
        clock.now += 2 * AVOID_SECONDS
        await send(relays, "dan@example.org")
        await relays.close()
    assert [letter.recipient for letter in second.accepted] == [
        "ann@example.org",
        "bob@example.org",
        "cyd@example.org",
    ]
    assert [letter.recipient for letter in first.accepted] == ["dan@example.org"]


@pytest.mark.asyncio
async def test_a_reader_that_one_relay_refuses_is_not_offered_to_another() -> None:
    faults = [Fault("rcpt", reply="550 5.1.1 gone")]
    async with SmtpSink(faults=faults) as first, SmtpSink() as second:
        relays = Relays([Connections(relay_to(sink), ehlo="example.org") for sink in (first, second)])
        with pytest.raises(PublishError) as raised:
            await send(relays)
        await relays.close()
    assert raised.value.suppress
    assert second.connections == 0


@pytest.mark.asyncio
async def test_when_all_relays_are_down_every_reason_is_told() -> None:
    async with (
        SmtpSink(faults=[Fault("connect", reply="421 too busy", times=None)]) as first,
        SmtpSink(faults=[Fault("ehlo", reply="550 go away", times=None)]) as second,
    ):
        relays = Relays([Connections(relay_to(sink), ehlo="example.org") for sink in (first, second)])
        with pytest.raises(RelayDown, match=r"421 too busy; .*550 go away") as raised:
            await relays.connect()
        assert not raised.value.counts
        await relays.close()


# ---------------------------------------------------------------- pace


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.asyncio
async def test_letters_leave_no_faster_than_the_rate() -> None:
    clock = Clock()
    pace = Pace("50/s", clock=clock, sleep=clock.sleep)
    left = []
    for _ in range(200):
        await pace.wait()
        left.append(clock.now)
    in_a_second = [sum(start <= moment < start + 1 for moment in left) for start in left]
    assert max(in_a_second) <= 55
    assert left[-1] - left[0] == pytest.approx((200 - 5) / 50)


@pytest.mark.asyncio
async def test_what_was_not_used_for_long_is_not_caught_up_at_once() -> None:
    clock = Clock()
    pace = Pace("60/m", clock=clock, sleep=clock.sleep)
    await pace.wait()
    clock.now += 3600
    start = clock.now
    for _ in range(11):
        await pace.wait()
    assert clock.now - start == pytest.approx(10)


@pytest.mark.asyncio
async def test_one_may_ask_for_a_place_without_waiting_for_it() -> None:
    clock = Clock()
    pace = Pace("10/s", clock=clock, sleep=clock.sleep)
    assert pace.take() == 0
    wait = pace.take()
    assert wait == pytest.approx(0.1)
    assert pace.take() == wait, "asking takes no place"
    clock.now += wait
    assert pace.take() == 0
    assert Pace(None, clock=clock, sleep=clock.sleep).take() == 0


@pytest.mark.asyncio
async def test_without_a_rate_nobody_waits() -> None:
    clock = Clock()
    pace = Pace(None, clock=clock, sleep=clock.sleep)
    for _ in range(1000):
        await pace.wait()
    assert clock.now == 1000.0


@pytest.mark.asyncio
async def test_the_rate_holds_over_all_connections_of_a_relay() -> None:
    clock = Clock()
    async with SmtpSink() as sink:
        relay = relay_to(sink, connections=4, rate="10/s")
        connections = Connections(relay, ehlo="example.org", clock=clock, sleep=clock.sleep)
        await asyncio.gather(*(send(connections, f"reader{n}@example.org") for n in range(21)))
        await connections.close()
    assert clock.now - 1000.0 == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("rate", "speed"), [("50/s", 50), ("90/m", 1.5), ("3600 / h", 1), ("86400/d", 1), ("1/d", 1 / 86400)]
)
def test_rates_are_read(rate: str, speed: float) -> None:
    assert Rate.of(rate).per_second == pytest.approx(speed)


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"rate": "fast"}, "such as 50/s"),
        ({"rate": "0/s"}, "such as 50/s"),
        ({"rate": "5/w"}, "such as 50/s"),
        ({"host": ""}, "host"),
        ({"host": "mail example"}, "host"),
        ({"port": 70000}, "port"),
        ({"port": 0}, "port"),
        ({"connections": 0}, "connections"),
        ({"messages": -1}, "messages"),
        ({"security": "opportunistic"}, "security"),
        ({"timeout": timedelta(0)}, "timeout"),
        ({"ehlo": "two words"}, "ehlo"),
        ({"ehlo": "bücher.example"}, "ehlo"),
        ({"username": "news"}, "belong together"),
        ({"password": "x"}, "belong together"),
    ],
)
def test_relay_settings_that_cannot_work_are_named(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Relay(**{"host": "mail.example.org"} | changes)


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_each_kind_of_security_has_its_usual_port(security: Any, port: int) -> None:
    assert Relay(host="mail.example.org", security=security).name == f"mail.example.org:{port}"

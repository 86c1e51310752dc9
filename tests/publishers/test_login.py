"""Logins and certificates, over sockets: who we are to a relay, and whether it is the one we mean."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from digest.model import PublishError
from digest.publishers.base import Lent
from digest.publishers.email import Publisher, Settings
from digest.publishers.login import in_the_clear
from digest.publishers.relay import Relay
from smtp_sink import SmtpSink, certificate

pytestmark = pytest.mark.asyncio

Connect = Callable[..., Any]
EVERY_WAY = ("CRAM-MD5", "PLAIN", "LOGIN", "XOAUTH2")


@pytest_asyncio.fixture
async def connect(lend: Callable[..., Lent]) -> AsyncIterator[Connect]:
    """Connects to a sink, with these settings of the relay. Raises PublishError."""
    opened: list[Publisher] = []

    async def tried(sink: SmtpSink, **changes: Any) -> None:
        fields: dict[str, Any] = {"security": "none", "connections": 1, "timeout": timedelta(seconds=5)}
        relay = Relay(host="127.0.0.1", port=sink.port, **fields | changes)
        publisher = Publisher(Settings(from_="news@example.org", transport="smtp", smtp=(relay,)), lend())
        opened.append(publisher)
        await publisher.connect()

    yield tried
    await asyncio.gather(*(publisher.close() for publisher in opened))


def logins(sink: SmtpSink) -> list[str]:
    return [command.split(" ")[1] for command in sink.commands if command.startswith("AUTH ")]


# ---------------------------------------------------------------- logins


@pytest.mark.parametrize("auth", ["plain", "login", "cram-md5", "xoauth2"])
async def test_each_way_to_log_in(auth: str, connect: Connect, tmp_path: Path) -> None:
    context, trusted = certificate(tmp_path)
    sink = SmtpSink(security="tls", tls=context, users={"news": "se:cr et"}, auth=EVERY_WAY)
    async with sink:
        await connect(sink, security="tls", ca=trusted, auth=auth, username="news", password="se:cr et")
        assert logins(sink) == [auth.upper()]
        with pytest.raises(PublishError, match="logging in failed: it answered 535") as told:
            await connect(sink, security="tls", ca=trusted, auth=auth, username="news", password="other")
    assert "other" not in str(told.value)


async def test_the_server_is_asked_for_no_way_that_it_does_not_offer(connect: Connect) -> None:
    async with SmtpSink(users={"news": "x"}, auth=("PLAIN", "LOGIN")) as sink:
        with pytest.raises(PublishError, match="does not offer cram-md5; it offers plain, login"):
            await connect(sink, auth="cram-md5", username="news", password="x")
        await connect(sink, username="news", password="x")
        assert logins(sink) == ["PLAIN"]


async def test_a_password_that_changes_is_read_at_each_login(connect: Connect, tmp_path: Path) -> None:
    token = tmp_path / "token"
    async with SmtpSink(users={"news": "second"}) as sink:
        token.write_text("first\n")
        with pytest.raises(PublishError, match="535"):
            await connect(sink, username="news", password_file=token)
        token.write_text("second\n")
        await connect(sink, username="news", password_file=token)


async def test_a_password_may_be_printed_by_a_program(connect: Connect) -> None:
    async with SmtpSink(users={"news": "printed"}) as sink:
        await connect(sink, username="news", password_command=(sys.executable, "-c", "print('printed')"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"password_file": Path("/nowhere/token")}, "password_file cannot be read: No such file"),
        ({"password_command": ("/nowhere/program",)}, "password_command cannot be run: No such file"),
        ({"password_command": (sys.executable, "-c", "raise SystemExit(3)")}, "ended with 3"),
        ({"password_command": (sys.executable, "-c", "")}, "the password is empty"),
        ({"password_command": (sys.executable, "-c", "print('a\\nb')")}, "more than one line"),
    ],
)
async def test_a_password_that_is_not_to_be_had_is_the_relays_trouble(
    changes: dict[str, Any], said: str, connect: Connect
) -> None:
    async with SmtpSink(users={"news": "x"}) as sink:
        with pytest.raises(PublishError, match=said) as told:
            await connect(sink, username="news", **changes)
        assert logins(sink) == []
    assert not told.value.counts


async def test_the_doctor_warns_of_a_password_that_goes_in_the_clear() -> None:
    def far(**changes: Any) -> Relay:
        return Relay(host="mail.example.org", username="news", password="x", **changes)

    near = Relay(host="127.0.0.1", security="none", username="news", password="x")
    assert in_the_clear([near, far(), far(security="none", auth="cram-md5")]) == []
    [(_, state, said)] = in_the_clear([far(security="none")])
    assert state == "warn"
    assert said.startswith("mail.example.org:25: the password goes there in the clear")


# ---------------------------------------------------------------- certificates


def pins_of(trusted: Path) -> dict[str, str]:
    shown = x509.load_pem_x509_certificate(trusted.read_bytes())
    public = shown.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {
        "certificate": hashlib.sha256(shown.public_bytes(Encoding.DER)).hexdigest(),
        "key": hashlib.sha256(public).hexdigest(),
    }


@pytest.mark.parametrize("what", ["certificate", "key"])
@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_the_pinned_certificate_is_taken(
    what: str, security: Any, connect: Connect, tmp_path: Path
) -> None:
    context, trusted = certificate(tmp_path)
    pin = pins_of(trusted)[what].upper()
    colons = ":".join(pin[at : at + 2] for at in range(0, 64, 2))
    async with SmtpSink(security=security, tls=context) as sink:
        await connect(sink, security=security, ca=trusted, pin=colons)
        await connect(sink, security=security, ca=trusted, pin=("0" * 64, pin))


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_nothing_is_said_to_a_server_with_another_certificate(
    security: Any, connect: Connect, tmp_path: Path
) -> None:
    context, trusted = certificate(tmp_path)
    async with SmtpSink(security=security, tls=context, users={"news": "x"}) as sink:
        with pytest.raises(PublishError, match="not the one that is pinned"):
            await connect(sink, security=security, ca=trusted, pin="ab" * 32, username="news", password="x")
        # In the clear there is no server yet to know: only that encryption is wanted was said.
        said = [command.split(" ")[0] for command in sink.commands]
    assert said == ([] if security == "tls" else ["EHLO", "STARTTLS"])


async def test_a_pin_does_not_make_a_certificate_good_that_nobody_signed(
    connect: Connect, tmp_path: Path
) -> None:
    context, trusted = certificate(tmp_path)
    async with SmtpSink(security="tls", tls=context) as sink:
        with pytest.raises(PublishError, match="certificate is not accepted: self"):
            await connect(sink, security="tls", pin=pins_of(trusted)["key"])


async def test_we_show_a_certificate_where_one_is_asked_for(connect: Connect, tmp_path: Path) -> None:
    context, trusted = certificate(tmp_path)
    (tmp_path / "ours").mkdir()
    _, ours = certificate(tmp_path / "ours", name="client.example")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ours)
    async with SmtpSink(security="starttls", tls=context) as sink:
        await connect(sink, security="starttls", ca=trusted, cert=ours, key=ours.with_suffix(".key"))
        with pytest.raises(PublishError):
            await connect(sink, security="starttls", ca=trusted)
        with pytest.raises(PublishError, match="cannot use the certificate"):
            await connect(sink, security="starttls", ca=trusted, cert=ours)

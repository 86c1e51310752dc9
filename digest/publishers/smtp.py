"""The way to a mail server: connections that stay open, the pace of sending, one conversation a letter.

aiosmtplib's door. It connects, negotiates TLS and logs in; the letter's bytes go out as they were prepared.
Security is what the settings say and never less: a server that does not offer STARTTLS, or shows a
certificate that does not verify, gets nothing. What an answer means is said in `replies`.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPResponse,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)
from aiosmtplib.protocol import SMTPProtocol

from digest.model import PublishError, Receipt
from digest.publishers.login import log_in, trust
from digest.publishers.relay import Pace, Relay
from digest.publishers.replies import RelayDown, Stage, lost, refusal, reply_line

log = logging.getLogger(__name__)

FINAL_DOT = timedelta(seconds=600)  # RFC 5321 4.5.3.2.6: giving up earlier makes doubles
QUIT_SECONDS = 5.0
NOOP_SECONDS = 10.0
TRUST_IDLE = 2.0  # seconds; a connection that rested longer is asked NOOP before it gets a letter
AVOID_SECONDS = 60.0  # how long another relay is preferred to one that was down

_ADDRESS = re.compile(r"[^\s<>\x00-\x1f\x7f]+@[^\s<>@\x00-\x1f\x7f]+")

T = TypeVar("T")


class Relays:
    """The ways out, in the admin's order: a later one is used while those before it are down."""

    def __init__(self, connections: Sequence[Connections], *, clock: Callable[[], float] = time.monotonic):
        self._all = tuple(connections)
        self._clock = clock
        self._down_until = [0.0] * len(self._all)

    async def connect(self) -> None:
        """See that at least one relay takes letters. Raises RelayDown with the reasons of all."""
        await self._first(lambda connections: connections.connect())

    async def send(self, sender: str, recipient: str, letter: bytes) -> Receipt:
        """Hand one letter to the first relay that takes letters. Raises PublishError."""
        return await self._first(lambda connections: connections.send(sender, recipient, letter))

    async def _first(self, use: Callable[[Connections], Awaitable[T]]) -> T:
        reasons: list[RelayDown] = []
        # One that was down just now comes last: waiting for it again would delay every letter.
        for place in sorted(range(len(self._all)), key=lambda n: (self._down_until[n] > self._clock(), n)):
            try:
                found = await use(self._all[place])
            except RelayDown as error:
                log.warning("relay is down", extra={"relay": error.relay, "error": str(error)})
                self._down_until[place] = self._clock() + AVOID_SECONDS
                reasons.append(error)
            else:
                self._down_until[place] = 0.0
                return found
        raise RelayDown("; ".join(map(str, reasons)), relay=reasons[0].relay) from reasons[0]

    async def close(self) -> None:
        await asyncio.gather(*(connections.close() for connections in self._all))


class Connections:
    """At most `relay.connections` conversations with one relay; each letter has one of them to itself."""

    def __init__(
        self,
        relay: Relay,
        *,
        ehlo: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        final_dot: timedelta = FINAL_DOT,
    ) -> None:
        self.relay = relay
        self._ehlo = relay.ehlo or ehlo
        self._clock = clock
        self._final_dot = final_dot.total_seconds()
        self._pace = Pace(relay.rate, clock=clock, sleep=sleep)
        self._places = asyncio.Semaphore(relay.connections)
        self._idle: list[Connection] = []
        self._busy = 0
        self._closed = False

    async def connect(self) -> None:
        """See that there is a connection to send on. Raises RelayDown."""
        if self._busy and not self._closed:
            return
        async with self._places:
            self._give_back(await self._take())

    async def send(self, sender: str, recipient: str, letter: bytes) -> Receipt:
        """Hand one letter over. Raises PublishError; RelayDown when another relay may be tried instead."""
        envelope = Envelope.of(sender, recipient, letter, self.relay.name)
        async with self._places:
            await self._pace.wait()
            self._busy += 1
            try:
                return await self._converse(envelope, letter)
            finally:
                self._busy -= 1

    async def _converse(self, envelope: Envelope, letter: bytes) -> Receipt:
        connection = await self._take()
        kept = connection.carried > 0
        try:
            return await connection.deliver(envelope, letter)
        except RelayDown:
            # A kept connection that has died meanwhile says nothing about the relay: ask once on a new one.
            if not kept or connection.usable:
                raise
        finally:
            self._give_back(connection)
        connection = await self._open()
        try:
            return await connection.deliver(envelope, letter)
        finally:
            self._give_back(connection)

    async def close(self) -> None:
        """Let the letters under way finish, then say goodbye; no goodbye of theirs can fail us."""
        self._closed = True
        for _ in range(self.relay.connections):
            await self._places.acquire()
        idle, self._idle = self._idle, []
        await asyncio.gather(*(connection.quit() for connection in idle))
        for _ in range(self.relay.connections):
            self._places.release()  # whoever comes now is told that we have closed

    async def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            rested = self._clock() - connection.used_at
            if rested < TRUST_IDLE and connection.alive:
                return connection
            if connection.alive and await connection.answers():
                return connection
            connection.drop()
        return await self._open()

    def _give_back(self, connection: Connection) -> None:
        if connection.usable and connection.alive:
            connection.used_at = self._clock()
            self._idle.append(connection)
        else:
            connection.drop()

    async def _open(self) -> Connection:
        if self._closed:
            raise RelayDown(f"{self.relay.name}: sending has been stopped", relay=self.relay.name)
        client = await _open(self.relay, self._ehlo)
        return Connection(client, self.relay, final_dot=self._final_dot, now=self._clock())


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Who it is from and for, in the form the wire wants, and what the server must be able to do."""

    sender: str
    recipient: str
    needs_utf8: bool
    needs_8bit: bool

    @classmethod
    def of(cls, sender: str, recipient: str, letter: bytes, relay: str) -> Envelope:
        """Raises PublishError for what must not go out, before anything is said to the server."""
        ends = letter.count(b"\r\n")
        if letter.count(b"\n") != ends or letter.count(b"\r") != ends or not letter.endswith(b"\r\n"):
            # A bare CR or LF may be read as this letter's end and another's start (RFC 5321 4.1.1.4).
            raise PublishError("the letter's lines do not all end with CR LF", permanent=True, relay=relay)
        for address in (sender, recipient):
            if not _ADDRESS.fullmatch(address):
                raise PublishError("this is no address that mail can be sent to", permanent=True, relay=relay)
        head = letter[: letter.find(b"\r\n\r\n")]
        return cls(
            sender=sender,
            recipient=recipient,
            needs_utf8=not (sender.isascii() and recipient.isascii() and head.isascii()),
            needs_8bit=not letter.isascii(),
        )


class Connection:
    """One open conversation, for one letter at a time.

    usable: the last letter ended in order, so the next one may follow. carried: so many were begun on it.
    """

    def __init__(self, client: SMTP, relay: Relay, *, final_dot: float, now: float) -> None:
        self._client = client
        self._relay = relay.name
        self._final_dot = final_dot
        # Our own copy: the client forgets them when the connection breaks, and that is no reason to give up.
        self._offers = frozenset(client.esmtp_extensions)
        self.carried = 0
        self.usable = True
        self.used_at = now

    @property
    def alive(self) -> bool:
        return self._client.is_connected

    async def answers(self) -> bool:
        try:
            await self._client.noop(timeout=NOOP_SECONDS)
        except (SMTPException, OSError) as error:
            log.debug("kept connection is gone", extra={"relay": self._relay, "error": str(error)})
            return False
        except asyncio.CancelledError:
            self.drop()
            raise
        return True

    async def deliver(self, envelope: Envelope, letter: bytes) -> Receipt:
        options = self._options(envelope)
        self.usable = False  # until it ends in order; a letter that is cancelled halfway never does
        self.carried += 1
        stage = Stage.MAIL
        try:
            await self._command(b"MAIL", b"FROM:<" + envelope.sender.encode() + b">", *options)
            stage = Stage.RCPT
            await self._command(b"RCPT", b"TO:<" + envelope.recipient.encode() + b">")
            stage = Stage.DATA
            await self._command(b"DATA", expect=354)
            self._write_body(letter)
            stage = Stage.DOT
            reply = await self._last_reply()
        except SMTPResponseException as error:
            await self._recover(stage, error.code)
            raise refusal(
                stage, error.code, error.message, recipient=envelope.recipient, relay=self._relay
            ) from error
        except (SMTPException, OSError) as error:
            raise lost(stage, _why(error), relay=self._relay) from error
        self.usable = True
        return Receipt(
            relay=self._relay, reply=reply_line(reply.code, reply.message, hide=envelope.recipient)
        )

    def _options(self, envelope: Envelope) -> list[bytes]:
        options = []
        if envelope.needs_utf8:
            self._require("smtputf8", "no addresses with characters beyond ASCII (SMTPUTF8)")
            options.append(b"SMTPUTF8")
        if envelope.needs_8bit:
            self._require("8bitmime", "no 8-bit letters (8BITMIME)")
            options.append(b"BODY=8BITMIME")
        return options

    def _require(self, extension: str, otherwise: str) -> None:
        if extension not in self._offers:
            raise PublishError(f"{self._relay} takes {otherwise}", permanent=True, relay=self._relay)

    async def _command(self, *words: bytes, expect: int = 250) -> None:
        reply = await self._client.execute_command(*words)
        if reply.code // 100 != expect // 100:
            raise SMTPResponseException(reply.code, reply.message)

    def _write_body(self, letter: bytes) -> None:
        """The bytes as they are, with leading dots doubled (RFC 5321 4.5.2), in one write."""
        dot = b"." if letter.startswith(b".") else b""
        self._protocol().write(dot + letter.replace(b"\r\n.", b"\r\n..") + b".\r\n")

    async def _last_reply(self) -> SMTPResponse:
        reply = await self._protocol().read_response(timeout=self._final_dot)
        if reply.code // 100 != 2:
            raise SMTPResponseException(reply.code, reply.message)
        return reply

    def _protocol(self) -> SMTPProtocol:
        if self._client.protocol is None:
            raise SMTPServerDisconnected("the connection was lost")
        return self._client.protocol

    async def _recover(self, stage: Stage, code: int) -> None:
        """After a refusal in order the connection may go on; after 421 or nonsense it may not."""
        if not 400 <= code <= 599 or code == 421:
            return
        if stage is not Stage.DOT:
            try:
                await self._client.rset()
            except (SMTPException, OSError) as error:
                log.debug("connection not reset", extra={"relay": self._relay, "error": str(error)})
                return
        self.usable = True

    async def quit(self) -> None:
        """Whatever is answered to QUIT, or not answered, every letter before it keeps its own outcome."""
        try:
            await self._client.quit(timeout=QUIT_SECONDS)
        except (SMTPException, OSError) as error:
            log.debug("goodbye not answered", extra={"relay": self._relay, "error": str(error)})
        self.drop()

    def drop(self) -> None:
        self._client.close()


async def _open(relay: Relay, ehlo: str) -> SMTP:
    """Connect, secure, greet and log in. Raises RelayDown in words an admin can act on."""
    context = await asyncio.to_thread(trust, relay) if relay.security != "none" else None
    client = SMTP(
        hostname=relay.host,
        port=relay.door,
        local_hostname=ehlo,
        timeout=relay.timeout.total_seconds(),
        use_tls=relay.security == "tls",
        start_tls=relay.security == "starttls",
        tls_context=context,
    )
    doing = "connecting"
    try:
        await client.connect()
        if client.is_ehlo_or_helo_needed:
            doing = "greeting"
            await client.ehlo()
        doing = "logging in"
        await log_in(client, relay)
    except (SMTPException, OSError, ValueError) as error:  # ValueError: a host that IDNA cannot write
        client.close()
        raise RelayDown(f"{relay.name}: {doing} failed: {_why(error)}", relay=relay.name) from error
    except BaseException:
        client.close()
        raise
    return client


def _why(error: BaseException) -> str:
    """The reason in plain words."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ssl.SSLCertVerificationError):
            return f"its certificate is not accepted: {inner.verify_message}"
        inner = inner.__cause__
    if isinstance(error, SMTPResponseException):
        return f"it answered {reply_line(error.code, error.message)}"
    if isinstance(error, SMTPTimeoutError | TimeoutError):
        return "no answer in time"
    if "STARTTLS extension not supported" in str(error):
        return "it does not offer STARTTLS; nothing is sent in the clear unless `security: none` says so"
    return str(error) or type(error).__name__

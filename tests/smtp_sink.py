"""A real SMTP server for tests that keeps what it accepts and can fail on purpose at every stage.

    async with SmtpSink(faults=[Fault("rcpt", reply="451 4.3.0 later", match="slow@")]) as sink:
        … send to 127.0.0.1:sink.port …
        assert sink.accepted[0].recipient == "ann@example.org"

It is strict: a command out of order, a bare CR or LF, or anything sent in the clear before the STARTTLS it
demands is answered with an error and noted in `sink.complaints`, which a test may look at; so is what is sent
ahead of an answer where that is not announced or not allowed (RFC 2920). What comes in one go with something
that was refused is no complaint.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import datetime
import hmac
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Stage = Literal[
    "connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "body", "dot", "quit", "noop", "rset"
]

CHALLENGE = b"<1896.697170952@sink.example>"


@dataclass(slots=True)
class Fault:
    """What goes wrong, and when.

    reply: sent instead of the usual one; it may be several. mute: nothing is answered, all else goes on.
    drop: the connection is cut, before or after the reply (at `body`: in the middle of the letter). accept:
    at `dot`, the letter is kept before the fault strikes. skip: so many times all is well first. times: so
    many times it strikes; None: always. match: only for a command, or at `body` and `dot` a recipient, that
    contains this. delay: seconds before the reply.
    """

    stage: Stage
    reply: str | None = None
    drop: Literal["before", "after"] | None = None
    delay: float = 0.0
    accept: bool = False
    mute: bool = False
    skip: int = 0
    times: int | None = 1
    match: str = ""

    def strikes(self, stage: Stage, said: str) -> bool:
        if stage != self.stage or self.match not in said or self.times == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A letter that we answered for. `data`: its bytes as they were before dots were doubled."""

    sender: str
    recipient: str
    options: str
    data: bytes
    encrypted: bool
    user: str | None
    ehlo: str
    connection: int


@dataclass(slots=True)
class _Talk:
    """One connection's state."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int
    encrypted: bool
    ehlo: str = ""
    user: str | None = None
    sender: str | None = None
    options: str = ""
    recipients: list[str] = field(default_factory=list)
    refused: bool = False

    @property
    def ahead(self) -> bool:
        """More has come than we have read."""
        return bool(self.reader._buffer)  # type: ignore[attr-defined]


class _Cut(Exception):
    """The connection ends here."""


class SmtpSink:
    """Listens on 127.0.0.1. security: what it offers (`starttls` also demands it, before MAIL)."""

    def __init__(
        self,
        *,
        faults: Sequence[Fault] = (),
        security: Literal["starttls", "tls", "none"] = "none",
        tls: ssl.SSLContext | None = None,
        users: dict[str, str] | None = None,
        auth: Sequence[str] = ("PLAIN", "LOGIN"),
        extensions: Sequence[str] = ("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 10000000"),
    ) -> None:
        self.faults = list(faults)
        self.accepted: list[Accepted] = []
        self.commands: list[str] = []
        self.complaints: list[str] = []
        self.connections = 0
        self.open = 0
        self.most_open = 0
        self.port = 0
        self._security = security
        self._tls = tls
        self._users = users
        self._auth = auth
        self._extensions = extensions
        self._news = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> SmtpSink:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> None:
        """port: a fixed one brings a server back where it was before."""
        context = self._tls if self._security == "tls" else None
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", port, limit=2**24, ssl=context, backlog=200
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Cut every connection and stop listening."""
        if self._server is None:
            return
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        for talk in list(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def hang_up(self) -> None:
        """Close every idle connection, as servers do after a while."""
        for writer in list(self._writers):
            writer.close()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def heard(self, beginning: str) -> None:
        """Wait until some command begins with this."""
        while not any(command.startswith(beginning) for command in self.commands):
            self._news.clear()
            await self._news.wait()

    async def took(self, letters: int) -> None:
        """Wait until so many letters were accepted."""
        while len(self.accepted) < letters:
            self._news.clear()
            await self._news.wait()

    # ------------------------------------------------------------ one connection

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        self._writers.add(writer)
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        talk = _Talk(reader, writer, self.connections, encrypted=self._security == "tls")
        try:
            await self._greet(talk)
            while line := await talk.reader.readline():
                await self._answer(talk, line)
        except (_Cut, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
            self._writers.discard(writer)
            self._talks.discard(task)
            talk.writer.transport.abort()

    async def _greet(self, talk: _Talk) -> None:
        await self._reply(talk, "connect", "", "220 sink.example ESMTP")

    async def _answer(self, talk: _Talk, line: bytes) -> None:
        said = line.decode("utf-8", "replace").rstrip("\r\n")
        self.commands.append(said)
        self._news.set()
        verb = said.split(" ", 1)[0].upper()
        last = verb in ("DATA", "EHLO", "NOOP", "QUIT", "STARTTLS", "AUTH")
        if talk.ahead and (last or "PIPELINING" not in self._extensions):
            self.complaints.append(f"ahead of the answer: {said}")
        match verb:
            case "EHLO":
                talk.ehlo = said[5:]
                await self._reply(talk, "ehlo", said, self._capabilities(talk))
            case "STARTTLS" if self._security == "starttls" and not talk.encrypted:
                await self._start_tls(talk, said)
            case "AUTH":
                await self._authenticate(talk, said)
            case "MAIL":
                await self._mail(talk, said)
            case "RCPT" if talk.sender is not None:
                if await self._reply(talk, "rcpt", said, "250 2.1.5 ok"):
                    talk.recipients.append(_address(said))
                else:
                    talk.refused = True
            case "DATA" if talk.recipients:
                if await self._reply(talk, "data", said, "354 go on"):
                    await self._letter(talk)
            case "BDAT" if "CHUNKING" in self._extensions:
                await self._chunk(talk, said)
            case "RCPT" | "DATA" if talk.refused:
                await _say(talk, "503 5.5.1 after what was refused")
            case "RSET":
                _reset(talk)
                await self._reply(talk, "rset", said, "250 ok")
            case "NOOP":
                await self._reply(talk, "noop", said, "250 ok")
            case "QUIT":
                await self._reply(talk, "quit", said, "221 bye")
                raise _Cut
            case _:
                self.complaints.append(said)
                await _say(talk, "503 5.5.1 not now")

    def _capabilities(self, talk: _Talk) -> str:
        offers = [*self._extensions]
        if self._security == "starttls" and not talk.encrypted:
            offers.append("STARTTLS")
        if self._users is not None and (talk.encrypted or self._security == "none"):
            offers.append("AUTH " + " ".join(self._auth))
        lines = ["sink.example", *offers]
        return "\r\n".join(
            f"250{' ' if place == len(lines) else '-'}{line}" for place, line in enumerate(lines, 1)
        )

    async def _start_tls(self, talk: _Talk, said: str) -> None:
        assert self._tls is not None
        if not await self._reply(talk, "starttls", said, "220 go on"):
            return
        try:
            await talk.writer.start_tls(self._tls)
        except (OSError, ssl.SSLError) as error:
            raise _Cut from error
        talk.encrypted, talk.ehlo = True, ""

    async def _authenticate(self, talk: _Talk, said: str) -> None:
        _, method, *first = said.split(" ")
        if method.upper() == "PLAIN" and first:
            _, user, password = _decoded(first[0]).split("\0")
        elif method.upper() == "LOGIN" and first:
            await _say(talk, "334 " + base64.b64encode(b"Password:").decode())
            user, password = _decoded(first[0]), _decoded((await talk.reader.readline()).decode())
        elif method.upper() == "CRAM-MD5":
            await _say(talk, "334 " + base64.b64encode(CHALLENGE).decode())
            user, _, shown = _decoded((await talk.reader.readline()).decode()).partition(" ")
            password = (self._users or {}).get(user, "")
            if shown != hmac.new(password.encode(), CHALLENGE, "md5").hexdigest():
                password = "wrong"
        elif method.upper() == "XOAUTH2" and first:
            user, password = _decoded(first[0]).removeprefix("user=").rstrip("\1").split("\1auth=Bearer ")
            if (self._users or {}).get(user) != password:
                await _say(talk, "334 " + base64.b64encode(b'{"status":"401"}').decode())
                await talk.reader.readline()
        else:
            await _say(talk, "504 5.5.4 no such mechanism")
            return
        right = self._users is not None and self._users.get(user) == password
        usual = "235 2.7.0 welcome" if right else "535 5.7.8 wrong name or password"
        if await self._reply(talk, "auth", said, usual) and right:
            talk.user = user

    async def _mail(self, talk: _Talk, said: str) -> None:
        if self._security != "none" and not talk.encrypted:
            self.complaints.append(said)
            await _say(talk, "530 5.7.0 must issue a STARTTLS command first")
        elif self._users is not None and talk.user is None:
            await _say(talk, "530 5.7.0 authentication required")
        elif talk.sender is not None:
            self.complaints.append(said)
            await _say(talk, "503 5.5.1 nested MAIL")
        elif await self._reply(talk, "mail", said, "250 2.1.0 ok"):
            talk.refused = False
            talk.sender = _address(said)
            talk.options = said.partition(">")[2].strip()
        else:
            talk.refused = True

    async def _letter(self, talk: _Talk) -> None:
        lines: list[bytes] = []
        while (line := await talk.reader.readline()) != b".\r\n":
            if not line:
                raise _Cut
            if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
                self.complaints.append(f"bare CR or LF: {line[:60]!r}")
            if lines == [] and any(fault.strikes("body", " ".join(talk.recipients)) for fault in self.faults):
                raise _Cut
            lines.append(line[1:] if line.startswith(b".") else line)
        await self._verdict(talk, b"".join(lines))

    async def _chunk(self, talk: _Talk, said: str) -> None:
        """A letter in one piece (RFC 3030): it is read to its end even where it is not wanted."""
        _, size, last = said.split(" ")
        assert last == "LAST"
        if any(fault.strikes("body", " ".join(talk.recipients)) for fault in self.faults):
            raise _Cut
        data = await talk.reader.readexactly(int(size))
        if talk.recipients:
            await self._verdict(talk, data)
            return
        if not talk.refused:
            self.complaints.append(said)
        await _say(talk, "503 5.5.1 no recipients")

    async def _verdict(self, talk: _Talk, data: bytes) -> None:
        letters = [
            Accepted(
                sender=talk.sender or "",
                recipient=recipient,
                options=talk.options,
                data=data,
                encrypted=talk.encrypted,
                user=talk.user,
                ehlo=talk.ehlo,
                connection=talk.number,
            )
            for recipient in talk.recipients
        ]
        usual = f"250 2.0.0 queued as {len(self.accepted) + 1}"
        said = " ".join(talk.recipients)
        _reset(talk)
        await self._reply(talk, "dot", said, usual, letters)

    def _accept_all(self, letters: Sequence[Accepted]) -> None:
        self.accepted.extend(letters)
        self._news.set()

    async def _reply(
        self, talk: _Talk, stage: Stage, said: str, usual: str, letters: Sequence[Accepted] = ()
    ) -> bool:
        """Answer as usual, or as the first fault that strikes says. True: it was a yes."""
        fault = next((fault for fault in self.faults if fault.strikes(stage, said)), None)
        if fault is None:
            self._accept_all(letters)
            await _say(talk, usual)
            return usual[0] in "23"
        reply = fault.reply or usual
        if fault.accept or (fault.drop != "before" and reply[0] == "2"):
            self._accept_all(letters)
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.drop != "before" and not fault.mute:
            await _say(talk, reply)
        if fault.drop:
            raise _Cut
        return reply[0] in "23"


async def _say(talk: _Talk, reply: str) -> None:
    talk.writer.write(reply.encode() + b"\r\n")
    await talk.writer.drain()


def _reset(talk: _Talk) -> None:
    talk.sender, talk.options, talk.recipients, talk.refused = None, "", [], False


def _address(said: str) -> str:
    return said.partition("<")[2].partition(">")[0]


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


# ---------------------------------------------------------------- certificates


def certificate(folder: Path, *, name: str = "127.0.0.1", days: int = 2) -> tuple[ssl.SSLContext, Path]:
    """A server context with a new self-signed certificate for `name`, and the file a client may trust.

    days: how long it is valid; a negative number makes one that has run out.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    try:
        alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        alternative = x509.DNSName(name)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sink.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=30))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    trusted, private = folder / f"{name}.pem", folder / f"{name}.key"
    trusted.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(trusted, private)
    return context, trusted

"""A mail server in a process of its own that is the judge: its yes is on disk before it is said.

    with Judge(tmp_path, faults={"drop_accepted": 0.02}) as judge:
        … send to 127.0.0.1:judge.port …
        assert judge.kept()[0].recipient == "ann@example.org"

Each accepted letter is a line in an append-only file, with fsync before the 250 (letters that arrive
together share one). It announces PIPELINING and, if asked, CHUNKING, and is fast enough to be no brake. What
goes wrong is drawn from a seed. What no client may do (a body before its 354, commands out of order, a bare
CR or LF, anything that is no command) is noted as a complaint; a body that is read as commands ends up there.

By hand: `python tests/judge_sink.py CONFIG.json`, where the file holds the fields of `Rules`; the first line
on stdout is {"port": …, "pid": …}.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

STAGES = ("connect", "ehlo", "mail", "rcpt", "data", "dot", "quit")
GREYLISTED = "451 4.7.1 greylisted, come back later"
LONGEST_LINE = 4096


@dataclass(slots=True, kw_only=True)
class Rules:
    """What the server offers and what goes wrong. Every fault is a probability from 0 to 1.

    record: the file that letters are written to. drop_accepted, drop_refused: after the dot the connection
    is cut before any reply, the letter kept or not. cut_body: the connection is cut in the middle of a body.
    closing, temporary, permanent, cut, reset: by stage (`STAGES`); a 421, a 4xx, a 5xx, a plain end (FIN) or
    a RST instead of an answer. greylist: the share of recipients that get a 4xx the first time. slow: the
    share of final replies that come late, slow_seconds: how late, at most. per_connection: letters until it
    says 421; 0: no limit. always_354: DATA is welcome even when no recipient was. moody: each connection is
    offered something else, as by a pool of different servers. sparing: a recipient whose address contains
    this meets no fault.
    """

    record: str = ""
    port: int = 0
    seed: int = 1
    pipelining: bool = True
    chunking: bool = False
    fsync: bool = True
    drop_accepted: float = 0.0
    drop_refused: float = 0.0
    cut_body: float = 0.0
    closing: dict[str, float] = field(default_factory=dict)
    temporary: dict[str, float] = field(default_factory=dict)
    permanent: dict[str, float] = field(default_factory=dict)
    cut: dict[str, float] = field(default_factory=dict)
    reset: dict[str, float] = field(default_factory=dict)
    greylist: float = 0.0
    slow: float = 0.0
    slow_seconds: float = 0.05
    per_connection: int = 0
    always_354: bool = False
    moody: bool = False
    sparing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One accepted copy. fate: `replied`, or what the server did instead of saying so."""

    recipient: str
    message_id: str
    sha256: str
    size: int
    connection: int
    at: float
    fate: str


EVERY_FAULT: dict[str, Any] = {
    "drop_accepted": 0.01,
    "drop_refused": 0.01,
    "cut_body": 0.005,
    "closing": dict.fromkeys(("connect", "ehlo"), 0.01) | dict.fromkeys(("rcpt", "data", "dot"), 0.003),
    "temporary": {"rcpt": 0.01, "data": 0.004, "dot": 0.01},
    "cut": {"connect": 0.01, "ehlo": 0.01, "mail": 0.001, "rcpt": 0.003, "data": 0.003, "quit": 0.2},
    "reset": {"connect": 0.01, "ehlo": 0.01, "mail": 0.001, "rcpt": 0.003, "data": 0.003, "dot": 0.003},
    "greylist": 0.03,
    "slow": 0.5,
    "slow_seconds": 0.15,
}
"""All that this server knows to do wrong, at once, and yet not so much that nothing gets through. Few of them
at MAIL: whoever is refused there is right to leave this server alone for a while, and a soak must end."""


# ---------------------------------------------------------------- the tests' side


class Judge:
    """The server, while the block lasts, and what it has kept. folder: where its files go."""

    def __init__(self, folder: Path, **rules: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.record = folder / "judged.jsonl"
        self._config = folder / "judge.json"
        self._log = folder / "judge.log"
        self._rules = rules
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Judge:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """On the port it had before, if it had one."""
        rules = Rules(**{"record": str(self.record), "port": self.port, **self._rules})
        self._config.write_text(json.dumps(asdict(rules)))
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(self._config)], stdout=subprocess.PIPE, stderr=log
            )
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], 20)[0]:
            self.stop()
            raise RuntimeError("the judge did not come up in 20 seconds")
        line = self._process.stdout.readline()
        if not line:
            self.stop()
            raise RuntimeError(f"the judge did not come up: {self._log.read_text()[-800:]}")
        self.port = json.loads(line)["port"]

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

    def be(self, **rules: Any) -> None:
        """Start again on the same port, under other rules; what was kept stays."""
        self.stop()
        self._rules = rules
        self.start()

    def count(self) -> int:
        """How many lines there are, quickly: letters, and complaints if there were any."""
        try:
            return self.record.read_bytes().count(b"\n")
        except FileNotFoundError:
            return 0

    def kept(self) -> list[Kept]:
        return [Kept(**line) for line in self._lines() if "recipient" in line]

    def complaints(self) -> list[str]:
        return [line["complaint"] for line in self._lines() if "complaint" in line]

    def _lines(self) -> list[dict[str, Any]]:
        if not self.record.exists():
            return []
        return [json.loads(line) for line in self.record.read_text(encoding="utf-8").splitlines()]


# ---------------------------------------------------------------- the server


_MESSAGE_ID = re.compile(rb"^message-id:[ \t]*(?:\r\n[ \t]+)?(<[^>\r\n]*>)", re.IGNORECASE | re.MULTILINE)


class _Server:
    """What all connections share: the rules, the dice, the record."""

    def __init__(self, rules: Rules, loop: asyncio.AbstractEventLoop) -> None:
        self.rules = rules
        self.chance = random.Random(rules.seed)  # noqa: S311 - faults, not secrets
        self.loop = loop
        self.connections = 0
        self.record = os.open(rules.record, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        self.waiting: list[tuple[bytes, Any]] = []
        self.grey: dict[str, bool] = {}
        self.salt = f"{rules.seed}-"

    def write(self, line: dict[str, Any], then: Any) -> None:
        """This line, on disk, and then `then()`; all lines of one turn of the loop share an fsync."""
        if not self.waiting:
            self.loop.call_soon(self._flush)
        self.waiting.append((json.dumps(line, ensure_ascii=False).encode() + b"\n", then))

    def _flush(self) -> None:
        waiting, self.waiting = self.waiting, []
        os.write(self.record, b"".join(line for line, _ in waiting))
        if self.rules.fsync:
            os.fsync(self.record)
        for _, then in waiting:
            then()

    def greylisted(self, recipient: str) -> bool:
        """True once, for this share of the recipients (the same ones for the same seed)."""
        if not self.rules.greylist or recipient in self.grey:
            return False
        drawn = hashlib.sha256((self.salt + recipient).encode()).digest()
        if int.from_bytes(drawn[:4], "big") >= self.rules.greylist * 2**32:
            return False
        self.grey[recipient] = True
        return True


class _Talk(asyncio.Protocol):
    """One connection. Nothing more is read from the buffer while a final reply is owed (`owed`)."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self._rules = server.rules
        server.connections += 1
        self._number = server.connections
        self._buffer = bytearray()
        self._scanned = 0
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._mode = "command"  # command | body | chunk
        self._chunk_left = 0
        self._chunk_last = False
        self._chunks = bytearray()
        self._owed = False
        self._gone = False
        self._cut_here = False
        self._letters = 0
        self._out: list[bytes] = []
        self._greeted = False
        self._pipelining, self._chunking = self._rules.pipelining, self._rules.chunking
        if self._rules.moody:
            self._pipelining, self._chunking = (server.chance.random() < 0.6 for _ in range(2))

    # ---------------------------------------------------------- transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        if not self._strikes("connect"):
            self._say("220 judge.example ESMTP")
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self._gone = True

    def eof_received(self) -> bool:
        return False

    def data_received(self, data: bytes) -> None:
        if self._gone:
            return
        self._buffer += data
        self._go_on()

    def _go_on(self) -> None:
        while not self._gone and not self._owed and self._step():
            pass
        self._send()

    def _say(self, line: str) -> None:
        self._out.append(line.encode() + b"\r\n")

    def _send(self) -> None:
        if self._out and not self._gone:
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def _end(self, *, reset: bool = False) -> None:
        """Cut the connection. What was answered before is sent first, unless it ends in a reset."""
        if self._gone:
            return
        if not reset:
            self._send()
            self._gone = True
            self._transport.close()
            return
        self._out.clear()
        self._gone = True
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _complain(self, what: str) -> None:
        self._server.write({"complaint": what[:300], "connection": self._number}, lambda: None)

    # ---------------------------------------------------------- faults

    def _drawn(self, probability: float) -> bool:
        return probability > 0 and self._server.chance.random() < probability

    def _spared(self) -> bool:
        sparing = self._rules.sparing
        return bool(sparing) and any(sparing in one for one in self._recipients)

    def _strikes(self, stage: str, *, about: str = "") -> bool:
        """A fault at this stage, if the dice say so: answered, or cut. True: one struck."""
        rules = self._rules
        if self._spared() or (rules.sparing and rules.sparing in about):
            return False
        if self._drawn(rules.reset.get(stage, 0)):
            self._end(reset=True)
        elif self._drawn(rules.cut.get(stage, 0)):
            self._end()
        elif self._drawn(rules.closing.get(stage, 0)):
            self._say("421 4.3.2 closing, come back later")
            self._end()
        elif self._drawn(rules.temporary.get(stage, 0)):
            self._say("451 4.3.0 not just now")
        elif self._drawn(rules.permanent.get(stage, 0)):
            self._say("554 5.3.0 no")
        else:
            return False
        return True

    # ---------------------------------------------------------- the conversation

    def _step(self) -> bool:
        """Work off one command or body. False: more bytes are needed."""
        if self._mode == "body":
            return self._body()
        if self._mode == "chunk":
            return self._chunk()
        end = self._buffer.find(b"\n")
        if end < 0:
            if len(self._buffer) > LONGEST_LINE:
                self._complain(f"an endless command: {bytes(self._buffer[:60])!r}")
                self._end()
            return False
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        if not line.endswith(b"\r\n"):
            self._complain(f"a command that ends with a bare LF: {line[:60]!r}")
        self._command(line.rstrip(b"\r\n").decode("utf-8", "replace"))
        return True

    def _command(self, said: str) -> None:
        verb = said.split(" ", 1)[0].upper()
        ahead = bool(self._buffer)
        if ahead and verb != "BDAT" and (not self._pipelining or verb in ("EHLO", "DATA", "QUIT", "NOOP")):
            self._complain(f"more was sent before {verb} was answered: {bytes(self._buffer[:60])!r}")
        match verb:
            case "EHLO":
                self._hello()
            case "MAIL":
                self._mail(said)
            case "RCPT":
                self._rcpt(said)
            case "DATA":
                self._data()
            case "BDAT" if self._chunking:
                self._bdat(said)
            case "RSET":
                self._forget()
                self._say("250 2.0.0 ok")
            case "NOOP":
                self._say("250 2.0.0 ok")
            case "QUIT":
                if not self._strikes("quit"):
                    self._say("221 2.0.0 bye")
                self._end()
            case _:
                self._complain(f"no command: {said[:100]!r}")
                self._say("500 5.5.2 no such command")

    def _hello(self) -> None:
        if self._strikes("ehlo"):
            return
        offers = ["8BITMIME", "SMTPUTF8", "SIZE 10000000", "ENHANCEDSTATUSCODES"]
        offers += ["PIPELINING"] * self._pipelining + ["CHUNKING"] * self._chunking
        self._greeted = True
        for offer in ["judge.example", *offers[:-1]]:
            self._say(f"250-{offer}")
        self._say(f"250 {offers[-1]}")

    def _mail(self, said: str) -> None:
        if not self._greeted:
            self._complain("MAIL before EHLO")
        if self._sender is not None:
            self._complain(f"MAIL within a letter: {said[:100]}")
            self._say("503 5.5.1 one at a time")
            return
        if self._rules.per_connection and self._letters >= self._rules.per_connection:
            self._say("421 4.7.0 enough for one connection")
            self._end()
            return
        if self._strikes("mail"):
            return
        self._sender = _address(said)
        self._say("250 2.1.0 ok")

    def _rcpt(self, said: str) -> None:
        if self._sender is None:
            self._say("503 5.5.1 MAIL first")
            return
        recipient = _address(said)
        if self._strikes("rcpt", about=recipient):
            return
        if self._server.greylisted(recipient):
            self._say(GREYLISTED)
            return
        self._recipients.append(recipient)
        self._say("250 2.1.5 ok")

    def _data(self) -> None:
        if self._sender is None or (not self._recipients and not self._rules.always_354):
            self._say("503 5.5.1 no valid recipients")
            return
        if self._recipients and self._strikes("data"):
            return
        self._mode, self._scanned = "body", 0
        self._cut_here = not self._spared() and self._drawn(self._rules.cut_body)
        self._say("354 go on")

    def _body(self) -> bool:
        if self._buffer.startswith(b".\r\n"):
            end, after = 0, 3
        else:
            found = self._buffer.find(b"\r\n.\r\n", max(0, self._scanned - 4))
            if found < 0:
                self._scanned = len(self._buffer)
                if self._cut_here and self._scanned:
                    self._end(reset=self._drawn(0.5))
                return False
            end, after = found + 2, found + 5
        if self._cut_here:
            self._end(reset=self._drawn(0.5))
            return False
        stuffed = bytes(self._buffer[:end])
        del self._buffer[:after]
        self._mode = "command"
        if stuffed.startswith(b"."):
            stuffed = stuffed[1:]
        self._letter(stuffed.replace(b"\r\n..", b"\r\n."))
        return True

    def _bdat(self, said: str) -> None:
        words = said.upper().split()
        if len(words) not in (2, 3) or not words[1].isdecimal() or words[2:] not in ([], ["LAST"]):
            self._complain(f"no BDAT: {said[:100]!r}")
            self._say("501 5.5.4 BDAT size [LAST]")
            return
        self._chunk_left, self._chunk_last = int(words[1]), words[2:] == ["LAST"]
        self._mode = "chunk"
        self._cut_here = bool(self._recipients) and not self._spared() and self._drawn(self._rules.cut_body)

    def _chunk(self) -> bool:
        taken = bytes(self._buffer[: self._chunk_left])
        if self._cut_here and taken:
            self._end(reset=self._drawn(0.5))
            return False
        del self._buffer[: len(taken)]
        self._chunks += taken
        self._chunk_left -= len(taken)
        if self._chunk_left:
            return False
        self._mode = "command"
        if self._sender is None or not self._recipients:  # the bytes are read all the same (RFC 3030 2)
            self._chunks.clear()
            self._say("503 5.5.1 no valid recipients")
            self._forget(keep=not self._chunk_last)
            return True
        if not self._chunk_last:
            self._say("250 2.0.0 ok")
            return True
        letter = bytes(self._chunks)
        self._chunks.clear()
        self._letter(letter)
        return True

    def _letter(self, letter: bytes) -> None:
        """The whole body is here: keep it, or do not, and answer."""
        recipients = self._recipients
        if not recipients:  # after an `always_354`
            self._forget()
            self._say("554 5.5.1 no valid recipients")
            return
        ends = letter.count(b"\r\n")
        if letter.count(b"\n") != ends or letter.count(b"\r") != ends:
            self._complain(f"a bare CR or LF in a letter to {recipients}")
        spared = self._spared()
        if not spared and self._drawn(self._rules.drop_refused):
            self._end(reset=self._drawn(0.5))
            return
        if self._strikes("dot"):
            self._forget()
            return
        fate = "replied"
        if not spared and self._drawn(self._rules.drop_accepted):
            fate = "dropped"
        self._letters += 1
        self._owed = True
        found = _MESSAGE_ID.search(letter[: letter.find(b"\r\n\r\n") + 2])
        late = 0.0
        if not spared and self._drawn(self._rules.slow):
            late = self._server.chance.uniform(0, self._rules.slow_seconds)
        for recipient in recipients:
            last = recipient is recipients[-1]
            line = {
                "recipient": recipient,
                "message_id": found[1].decode("utf-8", "replace") if found else "",
                "sha256": hashlib.sha256(letter).hexdigest(),
                "size": len(letter),
                "connection": self._number,
                "at": time.time(),
                "fate": fate,
            }
            self._server.write(line, (lambda: self._kept(fate, late)) if last else lambda: None)
        self._forget()

    def _kept(self, fate: str, late: float) -> None:
        if self._gone:
            return
        if late:
            self._server.loop.call_later(late, self._answer, fate)
        else:
            self._answer(fate)

    def _answer(self, fate: str) -> None:
        if self._gone:
            return
        self._owed = False
        if fate == "dropped":
            self._end(reset=self._drawn(0.5))
            return
        self._say(f"250 2.0.0 kept as {self._number}.{self._letters}")
        self._go_on()

    def _forget(self, *, keep: bool = False) -> None:
        if not keep:
            self._sender, self._recipients = None, []


def _address(said: str) -> str:
    return said.partition("<")[2].partition(">")[0]


async def _serve(rules: Rules) -> None:
    loop = asyncio.get_running_loop()
    shared = _Server(rules, loop)
    server = await loop.create_server(lambda: _Talk(shared), "127.0.0.1", rules.port, backlog=512)
    end = asyncio.Event()
    for what in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(what, end.set)
    port = server.sockets[0].getsockname()[1]
    print(json.dumps({"port": port, "pid": os.getpid()}), flush=True)  # noqa: T201 - for whoever started us
    parent = os.getppid()
    while not end.is_set() and os.getppid() == parent:  # a judge whose test is gone has nothing to judge
        try:
            await asyncio.wait_for(end.wait(), 2)
        except TimeoutError:
            continue
    server.close()


def main() -> None:
    import uvloop

    uvloop.run(_serve(Rules(**json.loads(Path(sys.argv[1]).read_text()))))


if __name__ == "__main__":
    main()

"""What is said to a mail server and what is heard from it, each reply matched to its letter.

    begin(letter) → MAIL RCPT DATA ─┐                       ┌─ take_done(): (letter, Receipt | PublishError)
    body()        → the body, “.”   ├→ take_output() … received(bytes) ─┤
    chunk(letter) → RSET MAIL RCPT BDAT + body ─┘           └─ over: why no further letter may follow

Pure: no socket, no clock. Replies come in the order of the commands (RFC 2920 3.1), so a queue of what was
asked is all the matching there is; an answer that nothing asked for, or that cannot be one to what was asked,
ends the conversation: nobody can say any more whose the next one is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import Enum, auto

from digest.model import PublishError, Receipt
from digest.publishers.base import Result
from digest.publishers.envelope import Letter
from digest.publishers.offers import Offers
from digest.publishers.replies import Stage, ends_connection, lost, refusal, reply_line, stray
from digest.publishers.reply_reader import Nonsense, Reply, ReplyReader

NO_ANSWER = "no answer in time"
_ABOUT_ENVELOPES = b"2.1."  # RFC 3463 3.2: addresses


class Asked(Enum):
    """What a reply is the answer to. LONE: a dot without a letter; BDAT: the body came with the command."""

    RSET = auto()
    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    DOT = auto()
    BDAT = auto()
    LONE = auto()
    NOOP = auto()
    QUIT = auto()


class Conversation:
    """One connection after the login, until its end.

    ready: the letter whose body the server waits for. over: why no further letter may be begun; "" while one
    may. broken: it is over, and nothing may be said or heard any more. carried: letters begun;
    accepted: those that were taken. closed_to_us: MAIL was refused for good, whoever it was for.
    nonsense: its answers could not be matched.
    """

    def __init__(self, announced: Mapping[str, str], *, relay: str) -> None:
        self.relay = relay
        self._offers = Offers(announced, relay=relay)
        self.pipelining = self._offers.pipelining
        self.chunking = self._offers.chunking
        self.ready: Letter | None = None
        self.over = ""
        self.broken = False
        self.nonsense = False
        self.closed_to_us = False
        self.carried = 0
        self.accepted = 0
        self._replies = ReplyReader()
        self._asked: deque[tuple[Asked, Letter | None]] = deque()
        self._script: deque[tuple[bytes, Asked, Letter | None]] = deque()
        self._open: deque[Letter] = deque()
        self._out: list[bytes] = []
        self._done: list[tuple[Letter, Result]] = []
        self._reset_code: bytes | None = None
        self._dirty = False  # a transaction may be open: RSET before the next MAIL

    # ------------------------------------------------------------ what is said

    def begin(self, letter: Letter) -> None:
        """The envelope, and the question whether its body may come. Raises PublishError for a letter that
        this server cannot carry; then nothing was said."""
        mail = self._offers.mail(letter)
        self._opened(letter)
        if self._dirty:
            self._script.append((b"RSET\r\n", Asked.RSET, None))
            self._dirty = False
        self._script += (
            (mail, Asked.MAIL, letter),
            (b"RCPT TO:<" + letter.recipient.encode() + b">\r\n", Asked.RCPT, letter),
            (b"DATA\r\n", Asked.DATA, letter),
        )
        self._advance()

    def body(self) -> None:
        """The body of the letter that is `ready`, with leading dots doubled (RFC 5321 4.5.2)."""
        letter, self.ready = self.ready, None
        if letter is None:
            raise AssertionError("no letter's body is awaited")
        if letter.dots:
            body = b"".join(letter.body)
            self._out += (b"." if body.startswith(b".") else b"", body.replace(b"\r\n.", b"\r\n.."))
        else:
            self._out += letter.body
        letter.body_out, letter.stage = True, Stage.DOT
        self._out.append(b".\r\n")
        self._asked.append((Asked.DOT, letter))

    def chunk(self, letter: Letter) -> None:
        """Envelope and body at once (RFC 3030). Raises PublishError as `begin` does.

        RSET before every MAIL: a recipient refused leaves a transaction open, the next MAIL would be refused
        as nested, and its RCPT and BDAT would then belong to the letter before it.
        """
        mail = self._offers.mail(letter)
        self._opened(letter)
        letter.body_out = True
        self._out += (
            b"RSET\r\n",
            mail,
            b"RCPT TO:<%b>\r\nBDAT %d LAST\r\n" % (letter.recipient.encode(), letter.size),
            *letter.body,
        )
        self._asked += (
            (Asked.RSET, letter),
            (Asked.MAIL, letter),
            (Asked.RCPT, letter),
            (Asked.BDAT, letter),
        )

    def reset(self) -> None:
        """Close a transaction that may be open, now and not with the next letter."""
        if self._dirty and not self.over:
            self._dirty = False
            self._say(b"RSET\r\n", Asked.RSET)

    def noop(self) -> None:
        self._say(b"NOOP\r\n", Asked.NOOP)

    def quit(self) -> None:
        """Whatever is answered, every letter before it keeps its own outcome."""
        self.over = self.over or "we said goodbye"
        self._say(b"QUIT\r\n", Asked.QUIT)

    def _say(self, line: bytes, asked: Asked) -> None:
        if not self.broken:
            self._script.append((line, asked, None))
            self._advance()

    def _opened(self, letter: Letter) -> None:
        self.carried += 1
        self._open.append(letter)

    def _advance(self) -> None:
        """Say what may be said now: all of it, or one command at a time."""
        while self._script and (self.pipelining or not self._asked):
            line, asked, letter = self._script.popleft()
            self._out.append(line)
            self._asked.append((asked, letter))

    def take_output(self) -> bytes:
        """What is to be written now."""
        out = b"".join(self._out)
        self._out.clear()
        return out

    # ------------------------------------------------------------ what is heard

    @property
    def quiet(self) -> bool:
        """Nothing more will be heard unless something is said."""
        return not self._asked

    @property
    def decided(self) -> bool:
        """Some letter's outcome is there to be taken."""
        return bool(self._done)

    @property
    def awaits_verdict(self) -> bool:
        """The next answer is that to a body: it may take ten minutes (RFC 5321 4.5.3.2.6)."""
        return bool(self._asked) and self._asked[0][0] in (Asked.DOT, Asked.BDAT)

    @property
    def under_way(self) -> int:
        """Letters begun whose outcome is not known."""
        return len(self._open)

    def take_done(self) -> list[tuple[Letter, Result]]:
        """The letters whose outcome is known, in order, and forget them."""
        done, self._done = self._done, []
        return done

    def received(self, data: bytes) -> None:
        """Bytes from the server, in pieces of any size. Call `take_output` afterwards: a refusal may have
        something to be said at once."""
        if self.broken:
            return
        try:
            for reply in self._replies.feed(data):
                self._hear(reply)
        except Nonsense as error:
            self._confused(stray(str(error)))
        self._advance()

    def lost(self, why: str) -> None:
        """The connection is no more, or says nothing in time: what becomes of the letters on it."""
        if self.broken:
            return
        self.broken = True
        self.over = self.over or why
        self.ready = None
        self._asked.clear()
        self._script.clear()
        self._out.clear()
        opened, self._open = self._open, deque()
        for letter in opened:
            stage = Stage.DOT if letter.body_out else letter.stage
            self._done.append((letter, letter.error or lost(stage, why, relay=self.relay)))

    def silent(self) -> None:
        """An answer did not come in time. When it is the last one of a group that is missing, an earlier one
        may be, and each of the others may belong to the command before its own."""
        if self._asked and self._asked[0][0] is Asked.DATA and self.pipelining and self._done:
            self._confused(NO_ANSWER)
        else:
            self.lost(NO_ANSWER)

    def _hear(self, reply: Reply) -> None:
        code = reply.code
        if self.broken:
            return
        if not self._asked:
            if code == 421:  # on its own account: it closes a connection that rested (RFC 5321 3.8)
                self.lost(f"it closed the connection with {stray(reply.text, reply.code)}")
            else:
                self._confused(f"an answer to nothing: {stray(reply.text, reply.code)}")
            return
        asked, letter = self._asked.popleft()
        if code == 421:
            # Others are told of it: whatever letter it speaks of, no address goes along.
            self.over = self.over or stray(reply.text, code)
        if letter is None or asked is Asked.RSET:
            self._hear_other(asked, reply)
        elif asked is Asked.MAIL or asked is Asked.RCPT:
            self._hear_envelope(asked, letter, reply)
        elif asked is Asked.DATA:
            self._hear_data(letter, reply)
        else:
            self._hear_verdict(asked, letter, reply)

    def _hear_other(self, asked: Asked, reply: Reply) -> None:
        if asked is Asked.RSET and reply.code == 421:
            self.lost(f"it closed the connection with {self.over}")
        elif asked is Asked.RSET and reply.code // 100 != 2:
            # Nothing is sure about a transaction that cannot be closed: no letter goes into it.
            self._confused(f"RSET was answered with {stray(reply.text, reply.code)}")
        elif asked is Asked.RSET and self.chunking and not self._in_step(reply):
            self._confused(f"RSET was answered with {stray(reply.text, reply.code)}")
        elif asked is Asked.NOOP and reply.code // 100 != 2:
            self.over = self.over or stray(reply.text, reply.code)

    def _in_step(self, reply: Reply) -> bool:
        """With eight letters out RSET keeps the step: its answers carry the same enhanced code each time, and
        on most servers another one than those to MAIL and RCPT. A shift by one shows here."""
        code = reply.raw[:5] if reply.raw.startswith(b"2.") else b""
        self._reset_code = code if self._reset_code is None else self._reset_code
        return code == self._reset_code

    def _hear_envelope(self, asked: Asked, letter: Letter, reply: Reply) -> None:
        mail = asked is Asked.MAIL
        if reply.code // 100 == 2:
            if letter.error is None:
                letter.stage = Stage.RCPT if mail else Stage.DATA
            return
        if letter.error is None:
            letter.error = self._refusal(Stage.MAIL if mail else Stage.RCPT, letter, reply)
            if mail and not self.over:
                self.closed_to_us = reply.code >= 500
                self.over = str(letter.error)
        if not 400 <= reply.code <= 599:
            self._confused(f"{asked.name} was answered with {stray(reply.text, reply.code)}")
        elif not self.pipelining:
            self._script.clear()
            self._finish(letter, letter.error)
            self._dirty = not mail

    def _hear_data(self, letter: Letter, reply: Reply) -> None:
        if reply.code == 354 and letter.error is None:
            self.ready = letter
            return
        if reply.code == 354 and letter.stage is not Stage.MAIL:
            # It wants a letter for nobody: it gets an empty one (RFC 2920 3.1), and we do not care for its
            # answer. Its recipient was refused, whatever that says.
            self._out.append(b".\r\n")
            self._asked.append((Asked.LONE, None))
        elif not 400 <= reply.code <= 599:
            letter.error = letter.error or self._refusal(Stage.DATA, letter, reply)
            self._confused(f"DATA was answered with {stray(reply.text, reply.code)}")
            return
        error = letter.error or self._refusal(Stage.DATA, letter, reply)
        self._finish(letter, error)
        self._dirty = True

    def _hear_verdict(self, asked: Asked, letter: Letter, reply: Reply) -> None:
        code = reply.code
        if asked is Asked.BDAT and code <= 299 and reply.raw.startswith(_ABOUT_ENVELOPES):
            # Eight letters out, and every yes looks alike: this one is an answer to MAIL or RCPT.
            self._confused(f"BDAT was answered with {stray(reply.text, reply.code)}")
        elif not (200 <= code <= 299 or 400 <= code <= 599):
            self._finish(letter, letter.error or self._refusal(Stage.DOT, letter, reply))
            self._confused(f"the letter was answered with {stray(reply.text, reply.code)}")
        elif letter.error is not None:
            # After a refusal in the envelope the second one (503, 554) is only its consequence. A yes to a
            # letter whose MAIL was refused is one under another letter's envelope: nobody knows what it did.
            self._finish(letter, letter.error)
            if letter.stage is Stage.MAIL and code <= 299:
                letter.error.unknown = True
                self._confused("a letter was taken whose MAIL was refused")
        elif code <= 299:
            self.accepted += 1
            text = reply_line(code, reply.text, hide=letter.recipient)
            self._finish(letter, Receipt(relay=self.relay, reply=text))
        else:
            self._finish(letter, self._refusal(Stage.DOT, letter, reply))

    def _refusal(self, stage: Stage, letter: Letter, reply: Reply) -> PublishError:
        fresh = self.accepted == 0
        text = reply.text
        if not fresh and ends_connection(stage, reply.code, text):
            self.over = self.over or reply_line(reply.code, text, hide=letter.recipient)
        return refusal(
            stage, reply.code, text, recipient=letter.recipient, relay=self.relay, fresh=fresh
        )  # fmt: skip

    def _finish(self, letter: Letter, result: Result) -> None:
        self._open.remove(letter)
        self._done.append((letter, result))

    def _confused(self, why: str) -> None:
        """Replies and letters do not match any more. What was answered since the last time all was in order
        may have been meant for something else: of letters whose body was out it is not believed."""
        self.nonsense = True
        doubtful = lost(Stage.DOT, why, relay=self.relay)
        self._done = [(letter, doubtful if letter.body_out else result) for letter, result in self._done]
        for letter in self._open:
            letter.error = None if letter.body_out else letter.error
        self.lost(why)

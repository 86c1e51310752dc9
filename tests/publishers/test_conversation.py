"""What is said to a server and heard from it: matched right, whatever it answers, or not believed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from a_ledger import delivery, kind

from digest.model import PublishError, Receipt
from digest.publishers.conversation import Conversation
from digest.publishers.envelope import Letter, whole
from digest.publishers.replies import Blocked, RelayDown

ALL = {"pipelining": "", "chunking": "", "8bitmime": "", "smtputf8": "", "size": "1000000"}
PIPELINED = {"pipelining": "", "size": "1000000"}
PLAIN = {"size": "1000000"}


def talk(offers: dict[str, str] | None = None) -> Conversation:
    return Conversation(PIPELINED if offers is None else offers, relay="mail.example.org:25")


def letter(number: int = 1, text: str = "Good morning.", *, sender: str | None = None) -> Letter:
    to = f"reader{number}@example.org"
    body = f"From: news@example.org\r\nTo: {to}\r\n\r\n{text}\r\n".encode()
    made = whole(sender or f"news+{number}@example.org", to, body)
    made.about = delivery(number)
    return made


def text_of(letter: Letter) -> bytes:
    return b"".join(letter.body)


def kinds(conversation: Conversation) -> dict[int, str]:
    return {done.delivery.id: kind(result) for done, result in conversation.take_done()}


def up_to_the_body(conversation: Conversation, one: Letter) -> None:
    conversation.begin(one)
    conversation.take_output()
    conversation.received(b"250 ok\r\n250 ok\r\n354 go on\r\n")
    assert conversation.ready is one


# ---------------------------------------------------------------- what is said


def test_an_envelope_goes_in_one_piece_and_a_body_with_the_next_envelope_behind_it() -> None:
    conversation = talk()
    one, two = letter(1), letter(2)
    conversation.begin(one)
    assert conversation.take_output() == (
        b"MAIL FROM:<news+1@example.org> SIZE=%d\r\n" % one.size
        + b"RCPT TO:<reader1@example.org>\r\nDATA\r\n"
    )
    conversation.received(b"250 ok\r\n250 ok\r\n354 go on\r\n")
    conversation.body()
    conversation.begin(two)
    assert conversation.take_output() == (
        text_of(one)
        + b".\r\nMAIL FROM:<news+2@example.org> SIZE=%d\r\n" % two.size
        + b"RCPT TO:<reader2@example.org>\r\nDATA\r\n"
    )
    conversation.received(b"250 2.0.0 queued as 1\r\n250 ok\r\n250 ok\r\n354 go on\r\n")
    assert conversation.take_done() == [
        (one, Receipt(relay="mail.example.org:25", reply="250 2.0.0 queued as 1"))
    ]
    assert conversation.ready is two


def test_without_pipelining_each_command_waits_for_the_answer_before() -> None:
    conversation = talk(PLAIN)
    conversation.begin(letter())
    said = []
    for answer in (b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"):
        said.append(conversation.take_output().split(b" ")[0].strip())
        assert conversation.ready is None
        conversation.received(answer)
    assert said == [b"MAIL", b"RCPT", b"DATA"]
    assert conversation.ready is not None


def test_a_chunk_has_its_envelope_before_it_and_a_reset_before_that() -> None:
    conversation = talk(ALL)
    one, two = letter(1), letter(2)
    conversation.chunk(one)
    conversation.chunk(two)
    out = conversation.take_output()
    assert out.startswith(b"RSET\r\nMAIL FROM:<news+1@")
    assert b"BDAT %d LAST\r\n" % one.size + text_of(one) + b"RSET\r\nMAIL FROM:<news+2@" in out
    assert out.endswith(text_of(two))


def test_dots_are_doubled_in_a_body_and_not_in_a_chunk() -> None:
    text = ".one\r\n..two\r\n.\r\nthree."
    conversation = talk()
    one = letter(1, text)
    up_to_the_body(conversation, one)
    conversation.body()
    assert conversation.take_output().endswith(b"\r\n\r\n..one\r\n...two\r\n..\r\nthree.\r\n.\r\n")
    conversation = talk(ALL)
    conversation.chunk(one)
    assert conversation.take_output().endswith(b"\r\n\r\n.one\r\n..two\r\n.\r\nthree.\r\n")


def test_a_letter_that_the_server_cannot_carry_is_refused_before_a_word_is_said() -> None:
    for offers, one, why in (
        ({"size": "10"}, letter(), "takes no letter of"),
        ({}, letter(1, "Grüße"), "8BITMIME"),
        ({"8bitmime": ""}, whole("news@example.org", "jörg@example.org", b"To: x\r\n\r\nx\r\n"), "SMTPUTF8"),
    ):
        conversation = talk(offers)
        with pytest.raises(PublishError, match=why) as raised:
            conversation.begin(one)
        assert raised.value.permanent
        assert conversation.take_output() == b""
        assert conversation.quiet


@pytest.mark.parametrize("size", ["", "0", "many", "-1", "٣"])
def test_a_size_without_a_number_limits_nothing(size: str) -> None:
    conversation = talk({"size": size})
    conversation.begin(letter())
    assert b" SIZE=" in conversation.take_output()


# ---------------------------------------------------------------- refusals


def test_the_refusal_of_data_after_that_of_a_reader_is_no_second_one() -> None:
    conversation = talk()
    conversation.begin(letter())
    conversation.received(b"250 ok\r\n550 5.1.1 gone\r\n554 5.5.1 no valid recipients\r\n")
    assert kinds(conversation) == {1: "dead"}
    conversation.take_output()
    conversation.begin(letter(2))
    assert conversation.take_output().startswith(b"RSET\r\nMAIL FROM:<news+2@")


@pytest.mark.parametrize("answer", [b"250 2.0.0 taken", b"554 5.5.1 no valid recipients", b"451 4.3.0 what?"])
def test_a_letter_for_nobody_that_is_asked_for_is_a_lone_dot_and_its_answer_counts_for_nobody(
    answer: bytes,
) -> None:
    conversation = talk()
    conversation.begin(letter())
    conversation.take_output()
    conversation.received(b"250 ok\r\n550 5.1.1 gone\r\n354 go on\r\n")
    assert conversation.ready is None
    assert conversation.take_output() == b".\r\n"
    assert not conversation.quiet
    conversation.received(answer + b"\r\n")
    assert conversation.quiet
    assert kinds(conversation) == {1: "dead"}
    conversation.begin(letter(2))
    assert conversation.take_output().startswith(b"RSET\r\n")
    conversation.received(b"250 ok\r\n250 ok\r\n250 ok\r\n354 go on\r\n")
    assert conversation.ready is not None


def test_a_body_that_is_asked_for_although_we_were_refused_is_never_sent() -> None:
    conversation = talk()
    conversation.begin(letter())
    conversation.take_output()
    conversation.received(b"550 5.7.1 not you\r\n250 ok\r\n354 go on\r\n")
    assert conversation.broken
    assert conversation.take_output() == b""
    [(_, error)] = conversation.take_done()
    assert isinstance(error, RelayDown)


def test_a_refused_reader_among_chunks_changes_nothing_for_the_others() -> None:
    conversation = talk(ALL)
    for number in (1, 2, 3):
        conversation.chunk(letter(number))
    conversation.received(
        b"250 reset\r\n250 2.1.0 ok\r\n250 2.1.5 ok\r\n250 2.0.0 queued\r\n"
        b"250 reset\r\n250 2.1.0 ok\r\n550 5.1.1 gone\r\n503 5.5.1 no recipients\r\n"
        b"250 reset\r\n250 2.1.0 ok\r\n250 2.1.5 ok\r\n250 2.0.0 queued\r\n"
    )
    assert kinds(conversation) == {1: "sent", 2: "dead", 3: "sent"}
    assert not conversation.over


def test_a_chunk_that_is_taken_although_its_reader_was_refused_is_not_called_sent() -> None:
    conversation = talk(ALL)
    conversation.chunk(letter())
    conversation.received(b"250 reset\r\n250 ok\r\n550 5.1.1 gone\r\n250 2.0.0 queued\r\n")
    assert kinds(conversation) == {1: "dead"}


def test_a_chunk_that_is_taken_under_an_envelope_that_was_refused_is_unknown() -> None:
    conversation = talk(ALL)
    conversation.chunk(letter())
    conversation.received(b"250 reset\r\n503 5.5.1 nested MAIL\r\n250 ok\r\n250 2.0.0 queued\r\n")
    assert conversation.broken
    assert kinds(conversation) == {1: "unknown"}


@pytest.mark.parametrize("reply", [b"502 5.5.1 what?", b"354 go on", b"451 4.3.0 later"])
def test_when_a_transaction_cannot_be_reset_nothing_goes_into_it(reply: bytes) -> None:
    conversation = talk(ALL)
    conversation.chunk(letter(1))
    conversation.chunk(letter(2))
    conversation.received(b"250 ok\r\n250 ok\r\n250 ok\r\n250 2.0.0 queued\r\n")
    assert kinds(conversation) == {1: "sent"}
    conversation.received(reply + b"\r\n")
    assert conversation.broken
    assert kinds(conversation) == {2: "unknown"}


@pytest.mark.parametrize("offers", [PLAIN, PIPELINED, ALL])
def test_we_are_refused_not_the_reader(offers: dict[str, str]) -> None:
    conversation = talk(offers)
    (conversation.chunk if "chunking" in offers else conversation.begin)(letter())
    conversation.received(b"250 reset\r\n" if "chunking" in offers else b"")
    conversation.received(b"550 5.7.1 sender refused\r\n")
    if "pipelining" in offers:
        conversation.received(b"503 no\r\n503 no\r\n")
    [(_, error)] = conversation.take_done()
    assert isinstance(error, RelayDown)
    assert conversation.closed_to_us


def test_a_filter_is_no_judgement_on_a_reader() -> None:
    conversation = talk()
    up_to_the_body(conversation, letter())
    conversation.body()
    conversation.received(b"550 5.1.1 we do not like this\r\n")
    [(_, error)] = conversation.take_done()
    assert isinstance(error, Blocked)
    assert not error.permanent
    assert error.wait is not None


def test_a_connection_that_has_had_enough_is_over_but_its_first_letter_is_not_to_blame() -> None:
    conversation = talk()
    conversation.begin(letter(1))
    conversation.received(b"250 ok\r\n452 4.5.3 too many\r\n503 no\r\n")
    assert kinds(conversation) == {1: "later"}, (
        "the connection's very first letter: it is the letter's matter"
    )
    assert not conversation.over
    conversation = talk()
    up_to_the_body(conversation, letter(1))
    conversation.body()
    conversation.begin(letter(2))
    conversation.received(b"250 ok\r\n250 ok\r\n452 4.5.3 too many\r\n503 no\r\n")
    [_, (_, error)] = conversation.take_done()
    assert isinstance(error, PublishError)
    assert (error.counts, error.permanent) == (False, False)
    assert error.wait is not None
    assert "452 4.5.3 too many" in conversation.over


# ---------------------------------------------------------------- answers that fit nothing


@pytest.mark.parametrize(
    "said",
    [
        b"250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n",
        b"250 ok\r\n250 ok\r\n354 go on\r\n250 again\r\n",
        b"250 ok\r\n354 go on\r\n",
        b"354 go on\r\n",
        b"hello\r\n",
        b"99 what\r\n",
        b"999 what\r\n",
        b"100 wait\r\n",
        b"250-ok\r\n550 no\r\n",
        b"\r\n",
        b"\0\0\0\0\r\n",
        b"250 " + b"x" * 5000 + b"\r\n",
        b"2" * 5000,
        b"250-x\r\n" * 101,
    ],
)
def test_doubt_ends_the_conversation_and_a_yes_from_the_same_moment_is_not_believed(said: bytes) -> None:
    conversation = talk()
    up_to_the_body(conversation, letter(1))
    conversation.body()
    conversation.begin(letter(2))
    conversation.take_output()
    conversation.received(b"250 2.0.0 queued\r\n" + said)
    assert conversation.broken
    assert conversation.nonsense
    assert kinds(conversation) == {1: "unknown", 2: "not the reader's"}
    assert conversation.take_output() == b""
    conversation.received(b"250 ok\r\n")
    assert conversation.take_done() == []


def test_an_answer_to_nothing_ends_a_connection_at_rest() -> None:
    conversation = talk()
    conversation.received(b"250 hello?\r\n")
    assert conversation.broken
    conversation = talk()
    up_to_the_body(conversation, letter())
    conversation.received(b"421 4.4.2 you are slow\r\n")
    assert kinds(conversation) == {1: "not the reader's"}
    assert not conversation.nonsense


def test_a_yes_to_a_chunk_that_speaks_of_addresses_is_an_answer_to_something_else() -> None:
    conversation = talk(ALL)
    conversation.chunk(letter())
    conversation.received(b"250 reset\r\n250 2.1.0 ok\r\n250 2.1.0 ok\r\n250 2.1.5 ok\r\n")
    assert kinds(conversation) == {1: "unknown"}
    assert conversation.nonsense


@pytest.mark.parametrize("heard", [0, 8, 16, 20, 27])
def test_a_letter_whose_body_has_not_left_is_lost_and_no_more(heard: int) -> None:
    conversation = talk()
    conversation.begin(letter())
    conversation.received(b"250 ok\r\n250 ok\r\n354 go on\r\n"[:heard])
    conversation.lost("the connection was lost")
    assert kinds(conversation) == {1: "not the reader's"}
    conversation.lost("again")
    assert conversation.take_done() == []


def test_an_address_does_not_stay_in_what_is_kept_of_an_answer() -> None:
    conversation = talk()
    up_to_the_body(conversation, letter(7))
    conversation.body()
    conversation.received(b"250 2.0.0 Reader7@Example.org is glad\r\n")
    [(_, receipt)] = conversation.take_done()
    assert isinstance(receipt, Receipt)
    assert receipt.reply == "250 2.0.0 (address) is glad"


def test_no_letter_after_it_is_told_an_address_that_a_last_answer_names() -> None:
    conversation = talk()
    conversation.begin(letter(7))
    conversation.received(b"250 ok\r\n550 5.1.1 no\r\n354 go on, for nobody\r\n")
    conversation.begin(letter(8))
    conversation.received(b"421 4.7.0 too many like <Reader7@example.org>\r\n")
    assert conversation.over == "421 4.7.0 too many like <(address)>"
    conversation.lost("gone")
    assert "7@" not in " ".join(str(result) for _, result in conversation.take_done())


def test_bytes_that_are_no_text_are_kept_as_far_as_they_can_be_shown() -> None:
    conversation = talk()
    up_to_the_body(conversation, letter())
    conversation.body()
    conversation.received(b"250 2.0.0 \xff\xfe\0 f\xc3\xbcr dich\r\n")
    [(_, receipt)] = conversation.take_done()
    assert isinstance(receipt, Receipt)
    assert receipt.reply == "250 2.0.0 für dich"


# ---------------------------------------------------------------- against a model of a server


@dataclass
class Model:
    """A server after the login. chance: how often it says no. swallows, repeats: how often it forgets an
    answer or gives one too many, once on each connection. It reads what is written in pieces of any size,
    and answers in the same order."""

    dice: random.Random
    chance: float
    taken: list[tuple[str, str, bytes]] = field(default_factory=list)
    sender: str | None = None
    recipient: str | None = None
    buffer: bytes = b""
    letter: bool = False
    chunk: int | None = None
    gone: bool = False
    swallows: float = 0.0
    repeats: float = 0.0
    strange: bool = False

    def says(self, usual: bytes, *nos: bytes) -> tuple[bytes, bool]:
        if self.dice.random() < self.chance:
            return self.dice.choice(nos), False
        return usual, True

    def reads(self, data: bytes) -> bytes:
        self.buffer += data
        out = b""
        while not self.gone and (reply := self._next()) is not None:
            if not self.strange and self.dice.random() < self.swallows:
                self.strange = True
                continue
            out += reply + b"\r\n"
            if not self.strange and self.dice.random() < self.repeats:
                self.strange = True
                out += self.dice.choice((reply, b"250 ok", b"550 5.1.1 no")) + b"\r\n"
        return out

    def _next(self) -> bytes | None:
        if self.chunk is not None:
            if len(self.buffer) < self.chunk:
                return None
            data, self.buffer = self.buffer[: self.chunk], self.buffer[self.chunk :]
            self.chunk = None
            return self._verdict(data)
        if self.letter:
            if self.buffer.startswith(b".\r\n"):
                self.buffer, data = self.buffer[3:], b""
            else:
                data, found, rest = self.buffer.partition(b"\r\n.\r\n")
                if not found:
                    return None
                self.buffer, data = rest, (b"\r\n" + data).replace(b"\r\n.", b"\r\n")[2:] + b"\r\n"
            reply = self._verdict(data)
            self.letter, self.sender, self.recipient = False, None, None
            return reply
        line, found, rest = self.buffer.partition(b"\r\n")
        if not found:
            return None
        self.buffer = rest
        return self._answer(line)

    def _answer(self, line: bytes) -> bytes | None:
        verb, said = line[:4], line.partition(b"<")[2].partition(b">")[0].decode()
        if verb == b"RSET":
            self.sender = self.recipient = None
            return b"250 2.0.0 reset"
        if verb == b"MAIL":
            if self.sender is not None:
                return b"503 5.5.1 nested MAIL"
            reply, good = self.says(b"250 2.1.0 ok", b"451 4.3.0 later", b"550 5.7.1 no", b"452 4.5.3 many")
            self.sender = said if good else None
            return reply
        if verb == b"RCPT":
            if self.sender is None:
                return b"503 5.5.1 MAIL first"
            reply, good = self.says(b"250 2.1.5 ok", b"450 4.2.0 grey", b"550 5.1.1 gone", b"452 4.5.3 many")
            self.recipient = said if good else self.recipient
            return reply
        if verb == b"DATA":
            if self.recipient is None:
                if self.sender is not None and self.dice.random() < 0.5:
                    self.letter = True  # RFC 2920 3.1: it may
                    return b"354 go on, for nobody"
                return b"503 5.5.1 RCPT first"
            reply, self.letter = self.says(b"354 go on", b"451 4.3.0 later", b"554 5.7.1 no")
            return reply
        if verb == b"BDAT":
            self.chunk = int(line.split(b" ")[1])
            return self._next()
        return b"500 5.5.2 what?"

    def _verdict(self, data: bytes) -> bytes:
        if self.recipient is None or self.sender is None:
            return b"554 5.5.1 no recipients"
        reply, good = self.says(b"250 2.0.0 queued", b"451 4.3.0 later", b"554 5.6.0 no", b"452 4.3.1 full")
        if good:
            self.taken.append((self.sender, self.recipient, data))
        if (
            good or self.dice.random() < 0.5
        ):  # after a refused chunk the transaction may stay open (RFC 3030 2)
            self.sender = self.recipient = None
        return reply


def hear(conversation: Conversation, server: Model, dice: random.Random) -> None:
    """Everything that is written and answered until nothing is waited for; in pieces, and perhaps cut off."""
    while out := conversation.take_output():
        said = server.reads(out)
        while said and not conversation.broken:
            cut = dice.randint(1, len(said))
            conversation.received(said[:cut])
            said = said[cut:]


def send_all(
    offers: dict[str, str], letters: Sequence[Letter], server: Model, dice: random.Random, cut: float
) -> dict[int, str]:
    """As `streaming` does, over as many connections as it takes."""
    waiting = list(letters)
    said: dict[int, str] = {}
    while waiting:
        conversation = talk(offers)
        server.sender = server.recipient = server.chunk = None
        server.letter, server.buffer, server.strange = False, b"", False
        while not conversation.over and (waiting or conversation.ready or conversation.under_way):
            if conversation.ready is not None:
                conversation.body()
            if "chunking" in offers:
                for _ in range(min(len(waiting), 8 - conversation.under_way)):
                    conversation.chunk(waiting.pop(0))
            elif waiting:
                conversation.begin(waiting.pop(0))
            if dice.random() < cut:
                server.reads(conversation.take_output()[: dice.randint(0, 300)])
                conversation.lost("the connection was lost")
            else:
                hear(conversation, server, dice)
                if not conversation.quiet:
                    conversation.silent()
            said |= kinds(conversation)
        conversation.lost("given up")
        said |= kinds(conversation)
    return said


def check(letters: Sequence[Letter], server: Model, said: dict[int, str]) -> None:
    envelopes = Counter(server.taken)
    assert set(envelopes) <= {(one.sender, one.recipient, text_of(one)) for one in letters}, (
        "a wrong envelope"
    )
    for one in letters:
        copies = envelopes[(one.sender, one.recipient, text_of(one))]
        means = said[one.delivery.id]
        assert copies <= 1
        assert means == "unknown" or copies == (means == "sent"), f"{one.delivery.id} is called {means}"


@pytest.mark.parametrize("offers", [PLAIN, PIPELINED, ALL])
@pytest.mark.parametrize("chance", [0.0, 0.1, 0.5])
def test_whatever_a_server_refuses_every_letter_gets_its_own_answer(
    offers: dict[str, str], chance: float
) -> None:
    for seed in range(60):
        dice = random.Random(f"{seed} {chance}")  # noqa: S311 - a seed, to be the same again
        letters = [letter(n, dice.choice(("Hello.", ".", "..\r\n.x"))) for n in range(dice.randint(1, 40))]
        server = Model(dice, chance)
        said = send_all(offers, letters, server, dice, cut=0.0)
        assert len(said) == len(letters)
        assert "unknown" not in said.values(), "nothing was cut and nothing was nonsense"
        check(letters, server, said)


@pytest.mark.parametrize("offers", [PLAIN, PIPELINED, ALL])
def test_wherever_a_connection_is_cut_no_letter_is_called_what_it_is_not(offers: dict[str, str]) -> None:
    for seed in range(120):
        dice = random.Random(f"cut {seed}")  # noqa: S311 - a seed, to be the same again
        letters = [letter(n) for n in range(dice.randint(1, 30))]
        server = Model(dice, dice.choice((0.0, 0.2)))
        check(letters, server, send_all(offers, letters, server, dice, cut=0.2))


@pytest.mark.parametrize("fault", ["swallows", "repeats"])
@pytest.mark.parametrize("offers", [PLAIN, PIPELINED, ALL])
def test_a_server_that_answers_too_little_or_too_much_is_never_misunderstood(
    offers: dict[str, str], fault: str
) -> None:
    for seed in range(150):
        dice = random.Random(f"{fault} {seed}")  # noqa: S311 - a seed, to be the same again
        letters = [letter(n) for n in range(dice.randint(1, 12))]
        server = Model(dice, 0.0 if fault == "repeats" else 0.1)
        setattr(server, fault, 0.05)
        check(letters, server, send_all(offers, letters, server, dice, cut=0.0))

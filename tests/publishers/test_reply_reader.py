"""Replies, cut out of bytes that come in pieces of any size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.publishers.reply_reader import LONGEST_LINE, Nonsense, Reply, ReplyReader

TEXT = st.binary(max_size=60).map(lambda text: text.replace(b"\r", b"").replace(b"\n", b""))
REPLIES = st.lists(
    st.tuples(st.integers(200, 599), st.lists(TEXT, min_size=1, max_size=4)), min_size=1, max_size=6
)


def wire(replies: list[tuple[int, list[bytes]]], end: bytes) -> bytes:
    out = b""
    for code, lines in replies:
        for line in lines[:-1]:
            out += b"%d-%b%b" % (code, line, end)
        out += b"%d %b%b" % (code, lines[-1], end)
    return out


def hear(data: bytes) -> tuple[list[Reply], str]:
    """What was a reply, and why the rest is none; "" when there is no such rest."""
    heard: list[Reply] = []
    try:
        heard.extend(ReplyReader().feed(data))
    except Nonsense as error:
        return heard, str(error)
    return heard, ""


@given(REPLIES, st.lists(st.integers(1, 40)), st.sampled_from([b"\r\n", b"\n"]))
def test_replies_come_out_as_they_went_in_however_they_are_cut(
    replies: list[tuple[int, list[bytes]]], cuts: list[int], end: bytes
) -> None:
    data, reader, heard = wire(replies, end), ReplyReader(), []
    for cut in [*cuts, len(data)]:
        heard += reader.feed(data[:cut])
        data = data[cut:]
    assert heard == [Reply(code, b"\n".join(lines)) for code, lines in replies]


@given(st.binary(max_size=300))
def test_garbage_is_an_error_or_nothing_and_never_a_crash(data: bytes) -> None:
    heard, why = hear(data)
    assert all(200 <= reply.code <= 599 and isinstance(reply.text, str) for reply in heard)
    assert len(why) < 200


@pytest.mark.parametrize("line", [b"250", b"250 ", b"250\t", b"250 \0\xff", b"599 x"])
def test_short_and_dirty_replies_are_replies(line: bytes) -> None:
    [reply] = ReplyReader().feed(line + b"\r\n")
    assert reply.code == int(line[:3])


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n",
        b"25\r\n",
        b"250ok\r\n",
        b"250_ok\r\n",
        b"+50 x\r\n",
        b" 250 x\r\n",
        b"199 x\r\n",
        b"600 x\r\n",
        "٢٥٠ x\r\n".encode(),
        b"250-x\r\n251 x\r\n",
        b"250-x\r\nhello\r\n",
        b"250 " + b"x" * LONGEST_LINE + b"\r\n",
        b"x" * (LONGEST_LINE + 1),
        b"250-x\r\n" * 101,
        (b"250-" + b"x" * 4000 + b"\r\n") * 17,
    ],
)
def test_what_is_no_reply_is_refused(data: bytes) -> None:
    with pytest.raises(Nonsense):
        list(ReplyReader().feed(data))


def test_replies_before_the_nonsense_are_heard() -> None:
    heard, why = hear(b"250 one\r\n250 two\r\nwhat?\r\n250 three\r\n")
    assert [reply.raw for reply in heard] == [b"one", b"two"]
    assert why == "no reply: what?"


def test_memory_is_bounded_while_a_line_grows() -> None:
    reader = ReplyReader()
    for _ in range(LONGEST_LINE // 1000):
        assert list(reader.feed(b"2" * 1000)) == []
    with pytest.raises(Nonsense):
        list(reader.feed(b"2" * 1000))

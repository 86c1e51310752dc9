"""A prepared letter, opened once: whatever a reader brings, the wire need not look at a letter again."""

from __future__ import annotations

import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.links import Links
from digest.model import Issue, Newsletter, PublishError
from digest.publishers.message import Opened, Reader, Sender, build_issue, places, values_of
from digest.publishers.mime import wire_address
from digest.render import renderer
from letter_samples import LINKS, MIXED, SAMPLES, SITE, WORLD

SENDER = Sender(name="The Morning Post", address="news@example.org", reply_to="editor@example.org")
UNSUBSCRIBE = LINKS.token("unsubscribe", 7)
PREFERENCES = LINKS.token("preferences", 7)
READER = Reader(
    address="you@example.org",
    message_id=LINKS.message_id("issue 1 reader 7", SENDER.domain),
    unsubscribe_token=UNSUBSCRIBE,
    preferences_token=PREFERENCES,
)


def prepared(
    shown: Issue, newsletter: Newsletter = WORLD, *, links: Links = LINKS, sender: Sender = SENDER
) -> bytes:
    text = renderer(None).letter(shown, newsletter, SITE, links, reader=places(shown, links))
    return build_issue(shown, newsletter, SITE, sender, text, links)


VALUES = st.builds(
    Reader,
    address=st.one_of(
        st.emails(),
        st.from_regex(r"[.a-zäü]{1,20}@[a-zé.]{1,20}", fullmatch=True),
        st.text(max_size=30).map("{}@example.org".format),
    ),
    message_id=st.one_of(
        st.just(READER.message_id), st.text(max_size=30).map(lambda text: f"<{text}@example.org>")
    ),
    unsubscribe_token=st.one_of(st.just("U" * 40), st.text(max_size=80)),
    preferences_token=st.one_of(st.just("-_" * 20), st.text(max_size=80)),
)


@settings(deadline=None)  # the first one renders the sample
@given(reader=VALUES, sample=st.sampled_from(["mixed", *SAMPLES]))
def test_whatever_a_reader_brings_no_line_begins_with_a_dot_or_ends_otherwise_than_it_should(
    reader: Reader, sample: str
) -> None:
    whole = _opened(sample)
    try:
        raw = b"".join(whole.letter(values_of(reader)))
    except PublishError:
        return
    assert raw.count(b"\r\n") == raw.count(b"\n") == raw.count(b"\r")
    assert raw.endswith(b"\r\n")
    assert not raw.startswith(b".")
    assert b"\r\n." not in raw
    assert b"\0" not in raw
    assert raw.isascii() or not wire_address(reader.address).isascii()


@functools.cache
def _opened(sample: str) -> Opened:
    return Opened(prepared(*SAMPLES.get(sample, (MIXED,))))


@pytest.mark.parametrize("flaw", [b"\r\n.", b"\n", b"\r", "é".encode()])
def test_a_prepared_letter_that_cannot_go_out_as_it_stands_is_refused_once_for_all(flaw: bytes) -> None:
    whole = prepared(MIXED)
    spoilt = whole[: -len(flaw) - 2] + flaw + whole[-2:]
    with pytest.raises(PublishError, match="prepared letter") as raised:
        Opened(spoilt)
    assert raised.value.permanent


def test_a_place_at_the_beginning_of_a_line_is_none_for_an_address() -> None:
    whole = prepared(MIXED).replace(b"\r\nTo: ", b"\r\nT:\r\n", 1)
    with pytest.raises(PublishError, match="as it is"):
        Opened(whole)

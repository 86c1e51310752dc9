"""Addresses and tokens: only the holder of the secret makes them, and each is good for one thing."""

from __future__ import annotations

import pickle
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.links import CONFIRM_MAX_AGE, PURPOSES, Links
from digest.model import DigestError

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
LINKS = Links("https://news.example.org", b"a secret of more than sixteen bytes")


def test_every_address_of_the_design_hangs_under_the_base() -> None:
    assert LINKS.home() == "https://news.example.org/"
    assert LINKS.newsletter("world") == "https://news.example.org/world/"
    assert LINKS.issue("world/2026-11-22") == "https://news.example.org/world/2026-11-22/"
    assert LINKS.feed("world", "atom") == "https://news.example.org/world/feed.atom"
    assert LINKS.feed("world", "rss") == "https://news.example.org/world/feed.rss"
    assert LINKS.feed("world", "json") == "https://news.example.org/world/feed.json"
    assert LINKS.opml() == "https://news.example.org/feeds.opml"
    assert LINKS.subscribe("world") == "https://news.example.org/world/subscribe"
    assert LINKS.inbox() == "https://news.example.org/dev/inbox"
    assert LINKS.confirm("t") == "https://news.example.org/confirm/t"
    assert LINKS.unsubscribe("t") == "https://news.example.org/unsubscribe/t"
    assert LINKS.preferences("t") == "https://news.example.org/preferences/t"


def test_a_site_may_live_under_a_path() -> None:
    assert Links("https://example.org/news", b"s" * 32).home() == "https://example.org/news/"


@given(
    purpose=st.sampled_from(PURPOSES),
    subscription=st.integers(min_value=0, max_value=2**63 - 1),
    aged=st.booleans(),
)
def test_what_was_signed_can_be_read(purpose: str, subscription: int, aged: bool) -> None:
    token = LINKS.token(purpose, subscription, issued=NOW if aged else None)
    assert re.fullmatch(r"[A-Za-z0-9_-]{40}", token)
    assert LINKS.read(token, purpose, now=NOW) == subscription


def test_a_token_without_time_is_always_the_same() -> None:
    assert LINKS.token("unsubscribe", 7) == LINKS.token("unsubscribe", 7)


def test_a_token_is_worth_nothing_for_another_purpose() -> None:
    for purpose in PURPOSES:
        token = LINKS.token(purpose, 7)
        for other in PURPOSES:
            assert (LINKS.read(token, other, now=NOW) == 7) is (other == purpose)


def test_changing_any_character_spoils_a_token() -> None:
    token = LINKS.token("unsubscribe", 7, issued=NOW)
    for place in range(len(token)):
        for other in "Aq_9-":
            if token[place] != other:
                forged = token[:place] + other + token[place + 1 :]
                assert LINKS.read(forged, "unsubscribe", now=NOW) is None


def test_the_mac_covers_the_whole_payload_and_has_128_bits() -> None:
    one, two = LINKS.token("unsubscribe", 1), LINKS.token("unsubscribe", 2)
    assert LINKS.read(one[:18] + two[18:], "unsubscribe", now=NOW) is None
    assert LINKS.read(two[:19] + one[19:], "unsubscribe", now=NOW) is None
    assert len(one) * 6 - 14 * 8 == 128


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "A" * 39,
        "A" * 40,
        "A" * 41,
        "é" * 40,
        "A" * 39 + "=",
        "A" * 39 + "\n",
        "A" * 40 + "\n",
        "../" * 13,
    ],
)
def test_nonsense_is_no_token(text: str) -> None:
    assert LINKS.read(text, "confirm", now=NOW) is None


@given(st.text(max_size=60))
def test_no_text_makes_reading_fail(text: str) -> None:
    assert LINKS.read(text, "confirm", now=NOW) is None


def test_another_secret_reads_nothing() -> None:
    other = Links(LINKS.base, b"another secret, also long enough")
    assert other.read(LINKS.token("unsubscribe", 7), "unsubscribe", now=NOW) is None


def test_a_confirmation_dies_after_three_days() -> None:
    token = LINKS.token("confirm", 7, issued=NOW)
    just = NOW + CONFIRM_MAX_AGE
    assert LINKS.read(token, "confirm", now=just, max_age=CONFIRM_MAX_AGE) == 7
    later = just + timedelta(seconds=1)
    assert LINKS.read(token, "confirm", now=later, max_age=CONFIRM_MAX_AGE) is None


def test_a_token_without_time_is_too_old_for_any_age() -> None:
    assert LINKS.read(LINKS.token("confirm", 7), "confirm", now=NOW, max_age=timedelta(days=36500)) is None


def test_a_purpose_that_does_not_exist_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="no such purpose: 'admin'"):
        LINKS.token("admin", 7)  # type: ignore[arg-type]


@pytest.mark.parametrize("secret", [b"", b"short"])
def test_nothing_is_signed_with_an_empty_or_short_secret(secret: bytes) -> None:
    with pytest.raises(DigestError, match="shorter than 16 bytes"):
        Links("https://news.example.org", secret)


def test_the_secret_is_not_shown() -> None:
    assert "secret of more" not in repr(LINKS)


def test_links_travel_to_a_worker() -> None:
    assert pickle.loads(pickle.dumps(LINKS)) == LINKS  # noqa: S301  (our own bytes)


def test_a_message_id_is_the_same_at_every_retry_and_differs_between_letters() -> None:
    one = LINKS.message_id("issue 1 subscription 7", "news.example.org")
    assert one == LINKS.message_id("issue 1 subscription 7", "news.example.org")
    assert one != LINKS.message_id("issue 1 subscription 8", "news.example.org")
    assert re.fullmatch(r"<[0-9a-f]{32}@news\.example\.org>", one)
    assert one != Links(LINKS.base, b"another secret, also long enough").message_id(
        "issue 1 subscription 7", "news.example.org"
    )


def test_the_same_text_signed_for_two_uses_gives_two_results() -> None:
    assert LINKS._hmac("message-id", b"x") != LINKS._hmac("token confirm", b"x")


def test_ids_in_feeds_are_tag_uris() -> None:
    assert Links.tag("news.example.org", date(2026, 11, 22), "world/2026-11-22") == (
        "tag:news.example.org,2026-11-22:world/2026-11-22"
    )

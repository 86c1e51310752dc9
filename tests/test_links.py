"""Addresses and tokens: only the holder of the secret makes them, and each is good for one thing."""

from __future__ import annotations

import base64
import pickle
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.links import MAX_AGE, PURPOSES, Links, Token, _hmac
from digest.model import CONFIRM_MAX_AGE, DigestError

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
    assert LINKS.manage("t") == "https://news.example.org/preferences/manage/t"
    assert LINKS.address("t") == "https://news.example.org/preferences/address/t"
    assert LINKS.undo("t") == "https://news.example.org/unsubscribe/undo/t"
    assert LINKS.private_feed("world", "t", "rss") == "https://news.example.org/world/private/t/feed.rss"


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
    expected = None if purpose in MAX_AGE and not aged else subscription
    assert LINKS.read(token, purpose, now=NOW) == expected


def test_a_token_without_time_is_always_the_same() -> None:
    assert LINKS.token("unsubscribe", 7) == LINKS.token("unsubscribe", 7)


def test_a_token_is_worth_nothing_for_another_purpose() -> None:
    for purpose in PURPOSES:
        token = LINKS.token(purpose, 7, issued=NOW)
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


@pytest.mark.parametrize(("purpose", "age"), MAX_AGE.items())
def test_what_must_not_last_has_an_age_that_nobody_can_forget(purpose: str, age: timedelta) -> None:
    token = LINKS.token(purpose, 7, issued=NOW)  # type: ignore[arg-type]
    assert LINKS.read(token, purpose, now=NOW + age) == 7  # type: ignore[arg-type]
    assert LINKS.read(token, purpose, now=NOW + age + timedelta(seconds=1)) is None  # type: ignore[arg-type]
    assert LINKS.read(LINKS.token(purpose, 7), purpose, now=NOW) is None  # type: ignore[arg-type]


def test_links_to_download_and_to_erase_work_for_an_hour_and_to_leave_for_ever() -> None:
    assert MAX_AGE["manage"] == MAX_AGE["undo"] == timedelta(hours=1)
    assert MAX_AGE["confirm"] == timedelta(days=3)
    assert MAX_AGE["address"] <= timedelta(days=3)
    assert not MAX_AGE.keys() & {"unsubscribe", "preferences", "feed"}


def test_a_token_tells_when_it_was_issued_or_the_number_that_it_is_bound_to() -> None:
    confirm = LINKS.opened(LINKS.token("confirm", 7, issued=NOW), "confirm", now=NOW)
    assert confirm is not None
    assert (confirm.id, confirm.issued) == (7, NOW)
    feed = LINKS.token("feed", 7, number=2**40 - 1)
    assert LINKS.opened(feed, "feed", now=NOW) == Token(7, 2**40 - 1)


# ---------------------------------------------------------------- rotation

OLDEST, OLD, NEW = (name * 8 for name in (b"the oldest", b"the former", b"the newest"))


def test_after_a_rotation_old_links_work_and_new_ones_are_signed_with_the_new_secret() -> None:
    before, after = Links(LINKS.base, OLD), Links(LINKS.base, NEW, former=(OLD, OLDEST))
    for former in (OLD, OLDEST):
        token = Links(LINKS.base, former).token("unsubscribe", 7)
        assert after.read(token, "unsubscribe", now=NOW) == 7
    fresh = after.token("unsubscribe", 7)
    assert fresh == Links(LINKS.base, NEW).token("unsubscribe", 7)
    assert before.read(fresh, "unsubscribe", now=NOW) is None
    assert Links(LINKS.base, NEW).read(before.token("unsubscribe", 7), "unsubscribe", now=NOW) is None


def test_two_secrets_with_the_same_key_id_are_both_tried() -> None:
    known: dict[str, bytes] = {}
    for number in range(2000):
        secret = b"a secret with the number %04d" % number
        key_id = Links(LINKS.base, secret).token("feed", 1)[:2]  # eight bits, and four of the id
        if key_id in known:
            break
        known[key_id] = secret
    both = Links(LINKS.base, secret, former=(known[key_id],))
    for each in (secret, known[key_id]):
        assert both.read(Links(LINKS.base, each).token("unsubscribe", 7), "unsubscribe", now=NOW) == 7


def test_a_letter_keeps_its_message_id_over_a_rotation() -> None:
    before, after = Links(LINKS.base, OLD), Links(LINKS.base, NEW, former=(OLD,))
    assert before.message_id("issue 1", "example.org") == after.message_id("issue 1", "example.org")


@pytest.mark.parametrize("purpose", PURPOSES)
def test_no_forged_token_is_believed(purpose: str) -> None:
    """Each costs a few hashes and no question to anybody; a hundred thousand are tried in the soak."""
    true = LINKS.token(purpose, 7, issued=NOW)  # type: ignore[arg-type]
    for number in range(1, 300):
        body = number.to_bytes(4, "big") * 8
        forged = base64.urlsafe_b64encode(body[:30]).decode()
        assert LINKS.read(forged, purpose, now=NOW) is None  # type: ignore[arg-type]
        assert LINKS.read(true[:19] + forged[19:], purpose, now=NOW) is None  # type: ignore[arg-type]


def test_a_token_without_time_is_too_old_for_any_age() -> None:
    assert LINKS.read(LINKS.token("confirm", 7), "confirm", now=NOW, max_age=timedelta(days=36500)) is None


def test_a_purpose_that_does_not_exist_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="no such purpose: 'admin'"):
        LINKS.token("admin", 7)  # type: ignore[arg-type]


def test_a_short_former_secret_is_refused_too() -> None:
    with pytest.raises(DigestError, match="shorter than 16 bytes"):
        Links(LINKS.base, LINKS.secret, former=(b"short",))


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
    assert _hmac(LINKS.secret, "message-id", b"x") != _hmac(LINKS.secret, "token confirm", b"x")


def test_ids_in_feeds_are_tag_uris() -> None:
    assert Links.tag("news.example.org", date(2026, 11, 22), "world/2026-11-22") == (
        "tag:news.example.org,2026-11-22:world/2026-11-22"
    )

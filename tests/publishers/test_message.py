"""The letter as bytes, read both raw and by the standard library."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.links import Links
from digest.model import Issue, Newsletter, Notice, PublishError
from digest.publishers.message import Reader, Sender, build_issue, build_notice, places, splice
from digest.render import LetterText, NoticeText, renderer
from digest.typeset import clamp, one_line
from letter_samples import ARABIC, HOSTILE, LINKS, MIXED, SAMPLES, SITE, WORLD, issue, story

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


def read(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def bodies(message: EmailMessage) -> tuple[str, str]:
    plain, html = message.iter_parts()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert plain["Content-Transfer-Encoding"] == html["Content-Transfer-Encoding"] == "quoted-printable"
    assert plain.get_content_charset() == html.get_content_charset() == "utf-8"
    return plain.get_content().replace("\r\n", "\n"), html.get_content().replace("\r\n", "\n")


def head(raw: bytes) -> bytes:
    return raw[: raw.index(b"\r\n\r\n") + 2]


# ---------------------------------------------------------------- the checklist, on raw bytes


def test_every_header_of_a_letter_stands_once_and_as_the_checklist_says() -> None:
    raw = splice(prepared(MIXED), READER)
    unfolded = head(raw).replace(b"\r\n ", b" ").decode("ascii").splitlines()
    boundary = re.search(r'boundary="(=_[0-9a-f]{24})"', unfolded[-1])
    reference = next(line for line in unfolded if line.startswith("References: "))
    feedback = next(line for line in unfolded if line.startswith("Feedback-ID: "))
    assert boundary is not None
    assert re.fullmatch(r"Feedback-ID: 2026-11-22:world:issue:d[0-9a-f]{10}", feedback)
    assert re.fullmatch(r"References: <[0-9a-f]{32}@example\.org>", reference)
    assert unfolded == [
        "From: The Morning Post <news@example.org>",
        "Reply-To: editor@example.org",
        "To: you@example.org",
        "Subject: Little Gwen returns: stolen church bell is left at the vestry door",
        "Date: Sun, 22 Nov 2026 06:10:00 +0000",
        f"Message-ID: {READER.message_id}",
        reference,
        "List-Id: World in brief <world.news.example.org>",
        f"List-Unsubscribe: <https://news.example.org/unsubscribe/{UNSUBSCRIBE}>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "List-Archive: <https://news.example.org/world/>",
        "List-Help: <https://news.example.org/world/>",
        "Archived-At: <https://news.example.org/world/2026-11-22/>",
        feedback,
        "Auto-Submitted: auto-generated",
        "Precedence: bulk",
        "X-Auto-Response-Suppress: OOF, AutoReply",
        "Content-Language: en",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary[1]}"',
    ]


@pytest.mark.parametrize("sample", [*SAMPLES, "hostile"])
def test_a_letter_is_ascii_with_crlf_and_short_lines(sample: str) -> None:
    raw = splice(prepared(*SAMPLES.get(sample, (HOSTILE, WORLD))), READER)
    assert raw.isascii()
    assert b"\0" not in raw
    assert not re.search(rb"[^\r]\n|\r[^\n]", raw)
    assert raw.endswith(b"--\r\n")
    whole = (
        b"List-Unsubscribe: <https://",
        b"Message-ID: ",
        b"References: ",
    )  # a link or an id is never folded
    for line in head(raw).splitlines():
        assert len(line) <= 78 or line.startswith(whole), line
    for line in raw[len(head(raw)) :].splitlines():
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
    assert b"base64" not in raw


def test_one_click_survives_a_very_long_address() -> None:
    links = Links("https://news.example.org/" + "a-long-path/" * 30, b"a secret of the tests, long enough")
    raw = splice(prepared(MIXED, links=links), READER)
    (line,) = [each for each in raw.split(b"\r\n") if each.startswith(b"List-Unsubscribe: ")]
    assert line == f"List-Unsubscribe: <{links.unsubscribe(UNSUBSCRIBE)}>".encode()
    assert all(len(each) <= 998 for each in raw.split(b"\r\n"))
    plain, html = bodies(read(raw))
    assert links.unsubscribe(UNSUBSCRIBE) in plain
    assert links.preferences(PREFERENCES) in html


def test_the_text_stands_before_the_html_and_both_hold_the_readers_links() -> None:
    plain, html = bodies(read(splice(prepared(MIXED), READER)))
    rendered = renderer(None).letter(MIXED, WORLD, SITE, LINKS, reader=places(MIXED, LINKS))
    own = places(MIXED, LINKS)
    for shown, was in ((plain, rendered.text), (html, rendered.html)):
        assert shown.count(LINKS.unsubscribe(UNSUBSCRIBE)) == 1
        assert shown.count(LINKS.preferences(PREFERENCES)) == 1
        expected = was.replace(own.unsubscribe, LINKS.unsubscribe(UNSUBSCRIBE))
        assert shown.removesuffix("\n") == expected.replace(
            own.preferences, LINKS.preferences(PREFERENCES)
        ).removesuffix("\n")


@pytest.mark.parametrize("sample", ["long", "arabic"])
def test_twelve_stories_stay_under_92_000_encoded_bytes(sample: str) -> None:
    raw = splice(prepared(*SAMPLES[sample]), READER)
    html = raw[raw.index(b"Content-Type: text/html") :]
    assert len(html) < 92_000


# ---------------------------------------------------------------- one issue, many readers


def test_the_same_issue_and_reader_give_the_same_bytes_again() -> None:
    assert prepared(MIXED) == prepared(replace(MIXED))
    assert splice(prepared(MIXED), READER) == splice(prepared(MIXED), READER)


def test_letters_differ_only_in_what_is_the_readers_own() -> None:
    other = Reader(
        address="someone.else@example.net",
        message_id="<another@example.org>",
        unsubscribe_token="U" * 40,
        preferences_token="P" * 40,
    )
    whole = prepared(MIXED)
    second = splice(whole, other)
    for own, theirs in (
        (READER.address, other.address),
        (READER.message_id, other.message_id),
        (READER.unsubscribe_token, other.unsubscribe_token),
        (READER.preferences_token, other.preferences_token),
    ):
        assert theirs.encode() in second
        second = second.replace(theirs.encode(), own.encode())
    assert second == splice(whole, READER)


def test_two_issues_never_share_a_thread_or_a_boundary() -> None:
    one = read(splice(prepared(MIXED), READER))
    two = read(splice(prepared(replace(MIXED, path="world/2026-11-22-2")), READER))
    assert one["References"] != two["References"]
    assert one.get_boundary() != two.get_boundary()
    assert one["In-Reply-To"] is None


def test_no_story_can_stand_where_a_place_is() -> None:
    """A feed that repeats the links of an earlier letter gets them back as they are."""
    earlier = places(MIXED, LINKS)
    shown = issue(
        WORLD, story(1, f"{earlier.unsubscribe} \0a \0m {UNSUBSCRIBE}", "Words.", url=earlier.preferences)
    )
    plain, html = bodies(read(splice(prepared(shown), READER._replace(unsubscribe_token="U" * 40))))
    assert f"{earlier.unsubscribe} a m {UNSUBSCRIBE}" in " ".join(plain.split())
    assert f'href="{earlier.preferences}"' in html
    assert plain.count("U" * 40) == html.count("U" * 40) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", "a@example.org\r\nBcc: b@example.org"),
        ("address", "a@example.org, b@example.org"),
        ("address", ""),
        ("message_id", "<a@example.org>\r\nBcc: b@example.org"),
        ("message_id", "a@example.org"),
        ("message_id", "<ä@example.org>"),
        ("unsubscribe_token", "x\r\nBcc: b@example.org"),
        ("unsubscribe_token", "x" * 73),
        ("unsubscribe_token", "="),
        ("preferences_token", '"><script>'),
        ("preferences_token", ""),
    ],
)
def test_a_value_that_could_break_out_of_its_place_is_refused(field: str, value: str) -> None:
    with pytest.raises(PublishError) as caught:
        splice(prepared(MIXED), READER._replace(**{field: value}))
    assert caught.value.permanent


def test_a_prepared_letter_of_another_release_is_refused() -> None:
    with pytest.raises(PublishError, match="another release"):
        splice(b"digest letter 0\n", READER)


def test_only_a_mailbox_outside_ascii_brings_utf_8_into_the_letter() -> None:
    whole = prepared(MIXED)
    punycoded = splice(whole, READER._replace(address="you@bücher.example"))
    assert punycoded.isascii()
    assert b"\r\nTo: you@xn--bcher-kva.example\r\n" in punycoded
    international = splice(whole, READER._replace(address="用户@bücher.example"))
    assert "\r\nTo: 用户@xn--bcher-kva.example\r\n".encode() in international
    assert international.replace("用户".encode(), b"").isascii()


# ---------------------------------------------------------------- names and titles


def test_hostile_words_make_no_header_and_no_part() -> None:
    raw = splice(prepared(HOSTILE, replace(WORLD, title="World\r\nBcc: victim@example.org")), READER)
    message = read(raw)
    assert b"\nBcc" not in head(raw)
    assert message["Bcc"] is None
    assert message["List-Id"] == '"World Bcc: victim@example.org" <world.news.example.org>'
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert message["Subject"].startswith("<script>alert(1)</script> {{ 7 * 7 }} {% raw %}")


def test_an_arabic_newsletter_has_encoded_names_and_its_language() -> None:
    message = read(splice(prepared(*SAMPLES["arabic"]), READER))
    assert message["Subject"] == clamp(ARABIC.subject, 70)
    assert message["List-Id"] == "العالم في سطور <alam.news.example.org>"
    assert message["Content-Language"] == "ar"


@given(
    title=st.text(max_size=200),
    name=st.text(max_size=80),
    feed=st.text(max_size=40),
    author=st.text(max_size=40),
    summary=st.text(max_size=400),
)
@settings(max_examples=60, deadline=None)
def test_whatever_feeds_and_admins_say_the_letter_reads_back(
    title: str, name: str, feed: str, author: str, summary: str
) -> None:
    newsletter = replace(WORLD, title=name)
    shown = issue(newsletter, story(1, title, summary, feed=feed, authors=(author,)))
    text = renderer(None).letter(shown, newsletter, SITE, LINKS, reader=places(shown, LINKS))
    sender = replace(SENDER, name=name)
    raw = splice(build_issue(shown, newsletter, SITE, sender, text, LINKS), READER)
    message = read(raw)
    (address,) = message["From"].addresses
    assert address.addr_spec == SENDER.address
    assert "".join(address.display_name.split()) == "".join((one_line(name) or SITE.title).split())
    assert message["To"].addresses[0].addr_spec == READER.address
    assert message["Subject"] == (clamp(title, 70) or clamp(shown.title, 70))
    assert message["List-Id"].endswith("<world.news.example.org>")
    assert message["List-Unsubscribe"] == f"<{LINKS.unsubscribe(UNSUBSCRIBE)}>"
    own = places(shown, LINKS)
    for read_back, was in zip(bodies(message), (text.text, text.html), strict=True):
        was = was.replace(own.unsubscribe, LINKS.unsubscribe(UNSUBSCRIBE))
        was = was.replace(own.preferences, LINKS.preferences(PREFERENCES))
        assert read_back.removesuffix("\n") == was.removesuffix("\n")


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    st.text("a .=\r\n\tFrom-_é日", max_size=300),
)
@settings(max_examples=100, deadline=None)
def test_whatever_a_template_writes_the_parts_read_back(text: str, html: str) -> None:
    own = places(MIXED, LINKS)
    written = LetterText(
        text=f"{text}{own.unsubscribe}{text}", html=f"{own.preferences}{html}{own.unsubscribe}"
    )
    raw = splice(build_issue(MIXED, WORLD, SITE, SENDER, written, LINKS), READER)
    assert all(len(line) <= 76 for line in raw[len(head(raw)) :].split(b"\r\n"))
    leave, prefer = LINKS.unsubscribe(UNSUBSCRIBE), LINKS.preferences(PREFERENCES)
    plain, marked = bodies(read(raw))
    assert plain == re.sub(r"\r\n?", "\n", f"{text}{leave}") + re.sub(r"\r\n?", "\n", text)
    assert marked == prefer + re.sub(r"\r\n?", "\n", html) + leave


# ---------------------------------------------------------------- who sends


def test_the_list_id_keeps_the_authority_of_the_first_issue_if_that_is_a_name() -> None:
    for authority, domain in (
        ("old.example.net", "old.example.net"),
        ("127.0.0.1", "example.org"),
        ("localhost", "example.org"),
        ("[::1]", "example.org"),
    ):
        shown = replace(MIXED, tag=f"tag:{authority},2026-01-01:world/2026-11-22")
        assert f"List-Id: World in brief <world.{domain}>\r\n".encode() in splice(prepared(shown), READER)


def test_feedback_id_is_constant_for_a_sender_and_differs_between_senders() -> None:
    def feedback(shown: Issue, address: str) -> str:
        raw = splice(prepared(shown, sender=replace(SENDER, address=address)), READER)
        return str(read(raw)["Feedback-ID"]).rpartition(":")[2]

    other_day = replace(MIXED, date=MIXED.date.replace(day=23), path="world/2026-11-23")
    assert feedback(MIXED, "news@example.org") == feedback(other_day, "letters@example.org")
    assert feedback(MIXED, "news@example.org") != feedback(MIXED, "news@example.net")


def test_a_sender_without_a_name_is_the_site() -> None:
    raw = splice(prepared(MIXED, sender=Sender(name="", address="news@bücher.example")), READER)
    assert raw.startswith(b"From: The Morning Post <news@xn--bcher-kva.example>\r\nTo: ")


@pytest.mark.parametrize(
    "sender",
    [
        Sender(name="x", address="nobody"),
        Sender(name="x", address="a@example.org\r\nBcc: b@example.org"),
        Sender(name="x", address="ünï@example.org"),
        Sender(name="x", address="a@example.org", reply_to="b@example.org\nBcc: c@example.org"),
    ],
)
def test_a_sender_that_cannot_be_written_is_refused(sender: Sender) -> None:
    with pytest.raises(PublishError, match="letters cannot come from"):
        prepared(MIXED, sender=sender)


def test_a_language_that_is_no_tag_makes_no_header() -> None:
    raw = splice(prepared(replace(MIXED, language="en\r\nBcc: x@example.org")), READER)
    assert read(raw)["Content-Language"] is None
    assert b"Bcc" not in head(raw)


# ---------------------------------------------------------------- notices


def notice(recipient: str = "you@example.org") -> Notice:
    return Notice(
        id=1,
        kind="confirm",
        key="confirm 7",
        recipient=recipient,
        newsletter="world",
        data={},
        created_at=datetime(2026, 11, 22, 9, 0, tzinfo=UTC),
    )


def confirmation() -> NoticeText:
    url = LINKS.confirm(LINKS.token("confirm", 7, issued=datetime(2026, 11, 22, tzinfo=UTC)))
    return renderer(None).notice("confirm", "de", site=SITE, newsletter="Die Welt in Kürze", url=url)


def test_a_notice_has_the_headers_of_a_letter_but_those_of_a_list() -> None:
    text = confirmation()
    raw = build_notice(notice(), SITE, SENDER, text, language="de", message_id="<n7@example.org>")
    unfolded = head(raw).replace(b"\r\n ", b" ").decode("ascii").splitlines()
    assert unfolded[:-1] == [
        "From: The Morning Post <news@example.org>",
        "Reply-To: editor@example.org",
        "To: you@example.org",
        "Subject: =?utf-8?q?Bitte_best=C3=A4tigen=3A_Die_Welt_in_K=C3=BCrze?=",
        "Date: Sun, 22 Nov 2026 09:00:00 +0000",
        "Message-ID: <n7@example.org>",
        "Auto-Submitted: auto-generated",
        "Precedence: bulk",
        "X-Auto-Response-Suppress: OOF, AutoReply",
        "Content-Language: de",
        "MIME-Version: 1.0",
    ]
    message = read(raw)
    assert message["Subject"] == text.subject
    plain, html = bodies(message)
    assert (plain.removesuffix("\n"), html.removesuffix("\n")) == (
        text.text.removesuffix("\n"),
        text.html.removesuffix("\n"),
    )
    assert raw == build_notice(notice(), SITE, SENDER, text, language="de", message_id="<n7@example.org>")


def test_a_notice_to_nobody_is_refused() -> None:
    with pytest.raises(PublishError):
        build_notice(
            notice("a@example.org\r\nBcc: b@example.org"),
            SITE,
            SENDER,
            confirmation(),
            language="de",
            message_id="<n7@example.org>",
        )

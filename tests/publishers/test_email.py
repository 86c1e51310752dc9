"""Letters from the store to a mail server or the local inbox: each reader's own, and always the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from a_ledger import Ledger

from a_house import Clock
from digest.model import Delivery, Issue, NotReady, PublishError
from digest.publishers.base import Lent, Streams
from digest.publishers.email import Publisher, Settings
from digest.publishers.relay import Relay
from digest.store import Store
from letter_samples import ARABIC, LINKS, MIXED, MOMENT, ONE, SITE, WORLD
from publishing import BEGAN, bear, due, settle
from smtp_sink import Fault, SmtpSink, certificate

Lend = Callable[..., Lent]

FROM = "The Morning Post <news@example.org>"
INBOX = Settings(from_=FROM)
READERS = ("ann@example.org", "ben@example.com", "jörg@example.net")


def by_smtp(*sinks: SmtpSink, **changes: Any) -> Settings:
    fields: dict[str, Any] = {"security": "none", "connections": 2, "timeout": timedelta(seconds=5)}
    relays = (Relay(host="127.0.0.1", port=sink.port, **fields | changes) for sink in sinks)
    return Settings(from_=FROM, transport="smtp", smtp=tuple(relays))


def read(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def token_in(text: str, page: str) -> str:
    found = re.search(rf"https://news\.example\.org/{page}/([A-Za-z0-9_-]+)", text)
    assert found, f"no link to {page} in {text}"
    return found[1]


async def deliver(publisher: Publisher, store: Store) -> list[Delivery]:
    """Publish everything that is due, as one worker would."""
    await publisher.connect()
    deliveries = await due(store, "email")
    for delivery in deliveries:
        await publisher.publish(delivery)
    return deliveries


async def one_due(store: Store, publisher: Publisher, issue: Issue = ONE) -> Delivery:
    """One reader's delivery of this issue."""
    await settle(store, readers=["ann@example.org"])
    await bear(store, issue, publisher)
    [delivery] = await due(store, "email")
    return delivery


# ---------------------------------------------------------------- an issue


@pytest.mark.asyncio
async def test_every_reader_gets_a_letter_of_their_own(store: Store, lend: Lend) -> None:
    await settle(store, readers=READERS)
    publisher = Publisher(INBOX, lend())
    await bear(store, MIXED, publisher)
    deliveries = await deliver(publisher, store)
    letters = {letter.recipient: letter for letter in await store.inbox.list()}
    assert sorted(letters) == sorted(READERS)
    assert len({letter.message_id for letter in letters.values()}) == 3
    for delivery in deliveries:
        letter = letters[delivery.recipient]
        message = read(letter.body)
        assert letter.subject == MIXED.subject == message["Subject"]
        assert message["From"] == FROM
        assert message["Message-ID"] == letter.message_id
        assert letter.message_id.endswith("@example.org>")
        leave = token_in(message["List-Unsubscribe"], "unsubscribe")
        assert LINKS.read(leave, "unsubscribe", now=MOMENT) == delivery.subscription_id
        for kind in ("plain", "html"):
            assert token_in(body(message, kind), "unsubscribe") == leave
            change = token_in(body(message, kind), "preferences")
            assert LINKS.read(change, "preferences", now=MOMENT) == delivery.subscription_id
            assert MIXED.stories[1].title in " ".join(body(message, kind).split())
    assert read(letters["ann@example.org"].body)["To"] == "ann@example.org"


@pytest.mark.asyncio
async def test_a_notice_speaks_the_readers_language_before_the_newsletters(store: Store, lend: Lend) -> None:
    await settle(store, readers=["ann@example.org"])
    [reader] = await store.subscriptions.of("ann@example.org")
    publisher = Publisher(INBOX, lend())
    for language in ("", "es"):
        await store.subscriptions.speak(reader.id, language)
        await store.subscriptions.request_manage(reader.id, MOMENT + timedelta(minutes=len(language)))
    for delivery in await due(store, "email", MOMENT + timedelta(hours=1)):
        await publisher.publish(delivery)
    spanish = [read(one.body) for one in await store.inbox.list()]
    assert {message["Subject"] for message in spanish} == {"Sus datos en The Morning Post"}
    assert all(message["Content-Language"] == "es" for message in spanish)


@pytest.mark.asyncio
async def test_a_kept_letter_goes_with_the_reader_it_was_sent_for_wherever_it_went(
    store: Store, lend: Lend
) -> None:
    await settle(store, readers=["ann@example.org", "ben@example.org"])
    [ann] = await store.subscriptions.of("ann@example.org")
    await store.subscriptions.request_address(ann.id, "new@example.org", evidence={}, now=MOMENT)
    publisher = Publisher(INBOX, lend())
    await bear(store, ONE, publisher)
    await deliver(publisher, store)
    assert len(await store.inbox.list()) == 3
    await store.subscriptions.erase("ann@example.org", MOMENT)
    assert [letter.recipient for letter in await store.inbox.list()] == ["ben@example.org"]


@pytest.mark.asyncio
async def test_the_same_letter_again_is_the_same_bytes_and_is_kept_once(store: Store, lend: Lend) -> None:
    publisher = Publisher(INBOX, lend())
    delivery = await one_due(store, publisher)
    first = await publisher.publish(delivery)
    [before] = await store.inbox.list()
    again = Publisher(INBOX, lend(clock=Clock(MOMENT + timedelta(days=3))))
    assert await again.publish(replace(delivery, attempts=5)) == first
    assert await store.inbox.list() == [before]


@pytest.mark.asyncio
async def test_a_retry_by_another_process_sends_the_same_bytes_with_the_same_message_id(
    store: Store, lend: Lend
) -> None:
    faults = [Fault("dot", drop="before", accept=True)]
    async with SmtpSink(faults=faults) as sink:
        publisher = Publisher(by_smtp(sink), lend())
        delivery = await one_due(store, publisher)
        with pytest.raises(PublishError) as raised:
            await publisher.publish(delivery)
        assert raised.value.unknown
        await publisher.close()
        another = Publisher(by_smtp(sink), lend(clock=Clock(MOMENT + timedelta(hours=1))))
        await another.publish(delivery)
        await another.close()
    first, second = sink.accepted
    assert first.data == second.data
    assert read(first.data)["Message-ID"] == read(second.data)["Message-ID"]


@pytest.mark.asyncio
async def test_letters_go_to_the_mail_server_with_the_right_envelopes(store: Store, lend: Lend) -> None:
    await settle(store, readers=READERS)
    async with SmtpSink() as sink:
        publisher = Publisher(by_smtp(sink), lend())
        assert publisher.concurrency == 2
        await bear(store, MIXED, publisher)
        await deliver(publisher, store)
        await publisher.close()
    assert sorted(letter.recipient for letter in sink.accepted) == sorted(READERS)
    assert {letter.sender for letter in sink.accepted} == {"news@example.org"}
    assert {letter.ehlo for letter in sink.accepted} == {"example.org"}
    for letter in sink.accepted:
        assert f"\r\nTo: {letter.recipient}\r\n".encode() in letter.data
        beyond_ascii = " SMTPUTF8 BODY=8BITMIME" if letter.recipient == "jörg@example.net" else ""
        assert letter.options == f"SIZE={len(letter.data)}{beyond_ascii}"
    assert sink.complaints == []
    assert await store.inbox.list() == []


@pytest.mark.asyncio
async def test_letters_go_out_over_tls_after_logging_in(store: Store, lend: Lend, tmp_path: Path) -> None:
    tls, trusted = certificate(tmp_path)
    async with SmtpSink(security="starttls", tls=tls, users={"news": "secret"}) as sink:
        settings = by_smtp(sink, security="starttls", ca=trusted, username="news", password="secret")
        publisher = Publisher(settings, lend())
        await publisher.publish(await one_due(store, publisher, ARABIC_IN_WORLD))
        await publisher.close()
    [letter] = sink.accepted
    assert letter.encrypted
    assert letter.user == "news"
    assert ARABIC.stories[0].title in " ".join(body(read(letter.data), "html").split())


ARABIC_IN_WORLD = replace(ARABIC, newsletter="world", path="world/2026-11-22")


@pytest.mark.asyncio
async def test_a_correction_does_not_change_what_is_still_to_be_mailed(store: Store, lend: Lend) -> None:
    await settle(store, readers=["ann@example.org", "ben@example.org"])
    publisher = Publisher(INBOX, lend())
    born = await bear(store, ONE, publisher)
    first, second = await due(store, "email")
    await publisher.publish(first)
    corrected = replace(born, stories=(replace(born.stories[0], title="Corrected"),), revision=2)
    await store.issues.revise(corrected, now=MOMENT)
    await Publisher(INBOX, lend()).publish(second)
    texts = [body(read(letter.body), "plain") for letter in await store.inbox.list()]
    assert all(ONE.stories[0].title in text and "Corrected" not in text for text in texts)


@pytest.mark.asyncio
async def test_only_a_few_prepared_issues_are_kept_at_hand(store: Store, lend: Lend) -> None:
    await settle(store, readers=["ann@example.org"])
    publisher = Publisher(INBOX, lend())
    for number in range(1, 8):
        path = f"world/2026-11-0{number}"
        told = replace(ONE, path=path, tag=f"tag:news.example.org,2026-11-01:{path}", subject=f"No {number}")
        await bear(store, replace(told, date=told.date.replace(day=number)), publisher)
    deliveries = await due(store, "email")
    for delivery in [*deliveries, *deliveries]:
        await publisher.publish(delivery)
    letters = await store.inbox.list()
    assert sorted(letter.subject for letter in letters) == [f"No {number}" for number in range(1, 8)]
    assert len({letter.message_id for letter in letters}) == 7


# ---------------------------------------------------------------- what cannot be sent


@pytest.mark.asyncio
async def test_an_erased_reader_gets_nothing(store: Store, lend: Lend) -> None:
    async with SmtpSink() as sink:
        publisher = Publisher(by_smtp(sink), lend())
        delivery = await one_due(store, publisher)
        await store.subscriptions.erase("ann@example.org", MOMENT)
        erased = await store.deliveries.get(delivery.id)
        assert erased.recipient == "erased"
        with pytest.raises(PublishError, match="erased") as raised:
            await publisher.publish(erased)
        assert raised.value.permanent
        assert not raised.value.suppress
        await publisher.close()
        assert sink.accepted == []


@pytest.mark.asyncio
async def test_a_delivery_of_an_issue_that_is_gone_fails_for_good(store: Store, lend: Lend) -> None:
    publisher = Publisher(INBOX, lend())
    delivery = await one_due(store, publisher)
    with pytest.raises(PublishError, match="no issue 999") as raised:
        await publisher.publish(replace(delivery, issue_id=999))
    assert raised.value.permanent


@pytest.mark.asyncio
async def test_a_store_out_of_reach_is_not_the_readers_fault(store: Store, lend: Lend) -> None:
    class Locked:
        """A store whose inbox is locked."""

        def __init__(self) -> None:
            self.issues, self.subscriptions, self.inbox = store.issues, store.subscriptions, self

        async def keep(self, **_letter: object) -> None:
            raise NotReady("database is locked")

    publisher = Publisher(INBOX, lend())
    delivery = await one_due(store, publisher)
    with pytest.raises(PublishError, match="locked") as raised:
        await Publisher(INBOX, lend(store=Locked())).publish(delivery)
    assert not raised.value.counts
    assert not raised.value.permanent


@pytest.mark.asyncio
async def test_while_no_relay_takes_letters_nothing_should_be_claimed(store: Store, lend: Lend) -> None:
    async with SmtpSink(faults=[Fault("connect", reply="421 4.3.2 closed for the night")]) as sink:
        publisher = Publisher(by_smtp(sink), lend())
        with pytest.raises(PublishError, match="closed for the night") as raised:
            await publisher.connect()
        assert not raised.value.permanent
        assert not raised.value.counts
        await publisher.connect()
        await publisher.publish(await one_due(store, publisher))
        await publisher.close()
        assert len(sink.accepted) == 1


@pytest.mark.asyncio
async def test_a_dead_address_is_named_as_such(store: Store, lend: Lend) -> None:
    async with SmtpSink(faults=[Fault("rcpt", reply="550 5.1.1 no such user")]) as sink:
        publisher = Publisher(by_smtp(sink), lend())
        with pytest.raises(PublishError) as raised:
            await publisher.publish(await one_due(store, publisher))
        assert raised.value.suppress
        await publisher.close()


# ---------------------------------------------------------------- notices


@pytest.mark.asyncio
async def test_a_confirmation_carries_a_link_for_that_subscription(store: Store, lend: Lend) -> None:
    await settle(store)
    requested = await store.subscriptions.request("world", "ann@example.org", evidence={}, now=MOMENT)
    assert requested.subscription is not None
    publisher = Publisher(INBOX, lend())
    [delivery] = await deliver(publisher, store)
    await Publisher(INBOX, lend()).publish(delivery)
    [letter] = await store.inbox.list()
    message = read(letter.body)
    assert letter.subject == message["Subject"]
    assert "World in brief" in letter.subject
    assert (message["To"], message["From"]) == ("ann@example.org", FROM)
    assert message["List-Unsubscribe"] is None
    for kind in ("plain", "html"):
        token = token_in(body(message, kind), "confirm")
        soon, late = MOMENT + timedelta(days=2), MOMENT + timedelta(days=4)
        days = timedelta(days=3)
        assert LINKS.read(token, "confirm", now=soon, max_age=days) == requested.subscription.id
        assert LINKS.read(token, "confirm", now=late, max_age=days) is None


@pytest.mark.asyncio
async def test_notices_speak_the_language_of_their_newsletter(store: Store, lend: Lend) -> None:
    await settle(store)
    await store.subscriptions.request("alam", "ann@example.org", evidence={}, now=MOMENT)
    await deliver(Publisher(INBOX, lend()), store)
    [letter] = await store.inbox.list()
    assert read(letter.body)["Content-Language"] == "ar"
    assert 'dir="rtl"' in body(read(letter.body), "html")


@pytest.mark.asyncio
async def test_a_goodbye_shows_the_way_back(store: Store, lend: Lend) -> None:
    await settle(store)
    await store.notices.create(
        kind="goodbye", key="bye:1", recipient="ann@example.org", newsletter="world", data={}, now=MOMENT
    )
    await deliver(Publisher(INBOX, lend()), store)
    [letter] = await store.inbox.list()
    assert "https://news.example.org/world/" in body(read(letter.body), "plain")


@pytest.mark.asyncio
async def test_a_report_says_what_it_was_given(store: Store, lend: Lend) -> None:
    await settle(store)
    data = {"title": "3 letters failed", "lines": ["ann@… 550", "ben@… 550"], "url": "https://x.example.org/"}
    await store.notices.create(
        kind="report", key="r:1", recipient="admin@example.org", newsletter="", data=data, now=MOMENT
    )
    await deliver(Publisher(INBOX, lend()), store)
    [letter] = await store.inbox.list()
    assert letter.subject == "The Morning Post: 3 letters failed"
    text = body(read(letter.body), "plain")
    assert "ann@… 550" in text
    assert "https://x.example.org/" in text


@pytest.mark.parametrize("by_mail", [True, False])
@pytest.mark.asyncio
async def test_a_test_letter_is_the_issue_with_links_that_do_nothing(
    store: Store, lend: Lend, by_mail: bool
) -> None:
    await settle(store, readers=["ann@example.org"])
    publisher = Publisher(INBOX, lend())
    issue = await bear(store, MIXED, *([publisher] if by_mail else []))
    for number in (1, 2):
        await store.notices.create(
            kind="test",
            key=f"test:{number}",
            recipient="editor@example.org",
            newsletter="world",
            data={"issue_id": issue.id},
            now=MOMENT,
        )
    await deliver(publisher, store)
    letters = [letter for letter in await store.inbox.list() if letter.recipient == "editor@example.org"]
    assert len({letter.message_id for letter in letters}) == 2
    for letter in letters:
        message = read(letter.body)
        assert letter.subject == MIXED.subject
        assert MIXED.stories[0].title in " ".join(body(message, "plain").split())
        token = token_in(message["List-Unsubscribe"], "unsubscribe")
        nobody = LINKS.read(token, "unsubscribe", now=MOMENT)
        assert nobody == 0
        assert await store.subscriptions.leave(nobody, evidence={}, now=MOMENT) is None
    assert [s.status for s in await store.subscriptions.of("ann@example.org")] == ["active"]


@pytest.mark.asyncio
async def test_a_notice_of_an_unknown_kind_says_so(store: Store, lend: Lend) -> None:
    await settle(store)
    await store.notices.create(
        kind="poem", key="p:1", recipient="ann@example.org", newsletter="world", data={}, now=MOMENT
    )
    [delivery] = await due(store, "email")
    with pytest.raises(PublishError, match="poem"):
        await Publisher(INBOX, lend()).publish(delivery)


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("given", "name", "address"),
    [
        ("news@example.org", "", "news@example.org"),
        (" <news@EXAMPLE.org> ", "", "news@example.org"),
        ("The Morning Post <news@example.org>", "The Morning Post", "news@example.org"),
        ('"Post, The" <news@example.org>', "Post, The", "news@example.org"),
        ("Post, The <news@example.org>", "Post, The", "news@example.org"),
        ("Die Post <news@bücher.example.org>", "Die Post", "news@xn--bcher-kva.example.org"),
    ],
)
def test_from_is_a_name_and_an_address(given: str, name: str, address: str) -> None:
    sender = Settings(from_=given).sender
    assert (sender.name, sender.address) == (name, address)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"from_": "nobody"}, "from: 'nobody' is no mail address"),
        ({"from_": "A <a@example.org> B"}, "from"),
        ({"from_": "a@example.org, b@example.org"}, "from"),
        ({"reply_to": "x y@example.org"}, "reply_to"),
        ({"transport": "smtp"}, "no mail server"),
        ({"transport": "pigeon"}, "inbox or smtp"),
    ],
)
def test_settings_that_cannot_work_are_named(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Settings(**{"from_": FROM} | changes)


@pytest.mark.asyncio
async def test_answers_go_where_reply_to_says(store: Store, lend: Lend) -> None:
    settings = Settings(from_=FROM, reply_to="editor@example.org")
    publisher = Publisher(settings, lend())
    await publisher.publish(await one_due(store, publisher))
    [letter] = await store.inbox.list()
    assert read(letter.body)["Reply-To"] == "editor@example.org"


@pytest.mark.asyncio
async def test_letters_without_a_name_come_from_the_site(store: Store, lend: Lend) -> None:
    publisher = Publisher(Settings(from_="news@example.org"), lend())
    await publisher.publish(await one_due(store, publisher))
    [letter] = await store.inbox.list()
    assert read(letter.body)["From"].addresses[0].display_name == SITE.title
    assert WORLD.title in read(letter.body)["List-Id"]
    assert BEGAN < MOMENT


# ---------------------------------------------------------------- many letters at once


@pytest.mark.asyncio
async def test_letters_stream_with_the_same_bytes_as_one_by_one(store: Store, lend: Lend) -> None:
    await settle(store, readers=READERS)
    async with SmtpSink() as one_by_one, SmtpSink() as sink:
        publisher = Publisher(by_smtp(one_by_one), lend())
        await bear(store, MIXED, publisher)
        held = await due(store, "email")
        for delivery in held:
            await publisher.publish(delivery)
        await publisher.close()
        streaming = Publisher(by_smtp(sink), lend())
        assert isinstance(streaming, Streams)
        ledger = Ledger(deliveries=[*held, replace(held[0], id=999, recipient="erased")])
        await streaming.stream(ledger)
        await streaming.close()
    assert {(each.recipient, each.data, each.options) for each in sink.accepted} == {
        (each.recipient, each.data, each.options) for each in one_by_one.accepted
    }
    assert len(sink.accepted) == len(READERS)
    assert ledger.kinds()[999] == "failed"
    assert ledger.given == {}


@pytest.mark.asyncio
async def test_the_local_inbox_takes_one_letter_at_a_time(lend: Lend) -> None:
    assert not isinstance(Publisher(Settings(from_="news@example.org"), lend()), Streams)

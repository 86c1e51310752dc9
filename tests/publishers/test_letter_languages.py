"""The service's own words around an issue, in the language that each reader asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from digest.model import Issue
from digest.publishers.base import Lent
from digest.publishers.email import Publisher, Settings
from digest.store import Store
from letter_samples import MIXED, MOMENT, WORLD
from publishing import bear_prepared, due, settle

Lend = Callable[..., Lent]

ANN, BEN, CLEO = "ann@example.org", "ben@example.org", "cleo@example.org"


async def issue_for(store: Store, publisher: Publisher, **languages: str) -> Issue:
    """An issue born for these three, who asked for these languages."""
    await settle(store, readers=(ANN, BEN, CLEO))
    for one in await store.subscriptions.list(newsletter=WORLD.slug):
        await store.subscriptions.speak(one.id, languages.get(one.address.partition("@")[0], ""))
    own = await store.newsletters.own_edition(WORLD.slug)
    issue = replace(MIXED, edition_id=own.id, after=own.through, through=own.through + 1)
    born = await store.issues.birth(
        issue,
        decisions=(),
        prepared={"email": await publisher.prepare(issue, WORLD)},
        translated={
            ("email", language): letter
            for language in await store.subscriptions.languages(own.id)
            if (letter := await publisher.prepare_in(issue, WORLD, language)) is not None
        },
        audiences={"email": "readers"},
        slot=None,
        now=MOMENT,
    )
    assert born is not None
    while not await store.issues.add_deliveries(born.id, MOMENT):
        pass
    return born


async def letters(store: Store, publisher: Publisher) -> dict[str, EmailMessage]:
    """address → its letter, as it came into the local inbox."""
    for delivery in await due(store, "email"):
        await publisher.publish(delivery)
    return {one.recipient: read(one.body) for one in await store.inbox.list()}


def read(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def body(letter: EmailMessage, kind: str = "plain") -> str:
    part = letter.get_body((kind,))
    assert part is not None
    return str(part.get_content())


@pytest.fixture
def publisher(lend: Lend) -> Publisher:
    return Publisher(Settings(from_="The Morning Post <news@example.org>"), lend())


@pytest.mark.asyncio
async def test_each_reader_gets_the_same_stories_in_words_of_their_own(
    store: Store, publisher: Publisher
) -> None:
    await issue_for(store, publisher, ben="de", cleo="ar")
    got = await letters(store, publisher)
    words = {ANN: "Unsubscribe: ", BEN: "Abbestellen: ", CLEO: "إلغاء الاشتراك: "}
    for address, letter in got.items():
        said = body(letter)
        assert [word for word in words.values() if word in said] == [words[address]]
        for story in MIXED.stories:
            assert story.title.split()[0] in said
    assert len({letter["Subject"] for letter in got.values()}) == 1


@pytest.mark.asyncio
async def test_a_letter_in_arabic_words_runs_from_the_right_around_stories_that_do_not(
    store: Store, publisher: Publisher
) -> None:
    await issue_for(store, publisher, cleo="ar")
    html = body((await letters(store, publisher))[CLEO], "html")
    assert '<html lang="ar" dir="rtl"' in html
    at = html.index(MIXED.stories[0].title.split()[0], html.index("<h1"))
    assert html.rindex('lang="en" dir="ltr"', 0, at) > html.index("<h1")


@pytest.mark.asyncio
async def test_who_chose_the_language_of_the_issue_gets_the_letter_of_all(
    store: Store, publisher: Publisher
) -> None:
    await issue_for(store, publisher, ben="de", cleo="en")
    assert sorted(one.language for one in await due(store, "email")) == ["", "", "de"]


@pytest.mark.asyncio
async def test_a_letter_once_born_keeps_its_language(store: Store, publisher: Publisher) -> None:
    """A retry is the same letter, whatever its reader has asked for meanwhile."""
    born = await issue_for(store, publisher, ben="de")
    for one in await store.subscriptions.list(newsletter=WORLD.slug):
        await store.subscriptions.speak(one.id, "fr")
    got = await letters(store, publisher)
    assert "Abbestellen: " in body(got[BEN])
    assert "Unsubscribe: " in body(got[ANN])
    assert await store.issues.prepared(born.id, "email", "fr") is None


@pytest.mark.asyncio
async def test_one_who_asks_while_the_issue_is_being_born_gets_it_as_it_is(
    store: Store, publisher: Publisher
) -> None:
    """No letter was prepared in that language: it must not be promised."""
    await settle(store, readers=(ANN,))
    [ann] = await store.subscriptions.list(newsletter=WORLD.slug)
    own = await store.newsletters.own_edition(WORLD.slug)
    issue = replace(MIXED, edition_id=own.id, after=own.through, through=own.through + 1)
    letter = await publisher.prepare(issue, WORLD)
    await store.subscriptions.speak(ann.id, "de")
    await bear_prepared(store, issue, {"email": letter}, {"email": "readers"}, MOMENT)
    assert "Unsubscribe: " in body((await letters(store, publisher))[ANN])

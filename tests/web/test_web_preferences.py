"""What a reader chooses by the link in a letter."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

import pytest
from web_house import NOW, PAST, PORT, SITE, WORLD, House

from digest.model import Newsletter, Offers, Rhythm, Schedule, Subscription, SubscriptionStatus
from digest.web.lent import SignupLimits
from digest.web.wishes import Problem, cadences, chosen, read_clock, read_reason, read_rhythm, why_no_address

BERLIN = Rhythm(cadence="daily", at=time(7), zone="Europe/Berlin")


async def reader(house: House, name: str = "active") -> Subscription:
    found = await house.store.subscriptions.get(house.readers[name])
    assert found is not None
    return found


def here(house: House, name: str = "active") -> str:
    return f"/preferences/{house.token('preferences', name)}"


# ---------------------------------------------------------------- rhythm


@pytest.mark.asyncio
async def test_a_reader_chooses_the_day_the_hour_and_the_zone(house: House) -> None:
    wish = {"action": "rhythm", "cadence": "weekly", "day": "thu", "at": "18:15", "zone": "Asia/Kolkata"}
    async with house.client() as web:
        answer = await web.post(here(house), data=wish)
        again = await web.get(here(house))
    found = await reader(house)
    assert found.rhythm == Rhythm(cadence="thu", at=time(18, 15), zone="Asia/Kolkata")
    assert answer.status_code == 200
    assert 'role="status"' in answer.text
    assert "on Thursdays at 6:15 PM (Kolkata)" in answer.text.replace("\u00a0", " ")
    assert 'value="weekly" checked' in again.text
    assert '<option value="thu" selected>' in again.text
    assert 'value="18:15"' in again.text
    assert '<option value="Asia/Kolkata" selected>Kolkata</option>' in again.text


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"cadence": "hourly"}, "cadence"),
        ({"cadence": "weekly", "day": ""}, "day"),
        ({"cadence": "weekly", "day": "mon,tue"}, "day"),
        ({"at": "25:00"}, "at"),
        ({"at": "7"}, "at"),
        ({"at": "07:10"}, "at"),
        ({"at": "' or 1=1 --"}, "at"),
        ({"zone": ""}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"zone": "posixrules"}, "zone"),
        ({"zone": "Mars/Base"}, "zone"),
    ],
)
async def test_a_rhythm_that_cannot_be_is_asked_again_at_its_field_and_what_was_typed_is_kept(
    house: House, wish: dict[str, str], field: str
) -> None:
    before = await house.snapshot()
    form = {"action": "rhythm", "cadence": "weekdays", "at": "06:30", "zone": "Asia/Tokyo", **wish}
    async with house.client() as web:
        answer = await web.post(here(house), data=form)
    assert answer.status_code == 422
    assert f'role="alert" id="{field}-problem"' in answer.text
    assert f'aria-describedby="{field}-problem" autofocus' in answer.text
    assert answer.text.count('role="alert"') == 1
    assert "<title>Please check: " in answer.text
    assert await house.snapshot() == before
    if field != "zone":
        assert '<option value="Asia/Tokyo" selected>' in answer.text
    if field != "at":
        assert 'value="06:30"' in answer.text


@pytest.mark.asyncio
async def test_only_what_the_newsletter_offers_is_shown_and_taken(house: House) -> None:
    fixed = replace(WORLD, offers=Offers(cadences=("daily",), hour=False))
    await house.store.newsletters.sync([fixed, PORT], site=SITE, now=NOW)
    async with house.client() as web:
        page = await web.get(here(house))
        forced = await web.post(
            here(house),
            data={"action": "rhythm", "cadence": "daily", "at": "03:00", "zone": "Asia/Tokyo"},
        )
        weekly = await web.post(here(house), data={"action": "rhythm", "cadence": "weekly", "day": "mon"})
    assert 'value="rhythm"' not in page.text
    assert forced.status_code == 200
    assert weekly.status_code == 422
    assert (await reader(house)).rhythm == BERLIN


def newsletter(days: tuple[int, ...], *offered: str) -> Newsletter:
    schedule = Schedule(at=time(7), zone="Europe/Berlin", days=days)
    return replace(WORLD, schedule=schedule, offers=Offers(cadences=offered))


def test_the_newsletters_own_days_are_always_among_the_choices() -> None:
    daily, monday, odd = (0, 1, 2, 3, 4, 5, 6), (0,), (0, 3)
    assert cadences(newsletter(daily, "daily", "weekly")) == ("daily", "weekly")
    assert cadences(newsletter(monday, "daily", "weekly")) == ("daily", "weekly")
    assert cadences(newsletter(odd, "daily")) == ("own", "daily")
    assert cadences(newsletter(daily)) == ("own",)
    own = newsletter(odd, "daily", "weekly")
    assert chosen(own.schedule.rhythm, own) == "own"
    assert chosen(replace(BERLIN, cadence="fri"), own) == "weekly"
    assert read_rhythm({"cadence": "own", "at": "07:00", "zone": "Europe/Berlin"}, own, BERLIN) == (
        own.schedule.rhythm
    )


def test_what_a_reader_has_already_may_stay_though_it_is_no_longer_a_choice() -> None:
    """A zone that the list does not name, a time between the quarters."""
    now = Rhythm(cadence="daily", at=time(7, 5), zone="US/Pacific")
    form = {"cadence": "daily", "at": "07:05", "zone": "US/Pacific"}
    assert read_rhythm(form, WORLD, now) == now
    assert isinstance(read_rhythm(form, WORLD, BERLIN), Problem)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("07:00", time(7)),
        ("7:00", time(7)),
        (" 23:45 ", time(23, 45)),
        ("07:00:00", time(7)),
        ("07:00:30", None),
        ("24:00", None),
        ("٠٧:٠٠", None),
        ("07:00Z", None),
        ("", None),
    ],
)
def test_a_time_is_read_as_browsers_write_it(text: str, expected: time | None) -> None:
    assert read_clock(text) == expected


# ---------------------------------------------------------------- other newsletters


@pytest.mark.asyncio
async def test_another_newsletter_comes_only_after_a_letter_was_answered(house: House) -> None:
    async with house.client() as web:
        page = await web.get(here(house))
        asked = await web.post(here(house), data={"action": "join", "newsletter": "port"})
        assert await house.answered() == 1
        after = await web.get(here(house))
    assert PORT.title in page.text
    assert PAST.title not in page.text
    assert asked.status_code == 200
    assert "A letter is on its way to your address" in asked.text
    [joined] = [
        one for one in await house.store.subscriptions.of("active@example.org") if one.newsletter == "port"
    ]
    assert joined.status is SubscriptionStatus.PENDING
    assert "not confirmed yet" in after.text


@pytest.mark.asyncio
async def test_another_newsletter_asked_for_within_the_hour_gets_its_letter_when_it_is_over(
    house: House,
) -> None:
    await house.store.subscriptions.confirm(house.readers["pending"], evidence={}, now=house.clock.now)
    house.clock.advance(minutes=5)
    async with house.client() as web:
        asked = await web.post(here(house, "pending"), data={"action": "join", "newsletter": "port"})
    assert "A letter is on its way to your address" in asked.text
    assert await house.answered() == 0
    house.clock.advance(minutes=55)
    assert await house.answered() == 1
    [line] = [
        one for one in await house.store.subscriptions.history("pia@example.org") if one.newsletter == "port"
    ]
    assert (line.event, line.evidence["form"]) == ("asked", "preferences page")


@pytest.mark.asyncio
async def test_who_asks_for_what_they_read_already_is_told_so(house: House) -> None:
    before = await house.snapshot()
    async with house.client() as web:
        answer = await web.post(here(house), data={"action": "join", "newsletter": "world"})
    assert answer.status_code == 200
    assert "comes to you already" in answer.text
    assert await house.snapshot() == before


@pytest.mark.asyncio
async def test_what_would_never_be_mailed_is_not_promised(house: House) -> None:
    """Too many that wait for this mailbox, or too many from one place."""
    more = [replace(PORT, slug=f"n{number}") for number in range(4)]
    await house.store.newsletters.sync([WORLD, PORT, *more], site=SITE, now=NOW)
    async with house.client() as web:
        for number in range(3):
            taken = await web.post(here(house), data={"action": "join", "newsletter": f"n{number}"})
            assert taken.status_code == 200
        again = await web.post(here(house), data={"action": "join", "newsletter": "n0"})
        refused = await web.post(here(house), data={"action": "join", "newsletter": "n3"})
    async with house.client(signup=SignupLimits(per_address=1)) as web:
        limited = await web.post(here(house, "paused"), data={"action": "join", "newsletter": "n3"})
    assert again.status_code == 200
    for answer in (refused, limited):
        assert answer.status_code == 422
        assert "too often" in answer.text
        assert "on its way" not in answer.text
    for _ in range(27):
        await house.answered()
        house.clock.advance(hours=1)
    joined = await house.store.subscriptions.of("active@example.org")
    assert [one.newsletter for one in joined] == ["n0", "n1", "n2", "world"]


@pytest.mark.asyncio
async def test_a_link_that_is_asked_for_too_often_is_not_promised(house: House) -> None:
    async with house.client() as web:
        answers = []
        for _ in range(4):
            answers.append(await web.post(here(house), data={"action": "link"}))
            house.clock.advance(minutes=1)
    assert [answer.status_code for answer in answers] == [200, 200, 200, 422]
    assert "too often" in answers[3].text
    assert "on its way" not in answers[3].text


@pytest.mark.asyncio
async def test_another_newsletter_may_be_left_here_and_has_preferences_of_its_own(house: House) -> None:
    add = house.store.subscriptions.add
    await add("port", "active@example.org", source="cli", evidence={}, now=NOW)
    [other] = [
        one for one in await house.store.subscriptions.of("active@example.org") if one.newsletter == "port"
    ]
    async with house.client() as web:
        page = await web.get(here(house))
        answer = await web.post(here(house), data={"action": "drop", "newsletter": "port"})
    assert f"/preferences/{house.links.token('preferences', other.id)}" in page.text
    assert "You have left" in answer.text
    left = await house.store.subscriptions.get(other.id)
    assert left is not None
    assert left.status is SubscriptionStatus.LEFT
    assert (await reader(house)).status is SubscriptionStatus.ACTIVE


@pytest.mark.asyncio
@pytest.mark.parametrize("slug", ["", "nobody", "../x", "world\x00", "a" * 3000])
@pytest.mark.parametrize("action", ["join", "drop"])
async def test_a_newsletter_that_is_not_there_cannot_be_joined_or_left(
    house: House, action: str, slug: str
) -> None:
    before = await house.snapshot()
    async with house.client() as web:
        answer = await web.post(here(house), data={"action": action, "newsletter": slug})
    assert answer.status_code == 422
    assert await house.snapshot() == before


@pytest.mark.asyncio
async def test_a_retired_newsletter_cannot_be_joined(house: House) -> None:
    async with house.client() as web:
        answer = await web.post(here(house), data={"action": "join", "newsletter": "past"})
    assert answer.status_code == 422
    assert "no longer published" in answer.text
    assert await house.answered() == 0
    assert [one.newsletter for one in await house.store.subscriptions.of("active@example.org")] == ["world"]


# ---------------------------------------------------------------- language


@pytest.mark.asyncio
@pytest.mark.parametrize("language", ["xx", "pt", "de-AT", "<b>", "en\x00"])
async def test_a_language_that_we_do_not_speak_is_asked_again(house: House, language: str) -> None:
    async with house.client() as web:
        answer = await web.post(here(house), data={"action": "language", "language": language})
    assert answer.status_code == 422
    assert 'id="language-problem"' in answer.text
    assert (await reader(house)).language == ""


# ---------------------------------------------------------------- what a forwarded letter gives away


@pytest.mark.asyncio
async def test_the_page_never_shows_the_address_and_leads_to_no_data(house: House) -> None:
    async with house.client() as web:
        page = await web.get(here(house))
        sent = await web.post(here(house), data={"action": "link"})
        tried = [
            await web.post(here(house), data={"action": action})
            for action in ("download", "erase", "erase-now", "address")
        ]
        manage = await web.get(f"/preferences/manage/{house.token('preferences', 'active')}")
    for answer in (page, sent):
        assert "active@example.org" not in answer.text
        assert "/manage/" not in answer.text
    assert "works for one hour" in sent.text
    assert {answer.status_code for answer in tried} == {422}
    assert manage.status_code == 404
    assert (await reader(house)).address == "active@example.org"


@pytest.mark.asyncio
async def test_the_link_to_the_data_is_mailed_to_the_address_itself(house: House) -> None:
    async with house.client() as web:
        await web.post(here(house), data={"action": "link"})
    [due] = [
        one
        for one in await house.store.deliveries.claim_due(
            "email", house.clock.now, limit=50, lease=timedelta(minutes=1)
        )
        if one.recipient == "active@example.org"
    ]
    assert due.notice_id is not None
    assert (await house.store.notices.get(due.notice_id)).kind == "manage"


# ---------------------------------------------------------------- reasons and addresses, read


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"reason": "often"}, ("often", "")),
        ({"reason": "other", "remark": " Too \r\n much "}, ("other", "Too much")),
        ({"remark": "x" * 500}, ("", "x" * 500)),
        ({"remark": "x" * 501}, "remark"),
        ({"reason": "nonsense"}, "reason"),
        ({}, "reason"),
        ({"remark": " \x00 "}, "reason"),
    ],
)
def test_a_reason_is_one_of_ours_or_a_few_words(form: dict[str, str], expected: object) -> None:
    read = read_reason(form)
    assert (read.field if isinstance(read, Problem) else read) == expected


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "write your email"),
        ("name", "no @"),
        ("bob＠example.net", "type it as @"),
        ("bob﹫example.net", "type it as @"),
        ('"a@b"@example.net', "quotation marks"),
        ('"a b"@example.net', "quotation marks"),
        ('"Ann" <ann@example.org>', "one address only"),
        ("ü" * 33 + "@example.org", "too long"),
        ("m\ufffdller@example.org", "lost on its way"),
        ("a" * 300 + "@example.org", "too long"),
        ("Ann <ann@example.org>", "one address only"),
        ("a@example.org, b@example.org", "one address only"),
        ("a@b@example.org", "more than one @"),
        ("@example.org", "before the @"),
        ("ann@", "after the @"),
        ("ann@localhost", "not complete"),
        ("ann@-.org", "does not look like"),
    ],
)
def test_what_is_wrong_with_an_address_is_said(text: str, word: str) -> None:
    assert word in why_no_address(text)


# ---------------------------------------------------------------- an address that nothing is mailed to


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "wish",
    [
        {"action": "join", "newsletter": "port"},
        {"action": "link"},
        {"action": "resume"},
        {"action": "mail"},
        {"action": "pause", "until": "2026-12-24"},
        {"action": "rhythm", "cadence": "weekly", "day": "thu", "at": "18:15", "zone": "Asia/Kolkata"},
    ],
    ids=lambda wish: wish["action"],
)
@pytest.mark.parametrize("name", ["active", "paused"])
async def test_no_letter_is_promised_where_nothing_is_mailed(
    house: House, name: str, wish: dict[str, str]
) -> None:
    """Only whoever holds a letter from before is told; the form to sign up says the same to everybody."""
    await house.store.subscriptions.suppress(f"{name}@example.org", "5.1.1", NOW)
    before = await house.snapshot()
    async with house.client() as web:
        answer = await web.post(here(house, name), data=wish)
    assert answer.status_code == 422
    assert "Nothing is mailed to this address any more" in answer.text
    assert 'role="status"' not in answer.text
    assert await house.snapshot() == before


@pytest.mark.asyncio
async def test_the_page_of_an_address_that_nothing_is_mailed_to_offers_only_what_can_be(house: House) -> None:
    await house.store.subscriptions.suppress("active@example.org", "5.1.1", NOW)
    async with house.client() as web:
        page = (await web.get(here(house))).text
        spoken = await web.post(here(house), data={"action": "language", "language": "de"})
        goodbye = await web.post(here(house), data={"action": "leave"})
        gone = (await web.get(here(house))).text
    assert "none: nothing is mailed to this address any more" in page
    for action, offered in (("join", False), ("link", False), ("pause", False), ("leave", True)):
        assert (f'value="{action}"' in page) is offered, action
    assert "keine: An diese Adresse wird nichts mehr geschickt" in spoken.text
    assert 'value="undo"' not in goodbye.text, "nobody could take it back"
    assert 'value="join"' not in gone

"""What only the owner of an address may do, by a link that was mailed to it; and the letter to a new one."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from web_house import NOW, House

from digest.model import SubscriptionStatus

pytestmark = pytest.mark.asyncio


async def manage(house: House, name: str = "active") -> str:
    """The page's path, as the letter has it."""
    assert await house.store.subscriptions.request_manage(house.readers[name], house.clock.now)
    return f"/preferences/manage/{house.token('manage', name)}"


async def test_everything_that_we_hold_comes_as_one_file(house: House) -> None:
    path = await manage(house)
    async with house.client() as web:
        page = await web.get(path)
        answer = await web.post(path, data={"action": "download"})
    assert "active@example.org" in page.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    assert answer.headers["cache-control"] == "no-store"
    held = answer.json()
    assert held["address"] == "active@example.org"
    assert [one["newsletter"] for one in held["subscriptions"]] == ["world"]
    assert held["subscriptions"][0]["language"] == ""
    assert held["consent"]
    assert "\n  " in answer.text


async def test_to_look_never_erases_moves_or_downloads(house: House) -> None:
    path = await manage(house)
    before = await house.snapshot()
    async with house.client() as web:
        for method in ("GET", "HEAD", "OPTIONS"):
            for query in ("", "?action=erase-now", "?action=download", "?action=address&email=a@b.example"):
                answer = await web.request(method, path + query)
                assert "content-disposition" not in answer.headers
    assert await house.snapshot() == before


async def test_to_be_erased_is_asked_twice(house: House) -> None:
    path = await manage(house)
    async with house.client() as web:
        asked = await web.post(path, data={"action": "erase"})
        kept = await house.store.subscriptions.of("active@example.org")
        done = await web.post(path, data={"action": "erase-now"})
        again = await web.get(path)
    assert "Erase everything?" in asked.text
    assert 'value="erase-now"' in asked.text
    assert kept
    assert "You are forgotten" in done.text
    assert "active@example.org" not in done.text
    assert again.status_code == 404
    assert await house.store.subscriptions.of("active@example.org") == []


@pytest.mark.parametrize(
    ("email", "reason"),
    [
        ("", "write your email"),
        ("no address", "There is no @"),
        ("a@b@c.example", "more than one @"),
        ("new@example.org\r\nBcc: all@example.org", "one address only"),
        ("ACTIVE@Example.org", "the address that you have already"),
    ],
)
async def test_a_wrong_new_address_is_asked_again_with_the_value_kept(
    house: House, email: str, reason: str
) -> None:
    path = await manage(house)
    before = await house.snapshot()
    async with house.client() as web:
        answer = await web.post(path, data={"action": "address", "email": email})
    assert answer.status_code == 422
    assert reason in answer.text
    assert 'aria-invalid="true" aria-describedby="email-problem" autofocus' in answer.text
    assert f'value="{email[:20]}'.split("\r")[0] in answer.text
    assert await house.snapshot() == before


async def test_a_new_address_gets_the_letters_once_its_owner_says_yes(house: House) -> None:
    path = await manage(house)
    async with house.client() as web:
        asked = await web.post(path, data={"action": "address", "email": "new@example.org"})
        unmoved = await house.store.subscriptions.get(house.readers["active"])
        token = await address_token(house)
        page = await web.get(f"/preferences/address/{token}")
        still = await house.store.subscriptions.get(house.readers["active"])
        done = await web.post(f"/preferences/address/{token}")
        after = await house.snapshot()
        twice = await web.post(f"/preferences/address/{token}")
        looked = await web.get(f"/preferences/address/{token}")
        old = await web.get(path)
    moved = await house.store.subscriptions.get(house.readers["active"])
    assert asked.status_code == 200
    assert "A letter is on its way to" in asked.text
    assert unmoved is not None
    assert still is not None
    assert {unmoved.address, still.address} == {"active@example.org"}
    assert "n•••@e•••.org" in page.text
    assert "new@example.org" not in page.text
    assert "from now on" in done.text
    assert moved is not None
    assert (moved.address, moved.status) == ("new@example.org", SubscriptionStatus.ACTIVE)
    assert (twice.status_code, twice.text) == (200, done.text)
    assert (looked.status_code, looked.text) == (200, done.text)  # no button once it is done
    assert await house.snapshot() == after
    assert old.status_code == 404  # the link went to the address that it was


async def test_whether_somebody_has_the_new_address_already_is_not_told(house: House) -> None:
    pages = set()
    async with house.client() as web:
        for name, email in (("active", "somebody@example.org"), ("paused", "pia@example.org")):
            path = await manage(house, name)
            answer = await web.post(path, data={"action": "address", "email": email})
            text = answer.text.replace(email, "…").replace(f"{name}@example.org", "…")
            pages.add(re.sub(r"/preferences/[\w/-]{40,}", "", text))
    assert len(pages) == 1


async def test_a_new_address_that_is_asked_for_too_often_is_not_promised(house: House) -> None:
    path = await manage(house)
    async with house.client() as web:
        answers = [
            await web.post(path, data={"action": "address", "email": f"new{number}@example.org"})
            for number in range(4)
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 422]
    assert "too often" in answers[3].text
    assert 'value="new3@example.org"' in answers[3].text


async def test_ones_own_mailbox_that_was_asked_lately_is_said_and_another_ones_is_not(house: House) -> None:
    """Pia was sent a confirmation within the hour. She may know; nobody else may, nor count it."""
    mine, other = await manage(house, "pending"), await manage(house)
    async with house.client() as web:
        own = await web.post(mine, data={"action": "address", "email": "pia+tag@example.org"})
        others = [
            await web.post(other, data={"action": "address", "email": email})
            for email in ("pia+tag@example.org", "a@example.org", "b@example.org", "c@example.org")
        ]
    assert own.status_code == 422
    assert "too often" in own.text
    assert [answer.status_code for answer in others] == [200, 200, 200, 422]
    assert "on its way" in others[0].text


async def test_the_link_is_good_for_an_hour_and_only_the_latest_one(house: House) -> None:
    first = await manage(house)
    async with house.client() as web:
        assert (await web.get(first)).status_code == 200
        house.clock.advance(minutes=59)
        assert (await web.get(first)).status_code == 200
        second = await manage(house)
        assert (await web.get(first)).status_code == 404
        house.clock.advance(minutes=61)
        assert (await web.post(second, data={"action": "erase-now"})).status_code == 404
    assert await house.store.subscriptions.of("active@example.org")


@pytest.mark.parametrize("action", ["", "erase-now\x00", "Erase", "drop"])
async def test_an_unknown_wish_changes_nothing(house: House, action: str) -> None:
    path = await manage(house)
    before = await house.snapshot()
    async with house.client() as web:
        answer = await web.post(path, data={"action": action})
    assert answer.status_code == 422
    assert 'role="alert" id="action-problem"' in answer.text
    assert await house.snapshot() == before


async def test_pages_of_ones_own_data_are_kept_by_nobody(house: House) -> None:
    path = await manage(house)
    async with house.client() as web:
        for answer in (await web.get(path), await web.post(path, data={"action": "download"})):
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert "noindex" in answer.headers["x-robots-tag"]


class Feeds:
    """There are private feeds; what they hold is tested elsewhere."""

    entries = 20


async def test_a_feed_of_ones_own_is_given_renewed_read_instead_of_mail_and_ended(house: House) -> None:
    path = await manage(house)
    number = house.readers["active"]

    def addresses(page: str) -> set[str]:
        return set(re.findall(r"http://digest\.test/world/private/[^<]+/feed\.(?:atom|rss|json)", page))

    async with house.client(private_feeds=Feeds()) as web:
        before = await web.get(path)
        given = await web.post(path, data={"action": "feed-on"})
        renewed = await web.post(path, data={"action": "feed-new"})
        await web.post(path, data={"action": "mail-off"})
        instead = await house.store.subscriptions.get(number)
        preferences = await web.get(f"/preferences/{house.token('preferences', 'active')}")
        mailed = await web.post(
            f"/preferences/{house.token('preferences', 'active')}", data={"action": "mail"}
        )
        again = await house.store.subscriptions.get(number)
        ended = await web.post(path, data={"action": "feed-off"})
        over = await house.store.subscriptions.get(number)
    assert addresses(before.text) == set()
    assert len(addresses(given.text)) == 3
    assert len(addresses(renewed.text)) == 3
    assert not addresses(given.text) & addresses(renewed.text)
    assert instead is not None
    assert (instead.feed_on, instead.by_mail) == (True, False)
    assert "nothing is mailed" in preferences.text
    assert addresses(preferences.text) == set()  # a forwarded letter must not lead to the feed
    assert "by mail again" in mailed.text
    assert again is not None
    assert again.by_mail
    assert addresses(ended.text) == set()
    assert over is not None
    assert not over.feed_on


async def test_where_there_are_no_private_feeds_none_is_offered(house: House) -> None:
    path = await manage(house)
    async with house.client() as web:
        page = await web.get(path)
    assert "feed-on" not in page.text


async def address_token(house: House) -> str:
    """The token of the letter to the new address."""
    due: list[datetime] = []
    for number in range(1, 50):
        notice = await house.store.notices.get(number)
        if notice.kind == "address":
            due.append(notice.created_at)
            change = int(notice.data["change_id"])
            break
    assert due == [NOW]
    return house.links.token("address", change, issued=due[0])

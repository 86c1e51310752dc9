from __future__ import annotations

import base64
import random
import re
from types import SimpleNamespace

import pytest
from web_house import EVIDENCE, NOW, House

from digest.links import Links
from digest.model import SubscriptionStatus

pytestmark = pytest.mark.asyncio

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


async def status(house: House, reader: str) -> SubscriptionStatus:
    found = await house.store.subscriptions.get(house.readers[reader])
    assert found is not None
    return found.status


@pytest.mark.parametrize("form", ["urlencoded", "multipart"])
async def test_one_click_leaves_at_once_and_twice_is_as_good_as_once(house: House, form: str) -> None:
    path = f"/unsubscribe/{house.token('unsubscribe', 'active')}"
    body = (
        {"data": ONE_CLICK} if form == "urlencoded" else {"files": {"List-Unsubscribe": (None, "One-Click")}}
    )
    async with house.client() as web:
        first = await web.post(path, **body)
        left = await status(house, "active")
        second = await web.post(path, **body)
    assert (first.status_code, second.status_code) == (200, 200)
    assert left is SubscriptionStatus.LEFT
    assert "set-cookie" not in first.headers
    assert "location" not in first.headers
    rows = await house.store.subscriptions.history("active@example.org")
    assert [row.event for row in rows] == ["vouched", "no"]
    assert rows[-1].evidence["form"] == "one-click"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", None),
        (b"List-Unsubscribe=One-Click", "text/plain"),
        (b"--b\r\nbroken", "multipart/form-data; boundary=b"),
        (b"nothing", "multipart/form-data"),
        (b"a=1&" * 50, "application/x-www-form-urlencoded"),
    ],
)
async def test_a_clumsy_mail_client_gets_out_too(house: House, content: bytes, kind: str | None) -> None:
    headers = {"content-type": kind} if kind else {}
    headers |= {"origin": "https://mail.example", "sec-fetch-site": "cross-site", "host": "elsewhere"}
    async with house.client() as web:
        path = f"/unsubscribe/{house.token('unsubscribe', 'active')}"
        assert (await web.post(path, content=content, headers=headers)).status_code == 200
    assert await status(house, "active") is SubscriptionStatus.LEFT


async def test_a_stroke_at_the_end_of_a_link_is_no_hindrance(house: House) -> None:
    confirm = f"/confirm/{house.token('confirm', 'pending')}/"
    leave = f"/unsubscribe/{house.token('unsubscribe', 'active')}/"
    before = await house.snapshot()
    async with house.client() as web:
        looks = [
            await web.request(method, path)
            for path in (confirm, leave, f"/preferences/{house.token('preferences', 'active')}/")
            for method in ("GET", "HEAD")
        ]
        assert await house.snapshot() == before, "to look changes nothing"
        acts = [await web.post(path) for path in (confirm, leave)]
        forged = await web.post(f"/unsubscribe/{'A' * 40}/")
        form = await web.get("/world/subscribe/")
        asked = await web.post("/world/subscribe/", data={"email": "new@example.org"})
    assert {answer.status_code for answer in (*looks, *acts)} == {200}
    assert all(answer.headers["cache-control"] == "no-store" for answer in (*looks, *acts))
    assert await status(house, "pending") is SubscriptionStatus.ACTIVE
    assert await status(house, "active") is SubscriptionStatus.LEFT
    assert forged.status_code == 404
    assert (form.status_code, form.headers["location"]) == (303, "/world/#subscribe")
    assert asked.status_code == 200
    assert await house.answered() == 1


async def test_a_one_click_of_a_megabyte_is_refused(house: House) -> None:
    path = f"/unsubscribe/{house.token('unsubscribe', 'active')}"
    async with house.client() as web:
        answer = await web.post(path, data={**ONE_CLICK, "more": "x" * 1_000_000})
    assert answer.status_code == 413
    assert await status(house, "active") is SubscriptionStatus.ACTIVE


async def test_the_unsubscribe_page_masks_the_address_and_its_button_leaves(house: House) -> None:
    path = f"/unsubscribe/{house.token('unsubscribe', 'active')}"
    async with house.client() as web:
        page = await web.get(path)
        assert await status(house, "active") is SubscriptionStatus.ACTIVE
        done = await web.post(path, data={})
        after = await web.get(path)
    assert "a•••@e•••.org" in page.text
    assert "active@example.org" not in page.text
    assert f'action="{path}"' in page.text
    assert "Goodbye" in done.text
    assert "Goodbye" in after.text
    assert await status(house, "active") is SubscriptionStatus.LEFT


async def test_the_links_of_a_retired_newsletter_still_let_one_leave(house: House) -> None:
    path = f"/unsubscribe/{house.token('unsubscribe', 'past')}"
    async with house.client() as web:
        assert (await web.get(path)).status_code == 200
        assert (await web.post(path, data=ONE_CLICK)).status_code == 200
    assert await status(house, "past") is SubscriptionStatus.LEFT


async def test_letters_from_before_two_addresses_became_one_still_let_one_leave(house: House) -> None:
    """Their links lead to the subscription that is left: to look, to choose and to leave."""
    await house.store.subscriptions.add("world", "b@example.org", source="cli", evidence=EVIDENCE, now=NOW)
    (other,) = await house.store.subscriptions.of("b@example.org")
    house.readers["b"] = other.id
    await house.store.subscriptions.private_feed(house.readers["active"], True, NOW)
    await house.store.subscriptions.private_feed(other.id, True, NOW)
    await house.store.subscriptions.request_address(
        house.readers["active"], "b@example.org", evidence=EVIDENCE, now=NOW
    )
    change = await house.change_asked("b@example.org")
    await house.store.subscriptions.confirm_address(change, evidence=EVIDENCE, now=NOW)
    feed = house.links.token("feed", house.readers["active"], number=1)
    async with house.client(private_feeds=SimpleNamespace(entries=20)) as web:
        preferences = f"/preferences/{house.token('preferences', 'active')}"
        page = await web.get(preferences)
        await web.post(preferences, data={"action": "pause", "until": "2026-12-01"})
        paused = await status(house, "b")
        shown = await web.get(f"/unsubscribe/{house.token('unsubscribe', 'active')}")
        reached = await web.get(f"/world/private/{feed}/feed.atom")
        gone = await web.post(f"/unsubscribe/{house.token('unsubscribe', 'active')}", data=ONE_CLICK)
    assert page.status_code == 200
    assert paused is SubscriptionStatus.PAUSED
    assert "b•••@e•••.org" in shown.text
    assert reached.status_code == 410
    assert gone.status_code == 200
    assert await status(house, "b") is SubscriptionStatus.LEFT


async def test_one_who_was_erased_has_left(house: House) -> None:
    path = f"/unsubscribe/{house.token('unsubscribe', 'active')}"
    await house.store.subscriptions.erase("active@example.org", NOW)
    async with house.client() as web:
        for answer in (await web.get(path), await web.post(path, data=ONE_CLICK)):
            assert answer.status_code == 200
            assert "Goodbye" in answer.text


async def test_preferences_pause_and_resume(house: House) -> None:
    path = f"/preferences/{house.token('preferences', 'active')}"
    async with house.client() as web:
        page = await web.get(path)
        paused = await web.post(path, data={"action": "pause", "until": "2026-12-24"})
        found = await house.store.subscriptions.get(house.readers["active"])
        back = await web.post(path, data={"action": "resume"})
    assert "a•••@e•••.org" in page.text
    assert "active@example.org" not in page.text
    assert 'min="2026-11-23"' in page.text
    assert paused.status_code == 200
    assert "December 24, 2026" in paused.text
    assert found is not None
    assert found.status is SubscriptionStatus.PAUSED
    assert str(found.paused_until) == "2026-12-24"
    assert "Welcome back" in back.text
    assert await status(house, "active") is SubscriptionStatus.ACTIVE


@pytest.mark.parametrize(
    "until",
    ["", "tomorrow", "2026-11-22", "2026-11-21", "2028-01-01", "9999-12-31", "2026-02-30", "'; drop", "0"],
)
async def test_a_pause_until_nonsense_is_asked_again(house: House, until: str) -> None:
    before = await house.snapshot()
    path = f"/preferences/{house.token('preferences', 'active')}"
    async with house.client() as web:
        answer = await web.post(path, data={"action": "pause", "until": until})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert await house.snapshot() == before


async def test_preferences_leave(house: House) -> None:
    path = f"/preferences/{house.token('preferences', 'paused')}"
    async with house.client() as web:
        answer = await web.post(path, data={"action": "leave"})
        after = await web.get(path)
    assert "Goodbye" in answer.text
    assert "you have left" in after.text
    assert "Subscribe again" in after.text
    assert await status(house, "paused") is SubscriptionStatus.LEFT


@pytest.mark.parametrize("action", ["", "erase", "Leave", "pause\x00"])
async def test_an_unknown_wish_changes_nothing(house: House, action: str) -> None:
    before = await house.snapshot()
    path = f"/preferences/{house.token('preferences', 'active')}"
    async with house.client() as web:
        assert (await web.post(path, data={"action": action})).status_code == 422
    assert await house.snapshot() == before


def forgeries(house: House) -> list[str]:
    """Guesses, near misses, tokens of another house, of another purpose, of nobody, and plain rubbish."""
    chance = random.Random(8058)  # noqa: S311  guesses that are the same every time
    real = [house.token(purpose, "active") for purpose in ("confirm", "unsubscribe", "preferences")]
    other = Links("http://digest.test", b"the secret of another service!!!")
    forged = [other.token("unsubscribe", number) for number in range(50)]
    forged += [base64.urlsafe_b64encode(chance.randbytes(30)).decode() for _ in range(200)]
    for token in real:
        raw = bytearray(base64.urlsafe_b64decode(token))
        for place in range(len(raw)):
            turned = bytearray(raw)
            turned[place] ^= 1 << chance.randrange(8)
            forged.append(base64.urlsafe_b64encode(bytes(turned)).decode())
        forged += [token[:-1], token + "A", token.swapcase(), token[::-1], token + "%00", token + "="]
    forged += [
        "x",
        "0",
        "-1",
        "%00" * 20,
        "%F0%9F%92%8C" * 10,
        "A" * 40,
        "_" * 40,
        "a" * 3000,
        "..%2f..",
        "'--",
    ]
    return forged


async def test_hundreds_of_forged_tokens_change_nothing_and_all_get_the_same_page(house: House) -> None:
    before = await house.snapshot()
    pages = set()
    async with house.client() as web:
        for place, token in enumerate(forgeries(house)):
            purpose = ("confirm", "unsubscribe", "preferences")[place % 3]
            method = ("GET", "POST", "HEAD")[place // 3 % 3]
            answer = await web.request(method, f"/{purpose}/{token}")
            assert answer.status_code == 404, (method, purpose, token)
            if method != "HEAD" and "/" not in token and "%2f" not in token.lower():
                pages.add(answer.text)
    assert len(pages) == 1
    assert await house.snapshot() == before


async def test_a_token_is_worth_nothing_for_another_purpose(house: House) -> None:
    before = await house.snapshot()
    purposes = ("confirm", "unsubscribe", "preferences")
    async with house.client() as web:
        for made_for in purposes:
            for used_for in purposes:
                if made_for != used_for:
                    path = f"/{used_for}/{house.token(made_for, 'active')}"
                    assert (await web.post(path, data={"action": "leave"})).status_code == 404
    assert await house.snapshot() == before


async def test_a_scanner_that_follows_every_link_changes_nothing(house: House) -> None:
    await house.store.inbox.keep(
        recipient="a@example.org", subject="Hi", message_id="<1@x>", body=b"Subject: Hi\r\n\r\nHi", now=NOW
    )
    before = await house.snapshot()
    waiting = ["/", "/feeds.opml", "/healthz", "/readyz", "/metrics", "/dev/inbox", "/world/subscribe"]
    waiting += [f"/confirm/{house.token('confirm', name)}" for name in house.readers]
    waiting += [
        f"/{p}/{house.token(p, name)}" for p in ("unsubscribe", "preferences") for name in house.readers
    ]
    waiting += [f"{path}?List-Unsubscribe=One-Click&action=leave" for path in waiting[7:]]
    seen: set[str] = set()
    async with house.client(peer=("127.0.0.1", 1), dev_inbox=True) as web:
        while waiting:
            path = waiting.pop()
            if path in seen:
                continue
            seen.add(path)
            for method in ("HEAD", "GET", "OPTIONS"):
                answer = await web.request(method, path, headers={"host": "localhost"})
                assert answer.status_code < 500
            page = (await web.get(path, headers={"host": "localhost"})).text
            for link in re.findall(r'(?:href|src|action)="([^"]+)"', page):
                local = link.removeprefix("http://digest.test").partition("#")[0]
                if local.startswith("/"):
                    waiting.append(local.replace("&amp;", "&"))
    assert len(seen) > 30
    assert await house.snapshot() == before


# ---------------------------------------------------------------- goodbye


def way_back(page: str) -> str:
    [path] = set(re.findall(r'action="(/unsubscribe/undo/[^"]+)"', page))
    return path


async def test_a_goodbye_may_be_taken_back_for_an_hour_with_everything_as_it_was(house: House) -> None:
    before = await house.store.subscriptions.get(house.readers["paused"])
    leave = f"/unsubscribe/{house.token('unsubscribe', 'paused')}"
    async with house.client() as web:
        goodbye = await web.post(leave)
        undo = way_back(goodbye.text)
        looked = await web.get(undo)
        gone = await status(house, "paused")
        house.clock.advance(minutes=59)
        back = await web.post(undo, data={"action": "undo"})
    after = await house.store.subscriptions.get(house.readers["paused"])
    assert "Goodbye" in looked.text
    assert gone is SubscriptionStatus.LEFT
    assert "Welcome back" in back.text
    assert before is not None
    assert after is not None
    assert (after.status, after.paused_until, after.through, after.rhythm) == (
        (before.status, before.paused_until, before.through, before.rhythm)
    )


async def test_after_an_hour_there_is_no_way_back_but_to_ask_again(house: House) -> None:
    leave = f"/unsubscribe/{house.token('unsubscribe', 'active')}"
    async with house.client() as web:
        undo = way_back((await web.post(leave)).text)
        house.clock.advance(minutes=61)
        late = await web.post(undo, data={"action": "undo"})
        again = await web.post(leave)
    assert late.status_code == 404
    assert "/undo/" not in again.text
    assert "Goodbye" in again.text
    assert await status(house, "active") is SubscriptionStatus.LEFT


async def test_to_leave_again_does_not_renew_the_way_back(house: House) -> None:
    """Whoever was forwarded an old letter must not be able to subscribe its reader again."""
    leave = f"/unsubscribe/{house.token('unsubscribe', 'left')}"
    house.clock.advance(days=30)
    async with house.client() as web:
        page = await web.post(leave)
        forged = house.links.token("undo", house.readers["left"], issued=house.clock.now)
        tried = await web.post(f"/unsubscribe/undo/{forged}", data={"action": "undo"})
    assert "/undo/" not in page.text
    assert tried.status_code == 404
    assert await status(house, "left") is SubscriptionStatus.LEFT


async def test_a_reason_may_be_given_and_is_remembered_without_changing_anything(house: House) -> None:
    async with house.client() as web:
        undo = way_back((await web.post(f"/unsubscribe/{house.token('unsubscribe', 'active')}")).text)
        thanks = await web.post(undo, data={"action": "reason", "reason": "often", "remark": "<b>Too much"})
    assert "Thank you" in thanks.text
    assert "<b>Too" not in thanks.text
    assert way_back(thanks.text) == undo
    rows = await house.store.subscriptions.history("active@example.org")
    assert rows[-1].evidence == {"reason": "often", "remark": "<b>Too much"}
    assert await status(house, "active") is SubscriptionStatus.LEFT


async def test_a_reason_that_is_none_is_asked_again_with_what_was_typed(house: House) -> None:
    async with house.client() as web:
        undo = way_back((await web.post(f"/unsubscribe/{house.token('unsubscribe', 'active')}")).text)
        empty = await web.post(undo, data={"action": "reason"})
        long = await web.post(undo, data={"action": "reason", "reason": "fit", "remark": "é" * 501})
    for answer, field in ((empty, "reason"), (long, "remark")):
        assert answer.status_code == 422
        assert f'role="alert" id="{field}-problem"' in answer.text
    assert "é" * 501 in long.text
    assert 'value="fit" checked' in long.text


async def test_what_leaving_writes_down_names_the_way(house: House) -> None:
    async with house.client() as web:
        await web.post(f"/unsubscribe/{house.token('unsubscribe', 'active')}", data={})
        await web.post(f"/preferences/{house.token('preferences', 'paused')}", data={"action": "leave"})
    ways = []
    for name in ("active", "paused"):
        rows = await house.store.subscriptions.history(f"{name}@example.org")
        ways.append(rows[-1].evidence["form"])
    assert ways == ["unsubscribe page", "preferences page"]
    assert EVIDENCE["form"] not in ways

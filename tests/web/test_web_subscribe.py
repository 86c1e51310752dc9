from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest
from web_house import EVIDENCE, NOW, House

from digest.model import SubscriptionStatus

pytestmark = pytest.mark.asyncio

INJECTIONS = [
    "",
    "   ",
    "no address",
    "@example.org",
    "a@",
    "a@b",
    "a b@example.org",
    "a@example.org\r\nBcc: victim@example.org",
    "a@example.org\nBcc: victim@example.org",
    "a@example.org%0d%0aBcc:victim@example.org",
    "a@example.org, b@example.org",
    "a@example.org;b@example.org",
    "<a@example.org>",
    "Ann <a@example.org>",
    '"><script>alert(1)</script>@example.org',
    "a@example.org\x00",
    "a@exa\x00mple.org",
    "a@[127.0.0.1]",
    "a@localhost",
    "a@example..org",
    "a" * 65 + "@example.org",
    "a@" + "b" * 300 + ".org",
    "x" * 10_000,
    "{{ 7*7 }}",
    "' OR 1=1 --",
    "a@\u202eexample.org",
]


async def test_a_good_address_gets_a_letter_and_a_page_that_says_so(house: House) -> None:
    async with house.client() as web:
        answer = await web.post("/world/subscribe", data={"email": " New@Example.ORG "})
    assert answer.status_code == 200
    assert "Check your inbox" in answer.text
    [subscription] = await house.store.subscriptions.of("New@example.org")
    assert subscription.status is SubscriptionStatus.PENDING
    assert (await house.store.deliveries.counts()).get("pending", 0) >= 1


async def test_what_was_shown_and_the_network_go_into_the_ledger_and_the_address_of_the_machine_does_not(
    house: House,
) -> None:
    async with house.client(peer=("198.51.100.77", 1)) as web:
        await web.post("/world/subscribe", data={"email": "new@example.org"})
        shown = (await web.get("/world/")).text
    [row] = await house.store.subscriptions.history("new@example.org")
    assert row.evidence["form"].startswith("I would like to receive World in brief by email.")
    assert row.evidence["form"].rpartition("email. ")[2] in shown
    assert len(row.evidence["ip"]) == 32
    assert "198.51.100" not in str(row)


async def test_the_page_is_the_very_same_for_new_known_pending_left_and_suppressed_addresses(
    house: House,
) -> None:
    await house.store.subscriptions.suppress("bounced@example.org", "5.1.1", NOW)
    pages = set()
    async with house.client() as web:
        for name in ("new", "active", "pia", "paused", "left", "bounced", "new"):
            answer = await web.post("/world/subscribe", data={"email": f"{name}@example.org"})
            headers = tuple(sorted(answer.headers.items()))
            pages.add((answer.status_code, headers, answer.text))
        trap = await web.post(
            "/world/subscribe", data={"email": "robot@example.org", "website": "http://spam"}
        )
        pages.add((trap.status_code, tuple(sorted(trap.headers.items())), trap.text))
    assert len(pages) == 1
    assert await house.store.subscriptions.of("robot@example.org") == []
    assert await house.store.subscriptions.of("bounced@example.org") == []


@pytest.mark.parametrize("given", INJECTIONS)
async def test_a_wrong_address_gets_the_form_again_with_the_reason_and_the_value(
    house: House, given: str
) -> None:
    before = await house.snapshot()
    async with house.client() as web:
        answer = await web.post("/world/subscribe", data={"email": given})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "<script" not in answer.text
    assert "bcc" not in str(answer.headers).lower()
    assert await house.snapshot() == before


async def test_the_wrong_value_is_kept_for_mending(house: House) -> None:
    async with house.client() as web:
        answer = await web.post("/world/subscribe", data={"email": 'anna"@exam ple.org'})
    assert 'value="anna&#34;@exam ple.org"' in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"origin": "http://digest.test"}, 200),
        ({"origin": "null"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://digest.test.evil.example"}, 403),
        ({"host": "proxy.internal:8080", "origin": "http://digest.test"}, 200),
        ({"host": "localhost:8080", "origin": "http://localhost:8080"}, 200),
    ],
)
async def test_a_form_from_another_site_is_asked_again(
    house: House, headers: dict[str, str], status: int
) -> None:
    async with house.client() as web:
        answer = await web.post("/world/subscribe", data={"email": "new@example.org"}, headers=headers)
    assert answer.status_code == status
    assert bool(await house.store.subscriptions.of("new@example.org")) is (status == 200)
    if status == 403:
        assert 'value="new@example.org"' in answer.text
        assert "press the button once more" in answer.text


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"email=" + b"a" * 20_000 + b"%40example.org", "application/x-www-form-urlencoded", 413),
        (b"--b\r\nno multipart", "multipart/form-data; boundary=b", 400),
        (b"no boundary", "multipart/form-data", 400),
        (b'{"email": "new@example.org"}', "application/json", 422),
        (b"a=1&" * 50, "application/x-www-form-urlencoded", 400),
        (b"%ff%fe=%80&email=%zz", "application/x-www-form-urlencoded", 422),
        (b"", "text/plain", 422),
    ],
)
async def test_bodies_that_no_form_sends_change_nothing(
    house: House, content: bytes, kind: str, status: int
) -> None:
    before = await house.snapshot()
    async with house.client() as web:
        answer = await web.post("/world/subscribe", content=content, headers={"content-type": kind})
    assert answer.status_code == status
    assert "Traceback" not in answer.text
    assert await house.snapshot() == before


async def test_a_body_without_a_length_is_cut_off_too(house: House) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"email="
        for _ in range(100):
            yield b"a" * 1000

    async with house.client() as web:
        answer = await web.post(
            "/world/subscribe",
            content=endless(),
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
    assert answer.status_code == 413


async def test_an_upload_is_refused(house: House) -> None:
    async with house.client() as web:
        answer = await web.post("/world/subscribe", files={"email": ("a.txt", b"new@example.org")})
    assert answer.status_code == 400


async def test_reloading_the_answer_leads_back_to_the_form(house: House) -> None:
    async with house.client() as web:
        answer = await web.get("/world/subscribe")
    assert (answer.status_code, answer.headers["location"]) == (303, "/world/#subscribe")


async def test_confirming_takes_a_look_and_then_a_button(house: House) -> None:
    path = f"/confirm/{house.token('confirm', 'pending')}"
    async with house.client() as web:
        page = await web.get(path)
        still = await house.store.subscriptions.get(house.readers["pending"])
        done = await web.post(path)
        again = await web.post(path)
        reader = await house.store.subscriptions.get(house.readers["pending"])
        later = await web.get(path)
    assert page.status_code == 200
    assert "p•••@e•••.org" in page.text
    assert "pia@example.org" not in page.text
    assert f'<form method="post" action="{path}">' in page.text
    assert still is not None
    assert still.status is SubscriptionStatus.PENDING
    assert "You are in" in done.text
    assert 'href="/world/2026-11-22/"' in done.text
    assert reader is not None
    assert reader.status is SubscriptionStatus.ACTIVE
    assert (again.status_code, later.status_code) == (200, 200)
    rows = await house.store.subscriptions.history("pia@example.org")
    assert [row.event for row in rows] == ["asked", "yes"]


async def test_a_confirmation_link_lasts_three_days(house: House) -> None:
    path = f"/confirm/{house.token('confirm', 'pending')}"
    house.clock.advance(days=3, seconds=1)
    async with house.client() as web:
        for answer in (await web.get(path), await web.post(path)):
            assert answer.status_code == 404
            assert "This link does not work" in answer.text
    reader = await house.store.subscriptions.get(house.readers["pending"])
    assert reader is not None
    assert reader.status is SubscriptionStatus.PENDING


async def test_nobody_confirms_for_a_newsletter_that_ended(house: House) -> None:
    token = house.links.token("confirm", house.readers["past"], issued=NOW)
    async with house.client() as web:
        page, done = await web.get(f"/confirm/{token}"), await web.post(f"/confirm/{token}")
    assert (page.status_code, done.status_code) == (410, 404)


async def test_who_left_does_not_come_back_by_an_old_link(house: House) -> None:
    path = f"/confirm/{house.token('confirm', 'pending')}"
    async with house.client() as web:
        await web.post(path)
        await house.store.subscriptions.leave(
            house.readers["pending"], evidence=EVIDENCE, now=house.clock.now
        )
        assert (await web.post(path)).status_code == 404
    reader = await house.store.subscriptions.get(house.readers["pending"])
    assert reader is not None
    assert reader.status is SubscriptionStatus.LEFT


async def test_no_token_and_no_address_reaches_the_log(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    confirm, leave = house.token("confirm", "pending"), house.token("unsubscribe", "active")
    async with house.client() as web:
        await web.post("/world/subscribe", data={"email": "new@example.org"})
        await web.get(f"/confirm/{confirm}")
        await web.post(f"/confirm/{confirm}")
        await web.post(f"/unsubscribe/{leave}")
    told = [record for record in caplog.records if record.name.startswith("digest")]
    assert {record.message for record in told} >= {
        "sign-up received",
        "subscription confirmed",
        "subscription ended",
    }
    text = " ".join(str(vars(record)) for record in told)
    assert confirm not in text
    assert leave not in text
    assert "@" not in text

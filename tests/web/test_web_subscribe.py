from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, select
from web_house import EVIDENCE, NOW, House

from digest.model import SubscriptionStatus
from digest.store import Store
from digest.store.tables import budgets
from digest.web.lent import SignupLimits

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
    assert await house.answered() == 1
    [subscription] = await house.store.subscriptions.of("New@example.org")
    assert subscription.status is SubscriptionStatus.PENDING
    assert (await house.store.deliveries.counts()).get("pending", 0) >= 1


async def test_what_was_shown_and_the_network_go_into_the_ledger_and_the_address_of_the_machine_does_not(
    house: House,
) -> None:
    async with house.client(peer=("198.51.100.77", 1)) as web:
        await web.post("/world/subscribe", data={"email": "new@example.org"})
        shown = (await web.get("/world/")).text
    await house.answered()
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
    await house.answered()
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
    assert "<script>" not in answer.text
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
    await house.answered()
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


URL_ENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"


def part(value: bytes) -> bytes:
    return b'--b\r\nContent-Disposition: form-data; name="email"\r\n\r\n' + value + b"\r\n--b--\r\n"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("email=jörg@example.net".encode(), URL_ENCODED),
        (b"email=j%C3%B6rg%40example.net", URL_ENCODED),
        ("email=jörg@example.net".encode(), f"{URL_ENCODED}; charset=ISO-8859-1"),
        (part("jörg@example.net".encode()), MULTIPART),
        (part("jörg@example.net".encode()), "multipart/form-data; charset=iso-8859-1; boundary=b"),
        (part("jörg@example.net".encode()), f'{MULTIPART}; Charset = "utf-16"'),
    ],
)
async def test_a_form_is_read_as_utf_8_however_it_is_sent(house: House, content: bytes, kind: str) -> None:
    async with house.client() as web:
        answer = await web.post("/world/subscribe", content=content, headers={"content-type": kind})
    assert answer.status_code == 200
    assert await house.answered() == 1
    assert len(await house.store.subscriptions.of("jörg@example.net")) == 1


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"email=m\xfcller@example.net", URL_ENCODED),
        (b"email=m%FCller@example.net", URL_ENCODED),
        (b"email=m%FCller@example.net", f"{URL_ENCODED}; charset=iso-8859-1"),
        (b"email=m%C3ller%40example.net", URL_ENCODED),
        (part(b"m\xfcller@example.net"), MULTIPART),
        (part(b"m\xfcller@example.net"), f"{MULTIPART}; charset=iso-8859-1"),
        (part("m\ufffdller@example.net".encode()), MULTIPART),
    ],
)
async def test_a_byte_that_is_no_text_is_asked_for_again_and_never_guessed(
    house: House, content: bytes, kind: str
) -> None:
    before = await house.snapshot()
    async with house.client() as web:
        answer = await web.post("/world/subscribe", content=content, headers={"content-type": kind})
    assert answer.status_code == 422
    assert "lost on its way" in answer.text
    assert 'value="m\ufffdller@example.net"' in answer.text
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


async def test_the_page_is_the_very_same_work_for_every_address(house: House) -> None:
    """The statements of the whole request, and how many rows they change, do not depend on who it is: what
    depends on it is done later, by somebody else."""
    await house.store.subscriptions.suppress("bounced@example.org", "5.1.1", NOW)
    await house.store.subscriptions.erase("past@example.org", NOW)
    done: list[list[tuple[str, int]]] = []
    async with house.client() as web:
        for name in ("new", "active", "pia", "paused", "left", "bounced", "past", "new", "pi.a+x"):
            with statements_of(house.store) as seen:
                await web.post("/world/subscribe", data={"email": f"{name}@example.org"})
            done.append(list(seen))
    assert len(done[0]) > 3
    assert all(each == done[0] for each in done)


@contextmanager
def statements_of(store: Store) -> Iterator[list[tuple[str, int]]]:
    seen: list[tuple[str, int]] = []

    def note(_connection: Any, cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append((statement, cursor.rowcount))

    engines = (store._database._writing.sync_engine, store._database._reading.sync_engine)
    for engine in engines:
        event.listen(engine, "after_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            event.remove(engine, "after_cursor_execute", note)


# ---------------------------------------------------------------- floods and programs


async def test_a_flood_from_one_address_gets_the_same_page_few_letters_and_one_line_in_the_log(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    limits = SignupLimits(per_address=5)
    pages = set()
    async with house.client(signup=limits, peer=("203.0.113.9", 1)) as web:
        for number in range(40):
            answer = await web.post("/world/subscribe", data={"email": f"victim{number}@example.org"})
            pages.add((answer.status_code, answer.text, tuple(sorted(answer.headers.items()))))
    async with house.client(signup=limits, peer=("198.51.100.1", 1)) as web:
        await web.post("/world/subscribe", data={"email": "somebody@example.org"})
    assert len(pages) == 1
    assert await house.answered() == 6
    warned = [record for record in caplog.records if record.message == "sign-ups limited"]
    assert [vars(record)["count"] for record in warned] == ["address"]


async def test_neither_a_restart_nor_another_process_gives_more_letters(house: House) -> None:
    limits = SignupLimits(per_address=3)
    for start in range(4):
        async with house.client(signup=limits) as web:  # a new app with a memory of its own
            for number in range(3):
                await web.post("/world/subscribe", data={"email": f"v{start}-{number}@example.org"})
    assert await house.answered() == 3
    house.clock.advance(minutes=50)
    async with house.client(signup=limits) as web:
        await web.post("/world/subscribe", data={"email": "early@example.org"})
    assert await house.answered() == 0, "no hour has more than three, wherever it begins"
    house.clock.advance(minutes=20)
    async with house.client(signup=limits) as web:
        await web.post("/world/subscribe", data={"email": "later@example.org"})
    assert await house.answered() == 1


@pytest.mark.parametrize(
    ("peers", "limits", "taken"),
    [
        (["203.0.113.1", "203.0.113.2", "203.0.113.3"], {"per_network": 2}, 2),
        (["203.0.113.1", "203.0.114.1", "203.0.115.1"], {"per_network": 2}, 3),
        (["2001:db8::1", "2001:db8::2", "2001:db8::3"], {"per_address": 2}, 2),
        (["2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:3::1"], {"per_address": 2}, 3),
        (["2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:3::1"], {"per_network": 2}, 2),
        (["203.0.113.1", "198.51.100.1", "192.0.2.1"], {"in_total": 2}, 2),
    ],
)
async def test_sign_ups_are_counted_by_address_by_network_and_in_total(
    house: House, peers: list[str], limits: dict[str, int], taken: int
) -> None:
    for number, peer in enumerate(peers):
        async with house.client(signup=SignupLimits(**limits), peer=(peer, 1)) as web:
            await web.post("/world/subscribe", data={"email": f"a{number}@example.org"})
    assert await house.answered() == taken


async def test_the_counts_name_nobody(house: House) -> None:
    async with house.client(peer=("203.0.113.9", 1)) as web:
        await web.post("/world/subscribe", data={"email": "new@example.org"})
    async with house.store._database.reading() as connection:
        names = list((await connection.execute(select(budgets.c.name))).scalars())
    assert len(names) == 3
    assert "203.0.113" not in str(names)


async def test_a_form_that_was_filled_in_no_time_is_shown_once_more(house: House) -> None:
    async with house.client() as web:
        page = await web.get("/world/")
        [opened] = re.findall(r'name="opened" type="hidden" value="([^"]+)"', page.text)
        quick = await web.post("/world/subscribe", data={"email": "new@example.org", "opened": opened})
        house.clock.advance(seconds=2)
        again = await web.post("/world/subscribe", data={"email": "new@example.org", "opened": opened})
    assert quick.status_code == 422
    assert "That was quick" in quick.text
    assert 'value="new@example.org"' in quick.text
    assert f'value="{opened}"' in quick.text, "whoever presses the button again has taken their time"
    assert "Check your inbox" in again.text
    assert await house.answered() == 1


async def test_what_was_typed_is_kept_though_it_looks_like_the_place_of_the_stamp(house: House) -> None:
    async with house.client() as web:
        page = await web.post("/world/subscribe", data={"email": '@opened@ name="opened"'})
    assert 'value="@opened@ name=&#34;opened&#34;"' in page.text
    [opened] = re.findall(r'name="opened" type="hidden" value="([^"]+)"', page.text)
    assert re.fullmatch(r"\d+\.[0-9a-f]{24}", opened)


async def test_the_stamp_changes_no_validator_and_a_forged_one_says_nothing(house: House) -> None:
    async with house.client() as web:
        first = await web.get("/world/")
        house.clock.advance(minutes=5)
        second = await web.get("/world/")
        for opened in ("", "x", "9" * 15 + "." + "0" * 24, '"><script>', "1.2.3"):
            answer = await web.post(
                "/world/subscribe", data={"email": f"a{len(opened)}@example.org", "opened": opened}
            )
            assert answer.status_code == 200
        wrong = await web.post("/world/subscribe", data={"email": "no", "opened": '"><script>'})
    assert first.headers["etag"] == second.headers["etag"]
    assert first.text != second.text
    assert "<script>" not in wrong.text


async def test_a_hundred_robots_in_the_trap_make_one_line_in_the_log(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    before = await house.snapshot()
    async with house.client() as web:
        for number in range(100):
            form = {"email": f"a{number}@example.org", "website": "https://spam.example"}
            assert (await web.post("/world/subscribe", data=form)).status_code == 200
    assert [record.message for record in caplog.records].count("sign-up ignored") == 1
    assert await house.snapshot() == before


@pytest.mark.parametrize(
    "address",
    [
        "bücher@example.org",
        "用户@例子.公司",
        "user@xn--bcher-kva.example.com",
        "o'brien@example.org",
        "a+tag@example.org",
        "UPPER@EXAMPLE.ORG",
        "many.dots.in.it@sub.domain.example.org",
        "!#$%&'*+/=?^_`{|}~-@example.org",
    ],
)
async def test_unusual_and_international_addresses_are_taken(house: House, address: str) -> None:
    async with house.client() as web:
        assert (await web.post("/world/subscribe", data={"email": address})).status_code == 200
    assert await house.answered() == 1


async def test_a_scanner_that_tries_every_method_on_every_link_changes_nothing(house: House) -> None:
    paths = [
        "/world/subscribe",
        *(f"/{page}/{house.token(page, 'active')}" for page in ("unsubscribe", "preferences")),
        f"/confirm/{house.token('confirm', 'pending')}",
    ]
    before = await house.snapshot()
    async with house.client() as web:
        for path in paths:
            for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"):
                answer = await web.request(method, path, content=b"action=leave&email=a%40example.org")
                assert answer.status_code < 500
                if method == "HEAD":
                    assert answer.content == b""
    assert await house.snapshot() == before


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


async def test_a_new_request_kills_the_link_before_it(house: House) -> None:
    old = f"/confirm/{house.token('confirm', 'pending')}"
    house.clock.advance(hours=2)
    async with house.client() as web:
        await web.post("/world/subscribe", data={"email": "PIA@example.org"})
        assert await house.answered() == 1
        new = f"/confirm/{house.token('confirm', 'pending')}"
        for answer in (await web.get(old), await web.post(old)):
            assert answer.status_code == 404
        assert "You are in" in (await web.post(new)).text


async def test_a_request_that_is_not_mailed_kills_no_link(house: House) -> None:
    """Otherwise anybody could keep somebody else from ever confirming."""
    path = f"/confirm/{house.token('confirm', 'pending')}"
    house.clock.advance(minutes=30)
    async with house.client() as web:
        await web.post("/world/subscribe", data={"email": "pia@example.org"})
        assert await house.answered() == 0
        assert "You are in" in (await web.post(path)).text


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

from __future__ import annotations

from email.message import EmailMessage

import pytest
from web_house import NOW, House

pytestmark = pytest.mark.asyncio

LOCAL = {"host": "localhost:8080"}


def letter() -> bytes:
    message = EmailMessage()
    message["From"] = "The Morning Post <news@example.org>"
    message["Subject"] = "Hello <script>"
    message["List-Unsubscribe"] = "<https://digest.test/unsubscribe/x>"
    message.set_content("The text, with a <b>.")
    message.add_alternative(
        "<html><head><title>x</title></head><body><h1>Hi</h1></body></html>", subtype="html"
    )
    message.set_boundary("boundary")
    return message.as_bytes()


async def keep(house: House, body: bytes) -> int:
    await house.store.inbox.keep(
        recipient="anna@example.org", subject="Hello <script>", message_id="<1@x>", body=body, now=NOW
    )
    [kept] = await house.store.inbox.list()
    return kept.id


async def test_letters_are_listed_and_shown_with_their_html_in_a_closed_frame(house: House) -> None:
    number = await keep(house, letter())
    async with house.client(peer=("127.0.0.1", 1), dev_inbox=True) as web:
        web.headers.update(LOCAL)
        listed = await web.get("/dev/inbox")
        shown = await web.get(f"/dev/inbox/{number}")
        framed = await web.get(f"/dev/inbox/{number}/html")
        raw = await web.get(f"/dev/inbox/{number}/raw")
        missing = await web.get(f"/dev/inbox/{number + 1}")
        absurd = await web.get(f"/dev/inbox/{10**30}")
    assert f'href="/dev/inbox/{number}"' in listed.text
    assert "Hello &lt;script&gt;" in listed.text
    assert "anna@example.org" in listed.text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in shown.text
    assert "The text, with a &lt;b&gt;." in shown.text
    assert "List-Unsubscribe" in shown.text
    assert "frame-src 'self'" in shown.headers["content-security-policy"]
    assert "<h1>Hi</h1>" in framed.text
    assert '<base target="_blank">' in framed.text
    assert "sandbox" in framed.headers["content-security-policy"]
    assert "script-src" not in framed.headers["content-security-policy"]
    assert raw.content == letter()
    assert raw.headers["content-type"] == "message/rfc822"
    assert "attachment" in raw.headers["content-disposition"]
    assert (missing.status_code, absurd.status_code) == (404, 404)


async def test_a_letter_of_text_alone_and_one_of_rubbish_can_be_read(house: House) -> None:
    plain = await keep(house, b"Subject: Hi\r\n\r\nonly text")
    await house.store.inbox.keep(
        recipient="b@example.org", subject="", message_id="<2@x>", body=b"\xff\x00\r\n\r\n\xfe", now=NOW
    )
    numbers = [one.id for one in await house.store.inbox.list()]
    async with house.client(peer=("127.0.0.1", 1), dev_inbox=True) as web:
        web.headers.update(LOCAL)
        assert "only text" in (await web.get(f"/dev/inbox/{plain}")).text
        assert "<iframe" not in (await web.get(f"/dev/inbox/{plain}")).text
        for number in numbers:
            assert (await web.get(f"/dev/inbox/{number}")).status_code == 200
            assert (await web.get(f"/dev/inbox/{number}/html")).status_code == 200


@pytest.mark.parametrize(
    ("peer", "headers", "dev_inbox"),
    [
        ("127.0.0.1", {"host": "localhost"}, False),
        ("192.168.1.5", {"host": "localhost"}, True),
        ("127.0.0.1", {"host": "evil.example"}, True),
        ("127.0.0.1", {"host": "localhost", "x-forwarded-for": "127.0.0.1"}, True),
        ("127.0.0.1", {"host": "localhost", "forwarded": "for=127.0.0.1"}, True),
    ],
)
async def test_nobody_else_sees_that_there_is_an_inbox(
    house: House, peer: str, headers: dict[str, str], dev_inbox: bool
) -> None:
    number = await keep(house, letter())
    async with house.client(peer=(peer, 1), dev_inbox=dev_inbox) as web:
        nothing = (await web.get("/nobody/")).text
        for path in ("", f"/{number}", f"/{number}/html", f"/{number}/raw"):
            answer = await web.get(f"/dev/inbox{path}", headers=headers)
            assert answer.status_code == 404
            assert answer.text == nothing

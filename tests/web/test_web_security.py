from __future__ import annotations

from ipaddress import ip_address

import pytest
from starlette.requests import Request
from web_house import House

from digest.web.security import client_ip, image_url, is_local, masked, network_hash, web_url

PROXIES = ("10.0.0.0/8", "2001:db8::1", "192.0.2.7")


def request(peer: str | None, *headers: tuple[str, str]) -> Request:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return Request({"type": "http", "client": (peer, 1) if peer else None, "headers": raw})


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("198.51.100.1", [], "198.51.100.1"),
        ("198.51.100.1", ["203.0.113.9"], "198.51.100.1"),
        ("10.1.2.3", [], "10.1.2.3"),
        ("10.1.2.3", ["203.0.113.9"], "203.0.113.9"),
        ("10.1.2.3", ["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        ("10.1.2.3", ["1.1.1.1, 203.0.113.9, 10.9.9.9"], "203.0.113.9"),
        ("10.1.2.3", ["1.1.1.1", "203.0.113.9"], "203.0.113.9"),
        ("10.1.2.3", ["203.0.113.9, 192.0.2.7"], "203.0.113.9"),
        ("10.1.2.3", ["10.9.9.9"], "10.9.9.9"),
        ("10.1.2.3", ["unknown"], "10.1.2.3"),
        ("10.1.2.3", ["1.1.1.1, _hidden"], "10.1.2.3"),
        ("10.1.2.3", [""], "10.1.2.3"),
        ("2001:db8::1", ["2001:db8:5::7"], "2001:db8:5::7"),
        ("::ffff:10.1.2.3", ["203.0.113.9"], "203.0.113.9"),
        ("10.1.2.3", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("not an address", ["203.0.113.9"], None),
        (None, ["203.0.113.9"], None),
    ],
)
def test_only_a_trusted_proxy_may_say_who_is_asking(
    peer: str | None, forwarded: list[str], expected: str | None
) -> None:
    found = client_ip(request(peer, *(("x-forwarded-for", value) for value in forwarded)), PROXIES)
    assert found == (ip_address(expected) if expected else None)


def test_without_trusted_proxies_no_forwarding_header_counts() -> None:
    asked = request("198.51.100.1", ("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=203.0.113.9"))
    assert client_ip(asked, ()) == ip_address("198.51.100.1")


def test_the_network_of_a_sign_up_is_remembered_and_neither_machine_nor_network_can_be_read() -> None:
    def of(text: str, key: bytes = b"key") -> str:
        return network_hash(ip_address(text), key)

    assert of("198.51.100.1") == of("198.51.100.250")
    assert of("198.51.100.1") != of("198.51.101.1")
    assert of("2001:db8:0:aa00::1") == of("2001:db8:0:aaff::2")
    assert of("2001:db8:0:aa00::1") != of("2001:db8:0:ab00::1")
    assert of("198.51.100.1") != of("198.51.100.1", b"other")
    assert len(of("198.51.100.1")) == 32
    assert network_hash(None, b"key") == ""


@pytest.mark.asyncio
async def test_the_sign_up_of_a_visitor_behind_a_trusted_proxy_is_told_from_the_proxy(house: House) -> None:
    hashes = []
    for number, proxies in enumerate((("10.0.0.0/8",), ())):
        async with house.client(peer=("10.1.1.1", 1), trusted_proxies=proxies) as web:
            await web.post(
                "/world/subscribe",
                data={"email": f"new{number}@example.org"},
                headers={"x-forwarded-for": "203.0.113.9"},
            )
        await house.answered()
        [row] = await house.store.subscriptions.history(f"new{number}@example.org")
        hashes.append(row.evidence["ip"])
    key = house.lent.ip_key
    assert hashes == [network_hash(ip_address("203.0.113.9"), key), network_hash(ip_address("10.1.1.1"), key)]


@pytest.mark.parametrize(
    ("peer", "headers", "local"),
    [
        ("127.0.0.1", [("host", "127.0.0.1:8080")], True),
        ("127.0.0.1", [("host", "localhost")], True),
        ("127.0.0.1", [("host", "LOCALHOST:1")], True),
        ("::1", [("host", "[::1]:8080")], True),
        ("::ffff:127.0.0.1", [("host", "localhost")], True),
        ("127.8.8.8", [("host", "localhost")], True),
        ("192.168.1.5", [("host", "localhost")], False),
        (None, [("host", "localhost")], False),
        ("127.0.0.1", [], False),
        ("127.0.0.1", [("host", "evil.example")], False),
        ("127.0.0.1", [("host", "localhost.evil.example")], False),
        ("127.0.0.1", [("host", "evil.example:80@localhost")], False),
        ("127.0.0.1", [("host", "127.0.0.1.nip.example")], False),
        ("127.0.0.1", [("host", "localhost"), ("host", "evil.example")], False),
        ("127.0.0.1", [("host", "localhost:80\n")], False),
        ("127.0.0.1", [("host", "localhost"), ("x-forwarded-for", "127.0.0.1")], False),
        ("127.0.0.1", [("host", "localhost"), ("x-forwarded-host", "localhost")], False),
        ("127.0.0.1", [("host", "localhost"), ("x-forwarded-proto", "http")], False),
        ("127.0.0.1", [("host", "localhost"), ("forwarded", "for=127.0.0.1")], False),
        ("127.0.0.1", [("host", "localhost"), ("x-real-ip", "127.0.0.1")], False),
        ("127.0.0.1", [("host", "localhost"), ("via", "1.1 proxy")], False),
    ],
)
def test_local_is_who_sits_at_this_machine(
    peer: str | None, headers: list[tuple[str, str]], local: bool
) -> None:
    assert is_local(request(peer, *headers)) is local


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("anna@example.org", "a•••@e•••.org"),
        ("a@b.c.example.co.uk", "a•••@b•••.uk"),
        ("x@localhost", "x•••@l•••"),
        ("erased", "•••@e•••"),
        ("", "•••@•••"),
    ],
)
def test_a_masked_address_says_too_little_for_a_stranger(address: str, shown: str) -> None:
    assert masked(address) == shown


@pytest.mark.parametrize(
    ("url", "page", "picture"),
    [
        ("https://example.org/a", True, True),
        ("http://example.org/a", True, False),
        ("HTTPS://example.org/", True, True),
        ("javascript:alert(1)", False, False),
        ("java\nscript:alert(1)", False, False),
        ("data:text/html,x", False, False),
        ("mailto:a@example.org", False, False),
        ("//example.org/a", False, False),
        ("/local", False, False),
        ("https:", False, False),
        ("https://[broken", False, False),
        ("", False, False),
    ],
)
def test_only_web_addresses_leave_through_our_pages(url: str, page: bool, picture: bool) -> None:
    assert web_url(url).lower() == (url.lower() if page else "")
    assert image_url(url).lower() == (url.lower() if picture else "")

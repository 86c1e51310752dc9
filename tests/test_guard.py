"""The list of addresses that are never connected to."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from digest.guard import Allowed, is_host, is_public, literal

NEVER = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254 127.0.0.1 127.1.2.3 127.255.255.255
169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.8 192.0.0.170 192.0.2.1 192.31.196.1
192.52.193.1 192.88.99.1 192.168.0.1 192.168.255.255 192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.7
203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 250.1.2.3 255.255.255.255
:: ::1 ::8.8.8.8 ::7f00:1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:8.8.8.8 64:ff9b::7f00:1 64:ff9b::808:808
64:ff9b:1::1 100::1 100:0:0:1::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1
2001:1ff::1 2001:db8::1 2002:7f00:1:: 2002:808:808::1 2620:4f:8000::1 3fff::1 3ffe::1 5f00::1 fc00::1
fd12:3456::1 fe80::1 fe80::1%eth0 2606:4700::1%eth0 fec0::1 ff02::1 ff0e::1 4000::1 8000::1 e000::1 1fff::1
"""

PUBLIC = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.216.34 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1
169.253.255.255 169.255.0.1 172.15.255.255 172.32.0.0 192.0.1.1 192.0.3.1 192.167.255.255 192.169.0.1
198.17.255.255 198.20.0.0 203.0.112.255 203.0.114.0 223.255.255.255
2001:200::1 2001:4860:4860::8888 2003::1 2606:4700:4700::1111 2a00:1450:4001:80b::200e 2620:4f:8001::1 3ffd::1
"""


@pytest.mark.parametrize("address", NEVER.split())
def test_what_is_not_public_unicast_is_never_connected_to(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC.split())
def test_what_is_public_is_let_through(address: str) -> None:
    assert is_public(ip_address(address))


def test_a_host_is_an_address_with_or_without_brackets() -> None:
    assert literal("[::1]") == ip_address("::1")
    assert literal("10.0.0.1") == ip_address("10.0.0.1")
    assert literal("example.org") is None


@pytest.mark.parametrize(
    ("allowed", "host", "port", "open_"),
    [
        ("intranet.example", "intranet.example", 80, True),
        ("intranet.example", "INTRANET.example.", 8443, True),
        ("intranet.example", "www.intranet.example", 80, False),
        ("intranet.example:8080", "intranet.example", 8080, True),
        ("intranet.example:8080", "intranet.example", 80, False),
        ("127.0.0.1", "127.0.0.1", 8000, True),
        ("127.0.0.1:8000", "127.0.0.1", 8001, False),
        ("127.0.0.1", "127.0.0.2", 80, False),
        ("::1", "::1", 80, True),
        ("[::1]", "::1", 80, True),
        ("[::1]:81", "0:0:0:0:0:0:0:1", 81, True),
        ("[::1]:81", "::1", 80, False),
        ("bücher.example", "xn--bcher-kva.example", 80, True),
    ],
)
def test_the_admin_opens_one_host_and_no_other(allowed: str, host: str, port: int, open_: bool) -> None:
    assert ((host, port) in Allowed([allowed])) is open_


def test_nothing_is_allowed_by_itself() -> None:
    assert ("localhost", 80) not in Allowed()
    assert not Allowed()


@pytest.mark.parametrize(
    "host", ["example.org", "a_b.example.", "-a", "10.0.0.1", "2606:4700::1", "::1", "1.example"]
)
def test_names_and_plain_addresses_are_hosts(host: str) -> None:
    assert is_host(host)


NO_HOSTS = [
    *(
        "127.1",
        "1",
        "0",
        "0x7f000001",
        "0X7F.example.0x1",
        "017700000001",
        "127.0.0.01",
        "1.2.3.4.5",
        "256.1.1.1",
    ),
    *(
        "127.0.0.1.",
        "a..b",
        ".a",
        "",
        ".",
        "-" * 64,
        "a" * 255,
        "a b",
        "a\x00b",
        "a%41",
        "a/b",
        "a@b",
        "é.example",
    ),
    *("fe80::1%eth0", "::1%lo", "v1.fe80::1", "::ffff:1.2.3"),
]


@pytest.mark.parametrize("host", NO_HOSTS)
def test_what_is_written_to_pass_for_something_else_is_no_host(host: str) -> None:
    assert not is_host(host)

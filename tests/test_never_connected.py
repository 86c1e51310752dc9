"""Hosts that must never be connected to, in every spelling we could think of: no socket ever tries.

What counts is what Python itself reports of every `connect` (an audit hook), and two servers on loopback
that nobody visits.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from digest.guard import is_host, is_public
from digest.model import FeedError
from digest.net import Net

# The blocks of IANA's special-purpose registries, and what else is no global unicast.
BLOCKS = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.0.0/29
192.0.0.8/32 192.0.0.9/32 192.0.0.10/32 192.0.0.170/31 192.0.2.0/24 192.31.196.0/24 192.52.193.0/24
192.88.99.0/24 192.88.99.2/32 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24
224.0.0.0/4 224.0.0.0/24 232.0.0.0/8 233.252.0.0/24 239.0.0.0/8 240.0.0.0/4 255.255.255.255/32
::1/128 ::/128 ::/96 ::ffff:0:0/96 ::ffff:0:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64
2001::/23 2001::/32 2001:1::1/128 2001:1::2/128 2001:1::3/128 2001:2::/48 2001:3::/32 2001:4:112::/48
2001:10::/28 2001:20::/28 2001:30::/28 2001:db8::/32 2002::/16 2620:4f:8000::/48 3ffe::/16 3fff::/20 5f00::/16
200::/7 400::/6 800::/5 1000::/4 4000::/3 6000::/3 8000::/3 a000::/3 c000::/3 e000::/4 f000::/5 f800::/6
fc00::/7 fc00::/8 fd00::/8 fe00::/9 fe80::/10 fec0::/10 ff00::/8 ff02::/16 ff05::/16 ff0e::/16
"""
INSIDE = (
    "127.0.0.1",
    "127.8.9.10",
    "10.0.0.1",
    "169.254.169.254",
    "172.16.31.4",
    "192.168.1.1",
    "100.100.100.200",
)


def members(block: IPv4Network | IPv6Network) -> Iterator[str]:
    """The first, the last and one from the middle."""
    for offset in {0, 1, block.num_addresses // 2, block.num_addresses - 1}:
        if offset < block.num_addresses:
            yield host(block[offset])


def host(address: IPv4Address | IPv6Address) -> str:
    return f"[{address}]" if address.version == 6 else str(address)


def spellings(text: str) -> Iterator[str]:
    """One address as it can be written to pass for something else."""
    address = IPv4Address(text)
    number, parts = int(address), text.split(".")
    a, b, c, d = (int(part) for part in parts)
    yield from (str(number), hex(number), hex(number).upper(), f"0{number:o}", f"0x{number:032x}")
    yield from (f"{a}.{number & 0xFFFFFF}", f"{a}.{b}.{c << 8 | d}", f"0x{a:x}.{number & 0xFFFFFF}")
    yield from (".".join(f"0{int(part):o}" for part in parts), ".".join(hex(int(part)) for part in parts))
    yield from (".".join(f"{int(part):03d}" for part in parts), f"0{a:o}.{b}.{c}.{d}", f"{a}.{b}.{c}.0x{d:x}")
    yield from (f"{text}.", f"{text}..", f"{a}。{b}。{c}。{d}", f"{a}｡{b}｡{c}．{d}")
    yield "".join(chr(ord(letter) + 0xFEE0) if letter.isdigit() else letter for letter in text)
    yield "".join("⓪①②③④⑤⑥⑦⑧⑨"[int(letter)] if letter.isdigit() else letter for letter in text)
    yield "".join("𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗"[int(letter)] if letter.isdigit() else letter for letter in text)
    yield text.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    yield "%31%32%37.0.0.1" if text == "127.0.0.1" else "".join(f"%{ord(letter):02x}" for letter in text)
    for prefix in ("::", "::ffff:", "::ffff:0:", "64:ff9b::", "64:ff9b:1::", "::FFFF:", "0:0:0:0:0:ffff:"):
        yield f"[{prefix}{text}]"
    yield f"[::{number >> 16:x}:{number & 0xFFFF:x}]"
    yield f"[0000:0000:0000:0000:0000:FFFF:{number >> 16:04X}:{number & 0xFFFF:04X}]"
    yield f"[2002:{number >> 16:x}:{number & 0xFFFF:x}::1]"
    yield f"[2001:0:4136:e378:8000:63bf:{~number >> 16 & 0xFFFF:x}:{~number & 0xFFFF:x}]"
    yield f"[fe80::5efe:{text}]"


HOSTS = tuple(
    dict.fromkeys(
        (
            *(each for block in BLOCKS.split() for each in members(ip_network(block))),
            *(each for text in INSIDE for each in spellings(text)),
            *(
                "localhost",
                "LOCALHOST",
                "localhost.",
                "localhost..",
                "LocalHost.",
                "ⓛocalhost",
                "ｌｏｃａｌｈｏｓｔ",
            ),
            *(
                "0",
                "00000000",
                "0x",
                "0x0",
                "0.0",
                "1",
                "127.1",
                "127.0.1",
                "127.",
                "1.1.1.1.1",
                "256.256.256.256",
            ),
            *("0177.1", "0x7f.1", "0x7F.0x1", "0x7f.0.0.0x1", "017700000001", "4294967295", "4294967296"),
            *(
                "[::1%lo]",
                "[::1%25lo]",
                "[fe80::1%25eth0]",
                "[fe80::1%2]",
                "[FE80::1]",
                "[::0:1]",
                "[0:0::1]",
            ),
            *(
                "[2606:4700::1%25eth0]",
                "[v1.::1]",
                "[127.0.0.1]",
                "[::127.0.0.1%25x]",
                "[::ffff:127.0.0.1%25lo]",
            ),
            *(
                "127.0.0.1%00",
                "127.0.0.1%00.example.org",
                "127.0.0.1%0d%0a",
                "127.0.0.1%20",
                "127.0.0.1%2eexample",
            ),
            *("127.0.0.1;example.org", "127.0.0.1,example.org", "{127.0.0.1}", "127..0.1", ".127.0.0.1", "-"),
            *(
                "feeds.example",
                "printer",
                "intranet.example.",
                "a_b.example",
                "xn--ls8h.example",
                "bücher.example",
            ),
        )
    )
)  # the names in the last line lead to loopback by our resolver

URLS = (
    "http://example.org@127.0.0.1:{port}/",
    "http://example.org:80@127.0.0.1:{port}/",
    "http://example.org%40127.0.0.1:{port}/",
    "http://example.org@example.org@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@example.test/",
    "http://example.test\\@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@example.test/",
    "http://127.0.0.1:{port}?@example.test/",
    "http://127.0.0.1:{port}/@example.test/",
    "http://127.0.0.1:{port}%2f@127.0.0.1:{port}/",
    "http:/127.0.0.1:{port}/",
    "http:127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    "http:////127.0.0.1:{port}/",
    "http:\\\\127.0.0.1:{port}\\",
    "http:/\\127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "127.0.0.1:{port}/",
    "\thttp://127.0.0.1:{port}/\n",
    "ht\ntp://127.0.0.1:{port}/",
    "http://127.\n0.0.1:{port}/",
    "http://127.0.\t0.1:{port}/",
    "http://127.0.0.1\t:{port}/",
    "http://127.0.0.1 :{port}/",
    "http:// 127.0.0.1:{port}/",
    "http://127.0.0.1\x00:{port}/",
    "http://127.0.0.1\u200b:{port}/",
    "http://127.0.0.1\u00ad:{port}/",
    "http://127.0.0.1\u3000:{port}/",
    "\x00http://127.0.0.1:{port}/",
    "HTTP://127.0.0.1:{port}/",
    "hTTpS://127.0.0.1:{port}/",
    "http://127.0.0.1:0{port}/",
    "http://127.0.0.1:+{port}/",
    "http://127.0.0.1:{port}:80/",
    "http://127.0.0.1::{port}/",
    "http://[::1]:{port}@127.0.0.1:{port}/",
    "http://[::1]:{port}/",
    "http://[::1]x:{port}/",
    "http://[[::1]]:{port}/",
    "http://::1:{port}/",
    "ws://127.0.0.1:{port}/",
    "ftp://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/_GET",
    "dict://127.0.0.1:{port}/d:x",
    "file://127.0.0.1/etc/passwd",
    "tcp://127.0.0.1:{port}/",
    "unix:///var/run/docker.sock",
    "data:text/xml,<rss/>",
    "jar:http://127.0.0.1:{port}/!/",
    "feed:http://127.0.0.1:{port}/",
    "url:http://127.0.0.1:{port}/",
    "view-source:http://127.0.0.1:{port}/",
)

PUBLIC = """
1.1.1.1 8.8.8.8 9.9.9.9 9.255.255.255 11.0.0.0 93.184.216.34 99.255.255.255 100.63.255.255 100.128.0.0
126.255.255.255 128.0.0.0 151.101.1.140 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 185.199.108.153
191.255.255.255 192.0.1.0 192.0.3.0 192.31.195.255 192.31.197.0 192.52.192.255 192.52.194.0 192.88.98.255
192.88.100.0 192.167.255.255 192.169.0.0 192.175.47.255 192.175.49.0 198.17.255.255 198.20.0.0 198.51.99.255
198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255
[2001:200::1]
[2001:4860:4860::8888] [2001:db7:ffff::1] [2001:db9::1] [2003::1] [2400:cb00::1] [2606:4700::1111]
[2620:0:862:ed1a::1] [2620:4f:7fff::1] [2620:4f:8001::1] [2800::1] [2a00:1450:4001:80b::200e] [2c0f::1]
[3ffd::1]
example.org EXAMPLE.org. www.example.org a_b.example -x.example xn--bcher-kva.example 1.example
127.0.0.1.example
0x7f.example localhost.example a.b.c.d.e.f.g co.uk feeds-1.example
"""

CONNECTED: list[Any] = []


def _watch(event: str, about: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        CONNECTED.append(about[1])


sys.addaudithook(_watch)


class Resolver(AbstractResolver):
    """Answers as the system does for all that is a number in its eyes, and with loopback for every name."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
            addresses = [str(each[4][0]) for each in found]
        except (OSError, UnicodeError):
            addresses = ["127.0.0.1"]
        return [
            ResolveResult(hostname=host, host=each, port=port, family=family, proto=0, flags=0)
            for each in addresses
        ]

    async def close(self) -> None:
        return None


@contextlib.asynccontextmanager
async def nobody_may_visit() -> AsyncIterator[tuple[int, Callable[[], int]]]:
    """A port on loopback, in both families, and how many connections it saw."""
    visits = 0

    def visit(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal visits
        visits += 1
        writer.close()

    async with contextlib.AsyncExitStack() as stack:
        server = await asyncio.start_server(visit, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        await stack.enter_async_context(server)
        with contextlib.suppress(OSError):  # a machine without IPv6
            await stack.enter_async_context(await asyncio.start_server(visit, "::1", port))
        yield port, lambda: visits


def test_the_table_is_long() -> None:
    assert len(HOSTS) >= 350
    assert len(URLS) >= 50


@pytest.mark.asyncio
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_no_socket_is_ever_connected_to_any_of_them(scheme: str) -> None:
    resolver = Resolver()
    client = Net(user_agent="x", resolver=resolver, total_seconds=5)
    async with nobody_may_visit() as (port, visits):
        CONNECTED.clear()
        for host in HOSTS:
            for place in (f"{host}:{port}", host):
                with pytest.raises(FeedError) as caught:
                    await client.fetch(f"{scheme}://{place}/feed")
                assert str(caught.value).isprintable(), host
                assert CONNECTED == [], host
        assert visits() == 0
    await client.close()
    assert {"localhost", "feeds.example", "printer"} <= set(
        resolver.asked
    )  # the names came as far as the guard


@pytest.mark.asyncio
async def test_no_trick_with_an_address_gets_past() -> None:
    client = Net(user_agent="x", resolver=Resolver(), total_seconds=5)
    async with nobody_may_visit() as (port, visits):
        CONNECTED.clear()
        for url in URLS:
            with pytest.raises(FeedError):
                await client.fetch(url.format(port=port))
            assert CONNECTED == [], url
        assert visits() == 0
    await client.close()


@pytest.mark.asyncio
async def test_no_redirect_gets_there_either() -> None:
    location = ""
    served = 0

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        served += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nConnection: close\r\n\r\n".encode())
        writer.close()

    refused = 0
    async with (
        await asyncio.start_server(redirect, "127.0.0.1", 0) as server,
        nobody_may_visit() as (port, visits),
    ):
        start = server.sockets[0].getsockname()[1]
        client = Net(user_agent="x", allow=[f"127.0.0.1:{start}"], resolver=Resolver(), total_seconds=5)
        CONNECTED.clear()
        places = [f"{scheme}{host}:{port}/" for host in HOSTS for scheme in ("http://", "//")]
        tricks = [url.format(port=port) for url in URLS if url.isprintable()]
        for location in (*places, *tricks):  # noqa: B007 - what the server answers
            with pytest.raises(FeedError):
                await client.fetch(f"http://127.0.0.1:{start}/")
            refused += 1
        await client.close()
        await asyncio.sleep(0.05)
        assert set(CONNECTED) == {("127.0.0.1", start)}
        assert visits() == 0
    assert served >= refused > 700


@pytest.mark.parametrize("place", PUBLIC.split())
def test_what_is_public_passes(place: str) -> None:
    name = place.lower().strip("[]")
    assert is_host(name)
    with contextlib.suppress(ValueError):
        assert is_public(ip_address(name))

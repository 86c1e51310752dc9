"""Servers that misbehave, each in one way that has a name, and what a feed reader should make of it.

    async with misbehaving("never_answers") as urls: …

Every misdeed has a port of its own and speaks HTTP (or not) by hand. What stands in brackets above it is what
we expect: `fetched` a body, or `refused` with these words.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gzip
import json
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import brotli
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FEED = b"<rss version='2.0'><channel><title>x</title></channel></rss>"
OK = b"HTTP/1.1 200 OK\r\n"
UNPACKED = 400_000_000
"""Bytes in a bomb."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misdeed:
    do: Callable[[Visit], Awaitable[None]]
    body: bytes | None = None
    words: str = ""
    tls: str = ""


MISDEEDS: dict[str, Misdeed] = {}
Do = Callable[["Visit"], Awaitable[None]]


class Visit:
    """One connection that somebody made to us."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str) -> None:
        self.reader, self.writer, self.name = reader, writer, name
        self.port: int = writer.get_extra_info("sockname")[1]
        self.path = ""
        self.head = b""

    async def asked(self) -> str:
        """Wait for the request; its path."""
        self.head = await self.reader.readuntil(b"\r\n\r\n")
        self.path = self.head.split(b" ")[1].decode()
        return self.path

    async def say(self, *parts: bytes) -> None:
        self.writer.write(b"".join(parts))
        await self.writer.drain()

    async def say_forever(self, part: bytes, *, every: float = 0.0) -> None:
        while True:
            await self.say(part)
            await asyncio.sleep(every)

    async def silence(self) -> None:
        await asyncio.sleep(3600)

    def reset(self) -> None:
        """RST instead of FIN."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def fetched(body: bytes = FEED) -> Callable[[Do], Do]:
    """Decorates a misdeed that does no harm: this is the body that we get."""

    def register(do: Do) -> Do:
        MISDEEDS[do.__name__] = Misdeed(do=do, body=body)
        return do

    return register


def refused(words: str, *, tls: str = "") -> Callable[[Do], Do]:
    """Decorates a misdeed that costs this feed an error with these words (a regular expression)."""

    def register(do: Do) -> Do:
        MISDEEDS[do.__name__] = Misdeed(do=do, words=words, tls=tls)
        return do

    return register


def _plain(name: str, said: bytes, *, words: str = "", body: bytes | None = None, close: bool = True) -> None:
    """A misdeed that is a fixed answer."""

    async def do(visit: Visit) -> None:
        await visit.asked()
        await visit.say(said)
        if not close:
            await visit.silence()

    MISDEEDS[name] = Misdeed(do=do, words=words, body=body)


def answer(body: bytes = FEED, **headers: str) -> bytes:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return OK + f"Content-Length: {len(body)}\r\n{lines}\r\n".encode() + body


@contextlib.asynccontextmanager
async def misbehaving(*names: str, certificates: Certificates | None = None) -> AsyncIterator[dict[str, str]]:
    """The url of each, while they run."""
    tasks: set[asyncio.Task[None]] = set()
    servers: list[asyncio.Server] = []
    urls: dict[str, str] = {}

    def accepting(name: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.add(asyncio.create_task(_serve(name, reader, writer)))

        return accept

    for name in names:
        tls = MISDEEDS[name].tls
        context = certificates.context(tls) if tls and tls != "none" and certificates else None
        server = await asyncio.start_server(accepting(name), "127.0.0.1", 0, ssl=context)
        servers.append(server)
        port = server.sockets[0].getsockname()[1]
        urls[name] = f"{'https' if tls else 'http'}://127.0.0.1:{port}/"
    try:
        yield urls
    finally:
        for server in servers:
            server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.02)  # closed transports let go of their sockets


async def _serve(name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await MISDEEDS[name].do(Visit(reader, writer, name))
    except (OSError, EOFError, asyncio.LimitOverrunError):
        pass  # the client has had enough
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


# ---------------------------------------------------------------- it takes its time

LATE = "gave no complete answer within"


@refused(LATE)
async def never_answers(visit: Visit) -> None:
    await visit.silence()


@refused(LATE)
async def never_answers_but_reads(visit: Visit) -> None:
    await visit.asked()
    await visit.silence()


@refused(LATE)
async def trickles_the_status_line(visit: Visit) -> None:
    await visit.asked()
    await visit.say(b"HTTP/1.1 200 ")
    await visit.say_forever(b"O", every=0.05)


@refused(LATE)
async def trickles_headers(visit: Visit) -> None:
    await visit.asked()
    await visit.say(OK)
    await visit.say_forever(b"X: y\r\n", every=0.05)


@refused(LATE)
async def trickles_the_body(visit: Visit) -> None:
    await visit.asked()
    await visit.say(OK, b"Content-Length: 1000000\r\n\r\n")
    await visit.say_forever(b"<", every=0.05)


@refused(LATE)
async def trickles_chunks(visit: Visit) -> None:
    await visit.asked()
    await visit.say(OK, b"Transfer-Encoding: chunked\r\n\r\n")
    await visit.say_forever(b"1\r\n<\r\n", every=0.05)


@refused(LATE)
async def trickles_gzip(visit: Visit) -> None:
    await visit.asked()
    await visit.say(OK, b"Content-Encoding: gzip\r\n\r\n", gzip.compress(FEED)[:10])
    await visit.say_forever(b"\x00\x00\x00\xff\xff", every=0.05)  # empty blocks


@refused(LATE)
async def stops_in_the_headers(visit: Visit) -> None:
    await visit.asked()
    await visit.say(OK, b"Content-Ty")
    await visit.silence()


@refused(LATE)
async def stops_in_the_body(visit: Visit) -> None:
    await visit.asked()
    await visit.say(OK, b"Content-Length: 1000\r\n\r\n<rss>")
    await visit.silence()


@refused(LATE)
async def stops_in_a_chunk(visit: Visit) -> None:
    await visit.asked()
    await visit.say(OK, b"Transfer-Encoding: chunked\r\n\r\nff\r\n<rss>")
    await visit.silence()


@refused(LATE)
async def stops_before_the_last_chunk(visit: Visit) -> None:
    await visit.asked()
    await visit.say(OK, b"Transfer-Encoding: chunked\r\n\r\n5\r\n<rss>\r\n")
    await visit.silence()


@refused(LATE)
async def redirects_ever_more_slowly(visit: Visit) -> None:
    path = await visit.asked()
    await asyncio.sleep(0.15)
    await visit.say(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: ", path.encode(), b"a\r\n\r\n")


# ---------------------------------------------------------------- it does not end

ENDLESS = f"{LATE}|breaks the rules of HTTP"


@refused("larger than 15 MB")
async def endless_body(visit: Visit) -> None:
    await visit.asked()
    await visit.say(OK, b"Connection: close\r\n\r\n")
    await visit.say_forever(b"<item/>" * 10_000)


@refused("larger than 15 MB")
async def endless_chunks(visit: Visit) -> None:
    await visit.asked()
    await visit.say(OK, b"Transfer-Encoding: chunked\r\n\r\n")
    await visit.say_forever(b"10000\r\n" + b"<" * 65_536 + b"\r\n")


@refused(f"{LATE}|larger than 15 MB")
async def endless_confetti(visit: Visit) -> None:
    """Chunks of one byte: six on the line for each, and work for whoever takes them one by one."""
    await visit.asked()
    await visit.say(OK, b"Transfer-Encoding: chunked\r\n\r\n")
    await visit.say_forever(b"1\r\n<\r\n" * 10_000)


@refused(ENDLESS)
async def endless_chunk_extension(visit: Visit) -> None:
    await visit.asked()
    await visit.say(OK, b"Transfer-Encoding: chunked\r\n\r\n5;a=")
    await visit.say_forever(b"b" * 65_536)


@refused(ENDLESS)
async def endless_chunk_size(visit: Visit) -> None:
    await visit.asked()
    await visit.say(OK, b"Transfer-Encoding: chunked\r\n\r\n")
    await visit.say_forever(b"0" * 65_536)


@refused(f"{ENDLESS}|broke in the middle")
async def endless_trailers(visit: Visit) -> None:
    await visit.asked()
    await visit.say(OK, b"Transfer-Encoding: chunked\r\n\r\n0\r\n")
    await visit.say_forever(b"X-Trailer: y\r\n" * 4_000)


@refused("breaks the rules of HTTP")
async def endless_headers(visit: Visit) -> None:
    await visit.asked()
    await visit.say(OK)
    number = 0
    while True:
        await visit.say(b"".join(b"X-%d: y\r\n" % (number + each) for each in range(1000)))
        number += 1000


@refused("breaks the rules of HTTP")
async def endless_header_line(visit: Visit) -> None:
    await visit.asked()
    await visit.say(OK, b"X: ")
    await visit.say_forever(b"y" * 65_536)


@refused("breaks the rules of HTTP")
async def endless_header_name(visit: Visit) -> None:
    await visit.asked()
    await visit.say(OK)
    await visit.say_forever(b"X" * 65_536)


@refused("breaks the rules of HTTP")
async def endless_reason(visit: Visit) -> None:
    await visit.asked()
    await visit.say(b"HTTP/1.1 200 ")
    await visit.say_forever(b"O" * 65_536)


@refused(ENDLESS)
async def endless_empty_lines(visit: Visit) -> None:
    await visit.asked()
    await visit.say_forever(b"\r\n" * 30_000)


@refused(LATE)
async def continues_for_ever(visit: Visit) -> None:
    await visit.asked()
    await visit.say_forever(b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000)


@refused(LATE)
async def hints_for_ever(visit: Visit) -> None:
    await visit.asked()
    await visit.say_forever(b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n" * 500)


@refused(LATE)
async def processes_for_ever(visit: Visit) -> None:
    await visit.asked()
    await visit.say_forever(b"HTTP/1.1 102 Processing\r\n\r\n", every=0.05)


@fetched()
async def continues_a_thousand_times(visit: Visit) -> None:
    await visit.asked()
    await visit.say(b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000, answer())


@fetched()
async def hints_first(visit: Visit) -> None:
    await visit.asked()
    await visit.say(b"HTTP/1.1 103 Early Hints\r\nETag: 1\r\n\r\n", answer())


# ---------------------------------------------------------------- it is not HTTP, or nearly

RULES = "breaks the rules of HTTP"
CLOSED = "closed the connection without an answer"

_plain("http_0_9", FEED, words=RULES)
_plain("http_2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", words=RULES)
_plain("http_2_settings", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18), words=RULES)
_plain("ssh", b"SSH-2.0-OpenSSH_9.2\r\n", words=RULES)
_plain("smtp", b"220 mail.example ESMTP\r\n", words=RULES)
_plain("icecast", b"ICY 200 OK\r\nicy-name: x\r\n\r\n", words=RULES)
_plain("rtsp", b"RTSP/1.0 200 OK\r\n\r\n", body=b"")
_plain("a_request", b"GET / HTTP/1.1\r\nHost: you\r\n\r\n", words=RULES)
_plain("zeros", bytes(5_000), words=RULES)
_plain("bytes_of_all_kinds", bytes(range(256)) * 20, words=RULES)
_plain("status_of_letters", b"HTTP/1.1 abc OK\r\n\r\n", words=RULES)
_plain("status_of_two_digits", b"HTTP/1.1 20 OK\r\n\r\n", words=RULES)
_plain("status_of_four_digits", b"HTTP/1.1 2000 OK\r\n\r\n", words=RULES)
_plain("negative_status", b"HTTP/1.1 -200 OK\r\n\r\n", words=RULES)
_plain("status_zero", b"HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n", words=f"{RULES}|cannot use")
_plain("no_version", b"HTTP 200 OK\r\nContent-Length: 0\r\n\r\n", words=RULES)
_plain("version_of_the_future", b"HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n", words=RULES)
_plain("an_endless_version", b"HTTP/1." + b"1" * 10_000 + b" 200 OK\r\n\r\n", words=RULES)
_plain("says_nothing_and_closes", b"", words=CLOSED)
_plain("closes_in_the_status_line", b"HTTP/1.1 20", words=f"{CLOSED}|{RULES}")
_plain("closes_in_the_headers", OK + b"Content-Type: a", words=f"{CLOSED}|{RULES}")

_plain("no_reason", b"HTTP/1.1 200\r\nContent-Length: 60\r\n\r\n" + FEED, body=FEED)
_plain("http_1_0", b"HTTP/1.0 200 OK\r\n\r\n" + FEED, body=FEED)
_plain("lines_end_in_lf", b"HTTP/1.1 200 OK\nContent-Length: 60\n\n" + FEED, body=FEED)
_plain("lines_end_in_cr", b"HTTP/1.1 200 OK\rContent-Length: 60\r\r" + FEED, words=f"{RULES}|{CLOSED}")


@fetched()
async def answers_before_it_is_asked(visit: Visit) -> None:
    await visit.say(answer())
    await visit.asked()


@refused(f"{CLOSED}|failed")
async def closes_before_it_is_asked(visit: Visit) -> None:
    return


@refused("failed|no connection|closed the connection")
async def resets_before_it_is_asked(visit: Visit) -> None:
    visit.reset()


@refused("failed|closed the connection")
async def resets_when_asked(visit: Visit) -> None:
    await visit.asked()
    visit.reset()


@refused("failed|closed the connection")
async def resets_in_the_headers(visit: Visit) -> None:
    await visit.asked()
    await visit.say(OK, b"Content-Type: ")
    await asyncio.sleep(0.05)
    visit.reset()


@refused("broke in the middle|failed")
async def resets_in_the_body(visit: Visit) -> None:
    await visit.asked()
    await visit.say(OK, b"Content-Length: 1000\r\n\r\n<rss>")
    await asyncio.sleep(0.05)
    visit.reset()


@refused("broke in the middle|failed")
async def resets_in_a_body_of_no_length(visit: Visit) -> None:
    await visit.asked()
    await visit.say(OK, b"\r\n<rss>")
    await asyncio.sleep(0.05)
    visit.reset()


# ---------------------------------------------------------------- statuses

CANNOT_USE = "an answer that we cannot use"

for _status, _words in {
    "101 Switching Protocols": CANNOT_USE,
    "204 No Content": "sends nothing, or only a part",
    "205 Reset Content": "sends nothing, or only a part",
    "206 Partial Content": "sends nothing, or only a part",
    "300 Multiple Choices": CANNOT_USE,
    "304 Not Modified": "though we never read it",
    "305 Use Proxy": CANNOT_USE,
    "306 Unused": CANNOT_USE,
    "401 Unauthorized": "a name and a password",
    "402 Payment Required": CANNOT_USE,
    "403 Forbidden": "does not let us read",
    "404 Not Found": "no feed at this address",
    "407 Proxy Authentication Required": "a name and a password",
    "410 Gone": "gone for good",
    "418 I'm a teapot": CANNOT_USE,
    "421 Misdirected Request": CANNOT_USE,
    "429 Too Many Requests": "we ask too often",
    "451 Unavailable For Legal Reasons": "does not let us read",
    "500 Internal Server Error": "a fault of its own",
    "503 Service Unavailable": "a fault of its own",
    "511 Network Authentication Required": "a fault of its own",
    "600 Beyond": "a fault of its own",
    "999 Request Denied": "a fault of its own",
}.items():
    _plain(
        f"status_{_status[:3]}",
        f"HTTP/1.1 {_status}\r\nContent-Length: 0\r\nWWW-Authenticate: Basic realm=x\r\n"
        "Upgrade: h2c\r\nConnection: upgrade\r\n\r\n".encode(),
        words=_words,
    )
_plain(
    "error_of_a_gigabyte", b"HTTP/1.1 404 No\r\nContent-Length: 1000000000\r\n\r\n<", words="no feed at this"
)
_plain("success_of_another_kind", b"HTTP/1.1 203 Hm\r\nContent-Length: 60\r\n\r\n" + FEED, body=FEED)

# ---------------------------------------------------------------- lengths and chunks

BROKE = "broke in the middle"

_plain("length_too_long", OK + b"Content-Length: 1000\r\n\r\n" + FEED, words=BROKE)
_plain("length_too_short", OK + b"Content-Length: 10\r\n\r\n" + FEED, words=RULES)
_plain("two_lengths", OK + b"Content-Length: 60\r\nContent-Length: 10\r\n\r\n" + FEED, words=RULES)
_plain("length_twice", OK + b"Content-Length: 60\r\nContent-Length: 60\r\n\r\n" + FEED, words=RULES)
_plain("length_as_a_list", OK + b"Content-Length: 60, 60\r\n\r\n" + FEED, words=RULES)
_plain("negative_length", OK + b"Content-Length: -1\r\n\r\n" + FEED, words=RULES)
_plain("length_with_a_plus", OK + b"Content-Length: +60\r\n\r\n" + FEED, words=RULES)
_plain("length_in_hex", OK + b"Content-Length: 0x3c\r\n\r\n" + FEED, words=RULES)
_plain("length_without_number", OK + b"Content-Length:\r\n\r\n" + FEED, words=RULES)
_plain("length_of_a_galaxy", OK + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n" + FEED, words=RULES)
_plain("length_of_a_terabyte", OK + b"Content-Length: 1000000000000\r\n\r\n", words="larger than 15 MB")
_plain("length_and_chunks",
       OK + b"Content-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n3c\r\n" + FEED + b"\r\n0\r\n\r\n",
       words=RULES)  # fmt: skip

CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BAD_CHUNK = f"{BROKE}|{RULES}"
_plain("chunk_of_no_number", CHUNKED + b"zz\r\n" + FEED, words=BAD_CHUNK)
_plain("chunk_of_negative_size", CHUNKED + b"-5\r\n" + FEED, words=BAD_CHUNK)
_plain("chunk_with_0x", CHUNKED + b"0x3c\r\n" + FEED + b"\r\n0\r\n\r\n", words=BAD_CHUNK)
_plain("chunk_of_a_galaxy", CHUNKED + b"f" * 20 + b"\r\n" + FEED, words=BAD_CHUNK)
_plain("chunk_of_an_exabyte", CHUNKED + b"fffffffffffffff\r\n" + FEED, words=BROKE)
_plain("chunk_longer_than_it_says", CHUNKED + b"5\r\n" + FEED + b"\r\n0\r\n\r\n", words=BAD_CHUNK)
_plain("chunks_without_end", CHUNKED + b"3c\r\n" + FEED + b"\r\n", words=BROKE)
_plain("chunked_in_name_only", CHUNKED + FEED, words=BAD_CHUNK)
_plain("another_transfer_coding", OK + b"Transfer-Encoding: gzip\r\n\r\n" + gzip.compress(FEED), body=FEED)
_plain("chunked_twice", OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n3c\r\n" + FEED + b"\r\n0\r\n\r\n",
       body=FEED)  # fmt: skip
_plain("chunk_with_extension", CHUNKED + b"3c;a=b\r\n" + FEED + b"\r\n0\r\nX-After: y\r\n\r\n", body=FEED)

_plain("empty_body", answer(b""), body=b"")
_plain("no_length", OK + b"\r\n" + FEED, body=FEED)

# ---------------------------------------------------------------- headers

COOKIE = b"Set-Cookie: a=b; Domain=.example\r\n"
_plain("header_of_a_megabyte", OK + b"X: " + b"y" * 1_000_000 + b"\r\n\r\n", words=RULES)
_plain("ten_thousand_headers", OK + b"".join(b"X-%d: y\r\n" % each for each in range(10_000)) + b"\r\n",
       words=RULES)  # fmt: skip
_plain("hundred_cookies", OK + COOKIE * 100 + b"Content-Length: 60\r\n\r\n" + FEED,
       body=FEED)  # fmt: skip
_plain("header_without_colon", OK + b"What is this\r\nContent-Length: 60\r\n\r\n" + FEED, words=RULES)
_plain("header_without_name", OK + b": x\r\nContent-Length: 60\r\n\r\n" + FEED, words=RULES)
_plain("header_with_nul", OK + b"X: a\x00b\r\nContent-Length: 60\r\n\r\n" + FEED, words=RULES)
_plain("folded_header", OK + b"X: a\r\n b\r\nContent-Length: 60\r\n\r\n" + FEED, body=FEED)
_plain("header_in_latin_1", OK + b'ETag: "caf\xe9"\r\nContent-Length: 60\r\n\r\n' + FEED, body=FEED)
_plain("odd_validators",
       OK + b"ETag: W/\r\nLast-Modified: \xf0\x9f\x98\x80\r\nContent-Length: 60\r\n\r\n" + FEED,
       body=FEED)  # fmt: skip
_plain(
    "freshness_of_nonsense",
    answer(Cache_Control="max-age=" + "9" * 500 + ',="" ,,,"', Expires="-1", Age="ten", Date="never"),
    body=FEED,
)
_plain("lies_about_its_type", answer(Content_Type="image/png; charset=\xff; charset=utf-8"), body=FEED)
_plain("type_of_60_kilobytes", answer(Content_Type="a" * 60_000), body=FEED)

# ---------------------------------------------------------------- redirects


def _redirect(name: str, location: bytes | None, words: str) -> None:
    where = b"" if location is None else b"Location: " + location + b"\r\n"
    _plain(f"redirects_{name}", b"HTTP/1.1 302 Found\r\n" + where + b"Content-Length: 0\r\n\r\n", words=words)


NOT_THE_WEB = "only http and https"
NOT_AN_ADDRESS = "not a web address|not the name or address of a host"

_redirect("nowhere", None, "without saying where")
_redirect("to_nothing", b"", "without saying where")
_redirect("to_itself", b"/", "in circles")
_redirect("to_ftp", b"ftp://127.0.0.1/feed", NOT_THE_WEB)
_redirect("to_a_file", b"file:///etc/passwd", NOT_THE_WEB)
_redirect("to_javascript", b"javascript:alert(1)", NOT_THE_WEB)
_redirect("to_data", b"data:text/xml,<rss/>", NOT_THE_WEB)
_redirect("to_gopher", b"gopher://127.0.0.1:25/_HELO", NOT_THE_WEB)
_redirect("to_no_host", b"http:///etc", "in circles")  # RFC 3986 5.2.2: read as `/etc`
_redirect("to_a_bad_port", b"http://a.example:99999/", NOT_AN_ADDRESS)
_redirect("to_port_zero", b"http://127.0.0.1:0/", NOT_AN_ADDRESS)
_redirect("to_half_an_address", b"http://[::1", NOT_AN_ADDRESS)
_redirect("to_a_backslash", b"http://a.example\\@127.0.0.1/", NOT_AN_ADDRESS)
_redirect("to_100_kilobytes", b"/" + b"a" * 50_000, "longer than 8000 characters")
_redirect("to_the_metadata_service", b"http://169.254.169.254/latest/", "not a public address")
_redirect("to_loopback_in_decimal", b"http://2130706433/", NOT_AN_ADDRESS)
_redirect("to_loopback_of_ipv6", b"http://[::1]/", "not a public address")
_redirect("to_mapped_loopback", b"http://[::ffff:127.0.0.2]/", "not a public address")
_redirect("to_a_router", b"//192.168.1.1/", "not a public address")
_redirect("with_a_disguise", b"http://example.org@10.0.0.1/", "not a public address")


@refused("in circles")
async def redirects_in_circles(visit: Visit) -> None:
    path = await visit.asked()
    to = b"/b" if path == "/a" else b"/a"
    await visit.say(b"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\nLocation: ", to, b"\r\n\r\n")


@refused("more than 10 redirects")
async def redirects_ever_on(visit: Visit) -> None:
    while path := await visit.asked():
        await visit.say(b"HTTP/1.1 307 On\r\nContent-Length: 0\r\nLocation: ", path.encode(), b"a\r\n\r\n")


@refused("in circles")
async def redirects_with_an_endless_body(visit: Visit) -> None:
    await visit.asked()
    await visit.say(b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n")
    await visit.say_forever(b"<" * 65_536)


@fetched()
async def redirects_with_a_cookie(visit: Visit) -> None:
    while path := await visit.asked():
        if path == "/in":
            assert b"cookie" not in visit.head.lower()
            assert b"referer" not in visit.head.lower()
            await visit.say(answer())
        else:
            await visit.say(
                b"HTTP/1.1 302 Found\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\nLocation: /in\r\n\r\n"
            )


# ---------------------------------------------------------------- codings


@functools.cache
def bomb(coding: str) -> bytes:
    """Half a gigabyte of zeros, packed; `gzip3`: three times over."""
    zeros = bytes(1_000_000)
    if coding == "br":
        packer = brotli.Compressor(quality=1)
        packed = b"".join(packer.process(zeros) for _ in range(UNPACKED // len(zeros)))
        return packed + bytes(packer.finish())
    if coding == "zstd":
        tight = zstd.ZstdCompressor(3)
        packed = b"".join(tight.compress(zeros) for _ in range(UNPACKED // len(zeros)))
        return packed + tight.flush()
    if coding == "gzip3":
        return gzip.compress(gzip.compress(bomb("gzip"), 9), 9)
    loose = zlib.compressobj(1, wbits=31 if coding == "gzip" else 15)
    packed = b"".join(loose.compress(zeros) for _ in range(UNPACKED // len(zeros)))
    return packed + loose.flush()


@functools.cache
def swelling() -> bytes:
    """Small outside, a hundred megabytes of empty gzip files in the middle, and nothing inside."""
    empty = gzip.compress(b"", mtime=0) * 50_000
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(empty) for _ in range(100)) + packer.flush()


@functools.cache
def wide() -> bytes:
    """A zstd frame that asks for a window of 128 MB (RFC 9659 allows 8)."""
    options = {zstd.CompressionParameter.window_log: 27}
    packer = zstd.ZstdCompressor(options=options)
    return packer.compress(FEED) + packer.flush()


def _packed(
    name: str, coding: str, make: Callable[[], bytes], *, words: str = "", body: bytes | None = None
) -> None:
    async def do(visit: Visit) -> None:
        await visit.asked()
        packed = make()
        head = f"Content-Encoding: {coding}\r\n" if coding else ""
        await visit.say(OK, f"Content-Length: {len(packed)}\r\n{head}\r\n".encode(), packed)

    MISDEEDS[name] = Misdeed(do=do, words=words, body=body)


UNPACK = "could not be unpacked"
BIG = "larger than 15 MB"
_packed("gzip_bomb", "gzip", lambda: bomb("gzip"), words=BIG)
_packed("gzip_bomb_in_secret", "", lambda: bomb("gzip"), words=BIG)
_packed("gzip_bomb_of_three_layers", "gzip, gzip, gzip", lambda: bomb("gzip3"), words=BIG)
_packed("deflate_bomb", "deflate", lambda: bomb("deflate"), words=BIG)
_packed("brotli_bomb", "br", lambda: bomb("br"), words=BIG)
_packed("zstd_bomb", "zstd", lambda: bomb("zstd"), words=BIG)
_packed("swelling_in_the_middle", "gzip, gzip", swelling, words=UNPACK)
_packed("zstd_of_a_wide_window", "zstd", wide, words=UNPACK)
_packed("gzip_broken_in_the_middle", "gzip",
        lambda: gzip.compress(FEED * 500)[:60] + b"\xff" * 500, words=UNPACK)  # fmt: skip
_packed("gzip_of_a_wrong_sum", "gzip", lambda: gzip.compress(FEED)[:-8] + bytes(8), words=UNPACK)
_packed("gzip_cut_short", "gzip", lambda: gzip.compress(FEED)[:-8], body=FEED)
_packed("gzip_and_more", "gzip", lambda: gzip.compress(FEED) + b"<!-- served in 3 ms -->", body=FEED)
_packed("gzip_unsaid", "", lambda: gzip.compress(FEED), body=FEED)
_packed("gzip_in_name_only", "gzip", lambda: FEED, body=FEED)
_packed("brotli_in_name_only", "br", lambda: FEED, body=FEED)
_packed("zstd_in_name_only", "zstd", lambda: FEED, body=FEED)
_packed("brotli_broken", "br", lambda: brotli.compress(FEED)[:20] + b"\xff" * 99, words=UNPACK)
_packed("zstd_broken", "zstd", lambda: zstd.compress(FEED)[:20] + b"\xff" * 99, words=UNPACK)
_packed("zstd_in_frames", "zstd", lambda: zstd.compress(FEED[:30]) + zstd.compress(FEED[30:]), body=FEED)
_packed("raw_deflate", "deflate", lambda: zlib.compress(FEED)[2:-4], body=FEED)
_packed("packed_by_nobody_knows_what", "sdch", lambda: FEED, words=UNPACK)
_packed("packed_four_times", "gzip, gzip, gzip, gzip", lambda: FEED, words=UNPACK)
_packed("packed_in_another_order", "gzip, br", lambda: gzip.compress(brotli.compress(FEED)), words=UNPACK)


@refused(UNPACK)
async def endless_empty_gzip_files(visit: Visit) -> None:
    await visit.asked()
    await visit.say(OK, b"Content-Encoding: gzip\r\n\r\n")
    await visit.say_forever(gzip.compress(b"", mtime=0) * 3_000)


# ---------------------------------------------------------------- TLS

NO_TLS = "no secure connection|failed"


@refused(NO_TLS, tls="none")
async def tls_of_garbage(visit: Visit) -> None:
    await visit.say(b"\x16\x03\x01\xff\xff" + b"\x00" * 500)


@refused(NO_TLS, tls="none")
async def tls_port_speaks_plainly(visit: Visit) -> None:
    await visit.say(b"HTTP/1.1 400 This port speaks plain HTTP\r\n\r\n")


@refused(NO_TLS, tls="none")
async def tls_alert(visit: Visit) -> None:
    await visit.reader.read(5)
    await visit.say(b"\x15\x03\x03\x00\x02\x02\x28")


@refused(f"{LATE}|in time", tls="none")
async def tls_silence(visit: Visit) -> None:
    await visit.silence()


@refused(f"{NO_TLS}|no connection", tls="none")
async def tls_closes(visit: Visit) -> None:
    await visit.reader.read(5)


@refused("certificate of 127.0.0.1 is not valid", tls="self-signed")
async def tls_signed_by_itself(visit: Visit) -> None:
    await visit.asked()


@refused("certificate of 127.0.0.1 is not valid", tls="expired")
async def tls_expired(visit: Visit) -> None:
    await visit.asked()


class Certificates:
    """Certificates that nobody else signed, made when they are needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, name: str) -> Path:
        path = self._folder / f"{name}.pem"
        path.write_bytes(_certificate(name))
        return path

    def context(self, name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path(name))
        return context


@functools.cache
def _certificate(name: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    end = datetime.now(UTC) + timedelta(days=-1 if name == "expired" else 1)
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    names = [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("*.feeds.example")]
    uses = dict.fromkeys(
        (
            *("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign"),
            *("encipher_only", "decipher_only"),
        ),
        False,
    )
    made = (
        x509.CertificateBuilder(who, who, key.public_key(), x509.random_serial_number())
        .not_valid_before(end - timedelta(days=9))
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=True, **uses), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM) + key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


# ---------------------------------------------------------------- all of them, in a process of their own


@contextlib.contextmanager
def elsewhere() -> Iterator[dict[str, str]]:
    """All of them, and `ordinary`, in another process: what they do costs our loop nothing."""
    command = [sys.executable, __file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()  # it ends when nobody holds the other end
            process.stdout.close()
            process.kill()


async def _serve_all() -> None:
    @fetched()
    async def ordinary(visit: Visit) -> None:
        while await visit.asked():
            await asyncio.sleep(0.05)
            await visit.say(answer())

    for make in (functools.partial(bomb, each) for each in ("gzip", "deflate", "br", "zstd", "gzip3")):
        make()
    swelling()
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)
    with tempfile.TemporaryDirectory() as folder:
        async with misbehaving(*MISDEEDS, certificates=Certificates(Path(folder))) as urls:
            print(json.dumps(urls), flush=True)  # noqa: T201 - it is what we were started for
            await ended.wait()


if __name__ == "__main__":
    asyncio.run(_serve_all())

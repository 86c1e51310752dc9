"""The guarded way out, against servers that behave badly in every way we could think of."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import brotli
import pytest

from digest.model import FeedError, Fetched
from digest.net import Net
from digest.ways import guarded_socket
from web_server import FEED, Book, Handler, Request, answer, by_path, serving

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
AGENT = "Digest/1 (+https://digest.example/)"


@contextlib.asynccontextmanager
async def net(*allow: str, **settings: object) -> AsyncIterator[Net]:
    client = Net(user_agent=AGENT, allow=allow, clock=lambda: NOW, **settings)  # type: ignore[arg-type]
    try:
        yield client
    finally:
        await client.close()


async def fetch(handler: Handler, **options: object) -> Fetched:
    async with serving(handler) as server, net("127.0.0.1") as client:
        return await client.fetch(server.url, **options)  # type: ignore[arg-type]


# ---------------------------------------------------------------- what goes well


@pytest.mark.asyncio
async def test_a_feed_comes_with_all_that_its_server_said() -> None:
    handler = answer(
        ETag='W/"é-1"',
        Last_Modified="Sun, 22 Nov 2026 10:00:00 GMT",
        Content_Type="application/rss+xml; charset=utf-8",
        Cache_Control="public, max-age=900",
        Set_Cookie="id=1",
    )
    async with serving(handler) as server, net("127.0.0.1") as client:
        found = await client.fetch(server.url)
        await client.fetch(server.url, etag=found.etag, last_modified=found.last_modified)
    assert found == Fetched(
        url=server.url,
        status=200,
        body=FEED,
        content_type="application/rss+xml; charset=utf-8",
        etag='W/"é-1"',
        last_modified="Sun, 22 Nov 2026 10:00:00 GMT",
        permanent_url=None,
        max_age=timedelta(minutes=15),
    )
    first, second = (request.headers for request in server.requests)
    assert first["user-agent"] == AGENT
    assert "application/atom+xml" in first["accept"]
    assert "gzip" in first["accept-encoding"]
    assert "if-none-match" not in first
    assert second["if-none-match"].encode("latin-1").decode() == 'W/"é-1"'
    assert second["if-modified-since"] == "Sun, 22 Nov 2026 10:00:00 GMT"
    assert "cookie" not in second


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("etag", "last_modified"),
    [
        ("unquoted", "never"),
        ('W/"a b  c"', "Sun, 32 Foo 99"),
        ('""', "0"),
        ('"a", "b"', "2026-11-22T10:00:00Z"),
        ("W/", "é"),
    ],
)
async def test_odd_validators_go_back_as_they_came(etag: str, last_modified: str) -> None:
    async with serving(answer(ETag=etag, Last_Modified=last_modified)) as server, net("127.0.0.1") as client:
        found = await client.fetch(server.url)
        await client.fetch(server.url, etag=found.etag, last_modified=found.last_modified)
    sent = server.requests[1].headers
    assert sent["if-none-match"].encode("latin-1").decode() == etag
    assert sent["if-modified-since"].encode("latin-1").decode() == last_modified
    assert "referer" not in sent


@pytest.mark.asyncio
async def test_freshness_is_read_of_every_line_and_of_answers_without_a_body() -> None:
    async def two_lines(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 304 No\r\nCache-Control: public\r\nCache-Control: max-age=90\r\nAge: 30\r\n\r\n"
        )

    assert (await fetch(two_lines, etag='"a"')).max_age == timedelta(minutes=1)
    expires = answer(Expires="Sun, 22 Nov 2026 12:30:00 GMT", Date="Sun, 22 Nov 2026 12:10:00 GMT")
    assert (await fetch(expires)).max_age == timedelta(minutes=20)
    assert (await fetch(answer(Expires="-1"))).max_age is None


@pytest.mark.asyncio
async def test_not_modified_has_no_body_and_keeps_the_validators() -> None:
    found = await fetch(answer(b"", status="304 Not Modified"), etag='"a"', last_modified="yesterday")
    assert (found.status, found.body, found.etag, found.last_modified) == (304, None, '"a"', "yesterday")
    found = await fetch(answer(b"", status="304 Not Modified", ETag='"b"'), etag='"a"')
    assert found.etag == '"b"'


@pytest.mark.asyncio
async def test_not_modified_without_having_asked_is_an_error() -> None:
    with pytest.raises(FeedError, match="never read it"):
        await fetch(answer(b"", status="304 Not Modified"))


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("coding", "packed"),
    [("gzip", gzip.compress(FEED, mtime=0)), ("br", brotli.compress(FEED)), ("gzip", FEED)],
)
async def test_what_is_packed_is_unpacked(coding: str, packed: bytes) -> None:
    assert (await fetch(answer(packed, Content_Encoding=coding))).body == FEED


@pytest.mark.asyncio
async def test_long_headers_are_no_error() -> None:
    found = await fetch(answer(Content_Security_Policy="script-src " + "https://a.example " * 1500))
    assert found.body == FEED


@pytest.mark.asyncio
async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert (await fetch(answer())).body == FEED


# ---------------------------------------------------------------- redirects


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("statuses", "moved"),
    [
        (["301"], True),
        (["308", "301"], True),
        (["301", "302"], False),
        (["302", "301"], False),
        (["307"], False),
    ],
)
async def test_a_move_is_permanent_only_if_every_hop_is(statuses: list[str], moved: bool) -> None:
    hops = {
        "start" if number == 0 else f"hop{number}": answer(
            b"", status=f"{status} Moved", Location=f"/hop{number + 1}?a=b#part"
        )
        for number, status in enumerate(statuses)
    }
    hops |= {f"hop{number}?a=b": handler for number, handler in enumerate(hops.values()) if number}
    last = f"hop{len(statuses)}?a=b"
    async with serving(by_path(**hops, **{last: answer()})) as server, net("127.0.0.1") as client:
        found = await client.fetch(server.url)
    assert found.body == FEED
    assert found.url == f"{server.url}{last}"
    assert found.permanent_url == (found.url if moved else None)


@pytest.mark.asyncio
async def test_there_are_ten_redirects_and_no_more() -> None:
    async def on_and_on(request: Request, writer: asyncio.StreamWriter) -> None:
        number = int(request.path.strip("/") or 0)
        if request.path == "/110":
            await answer()(request, writer)
        else:
            await answer(b"", status="302 Found", Location=f"/{number + 1}")(request, writer)

    async with serving(on_and_on) as server, net("127.0.0.1") as client:
        assert (await client.fetch(f"{server.url}100")).body == FEED
        with pytest.raises(FeedError, match="more than 10 redirects"):
            await client.fetch(f"{server.url}99")
    assert len(server.requests) == 11 + 11


@pytest.mark.asyncio
async def test_a_circle_is_seen_before_that() -> None:
    async with (
        serving(answer(b"", status="302 Found", Location="/")) as server,
        net("127.0.0.1") as client,
    ):
        with pytest.raises(FeedError, match="in circles"):
            await client.fetch(server.url)
    assert len(server.requests) == 2


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("file:///etc/passwd", "only http and https"),
        ("ftp://127.0.0.1/feed", "only http and https"),
        ("gopher://127.0.0.1:70/_x", "only http and https"),
        ("javascript:alert(1)", "only http and https"),
        ("http://[bad", "not a web address"),
        ("http://a.example:99999/", "not a web address"),
    ],
)
async def test_a_redirect_to_what_is_not_the_web_is_refused(location: str, words: str) -> None:
    with pytest.raises(FeedError, match=words):
        await fetch(answer(b"", status="302 Found", Location=location))


@pytest.mark.asyncio
async def test_a_redirect_to_nowhere_is_an_error_in_words() -> None:
    with pytest.raises(FeedError, match="no Location"):
        await fetch(answer(b"", status="302 Found"))


@pytest.mark.asyncio
async def test_a_redirect_in_raw_utf8_is_followed() -> None:
    first = answer(b"", status="302 Found", Location="/größe")
    hops = {"start": first, "gr%C3%B6%C3%9Fe": answer()}
    async with serving(by_path(**hops)) as server, net("127.0.0.1") as client:
        assert (await client.fetch(server.url)).body == FEED


@pytest.mark.asyncio
async def test_credentials_stay_with_their_host() -> None:
    async with serving(answer()) as other:
        hops = by_path(
            start=answer(b"", status="301 Moved", Location="/same"),
            same=answer(b"", status="301 Moved", Location=f"http://evil:word@127.0.0.1:{other.port}/"),
        )
        async with serving(hops) as server, net("127.0.0.1") as client:
            found = await client.fetch(f"http://me:secret@127.0.0.1:{server.port}/")
    assert [request.headers.get("authorization") for request in server.requests] == ["Basic bWU6c2VjcmV0"] * 2
    assert "authorization" not in other.requests[0].headers
    assert found.permanent_url == other.url


@pytest.mark.asyncio
async def test_a_move_on_the_same_host_keeps_its_credentials_but_shows_them_nowhere() -> None:
    hops = by_path(start=answer(b"", status="301 Moved", Location="/new"), new=answer())
    async with serving(hops) as server, net("127.0.0.1") as client:
        found = await client.fetch(f"http://me:secret@127.0.0.1:{server.port}/")
    assert found.url == f"{server.url}new"
    assert found.permanent_url == f"http://me:secret@127.0.0.1:{server.port}/new"


# ---------------------------------------------------------------- the address guard


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "169.254.169.254",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "10.1.2.3",
        "0.0.0.0",
    ],
)
async def test_a_literal_address_inside_is_refused(host: str) -> None:
    async with net() as client:
        with pytest.raises(FeedError, match=r"not a public address.*fetch\.allow"):
            await client.fetch(f"http://{host}/feed")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "localhost", "127.0.0.1."]
)
async def test_an_address_in_disguise_is_refused_too(host: str) -> None:
    async with serving(answer()) as server, net() as client:
        with pytest.raises(FeedError):
            await client.fetch(f"http://{host}:{server.port}/")
    assert server.connections == 0


@pytest.mark.asyncio
@pytest.mark.parametrize("target", ["127.0.0.1", "169.254.169.254", "other.example", "[::1]"])
async def test_one_allowed_host_opens_no_door_to_others(target: str) -> None:
    book = Book(feeds_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]])
    async with serving(answer()) as inside:
        location = f"http://{target}:{inside.port}/"
        async with (
            serving(answer(b"", status="302 Found", Location=location)) as server,
            net("feeds.example", resolver=book) as client,
        ):
            with pytest.raises(FeedError, match="not a public address"):
                await client.fetch(f"http://feeds.example:{server.port}/")
    assert len(server.requests) == 1
    assert inside.connections == 0


@pytest.mark.asyncio
async def test_allowing_a_port_allows_no_other_port() -> None:
    async with serving(answer()) as server, net(f"127.0.0.1:{server.port}") as client:
        assert (await client.fetch(server.url)).body == FEED
        with pytest.raises(FeedError, match="not a public address"):
            await client.fetch(f"http://127.0.0.1:{server.port + 1}/")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["93.184.216.34", "127.0.0.1"],
        ["127.0.0.1", "93.184.216.34"],
        ["2606:4700::1111", "::1"],
        ["93.184.216.34", "::ffff:10.0.0.1"],
    ],
)
async def test_a_name_with_any_answer_inside_is_refused(addresses: list[str]) -> None:
    async with serving(answer()) as server, net(resolver=Book(mixed_example=[addresses])) as client:
        with pytest.raises(FeedError, match=r"mixed\.example is not a public address"):
            await client.fetch(f"http://mixed.example:{server.port}/")
    assert server.connections == 0


@pytest.mark.asyncio
async def test_a_name_that_changes_its_mind_gains_nothing() -> None:
    # 2e00::/7 is unicast that nobody was given: connecting to it fails at once or not in time.
    book = Book(rebind_example=[["2e00::1"], ["127.0.0.1"]])
    async with serving(answer()) as server, net(resolver=book, connect_seconds=0.3) as client:
        with pytest.raises(FeedError, match=r"rebind\.example") as caught:
            await client.fetch(f"http://rebind.example:{server.port}/")
        assert "not a public address" not in str(caught.value)
        assert book.asked == ["rebind.example"]  # asked once: what was checked is what was connected to
        with pytest.raises(FeedError):
            await client.fetch(f"http://rebind.example:{server.port + 1}/")
    assert server.connections == 0


def test_the_last_look_is_at_the_socket_whatever_led_there() -> None:
    for family, address in (
        (socket.AF_INET, "127.0.0.1"),
        (socket.AF_INET6, "::1"),
        (socket.AF_INET, "a.example"),
    ):
        with pytest.raises(OSError, match="not a public address"):
            guarded_socket((family, socket.SOCK_STREAM, 0, "", (address, 80)))
    with guarded_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("93.184.216.34", 80))) as made:
        assert not made.getblocking()


@pytest.mark.asyncio
async def test_an_unknown_name_is_told_in_words() -> None:
    async with net(resolver=Book()) as client:
        with pytest.raises(FeedError, match=r"the name nowhere\.example leads nowhere"):
            await client.fetch("https://nowhere.example/feed")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "url", ["ftp://a.example/", "feed.xml", "", "http://", "file:///etc/passwd", "http://[::"]
)
async def test_only_the_web_is_asked(url: str) -> None:
    async with net() as client:
        with pytest.raises(FeedError, match=r"only http and https|not a web address"):
            await client.fetch(url)


# ---------------------------------------------------------------- errors in words


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("404 Not Found", "no feed at this address"),
        ("401 Unauthorized", "a name and a password"),
        ("403 Forbidden", "does not let us read"),
        ("500 Oops", "a fault of its own"),
        ("999 Go Away", "a fault of its own"),
        ("100 Continue", "answer"),
        ("300 Multiple Choices", "cannot use"),
    ],
)
async def test_what_a_server_refuses_is_told_in_words(status: str, words: str) -> None:
    with pytest.raises(FeedError, match=words) as caught:
        await fetch(answer(b"no", status=status), total=1.0)
    assert not caught.value.permanent


@pytest.mark.asyncio
async def test_gone_is_permanent() -> None:
    with pytest.raises(FeedError, match="gone for good") as caught:
        await fetch(answer(b"", status="410 Gone"))
    assert caught.value.permanent


@pytest.mark.asyncio
@pytest.mark.parametrize("wish", ["90", "Sun, 22 Nov 2026 12:01:30 GMT"])
async def test_too_many_requests_says_how_long_to_wait(wish: str) -> None:
    with pytest.raises(FeedError, match="wait 90 seconds") as caught:
        await fetch(answer(b"", status="429 Too Many Requests", Retry_After=wish))
    assert caught.value.retry_after == timedelta(seconds=90)


# ---------------------------------------------------------------- hostile servers


@pytest.mark.asyncio
async def test_a_slow_trickle_ends_with_the_time() -> None:
    async def trickle(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b"<")
            await writer.drain()
            await asyncio.sleep(0.02)

    start = time.monotonic()
    with pytest.raises(FeedError, match=r"no complete answer within 0\.4 seconds"):
        await fetch(trickle, total=0.4)
    assert time.monotonic() - start < 10


@pytest.mark.asyncio
async def test_trickling_headers_and_silence_end_with_the_time() -> None:
    async def headers(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-A: b\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)

    async def silence(_request: Request, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    for handler in (headers, silence):
        with pytest.raises(FeedError, match="no complete answer within"):
            await fetch(handler, total=0.3)


@pytest.mark.asyncio
async def test_an_endless_body_ends_at_the_limit() -> None:
    sent = 0

    async def endless(_request: Request, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            writer.write(b"<item/>" * 10_000)
            sent += 70_000
            await writer.drain()

    with pytest.raises(FeedError, match="larger than 1 MB"):
        await fetch(endless, limit_bytes=1024 * 1024)
    assert sent < 20_000_000


@pytest.mark.asyncio
async def test_a_body_that_announces_too_much_is_not_even_read() -> None:
    with pytest.raises(FeedError, match="larger than 15 MB"):
        await fetch(answer(b"<", length=20_000_000), total=5.0)


@pytest.mark.asyncio
@pytest.mark.parametrize("coding", ["gzip", "br"])
async def test_a_bomb_stops_at_the_limit_and_the_loop_goes_on(coding: str) -> None:
    size = 300_000_000
    bomb = brotli.compress(bytes(size), quality=1) if coding == "br" else gzip.compress(bytes(size), 1)
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            start = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - start)

    ticking = asyncio.create_task(tick())
    with pytest.raises(FeedError, match="larger than 15 MB"):
        await fetch(answer(bomb, Content_Encoding=coding))
    ticking.cancel()
    assert longest < 0.25


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (answer(FEED, length=1000, close=True), "broke in the middle"),
        (answer(FEED, length=10), "breaks the rules of HTTP"),
        (answer(b"\x1f\x8bgarbage", Content_Encoding="gzip"), "could not be unpacked"),
        (answer(FEED, Content_Encoding="sdch"), "could not be unpacked"),
    ],
)
async def test_a_broken_body_is_told_in_words(handler: Handler, words: str) -> None:
    with pytest.raises(FeedError, match=words):
        await fetch(handler)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"\x00\xff\xfe",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"",
    ],
)
async def test_what_is_not_http_is_told_in_words(said: bytes) -> None:
    async def handler(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()
        writer.close()

    with pytest.raises(FeedError, match=r"127\.0\.0\.1"):
        await fetch(handler, total=5.0)


@pytest.mark.asyncio
async def test_a_server_that_does_not_speak_tls_is_told_in_words() -> None:
    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 This port speaks plain HTTP\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as listening, net("127.0.0.1") as client:
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises(FeedError, match=r"no secure connection to 127\.0\.0\.1"):
            await client.fetch(f"https://127.0.0.1:{port}/", total=2.0)


@pytest.mark.asyncio
async def test_a_closed_port_is_told_in_words() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with net("127.0.0.1") as client:
            with pytest.raises(FeedError, match=r"no connection to 127\.0\.0\.1"):
                await client.fetch(f"http://127.0.0.1:{taken.getsockname()[1]}/")


@pytest.mark.asyncio
async def test_one_bad_server_does_not_delay_the_others() -> None:
    async def silence(_request: Request, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with serving(silence) as bad, serving(answer()) as good, net("127.0.0.1") as client:
        stuck = [asyncio.create_task(client.fetch(bad.url, total=30.0)) for _ in range(20)]
        await asyncio.sleep(0.05)
        assert (await client.fetch(good.url, total=2.0)).body == FEED
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)

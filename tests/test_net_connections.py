"""Connections: lent out again only when clean, few of them idle; through a proxy only when one is named."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp.abc import ResolveResult

from digest.model import FeedError
from digest.net import Net
from digest.ways import MOST_IDLE, MOST_IDLE_TLS, Names, most_idle
from hostile_servers import Certificates
from web_server import FEED, Book, Request, answer, serving

ROOT = Path(__file__).parent.parent


@contextlib.asynccontextmanager
async def net(*allow: str, **settings: object) -> AsyncIterator[Net]:
    client = Net(user_agent="Digest/1", allow=allow, **settings)  # type: ignore[arg-type]
    try:
        yield client
    finally:
        await client.close()


EVIL = b"<rss>evil</rss>"
POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n" + EVIL


@pytest.mark.asyncio
async def test_a_clean_connection_is_used_again() -> None:
    async with serving(answer()) as server, net("127.0.0.1") as client:
        for _ in range(5):
            await client.fetch(server.url)
    assert server.connections == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("wait", [None, 0.0, 0.05])
@pytest.mark.parametrize("poison", [POISON, POISON[:20], POISON * 20, b"\0", b"\r\n", b"x" * 300_000])
async def test_what_comes_after_an_answer_is_never_the_answer_to_the_next(
    poison: bytes, wait: float | None
) -> None:
    """wait: seconds between the answer and the poison; None: in one piece."""

    async def poisoning(request: Request, writer: asyncio.StreamWriter) -> None:
        good = b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n" + FEED
        if wait is None:
            writer.write(good + poison)
            return
        writer.write(good)
        await writer.drain()
        await asyncio.sleep(wait)
        writer.write(poison)

    bodies: list[bytes | None] = []
    async with serving(poisoning) as server, net("127.0.0.1", total_seconds=2.0) as client:
        for _ in range(4):
            with contextlib.suppress(FeedError):  # in one piece, it may be a body longer than it says
                bodies.append((await client.fetch(server.url)).body)
            await asyncio.sleep(wait * 2 if wait else 0.01)
    assert bodies == [FEED] * (4 if wait or poison.startswith(POISON) else len(bodies))


@pytest.mark.asyncio
async def test_poison_that_lies_unread_in_the_socket_is_seen_as_well() -> None:
    def serve(listening: socket.socket) -> None:
        for _ in range(3):
            connection, _ = listening.accept()
            with connection, contextlib.suppress(ConnectionError):
                connection.recv(10_000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n" + FEED)
                time.sleep(0.02)
                connection.sendall(POISON)
                connection.recv(10_000)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        thread = threading.Thread(target=serve, args=[listening], daemon=True)
        thread.start()
        async with net("127.0.0.1") as client:
            for _ in range(3):
                assert (await client.fetch(f"http://127.0.0.1:{port}/")).body == FEED
                time.sleep(0.1)  # noqa: ASYNC251 - the loop sleeps, and hears nothing of what comes in
        thread.join(5)
        assert not thread.is_alive()


@pytest.mark.asyncio
async def test_an_answer_that_was_not_read_to_its_end_spoils_its_connection() -> None:
    async def long_redirect(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.path == "/":
            writer.write(b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 1000000\r\n\r\n" + POISON)
        else:
            await answer()(request, writer)

    async with serving(long_redirect) as server, net("127.0.0.1") as client:
        assert (await client.fetch(server.url)).body == FEED
    assert server.connections == 2


@pytest.fixture
def few_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, soft), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("few_files")
def test_what_may_lie_idle_is_a_part_of_what_may_be_open() -> None:
    assert most_idle() == resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4 <= MOST_IDLE


@pytest.mark.usefixtures("few_files")
@pytest.mark.asyncio
async def test_few_connections_are_kept_idle_however_many_hosts_there_are() -> None:
    open_now = most = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        open_now -= 1
        writer.close()

    few = most_idle()
    count = few + 100
    book = Book(**{f"h{number}_example": [["127.0.0.1"]] for number in range(count)})
    names = [f"h{number}.example" for number in range(count)]
    async with await asyncio.start_server(serve, "127.0.0.1", 0, backlog=500) as server:
        port = server.sockets[0].getsockname()[1]
        async with net(*names, resolver=book) as client:
            for name in names:
                await client.fetch(f"http://{name}:{port}/")
            await asyncio.sleep(0.05)
            assert open_now == few
            assert most <= few + 5
            await client.fetch(f"http://{names[-1]}:{port}/")  # one of those that were kept
            assert open_now == few
        await asyncio.sleep(0.05)
        assert open_now == 0


CLIENT = """
import asyncio, sys
from web_server import Book
from digest.net import Net

async def main(port: int, count: int) -> None:
    names = [f"h{number}.feeds.example" for number in range(count)]
    book = Book(**{name.replace(".", "_"): [["127.0.0.1"]] for name in names})
    client = Net(user_agent="x", allow=names, resolver=book)
    for name in names:
        found = await client.fetch(f"https://{name}:{port}/")
        assert found.body == b"secret", found
    print("done", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await client.close()

asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
"""


@pytest.mark.asyncio
async def test_a_valid_certificate_is_accepted_and_fewer_secret_connections_are_kept(tmp_path: Path) -> None:
    """In a process of its own: which authorities are trusted is decided when Python starts."""
    open_now = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now
        open_now += 1
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret")
        open_now -= 1
        writer.close()

    certificates = Certificates(tmp_path)
    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=certificates.context("ours")) as server:
        client = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", CLIENT, str(server.sockets[0].getsockname()[1]), str(MOST_IDLE_TLS + 20)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={
                "PATH": "",
                "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}",
                "SSL_CERT_FILE": str(certificates.path("ours")),
            },
        )
        assert client.stdin is not None
        assert client.stdout is not None
        try:
            assert await asyncio.wait_for(client.stdout.readline(), 60) == b"done\n"
            await asyncio.sleep(0.1)
            assert open_now == MOST_IDLE_TLS
            client.stdin.write(b"\n")
            assert await asyncio.wait_for(client.wait(), 10) == 0
        finally:
            with contextlib.suppress(ProcessLookupError):
                client.kill()
        await asyncio.sleep(0.1)
        assert open_now == 0


@pytest.mark.asyncio
async def test_names_that_lead_to_nothing_are_told_in_words_on_both_sides_of_the_guard() -> None:
    book = Book(empty_example=[[]], inside_example=[[]])
    async with net("inside.example", resolver=book) as client:
        for name in ("empty.example", "inside.example", "unknown.example"):
            with pytest.raises(FeedError, match=rf"the name {name} leads nowhere"):
                await client.fetch(f"http://{name}/")


@pytest.mark.asyncio
async def test_slow_names_do_not_hold_up_others() -> None:
    class Slow(Book):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            if host.startswith("slow"):
                await asyncio.sleep(60)
            return await super().resolve(host, port, family)

    async with (
        serving(answer()) as server,
        net("quick.example", resolver=Slow(quick_example=[["127.0.0.1"]]), total_seconds=0.5) as client,
    ):
        slow = [asyncio.create_task(client.fetch(f"http://slow{each}.example/")) for each in range(200)]
        await asyncio.sleep(0)
        assert (await client.fetch(f"http://quick.example:{server.port}/")).body == FEED
        for error in await asyncio.gather(*slow, return_exceptions=True):
            assert "no complete answer within" in str(error)


@pytest.mark.asyncio
async def test_the_systems_resolver_is_asked_off_the_loop_and_closed() -> None:
    names = Names()
    found = await names.resolve("127.0.0.1", 80)
    assert [(each["host"], each["port"]) for each in found] == [("127.0.0.1", 80)]
    with pytest.raises(OSError, match=r"."):
        await names.resolve("no-such-name.invalid", 80)
    await names.close()
    with pytest.raises(RuntimeError):
        await names.resolve("127.0.0.1", 80)


@pytest.mark.asyncio
async def test_nothing_is_left_open(recwarn: pytest.WarningsRecorder) -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))
    async with serving(answer()) as server:
        client = Net(user_agent="x", allow=["127.0.0.1"])
        await client.fetch(server.url)
        await client.close()
        await client.close()
        del client
        gc.collect()
    await asyncio.sleep(0.01)
    assert complaints == []
    assert not [each for each in recwarn if issubclass(each.category, ResourceWarning)]


# ---------------------------------------------------------------- proxies


class Proxy:
    """What a proxy was asked; it answers all of it by itself."""

    def __init__(self, status: str = "200 OK") -> None:
        self.heads: list[str] = []
        self.status = status

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.heads.append(head.decode())
                if head.startswith(b"CONNECT") and self.status.startswith("200"):
                    writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
                    await reader.read(5)
                    break  # no TLS behind it
                writer.write(f"HTTP/1.1 {self.status}\r\nContent-Length: 60\r\n\r\n".encode() + FEED)
        writer.close()


@contextlib.asynccontextmanager
async def proxying(proxy: Proxy) -> AsyncIterator[str]:
    async with await asyncio.start_server(proxy.serve, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await asyncio.sleep(0.01)


PUBLIC = Book(feeds_example=[["93.184.216.34"]], mixed_example=[["93.184.216.34", "10.0.0.1"]])


@pytest.mark.asyncio
async def test_a_proxy_is_asked_for_public_hosts() -> None:
    proxy = Proxy()
    async with proxying(proxy) as place, net(proxy=f"http://me:word@{place}", resolver=PUBLIC) as client:
        found = await client.fetch("http://feeds.example/a?b", etag='"x"')
        assert (found.url, found.body) == ("http://feeds.example/a?b", FEED)
        await client.fetch("http://93.184.216.34:81/")
    first, second = proxy.heads
    assert first.startswith("GET http://feeds.example/a?b HTTP/1.1\r\n")
    assert "Host: feeds.example\r\n" in first
    assert "Proxy-Authorization: Basic bWU6d29yZA==\r\n" in first
    assert 'If-None-Match: "x"' in first
    assert second.startswith("GET http://93.184.216.34:81/ HTTP/1.1\r\n")


@pytest.mark.asyncio
async def test_a_proxy_is_asked_for_a_tunnel_to_what_is_secret() -> None:
    proxy = Proxy()
    async with proxying(proxy) as place, net(proxy=f"http://me:word@{place}", resolver=PUBLIC) as client:
        with pytest.raises(FeedError):
            await client.fetch("https://me:secret@feeds.example/a", etag='"x"')
    assert proxy.heads
    for head in proxy.heads:
        assert head.startswith("CONNECT feeds.example:443 HTTP/1.1\r\n")
        assert "Proxy-Authorization: Basic bWU6d29yZA==\r\n" in head
        assert "\r\nAuthorization" not in head
        assert "If-None-Match" not in head


NOT_FOR_PROXIES = [
    *("http://10.0.0.1/", "http://[::ffff:127.0.0.1]/", "https://169.254.169.254/", "http://mixed.example/"),
    *("https://mixed.example/", "http://127.1/", "http://nowhere.example/", "https://nowhere.example/"),
]


@pytest.mark.asyncio
@pytest.mark.parametrize("url", NOT_FOR_PROXIES)
async def test_a_proxy_is_never_asked_for_what_is_not_public_or_that_we_cannot_see(url: str) -> None:
    proxy = Proxy()
    async with proxying(proxy) as place, net(proxy=f"http://{place}", resolver=PUBLIC) as client:
        with pytest.raises(FeedError, match=r"not a public address|leads nowhere|not the name or address"):
            await client.fetch(url)
    assert proxy.heads == []


@pytest.mark.asyncio
async def test_a_redirect_through_a_proxy_is_checked_as_well() -> None:
    class Redirecting(Proxy):
        async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://192.168.0.1/\r\nContent-Length: 0\r\n\r\n")
            writer.close()

    proxy = Redirecting()
    async with proxying(proxy) as place, net(proxy=f"http://{place}", resolver=PUBLIC) as client:
        with pytest.raises(FeedError, match=r"192\.168\.0\.1 is not a public address"):
            await client.fetch("http://feeds.example/")
    assert len(proxy.heads) == 1


@pytest.mark.asyncio
async def test_allowed_hosts_are_asked_without_the_proxy() -> None:
    proxy = Proxy()
    async with (
        serving(answer()) as server,
        proxying(proxy) as place,
        net("127.0.0.1", proxy=f"http://{place}", resolver=PUBLIC) as client,
    ):
        assert (await client.fetch(server.url)).body == FEED
    assert proxy.heads == []
    assert len(server.requests) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "url", "words"),
    [
        ("407 Who are you", "http://feeds.example/", "a name and a password"),
        ("407 Who are you", "https://feeds.example/", "does not connect us .*407.* fetch.proxy"),
        ("403 No", "https://feeds.example/", "does not connect us .*403"),
        ("502 Bad Gateway", "http://feeds.example/", "a fault of its own"),
    ],
)
async def test_what_a_proxy_refuses_is_told_in_words(status: str, url: str, words: str) -> None:
    async with proxying(Proxy(status)) as place, net(proxy=f"http://{place}", resolver=PUBLIC) as client:
        with pytest.raises(FeedError, match=words):
            await client.fetch(url)


@pytest.mark.asyncio
async def test_a_proxy_that_is_not_there_is_told_in_words() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        place = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with net(proxy=place, resolver=PUBLIC) as client:
            with pytest.raises(FeedError, match=r"no connection to the proxy .*fetch\.proxy"):
                await client.fetch("http://feeds.example/")

"""A language model's endpoint by hand: it says what it is told to, and fails in every way we know."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

PLENTY = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it came over the wire."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def system(self) -> str:
        return str(self.body["messages"][0]["content"])

    @property
    def user(self) -> str:
        return str(self.body["messages"][-1]["content"])


Reply = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


class Model:
    """reply: what it does with a question; may be exchanged at any time."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.asked: list[Asked] = []
        self.under_way = self.most_at_once = 0
        self.was_asked = asyncio.Event()
        self.port = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip()
                first, *lines = head.split("\r\n")
                headers = {
                    name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
                }
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                asked = Asked(path=first.split()[1], headers=headers, body=json.loads(body or b"{}"))
                self.asked.append(asked)
                self.was_asked.set()
                self.under_way += 1
                self.most_at_once = max(self.most_at_once, self.under_way)
                try:
                    await self.reply(asked, writer)
                    await writer.drain()
                finally:
                    self.under_way -= 1
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has had enough
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def modelling(reply: Reply) -> AsyncIterator[Model]:
    model = Model(reply)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(model.serve(reader, writer)))

    listening = await asyncio.start_server(accept, "127.0.0.1", 0)
    model.port = listening.sockets[0].getsockname()[1]
    try:
        yield model
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.01)  # closed transports let go of their sockets


# ---------------------------------------------------------------- what it says


def shaped(text: object, *, usage: object = None) -> bytes:
    answer: dict[str, Any] = {"choices": [{"message": {"role": "assistant", "content": text}}]}
    if usage is not None:
        answer["usage"] = usage
    return json.dumps(answer).encode()


def says(text: object, *, tokens: tuple[int, int] | None = (500, 60), after: float = 0.0) -> Reply:
    usage = None if tokens is None else {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
    return sends(shaped(text, usage=usage), after=after)


def sends(body: bytes, *, status: str = "200 OK", after: float = 0.0, **headers: str) -> Reply:
    async def reply(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(after)
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    return reply


# ---------------------------------------------------------------- how it fails


async def never(_asked: Asked, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def trickles(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n")
    for _ in range(4000):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def hangs_up(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def breaks_off(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n{"choices": [')
    await writer.drain()
    writer.close()


async def no_http(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    await writer.drain()
    writer.close()


async def without_end(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b" " * 65_536 + b"\r\n")
        await writer.drain()


too_much = sends(shaped("x" * PLENTY))

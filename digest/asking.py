"""The way to a language model: one POST to the one address that the admin named, and nothing else.

It may be anywhere, also on this machine (Ollama listens on 127.0.0.1): the admin named it, no feed did. So no
redirect is followed, no proxy of the environment is used, and what an answer says never leads anywhere. The
key is sent to that address only, and is in no error and no log.

Door of: aiohttp, with `net`, `ways` and `faults`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import aiohttp

from digest.faults import FAULTS, in_words
from digest.headers import retry_after, spoken
from digest.model import DigestError
from digest.unpack import TooLarge, Unpacker
from digest.ways import Checked, Names, bounded_socket

MOST_BYTES = 1024 * 1024
CONNECT_SECONDS = 10.0
COMPLAINT_BYTES = 4_096
BUSY = frozenset((429, 503))
HOPELESS = frozenset((401, 402, 403, 404, 405, 407, 410))


class AskError(DigestError):
    """The model gave no answer that could be read.

    hopeless: asking again will not help before the admin has changed something. counted: it may have worked
    for us all the same, so what it could have cost is spent. retry_after: its own wish. complaint: what it
    said of a request that it refused (400), for us only: no telling what it repeats.
    """

    def __init__(
        self,
        message: str,
        *,
        hopeless: bool = False,
        counted: bool = False,
        retry_after: timedelta | None = None,
        complaint: bytes = b"",
    ) -> None:
        super().__init__(message)
        self.hopeless = hopeless
        self.counted = counted
        self.retry_after = retry_after
        self.complaint = complaint


class Endpoint:
    """One model's address. Make it anywhere; its first question opens it; close it.

    base: what `/chat/completions` is added to. seconds: for one answer, all in all.
    """

    def __init__(
        self, *, base: str, key: str, seconds: float, user_agent: str, clock: Callable[[], datetime]
    ) -> None:
        self._url = base.rstrip("/") + "/chat/completions"
        self._key = key
        self._seconds = seconds
        self._user_agent = user_agent
        self._clock = clock
        self._names: Names | None = None
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"Endpoint({self._url!r})"

    async def ask(self, body: bytes) -> bytes:
        """The body of the answer. Raises AskError in plain words."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._ask(body)
        except TimeoutError as error:
            raise AskError(f"no answer within {self._seconds:g} seconds", counted=True) from error
        except TooLarge as error:
            raise AskError("its answer is larger than 1 MB, which no summary is", counted=True) from error
        except FAULTS as error:
            reached = not isinstance(error, aiohttp.ClientConnectorError)
            # Not `from error`: aiohttp's errors hold the request, and with it the key.
            raise AskError(self._in_words(error), counted=reached) from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
        if self._names is not None:
            await self._names.close()
        self._session = self._names = None

    async def _ask(self, body: bytes) -> bytes:
        response = await self._opened().post(self._url, data=body, allow_redirects=False)
        try:
            if response.status != 200:
                raise await self._refused(response)
            return await _read(response)
        finally:
            response.release()

    async def _refused(self, response: aiohttp.ClientResponse) -> AskError:
        status = response.status
        wait = retry_after(response.headers.get("Retry-After"), self._clock()) if status in BUSY else None
        complaint = await response.content.read(COMPLAINT_BYTES) if status == 400 else b""
        return AskError(
            refusal(status, wait),
            hopeless=status in HOPELESS or 300 <= status < 400,
            retry_after=wait,
            complaint=complaint,
        )

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._names = Names()
            headers = {"User-Agent": self._user_agent, "Content-Type": "application/json"}
            headers |= {"Accept": "application/json", "Accept-Encoding": "identity"}
            if self._key:
                headers["Authorization"] = f"Bearer {self._key}"
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=Checked(self._names, guarded=False), socket_factory=bounded_socket
                ),
                headers=headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    def _in_words(self, error: Exception) -> str:
        host = urlsplit(self._url).hostname or "its server"
        said = in_words(error, host).replace("check the url", "check llm.endpoint")
        return said.removesuffix(": its publisher must mend the server")


def refusal(status: int, wait: timedelta | None) -> str:
    """What an answer means that is none."""
    again = f", and wants us to wait {spoken(wait)}" if wait else ""
    if status in (401, 403, 407):
        return f"it refuses our key ({status}): check llm.key"
    if status == 402:
        return "it wants to be paid first (402)"
    if status in (404, 405, 410):
        return (
            f"there is no such address or no such model ({status}): check llm.endpoint (most end in /v1) "
            "and llm.model"
        )
    if 300 <= status < 400:
        return f"it sends us elsewhere ({status}), where we do not go: write that address into llm.endpoint"
    if status == 429:
        return f"we ask too often, or have used up what we may (429){again}"
    if status >= 500:
        return f"it has a fault of its own ({status}){again}"
    return f"it does not take our request ({status})"


async def _read(response: aiohttp.ClientResponse) -> bytes:
    unpacker = Unpacker(response.headers.get("Content-Encoding", ""), MOST_BYTES)
    body = bytearray()
    async for piece in response.content.iter_any():
        for clear in unpacker.feed(piece):
            body += clear
    for clear in unpacker.end():
        body += clear
    return bytes(body)

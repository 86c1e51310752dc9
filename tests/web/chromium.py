"""Debian's Chromium, driven by the DevTools protocol over one WebSocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

PROGRAM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # a test asks nobody else
)


class Tab:
    """One page. `complaints` is what the browser logged: blocked by policy, not found, … `calls` is what its
    scripts handed to a function that was lent to them (`Runtime.addBinding`)."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self._session: str | None = None
        self._loaded = asyncio.Event()
        self.complaints: list[str] = []
        self.calls: list[str] = []

    async def open(self) -> None:
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Log", "Runtime"):
            await self.call(f"{domain}.enable")

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        session = {"sessionId": self._session} if self._session else {}
        await self._socket.send(
            json.dumps({"id": self._number, "method": method, "params": params, **session})
        )
        while True:
            message = await self._next()
            if message.get("id") == self._number:
                assert "error" not in message, (method, message)
                return dict(message["result"])

    async def _next(self) -> dict[str, Any]:
        message = json.loads(await asyncio.wait_for(self._socket.recv(), 20))
        if message.get("method") == "Log.entryAdded":
            self.complaints.append(message["params"]["entry"]["text"])
        if message.get("method") == "Runtime.bindingCalled":
            self.calls.append(message["params"]["payload"])
        if message.get("method") == "Page.loadEventFired":
            self._loaded.set()
        return dict(message)

    async def look(self, *, width: int, dark: bool) -> None:
        """Be a screen of this width; below 500 a phone."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=740,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])

    async def go(self, url: str) -> None:
        self._loaded.clear()
        await self.call("Page.navigate", url=url)
        await self.loaded()

    async def loaded(self) -> None:
        while not self._loaded.is_set():
            await self._next()

    async def click_through(self, script: str) -> None:
        """Run a script that leads to another page, and wait for it."""
        self._loaded.clear()
        await self.run(script)
        await self.loaded()

    async def until(self, script: str) -> None:
        """Wait for what the browser does a moment after the page is there, such as `autofocus`."""
        async with asyncio.timeout(10):
            while not await self.run(script):  # noqa: ASYNC110  the page has no event for us
                await asyncio.sleep(0.02)

    async def show(self, html: str) -> None:
        """Show other HTML under the address of this page, style sheets loaded."""
        tree = await self.call("Page.getFrameTree")
        await self.call("Page.setDocumentContent", frameId=tree["frameTree"]["frame"]["id"], html=html)
        await self.until("document.readyState == 'complete' && document.styleSheets.length > 0")

    async def settled(self, script: str) -> Any:
        """What a promise becomes."""
        answer = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def run(self, script: str) -> Any:
        answer = await self.call("Runtime.evaluate", expression=script, returnByValue=True, userGesture=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")


@asynccontextmanager
async def chromium(profile: Path) -> AsyncIterator[Tab]:
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        *FLAGS,
        f"--user-data-dir={profile}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with connect(await _address(process), max_size=None, proxy=None) as socket:
            tab = Tab(socket)
            await tab.open()
            yield tab
    finally:
        process.terminate()
        await process.communicate()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async with asyncio.timeout(30):
        async for line in process.stderr:
            if b"DevTools listening on " in line:
                return line.decode().partition("DevTools listening on ")[2].strip()
    raise AssertionError("chromium ended before it listened")

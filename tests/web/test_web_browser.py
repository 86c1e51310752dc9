from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn
from chromium import PROGRAM, Tab, chromium
from web_house import House

from digest.links import Links
from digest.model import SubscriptionStatus
from digest.web import build_app

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.browser,
    pytest.mark.skipif(not PROGRAM.exists(), reason=f"there is no {PROGRAM} here"),
]

PAPER = {False: "rgb(250, 246, 238)", True: "rgb(23, 20, 16)"}


@asynccontextmanager
async def served(house: House) -> AsyncIterator[str]:
    """The app on a port of its own, under the very address that its links name."""
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        links = Links(url, b"a secret that is only for tests!")
        site = replace(house.lent.site, url=url)
        app = build_app(replace(house.lent, site=site, links=links, dev_inbox=True))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none", lifespan="off"))
        running = asyncio.create_task(server.serve([listening]))
        try:
            while not server.started:  # noqa: ASYNC110  uvicorn tells by a flag only
                await asyncio.sleep(0.01)
            yield url
        finally:
            server.should_exit = True
            await running


async def fits(tab: Tab, width: int) -> bool:
    found = await tab.run("document.documentElement.scrollWidth")
    return int(found) <= width


async def test_the_pages_in_a_real_browser(house: House, tmp_path: Path) -> None:
    """The style sheet applies, nothing is wider than the screen, and the policy lets our own forms work."""
    paths = [
        "/",
        "/world/",
        "/world/2026-11-22/",
        "/port/2026-11-22/",
        "/past/",
        f"/confirm/{house.token('confirm', 'pending')}",
        f"/unsubscribe/{house.token('unsubscribe', 'active')}",
        f"/preferences/{house.token('preferences', 'paused')}",
        "/dev/inbox",
    ]
    async with served(house) as url, chromium(tmp_path / "profile") as tab:
        for width, dark in ((360, False), (360, True), (1200, False)):
            await tab.look(width=width, dark=dark)
            for path in paths:
                await tab.go(url + path)
                assert await fits(tab, width), f"{path} is wider than {width} px"
                assert await tab.run("getComputedStyle(document.body).backgroundColor") == PAPER[dark], path
                assert len(await tab.run("document.querySelector('main').innerText")) > 10, path

        # The pictures of the sample stories are nowhere; every other complaint would be ours.
        assert [one for one in tab.complaints if "ERR_NAME_NOT_RESOLVED" not in one] == []

        await tab.go(f"{url}/world/")
        await tab.run("document.getElementById('email').value = 'not an address'")
        await tab.click_through("document.querySelector('#subscribe button').click()")
        await tab.until("document.activeElement.id == 'email'")
        assert await tab.run("document.activeElement.value") == "not an address"
        await tab.run("document.getElementById('email').value = 'new@example.org'")
        house.clock.advance(seconds=2)  # nobody fills a form more quickly
        await tab.click_through("document.querySelector('#subscribe button').click()")
        assert await tab.run("document.querySelector('h1').innerText") == "Check your inbox"

        assert await house.answered() == 1
        [reader] = await house.store.subscriptions.of("new@example.org")
        token = house.links.token("confirm", reader.id, issued=house.clock.now)
        await tab.go(f"{url}/confirm/{token}")
        await tab.click_through("document.querySelector('button').click()")
        assert await tab.run("document.querySelector('h1').innerText") == "You are in"

        await tab.go(f"{url}/unsubscribe/{house.links.token('unsubscribe', reader.id)}")
        await tab.click_through("document.querySelector('button').click()")
        assert "Goodbye" in await tab.run("document.querySelector('h1').innerText")
        [reader] = await house.store.subscriptions.of("new@example.org")
        assert reader.status is SubscriptionStatus.LEFT


async def test_the_keyboard_reaches_everything_and_shows_where_it_is(house: House, tmp_path: Path) -> None:
    async with served(house) as url, chromium(tmp_path / "profile") as tab:
        await tab.look(width=1200, dark=False)
        await tab.go(f"{url}/world/")
        reached = []
        for _ in range(40):
            for kind in ("keyDown", "keyUp"):
                await tab.call(
                    "Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9
                )
            outline, name = await tab.run(
                "[getComputedStyle(document.activeElement).outlineWidth,"
                " document.activeElement.innerText || document.activeElement.id || '']"
            )
            if not name or ("Skip" in name and reached):
                break
            assert outline == "3px", name
            reached.append(name.strip())
    assert reached[0] == "Skip to the text"
    assert {"email", "Subscribe", "Atom", "RSS", "JSON Feed"} <= set(reached)
    assert "website" not in reached

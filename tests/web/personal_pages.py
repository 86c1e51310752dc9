"""Every page that is for one person, in every state that it has, in a language."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
from web_house import House

FORM = {"content-type": "application/x-www-form-urlencoded"}


class Feeds:
    """There are private feeds; nobody reads them here."""

    entries = 20


async def _endless() -> AsyncIterator[bytes]:
    """A body that does not say how long it is."""
    for _ in range(40):
        yield b"x" * 1000


async def personal_pages(
    house: House, *, language: str, **lent: Any
) -> AsyncIterator[tuple[str, httpx.Response]]:
    """(name, page): nothing that is asked here changes what a later page shows, but for leaving, at last."""
    store, token = house.store.subscriptions, house.token
    for number in house.readers.values():
        await store.speak(number, language)
    async with house.client(private_feeds=Feeds(), **lent) as web:
        web.headers["accept-language"] = language

        async def post(name: str, path: str, **form: str) -> tuple[str, httpx.Response]:
            return name, await web.post(path, data=form)

        for path in ("/nobody/", f"/confirm/{'x' * 40}"):
            yield path, await web.get(path)
        yield await post("retired", "/past/subscribe", email="a@example.org")
        yield "too large", await web.post("/world/subscribe", content=_endless(), headers=FORM)
        yield "method", await web.put("/nobody/")
        yield "confirm", await web.get(f"/confirm/{token('confirm', 'pending')}")
        for name in ("active", "paused", "pending", "left", "past"):
            yield f"preferences {name}", await web.get(f"/preferences/{token('preferences', name)}")
        here = f"/preferences/{token('preferences', 'active')}"
        yield await post("bad wish", here, action="dance")
        yield await post("bad cadence", here, action="rhythm", cadence="hourly")
        yield await post("bad day", here, action="rhythm", cadence="weekly", day="noday")
        yield await post("bad time", here, action="rhythm", cadence="daily", at="7", zone="UTC")
        yield await post("bad quarter", here, action="rhythm", cadence="daily", at="07:01", zone="UTC")
        yield await post("bad zone", here, action="rhythm", cadence="daily", at="07:00", zone="Mars/Base")
        yield await post("bad pause", here, action="pause", until="yesterday")
        yield await post("bad language", here, action="language", language="xx")
        yield await post("language", here, action="language", language=language)
        yield await post("rhythm", here, action="rhythm", cadence="weekly", day="thu", at="18:15", zone="UTC")
        yield await post("pause", here, action="pause", until="2026-12-24")
        yield await post("resume", here, action="resume")
        yield await post("join", here, action="join", newsletter="port")
        yield await post("link", here, action="link")
        yield await post("drop", here, action="drop", newsletter="port")
        await store.request_manage(house.readers["active"], house.clock.now)
        manage = f"/preferences/manage/{token('manage', 'active')}"
        yield "manage", await web.get(manage)
        yield await post("bad manage", manage, action="dance")
        yield await post("bad address", manage, action="address", email="no address")
        yield await post("same address", manage, action="address", email="ACTIVE@example.org")
        yield await post("another address", manage, action="address", email="new@example.org")
        yield await post("private feed", manage, action="feed-on")
        yield await post("feed, no mail", manage, action="mail-off")
        yield "no mail", await web.get(here)
        yield await post("mail again", here, action="mail")
        yield await post("feed ended", manage, action="feed-off")
        yield await post("erase?", manage, action="erase")
        yield "unsubscribe", await web.get(f"/unsubscribe/{token('unsubscribe', 'active')}")
        yield await post("goodbye", f"/unsubscribe/{token('unsubscribe', 'active')}")
        left = await store.get(house.readers["active"])
        assert left is not None
        undo = f"/unsubscribe/undo/{house.links.token('undo', left.id, issued=left.left_at)}"
        yield await post("no reason", undo, action="reason")
        yield await post("long remark", undo, action="reason", remark="x" * 501)
        yield await post("reason", undo, action="reason", reason="often", remark="Too much news.")
        yield await post("undo", undo, action="undo")
        address = f"/preferences/address/{house.links.token('address', 1, issued=house.clock.now)}"
        yield "new address", await web.get(address)
        yield await post("new address confirmed", address)
        yield await post("welcome", f"/confirm/{token('confirm', 'pending')}")
        await store.request_manage(house.readers["active"], house.clock.now)
        yield await post("erased", manage, action="erase-now")

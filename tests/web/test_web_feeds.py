"""What a feed reader gets over HTTP: valid documents, their hub in a header, an icon that is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from a_house import Clock
from digest.net import Net
from digest.publishers.base import Lent
from digest.publishers.feed import Publisher, Settings
from digest.publishers.feed_content import FORMS
from digest.render import renderer
from digest.store import Store
from digest.web import Health, WebLent, build_app
from digest.workers import Workers
from feed_rules import atom_problems, json_problems, rss_problems
from letter_samples import LINKS, MIXED, ONE, SITE, WORLD
from publishing import bear, due, settle

pytestmark = pytest.mark.asyncio
PROBLEMS = {"atom": atom_problems, "rss": rss_problems, "json": json_problems}
TYPES = {
    "atom": "application/atom+xml; charset=utf-8",
    "rss": "application/rss+xml; charset=utf-8",
    "json": "application/feed+json",
}


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    started = Workers(processes=1)
    yield started
    started.close()


async def _well() -> Health:
    return Health(ok=True, checks={})


async def test_feeds_and_archives_are_valid_where_they_are_found(tmp_path: Path, workers: Workers) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'subscribers.db'}")
    clock = Clock()
    lent = Lent(
        site=SITE,
        store=store,
        links=LINKS,
        net=Net(user_agent="Digest tests"),
        workers=workers,
        templates=None,
        clock=clock,
    )
    publisher = Publisher(Settings(entries=1), lent)
    await settle(store, replace(WORLD, hub="https://hub.example/"))
    await bear(store, ONE, publisher)
    await bear(store, replace(MIXED, path="world/2026-11-23", tag=f"{MIXED.tag}-3"), publisher)
    for delivery in await due(store, "feed"):
        await publisher.publish(delivery)
    app = build_app(
        WebLent(
            site=SITE,
            store=store,
            links=LINKS,
            renderer=renderer(None),
            clock=clock,
            health=_well,
            feed_state=lambda _feed, _now: "ok",
            ip_key=b"a key",
        )
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=SITE.url) as client:
        for form in FORMS:
            for place in ("feed", "feed/1", "feed/2"):
                address = f"{SITE.url}/world/{place}.{form}"
                answer = await client.get(address)
                assert (answer.status_code, answer.headers["content-type"]) == (200, TYPES[form])
                assert PROBLEMS[form](answer.content, address) == []
                hub = f'<https://hub.example/>; rel="hub", <{address}>; rel="self"'
                assert answer.headers.get("link") == (hub if place == "feed" else None)
                again = await client.get(address, headers={"if-none-match": answer.headers["etag"]})
                assert (again.status_code, again.content) == (304, b"")
            assert (await client.get(f"{SITE.url}/world/feed/3.{form}")).status_code == 404
        icon = json.loads((await client.get("/world/feed.json")).content)["icon"]
        found = await client.get(icon)
        assert (found.status_code, found.headers["content-type"]) == (200, "image/svg+xml")
    await store.close()

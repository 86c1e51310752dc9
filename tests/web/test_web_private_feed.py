"""A reader's own feed over HTTP: theirs alone, revocable, and over when they leave."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from a_house import Clock
from digest.links import Links
from digest.model import Issue
from digest.net import Net
from digest.publishers.base import Lent
from digest.publishers.private_feed import PrivateFeeds
from digest.render import renderer
from digest.store import Store
from digest.web import Health, WebLent, build_app
from digest.workers import Workers
from feed_rules import atom_problems, json_problems, rss_problems
from letter_samples import LINKS, MIXED, MOMENT, SITE
from publishing import bear_prepared, settle

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


class Desk:
    """A store with two readers and what the web answers them."""

    def __init__(self, store: Store, client: httpx.AsyncClient) -> None:
        self.store = store
        self.client = client

    async def reader(self, name: str) -> int:
        [found] = await self.store.subscriptions.of(f"{name}@example.org")
        return found.id

    async def address(self, name: str, form: str = "atom", links: Links = LINKS) -> str:
        [found] = await self.store.subscriptions.of(f"{name}@example.org")
        token = links.token("feed", found.id, number=found.feed_number)
        return links.private_feed("world", token, form)  # type: ignore[arg-type]

    async def switch_on(self, name: str) -> None:
        await self.store.subscriptions.private_feed(await self.reader(name), True, MOMENT)


@pytest_asyncio.fixture
async def desk(tmp_path: Path, workers: Workers) -> AsyncIterator[Desk]:
    store = await Store.open(f"sqlite:///{tmp_path / 'subscribers.db'}")
    clock = Clock()
    net = Net(user_agent="Digest tests")
    lent = Lent(site=SITE, store=store, links=LINKS, net=net, workers=workers, templates=None, clock=clock)

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
            private_feeds=PrivateFeeds(lent, 3),
        )
    )
    await settle(store, readers=["ann@example.org", "ben@example.org"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=SITE.url) as client:
        yield Desk(store, client)
    await store.close()


async def an_issue(store: Store, day: int, **changes: Any) -> Issue:
    own = await store.newsletters.own_edition("world")
    moment = MOMENT.replace(day=day)
    path = changes.get("path", f"world/2026-11-{day:02}")
    after = changes.get("after", own.through)
    made = replace(
        MIXED,
        edition_id=own.id,
        after=after,
        through=after + 1,
        path=path,
        tag=f"tag:news.example.org,2026-11-01:{path}",
        date=moment.date(),
        composed_at=moment,
        updated_at=moment,
        **{name: value for name, value in changes.items() if name not in ("path", "after")},
    )
    return await bear_prepared(store, made, {}, {"email": "readers"}, moment)


async def test_a_private_feed_holds_the_issues_born_for_its_reader(desk: Desk) -> None:
    await an_issue(desk.store, 1)
    await desk.store.subscriptions.leave(await desk.reader("ben"), evidence={}, now=MOMENT)
    await an_issue(desk.store, 2)
    await an_issue(desk.store, 3, path="world/i/3", public=False)
    await desk.switch_on("ann")
    for form, problems in PROBLEMS.items():
        address = await desk.address("ann", form)
        answer = await desk.client.get(address)
        assert (answer.status_code, answer.headers["content-type"]) == (200, TYPES[form])
        assert problems(answer.content, address) == []
        assert b"hub" not in answer.content
    told = answer.json()
    assert [item["id"][-5:] for item in told["items"]] == ["d/i/3", "11-02", "11-01"]
    assert "next_url" not in told
    await an_issue(desk.store, 4, path="world/i/4", public=False, after=3)
    items = (await desk.client.get(await desk.address("ann", "json"))).json()["items"]
    assert [item["id"][-5:] for item in items] == ["d/i/4", "d/i/3", "11-02"]


async def test_nobody_else_keeps_it_and_a_second_look_costs_nothing(desk: Desk) -> None:
    await an_issue(desk.store, 1)
    await desk.switch_on("ann")
    address = await desk.address("ann")
    answer = await desk.client.get(address)
    for name, value in {
        "cache-control": "private, no-cache",
        "x-robots-tag": "noindex, nofollow",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }.items():
        assert answer.headers[name] == value
    assert "access-control-allow-origin" not in answer.headers
    again = await desk.client.get(address, headers={"if-none-match": f'"x", {answer.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
    assert again.headers["cache-control"] == "private, no-cache"
    assert (await desk.client.head(address)).status_code == 200
    found = (await desk.store.issues.latest("world"))[0]
    stories = (replace(found.stories[0], title="Corrected", corrected_at=MOMENT), *found.stories[1:])
    corrected = replace(found, stories=stories, revision=2, updated_at=MOMENT + timedelta(hours=1))
    await desk.store.issues.revise(corrected, now=MOMENT)
    changed = await desk.client.get(address, headers={"if-none-match": answer.headers["etag"]})
    assert changed.status_code == 200
    assert b"Corrected" in changed.content


async def test_an_address_that_was_given_up_is_gone_and_a_forged_one_never_was(desk: Desk) -> None:
    await an_issue(desk.store, 1)
    ann, ben = await desk.reader("ann"), await desk.reader("ben")
    never = LINKS.private_feed("world", LINKS.token("feed", ben, number=0), "atom")
    assert (await desk.client.get(never)).status_code == 410
    await desk.switch_on("ann")
    first = await desk.address("ann")
    await desk.store.subscriptions.renew_feed(ann, MOMENT)
    second = await desk.address("ann")
    assert [(await desk.client.get(one)).status_code for one in (first, second)] == [410, 200]
    await desk.store.subscriptions.private_feed(ann, False, MOMENT)
    assert (await desk.client.get(second)).status_code == 410
    await desk.switch_on("ann")
    third = await desk.address("ann")
    assert [(await desk.client.get(one)).status_code for one in (first, second, third)] == [410, 410, 200]
    forged = Links(SITE.url, b"another secret, as long as ours is")
    for wrong in (
        await desk.address("ann", links=forged),
        third.replace("/world/", "/alam/"),
        third.replace(".atom", ".xml"),
        LINKS.private_feed("world", LINKS.token("preferences", ann), "atom"),
        LINKS.private_feed("world", LINKS.token("feed", 999, number=1), "atom"),
        LINKS.private_feed("world", "x" * 40, "atom"),
    ):
        assert (await desk.client.get(wrong)).status_code == 404, wrong
    assert (await desk.client.post(third)).status_code == 405


async def test_it_ends_with_the_subscription_and_rests_with_a_pause(desk: Desk) -> None:
    await an_issue(desk.store, 1)
    await desk.switch_on("ann")
    ann, address = await desk.reader("ann"), await desk.address("ann")
    await desk.store.subscriptions.pause(ann, None, MOMENT)
    assert (await desk.client.get(address)).status_code == 200
    await desk.store.subscriptions.leave(ann, evidence={}, now=MOMENT)
    answer = await desk.client.get(address)
    assert (answer.status_code, answer.headers["cache-control"]) == (410, "no-store")
    await desk.store.subscriptions.erase("ann@example.org", MOMENT)
    assert (await desk.client.get(address)).status_code == 410


async def test_the_id_of_the_feed_stays_when_its_address_is_renewed(desk: Desk) -> None:
    await an_issue(desk.store, 1)
    for name in ("ann", "ben"):
        await desk.switch_on(name)

    async def id_of(name: str) -> str:
        body = (await desk.client.get(await desk.address(name))).text
        return body.partition("<id>")[2].partition("</id>")[0]

    before = await id_of("ann")
    await desk.store.subscriptions.renew_feed(await desk.reader("ann"), MOMENT)
    assert await id_of("ann") == before != await id_of("ben")
    assert "ann" not in before


async def test_a_house_without_private_feeds_has_none(desk: Desk, tmp_path: Path) -> None:
    await desk.switch_on("ann")
    address = await desk.address("ann")
    app = build_app(
        WebLent(
            site=SITE,
            store=desk.store,
            links=LINKS,
            renderer=renderer(None),
            clock=Clock(),
            health=_well,
            feed_state=lambda _feed, _now: "ok",
            ip_key=b"a key",
        )
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=SITE.url) as client:
        assert (await client.get(address)).status_code == 404


async def _well() -> Health:
    return Health(ok=True, checks={})


async def test_no_log_names_the_address(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    await an_issue(desk.store, 1)
    await desk.switch_on("ann")
    address = await desk.address("ann")
    with caplog.at_level(logging.DEBUG, logger="digest"):
        await desk.client.get(address)
        await desk.store.subscriptions.private_feed(await desk.reader("ann"), False, MOMENT)
        await desk.client.get(address)
    token = address.split("/")[-2]
    assert token not in json.dumps([vars(record) for record in caplog.records], default=str)

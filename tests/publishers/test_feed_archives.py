"""The archives of a feed (RFC 5005): every old issue in one of them, and none that changes by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from a_house import Clock
from digest.model import Document, Issue, Retention
from digest.publishers.base import Lent
from digest.publishers.feed import Publisher, Settings
from digest.publishers.feed_content import FORMS
from digest.store import Store
from feed_rules import ATOM, HISTORY, atom_problems, json_problems, rss_problems
from letter_samples import MIXED, MOMENT, UPDATED
from publishing import bear, due, settle

pytestmark = pytest.mark.asyncio
PROBLEMS = {"atom": atom_problems, "rss": rss_problems, "json": json_problems}
HOST = "https://news.example.org"


def of_day(day: int) -> Issue:
    moment = MOMENT.replace(day=day)
    path = f"world/2026-11-{day:02}"
    tag = f"tag:news.example.org,2026-11-01:{path}"
    return replace(
        MIXED,
        path=path,
        date=moment.date(),
        tag=tag,
        composed_at=moment,
        updated_at=moment,
        title=f"No. {day}",
    )


async def publish(store: Store, publisher: Publisher, *days: int) -> list[str]:
    """These issues, each born and published before the next."""
    replies = []
    for day in days:
        await bear(store, of_day(day), publisher)
        replies += [(await publisher.publish(delivery)).reply for delivery in await due(store, "feed")]
    return replies


async def documents_of(store: Store) -> dict[str, Document]:
    return {document.path: document for document in await store.documents.all("world")}


def links_of(body: bytes) -> dict[str, str]:
    root = ElementTree.fromstring(body)  # noqa: S314 - our own document
    return {
        link.get("rel", ""): link.get("href", "")
        for link in (root.find("channel") or root).findall(f"{ATOM}link")
    }


def days_of(body: bytes, form: str) -> list[int]:
    if form == "json":
        return [int(item["id"][-2:]) for item in json.loads(body)["items"]]
    root = ElementTree.fromstring(body)  # noqa: S314 - our own document
    path = f"{ATOM}entry/{ATOM}id" if form == "atom" else "channel/item/guid"
    return [int((element.text or "")[-2:]) for element in root.findall(path)]


def followed(found: dict[str, Document], form: str) -> list[list[int]]:
    """The days in each document, from the newest on, as a client goes that wants everything."""
    seen = []
    path = f"/world/feed.{form}"
    while path:
        body = found[path].body
        seen.append(days_of(body, form))
        before = json.loads(body).get("next_url") if form == "json" else links_of(body).get("prev-archive")
        path = (before or "").removeprefix(HOST)
    return seen


async def test_a_client_that_follows_the_archives_sees_every_issue(
    store: Store, lend: Callable[..., Lent]
) -> None:
    await settle(store)
    publisher = Publisher(Settings(entries=3), lend())
    await publish(store, publisher, *range(1, 9))
    found = await documents_of(store)
    assert len(found) == 9
    for form in FORMS:
        assert followed(found, form) == [[8, 7, 6], [6, 5, 4], [3, 2, 1]]
        for number in ("", "/1", "/2"):
            path = f"/world/feed{number}.{form}"
            assert PROBLEMS[form](found[path].body, HOST + path) == []
    archive = ElementTree.fromstring(found["/world/feed/1.atom"].body)  # noqa: S314 - our own document
    assert archive.find(f"{HISTORY}archive") is not None
    assert links_of(found["/world/feed/2.rss"].body) == {
        "self": f"{HOST}/world/feed/2.rss",
        "current": f"{HOST}/world/feed.rss",
        "prev-archive": f"{HOST}/world/feed/1.rss",
    }
    newest = ElementTree.fromstring(found["/world/feed.atom"].body)  # noqa: S314 - our own document
    assert newest.find(f"{HISTORY}archive") is None


async def test_a_complete_archive_is_never_touched_again_but_that_the_first_leads_on(
    store: Store, lend: Callable[..., Lent]
) -> None:
    await settle(store)
    clock = Clock()
    publisher = Publisher(Settings(entries=2), lend(clock=clock))
    assert await publish(store, publisher, 1) == ["3 of 3 documents changed"]
    assert await publish(store, publisher, 2) == ["6 of 6 documents changed"]
    first = (await documents_of(store))["/world/feed/1.atom"]
    clock.turn(days=1)
    assert await publish(store, publisher, 3) == ["3 of 3 documents changed"]
    assert (await documents_of(store))["/world/feed/1.atom"] == first
    await publish(store, publisher, 4, 5)
    closed = await documents_of(store)
    for form in ("atom", "rss"):
        assert b'rel="next-archive"' in closed[f"/world/feed/1.{form}"].body
        assert b'rel="next-archive"' not in closed[f"/world/feed/2.{form}"].body
        assert PROBLEMS[form](closed[f"/world/feed/1.{form}"].body) == []
    assert f"{HOST}/world/feed/2.atom".encode() in closed["/world/feed/1.atom"].body
    clock.turn(days=1)
    await publish(store, publisher, 6, 7)
    after = await documents_of(store)
    assert [path for path in closed if "/feed/" in path and after[path] != closed[path]] == []
    assert len(after) > len(closed)
    again = Publisher(Settings(entries=2), lend(clock=clock))
    assert await again.refresh("world") == 0


async def test_another_number_of_entries_leaves_what_is_archived(
    store: Store, lend: Callable[..., Lent]
) -> None:
    await settle(store)
    await publish(store, Publisher(Settings(entries=2), lend()), 1, 2, 3)
    more = Publisher(Settings(entries=4), lend())
    await more.refresh("world")
    await publish(store, more, *range(4, 8))
    for form in FORMS:
        assert followed(await documents_of(store), form) == [[7, 6, 5, 4], [6, 5, 4, 3], [2, 1]]
    fewer = Publisher(Settings(entries=1), lend())
    await fewer.refresh("world")
    for form in FORMS:
        assert followed(await documents_of(store), form) == [[7], [7], [6, 5, 4, 3], [2, 1]]


@pytest.mark.parametrize("told", [True, False], ids=["told of it", "at the next occasion"])
async def test_a_correction_touches_the_documents_that_hold_the_issue(
    store: Store, lend: Callable[..., Lent], *, told: bool
) -> None:
    await settle(store)
    publisher = Publisher(Settings(entries=2), lend())
    await publish(store, publisher, *range(1, 6))
    before = await documents_of(store)
    [second] = [one for one in await store.issues.latest("world") if one.path == "world/2026-11-02"]
    mended = replace(second.stories[0], title="The bell is back", corrected_at=MOMENT)
    stories = (mended, *second.stories[1:])
    corrected = replace(second, stories=stories, revision=2, updated_at=MOMENT + timedelta(hours=1))
    assert await store.issues.revise(corrected, now=MOMENT)
    if told:
        [delivery] = await due(store, "feed")
        assert (await publisher.publish(delivery)).reply == "3 of 6 documents changed"
    assert await publisher.refresh("world") == (0 if told else 3)
    after = await documents_of(store)
    assert {path for path in after if after[path] != before[path]} == {
        f"/world/feed/1.{form}" for form in FORMS
    }
    for form in FORMS:
        assert b"The bell is back" in after[f"/world/feed/1.{form}"].body
        assert followed(after, form) == [[5, 4], [4, 3], [2, 1]]


async def test_a_new_title_or_template_is_in_the_archives_after_a_refresh(
    store: Store, lend: Callable[..., Lent], own_templates: Path
) -> None:
    await settle(store)
    await publish(store, Publisher(Settings(entries=2), lend()), 1, 2, 3)
    (own_templates / "pages" / "feed_issue.html").write_text("<p>Own: {{ issue.title }}</p>")
    own = Publisher(Settings(entries=2), lend(templates=own_templates))
    assert await own.refresh("world") == 6
    assert b"Own: No. 1" in (await documents_of(store))["/world/feed/1.json"].body
    assert await own.refresh("world") == 0


async def test_documents_that_somebody_deleted_come_back_byte_for_byte(
    store: Store, lend: Callable[..., Lent]
) -> None:
    await settle(store)
    publisher = Publisher(Settings(entries=2), lend())
    await publish(store, publisher, 1, 2, 3)
    before = {path: one.body for path, one in (await documents_of(store)).items()}

    async def gone(connection: AsyncConnection) -> None:
        await connection.execute(text("DELETE FROM documents"))

    await store._database.write(gone)
    assert await publisher.refresh("world") == 6
    assert {path: one.body for path, one in (await documents_of(store)).items()} == before
    assert await publisher.refresh("world") == 0


async def test_stories_have_an_archive_for_each_issue(store: Store, lend: Callable[..., Lent]) -> None:
    await settle(store)
    publisher = Publisher(Settings(items="stories", entries=6), lend())
    await publish(store, publisher, 1, 2, 3)
    found = await documents_of(store)
    held = {
        path: len(json.loads(document.body)["items"]) for path, document in found.items() if "json" in path
    }
    assert held == {
        "/world/feed.json": 8,
        "/world/feed/1.json": 4,
        "/world/feed/2.json": 4,
        "/world/feed/3.json": 4,
    }
    for path, document in found.items():
        assert PROBLEMS[path.rpartition(".")[2]](document.body, HOST + path) == []


async def test_two_processes_close_the_same_archives(store: Store, lend: Callable[..., Lent]) -> None:
    await settle(store)
    for day in range(1, 6):
        await bear(store, of_day(day), Publisher(Settings(entries=2), lend()))
    one, other = (Publisher(Settings(entries=2), lend()) for _ in range(2))
    await one.refresh("world")
    assert await other.refresh("world") == 0
    await store.feed_archives.add("world", 1, 99)
    assert [(each.number, each.after) for each in await store.feed_archives.list("world")] == [(1, 0), (2, 2)]


async def test_an_archive_whose_issues_are_kept_no_longer_goes_and_the_chain_ends_before_it(
    store: Store, lend: Callable[..., Lent]
) -> None:
    await settle(store)
    publisher = Publisher(Settings(entries=2), lend())
    await publish(store, publisher, *range(1, 8))
    keep = Retention(issues=4)
    while await store.shelves.keep("world", keep, today=MOMENT.date(), now=MOMENT):
        pass
    await publisher.refresh("world")
    found = await documents_of(store)
    assert {path for path in found if "/feed/" in path} == {
        f"/world/feed/{number}.{form}" for number in (2, 3) for form in FORMS
    }
    for form in FORMS:
        assert followed(found, form) == [[7, 6], [6, 5], [4]]
    assert await publisher.refresh("world") == 0
    while await store.shelves.keep("world", Retention(), today=MOMENT.date(), now=MOMENT):
        pass
    await publisher.refresh("world")
    for form in FORMS:
        assert followed(await documents_of(store), form) == [[7, 6], [6, 5], [4, 3], [2, 1]]


async def test_an_update_leads_to_no_issue_that_is_kept_no_longer(
    store: Store, lend: Callable[..., Lent]
) -> None:
    await settle(store)
    publisher = Publisher(Settings(), lend())
    await publish(store, publisher, 20)
    await bear(store, replace(of_day(21), stories=(UPDATED,)), publisher)
    [delivery] = await due(store, "feed")
    await publisher.publish(delivery)
    before = await documents_of(store)
    for kept, leads in ((Retention(issues=1), False), (Retention(), True)):
        while await store.shelves.keep("world", kept, today=MOMENT.date(), now=MOMENT):
            pass
        await publisher.refresh("world")
        for document in (await documents_of(store)).values():
            assert (b"world/2026-11-20/" in document.body) is leads
            assert UPDATED.title.encode() in document.body
    assert {path: one.body for path, one in (await documents_of(store)).items()} == {
        path: one.body for path, one in before.items()
    }

"""What the config keeps is what everybody sees: pages, search and feeds."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from digest import shelving
from digest.cli.steps import once_in
from digest.model import DigestError
from digest.service import open_house

sys.path.insert(0, str(Path(__file__).parent / "store"))
from store_values import DAY, NOW, TODAY, born, story

pytestmark = pytest.mark.asyncio

CONFIG = """
site: {{title: Post, url: "http://127.0.0.1:8080"}}
database: sqlite:///digest.db
feed: {{entries: 2}}
email: {{from: "Post <news@example.org>", transport: inbox}}
newsletters:
  world:
    title: World
    schedule: {{at: "07:00", zone: UTC}}
    feeds: [city.xml]
    archive: {{keep: {keep}}}
"""


async def test_what_is_kept_no_longer_leaves_the_feeds_and_their_archives(tmp_path: Path) -> None:
    (tmp_path / "city.xml").write_text("<rss version='2.0'><channel><title>City</title></channel></rss>")
    config = tmp_path / "config.yaml"
    now = NOW + 4 * DAY

    async def tidied(keep: str) -> tuple[str, set[str]]:
        config.write_text(CONFIG.format(keep=keep))
        async with open_house(config) as house:
            store = house.store
            if not await store.issues.latest("world"):
                for day in range(5):
                    when = NOW + day * DAY
                    await born(
                        store,
                        date=TODAY + day * DAY,
                        composed_at=when,
                        updated_at=when,
                        title=f"Issue {day}",
                        stories=(story(f"Rain {day}"),),
                    )
            await shelving.tidy(house.line, now)
            again = await shelving.tidy(house.line, now)
            assert (again.shelved, again.indexed) == (0, 0)
            if keep == "all":
                await house.line.publishers["feed"].refresh("world")  # type: ignore[attr-defined]
            documents = await store.documents.all("world")
            shown = " ".join(one.body.decode() for one in documents if one.path.endswith(".atom"))
            found = {one.path for one in await store.search.find("rain")}
            assert all(one.gzip and one.brotli for one in documents)
            return shown, found

    everything = {f"world/2026-11-{22 + day}" for day in range(5)}
    shown, found = await tidied("all")
    assert found == everything
    assert all(f"Issue {day}<" in shown for day in range(5))
    shown, found = await tidied("3 issues")
    assert found == {"world/2026-11-24", "world/2026-11-25", "world/2026-11-26"}
    assert "Issue 0<" not in shown
    assert "Issue 1<" not in shown
    assert "Issue 4<" in shown
    shown, found = await tidied("1d")
    assert found == {"world/2026-11-25", "world/2026-11-26"}
    shown, found = await tidied("all")
    assert found == everything
    assert all(f"Issue {day}<" in shown for day in range(5))


async def test_feeds_that_could_not_be_made_are_made_in_the_next_round(tmp_path: Path) -> None:
    (tmp_path / "city.xml").write_text("<rss version='2.0'><channel><title>City</title></channel></rss>")
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.format(keep="1 issues"))
    async with open_house(config) as house:
        for day in range(2):
            when = NOW + day * DAY
            told = (story(f"Rain {day}"),)
            await born(house.store, date=TODAY + day * DAY, composed_at=when, updated_at=when, stories=told)
        feed = house.line.publishers["feed"]
        line = replace(house.line, publishers={**house.line.publishers, "feed": Broken()})  # type: ignore[dict-item]

        async def in_the_feed() -> list[bool]:
            document = await house.store.documents.get("/world/feed.atom")
            assert document is not None
            return [f"Rain {day}".encode() in document.body for day in range(2)]

        await feed.refresh("world")  # type: ignore[attr-defined]
        assert await in_the_feed() == [True, True]
        assert (await shelving.tidy(line, NOW + DAY)).shelved == 1
        assert await in_the_feed() == [True, True]
        assert (await shelving.tidy(house.line, NOW + DAY)).shelved == 0
        assert await in_the_feed() == [False, True]
        assert not await house.store.shelves.is_unpublished("world")


async def test_who_has_no_service_but_once_keeps_no_more_either(tmp_path: Path) -> None:
    (tmp_path / "city.xml").write_text("<rss version='2.0'><channel><title>City</title></channel></rss>")
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.format(keep="2 issues"))
    async with open_house(config) as house:
        for day in range(5):
            when = NOW + day * DAY
            await born(
                house.store,
                date=TODAY + day * DAY,
                composed_at=when,
                updated_at=when,
                stories=(story(f"Rain {day}"),),
            )
        assert len(await house.store.shelves.addresses("world", limit=9)) == 5
    assert not await once_in(str(config), force=False, as_json=False)
    async with open_house(config) as house:
        assert len(await house.store.shelves.addresses("world", limit=9)) == 2
        assert await house.store.ledger.head_of_the_day(house.line.clock()) is None  # it was told already


async def test_who_has_no_service_but_once_has_feeds_from_the_beginning_that_follow_the_site(
    tmp_path: Path,
) -> None:
    (tmp_path / "city.xml").write_text("<rss version='2.0'><channel><title>City</title></channel></rss>")
    config = tmp_path / "config.yaml"

    async def shown(url: str) -> str:
        config.write_text(CONFIG.format(keep="all").replace("http://127.0.0.1:8080", url))
        assert not await once_in(str(config), force=False, as_json=False)
        async with open_house(config) as house:
            documents = {one.path: one.body.decode() for one in await house.store.documents.all("world")}
            assert documents.keys() == {f"/world/feed.{form}" for form in ("atom", "rss", "json")}
            return " ".join(documents.values())

    assert "http://127.0.0.1:8080/world/" in await shown("http://127.0.0.1:8080")
    moved = await shown("https://moved.example")
    assert "https://moved.example/world/feed.atom" in moved
    assert "127.0.0.1" not in moved


class Broken:
    """A channel that cannot show what it should."""

    async def refresh(self, slug: str) -> int:
        raise DigestError(f"{slug} cannot be shown")


async def test_a_channel_that_cannot_be_refreshed_stops_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "city.xml").write_text("<rss version='2.0'><channel><title>City</title></channel></rss>")
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.format(keep="all"))
    async with open_house(config) as house:
        assert house.line.newsletters["world"].channels[-1] == "feed"
        line = replace(house.line, publishers={**house.line.publishers, "email": Broken()})  # type: ignore[dict-item]
        await shelving.refresh(line)
        assert len(await house.store.documents.all("world")) == 3
    assert "channel not refreshed" in caplog.text

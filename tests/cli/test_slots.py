"""`digest issues list --slots`: what became of the slots of every rhythm."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from a_house import Clock, FeedServer, rss, write_config
from digest import intake, pipeline
from digest.model import Rhythm
from digest.service import open_house

FIRST = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
EVENING = Rhythm(cadence="weekdays", at=time(18, 15), zone="America/Nuuk")


async def three_days(folder: Path) -> None:
    """A Friday with news for all, a quiet Saturday, and after two days of downtime a Tuesday morning."""
    clock = Clock(FIRST)
    async with FeedServer().serving() as feed:
        feed.body = rss("lighthouse")
        path = write_config(folder, feeds=feed.all_of_it)
        async with open_house(path, clock=clock) as house:
            (ann,) = await house.store.subscriptions.of("ann@example.org")
            await house.store.subscriptions.choose(ann.id, EVENING, now=clock())
            await intake.pull(house.line, clock(), force=True)
            await pipeline.summarize(house.line, clock())
            for hours in (2, 15, 8, 72):  # Friday 07:00, Friday 20:00 (18:15 in Nuuk), Saturday, Tuesday
                await pipeline.compose(house.line, clock.turn(hours=hours) + timedelta(minutes=10))


@pytest.fixture
def config(tmp_path: Path) -> str:
    asyncio.run(three_days(tmp_path))
    return str(tmp_path / "config.yaml")


def test_slots_of_every_rhythm_say_what_became_of_them(config: str, digest: Any) -> None:
    found = digest("issues", "list", "--slots", "--json", "--config", config)
    assert found.code == 0, found.err
    own = {"cadence": "daily", "at": "07:00:00", "zone": "Europe/Berlin"}
    evening = {"cadence": "weekdays", "at": "18:15:00", "zone": "America/Nuuk"}
    held = [
        (each["date"], each["rhythm"] == (own if each["own"] else evening), each["own"], each["status"])
        for each in found.json()["slots"]
    ]
    assert sorted(held) == [
        ("2026-11-20", True, False, "issue"),
        ("2026-11-20", True, True, "issue"),
        ("2026-11-21", True, True, "empty"),
        ("2026-11-22", True, True, "coalesced"),
        ("2026-11-23", True, False, "empty"),
        ("2026-11-23", True, True, "coalesced"),
        ("2026-11-24", True, True, "empty"),
    ]
    assert [each["issues"] for each in found.json()["slots"] if each["status"] == "issue"] == [1, 1]


def test_people_see_rhythms_in_words_and_which_is_the_newsletters_own(config: str, digest: Any) -> None:
    said = digest("issues", "list", "--slots", "--newsletter", "world", "--config", config).out
    assert "weekdays 18:15 America/Nuuk" in said
    assert "daily 07:00 Europe/Berlin (own)" in said
    assert "coalesced" in said
    assert "world/i/" in said
    assert "coalesced" not in digest("issues", "list", "--config", config).out

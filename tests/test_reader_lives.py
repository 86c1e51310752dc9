"""Weeks of readers who change their minds, when clocks are put forward; `make soak` has years."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reader_lives import lived


@pytest.mark.asyncio
async def test_nobody_is_told_a_story_twice_or_never_whatever_readers_choose(store_url: str) -> None:
    policy = "each" if store_url.startswith("sqlite") else "coalesce"
    lives, wrong = await lived(
        store_url,
        seed=policy,
        days=18,
        readers=4,
        policy=policy,
        first=datetime(2025, 3, 22, 12, tzinfo=UTC),
        every=timedelta(hours=9),
    )
    assert wrong == []
    assert lives.did["changed rhythm"] > 8, "or it shows nothing"
    assert lives.did["two at once"] > 3
    assert len(lives.expected) > 30

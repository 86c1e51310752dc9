"""Two years of readers who change cadence, hour, zone and pauses as they like, in six zones with awkward
clocks; with two schedulers at once, some that are killed, downtime, schedules that change and issues by hand.

`make soak SOAK=short` lives through three months with each policy, `make soak` through two years.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from reader_lives import lived

SHORT = os.environ.get("SOAK") == "short"
DAYS = 90 if SHORT else 730
READERS = 4 if SHORT else 8


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("engine", "policy"), [("sqlite", "coalesce"), ("sqlite", "each"), ("postgresql", "skip")]
)
async def test_two_years_in_six_zones_lose_and_double_nothing(
    request: pytest.FixtureRequest, sqlite_url: str, postgres_url: str, engine: str, policy: str
) -> None:
    url = sqlite_url if engine == "sqlite" else postgres_url
    lives, wrong = await lived(
        url,
        seed=f"{engine} {policy}",
        days=DAYS,
        readers=READERS,
        policy=policy,
        first=datetime(2025, 1, 15, 12, tzinfo=UTC),
        every=timedelta(hours=24),
    )
    did = ", ".join(f"{count} × {what}" for what, count in sorted(lives.did.items()))
    print(  # noqa: T201 - what a soak is for
        f"{engine}, {policy}: {lives.looks} looks, {len(lives.expected)} slots,"
        f" {lives.articles} articles; {did}"
    )
    assert wrong == []
    assert len(lives.expected) > 2 * DAYS

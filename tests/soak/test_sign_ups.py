"""Strangers at the door: forged tokens by the hundred thousand, floods, and a stop-watch."""

from __future__ import annotations

import base64
import os
import random
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from digest.addresses import normalize
from digest.links import PURPOSES, Links
from digest.model import Newsletter, Schedule, Site
from digest.render import renderer
from digest.store import Store
from digest.web import Health, WebLent, build_app
from digest.web.lent import SignupLimits

SHORT = os.environ.get("SOAK") == "short"
FORGED = 5_000 if SHORT else 100_000
KNOCKS = 150 if SHORT else 4_000
LOOKS = 120 if SHORT else 3_000
SITE = Site(title="The Morning Post", url="http://digest.test")
SECRET = b"a secret that is only for tests!"


async def _well() -> Health:
    return Health(ok=True, checks={})


def web(store: Store, **limits: int) -> httpx.AsyncClient:
    lent = WebLent(
        site=SITE,
        store=store,
        links=Links(SITE.url, SECRET),
        renderer=renderer(None),
        clock=lambda: datetime.now(UTC),
        health=_well,
        feed_state=lambda _feed, _now: "ok",
        ip_key=b"another key for tests",
        signup=SignupLimits(**limits),
    )
    transport = httpx.ASGITransport(app=build_app(lent), client=("203.0.113.9", 1))
    return httpx.AsyncClient(transport=transport, base_url=SITE.url)


async def furnished(path: Path) -> Store:
    from datetime import time as clock_time

    store = await Store.open(f"sqlite:///{path}")
    now = datetime.now(UTC)
    await store.claim_identity(SECRET, None, now)
    about = Newsletter(slug="world", title="World", schedule=Schedule(at=clock_time(7), zone="Europe/Berlin"))
    await store.newsletters.sync([about], site=SITE, now=now)
    return store


def forgeries(count: int) -> list[str]:
    """Random ones, and true ones with a few bits changed."""
    lots = random.Random(6)  # noqa: S311 - the same ones each time
    true = Links(SITE.url, SECRET)
    made = []
    for number in range(count):
        raw = bytearray(lots.randbytes(30))
        if number % 2:
            raw = bytearray(base64.urlsafe_b64decode(true.token("unsubscribe", number)))
            raw[lots.randrange(30)] ^= 1 << lots.randrange(8)
        made.append(base64.urlsafe_b64encode(raw).decode())
    return made


def test_no_forged_token_opens_anything_for_any_purpose() -> None:
    links, now = Links(SITE.url, SECRET, former=(b"an older secret of these tests",)), datetime.now(UTC)
    tokens = forgeries(FORGED)
    begun = time.perf_counter()
    opened = [one for one in tokens for purpose in PURPOSES if links.opened(one, purpose, now=now)]
    each = (time.perf_counter() - begun) / FORGED / len(PURPOSES)
    print(f"{FORGED * len(PURPOSES)} forged tokens, {each * 1e6:.1f} µs each")  # noqa: T201
    assert opened == []


@pytest.mark.asyncio
async def test_a_scanner_with_forged_tokens_changes_nothing_and_asks_the_database_nothing(
    tmp_path: Path,
) -> None:
    store = await furnished(tmp_path / "subscribers.db")
    added = await store.subscriptions.add(
        "world", "me@example.org", source="cli", evidence={}, now=datetime.now(UTC)
    )
    assert added == "added"
    asked = 0

    def count(*_rest: Any) -> None:
        nonlocal asked
        asked += 1

    from sqlalchemy import event

    try:
        async with web(store) as client:
            await client.get("/confirm/x")
            event.listen(store._database._reading.sync_engine, "after_cursor_execute", count)
            event.listen(store._database._writing.sync_engine, "after_cursor_execute", count)
            statuses = set()
            for number, token in enumerate(forgeries(FORGED // 50)):
                page = ("confirm", "unsubscribe", "preferences")[number % 3]
                method = ("GET", "HEAD", "POST")[number // 3 % 3]
                statuses.add((await client.request(method, f"/{page}/{token}")).status_code)
        assert statuses == {404}
        assert asked == 0
        (me,) = await store.subscriptions.list()
        assert me.status == "active"
    finally:
        await store.close()


@pytest.mark.asyncio
async def test_a_flood_is_answered_quickly_and_writes_a_few_letters(tmp_path: Path) -> None:
    store = await furnished(tmp_path / "subscribers.db")
    try:
        took = []
        async with web(store, per_address=20) as client:
            for number in range(KNOCKS):
                begun = time.perf_counter()
                answer = await client.post("/world/subscribe", data={"email": f"victim{number}@example.org"})
                took.append(time.perf_counter() - begun)
                assert answer.status_code == 200
        middle, longest = statistics.median(took) * 1000, max(took) * 1000
        print(f"{KNOCKS} sign-ups, median {middle:.1f} ms, longest {longest:.0f} ms")  # noqa: T201
        assert await store.signups.answer(datetime.now(UTC)) == 20
    finally:
        await store.close()


@pytest.mark.asyncio
async def test_a_stop_watch_does_not_tell_a_reader_from_a_stranger(tmp_path: Path) -> None:
    """Readers, strangers and the suppressed in turn, with answers in between as the service gives them; the
    medians may differ by no more than those of two halves of the same kind, by and large."""
    store = await furnished(tmp_path / "subscribers.db")
    now = datetime.now(UTC)
    for number in range(LOOKS):
        address = normalize(f"known{number}@example.org")
        await store.subscriptions.add("world", address, source="cli", evidence={}, now=now)
        await store.subscriptions.suppress(f"dead{number}@example.org", "bounced", now)
    kinds = ("known", "dead", "new", "other")
    took: dict[str, list[float]] = {kind: [] for kind in kinds}
    lots = random.Random(6)  # noqa: S311
    try:
        async with web(store, per_address=10**6, per_network=10**6, in_total=10**6) as client:
            for number in range(LOOKS):
                for kind in lots.sample(kinds, len(kinds)):
                    begun = time.perf_counter()
                    await client.post("/world/subscribe", data={"email": f"{kind}{number}@example.org"})
                    took[kind].append(time.perf_counter() - begun)
                if number % 50 == 49:
                    await store.signups.answer(datetime.now(UTC))
    finally:
        await store.close()
    medians = {kind: statistics.median(times) for kind, times in took.items()}
    print({kind: f"{each * 1000:.2f} ms" for kind, each in medians.items()})  # noqa: T201
    spread = max(medians.values()) / min(medians.values())
    assert spread < 1.25, medians

from __future__ import annotations

import pytest
from web_house import build, furnish

from digest.model import SubscriptionStatus
from digest.store import Store


@pytest.mark.asyncio
async def test_from_the_form_to_the_goodbye_on_either_database(store: Store) -> None:
    house = build(store, await furnish(store))
    async with house.client() as web:
        assert (await web.get("/")).status_code == 200
        assert (await web.post("/world/subscribe", data={"email": "new@example.org"})).status_code == 200
        assert await house.answered() == 1
        [reader] = await store.subscriptions.of("new@example.org")
        confirm = house.links.token("confirm", reader.id, issued=house.clock.now)
        assert "You are in" in (await web.post(f"/confirm/{confirm}")).text
        preferences = house.links.token("preferences", reader.id)
        answer = await web.post(
            f"/preferences/{preferences}", data={"action": "pause", "until": "2026-12-01"}
        )
        assert "December 1, 2026" in answer.text
        leave = house.links.token("unsubscribe", reader.id)
        assert (
            await web.post(f"/unsubscribe/{leave}", data={"List-Unsubscribe": "One-Click"})
        ).status_code == 200
        assert (await web.get("/world/2026-11-22/")).status_code == 200
        assert (await web.get("/world/feed.atom")).status_code == 200
        assert (await web.get("/metrics")).status_code == 200
    [reader] = await store.subscriptions.of("new@example.org")
    assert reader.status is SubscriptionStatus.LEFT
    rows = await store.subscriptions.history("new@example.org")
    assert [row.event for row in rows] == ["asked", "yes", "no"]
    assert await store.subscriptions.verify() == []

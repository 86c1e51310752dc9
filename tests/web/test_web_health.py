from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from web_house import NOW, Broken, House

from digest.model import NotReady
from digest.web import Health

pytestmark = pytest.mark.asyncio


async def test_alive_and_ready(house: House) -> None:
    async with house.client() as web:
        alive, ready = await web.get("/healthz"), await web.get("/readyz")
    assert (alive.status_code, alive.json()) == (200, {"ok": True})
    assert ready.status_code == 200
    assert ready.json() == {"ok": True, "checks": {"store": "ok", "scheduler": "ok"}}
    assert ready.headers["cache-control"] == "no-store"


async def test_not_ready_says_why_while_the_process_is_alive(house: House) -> None:
    house.ailing.health = Health(ok=False, checks={"store": "ok", "scheduler": "red: no tick for 5 minutes"})
    async with house.client() as web:
        alive, ready = await web.get("/healthz"), await web.get("/readyz")
    assert alive.status_code == 200
    assert ready.status_code == 503
    assert ready.json()["checks"]["scheduler"] == "red: no tick for 5 minutes"


async def test_a_check_that_cannot_be_made_is_a_bad_one(house: House) -> None:
    async def away() -> Health:
        raise NotReady("the database is locked")

    async with house.client(health=away) as web:
        ready = await web.get("/readyz")
        scraped = await web.get("/metrics")
    assert ready.status_code == 503
    assert ready.json()["checks"] == {"store": "the database is locked"}
    assert numbers(scraped.text)["digest_ready", ()] == 0


def numbers(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_metrics_count_deliveries_feeds_articles_and_readers(house: House) -> None:
    async with house.client() as web:
        answer = await web.get("/metrics")
        again = await web.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text == again.text
    found = numbers(answer.text)
    assert found["digest_ready", ()] == 1
    assert found["digest_check_ok", (("check", "scheduler"),)] == 1
    assert found["digest_deliveries", (("state", "pending"),)] == 1
    assert found["digest_feeds", (("state", "failing"),)] == 0
    assert found["digest_feeds", (("state", "silent"),)] == 0
    assert found["digest_feeds_late", ()] == 0
    assert found["digest_articles_ready", ()] == 0
    assert found["digest_subscriptions", (("newsletter", "world"), ("status", "active"))] == 1
    assert found["digest_subscriptions", (("newsletter", "world"), ("status", "left"))] == 1


async def test_metrics_tell_feeds_that_fail_and_pulling_that_does_not_keep_up(house: House) -> None:
    house.clock.advance(days=1)
    async with house.client() as web:
        late = numbers((await web.get("/metrics")).text)
        [feed] = await house.store.feeds.claim_due(house.clock(), limit=9, lease=timedelta(minutes=1))
        sick = replace(feed, failures=2, error="no answer", next_poll_at=house.clock() + timedelta(days=1))
        await house.store.feeds.record_poll(sick, (), now=house.clock())
        failing = numbers((await web.get("/metrics")).text)
    of_state = {state: ("digest_feeds", (("state", state),)) for state in ("ok", "failing")}
    assert (late[of_state["ok"]], late[of_state["failing"]], late["digest_feeds_late", ()]) == (1, 0, 1)
    assert (failing[of_state["ok"]], failing[of_state["failing"]]) == (0, 1)
    assert failing["digest_feeds_late", ()] == 0


async def test_a_scrape_while_the_store_is_away_says_so(house: House) -> None:
    async with house.client(store=Broken(NotReady("the database is locked"))) as web:
        found = numbers((await web.get("/metrics")).text)
    assert found["digest_store_up", ()] == 0
    assert ("digest_articles_ready", ()) not in found


async def test_metrics_of_two_apps_in_one_process_do_not_meet(house: House) -> None:
    async with house.client() as one, house.client(dev_inbox=True) as other:
        assert (await one.get("/metrics")).text == (await other.get("/metrics")).text


async def test_metrics_name_nobody(house: House) -> None:
    await house.store.subscriptions.suppress("bounced@example.org", "5.1.1", NOW - timedelta(days=1))
    async with house.client() as web:
        assert "@" not in (await web.get("/metrics")).text

"""Is all well? For load balancers (/healthz, /readyz) and for Prometheus (/metrics)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from digest.model import NotReady

if TYPE_CHECKING:
    from digest.web.lent import WebLent  # which knows our Health

LATE = timedelta(hours=1)
ALWAYS_SHOWN = ("ok", "failing", "gone", "silent")  # states of feeds, also when no feed is in them

_FRESH = {"cache-control": "no-store"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What the service says of itself. checks: a name and `ok`, or what is wrong in plain words."""

    ok: bool
    checks: Mapping[str, str]


Ask = Callable[[], Awaitable[Health]]


async def healthz(_request: Request) -> Response:
    """The process is alive; it asks nobody."""
    return JSONResponse({"ok": True}, headers=_FRESH)


async def readyz(ask: Ask, _request: Request) -> Response:
    """The store answers and the scheduler ticks: 200, else 503 with the reasons."""
    health = await _asked(ask)
    answer = {"ok": health.ok, "checks": dict(health.checks)}
    return JSONResponse(answer, status_code=200 if health.ok else 503, headers=_FRESH)


async def _asked(ask: Ask) -> Health:
    try:
        return await ask()
    except NotReady as error:
        return Health(ok=False, checks={"store": str(error)})


async def metrics(lent: WebLent, _request: Request) -> Response:
    health = await _asked(lent.health)
    families = [
        _gauge("digest_ready", "1 when every check is well.", (), {(): float(health.ok)}),
        _gauge(
            "digest_check_ok",
            "1 when this check is well.",
            ("check",),
            {(name,): float(text == "ok") for name, text in health.checks.items()},
        ),
    ]
    try:
        families += await _counted(lent)
    except NotReady:
        # The checks above say so already; a scrape without numbers is still a scrape.
        families.append(_gauge("digest_store_up", "1 when the database answers.", (), {(): 0.0}))
    registry = CollectorRegistry()
    registry.register(_Snapshot(families))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST, headers=_FRESH)


async def _counted(lent: WebLent) -> list[GaugeMetricFamily]:
    store, now = lent.store, lent.clock()
    followed = await store.feeds.followed()
    states = Counter(lent.feed_state(feed, now) for feed in followed)
    late = sum(not feed.gone and now - feed.next_poll_at > LATE for feed in followed)
    deliveries = await store.deliveries.counts()
    subscriptions = await store.subscriptions.counts()
    return [
        _gauge("digest_store_up", "1 when the database answers.", (), {(): 1.0}),
        _gauge(
            "digest_feeds",
            "Feeds by state.",
            ("state",),
            {(state,): states[state] for state in sorted({*states, *ALWAYS_SHOWN})},
        ),
        _gauge("digest_feeds_late", "Feeds that should have been asked an hour ago.", (), {(): late}),
        _gauge(
            "digest_articles_ready", "Articles summarized so far.", (), {(): await store.articles.max_ready()}
        ),
        _gauge(
            "digest_deliveries",
            "Deliveries in the ledger by state.",
            ("state",),
            {(str(state),): count for state, count in deliveries.items()},
        ),
        _gauge(
            "digest_subscriptions",
            "Subscriptions by newsletter and status.",
            ("newsletter", "status"),
            {(slug, str(status)): count for (slug, status), count in subscriptions.items()},
        ),
    ]


def _gauge(
    name: str, about: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], float]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, about, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


class _Snapshot(Collector):
    """The numbers of one moment. Made for one scrape, so that nothing global is kept."""

    def __init__(self, families: Iterable[GaugeMetricFamily]) -> None:
        self._families = tuple(families)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        return iter(self._families)

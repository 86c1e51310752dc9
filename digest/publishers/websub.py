"""The channel `websub`: tells a newsletter's hub that its feeds have changed; readers need not wait to poll.

    issue out → feeds built → one POST to the hub for each feed that changed

The hub asks for the feed itself and hands it to whoever subscribed there. How a hub is told is left open by
WebSub (W3C Recommendation, section 7); `hub.mode=publish` with the feed's address is what all hubs take. A
ping waits its turn in the ledger like any delivery, is tried again as letters are, and keeps no letter
waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from digest.headers import spoken
from digest.model import Delivery, FeedError, Issue, Newsletter, NotFound, NotReady, PublishError, Receipt
from digest.publishers.base import Audience, Lent

FORMS = ("atom", "rss", "json")
FEEDS_WITHIN = timedelta(seconds=20)
LOOK_EVERY = 0.2
UNDER_WAY = frozenset(("pending", "attempting", "deferred", "unknown"))
HOPELESS = frozenset((400, 401, 403, 404, 405, 410, 501))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How hubs are told; which one, each newsletter says (`hub`).

    timeout: for the answer of a hub.
    """

    timeout: timedelta = timedelta(seconds=20)


class Publisher:
    """One ping for each feed that changed. patience: how long a ping waits for the feeds of its issue to be
    built; after that its turn comes later."""

    channel = "websub"
    audience: Audience = "newsletter"
    concurrency = 4

    def __init__(self, settings: Settings, lent: Lent, *, patience: timedelta = FEEDS_WITHIN) -> None:
        self._settings = settings
        self._lent = lent
        self._patience = patience
        self._told: dict[tuple[str, str], str] = {}

    async def prepare(self, issue: Issue, newsletter: Newsletter) -> bytes | None:
        """Nothing: a ping says only which feed."""
        return None

    async def connect(self) -> None:
        """Nothing: each newsletter may have another hub, and one that is down must not stop the others."""

    async def publish(self, delivery: Delivery) -> Receipt:
        """Tell the hub. Twice is harmless: it looks at the feed and finds what it knows."""
        slug = delivery.recipient
        try:
            hub = (await self._lent.store.newsletters.get(slug)).newsletter.hub
            if not hub:
                return Receipt(relay="websub", reply="the newsletter has no hub; nobody was told")
            told = 0
            while changed := await self._changed(delivery, hub):
                for path, etag in changed.items():
                    await self._tell(hub, f"{self._lent.site.url}{path}")
                    self._told[hub, path] = etag
                told += len(changed)
        except NotFound as error:
            raise PublishError(str(error), permanent=True, relay="websub") from error
        except NotReady as error:
            raise PublishError(str(error), counts=False, relay="websub") from error
        return Receipt(relay=hub, reply=f"told of {told} changed feeds")

    async def close(self) -> None:
        """Nothing is held open: the network is lent."""

    async def _changed(self, delivery: Delivery, hub: str) -> dict[str, str]:
        """path → ETag of the feeds that this hub was not told of by us as they are now."""
        await self._feeds_are_out(delivery)
        store, slug = self._lent.store, delivery.recipient
        found = [await store.documents.get(f"/{slug}/feed.{form}") for form in FORMS]
        return {
            one.path: one.etag
            for one in found
            if one is not None and self._told.get((hub, one.path)) != one.etag
        }

    async def _feeds_are_out(self, delivery: Delivery) -> None:
        """The hub comes and looks at once: what it is told of must be there."""
        if delivery.issue_id is None:
            return
        loop = asyncio.get_running_loop()
        until = loop.time() + self._patience.total_seconds()
        while _under_way(await self._lent.store.issues.progress(delivery.issue_id)):
            if loop.time() >= until:
                raise PublishError("the feeds of this issue are not built yet", relay="websub")
            await asyncio.sleep(LOOK_EVERY)

    async def _tell(self, hub: str, topic: str) -> None:
        """`hub.topic` beside `hub.url`: some hubs know only the one, some the other."""
        form = urlencode({"hub.mode": "publish", "hub.url": topic, "hub.topic": topic}).encode()
        seconds = self._settings.timeout.total_seconds()
        try:
            answer = await self._lent.net.post(hub, form, total=seconds)
        except FeedError as error:
            raise PublishError(str(error), relay=hub, wait=error.retry_after) from error
        if 200 <= answer.status < 300:
            return
        said = f"the hub does not take our ping ({answer.status})"
        if 300 <= answer.status < 400:
            said = f"the hub sends us elsewhere ({answer.status}); write that address into `hub`"
        elif answer.retry_after:
            said += f"; it asks us to wait {spoken(answer.retry_after)}"
        raise PublishError(said, permanent=answer.status in HOPELESS, relay=hub, wait=answer.retry_after)


def _under_way(progress: dict[str, dict[str, int]]) -> Collection[str]:
    return UNDER_WAY & progress.get("feed", {}).keys()

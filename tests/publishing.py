"""Brings newsletters and issues into a real store, as the pipeline does, and takes what is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from digest.model import Delivery, Issue, Newsletter
from digest.publishers.base import Publisher
from digest.store import Store
from letter_samples import ALAM, MOMENT, SITE, WORLD

LEASE = timedelta(minutes=1)
BEGAN = MOMENT - timedelta(days=21)


async def settle(store: Store, *newsletters: Newsletter, readers: Sequence[str] = ()) -> None:
    """The store knows these newsletters (by default the samples'), and these addresses read the first."""
    known = newsletters or (WORLD, ALAM)
    first = replace(known[0], recipients=tuple(readers))
    await store.newsletters.sync([first, *known[1:]], site=SITE, now=BEGAN)


async def bear(store: Store, issue: Issue, *publishers: Publisher, now: datetime = MOMENT) -> Issue:
    """This issue, born into its newsletter's own edition with all deliveries of these publishers."""
    newsletter = (await store.newsletters.get(issue.newsletter)).newsletter
    own = await store.newsletters.own_edition(issue.newsletter)
    issue = replace(issue, edition_id=own.id, after=own.through, through=own.through + 1)
    prepared: dict[str, bytes] = {}
    audiences: dict[str, Literal["readers", "newsletter"]] = {}
    for publisher in publishers:
        audiences[publisher.channel] = publisher.audience
        letter = await publisher.prepare(issue, newsletter)
        if letter is not None:
            prepared[publisher.channel] = letter
    return await bear_prepared(store, issue, prepared, audiences, now)


async def bear_prepared(
    store: Store,
    issue: Issue,
    prepared: Mapping[str, bytes],
    audiences: Mapping[str, Literal["readers", "newsletter"]],
    now: datetime,
) -> Issue:
    born = await store.issues.birth(
        issue, decisions=(), prepared=prepared, audiences=audiences, slot=None, now=now
    )
    assert born is not None
    while not await store.issues.add_deliveries(born.id, now):
        pass
    return born


async def due(store: Store, channel: str, now: datetime = MOMENT) -> list[Delivery]:
    """What is due on this channel, claimed."""
    return await store.deliveries.claim_due(channel, now + timedelta(seconds=1), limit=100, lease=LEASE)

"""Private feeds, as parts of a transaction: who has one, at which number, and what stands in it.

The address of a private feed holds a signed number. Only the latest number of a subscription opens anything;
an address that was given up never does again.
"""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import Subscription, SubscriptionStatus
from digest.store.people import find_subscription
from digest.store.tables import deliveries, issues, subscriptions

_READING = (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAUSED)


async def switch_feed(connection: AsyncConnection, subscription_id: int, *, on: bool) -> Subscription | None:
    """Give a private feed, at a new address, or take it away; then letters go by mail again, for nobody may
    be left without both."""
    found = await find_subscription(connection, subscription_id, lock=True)
    if found is None or found.feed_on == on or (on and found.status not in _READING):
        return found
    by_mail = found.by_mail if on else True
    return await _set(connection, found, feed_on=on, by_mail=by_mail, feed_number=found.feed_number + on)


async def renew_feed(connection: AsyncConnection, subscription_id: int) -> Subscription | None:
    """Another address for a private feed that is on; the old one is dead."""
    found = await find_subscription(connection, subscription_id, lock=True)
    if found is None or not found.feed_on:
        return found
    return await _set(connection, found, feed_number=found.feed_number + 1)


async def switch_mail(connection: AsyncConnection, subscription_id: int, *, on: bool) -> Subscription | None:
    """Letters by mail, or the private feed instead, which is then on."""
    found = await find_subscription(connection, subscription_id, lock=True)
    if found is None or found.by_mail == on or found.status not in _READING:
        return found
    if not on:
        found = await switch_feed(connection, subscription_id, on=True) or found
    return await _set(connection, found, by_mail=on)


async def _set(connection: AsyncConnection, found: Subscription, **values: object) -> Subscription | None:
    await connection.execute(update(subscriptions).where(subscriptions.c.id == found.id).values(**values))
    return await find_subscription(connection, found.id)


async def issues_born_for(
    connection: AsyncConnection, subscription_id: int, limit: int
) -> list[tuple[int, int]]:
    """(issue, revision) of the newest issues that were born for this reader, newest first; sent or not."""
    theirs = (
        select(deliveries.c.issue_id)
        .where(deliveries.c.subscription_id == subscription_id, deliveries.c.issue_id.is_not(None))
        .distinct()
    )
    statement = (
        select(issues.c.id, issues.c.revision)
        .where(issues.c.id.in_(theirs), issues.c.shelved_at.is_(None))
        .order_by(issues.c.id.desc())
        .limit(limit)
    )
    return [(row.id, row.revision) for row in await connection.execute(statement)]

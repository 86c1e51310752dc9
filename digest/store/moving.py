"""A person moves to another address, which they have confirmed.

Letters that are born already go to the address that they were born for: recipients are frozen with an issue,
so that its sums hold and nobody gets a letter twice. Links in old letters go on working: they name the
subscription and not the address, and one that became one with another leads to that.

If the new address has subscriptions of its own, the two persons become one, and nobody is written to twice.
What either of them reads goes on, also where the new address had left: its owner has said yes to these very
letters. What the person had left themselves stays left. What they asked for and have not confirmed is asked
again at the new address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import AddressChange, DeliveryState, Subscription, Token
from digest.store.chain import person_of
from digest.store.database import Database
from digest.store.erasing import erase_subscriber
from digest.store.joining import (
    ACTIVE,
    LEFT,
    PAUSED,
    PENDING,
    consented,
    depart,
    has_left,
    link_works,
    undo_departure,
)
from digest.store.notices import create_notice
from digest.store.owning import address_change, change_done
from digest.store.people import (
    find_person,
    hash_of,
    is_suppressed,
    note_consent,
    select_subscriptions,
    subscription_of,
)
from digest.store.signups import ask_there
from digest.store.tables import deliveries, subscribers, subscriptions

READING = (ACTIVE, PAUSED)
UNSENT = (DeliveryState.PENDING, DeliveryState.DEFERRED)  # nobody can have got these
_LIVELY = {ACTIVE: 2, PAUSED: 1, LEFT: 0, PENDING: 0}  # of two subscriptions the livelier one goes on


async def move(
    database: Database,
    connection: AsyncConnection,
    token: Token,
    evidence: Mapping[str, Any],
    now: datetime,
) -> AddressChange | None:
    """`Subscriptions.confirm_address` as part of a transaction."""
    change = await address_change(connection, token, lock=True)
    if change is None or change.done:
        return change
    if await is_suppressed(database, connection, change.address):
        return None
    theirs = select(subscribers).where(subscribers.c.id == change.subscriber_id).with_for_update()
    person = (await connection.execute(theirs)).one()
    if person.address is None:
        return None
    other = await find_person(database, connection, change.address)
    stays = person.id if other is None else other
    await _ask_there(database, connection, person.id, stays, person.address, change.address, now)
    await change_done(connection, change, stays, person.address, now)
    if stays == person.id:
        await _take_along(database, connection, person.id, person.address, change.address, evidence, now)
    else:
        await _join(database, connection, person.id, stays, change.address, evidence, now)
    was = person_of(person.salt, person.address).hex()
    await note_consent(
        database,
        connection,
        subscriber=stays,
        newsletter="",
        event="moved",
        source="web",
        evidence={**evidence, "was": was},
        now=now,
    )
    await _tell_old_address(database, connection, stays, person.address, change, now)
    return change


async def _ask_there(
    database: Database,
    connection: AsyncConnection,
    person: int,
    stays: int,
    old: str,
    new: str,
    now: datetime,
) -> None:
    """Not about what the new address reads or has a letter about already, nor what it left since."""
    has = {one.newsletter: one for one in await _subscriptions_of(connection, stays)}
    asked = []
    for one in await _subscriptions_of(connection, person):
        if one.status in READING or not link_works(one, now):
            continue
        there = has.get(one.newsletter)
        if there is None or there.id == one.id or not (there.status in READING or link_works(there, now)):
            asked.append(one)
    await ask_there(database, connection, asked, old, new, now)


async def _take_along(
    database: Database,
    connection: AsyncConnection,
    person: int,
    old: str,
    new: str,
    evidence: Mapping[str, Any],
    now: datetime,
) -> None:
    """Nobody is at the new address: it is this person's, with all they have."""
    for one in await _subscriptions_of(connection, person):
        if one.status == PENDING:
            continue
        await depart(database, connection, one.newsletter, old, now, kind="moved")
        await undo_departure(database, connection, one.newsletter, new, kind="moved")
        if one.status in READING and await has_left(database, connection, one.newsletter, new):
            await undo_departure(database, connection, one.newsletter, new, kind="left")
            await consented(database, connection, one, "yes", "moved", evidence, now)
    await connection.execute(
        update(subscribers)
        .where(subscribers.c.id == person)
        .values(address=new, hash=hash_of(database, new), manage_at=None)
    )
    # What the config vouched for under the old address is now the person's own.
    theirs = (subscriptions.c.subscriber_id == person, subscriptions.c.source == "config")
    await connection.execute(update(subscriptions).where(*theirs).values(source="web"))


async def _join(
    database: Database,
    connection: AsyncConnection,
    person: int,
    other: int,
    new: str,
    evidence: Mapping[str, Any],
    now: datetime,
) -> None:
    """The new address has subscriptions of its own: the person goes, and what they read goes to the other."""
    has = {one.newsletter: one for one in await _subscriptions_of(connection, other)}
    for one in await _subscriptions_of(connection, person):
        await undo_departure(database, connection, one.newsletter, new, kind="moved")
        there = has.get(one.newsletter)
        if there is not None:
            leads = update(subscriptions).where(subscriptions.c.id == one.id)
            await connection.execute(leads.values(joined_into=there.id))
        if one.status == PENDING or (there is not None and _LIVELY[one.status] <= _LIVELY[there.status]):
            continue
        if there is None:
            moved = update(subscriptions).where(subscriptions.c.id == one.id)
            await connection.execute(moved.values(subscriber_id=other, source="web"))
            # An old list must not bring the old address back.
            await depart(database, connection, one.newsletter, one.address, now, kind="moved")
        else:
            await _take_over(connection, one, there, now)
        if one.status in READING:
            await undo_departure(database, connection, one.newsletter, new, kind="left")
            joined = replace(one, subscriber_id=other)
            await consented(database, connection, joined, "yes", "moved", evidence, now)
    await erase_subscriber(database, connection, person, now, event="moved")


async def _take_over(
    connection: AsyncConnection, one: Subscription, there: Subscription, now: datetime
) -> None:
    """The subscription that is there goes on as this one did. Letters of this one that wait go out as they
    were born; but whoever has claimed one knows it by this one, which ends, and has to look again."""
    await connection.execute(
        update(subscriptions)
        .where(subscriptions.c.id == there.id)
        .values(
            status=one.status,
            source="web",
            edition_id=one.edition_id,
            through=one.through,
            language=one.language,
            paused_until=one.paused_until,
            confirmed_at=now,
            left_at=None,
            feed_on=there.feed_on and there.status != LEFT,
            by_mail=True,
        )
    )
    had = select(deliveries.c.issue_id).where(
        deliveries.c.subscription_id == there.id, deliveries.c.issue_id.is_not(None)
    )
    waiting = (
        deliveries.c.subscription_id == one.id,
        deliveries.c.queue.is_not(None),
        deliveries.c.state.in_(UNSENT),
        deliveries.c.issue_id.not_in(had),
    )
    await connection.execute(
        update(deliveries)
        .where(*waiting)
        .values(subscription_id=there.id, fence=deliveries.c.fence + 1, lease_until=0)
    )


async def _subscriptions_of(connection: AsyncConnection, person: int) -> list[Subscription]:
    statement = select_subscriptions().where(subscriptions.c.subscriber_id == person)
    rows = await connection.execute(statement.order_by(subscriptions.c.id).with_for_update(of=subscriptions))
    return [subscription_of(row) for row in rows]


async def _tell_old_address(
    database: Database,
    connection: AsyncConnection,
    person: int,
    old: str,
    change: AddressChange,
    now: datetime,
) -> None:
    """So that nobody loses their letters without hearing of it."""
    about = next(iter(await _subscriptions_of(connection, person)), None)
    await create_notice(
        database,
        connection,
        kind="moved",
        key=f"moved:{change.id}",
        recipient=old,
        newsletter="" if about is None else about.newsletter,
        data={},
        now=now,
        subscription_id=None if about is None else about.id,
    )

"""Forgetting a person: the address leaves every table, the numbers stay.

What stays of the address is what must outlive it, as keyed hashes: that it is suppressed, which newsletters
it left, and when its mailbox was written to.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import SubscriptionStatus
from digest.store.codec import encode
from digest.store.database import Database
from digest.store.joining import depart, was_taken_out
from digest.store.ledger import suppress_waiting
from digest.store.people import Departure, find_person, hash_of, select_subscriptions, subscription_of
from digest.store.seals import Entry, append, hold
from digest.store.signups import forget_signups
from digest.store.tables import (
    PENDING,
    address_changes,
    consents,
    deliveries,
    delivery_events,
    inbox,
    notices,
    subscribers,
    subscriptions,
)

ERASED = "erased"
FORGOTTEN_AT_ONCE = 20  # in one transaction, so that pages and letters get their turn between


async def erase_person(database: Database, connection: AsyncConnection, address: str, now: datetime) -> bool:
    """Take this address out of everything we hold; False: nobody of that address was known."""
    person = await find_person(database, connection, address)
    if person is None:
        return await _erase_addresses(database, connection, None, address, [], now) > 0
    await erase_subscriber(database, connection, person, now)
    return True


async def erase_subscriber(
    database: Database, connection: AsyncConnection, person: int, now: datetime, *, event: str = ERASED
) -> bool:
    """The same by the row of the person; False: erased already. event: what the ledger says of it.

    What is tied to the person goes, wherever it was to be sent. What is known only by an address goes when
    its owner wishes so: who never answered has not shown that it is theirs, and who moved is still with us.
    """
    row = (await connection.execute(select(subscribers.c.address).where(subscribers.c.id == person))).first()
    if row is None or row.address is None:
        return False
    await _leave_everything(database, connection, person, now, event)
    former = await _former_addresses(database, connection, person)  # before the letters lose them
    mine = select(subscriptions.c.id).where(subscriptions.c.subscriber_id == person)
    await _erase_letters(connection, deliveries.c.subscription_id.in_(mine), now)
    await connection.execute(delete(inbox).where(inbox.c.subscription_id.in_(mine)))
    if event == ERASED:
        await _erase_addresses(database, connection, person, row.address, former, now)
    wishes = delete(address_changes).where(address_changes.c.subscriber_id == person)
    if event == "moved":  # what is done is answered a second time
        wishes = wishes.where(address_changes.c.done_at.is_(None))
    await connection.execute(wishes)
    await connection.execute(
        update(consents).where(consents.c.subscriber_id == person).values(evidence=encode({}))
    )
    await connection.execute(
        update(subscribers)
        .where(subscribers.c.id == person)
        .values(address=None, hash=None, salt=None, manage_at=None, erased_at=now)
    )
    return True


async def _former_addresses(database: Database, connection: AsyncConnection, person: int) -> list[str]:
    """Where their letters went before they moved, unless somebody else is there now. Where a letter went that
    only asked whether the address is theirs, somebody else may live."""
    mine = select(subscriptions.c.id).where(subscriptions.c.subscriber_id == person)
    statement = (
        select(deliveries.c.recipient)
        .outerjoin(notices, notices.c.id == deliveries.c.notice_id)
        .where(deliveries.c.subscription_id.in_(mine), func.coalesce(notices.c.kind, "") != "address")
        .distinct()
    )
    found = (await connection.execute(statement)).scalars().all()
    free = [one for one in found if await find_person(database, connection, one) in (None, person)]
    return [one for one in free if one != ERASED]


async def forget_unconfirmed(database: Database, before: datetime, now: datetime) -> int:
    """Who was asked before then and never answered is forgotten, with the person if nothing else is known of
    them; how many. The ledger keeps that somebody asked, and names nobody."""
    total = 0
    while done := await database.write(partial(_forget_some, database, before, now)):
        total += done
    return total


async def _forget_some(
    database: Database, before: datetime, now: datetime, connection: AsyncConnection
) -> int:
    await hold(connection)
    old = (
        select(subscriptions.c.id, subscriptions.c.subscriber_id, subscriptions.c.newsletter)
        .where(subscriptions.c.status == PENDING, subscriptions.c.asked_at < before)
        .order_by(subscriptions.c.asked_at)
        .limit(FORGOTTEN_AT_ONCE)
    )
    rows = (await connection.execute(old.with_for_update())).all()
    for row in rows:
        more = select(subscriptions.c.id).where(
            subscriptions.c.subscriber_id == row.subscriber_id, subscriptions.c.id != row.id
        )
        if (await connection.execute(more.limit(1))).first() is None:
            await erase_subscriber(database, connection, row.subscriber_id, now, event="lapsed")
        else:
            line = Entry(
                subscriber=row.subscriber_id,
                newsletter=row.newsletter,
                event="lapsed",
                source="",
                evidence=encode({}),
            )
            await append(database, connection, [line], now)
        await connection.execute(delete(subscriptions).where(subscriptions.c.id == row.id))
    return len(rows)


async def _leave_everything(
    database: Database, connection: AsyncConnection, person: int, now: datetime, event: str
) -> None:
    """Every subscription ends, and the ledger says so while it still has the salt to say of whom."""
    statement = select_subscriptions().where(subscriptions.c.subscriber_id == person)
    known = [subscription_of(row) for row in await connection.execute(statement)]
    for one in known:
        left = one.status == SubscriptionStatus.LEFT
        if one.status != SubscriptionStatus.PENDING and not (left and await was_taken_out(connection, one)):
            kind: Departure = "moved" if event == "moved" else "left"
            await depart(database, connection, one.newsletter, one.address, now, kind=kind)
    await connection.execute(
        update(subscriptions)
        .where(subscriptions.c.subscriber_id == person, subscriptions.c.status != SubscriptionStatus.LEFT)
        .values(status=SubscriptionStatus.LEFT, left_at=now, paused_until=None)
    )
    await connection.execute(
        update(subscriptions)
        .where(subscriptions.c.subscriber_id == person)
        .values(left_from=None, left_until=None)
    )
    lines = [
        Entry(subscriber=person, newsletter=slug, event=event, source="", evidence=encode({}))
        for slug in ([one.newsletter for one in known] or [""])
    ]
    await append(database, connection, lines, now)


async def _erase_letters(connection: AsyncConnection, which: ColumnElement[bool], now: datetime) -> int:
    """What waits of these deliveries does not go; what went keeps its state and loses its recipient. How many
    had one."""
    await suppress_waiting(connection, which, "the person was erased", now)
    # A mail server's reply often names the address it speaks of.
    await connection.execute(
        update(delivery_events)
        .where(delivery_events.c.delivery_id.in_(select(deliveries.c.id).where(which)))
        .values(reply="")
    )
    changed = await connection.execute(
        update(deliveries).where(which, deliveries.c.recipient != ERASED).values(recipient=ERASED)
    )
    about = notices.c.id.in_(select(deliveries.c.notice_id).where(which))
    await connection.execute(update(notices).where(about).values(recipient=ERASED, data=encode({})))
    return changed.rowcount


async def _erase_addresses(
    database: Database,
    connection: AsyncConnection,
    person: int | None,
    address: str,
    former: list[str],
    now: datetime,
) -> int:
    """What is known by the address alone, such as reports and what nobody has answered yet; how much. To a
    former address only what was not sent for somebody else, who may have wished to live there since."""
    told = await forget_signups(database, connection, [address, *former])
    others = exists().where(
        subscriptions.c.id == inbox.c.subscription_id, subscriptions.c.subscriber_id != person
    )
    here = await _spellings(database, connection, inbox.c.recipient, [address])
    there = await _spellings(database, connection, inbox.c.recipient, former)
    kept = delete(inbox).where(or_(inbox.c.recipient.in_(here), inbox.c.recipient.in_(there) & ~others))
    told += (await connection.execute(kept)).rowcount
    letter = deliveries.alias()  # `deliveries` itself is what the statements around it change
    others = exists().where(
        letter.c.notice_id == notices.c.id,
        subscriptions.c.id == letter.c.subscription_id,
        subscriptions.c.subscriber_id != person,
    )
    # Somebody else wanted to move to it: that letter goes, and so does the wish.
    wished = await _spellings(database, connection, address_changes.c.address, [address])
    theirs = or_(notices.c.recipient.in_([address, *wished]), notices.c.recipient.in_(former) & ~others)
    told += await _erase_letters(
        connection, deliveries.c.notice_id.in_(select(notices.c.id).where(theirs)), now
    )
    gone = delete(address_changes).where(address_changes.c.address.in_(wished))
    return told + (await connection.execute(gone)).rowcount


async def _spellings(
    database: Database, connection: AsyncConnection, column: ColumnElement[str], addresses: list[str]
) -> list[str]:
    """How this column of a small table writes these addresses: in any case of letters, as programs between us
    and a mailbox change it. (The `lower` of SQLite knows only ASCII.)"""
    if not addresses:
        return []
    theirs = {hash_of(database, one) for one in addresses}
    found = await connection.execute(select(column).distinct())
    return [one for one in found.scalars() if hash_of(database, one) in theirs]

"""What the owner of an address may ask for by a link that was mailed to it: everything that we hold, and to
be written to at another address.

A letter may be forwarded, so its own links lead to none of this. The link for it is good for an hour, for the
latest one that was mailed, and for as long as the address is theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import AddressChange, Subscription, Token
from digest.store.codec import decode_mapping, encode
from digest.store.database import Database
from digest.store.mailbox import free_at, mailbox, mailbox_of, note_letter
from digest.store.notices import create_notice
from digest.store.people import find_subscription, is_suppressed, select_subscriptions, subscription_of
from digest.store.tables import (
    address_changes,
    consents,
    deliveries,
    delivery_events,
    inbox,
    notices,
    signups,
    subscribers,
    subscriptions,
)

CHANGE_LASTS = timedelta(days=1)  # as long as the link that asks for it is good

# ---------------------------------------------------------------- the link


async def mail_link(database: Database, connection: AsyncConnection, id: int, now: datetime) -> bool:  # noqa: A002
    """`Subscriptions.request_manage` as part of a transaction."""
    found = await find_subscription(connection, id, lock=True)
    if found is None or "@" not in found.address:
        return False
    if await free_at(database, connection, "manage", found.address, now) > now:
        return False
    await note_letter(database, connection, "manage", found.address, now)
    await connection.execute(
        update(subscribers).where(subscribers.c.id == found.subscriber_id).values(manage_at=now)
    )
    notice = await create_notice(
        database,
        connection,
        kind="manage",
        key=f"manage:{found.id}:{now.isoformat()}",
        recipient=found.address,
        newsletter=found.newsletter,
        data={"subscription_id": found.id},
        now=now,
        subscription_id=found.id,
    )
    return notice is not None


async def managed(connection: AsyncConnection, token: Token) -> Subscription | None:
    """Whom such a link is about, if it is the latest one that was mailed to them."""
    found = await find_subscription(connection, token.id)
    if found is None or "@" not in found.address:
        return None
    mailed = select(subscribers.c.manage_at).where(subscribers.c.id == found.subscriber_id)
    at: datetime | None = (await connection.execute(mailed)).scalar_one()
    return found if at is not None and int(at.timestamp()) == token.number else None


# ---------------------------------------------------------------- everything


async def everything(database: Database, connection: AsyncConnection, person: int) -> dict[str, Any]:
    """All that we hold about a person, as plain JSON values; empty if there is nobody."""
    row = (await connection.execute(select(subscribers).where(subscribers.c.id == person))).first()
    if row is None or row.address is None:
        return {}
    held = select_subscriptions().where(subscriptions.c.subscriber_id == person)
    subscribed = [subscription_of(one) for one in await connection.execute(held.order_by(subscriptions.c.id))]
    lines = select(consents).where(consents.c.subscriber_id == person).order_by(consents.c.id)
    wanted = select(address_changes).where(address_changes.c.subscriber_id == person)
    theirs = deliveries.c.subscription_id.in_([one.id for one in subscribed]) | deliveries.c.notice_id.in_(
        select(notices.c.id).where(notices.c.recipient == row.address)
    )
    kept = select(inbox.c.subject, inbox.c.received_at).where(inbox.c.recipient == row.address)
    return {
        "address": row.address,
        "known_since": _said(row.created_at),
        "subscriptions": [_subscription(one) for one in subscribed],
        "consent": [
            {
                "at": _said(line.at),
                "newsletter": line.newsletter,
                "event": line.event,
                "source": line.source,
                "evidence": decode_mapping(line.evidence),
            }
            for line in await connection.execute(lines)
        ],
        "asked_for": await _asked_for(database, connection, row.address),
        "address_changes": [
            {
                "address": one.address,
                "asked_at": _said(one.asked_at),
                "done_at": _said(one.done_at),
            }
            for one in await connection.execute(wanted)
        ],
        "letters": await _letters(connection, theirs),
        "letters_kept_here": [
            {"subject": one.subject, "received_at": _said(one.received_at)}
            for one in await connection.execute(kept.order_by(inbox.c.id))
        ],
    }


async def _asked_for(database: Database, connection: AsyncConnection, address: str) -> list[dict[str, Any]]:
    """What waits to be answered with a letter. Others may share the mailbox as its limits see it; what is
    theirs is not shown."""
    same = select(signups).where(signups.c.mailbox == mailbox_of(database, address)).order_by(signups.c.id)
    return [
        {
            "address": one.address,
            "newsletter": one.newsletter,
            "asked_at": _said(one.asked_at),
            "evidence": decode_mapping(one.evidence),
        }
        for one in await connection.execute(same)
        if one.address.casefold() == address.casefold()
    ]


def _subscription(one: Subscription) -> dict[str, Any]:
    """Every field that says something of the person, whatever is added to the value later."""
    plain = {name: getattr(one, name) for name in Subscription.__dataclass_fields__}
    inner = ("id", "subscriber_id", "edition_id", "through", "address")
    return {name: _said(value) for name, value in plain.items() if name not in inner}


async def _letters(connection: AsyncConnection, theirs: Any) -> list[dict[str, Any]]:
    """What was sent, or is about to be, with what mail servers said; the text of issues is on the web."""
    events: dict[int, list[dict[str, Any]]] = {}
    lines = (
        select(delivery_events)
        .join(deliveries, deliveries.c.id == delivery_events.c.delivery_id)
        .where(theirs)
        .order_by(delivery_events.c.id)
    )
    for line in await connection.execute(lines):
        said = {"at": _said(line.at), "state": line.state, "relay": line.relay, "reply": line.reply}
        events.setdefault(line.delivery_id, []).append(said)
    letters = (
        select(deliveries, notices.c.kind)
        .outerjoin(notices, notices.c.id == deliveries.c.notice_id)
        .where(theirs)
        .order_by(deliveries.c.id)
    )
    return [
        {
            "newsletter": one.newsletter,
            "kind": one.kind or "issue",
            "issue": one.issue_id,
            "to": one.recipient,
            "state": one.state,
            "created_at": _said(one.created_at),
            "history": events.get(one.id, []),
        }
        for one in await connection.execute(letters)
    ]


def _said(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


# ---------------------------------------------------------------- another address


async def may_ask_address(
    database: Database,
    connection: AsyncConnection,
    id: int,  # noqa: A002 - as in every room of the store
    address: str,
    now: datetime,
) -> bool:
    """`Subscriptions.may_ask_address` as part of a transaction."""
    found = await find_subscription(connection, id)
    if found is None or await free_at(database, connection, "change", found.address, now) > now:
        return False
    if mailbox(address) != mailbox(found.address):
        return True
    return await free_at(database, connection, "confirm", address, now) <= now


async def ask_address(
    database: Database,
    connection: AsyncConnection,
    id: int,  # noqa: A002 - as in every room of the store
    address: str,
    evidence: Mapping[str, Any],
    now: datetime,
) -> bool:
    """`Subscriptions.request_address` as part of a transaction."""
    found = await find_subscription(connection, id, lock=True)
    if found is None or "@" not in found.address or found.address.casefold() == address.casefold():
        return False
    if await free_at(database, connection, "change", found.address, now) > now:
        return False
    await note_letter(database, connection, "change", found.address, now)
    if await is_suppressed(database, connection, address):
        return False
    if await free_at(database, connection, "confirm", address, now) > now:
        return False
    await note_letter(database, connection, "confirm", address, now)
    person = address_changes.c.subscriber_id == found.subscriber_id
    await connection.execute(delete(address_changes).where(person))  # its link dies with it
    asked = insert(address_changes).values(
        subscriber_id=found.subscriber_id, address=address, evidence=encode(evidence), asked_at=now
    )
    change: int = (await connection.execute(asked.returning(address_changes.c.id))).scalar_one()
    notice = await create_notice(
        database,
        connection,
        kind="address",
        key=f"address:{change}",
        recipient=address,
        newsletter=found.newsletter,
        data={"change_id": change},
        now=now,
        subscription_id=found.id,
    )
    return notice is not None


async def address_change(
    connection: AsyncConnection, token: Token, *, lock: bool = False
) -> AddressChange | None:
    """What the link in such a letter leads to; None when another was asked for since, or it is too old."""
    statement = select(address_changes).where(address_changes.c.id == token.id)
    row = (await connection.execute(statement.with_for_update() if lock else statement)).first()
    if row is None or int(row.asked_at.timestamp()) != token.number:
        return None
    return AddressChange(
        id=row.id,
        subscriber_id=row.subscriber_id,
        address=row.address,
        asked_at=row.asked_at,
        done=row.done_at is not None,
    )


async def change_done(
    connection: AsyncConnection, change: AddressChange, person: int, old: str, now: datetime
) -> None:
    """It stays as long as its link is good, so that a second press is answered as the first; with whoever has
    the new address now, unless they have a wish of their own. That stays good: a letter is out that says what
    its button does, and whoever presses last has chosen last. That letters go to the old address is not said
    any more."""
    theirs = (address_changes.c.subscriber_id == person, address_changes.c.id != change.id)
    done = select(address_changes).where(address_changes.c.done_at.is_not(None))
    past = [
        row.id
        for row in await connection.execute(done)
        if row.subscriber_id == person or row.address.casefold() == old.casefold()
    ]
    await connection.execute(delete(address_changes).where(address_changes.c.id.in_(past)))
    wishes = (await connection.execute(select(address_changes.c.id).where(*theirs))).first() is not None
    await connection.execute(
        update(address_changes)
        .where(address_changes.c.id == change.id)
        .values(done_at=now, **({} if wishes else {"subscriber_id": person}))
    )


async def forget_changes(database: Database, now: datetime) -> int:
    """Changes of address whose link is good no more, done or not; how many."""

    async def work(connection: AsyncConnection) -> int:
        old = delete(address_changes).where(address_changes.c.asked_at < now - CHANGE_LASTS)
        return (await connection.execute(old)).rowcount

    return await database.write(work)

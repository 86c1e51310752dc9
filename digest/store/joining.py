"""Coming and going, as parts of a transaction: the web, the command line and the config all lead here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import CONFIRM_MAX_AGE, Issue, Requested, Subscription, SubscriptionStatus, Token
from digest.store.codec import decode
from digest.store.database import Database
from digest.store.editions import locked_edition, own_edition, wake
from digest.store.mailbox import free_at, note_letter
from digest.store.notices import create_notice
from digest.store.people import (
    Departure,
    departure_of,
    find_person,
    find_subscription,
    is_suppressed,
    note_consent,
    select_subscriptions,
    subscriber_id,
    subscription_of,
)
from digest.store.tables import consents, departures, issues, newsletters, subscriptions

ACTIVE, LEFT = SubscriptionStatus.ACTIVE, SubscriptionStatus.LEFT
PENDING, PAUSED = SubscriptionStatus.PENDING, SubscriptionStatus.PAUSED

DEPARTURES: tuple[Departure, ...] = ("left", "moved")
DECISIVE = ("yes", "vouched", "no", "moved", "lapsed", "erased")
"""Events of the ledger that change whether somebody may be written to; the last one counts."""
NEWEST_FIRST = (consents.c.seq.desc().nulls_first(), consents.c.id.desc())
"""The order that is sealed. (Anybody may renumber the ids.) A line without a number waits to be sealed."""


async def ask(
    database: Database,
    connection: AsyncConnection,
    newsletter: str,
    address: str,
    *,
    evidence: Mapping[str, Any],
    now: datetime,
    asked_at: datetime | None = None,
) -> Requested:
    """`Subscriptions.request` as part of a transaction. asked_at: when they asked, if that is not now."""
    nothing = Requested(subscription=None, mailed=False)
    if not await is_published(connection, newsletter):
        return nothing
    if await is_suppressed(database, connection, address):
        return nothing
    person = await find_person(database, connection, address)
    known = None if person is None else await subscription_of_person(connection, newsletter, person)
    if known is not None and (known.status in (ACTIVE, PAUSED) or _is_past(known, asked_at or now)):
        return Requested(subscription=known, mailed=False)
    later = await free_at(database, connection, "confirm", address, now)
    if later > now:
        # A second letter would come unasked, and its link would end that of the first.
        has_it = known is not None and link_works(known, later)
        return Requested(subscription=known, mailed=False, later=None if has_it else later)
    if known is None:
        person = await subscriber_id(database, connection, address, now)
        known = await create_subscription(connection, newsletter, person, PENDING, "web", now)
    await connection.execute(update(subscriptions).where(subscriptions.c.id == known.id).values(asked_at=now))
    await consented(database, connection, known, "asked", "web", evidence, now)
    await note_letter(database, connection, "confirm", address, now)
    notice = await create_notice(
        database,
        connection,
        kind="confirm",
        key=f"confirm:{known.id}:{now.isoformat()}",
        recipient=known.address,
        newsletter=newsletter,
        data={"subscription_id": known.id},
        now=now,
        subscription_id=known.id,
    )
    return Requested(subscription=replace(known, asked_at=now), mailed=notice is not None)


def _is_past(known: Subscription, asked_at: datetime) -> bool:
    """Whether they were mailed, or left, after they had asked."""
    return any(at is not None and at > asked_at for at in (known.asked_at, known.left_at))


def link_works(known: Subscription, at: datetime) -> bool:
    """Whether the link of the last letter is still good then, if nothing else happens. known: no reader."""
    if known.asked_at is None or (known.left_at is not None and known.left_at >= known.asked_at):
        return False
    return at - known.asked_at < CONFIRM_MAX_AGE


async def may_confirm(
    database: Database, connection: AsyncConnection, found: Subscription, token: Token | None
) -> bool:
    """Whether a yes takes this one in, who is no reader now."""
    if "@" not in found.address:  # erased since
        return False
    if await is_suppressed(database, connection, found.address):
        return False
    if token is not None and (found.asked_at is None or int(found.asked_at.timestamp()) != token.number):
        return False  # a later letter was asked for
    if found.status == LEFT:
        return found.asked_at is not None and (found.left_at is None or found.asked_at > found.left_at)
    return True


async def is_new_yes(
    database: Database, connection: AsyncConnection, reader: Subscription, token: Token
) -> bool:
    """Whether a reader says yes by this link, for whom so far only somebody else has."""
    word = await _last_word(connection, reader)
    return (
        word is not None and word[0] == "vouched" and await may_confirm(database, connection, reader, token)
    )


async def welcome(
    database: Database, connection: AsyncConnection, reader: Subscription, now: datetime
) -> None:
    """A first letter, with what the latest public issue told. Its words are frozen here."""
    latest = (
        select(issues.c.data, issues.c.path)
        .where(
            issues.c.newsletter == reader.newsletter,
            issues.c.public.is_(True),
            issues.c.state != "cancelled",
        )
        .order_by(issues.c.id.desc())
        .limit(1)
    )
    data: dict[str, Any] = {}
    found = (await connection.execute(latest)).first()
    if found is not None:
        issue = decode(Issue, found.data)
        data = {"path": found.path, "title": issue.title, "stories": [one.title for one in issue.stories]}
    await create_notice(
        database,
        connection,
        kind="welcome",
        key=f"welcome:{reader.id}:{now.isoformat()}",
        recipient=reader.address,
        newsletter=reader.newsletter,
        data=data,
        now=now,
        subscription_id=reader.id,
    )


async def add_reader(
    database: Database,
    connection: AsyncConnection,
    newsletter: str,
    address: str,
    *,
    source: str,
    evidence: Mapping[str, Any],
    now: datetime,
    back: bool = False,
) -> str:
    """`Subscriptions.add` as part of a transaction. back: also take in again whom the config had taken out.

    Who left by themselves stays left, also when they have been erased since.
    """
    if await is_suppressed(database, connection, address):
        return "suppressed"
    for kind in DEPARTURES:
        if await has_left(database, connection, newsletter, address, kind=kind):
            return "left"
    person = await subscriber_id(database, connection, address, now)
    known = await subscription_of_person(connection, newsletter, person)
    if known is not None and known.status in (ACTIVE, PAUSED):
        return "already"
    if known is not None and known.status == LEFT and not (back and await was_taken_out(connection, known)):
        return "left"
    if known is None:
        known = await create_subscription(connection, newsletter, person, ACTIVE, source, now)
    else:
        await activate(connection, known, now)
        await connection.execute(
            update(subscriptions).where(subscriptions.c.id == known.id).values(source=source)
        )
    await consented(database, connection, known, "vouched", source, evidence, now)
    return "added"


async def leave_now(
    database: Database,
    connection: AsyncConnection,
    subscription: Subscription,
    *,
    source: str,
    evidence: Mapping[str, Any],
    now: datetime,
) -> None:
    """End a subscription that has not ended yet. What it was like is kept for `come_back`."""
    await connection.execute(
        update(subscriptions)
        .where(subscriptions.c.id == subscription.id)
        .values(
            status=LEFT,
            left_at=now,
            paused_until=None,
            left_from=subscription.status,
            left_until=subscription.paused_until,
        )
    )
    if source != "config" and "@" in subscription.address:
        await depart(database, connection, subscription.newsletter, subscription.address, now)
    await consented(database, connection, subscription, "no", source, evidence, now)


async def leave_again(
    database: Database,
    connection: AsyncConnection,
    left: Subscription,
    *,
    evidence: Mapping[str, Any],
    now: datetime,
) -> None:
    """A goodbye of somebody who reads nothing. It counts where the config had taken them out, which may not
    take them in again then, and where they asked again since: the link of that letter is dead."""
    if "@" not in left.address:
        return
    taken_out = await was_taken_out(connection, left)
    asked = left.asked_at is not None and left.left_at is not None and left.asked_at > left.left_at
    if not taken_out and not asked:
        return
    nothing_to_undo = {"left_from": None, "left_until": None} if taken_out else {}
    await connection.execute(
        update(subscriptions).where(subscriptions.c.id == left.id).values(asked_at=None, **nothing_to_undo)
    )
    await depart(database, connection, left.newsletter, left.address, now)
    await consented(database, connection, left, "no", "web", evidence, now)


async def come_back(
    database: Database,
    connection: AsyncConnection,
    left: Subscription,
    *,
    evidence: Mapping[str, Any],
    now: datetime,
) -> bool:
    """Take a goodbye back: with the rhythm, the pause and the `through` as they were. False: they were no
    reader when they left, did not leave by themselves, or may not be written to."""
    was = (
        await connection.execute(
            select(subscriptions.c.left_from, subscriptions.c.left_until).where(subscriptions.c.id == left.id)
        )
    ).one()
    word = await _last_word(connection, left)
    if was.left_from not in (ACTIVE, PAUSED) or word is None or word[1] in ("config", "cli"):
        return False
    if await is_suppressed(database, connection, left.address):
        return False
    # Their edition may have fallen asleep, if nobody else reads it.
    await wake(connection, await locked_edition(connection, left.edition_id), now)
    await connection.execute(
        update(subscriptions)
        .where(subscriptions.c.id == left.id)
        .values(status=was.left_from, left_at=None, paused_until=was.left_until)
    )
    await undo_departure(database, connection, left.newsletter, left.address, kind="left")
    await consented(database, connection, left, "yes", "undo", evidence, now)
    return True


async def depart(
    database: Database,
    connection: AsyncConnection,
    newsletter: str,
    address: str,
    now: datetime,
    *,
    kind: Departure = "left",
) -> None:
    """Remember, for good, that whoever has this address left this newsletter, or reads it elsewhere."""
    hashed = departure_of(database, newsletter, address, kind)
    row = database.insert(departures).values(hash=hashed, at=now)
    await connection.execute(row.on_conflict_do_nothing())


async def undo_departure(
    database: Database, connection: AsyncConnection, newsletter: str, address: str, *, kind: Departure
) -> None:
    """They came back by their own will."""
    gone = departures.c.hash == departure_of(database, newsletter, address, kind)
    await connection.execute(delete(departures).where(gone))


async def has_left(
    database: Database,
    connection: AsyncConnection,
    newsletter: str,
    address: str,
    *,
    kind: Departure = "left",
) -> bool:
    """Whether somebody with this address left, and has not come back by themselves."""
    gone = departures.c.hash == departure_of(database, newsletter, address, kind)
    return bool((await connection.execute(select(exists().where(gone)))).scalar_one())


async def was_taken_out(connection: AsyncConnection, left: Subscription) -> bool:
    """Whether it was the config, not the person, that ended this subscription."""
    return await _last_word(connection, left) == ("no", "config")


async def _last_word(connection: AsyncConnection, subscription: Subscription) -> tuple[str, str] | None:
    """What the ledger says last of this yes or no: (event, source)."""
    last = (
        select(consents.c.event, consents.c.source)
        .where(
            consents.c.subscriber_id == subscription.subscriber_id,
            consents.c.newsletter == subscription.newsletter,
            consents.c.event.in_(DECISIVE),
        )
        .order_by(*NEWEST_FIRST)
        .limit(1)
    )
    row = (await connection.execute(last)).first()
    return None if row is None else (row.event, row.source)


async def create_subscription(
    connection: AsyncConnection,
    newsletter: str,
    person: int,
    status: SubscriptionStatus,
    source: str,
    now: datetime,
) -> Subscription:
    # The share lock: without it the cursor could move, and the issue's deliveries be born, between our
    # reading of `through` and our commit; this reader would match no later issue ever again.
    edition = await own_edition(connection, newsletter, share=True)
    statement = (
        insert(subscriptions)
        .values(
            subscriber_id=person,
            newsletter=newsletter,
            edition_id=edition.id,
            status=status,
            source=source,
            through=edition.through,
            created_at=now,
            confirmed_at=now if status == ACTIVE else None,
        )
        .returning(subscriptions.c.id)
    )
    created = (await connection.execute(statement)).scalar_one()
    found = await find_subscription(connection, created)
    assert found is not None  # noqa: S101 - written one statement ago
    return found


async def activate(connection: AsyncConnection, found: Subscription, confirmed_at: datetime) -> None:
    """A new yes, to the newsletter's own rhythm and from where its archive stands; who was further already
    in a rhythm of their own is told nothing twice."""
    edition = await own_edition(
        connection, found.newsletter, share=True
    )  # for the reason in create_subscription
    await connection.execute(
        update(subscriptions)
        .where(subscriptions.c.id == found.id)
        .values(
            status=ACTIVE,
            edition_id=edition.id,
            through=max(edition.through, found.through),
            confirmed_at=confirmed_at,
            left_at=None,
            paused_until=None,
            **({"feed_on": False, "by_mail": True} if found.status == LEFT else {}),
        )
    )


async def consented(
    database: Database,
    connection: AsyncConnection,
    subscription: Subscription,
    event: str,
    source: str,
    evidence: Mapping[str, Any],
    now: datetime,
) -> None:
    await note_consent(
        database,
        connection,
        subscriber=subscription.subscriber_id,
        newsletter=subscription.newsletter,
        event=event,
        source=source,
        evidence=evidence,
        now=now,
    )


async def is_published(connection: AsyncConnection, slug: str) -> bool:
    statement = select(newsletters.c.slug).where(
        newsletters.c.slug == slug, newsletters.c.retired_at.is_(None)
    )
    return (await connection.execute(statement)).first() is not None


async def subscription_of_person(
    connection: AsyncConnection, newsletter: str, person: int
) -> Subscription | None:
    statement = select_subscriptions().where(
        subscriptions.c.newsletter == newsletter, subscriptions.c.subscriber_id == person
    )
    row = (await connection.execute(statement)).first()
    return None if row is None else subscription_of(row)

"""A reader chooses when letters come: another edition, with what they have read so far unchanged.

Only `edition_id` moves; `through` stays the reader's own. So the next issue of the new edition begins where
the last letter ended, whatever the old one was about to do.
"""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from digest.model import DigestError, Newsletter, Rhythm, Subscription, SubscriptionStatus
from digest.store.codec import decode
from digest.store.database import Database
from digest.store.editions import find_or_found, locked_edition, wake
from digest.store.people import find_subscription
from digest.store.tables import newsletters, subscriptions

STEP = 15  # minutes: so that readers share editions
_NO_PLACES = ("posix/", "right/", "localtime", "posixrules", "Factory")
_READING = (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAUSED)


def offered(rhythm: Rhythm, newsletter: Newsletter) -> Rhythm:
    """The rhythm in its one spelling. Raises DigestError, for people: it is none, or not offered."""
    own = newsletter.schedule.rhythm
    wanted = rhythm.schedule.rhythm
    if wanted == own:
        return own
    _refuse_unknown_zone(wanted.zone)
    if not newsletter.offers.has(wanted, own):
        raise DigestError(f"{newsletter.title} does not come out as you wish ({wanted}); {_said(newsletter)}")
    if (wanted.at, wanted.zone) != (own.at, own.zone) and (
        wanted.at.minute % STEP or wanted.at.second or wanted.at.microsecond
    ):
        raise DigestError(f"{wanted.at:%H:%M} is no time to choose: it goes by quarters of an hour")
    return wanted


def _refuse_unknown_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # ZoneInfo("Europe") is an IsADirectoryError
        known = False
    else:
        known = not name.startswith(_NO_PLACES)
    if not known:
        raise DigestError(f"there is no time zone {name!r}; they are written like Europe/Berlin")


def _said(newsletter: Newsletter) -> str:
    offers, own = newsletter.offers, newsletter.schedule.rhythm
    cadences = " or ".join(dict.fromkeys((own.cadence, *offers.cadences)))
    when = "at an hour of your choice" if offers.hour else f"at {own.at:%H:%M} {own.zone}"
    return f"it comes {cadences}, {when}"


async def choose_rhythm(
    database: Database, connection: AsyncConnection, subscription_id: int, rhythm: Rhythm, now: datetime
) -> Subscription | None:
    """The transaction of `Subscriptions.choose`."""
    found = await find_subscription(connection, subscription_id)
    if found is None or found.status not in _READING:
        return found
    row = (await connection.execute(select(newsletters).where(newsletters.c.slug == found.newsletter))).one()
    newsletter = decode(Newsletter, row.definition)
    if row.retired_at is not None:
        raise DigestError(f"{newsletter.title} does not come out any more")
    wanted = offered(rhythm, newsletter)
    edition = await find_or_found(
        database, connection, found.newsletter, wanted, through=found.through, now=now
    )
    locked = await find_subscription(connection, subscription_id, lock=True)
    if locked is None or locked.status not in _READING:  # they left while we waited
        return locked
    await connection.execute(
        update(subscriptions).where(subscriptions.c.id == locked.id).values(edition_id=edition.id)
    )
    await wake(connection, edition, now)
    return await find_subscription(connection, subscription_id)


async def pause_reader(
    connection: AsyncConnection, subscription_id: int, until: date | None, now: datetime
) -> Subscription | None:
    """The transaction of `Subscriptions.pause`."""
    if (found := await _with_edition(connection, subscription_id, now)) is None:
        return await find_subscription(connection, subscription_id)
    await connection.execute(
        update(subscriptions)
        .where(subscriptions.c.id == found.id)
        .values(status=SubscriptionStatus.PAUSED, paused_until=until)
    )
    return await find_subscription(connection, subscription_id)


async def resume_reader(
    connection: AsyncConnection, subscription_id: int, now: datetime
) -> Subscription | None:
    """The transaction of `Subscriptions.resume`."""
    found = await _with_edition(connection, subscription_id, now)
    if found is None or found.status != SubscriptionStatus.PAUSED:
        return await find_subscription(connection, subscription_id)
    await connection.execute(
        update(subscriptions)
        .where(subscriptions.c.id == found.id)
        .values(status=SubscriptionStatus.ACTIVE, paused_until=None)
    )
    return await find_subscription(connection, subscription_id)


async def _with_edition(
    connection: AsyncConnection, subscription_id: int, now: datetime
) -> Subscription | None:
    """This reader, locked, and before that the edition, which is awake from now on; None: no reader."""
    found = await find_subscription(connection, subscription_id)
    while found is not None and found.status in _READING:
        edition = await locked_edition(connection, found.edition_id)
        locked = await find_subscription(connection, subscription_id, lock=True)
        if locked is None or locked.status not in _READING:
            return None
        if locked.edition_id == edition.id:
            await wake(connection, edition, now)
            return locked
        found = locked  # they moved while we waited
    return None
